"""Which parameters share an alpha: one number for each group, and sums over groups."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

# alpha of weights that are held at zero: the largest number, so that times 0 it is 0.
ABSENT = float(np.finfo(np.float64).max)


@dataclass(frozen=True, eq=False)
class AlphaGroups:
    """The group of every parameter of a network.

    Parameters
    ----------
    index : ndarray of int (P,)
        The group of each parameter; ``n_groups`` where it is not penalised (biases).
    n_groups : int
        G. Every group has a parameter.
    """

    index: np.ndarray
    n_groups: int

    @cached_property
    def mask(self) -> np.ndarray:
        """1 where a parameter is penalised, else 0: (P,)."""
        return (self.index < self.n_groups).astype(np.float64)

    @cached_property
    def counts(self) -> np.ndarray:
        """Parameters of each group, (G,)."""
        return self.sums(np.ones(len(self.index)))

    def per_parameter(self, alpha: np.ndarray) -> np.ndarray:
        """alpha of each parameter, zero without a penalty: (K, G) -> (K, P)."""
        padded = np.zeros((len(alpha), self.n_groups + 1))
        padded[:, :-1] = alpha
        return padded.take(self.index, axis=1)  # row by row in memory, as parameters

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Sums over the parameters of each group: (P,) -> (G,)."""
        found = np.bincount(self.index, values, minlength=self.n_groups + 1)
        return found[:-1].astype(np.float64)  # of no parameters they are integers

    def common(self, values: np.ndarray) -> np.ndarray:
        """The value that the parameters of each group share: (P,) -> (G,)."""
        found = np.zeros(self.n_groups + 1)
        found[self.index] = values
        return found[:-1]
