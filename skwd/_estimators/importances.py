"""feature_importances_: how much the output moves with each column, found when read."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from skwd._core.encoded import EncodedRows
from skwd._core.layout import is_collapsed
from skwd._core.network import Network
from skwd._core.rows import shift_origin, spread
from skwd._core.sample import Sample
from skwd._curvature.sensitivity import encoded_effects, mean_squared_derivatives
from skwd._estimators.fitted_network import FittedNetwork
from skwd._solvers.task import TrainingTask
from skwd._solvers.units import column_deviations

# Rows that derivatives are averaged over, and numbers of X that are kept for it at
# most: a share is then known to a few per cent of itself.
ROWS, NUMBERS, FEWEST = 1000, 10**6, 100


class Importances:
    """The share of each column in the mean squared derivatives of a fitted network.

    It keeps some of the rows trained on until it is asked; pickles and copies hold the
    shares alone.

    Parameters
    ----------
    task : TrainingTask
    network : FittedNetwork
        What was trained.
    by_epochs : bool
        Deviations of the columns are those of the rows kept, as all rows would take
        as long as the epoch.
    """

    def __init__(self, task: TrainingTask, network: FittedNetwork, by_epochs: bool):
        self.network, self.rows = network, few_rows(task.training)
        self.deviations = None if by_epochs else column_deviations(task.training)

    def __getstate__(self) -> dict:
        return {"shares": self.shares}

    @cached_property
    def shares(self) -> np.ndarray:
        """Their sum is 1; all are 0 where the network is a constant: (d,)."""
        deviations = self.deviations
        if deviations is None:
            deviations = column_deviations(self.rows)
        found = _shares(self.network, self.rows, deviations)
        del self.network, self.rows, self.deviations
        return found


def few_rows(sample: Sample) -> Sample:
    """A copy of a sample, or of some of its rows at random."""
    n_rows, all_rows = len(sample), sample.X
    if isinstance(all_rows, EncodedRows):
        all_rows = all_rows.X
    n_columns = all_rows.shape[1]
    most = max(FEWEST, min(ROWS, NUMBERS // max(n_columns, 1)))
    places: Any = slice(None)
    if n_rows > most:
        places = spread(n_rows, most)
    rows = places if sample.rows is None else sample.rows[places]
    X = all_rows.copy() if isinstance(rows, slice) else all_rows[rows]
    weight = np.array(sample.weight[places])
    if not weight.any():  # none of these rows count
        weight[:] = 1.0
    y = np.broadcast_to(0.0, (len(weight), sample.y.shape[1]))  # no derivative asks it
    found = Sample(X, y, weight, origin=sample.origin)
    return found.encoded(sample.encoder)


@np.errstate(over="ignore", invalid="ignore")
def _shares(fitted: FittedNetwork, rows: Sample, deviations: np.ndarray) -> np.ndarray:
    layout, activation = fitted.layout, fitted.network.activation
    network = Network(layout, activation)
    if is_collapsed(layout, activation.gain, fitted.params):  # a constant
        return np.zeros(len(layout.first_inputs))
    params = shift_origin(layout, fitted.params, rows.origin, 1.0)
    if layout.sources is None:
        found = [mean_squared_derivatives(network, rows, one) for one in params]
        squares = np.sum(found, axis=0) * np.square(deviations)
    else:  # a column and its parts together
        found = [encoded_effects(network, rows, one) for one in params]
        squares = np.sum(found, axis=0)
    total = squares.sum()
    return squares / total if 0.0 < total < np.inf else np.zeros(len(squares))
