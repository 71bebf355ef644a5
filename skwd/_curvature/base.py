"""Gauss-Newton curvature of a fitted network, factorised once for every alpha.

    H = Phi'Phi + diag(decay),   Phi_i = root(s_i / sum s) R_i' J_i,   R R' = d2l/draw2

Parameters that are not penalised (biases) are eliminated first, by an eigenbasis T of
their own block that leaves out what the data do not determine: biases of units that
never act, the common shift of softmax outputs. With C their part of the other columns,

    Psi = (Phi_w - Phi_b T C') diag(decay)^-1/2,   Psi'Psi = V diag(ratio) V'

and everything else is a sum over ratio: how much more the data say of a direction than
the penalty does. With every decay multiplied by ``scale`` the ratios are ratio / scale:
one decomposition gives a whole path of alphas. Where one alpha is all that is asked,
the same sums are had without it (`penalised`).
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from skwd._core.alpha_groups import AlphaGroups
from skwd._core.interface import Interface
from skwd._core.layout import Layout
from skwd._curvature.factors import Factors


class Covariances(Interface, abstract=True):
    """What predictions ask of a curvature."""

    @property
    @abstractmethod
    def block_rows(self) -> int:
        """Rows that `covariances` takes at a time."""

    @abstractmethod
    def covariances(self, factors: Factors, scales: np.ndarray) -> np.ndarray:
        """J H^-1 J' of every row at every scale, (S, b, c, c)."""


@dataclass(eq=False)
class Curvature(Covariances, abstract=True):
    """What every form of the factorised H knows; G are the groups of alpha.

    ``scale`` multiplies the decay that the curvature was made with.
    """

    layout: Layout
    groups: AlphaGroups
    decay: np.ndarray  # (P,) alpha of each parameter, zero for biases
    log_det_free: float  # of the unpenalised parameters, over n_directions
    n_directions: int

    # Whether a row's own part in H is so exact that it can be taken out again.
    knows_rows = True

    @abstractmethod
    def n_effective(self, scale: float = 1.0) -> np.ndarray:
        """Penalised parameters that the data determine, gamma of each group, (G,)."""

    @abstractmethod
    def n_free(self, scale: float = 1.0) -> float:
        """Unpenalised parameters that the data determine."""

    @abstractmethod
    def _log_det_ratio(self, scale: float) -> float:
        """Sum of ln(1 + ratio / scale)."""

    def log_det(self, scale: float = 1.0) -> float:
        """ln|H|, without the directions that nothing determines."""
        decay = self.decay[self.decay > 0.0]
        penalty = np.log(decay).sum() + len(decay) * np.log(scale)
        return float(penalty + self._log_det_ratio(scale) + self.log_det_free)

    @property
    def alpha(self) -> np.ndarray:
        """The alpha of each group, (G,)."""
        return self.groups.common(self.decay)

    def compact(self) -> Covariances:
        """The same for `covariances` at scale 1 alone, in less memory."""
        return self

    @abstractmethod
    def solve(self, vector: np.ndarray, scales: np.ndarray) -> np.ndarray:
        """H^-1 vector at every scale: (P,) -> (S, P)."""
