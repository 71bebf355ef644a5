"""Where a penalty has no gradient: norms of blocks of weights, at zero.

    J = smooth part + sum_b strength_b ||w_b||_2

A block is one weight, or all weights of a column of X. Away from zero its norm has the
gradient strength_b w_b / ||w_b||; at zero, any vector of length strength_b or less.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skwd._core.arrays import row_dot

# Newton's steps for the norm of a block under unequal step sizes: each doubles the
# digits, from a start where it can only approach from one side.
NEWTON_STEPS = 50


@dataclass(frozen=True, eq=False)
class Kinks:
    """The blocks of K networks, the first B * width parameters in their order.

    Parameters
    ----------
    strength : ndarray (K, B)
        0 where a block has no kink.
    width : int
        Parameters of a block.
    """

    strength: np.ndarray
    width: int

    def blocks(self, values: np.ndarray) -> np.ndarray:
        """A view of parameters, or of what is like them: (K, P) -> (K, B, width)."""
        n_networks, n_blocks = len(values), self.strength.shape[1]
        return values[:, : n_blocks * self.width].reshape(n_networks, n_blocks, -1)

    def scaled(self, scales: np.ndarray) -> Kinks:
        """Those of parameters times ``scales`` (K, P), which are alike in a block."""
        return Kinks(self.strength / self.blocks(scales)[:, :, 0], self.width)

    def value(self, params: np.ndarray) -> np.ndarray:
        """sum_b strength_b ||w_b||, (K,)."""
        return row_dot(self.strength, self._norms(params))

    def gradients(
        self, params: np.ndarray, smooth: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The subgradient of J of least length, and the gradient where blocks stay.

        Parameters
        ----------
        params, smooth : ndarray (K, P)
            The gradient of the smooth part is ``smooth``.

        Returns
        -------
        least : ndarray (K, P)
            0 at a minimum: the distance of 0 to the subdifferential is its length.
        face : ndarray (K, P)
            The gradient of J by the blocks that are not zero, ``smooth`` for others.
        """
        face = smooth.copy()
        pull = self._along(params)
        self.blocks(face)[...] += pull
        least, g = face.copy(), self.blocks(smooth)
        norm = np.sqrt(np.square(g).sum(axis=2))
        part = 1.0 - np.divide(
            self.strength, norm, out=np.ones_like(norm), where=norm > 0
        )
        shrunk = g * np.maximum(part, 0.0)[:, :, np.newaxis]
        zero = self._are_zero(params)
        self.blocks(least)[zero] = shrunk[zero]
        return least, face

    def project(self, trial: np.ndarray, x: np.ndarray, least: np.ndarray) -> None:
        """Set the blocks of ``trial`` to zero that have crossed zero on the way from x.

        A block that was zero may go along minus ``least`` alone. All (K, P).
        """
        zero = self._are_zero(x)
        heading = self.blocks(x).copy()
        heading[zero] = -self.blocks(least)[zero]
        ahead = (self.blocks(trial) * heading).sum(axis=2)
        self.blocks(trial)[(ahead <= 0.0) & (self.strength > 0.0)] = 0.0

    def free(self, direction: np.ndarray, params: np.ndarray) -> np.ndarray:
        """The part of a direction (K, P) that moves blocks that are not zero."""
        moved = direction.copy()
        self.blocks(moved)[self._are_zero(params)] = 0.0
        return moved

    def shrink(self, w: np.ndarray, step: np.ndarray) -> None:
        """Replace w (K, P) by its proximal map, in place.

        argmin_v sum_b strength_b ||v_b|| + sum_i (v_i - w_i)^2 / (2 step_i), for a
        ``step`` (), (K, 1) or (K, P).
        """
        blocks = self.blocks(w)
        steps = self.blocks(np.broadcast_to(step, w.shape))
        if self.width > 1:
            blocks[...] = shrunk(blocks, steps, self.strength[:, :, np.newaxis])
            return
        threshold = self.strength[:, :, np.newaxis] * steps
        blocks -= np.clip(blocks, -threshold, threshold)

    def _norms(self, params: np.ndarray) -> np.ndarray:
        blocks = self.blocks(params)
        if self.width == 1:
            return np.abs(blocks[:, :, 0])
        return np.sqrt(np.square(blocks).sum(axis=2))

    def _are_zero(self, params: np.ndarray) -> np.ndarray:
        """The blocks with a kink that are there, bool (K, B)."""
        return ~self.blocks(params).any(axis=2) & (self.strength > 0.0)

    def _along(self, params: np.ndarray) -> np.ndarray:
        """strength_b w_b / ||w_b||, 0 at zero: (K, B, width)."""
        norms = self._norms(params)
        ratio = np.divide(
            self.strength, norms, out=np.zeros_like(norms), where=norms > 0.0
        )
        return self.blocks(params) * ratio[:, :, np.newaxis]


def kinks_of(strength: np.ndarray, widths: np.ndarray) -> Kinks | UnequalKinks:
    """The blocks of K networks that follow each other, of so many parameters each.

    ``strength`` is (K, B), ``widths`` (B,).
    """
    if (widths == widths[0]).all():
        return Kinks(strength, int(widths[0]))
    return UnequalKinks(strength, widths)


@dataclass(frozen=True, eq=False)
class UnequalKinks:
    """`Kinks` of blocks of different sizes, handled size by size.

    Parameters
    ----------
    strength : ndarray (K, B)
    widths : ndarray of int (B,)
        Parameters of each block.
    """

    strength: np.ndarray
    widths: np.ndarray

    @cached_property
    def _parts(self) -> list[tuple[np.ndarray, Kinks]]:
        """The parameters of the blocks of each size, and these blocks."""
        starts, found = np.cumsum(self.widths) - self.widths, []
        for width in np.unique(self.widths):
            blocks = np.flatnonzero(self.widths == width)
            index = starts[blocks, np.newaxis] + np.arange(width)
            strength = np.take(self.strength, blocks, axis=1)
            found.append((index.ravel(), Kinks(strength, int(width))))
        return found

    def scaled(self, scales: np.ndarray) -> UnequalKinks:
        """Those of parameters times ``scales`` (K, P), which are alike in a block."""
        firsts = np.cumsum(self.widths) - self.widths
        return UnequalKinks(self.strength / scales[:, firsts], self.widths)

    def value(self, params: np.ndarray) -> np.ndarray:
        """sum_b strength_b ||w_b||, (K,)."""
        found = [part.value(_some(params, index)) for index, part in self._parts]
        return np.sum(found, axis=0)

    def gradients(
        self, params: np.ndarray, smooth: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """As of `Kinks`: the least subgradient of J, and the gradient of its face."""
        least, face = smooth.copy(), smooth.copy()
        for index, part in self._parts:
            found = part.gradients(_some(params, index), _some(smooth, index))
            least[:, index], face[:, index] = found
        return least, face

    def project(self, trial: np.ndarray, x: np.ndarray, least: np.ndarray) -> None:
        """Set the blocks of ``trial`` to zero that have crossed zero, as of `Kinks`."""
        for index, part in self._parts:
            moved = _some(trial, index)
            part.project(moved, _some(x, index), _some(least, index))
            trial[:, index] = moved

    def free(self, direction: np.ndarray, params: np.ndarray) -> np.ndarray:
        """The part of a direction (K, P) that moves blocks that are not zero."""
        moved = direction.copy()
        for index, part in self._parts:
            some = _some(direction, index), _some(params, index)
            moved[:, index] = part.free(*some)
        return moved

    def shrink(self, w: np.ndarray, step: np.ndarray) -> None:
        """Replace w (K, P) by its proximal map, in place, as of `Kinks`."""
        steps = np.broadcast_to(step, w.shape)
        for index, part in self._parts:
            moved = _some(w, index)
            part.shrink(moved, _some(steps, index))
            w[:, index] = moved


def shrunk(w: np.ndarray, step: np.ndarray, strength: np.ndarray) -> np.ndarray:
    """argmin_v strength ||v|| + sum_i (v_i - w_i)^2 / (2 step_i), along the last axis.

    v_i = w_i r / (r + strength step_i), where r = ||v|| solves
    sum_i (w_i / (r + strength step_i))^2 = 1; 0 where ||w / step|| <= strength.
    """
    w, step = w.astype(np.float64), step.astype(np.float64)
    reach = strength * step
    with np.errstate(divide="ignore", invalid="ignore"):
        pull = np.sqrt(np.square(w / step).sum(axis=-1, keepdims=True))
        stays = pull > strength
        # Convex and falling in r: from below, Newton's steps never pass the root.
        r = np.sqrt(np.square(w).sum(axis=-1, keepdims=True)) - reach.max(
            axis=-1, keepdims=True
        )
        r, going = np.maximum(r, 0.0), stays
        for _ in range(NEWTON_STEPS):
            ratio = np.square(w / (r + reach))
            gap = ratio.sum(axis=-1, keepdims=True) - 1.0
            slope = 2.0 * (ratio / (r + reach)).sum(axis=-1, keepdims=True)
            # On 1 - 1 / root(sum): nearly straight.
            size = gap + 1.0
            move = 2.0 * size * (np.sqrt(size) - 1.0) / slope
            move = np.where(going & (slope > 0.0), move, 0.0)
            r = np.maximum(r + move, 0.0)
            going = np.abs(move) > 1e-15 * r  # of each alone, whatever is beside it
            if not going.any():
                break
        return np.where(stays, w * (r / (r + reach)), 0.0)


def _some(values: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Some parameters of each network, network by network in memory: sums over them
    are rounded as those of a network alone."""
    return np.take(values, index, axis=1)
