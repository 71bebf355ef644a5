"""J without its penalty, and its gradient, as calls that are written down once.

A solver evaluates the same networks on the same rows some hundred times: making the
views of weights, activations and gradients each time would take as long as the array
operations of a small network.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from skwd._losses import Loss
from skwd._network import Call, Network, Pass, run


class Step(NamedTuple):
    """One block of rows of a group of networks; * is the group's axis, if any."""

    forward: list[Call]
    backward: list[Call]
    raw: np.ndarray  # (*, b, n_outputs), scratch memory
    y: np.ndarray  # (b, n_outputs)
    share: np.ndarray  # (b, 1) s_i / sum s, float64
    weight: np.ndarray  # (b, 1) the same in the networks' dtype


class Evaluation:
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
        self._network, self._loss = network, loss
        self._groups, self._n_rows = groups, n_rows
        self._order = np.concatenate([networks for _, networks in groups])
        self._in_order = bool((np.diff(self._order) == 1).all())
        shape, dtype = (len(self._order), network.layout.n_params), groups[0][0].dtype
        # Of one group after the other, so that each is a view.
        self._params = np.empty(shape, dtype=dtype)
        self._part = np.empty(shape, dtype=dtype)
        self._kept: dict[int, list[Step]] = {}

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
                losses = self._loss.loss_gradient(step.y, step.raw)  # raw: dl/draw
                np.multiply(step.raw, step.weight, step.raw)
                run(step.backward)
                grad[rows] += self._part[rows]
                fun[rows] += np.reshape(weighted_sum(losses, step.share), -1)
            first = rows.stop
        if self._in_order:
            return fun, grad
        back = np.argsort(self._order)
        return fun[back], grad[back]

    def _steps(self, number: int, rows: slice) -> list[Step] | Iterator[Step]:
        """The blocks of a group, kept where their rows are."""
        if not self._groups[number][0].is_gathered:
            return self._new_steps(number, rows)
        if number not in self._kept:
            self._kept[number] = list(self._new_steps(number, rows))
        return self._kept[number]

    def _new_steps(self, number: int, rows: slice) -> Iterator[Step]:
        params, part = self._params[rows], self._part[rows]
        stack = (len(params),) if len(params) > 1 else ()
        for X, y, share in self._groups[number][0].blocks(self._n_rows):
            one = Pass(self._network, params, X.shape[0], part, stack)
            raw = one.values[-1]
            calls = one.forward_calls(X, raw), one.backward_calls(X, raw)
            weight = share.astype(part.dtype, copy=False)
            yield Step(*calls, raw, y, share, weight)


def weighted_sum(losses: np.ndarray, share: np.ndarray) -> np.ndarray:
    """sum_i share_i losses_ki in float64: (*, b), (..., b, 1) -> (*,)."""
    losses = np.asarray(losses, dtype=np.float64)
    return np.matmul(losses[..., np.newaxis, :], share)[..., 0, 0]
