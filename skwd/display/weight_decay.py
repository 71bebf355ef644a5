"""A picture of what weight decay has left of each layer and each column of X."""

from __future__ import annotations

import numpy as np

from skwd._estimators.wrappers import reached
from skwd.display.matplotlib import axes_of, check_max_columns
from skwd.display.relevance import RelevanceDisplay


class WeightDecayDisplay:
    """The size of each layer's weights, and the importance of each column.

    On the left the root mean square of each layer's weights beside that of its initial
    weights and, with a posterior or alpha by "evidence", "loo" or "gcv", the number of
    weights that the data determine. On the right, `RelevanceDisplay`. Create it with
    `from_estimator`; every parameter is stored as an attribute.

    Parameters
    ----------
    sizes, initial_sizes : array-like of shape (n_layers,)
        Root mean squares of the weights of each layer, now and at the start.
    n_weights : array-like of shape (n_layers,)
        Weights of each layer.
    n_effective : array-like of shape (n_layers,) or None
        The number of these that the data determine.
    columns : RelevanceDisplay
        Not drawn yet.

    Attributes
    ----------
    ax_ : ndarray of matplotlib axes, of shape (2,)
    figure_
        matplotlib's figure.
    bars_ : matplotlib container
        One bar for each layer.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.preprocessing import scale
    >>> from skwd import WeightDecayDisplay, WeightDecayMLPRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = WeightDecayMLPRegressor(alpha="evidence", random_state=0)
    >>> model = model.fit(scale(X), y)
    >>> display = WeightDecayDisplay.from_estimator(model)  # doctest: +SKIP
    """

    def __init__(self, *, sizes, initial_sizes, n_weights, n_effective, columns):
        self.sizes = sizes
        self.initial_sizes = initial_sizes
        self.n_weights = n_weights
        self.n_effective = n_effective
        self.columns = columns

    @classmethod
    def from_estimator(cls, estimator, *, by="column", ax=None, max_columns=20):
        """Draw the layers and columns of a fitted estimator.

        Parameters
        ----------
        estimator : estimator of this package
            Or a Pipeline or TransformedTargetRegressor that ends in one, or a search
            over parameters of any of these. Of an ensemble the mean over its networks.
        by : {"column", "source"}, default="column"
            What a bar on the right is of, as in `RelevanceDisplay`.
        ax : array-like of two matplotlib axes, optional
            Where to draw; a new figure by default.
        max_columns : int, default=20
            The most important columns, so many.

        Returns
        -------
        display : WeightDecayDisplay
            Drawn, with its artists as attributes.

        Raises
        ------
        ImportError
            Without matplotlib.
        NotFittedError
            Where fit has not been called.
        """
        columns = RelevanceDisplay.of(estimator, by=by, who=cls.__name__)
        estimator = reached(estimator, cls.__name__).net
        coefs = [np.asarray(W, dtype=np.float64) for W in estimator.coefs_]
        display = cls(
            sizes=np.array([np.sqrt(np.square(W).mean()) for W in coefs]),
            initial_sizes=estimator._fitted.initial_sizes,
            n_weights=np.array([W.shape[-2] * W.shape[-1] for W in coefs]),
            n_effective=getattr(estimator, "layer_effective_params_", None),
            columns=columns,
        )
        return display.plot(ax, max_columns=max_columns)

    def plot(self, ax=None, *, max_columns=20):
        """Draw layers and columns.

        Parameters
        ----------
        ax : array-like of two matplotlib axes, optional
            Where to draw; a new figure by default.
        max_columns : int, default=20
            The most important columns, so many.

        Returns
        -------
        self : WeightDecayDisplay
            Drawn, with its artists as attributes.

        Raises
        ------
        ImportError
            Without matplotlib.
        ValueError
            For ``max_columns`` below 1.
        """
        check_max_columns(max_columns, default=20)
        if ax is None:
            shown = min(max_columns, len(self.columns.importances))
            size = 10.0, 1.6 + 0.24 * max(shown, 6)
            name = type(self).__name__
            left = axes_of(None, name, figsize=size, ncols=2)
            ax = np.asarray(left)
        layers, columns = ax
        places = np.arange(len(self.sizes))
        self.bars_ = layers.bar(places, self.sizes, label="weights")
        layers.plot(
            places,
            self.initial_sizes,
            "_",
            color="0.3",
            markersize=30,
            label="at start",
        )
        above = np.maximum(self.sizes, self.initial_sizes)  # of the bar and its line
        for place, size in enumerate(above):
            text = f"{self.n_weights[place]} weights"
            if self.n_effective is not None:
                found = f"{self.n_effective[place]:.0f}"
                text = f"{text},\n{found} determined\nby the data"
            layers.annotate(
                text,
                (place, size),
                (0, 3),
                textcoords="offset points",
                ha="center",
                fontsize=8,
            )
        names = [f"layer {place + 1}" for place in places[:-1]] + ["output"]
        layers.set_xticks(places, names)
        top = max(np.max(self.sizes), np.max(self.initial_sizes))
        layers.set_ylim(0.0, 1.35 * max(top, 1e-12))
        layers.set_ylabel("root mean square of the weights")
        layers.legend(
            loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2, frameon=False
        )
        self.columns.plot(columns, max_columns=max_columns)
        self.ax_, self.figure_ = ax, layers.figure
        return self
