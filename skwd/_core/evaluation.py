"""J without its penalty, and its gradient, as calls that are written down once.

A solver evaluates the same networks on the same rows some hundred times: making the
views of weights, activations and gradients each time would take as long as the array
operations of a small network.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np

from skwd._core.arrays import aligned, weighted_sum
from skwd._core.lanes import LANE_WORK, n_lanes, run_lanes
from skwd._core.loss import Loss
from skwd._core.network import ForwardBackward, Network, RecordedOp, run

# Samples of more blocks than this keep neither blocks nor calls: there the array
# operations take so long that nothing is gained, and each call costs memory.
KEPT_BLOCKS = 4
# Parts of the rows of one network, for threads to take; changes rounding only.
MOST_PARTS = 8


class Block(NamedTuple):
    """Some rows of a sample."""

    X: np.ndarray  # (b, d + 1), or SparseRows (b, d)
    y: np.ndarray  # (b, n_outputs)
    norm_weight: np.ndarray  # (b, 1) s_i / sum s, float64
    weight: np.ndarray  # (b, 1) the same in the networks' dtype


class Step(NamedTuple):
    """What is done with a block for a group of networks, * its axis if there is one."""

    block: Block
    forward: list[RecordedOp]
    backward: list[RecordedOp]
    raw: np.ndarray  # (*, b, n_outputs), scratch memory


def _stack(n_networks: int) -> tuple[int, ...]:
    """The axes of the arrays of some networks: a single one is spared its own."""
    return (n_networks,) if n_networks > 1 else ()


class Part(NamedTuple):
    """Some rows that some networks are evaluated on, one part after the other."""

    number: int
    group: int
    networks: slice  # the group's, among those of all groups
    blocks: range  # of rows, by their numbers


def _shares(n: int, k: int) -> list[range]:
    """The numbers below n in k shares, about equal."""
    return [range(i * n // k, (i + 1) * n // k) for i in range(k)]


class LossGradientEvaluator:
    """The loss and its gradient of K networks that stay together.

    Parameters
    ----------
    network : Network
    loss : Loss
    groups : list of (Sample, ndarray of int)
        Networks that share a sample and are evaluated at once, by their numbers.
    n_rows : int
        Rows per block.
    """

    def __init__(self, network: Network, loss: Loss, groups: list, n_rows: int):
        self._losses = [loss[k].shaped(_stack(len(k))) for _, k in groups]
        self._groups, self._n_rows = groups, n_rows
        self._order = np.concatenate([networks for _, networks in groups])
        self._in_order = bool((np.diff(self._order) == 1).all())
        shape, dtype = (len(self._order), network.layout.n_params), groups[0][0].dtype
        # Group after group, so that the parameters of each are a view.
        self._params = aligned(shape, dtype)
        self._blocks: dict[int, list[Block]] = {}  # by the sample's identity
        self._kept: dict[int, list[Step]] = {}  # by the number of the part
        work = [len(sample) * len(k) * network.layout.n_params for sample, k in groups]
        parts = self._parts(network.layout.n_params)
        lanes = min(n_lanes(sum(work)), len(parts))
        self._lanes = [
            (Network(network.layout, network.activation), aligned(shape, dtype))
            for _ in range(lanes - 1)
        ]
        self._lanes.insert(0, (network, aligned(shape, dtype)))
        self._of_lanes = _shares(len(parts), lanes)
        self._all_parts = parts

    def _parts(self, n_params: int) -> list[Part]:
        """The parts of the work, which depend on sizes alone."""
        parts: list[Part] = []
        first = 0
        for number, (sample, networks) in enumerate(self._groups):
            rows = slice(first, first + len(networks))
            n_blocks, first = -(-len(sample) // self._n_rows), rows.stop
            worth = int(len(sample) * n_params // LANE_WORK)
            n_parts = max(1, min(worth, n_blocks, MOST_PARTS))
            for blocks in _shares(n_blocks, n_parts):
                parts.append(Part(len(parts), number, rows, blocks))
        return parts

    def __call__(self, params: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The loss (K,) and its gradient (K, P), in float64, at ``params`` (K, P)."""
        ordered = params if self._in_order else params[self._order]
        np.copyto(self._params, ordered, casting="same_kind")
        parts = self._all_parts
        found: list = [None] * len(parts)
        if not self._blocks:
            self._gather()

        def lane(number: int) -> None:
            for k in self._of_lanes[number]:
                found[k] = self._evaluated(parts[k], *self._lanes[number])

        run_lanes([partial(lane, number) for number in range(len(self._lanes))])
        if len(parts) == 1:
            return found[0]
        fun, grad = np.zeros(len(params)), np.zeros(params.shape)
        for part, (losses, gradient) in zip(parts, found):
            fun[part.networks] += losses
            grad[part.networks] += gradient
        if self._in_order:
            return fun, grad
        back = np.argsort(self._order)
        return fun[back], grad[back]

    def _evaluated(
        self, part: Part, network: Network, scratch: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The sums of loss and gradient over the rows of a part."""
        mine, loss = scratch[part.networks], self._losses[part.group]
        fun, grad = np.zeros(len(mine)), np.zeros(mine.shape)
        for step in self._steps(part, network, mine):
            run(step.forward)
            block, raw = step.block, step.raw
            # raw becomes dl/draw.
            losses = loss.loss_gradient(block.y, raw)
            np.multiply(raw, block.weight, raw)
            run(step.backward)
            grad += mine
            fun += weighted_sum(losses, block.norm_weight)
        return fun, grad

    def _steps(
        self, part: Part, network: Network, grad: np.ndarray
    ) -> list[Step] | Iterator[Step]:
        """What is done for a part, kept where its blocks are."""
        if part.number in self._kept:
            return self._kept[part.number]
        kept = self._blocks.get(id(self._groups[part.group][0]))
        how = part.networks, network, grad
        if not kept:
            blocks = self._new_blocks(self._groups[part.group][0], part.blocks)
            return self._new_steps(blocks, *how)
        some = kept[part.blocks.start : part.blocks.stop]
        self._kept[part.number] = list(self._new_steps(some, *how))
        return self._kept[part.number]

    def _gather(self) -> None:
        """Gather the rows that are gathered once, before threads ask for them."""
        for sample, _ in self._groups:
            if sample.is_gathered and id(sample) not in self._blocks:
                is_few = len(sample) <= KEPT_BLOCKS * self._n_rows
                blocks = list(self._new_blocks(sample)) if is_few else []
                self._blocks[id(sample)] = blocks
                sample.gathered  # noqa: B018, is computed here

    def _new_blocks(self, sample, blocks: range | None = None) -> Iterator[Block]:
        for X, y, norm_weight in sample.blocks(self._n_rows, blocks):
            yield Block(X, y, norm_weight, norm_weight.astype(sample.dtype, copy=False))

    def _new_steps(
        self, blocks: Iterable[Block], rows: slice, network: Network, grad: np.ndarray
    ) -> Iterator[Step]:
        params = self._params[rows]
        stack = _stack(len(params))
        for block in blocks:
            passes = ForwardBackward(network, params, block.X.shape[0], grad, stack)
            raw = passes.values[-1]
            calls = passes.forward_ops(block.X, raw), passes.backward_ops(block.X, raw)
            yield Step(block, *calls, raw)
