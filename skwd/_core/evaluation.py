"""J without its penalty, and its gradient, as calls that are written down once.

A solver evaluates the same networks on the same rows some hundred times: making the
views of weights, activations and gradients each time would take as long as the array
operations of a small network.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from skwd._core.arrays import aligned, weighted_sum
from skwd._core.loss import Loss
from skwd._core.network import ForwardBackward, Network, RecordedOp, run

# Samples of more blocks than this keep neither blocks nor calls: there the array
# operations take so long that nothing is gained, and each call costs memory.
KEPT_BLOCKS = 4


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
        self._network = network
        self._losses = [loss[k].shaped(_stack(len(k))) for _, k in groups]
        self._groups, self._n_rows = groups, n_rows
        self._order = np.concatenate([networks for _, networks in groups])
        self._in_order = bool((np.diff(self._order) == 1).all())
        shape, dtype = (len(self._order), network.layout.n_params), groups[0][0].dtype
        # Of one group after the other, so that each is a view.
        self._params = aligned(shape, dtype)
        self._part = aligned(shape, dtype)
        self._blocks: dict[int, list[Block]] = {}  # by the sample's identity
        self._kept: dict[int, list[Step]] = {}  # by the number of the group

    def __call__(self, params: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The loss (K,) and its gradient (K, P), in float64, at ``params`` (K, P)."""
        ordered = params if self._in_order else params[self._order]
        np.copyto(self._params, ordered, casting="same_kind")
        fun, grad = np.zeros(len(params)), np.zeros(params.shape)
        first = 0
        for number, (_, networks) in enumerate(self._groups):
            rows = slice(first, first + len(networks))
            for step in self._steps(number, rows):
                run(step.forward)
                block, raw = step.block, step.raw
                # raw becomes dl/draw.
                losses = self._losses[number].loss_gradient(block.y, raw)
                np.multiply(raw, block.weight, raw)
                run(step.backward)
                grad[rows] += self._part[rows]
                fun[rows] += weighted_sum(losses, block.norm_weight)
            first = rows.stop
        if self._in_order:
            return fun, grad
        back = np.argsort(self._order)
        return fun[back], grad[back]

    def _steps(self, number: int, rows: slice) -> list[Step] | Iterator[Step]:
        """What is done for a group, kept where its blocks are."""
        if number in self._kept:
            return self._kept[number]
        sample = self._groups[number][0]
        if not sample.is_gathered or len(sample) > KEPT_BLOCKS * self._n_rows:
            return self._new_steps(rows, self._new_blocks(sample))
        if id(sample) not in self._blocks:
            self._blocks[id(sample)] = list(self._new_blocks(sample))
        self._kept[number] = list(self._new_steps(rows, self._blocks[id(sample)]))
        return self._kept[number]

    def _new_blocks(self, sample) -> Iterator[Block]:
        for X, y, norm_weight in sample.blocks(self._n_rows):
            yield Block(X, y, norm_weight, norm_weight.astype(sample.dtype, copy=False))

    def _new_steps(self, rows: slice, blocks: Iterable[Block]) -> Iterator[Step]:
        params, part = self._params[rows], self._part[rows]
        stack = _stack(len(params))
        for block in blocks:
            passes = ForwardBackward(
                self._network, params, block.X.shape[0], part, stack
            )
            raw = passes.values[-1]
            calls = passes.forward_ops(block.X, raw), passes.backward_ops(block.X, raw)
            yield Step(block, *calls, raw)
