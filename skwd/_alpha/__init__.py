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
from skwd._solvers.task import TrainingTask


@dataclass(frozen=True)
class Way:
    """A way to choose alpha, by its name as a value of ``alpha``.

    Parameters
    ----------
    name : str
    choose : callable
        From a task, ``per_layer`` and ``verbose`` to the restarts, each at its alpha.
    has_layers : bool
        Can choose one alpha for each layer.
    needs_noise : bool
        Is for losses whose noise is estimated.
    """

    name: str
    choose: Callable[[TrainingTask, bool, bool], AlphaChoice]
    has_layers: bool = False
    needs_noise: bool = False


WAYS: dict[str, Way] = {
    way.name: way
    for way in (
        Way("evidence", choose_by_evidence, has_layers=True),
        Way("loo", choose_by_loo),
        Way("gcv", choose_by_gcv, needs_noise=True),
    )
}


def train_choosing(task: TrainingTask, name: str, *, per_layer: bool) -> AlphaChoice:
    """Train the restarts of a task, each at the alpha that the way ``name`` chooses.

    Where y does not vary there is nothing to choose, and alpha is at its highest. With
    ``verbose`` there is a line for each round, from 2 on one for each iteration too.
    """
    verbose = task.solver.verbose > 0
    quieter = task.solver.changed(verbose=max(0, task.solver.verbose - 1))
    task = replace(task, solver=quieter)
    if not task.has_varying_y:
        return train_constant(task)
    return WAYS[name].choose(task, per_layer, verbose)
