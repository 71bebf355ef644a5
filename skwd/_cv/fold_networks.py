"""The networks without each fold: trained as the fit to all rows was, and kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from skwd._alpha.adaptive import second_stage
from skwd._alpha.choice import AlphaChoice
from skwd._alpha.constant import constant_params
from skwd._core.activations import ACTIVATIONS
from skwd._core.alpha_groups import ABSENT
from skwd._core.blas import for_prediction
from skwd._core.encoded import Encoder, encoded
from skwd._core.layout import Layout
from skwd._core.network import Network
from skwd._core.rows import shift_origin
from skwd._cv.chosen import Chosen
from skwd._cv.chunks import share_memory
from skwd._cv.parallel import Progress, train_cells
from skwd._cv.problem import Problem
from skwd._cv.settings import Settings
from skwd._cv.splits import Split, tasks
from skwd._data.targets import Targets
from skwd._solvers.failures import check_any_usable
from skwd._solvers.hooks import tell_part
from skwd._solvers.task import TrainingTask

Rows = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class KeptNetworks:
    """K networks that predict, and no more of them; of X as it is."""

    layout: Layout
    activation: str
    params: np.ndarray  # (K, P)
    encoder: Encoder | None  # of X

    @classmethod
    def of(cls, task: TrainingTask, trained: AlphaChoice) -> KeptNetworks:
        """All the networks of a fit, which are about the task's origin."""
        layout, origin = task.layout, task.training.origin
        params = shift_origin(layout, trained.params, origin, -1.0)
        return cls(layout, task.activation.name, params, task.training.encoder)

    def raw_blocks(self, X) -> list[np.ndarray]:
        """Raw predictions (K, b, n_raw) of X, by blocks."""
        network = Network(self.layout, ACTIVATIONS[self.activation])
        X = encoded(X, self.encoder)
        with for_prediction(X.shape[0], self.params.shape[1]):
            return list(network.predict_blocks(self.params, X))


@dataclass(frozen=True, eq=False)
class TrainedFold:
    """The fit without one fold, and the rows that it has not seen."""

    task: TrainingTask
    targets: Targets
    test: np.ndarray
    trained: AlphaChoice  # the K networks that predict, about the task's origin

    def networks(self) -> KeptNetworks:
        return KeptNetworks.of(self.task, self.trained)


def asking_for_folds(settings: Settings) -> str:
    """The parameter that asks for the folds: intervals or noise."""
    return "intervals" if settings["intervals"] else "noise"


def check_can_be_fitted(problem: Problem, rows: list[Rows]) -> None:
    """Raise where the rows without a fold lack a class, or too few are to be watched.

    Else that would be said by `train_folds`, after the fit to all rows.
    """
    data, settings = problem.data, problem.settings
    Y, weight = problem.targets.encode(data.y, data.weight)
    strata = problem.targets.strata(Y)

    def task_of(train: np.ndarray) -> tuple[Any, Targets]:
        if settings["early_stopping"]:
            return problem.task(train)
        if strata is not None and len(set(strata[train[weight[train] > 0.0]])) < 2:
            part = data.y[train], data.weight[train]
            return None, settings.make_targets(*part, whole=problem.targets)
        return None, problem.targets

    tasks(task_of, rows, asking_for_folds(settings))


def train_folds(
    problem: Problem, chosen: Chosen, rows: list[Rows]
) -> list[TrainedFold]:
    """Train the network without each fold as ``chosen`` was, at the alpha of its best.

    Parameters
    ----------
    problem : Problem
    chosen : Chosen
        The fit to all rows.
    rows : list of (rows to train on, rows left out)
        Every row of positive weight is left out once.
    """
    settings, layout = problem.settings, chosen.task.layout
    hidden, in_parts = layout.layer_units[1:-1], layout.sources is not None
    solver = settings.solver
    if hidden != settings.hidden or in_parts != settings.in_parts:  # another model's
        solver = chosen.task.solver
    how: dict[str, Any] = {"hidden": hidden, "in_parts": in_parts}
    how["solver"] = solver.quiet()
    name = asking_for_folds(settings)
    splits = tasks(lambda part: problem.task(part, **how), rows, name)
    in_memory = share_memory([split.task for split in splits])
    alike: dict[tuple, list[int]] = {}  # a fold may lack a class, and have fewer units
    for number, task in enumerate(in_memory):
        alike.setdefault((task.solver, task.layout), []).append(number)
    found: dict[int, TrainedFold] = {}
    for numbers in alike.values():
        fold_tasks = [in_memory[number] for number in numbers]
        fits = _trained(fold_tasks, chosen, settings)
        for number, task, fit in zip(numbers, fold_tasks, fits):
            split: Split = splits[number]
            found[number] = TrainedFold(task, split.targets, split.test, fit)
    return [found[number] for number in range(len(splits))]


def _trained(
    fold_tasks: list[TrainingTask], chosen: Chosen, settings: Settings
) -> Iterator[AlphaChoice]:
    """The networks that predict, of tasks of one layout and solver, task by task."""
    trained, ensemble = chosen.trained, settings["ensemble"]
    best = trained.best
    alpha = trained.alpha[best][np.newaxis]
    absent = fold_tasks[0].groups.per_parameter(alpha)[0] >= ABSENT
    for task in fold_tasks:
        task.params0[:, absent] = 0.0
    first = chosen.first_stage_alpha
    first_stage = alpha[0] if first is None else np.full(alpha.shape[1], first)
    fold_tasks = second_stage(fold_tasks, first_stage, keep_best=not ensemble)
    n_init = len(fold_tasks[0].params0)
    told = _progress(settings, len(fold_tasks) * n_init)
    fits = AlphaChoice.of(train_cells(fold_tasks, alpha, settings["n_jobs"], told))
    is_constant = not (trained.params[best] * chosen.task.layout.decay_mask).any()
    for number, task in enumerate(fold_tasks):
        fit = fits[number * n_init + np.arange(n_init)]
        check_any_usable(fit, task)
        fit = fit[fit.predicting(ensemble)]
        if is_constant:
            fit.params[:] = constant_params(task)
        yield fit


def _progress(settings: Settings, n_fits: int) -> Callable[[int], None]:
    """What is told of each chunk of the networks without a fold."""
    progress = None
    if settings["verbose"]:
        print(f"without a fold: {n_fits} fits")
        progress = Progress(n_fits, "without a fold: ")

    def told(n_more: int) -> None:
        tell_part(settings.solver.hooks, "networks without a fold")
        if progress is not None:
            progress.add(n_more)

    return told


def rows_left_out(folds: list[TrainedFold]) -> tuple[np.ndarray, np.ndarray]:
    """All rows that were left out, ascending, and the fold of each: (n,), (n,)."""
    rows = np.concatenate([fold.test for fold in folds])
    of_row = np.repeat(np.arange(len(folds)), [len(fold.test) for fold in folds])
    order = np.argsort(rows)
    return rows[order], of_row[order]
