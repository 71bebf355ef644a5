"""A picture of how often intervals cover, against how often they should."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri
from sklearn.base import is_regressor
from sklearn.utils.validation import check_is_fitted

from skwd._estimators.alpha_path import inner_of
from skwd.display.matplotlib import axes_of

# The coverages that are asked for.
COVERAGES = np.linspace(0.05, 0.95, 19)


class CoverageDisplay:
    """The part of some rows within intervals, against the coverage asked for.

    On the diagonal the intervals are right; above it too wide, below it too narrow. Of
    ``predict(X, return_std=True)`` the intervals are those of a Gaussian, prediction
    plus and minus a multiple of the deviation, and of an estimator with ``intervals``
    those of predict_interval. Rows that were not trained on say more. Create it with
    `from_estimator`; every parameter is stored as an attribute.

    Parameters
    ----------
    coverages : ndarray of shape (n_coverages,)
        Asked for.
    observed : dict of str to ndarray of shape (n_coverages,)
        The part of the rows that is covered, by the name of the intervals.

    Attributes
    ----------
    ax_, figure_
        matplotlib's axes and figure.
    lines_ : list of matplotlib artists
        One for each kind of intervals.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.preprocessing import scale
    >>> from skwd import CoverageDisplay, WeightDecayMLPRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> X = scale(X)
    >>> model = WeightDecayMLPRegressor(posterior=True, random_state=0)
    >>> model = model.fit(X[:300], y[:300])
    >>> display = CoverageDisplay.from_estimator(
    ...     model, X[300:], y[300:]
    ... )  # doctest: +SKIP
    """

    def __init__(self, *, coverages, observed):
        self.coverages = coverages
        self.observed = observed

    @classmethod
    def from_estimator(cls, estimator, X, y, *, ax=None):
        """Draw the coverage of a fitted regressor on some rows.

        Parameters
        ----------
        estimator : regressor of this package
            Fitted with ``posterior=True``, ``noise="varying"`` or ``intervals``; a
            Pipeline that ends in one, or a search over parameters of either.
        X : array-like of shape (n_samples, n_features)
            Rows, better those that were not trained on.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their targets.
        ax : matplotlib axes, optional
            Where to draw; new axes by default.

        Returns
        -------
        display : CoverageDisplay
            Drawn, with its artists as attributes.

        Raises
        ------
        ImportError
            Without matplotlib.
        NotFittedError
            Where fit has not been called.
        ValueError
            Without deviations or intervals.
        """
        check_is_fitted(estimator)
        net, X, y = _reached(estimator, X, np.asarray(y))
        if not is_regressor(net):
            raise ValueError(
                "CoverageDisplay is for regressors, whose targets are numbers; got "
                f"{type(net).__name__}."
            )
        observed: dict[str, np.ndarray] = {}
        fitted = net._fitted
        if net._has_deviations():
            mean, std = net.predict(X, return_std=True)
            far = np.abs(y.reshape(mean.shape) - mean) / std
            observed["return_std"] = np.array(
                [np.mean(far <= ndtri(0.5 + 0.5 * part)) for part in COVERAGES]
            )
        if fitted.folds is not None:
            ends = [net.predict_interval(X, coverage=part) for part in COVERAGES]
            y = y.reshape(ends[0].shape[:-1])
            observed["predict_interval"] = np.array(
                [np.mean((e[..., 0] <= y) & (y <= e[..., 1])) for e in ends]
            )
        if not observed:
            raise ValueError(
                f"{type(net).__name__} has no intervals to draw. Fit it with "
                "posterior=True or intervals=10."
            )
        return cls(coverages=COVERAGES, observed=observed).plot(ax)

    def plot(self, ax=None):
        """Draw the coverage.

        Parameters
        ----------
        ax : matplotlib axes, optional
            Where to draw; new axes by default.

        Returns
        -------
        self : CoverageDisplay
            Drawn, with its artists as attributes.

        Raises
        ------
        ImportError
            Without matplotlib.
        """
        ax = axes_of(ax, type(self).__name__, figsize=(4.8, 4.8))
        ax.plot([0, 1], [0, 1], color="0.6", linestyle="--", zorder=0)
        self.lines_ = []
        for name, part in self.observed.items():
            at_90 = np.interp(0.9, self.coverages, part)
            label = f"{name}: {at_90:.0%} at 90 %"
            self.lines_ += ax.plot(
                self.coverages, part, marker="o", markersize=3, label=label
            )
        ax.set_xlabel("coverage asked for")
        ax.set_ylabel("part of the rows covered")
        ax.set_aspect("equal")
        ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), frameon=False)
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _reached(estimator, X, y: np.ndarray) -> tuple:
    """The estimator inside all wrappers, with X and y as it sees them.

    Steps of a Pipeline transform X; a TransformedTargetRegressor transforms y, and what
    covers y there covers it here, as its functions are monotone.
    """
    while (inner := inner_of(estimator)) is not None:
        if hasattr(estimator, "steps"):
            X = estimator[:-1].transform(X) if len(estimator.steps) > 1 else X
        elif hasattr(estimator, "transformer_"):
            columns = y.reshape(len(y), -1) if y.ndim == 1 else y
            y = np.asarray(estimator.transformer_.transform(columns))
        estimator = inner
    return estimator, X, y
