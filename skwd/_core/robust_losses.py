"""The losses of regressors that outliers move less, or that predict a quantile."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from skwd._core.loss import Loss, sum_targets

# The half-width of the parabola at the corner of an absolute error, in deviations of y.
SMOOTH = 1e-3
# huber_delta=None, in robust deviations of y about its median.
DELTA = 0.5
# The median distance from the median of a Gaussian, in deviations.
MEDIAN_DISTANCE = 0.6744897501960817
# Halvings of an interval: to the last digits of a float.
HALVINGS = 60


def robust_moments(
    y: np.ndarray, norm_weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The median of each column, and its median distance from it over .6745.

    That is the deviation of a Gaussian; where half of a column is one value, the root
    mean square in its place.
    """
    centre = weighted_median(y, norm_weight)
    distance = np.abs(y - centre)
    deviation = weighted_median(distance, norm_weight) / MEDIAN_DISTANCE
    return centre, np.where(
        deviation > 0.0, deviation, np.sqrt(norm_weight @ np.square(distance))
    )


def weighted_median(y: np.ndarray, norm_weight: np.ndarray) -> np.ndarray:
    """The least value of each column with half of the weight at or below it."""
    found = []
    for column in y.T:
        order = np.argsort(column)
        reached = np.cumsum(norm_weight[order]) >= 0.5 * (1.0 - 1e-12)
        found.append(column[order[np.argmax(reached)]])
    return np.array(found)


class RobustLoss(Loss, abstract=True):
    """Losses of the residual y - raw alone, with an identity link.

    They are no likelihood, and their curvature jumps with y: alpha is chosen by folds.
    """

    out_activation = "identity"
    moments = staticmethod(robust_moments)
    metric: tuple[str, Mapping[str, Any]] = ("mean_absolute_error", {})
    may_be_masked = False

    @abstractmethod
    def _losses(self, residual: np.ndarray) -> np.ndarray:
        """The losses of each target, for ``residual`` y - raw."""

    def loss(self, y, raw):
        return sum_targets(self._losses(y - raw))

    def inverse_link(self, raw):
        return raw

    def constant(self, y, norm_weight):
        """The constant at which the mean gradient, rising with it, passes zero."""
        low, high = y.min(axis=0), y.max(axis=0)
        out = np.empty_like(y)
        for _ in range(HALVINGS):
            middle = low + 0.5 * (high - low)
            self.gradient(np.broadcast_to(middle, y.shape), y, out)
            is_high = norm_weight @ out > 0.0
            low, high = np.where(is_high, low, middle), np.where(is_high, middle, high)
        return low + 0.5 * (high - low)


@dataclass(frozen=True, eq=False)
class HuberLoss(RobustLoss):
    """l = r^2 / 2 where |r| <= delta, else delta |r| - delta^2 / 2, with r = y - raw.

    Huber, "Robust estimation of a location parameter", Annals of Mathematical
    Statistics 1964. ``delta`` (n_targets,) is in the units of the y that it is given.
    """

    delta: Any = None

    name = "huber"
    default_decay = 2.0

    def with_parameters(self, parameters):
        return replace(self, delta=parameters["huber_delta"])

    def fitted_to(self, y, norm_weight, scale, kept=None):
        if self.delta is not None:
            return replace(self, delta=self.delta / scale)
        if kept is not None:
            return replace(self, delta=kept.delta)
        return replace(self, delta=DELTA * _deviation(y, norm_weight))

    def _losses(self, residual):
        far = np.abs(residual)
        near = np.minimum(far, self.delta)
        return near * (far - 0.5 * near)

    def gradient(self, raw, y, out):
        np.subtract(raw, y, out=out)
        np.clip(out, -self.delta, self.delta, out=out)


@dataclass(frozen=True, eq=False)
class QuantileLoss(RobustLoss):
    """l = factor (q max(r, 0) + (1 - q) max(-r, 0)), r = y - raw, with a round corner.

    Its Moreau envelope: within (q - 1) h and q h it is the parabola r^2 / (2 h), beyond
    lower than the corner's lines by q^2 h / 2 and (1 - q)^2 h / 2 at most, times
    ``factor``. ``width`` h (n_targets,) is SMOOTH deviations of y. Koenker and Bassett,
    "Regression quantiles", Econometrica 1978.
    """

    q: float = 0.5
    width: Any = SMOOTH

    name = "quantile"
    default_decay = 5.0
    factor: ClassVar[float] = 1.0

    @property
    def metric(self):
        return "mean_pinball_loss", {"alpha": self.q}

    def with_parameters(self, parameters):
        return replace(self, q=parameters["quantile"])

    def fitted_to(self, y, norm_weight, scale, kept=None):
        if kept is not None:
            return replace(self, width=kept.width)
        return replace(self, width=SMOOTH * _deviation(y, norm_weight))

    def _losses(self, residual):
        slope = np.clip(residual / self.width, self.q - 1.0, self.q)
        return self.factor * slope * (residual - 0.5 * self.width * slope)

    def gradient(self, raw, y, out):
        np.subtract(raw, y, out=out)
        np.divide(out, self.width, out=out)
        np.clip(out, -self.q, 1.0 - self.q, out=out)
        np.multiply(out, self.factor, out=out)


class AbsoluteError(QuantileLoss):
    """l = |r|, with a round corner: twice the loss of the median."""

    name = "absolute_error"
    factor = 2.0
    metric: tuple[str, Mapping[str, Any]] = ("mean_absolute_error", {})

    def with_parameters(self, parameters):
        return self


def _deviation(y: np.ndarray, norm_weight: np.ndarray) -> np.ndarray:
    """The robust deviation of each column; 1 for a column that does not vary."""
    _, deviation = robust_moments(y, norm_weight)
    return np.where(deviation > 0.0, deviation, 1.0)
