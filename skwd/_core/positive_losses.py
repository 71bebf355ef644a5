"""The losses of positive y with a log link: half the gamma and Tweedie deviances."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import xlogy

from skwd._core.loss import FREQUENCY_FLOOR, LossDefaults, diagonal, sum_outputs


@dataclass(frozen=True, eq=False)
class HalfTweedieLoss(LossDefaults):
    """Half the Tweedie deviance of power p, with mu = exp(raw).

    For p other than 1 and 2

        l = y^(2-p) / ((1-p) (2-p)) - y mu^(1-p) / (1-p) + mu^(2-p) / (2-p),

    at 1 half the Poisson, at 2 half the gamma deviance. The variance of y goes with
    mu^p, times a dispersion that is not known: it is no likelihood. Jorgensen, "The
    Theory of Dispersion Models", 1997.
    """

    name: str
    power: float
    default_decay: float
    excludes_least: bool = False

    out_activation = "exp"
    is_for_numbers = True
    has_noise = False
    has_likelihood = False
    shift_invariant = False
    is_quadratic = False
    least_y = 0.0

    def of(self, parameters):
        if self.name != "tweedie":
            return self
        power = float(parameters["power"])
        return replace(self, power=power, excludes_least=power >= 2.0)

    def loss(self, y, raw):
        p = self.power
        if p == 1.0:
            return sum_outputs(xlogy(y, y) - y - y * raw + np.exp(raw))
        if p == 2.0:
            return sum_outputs(y * np.exp(-raw) + raw - np.log(y) - 1.0)
        own = np.power(y, 2.0 - p) / ((1.0 - p) * (2.0 - p))
        from_y = y * np.exp((1.0 - p) * raw) / (1.0 - p)
        return sum_outputs(own - from_y + np.exp((2.0 - p) * raw) / (2.0 - p))

    def loss_gradient(self, y, raw):
        losses = self.loss(y, raw)
        self.gradient(raw.copy(), y, raw)
        return losses

    def gradient(self, raw, y, out):
        # mu^(1-p) (mu - y)
        np.exp(raw, out=out)
        np.subtract(out, y, out=out)
        np.multiply(out, np.exp((1.0 - self.power) * raw), out=out)

    def inverse_link(self, raw):
        return np.exp(raw)

    def constant(self, y, share):
        mean = share @ y
        return np.log(np.where(mean > 0.0, mean, FREQUENCY_FLOOR))

    def curvature_root(self, raw):
        # Fisher's: the mean of the second derivative over y.
        return diagonal(np.exp((1.0 - 0.5 * self.power) * raw))

    def saturated_log_likelihood(self, y):
        raise NotImplementedError("it is no likelihood")

    def variance(self, prediction, raw_variance, noise):
        raise NotImplementedError("it is no likelihood")

    def marginalised(self, raw, covariance):
        return raw + 0.5 * np.diagonal(covariance, axis1=-2, axis2=-1)
