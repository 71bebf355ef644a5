"""A Gaussian about a fitted network, for its predictions.

    p(f(x) | data) ~ N(f(x), scale noise / n j' H^-1 j),   j = df/dw at x

H is the Gauss-Newton curvature of J about centred X, with the decay of each layer on
its hidden biases too. J leaves them free: a unit that few rows reach would have
directions of which neither data nor prior say anything, and a Gaussian far too wide.
Output biases stay free, so that a linear model is Bayesian linear regression's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skwd._curvature.base import Covariances
from skwd._curvature.factors import Factors


@dataclass(eq=False)
class Posterior:
    """The Gaussian about one network, as far as its predictions need it."""

    curvature: Covariances
    n: float  # sum s
    noise: np.ndarray  # (n_outputs,) variance of y about f; 1 where the loss knows it
    scale: float  # of the covariance

    def covariance(self, factors: Factors) -> np.ndarray:
        """The covariance of the raw prediction at some rows, (b, o, o)."""
        covariance = self.curvature.covariances(factors, np.ones(1))[0]
        deviation = np.sqrt(self.noise * (self.scale / self.n))
        return covariance * (deviation[:, np.newaxis] * deviation)
