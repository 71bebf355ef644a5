"""Orthonormal bases of the space that a sample's rows span, for `row_space`."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import linalg, sparse

from skwd._core.arrays import EPS
from skwd._core.interface import Interface
from skwd._core.rows import SparseRows, row_blocks
from skwd._core.sample import Sample
from skwd._solvers.units import (
    ROUNDINGS,
    column_sizes,
    rounding_of_columns,
    unscaled_deviations,
)

# Products of sparse rows lose half of the digits: what is left of a row is a direction
# of its own where its square is above the first part of the longest row's, and rounding
# below the second. Between them it is neither. A column is seen above the third.
LEAST_SQUARE, ROUNDED, LEAST_COLUMN = 1e-10, 1e-12, 1e-14
# Rows are about their mean where its products with them are no more than this part of
# that square, which is rounding (1e-14 of texts). A mean in float32 is rounded itself.
CENTRED = 1e-10
# Rows whose products with all others are computed at a time.
PRODUCT_ROWS = 512


@dataclass(eq=False)
class Basis(Interface, abstract=True):
    """An orthonormal basis Q of the r directions that n rows span, X' = Q R.

    Attributes
    ----------
    R : ndarray (r, n)
        The rows by their coordinates.
    unscaled : ndarray (r,) or None
        What coordinates are measured in, as their columns' `unscaled_deviations` say.
    is_rounded : bool
        Whether a direction was left out that may be more than rounding.
    """

    R: np.ndarray
    unscaled: np.ndarray | None
    is_rounded: bool = field(default=False, kw_only=True)

    @abstractmethod
    def inside(self, W: np.ndarray) -> np.ndarray:
        """Q'W, (r, h), of first weights (d, h)."""

    @abstractmethod
    def outside(self, V: np.ndarray) -> np.ndarray:
        """Q V, (d, h), of first weights (r, h) in the space of the rows."""


@dataclass(eq=False)
class DenseBasis(Basis):
    """Of dense rows: ``Q`` is (d, r)."""

    Q: np.ndarray

    def inside(self, W):
        return self.Q.T @ W

    def outside(self, V):
        return self.Q @ V


@dataclass(eq=False)
class SparseBasis(Basis):
    """Of sparse rows, about their mean: Q' = L^-1 X_r, with some r of the rows.

    X_r X_r' = L L' is a Cholesky factor, (r, r). Q has the zeros of no column: it is
    not computed.
    """

    X: SparseRows
    L: np.ndarray

    def inside(self, W):
        return self._solved(self.X @ W, "N")

    def outside(self, V):
        return self.X.transposed_times(self._solved(V, "T"))

    def _solved(self, B: np.ndarray, trans: str) -> np.ndarray:
        how: dict[str, Any] = {"lower": True, "trans": trans, "check_finite": False}
        return linalg.solve_triangular(self.L, B, **how)


def is_in_range(sample: Sample) -> bool:
    """Whether sums over all columns, and products of rows, stay finite."""
    most = np.finfo(sample.dtype).max
    if sparse.issparse(sample.X):
        return bool(np.sqrt(len(sample) * _longest_square(sample)) < most)
    return bool(np.linalg.norm(column_sizes(sample)) < most)


def has_basis(sample: Sample) -> bool:
    """Whether coordinates keep what each column says of the rows.

    They are sums over all columns, and the rounding of the largest swamps a column that
    is by far smaller; and numbers must not overflow.
    """
    if not is_in_range(sample):
        return False
    n, sizes = len(sample), column_sizes(sample)
    if sparse.issparse(sample.X):
        least = np.sqrt(LEAST_COLUMN * _longest_square(sample))
    else:
        least = max(n, len(sizes)) * EPS * float(np.linalg.norm(sizes))
    varies = sizes > ROUNDINGS * np.sqrt(n) * rounding_of_columns(sample)
    return bool((sizes[varies] > least).all()) and not basis(sample).is_rounded


def basis(sample: Sample) -> Basis:
    """The basis of a sample that `has_basis`, cached where its rows may be gathered.

    Directions that rows have by rounding alone are left out: rows about their mean have
    one less than there are rows.
    """
    if "basis" in sample.kept:
        return sample.kept["basis"]
    is_sparse = sparse.issparse(sample.X)
    found = _sparse_basis(sample) if is_sparse else _dense_basis(sample)
    if sample.gather_once:
        sample.kept["basis"] = found
    return found


def rotated(sample: Sample, found: Basis, width: int) -> Sample:
    """The rows of a sample by their coordinates, with zeros up to ``width``."""
    X = np.zeros((len(sample), width), dtype=sample.dtype)
    X[:, : len(found.R)] = found.R.T
    unscaled = found.unscaled
    if unscaled is not None:
        unscaled = np.pad(unscaled, (0, width - len(unscaled)))
    return Sample(X, sample.y, sample.weight, kept={"unscaled": unscaled})


def _dense_basis(sample: Sample) -> DenseBasis:
    rows = [X[:, :-1] for X, _, _ in sample.blocks()]
    X = np.concatenate(rows).astype(np.float64, copy=False)
    Q, R = linalg.qr(X.T, mode="economic", check_finite=False)
    sizes = column_sizes(sample)
    value_rounding = rounding_of_columns(sample) + np.finfo(sample.dtype).eps * sizes
    rounding = len(X) * (value_rounding @ np.abs(Q))
    rounding += max(X.shape) * EPS * np.linalg.norm(sizes)
    has_rows = np.sqrt(np.square(R).sum(axis=1)) > rounding
    Q, R = Q[:, has_rows], R[has_rows]
    unscaled = unscaled_deviations(sample)
    if unscaled is not None and has_rows.any():
        # The directions that make Q' diag(1 / deviations^2) Q diagonal have units of
        # their own, those of their columns. Coordinates' own deviations would raise
        # directions of noise to the size of others.
        known = np.where(unscaled > 0.0, unscaled, unscaled.max())
        of_units = linalg.qr(Q / known[:, np.newaxis], mode="r", check_finite=False)[0]
        _, inverse, directions = linalg.svd(of_units[: Q.shape[1]], check_finite=False)
        Q, R, unscaled = Q @ directions.T, directions @ R, 1.0 / inverse
    return DenseBasis(R, unscaled, Q)


def _sparse_basis(sample: Sample) -> SparseBasis:
    """Rows are taken, the longest of what is left first, while they are long enough."""
    X = sample.take(slice(None)).astype(np.float64)
    longest = _longest_square(sample)
    near = max(CENTRED, float(np.finfo(sample.dtype).eps)) * longest
    products = _centred(_products(X), sample.norm_weight, near)
    least = LEAST_SQUARE * longest
    factor, taken, rank, _ = linalg.lapack.dpstrf(products, tol=least, lower=1)
    L, order = np.tril(factor)[:, :rank], taken - 1
    left = products.diagonal()[order] - np.square(L).sum(axis=1)
    R = np.empty((rank, len(sample)))
    R[:, order] = L.T
    unscaled = unscaled_deviations(sample)
    if unscaled is not None:  # one unit for all: their own would take a decomposition
        unscaled = np.full(rank, np.sqrt(np.square(unscaled).mean()))
    is_rounded = bool((left[rank:] > ROUNDED * longest).any())
    return SparseBasis(R, unscaled, X[order[:rank]], L[:rank], is_rounded=is_rounded)


def _products(X: SparseRows) -> np.ndarray:
    """X X' of sparse rows about their origin, (n, n)."""
    n = X.shape[0]
    found = np.empty((n, n))
    for block in row_blocks(n, PRODUCT_ROWS):
        found[block] = (X.X[block] @ X.X.T).toarray()
    if X.origin is not None:
        along = X.X @ X.origin - 0.5 * (X.origin @ X.origin)
        found -= along[:, np.newaxis]
        found -= along
    return found


def _centred(products: np.ndarray, norm_weight: np.ndarray, near: float) -> np.ndarray:
    """Products of rows about their mean, without the rounding that all of them share.

    Their weighted sum is 0, but for rounding of at most ``near``, which would make a
    direction of its own: it counts n^2 times there. Rows about another origin are left
    as they are.
    """
    mean = products @ norm_weight
    if np.abs(mean).max(initial=0.0) <= near:
        products -= mean[:, np.newaxis]
        products -= mean - norm_weight @ mean
    return products


def _longest_square(sample: Sample) -> float:
    """The square of the longest sparse row, not about the origin; found once."""
    if "longest" not in sample.kept:
        values = sample.take(slice(None)).X.astype(np.float64)
        squares = np.asarray(values.multiply(values).sum(axis=1))
        sample.kept["longest"] = float(squares.max(initial=0.0))
    return sample.kept["longest"]
