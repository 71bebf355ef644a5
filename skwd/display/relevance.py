"""A picture of what each column of X tells a fitted network."""

from __future__ import annotations

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skwd._estimators.alpha_path import inner_of


class RelevanceDisplay:
    """The importance of each column, and its effective parameters.

    Of an estimator fitted with ``sparsity``, or with ``alpha_groups="input"`` or a list
    of groups: a bar for each column, the most important on top, and with groups beside
    it the effective parameters of the weights that share its alpha. Create it with
    `from_estimator`; every parameter is stored as an attribute.

    Parameters
    ----------
    importances : ndarray of shape (n_features,)
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
    def from_estimator(cls, estimator, *, ax=None, max_columns=20, bar_kw=None):
        """Draw the relevance of the columns of a fitted estimator.

        Parameters
        ----------
        estimator : estimator of this package
            Fitted with sparsity or groups of columns; a Pipeline or
            TransformedTargetRegressor that ends in one, or a search over parameters of
            any of these.
        ax : matplotlib axes, optional
            Where to draw; new axes by default.
        max_columns : int, default=20
            The most important columns, so many.
        bar_kw : dict, optional
            For the bars (``barh``).

        Returns
        -------
        display : RelevanceDisplay

        Raises
        ------
        ImportError
            Without matplotlib.
        NotFittedError
            Where fit has not been called.
        ValueError
            Without either.
        """
        check_is_fitted(estimator)
        while (inner := inner_of(estimator)) is not None:
            estimator = inner
        if not hasattr(estimator, "feature_importances_"):
            raise ValueError(
                f"{type(estimator).__name__} has no relevance of columns to draw. Fit "
                "it with alpha='evidence' and alpha_groups='input', or with sparsity."
            )
        shares = estimator.feature_importances_
        names = getattr(estimator, "feature_names_in_", None)
        if names is None:
            names = [f"column {j}" for j in range(len(shares))]
        display = cls(
            importances=shares,
            n_effective=getattr(estimator, "column_effective_params_", None),
            names=list(names),
        )
        return display.plot(ax, max_columns=max_columns, bar_kw=bar_kw)

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

        Raises
        ------
        ImportError
            Without matplotlib.
        """
        try:
            import matplotlib.pyplot as plt
        except ImportError as error:
            raise ImportError(
                "RelevanceDisplay needs matplotlib: pip install matplotlib."
            ) from error
        order = np.argsort(-self.importances, kind="stable")[:max_columns][::-1]
        if ax is None:
            size = 6.4, 1.2 + 0.24 * len(order)
            _, ax = plt.subplots(layout="constrained", figsize=size)
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
        ax.set_xlabel(f"share of the mean squared derivative{extra}")
        left = int((self.importances == 0.0).sum())
        ax.set_title(
            f"{len(self.importances) - left} of {len(self.importances)} columns"
        )
        self.ax_, self.figure_ = ax, ax.figure
        return self
