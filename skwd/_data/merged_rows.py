"""Equal rows merged into weights: full-batch solvers see each distinct row once.

J depends on the rows only through their weights, so a row given twice and a row of
weight 2 are the same problem. Merged and put into an order of their own, they are also
the same computation: a fit depends, to the last bit, on which rows there are, not on
how they are written down. (Bootstrap samples shrink by a third on the way.) Samples too
large to be gathered keep their rows in place, for reading them in order is faster than
any order of keys; they are the same to rounding.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import chain

import numpy as np
from scipy import sparse

from skwd._core.sample import Sample

# So many rows are sorted, by so many columns, in little time beside a fit.
MOST_SORTED, MOST_COLUMNS = 20_000, 500


def rows_to_train_on(sample: Sample, *, full_batch: bool) -> Sample:
    """The sample without rows of zero weight, and distinct where steps see all rows."""
    return distinct_rows(sample) if full_batch else counted_rows(sample)


def counted_rows(sample: Sample) -> Sample:
    """The sample without rows of zero weight."""
    if np.count_nonzero(sample.weight) == len(sample):
        return sample
    return sample.part(np.flatnonzero(sample.weight))


def distinct_rows(sample: Sample) -> Sample:
    """The sample with equal (x, y) merged and weights summed, without zero weights.

    Rows of a sample that is not small are not merged.
    """
    counted = counted_rows(sample)
    if not counted.is_small:
        return counted
    rows, y, weight = counted.rows, counted.y, counted.weight
    rows = np.arange(len(y)) if rows is None else rows
    x_key, y_key = _row_hash(sample.X)[rows], _array_hash(y, seed=1)
    # By x first: a change of y's units keeps the order. By weight last: so do sums.
    order = np.lexsort((weight, y_key, x_key))
    rows, y, weight, keys = rows[order], y[order], weight[order], (x_key, y_key)
    new = np.logical_or.reduce([np.diff(key[order]) != 0 for key in keys])
    starts = np.flatnonzero(np.concatenate([[True], new]))
    twin = np.repeat(starts, np.diff(np.append(starts, len(rows))))
    if len(starts) < len(rows) and not _all_equal(sample.X, y, rows, twin):
        return counted  # two different rows share their keys: 1 chance in 2^64 a pair
    summed = np.add.reduceat(weight, starts)
    return Sample(sample.X, y[starts], summed, rows[starts])


def numbers_of_copies(
    X, y: np.ndarray, rows=slice(None), weight: np.ndarray | None = None
) -> np.ndarray:
    """A number for each of some ``rows`` of X, which it shares with its copies: (n,).

    ``y`` (n, n_targets) and ``weight`` (n,) are those of these rows. Equal rows (x, y)
    are copies, unless the same x has other y as well: in tables of few values equal
    rows are different observations.
    """
    x_key, y_key = _row_hash(X)[rows], _array_hash(y, seed=1)
    order = np.lexsort((y_key, x_key))
    new_x = np.concatenate([[True], np.diff(x_key[order]) != 0])
    new_y = np.concatenate([[False], np.diff(y_key[order]) != 0]) & ~new_x
    of_x = np.cumsum(new_x) - 1
    has_other_y = np.bincount(of_x, new_y)[of_x] > 0
    numbers = np.empty(len(order), dtype=np.intp)
    numbers[order] = np.cumsum(new_x | has_other_y) - 1
    return _by_value(numbers, X, y, rows, weight)


def _by_value(
    numbers: np.ndarray, X, y: np.ndarray, rows, weight: np.ndarray | None
) -> np.ndarray:
    """Sets of copies, numbered as the first columns of X that tell them apart ascend.

    Then y, and last the weight, of equal rows that are no copies. So folds depend
    neither on units and origins of X and y nor on the order of the rows. Of more rows
    than MOST_SORTED they are left as they are.
    """
    if len(numbers) > MOST_SORTED:
        return numbers
    columns = _columns(X)
    first = np.unique(numbers, return_index=True)[1]
    place = np.zeros(len(first), dtype=np.intp)
    others = [*y.T] if weight is None else [*y.T, weight]
    for value in chain((x[rows][first] for x in columns), (v[first] for v in others)):
        order = np.lexsort((value, place))
        is_next = (np.diff(value[order]) != 0) | (np.diff(place[order]) != 0)
        place[order] = np.concatenate([[0], np.cumsum(is_next)])
        if place[order[-1]] == len(first) - 1:
            break
    ordered = np.empty_like(place)
    ordered[np.argsort(place, kind="stable")] = np.arange(len(place))
    return ordered[numbers]


def _columns(X) -> Iterator[np.ndarray]:
    """The first columns of X, (n,) each."""
    some = range(min(X.shape[1], MOST_COLUMNS))
    if not sparse.issparse(X):
        return (X[:, j] for j in some)
    by_column = X.tocsc()
    return (by_column[:, [j]] @ np.ones(1) for j in some)


def first_of_each(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first row of each number, in order, and the place of each row there, (n,)."""
    _, first, of_row = np.unique(numbers, return_index=True, return_inverse=True)
    place = np.empty(len(first), dtype=np.intp)
    place[np.argsort(first)] = np.arange(len(first))
    return np.sort(first), place[of_row]


def _all_equal(X, y: np.ndarray, rows: np.ndarray, twin: np.ndarray) -> bool:
    """Whether every row that was merged equals the one that stands for it."""
    merged = np.flatnonzero(twin != np.arange(len(rows)))
    if (y[merged] != y[twin[merged]]).any():
        return False
    different = X[rows[merged]] != X[rows[twin[merged]]]
    return not (different.nnz if sparse.issparse(X) else different.any())


def _row_hash(X) -> np.ndarray:
    """A 64-bit key per row that depends on the row's values alone, (n,) uint64."""
    if not sparse.issparse(X):
        return _array_hash(X, seed=0)
    if not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    bits = _bits(X.data) * _multipliers(X.shape[1], seed=0)[X.indices]
    totals = np.zeros(len(bits) + 1, dtype=np.uint64)
    np.cumsum(bits, out=totals[1:])
    return totals[X.indptr[1:]] - totals[X.indptr[:-1]]


def _array_hash(X: np.ndarray, seed: int) -> np.ndarray:
    multipliers = _multipliers(X.shape[1], seed)
    keys = np.zeros(len(X), dtype=np.uint64)
    for column, multiplier in zip(X.T, multipliers):  # a column at a time: no copy of X
        keys += _bits(column) * multiplier
    return keys


def _bits(values: np.ndarray) -> np.ndarray:
    """The bits of floats, mixed, as uint64; arithmetic on them wraps around."""
    # + 0.0 turns -0.0 into 0.0.
    as_float64 = np.add(values, 0.0, dtype=np.float64)
    bits = as_float64.view(np.uint64)
    bits ^= bits >> np.uint64(32)  # small integers differ in the high bits only
    bits *= np.uint64(0x9E3779B97F4A7C15)
    bits ^= bits >> np.uint64(29)
    return bits


@lru_cache(maxsize=8)
def _multipliers(n: int, seed: int) -> np.ndarray:
    """Fixed random odd numbers, one per column."""
    return np.random.default_rng(seed).integers(2**63, size=n, dtype=np.uint64) * 2 + 1
