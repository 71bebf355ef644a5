"""Targets: what y is, and how it becomes the (n, n_targets) array that a loss takes.

An object of this file is made from the y of fit and encodes further y (of validation
data) the same way. It is never changed: what it learns from rows makes another one.
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from skwd._core.interface import Interface
from skwd._core.layout import Layout
from skwd._core.loss import Loss


class Targets(Interface, abstract=True):
    """What y is, and how it is encoded."""

    loss: Loss

    @property
    def weighed_by(self) -> str:
        """What the weights of rows are made of, in words."""
        return "sample_weight"

    @property
    def counts_with(self) -> str:
        """What a row has that counts, in words."""
        return "a positive weight"

    @abstractmethod
    def encode(self, y, weight, name: str = "y") -> tuple[np.ndarray, np.ndarray]:
        """y as (n, n_targets), float64, and the weights of its rows."""

    def flat(self, y):
        """y of the shape that makes further targets without a warning."""
        return y

    @abstractmethod
    def fitted(self) -> dict:
        """The estimator's attributes that it has learnt."""

    @abstractmethod
    def examples(self) -> np.ndarray:
        """A few y of the shape and the classes of those that were fitted."""

    def strata(self, Y: np.ndarray) -> np.ndarray | None:
        """Class numbers to keep in proportion when rows are held out, or None."""
        return None

    def fitted_to(
        self, Y: np.ndarray, norm_weight: np.ndarray, kept: Targets | None = None
    ) -> Targets:
        """Targets whose loss and units of y are those of rows to train on.

        ``Y`` (n, n_targets) is encoded; where ``kept``, those of an earlier fit, know
        units, these stay.
        """
        return self

    def continued(
        self, earlier: Targets, layout: Layout, params: np.ndarray
    ) -> np.ndarray:
        """Networks (K, P) of ``earlier`` targets, for y as it is encoded now."""
        return params

    def scaled(self, Y: np.ndarray) -> np.ndarray:
        """Encoded y in the units that were learnt."""
        return Y

    def check_known(self) -> None:
        """Raise unless something is known of every target."""

    def hidden(self, y):
        """Some y without the targets of which nothing is known."""
        return y

    def missing(self, whole: Targets) -> list:
        """The classes of the whole data that these, of a part of it, do not have."""
        return []

    def absent(self, y) -> list:
        """The classes that some y do not have."""
        return []
