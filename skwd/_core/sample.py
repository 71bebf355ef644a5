"""The rows that networks train on: a part of X by its row numbers, y and weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np
from scipy import sparse

from skwd._core.encoded import EncodedRows, Encoder, encoded
from skwd._core.loss import Loss
from skwd._core.rows import row_block, row_blocks

# A sample whose rows, with their column of ones, need no more than this is gathered
# once; a larger one is gathered block by block at each evaluation.
GATHER_BYTES = 1 << 26


@dataclass(eq=False)
class Sample:
    """The rows that one or more networks train on.

    Attributes
    ----------
    X : ndarray, CSR matrix or EncodedRows (n_total, d)
        All rows, shared by every sample and never copied whole.
    y : ndarray (n, n_outputs), float64
        Targets of this sample's rows.
    weight : ndarray (n,), float64
    rows : ndarray (n,) or None
        The rows of X, in the order of y; None for all of them.
    gather_once : bool
        False saves memory; changes no bit.
    origin : ndarray (d,) or None
        Is subtracted from every row.
    kept : dict
        Results computed once for this sample, by name.
    """

    X: np.ndarray | sparse.csr_matrix | EncodedRows
    y: np.ndarray
    weight: np.ndarray
    rows: np.ndarray | None = None
    gather_once: bool = True
    origin: np.ndarray | None = None
    kept: dict = field(default_factory=dict, repr=False)

    def __getstate__(self) -> dict:
        """The state without the gathered rows: a worker has X, and gathers its own."""
        return {name: value for name, value in vars(self).items() if name != "gathered"}

    def __len__(self) -> int:
        return len(self.y)

    @property
    def dtype(self) -> np.dtype:
        """float32 or float64: what the networks of this sample compute in."""
        return self.X.dtype

    @cached_property
    def norm_weight(self) -> np.ndarray:
        """s_i / sum s, (n,)."""
        if self.weight.strides == (0,):  # all are one number
            return np.full(len(self.weight), 1.0 / len(self.weight))
        # Divided by the largest first: weights near the ends of the float range work.
        scaled = self.weight / self.weight.max()
        return scaled / scaled.sum()

    @property
    def total_weight(self) -> float:
        """sum s: the number of rows, where weights are counts."""
        return float(self.weight.sum())

    @cached_property
    def gathered_bytes(self) -> int:
        """Memory of its rows as `take` gives them."""
        if sparse.issparse(self.X):
            X: Any = self.X
            per_row = np.diff(X.indptr)
            values = int((per_row if self.rows is None else per_row[self.rows]).sum())
            return values * (X.data.itemsize + X.indices.itemsize)
        return len(self) * (self.X.shape[1] + 1) * self.X.dtype.itemsize

    def part(self, positions: np.ndarray) -> Sample:
        """Some of its rows."""
        rows = positions if self.rows is None else self.rows[positions]
        y, weight = self.y[positions], self.weight[positions]
        return Sample(self.X, y, weight, rows, origin=self.origin)

    @property
    def has_varying_y(self) -> bool:
        """Whether a target varies over the rows where it is known."""
        low, high = np.fmin.reduce(self.y, axis=0), np.fmax.reduce(self.y, axis=0)
        return bool((low < high).any())

    @property
    def encoder(self) -> Encoder | None:
        """What makes the columns of its rows of those of the user's X, if anything."""
        return self.X.encoder if isinstance(self.X, EncodedRows) else None

    def encoded(self, encoder: Encoder | None) -> Sample:
        """The same rows with other columns; itself where there is no encoder."""
        if encoder is None:
            return self
        return replace(self, X=encoded(self.X, encoder), kept={})

    def in_units(self, y: np.ndarray, origin: np.ndarray) -> Sample:
        """The same rows about an ``origin`` (d,) of X, with y in other units."""
        return Sample(
            self.X,
            y,
            self.weight,
            self.rows,
            self.gather_once,
            origin.astype(self.dtype, copy=False),
        )

    @property
    def is_small(self) -> bool:
        """Whether its rows need no more than GATHER_BYTES."""
        return self.gathered_bytes <= GATHER_BYTES

    @property
    def is_gathered(self) -> bool:
        """Whether its rows are gathered once; otherwise they stay in place."""
        return self.gather_once and self.is_small

    @cached_property
    def gathered(self):
        """All rows as `take` gives them; only where `is_gathered`."""
        rows = slice(None) if self.rows is None else self.rows
        return row_block(self.X, rows, origin=self.origin)

    def take(self, positions: slice | np.ndarray, out: np.ndarray | None = None):
        """X of some rows (b, d + 1) with its column of ones, or `SparseRows` (b, d).

        ``out`` (b, d + 1) spares dense X an allocation.
        """
        if not self.is_gathered:
            rows = positions if self.rows is None else self.rows[positions]
            return row_block(self.X, rows, out, self.origin)
        if out is None or isinstance(positions, slice):
            return self.gathered[positions]
        # The positions are in range; "clip" spares a copy.
        return np.take(self.gathered, positions, axis=0, out=out, mode="clip")

    def blocks(
        self, n_rows: int | None = None, some: range | None = None
    ) -> Iterator[tuple]:
        """X as of `take`, y (b, n_outputs), norm_weight (b, 1), block after block.

        ``some`` are the numbers of those that are asked for.
        """
        blocks = row_blocks(len(self), n_rows)
        if some is not None:
            blocks = islice(blocks, some.start, some.stop)
        for block in blocks:
            y = self.y[block].astype(self.dtype, copy=False)
            yield self.take(block), y, self.norm_weight[block, np.newaxis]

    def curvature(self, loss: Loss) -> float:
        """What J is counted in: the loss's curvature at the best constant, or 1."""
        return float(loss.curvature(self.y, self.norm_weight).mean())

    def pull(self) -> np.ndarray:
        """X'(s r) / sum s with r = y - mean(y), (d, n_outputs).

        The same about every origin.
        """
        residual = self._residual() * self.norm_weight[:, np.newaxis]
        total = np.zeros((self.X.shape[1], residual.shape[1]))
        for block in row_blocks(len(self)):
            rows = block if self.rows is None else self.rows[block]
            total += self.X[rows].T @ residual[block]
        return total

    @property
    def deviation_of_y(self) -> float:
        """Root mean square of y about its mean, over all outputs."""
        with np.errstate(over="ignore", invalid="ignore"):
            squares = self.norm_weight @ np.square(self._residual())
            return float(np.sqrt(squares.mean()))

    def _residual(self) -> np.ndarray:
        """y about its mean, (n, n_outputs), and 0 where it is missing."""
        known = np.isfinite(self.y)
        y = np.where(known, self.y, 0.0)
        mean = self.norm_weight @ y
        if not known.all():
            mean = mean / np.maximum(self.norm_weight @ known, 1e-300)
        return np.where(known, y - mean, 0.0)
