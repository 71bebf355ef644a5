"""The first fits of networks whose alpha the evidence chooses: a scan of alphas.

The alpha is the one of most evidence on a coarse grid, for with more parameters than
rows there are fixed points at which nothing is left to be noise. Deep networks are then
followed up from there, as their best may be next to where they collapse.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from skwd._alpha.constant import is_without_weights
from skwd._curvature.laplace import Laplace
from skwd._solvers.problem import Problem
from skwd._solvers.result import Status
from skwd._solvers.settings import Settings
from skwd._solvers.training import Trained, train

# The first fits, in units of `search_scale`: the second part of the scan if the lowest
# of the first is its best. Classes that can be separated fit at every low alpha, where
# Laplace's approximation is poor: they begin higher.
SCAN = np.array([1e-3, 1e-2, 1e-1, 1.0]), np.array([1e-5, 1e-4])
SCAN_KNOWN_NOISE = (np.array([1e-2, 1e-1, 1.0]),)
# The steps of alpha in which trained deep networks are scanned above that.
CLIMB = 10 ** (1 / 3)
# A hidden layer collapses about a; a linear model has no such end.
HIGHEST, HIGHEST_LINEAR = 1.0, 1e6
# Iterations of the scan and between two re-estimations; the fit that the rounds start
# from, and the last, take as many as they need.
ROUND_ITERATIONS = 200


def first_fits(problem: Problem, tied: bool, talks: bool) -> Trained:
    """Every restart, fitted where on the grid the first has the most evidence."""
    settings, unit = problem.settings, problem.search_scale
    at = np.full(problem.layout.n_weight_layers, unit)
    first, best = None, (False, -np.inf)
    for grid in SCAN if problem.loss.has_noise else SCAN_KNOWN_NOISE:
        alphas = unit * np.outer(grid, np.ones_like(at))
        starts = np.repeat(problem.params0[:1], len(grid), axis=0)
        scan = train(problem.objective(alphas), starts, short(settings))
        for k in np.flatnonzero(~scan.lost):
            found = problem.laplace(scan.params[k], scan.alpha[k], tied=tied)
            if talks:
                print_found("Scan", found)
            scan.laplace[k] = found
            # The constant is compared at the end: deep networks may yet be better.
            collapsed = is_deep(problem) and is_without_weights(problem, scan, k)
            value = not collapsed, found.log_evidence
            if value > best or first is None:
                first, best, lowest = scan[np.array([k])], value, k == 0
        if first is None or not lowest:
            break
    begun = {} if first is None else {0: first}
    if first is not None:
        at = first.alpha[0]
    if best[0] and is_deep(problem):
        others = np.arange(1, len(problem.params0))
        if len(others):
            objective = problem.objective(at)[others]
            fits = train(objective, problem.params0[others], short(settings))
            begun |= {
                k: fits[np.array([k - 1])] for k in others if not fits.lost[k - 1]
            }
        begun = {k: _climb(problem, one, tied) for k, one in begun.items()}
    starts, alphas = problem.params0.copy(), np.tile(at, (len(problem.params0), 1))
    for k, one in begun.items():
        starts[k], alphas[k] = one.params[0], one.alpha[0]
    return train(problem.objective(alphas), starts, settings)


def _climb(problem: Problem, at: Trained, tied: bool) -> Trained:
    """The network ``at`` (K = 1), or one of more evidence on its way up in alpha.

    From random weights deep networks collapse at alphas that trained ones can bear.
    """

    def evidence(one: Trained) -> float:
        known = one.laplace[0] or problem.laplace(
            one.params[0], one.alpha[0], tied=tied
        )
        return known.log_evidence

    only = np.array([0])
    found, best = at, evidence(at)
    while (at.alpha * CLIMB <= HIGHEST * problem.search_scale).all():
        at = at[only]
        go_on(problem, at, only, at.alpha * CLIMB, short(problem.settings))
        if at.lost[0] or is_without_weights(problem, at, 0):
            break
        reached = evidence(at)
        if reached > best:
            found, best = at, reached
    return found


def go_on(
    problem: Problem,
    trained: Trained,
    networks: np.ndarray,
    alpha: np.ndarray,
    settings: Settings,
) -> None:
    """Train some networks on, at the ``alpha`` (K, n_weight_layers) of now."""
    if len(networks):
        objective = problem.objective(alpha)[networks]
        params = trained.params[networks].astype(np.float64)
        trained.take(networks, train(objective, params, settings))


def finish(problem: Problem, trained: Trained) -> np.ndarray:
    """Train the networks on that have not converged, where they are: their numbers.

    One that the evidence went back to may have had a round's iterations alone.
    """
    left = np.flatnonzero(trained.status == Status.MAX_ITER)
    go_on(problem, trained, left, trained.alpha, problem.settings)
    return left[~trained.lost[left]]


def is_deep(problem: Problem) -> bool:
    """Whether networks collapse at once: no weights are a local minimum at every alpha.

    Ziyin, Li and Meng, "Exact solutions of a deep linear network", NeurIPS 2022. With
    one hidden layer the weights fade, and the evidence with them.
    """
    return problem.layout.n_weight_layers > 2


def short(settings: Settings) -> Settings:
    """Of a fit that is not the last."""
    return replace(settings, max_iter=min(ROUND_ITERATIONS, settings.max_iter))


def print_found(which: str, found: Laplace) -> None:
    shown = " ".join(f"{value:.4g}" for value in np.unique(found.curvature.alpha))
    print(
        f"{which}: alpha = {shown}, log-evidence = {found.log_evidence:.8g}, "
        f"effective parameters = {found.dof:.4g}"
    )
