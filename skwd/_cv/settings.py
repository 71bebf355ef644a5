"""What a user asks for: the checked data and parameters of a fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from skwd._alpha import WAYS
from skwd._core.loss import Loss
from skwd._data.targets import Targets
from skwd._solvers.base import Solver
from skwd._solvers.registry import SOLVERS, AutoSolver, solvers_with


class Data(NamedTuple):
    """Checked arguments of fit; y is as the user has it."""

    X: np.ndarray  # (n, n_features), or CSR
    y: np.ndarray
    weight: np.ndarray  # (n,)


@dataclass(frozen=True, eq=False)
class Settings:
    """The checked parameters of a fit, as what they stand for.

    Parameters
    ----------
    params : dict
        The parameters of the estimator, by name.
    hidden : tuple of int
        The units of the hidden layers.
    solver : Solver or AutoSolver
    alpha : ndarray (n_weight_layers,), str or None
        A number for each layer, the name of a way to choose it, or the default.
    groups : {None, "layer", "columns"}
        Which parts of the weights have an alpha of their own.
    in_parts : bool
        Whether the columns of X are encoded as their parts.
    make_targets : callable
        From y and weights (n,) to `Targets`, with ``earlier`` ones where there are any.
    """

    params: Mapping[str, Any]
    hidden: tuple[int, ...]
    solver: Solver | AutoSolver
    alpha: np.ndarray | str | None
    groups: str | None
    in_parts: bool
    make_targets: Callable[..., Targets]

    def __getitem__(self, name: str) -> Any:
        """The value of a parameter of the estimator."""
        return self.params[name]

    @property
    def asks_for_folds(self) -> bool:
        """Whether alpha is chosen by rows that are held out."""
        return isinstance(self.alpha, str) and self.alpha not in WAYS

    @property
    def by_one_fit(self) -> bool:
        """Whether alpha names a way that judges by fits to all rows alone."""
        return isinstance(self.alpha, str) and self.alpha in WAYS

    def kind(self, loss: Loss, in_parts: bool) -> dict[str, Any]:
        """What weights mean beside their shapes."""
        names = ("activation", "normalize_y")
        found = {name: self.params[name] for name in names if name in self.params}
        encoding = "parts" if in_parts else None
        return {**found, "encoding": encoding, "out_activation_": loss.out_activation}

    def linear_solver(self, solver: Solver) -> Solver:
        """One that ends at the minimum of a linear model, if the parameters allow it.

        ``solver`` is that of the network.
        """
        may_stop_early = self["early_stopping"] or not solver.decay.minimises_J
        if solver.finds_minima or may_stop_early:
            return solver
        found = SOLVERS[solvers_with("finds_minima")[0]].of(self.params)
        return found.changed(verbose=solver.verbose, hooks=solver.hooks)
