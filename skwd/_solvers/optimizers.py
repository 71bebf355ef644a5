"""How parameters move in a step of the epoch loop: SGD and Adam.

Steps are lists of operations (`RecordedOp`), written down once and made at each batch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from skwd._core.arrays import aligned, row_dot
from skwd._core.kinks import Kinks
from skwd._core.network import RecordedOp
from skwd._core.penalty import Penalty
from skwd._solvers.decay import DECAYS, Decay, shrink_ops

# Parameters per visit: the weights, gradient, moments and decay of so many parameters
# stay in the cache through all operations of a step. Changes no bit.
VISIT = 1 << 14
# The smallest epsilon of Adam, a positive number in float32 too.
TINY = float(np.finfo(np.float32).tiny)


@dataclass(frozen=True)
class SGD:
    """v <- momentum v + g, then w <- w - rate v.

    With Nesterov's momentum w <- w - rate (g + momentum v). PyTorch's convention: the
    rate is outside the velocity. Without momentum it is plain gradient descent.
    """

    momentum: float = 0.0
    nesterov: bool = False
    decay: Decay = DECAYS["l2"]

    n_coefficients = 1
    needs_mean_square = False

    @property
    def n_moments(self) -> int:
        return int(self.momentum > 0)

    def coefficients(self, first_step: int, n_steps: int, rate) -> np.ndarray:
        """What changes from step to step: (n_steps, 1, ...) for ``rate`` (...)."""
        return np.broadcast_to(rate, (n_steps, 1, *np.shape(rate)))

    def ops(
        self, penalty, w, g, factor, scratch, carry, moments, coefficients
    ) -> list[RecordedOp]:
        """One step in place; ``g`` is used up."""
        (rate,) = coefficients
        ops = self.decay.before(penalty, w, g, factor, scratch, carry)
        direction = g
        if moments:
            (v,), momentum = moments, np.asarray(self.momentum, dtype=w.dtype)
            ops += [(np.multiply, (v, momentum, v)), (np.add, (v, g, v))]
            if self.nesterov:
                ops += [
                    (np.multiply, (v, momentum, scratch)),
                    (np.add, (g, scratch, g)),
                ]
            else:
                direction = v
        # g is used up: the step takes its place.
        return [
            *ops,
            (np.multiply, (direction, rate, g)),
            *self.decay.with_step(w, g, factor, scratch, carry),
            (np.subtract, (w, g, w)),
        ]

    def proximal_step(self, g, coefficients, scratch) -> tuple[list, np.ndarray]:
        """The size of the proximal step, and operations that write it.

        That of the sum of all steps that a gradient makes: rate / (1 - momentum).
        """
        (rate,) = coefficients
        if self.momentum == 0.0:
            return [], rate
        part = np.asarray(1.0 / (1.0 - self.momentum), dtype=g.dtype)
        return [(np.multiply, (rate, part, scratch))], scratch


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma and Ba 2015), epsilon outside the root and after bias correction::

        m <- beta_1 m + (1 - beta_1) g;   v <- beta_2 v + (1 - beta_2) g^2
        w <- w - rate m_hat / (sqrt(v_hat) + epsilon)
        m_hat = m / (1 - beta_1^t),  v_hat = v / (1 - beta_2^t)

    PyTorch's rule. The moments are kept as m / (1 - beta_1) and v / (1 - beta_2), which
    spares two passes; the factors join the scalars of the last line.
    """

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    decay: Decay = DECAYS["l2"]

    n_coefficients = 3
    n_moments = 2

    @property
    def needs_mean_square(self) -> bool:
        """Whether the decay of a step knows the second moments of all parameters."""
        return self.decay.by_mean_square

    @property
    def momentum(self) -> None:
        """That of SGD: there is none."""

    def coefficients(self, first_step: int, n_steps: int, rate) -> np.ndarray:
        """(size, epsilon, reach), (n_steps, 3, ...), for ``rate`` (...).

        w <- w - size m / (sqrt(v) + epsilon); reach / (sqrt(v) + epsilon) is the step
        that a constant gradient would be multiplied by.
        """
        t = np.arange(first_step + 1, first_step + n_steps + 1)
        t = t.reshape(-1, *[1] * np.ndim(rate))
        root = np.sqrt((1.0 - self.beta_2**t) / (1.0 - self.beta_2))
        out = np.empty((n_steps, 3, *np.shape(rate)))
        np.multiply(rate, root, out=out[:, 2])
        rate = (1.0 - self.beta_1) * rate
        np.multiply(rate / (1.0 - self.beta_1**t), root, out=out[:, 0])
        # In float32 a tiny epsilon must not become 0: a weight may have no gradient.
        np.multiply(max(self.epsilon, TINY), root, out=out[:, 1])
        return out

    def moment_ops(self, g, moments) -> list[RecordedOp]:
        """The moments after the gradient ``g``, which is used up."""
        m, v = moments
        beta_1, beta_2 = (
            np.asarray(b, dtype=g.dtype) for b in (self.beta_1, self.beta_2)
        )
        return [
            (np.multiply, (m, beta_1, m)),
            (np.add, (m, g, m)),
            (np.multiply, (g, g, g)),
            (np.multiply, (v, beta_2, v)),
            (np.add, (v, g, v)),
        ]

    def ops(
        self, penalty, w, g, factor, scratch, carry, moments, coefficients
    ) -> list[RecordedOp]:
        """One step in place; ``g`` is used up.

        Where the mean square is needed, what the factor is multiplied by follows the
        coefficients.
        """
        before = self.decay.before(penalty, w, g, factor, scratch, carry)
        if self.needs_mean_square:
            (multiplier,) = coefficients[3:]
            before = [
                (np.multiply, (w, factor, scratch)),
                (np.multiply, (scratch, multiplier, scratch)),
                *shrink_ops(w, scratch, carry),
            ]
        before += self.moment_ops(g, moments)
        (m, v), (size, epsilon, reach) = moments, coefficients[:3]
        step: list[RecordedOp] = [
            *before,
            (np.sqrt, (v, g)),
            (np.add, (g, epsilon, g)),
            (np.divide, (m, g, g)),
            (np.multiply, (g, size, g)),
            *self.decay.with_step(w, g, factor, scratch, carry),
            (np.subtract, (w, g, w)),
        ]
        if not penalty.is_smooth:  # the size of each weight's step
            step += [(np.sqrt, (v, g)), (np.add, (g, epsilon, g))]
            step.append((np.divide, (reach, g, g)))
        return step

    def proximal_step(self, g, coefficients, scratch) -> tuple[list, np.ndarray]:
        """The size of the proximal step of each weight, which is in ``g``."""
        return [], g


Update = SGD | Adam


def step_ops(
    update: Update,
    penalty: Penalty,
    params,
    grad,
    factor,
    carry,
    moments: list,
    coefficients: np.ndarray,
    kinks: Kinks | None = None,
    square_sum: np.ndarray | None = None,
) -> list[RecordedOp]:
    """One step of ``params`` (K, P) in place, part by part; all arrays are alike.

    ``carry`` is None where the decay needs none; after a step follows the proximal map
    of the ``kinks`` of the penalty. ``square_sum`` (K,) is that of Adam's second
    moments, for a decay that needs it; it is stepped with them.
    ``coefficients`` are read at each step: (n_coefficients,) where all networks have
    the same, or (n_coefficients, K, 1).
    """
    carried = [] if carry is None else [carry]
    arrays = [params, grad, factor, *carried, *moments]
    rows = [coefficients[i, ...] for i in range(len(coefficients))]  # () or (K, 1)
    ops: list[RecordedOp] = []
    if isinstance(update, Adam) and update.needs_mean_square:
        multiplier = np.empty((len(params), 1), dtype=params.dtype)
        assert square_sum is not None
        how = grad, update.beta_2, rows[2], square_sum, multiplier
        ops.append((_over_root_mean, how))
        if len(params) == 1 and coefficients.ndim == 1:
            arrays, multiplier = [array[0] for array in arrays], multiplier[0]
        rows.append(multiplier)
    elif coefficients.ndim == 1:
        arrays = [array.reshape(-1) for array in arrays]
    width = max(1, VISIT // (arrays[0].size // arrays[0].shape[-1]))
    scratch = aligned(arrays[0][..., :width].shape, arrays[0].dtype)
    for start in range(0, arrays[0].shape[-1], width):
        parts = [array[..., start : start + width] for array in arrays]
        w, g, part, *moments = parts
        spare, rest = scratch[..., : w.shape[-1]], None
        if carried:
            rest, *moments = moments
        ops += update.ops(penalty, w, g, part, spare, rest, moments, rows)
    if kinks is None:
        return ops
    sizes = np.empty(coefficients.shape[1:], dtype=params.dtype)
    written, size = update.proximal_step(grad, rows, sizes)
    return [*ops, *written, (kinks.shrink, (params, size))]


def _over_root_mean(
    g: np.ndarray, beta_2: float, reach: np.ndarray, total: np.ndarray, out: np.ndarray
) -> None:
    """out (K, 1) <- reach / root(mean of v (K, P)) after the step of gradient ``g``.

    0 where that mean is 0. Without a pass over v: its sum, ``total`` (K,), steps as v.
    """
    total *= beta_2
    total += row_dot(g, g)
    if len(g) == 1:  # the same numbers, at a third of the cost
        mean = float(total[0]) / g.shape[1]
        out.fill(float(reach) / math.sqrt(mean) if mean > 0.0 else 0.0)
        return
    root = np.sqrt(total / g.shape[1])[:, np.newaxis]
    out[...] = np.where(root > 0.0, reach / np.where(root > 0.0, root, 1.0), 0.0)
