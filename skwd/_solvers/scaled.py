"""J in scaled variables u = w c, for L-BFGS where alphas are decades apart."""

from __future__ import annotations

import numpy as np

from skwd._core.objective import Objective


class ScaledObjective:
    """What L-BFGS asks of an objective, at w = u / c.

    Parameters
    ----------
    objective : Objective
        J of K networks, with a gradient everywhere.
    scale : ndarray (P,)
        c, the root of about the curvature of J in each parameter.
    """

    def __init__(self, objective: Objective, scale: np.ndarray):
        self.objective, self.scale = objective, scale
        self.dtype, self.kinks = objective.dtype, None

    def __len__(self) -> int:
        return len(self.objective)

    def __getitem__(self, networks) -> ScaledObjective:
        return ScaledObjective(self.objective[networks], self.scale)

    def loss_gradient(self, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """J (K,) and its gradient (K, P) with respect to u."""
        fun, grad = self.objective.loss_gradient(u / self.scale)
        return fun, grad / self.scale


Minimised = Objective | ScaledObjective
