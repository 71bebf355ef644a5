"""Linear models of squared error: their J is quadratic, and one system has its minimum.

    (C + alpha I) W = X'(s (y - y_mean)) / sum s,   b = y_mean - x_mean' W

with C the covariance of X under the weights s. Solved at the precision of these normal
equations, for every network of a stack from the moments that its sample has once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from scipy import linalg

from skwd._core.arrays import EPS
from skwd._core.objective import Objective, Sample
from skwd._core.rows import SparseRows, row_blocks
from skwd._solvers.result import Callback, Result, Status

# Beyond so many multiplications for the moments, or for a Cholesky factor, L-BFGS takes
# less time: at 1e10 a second each on two cores.
MOST_WORK = 1e10


class Moments(NamedTuple):
    """Weighted moments of X and y, in float64."""

    X_mean: np.ndarray  # (d,)
    y_mean: np.ndarray  # (n_outputs,)
    C: np.ndarray  # (d, d) covariance of X
    r: np.ndarray  # (d, n_outputs) covariance of X and y


def suits(objective: Objective) -> bool:
    """Whether J of linear models is quadratic, and a system of a size to be solved."""
    if not (objective.loss.is_quadratic and objective.penalty.is_quadratic):
        return False
    d = float(objective.network.layout.layer_units[0])
    n = max(len(sample) for sample in objective.samples)
    return n * d**2 + d**3 <= MOST_WORK


def minimize(
    objective: Objective, params0: np.ndarray, callback: Callback
) -> Result | None:
    """The minimum of J of every network of the stack, or None where numbers overflow.

    Parameters
    ----------
    objective : Objective
        One that `suits`.
    params0 : ndarray (K, P)
        Read for its shape alone.
    callback : Callback
        Called once, with all networks; none is trained on.
    """
    result, layout = Result.of_start(params0), objective.network.layout
    with np.errstate(over="ignore", invalid="ignore"):
        of_samples = [moments(sample) for sample in objective.samples]
    if not all(np.isfinite(part).all() for found in of_samples for part in found):
        return None
    for k, number in enumerate(objective.sample_of):
        x, found = result.x[k : k + 1], of_samples[number]
        alpha = layout.W(objective.decay[k : k + 1], 0)[0, :, 0]
        W = _solved(found.C, found.r, alpha)
        layout.W(x, 0)[0] = W
        layout.b(x, 0)[0] = found.y_mean - found.X_mean @ W
    networks = np.arange(len(params0))
    with np.errstate(over="ignore", invalid="ignore"):
        result.fun[:], result.jac[:] = objective.loss_gradient(result.x)
    callback(networks, result.x, result.fun)
    result.nit[:] = result.nfev[:] = 1
    result.status[:] = Status.CONVERGED
    result.status[~np.isfinite(result.fun)] = Status.OVERFLOW
    return result


def moments(sample: Sample) -> Moments:
    """Weighted moments of a sample, cached in ``sample.kept``."""
    kept = sample.kept.get("moments")
    if kept is None:
        kept = sample.kept["moments"] = moments_of(dense_blocks(sample), sample)
    return kept


def dense_blocks(sample: Sample) -> Iterator[np.ndarray]:
    """X of a sample about its origin, in float64, block after block of its rows."""
    for block in row_blocks(len(sample)):
        yield dense(sample, block)


def dense(sample: Sample, rows: slice | np.ndarray) -> np.ndarray:
    """X of some rows of a sample about its origin (b, d), in float64."""
    X = sample.take(rows)
    X = X.toarray() if isinstance(X, SparseRows) else X[:, :-1]
    return X.astype(np.float64, copy=False)


def moments_of(blocks: Iterable[np.ndarray], sample: Sample) -> Moments:
    """Weighted moments of columns, in the blocks of a sample's rows, and of its y."""
    norm_weight = sample.norm_weight
    y_mean = norm_weight @ sample.y
    X_mean: Any = 0.0
    C: Any = 0.0
    r: Any = 0.0
    for X, block in zip(blocks, row_blocks(len(sample))):
        root = np.sqrt(norm_weight[block])
        weighted = X * root[:, np.newaxis]
        X_mean = X_mean + root @ weighted
        C = C + weighted.T @ weighted  # of one array: half of the work
        r = r + weighted.T @ (root[:, np.newaxis] * (sample.y[block] - y_mean))
    return Moments(X_mean, y_mean, C - np.outer(X_mean, X_mean), r)


def _solved(C: np.ndarray, r: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """(C + diag(alpha))^-1 r, of least norm where that is not one solution."""
    # Columns in units of their own: the factor's precision has no units.
    squares = C.diagonal() + alpha
    scale = 1.0 / np.sqrt(np.where(squares > 0.0, squares, 1.0))
    H = C * scale * scale[:, np.newaxis]
    np.fill_diagonal(H, np.where(squares > 0.0, 1.0, 0.0))
    right = r * scale[:, np.newaxis]
    factor, info = linalg.lapack.dpotrf(H, lower=True)
    if info == 0 and len(H):
        rcond, _ = linalg.lapack.dpocon(factor, np.abs(H).sum(axis=0).max(), uplo="L")
        if rcond > len(H) * EPS:
            W = linalg.cho_solve((factor, True), right)
            # Once more for what is left: the factor's rounding.
            W += linalg.cho_solve((factor, True), right - H @ W)
            return W * scale[:, np.newaxis]
    values, vectors = np.linalg.eigh(C + np.diag(alpha))
    kept = values > len(C) * EPS * values.max(initial=0.0)
    return (vectors[:, kept] / values[kept]) @ (vectors[:, kept].T @ r)
