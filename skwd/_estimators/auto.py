"""alpha="auto" in fit: the splits of the user's data, the choice, and the last fit."""

from __future__ import annotations

import copy
from typing import NamedTuple

import numpy as np

from skwd._alpha import train_choosing
from skwd._alpha.adaptive import second_stage
from skwd._alpha.choice import AlphaChoice
from skwd._alpha.constant import train_constant
from skwd._alpha.scales import default_alpha
from skwd._core.sample import Sample
from skwd._cv.auto import FOLDS, LOOSER, Candidates, as_good, splits_of
from skwd._cv.chunks import share_memory
from skwd._data.merged_rows import distinct_rows, numbers_of_copies
from skwd._data.targets import Targets
from skwd._estimators.alpha_groups import kind_of_groups
from skwd._estimators.base import BaseWeightDecayMLP
from skwd._estimators.tasks import Earlier
from skwd._estimators.validation import Data
from skwd._solvers.base import Solver
from skwd._solvers.registry import SOLVERS, solvers_with
from skwd._solvers.task import TrainingTask, train_path

# Fewer different rows than this leave nothing to judge by.
LEAST_ROWS = 12
# The models that are compared, the simplest first; the last with ``alpha_groups``.
GROUPED = "network with alpha_groups"
MODELS = ("constant", "linear model", "network", GROUPED)


class AutoResult(NamedTuple):
    """The networks of a choice, what they were trained on, and how it was made."""

    trained: AlphaChoice
    task: TrainingTask
    choice: dict  # alpha_choice_
    first_stage_alpha: float | None = None  # where there are two


def fit_auto(
    estimator: BaseWeightDecayMLP,
    data: Data,
    held_out: Data | None,
    targets: Targets,
    whole: TrainingTask,
    seed: int,
    rng: np.random.Generator,
) -> AutoResult:
    """Choose between alphas, the linear model and the constant, and fit to all rows.

    Parameters
    ----------
    estimator : BaseWeightDecayMLP
    data, held_out : Data
        As fit has checked them; held_out are X_val and y_val.
    targets : Targets
        What y is.
    whole : TrainingTask
        All rows to train on, with the solver that trains every candidate.
    seed : int
    rng : Generator
        Draws the splits.
    """
    Y, _ = targets.encode(data.y, data.weight)
    numbers = numbers_of_copies(data.X, Y)
    n_different = len(np.unique(numbers[data.weight > 0.0]))
    if not whole.has_varying_y or n_different < LEAST_ROWS:
        return _at_the_default(whole)

    def make(
        hidden: tuple[int, ...] | None, solver: Solver, rows: np.ndarray | None = None
    ) -> tuple[TrainingTask, Targets]:
        return estimator._task(
            data,
            solver,
            seed,
            held_out=held_out,
            rows=rows,
            earlier=Earlier(copy.copy(targets)),
            hidden=hidden,
        )

    splits = list(splits_of(numbers, data.weight, targets.strata(Y), rng))
    models = _judge_models(estimator, make, whole, splits, data)
    losses = {name: loss for name, (loss, _) in models.items()}
    if not np.isfinite(min(losses.values())):
        return _at_the_default(whole)
    # The simplest of those that are as good.
    most = as_good(min(losses.values()))
    model = next(name for name in MODELS if losses.get(name, np.inf) <= most)
    task, candidates = whole, models[model][1]
    if model == "linear model":
        task, _ = make((), _linear_solver(estimator, whole.solver))
    unit, first = float(default_alpha(task)[0]), candidates.first_stage
    if model == GROUPED:
        trained = train_choosing(task, "evidence", kind=kind_of_groups(estimator))
    elif model == "constant":
        trained = train_constant(task)
    else:
        one = np.full(task.groups.n_groups, unit)
        if first is not None:
            (task,) = second_stage(
                [task], first * one, keep_best=not estimator.ensemble
            )
        best = candidates.multiples[candidates.best]
        trained = AlphaChoice.of(train_path([task], (best * one)[np.newaxis]))
    trained.lowest[:] = model == "network" and candidates.best == 0
    trained.path = [candidates.path(unit)] * len(trained.path)
    choice, first = _choice(model, losses, splits), first and first * unit
    return AutoResult(trained, task, choice, first)


def _judge_models(
    estimator: BaseWeightDecayMLP, make, whole: TrainingTask, splits: list, data: Data
) -> dict[str, tuple[float, Candidates]]:
    """The held-out loss of each model at its best, and the candidates that it is of."""
    looser = whole.solver.changed(tol=LOOSER * whole.solver.tol)
    networks = _judged(make, None, looser, splits, data)
    models = {
        "network": (networks.lowest, networks),
        "constant": (networks.constant(), networks),
    }
    if whole.layout.n_weight_layers > 1:
        solver = _linear_solver(estimator, whole.solver)
        linear = _judged(make, (), solver, splits, data)
        models["linear model"] = linear.lowest, linear
    kind = kind_of_groups(estimator)
    if kind is not None:
        fits = [train_choosing(task, "evidence", kind=kind) for task in networks.tasks]
        models[GROUPED] = networks.held_out_loss(fits), networks
    return models


def _choice(model: str, losses: dict[str, float], splits: list) -> dict:
    """alpha_choice_."""
    way = f"{FOLDS}-fold cross-validation"
    if len(splits) == 1:
        way = f"one split of {sum(map(len, splits[0]))} rows"
    return {
        "way": way,
        "model": model,
        "reason": f"lowest held-out loss, {losses[model]:.4g}",
        "scores": {name: -loss for name, loss in losses.items()},
    }


def _linear_solver(estimator: BaseWeightDecayMLP, solver: Solver) -> Solver:
    """One that ends at the minimum of a linear model, if the parameters allow it."""
    if solver.finds_minima or not solver.decay.minimises_J or estimator.early_stopping:
        return solver
    params = estimator.get_params(deep=False)
    exact = SOLVERS[solvers_with("finds_minima")[0]].of(params)
    return exact.quiet()


def _judged(make, hidden, solver: Solver, splits: list, data: Data) -> Candidates:
    """Networks of the hidden layers ``hidden``, judged on every split."""
    tasks, tests = [], []
    for train, test in splits:
        task, targets = make(hidden, solver.quiet(), train)
        Y, weight = targets.encode(data.y[test], data.weight[test])
        held_out = distinct_rows(Sample(data.X, targets.scaled(Y), weight, test))
        held_out.origin = task.training.origin
        tests.append(held_out)
        tasks.append(task)
    share_memory(tasks)
    candidates = Candidates(tasks, tests)
    candidates.search()
    if not tasks[0].penalty.has_second_stage:
        return candidates
    first = candidates.multiples[candidates.best]
    following = second_stage(candidates.tasks, first * default_alpha(tasks[0]))
    candidates = Candidates(following, tests, first)
    candidates.search()
    return candidates


def _at_the_default(whole: TrainingTask) -> AutoResult:
    """A plain fit, where nothing can be judged."""
    alpha = default_alpha(whole)
    trained = AlphaChoice.of(train_path([whole], alpha[np.newaxis]))
    reason = "y does not vary"
    if whole.has_varying_y:
        reason = f"fewer than {LEAST_ROWS} different rows, or no finite loss"
    choice = {"way": "default", "model": "network", "reason": reason, "scores": {}}
    return AutoResult(trained, whole, choice)
