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
