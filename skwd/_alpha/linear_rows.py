"""alpha=None: a prior of c rows, and of more or fewer where linear models say so.

One c is far too little for many noisy columns, and too much where next to nothing is
noise. Ridge on y (for classes on their indicators) has its leave-one-out error at every
alpha in closed form,

    e_i / (1 - h_i),   h_i = (1 + x_i' (C + alpha I)^-1 x_i) / sum s,

with C the covariance of X and x_i about its mean. Priors, in rows, of next to the
lowest error are as good. A model of the columns sees no product of them and no even
function of one: another has random rectified sums of the columns beside them. More rows
are taken where the least prior that is as good is more in both; fewer, for networks
with hidden layers, where the largest is less in the second.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from skwd._alpha.scales import default_alpha
from skwd._core.rows import column_means, spread
from skwd._core.sample import Sample
from skwd._solvers.direct import Moments, dense, dense_blocks, moments, moments_of
from skwd._solvers.row_basis import Basis, basis, is_in_range, rotated
from skwd._solvers.row_space import n_inputs_on
from skwd._solvers.task import TrainingTask

# An error above the lowest by this part of it is as good; the default is multiplied by
# what linear models need, in units of so many rows where it is more and of one row
# where it is less, to this power (as the weights of two layers share what one has):
# benchmarks/linear_rows.py.
EQUAL, REFERENCE, POWER = 3e-3, 2.0, 0.5
# Fewer rows say too little.
LEAST_ROWS = 200.0
# Of more columns, which take too long, so many rows are asked in the space that they
# span. Errors are no higher than with 500 or 2,000 rows, on made tables of 210 to 1,000
# columns (benchmarks/wide.py --errors).
MOST_COLUMNS, THEIR_ROWS = 200, 300
# The random sums: 100 of them tell products and even functions from noise.
N_UNITS = 100
# Weights of them that are drawn at a time.
UNIT_NUMBERS = 1 << 21
# The grid of priors, in rows: so many to a decade, from FEWEST (a tenth of the default)
# to MOST times the mean square of a column where that is above 1. From .06: the RMSE of
# energy is .79 for .56; from .001: no better on 88 tables of classes.
PER_DECADE, FEWEST, MOST = 4, 0.01, 1e3
# Rows whose errors are found; moments are of all. Of 4,200 to 16,000 rows of six tables
# the factor is within 7 % of that by all (linear_rows.py --seconds).
JUDGED = 4000


def learnt_default(task: TrainingTask) -> np.ndarray:
    """What alpha=None stands for in a fit to all rows of a task, (G,)."""
    alpha = default_alpha(task)
    if not (task.penalty.is_quadratic and task.solver.decay.minimises_J):
        return alpha
    return alpha * factor_of(rows_needed(task))


def factor_of(needed: float) -> float:
    """What the default is multiplied by where linear models need so many rows."""
    if needed < 1.0:
        return max(FEWEST, needed) ** POWER
    return max(1.0, needed / REFERENCE) ** POWER


def rows_needed(task: TrainingTask) -> float:
    """The prior that linear models need, in rows; 1 where c or nothing is known."""
    sample, d = task.training, task.training.X.shape[1]
    if sample.total_weight < LEAST_ROWS or d == 0:
        return 1.0
    curvature = _curvature(task)
    if curvature is None:
        return 1.0
    counting = np.flatnonzero(sample.weight > 0.0)
    if d > MOST_COLUMNS and len(counting) > THEIR_ROWS:
        part = sample.part(counting[spread(len(counting), THEIR_ROWS)])
        means = column_means(part.X, part.rows, part.norm_weight)
        sample = part.in_units(part.y, means)
    width = n_inputs_on(task.layout, sample, len(sample), times=1)
    if width > MOST_COLUMNS + THEIR_ROWS or not is_in_range(sample):
        return 1.0  # too large for the space of the rows
    found = basis(sample) if width < d else None
    units = _units(d, found)
    if found is not None:
        sample = rotated(sample, found, width)
        units = np.pad(units, [(0, width - len(units)), (0, 0)])
    share = width / d
    with np.errstate(all="ignore"):
        least_of_units, most_of_units = _as_good(sample, units, curvature, share)
        if most_of_units < 1.0 and task.layout.n_weight_layers > 1:
            return most_of_units
        if least_of_units <= 1.0:
            return 1.0
        least, _ = _as_good(sample, units[:, :0], curvature, share)
    return max(1.0, min(least, least_of_units))


def _units(d: int, found: Basis | None) -> np.ndarray:
    """First weights of random units (d, h), or (r, h) in a space of rows."""
    rng, size = np.random.default_rng(0), np.sqrt(6.0 / (d + N_UNITS))
    each, parts = max(1, UNIT_NUMBERS // d), []
    for first in range(0, N_UNITS, each):
        n_units = min(each, N_UNITS - first)
        W = size * rng.uniform(-1.0, 1.0, (d, n_units))  # as a hidden layer begins
        parts.append(W if found is None else found.inside(W))
    return np.concatenate(parts, axis=1)


def _curvature(task: TrainingTask) -> float | None:
    """What alpha of the linear model is divided by, where there is such a model."""
    if not task.has_varying_y:
        return None
    sample = task.training
    return task.loss.linear_curvature(sample.y, sample.norm_weight)


def _as_good(
    sample: Sample, W: np.ndarray, curvature: float, share: float
) -> tuple[float, float]:
    """The least and largest prior, in rows, as good with the units ``W`` (d, h).

    ``share`` is the number of the sample's columns, which may be coordinates in the
    space of the rows, over that of X.
    """
    found = _moments(sample, W)
    d = sample.X.shape[1]
    square = share * found.C.diagonal()[:d].mean()
    if not (0.0 < square < np.inf and all(np.isfinite(part).all() for part in found)):
        return 1.0, 1.0
    decades = np.log10([FEWEST, MOST * max(square, 1.0)])
    first, last = np.ceil(PER_DECADE * decades)
    n_rows = 10.0 ** (np.arange(first, last + 1.0) / PER_DECADE)
    alphas = n_rows / (sample.total_weight * curvature)
    return ends_as_good(n_rows, _left_out_errors(sample, W, found, alphas))


def _moments(sample: Sample, W: np.ndarray) -> Moments:
    """Those of X and its units, and of y; a linear model's are found once."""
    return moments_of(_blocks(sample, W), sample) if W.shape[1] else moments(sample)


def _blocks(sample: Sample, W: np.ndarray) -> Iterator[np.ndarray]:
    """Columns of X about its origin and their units (b, m), by blocks of rows."""
    for X in dense_blocks(sample):
        yield _with_units(X, W)


def _with_units(X: np.ndarray, W: np.ndarray) -> np.ndarray:
    """Columns (b, d) and rectified sums of them by weights ``W`` (d, h): (b, d + h)."""
    d, n_units = W.shape
    both = np.empty((len(X), d + n_units))
    both[:, :d] = X
    np.maximum(X @ W, 0.0, out=both[:, d:])
    return both


def _left_out_errors(
    sample: Sample, W: np.ndarray, found: Moments, alphas: np.ndarray
) -> np.ndarray:
    """Mean squared leave-one-out errors of ridge at each alpha, (A,).

    Of JUDGED rows, where there are more. Weights are counts of rows: one count is left
    out.
    """
    mean, y_mean, C, r = found
    try:
        values, vectors = np.linalg.eigh(C)
    except np.linalg.LinAlgError:  # of numbers near the end of floats
        return np.full(len(alphas), np.nan)
    shrunk = 1.0 / (np.maximum(values, 0.0)[:, np.newaxis] + alphas)  # (m, A)
    slopes = (vectors.T @ r)[..., np.newaxis] * shrunk[:, np.newaxis]  # (m, o, A)
    n_outputs, one = r.shape[1], 1.0 / sample.total_weight
    judged = spread(len(sample), JUDGED)
    norm_weight = sample.norm_weight[judged]
    along = (_with_units(dense(sample, judged), W) - mean) @ vectors  # (b, m)
    fitted = along @ slopes.reshape(len(values), -1)
    residual = (sample.y[judged] - y_mean)[..., np.newaxis]
    residual = residual - fitted.reshape(-1, n_outputs, len(alphas))
    leverage = 1.0 + np.square(along) @ shrunk
    leverage *= np.minimum(norm_weight, one)[:, np.newaxis]
    square = np.square(residual).sum(axis=1) / np.square(1.0 - leverage)
    return norm_weight @ square / norm_weight.sum()


def ends_as_good(n_rows: np.ndarray, errors: np.ndarray) -> tuple[float, float]:
    """The ends of what is as good as the best, between points of the grid as a line.

    ``n_rows`` and ``errors`` are (A,); both ends are 1 where nothing is known.
    """
    if not np.isfinite(errors).all():
        return 1.0, 1.0
    most = (1.0 + EQUAL) * errors.min()
    first, last = np.flatnonzero(errors <= most)[[0, -1]]
    least = _where(n_rows, errors, first, -1, most)
    return least, _where(n_rows, errors, last, 1, most)


def _where(n_rows, errors, k: int, step: int, most: float) -> float:
    """Where errors are ``most`` between a point of a grid and the next by a step."""
    if not 0 <= k + step < len(errors):
        return float(n_rows[k])
    part = (most - errors[k]) / (errors[k + step] - errors[k])
    return float(n_rows[k] * (n_rows[k + step] / n_rows[k]) ** part)
