"""alpha="auto": which model and which alpha have the lowest loss of rows left out."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from skwd._alpha import train_choosing
from skwd._alpha.adaptive import second_stage
from skwd._alpha.choice import AlphaChoice
from skwd._alpha.constant import train_constant
from skwd._alpha.scales import default_alpha, search_unit
from skwd._core.sample import Sample
from skwd._cv.auto import FOLDS, LOOSER, Candidates, as_good, splits_of
from skwd._cv.chosen import Chosen
from skwd._cv.chunks import share_memory
from skwd._cv.problem import FOLDS as FOLDS_STREAM
from skwd._cv.problem import Problem
from skwd._data.merged_rows import distinct_rows, numbers_of_copies
from skwd._data.targets import Targets
from skwd._solvers.base import Solver
from skwd._solvers.task import TrainingTask, train_path

# Fewer different rows than this leave nothing to judge by.
LEAST_ROWS = 12
# The models that are compared, the simplest first; the last with ``alpha_groups``.
CONSTANT, LINEAR, ADDITIVE = "constant", "linear model", "additive model"
NETWORK, ON_PARTS = "network", "network on parts"
GROUPED = "network with alpha_groups"
MODELS = (CONSTANT, LINEAR, ADDITIVE, NETWORK, ON_PARTS, GROUPED)
WITHOUT_HIDDEN = (LINEAR, ADDITIVE)
IN_PARTS = (ADDITIVE, ON_PARTS)
# A network on parts is given up where its losses at the first two alphas are above the
# lowest of the other models by more than this part of it.
HOPELESS = 0.03

Losses = dict[str, tuple[float, Candidates]]


def choose_by_folds(problem: Problem, whole: TrainingTask, targets: Targets) -> Chosen:
    """Choose between alphas, the linear model and the constant, and fit to all rows.

    Parameters
    ----------
    problem : Problem
    whole : TrainingTask
        All rows to train on, with the solver that trains every candidate.
    targets : Targets
        Those of ``whole``.
    """
    data = problem.data
    Y, _ = problem.targets.encode(data.y, data.weight)
    numbers = numbers_of_copies(data.X, Y)
    n_different = len(np.unique(numbers[data.weight > 0.0]))
    if not whole.has_varying_y or n_different < LEAST_ROWS:
        return _at_the_default(whole, targets)
    strata, rng = problem.targets.strata(Y), problem.stream(FOLDS_STREAM)
    splits = list(splits_of(numbers, data.weight, strata, rng))
    models = _judge_models(problem, whole, splits)
    losses = {name: loss for name, (loss, _) in models.items()}
    if not np.isfinite(min(losses.values())):
        return _at_the_default(whole, targets)
    # The simplest of those that are as good.
    most = as_good(min(losses.values()))
    model = next(name for name in MODELS if losses.get(name, np.inf) <= most)
    task, candidates = whole, models[model][1]
    given = _given(problem)
    if model not in (given, CONSTANT, GROUPED):
        task = _other(problem, whole, model)
    unit, first = float(search_unit(task)[0]), candidates.first_stage
    if model == GROUPED:
        if (hooks := task.solver.hooks) is not None:  # its steps are rounds
            solver = task.solver.changed(hooks=replace(hooks, after_iteration=None))
            task = replace(task, solver=solver)
        trained = train_choosing(task, "evidence", kind=problem.settings.groups)
    elif model == CONSTANT:
        trained = train_constant(task)
    else:
        one = np.full(task.groups.n_groups, unit)
        if first is not None:
            keep_best = not problem.settings["ensemble"]
            (task,) = second_stage([task], first * one, keep_best=keep_best)
        best = candidates.multiples[candidates.best]
        trained = AlphaChoice.of(train_path([task], (best * one)[np.newaxis]))
    is_lowest = model in (given, ON_PARTS) and candidates.best == 0
    n_networks = len(trained.params)
    trained = replace(
        trained,
        lowest=np.full(n_networks, is_lowest),
        path=[candidates.path(unit)] * n_networks,
    )
    choice, first = _choice(model, losses, splits), first and first * unit
    return Chosen(task, targets, trained, choice, first)


def _judge_models(problem: Problem, whole: TrainingTask, splits: list) -> Losses:
    """The held-out loss of each model at its best, and the candidates that it is of."""
    looser = whole.solver.changed(tol=LOOSER * whole.solver.tol)
    judged = partial(_judged, problem, splits)
    hidden = problem.settings.hidden
    networks = judged(hidden, looser)
    models = {
        _given(problem): (networks.lowest, networks),
        CONSTANT: (networks.constant(), networks),
    }
    settings, linear_solver = problem.settings, problem.settings.linear_solver
    if hidden:
        linear = judged((), linear_solver(whole.solver))
        models[ADDITIVE if settings.in_parts else LINEAR] = linear.lowest, linear
    if settings["encoding"] == "auto" and problem.encodings.have_parts:
        additive = judged((), linear_solver(whole.solver), in_parts=True)
        models[ADDITIVE] = additive.lowest, additive
        if hidden:
            solver = _other(problem, whole, ON_PARTS).solver
            looser = solver.changed(tol=LOOSER * solver.tol)
            # Where the larger of both is best: parts are many columns.
            about = max(float(c.multiples[c.best]) for c in (networks, additive))
            lowest = min(loss for loss, _ in models.values())
            most = lowest + HOPELESS * abs(lowest)
            parts = judged(hidden, looser, in_parts=True, about=about, most=most)
            models[ON_PARTS] = parts.lowest, parts
    kind = settings.groups
    if kind is not None:
        fits = [train_choosing(task, "evidence", kind=kind) for task in networks.tasks]
        models[GROUPED] = networks.held_out_loss(fits), networks
    return models


def _given(problem: Problem) -> str:
    """What the network that the settings ask for is called."""
    names = (LINEAR, ADDITIVE), (NETWORK, ON_PARTS)
    return names[bool(problem.settings.hidden)][problem.settings.in_parts]


def _other(problem: Problem, whole: TrainingTask, model: str) -> TrainingTask:
    """All rows, for another model than the one that the settings ask for."""
    how: dict[str, Any] = {"in_parts": model in IN_PARTS}
    if model in WITHOUT_HIDDEN:
        how |= {"hidden": (), "solver": problem.settings.linear_solver(whole.solver)}
    return problem.task(targets=problem.targets, **how)[0]


def _judged(
    problem: Problem,
    splits: list,
    hidden: tuple[int, ...],
    solver: Solver,
    *,
    in_parts: bool | None = None,
    **about: float,
) -> Candidates:
    """Networks of the hidden layers ``hidden``, judged on every split.

    ``about`` says where a search begins, and where it gives up.
    """
    data, tasks, tests = problem.data, [], []
    for train, test in splits:
        task, targets = problem.task(
            train,
            targets=problem.targets,
            hidden=hidden,
            solver=solver.quiet(),
            in_parts=in_parts,
        )
        Y, weight = targets.encode(data.y[test], data.weight[test])
        held_out = distinct_rows(Sample(data.X, targets.scaled(Y), weight, test))
        held_out = held_out.encoded(task.training.encoder)
        assert task.training.origin is not None
        tests.append(held_out.in_units(held_out.y, task.training.origin))
        tasks.append(task)
    candidates = Candidates(share_memory(tasks), tests)
    candidates.search(**about)
    if not tasks[0].penalty.has_second_stage:
        return candidates
    first = candidates.multiples[candidates.best]
    following = second_stage(candidates.tasks, first * candidates.units)
    candidates = Candidates(following, tests, first)
    candidates.search()
    return candidates


def _choice(model: str, losses: dict[str, float], splits: list) -> dict[str, Any]:
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


def _at_the_default(whole: TrainingTask, targets: Targets) -> Chosen:
    """A plain fit, where nothing can be judged."""
    alpha = default_alpha(whole)
    trained = AlphaChoice.of(train_path([whole], alpha[np.newaxis]))
    reason = "y does not vary"
    if whole.has_varying_y:
        reason = f"fewer than {LEAST_ROWS} different rows, or no finite loss"
    choice = {"way": "default", "model": NETWORK, "reason": reason, "scores": {}}
    return Chosen(whole, targets, trained, choice)
