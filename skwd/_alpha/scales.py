"""The alphas where searches begin: the scale of a task, its grid, its default."""

from __future__ import annotations

import numpy as np

from skwd._core.penalty import L2, Penalty
from skwd._core.rows import SparseRows
from skwd._core.sample import Sample
from skwd._solvers.task import TrainingTask

# Rows of X seen at a time.
BLOCK_ROWS = 1 << 14


def default_alpha(task: TrainingTask, least_rows: float = 0.0) -> np.ndarray:
    """What alpha=None stands for, (G,): c / sum s, for ``least_rows`` rows or more."""
    n = max(task.training.total_weight, least_rows)
    c = task.loss.default_decay * task.penalty.default_share
    alpha = task.solver.decay.default_alpha(c, n)
    return np.full(task.groups.n_groups, alpha)


def collapse_threshold(task: TrainingTask) -> float | None:
    """The alpha above which small weights stay at zero, of one smooth hidden layer.

    |phi'(0)| a, at hidden biases of zero; None where it is not known.
    """
    smooth = task.penalty.is_quadratic and not task.activation.kinked
    if task.layout.n_weight_layers != 2 or not smooth:
        return None
    slope = np.empty(1)
    task.activation(np.zeros(1), slope)
    return float(abs(slope[0])) * alpha_scale(task.training, task.penalty)


def alpha_grid(scale: float, n_alphas: int) -> np.ndarray:
    """A logarithmic grid of alphas from 1e-6 a to a, ascending; a is `alpha_scale`.

    About at a, times the activation's slope at 0, one hidden layer collapses to a
    constant.
    """
    return scale * np.logspace(-6.0, 0.0, n_alphas)


def alpha_scale(sample: Sample, penalty: Penalty | None = None) -> float:
    """a = ||X'(s r)||_2 / sum s with r = y - mean(y), 1 where that is 0.

    The spectral norm for several outputs: without weights, the pull of the data on an
    identity network.
    """
    if not (sample.y != sample.y[0]).any():
        return 1.0  # with a constant y one alpha is as good as another
    with np.errstate(over="ignore", invalid="ignore"):  # the training tells of it
        known = np.isfinite(sample.y)
        y = np.where(known, sample.y, 0.0)
        mean = sample.norm_weight @ y
        if not known.all():  # missing targets: as if they were at the mean
            mean = mean / np.maximum(sample.norm_weight @ known, 1e-300)
        residual = np.where(known, y - mean, 0.0)
        residual *= sample.norm_weight[:, np.newaxis]
        pull = np.zeros((sample.X.shape[1], residual.shape[1]))
        for start in range(0, len(sample), BLOCK_ROWS):
            block = slice(start, start + BLOCK_ROWS)
            rows = block if sample.rows is None else sample.rows[block]
            pull += sample.X[rows].T @ residual[block]
    penalty = L2() if penalty is None else penalty
    top = penalty.reference_alpha(pull) if np.isfinite(pull).all() else 0.0
    return top if top > 0.0 else 1.0


def search_scale(task: TrainingTask) -> float:
    """What searches count alpha in, in the units of alpha.

    Of a hidden network a, or what noise alone would make of it where X'(s r) is less
    than that: a signal may cancel in X'(s r), as that of an even function does. Of a
    linear model the mean square of a row of X about the sample's origin: its best alpha
    does not depend on the size of y.
    """
    sample = task.training
    a = alpha_scale(sample, task.penalty)
    if not (sample.y != sample.y[0]).any():
        return a
    square = residual = 0.0
    mean = sample.norm_weight @ sample.y
    with np.errstate(over="ignore", invalid="ignore"):
        for X, y, norm_weight in sample.blocks(BLOCK_ROWS):
            square += norm_weight[:, 0] @ _squares(X)
            residual += norm_weight[:, 0] @ np.square(y - mean).sum(axis=1)
        if task.layout.n_weight_layers == 1:
            return float(square) if 0.0 < square < np.inf else a
        chance = np.sqrt(square * residual / sample.total_weight)
    return max(a, float(chance)) if np.isfinite(chance) else a


def _squares(X) -> np.ndarray:
    """Sum of squares of each row of a block, (b,)."""
    if isinstance(X, SparseRows):
        return X.squares()
    return np.einsum("nd,nd->n", X[:, :-1], X[:, :-1])
