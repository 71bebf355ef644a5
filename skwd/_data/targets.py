"""Targets: what y is, and how it becomes the (n, n_outputs) array that a loss takes.

An object of this file is made from the y of fit and encodes further y (of validation
data) the same way. ``fitted()`` are the estimator's attributes that it has learnt.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from skwd._core.layout import Layout
from skwd._core.loss import Loss
from skwd._core.sample import Sample


class Targets(ABC):
    """What y is, and how it is encoded."""

    loss: Loss

    @abstractmethod
    def encode(self, y, weight, name: str = "y") -> tuple[np.ndarray, np.ndarray]:
        """y as (n, n_outputs), float64, and the weights of its rows."""

    @abstractmethod
    def fitted(self) -> dict:
        """The estimator's attributes that it has learnt."""

    def strata(self, Y: np.ndarray) -> np.ndarray | None:
        """Class numbers to keep in proportion when rows are held out, or None."""
        return None

    def learn_scale(self, sample: Sample) -> None:  # noqa: B027 (most have none)
        """Learn the units of y from the rows to train on, ``sample.y`` as encoded."""

    def continued(self, layout: Layout, params: np.ndarray) -> np.ndarray:
        """Networks (K, P) of an earlier fit, for y as it is encoded now."""
        return params

    def scaled(self, Y: np.ndarray) -> np.ndarray:
        """Encoded y in the units of the samples, once they are known."""
        return Y

    def missing(self, whole: Targets) -> list:
        """The classes of the whole data that these, of a part of it, do not have."""
        return []

    def absent(self, y) -> list:
        """The classes that some y do not have."""
        return []
