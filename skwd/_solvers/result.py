"""What a solver returns: one status per network, and SciPy's names for the rest."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import IntEnum

import numpy as np


class Status(IntEnum):
    """How a network's training ended; ``message`` says it in words."""

    RUNNING = -1
    CONVERGED = 0
    STOPPED = 1
    MAX_ITER = 2
    MAX_FUN = 3
    STALLED = 4
    DIVERGED = 5
    OVERFLOW = 6
    ROSE = 7
    UNWATCHED = 8
    UNSETTLED = 9
    SLOW = 10
    ASKED = 11

    @property
    def success(self) -> bool:
        return self in (Status.CONVERGED, Status.STOPPED)

    @property
    def message(self) -> str:
        return _MESSAGES[self]


# How networks end that have no usable weights.
UNUSABLE = (Status.DIVERGED, Status.OVERFLOW, Status.UNWATCHED)
SUCCESS = tuple(status for status in Status if status.success)
# Plain numbers: reading a member of an enumeration takes longer than a small sum.
RUNNING, CONVERGED, STOPPED = map(
    int, (Status.RUNNING, Status.CONVERGED, Status.STOPPED)
)

_MESSAGES = {
    Status.RUNNING: "still running",
    Status.CONVERGED: "converged",
    Status.STOPPED: "stopped early: the validation loss no longer improved",
    Status.MAX_ITER: "reached max_iter",
    Status.MAX_FUN: "reached max_fun",
    Status.STALLED: "found no step that lowers the objective at this precision",
    Status.DIVERGED: "diverged",
    Status.OVERFLOW: "the objective is not finite at the initial weights",
    Status.UNWATCHED: "the validation loss is not finite at the initial weights",
    Status.UNSETTLED: "did not settle on alpha",
    Status.SLOW: "made no more progress, though not at a minimum",
    Status.ASKED: "was asked to stop",
    Status.ROSE: "stopped with an objective above the lowest it had reached",
}

# The hook of both loops, called once per iteration (L-BFGS) or epoch with the networks
# that completed one: their numbers (k,), weights (k, P) and J (k,). It answers with a
# Status for each (k,); any but RUNNING ends that network's training.
Callback = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


@dataclass
class Result:
    """The answer for K networks; every field has the stack axis first."""

    x: np.ndarray  # (K, P)
    fun: np.ndarray  # (K,)
    jac: np.ndarray  # (K, P)
    nit: np.ndarray  # (K,)
    nfev: np.ndarray  # (K,)
    status: np.ndarray  # (K,)
    predicted_fall: (
        np.ndarray
    )  # (K,) the fall of J in sight, as a part of J; nan: not known

    @classmethod
    def of_start(cls, params0: np.ndarray, *, with_jac: bool = True) -> Result:
        """The answer before the first evaluation; x is a copy of params0 in float64.

        Without ``with_jac`` the gradient stays unknown, nan, and takes no memory.
        """
        n_networks = len(params0)
        return cls(
            x=np.array(params0, dtype=np.float64),
            fun=np.full(n_networks, np.nan),
            jac=np.full(params0.shape, np.nan)
            if with_jac
            else np.broadcast_to(np.nan, params0.shape),
            nit=np.zeros(n_networks, int),
            nfev=np.zeros(n_networks, int),
            status=np.full(n_networks, Status.RUNNING),
            predicted_fall=np.full(n_networks, np.nan),
        )

    @property
    def success(self) -> np.ndarray:
        return is_one_of(self.status, SUCCESS)


def is_one_of(status: np.ndarray, group: Collection[int]) -> np.ndarray:
    """Which of some statuses (K,) are among others, bool (K,)."""
    return np.fromiter((s in group for s in status.tolist()), bool, len(status))
