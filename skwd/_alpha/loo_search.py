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

from collections.abc import Generator
from functools import partial
from typing import NamedTuple

import numpy as np

from skwd._alpha.choice import AlphaChoice, AlphaPath, train_from
from skwd._alpha.constant import is_without_weights, make_constant, without_features
from skwd._alpha.evidence_start import train_to_convergence
from skwd._alpha.leave_one_out import loss_path
from skwd._alpha.scales import search_scale
from skwd._alpha.way import Way
from skwd._solvers.hooks import tell_round
from skwd._solvers.task import TrainingTask

# The grid, in units of `search_scale`, and where the first fit is.
LOWEST, HIGHEST, HIGHEST_LINEAR = 1e-7, 1.0, 1e4
PER_DECADE = 10
START = 10**-1.4
# What alpha changes by between two fits, in steps of the grid: a factor of 2.5. One fit
# without a lower loss ends the way; down, squared errors may have a next that is MUCH
# lower: of networks that know the rows by heart any loss is an optimist's.
STEP = 4
MUCH = 0.5


def alpha_path(task: TrainingTask) -> np.ndarray:
    """The alphas that are compared, ascending; a is one of them."""
    linear = task.layout.n_weight_layers == 1
    highest = HIGHEST_LINEAR if linear else HIGHEST
    first, last = np.log10(LOWEST), np.log10(highest)
    steps = np.linspace(first, last, round((last - first) * PER_DECADE) + 1)
    return search_scale(task) * 10.0**steps


class ByLOO(Way):
    """Each restart at the alpha of the lowest approximate leave-one-out loss."""

    name = "loo"

    def choose(self, task, kind, verbose):
        return choose_by_path(task, self.name, verbose=verbose)


class ByGCV(ByLOO):
    """Each restart at the alpha of the lowest generalised cross-validation score."""

    name = "gcv"
    needs_noise = True


def choose_by_path(
    task: TrainingTask, name: str, *, verbose: bool = False
) -> AlphaChoice:
    """Train the restarts of a task, each at the best alpha of its own search.

    Parameters
    ----------
    task : TrainingTask
    name : {"loo", "gcv"}
    verbose : bool
        Print a line for each fit of each network.

    Returns
    -------
    AlphaChoice
        ``path`` is what the search has seen, ``criterion`` its lowest loss.
    """
    return PathSearch(task, name, verbose).run()


class PathSearch:
    """The search of `choose_by_path` for the restarts of one task."""

    def __init__(self, task: TrainingTask, name: str, verbose: bool):
        self.task, self.name, self.verbose = task, name, verbose
        self.alphas, n_init = alpha_path(task), len(task.params0)
        start = START * search_scale(task)
        first = int(np.argmin(np.abs(self.alphas - start)))
        self.is_exact = (
            task.likelihood.estimates_noise and task.layout.n_weight_layers == 1
        )
        patience = 2 if task.likelihood.estimates_noise else 1
        search = partial(_by_steps, patience=patience)
        if self.is_exact:
            search = partial(_along_the_path)
        self.searches = [search(first, self.alphas) for _ in range(n_init)]
        for begun in self.searches:
            next(begun)
        self.place = np.full(n_init, first)  # of each network on the grid
        self.criterion = np.full(n_init, np.inf)
        self.paths: list[AlphaPath | None] = [None] * n_init
        self.best = task.params0.copy()  # where the search has seen the lowest loss

    def run(self) -> AlphaChoice:
        """The networks, each at the alpha of its lowest loss."""
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
        place = self.place[k]
        where = self.alphas if self.is_exact else self.alphas[place : place + 1]
        params, alpha = trained.params[k], self.alphas[place]
        path = loss_path(self.task, params, alpha, where, self.name)
        if self.verbose:
            _print_lowest(f"Network {k}, fit {n_fits}", path, self.name)
        of_groups = np.full(self.task.groups.n_groups, alpha)
        asked = tell_round(self.task.solver.hooks, k, params, of_groups)
        if path.losses.min() < self.criterion[k]:
            self.best[k] = params
        request = self.searches[k].send(path)
        assert request is not None
        self.paths[k], self.place[k] = request.path, request.place
        self.criterion[k] = request.path.losses.min()
        return request.is_last or asked

    def _end(self, trained: AlphaChoice, chosen: np.ndarray) -> None:
        """Train the ``chosen`` networks to their minima, or make them constants."""
        task, highest = self.task, len(self.alphas) - 1
        if len(chosen):
            trained.take(chosen, self._fit(chosen, self.best[chosen]))
            train_to_convergence(task, trained)
        constant = loss_path(*without_features(task), np.ones(1), self.name).losses[0]
        for k in map(int, chosen):
            nothing = self.criterion[k] >= constant or self.place[k] == highest
            nothing = nothing or is_without_weights(task, trained, k)
            if nothing and not trained.unusable[k]:
                make_constant(task, trained, k, self.alphas[-1])
                self.criterion[k] = constant
        trained.criterion, trained.path = self.criterion, self.paths
        trained.lowest = self.place == 0


def _print_lowest(which: str, path: AlphaPath, name: str) -> None:
    """One line about a fit: what its path sees at its best."""
    lowest = int(np.argmin(path.losses))
    print(
        f"{which}: alpha = {path.alphas[lowest]:.4g}, {name} = "
        f"{path.losses[lowest]:.8g}, effective parameters = {path.dof[lowest]:.4g}"
    )


class SearchRequest(NamedTuple):
    """What a search wants next, and what it knows."""

    place: int  # on the grid of alphas
    is_last: bool  # fit there and be done
    path: AlphaPath


# Is sent the path seen from where it has asked for a fit, and asks for the next. The
# first fit is not asked for: None.
Search = Generator[SearchRequest | None, AlphaPath, None]


def _along_the_path(place: int, alphas: np.ndarray) -> Search:
    """Where the path from the first fit is lowest."""
    path = yield None
    # The highest of equals: GCV is infinite where nothing is left to be noise.
    best = len(alphas) - 1 - int(np.argmin(path.losses[::-1]))
    yield SearchRequest(best, True, path)


def _by_steps(place: int, alphas: np.ndarray, patience: int) -> Search:
    """Down from ``place`` while losses fall, and up; then where a parabola is lowest.

    ``patience`` fits without a lower loss end the way down.
    """
    seen: dict[int, AlphaPath] = {}

    def loss(i: int) -> float:
        return seen[i].losses[0]

    def known() -> AlphaPath:
        paths = [seen[i] for i in sorted(seen)]
        losses = np.array([path.losses[0] for path in paths])
        known_errors = [path.errors[0] for path in paths if path.errors is not None]
        errors = np.array(known_errors) if known_errors else None
        dof = np.array([path.dof[0] for path in paths])
        return AlphaPath(alphas[sorted(seen)], losses, errors, dof)

    seen[place] = yield None
    best = place
    for step, most in ((-STEP, patience), (STEP, 1)):
        to, misses = best + step, 0
        while misses < most and 0 <= to < len(alphas):
            if to not in seen:
                seen[to] = yield SearchRequest(to, False, known())
            if loss(to) < loss(best) * (MUCH if misses else 1.0):
                best, misses = to, 0
            else:
                misses += 1
            to += step
    beside = best - STEP, best + STEP
    if all(to in seen for to in beside):
        left, right = (loss(to) - loss(best) for to in beside)
        if 0.0 < left + right < np.inf:
            best += round(0.5 * STEP * (left - right) / (left + right))
    yield SearchRequest(best, True, known())
