"""Models that compete by their held-out losses, and leave where they are far behind.

The first folds judge everything; what is far behind there is not trained on the others
(Maron and Moore, "Hoeffding races", NeurIPS 1994).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from skwd._cv.auto import BEHIND, Candidates, as_good
from skwd._cv.parallel import choose_cells
from skwd._cv.settings import Settings


class Competitor(Protocol):
    """A model at one or more alphas."""

    @property
    def first(self) -> np.ndarray:
        """Mean losses in the first folds, (A,)."""

    @property
    def mean(self) -> np.ndarray:
        """Mean losses in all folds, (A,), nan where only the first have judged."""

    def finish(self, most: float) -> None:
        """Judge by all folds what has a loss of at most ``most`` in the first."""

    def extend(self, most: float) -> bool:
        """Judge further alphas while one at an end is the best; whether any was."""


def race(competitors: Mapping[str, Competitor]) -> dict[str, float]:
    """The lowest mean loss of each.

    Of one that has left it is what all folds would say if it were as far behind the
    best in all as in the first.
    """
    firsts = np.concatenate([c.first for c in competitors.values()])
    most = as_good(float(firsts.min()), BEHIND)
    for competitor in competitors.values():
        competitor.finish(most)
    while True:
        means = np.concatenate([c.mean for c in competitors.values()])
        lowest = as_good(float(np.nanmin(means)))
        ahead = [c for c in competitors.values() if (c.mean <= lowest).any()]
        if not any([competitor.extend(most) for competitor in ahead]):
            break
    firsts = np.concatenate([c.first for c in competitors.values()])
    best = int(np.nanargmin(means))
    more = means[best] - firsts[best]
    return {
        name: float(
            c.first.min() + more if np.isnan(c.mean).all() else np.nanmin(c.mean)
        )
        for name, c in competitors.items()
    }


class ConstantModel:
    """The best constants of the rows that networks are trained on."""

    def __init__(self, networks: Candidates):
        self.first = np.array([networks.constant(networks.first_folds)])
        self.mean = np.array([networks.constant()])

    def finish(self, most: float) -> None:
        """It is known in all folds."""

    def extend(self, most: float) -> bool:
        return False


class GroupedModel:
    """Networks with an alpha for each group of parameters, by the evidence."""

    def __init__(self, networks: Candidates, settings: Settings):
        assert settings.groups is not None
        self._networks = networks
        self._how = "evidence", settings.groups, settings["n_jobs"]
        self._found = self._judged(networks.first_folds)
        self.first = np.array([self._found.mean()])

    @property
    def mean(self) -> np.ndarray:
        is_whole = len(self._found) == len(self._networks.tasks)
        return np.array([self._found.mean() if is_whole else np.nan])

    def finish(self, most: float) -> None:
        others = slice(len(self._found), None)
        if self.first[0] <= most and self._networks.tasks[others]:
            self._found = np.concatenate([self._found, self._judged(others)])

    def extend(self, most: float) -> bool:
        return False

    def _judged(self, folds: slice) -> np.ndarray:
        fits = choose_cells(self._networks.tasks[folds], *self._how)
        return self._networks.losses_of(fits, folds)
