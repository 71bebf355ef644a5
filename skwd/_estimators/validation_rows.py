"""Validation rows that are unlike the rows trained on, as steps have left them out."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from skwd._estimators.warnings import warn

# Rows of each that are looked at, evenly spaced.
MOST_ROWS = 1000
# A column is far where so much of X_val lies beyond X by the width of X's range, and
# near where nine tenths of X_val are so much narrower than the middle half of X. X_val
# is another thing than X if so many columns are far, or all are near. Tried on six
# tables of scikit-learn: of splits at random, in order and by a sorted column none is
# so, and behind a StandardScaler that X_val has missed nearly all are. Of 10,000 pairs
# of Gaussian, Cauchy, Pareto, rounded and rare 0/1 columns of one source one is.
FAR_ROWS, NARROW, FAR_COLUMNS = 0.25, 0.2, 0.2
# Fewer say too little.
LEAST_ROWS = 10


def warn_of_untransformed(X, X_val, names) -> bool:
    """Name it when X_val has not gone through the steps that X has; whether it is so.

    ``names`` are those of the columns, or None.
    """
    column = _unlike_column(X, X_val)
    if column is None:
        return False
    shown = f"column {column if names is None else repr(str(names[column]))}"
    (low, high), (val_low, val_high) = map(_range, (X, X_val), (column, column))
    warn(
        "X_val seems not to have gone through the steps that X has: X has values from "
        f"{low:.3g} to {high:.3g} in {shown}, X_val from {val_low:.3g} to "
        f"{val_high:.3g}. With metadata routing transform_input=['X_val'] of a "
        "Pipeline takes it through them; elsewhere transform X_val as X."
    )
    return True


def _unlike_column(X, X_val) -> int | None:
    """A column that is far or near, where X_val is another thing than X."""
    X, X_val = _some_rows(X), _some_rows(X_val)
    if min(X.shape[0], X_val.shape[0]) < LEAST_ROWS:
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        low, high = _ends(X)
        width = high - low
        top, bottom = high + width, low - width
        if sparse.issparse(X_val):  # a zero is within, or nearly
            entries, place = X_val.data, X_val.indices
            is_beyond = (entries > top[place]) | (entries < bottom[place])
            beyond = np.bincount(place, is_beyond, minlength=len(width))
            beyond = beyond / X_val.shape[0]
        else:
            beyond = ((X_val > top) | (X_val < bottom)).mean(axis=0)
        beyond = np.where(width > 0.0, beyond, 0.0)
        is_far = beyond > FAR_ROWS
        if is_far.sum() > FAR_COLUMNS * (width > 0.0).sum():
            return int(np.argmax(beyond))
        if sparse.issparse(X) or sparse.issparse(X_val):
            return None
        half, most = _width(X, 0.25), _width(X_val, 0.05)
    varies = half > 0.0
    if varies.any() and (most < NARROW * half)[varies].all():
        return int(np.flatnonzero(varies)[0])
    return None


def _some_rows(X):
    return X[:: -(-X.shape[0] // MOST_ROWS)]


def _ends(X) -> tuple[np.ndarray, np.ndarray]:
    """The least and the largest value of each column, in float64."""
    low, high = X.min(axis=0), X.max(axis=0)
    if sparse.issparse(X):
        low, high = low.toarray().ravel(), high.toarray().ravel()
    return np.asarray(low, np.float64), np.asarray(high, np.float64)


def _range(X, column: int) -> tuple[float, float]:
    low, high = _ends(X[:, [column]])
    return float(low[0]), float(high[0])


def _width(X: np.ndarray, end: float) -> np.ndarray:
    """The width of each column, without a part of the rows at each end."""
    low, high = np.quantile(X, [end, 1.0 - end], axis=0)
    return high - low
