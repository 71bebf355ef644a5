"""alpha by the evidence: train, re-estimate, train on, until alpha stays.

The networks of a stack train together, each at an alpha of its own. A round lets L-BFGS
go on from where it was and replaces alpha by the fixed point of MacKay (1992),

    alpha <- gamma noise / (n ||w||^2),

in one or for every layer. What makes it robust: the first fit is to its end and at a
small alpha, for networks that are judged before they have learnt the data look as if
noise were all there is; alpha then moves by at most a factor of e a round, so that the
network can follow; every restart has its own alpha, and the evidence ranks them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from skwd._choice.weak import is_weak, make_constant
from skwd._curvature.laplace import Laplace
from skwd._path import Problem, alpha_scale
from skwd._result import Status
from skwd._training import Settings, Trained, train

# alpha begins and ends here, in units of a (`alpha_scale`). Classes that can be
# separated have a finite fit, and curvature, at a fair alpha only.
START, START_KNOWN_NOISE, LOWEST = 1e-5, 1e-2, 1e-9
# A hidden layer collapses about a; a linear model has no such end.
HIGHEST, HIGHEST_LINEAR = 1.0, 1e6
MAX_ROUNDS = 50
# Iterations between two re-estimations; the last fit takes as many as it needs.
ROUND_ITERATIONS = 200
# The most that ln(alpha) changes in a round, and, in units of tol, where it stays.
LONGEST, SETTLED = 1.0, 100.0


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
    start = START if problem.loss.has_noise else START_KNOWN_NOISE
    shape = len(problem.params0), problem.layout.n_weight_layers
    alpha = np.full(shape, start * alpha_scale(problem.training))
    trained = train(problem.objective(alpha), problem.params0, settings)
    short = replace(settings, max_iter=min(ROUND_ITERATIONS, settings.max_iter))
    running, was_long = np.flatnonzero(~trained.lost), np.ones(len(alpha), bool)
    for round_ in range(MAX_ROUNDS + 1):
        change = np.zeros(shape)
        for k in running:
            at = trained.params[k], trained.alpha[k]
            found = trained.laplace[k] = problem.laplace(*at, tied=tied)
            change[k] = np.log(np.clip(found.alpha, low, high) / alpha[k])
            if settings.verbose:
                _print(round_, k, alpha[k], found)
        weak = [
            k
            for k in running
            if is_weak(problem, trained, k, trained.laplace[k].alpha, high)
        ]
        for k in weak:
            make_constant(problem, trained, k, high)
            trained.laplace[k] = problem.laplace(trained.params[k], trained.alpha[k])
        settled = np.abs(change).max(axis=1) <= SETTLED * settings.tol
        unfinished = (trained.status == Status.MAX_ITER) & ~was_long
        running = np.setdiff1d(running, weak)
        running = running[~settled[running] | unfinished[running]]
        if round_ == MAX_ROUNDS:
            trained.status[running] = Status.UNSETTLED
        if round_ == MAX_ROUNDS or not len(running):
            break
        alpha *= np.exp(np.clip(change, -LONGEST, LONGEST))
        was_long[running] = settled[running]
        for networks, how in (
            (running[was_long[running]], settings),
            (running[~was_long[running]], short),
        ):
            _go_on(problem, trained, networks, alpha, how)
        running = running[~trained.lost[running]]
    known = [np.inf if each is None else -each.log_evidence for each in trained.laplace]
    trained.criterion = np.array(known)
    return trained


def alpha_range(problem: Problem) -> tuple[float, float]:
    """The lowest and highest alpha that are tried."""
    scale = alpha_scale(problem.training)
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


def _print(round_: int, k: int, alpha: np.ndarray, found: Laplace) -> None:
    shown = " ".join(f"{value:.4g}" for value in np.unique(alpha))
    print(
        f"Network {k}, round {round_}: alpha = {shown}, log-evidence = "
        f"{found.log_evidence:.8g}, effective parameters = {found.dof:.4g}"
    )
