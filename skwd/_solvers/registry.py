"""The solvers that there are, by name, and what solver="auto" is.

A new solver is a file and a line here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from skwd._solvers.base import Solver
from skwd._solvers.first_order import AdamSolver, GradientDescentSolver, SGDSolver
from skwd._solvers.hooks import Hooks
from skwd._solvers.minimum import LbfgsSolver

SOLVERS: dict[str, type[Solver]] = {
    solver.name: solver
    for solver in (LbfgsSolver, GradientDescentSolver, SGDSolver, AdamSolver)
}
# Parameters that only some solvers read, and the values that ask for nothing.
OF_SOME_SOLVERS: dict[str, Any] = {
    "batch_size": "auto",
    "learning_rate": "constant",
    "warmup_epochs": 0,
    "decay": "l2",
    "dropout": 0.0,
}


def given_parameters(params: Mapping[str, Any]) -> set[str]:
    """The parameters that only some solvers read, and that are given a value."""
    return {name for name, none in OF_SOME_SOLVERS.items() if params[name] != none}


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


@dataclass(frozen=True)
class AutoSolver:
    """solver="auto": one of its candidates, by the number of rows and parameters."""

    candidates: tuple[Solver, ...]

    def changed(self, **changes: Any) -> AutoSolver:
        """With other values of the fields of every candidate."""
        return AutoSolver(
            tuple(solver.changed(**changes) for solver in self.candidates)
        )

    @property
    def hooks(self) -> Hooks | None:
        """Those of all candidates."""
        return self.candidates[0].hooks

    def quiet(self) -> AutoSolver:
        """With candidates of which nobody hears."""
        return AutoSolver(tuple(solver.quiet() for solver in self.candidates))

    def resolved(self, n_rows: int, n_params: int) -> Solver:
        """The first candidate that suits so many rows and parameters."""
        suiting = (
            solver for solver in self.candidates if solver.suits(n_rows, n_params)
        )
        return next(suiting, self.candidates[0])


def solver_of(
    params: Mapping[str, Any], *, needs: tuple[str, ...] = ()
) -> Solver | AutoSolver:
    """The solver of an estimator with checked parameters.

    ``needs`` are offers that it must have, as `solvers_with` names them.
    """
    if params["solver"] != "auto":
        return SOLVERS[params["solver"]].of(params)
    asked = given_parameters(params)
    candidates = [
        solver.of(params)
        for name, solver in SOLVERS.items()
        if asked <= solver.reads and name in solvers_with(*needs)
    ]
    return AutoSolver(tuple(candidates))
