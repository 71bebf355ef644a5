"""What L-BFGS keeps of each network of a stack while it runs."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from skwd._core.kinks import Kinks
from skwd._solvers import lbfgs_memory
from skwd._solvers.lbfgs_memory import CurvaturePairs
from skwd._solvers.result import Status
from skwd._solvers.units import Minimised

# J of the last iterations that is kept (of P, where there are fewer parameters).
WINDOW = 10


@dataclass
class State:
    """Everything a network owns; each field has the stack axis first."""

    network: np.ndarray  # (K,) its index in the caller's stack
    x: np.ndarray  # (K, P) the iterate
    fun: np.ndarray  # (K,)
    jac: np.ndarray  # (K, P) where J has kinks, the subgradient of least length
    face: np.ndarray  # (K, P) the gradient that changes smoothly; (K, 0) for jac
    direction: np.ndarray  # (K, P)
    slope: np.ndarray  # (K,) jac . direction, negative
    step: np.ndarray  # (K,) the trial point is x + step * direction
    low: np.ndarray  # (K, 3) best end of the bracket: step, J, slope
    high: np.ndarray  # (K, 3) other end; step inf while there is none
    trials: np.ndarray  # (K,) in this line search
    pairs: CurvaturePairs
    nit: np.ndarray  # (K,)
    nfev: np.ndarray  # (K,)
    status: np.ndarray  # (K,)
    negligible: np.ndarray  # (K,) J that is as good as 0
    longest: np.ndarray  # (K,) the longest step without curvature
    predicted_fall: (
        np.ndarray
    )  # (K,) the fall of J that the pairs promise, as a part of J
    recent: np.ndarray  # (K, min(WINDOW, P)) J of the last iterations, or inf

    def __len__(self) -> int:
        return len(self.network)

    def keep(self, networks: np.ndarray) -> None:
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name)[networks])


def network_bytes(n_params: int, itemsize: int) -> int:
    """Memory of a network in its run: pairs, iterate, trial, gradients, direction."""
    return (2 * lbfgs_memory.MEMORY * itemsize + 8 * 8) * n_params


def begun(
    objective: Minimised,
    x: np.ndarray,
    networks: np.ndarray,
    max_fun: float,
    negligible: np.ndarray,
    longest: np.ndarray,
) -> State:
    """Networks before their first iteration, without a direction."""
    n_networks, n_params = x.shape
    fun, smooth = objective.loss_gradient(x)
    jac, face = gradients(objective.kinks, x, smooth)
    state = State(
        network=networks,
        x=x,
        fun=fun,
        jac=jac,
        face=face,
        direction=np.empty_like(x),
        slope=np.empty(n_networks),
        step=np.empty(n_networks),
        low=np.empty((n_networks, 3)),
        high=np.empty((n_networks, 3)),
        trials=np.zeros(n_networks, int),
        pairs=CurvaturePairs.none(n_networks, n_params, objective.dtype),
        nit=np.zeros(n_networks, int),
        nfev=np.ones(n_networks, int),
        status=np.full(n_networks, Status.RUNNING),
        negligible=negligible,
        longest=longest,
        predicted_fall=np.full(n_networks, np.nan),
        recent=np.full((n_networks, min(WINDOW, n_params)), np.inf),
    )
    finite = np.isfinite(fun) & np.isfinite(jac).all(axis=1)
    state.status[~finite] = Status.OVERFLOW
    state.status[finite & (max_fun <= 1)] = Status.MAX_FUN
    state.status[finite & ~jac.any(axis=1)] = Status.CONVERGED
    return state


def gradients(
    kinks: Kinks | None, x: np.ndarray, smooth: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """``jac`` and ``face`` of a state at x, for the gradient of what is smooth of J."""
    if kinks is None:
        return smooth, np.empty((len(x), 0))
    return kinks.gradients(x, smooth)
