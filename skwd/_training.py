"""From a stack's starting point to its trained networks, whatever the solver."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, fields, replace

import numpy as np

from skwd import _lbfgs, _stochastic
from skwd._curvature.laplace import Laplace
from skwd._monitor import Interrupt, Monitor
from skwd._objective import Objective
from skwd._result import LOST, AlphaPath, Result, Status
from skwd._stepping import State
from skwd._updates import DECAYS, Schedule, Update

SOLVERS = ("lbfgs", "gd", "sgd", "adam")
FULL_BATCH = ("lbfgs", "gd")
# More than this part of its start, and J of sgd or adam has risen by steps too long.
NOISY_RISE = 0.1
# "auto" is L-BFGS up to so many rows times parameters, the work of one evaluation of J:
# it ends at a lower J, Adam beyond this in less time (benchmarks/auto.py).
AUTO_WORK = 5e7


@dataclass(frozen=True)
class Settings:
    """What of an estimator's parameters the training reads."""

    solver: str  # one of SOLVERS, or "auto" until `resolved`
    max_iter: int
    max_fun: int
    tol: float
    n_iter_no_change: int
    verbose: bool
    update: Update  # of the epoch loop, as are the following
    schedule: Schedule
    batch_size: int
    shuffle: bool

    def resolved(self, n_rows: int, n_params: int) -> Settings:
        """With "auto" replaced by the solver for so many rows and parameters."""
        if self.solver != "auto":
            return self
        small = n_rows * n_params <= AUTO_WORK
        return replace(self, solver="lbfgs" if small else "adam")

    @property
    def may_rise(self) -> float | None:
        """How far J may end above its lowest, as a part of its start; None: not at all.

        Batches and momentum do not lower J step by step, and decoupled decay does not
        minimise it.
        """
        if self.update.decay is not DECAYS["l2"]:
            return np.inf
        return NOISY_RISE if self.solver in ("sgd", "adam") else None

    def is_full_batch(self, n_rows: int) -> bool:
        """Whether every step on a sample of so many rows sees all of them."""
        return self.rows_per_step(n_rows) == n_rows

    def rows_per_step(self, n_rows: int) -> int:
        """The most rows that a step on a sample of ``n_rows`` sees."""
        return n_rows if self.solver in FULL_BATCH else min(self.batch_size, n_rows)


@dataclass
class Trained:
    """K trained networks; every field has the stack axis first."""

    params: np.ndarray  # (K, P), in the objective's dtype
    alpha: np.ndarray  # (K, n_weight_layers)
    loss: np.ndarray  # (K,) J at params
    criterion: np.ndarray  # (K,) the lowest is best: J unless something else counts
    fun: np.ndarray  # (K,) the last J of the training itself
    grad_norm: np.ndarray  # (K,) the largest gradient entry of J at params, or nan
    nit: np.ndarray  # (K,)
    nfev: np.ndarray  # (K,)
    status: np.ndarray  # (K,)
    loss_curve: list[list[float]]
    validation_curve: list[list[float]]
    best_validation: np.ndarray  # (K,) inf without validation
    laplace: list[Laplace | None]  # of networks that were looked at more closely
    path: list[AlphaPath | None]  # of alphas, where one was followed

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

    def go_on(self, networks: np.ndarray, later: Trained) -> None:
        """Take over what some networks, by their numbers, have reached from here."""
        later.nit += self.nit[networks]
        later.nfev += self.nfev[networks]
        for i, k in enumerate(networks):
            later.loss_curve[i] = self.loss_curve[k] + later.loss_curve[i]
        self.take(networks, later)

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
        result = _lbfgs.minimize(
            objective,
            params0,
            max_iter=settings.max_iter,
            max_fun=settings.max_fun,
            tol=settings.tol,
            callback=monitor,
        )
    else:
        order = order if settings.shuffle else None
        epochs = _epochs(objective, settings)
        result = _stochastic.minimize(
            objective, params0, **epochs, callback=monitor, order=order
        )
    params = result.x if validation is None else monitor.best_params
    with np.errstate(over="ignore", invalid="ignore"):  # of networks that diverged
        params = params.astype(objective.dtype)
        if settings.solver in FULL_BATCH:
            loss, grad = objective.loss_gradient(params)
            grad_norm = np.abs(grad).max(axis=1)
        else:  # which says nothing of steps on batches, and costs twice the loss
            loss = objective.fun(params)
            grad_norm = np.full(len(loss), np.nan)
    return _trained(objective, result, monitor, params, loss, grad_norm)


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
    result = _stochastic.minimize(
        objective, params0, **epochs, callback=monitor, state=state
    )
    with np.errstate(over="ignore", invalid="ignore"):
        loss = objective.fun(state.params)
    unknown = np.full(len(loss), np.nan)
    trained = _trained(objective, result, monitor, state.params, loss, unknown)
    state.params = np.empty((len(loss), 0), dtype=objective.dtype)
    patience = monitor.reference, monitor.waited
    return trained, Progress(rate, state, *patience)


def _monitor(
    objective, params0, settings: Settings, validation, interrupt=None
) -> Monitor:
    lbfgs = settings.solver == "lbfgs"
    # L-BFGS converges by its gradient, which need not vanish where J has kinks: there
    # it is done as well when J falls by less than tol, relative, per iteration.
    on_kinks = lbfgs and validation is None
    return Monitor(
        params0,
        validation=validation,
        watch_loss=not lbfgs or objective.network.kinked,
        patience=settings.n_iter_no_change,
        tol=0.0 if on_kinks else settings.tol,
        relative_tol=settings.n_iter_no_change * settings.tol if on_kinks else 0.0,
        may_rise=settings.may_rise,
        verbose=settings.verbose,
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
    objective: Objective, result: Result, monitor: Monitor, params, loss, grad_norm
) -> Trained:
    """The networks as they ended; loss (K,) is J at ``params`` (K, P)."""
    status = result.status.copy()
    # The last step of the epoch loop has not been looked at yet.
    first = np.array([curve[0] if curve else np.inf for curve in monitor.loss_curves])
    with np.errstate(all="ignore"):
        late = _stochastic.exploded(objective, loss, first)
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
        grad_norm=grad_norm,
        nit=result.nit,
        nfev=result.nfev,
        status=status,
        loss_curve=monitor.loss_curves,
        validation_curve=monitor.validation_curves,
        best_validation=monitor.best_validation,
        laplace=[None] * len(params),
        path=[None] * len(params),
    )
