"""Mini-batches: the rows of each sample in random order, gathered block by block.

A *group* is a stack whose networks train on samples of equally many rows, equally many
networks to each: F samples of A networks. All their batches have the same sizes, so
that a batch of the whole group is one set of arrays: X (F, 1, b, d + 1) against weights
(F, A, d + 1, h). Axes of length 1 are left out of both.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from skwd._core.arrays import aligned
from skwd._core.network import Network, block_rows
from skwd._core.objective import Sample
from skwd._core.rows import SparseRows

# Bytes of X gathered at a time: several batches, few enough to be in the cache still
# when their turn comes. Changes the rounding of J only, a sum over blocks; depends on
# the shape of X and the batch size, never on the stack.
BLOCK_BYTES = 1 << 17
# Batches gathered at a time: their views and calls are kept from epoch to epoch.
BLOCK_BATCHES = 256
# A batch of more than so many of the network's blocks of rows is worked through block
# by block.
WHOLE_BLOCKS = 4


class BatchSlice(NamedTuple):
    """Where a part lies in its block, and of which batch it is."""

    start: int
    stop: int
    n_batch: int  # rows of the batch
    ends: bool  # whether the batch is complete with it


class BatchPart(NamedTuple):
    """A batch, or a part of a large one; * are the axes of the group."""

    X: np.ndarray | SparseRows  # (..., b, d + 1) or (b, d)
    y: np.ndarray  # (..., b, n_targets)
    weight: np.ndarray  # (..., b, 1): n s_i / (|B| sum s) of its batch B
    raw: np.ndarray  # (*, b, n_raw), to be filled
    delta: np.ndarray  # (*, b, n_raw), scratch memory
    n_rows: int
    whole: bool  # whether it is a whole batch
    ends: bool  # whether its batch is complete with it


class Block(NamedTuple):
    """Some batches, and the arrays that hold all of their rows."""

    parts: list[BatchPart]
    y: np.ndarray  # (..., rows, n_targets)
    weight: np.ndarray  # (..., rows, 1)
    norm_weight: np.ndarray  # (..., rows, 1) s_i / sum s, float64
    factor: np.ndarray  # (rows, 1) n / |B|: weight over norm_weight
    raw: np.ndarray  # (*, rows, n_raw), filled once the parts are done
    key: tuple | None  # the same for blocks in the same arrays; None for sparse X


class Batches:
    """The batches of a group, epoch after epoch.

    Parameters
    ----------
    network : Network
    samples : list of Sample
        F of them, equally long.
    n_networks : int
        A, the networks of each sample.
    batch_size : int
    rngs : list of Generator or None
        One per sample, for the order of its rows; None keeps them in order, as does a
        batch of all rows.

    Attributes
    ----------
    stack : tuple of int
        The axes of the group, written * above: F and A where they are not 1.
    """

    def __init__(
        self,
        network: Network,
        samples: list[Sample],
        n_networks: int,
        batch_size: int,
        rngs: list[np.random.Generator] | None,
    ):
        self._network = network
        self._samples = samples
        self.n_rows = len(samples[0])
        self.batch_size = min(batch_size, self.n_rows)
        self._rngs = rngs if self.batch_size < self.n_rows else None
        self.n_batches = -(-self.n_rows // self.batch_size)
        F, A = len(samples), n_networks
        self.stack = tuple(length for length in (F, A) if length > 1)
        self._lead = () if F == 1 else (F,) if A == 1 else (F, 1)
        self._dtype = samples[0].dtype
        self._is_sparse = sparse.issparse(samples[0].X)
        # All rows at once, and in memory: they are used where they are.
        self._in_place = self.n_batches == 1 and F == 1 and samples[0].is_gathered
        self._uniform = all((s.weight == s.weight[0]).all() for s in samples)
        self._spans = list(self._block_spans())
        self._blocks: dict[tuple, Block] = {}
        rows = max(stop - start for start, stop, _ in self._spans)
        shapes = {"X": samples[0].X.shape[1] + 1, "y": samples[0].y.shape[1]}
        n_raw = network.layout.layer_units[-1]
        if self._in_place or self._is_sparse:
            shapes["X"] = 0
        self._X = aligned((F, rows, shapes["X"]), self._dtype)
        self._y = aligned((F, rows, shapes["y"]), self._dtype)
        self._norm_weight = np.full((F, rows, 1), 1.0 / self.n_rows)
        self._raw = aligned((*self.stack, rows, n_raw), self._dtype)

    def _block_spans(self) -> Iterator[tuple[int, int, list[BatchSlice]]]:
        """(start, stop, parts) of each block, in the order of an epoch."""
        limit = block_rows(self._network.layout, self._dtype.itemsize)
        row_bytes = (self._network.layout.layer_units[0] + 1) * self._dtype.itemsize
        size, n = self.batch_size, self.n_rows
        batches = [(start, min(start + size, n)) for start in range(0, n, size)]
        if size > WHOLE_BLOCKS * limit:
            for first, last in batches:
                for start in range(first, last, limit):
                    stop = min(start + limit, last)
                    span = BatchSlice(0, stop - start, last - first, stop == last)
                    yield start, stop, [span]
            return
        together = max(1, min(BLOCK_BATCHES, BLOCK_BYTES // (row_bytes * size)))
        for i in range(0, len(batches), together):
            group = batches[i : i + together]
            start, stop = group[0][0], group[-1][1]
            yield (
                start,
                stop,
                [BatchSlice(a - start, b - start, b - a, True) for a, b in group],
            )

    def epoch(self) -> Iterator[Block]:
        """Blocks of batches in a new order of the rows, each valid until the next."""
        orders = None
        if self._rngs is not None:
            orders = [rng.permutation(self.n_rows) for rng in self._rngs]
        for start, stop, spans in self._spans:
            # Blocks of one shape share their buffers and so their views.
            key = (start, stop) if self._in_place else (stop - start, spans[-1])
            if key not in self._blocks:
                self._blocks[key] = self._views(start, stop, spans, key)
            block = self._blocks[key]
            if not self._in_place:
                X = self._load(start, stop, orders, block)
                if self._is_sparse:
                    pairs = zip(block.parts, spans)
                    parts = [p._replace(X=X[s.start : s.stop]) for p, s in pairs]
                    block = block._replace(parts=parts, key=None)
            yield block

    def _load(self, start: int, stop: int, orders, block: Block):
        """Gather the rows of a block into the buffers; sparse ones are returned."""
        n, X = stop - start, None
        for f, sample in enumerate(self._samples):
            rows = slice(start, stop) if orders is None else orders[f][start:stop]
            out = None if self._is_sparse else self._X[f, :n]
            X = sample.take(rows, out)
            if out is not None and X is not out:
                out[:] = X
            self._y[f, :n] = sample.y[rows]
            if not self._uniform:
                self._norm_weight[f, :n, 0] = sample.norm_weight[rows]
        if not self._uniform:
            np.multiply(
                block.norm_weight, block.factor, block.weight, casting="same_kind"
            )
        return X

    def _views(self, start: int, stop: int, spans: list[BatchSlice], key) -> Block:
        """The arrays of a block and of its parts."""
        n, sample = stop - start, self._samples[0]
        if self._in_place:
            X = sample.take(slice(start, stop))
            y = sample.y[start:stop].astype(self._dtype, copy=False)
            norm_weight = sample.norm_weight[start:stop, np.newaxis]
        else:
            buffers = (
                buffer[:, :n] for buffer in (self._X, self._y, self._norm_weight)
            )
            X, y, norm_weight = (b.reshape(*self._lead, *b.shape[1:]) for b in buffers)
        factor = np.concatenate(
            [np.full((s.stop - s.start, 1), self.n_rows / s.n_batch) for s in spans]
        )
        weight = (norm_weight * factor).astype(self._dtype)
        raw = self._raw[..., :n, :]
        parts = []
        for span in spans:
            rows = slice(span.start, span.stop)
            X_part: Any = None if self._is_sparse else X[..., rows, :]
            if self._is_sparse and self._in_place:
                X_part = X[rows]
            n_rows = span.stop - span.start
            shape = (*raw.shape[:-2], n_rows, raw.shape[-1])
            delta = self._network.buffer("delta", 0, shape, self._dtype)
            whole = n_rows == span.n_batch
            part = BatchPart(
                X_part,
                y[..., rows, :],
                weight[..., rows, :],
                raw[..., rows, :],
                delta,
                n_rows,
                whole,
                span.ends,
            )
            parts.append(part)
        return Block(parts, y, weight, norm_weight, factor, raw, key)
