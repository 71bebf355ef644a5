"""A picture of what each column of X adds to a model without hidden layers."""

from __future__ import annotations

import numpy as np

from skwd._estimators.terms import drawn_terms
from skwd._estimators.wrappers import reached
from skwd.display.matplotlib import check_max_columns, figure_of, name_dates

# Columns of panels, and the deviations that a band holds to each side.
PANELS, WIDTH = 3, 2.0
# More categories than this are named upright.
MOST_ACROSS = 3
# The height of a letter of an upright name, in inches.
LETTER = 0.07


class TermsDisplay:
    """The terms of an additive model: what each column of X adds to its prediction.

    A panel for each column, first those whose term varies most. It shows the function
    of the column, minus its mean over the rows given, in y's units (with a log link and
    for classes in those of the raw prediction) and, after a fit with
    ``posterior=True``, a band of two standard deviations to each side. Below the
    function are the values of the column. A column of categories has a point for each
    of them. Create it with `from_estimator`; every parameter is stored as an attribute.

    Parameters
    ----------
    grids : list of ndarray of shape (n_points,)
        Values of each column, from its least to its largest, between which its term
        is a straight line (up to 200 that occur, dates too, with
        ``by="source"``), or the up to 20 most frequent categories, as str.
    terms : list of ndarray of shape (n_points, n_outputs)
        What each column adds there.
    deviations : list of ndarray of shape (n_points, n_outputs), or None
        Their standard deviations, where there is a posterior.
    values : list of ndarray of shape (n_samples,)
        The values of each column in the rows given.
    spread : ndarray of shape (n_features,)
        The standard deviation of each term over the rows given, all outputs together.
    names : list of str
        Of the columns.
    output_names : list of str
        Of the outputs, where there are several.
    adds_to : str, default="y"
        What the terms add up to.

    Attributes
    ----------
    axes_, figure_
        matplotlib's axes, one for each column that is shown, and figure.
    lines_ : list of list of matplotlib lines
        The terms of each column that is shown, one line an output.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skwd import TermsDisplay, WeightDecayMLPRegressor
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> model = WeightDecayMLPRegressor(
    ...     hidden_layer_sizes=(), encoding="parts", posterior=True
    ... ).fit(X, y)
    >>> display = TermsDisplay.from_estimator(model, X)  # doctest: +SKIP
    """

    def __init__(
        self,
        *,
        grids,
        terms,
        deviations,
        values,
        spread,
        names,
        output_names,
        adds_to="y",
    ):
        self.grids = grids
        self.terms = terms
        self.deviations = deviations
        self.values = values
        self.spread = spread
        self.names = names
        self.output_names = output_names
        self.adds_to = adds_to

    @classmethod
    def from_estimator(cls, estimator, X, *, by="column", max_columns=9, line_kw=None):
        """Draw the terms of a fitted model without hidden layers.

        Parameters
        ----------
        estimator : estimator of this package
            Fitted, without hidden layers: with ``hidden_layer_sizes=()``, or with
            ``alpha="auto"`` where a linear or an additive model was chosen. Or a
            Pipeline that ends in one, or a search over parameters of either.
        X : array-like of shape (n_samples, n_features)
            Rows, as those of fit: terms are drawn over the range of their columns, and
            have mean 0 over them.
        by : {"column", "source"}, default="column"
            What a panel is of: a column as the last step of a Pipeline sees it, or a
            column of the table that the Pipeline is given, in its own values, with the
            sum of what it became (one-hot columns, splines, an indicator of missing
            values). A column that was made of several stands for itself.
        max_columns : int, default=9
            The columns whose terms vary most, so many.
        line_kw : dict, optional
            For the lines.

        Returns
        -------
        display : TermsDisplay
            Drawn, with its artists as attributes.

        Raises
        ------
        ImportError
            Without matplotlib.
        NotFittedError
            Where fit has not been called.
        ValueError
            For a network with hidden layers, whose columns do not add up, for another
            ``by``, and for "source" behind a step that does not name its columns.
        """
        display = cls.of(estimator, X, by=by)
        return display.plot(max_columns=max_columns, line_kw=line_kw)

    @classmethod
    def of(cls, estimator, X, *, by="column"):
        """The display of a fitted estimator, not drawn yet.

        Parameters
        ----------
        estimator : estimator of this package
            As of `from_estimator`.
        X : array-like of shape (n_samples, n_features)
            As of `from_estimator`.
        by : {"column", "source"}, default="column"
            What a panel is of.

        Returns
        -------
        display : TermsDisplay
            Not drawn.
        """
        found = reached(estimator, cls.__name__)
        estimator = found.net
        names, drawn = drawn_terms(found, X, by)
        classes, n_outputs = getattr(estimator, "classes_", None), drawn[0].n_outputs
        labels = classes if classes is not None and n_outputs > 1 else range(n_outputs)
        what = "output" if classes is None else "class"
        has_posterior = drawn[0].deviations is not None
        return cls(
            grids=[one.grid for one in drawn],
            terms=[one.term for one in drawn],
            deviations=[one.deviations for one in drawn] if has_posterior else None,
            values=[one.values for one in drawn],
            spread=np.array([one.spread for one in drawn]),
            names=names,
            output_names=[f"{what} {label}" for label in labels],
            adds_to=_sum_of(estimator, classes),
        )

    def plot(self, *, max_columns=9, line_kw=None):
        """Draw the terms.

        Parameters
        ----------
        max_columns : int, default=9
            The columns whose terms vary most, so many.
        line_kw : dict, optional
            For the lines.

        Returns
        -------
        self : TermsDisplay
            Drawn, with its artists as attributes.

        Raises
        ------
        ImportError
            Without matplotlib.
        ValueError
            For ``max_columns`` below 1.
        """
        check_max_columns(max_columns, default=9)
        shown = np.argsort(-self.spread, kind="stable")[:max_columns]
        n_across = min(PANELS, len(shown))
        n_down = -(-len(shown) // n_across)
        names = [
            max(map(len, self.grids[j]))
            if self.grids[j].dtype.kind == "U" and len(self.grids[j]) > MOST_ACROSS
            else 0
            for j in shown
        ]
        longest = [max(names[k : k + n_across]) for k in range(0, len(shown), n_across)]
        size = 0.6 + 2.6 * n_across, 0.5 + 2.1 * n_down + LETTER * sum(longest)
        figure, axes = figure_of(type(self).__name__, n_down, n_across, size)
        for ax in axes[len(shown) :]:
            ax.set_axis_off()
        self.lines_, self.axes_, self.figure_ = [], axes[: len(shown)], figure
        for ax, j in zip(self.axes_, shown):
            self.lines_.append(self._draw(ax, j, line_kw or {}))
        for ax in self.axes_[::n_across]:
            ax.set_ylabel(f"adds to {self.adds_to}")
        if len(self.output_names) > 1:
            self.axes_[0].legend(frameon=False, fontsize=7)
        return self

    def _draw(self, ax, j: int, line_kw: dict) -> list:
        """The term of one column, its deviations and its values."""
        grid, lines = self.grids[j], []
        are_labels = grid.dtype.kind == "U"
        at = np.arange(len(grid)) if are_labels else grid
        ax.axhline(0.0, color="0.8", linewidth=0.8, zorder=0)
        for k, name in enumerate(self.output_names):
            term = self.terms[j][:, k]
            how = {"marker": "o", "linestyle": "none"} if are_labels else {}
            lines += ax.plot(at, term, **{"label": name, **how, **line_kw})
            if self.deviations is not None:
                away = WIDTH * self.deviations[j][:, k]
                ends, colour = (term - away, term + away), lines[-1].get_color()
                if are_labels:
                    ax.vlines(at, *ends, color=colour, alpha=0.4)
                else:
                    ax.fill_between(at, *ends, color=colour, alpha=0.2, linewidth=0)
        ax.set_title(self.names[j], fontsize=9)
        if are_labels:
            upright = 90 if len(grid) > MOST_ACROSS else 0
            ax.set_xticks(at, grid, rotation=upright, fontsize=9)
            ax.set_xlim(-0.5, len(grid) - 0.5)
            return lines
        if grid.dtype.kind == "M":
            name_dates(ax.xaxis)
        rug = np.unique(self.values[j])
        rug = rug[np.isfinite(rug)]
        marks = np.full(len(rug), 0.0)
        transform = ax.get_xaxis_transform()
        ax.plot(rug, marks, "|", color="0.4", markersize=5, transform=transform)
        return lines


def _sum_of(net, classes) -> str:
    """What the terms of a fitted estimator add up to, in words."""
    if net.out_activation_ == "softmax":
        return "the logits"
    if net.out_activation_ == "exp":
        return "ln of the mean of y"
    if net.out_activation_ != "logistic":
        return "y"
    one = net.n_outputs_ == 1
    return "the log-odds" + (f"\nof {classes[1]}" if one else "")
