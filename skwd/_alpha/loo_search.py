"""alpha by approximate leave-one-out or generalised cross-validation.

One fit tells of all alphas, as far as the network is linear; but curvature depends on
the fit, so that the path of a fit at too large an alpha always points down. Hidden
networks are therefore judged where they are fitted, in steps down from a large alpha
while losses fall, and a parabola about the lowest has the choice. Linear models of
squared errors have no more to learn from a second fit: their path is exact.

The search goes on from fit to fit, and so does the network that predicts: it is the one
that was judged best, trained on at the alpha that was chosen.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from skwd._alpha.choice import AlphaChoice, AlphaPath, train_from
from skwd._alpha.constant import is_without_weights, make_constant, without_features
from skwd._alpha.evidence_start import train_to_convergence
from skwd._alpha.leave_one_out import loss_path
from skwd._alpha.scales import alpha_range, search_scale
from skwd._alpha.way import Way
from skwd._solvers.hooks import tell_round
from skwd._solvers.task import TrainingTask

# Alphas of the grid, and where on it the first fit is in units of `search_scale`. Of
# linear models half or twice as many: no change; a first fit at a third of it: worst
# errors 1.7, at three times 1.2, as those of another rounding.
PER_DECADE = 10
START = 10**-1.4
# What alpha changes by between two fits, in steps of the grid: a factor of 2.5. Half of
# it, 1.6: errors .96 (tanh) and 1.01 (ReLU) in two thirds of the work at 200 rows, but
# 1.13 on the one split of 700 rows of concrete that was tried.
STEP = 4
# After a fit without a lower loss the way down goes on for a loss below this part of
# the best. A third: no change; three times: errors 1.7 and 2.0 ("gcv"), worst 3.9.
MUCH = 0.5


def alpha_path(task: TrainingTask) -> np.ndarray:
    """The alphas that are compared, ascending; a is one of them."""
    low, high = alpha_range(task)
    return np.geomspace(low, high, round(np.log10(high / low) * PER_DECADE) + 1)


class ByLOO(Way):
    """Each restart at the alpha of the lowest approximate leave-one-out loss."""

    name = "loo"
    # Whether each row is left out in its turn: otherwise all have the mean leverage.
    leaves_out: ClassVar[bool] = True

    def choose(self, task, kind, verbose):
        return PathSearch(task, self, verbose).run()


class ByGCV(ByLOO):
    """Each restart at the alpha of the lowest generalised cross-validation score."""

    name = "gcv"
    needs_noise = True
    leaves_out = False


class PathSearch:
    """The search of the best alpha of each restart of a task.

    Parameters
    ----------
    task : TrainingTask
    way : ByLOO or ByGCV
    verbose : bool
        Print a line for each fit of each network.
    """

    def __init__(self, task: TrainingTask, way: ByLOO, verbose: bool):
        self.task, self.way, self.verbose = task, way, verbose
        self.alphas, n_init = alpha_path(task), len(task.params0)
        start = START * search_scale(task)
        self.first = int(np.argmin(np.abs(self.alphas - start)))
        self.is_exact = (
            task.likelihood.estimates_noise and task.layout.n_weight_layers == 1
        )
        self.patience = 2 if task.likelihood.estimates_noise else 1
        self.place = np.full(n_init, self.first)  # of each network on the grid
        self.best = task.params0.copy()  # where the search has seen the lowest loss
        # What has been seen of each network at each alpha of the grid, (K, A).
        self.losses = np.full((n_init, len(self.alphas)), np.inf)
        self.errors, self.dof = np.zeros_like(self.losses), np.zeros_like(self.losses)
        self.seen = np.zeros(self.losses.shape, dtype=bool)

    def run(self) -> AlphaChoice:
        """The networks, each at the alpha of its lowest loss.

        ``path`` is what the search has seen, ``criterion`` its lowest loss.
        """
        trained = self._fit(np.arange(len(self.place)), self.task.params0)
        running, chosen = np.flatnonzero(~trained.unusable), np.array([], dtype=np.intp)
        n_fits = 0
        while len(running):
            n_fits += 1
            is_last = [self._judge(trained, k, n_fits) for k in map(int, running)]
            ended = np.array(is_last, dtype=bool)
            chosen, running = np.concatenate([chosen, running[ended]]), running[~ended]
            if len(running):
                params = trained.params[running].astype(np.float64)
                trained.take(running, self._fit(running, params))
                running = running[~trained.unusable[running]]
        self._end(trained, np.sort(chosen))
        return trained

    def _fit(self, networks: np.ndarray, params: np.ndarray) -> AlphaChoice:
        """Train some networks from ``params`` at their places on the grid."""
        shape = len(self.place), self.task.groups.n_groups
        alphas = np.broadcast_to(self.alphas[self.place, None], shape)
        objective = self.task.objective(alphas)
        return train_from(objective[networks], params, self.task.solver)

    def _judge(self, trained: AlphaChoice, k: int, n_fits: int) -> bool:
        """Move network k to where its search asks for a fit; whether it is the last."""
        where = (
            slice(None) if self.is_exact else slice(self.place[k], self.place[k] + 1)
        )
        params, alpha = trained.params[k], self.alphas[self.place[k]]
        path = self._losses(self.task, params, alpha, self.alphas[where])
        if self.verbose:
            _print_lowest(f"Network {k}, fit {n_fits}", path, self.way.name)
        of_groups = np.full(self.task.groups.n_groups, alpha)
        asked = tell_round(self.task.solver.hooks, k, params, of_groups)
        if path.losses.min() < self.losses[k].min():
            self.best[k] = params
        self.seen[k, where], self.losses[k, where] = True, path.losses
        self.dof[k, where] = path.dof
        self.errors[k, where] = 0.0 if path.errors is None else path.errors
        if self.is_exact:
            # The highest of equals: GCV is infinite where nothing is left to be noise.
            self.place[k] = len(self.alphas) - 1 - int(np.argmin(path.losses[::-1]))
            return True
        known = self.losses[k], self.seen[k]
        self.place[k], is_last = next_place(*known, self.first, self.patience)
        return is_last or asked

    def _losses(self, task: TrainingTask, *how) -> AlphaPath:
        return loss_path(task, *how, leaves_out=self.way.leaves_out)

    def _path(self, k: int) -> AlphaPath | None:
        """What has been seen of network k."""
        seen = self.seen[k]
        if not seen.any():
            return None
        errors = self.errors[k, seen] if self.way.leaves_out else None
        return AlphaPath(
            self.alphas[seen], self.losses[k, seen], errors, self.dof[k, seen]
        )

    def _end(self, trained: AlphaChoice, chosen: np.ndarray) -> None:
        """Train the ``chosen`` networks to their minima, or make them constants."""
        task, highest = self.task, len(self.alphas) - 1
        if len(chosen):
            trained.take(chosen, self._fit(chosen, self.best[chosen]))
            train_to_convergence(task, trained)
        constant = self._losses(*without_features(task), np.ones(1)).losses[0]
        criterion = self.losses.min(axis=1)
        for k in map(int, chosen):
            nothing = criterion[k] >= constant or self.place[k] == highest
            nothing = nothing or is_without_weights(task, trained, k)
            if nothing and not trained.unusable[k]:
                make_constant(task, trained, k, self.alphas[-1])
                criterion[k] = constant
        trained.criterion = criterion
        trained.path = [self._path(k) for k in range(len(criterion))]
        trained.lowest = self.place == 0


def _print_lowest(which: str, path: AlphaPath, name: str) -> None:
    """One line about a fit: what its path sees at its best."""
    lowest = int(np.argmin(path.losses))
    print(
        f"{which}: alpha = {path.alphas[lowest]:.4g}, {name} = "
        f"{path.losses[lowest]:.8g}, effective parameters = {path.dof[lowest]:.4g}"
    )


def next_place(
    losses: np.ndarray, seen: np.ndarray, first: int, patience: int
) -> tuple[int, bool]:
    """Where on the grid to fit next, and whether that is the last fit.

    Down from ``first`` while losses fall, and up; then where a parabola is lowest. The
    walk is taken anew each time, over the ``losses`` (A,) that have been ``seen`` (A,),
    as far as they reach.

    Interpolating networks have optimistic losses: on the way down, which ``patience``
    fits without a lower loss end, only a fall by MUCH resumes the search.
    """
    best = first
    for step, most in ((-STEP, patience), (STEP, 1)):
        to, misses = best + step, 0
        while misses < most and 0 <= to < len(losses):
            if not seen[to]:
                return to, False
            if losses[to] < losses[best] * (MUCH if misses else 1.0):
                best, misses = to, 0
            else:
                misses += 1
            to += step
    beside = [best - STEP, best + STEP]
    are_seen = all(0 <= to < len(losses) and seen[to] for to in beside)
    if are_seen and np.isfinite(losses[best]):
        left, right = losses[beside] - losses[best]
        if 0.0 < left + right < np.inf:
            best += round(0.5 * STEP * (left - right) / (left + right))
    return best, True
