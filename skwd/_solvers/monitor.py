"""What is watched while networks train: curves, patience, the best weights, output."""

from __future__ import annotations

import numpy as np

from skwd._core.arrays import any_true
from skwd._core.objective import Objective
from skwd._solvers.hooks import Hooks, layer_norms
from skwd._solvers.result import CONVERGED, RUNNING, STOPPED, Callback, Status

# J that ends this far above the lowest it had been, relative, has risen: more than the
# ripple of gradient descent at the edge of stability.
RISE = 1e-3


class Interrupt:
    """A request to stop that trainings in other threads look at, once an iteration."""

    def __init__(self):
        self.requested = False


class Interrupted(Exception):
    """Raised by a training that was asked to stop."""


class Monitor:
    """The callback of both loops for a stack of K networks.

    Patience: an iteration improves when its loss is below the network's reference r by
    more than ``tol * |r|``; it is then the new reference, so that slow progress adds
    up. A network ends with the ``patience``-th iteration in a row without improvement.

    Parameters
    ----------
    params0 : ndarray (K, P)
        The starting point; with validation it is the first candidate for the best.
    validation : Objective or None
        The same networks on validation rows: patience then watches their loss without
        the penalty, and the best weights are kept, as copies.
    watch_loss : bool
        Without validation, patience watches J.
    penalised : Objective, optional
        The networks, where the steps do not minimise J: patience watches their loss
        without the penalty, which may well rise as it falls.
    worth : ndarray (K,) or float
        The loss of the best constant: a rise by ``tol`` of it is none.
    patience, tol
        See above.
    allowed_rise : float, optional
        Where the steps do not lower J one by one: so much, as a part of J at the start,
        may J end above its reference and still count as converged.
    verbose : bool
        Print a line per iteration.
    interrupt : Interrupt, optional
        Ends the training with `Interrupted` once it is set.
    hooks : Hooks, optional
    objective : Objective, optional
        The networks, for hooks that keep the gradient of their loss.

    Attributes
    ----------
    loss_curves, validation_curves : list of list of float
        J and the validation loss of each network, per iteration.
    rate_curves : list of list of float
        The learning rate of each epoch, of solvers that have one.
    gradient_curves : list of list of ndarray (n_weight_layers,)
        The norms of the gradient of the loss, without the penalty, by layer.
    best_params : ndarray (K, P)
        Only with validation.
    best_validation : ndarray (K,)
        The lowest validation loss seen.
    """

    def __init__(
        self,
        params0: np.ndarray,
        *,
        validation: Objective | None,
        watch_loss: bool,
        penalised: Objective | None = None,
        worth: np.ndarray | float = 0.0,
        patience: float,
        tol: float,
        allowed_rise: float | None = None,
        verbose: bool,
        interrupt: Interrupt | None = None,
        hooks: Hooks | None = None,
        objective: Objective | None = None,
    ):
        n_networks = len(params0)
        self.validation = validation
        self.watch_loss = watch_loss
        self.penalised = penalised
        self.worth = np.broadcast_to(worth, (n_networks,))
        self.patience = patience
        self.tol = tol
        self.allowed_rise = allowed_rise
        self.verbose = verbose
        self.interrupt = interrupt
        self.hooks = Hooks() if hooks is None else hooks
        self.objective = objective
        self.gradient_curves: list[list[np.ndarray]] = [[] for _ in range(n_networks)]
        self.loss_curves: list[list[float]] = [[] for _ in range(n_networks)]
        self.rate_curves: list[list[float]] = [[] for _ in range(n_networks)]
        self.validation_curves: list[list[float]] = [[] for _ in range(n_networks)]
        self.waited = np.zeros(n_networks, int)
        self.reference = np.full(n_networks, np.inf)
        self.best_validation = np.full(n_networks, np.inf)
        self.best_params = np.empty((n_networks, 0))
        if validation is not None:
            self.best_params = np.array(params0, dtype=np.float64)
            self._keep_best(np.arange(n_networks), self.best_params)

    def __call__(
        self, networks: np.ndarray, params: np.ndarray, fun: np.ndarray
    ) -> np.ndarray:
        """Record one iteration of ``networks`` (k,); the status of each (k,)."""
        status = self._status(networks, params, fun)
        if self.hooks.keeps_gradients:
            self._keep_gradients(networks, params)
        tell = self.hooks.after_iteration
        if tell is not None:
            for place, network in enumerate(networks):
                assert self.objective is not None
                alpha = self.objective.alpha[network]
                if tell(int(network), params[place], alpha):
                    status[place] = Status.ASKED
        return status

    def _keep_gradients(self, networks: np.ndarray, params: np.ndarray) -> None:
        assert self.objective is not None
        with np.errstate(over="ignore", invalid="ignore"):
            _, gradient = self.objective[networks].data_loss_gradient(params)
        norms = layer_norms(self.objective.network.layout, gradient)
        for network, of_layers in zip(networks, norms):
            self.gradient_curves[network].append(of_layers)

    def _status(
        self, networks: np.ndarray, params: np.ndarray, fun: np.ndarray
    ) -> np.ndarray:
        """What patience and validation say of each network, (k,)."""
        if self.interrupt is not None and self.interrupt.requested:
            raise Interrupted
        for network, value in zip(networks, fun):
            self.loss_curves[network].append(float(value))
        watched, ended = fun, CONVERGED
        if self.penalised is not None:
            watched = fun - self.penalised[networks].penalty_value(params)
        if self.validation is not None:
            watched, ended = self._keep_best(networks, params), STOPPED
            for network, value in zip(networks, watched):
                self.validation_curves[network].append(float(value))
        if self.verbose:
            self._print(networks, fun, watched)
        if self.validation is None and not self.watch_loss:
            return np.full(len(networks), RUNNING)
        reference = self.reference[networks]
        known = np.where(np.isinf(reference), 0.0, np.abs(reference))
        improved = watched < reference - self.tol * known
        self.waited[networks] += 1
        better = networks[improved]
        self.waited[better] = 0
        self.reference[better] = watched[improved]
        out_of_patience = self.waited[networks] >= self.patience
        status = np.full(len(networks), RUNNING)
        if self.validation is not None:  # neither was it finite at the start
            status[np.isinf(self.best_validation[networks])] = Status.UNWATCHED
        if not any_true(out_of_patience):
            return status
        status[out_of_patience & (status == RUNNING)] = ended
        # Where a schedule lowers the rate instead of ending, patience starts anew.
        self.waited[networks[out_of_patience]] = 0
        if self.validation is None:
            # No progress is convergence only at the bottom: J that has risen since, or
            # even above its start, was driven there by steps that are too long.
            start = np.array([self.loss_curves[network][0] for network in networks])
            strict = self.allowed_rise is None
            room = (
                RISE * np.abs(reference)
                if strict
                else self.allowed_rise * np.abs(start)
            )
            room = room + self.tol * self.worth[networks]
            rose = out_of_patience & (watched > reference + room)
            status[rose] = Status.ROSE
            if strict:
                status[rose & (fun > start)] = Status.DIVERGED
        return status

    def note_rates(self, networks: np.ndarray, rates: np.ndarray) -> None:
        """Record the learning rates (k,) of the epoch that begins."""
        for network, rate in zip(networks, rates):
            self.rate_curves[network].append(float(rate))

    def of(self, networks: np.ndarray) -> Callback:
        """The callback of some networks alone, whose patience begins anew."""
        self.waited[networks] = 0
        self.reference[networks] = np.inf
        return lambda members, params, fun: self(networks[members], params, fun)

    def _keep_best(self, networks: np.ndarray, params: np.ndarray) -> np.ndarray:
        assert self.validation is not None
        with np.errstate(over="ignore", invalid="ignore"):
            values = self.validation[networks].data_loss(params)
        better = values < self.best_validation[networks]
        self.best_validation[networks[better]] = values[better]
        self.best_params[networks[better]] = params[better]
        return values

    def _print(self, networks, fun, watched) -> None:
        for network, value, validation in zip(networks, fun, watched):
            line = f"Iteration {len(self.loss_curves[network])}, loss = {value:.8g}"
            if len(self.loss_curves) > 1:
                line = f"Network {network}, " + line[0].lower() + line[1:]
            if self.validation is not None:
                line += f", validation loss = {validation:.8g}"
            print(line)
