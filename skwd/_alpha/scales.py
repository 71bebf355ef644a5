"""The alphas where searches begin: the scale of a task, its grid, its default."""

from __future__ import annotations

import numpy as np

from skwd._core.loss import Loss
from skwd._core.penalty import L2, Penalty
from skwd._core.sample import Sample
from skwd._solvers.task import TrainingTask
from skwd._solvers.units import column_deviations

# The lowest alpha that is tried, in units of the scale, and the highest of a linear
# model; of a hidden network it is the scale itself, where it collapses. A third or
# three times: as good.
LOWEST, HIGHEST_LINEAR = 1e-9, 1e6
# A pull of the data that is this small a part of that of noise has cancelled.
CANCELLED = 1e-8


def default_alpha(task: TrainingTask, least_rows: float = 0.0) -> np.ndarray:
    """What alpha=None stands for, (G,): c / sum s, for ``least_rows`` rows or more.

    Where J has y's units it is that times the deviation of dl/draw at the constant.
    """
    sample = task.training
    n = max(sample.total_weight, least_rows)
    c = task.loss.default_decay * task.penalty.default_share
    c *= float(task.loss.default_unit(sample.y, sample.norm_weight).mean())
    alpha = task.solver.decay.default_alpha(c, n)
    return np.full(task.groups.n_groups, alpha)


def search_unit(task: TrainingTask) -> np.ndarray:
    """What alpha="auto" counts alpha in, (G,): the default, of weights of any size.

    Weights are counts of rows, up to a factor of ten: a factor beyond that is a unit of
    theirs, which the search need not walk through.
    """
    n, n_rows = task.training.total_weight, float(task.n_rows)
    alpha = default_alpha(task)
    if not task.solver.decay.minimises_J:
        return alpha
    return alpha * (n / np.clip(n, 0.1 * n_rows, 10.0 * n_rows))


def collapse_threshold(task: TrainingTask) -> float | None:
    """The alpha above which small weights stay at zero, of one smooth hidden layer.

    |phi'(0)| a, at hidden biases of zero; None where it is not known.
    """
    smooth = task.penalty.is_quadratic and not task.activation.kinked
    if task.layout.n_weight_layers != 2 or not smooth:
        return None
    slope = np.empty(1)
    task.activation(np.zeros(1), slope)
    return float(abs(slope[0])) * alpha_scale(task.training, task.penalty, task.loss)


def alpha_grid(scale: float, n_alphas: int) -> np.ndarray:
    """A logarithmic grid of alphas from 1e-6 a to a, ascending; a is `alpha_scale`.

    About at a, times the activation's slope at 0, one hidden layer collapses to a
    constant.
    """
    return scale * np.logspace(-6.0, 0.0, n_alphas)


def alpha_scale(
    sample: Sample, penalty: Penalty | None = None, loss: Loss | None = None
) -> float:
    """a = ||X'(s r)||_2 / sum s with r = y - mean(y), or what noise would make of it.

    The spectral norm for several outputs: without weights, the pull of the data on an
    identity network. r is in the units of dl/draw, which ``loss`` tells of. Where all
    of it cancels, as of an even function of symmetric columns, rounding is left; then
    it is the scale of noise, and 1 where X or y does not vary.
    """
    if not sample.has_varying_y:
        return 1.0  # with a constant y one alpha is as good as another
    with np.errstate(over="ignore", invalid="ignore"):  # the training tells of it
        slope = np.ones(1)
        if loss is not None:
            slope = loss.slope(sample.y, sample.norm_weight)
        pull, noise = sample.pull() * slope, _scale_of_noise(sample, slope.max())
    penalty = L2() if penalty is None else penalty
    top = penalty.reference_alpha(pull) if np.isfinite(pull).all() else 0.0
    if not top > CANCELLED * noise and 0.0 < noise < np.inf:
        top = noise
    return top if top > 0.0 else 1.0


def _scale_of_noise(sample: Sample, slope: float) -> float:
    """What a would be of noise of y's deviation; ``slope`` is that of dl/draw."""
    square = np.square(column_deviations(sample)).sum()
    per_output = np.sqrt(square * sample.y.shape[1] / sample.total_weight)
    return float(per_output * sample.deviation_of_y * slope)


def alpha_range(task: TrainingTask) -> tuple[float, float]:
    """The lowest and highest alpha that a search without a grid tries."""
    scale, linear = search_scale(task), task.layout.n_weight_layers == 1
    return LOWEST * scale, HIGHEST_LINEAR * scale if linear else scale


def search_scale(task: TrainingTask) -> float:
    """What searches count alpha in, in the units of alpha.

    Of a hidden network a, or what noise alone would make of it where X'(s r) is less
    than that: a signal may cancel in X'(s r), as that of an even function does. Of a
    linear model the mean square of a row of X about the sample's origin: its best alpha
    does not depend on the size of y.
    """
    sample = task.training
    a = alpha_scale(sample, task.penalty, task.loss)
    if not task.has_varying_y:
        return a
    with np.errstate(over="ignore", invalid="ignore"):
        square = np.square(column_deviations(sample)).sum()
        if task.layout.n_weight_layers == 1:
            square *= task.curvature
            return float(square) if 0.0 < square < np.inf else a
        slope = task.loss.slope(sample.y, sample.norm_weight)
        noise = _scale_of_noise(sample, slope.max())
    return max(a, noise) if np.isfinite(noise) else a
