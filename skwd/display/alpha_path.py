"""A picture of scores against alpha."""

from __future__ import annotations

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skwd._cv.results import choose
from skwd._estimators.alpha_path import path_of
from skwd.display.alpha_axis import scale_alphas
from skwd.display.matplotlib import axes_of, full_names


class AlphaPathDisplay:
    """Scores of a cross-validation, or of leave-one-out, against alpha.

    Shows the mean score with a band of one standard error each way and marks the best
    alpha; of a cross-validation also the scores of every split, faintly, and the alpha
    of the 1-se rule. Create it with `from_estimator`; every parameter is stored as an
    attribute.

    Parameters
    ----------
    alphas : ndarray of shape (n_alphas,)
        Ascending.
    scores : ndarray of shape (n_alphas, n_splits)
        Higher is better; one column where there are no splits.
    std_errors : ndarray of shape (n_alphas,), optional
        Standard errors of the mean score. By default those of the splits, if there are
        several.
    alpha : float, optional
        The alpha that was chosen.
    score_name : str, optional
        For the axis.
    columns_left : ndarray of shape (n_alphas,), optional
        The number of columns of X that a sparse penalty has not removed.
    model : str, optional
        The model that the scores belong to, where an estimator chose among models.

    Attributes
    ----------
    ax_, figure_
        matplotlib's axes and figure.
    line_, split_lines_, band_ : matplotlib artists
        The mean, the splits and the band; ``band_`` is None without standard errors,
        ``split_lines_`` empty without splits.
    best_line_, one_se_line_, chosen_line_ : matplotlib artists
        The marks; ``one_se_line_`` is None without several splits.
    columns_line_ : matplotlib artist
        The columns left, on an axis of its own; None without ``columns_left``.

    See Also
    --------
    WeightDecayMLPRegressorCV : Compares alphas by cross-validation.
    WeightDecayMLPRegressor : Compares alphas by ``alpha="auto"``, "loo" or "gcv".

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.preprocessing import scale
    >>> from skwd import AlphaPathDisplay, WeightDecayMLPRegressorCV
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = WeightDecayMLPRegressorCV(
    ...     alphas=np.logspace(-2, 0, 5), normalize_y=True, random_state=0
    ... ).fit(scale(X), y)
    >>> display = AlphaPathDisplay.from_estimator(model)  # doctest: +SKIP
    """

    def __init__(
        self,
        *,
        alphas,
        scores,
        std_errors=None,
        alpha=None,
        score_name=None,
        columns_left=None,
        model=None,
    ):
        self.alphas = alphas
        self.scores = scores
        self.std_errors = std_errors
        self.alpha = alpha
        self.score_name = score_name
        self.columns_left = columns_left
        self.model = model

    @classmethod
    def from_estimator(
        cls,
        estimator,
        *,
        ax=None,
        score_name=None,
        negate_score=False,
        line_kw=None,
        split_kw=None,
        band_kw=None,
    ):
        """Draw the path of alphas that a fitted estimator has compared.

        Parameters
        ----------
        estimator : estimator of this package
            A fitted CV form, or an estimator fitted with ``alpha="auto"``, "loo" or
            "gcv"; a Pipeline or TransformedTargetRegressor that ends in one; or a
            search (GridSearchCV) over alpha or over other parameters of any of these.
        ax : matplotlib axes, optional
            Where to draw; new axes by default.
        score_name : str, optional
            For the axis; by default the estimator's ``scoring``, or what "auto",
            "loo" and "gcv" estimate.
        negate_score : bool, default=False
            Show minus the scores, for those that are minus an error.
        line_kw, split_kw, band_kw : dict, optional
            For the mean (``plot``), the splits (``plot``) and the band
            (``fill_between``).

        Returns
        -------
        display : AlphaPathDisplay
            Drawn, with its artists as attributes.

        Raises
        ------
        ImportError
            Without matplotlib.
        NotFittedError
            Where fit has not been called.
        ValueError
            Where it has compared no alphas.
        """
        check_is_fitted(estimator)
        path = path_of(estimator)
        scoring = path.pop("scoring")
        if score_name is None:
            score_name = _name_of(scoring, negate_score)
        display = cls(score_name=score_name, **path)
        return display.plot(
            ax,
            negate_score=negate_score,
            line_kw=line_kw,
            split_kw=split_kw,
            band_kw=band_kw,
        )

    def plot(
        self,
        ax=None,
        *,
        negate_score=False,
        line_kw=None,
        split_kw=None,
        band_kw=None,
    ):
        """Draw the path.

        Parameters
        ----------
        ax : matplotlib axes, optional
            Where to draw; new axes by default.
        negate_score : bool, default=False
            Show minus the scores, for those that are minus an error.
        line_kw, split_kw, band_kw : dict, optional
            For the mean (``plot``), the splits (``plot``) and the band
            (``fill_between``).

        Returns
        -------
        self : AlphaPathDisplay
            Drawn, with its artists as attributes.

        Raises
        ------
        ImportError
            Without matplotlib.
        """
        ax = axes_of(ax, type(self).__name__)
        line_kw, split_kw, band_kw = full_names(line_kw, split_kw, band_kw)
        sign = -1.0 if negate_score else 1.0
        # GCV is infinite where no degree of freedom is left.
        shown = np.where(np.isinf(self.scores), np.nan, sign * self.scores)
        mean, n_splits = shown.mean(axis=1), shown.shape[1]
        std_error, of_splits = self.std_errors, n_splits > 1
        if std_error is None and of_splits:
            std_error = shown.std(axis=1, ddof=1) / np.sqrt(n_splits)
        (self.line_,) = ax.plot(
            self.alphas, mean, **{"marker": "o", "markersize": 4, **line_kw}
        )
        colour = self.line_.get_color()
        faint = {"color": colour, "alpha": 0.25, "linewidth": 0.8, "zorder": 1}
        self.split_lines_ = []
        if of_splits:
            self.split_lines_ = ax.plot(self.alphas, shown, **{**faint, **split_kw})
        self.band_ = None
        if std_error is not None:
            self.band_ = ax.fill_between(
                self.alphas,
                mean - std_error,
                mean + std_error,
                **{"color": colour, "alpha": 0.2, "linewidth": 0, **band_kw},
            )
            self.band_.set_label("± 1 standard error")
        self._mark_choices(ax, of_splits)
        self._draw_columns(ax)
        scores = f"mean of {n_splits} splits" if of_splits else "score"
        of_model = "" if self.model is None else f" of the {self.model}"
        self.line_.set_label(scores + of_model)
        has_score = np.isfinite(mean) if np.isfinite(mean).any() else np.isnan(mean)
        scale_alphas(ax, np.asarray(self.alphas, dtype=float), has_score)
        n_without = int((~has_score).sum())
        without = f" ({n_without} more have no score)" if n_without else ""
        ax.set_xlabel(f"alpha{without}")
        ax.set_ylabel(self.score_name or ("Error" if negate_score else "Score"))
        # Above the axes, where no curve is.
        ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2, frameon=False)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _mark_choices(self, ax, of_splits: bool) -> None:
        """Lines at the best alpha, that of the one-standard-error rule, the chosen."""
        best, mark = choose(self.scores, "best"), {"color": "0.4", "linewidth": 1.2}
        self.best_line_ = ax.axvline(
            self.alphas[best],
            linestyle="--",
            label=self._label(best, "best"),
            zorder=0,
            **mark,
        )
        self.one_se_line_ = self.chosen_line_ = None
        if of_splits:
            largest = choose(self.scores, "1se")
            self.one_se_line_ = ax.axvline(
                self.alphas[largest],
                linestyle=":",
                label=self._label(largest, "1-se", said=largest == best),
                zorder=0,
                **mark,
            )
        lines = [self.best_line_, self.one_se_line_]
        marked = [line.get_xdata()[0] for line in lines if line is not None]
        if self.alpha is not None and self.alpha not in marked:
            chosen = f"chosen: {self.alpha:.2g}"
            self.chosen_line_ = ax.axvline(self.alpha, label=chosen, zorder=0, **mark)

    def _draw_columns(self, ax) -> None:
        """The number of columns that are left at each alpha, on an axis of its own."""
        self.columns_line_ = None
        if self.columns_left is None:
            return
        right, colour = ax.twinx(), "tab:orange"
        (self.columns_line_,) = right.plot(
            self.alphas, self.columns_left, drawstyle="steps-mid", color=colour
        )
        right.set_ylim(bottom=0.0)
        right.set_ylabel("columns of X that are left", color=colour)
        right.tick_params(axis="y", colors=colour)

    def _label(self, number: int, name: str, said: bool = False) -> str:
        is_chosen = self.alphas[number] == self.alpha and not said
        chosen = ", chosen" if is_chosen else ""
        return f"{name}: {self.alphas[number]:.2g}{chosen}"


def _name_of(scoring, negate_score: bool) -> str | None:
    """A name for the axis, as far as ``scoring`` tells it."""
    if not isinstance(scoring, str):
        return None
    if scoring == "r2":
        return "R²"
    name = scoring
    if negate_score:
        name = name.removeprefix("neg_")
    elif name.startswith("neg_"):
        name = f"negative {name.removeprefix('neg_')}"
    return name.replace("_", " ").capitalize()
