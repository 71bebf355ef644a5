"""The steps of the epoch loop: how parameters move, given the gradient of the loss.

An update owns the place where alpha enters a step: it gets the gradient of the loss
without the penalty, and ``decay``, alpha of each parameter (0 for biases).
"""

from __future__ import annotations

import numpy as np


class GradientDescent:
    """w <- w - learning_rate (grad + decay * w), the gradient of J."""

    def __init__(self, learning_rate: float):
        self.learning_rate = learning_rate

    def __call__(self, params: np.ndarray, grad: np.ndarray, decay: np.ndarray) -> None:
        """Move ``params`` (K, P) in place; ``grad`` is overwritten."""
        grad += decay * params
        grad *= self.learning_rate
        params -= grad
