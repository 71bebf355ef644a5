"""How alpha is chosen without a grid: the ways that there are, by name.

A new way is a file and a line here.
"""

from __future__ import annotations

from dataclasses import replace

from skwd._alpha.by_evidence import ByEvidence
from skwd._alpha.choice import AlphaChoice
from skwd._alpha.constant import train_constant
from skwd._alpha.loo_search import ByGCV, ByLOO
from skwd._alpha.way import Way
from skwd._solvers.task import TrainingTask

WAYS: dict[str, Way] = {way.name: way for way in (ByEvidence(), ByLOO(), ByGCV())}


def train_choosing(
    task: TrainingTask, name: str, kind: str | None = None
) -> AlphaChoice:
    """Train the restarts of a task, each at the alpha that the way ``name`` chooses.

    Where y does not vary there is nothing to choose, and alpha is at its highest. With
    ``verbose`` there is a line for each round, from 2 on one for each iteration too.
    """
    verbose = task.solver.verbose > 0
    quieter = task.solver.changed(verbose=max(0, task.solver.verbose - 1))
    task = replace(task, solver=quieter)
    if not task.has_varying_y:
        return train_constant(task)
    return WAYS[name].choose(task, kind, verbose)
