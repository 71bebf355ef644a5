"""What competes in the race of alpha="auto": a model at one or more alphas."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from skwd._core.interface import Interface


class Competitor(Interface, abstract=True):
    """A model at one or more alphas, judged by held-out losses."""

    @property
    @abstractmethod
    def first_losses(self) -> np.ndarray:
        """Mean losses in the first folds, (A,)."""

    @property
    @abstractmethod
    def mean_losses(self) -> np.ndarray:
        """Mean losses in all folds, (A,), nan where only the first have judged."""

    @abstractmethod
    def finish(self, most: float) -> None:
        """Judge by all folds what has a loss of at most ``most`` in the first."""

    @abstractmethod
    def extend(self, most: float) -> bool:
        """Judge further alphas while one at an end is the best; whether any was."""
