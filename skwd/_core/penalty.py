"""What a penalty is, what J adds to the loss for the size of the weights; and L2.

One penalty is one small object. ``strength`` is alpha of each parameter, zero where
there is none (biases): (K, P) against parameters (K, P), or broadcast.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from skwd._core.arrays import row_dot
from skwd._core.interface import Interface, asked
from skwd._core.kinks import Kinks
from skwd._core.network import RecordedOp


class Penalty(Interface, abstract=True):
    """What the objective, the solvers and the choice of alpha ask of a penalty."""

    # Whether it is alpha/2 w^2: linear models of squared error are then one system, and
    # alpha has a posterior. Anything else has to be minimised by a solver.
    is_quadratic: ClassVar[bool] = asked()
    # Whether it has a gradient everywhere; else it has `kinks`.
    is_smooth: ClassVar[bool] = asked()
    # Whether a fit is only the first of two: `second_stage` then knows its result.
    has_second_stage: ClassVar[bool] = False
    # Factor on the loss's default_decay.
    default_share: float = 1.0

    def __getitem__(self, networks) -> Penalty:
        """That of some of the networks, where each has its own."""
        return self

    def stacked(self, others: Sequence[Penalty], of_network: np.ndarray) -> Penalty:
        """One for a stack whose network k has ``others[of_network[k]]``, all alike."""
        return self

    def second_stage(self, params: np.ndarray) -> Penalty:
        """What is minimised once ``params`` (P,) have been found by this penalty."""
        return self

    def kinks(self, strength: np.ndarray) -> Kinks | None:
        """Where it has no gradient; None where `is_smooth`."""
        return None

    def smooth_part(self, strength: np.ndarray) -> np.ndarray:
        """alpha of what is smooth of it, in the shape of ``strength``."""
        return strength

    @abstractmethod
    def value(self, strength: np.ndarray, params: np.ndarray) -> np.ndarray:
        """The penalty of each network, (K,), in float64."""

    @abstractmethod
    def value_gradient(
        self, strength: np.ndarray, params: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The penalty (K,) and the gradient (K, P) of what is smooth of it."""

    @abstractmethod
    def gradient_ops(
        self, w: np.ndarray, strength: np.ndarray, out: np.ndarray
    ) -> list[RecordedOp]:
        """Operations that write what is smooth of its gradient at ``w`` to ``out``.

        For some of the parameters; ``strength`` is its `smooth_part`.
        """

    @abstractmethod
    def reference_alpha(self, pull: np.ndarray) -> float:
        """About where a network loses its weights, for ``pull`` = X'(s r) / sum s."""


class L2(Penalty):
    """alpha/2 times the sum of squared weights."""

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

    @staticmethod
    def log_prior(
        precision: np.ndarray, counts: np.ndarray, values: np.ndarray
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
        used = precision > 0.0
        fit = -(precision * values).sum()
        return fit + 0.5 * (counts[used] * np.log(precision[used])).sum()

    def reference_alpha(self, pull):
        # Without weights, the pull of the data on an identity network.
        return float(np.linalg.norm(pull, ord=2))
