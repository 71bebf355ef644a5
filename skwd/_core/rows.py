"""Rows of X as networks take them, about an origin that is taken out of each column.

    f(x) = phi((x - m) W + b) ...  =  phi(x W + (b - m W)) ...

Biases are free, so an origin m changes no minimum of J; it changes how well conditioned
J is, and where training starts. Networks are trained about the column means of their
rows and stored with their biases folded, so that they take X as it is. X is never
copied for it: dense rows are shifted where they are gathered, sparse ones in products.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import sparse

from skwd._core.arrays import aligned
from skwd._core.encoded import EncodedRows
from skwd._core.layout import Layout

# Rows of X that are seen at a time; changes rounding only.
BLOCK_ROWS = 1 << 12


def row_blocks(n_rows: int, size: int | None = None) -> Iterator[slice]:
    """Slices of ``size`` rows, by default BLOCK_ROWS, that make up ``n_rows``."""
    size = BLOCK_ROWS if size is None else size
    for start in range(0, n_rows, size):
        yield slice(start, start + size)


def spread(n: int, most: int) -> np.ndarray:
    """At most so many of n places, ascending, drawn at random and always the same.

    Those at equal distances would be alike where rows are in an order with a period.
    """
    if n <= most:
        return np.arange(n)
    rng = np.random.default_rng(0)
    return np.sort(rng.choice(n, most, replace=False, shuffle=False))


def scaler_for(X) -> str:
    """What standardises the columns of X without making it dense, in messages."""
    return "StandardScaler(with_mean=False)" if sparse.issparse(X) else "StandardScaler"


class SparseRows:
    """Sparse rows (b, d), minus an origin that is subtracted in products alone.

    Parameters
    ----------
    X : CSR matrix (b, d)
    origin : ndarray (d,) or None
    """

    def __init__(self, X, origin: np.ndarray | None = None):
        self.X = X
        self.origin = origin

    @property
    def shape(self) -> tuple[int, int]:
        return self.X.shape

    def __getitem__(self, rows) -> SparseRows:
        return SparseRows(self.X[rows], self.origin)

    def __matmul__(self, W: np.ndarray) -> np.ndarray:
        """(X - m) W, (b, h)."""
        product = self.X @ W
        return product if self.origin is None else product - self.origin @ W

    def transposed_times(self, delta: np.ndarray) -> np.ndarray:
        """(X - m)' delta, (d, h)."""
        product = self.X.T @ delta
        if self.origin is not None:
            sums = delta.sum(axis=0)
            for block in row_blocks(len(product)):  # of columns of X here
                product[block] -= np.multiply.outer(self.origin[block], sums)
        return product

    def astype(self, dtype, copy: bool = True) -> SparseRows:
        origin = self.origin
        if origin is not None:
            origin = origin.astype(dtype, copy=copy)
        return SparseRows(self.X.astype(dtype, copy=copy), origin)

    def column_squares(self, norm_weight: np.ndarray) -> np.ndarray:
        """Weighted sums of squares of the columns, (d,)."""
        X, d = self.X, self.X.shape[1]
        if not X.has_canonical_format:
            X = X.copy()
            X.sum_duplicates()
        weight = np.repeat(norm_weight, np.diff(X.indptr))
        values, elsewhere = X.data.astype(np.float64), 0.0
        if self.origin is not None:
            # About the origin first: squares far from it would cancel.
            values -= self.origin[X.indices]
            zeros = norm_weight.sum() - np.bincount(X.indices, weight, d)
            elsewhere = np.maximum(zeros, 0.0) * np.square(self.origin)
        return np.bincount(X.indices, weight * values * values, d) + elsewhere

    def toarray(self) -> np.ndarray:
        """The rows, about their origin, as a dense array (b, d)."""
        X = self.X.toarray()
        return X if self.origin is None else X - self.origin


def row_block(
    X,
    rows: slice | np.ndarray,
    out: np.ndarray | None = None,
    origin: np.ndarray | None = None,
):
    """Some rows of X, minus an origin, as `ForwardBackward` takes them.

    Dense ones get a last column of ones, which carries the bias of the first layer;
    ``out`` (b, d + 1) spares them an allocation.
    """
    if sparse.issparse(X):
        return SparseRows(X[rows], origin)
    is_encoded = isinstance(X, EncodedRows)
    part = X.part(rows) if is_encoded else X[rows]
    if out is None:
        out = aligned((part.shape[0], part.shape[1] + 1), X.dtype)
    for block in row_blocks(len(out)) if is_encoded else (slice(None),):
        if origin is None:
            out[block, :-1] = part[block]
        else:
            np.subtract(part[block], origin, out=out[block, :-1])
    out[:, -1] = 1.0
    return out


def column_means(X, rows: np.ndarray | None, norm_weight: np.ndarray) -> np.ndarray:
    """Means of the columns over some rows of X, weighted by ``norm_weight`` (n,): (d,).

    In the dtype of X. A column whose mean is not finite keeps its origin.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        if sparse.issparse(X):
            means = np.zeros(X.shape[1])
            for block in row_blocks(len(norm_weight)):
                part = X[block if rows is None else rows[block]]
                means += part.T @ norm_weight[block]
        else:
            # About the first row, so that a constant column becomes exactly zero.
            first = X[0 if rows is None else rows[0]].astype(np.float64)
            means = first.copy()
            # In an order of its own, for X in C and in Fortran order to be the same.
            shifted = np.empty((min(BLOCK_ROWS, len(norm_weight)), len(first)))
            for block in row_blocks(len(norm_weight)):
                part = X[block if rows is None else rows[block]]
                np.subtract(part, first, out=shifted[: len(part)])
                means += norm_weight[block] @ shifted[: len(part)]
        means = means.astype(X.dtype)
    means[~np.isfinite(means)] = 0.0
    return means


def shift_origin(
    layout: Layout, params: np.ndarray, origin: np.ndarray | None, sign: float
) -> np.ndarray:
    """The same networks (K, P) for X about another origin, in the dtype of params.

    With ``sign`` -1 networks of X - m become networks of X, with 1 the reverse.
    """
    if origin is None or not origin.any():
        return params
    params = params.copy()
    W = layout.W(params, 0).astype(np.float64, copy=False)
    b = layout.b(params, 0)
    with np.errstate(over="ignore", invalid="ignore"):
        b[:] = b + sign * np.matmul(origin.astype(np.float64, copy=False), W)[:, None]
    return params
