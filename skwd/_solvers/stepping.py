"""The steps of one group: its state, and an epoch of steps on it.

For each batch: raw prediction, dl/draw, gradient of the loss, step. The losses of a
block of batches are computed together, once its steps are done: the raw predictions
that they need are those from before each batch's step.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, fields

import numpy as np

from skwd._core.arrays import aligned, weighted_sum
from skwd._core.network import ForwardBackward, RecordedOp
from skwd._core.objective import Objective
from skwd._solvers.batches import Batches, BatchPart, Block
from skwd._solvers.decay import StepSizes
from skwd._solvers.dropout import DrawnDropout, Dropout
from skwd._solvers.optimizers import Update, step_ops
from skwd._solvers.schedules import Schedule

# Steps after which what fades away is set to 0: where it is so many times the least
# normal number, or less.
FLUSHED, NEARLY_ZERO = 16, 1e8


@dataclass
class State:
    """K networks in the middle of their training; every field has the stack first."""

    params: np.ndarray  # (K, P), in the objective's dtype
    first: np.ndarray  # (K, P) first moments, or (K, 0)
    second: np.ndarray  # (K, P) second moments, or (K, 0)
    square_sum: np.ndarray  # (K,) of the second moments, for a decay that needs it
    carry: np.ndarray  # (K, P) what rounding leaves out of the decay, or (K, 0)
    steps: np.ndarray  # (K,) taken so far
    epochs: np.ndarray  # (K,) completed so far
    rate: np.ndarray  # (K,) learning rate of schedule "adaptive"
    start: np.ndarray  # (K,) J of the first epoch; nan before
    order: np.ndarray  # (K,) Generator of the order of the rows, or None
    stream: np.ndarray  # (K,) Generator of the noise, or None

    @classmethod
    def of(cls, params, update: Update, rate: float, order, stream=None) -> State:
        """Networks before their first epoch, with copies of all that is given."""
        n_networks, n_params = params.shape
        held = [n_params if i < update.n_moments else 0 for i in range(2)]
        carries = update.decay.carries and params.dtype == np.float32
        dtype, own = params.dtype, aligned(params.shape, params.dtype)
        own[:] = params
        return cls(
            params=own,
            first=aligned((n_networks, held[0]), dtype, zeros=True),
            second=aligned((n_networks, held[1]), dtype, zeros=True),
            square_sum=np.zeros(n_networks),
            carry=aligned((n_networks, n_params * carries), dtype, zeros=True),
            steps=np.zeros(n_networks, int),
            epochs=np.zeros(n_networks, int),
            rate=np.full(n_networks, rate),
            start=np.full(n_networks, np.nan),
            order=_copies(order, n_networks),
            stream=_copies(stream, n_networks),
        )

    def fits(self, other: State, shuffled: bool) -> bool:
        """Whether it can continue: moments as the other's, order as asked for."""
        kept = "first", "second", "carry"
        pairs = [(getattr(self, name), getattr(other, name)) for name in kept]
        same = all(ours.shape == theirs.shape for ours, theirs in pairs)
        same &= (self.stream[0] is None) == (other.stream[0] is None)
        return same and (self.order[0] is not None) == shuffled

    def __getitem__(self, networks) -> State:
        """A copy of the state of some of the networks."""
        return State(*(deepcopy(getattr(self, f.name)[networks]) for f in fields(self)))


def _copies(generator: np.random.Generator | None, n: int) -> np.ndarray:
    """One for each of n networks."""
    copies = np.empty(n, dtype=object)
    if generator is None:
        return copies
    for k in range(n):
        bits = type(generator.bit_generator)(0)  # in a fifth of the time of deepcopy
        bits.state = generator.bit_generator.state
        copies[k] = np.random.Generator(bits)
    return copies


class EpochRunner:
    """The steps of a group, recorded as operations while the group stays together.

    Parameters
    ----------
    part : Objective
        Of the group's networks.
    batches : Batches
    state : State
        ``params`` and moments are stepped in place.
    update : SGD or Adam
    schedule : Schedule
    noise : Dropout, optional
        Disturbs the units in training; the networks of a group share what is drawn.
    """

    def __init__(
        self,
        part: Objective,
        batches: Batches,
        state: State,
        update: Update,
        schedule: Schedule,
        noise: Dropout | None = None,
    ):
        self.noise: DrawnDropout | None = None
        if noise is not None:
            sources = part.network.layout.sources
            self.noise = noise.drawing(state.stream[0], sources)
        self.schedule = schedule
        self.part = part
        self.loss = part.loss.shaped(batches.stack)
        self.batches = batches
        self.state = state
        self.update = update
        shape, dtype = state.params.shape, state.params.dtype
        self.grad = aligned(shape, dtype, zeros=True)
        self.total: np.ndarray | None = None  # of a batch in parts, in float64
        self.factor = aligned(shape, dtype)
        self.rates = np.full(len(part), np.nan)
        self.coefficients = np.empty(0)
        self.step: list[RecordedOp] = []
        self.passes: dict[int, ForwardBackward] = {}
        self.ops: dict[tuple, list[list[RecordedOp]]] = {}  # of the parts of a block

    def epoch(
        self, rates: np.ndarray, *, look_at_first: bool = False
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Take the steps of one epoch.

        Returns the mean of the losses before their batch's step, and with
        ``look_at_first`` that of the first batch alone, each (K,).
        """
        coefficients = iter(self._coefficients(rates))
        now = self.coefficients
        fun, first = np.zeros(len(rates)), None
        for block in self.batches.epoch():
            for part, ops in zip(block.parts, self._block_ops(block)):
                if part.ends:
                    now[...] = next(coefficients)
                for function, arguments in ops:
                    function(*arguments)
            losses = self.loss.loss_gradient(block.y, block.raw)
            fun += np.reshape(weighted_sum(losses, block.norm_weight), -1)
            if look_at_first and first is None:
                n_first = block.parts[0].n_rows
                first = np.reshape(losses[..., :n_first].mean(axis=-1), -1)
        before = int(self.state.steps[0])
        if (before + self.batches.n_batches) // FLUSHED > before // FLUSHED:
            self._flush()
        return fun, first

    def _flush(self) -> None:
        """Weights and first moments that fade away become 0.

        Those of dead units do; numbers below the normal range, which they end at, take
        the processor fifty times as long.
        """
        least = NEARLY_ZERO * np.finfo(self.grad.dtype).tiny
        for values in (self.state.params, self.state.first):
            values[np.abs(values) < least] = 0.0

    def _coefficients(self, rates: np.ndarray) -> np.ndarray:
        """What changes from step to step of this epoch, along the first axis."""
        if (rates != self.rates).any():
            self.rates = rates.copy()
            sizes = StepSizes(
                rates,
                self.schedule.initial,
                self.update.momentum,
                self.batches.batch_size,
                self.batches.n_rows,
                self.schedule.horizon,
            )
            alpha = self.part.penalty.smooth_part(self.part.decay)
            self.update.decay.factor(alpha, sizes, self.factor)
        alike = (rates == rates[0]).all()
        shape = () if alike else (len(rates), 1)
        if self.coefficients.shape[1:] != shape or not self.step:
            shape = (self.update.n_coefficients, *shape)
            self.coefficients = np.empty(shape, dtype=self.grad.dtype)
            moments = [self.state.first, self.state.second][: self.update.n_moments]
            carry = self.state.carry if self.state.carry.size else None
            self.step = step_ops(
                self.update,
                self.part.penalty,
                self.state.params,
                self.grad,
                self.factor,
                carry,
                moments,
                self.coefficients,
                self.part.kinks,
                self.state.square_sum,
            )
            self.ops.clear()
        return self.update.coefficients(
            int(self.state.steps[0]),
            self.batches.n_batches,
            float(rates[0]) if alike else rates[:, np.newaxis],
        )

    def _block_ops(self, block: Block) -> list[list[RecordedOp]]:
        """The operations for each part of a block, kept where its arrays are."""
        if block.key is None:
            return [self._part_ops(part) for part in block.parts]
        if block.key not in self.ops:
            self.ops[block.key] = [self._part_ops(part) for part in block.parts]
        return self.ops[block.key]

    def _part_ops(self, part: BatchPart) -> list[RecordedOp]:
        """Raw prediction, dl/draw, gradient and, where the batch is complete, step."""
        if part.n_rows not in self.passes:
            self.passes[part.n_rows] = ForwardBackward(
                self.part.network,
                self.state.params,
                part.n_rows,
                self.grad,
                self.batches.stack,
                noise=self.noise,
            )
        forward_backward, delta = self.passes[part.n_rows], part.delta
        X = part.X
        dropped: list[RecordedOp] = []
        if self.noise is not None:
            X, dropped = self.noise.input_ops(X)
        ops: list[RecordedOp] = [
            *dropped,
            *forward_backward.forward_ops(X, part.raw),
            (self.loss.gradient, (part.raw, part.y, delta)),
            (np.multiply, (delta, part.weight, delta)),
            *forward_backward.backward_ops(X, delta),
        ]
        if not part.whole:
            if self.total is None:
                self.total = np.zeros(self.grad.shape)
            ops.append((np.add, (self.total, self.grad, self.total)))
            if part.ends:
                copied = (np.copyto, (self.grad, self.total))
                ops += [copied, (self.total.fill, (0.0,))]
        return ops + self.step if part.ends else ops
