"""alpha=None: a prior of c rows, and of more where a linear model needs more.

One c is far too little for many noisy columns. Ridge on y (for classes on their
indicators) has its leave-one-out error at every alpha in closed form,

    e_i / (1 - h_i),   h_i = (1 + x_i' (C + alpha I)^-1 x_i) / sum s,

with C the covariance of X and x_i about its mean. The least prior, in rows, of next to
the lowest error is what the linear model needs.
"""

from __future__ import annotations

import numpy as np

from skwd._alpha.scales import default_alpha
from skwd._core.rows import SparseRows, row_blocks
from skwd._solvers.direct import moments
from skwd._solvers.task import TrainingTask

# An error above the lowest by this part of it is as good; the default is multiplied by
# what the linear model needs, in units of so many rows, to this power (as the weights
# of two layers share what one has): benchmarks/linear_rows.py.
EQUAL, REFERENCE, POWER = 3e-3, 2.0, 0.5
# Fewer rows say too little, and more columns take too long.
LEAST_ROWS, MOST_COLUMNS = 200.0, 500
# The grid of priors, in rows: from 1 on, so many to a decade, to this times the mean
# square of a column where that is above 1.
PER_DECADE, MOST = 4, 1e3


def learnt_default(task: TrainingTask) -> np.ndarray:
    """What alpha=None stands for in a fit to all rows of a task, (G,)."""
    alpha = default_alpha(task)
    if not (task.penalty.is_quadratic and task.solver.decay.minimises_J):
        return alpha
    return alpha * max(1.0, rows_needed(task) / REFERENCE) ** POWER


def rows_needed(task: TrainingTask) -> float:
    """The prior that a linear model needs, in rows; 1 for less, or where unknown."""
    sample, n = task.training, task.training.total_weight
    curvature = task.loss.linear_curvature(sample.y, sample.norm_weight)
    if curvature is None or n < LEAST_ROWS or sample.X.shape[1] > MOST_COLUMNS:
        return 1.0
    if not task.has_varying_y:
        return 1.0
    with np.errstate(all="ignore"):
        found = moments(sample)
        square = found.C.diagonal().mean()
        if not (0.0 < square < np.inf and np.isfinite(found.r).all()):
            return 1.0
        n_rows = _grid(square)
        errors = _left_out_errors(task, n_rows / (n * curvature))
    return _least_as_good(n_rows, errors)


def _grid(square: float) -> np.ndarray:
    """Priors in rows, ascending, for columns of this mean square."""
    decades = np.log10(MOST * max(square, 1.0))
    return 10.0 ** (np.arange(np.ceil(decades * PER_DECADE) + 1.0) / PER_DECADE)


def _left_out_errors(task: TrainingTask, alphas: np.ndarray) -> np.ndarray:
    """Mean squared leave-one-out errors of ridge at each alpha, (A,).

    Weights are counts of rows: one count is left out.
    """
    sample = task.training
    X_mean, y_mean, C, r = moments(sample)
    values, vectors = np.linalg.eigh(C)
    shrunk = 1.0 / (np.maximum(values, 0.0)[:, np.newaxis] + alphas)  # (d, A)
    slopes = (vectors.T @ r)[..., np.newaxis] * shrunk[:, np.newaxis]  # (d, o, A)
    n_outputs, one = r.shape[1], 1.0 / sample.total_weight
    slopes = slopes.reshape(len(values), -1)
    errors = np.zeros(len(alphas))
    for block in row_blocks(len(sample)):
        X, norm_weight = sample.take(block), sample.norm_weight[block]
        X = X.toarray() if isinstance(X, SparseRows) else X[:, :-1]
        along = (X.astype(np.float64, copy=False) - X_mean) @ vectors  # (b, d)
        residual = (sample.y[block] - y_mean)[..., np.newaxis]
        residual = residual - (along @ slopes).reshape(-1, n_outputs, len(alphas))
        leverage = 1.0 + np.square(along) @ shrunk
        leverage *= np.minimum(norm_weight, one)[:, np.newaxis]
        square = np.square(residual).sum(axis=1) / np.square(1.0 - leverage)
        errors += norm_weight @ square
    return errors


def _least_as_good(n_rows: np.ndarray, errors: np.ndarray) -> float:
    """The least prior as good as the best, between points of the grid as a line."""
    if not np.isfinite(errors).all():
        return 1.0
    most = (1.0 + EQUAL) * errors.min()
    k = int(np.argmax(errors <= most))
    if k == 0:
        return 1.0
    part = (errors[k - 1] - most) / (errors[k - 1] - errors[k])
    return float(n_rows[k - 1] * (n_rows[k] / n_rows[k - 1]) ** part)
