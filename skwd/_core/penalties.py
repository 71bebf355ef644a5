"""The penalties: what J adds to the loss for the size of the weights.

One penalty is one small object without state. ``strength`` is alpha of each parameter,
zero where there is none (biases): (K, P) against parameters (K, P), or broadcast.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from skwd._core.arrays import row_dot
from skwd._core.network import RecordedOp


class Penalty(Protocol):
    """What the objective, the solvers and the choice of alpha ask of a penalty."""

    name: str
    # Whether it is alpha/2 w^2: linear models of squared error are then one system, and
    # alpha has a posterior. Anything else has to be minimised by a solver.
    is_quadratic: bool
    # Whether its minimisers are found by its gradient alone, or by `proximal_ops`.
    is_smooth: bool

    def value(self, strength: np.ndarray, params: np.ndarray) -> np.ndarray:
        """The penalty of each network, (K,), in float64."""

    def value_gradient(
        self, strength: np.ndarray, params: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The penalty (K,) and the gradient (K, P) of what is smooth of it."""

    def gradient_ops(
        self, w: np.ndarray, strength: np.ndarray, out: np.ndarray
    ) -> list[RecordedOp]:
        """Operations that write the gradient at ``w`` to ``out``, all of one shape."""

    def proximal_ops(
        self, w: np.ndarray, step: np.ndarray, strength: np.ndarray, out: np.ndarray
    ) -> list[RecordedOp]:
        """Operations that replace ``w``, after a step, by its proximal map.

        argmin_v penalty(v) + (v - w)^2 / (2 step); ``step`` broadcasts to ``w``, and
        ``out`` is scratch memory of its shape. None where `is_smooth`.
        """

    def curvature(self, strength: np.ndarray, params: np.ndarray) -> np.ndarray:
        """The diagonal of its second derivative, in the shape of ``params``."""

    def log_prior(
        self, precision: np.ndarray, counts: np.ndarray, values: np.ndarray
    ) -> float:
        """ln of the density exp(-penalty) of the weights, without factors of 2 pi.

        Parameters
        ----------
        precision : ndarray (G,)
            alpha of each group in units of the noise.
        counts : ndarray (G,)
            Weights of each group.
        values : ndarray (G,)
            The penalty of each group at alpha = 1.
        """

    def reference_alpha(self, pull: np.ndarray) -> float:
        """About where a network loses its weights, for ``pull`` = X'(s r) / sum s."""


class L2:
    """alpha/2 times the sum of squared weights."""

    name = "l2"
    is_quadratic = True
    is_smooth = True

    def value(self, strength, params):
        params = params.astype(np.float64, copy=False)
        return 0.5 * row_dot(strength * params, params)

    def value_gradient(self, strength, params):
        gradient = strength * params
        return 0.5 * row_dot(gradient, params), gradient

    def gradient_ops(self, w, strength, out):
        return [(np.multiply, (w, strength, out))]

    def proximal_ops(self, w, step, strength, out):
        return []

    def curvature(self, strength, params):
        return np.broadcast_to(strength, params.shape)

    def log_prior(self, precision, counts, values):
        used = precision > 0.0
        fit = -(precision * values).sum()
        return fit + 0.5 * (counts[used] * np.log(precision[used])).sum()

    def reference_alpha(self, pull):
        # Without weights, the pull of the data on an identity network.
        return float(np.linalg.norm(pull, ord=2))


PENALTIES: dict[str, Penalty] = {penalty.name: penalty for penalty in (L2(),)}
