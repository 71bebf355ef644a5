"""Scores of predictions with a deviation: log-likelihood and CRPS of a Gaussian."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy import sparse
from scipy.special import ndtr
from sklearn.dummy import DummyRegressor
from sklearn.utils import check_consistent_length

from skwd._data.missing import in_shape

# Deviations of 0 count as this.
TINY = float(np.finfo(np.float64).tiny)
# Deviations from the prediction, whose square is a number still.
MOST = 1e150


def log_likelihood_scorer(estimator: Any, X, y, sample_weight=None) -> float:
    """Mean log-likelihood of y, as Gaussian about the prediction; higher is better.

    A scorer for ``scoring=`` of searches and ``cross_val_score``, of every regressor
    with ``predict(X, return_std=True)``, in a Pipeline too::

        mean of  -z^2 / 2 - ln(std) - ln(2 pi) / 2 ,   z = (y - prediction) / std

    A few outliers may decide it, as a row counts by its squared distance in deviations.
    `neg_crps_scorer` is less sensitive to outliers.

    Parameters
    ----------
    estimator : regressor
        Fitted with ``posterior=True``, or with ``noise="varying"``. In the search of a
        CV form only ``posterior=True`` will do, as its networks have a constant noise.
    X : array-like of shape (n_samples, n_features)
        Rows.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Their targets; NaN is one that is not known, and left out.
    sample_weight : array-like of shape (n_samples,), optional
        Their weights.

    Returns
    -------
    score : float
        In nats; it changes by -ln(c) where y is multiplied by c.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.model_selection import cross_val_score
    >>> from skwd import WeightDecayMLPRegressor, log_likelihood_scorer
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = WeightDecayMLPRegressor(posterior=True, random_state=0)
    >>> scores = cross_val_score(model, X, y, scoring=log_likelihood_scorer)
    >>> scores.shape
    (5,)
    """
    _, z, std, weight = _known(estimator, X, y, sample_weight)
    found = -0.5 * z * z - np.log(np.maximum(std, TINY)) - 0.5 * np.log(2.0 * np.pi)
    return float(np.average(found, weights=weight))


def neg_crps_scorer(estimator: Any, X, y, sample_weight=None) -> float:
    """Minus the mean continuous ranked probability score of y; higher is better.

    That of a Gaussian about the prediction (Gneiting and Raftery, "Strictly proper
    scoring rules, prediction, and estimation", JASA 2007), in y's units::

        mean of  std (z (2 Phi(z) - 1) + 2 phi(z) - 1 / sqrt(pi)) ,
        z = (y - prediction) / std

    At a deviation of 0 the CRPS is the absolute error. A scorer for ``scoring=`` of
    searches and ``cross_val_score``, as `log_likelihood_scorer`.

    Parameters
    ----------
    estimator : regressor
        Fitted, with a deviation, as for `log_likelihood_scorer`.
    X : array-like of shape (n_samples, n_features)
        Rows.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Their targets; NaN is one that is not known, and left out.
    sample_weight : array-like of shape (n_samples,), optional
        Their weights.

    Returns
    -------
    score : float
        At most 0.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.model_selection import cross_val_score
    >>> from skwd import WeightDecayMLPRegressor, neg_crps_scorer
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = WeightDecayMLPRegressor(posterior=True, random_state=0)
    >>> bool((cross_val_score(model, X, y, scoring=neg_crps_scorer) < 0).all())
    True
    """
    off, z, std, weight = _known(estimator, X, y, sample_weight)
    density = np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi)
    found = off * (2.0 * ndtr(z) - 1.0) + std * (2.0 * density - 1.0 / np.sqrt(np.pi))
    return -float(np.average(found, weights=weight))


def check_has_deviations(scoring: Any, params: Mapping[str, Any]) -> None:
    """Raise where a CV form of these parameters has no deviations for a scorer here."""
    if scoring not in (log_likelihood_scorer, neg_crps_scorer):
        return
    given = f"scoring={scoring.__name__}"
    if "noise" not in params:
        raise ValueError(
            f"{given} is for numbers, whose predictions have a deviation. Use "
            "scoring='neg_log_loss' for the probabilities of classes."
        )
    if not params["posterior"]:
        raise ValueError(
            f"{given} needs the deviations of predictions, which the networks of a "
            "search have with posterior=True alone. Set posterior=True, or "
            "scoring=None."
        )


def check_can_score(scoring: Any, scorer: Callable, y: Any, rows: list) -> None:
    """Raise where a scorer by name cannot score numeric y on the rows of a split.

    It is asked about a constant, whose sign is that of y, on the fewest rows.
    """
    if not (scoring is None or isinstance(scoring, str)) or sparse.issparse(y):
        return
    y = np.asarray(y, dtype=np.float64)
    if np.isnan(y).any():
        return
    number = int(np.argmin([len(test) for _, test in rows]))
    test = rows[number][1]
    mean = y.mean(axis=0)
    constant = DummyRegressor(strategy="constant", constant=np.where(mean, mean, 1.0))
    X = np.zeros((len(test), 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            score = scorer(constant.fit(X, y[test]), X, y[test])
        except (AttributeError, TypeError, ValueError) as error:
            raise ValueError(
                f"scoring={scoring!r} cannot score the numbers of a regressor: {error} "
                "Choose a scorer of numbers, as 'neg_mean_absolute_error'."
            ) from error
    if np.isnan(score) and len(test) == 1:
        raise ValueError(
            f"scoring={scoring!r} is not defined on a single row, and split {number} "
            "of cv has no more to test on. Use scoring='neg_mean_squared_error', or "
            "other splits (R2 needs two rows)."
        )


def _known(estimator: Any, X, y, sample_weight) -> tuple:
    """Residual, the same in deviations, deviation and weight of every known target."""
    check_consistent_length(X, y, sample_weight)
    found = estimator.predict(X, return_std=True)
    mean, std = (np.asarray(part, dtype=np.float64) for part in found)
    y = in_shape(y, mean.shape)
    weight = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight)
    weight = np.broadcast_to(weight.reshape(-1, *[1] * (y.ndim - 1)), y.shape)
    known = ~np.isnan(y)
    if not weight[known].any():
        raise ValueError(
            "No target is known in a row of positive weight, and there is nothing to "
            "score. Pass rows whose targets are known."
        )
    off, std = (y - mean)[known], std[known]
    with np.errstate(over="ignore"):
        z = np.clip(off / np.maximum(std, TINY), -MOST, MOST)
    return off, z, std, weight[known]
