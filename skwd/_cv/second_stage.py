"""The second of two stages for the splits of a search, and for all rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from skwd._alpha.adaptive import second_stage
from skwd._cv.problem import Problem
from skwd._cv.splits import Split
from skwd._data.targets import Targets
from skwd._solvers.task import TrainingTask

# Starting points of a first stage at its alpha. A column that shows only through a
# curve, as a square does, may be lost from one of them, and would not come back.
STARTS = 3


def with_tol(splits: list[Split], factor: float) -> list[Split]:
    """The splits, with ``factor`` times the tolerance of their networks."""
    changed = []
    for split in splits:
        solver = split.task.solver
        looser = solver.changed(tol=factor * solver.tol)
        changed.append(split._replace(task=replace(split.task, solver=looser)))
    return changed


def to_second_stage(
    problem: Problem,
    whole: TrainingTask,
    targets: Targets,
    splits: list[Split],
    alpha: float,
) -> tuple[TrainingTask, list[Split]]:
    """All rows and the splits, each with the penalty that its own first fit says.

    ``alpha`` is that of the first stage, chosen by its scores.
    """
    of_groups = np.full(whole.groups.n_groups, alpha)
    keep = not problem.settings["ensemble"]
    tasks = [split.task for split in splits]
    restarts, more = range(len(whole.params0), STARTS), None
    if restarts:
        of = whole.layout, targets, whole.training
        more = problem.initial_params(*of, restarts)
    following = second_stage(tasks, of_groups, further_starts=more)
    # What the folds have found is tried for all rows too: the lowest J counts.
    found = np.stack([task.params0[-1] for task in following])
    (whole,) = second_stage([whole], of_groups, further_starts=found, keep_best=keep)
    if not keep:
        following = [replace(t, params0=t.params0[:-1]) for t in following]
    return whole, [s._replace(task=task) for s, task in zip(splits, following)]
