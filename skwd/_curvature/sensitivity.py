"""How much a network's output moves with each column of X."""

from __future__ import annotations

import numpy as np

from skwd._core.network import Network
from skwd._core.sample import Sample
from skwd._curvature.factors import rows_per_block, training_rows


def mean_squared_derivatives(
    network: Network, sample: Sample, params: np.ndarray
) -> np.ndarray:
    """sum_o E[(df_o / dx_j)^2] over a sample's rows, for ``params`` (P,): (d,)."""
    layout = network.layout
    W, total = layout.W(params[np.newaxis], 0)[0], np.zeros(layout.layer_units[0])
    n_rows = rows_per_block(layout, multiplied=False)
    for rows in training_rows(network, sample, params.astype(np.float64), n_rows):
        slopes = rows.factors.deltas[0] @ W.T  # (b, n_outputs, d)
        total += rows.norm_weight @ np.square(slopes).sum(axis=1)
    return total


def encoded_effects(network: Network, sample: Sample, params: np.ndarray) -> np.ndarray:
    """sum_o E[g_o' C g_o] over the rows of an encoded sample, by column of its X: (d,).

    g_o are the derivatives of output o by the inputs that a column is encoded as, and C
    the covariance of these inputs. Without hidden layers it is the variance of the
    column's part of f; of a column that stays as it is, the mean squared derivative in
    its deviations.
    """
    layout = network.layout
    W, firsts = layout.W(params[np.newaxis], 0)[0], layout.first_inputs
    ends = [*firsts[1:], layout.layer_units[0]]
    inputs = [slice(first, end) for first, end in zip(firsts, ends)]
    covariance, square = (
        [np.zeros((part.stop - part.start,) * 2) for part in inputs] for _ in range(2)
    )
    n_rows = rows_per_block(layout, multiplied=False)
    for rows in training_rows(network, sample, params.astype(np.float64), n_rows):
        X, weight = rows.factors.inputs[0], rows.norm_weight[:, np.newaxis]
        slopes = rows.factors.deltas[0] @ W.T  # (b, n_outputs, n_inputs)
        weights = np.repeat(weight, slopes.shape[1], axis=0)
        slopes = slopes.reshape(-1, slopes.shape[2])
        for j, part in enumerate(inputs):
            covariance[j] += (X[:, part] * weight).T @ X[:, part]
            square[j] += (slopes[:, part] * weights).T @ slopes[:, part]
    return np.array([np.sum(C * G) for C, G in zip(covariance, square)])
