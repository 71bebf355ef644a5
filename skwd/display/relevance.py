"""A picture of what each column of X tells a fitted network."""

from __future__ import annotations

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skwd._estimators.alpha_path import innermost
from skwd._estimators.rules import is_count
from skwd.display.matplotlib import axes_of


class RelevanceDisplay:
    """The importance of each column, and its effective parameters.

    A bar for each column, the most important on top: its ``feature_importances_``, of
    an estimator fitted with ``sparsity``, or with ``alpha_groups="input"`` or a list of
    groups, of which the effective parameters of the weights that share its alpha stand
    beside it; of others its share of the squared weights of the first layer. Create it
    with `from_estimator`; every parameter is stored as an attribute.

    Parameters
    ----------
    importances : ndarray of shape (n_features,)
        The share of each column.
    n_effective : ndarray of shape (n_features,) or None
        Effective parameters of each column's group, where they are known.
    names : list of str
        Of the columns.
    are_lengths : bool, default=False
        Whether the importances are shares of the squared weights of the first layer.

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

    def __init__(self, *, importances, n_effective, names, are_lengths=False):
        self.importances = importances
        self.n_effective = n_effective
        self.names = names
        self.are_lengths = are_lengths

    @classmethod
    def from_estimator(cls, estimator, *, ax=None, max_columns=20, bar_kw=None):
        """Draw the relevance of the columns of a fitted estimator.

        Parameters
        ----------
        estimator : estimator of this package
            Or a Pipeline or TransformedTargetRegressor that ends in one, or a search
            over parameters of any of these.
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
        """
        check_is_fitted(estimator)
        return cls.of(innermost(estimator)).plot(
            ax, max_columns=max_columns, bar_kw=bar_kw
        )

    @classmethod
    def of(cls, estimator):
        """The display of a fitted estimator of this package, not drawn yet.

        Parameters
        ----------
        estimator : estimator of this package
            Fitted.

        Returns
        -------
        display : RelevanceDisplay
            Not drawn.
        """
        shares = getattr(estimator, "feature_importances_", None)
        are_lengths = shares is None
        if are_lengths:
            squares = np.square(estimator.coefs_[0], dtype=np.float64)
            squares = squares.reshape(-1, *squares.shape[-2:]).sum(axis=(0, 2))
            encoding = estimator._fitted.network.encoding
            if encoding is not None:
                squares = np.add.reduceat(squares, encoding.columns)
            shares = squares / max(squares.sum(), np.finfo(float).tiny)
        names = getattr(estimator, "feature_names_in_", None)
        if names is None:
            names = [f"column {j}" for j in range(len(shares))]
        return cls(
            importances=shares,
            n_effective=getattr(estimator, "column_effective_params_", None),
            names=list(names),
            are_lengths=are_lengths,
        )

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
        check_max_columns(max_columns)
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
        extra = "" if self.n_effective is None else " (effective parameters)"
        what = "mean squared derivative"
        if self.are_lengths:
            what = "squared weights of the first layer"
        ax.set_xlabel(f"share of the {what}{extra}")
        left = int((self.importances == 0.0).sum())
        ax.set_title(
            f"{len(self.importances) - left} of {len(self.importances)} columns"
        )
        self.ax_, self.figure_ = ax, ax.figure
        return self


def check_max_columns(max_columns) -> None:
    """Raise unless there is a column to draw."""
    if not is_count(max_columns):
        raise ValueError(
            f"max_columns must be an integer >= 1; got {max_columns!r}. Use "
            "max_columns=20, the default."
        )
