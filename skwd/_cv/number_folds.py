"""What a regressor learns from the rows that folds leave out: residuals, and noise."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from skwd._core.loss import Loss
from skwd._cv.chosen import Chosen
from skwd._cv.fold_networks import (
    KeptNetworks,
    Rows,
    TrainedFold,
    rows_left_out,
    train_folds,
)
from skwd._cv.left_out import LeftOut
from skwd._cv.noise import learn_noise
from skwd._cv.problem import Problem
from skwd._cv.settings import Settings
from skwd._cv.weighted_fit import level_of, weighted_fit
from skwd._data.number_targets import RegressionTargets


@dataclass(frozen=True, eq=False)
class NumberFolds:
    """The networks without each fold, and how far off they are where they are blind."""

    networks: list[KeptNetworks]
    loss: Loss
    scaling: list[tuple[np.ndarray, np.ndarray]]  # mean and scale of y in each
    fold: np.ndarray  # (n,) of the rows seen
    residuals: np.ndarray  # (n, n_targets) absolute, in y's units or in deviations
    in_deviations: np.ndarray  # (n_targets,) bool: which are over the row's deviation

    def __len__(self) -> int:
        return len(self.networks)

    def predict(self, number: int, X) -> np.ndarray:
        """The prediction (m, n_targets) without a fold, in y's units."""
        return predicted(self.networks[number], self.loss, self.scaling[number], X)


def learn_from_numbers(
    problem: Problem,
    chosen: Chosen,
    rows: list[Rows],
    *,
    keep: bool,
    of_ratio: Settings | None,
) -> LeftOut:
    """What is learnt from the rows that the folds ``rows`` leave out.

    Parameters
    ----------
    problem : Problem
    chosen : Chosen
        The fit to all rows.
    rows : list of (rows to train on, rows left out)
    keep : bool
        Keep the networks without each fold, for intervals.
    of_ratio : Settings or None
        Those of rho, where the noise may vary.
    """
    folds = train_folds(problem, chosen, rows)
    off = residuals(problem, chosen, folds)
    noise, refit, varies = None, None, np.zeros(off.shape[1], dtype=bool)
    if of_ratio is not None:
        noise, deviations = learn_noise(problem, folds, off, of_ratio)
        varies = noise.varies
        if varies.any():
            counted, _ = rows_left_out(folds)
            rho = noise.ratio(problem.data.X)[counted]
            refit = weighted_fit(problem, chosen, off, rho)
        if refit is not None and noise.deviation is None:
            noise = replace(noise, level=level_of(problem, chosen, refit))
        off = off / np.where(varies, deviations, 1.0)
    if not keep:
        return LeftOut(None, noise, refit)
    kept = NumberFolds(
        [fold.networks() for fold in folds],
        chosen.task.loss,
        [_scaling(fold) for fold in folds],
        rows_left_out(folds)[1],
        np.abs(off),
        varies,
    )
    return LeftOut(kept, noise, refit)


def residuals(problem: Problem, chosen: Chosen, folds: list[TrainedFold]) -> np.ndarray:
    """y minus the prediction of the fit that has not seen the row, (n, n_targets).

    Of the rows that were left out, ascending, in y's units.
    """
    data, (counted, _) = problem.data, rows_left_out(folds)
    y, _ = chosen.targets.encode(data.y[counted], data.weight[counted])
    found = np.empty(y.shape)
    for fold in folds:
        places = np.searchsorted(counted, fold.test)
        point = fold.networks(), chosen.task.loss, _scaling(fold)
        found[places] = y[places] - predicted(*point, data.X[fold.test])
    return found


@np.errstate(over="ignore", invalid="ignore")
def predicted(network: KeptNetworks, loss: Loss, scaling: tuple, X) -> np.ndarray:
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
