"""The solvers of the epoch loop: "gd", "sgd" and "adam"."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from skwd._core.layout import Layout
from skwd._core.objective import Objective
from skwd._solvers import minibatch
from skwd._solvers.base import Solver, common_fields
from skwd._solvers.decay import DECAYS, Decay
from skwd._solvers.dropout import Dropout
from skwd._solvers.minimum import check_minimum
from skwd._solvers.monitor import Monitor
from skwd._solvers.optimizers import SGD, Adam, Update
from skwd._solvers.result import Result, Status
from skwd._solvers.schedules import Schedule
from skwd._solvers.stepping import State

# Rows per step of batch_size="auto", as in scikit-learn.
AUTO_BATCH = 200
# What solvers that step on mini-batches read, and "lbfgs" does not: the values that ask
# for nothing.
OF_BATCHES: dict[str, Any] = {
    "batch_size": "auto",
    "learning_rate": "constant",
    "warmup_epochs": 0,
    "decay": "l2",
    "dropout": 0.0,
}
# What solver="auto" makes of Adam: the rate falls by a cosine, and training ends where
# it is 0. 60 epochs: errors 1.01 and 1.03 (tables of 3,000 rows, of 9,000 and 16,000);
# 150: 1.00 and .99; a rate of .004: 1.01 and 1.05; 256 rows at .01: 1.01 and 1.02
# (benchmarks/solvers.py). With its defaults Adam takes 3.3 times the time, errors 1.05.
PLAN = {"learning_rate": "cosine", "batch_size": 128, "max_iter": 100}
PLANNED_RATE, PLAIN_RATE = 0.008, 0.001
# More than this part of its start, and J of sgd or adam has risen by steps too long.
NOISY_RISE = 0.1


def given_parameters(params: Mapping[str, Any]) -> tuple[str, ...]:
    """The parameters that only some solvers read, and that are given a value."""
    return tuple(name for name, none in OF_BATCHES.items() if params[name] != none)


@dataclass(frozen=True)
class FirstOrder(Solver, abstract=True):
    """Gradient steps, epoch after epoch.

    Parameters
    ----------
    update : SGD or Adam
    schedule : Schedule
    shuffle : bool
    batch_size : int or None
        None: all rows.
    noise : Dropout, optional
        Disturbs the units in training.
    is_planned : bool
        It has the epochs that it needs, and patience does not end it.
    given : tuple of str
        The parameters that "lbfgs" does not read, and that are given a value.
    """

    update: Update
    schedule: Schedule
    shuffle: bool
    batch_size: int | None
    noise: Dropout | None = None
    is_planned: bool = False
    given: tuple[str, ...] = ()

    unit: ClassVar[str] = "epochs"
    remedies: ClassVar[Mapping[Status, str]] = {
        Status.MAX_ITER: "Increase max_iter, tol or learning_rate_init",
        Status.ROSE: "Lower learning_rate_init",
    }

    @classmethod
    def of(cls, params):
        size = None
        if not cls.sees_all_rows:
            given = params["batch_size"]
            size = AUTO_BATCH if isinstance(given, str) else int(given)
        schedule = Schedule(
            params["learning_rate"],
            initial=float(params["learning_rate_init"]),
            power=float(params["power_t"]),
            horizon=int(params["max_iter"]),
            warmup=int(params["warmup_epochs"]),
        )
        return cls(
            **common_fields(params),
            update=cls.optimizer(params, DECAYS[params["decay"]]),
            schedule=schedule,
            shuffle=bool(params["shuffle"]),
            batch_size=size,
            noise=Dropout.of(params["dropout"]),
            given=given_parameters(params),
        )

    @classmethod
    @abstractmethod
    def optimizer(cls, params: Mapping[str, Any], decay: Decay) -> Update:
        """How its parameters move."""

    @property
    def decay(self) -> Decay:
        return self.update.decay

    @property
    def allowed_rise(self) -> float | None:
        # Decoupled decay does not minimise J at all; batches and momentum do not lower
        # it step by step.
        if not self.decay.minimises_J:
            return np.inf
        return None if self.sees_all_rows else NOISY_RISE

    @property
    def when_it_diverges(self) -> str:
        rate = self.schedule.initial
        return f"learning_rate_init={rate:g} is too large for this data: lower it"

    @property
    def instead(self) -> str:
        left_out = [f"{name}={OF_BATCHES[name]!r}" for name in self.given]
        return " and ".join([super().instead, *left_out])

    def remedy(self, status):
        if status is Status.SLOW:
            return f"Increase learning_rate_init, or use {self.instead}"
        return super().remedy(status)

    def watches_loss(self, network):
        return not self.is_planned

    def rows_per_step(self, n_rows):
        return n_rows if self.batch_size is None else min(self.batch_size, n_rows)

    def network_bytes(self, layout: Layout, n_rows: int, itemsize: int) -> int:
        return minibatch.network_bytes(layout, self.rows_per_step(n_rows), itemsize)

    def minimise(
        self,
        objective: Objective,
        params0: np.ndarray,
        monitor: Monitor,
        order: np.random.Generator | None,
        state: State | None = None,
    ) -> Result:
        """``state``, of one network, is continued from and stepped in place."""
        result = minibatch.minimize(
            objective,
            params0,
            update=self.update,
            schedule=self.schedule,
            batch_size=self.rows_per_step(max(map(len, objective.samples))),
            max_iter=self.max_iter,
            callback=monitor,
            order=order if self.shuffle else None,
            state=state,
            noise=self.noise,
            stream=self.stream(order),
            note_rates=monitor.note_rates,
        )
        if self.is_planned:
            ended = np.flatnonzero(result.status == Status.MAX_ITER)
            first = np.array([monitor.loss_curves[k][0] for k in ended])
            lowest = np.array([min(monitor.loss_curves[k]) for k in ended])
            rose = result.fun[ended] > lowest + NOISY_RISE * np.abs(first)
            result.status[ended] = np.where(rose, Status.ROSE, Status.CONVERGED)
        return result

    def stream(self, order: np.random.Generator | None) -> np.random.Generator | None:
        """What draws its noise, if there is any."""
        return None if self.noise is None else self.noise.stream(order)


class GradientDescentSolver(FirstOrder):
    """Plain gradient descent on all rows."""

    name = "gd"
    sees_all_rows = True
    reads = frozenset({"learning_rate", "warmup_epochs", "decay"})

    @classmethod
    def optimizer(cls, params, decay):
        return SGD(decay=decay)

    def minimise(self, objective, params0, monitor, order, state=None):
        result = super().minimise(objective, params0, monitor, order, state)
        if monitor.validation is None and self.decay.minimises_J:
            check_minimum(objective, result, self.tol)
        return result


class SGDSolver(FirstOrder):
    """Steps on mini-batches, with momentum."""

    name = "sgd"
    sees_all_rows = False
    has_epochs = True
    reads = frozenset(OF_BATCHES)

    @classmethod
    def optimizer(cls, params, decay):
        momentum = float(params["momentum"])
        return SGD(momentum, bool(params["nesterovs_momentum"]), decay)


class AdamSolver(FirstOrder):
    """Adam on mini-batches."""

    name = "adam"
    sees_all_rows = False
    has_epochs = True
    reads = frozenset(OF_BATCHES)

    @classmethod
    def optimizer(cls, params, decay):
        rates = (params["beta_1"], params["beta_2"], params["epsilon"])
        return Adam(*map(float, rates), decay)

    @classmethod
    def of_auto(cls, params):
        if params["early_stopping"]:  # its patience goes by a constant rate
            return cls.of(params)
        rate, epochs = float(params["learning_rate_init"]), int(params["max_iter"])
        most = PLAN["max_iter"]
        plan = {**params, **PLAN, "max_iter": min(epochs, most)}
        if rate == PLAIN_RATE:
            plan["learning_rate_init"] = PLANNED_RATE
        return cls.of(plan).changed(is_planned=epochs >= most, given=())

    @classmethod
    def suits(cls, n_rows, n_params, is_wide):
        return True
