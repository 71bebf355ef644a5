"""What a solver is: a frozen object that says what it needs and offers, and works."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, TypeVar

import numpy as np

from skwd._core.interface import Interface, asked
from skwd._core.layout import Layout
from skwd._core.network import Network
from skwd._core.objective import Objective
from skwd._solvers.decay import DECAYS, Decay
from skwd._solvers.hooks import Hooks, of_parts
from skwd._solvers.monitor import Monitor
from skwd._solvers.result import Result, Status

T = TypeVar("T", bound="Solver")


@dataclass(frozen=True)
class Solver(Interface, abstract=True):
    """How J of every network of a stack is minimised.

    Parameters
    ----------
    max_iter : int
        Most iterations or epochs.
    tol : float
        The fall of J, as a part of J, that is not worth going on for.
    n_iter_no_change : float
        Patience: an integer, or inf.
    verbose : int
        Above 0 a line for each iteration.
    hooks : Hooks, optional
        What else happens after each iteration.
    """

    max_iter: int
    tol: float
    n_iter_no_change: float
    verbose: int
    hooks: Hooks | None = field(default=None, kw_only=True)

    name: ClassVar[str] = asked()  # as a value of the parameter ``solver``
    unit: ClassVar[str] = asked()  # what it counts: iterations or epochs
    sees_all_rows: ClassVar[bool] = asked()  # at each step
    has_epochs: ClassVar[bool] = False  # can go on epoch by epoch, as partial_fit does
    finds_minima: ClassVar[bool] = False  # converges at minima of J, to a part of J
    # Parameters that it reads and others do not.
    reads: ClassVar[frozenset[str]] = frozenset()
    # What helps a network that ended with a status, where it is of its own.
    remedies: ClassVar[Mapping[Status, str]] = {}

    @classmethod
    @abstractmethod
    def of(cls: type[T], params: Mapping[str, Any]) -> T:
        """The solver that checked parameters of an estimator ask for."""

    @classmethod
    def of_auto(cls: type[T], params: Mapping[str, Any]) -> T:
        """The solver as solver="auto" has it, of parameters that ask for nothing."""
        return cls.of(params)

    @classmethod
    def suits(cls, n_rows: int, n_params: int, is_wide: bool) -> bool:
        """Whether solver="auto" may be this one, for so many rows and parameters.

        ``is_wide``: X is sparse, and minima are sought in the space of its rows, where
        weights are far fewer than those of all columns that a step would change.
        """
        return False

    @abstractmethod
    def minimise(
        self,
        objective: Objective,
        params0: np.ndarray,
        monitor: Monitor,
        order: np.random.Generator | None,
    ) -> Result:
        """Minimise J from ``params0`` (K, P), float64.

        ``monitor`` is called once an iteration or epoch. ``order`` draws the order of
        the rows in each epoch; None keeps it.
        """

    @abstractmethod
    def network_bytes(self, layout: Layout, n_rows: int, itemsize: int) -> int:
        """Working memory of one network on so many rows."""

    def rows_per_step(self, n_rows: int) -> int:
        """The most rows that a step on a sample of ``n_rows`` sees."""
        return n_rows

    @property
    def is_heard(self) -> bool:
        """Whether anybody hears of its iterations."""
        return self.verbose > 0 or self.hooks is not None

    @property
    def decay(self) -> Decay:
        """How alpha enters its steps."""
        return DECAYS["l2"]

    @property
    def allowed_rise(self) -> float | None:
        """How far J may end above its lowest, as a part of its start; None: hardly."""
        return None

    @property
    def when_it_diverges(self) -> str:
        """What helps a network whose J has grown without bound, with the cause."""
        return "J is not bounded along its steps: try another solver"

    @property
    def instead(self) -> str:
        """What to use in the place of this solver to reach a minimum, in words."""
        return "solver='lbfgs'"

    def remedy(self, status: Status) -> str:
        """What helps a network that has ended like this."""
        return self.remedies.get(status, "Increase max_iter or tol")

    def watches_loss(self, network: Network) -> bool:
        """Whether patience ends the training; otherwise the solver knows by itself."""
        return True

    def changed(self: T, **changes: Any) -> T:
        """The same solver with other values of its fields."""
        return replace(self, **changes)

    def quiet(self: T, hooks: Hooks | None = None) -> T:
        """The same solver, of which at most the parts of ``hooks`` hear."""
        return self.changed(verbose=0, hooks=of_parts(hooks))

    def resolved(self, n_rows: int, n_params: int, *, is_wide: bool) -> Solver:
        """Itself; "auto" becomes a solver for so many rows and parameters."""
        return self


def common_fields(params: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that every solver has, from checked parameters."""
    return {
        "max_iter": int(params["max_iter"]),
        "tol": float(params["tol"]),
        "n_iter_no_change": float(params["n_iter_no_change"]),
        "verbose": int(params["verbose"]),
        "hooks": hooks_of(params),
    }


def hooks_of(params: Mapping[str, Any]) -> Hooks | None:
    """What an estimator's parameters ask for after each iteration."""
    return Hooks(keeps_gradients=True) if params["track_gradients"] else None
