"""Approximate leave-one-out and generalised cross-validation of a fitted network.

At an optimum the network is as good as linear in what a single row can change. With
H the Gauss-Newton curvature of J, V_i = J_i H^-1 J_i' / n and L_i = d2l/draw2, leaving
out row i moves its raw prediction to

    raw_i + V_i (I - L_i V_i)^-1 dl_i/draw

(for squared errors: the residual becomes e_i / (1 - h_i)), and a change of alpha moves
the weights by -H^-1 grad J. So one factorisation of H gives a whole path of alphas. J
is a mean: the exact counterpart refits n - 1 rows at alpha n / (n - 1). Rad and Maleki,
"A scalable estimate of the out-of-sample prediction error via approximate leave-one-out
cross-validation", JRSS B 2020; Golub, Heath and Wahba, Technometrics 1979 (GCV).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.linalg import helmert

from skwd._alpha.choice import AlphaPath
from skwd._core.loss import Loss
from skwd._core.network import Network
from skwd._curvature.base import Curvature
from skwd._curvature.factors import Rows, tangent, training_rows
from skwd._curvature.laplace import curvature_of
from skwd._curvature.penalised import gram
from skwd._solvers.task import TrainingTask

# Leverages are below 1 but for rounding, and rows that alone determine a bias.
BELOW_ONE = 1.0 - 1e-13


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def loss_path(
    task: TrainingTask,
    params: np.ndarray,
    alpha: float,
    alphas: np.ndarray,
    *,
    leaves_out: bool,
) -> AlphaPath:
    """The path of ``alphas`` (A,) as seen from the optimum ``params`` at ``alpha``.

    By leave-one-out where ``leaves_out`` is true, else by GCV. GCV gives every row
    the mean leverage. A hidden network that follows single rows, as outliers invite it
    to, has leverages near 1 there, and GCV does not see what that costs: with hidden
    layers it is never below the leave-one-out loss.
    """
    of_groups, n = np.full(task.groups.n_groups, alpha), task.training.total_weight
    is_hidden = task.layout.n_weight_layers > 1
    curvature = curvature_of(
        Network(task.layout, task.activation),
        task.loss,
        task.training,
        params,
        of_groups,
        groups=task.groups,
        many_scales=len(alphas) > 1,
        of_rows=leaves_out or is_hidden,
    )
    scales = alphas / alpha
    dof = np.array(
        [curvature.n_effective(c).sum() + curvature.n_free(c) for c in scales]
    )
    moves = _moves(task, curvature, params, of_groups, scales)
    fitted = loo = square = np.zeros(len(alphas))
    worst = _worst(task)
    for rows, raw in _moved_rows(task, curvature, params, moves):
        norm_weight = rows.norm_weight
        if not leaves_out:
            fitted = fitted + task.loss.loss(rows.y, raw) @ norm_weight
        if leaves_out or is_hidden:
            raw = _left_out(task, curvature, rows, raw, scales)
            losses = np.fmin(task.loss.loss(rows.y, raw), worst)
            loo = loo + losses @ norm_weight
            square = square + np.square(losses) @ norm_weight
    if leaves_out:
        errors = np.sqrt(np.maximum(square - loo**2, 0.0) / n)
        return AlphaPath(alphas, loo, errors, dof)
    left = 1.0 - dof / (n * task.training.y.shape[1])
    gcv = np.where(left > 0.0, fitted / np.square(left), np.inf)
    if is_hidden:
        gcv = np.maximum(gcv, loo)
    return AlphaPath(alphas, gcv, None, dof)


def _moved_rows(
    task: TrainingTask, curvature: Curvature, params: np.ndarray, moves: np.ndarray
) -> Iterator[tuple[Rows, np.ndarray]]:
    """Training rows by blocks, with their raw predictions (S, b, o) after the moves."""
    network = Network(task.layout, task.activation)
    params = params.astype(np.float64)
    for rows in training_rows(network, task.training, params, curvature.block_rows):
        moved = [tangent(task.layout, rows.factors, move) for move in moves]
        yield rows, rows.raw + np.stack(moved)


def _left_out(
    task: TrainingTask,
    curvature: Curvature,
    rows: Rows,
    raw: np.ndarray,
    scales: np.ndarray,
) -> np.ndarray:
    """The raw predictions (S, b, o) of rows that are left out, each by itself."""
    loss, n_raw = task.loss, task.layout.layer_units[-1]
    basis = helmert(n_raw) if task.likelihood.shift_invariant else None
    part, L = of_a_row(task, curvature, rows)
    factors = rows.factors if basis is None else rows.factors.times(basis)
    covariance = curvature.covariances(factors, scales) * part
    return left_out(loss, rows.y, raw, covariance, L, basis)


def of_a_row(
    task: TrainingTask, curvature: Curvature, rows: Rows
) -> tuple[np.ndarray, np.ndarray | None]:
    """What is left out with each row: its part in J (b, 1, 1), and L (b, o, o) in H.

    L is None where the curvature does not know of single rows.
    """
    # One count is left out, or the whole of a row that is less than one.
    part = np.minimum(rows.norm_weight, 1.0 / task.training.total_weight)
    L = (
        gram(task.likelihood.curvature_root(rows.raw).swapaxes(1, 2))
        if curvature.knows_rows
        else None
    )
    return part[:, np.newaxis, np.newaxis], L


def left_out(
    loss: Loss,
    y: np.ndarray,
    raw: np.ndarray,
    covariance: np.ndarray,
    L: np.ndarray | None,
    basis: np.ndarray | None = None,
) -> np.ndarray:
    """What each row's raw prediction becomes without that row.

    y (b, o), raw (..., b, o); V as ``covariance`` (..., b, o, o) and L (b, o, o) as
    they are in H: with them no leverage is above 1. Without L, V is that of other rows.
    With a ``basis`` B (c, o) of differences between outputs, for a loss that depends on
    them alone, ``covariance`` is B V B' (..., b, c, c), and only they move: L and
    dl/draw lie in their space.
    """
    slope = np.empty_like(raw)
    with np.errstate(over="ignore"):
        loss.gradient(raw, y, slope)
    if basis is not None:
        slope = slope @ basis.T
        L = None if L is None else basis @ L @ basis.T
    if L is None:
        change = np.matmul(covariance, slope[..., np.newaxis])[..., 0]
    elif slope.shape[-1] == 1:
        left = 1.0 - BELOW_ONE * L[..., 0] * covariance[..., 0]
        change = covariance[..., 0] / left * slope
    else:
        left = np.eye(slope.shape[-1]) - BELOW_ONE * np.matmul(L, covariance)
        pushed = solved(left, slope[..., np.newaxis])
        change = np.matmul(covariance, pushed)[..., 0]
    return raw + (change if basis is None else change @ basis)


def solved(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """left^-1 right, of least norm where rows alone determine what they predict."""
    try:
        return np.linalg.solve(left, right)
    except np.linalg.LinAlgError:
        return np.linalg.pinv(left) @ right


def _worst(task: TrainingTask) -> float:
    """The largest loss of a row that was left out.

    Where a hidden unit is active for that row alone, nothing is left to determine it,
    and the linearised network knows no bound: it is taken to be no worse than the best
    constant is where that is worst. Classes have a bound in their probabilities.
    """
    loss, y = task.loss, task.training.y
    if task.layout.n_weight_layers == 1 or task.likelihood.of_classes:
        return np.inf
    constant = task.constant
    return loss.loss(y, np.broadcast_to(constant, (len(y), len(constant)))).max()


def _moves(
    task: TrainingTask,
    curvature: Curvature,
    params: np.ndarray,
    alpha: np.ndarray,
    scales: np.ndarray,
) -> np.ndarray:
    """From the optimum at ``alpha`` to that at each scale of it, linearised: (S, P)."""
    objective = task.objective(alpha[np.newaxis])
    params = params[np.newaxis].astype(np.float64)
    _, gradient = objective.loss_gradient(params)
    moves = curvature.solve(gradient[0], scales)
    if (scales != 1.0).any():
        decayed = objective.decay * params
        moves += (scales[:, np.newaxis] - 1.0) * curvature.solve(decayed[0], scales)
    return -moves
