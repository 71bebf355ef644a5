"""Judging in single precision: half the time, and losses as good."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import sparse

from skwd._core.rows import column_means, row_blocks
from skwd._cv.problem import Problem
from skwd._cv.settings import Data

# From so many bytes of inputs, in parts or coordinates, and of hidden units in double
# precision; fewer fit the cache. "auto" takes .55 to .69 of the time on made tables of
# 560 x 20 to 1,500 x 30, with parts; at 300 x 8 nothing is gained.
LEAST_BYTES = 1 << 20
# Numbers are taken where float32 has room above and below them.
SMALL, LARGE = 1e-12, 1e12
# Distances of knots are known to this part of them, or X is taken as it is: about the
# mean of a column with one far value all others may be one number in float32.
KNOWN = 0.01

Splits = list[tuple[np.ndarray, np.ndarray]]


def in_single(problem: Problem, splits: Splits) -> tuple[Problem, Splits]:
    """The problem of the rows of some splits, about their means in float32.

    Itself where the networks' rows are small or sparse, where numbers are out of range
    or knots too close together, or where alpha is to be chosen by the evidence, which
    asks for more digits.
    """
    data = problem.data
    is_dense = not sparse.issparse(data.X) and data.X.dtype == np.float64
    n_train = min(len(train) for train, _ in splits)
    if not is_dense or problem.settings.groups is not None:
        return problem, splits
    if 8 * n_train * _width(problem, n_train) < LEAST_BYTES:
        return problem, splits
    rows = np.unique(np.concatenate([part for split in splits for part in split]))
    norm_weight = np.full(len(rows), 1.0 / len(rows))
    mean = column_means(data.X, rows, norm_weight)
    X = np.empty((len(rows), data.X.shape[1]), dtype=np.float32)
    size = np.zeros(X.shape[1])
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        for block in row_blocks(len(rows)):
            part = data.X[rows[block]] - mean
            X[block] = part
            np.maximum(size, np.abs(part).max(axis=0), out=size)
    y, weight = data.y[rows], data.weight[rows]
    Y, _ = problem.targets.encode(y, weight)
    if not (_in_range(size) and _in_range(np.abs(Y[np.isfinite(Y)]))):
        return problem, splits
    if problem.settings["encoding"] is not None and not _keeps_knots(problem, mean):
        return problem, splits
    held_out = problem.held_out
    if held_out is not None:
        if sparse.issparse(held_out.X):
            return problem, splits
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            X_val = (held_out.X - mean).astype(np.float32)
        Y_val, _ = problem.targets.encode(held_out.y, held_out.weight, "y_val")
        sizes = np.abs(X_val).max(axis=0), np.abs(Y_val[np.isfinite(Y_val)])
        if not all(map(_in_range, sizes)):
            return problem, splits
        held_out = held_out._replace(X=X_val)
    data, group = Data(X, y, weight), problem.group_of(rows)
    judged = replace(problem, data=data, held_out=held_out, group=group)
    places = [tuple(np.searchsorted(rows, part) for part in split) for split in splits]
    return judged, [(train, test) for train, test in places]


def _width(problem: Problem, n_train: int) -> int:
    """The numbers that the widest network has of a row, inputs and hidden units."""
    n_inputs = problem.data.X.shape[1]
    if problem.settings["encoding"] is not None:
        n_inputs = problem.encodings.whole.n_columns
    return min(n_inputs, n_train) + sum(problem.settings.hidden)


def _in_range(size: np.ndarray) -> bool:
    """Whether sizes of numbers are neither too small, but for 0, nor too large."""
    return bool(((size == 0.0) | ((size > SMALL) & (size < LARGE))).all())


def _keeps_knots(problem: Problem, mean: np.ndarray) -> bool:
    """Whether the parts of columns about ``mean`` are in float32 what they are."""
    for knots, origin in zip(problem.encodings.whole.knots, mean):
        own = np.diff(knots)
        found = np.diff((knots - origin).astype(np.float32).astype(np.float64))
        if not (np.abs(found - own) <= KNOWN * own).all():
            return False
    return True
