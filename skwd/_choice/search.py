"""alpha by approximate leave-one-out or generalised cross-validation.

For squared errors one fit tells of all alphas: follow the path from there, fit again
at its best, until it stays. For other losses curvature depends on the fit, so that the
path of a fit at too large an alpha always points down: they are judged where they are
fitted, in steps towards lower losses, and a parabola about the lowest has the choice.

The search goes on from fit to fit; the network that predicts is a plain fit at the
alpha that was chosen.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import NamedTuple

import numpy as np

from skwd._choice.leave_one_out import follow
from skwd._choice.weak import is_weak, make_constant, without_features
from skwd._path import Problem, search_scale
from skwd._result import AlphaPath, Status
from skwd._training import Trained, train

# The grid, in units of a (`search_scale`), and where the first fit is.
LOWEST, HIGHEST, HIGHEST_LINEAR = 1e-7, 1.0, 1e4
PER_DECADE = 10
START, START_KNOWN_NOISE = 1e-2, 10**-1.4
# In steps of the grid: the most that alpha changes between two fits along paths, and
# what it changes by without them, a factor of 2.5.
LONGEST, STEP = 10, 4
MAX_FITS = 30


def alpha_path(problem: Problem) -> np.ndarray:
    """The alphas that are compared, ascending; a is one of them."""
    linear = problem.layout.n_weight_layers == 1
    highest = HIGHEST_LINEAR if linear else HIGHEST
    first, last = np.log10(LOWEST), np.log10(highest)
    steps = np.linspace(first, last, round((last - first) * PER_DECADE) + 1)
    return search_scale(problem.training) * 10.0**steps


def choose_by_path(problem: Problem, name: str) -> Trained:
    """Train the restarts of a problem, each at the best alpha of its own search.

    Parameters
    ----------
    problem : Problem
    name : {"loo", "gcv"}

    Returns
    -------
    Trained
        ``path`` is what the search has seen, ``criterion`` its lowest loss.
    """
    alphas, settings = alpha_path(problem), problem.settings
    has_noise = problem.loss.has_noise
    start = (START if has_noise else START_KNOWN_NOISE) * search_scale(problem.training)
    first = int(np.argmin(np.abs(alphas - start)))
    searches = [
        (_along_paths if has_noise else _by_steps)(first, alphas)
        for _ in problem.params0
    ]
    at = np.array([next(search) for search in searches])
    shape = len(at), problem.layout.n_weight_layers

    def fit(networks: np.ndarray, params: np.ndarray) -> Trained:
        objective = problem.objective(np.broadcast_to(alphas[at, None], shape))
        return train(objective[networks], params, settings)

    trained = fit(np.arange(len(at)), problem.params0)
    criterion, paths = np.full(len(at), np.inf), [None] * len(at)
    running, chosen = np.flatnonzero(~trained.lost), []
    constant = follow(*without_features(problem), np.ones(1), name).losses[0]
    for n_fits in range(1, MAX_FITS + 1):
        going = []
        for k in running:
            where = alphas if has_noise else alphas[at[k] : at[k] + 1]
            path = follow(problem, trained.params[k], alphas[at[k]], where, name)
            if settings.verbose:
                print(f"Network {k}, fit {n_fits}: alpha = {alphas[at[k]]:.4g}")
            asked = searches[k].send(path)
            paths[k] = asked.path
            criterion[k] = asked.path.losses.min()
            weak = is_weak(problem, trained, k, alphas[asked.place], alphas[-1])
            if weak or (asked.is_last and criterion[k] > constant):
                make_constant(problem, trained, k, alphas[-1])
                criterion[k] = constant
                continue
            at[k] = asked.place
            (chosen if asked.is_last else going).append(k)
        running = np.array(going, dtype=int)
        if not len(running) or n_fits == MAX_FITS:
            break
        params = trained.params[running].astype(np.float64)
        trained.go_on(running, fit(running, params))
        running = running[~trained.lost[running]]
    last = np.array(sorted([*chosen, *running]), dtype=int)
    if len(last):
        trained.take(last, fit(last, problem.params0[last]))
    unsettled = running[~trained.lost[running]]
    trained.status[unsettled] = Status.UNSETTLED
    trained.criterion, trained.path = criterion, paths
    return trained


class Asked(NamedTuple):
    """What a search wants next, and what it knows."""

    place: int  # on the grid of alphas
    is_last: bool  # fit there and be done
    path: AlphaPath


# Begins with a place to fit at; is sent the path seen from there and asks for the next.
Search = Generator[int | Asked, AlphaPath, None]


def _along_paths(at: int, alphas: np.ndarray) -> Search:
    """Fit at the best place of the path from the last fit, until it stays.

    Where paths point back and forth the moves get shorter.
    """
    path = yield at
    longest, last = LONGEST, 0
    while True:
        # The highest of equals: GCV is infinite where nothing is left to be noise.
        move = len(alphas) - 1 - int(np.argmin(path.losses[::-1])) - at
        if move * last < 0:
            longest //= 2
        last = int(np.clip(move, -longest, longest))
        at += last
        path = yield Asked(at, not move or not longest, path)


def _by_steps(at: int, alphas: np.ndarray) -> Search:
    """Down from ``at`` or up, while losses fall; then where a parabola is lowest."""
    seen: dict[int, AlphaPath] = {}

    def loss(i: int) -> float:
        return seen[i].losses[0]

    def known() -> AlphaPath:
        return AlphaPath(
            alphas[sorted(seen)],
            np.array([loss(i) for i in sorted(seen)]),
            np.array([seen[i].errors[0] for i in sorted(seen)]),
        )

    seen[at] = yield at
    best, moved = at, True
    while moved:
        moved = False
        for to in (best - STEP, best + STEP):
            if 0 <= to < len(alphas) and to not in seen:
                seen[to] = yield Asked(to, False, known())
                if loss(to) < loss(best):
                    best, moved = to, True
                    break
    beside = best - STEP, best + STEP
    if all(to in seen for to in beside):
        left, right = (loss(to) - loss(best) for to in beside)
        if 0.0 < left + right < np.inf:
            best += round(0.5 * STEP * (left - right) / (left + right))
    yield Asked(best, True, known())
