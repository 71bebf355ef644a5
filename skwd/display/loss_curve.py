"""A picture of J and of the validation loss through training."""

from __future__ import annotations

import numpy as np

from skwd._estimators.wrappers import reached
from skwd.display.matplotlib import axes_of, plain_powers


class LossCurveDisplay:
    """J, and with early stopping the validation loss, after each iteration or epoch.

    The validation loss is J without the penalty, on held-out rows, so that it may lie
    below J: look at where it falls and rises, not at its distance from J. A line marks
    its lowest point, whose weights are returned. Create it with `from_estimator`; every
    parameter is stored as an attribute.

    Parameters
    ----------
    loss_curve : array-like of shape (n_iter,)
        J.
    validation_curve : array-like of shape (n_iter,), optional
        The loss on validation rows.
    unit : str, default="iteration"
        Of the horizontal axis.

    Attributes
    ----------
    ax_, figure_
        matplotlib's axes and figure.
    line_, validation_line_, best_line_ : matplotlib artists
        The curves and the mark; None where there is no validation loss.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.preprocessing import scale
    >>> from skwd import LossCurveDisplay, WeightDecayMLPRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = WeightDecayMLPRegressor(
    ...     solver="adam", early_stopping=True, random_state=0
    ... ).fit(scale(X), y)
    >>> display = LossCurveDisplay.from_estimator(model)  # doctest: +SKIP
    """

    def __init__(self, *, loss_curve, validation_curve=None, unit="iteration"):
        self.loss_curve = loss_curve
        self.validation_curve = validation_curve
        self.unit = unit

    @classmethod
    def from_estimator(cls, estimator, *, ax=None, line_kw=None):
        """Draw the curves of a fitted estimator.

        Parameters
        ----------
        estimator : estimator of this package
            Or a Pipeline or TransformedTargetRegressor that ends in one, or a search
            over parameters of any of these.
        ax : matplotlib axes, optional
            Where to draw; new axes by default.
        line_kw : dict, optional
            For the line of J (``plot``).

        Returns
        -------
        display : LossCurveDisplay
            Drawn, with its artists as attributes.

        Raises
        ------
        ImportError
            Without matplotlib.
        NotFittedError
            Where fit has not been called.
        """
        estimator = reached(estimator, cls.__name__).net
        validation = estimator.validation_scores_
        display = cls(
            loss_curve=np.array(estimator.loss_curve_),
            validation_curve=None if validation is None else -np.array(validation),
            unit="epoch" if len(estimator.learning_rates_) else "iteration",
        )
        return display.plot(ax, line_kw=line_kw)

    def plot(self, ax=None, *, line_kw=None):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib axes, optional
            Where to draw; new axes by default.
        line_kw : dict, optional
            For the line of J (``plot``).

        Returns
        -------
        self : LossCurveDisplay
            Drawn, with its artists as attributes.

        Raises
        ------
        ImportError
            Without matplotlib.
        """
        ax = axes_of(ax, type(self).__name__)
        places = np.arange(1, len(self.loss_curve) + 1)
        label = "training rows: J, with its penalty"
        (self.line_,) = ax.plot(
            places, self.loss_curve, **{"label": label, **(line_kw or {})}
        )
        self.validation_line_ = self.best_line_ = None
        positive = np.all(np.asarray(self.loss_curve) > 0.0)
        if self.validation_curve is not None:
            curve = np.asarray(self.validation_curve)
            label = "validation rows: the loss alone"
            (self.validation_line_,) = ax.plot(places[: len(curve)], curve, label=label)
            best = int(np.argmin(curve))
            mark = {"color": "0.4", "linestyle": ":", "zorder": 0}
            label = f"lowest: {self.unit} {best + 1}"
            self.best_line_ = ax.axvline(best + 1, label=label, **mark)
            positive &= np.all(curve > 0.0)
        if positive:
            ax.set_yscale("log")
            plain_powers(ax.yaxis)
        ax.set_xlabel(self.unit)
        ax.set_ylabel("loss")
        # Above the axes, where no curve is.
        ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2, frameon=False)
        self.ax_, self.figure_ = ax, ax.figure
        return self
