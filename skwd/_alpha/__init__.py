"""How alpha is chosen without a grid: the ways that there are, by name.

A new way is a file and a line here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from skwd._alpha.choice import AlphaChoice
from skwd._alpha.constant import train_constant
from skwd._alpha.evidence import choose_by_evidence
from skwd._alpha.loo_search import choose_by_gcv, choose_by_loo
from skwd._alpha.relevance import choose_by_relevance
from skwd._solvers.task import TrainingTask


@dataclass(frozen=True)
class Way:
    """A way to choose alpha, by its name as a value of ``alpha``.

    Parameters
    ----------
    name : str
    choose : callable
        From a task, the kind of its groups of alpha and ``verbose`` to the restarts,
        each at its alpha.
    has_groups : bool
        Can choose an alpha for each layer, or each group of columns.
    needs_noise : bool
        Is for losses whose noise is estimated.
    """

    name: str
    choose: Callable[[TrainingTask, str | None, bool], AlphaChoice]
    has_groups: bool = False
    needs_noise: bool = False


def _by_evidence(task: TrainingTask, kind: str | None, verbose: bool) -> AlphaChoice:
    if kind == "columns":
        return choose_by_relevance(task, verbose)
    return choose_by_evidence(task, kind == "layer", verbose)


WAYS: dict[str, Way] = {
    way.name: way
    for way in (
        Way("evidence", _by_evidence, has_groups=True),
        Way("loo", choose_by_loo),
        Way("gcv", choose_by_gcv, needs_noise=True),
    )
}


def train_choosing(
    task: TrainingTask, name: str, *, kind: str | None = None
) -> AlphaChoice:
    """Train the restarts of a task, each at the alpha that the way ``name`` chooses.

    ``kind`` is None for one alpha, "layer" for one of each layer and "columns" for one
    of each group of columns, which the task's ``groups`` name.

    Where y does not vary there is nothing to choose, and alpha is at its highest. With
    ``verbose`` there is a line for each round, from 2 on one for each iteration too.
    """
    verbose = task.solver.verbose > 0
    quieter = task.solver.changed(verbose=max(0, task.solver.verbose - 1))
    task = replace(task, solver=quieter)
    if not task.has_varying_y:
        return train_constant(task)
    return WAYS[name].choose(task, kind, verbose)
