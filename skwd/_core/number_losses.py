"""The losses of regressors: squared error, and half the Poisson deviance."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln, xlogy

from skwd._core.loss import (
    FREQUENCY_FLOOR,
    Domain,
    Likelihood,
    Loss,
    diagonal,
    mean_and_deviation,
    sum_targets,
)


class Gaussian(Likelihood):
    """y ~ N(raw, noise), with a noise for each target."""

    estimates_noise = True

    def curvature_root(self, raw):
        n_outputs = raw.shape[-1]
        return np.broadcast_to(np.eye(n_outputs), (*raw.shape, n_outputs))

    def variance(self, prediction, raw_variance, noise):
        return raw_variance + noise[:, np.newaxis]

    def marginalised(self, raw, covariance):
        return raw


class HalfSquaredError(Loss):
    """l = 1/2 ||y - raw||^2, identity link."""

    name = "squared_error"
    out_activation = "identity"
    default_decay = 5.0
    is_quadratic = True
    likelihood = Gaussian()
    moments = staticmethod(mean_and_deviation)
    gradient = staticmethod(np.subtract)  # type: ignore[assignment]  # raw - y

    def loss_gradient(self, y, raw):
        raw -= y
        return 0.5 * sum_targets(raw * raw)

    def loss(self, y, raw):
        return self.loss_gradient(y, raw.copy())

    def inverse_link(self, raw):
        return raw

    def constant(self, y, norm_weight):
        return norm_weight @ y

    def linear_curvature(self, y, norm_weight):
        return 1.0


class Poisson(Likelihood):
    """Counts of mean exp(raw)."""

    def curvature_root(self, raw):
        return diagonal(np.exp(0.5 * raw))

    def saturated_log_likelihood(self, y):
        return sum_targets(xlogy(y, y) - y - gammaln(y + 1.0))

    def variance(self, prediction, raw_variance, noise):
        # Of exp(raw), linearised, and of the count.
        return np.square(prediction) * raw_variance + prediction

    def marginalised(self, raw, covariance):
        return raw + 0.5 * np.diagonal(covariance, axis1=-2, axis2=-1)


class LogLinkLoss(Loss, abstract=True):
    """What losses of a prediction exp(raw) share.

    Their dl/draw is mu^(1-p) (mu - y), with mu = exp(raw) and the Tweedie ``power`` p:
    c times y has c^(2-p) times the loss, at c times the prediction.
    """

    out_activation = "exp"
    domain = Domain(0.0)
    power: float = 1.0

    def curvature(self, y, norm_weight):
        return np.exp((2.0 - self.power) * self.constant(y, norm_weight))

    def slope(self, y, norm_weight):
        return np.exp((1.0 - self.power) * self.constant(y, norm_weight))

    def default_unit(self, y, norm_weight):
        """Of y that does not vary, but for rounding, as if it did by its mean."""
        mean, deviation = mean_and_deviation(y, norm_weight)
        return np.where(
            deviation > 10.0 * np.finfo(np.float64).eps * mean,
            self.slope(y, norm_weight) * deviation,
            self.curvature(y, norm_weight),
        )

    def inverse_link(self, raw):
        return np.exp(raw)

    def constant(self, y, norm_weight):
        y_mean = norm_weight @ y
        return np.log(np.where(y_mean > 0.0, y_mean, FREQUENCY_FLOOR))


class HalfPoissonLoss(LogLinkLoss):
    """l = mu - y + y ln(y / mu) with mu = exp(raw): half the Poisson deviance."""

    name = "poisson"
    default_decay = 5.0
    likelihood = Poisson()
    metric = ("mean_poisson_deviance", {})

    def loss_gradient(self, y, raw):
        losses = xlogy(y, y) - y - y * raw
        np.exp(raw, out=raw)
        losses += raw
        raw -= y
        return sum_targets(losses)

    def loss(self, y, raw):
        return self.loss_gradient(y, raw.copy())

    def gradient(self, raw, y, out):
        np.exp(raw, out)
        np.subtract(out, y, out)
