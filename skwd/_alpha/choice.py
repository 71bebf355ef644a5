"""What a choice of alpha returns: trained networks, and what it has seen of alphas."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from skwd._core.network import Network
from skwd._core.objective import Objective
from skwd._curvature.laplace import Laplace
from skwd._solvers.base import Solver
from skwd._solvers.task import TrainingTask
from skwd._solvers.training import StackFit, train

# What a third or three times of a constant does is from benchmarks/constants.py: mean
# held-out errors over those at its value, one split each of up to eight tables of 200
# rows. "As good" is within what another rounding of X does there.

# The most that ln(alpha) changes in a round. A third or three times: as good; a third
# takes up to half more iterations at 450 rows.
LONGEST = 1.0
# A log Bayes factor that counts: "strong" (Kass and Raftery, JASA 1995). A third: as
# good; three times: errors 1.07, of deep networks 1.22.
STRONG = 3.0
# With fewer effective weights than this a group has none: its alpha rises without end.
# A third or three times: as good.
LEAST_GAMMA = 0.02
TINY = float(np.finfo(float).tiny)  # in the place of an alpha of 0


@dataclass
class AlphaPath:
    """The estimated loss at every alpha of a path."""

    alphas: np.ndarray  # (A,) ascending
    losses: np.ndarray  # (A,) lower is better, in the units of J without its penalty
    errors: np.ndarray | None  # (A,) their standard errors, where they are known
    dof: np.ndarray  # (A,) parameters that the data determine
    model: str | None = None  # whose alphas these are, where models are compared

    def attributes(self) -> dict[str, np.ndarray | None]:
        """The path as fitted attributes, by name."""
        return {
            "alphas_": self.alphas,
            "alpha_scores_": -self.losses,
            "alpha_score_errors_": self.errors,
        }


@dataclass
class AlphaChoice(StackFit):
    """K trained networks, each at its alpha; every field has the stack axis first."""

    laplace: list[Laplace | None]  # where the evidence has been computed
    path: list[AlphaPath | None]  # the alphas that were compared
    lowest: np.ndarray  # (K,) bool: alpha is at the low end of what was searched

    @classmethod
    def of(cls, fit: StackFit) -> AlphaChoice:
        """Networks of which nothing is known yet."""
        held = {field.name: getattr(fit, field.name) for field in fields(StackFit)}
        n_networks = len(fit.params)
        return cls(
            **held,
            laplace=[None] * n_networks,
            path=[None] * n_networks,
            lowest=np.zeros(n_networks, bool),
        )

    def __getitem__(self, networks: np.ndarray) -> AlphaChoice:
        part = super().__getitem__(networks)
        assert isinstance(part, AlphaChoice)
        return part

    def known(self, k: int) -> Laplace:
        """Laplace's approximation of network k, which has been computed."""
        laplace = self.laplace[k]
        assert laplace is not None
        return laplace

    def take(self, networks: np.ndarray, others: StackFit) -> None:
        """Put others in the place of some networks, by their numbers."""
        if not isinstance(others, AlphaChoice):
            others = AlphaChoice.of(others)
        super().take(networks, others)

    def dof(self, k: int) -> float:
        """Effective parameters of network k, as the search for its alpha saw them."""
        laplace, path = self.laplace[k], self.path[k]
        if laplace is not None:
            return laplace.dof
        return 0.0 if path is None else float(path.dof[np.argmin(path.losses)])


def laplace_of(
    task: TrainingTask, params: np.ndarray, alpha: np.ndarray, *, one_alpha: bool = True
) -> Laplace:
    """Laplace's approximation at an optimum ``params`` (P,) of J at ``alpha`` (G,)."""
    network = Network(task.layout, task.activation)
    point = network, task.loss, task.training, params, alpha
    return Laplace.of(*point, one_alpha=one_alpha, groups=task.groups)


def laplaces_of(
    task: TrainingTask, trained: AlphaChoice, networks: np.ndarray
) -> list[Laplace]:
    """Laplace's approximation of each of some networks, as far as it is not known."""
    return [
        trained.laplace[k] or laplace_of(task, trained.params[k], trained.alpha[k])
        for k in networks
    ]


def mackay_change(
    found: Laplace, alpha: np.ndarray, low: float = TINY, high: float = np.inf
) -> np.ndarray:
    """ln of MacKay's next alpha, gamma noise / (n ||w||^2), over ``alpha``: (G,)."""
    ratio = np.clip(found.alpha, low, high) / alpha
    return np.log(np.maximum(ratio, TINY))  # of an alpha near the end of floats


def moved(
    alpha: np.ndarray, change: np.ndarray, longest: float | np.ndarray
) -> np.ndarray:
    """alpha with ``change`` added to its logarithm, which moves by ``longest`` at most.

    So the network can follow.
    """
    return alpha * np.exp(np.clip(change, -longest, longest))


def train_from(
    objective: Objective, params0: np.ndarray, solver: Solver
) -> AlphaChoice:
    """Train a stack of networks from ``params0`` (K, P)."""
    return AlphaChoice.of(train(objective, params0, solver))
