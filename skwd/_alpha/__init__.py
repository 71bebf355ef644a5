"""How alpha is chosen without a grid: the ways that there are, by name.

A new way is a file and a line here.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from skwd._alpha.by_evidence import ByEvidence
from skwd._alpha.choice import AlphaChoice
from skwd._alpha.constant import train_constant
from skwd._alpha.loo_search import ByGCV, ByLOO
from skwd._alpha.way import Way
from skwd._solvers.row_space import RowSpace, widths
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
    objective = task.objective(np.ones(task.groups.n_groups))
    width = int(widths(objective)[0])
    if kind == "columns" or width == task.layout.layer_units[0]:
        return WAYS[name].choose(task, kind, verbose)
    space = RowSpace(objective, width)
    return _in_row_space(task, space, WAYS[name], kind, verbose)


def _in_row_space(
    task: TrainingTask, space: RowSpace, way: Way, kind: str | None, verbose: bool
) -> AlphaChoice:
    """What is chosen for coordinates in the space of the rows, as networks of X.

    Directions across all rows have their prior alone, which the evidence does not see.
    """
    inside = replace(
        task,
        layout=space.objective.network.layout,
        groups=space.objective.groups,
        training=space.objective.samples[0],
        params0=space.inside(task.params0),
        solver=task.solver.changed(hooks=space.hooks(task.solver.hooks)),
    )
    found = way.choose(inside, kind, verbose)
    return replace(found, params=space.outside(found.params).astype(found.params.dtype))
