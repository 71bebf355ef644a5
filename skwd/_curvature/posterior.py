"""A Gaussian about a fitted network, for its predictions.

    p(f(x) | data) ~ N(f(x), scale noise / n j' H^-1 j),   j = df/dw at x

H is the Gauss-Newton curvature of J about centred X, with the decay of each layer on
its hidden biases too. J leaves them free: a unit that few rows reach would have
directions of which neither data nor prior say anything, and a Gaussian far too wide.
Output biases stay free, so that a linear model is Bayesian linear regression's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from skwd._core.network import Network
from skwd._core.rows import row_block
from skwd._curvature.base import Covariances
from skwd._curvature.factors import Factors, factors_of

# A variance whose root, and whose sums, are numbers still.
HUGE = {"float64": 1e300, "float32": 1e70}  # in the dtype of what is predicted


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


def predictive_blocks(
    network: Network,
    params: np.ndarray,
    posteriors: list[Posterior],
    X,
    origin: np.ndarray | None,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Raw predictions (K, b, o) of X and their covariances (K, b, o, o), by blocks.

    ``params`` (K, P) are those of X about ``origin``, one network for each posterior.
    """
    params, most = params.astype(np.float64), HUGE[np.dtype(X.dtype).name]
    step = min(gaussian.curvature.block_rows for gaussian in posteriors)
    for start in range(0, X.shape[0], step):
        block = slice(start, start + step)
        rows = row_block(X, block, origin=origin).astype(np.float64)
        raws, covariances = [], []
        for w, gaussian in zip(params, posteriors):
            raw, factors = factors_of(network, w, rows)
            covariance = gaussian.covariance(factors)
            # So far from the training rows that nothing is known.
            unknown = ~(np.abs(covariance) < most).all(axis=(-1, -2))
            covariance[unknown] = most * np.eye(raw.shape[1])
            raws.append(raw)
            covariances.append(covariance)
        yield np.stack(raws), np.stack(covariances)
