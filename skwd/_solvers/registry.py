"""The solvers that there are, by name, and what solver="auto" is.

A new solver is a file and a line here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from skwd._solvers.base import Solver, hooks_of
from skwd._solvers.first_order import (
    AdamSolver,
    GradientDescentSolver,
    SGDSolver,
    given_parameters,
)
from skwd._solvers.hooks import Hooks, of_parts
from skwd._solvers.minimum import LbfgsSolver

SOLVERS: dict[str, type[Solver]] = {
    solver.name: solver
    for solver in (LbfgsSolver, GradientDescentSolver, SGDSolver, AdamSolver)
}


def solvers_with(*offers: str) -> tuple[str, ...]:
    """The names of the solvers that have all of "has_epochs", "finds_minima", ..."""
    return tuple(
        name
        for name, solver in SOLVERS.items()
        if all(getattr(solver, offer) for offer in offers)
    )


def solvers_that_read(parameter: str) -> tuple[str, ...]:
    """The names of the solvers that read a parameter."""
    return tuple(name for name, s in SOLVERS.items() if parameter in s.reads)


@dataclass(frozen=True, eq=False)
class AutoSolver:
    """solver="auto": one of several, by the number of rows and parameters.

    Parameters
    ----------
    params : dict
        Checked parameters of an estimator.
    kinds : tuple of Solver classes
        The first that suits is made.
    is_free : bool
        No parameter asks for anything that only some solvers do.
    changes : dict
        Values of its fields that replace those of ``params``.
    """

    params: Mapping[str, Any]
    kinds: tuple[type[Solver], ...]
    is_free: bool
    changes: Mapping[str, Any] = field(default_factory=dict)

    def changed(self, **changes: Any) -> AutoSolver:
        """The same with other values of the fields of the solver that it becomes."""
        return replace(self, changes={**self.changes, **changes})

    @property
    def hooks(self) -> Hooks | None:
        """Those of the solver that it becomes."""
        return self.changes.get("hooks", hooks_of(self.params))

    def quiet(self, hooks: Hooks | None = None) -> AutoSolver:
        """The same, of which at most the parts of ``hooks`` hear."""
        return self.changed(verbose=0, hooks=of_parts(hooks))

    def resolved(self, n_rows: int, n_params: int, *, is_wide: bool) -> Solver:
        """The solver that suits such sizes, as `Solver.suits` has them."""
        how = n_rows, n_params, is_wide
        suiting = (kind for kind in self.kinds if kind.suits(*how))
        kind = next(suiting, self.kinds[0])
        solver = (kind.of_auto if self.is_free else kind.of)(self.params)
        return solver.changed(**self.changes) if self.changes else solver


def solver_of(
    params: Mapping[str, Any], *, needs: tuple[str, ...] = ()
) -> Solver | AutoSolver:
    """The solver of an estimator with checked parameters.

    ``needs`` are offers that it must have, as `solvers_with` names them; to have epochs
    is to be stepped by them.
    """
    if params["solver"] != "auto":
        return SOLVERS[params["solver"]].of(params)
    asked = set(given_parameters(params))
    kinds = tuple(
        SOLVERS[name] for name in solvers_with(*needs) if asked <= SOLVERS[name].reads
    )
    return AutoSolver(params, kinds, not asked and "has_epochs" not in needs)
