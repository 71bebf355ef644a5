"""alpha="auto": which model and which alpha have the lowest loss of rows left out."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from scipy import sparse

from skwd._alpha.adaptive import second_stage
from skwd._alpha.choice import AlphaChoice
from skwd._alpha.constant import train_constant
from skwd._alpha.linear_rows import learnt_default
from skwd._alpha.scales import default_alpha, search_unit
from skwd._core.sample import Sample
from skwd._cv.auto import (
    BEHIND,
    FACTOR,
    LOOSER,
    MOST_ITERATIONS,
    Candidates,
    as_good,
)
from skwd._cv.chosen import Chosen
from skwd._cv.chunks import share_memory
from skwd._cv.competitor import Competitor
from skwd._cv.folds import judging_splits
from skwd._cv.ladder import (
    ADDITIVE,
    CONSTANT,
    GROUPED,
    IN_PARTS,
    LINEAR,
    NETWORK,
    ON_PARTS,
    WITHOUT_HIDDEN,
    simplest,
)
from skwd._cv.parallel import choose_cells, train_cells
from skwd._cv.problem import Problem
from skwd._cv.race import ConstantModel, GroupedModel, race
from skwd._cv.single import Splits, in_single
from skwd._data.merged_rows import distinct_rows
from skwd._data.targets import Targets
from skwd._solvers.base import Solver
from skwd._solvers.hooks import tell_model, tell_part
from skwd._solvers.task import TrainingTask, train_path

# Fewer different rows than this leave nothing to judge by.
LEAST_ROWS = 12
# A network on parts is not tried where the additive model is worse than the linear one
# by more than this part of it (5 of 41 tables; on none of them was it the best). It is
# given up where its losses at the first two alphas are above the lowest of the other
# models by as much, and would still be after falling again by their difference.
HOPELESS = 0.03


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
    n_different = len(np.unique(problem.copies[problem.copies >= 0]))
    if not whole.has_varying_y:
        return _at_the_default(problem, whole, targets, "y does not vary")
    if n_different < LEAST_ROWS:
        reason = f"fewer than {LEAST_ROWS} different rows"
        return _at_the_default(problem, whole, targets, reason)
    splits = judging_splits(problem)
    on_parts = None
    if problem.settings.hidden and _has_ladder(problem):
        on_parts = _other(problem, whole, ON_PARTS)
    tasks = whole, on_parts
    losses, candidates_of = _judge_models(*in_single(problem, splits), *tasks)
    if not np.isfinite(min(losses.values())):
        return _at_the_default(problem, whole, targets, "no held-out loss is finite")
    given = _given(problem)
    model, reason = simplest(losses, candidates_of[given].n_judged)
    task, candidates = whole, candidates_of[model]
    if model == ON_PARTS and on_parts is not None:
        task = on_parts
    elif model not in (given, CONSTANT, GROUPED):
        task = _other(problem, whole, model)
    unit, first = float(search_unit(task)[0]), candidates.first_stage
    n_jobs = problem.settings["n_jobs"]
    if model == GROUPED:
        if (hooks := task.solver.hooks) is not None:  # its steps are rounds
            solver = task.solver.changed(hooks=replace(hooks, after_iteration=None))
            task = replace(task, solver=solver)
        tell_model(task.solver.hooks, task, targets)
        kind = problem.settings.groups
        (trained,) = choose_cells([task], "evidence", kind, n_jobs)
    elif model == CONSTANT:
        trained = train_constant(task)
    else:
        one = np.full(task.groups.n_groups, unit)
        if first is not None:
            keep_best = not problem.settings["ensemble"]
            (task,) = second_stage([task], first * one, keep_best=keep_best)
        tell_model(task.solver.hooks, task, targets)
        best = candidates.multiples[candidates.best]
        fit = train_cells([task], (best * one)[np.newaxis], n_jobs)
        trained = AlphaChoice.of(fit)
    is_lowest = model in (given, ON_PARTS) and candidates.is_at_lowest
    whose = given if candidates is candidates_of[given] else model
    path = replace(candidates.path(unit), model=whose)
    n_networks = len(trained.params)
    trained = replace(
        trained, lowest=np.full(n_networks, is_lowest), path=[path] * n_networks
    )
    choice = _choice(model, reason, losses, splits)
    first = first and first * unit
    if sparse.issparse(data.X) and problem.settings["encoding"] == "auto":
        choice["reason"] += "; sparse X has no models on parts"
    return Chosen(task, targets, trained, choice, first)


def _judge_models(
    problem: Problem,
    splits: Splits,
    whole: TrainingTask,
    on_parts: TrainingTask | None,
) -> tuple[dict[str, float], dict[str, Candidates]]:
    """The held-out loss of each model at its best, and the candidates that it is of.

    ``whole`` and ``on_parts`` are all rows, as the settings ask for and in parts.
    """
    settings, hidden = problem.settings, problem.settings.hidden
    linear_solver = settings.linear_solver(whole.solver)
    given, linear = _given(problem), ADDITIVE if settings.in_parts else LINEAR
    left = [given, *[linear] * bool(hidden), *[ADDITIVE] * _has_ladder(problem)]
    left += [ON_PARTS] * (on_parts is not None)

    def searched(model: str, *how: Any, **about: Any) -> Candidates:
        found = _searched(problem, splits, model, *how, **about)
        left.remove(model)
        if settings["verbose"]:
            print(f"left: {', '.join([*left, 'the fit to all rows'])}")
        return found

    solver = judging(whole.solver)
    networks = searched(given, hidden, solver, about=_start(whole))
    candidates = {given: networks, CONSTANT: networks}
    if hidden:
        candidates[linear] = searched(linear, (), linear_solver)
    if _has_ladder(problem):
        additive = searched(ADDITIVE, (), linear_solver, in_parts=True)
        candidates[ADDITIVE] = additive
        of_columns = as_good(float(candidates[LINEAR].first_losses.min()), HOPELESS)
        if on_parts is not None and additive.first_losses.min() > of_columns:
            if settings["verbose"]:
                print(f"{ON_PARTS}: not tried, as parts alone are worse than columns")
        elif on_parts is not None:
            # Where the larger of both is best: parts are many columns.
            both = networks, additive
            lowest = min(float(c.first_losses.min()) for c in candidates.values())
            candidates[ON_PARTS] = searched(
                ON_PARTS,
                hidden,
                judging(on_parts.solver),
                in_parts=True,
                about=max(float(c.multiples[c.best]) for c in both),
                most=as_good(lowest, HOPELESS),
            )
    competitors: dict[str, Competitor] = {**candidates}
    competitors[CONSTANT] = ConstantModel(networks)
    if settings.groups is not None:
        candidates[GROUPED] = networks
        competitors[GROUPED] = GroupedModel(networks, settings)
    return race(competitors), candidates


def judging(solver: Solver) -> Solver:
    """The solver that trains what is only judged: less exactly."""
    looser = solver.changed(tol=LOOSER * solver.tol)
    if not solver.finds_minima:  # its epochs are those of a schedule
        return looser
    return looser.changed(max_iter=min(MOST_ITERATIONS, solver.max_iter))


def _has_ladder(problem: Problem) -> bool:
    """Whether models on parts are compared too."""
    return problem.settings["encoding"] == "auto" and problem.encodings.have_parts


def _start(whole: TrainingTask) -> float:
    """The multiple where the search for networks begins: where alpha=None may be."""
    raised = float(learnt_default(whole)[0] / default_alpha(whole)[0])
    return FACTOR ** round(np.log(raised) / np.log(FACTOR))


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


def _searched(
    problem: Problem,
    splits: list,
    model: str,
    hidden: tuple[int, ...],
    solver: Solver,
    *,
    in_parts: bool | None = None,
    **about: float,
) -> Candidates:
    """A model of the hidden layers ``hidden``, judged by the first splits.

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
    n_jobs, told = problem.settings["n_jobs"], partial(_say, problem.settings, model)
    candidates = Candidates(share_memory(tasks), tests, n_jobs, told)
    candidates.search(**about)
    if not tasks[0].penalty.has_second_stage:
        return candidates
    most = as_good(float(candidates.first_losses.min()), BEHIND)
    candidates.finish(most)
    candidates.extend(most)
    first = candidates.multiples[candidates.best]
    following = second_stage(candidates.tasks, first * candidates.units)
    candidates = Candidates(following, tests, n_jobs, told, first)
    candidates.search()
    return candidates


def _say(settings: Any, model: str, multiples, losses, seconds: float) -> None:
    """Tell of the losses (F, m) in some folds, with verbose by a line a multiple."""
    tell_part(settings.solver.hooks, model)
    if not settings["verbose"]:
        return
    for multiple, loss in zip(multiples, losses.mean(axis=0)):
        print(
            f"{model}, {multiple:.3g} times the default alpha: held-out loss "
            f"{loss:.5g} in {len(losses)} fold{'s' * (len(losses) > 1)} "
            f"({seconds / len(multiples):.1f} s)"
        )


def _choice(
    model: str, reason: str, losses: dict[str, float], splits: list
) -> dict[str, Any]:
    """alpha_choice_."""
    way = f"{len(splits)}-fold cross-validation"
    if len(splits) == 1:
        way = f"one split of {sum(map(len, splits[0]))} rows"
    return {
        "way": way,
        "model": model,
        "reason": reason,
        "scores": {name: -loss for name, loss in losses.items()},
    }


def _at_the_default(
    problem: Problem, whole: TrainingTask, targets: Targets, reason: str
) -> Chosen:
    """A plain fit, where nothing can be judged."""
    alpha = default_alpha(whole)
    trained = AlphaChoice.of(train_path([whole], alpha[np.newaxis]))
    model = _given(problem)
    choice = {"way": "default", "model": model, "reason": reason, "scores": {}}
    return Chosen(whole, targets, trained, choice)
