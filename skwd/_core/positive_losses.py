"""The losses of positive y with a log link: half the gamma and Tweedie deviances."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import xlogy

from skwd._core.loss import Domain, sum_targets
from skwd._core.number_losses import LogLinkLoss


@dataclass(frozen=True, eq=False)
class HalfTweedieLoss(LogLinkLoss):
    """Half the Tweedie deviance of power p, with mu = exp(raw).

    For p other than 1 and 2

        l = y^(2-p) / ((1-p) (2-p)) - y mu^(1-p) / (1-p) + mu^(2-p) / (2-p),

    at 1 half the Poisson, at 2 half the gamma deviance. The variance of y goes with
    mu^p, times a dispersion that is not known: it is no likelihood. Jorgensen, "The
    Theory of Dispersion Models", 1997.
    """

    power: float = 1.5

    name = "tweedie"
    default_decay = 5.0

    @property
    def metric(self):
        return "mean_tweedie_deviance", {"power": self.power}

    @property
    def domain(self):
        return Domain(0.0, is_excluded=self.power >= 2.0)

    def with_parameters(self, parameters):
        return replace(self, power=float(parameters["power"]))

    def loss(self, y, raw):
        p = self.power
        if p == 1.0:
            return sum_targets(xlogy(y, y) - y - y * raw + np.exp(raw))
        if p == 2.0:
            return sum_targets(y * np.exp(-raw) + raw - np.log(y) - 1.0)
        own = np.power(y, 2.0 - p) / ((1.0 - p) * (2.0 - p))
        from_y = y * np.exp((1.0 - p) * raw) / (1.0 - p)
        return sum_targets(own - from_y + np.exp((2.0 - p) * raw) / (2.0 - p))

    def gradient(self, raw, y, out):
        # mu^(1-p) (mu - y)
        factor = np.exp((1.0 - self.power) * raw)
        np.exp(raw, out=out)
        np.subtract(out, y, out=out)
        np.multiply(out, factor, out=out)


class HalfGammaLoss(HalfTweedieLoss):
    """Half the gamma deviance: y / mu - ln(y / mu) - 1 with mu = exp(raw)."""

    name = "gamma"
    default_decay = 5.0

    def __init__(self) -> None:
        super().__init__(power=2.0)

    def with_parameters(self, parameters):
        return self
