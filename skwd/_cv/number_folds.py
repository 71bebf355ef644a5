"""What intervals need of the fit without each fold: predictions, and residuals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skwd._core.loss import Loss
from skwd._cv.chosen import Chosen
from skwd._cv.fold_networks import (
    FoldNetwork,
    Rows,
    TrainedFold,
    rows_left_out,
    train_folds,
)
from skwd._cv.problem import Problem
from skwd._data.number_targets import RegressionTargets


@dataclass(frozen=True, eq=False)
class NumberFolds:
    """The networks without each fold, and how far off they are where they are blind."""

    networks: list[FoldNetwork]
    loss: Loss
    scaling: list[tuple[np.ndarray, np.ndarray]]  # mean and scale of y in each
    fold: np.ndarray  # (n,) of the rows seen
    residuals: np.ndarray  # (n, n_targets) absolute, in y's units

    def __len__(self) -> int:
        return len(self.networks)

    def predict(self, number: int, X) -> np.ndarray:
        """The prediction (m, n_targets) without a fold, in y's units."""
        return predicted(self.networks[number], self.loss, self.scaling[number], X)


def number_folds(problem: Problem, chosen: Chosen, rows: list[Rows]) -> NumberFolds:
    """The networks without each of the folds ``rows``, of numeric y."""
    folds = train_folds(problem, chosen, rows)
    return NumberFolds(
        [fold.network() for fold in folds],
        chosen.task.loss,
        [_scaling(fold) for fold in folds],
        rows_left_out(folds)[1],
        np.abs(residuals(problem, chosen, folds)),
    )


def residuals(problem: Problem, chosen: Chosen, folds: list[TrainedFold]) -> np.ndarray:
    """y minus the prediction of the fit that has not seen the row, (n, n_targets).

    Of the rows that were left out, ascending, in y's units.
    """
    data, (counted, _) = problem.data, rows_left_out(folds)
    y, _ = chosen.targets.encode(data.y[counted], data.weight[counted])
    found = np.empty(y.shape)
    for fold in folds:
        places = np.searchsorted(counted, fold.test)
        point = fold.network(), chosen.task.loss, _scaling(fold)
        found[places] = y[places] - predicted(*point, data.X[fold.test])
    return found


@np.errstate(over="ignore", invalid="ignore")
def predicted(network: FoldNetwork, loss: Loss, scaling: tuple, X) -> np.ndarray:
    """The mean prediction (m, n_targets) of some networks, in y's units."""
    mean, scale = scaling
    blocks = [
        (loss.inverse_link(raw).mean(axis=0) * scale + mean).astype(raw.dtype)
        for raw in network.raw_blocks(X)
    ]
    return np.concatenate(blocks)


def _scaling(fold: TrainedFold) -> tuple[np.ndarray, np.ndarray]:
    assert isinstance(fold.targets, RegressionTargets)
    return np.asarray(fold.targets.mean), np.asarray(fold.targets.scale)
