"""alpha by the evidence: train, re-estimate, train on, until alpha stays.

The networks of a stack train together, each at an alpha of its own. A round lets L-BFGS
go on from where it was and replaces alpha by the fixed point of MacKay (1992),

    alpha <- gamma noise / (n ||w||^2),

in one or for every layer. What makes it robust: networks are judged after they have
learnt the data, for before it looks as if noise were all there is; the first alpha is
the one of most evidence on a coarse grid, for with more parameters than rows there are
fixed points at which nothing is left to be noise; alpha moves by at most a factor of e
a round, so that the network can follow, and no further than the evidence allows; every
restart has its own alpha, and the evidence ranks them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from skwd._choice.weak import is_weak, make_constant
from skwd._curvature.laplace import Laplace
from skwd._path import Problem
from skwd._result import Status
from skwd._training import Settings, Trained, train

# The first fits, and the lowest alpha, in units of `search_scale`: the second part
# of the scan if the lowest of the first is its best. Classes that can be separated fit
# at every low alpha, where Laplace's approximation is poor: they begin higher.
SCAN = np.array([1e-3, 1e-2, 1e-1, 1.0]), np.array([1e-5, 1e-4])
SCAN_KNOWN_NOISE = (np.array([1e-2, 1e-1, 1.0]),)
LOWEST = 1e-9
# A hidden layer collapses about a; a linear model has no such end.
HIGHEST, HIGHEST_LINEAR = 1.0, 1e6
MAX_ROUNDS = 50
# With fewer effective weights than this an alpha that rises will not come to an end.
LEAST_GAMMA = 0.05
# Iterations of the scan and between two re-estimations; the fit that the rounds start
# from, and the last, take as many as they need.
ROUND_ITERATIONS = 200
# The most that ln(alpha) changes in a round, and, in units of tol, where it stays.
LONGEST, SETTLED = 1.0, 100.0
# The fixed point need not be where the evidence is highest, as MacKay's formula takes H
# for given. It is followed until the evidence speaks against it by a Bayes factor of
# e^5 (Kass and Raftery, JASA 1995: "very strong"); then the step is halved.
MARGIN, SHORTEST = 5.0, 0.1


def choose_by_evidence(problem: Problem, *, per_layer: bool = False) -> Trained:
    """Train the restarts of a problem, each at the alpha of its highest evidence.

    Parameters
    ----------
    problem : Problem
    per_layer : bool
        One alpha for each layer, unless the units are homogeneous: of those only the
        product of the alphas matters.

    Returns
    -------
    Trained
        ``laplace`` and ``alpha`` are those of the optimum, ``criterion`` is minus the
        log-evidence. Where the data cannot tell a signal from noise, alpha is at its
        highest and the network a constant.
    """
    settings, tied = problem.settings, not per_layer or problem.activation.homogeneous
    low, high = alpha_range(problem)
    trained = _first_fits(problem, tied)
    walk = Walk.of(len(trained.params))
    running = np.flatnonzero(~trained.lost)
    for round_ in range(MAX_ROUNDS + 1):
        change = np.zeros_like(trained.alpha)
        for k in running:
            found = problem.laplace(trained.params[k], trained.alpha[k], tied=tied)
            trained.laplace[k] = found
            if settings.verbose:
                _print(f"Network {k}, round {round_}", found)
            walk.accept_or_go_back(trained, k)
            again = np.clip(trained.laplace[k].alpha, low, high)
            change[k] = np.log(again / trained.alpha[k])
            gamma = trained.laplace[k].n_effective.sum()
            endless = gamma < LEAST_GAMMA and (change[k] > 0.0).all()
            if endless or is_weak(problem, trained, k, again, high):
                make_constant(problem, trained, k, high)
                at = trained.params[k], trained.alpha[k]
                trained.laplace[k] = problem.laplace(*at, tied=tied)
                change[k] = 0.0
        change[walk.longest < SHORTEST] = 0.0  # the evidence has stopped it
        settled = np.abs(change).max(axis=1) <= SETTLED * settings.tol
        unfinished = (trained.status == Status.MAX_ITER) & ~walk.is_whole
        running = running[~settled[running] | unfinished[running]]
        if round_ == MAX_ROUNDS:
            trained.status[running] = Status.UNSETTLED
        if round_ == MAX_ROUNDS or not len(running):
            break
        longest = walk.longest[:, np.newaxis]
        alpha = trained.alpha * np.exp(np.clip(change, -longest, longest))
        walk.is_whole[running] = settled[running]
        for networks, how in (
            (running[settled[running]], settings),
            (running[~settled[running]], _short(settings)),
        ):
            _go_on(problem, trained, networks, alpha, how)
        running = running[~trained.lost[running]]
    known = [np.inf if each is None else -each.log_evidence for each in trained.laplace]
    trained.criterion = np.array(known)
    return trained


@dataclass
class Walk:
    """How the networks of a stack look for alpha; the stack axis is first."""

    longest: np.ndarray  # (K,) the most that ln(alpha) changes in the next round
    highest: np.ndarray  # (K,) the highest log-evidence so far
    is_whole: np.ndarray  # (K,) whether the last fit had as many iterations as it needs
    accepted: list[Trained | None]  # the last that the evidence did not speak against

    @classmethod
    def of(cls, n_networks: int) -> Walk:
        """At its beginning, after a whole fit."""
        return cls(
            np.full(n_networks, LONGEST),
            np.full(n_networks, -np.inf),
            np.ones(n_networks, dtype=bool),
            [None] * n_networks,
        )

    def accept_or_go_back(self, trained: Trained, k: int) -> None:
        """Keep network k, or put the last that was accepted in its place."""
        evidence, one = trained.laplace[k].log_evidence, np.array([k])
        if evidence < self.highest[k] - MARGIN:
            trained.take(one, self.accepted[k])
            self.longest[k] *= 0.5
        else:
            self.highest[k] = max(self.highest[k], evidence)
            self.accepted[k] = trained[one]


def _first_fits(problem: Problem, tied: bool) -> Trained:
    """Every restart, fitted where on the grid the first has the most evidence."""
    settings, unit = problem.settings, problem.search_scale
    at = np.full(problem.layout.n_weight_layers, unit)
    begun, best = None, -np.inf
    for grid in SCAN if problem.loss.has_noise else SCAN_KNOWN_NOISE:
        alphas = unit * np.outer(grid, np.ones_like(at))
        starts = np.repeat(problem.params0[:1], len(grid), axis=0)
        scan = train(problem.objective(alphas), starts, _short(settings))
        for k in np.flatnonzero(~scan.lost):
            found = problem.laplace(scan.params[k], scan.alpha[k], tied=tied)
            if settings.verbose:
                _print("Scan", found)
            if found.log_evidence > best or begun is None:
                begun, best, lowest = scan[np.array([k])], found.log_evidence, k == 0
        if begun is None or not lowest:
            break
    starts, first = problem.params0.copy(), np.array([0])
    if begun is not None:
        at, starts[0] = begun.alpha[0], begun.params[0]
    trained = train(problem.objective(at), starts, settings)
    if begun is not None:
        begun.go_on(first, trained[first])
        trained.take(first, begun)
    return trained


def _short(settings: Settings) -> Settings:
    """Of a fit that is not the last."""
    return replace(settings, max_iter=min(ROUND_ITERATIONS, settings.max_iter))


def alpha_range(problem: Problem) -> tuple[float, float]:
    """The lowest and highest alpha that are tried."""
    scale = problem.search_scale
    linear = problem.layout.n_weight_layers == 1
    return LOWEST * scale, (HIGHEST_LINEAR if linear else HIGHEST) * scale


def _go_on(
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
        trained.go_on(networks, train(objective, params, settings))


def _print(which: str, found: Laplace) -> None:
    shown = " ".join(f"{value:.4g}" for value in np.unique(found.curvature.alpha))
    print(
        f"{which}: alpha = {shown}, log-evidence = {found.log_evidence:.8g}, "
        f"effective parameters = {found.dof:.4g}"
    )
