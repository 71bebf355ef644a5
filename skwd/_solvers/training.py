"""From a stack's starting point to its trained networks, whatever the solver."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import numpy as np

from skwd._core.layout import Layout
from skwd._core.objective import Objective
from skwd._core.rows import shift_origin
from skwd._solvers import minibatch
from skwd._solvers.base import Solver
from skwd._solvers.first_order import FirstOrder
from skwd._solvers.monitor import Interrupt, Monitor
from skwd._solvers.result import UNUSABLE, Result, Status, is_one_of
from skwd._solvers.row_space import RowSpace, widths
from skwd._solvers.stepping import State

T = TypeVar("T", bound="StackFit")


@dataclass
class StackFit:
    """K trained networks; every field has the stack axis first."""

    params: np.ndarray  # (K, P), in the objective's dtype
    alpha: np.ndarray  # (K, G)
    loss: np.ndarray  # (K,) J at params
    criterion: np.ndarray  # (K,) the lowest is best: J unless something else counts
    fun: np.ndarray  # (K,) the last J of the training itself
    predicted_fall: np.ndarray  # (K,) of L-BFGS: the fall of J in sight, as a part of J
    nit: np.ndarray  # (K,) of the last fit, as is the curve
    nfev: np.ndarray  # (K,)
    status: np.ndarray  # (K,)
    loss_curve: list[list[float]]
    rate_curve: list[list[float]]  # learning rates of the epochs, if there are any
    gradient_curve: list[list[np.ndarray]]  # norms by layer, if they were asked for
    validation_curve: list[list[float]]
    best_validation: np.ndarray  # (K,) inf without validation

    def __getitem__(self, networks: np.ndarray) -> StackFit:
        """Some of the networks, by their numbers."""
        held: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            is_list = isinstance(value, list)
            held[field.name] = (
                [value[k] for k in networks] if is_list else value[networks]
            )
        return type(self)(**held)

    @classmethod
    def joined(cls: type[T], parts: list[T], numbers: list[np.ndarray]) -> T:
        """The networks of several, which have these ``numbers`` among all."""
        order = np.argsort(np.concatenate(numbers))
        held: dict[str, Any] = {}
        for field in fields(cls):
            values = [getattr(part, field.name) for part in parts]
            if isinstance(values[0], list):
                together = [item for value in values for item in value]
                held[field.name] = [together[k] for k in order]
            else:
                held[field.name] = np.concatenate(values)[order]
        return cls(**held)

    @property
    def unusable(self) -> np.ndarray:
        """The networks without usable weights, (K,) bool."""
        return is_one_of(self.status, UNUSABLE)

    def predicting(self, ensemble: bool) -> np.ndarray:
        """The networks that predict: all with usable weights, or the best."""
        return np.flatnonzero(~self.unusable) if ensemble else np.array([self.best])

    @property
    def best(self) -> int:
        """The network of the lowest criterion."""
        return int(np.argmin(np.where(self.unusable, np.inf, self.criterion)))

    def take(self, networks: np.ndarray, others: StackFit) -> None:
        """Put others in the place of some networks, by their numbers."""
        for field in fields(self):
            value, new = getattr(self, field.name), getattr(others, field.name)
            if isinstance(value, list):
                for i, k in enumerate(networks):
                    value[k] = new[i]
            else:
                value[networks] = new


@dataclass
class PartialFitState:
    """What partial_fit keeps of a network between its calls, beside its weights."""

    optimizer: type  # SGD or Adam
    rate: float  # the learning rate it began with
    state: State  # its params are empty: the estimator's coefs_ hold them
    reference: np.ndarray  # (K,) of the patience, as `Monitor` has it
    waited: np.ndarray  # (K,)
    origin: np.ndarray | None  # (d,) of X, from the rows of the first call
    bias: np.ndarray  # (K, 1, h) of the first layer, about this origin

    def fits(self, solver: FirstOrder, new: State) -> bool:
        """Whether a solver, whose state would be ``new``, can go on from this one."""
        same_steps = isinstance(solver.update, self.optimizer)
        return same_steps and self.state.fits(new, solver.shuffle)

    def continues(self, layout: Layout, params: np.ndarray) -> bool:
        """Whether ``params`` (K, P), of X as it is, are those that it left behind."""
        about_origin = params.copy()
        layout.b(about_origin, 0)[:] = self.bias
        return np.array_equal(
            shift_origin(layout, about_origin, self.origin, -1.0), params
        )


def train(
    objective: Objective,
    params0: np.ndarray,
    solver: Solver,
    validation: Objective | None = None,
    order: np.random.Generator | None = None,
    interrupt: Interrupt | None = None,
) -> StackFit:
    """Train a stack of K networks from ``params0`` (K, P), float64.

    With ``validation`` the weights of the lowest validation loss are returned, the
    starting point included, otherwise the last ones. ``order`` draws the order of the
    rows in each epoch; ``interrupt`` can end the training from another thread. Minima
    are sought in the space of the rows, where X has more columns.
    """
    width = n_inputs = objective.network.layout.layer_units[0]
    if solver.finds_minima and validation is None:
        of_network = widths(objective)
        width = int(of_network[0])
        if (of_network != width).any():
            numbers = [np.flatnonzero(of_network == w) for w in np.unique(of_network)]
            how = solver, None, order, interrupt
            parts = [train(objective[part], params0[part], *how) for part in numbers]
            return StackFit.joined(parts, numbers)
    if width < n_inputs:
        space = RowSpace(objective, width)
        inner = solver.changed(hooks=space.hooks(solver.hooks))
        start = space.objective, space.inside(params0)
        monitor = _monitor(*start, inner, None, interrupt)
        result = inner.minimise(*start, monitor, order)
        params = space.outside(result.x)
    else:
        monitor = _monitor(objective, params0, solver, validation, interrupt)
        result = solver.minimise(objective, params0, monitor, order)
        params = result.x if validation is None else monitor.best_params
    with np.errstate(over="ignore", invalid="ignore"):  # of networks that diverged
        params = params.astype(objective.dtype)
        loss = objective.fun(params)
    is_checked = solver.finds_minima
    return _trained(objective, result, monitor, params, loss, is_checked=is_checked)


def train_epoch(
    objective: Objective,
    params0: np.ndarray,
    solver: FirstOrder,
    earlier: PartialFitState | None = None,
    order: np.random.Generator | None = None,
) -> tuple[StackFit, PartialFitState]:
    """Train one network for one epoch more; ``earlier`` is left as it is.

    Without ``earlier``, or with that of another solver, the moments start at zero.
    """
    monitor = _monitor(objective, params0, solver, None)
    with np.errstate(over="ignore"):  # seen when the epoch is over
        params = params0.astype(objective.dtype)
    update, rate = solver.update, solver.schedule.initial
    rows = order if solver.shuffle else None
    state = State.of(params, update, rate, rows, solver.stream(order))
    if earlier is not None and earlier.fits(solver, state):
        state = deepcopy(earlier.state)
        state.start[:] = np.nan  # other rows may have another J
        if earlier.rate != rate:  # the user's wish, which adaptive lowers anew
            state.rate[:] = rate
        state.params = params
        monitor.reference = earlier.reference.copy()
        monitor.waited = earlier.waited.copy()
    one_epoch = solver.changed(max_iter=1)
    result = one_epoch.minimise(objective, params0, monitor, order, state)
    with np.errstate(over="ignore", invalid="ignore"):
        loss = objective.fun(state.params)
    trained = _trained(objective, result, monitor, state.params, loss)
    state.params = np.empty((len(loss), 0), dtype=objective.dtype)
    return trained, PartialFitState(
        type(update),
        rate,
        state,
        monitor.reference,
        monitor.waited,
        objective.samples[0].origin,
        objective.network.layout.b(trained.params, 0).copy(),
    )


def _monitor(
    objective: Objective,
    params0: np.ndarray,
    solver: Solver,
    validation: Objective | None,
    interrupt: Interrupt | None = None,
) -> Monitor:
    return Monitor(
        params0,
        validation=validation,
        watch_loss=solver.watches_loss(objective.network),
        worth=objective.worth(),
        penalised=None if solver.decay.minimises_J else objective,
        patience=solver.n_iter_no_change,
        tol=min(solver.n_iter_no_change, solver.max_iter) * solver.tol,
        allowed_rise=solver.allowed_rise,
        verbose=solver.verbose > 0,
        interrupt=interrupt,
        hooks=solver.hooks,
        objective=objective,
    )


def _trained(
    objective: Objective,
    result: Result,
    monitor: Monitor,
    params,
    loss,
    *,
    is_checked: bool = False,
) -> StackFit:
    """The networks as they ended; loss (K,) is J at ``params`` (K, P).

    ``is_checked``: a solver that lowers J step by step has not diverged.
    """
    status, curves = result.status.copy(), monitor.loss_curves
    if not is_checked:  # the last step of the epoch loop has not been looked at yet
        first = np.array([curve[0] if curve else np.inf for curve in curves])
        with np.errstate(all="ignore"):
            late = minibatch.exploded(objective, loss, first)
        status[late & (status != Status.OVERFLOW)] = Status.DIVERGED
    if monitor.validation is not None:
        status[np.isinf(monitor.best_validation)] = Status.UNWATCHED
    validated = np.isfinite(monitor.best_validation).any()
    return StackFit(
        params=params,
        alpha=objective.alpha.copy(),
        loss=loss,
        criterion=(monitor.best_validation if validated else loss).copy(),
        fun=result.fun,
        predicted_fall=result.predicted_fall,
        nit=result.nit,
        nfev=result.nfev,
        status=status,
        loss_curve=monitor.loss_curves,
        rate_curve=monitor.rate_curves,
        gradient_curve=monitor.gradient_curves,
        validation_curve=monitor.validation_curves,
        best_validation=monitor.best_validation,
    )
