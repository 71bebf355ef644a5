"""The networks without each fold, which intervals predict with: trained and kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from skwd._alpha.adaptive import second_stage
from skwd._alpha.choice import AlphaChoice
from skwd._alpha.constant import constant_params
from skwd._core.activations import ACTIVATIONS
from skwd._core.alpha_groups import ABSENT
from skwd._core.encoded import Encoder, encoded
from skwd._core.layout import Layout
from skwd._core.loss import Loss
from skwd._core.network import Network
from skwd._core.rows import shift_origin
from skwd._cv.chosen import Chosen
from skwd._cv.chunks import share_memory
from skwd._cv.problem import Problem
from skwd._cv.splits import Split, tasks
from skwd._data.number_targets import RegressionTargets
from skwd._solvers.failures import check_any_usable
from skwd._solvers.task import TrainingTask, train_path

Rows = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class FoldNetworks:
    """What the intervals need of each fold, and of the rows that it left out."""

    layout: Layout
    activation: str
    loss: Loss
    params: list[np.ndarray]  # (K, P) of the networks that predict for each fold
    encoders: list[Encoder | None]  # of X in each
    scaling: list[tuple[np.ndarray, np.ndarray]]  # mean and scale of y in each
    fold: np.ndarray  # (n,) of the rows seen
    residuals: np.ndarray  # (n, n_targets) absolute, in y's units

    def __len__(self) -> int:
        return len(self.params)

    @np.errstate(over="ignore", invalid="ignore")
    def predict(self, number: int, X) -> np.ndarray:
        """The prediction (m, n_targets) without a fold, in y's units."""
        network = Network(self.layout, ACTIVATIONS[self.activation])
        mean, scale = self.scaling[number]
        X = encoded(X, self.encoders[number])
        blocks = [
            (self.loss.inverse_link(raw).mean(axis=0) * scale + mean).astype(raw.dtype)
            for raw in network.predict_blocks(self.params[number], X)
        ]
        return np.concatenate(blocks)


def fold_networks(problem: Problem, chosen: Chosen, rows: list[Rows]) -> FoldNetworks:
    """Train the network without each fold as ``chosen`` was, at the alpha of its best.

    Parameters
    ----------
    problem : Problem
    chosen : Chosen
        The fit to all rows.
    rows : list of (rows to train on, rows left out)
        Every row of positive weight is left out once.
    """
    trained, ensemble = chosen.trained, problem.settings["ensemble"]
    settings, layout = problem.settings, chosen.task.layout
    hidden, in_parts = layout.layer_units[1:-1], layout.sources is not None
    solver = settings.solver
    if hidden != settings.hidden or in_parts != settings.in_parts:  # another model's
        solver = chosen.task.solver
    how: dict[str, Any] = {
        "hidden": hidden,
        "in_parts": in_parts,
        "solver": solver.quiet(),
    }
    splits = tasks(lambda part: problem.task(part, **how), rows)
    fold_tasks = share_memory([split.task for split in splits])
    layout, best = fold_tasks[0].layout, trained.best
    alpha = trained.alpha[best][np.newaxis]
    absent = fold_tasks[0].groups.per_parameter(alpha)[0] >= ABSENT
    for task in fold_tasks:
        task.params0[:, absent] = 0.0
    first = chosen.first_stage_alpha
    first_stage = alpha[0] if first is None else np.full(alpha.shape[1], first)
    fold_tasks = second_stage(fold_tasks, first_stage, keep_best=not ensemble)
    fits = AlphaChoice.of(train_path(fold_tasks, alpha))
    n_init = len(fold_tasks[0].params0)
    is_constant = not (trained.params[best] * chosen.task.layout.decay_mask).any()
    params = []
    for number, task in enumerate(fold_tasks):
        fit = fits[number * n_init + np.arange(n_init)]
        params.append(_predicting(task, fit, ensemble, is_constant))
    counted = np.sort(np.concatenate([split.test for split in splits]))
    folds = FoldNetworks(
        layout,
        chosen.task.activation.name,
        chosen.task.loss,
        params,
        [task.training.encoder for task in fold_tasks],
        [_scaling(split) for split in splits],
        np.empty(len(counted), int),
        np.empty((len(counted), len(_scaling(splits[0])[0]))),
    )
    data = problem.data
    y, _ = splits[0].targets.encode(data.y[counted], data.weight[counted])
    for number, split in enumerate(splits):
        places = np.searchsorted(counted, split.test)
        predicted = folds.predict(number, data.X[split.test])
        folds.fold[places] = number
        folds.residuals[places] = np.abs(y[places] - predicted)
    return folds


def _scaling(split: Split) -> tuple[np.ndarray, np.ndarray]:
    assert isinstance(split.targets, RegressionTargets)
    mean, scale = split.targets.mean, split.targets.scale
    return np.asarray(mean), np.asarray(scale)


def _predicting(
    task: TrainingTask, fit: AlphaChoice, ensemble: bool, is_constant: bool
) -> np.ndarray:
    """The weights of a fold's networks that predict, for X as it is: (K, P)."""
    check_any_usable(fit, task)
    params = fit.params[fit.predicting(ensemble)]
    if is_constant:
        params[:] = constant_params(task)
    return shift_origin(task.layout, params, task.training.origin, -1.0)
