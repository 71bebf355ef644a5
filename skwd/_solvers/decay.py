"""The ways in which alpha enters a step, by their names as values of ``decay``.

Only "l2" minimises J. The others shrink the weights beside the step of the loss, by a
part of themselves that has no other source than alpha and the step: what they end at
depends on learning rate, momentum, batches and epochs. Biases are never shrunk.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from skwd._core.interface import Interface, asked
from skwd._core.network import RecordedOp
from skwd._core.penalty import Penalty


@dataclass(frozen=True)
class StepSizes:
    """What a step's decay may depend on, beside alpha."""

    rate: np.ndarray  # (K,) learning rate of this epoch
    initial: float  # of the first epoch
    momentum: float | None  # of SGD; None for Adam
    batch_size: int
    n_rows: int
    n_epochs: int  # max_iter


class Decay(Interface, abstract=True):
    """What an optimizer asks of a decay mode.

    A step has a ``factor`` (K, P), written once an epoch; ``before`` is what is done
    before the moments see the gradient of the loss, ``with_step`` what is done once the
    step is known that will be subtracted from the weights.
    """

    name: ClassVar[str] = asked()
    minimises_J: ClassVar[bool] = False
    # Whether rounding that is lost in float32 is carried from step to step.
    carries: ClassVar[bool] = True
    # Whether its factor is multiplied by the rate over the root of Adam's mean square.
    by_mean_square: ClassVar[bool] = False

    @abstractmethod
    def default_alpha(self, c: float, n: float) -> float:
        """What alpha=None stands for, with c of the loss and n rows."""

    @abstractmethod
    def factor(self, alpha: np.ndarray, sizes: StepSizes, out: np.ndarray) -> None:
        """Write what is multiplied by w, from ``alpha`` (K, P), zero for biases."""

    def before(
        self,
        penalty: Penalty,
        w: np.ndarray,
        g: np.ndarray,
        factor: np.ndarray,
        scratch: np.ndarray,
        carry: np.ndarray | None,
    ) -> list[RecordedOp]:
        """The operations on the weights ``w`` or on their gradient ``g``."""
        return []

    def with_step(
        self,
        w: np.ndarray,
        step: np.ndarray,
        factor: np.ndarray,
        scratch: np.ndarray,
        carry: np.ndarray | None,
    ) -> list[RecordedOp]:
        """The operations on ``w``, from which ``step`` is then subtracted."""
        return []


def shrink_ops(
    w: np.ndarray, scratch: np.ndarray, carry: np.ndarray | None
) -> list[RecordedOp]:
    """w <- w - scratch, with what rounding takes of it carried on (Kahan 1965).

    In float32 what a step takes off may be less than the weight's last digit.
    """
    if carry is None:
        return [(np.subtract, (w, scratch, w))]
    return [
        (np.subtract, (carry, scratch, carry)),
        (np.add, (w, carry, scratch)),  # the new w
        (np.subtract, (w, scratch, w)),
        (np.add, (carry, w, carry)),  # what rounding has left out of it
        (np.copyto, (w, scratch)),
    ]


class CoupledDecay(Decay):
    """decay="l2": the gradient of the penalty joins that of the loss: that of J."""

    name = "l2"
    minimises_J = True
    carries = False

    def default_alpha(self, c, n):
        """The same prior for every n."""
        return c / n

    def factor(self, alpha, sizes, out):
        out[:] = alpha

    def before(self, penalty, w, g, factor, scratch, carry):
        gradient = penalty.gradient_ops(w, factor, scratch)
        return [*gradient, (np.add, (g, scratch, g))]


class DecoupledDecay(Decay):
    """decay="decoupled": w <- (1 - rate alpha) w (Loshchilov and Hutter 2019).

    In the form of PyTorch's AdamW, with alpha times the learning rate of the epoch.
    """

    name = "decoupled"

    def default_alpha(self, c, n):
        """AdamW's default, as no prior says how much a step decays."""
        return 1e-2

    def factor(self, alpha, sizes, out):
        out[:] = sizes.rate[:, np.newaxis] * alpha

    def before(self, penalty, w, g, factor, scratch, carry):
        return [(np.multiply, (w, factor, scratch)), *shrink_ops(w, scratch, carry)]


class IndependentDecay(DecoupledDecay):
    """decay="independent": w <- (1 - eta alpha) w, eta = rate / its first value.

    The form of the paper (Loshchilov and Hutter 2019, Alg. 1 and 2): alpha is the part
    that a step takes off, whatever the learning rate.
    """

    name = "independent"

    def default_alpha(self, c, n):
        """AdamW's default at the default learning rate."""
        return 1e-5

    def factor(self, alpha, sizes, out):
        out[:] = (sizes.rate / sizes.initial)[:, np.newaxis] * alpha


class NormalizedDecay(DecoupledDecay):
    """decay="normalized": independent, with alpha root(b / (B T)) for alpha.

    b rows a batch, B rows and T epochs, max_iter (Loshchilov and Hutter 2019, appendix
    B.1): what all steps of a fit take off then depends less on their number.
    """

    name = "normalized"

    def default_alpha(self, c, n):
        """That of the example of the authors' code."""
        return 0.025

    def factor(self, alpha, sizes, out):
        part = sizes.batch_size / (sizes.n_rows * sizes.n_epochs)
        eta = sizes.rate / sizes.initial * np.sqrt(part)
        out[:] = eta[:, np.newaxis] * alpha


class ScheduledDecay(DecoupledDecay):
    """decay="scheduled": stable weight decay, SGDS and AdamS (Xie et al. 2023).

    SGD: w <- (1 - rate alpha / (1 - momentum)) w. Adam: w <- (1 - rate alpha /
    root(mean v_hat)) w, with the mean of the bias-corrected second moments over all
    parameters, of the step itself; no decay where that is 0.
    """

    name = "scheduled"
    by_mean_square = True

    def default_alpha(self, c, n):
        """AdamS's default."""
        return 1e-4

    def factor(self, alpha, sizes, out):
        out[:] = alpha
        if sizes.momentum is not None:  # Adam multiplies by its rate itself
            out *= (sizes.rate / (1.0 - sizes.momentum))[:, np.newaxis]


class CautiousDecay(DecoupledDecay):
    """decay="cautious": decoupled, only where it goes the way of the step.

    w <- w - rate (u + alpha 1[u w >= 0] w), entry by entry, with u the direction of the
    optimizer (Chen et al. 2025, arXiv 2510.12402, Alg. 1).
    """

    name = "cautious"

    def before(self, penalty, w, g, factor, scratch, carry):
        return []

    def with_step(self, w, step, factor, scratch, carry):
        agree = np.empty(w.shape, dtype=bool)
        return [
            (np.multiply, (w, step, scratch)),
            (np.greater_equal, (scratch, np.zeros((), dtype=w.dtype), agree)),
            (np.multiply, (w, factor, scratch)),
            (np.multiply, (scratch, agree, scratch)),
            *shrink_ops(w, scratch, carry),
        ]


DECAYS: dict[str, Decay] = {
    mode.name: mode
    for mode in (
        CoupledDecay(),
        DecoupledDecay(),
        IndependentDecay(),
        NormalizedDecay(),
        ScheduledDecay(),
        CautiousDecay(),
    )
}
