"""A picture of how often intervals cover, against how often they should."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.special import ndtri
from sklearn.base import clone, is_classifier
from sklearn.utils import check_consistent_length

from skwd._cv.scoring import rows_of
from skwd._cv.splits import row_numbers
from skwd._data.missing import as_numbers, in_shape
from skwd._estimators.wrappers import reached
from skwd.display.matplotlib import axes_of

# The coverages that are asked for.
COVERAGES = np.linspace(0.05, 0.95, 19)
# How this display is given groups of rows.
PASS_SPLITS = "Pass the splits themselves: cv=list(splitter.split(X, y, groups))."
# That of groups of rows, and how many of them.
AT, N_GROUPS = 0.9, 10


class CoverageDisplay:
    """The fraction of rows within intervals, against the coverage asked for.

    On the diagonal the intervals are right; above it too wide, below it too narrow. For
    ``predict(X, return_std=True)`` the intervals are those of a Gaussian, prediction
    plus and minus a multiple of the deviation; for an estimator with ``intervals`` they
    are those of predict_interval. With ``by="deviation"`` it is the fraction covered at
    90 % in each tenth of the rows, by their predicted deviation: one noise for all rows
    covers too many where y varies little, and too few where it varies much. Take rows
    that were not trained on. Create it with `from_estimator`; every
    parameter is stored as an attribute.

    Parameters
    ----------
    coverages : ndarray of shape (n_coverages,)
        The coverages asked for; a single one with ``deviations``.
    observed : dict of str to ndarray of shape (n_coverages,) or (n_groups,)
        The fraction of the rows that is covered, by the name of the intervals.
    deviations : ndarray of shape (n_groups,), optional
        The mean predicted deviation of each group of rows, where there are groups.

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

    def __init__(self, *, coverages, observed, deviations=None):
        self.coverages = coverages
        self.observed = observed
        self.deviations = deviations

    @classmethod
    def from_estimator(cls, estimator, X, y, *, by="coverage", cv=None, ax=None):
        """Draw the coverage of a fitted regressor on some rows.

        Parameters
        ----------
        estimator : regressor of this package
            Fitted with ``posterior=True``, ``noise="varying"`` or ``intervals``; a
            Pipeline or TransformedTargetRegressor that ends in one, or a search over
            parameters of any of these. X and y are taken through the steps and
            functions of each.
        X : array-like of shape (n_samples, n_features)
            Rows, better those that were not trained on.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their targets; NaN is one that is not known, and left out.
        by : {"coverage", "deviation"}, default="coverage"
            Against the coverage asked for, or at 90 % in ten groups of the rows by
            their predicted deviation, or by the width of their interval where there is
            no deviation.
        cv : int, splitter or iterable, optional
            Judge held-out rows: clones of the estimator, which need not be fitted then,
            are fitted without each fold of X and y, and judged on its rows.
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
            Where fit has not been called, and without ``cv``.
        ValueError
            For another ``by``, or without deviations and intervals, or without any
            known target.
        """
        if by not in ("coverage", "deviation"):
            raise ValueError(
                f"by must be 'coverage' or 'deviation'; got {by!r}. Use by='deviation' "
                "for groups of rows."
            )
        if is_classifier(estimator):
            raise ValueError(
                "CoverageDisplay is for regressors, whose targets are numbers; got "
                f"{type(estimator).__name__} of classes. Fit it with intervals: "
                "the part of the rows whose class is in its set of predict_set(X) is "
                "the coverage."
            )
        parts = [_inside(one, *rows) for one, *rows in _blind(estimator, X, y, cv)]
        inside = {
            name: np.concatenate([part[0][name] for part in parts], axis=1)
            for name in parts[0][0]
        }
        if not next(iter(inside.values())).size:
            raise ValueError(
                "y has no target that is known: all are NaN. Give CoverageDisplay rows "
                "whose targets are known."
            )
        if by == "coverage":
            observed = {name: part.mean(axis=1) for name, part in inside.items()}
            return cls(coverages=COVERAGES, observed=observed).plot(ax)
        deviation = np.concatenate([part[1] for part in parts])
        n_groups = min(N_GROUPS, len(deviation))
        groups = np.array_split(np.argsort(deviation, kind="stable"), n_groups)
        at = int(np.argmin(np.abs(COVERAGES - AT)))
        observed = {
            name: np.array([part[at, rows].mean() for rows in groups])
            for name, part in inside.items()
        }
        means = np.array([deviation[rows].mean() for rows in groups])
        return cls(coverages=COVERAGES[[at]], observed=observed, deviations=means).plot(
            ax
        )

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
        self.lines_ = []
        if self.deviations is None:
            x = self.coverages
            ax.plot([0, 1], [0, 1], color="0.6", linestyle="--", zorder=0)
            ax.set_xlabel("coverage asked for")
            ax.set_ylabel("part of the rows covered")
            ax.set_aspect("equal")
        else:
            x = self.deviations
            ax.axhline(self.coverages[0], color="0.6", linestyle="--", zorder=0)
            ax.set_xlabel(f"predicted deviation, in {len(x)} groups of rows")
            ax.set_ylabel(f"part of the rows covered at {self.coverages[0]:.0%}")
            lowest = min(part.min() for part in self.observed.values())
            ax.set_ylim(min(0.5, lowest - 0.02), 1.02)
        for name, part in self.observed.items():
            if self.deviations is None:
                said = f"{np.interp(0.9, x, part):.0%} at 90%"
            else:
                said = f"{part.min():.0%} to {part.max():.0%}"
            self.lines_ += ax.plot(
                x, part, marker="o", markersize=3, label=f"{name}: {said}"
            )
        ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), frameon=False)
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _blind(estimator, X, y, cv) -> Iterator[tuple]:
    """A fitted estimator and rows; with ``cv`` one for each fold, and its rows."""
    check_consistent_length(X, y)
    if cv is None:
        yield estimator, X, as_numbers(y)
        return
    for train, test in row_numbers(cv, X, y, False, {}, remedy=PASS_SPLITS):
        one = clone(estimator).fit(rows_of(X, train), rows_of(y, train))
        yield one, rows_of(X, test), as_numbers(rows_of(y, test))


def _inside(estimator, X, y: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Which rows are covered at each coverage, (n_coverages, n), and their deviations.

    By the name of the intervals; n counts every known output of a row.
    """
    inside_of = reached(estimator, "CoverageDisplay")
    net, (X, y) = inside_of.net, inside_of.transformed(X, y)
    y = in_shape(y, (len(y), *net._fitted.targets.shape))
    known = ~np.isnan(y).ravel()
    inside: dict[str, np.ndarray] = {}
    deviation = None
    if net._has_deviations():
        mean, std = net.predict(X, return_std=True)
        off, deviation = np.abs(y - mean).ravel()[known], std
        half = ndtri(0.5 + 0.5 * COVERAGES)[:, np.newaxis] * std.ravel()[known]
        inside["return_std"] = off <= half  # no quotient: deviations may be 0
    if net._fitted.folds is not None:
        found = []
        asked = COVERAGES.tolist()
        for part, ends in zip(asked, net._interval_ends(X, asked)):
            found.append(((ends[..., 0] <= y) & (y <= ends[..., 1])).ravel()[known])
            if deviation is None and part >= AT:
                deviation = ends[..., 1] - ends[..., 0]
        inside["predict_interval"] = np.array(found)
    if deviation is None:
        raise ValueError(
            f"{type(net).__name__} has no intervals to draw. "
            f"{net._to_know('intervals')}"
        )
    return inside, np.asarray(deviation).ravel()[known]
