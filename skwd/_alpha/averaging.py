"""The posterior of predictions, and how wide it is best for averaged probabilities."""

from __future__ import annotations

import numpy as np

from skwd._alpha.choice import AlphaChoice, laplaces_of
from skwd._alpha.leave_one_out import BELOW_ONE, left_out, of_a_row, solved
from skwd._core.network import Network
from skwd._core.rows import spread
from skwd._curvature.base import Curvature
from skwd._curvature.factors import training_rows
from skwd._curvature.laplace import Laplace, curvature_of
from skwd._curvature.posterior import Posterior
from skwd._solvers.task import TrainingTask

# Scales of the covariance that are compared: 0 is the plain probability. A third or
# three times: errors within .5 %.
SCALES = np.concatenate([[0.0], 2.0 ** np.arange(-8.0, 1.0)])
# A scale is judged by as many rows as have so many numbers in their covariances, and by
# so many at least: 2,000 rows of 200 classes take 22 seconds for 50, and 800 rows have
# the same log-loss on other rows. Of up to 70 classes 2,000 rows are all judged.
MOST_NUMBERS, LEAST_JUDGED = 10_000_000, 200


def posterior_of(
    task: TrainingTask, params: np.ndarray, alpha: np.ndarray, noise: np.ndarray
) -> Posterior:
    """The posterior about an optimum ``params`` (P,) of J at ``alpha`` (G,).

    ``noise`` (n_outputs,) is the variance of y about the network.
    """
    is_of_classes = task.likelihood.of_classes
    curvature = curvature_of(
        Network(task.layout, task.activation),
        task.loss,
        task.training,
        params,
        alpha,
        groups=task.groups,
        many_scales=True,
        of_rows=is_of_classes,
        bias_prior=True,
    )
    scale = best_scale(task, params, curvature) if is_of_classes else 1.0
    return Posterior(curvature.compact(), task.training.total_weight, noise, scale)


def posteriors_of(
    task: TrainingTask,
    trained: AlphaChoice,
    networks: np.ndarray,
    laplaces: list[Laplace] | None = None,
) -> list[Posterior]:
    """The posterior of each of some networks; their ``laplaces`` may be known."""
    if laplaces is None:
        laplaces = laplaces_of(task, trained, networks)
    return [
        posterior_of(task, trained.params[k], trained.alpha[k], laplace.noise)
        for k, laplace in zip(networks, laplaces)
    ]


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def best_scale(task: TrainingTask, params: np.ndarray, curvature: Curvature) -> float:
    """The smallest scale whose averaged probabilities are as good as those of the best.

    Its mean leave-one-out log-loss is above the lowest by no more than the standard
    error of the difference. Without row i its logits are those of `left_out`, and their
    covariance is

        V_i (I - L_i V_i)^-1,   V_i = j_i' H^-1 j_i / n,   L_i = d2l/draw2 .
    """
    loss, n = task.loss, task.training.total_weight
    network, params = Network(task.layout, task.activation), params.astype(np.float64)
    parts, weights, sample, share = [], [], task.training, 1.0
    most = max(LEAST_JUDGED, MOST_NUMBERS // task.layout.layer_units[-1] ** 2)
    if len(sample) > most:
        some = spread(len(sample), most)
        share, sample = float(sample.norm_weight[some].sum()), sample.part(some)
    scales = SCALES[:, np.newaxis, np.newaxis, np.newaxis]
    for rows in training_rows(network, sample, params, curvature.block_rows):
        V = curvature.covariances(rows.factors, np.ones(1))[0]
        of_all = rows._replace(norm_weight=share * rows.norm_weight)
        part, L = of_a_row(task, curvature, of_all)
        raw = left_out(loss, rows.y, rows.raw, V * part, L)
        if L is not None:
            left = np.eye(V.shape[-1]) - BELOW_ONE * np.matmul(L, V * part)
            V = solved(left.swapaxes(-1, -2), V).swapaxes(-1, -2)
        averaged = task.likelihood.marginalised(raw, scales * V / n)
        parts.append(loss.loss(rows.y, averaged))
        weights.append(rows.norm_weight)
    losses, norm_weight = np.concatenate(parts, axis=1), np.concatenate(weights)
    mean = losses @ norm_weight
    if not np.isfinite(mean).any():
        return 0.0
    excess = losses - losses[np.nanargmin(mean)]  # of each row
    mean = excess @ norm_weight
    error = np.sqrt(
        np.square(excess - mean[:, None]) @ norm_weight / sample.total_weight
    )
    return float(SCALES[np.flatnonzero(mean <= error)[0]])
