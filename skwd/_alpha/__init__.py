"""alpha by its name: which search for it trains the networks."""

from __future__ import annotations

from dataclasses import replace

from skwd._alpha.constant import train_constant
from skwd._alpha.evidence import choose_by_evidence
from skwd._alpha.loo_search import choose_by_path
from skwd._solvers.problem import Problem
from skwd._solvers.training import Trained


def train_choosing(problem: Problem, name: str, *, per_layer: bool) -> Trained:
    """Train the restarts of a problem, each at the alpha that ``name`` chooses.

    Where y does not vary there is nothing to choose, and alpha is at its highest. With
    ``verbose`` there is a line for each round, from 2 on one for each iteration too.
    """
    talks, settings = problem.settings.verbose > 0, problem.settings
    settings = replace(settings, verbose=max(0, settings.verbose - 1))
    problem = replace(problem, settings=settings)
    if not problem.has_varying_y:
        return train_constant(problem)
    if name == "evidence":
        return choose_by_evidence(problem, per_layer=per_layer, talks=talks)
    return choose_by_path(problem, name, talks=talks)
