"""The first fits of networks whose alpha the evidence chooses: a scan of alphas.

The alpha is the one of most evidence on a coarse grid, for with more parameters than
rows there are fixed points at which nothing is left to be noise. Deep networks are then
followed up from there, as their best may be next to where they collapse.
"""

from __future__ import annotations

import numpy as np

from skwd._alpha.choice import LONGEST, AlphaChoice, laplace_of, train_from
from skwd._alpha.constant import is_without_weights
from skwd._alpha.scales import alpha_range, search_scale
from skwd._curvature.laplace import Laplace
from skwd._solvers.base import Solver
from skwd._solvers.hooks import tell_part
from skwd._solvers.result import Status
from skwd._solvers.task import TrainingTask

# The first fits, in units of `search_scale`: the second part of the scan if the lowest
# of the first is its best. A third or three times: as good.
SCAN = 10.0 ** np.arange(-5.0, 1.0)
# Iterations of the scan and between two re-estimations; the fit that the rounds start
# from, and the last, take as many as they need.
ROUND_ITERATIONS = 200  # half: errors 1.04, worst 1.39; twice: as good, more work


def first_fits(task: TrainingTask, one_alpha: bool, verbose: bool) -> AlphaChoice:
    """Every restart, fitted where on the grid the first has the most evidence."""
    solver, unit = task.solver, search_scale(task)
    alpha = np.full(task.groups.n_groups, unit)
    first, best = None, (False, -np.inf)
    # Classes that can be separated fit at every low alpha, where the approximation is
    # poor: they begin higher.
    grids = (SCAN[2:], SCAN[:2]) if task.likelihood.estimates_noise else (SCAN[3:],)
    for grid in grids:
        alphas = unit * np.outer(grid, np.ones_like(alpha))
        starts = np.repeat(task.params0[:1], len(grid), axis=0)
        scan = train_from(task.objective(alphas), starts, with_few_iterations(solver))
        for k in map(int, np.flatnonzero(~scan.unusable)):
            found = laplace_of(task, scan.params[k], scan.alpha[k], one_alpha=one_alpha)
            tell_part(solver.hooks, "scan")
            if verbose:
                print_found("Scan", found)
            scan.laplace[k] = found
            # The constant is compared at the end: deep networks may yet be better.
            collapsed = is_deep(task) and is_without_weights(task, scan, k)
            value = not collapsed, found.log_evidence
            if value > best or first is None:
                first, best, lowest = scan[np.array([k])], value, k == 0
            scan.laplace[k] = None  # each has rows x parameters
            del found
        if first is None or not lowest:
            break
    started = {} if first is None else {0: first}
    if first is not None:
        alpha = first.alpha[0]
    if best[0] and is_deep(task):
        others = np.arange(1, len(task.params0))
        if len(others):
            objective = task.objective(alpha)[others]
            fits = train_from(
                objective, task.params0[others], with_few_iterations(solver)
            )
            usable = [int(k) for k in others if not fits.unusable[k - 1]]
            started |= {k: fits[np.array([k - 1])] for k in usable}
        started = {k: _raise_alpha(task, fit, one_alpha) for k, fit in started.items()}
    starts, alphas = task.params0.copy(), np.tile(alpha, (len(task.params0), 1))
    for k, fit in started.items():
        starts[k], alphas[k] = fit.params[0], fit.alpha[0]
    return train_from(task.objective(alphas), starts, solver)


def _raise_alpha(
    task: TrainingTask, trained: AlphaChoice, one_alpha: bool
) -> AlphaChoice:
    """The network ``trained`` (K = 1), or one of more evidence on its way up in alpha.

    From random weights deep networks collapse at alphas that trained ones can bear.
    """

    def evidence(fit: AlphaChoice) -> float:
        known = fit.laplace[0] or laplace_of(
            task, fit.params[0], fit.alpha[0], one_alpha=one_alpha
        )
        return known.log_evidence

    only = np.array([0])
    found, best = trained, evidence(trained)
    high, solver = alpha_range(task)[1], with_few_iterations(task.solver)
    while (alpha := trained.alpha * np.exp(LONGEST)).max() <= high:
        trained = trained[only]
        train_on(task, trained, only, alpha, solver)
        if trained.unusable[0] or is_without_weights(task, trained, 0):
            break
        reached = evidence(trained)
        if reached > best:
            found, best = trained, reached
    return found


def train_on(
    task: TrainingTask,
    trained: AlphaChoice,
    networks: np.ndarray,
    alpha: np.ndarray,
    solver: Solver,
) -> None:
    """Train some networks on, at the ``alpha`` (K, G) of now."""
    if len(networks):
        objective = task.objective(alpha)[networks]
        params = trained.params[networks].astype(np.float64)
        trained.take(networks, train_from(objective, params, solver))


def train_to_convergence(task: TrainingTask, trained: AlphaChoice) -> np.ndarray:
    """Train the networks on that have not converged, where they are: their numbers.

    One that the evidence went back to may have had a round's iterations alone.
    """
    left = np.flatnonzero(trained.status == Status.MAX_ITER)
    train_on(task, trained, left, trained.alpha, task.solver)
    return left[~trained.unusable[left]]


def is_deep(task: TrainingTask) -> bool:
    """Whether networks collapse at once: no weights are a local minimum at every alpha.

    Ziyin, Li and Meng, "Exact solutions of a deep linear network", NeurIPS 2022. With
    one hidden layer the weights fade, and the evidence with them.
    """
    return task.layout.n_weight_layers > 2


def with_few_iterations(solver: Solver) -> Solver:
    """The solver, capped at ROUND_ITERATIONS."""
    return solver.changed(max_iter=min(ROUND_ITERATIONS, solver.max_iter))


def print_found(which: str, found: Laplace) -> None:
    shown = " ".join(f"{value:.4g}" for value in np.unique(found.curvature.alpha))
    print(
        f"{which}: alpha = {shown}, log-evidence = {found.log_evidence:.8g}, "
        f"effective parameters = {found.dof:.4g}"
    )
