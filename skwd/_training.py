"""From a stack's starting point to its trained networks, whatever the solver."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skwd import _lbfgs, _stochastic
from skwd._monitor import Monitor
from skwd._objective import Objective
from skwd._result import Status
from skwd._updates import GradientDescent

# The full-batch solvers; "auto" stands for the first.
SOLVERS = ("lbfgs", "gd")


@dataclass(frozen=True)
class Settings:
    """What of an estimator's parameters the training reads, under their names."""

    solver: str
    learning_rate_init: float
    max_iter: int
    max_fun: int
    tol: float
    n_iter_no_change: int
    verbose: bool


@dataclass
class Trained:
    """K trained networks; every field has the stack axis first."""

    params: np.ndarray  # (K, P), in the objective's dtype
    loss: np.ndarray  # (K,) J at params
    grad_norm: np.ndarray  # (K,) the largest gradient entry of J at params
    nit: np.ndarray  # (K,)
    nfev: np.ndarray  # (K,)
    status: np.ndarray  # (K,)
    loss_curve: list[list[float]]
    validation_curve: list[list[float]]
    best_validation: np.ndarray  # (K,) inf without validation

    @property
    def lost(self) -> np.ndarray:
        """The networks without usable weights, (K,) bool."""
        return np.isin(self.status, (Status.DIVERGED, Status.OVERFLOW))

    @property
    def best(self) -> int:
        """The network of lowest validation loss, or of lowest J without validation."""
        validated = np.isfinite(self.best_validation).any()
        value = self.best_validation if validated else self.loss
        return int(np.argmin(np.where(self.lost, np.inf, value)))


def train(
    objective: Objective,
    params0: np.ndarray,
    settings: Settings,
    validation: Objective | None = None,
) -> Trained:
    """Train a stack of K networks from ``params0`` (K, P), float64.

    With ``validation`` the weights of the lowest validation loss are returned, the
    starting point included, otherwise the last ones.
    """
    lbfgs = settings.solver == "lbfgs"
    # L-BFGS converges by its gradient, which need not vanish where J has kinks: there
    # it is done as well when J falls by less than tol, relative, per iteration.
    on_kinks = lbfgs and validation is None
    monitor = Monitor(
        params0,
        validation=validation,
        watch_loss=not lbfgs or objective.network.kinked,
        patience=settings.n_iter_no_change,
        tol=0.0 if on_kinks else settings.tol,
        relative_tol=settings.n_iter_no_change * settings.tol if on_kinks else 0.0,
        verbose=settings.verbose,
    )
    if validation is not None and np.isinf(monitor.best_validation).all():
        raise ValueError(
            "The validation loss is not finite at the initial weights: the validation "
            "rows (X_val and y_val, if given) hold values too large for their dtype. "
            "Standardise them as X and y."
        )
    if lbfgs:
        result = _lbfgs.minimize(
            objective,
            params0,
            max_iter=settings.max_iter,
            max_fun=settings.max_fun,
            tol=settings.tol,
            callback=monitor,
        )
    else:
        result = _stochastic.minimize(
            objective,
            params0,
            update=GradientDescent(settings.learning_rate_init),
            max_iter=settings.max_iter,
            callback=monitor,
        )
    status = result.status.copy()
    params = result.x if validation is None else monitor.best_params
    with np.errstate(over="ignore", invalid="ignore"):  # of networks that diverged
        params = params.astype(objective.dtype)
        loss, grad = objective.loss_gradient(params)
    if not lbfgs:  # the last step of a first-order solver has not been looked at yet
        first = np.array(
            [curve[0] if curve else np.inf for curve in monitor.loss_curves]
        )
        late = ~np.isfinite(loss) | (loss > _stochastic.EXPLOSION * first)
        status[late & (status != Status.OVERFLOW)] = Status.DIVERGED
    return Trained(
        params=params,
        loss=loss,
        grad_norm=np.abs(grad).max(axis=1),
        nit=result.nit,
        nfev=result.nfev,
        status=status,
        loss_curve=monitor.loss_curves,
        validation_curve=monitor.validation_curves,
        best_validation=monitor.best_validation,
    )
