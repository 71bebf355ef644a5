"""Columns in parts as a plain transformer, column by column."""

from itertools import pairwise

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

N_QUANTILES, SCALE, CLIP = 24, 0.5, 3.0


def quantile(x, p):
    """Without interpolation; above the middle counted from the top."""
    if p > 0.5:
        return -quantile(-x, 1.0 - p)
    return np.sort(x)[max(0, int(np.ceil(round(p * len(x), 9))) - 1)]


class Parts(TransformerMixin, BaseEstimator):
    """x between its ends, and its ramps from quantile to quantile."""

    def fit(self, X, y=None):
        X = np.asarray(X, dtype=np.float64)
        self.knots_, self.middle_, self.width_ = [], [], []
        for x in X.T:
            places = np.linspace(0.0, 1.0, N_QUANTILES)
            knots = np.unique([quantile(x, p) for p in places])
            if len(knots) < 3:  # nearly all rows are one value, or two
                knots = np.unique([quantile(np.unique(x), p) for p in places])
            if len(knots) < 3:
                knots = np.empty(0)
            low, high = quantile(x, 0.25), quantile(x, 0.75)
            if low == high:
                low, high = low - np.ptp(x) / 4, low + np.ptp(x) / 4
            self.knots_.append(knots)
            self.middle_.append((low + high) / 2)
            self.width_.append(high - low)
        return self

    def transform(self, X):
        found = []
        for j, x in enumerate(np.asarray(X, dtype=np.float64).T):
            knots = self.knots_[j]
            if not len(knots):
                found.append(x)
                continue
            z = (x - self.middle_[j]) / self.width_[j]
            found.append(np.clip(z, -CLIP, CLIP))
            for low, high in pairwise(knots):
                found.append(SCALE * np.clip((x - low) / (high - low), 0.0, 1.0))
        return np.stack(found, axis=1)


def mixed(n=150, seed=0):
    """X with columns of many, of some, of two values and of one; y has a step."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 5)) * [1.0, 20.0, 1.0, 1.0, 0.0] + [0.0, 1e3, 0, 0, 7.0]
    X[:, 2] = np.round(2.0 * X[:, 2])
    X[:, 3] = X[:, 3] > 0.5
    noise = 0.1 * rng.normal(size=n)
    y = 2.0 * (X[:, 0] > 0.4) + np.abs(X[:, 1] - 1e3) / 20 + 0.3 * X[:, 2] + noise
    return X, y
