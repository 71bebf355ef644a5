"""A picture of what each column of X tells a fitted network."""

from __future__ import annotations

import numpy as np

from skwd._estimators.wrappers import reached
from skwd.display.matplotlib import axes_of, check_max_columns


class RelevanceDisplay:
    """The importance of each column, and its effective parameters.

    A bar for each column, the most important on top: its ``feature_importances_``, the
    share of the mean squared derivative of the output by that column, in deviations of
    the column. With ``alpha_groups="input"`` or a list, the number beside a bar is the
    effective parameters of the weights that share the column's alpha. In a Pipeline,
    columns have the names that the steps before the estimator give. Create it with
    `from_estimator`; every parameter is stored as an attribute.

    Parameters
    ----------
    importances : ndarray of shape (n_features,)
        The share of each column, or source of columns.
    n_effective : ndarray of shape (n_features,) or None
        Effective parameters of each column's group, where they are known.
    names : list of str
        Of the columns.

    Attributes
    ----------
    ax_, figure_
        matplotlib's axes and figure.
    bars_ : matplotlib container
        One bar for each column that is shown, from the bottom up.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.preprocessing import scale
    >>> from skwd import RelevanceDisplay, WeightDecayMLPRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = WeightDecayMLPRegressor(
    ...     hidden_layer_sizes=(5,), alpha="evidence", alpha_groups="input",
    ...     random_state=0,
    ... ).fit(scale(X), y)
    >>> display = RelevanceDisplay.from_estimator(model)  # doctest: +SKIP
    """

    def __init__(self, *, importances, n_effective, names):
        self.importances = importances
        self.n_effective = n_effective
        self.names = names

    @classmethod
    def from_estimator(
        cls, estimator, *, by="column", ax=None, max_columns=20, bar_kw=None
    ):
        """Draw the relevance of the columns of a fitted estimator.

        Parameters
        ----------
        estimator : estimator of this package
            Or a Pipeline or TransformedTargetRegressor that ends in one, or a search
            over parameters of any of these.
        by : {"column", "source"}, default="column"
            What a bar is of: a column as the network sees it, or a column of the table
            that the Pipeline is given, with the sum of what it became (one-hot columns,
            splines, an indicator of missing values), which share its effect. A column
            that was made of several stands for itself.
        ax : matplotlib axes, optional
            Where to draw; new axes by default.
        max_columns : int, default=20
            The most important columns, so many.
        bar_kw : dict, optional
            For the bars (``barh``).

        Returns
        -------
        display : RelevanceDisplay
            Drawn, with its artists as attributes.

        Raises
        ------
        ImportError
            Without matplotlib.
        NotFittedError
            Where fit has not been called.
        ValueError
            For another ``by``.
        """
        display = cls.of(estimator, by=by)
        return display.plot(ax, max_columns=max_columns, bar_kw=bar_kw)

    @classmethod
    def of(cls, estimator, *, by="column", who="RelevanceDisplay"):
        """The display of a fitted estimator, not drawn yet.

        Parameters
        ----------
        estimator : estimator of this package
            Fitted, or a wrapper of one, as of `from_estimator`.
        by : {"column", "source"}, default="column"
            What a bar is of.
        who : str, default="RelevanceDisplay"
            The display that a message names.

        Returns
        -------
        display : RelevanceDisplay
            Not drawn.
        """
        found = reached(estimator, who)
        net, (names, source) = found.net, found.terms(by)
        shares = np.bincount(source, net.feature_importances_, minlength=len(names))
        n_effective = getattr(net, "column_effective_params_", None)
        if n_effective is not None:
            groups = net._fitted.group_of_column
            n_effective = _by_source(n_effective, groups, source, len(names))
        return cls(importances=shares, n_effective=n_effective, names=list(names))

    def plot(self, ax=None, *, max_columns=20, bar_kw=None):
        """Draw the relevance.

        Parameters
        ----------
        ax : matplotlib axes, optional
            Where to draw; new axes by default.
        max_columns : int, default=20
            The most important columns, so many.
        bar_kw : dict, optional
            For the bars (``barh``).

        Returns
        -------
        self : RelevanceDisplay
            Drawn, with its artists as attributes.

        Raises
        ------
        ImportError
            Without matplotlib.
        ValueError
            For ``max_columns`` below 1.
        """
        check_max_columns(max_columns, default=20)
        order = np.argsort(-self.importances, kind="stable")[:max_columns][::-1]
        size = 6.4, 1.2 + 0.24 * len(order)
        ax = axes_of(ax, type(self).__name__, figsize=size)
        shown = self.importances[order]
        self.bars_ = ax.barh(range(len(order)), shown, **(bar_kw or {}))
        ax.set_yticks(range(len(order)), [self.names[j] for j in order])
        for place, j in enumerate(order):
            text = " left out"
            if shown[place] > 0.0:
                known = self.n_effective is not None
                text = f" {self.n_effective[j]:.1f}" if known else ""
            ax.text(shown[place], place, text, va="center", color="0.35", fontsize=8)
        ax.set_xlim(0.0, 1.12 * max(shown.max(), 1e-12))
        of_numbers = "\nbeside each bar: effective parameters"
        extra = "" if self.n_effective is None else of_numbers
        ax.set_xlabel(f"share of the mean squared derivative{extra}")
        left = int((self.importances == 0.0).sum())
        ax.set_title(
            f"{len(self.importances) - left} of {len(self.importances)} columns"
        )
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _by_source(n_effective, groups, source, n_sources: int) -> np.ndarray:
    """Effective parameters of the groups of each source, each group once."""
    found = np.zeros(n_sources)
    pairs = np.unique(np.stack([source, groups]), axis=1, return_index=True)[1]
    np.add.at(found, source[pairs], n_effective[pairs])
    return found
