"""From a stack's starting point to its trained networks, whatever the solver."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, fields

import numpy as np

from skwd._core.layout import Layout
from skwd._core.objective import Objective
from skwd._core.rows import moved
from skwd._curvature.laplace import Laplace
from skwd._solvers import minibatch
from skwd._solvers.minimum import check_minimum, to_a_minimum
from skwd._solvers.monitor import Interrupt, Monitor
from skwd._solvers.result import LOST, AlphaPath, Result, Status
from skwd._solvers.settings import FULL_BATCH, Settings
from skwd._solvers.stepping import State


@dataclass
class Trained:
    """K trained networks; every field has the stack axis first."""

    params: np.ndarray  # (K, P), in the objective's dtype
    alpha: np.ndarray  # (K, n_weight_layers)
    loss: np.ndarray  # (K,) J at params
    criterion: np.ndarray  # (K,) the lowest is best: J unless something else counts
    fun: np.ndarray  # (K,) the last J of the training itself
    promise: np.ndarray  # (K,) of L-BFGS: the fall of J in sight, as a part of J
    nit: np.ndarray  # (K,) of the last fit, as is the curve
    nfev: np.ndarray  # (K,)
    status: np.ndarray  # (K,)
    loss_curve: list[list[float]]
    validation_curve: list[list[float]]
    best_validation: np.ndarray  # (K,) inf without validation
    laplace: list[Laplace | None]  # of networks that were looked at more closely
    path: list[AlphaPath | None]  # of alphas, where one was followed
    lowest: np.ndarray  # (K,) bool: alpha is at the low end of what was searched

    def __getitem__(self, networks: np.ndarray) -> Trained:
        """Some of the networks, by their numbers."""
        held = {}
        for field in fields(self):
            value = getattr(self, field.name)
            is_list = isinstance(value, list)
            held[field.name] = (
                [value[k] for k in networks] if is_list else value[networks]
            )
        return Trained(**held)

    def dof(self, k: int) -> float:
        """Effective parameters of network k, as the search for its alpha saw them."""
        if self.laplace[k] is not None:
            return self.laplace[k].dof
        path = self.path[k]
        return 0.0 if path is None else float(path.dof[np.argmin(path.losses)])

    @property
    def lost(self) -> np.ndarray:
        """The networks without usable weights, (K,) bool."""
        return np.isin(self.status, LOST)

    def predicting(self, ensemble: bool) -> np.ndarray:
        """The networks that predict: all with usable weights, or the best."""
        return np.flatnonzero(~self.lost) if ensemble else np.array([self.best])

    @property
    def best(self) -> int:
        """The network of the lowest criterion."""
        return int(np.argmin(np.where(self.lost, np.inf, self.criterion)))

    def take(self, networks: np.ndarray, others: Trained) -> None:
        """Put others in the place of some networks, by their numbers."""
        for field in fields(self):
            value, new = getattr(self, field.name), getattr(others, field.name)
            if isinstance(value, list):
                for i, k in enumerate(networks):
                    value[k] = new[i]
            else:
                value[networks] = new


@dataclass
class Progress:
    """What partial_fit keeps of a network between its calls, beside its weights."""

    rate: float  # the learning rate it began with
    state: State  # its params are empty: the estimator's coefs_ hold them
    reference: np.ndarray  # (K,) of the patience, as `Monitor` has it
    waited: np.ndarray  # (K,)
    origin: np.ndarray  # (d,) of X, from the rows of the first call
    bias: np.ndarray  # (K, 1, h) of the first layer, about this origin

    def continues(self, layout: Layout, params: np.ndarray) -> bool:
        """Whether ``params`` (K, P), of X as it is, are those that it left behind."""
        about_origin = params.copy()
        layout.b(about_origin, 0)[:] = self.bias
        return np.array_equal(moved(layout, about_origin, self.origin, -1.0), params)


def train(
    objective: Objective,
    params0: np.ndarray,
    settings: Settings,
    validation: Objective | None = None,
    order: np.random.Generator | None = None,
    interrupt: Interrupt | None = None,
) -> Trained:
    """Train a stack of K networks from ``params0`` (K, P), float64.

    With ``validation`` the weights of the lowest validation loss are returned, the
    starting point included, otherwise the last ones. ``order`` draws the order of the
    rows in each epoch; ``interrupt`` can end the training from another thread.
    """
    monitor = _monitor(objective, params0, settings, validation, interrupt)
    if settings.solver == "lbfgs":
        result = to_a_minimum(objective, params0, settings, monitor)
    else:
        order = order if settings.shuffle else None
        epochs = _epochs(objective, settings)
        result = minibatch.minimize(
            objective, params0, **epochs, callback=monitor, order=order
        )
        if validation is None and settings.solver in FULL_BATCH:
            if settings.update.decay.minimises_J:
                check_minimum(objective, result, settings.tol)
    params = result.x if validation is None else monitor.best_params
    with np.errstate(over="ignore", invalid="ignore"):  # of networks that diverged
        params = params.astype(objective.dtype)
        loss = objective.fun(params)
    return _trained(objective, result, monitor, params, loss)


def train_epoch(
    objective: Objective,
    params0: np.ndarray,
    settings: Settings,
    progress: Progress | None = None,
    order: np.random.Generator | None = None,
) -> tuple[Trained, Progress]:
    """Train one network for one epoch more; ``progress`` is left as it is.

    Without ``progress``, or with that of another solver, the moments start at zero.
    """
    monitor = _monitor(objective, params0, settings, None)
    with np.errstate(over="ignore"):  # seen when the epoch is over
        params = params0.astype(objective.dtype)
    update, rate = settings.update, settings.schedule.initial
    state = State.of(params, update, rate, order if settings.shuffle else None)
    if progress is not None and progress.state.fits(state, settings.shuffle):
        state = deepcopy(progress.state)
        state.start[:] = np.nan  # other rows may have another J
        if progress.rate != rate:  # the user's wish, which adaptive lowers anew
            state.rate[:] = rate
        state.params = params
        monitor.reference = progress.reference.copy()
        monitor.waited = progress.waited.copy()
    epochs = {**_epochs(objective, settings), "max_iter": 1}
    result = minibatch.minimize(
        objective, params0, **epochs, callback=monitor, state=state
    )
    with np.errstate(over="ignore", invalid="ignore"):
        loss = objective.fun(state.params)
    trained = _trained(objective, result, monitor, state.params, loss)
    state.params = np.empty((len(loss), 0), dtype=objective.dtype)
    patience = monitor.reference, monitor.waited
    bias = objective.network.layout.b(trained.params, 0).copy()
    origin = objective.samples[0].origin
    return trained, Progress(rate, state, *patience, origin, bias)


def _monitor(
    objective, params0, settings: Settings, validation, interrupt=None
) -> Monitor:
    lbfgs = settings.solver == "lbfgs"
    # What L-BFGS promises need not vanish where J has kinks: there it is done as well
    # when J falls by less than tol, as a part of J, per iteration.
    per_patience = min(settings.n_iter_no_change, settings.max_iter)
    return Monitor(
        params0,
        validation=validation,
        watch_loss=not lbfgs or objective.network.kinked,
        worth=objective.constant_loss(),
        penalised=None if settings.update.decay.minimises_J else objective,
        patience=settings.n_iter_no_change,
        tol=per_patience * settings.tol,
        may_rise=settings.may_rise,
        verbose=settings.verbose > 0,
        interrupt=interrupt,
    )


def _epochs(objective: Objective, settings: Settings) -> dict:
    """What the epoch loop is told."""
    longest = max(map(len, objective.samples))
    return {
        "update": settings.update,
        "schedule": settings.schedule,
        "batch_size": settings.rows_per_step(longest),
        "max_iter": settings.max_iter,
    }


def _trained(
    objective: Objective, result: Result, monitor: Monitor, params, loss
) -> Trained:
    """The networks as they ended; loss (K,) is J at ``params`` (K, P)."""
    status = result.status.copy()
    # The last step of the epoch loop has not been looked at yet.
    first = np.array([curve[0] if curve else np.inf for curve in monitor.loss_curves])
    with np.errstate(all="ignore"):
        late = minibatch.exploded(objective, loss, first)
    status[late & (status != Status.OVERFLOW)] = Status.DIVERGED
    if monitor.validation is not None:
        status[np.isinf(monitor.best_validation)] = Status.UNWATCHED
    validated = np.isfinite(monitor.best_validation).any()
    return Trained(
        params=params,
        alpha=objective.alpha.copy(),
        loss=loss,
        criterion=(monitor.best_validation if validated else loss).copy(),
        fun=result.fun,
        promise=result.promise,
        nit=result.nit,
        nfev=result.nfev,
        status=status,
        loss_curve=monitor.loss_curves,
        validation_curve=monitor.validation_curves,
        best_validation=monitor.best_validation,
        laplace=[None] * len(params),
        path=[None] * len(params),
        lowest=np.zeros(len(params), dtype=bool),
    )
