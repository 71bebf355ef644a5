"""Models that compete by their held-out losses, and leave where they are far behind.

The first folds judge everything; what is far behind there is not trained on the others
(Maron and Moore, "Hoeffding races", NeurIPS 1994).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from skwd._cv.auto import BEHIND, Candidates, as_good
from skwd._cv.competitor import Competitor
from skwd._cv.parallel import choose_cells
from skwd._cv.settings import Settings


def race(competitors: Mapping[str, Competitor]) -> dict[str, float]:
    """The lowest mean loss of each.

    Of one that has left it is what all folds would say if it were as far behind the
    best in all as in the first.
    """
    firsts = np.concatenate([c.first_losses for c in competitors.values()])
    most = as_good(float(firsts.min()), BEHIND)
    for competitor in competitors.values():
        competitor.finish(most)
    while True:
        means = np.concatenate([c.mean_losses for c in competitors.values()])
        lowest = as_good(float(np.nanmin(means)))
        ahead = [c for c in competitors.values() if (c.mean_losses <= lowest).any()]
        if not any([competitor.extend(most) for competitor in ahead]):
            break
    firsts = np.concatenate([c.first_losses for c in competitors.values()])
    best = int(np.nanargmin(means))
    more = means[best] - firsts[best]
    return {
        name: float(
            c.first_losses.min() + more
            if np.isnan(c.mean_losses).all()
            else np.nanmin(c.mean_losses)
        )
        for name, c in competitors.items()
    }


class ConstantModel(Competitor):
    """The best constants of the rows that networks are trained on."""

    def __init__(self, networks: Candidates):
        self._in_first = networks.constant(networks.first_folds)
        self._in_all = networks.constant()

    @property
    def first_losses(self) -> np.ndarray:
        return np.array([self._in_first])

    @property
    def mean_losses(self) -> np.ndarray:
        return np.array([self._in_all])

    def finish(self, most: float) -> None:
        """It is known in all folds."""

    def extend(self, most: float) -> bool:
        return False


class GroupedModel(Competitor):
    """Networks with an alpha for each group of parameters, by the evidence."""

    def __init__(self, networks: Candidates, settings: Settings):
        assert settings.groups is not None
        self._networks = networks
        self._how = "evidence", settings.groups, settings["n_jobs"]
        self._found = self._judged(networks.first_folds)
        self._in_first = float(self._found.mean())

    @property
    def first_losses(self) -> np.ndarray:
        return np.array([self._in_first])

    @property
    def mean_losses(self) -> np.ndarray:
        is_whole = len(self._found) == len(self._networks.tasks)
        return np.array([self._found.mean() if is_whole else np.nan])

    def finish(self, most: float) -> None:
        others = slice(len(self._found), None)
        if self._in_first <= most and self._networks.tasks[others]:
            self._found = np.concatenate([self._found, self._judged(others)])

    def extend(self, most: float) -> bool:
        return False

    def _judged(self, folds: slice) -> np.ndarray:
        fits = choose_cells(self._networks.tasks[folds], *self._how)
        return self._networks.losses_of(fits, folds)
