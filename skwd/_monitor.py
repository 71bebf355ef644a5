"""What is watched while networks train: curves, patience, the best weights, output."""

from __future__ import annotations

import numpy as np

from skwd._objective import Objective
from skwd._result import Status

# J that ends this far above the lowest it had been, relative, has risen: more than the
# ripple of steps at the edge of stability.
RISE = 1e-3


class Monitor:
    """The callback of both loops for a stack of K networks.

    Patience: an iteration improves when its loss is below the network's reference r by
    more than ``tol + relative_tol * |r|``; it is then the new reference, so that slow
    progress adds up. A network ends with the ``patience``-th iteration in a row without
    improvement.

    Parameters
    ----------
    params0 : ndarray (K, P)
        The starting point; with validation it is the first candidate for the best.
    validation : Objective or None
        The same networks on validation rows: patience then watches their loss without
        the penalty, and the best weights are kept, as copies.
    watch_loss : bool
        Without validation, patience watches J.
    patience, tol, relative_tol
        See above.
    verbose : bool
        Print a line per iteration.

    Attributes
    ----------
    loss_curves, validation_curves : list of list of float
        J and the validation loss of each network, per iteration.
    best_params : ndarray (K, P)
    best_validation : ndarray (K,)
        The lowest validation loss seen.
    """

    def __init__(
        self,
        params0: np.ndarray,
        *,
        validation: Objective | None,
        watch_loss: bool,
        patience: int,
        tol: float,
        relative_tol: float,
        verbose: bool,
    ):
        n_networks = len(params0)
        self.validation = validation
        self.watch_loss = watch_loss
        self.patience = patience
        self.tol = tol
        self.relative_tol = relative_tol
        self.verbose = verbose
        self.loss_curves: list[list[float]] = [[] for _ in range(n_networks)]
        self.validation_curves: list[list[float]] = [[] for _ in range(n_networks)]
        self.waited = np.zeros(n_networks, int)
        self.reference = np.full(n_networks, np.inf)
        self.best_validation = np.full(n_networks, np.inf)
        self.best_params = np.array(params0, dtype=np.float64)
        if validation is not None:
            self._keep_best(np.arange(n_networks), self.best_params)

    def __call__(
        self, networks: np.ndarray, params: np.ndarray, fun: np.ndarray
    ) -> np.ndarray:
        """Record one iteration of ``networks`` (k,); the status of each (k,)."""
        for network, value in zip(networks, fun):
            self.loss_curves[network].append(float(value))
        watched, ended = fun, Status.CONVERGED
        if self.validation is not None:
            watched, ended = self._keep_best(networks, params), Status.STOPPED
            for network, value in zip(networks, watched):
                self.validation_curves[network].append(float(value))
        if self.verbose:
            self._print(networks, fun, watched)
        if self.validation is None and not self.watch_loss:
            return np.full(len(networks), int(Status.RUNNING))
        reference = self.reference[networks]
        known = np.where(np.isinf(reference), 0.0, np.abs(reference))
        improved = watched < reference - (self.tol + self.relative_tol * known)
        self.reference[networks[improved]] = watched[improved]
        self.waited[networks] = np.where(improved, 0, self.waited[networks] + 1)
        tired = self.waited[networks] >= self.patience
        status = np.where(tired, ended, Status.RUNNING)
        if self.validation is None and tired.any():
            # No progress is convergence only at the bottom: J that has risen since, or
            # even above its start, was driven there by steps that are too long.
            start = np.array([self.loss_curves[network][0] for network in networks])
            rose = fun > reference + self.tol + RISE * np.abs(reference)
            status[tired & rose] = Status.ROSE
            status[tired & rose & (fun > start)] = Status.DIVERGED
        return status

    def _keep_best(self, networks: np.ndarray, params: np.ndarray) -> np.ndarray:
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
