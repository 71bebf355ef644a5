"""The ways in which alpha enters a step, by their names as values of ``decay``.

A mode is handed the weights and the gradient of the loss *without* the penalty, before
the moments see it, and says whether steps with it minimise J.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from skwd._core.network import RecordedOp
from skwd._core.penalties import Penalty


class Decay(Protocol):
    """What an optimizer asks of a decay mode."""

    name: ClassVar[str]
    minimises_J: ClassVar[bool]
    # Whether rounding that is lost in float32 is carried from step to step.
    carries: ClassVar[bool]

    def default_alpha(self, c: float, n: float) -> float:
        """What alpha=None stands for, with c of the loss and n rows."""

    def factor(self, alpha: np.ndarray, rate: np.ndarray, out: np.ndarray) -> None:
        """Write what `ops` multiplies by: ``alpha`` (K, P), ``rate`` (K,)."""

    def ops(
        self,
        penalty: Penalty,
        w: np.ndarray,
        g: np.ndarray,
        factor: np.ndarray,
        scratch: np.ndarray,
        carry: np.ndarray | None,
    ) -> list[RecordedOp]:
        """The operations on the weights ``w`` or on their gradient ``g``."""


@dataclass(frozen=True)
class CoupledDecay:
    """decay="l2": the gradient of the penalty joins that of the loss: that of J."""

    name: ClassVar[str] = "l2"
    minimises_J: ClassVar[bool] = True
    carries: ClassVar[bool] = False

    def default_alpha(self, c: float, n: float) -> float:
        """alpha=None, for c of the loss and n rows: the same prior for every n."""
        return c / n

    def factor(self, alpha: np.ndarray, rate: np.ndarray, out: np.ndarray) -> None:
        """What `ops` multiplies by: ``alpha`` (K, P), zero for biases."""
        out[:] = alpha

    def ops(self, penalty, w, g, factor, scratch, carry) -> list[RecordedOp]:
        gradient = penalty.gradient_ops(w, factor, scratch)
        return [*gradient, (np.add, (g, scratch, g))]


@dataclass(frozen=True)
class DecoupledDecay:
    """decay="decoupled": w <- (1 - rate alpha) w (Loshchilov and Hutter 2019).

    In the form of PyTorch's AdamW, with alpha times the learning rate of the epoch. In
    float32 what a step takes off may be less than the weight's last digit: there the
    rounding is carried from step to step (Kahan 1965), so that nothing is lost.
    """

    name: ClassVar[str] = "decoupled"
    minimises_J: ClassVar[bool] = False
    carries: ClassVar[bool] = True

    def default_alpha(self, c: float, n: float) -> float:
        """alpha=None: AdamW's default, as no prior says how much a step decays."""
        return 1e-2

    def factor(self, alpha: np.ndarray, rate: np.ndarray, out: np.ndarray) -> None:
        """rate_k alpha_kp: (K, P)."""
        out[:] = rate[:, np.newaxis] * alpha

    def ops(self, penalty, w, g, factor, scratch, carry) -> list[RecordedOp]:
        taken = np.multiply, (w, factor, scratch)
        if carry is None:
            return [taken, (np.subtract, (w, scratch, w))]
        return [
            taken,
            (np.subtract, (carry, scratch, carry)),
            (np.add, (w, carry, scratch)),  # the new w
            (np.subtract, (w, scratch, w)),
            (np.add, (carry, w, carry)),  # what rounding has left out of it
            (np.copyto, (w, scratch)),
        ]


DECAYS: dict[str, Decay] = {
    mode.name: mode for mode in (CoupledDecay(), DecoupledDecay())
}
