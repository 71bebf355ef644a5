"""L-BFGS for a stack: K independent runs in one loop over the active networks.

Each pass of the loop

1. evaluates J once, at the trial point of every active network;
2. accepts the trial points that meet the strong Wolfe conditions, and narrows the
   bracket of the others (line search and step are one loop, so that a network in its
   line search never holds up its neighbours);
3. gives the accepted networks their curvature pair and a new direction;
4. hands them to the callback and retires those that are finished.

Every network has its own curvature pairs (`lbfgs_memory`), step length and status; the
arithmetic of the solver is float64, whatever J computes in.

Where J has kinks (`Kinks`: L1, norms of columns) this is the orthant-wise method of
Andrew and Gao (2007), with blocks of weights in the place of single ones: the gradient
is the subgradient of least length, a block that would cross zero on a step stays there,
and the pairs are of the gradient that the blocks that are not zero have.
"""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from skwd._core.arrays import EPS, all_true, any_true, row_dot
from skwd._solvers.lbfgs_memory import Index, joined
from skwd._solvers.lbfgs_state import State, begun, gradients, network_bytes
from skwd._solvers.line_search import MAX_TRIALS, are_wolfe, narrow
from skwd._solvers.result import CONVERGED, RUNNING, Callback, Result, Status
from skwd._solvers.units import Minimised

# Networks that run at a time: together they need no more than this, unless one network
# alone does. As some finish, others take their place: a stack that shrank to its
# slowest networks would spend its time between the array operations. Changes no bit.
STACK_BYTES = 1 << 23

# They begin once this part of the stack is free: each time costs a copy of it.
JOINING = 4

# A promise is believed once J falls by no more than SEEN times as much an iteration, as
# a mean over the last WINDOW iterations: the first pairs know of the steepest
# directions alone, and plateaus promise nothing. A third: a quarter more iterations for
# the same errors; without the window 8 % of fits end 1 % above the minimum, not 5 %.
SEEN = 3.0

MAX_ITER, MAX_FUN = int(Status.MAX_ITER), int(Status.MAX_FUN)


def minimize(
    objective: Minimised,
    params0: np.ndarray,
    *,
    max_iter: int,
    max_fun: float,
    tol: float,
    negligible: np.ndarray | None = None,
    curvature: np.ndarray | None = None,
    callback: Callback | None = None,
) -> Result:
    """Minimise J of every network of the stack by L-BFGS.

    Parameters
    ----------
    objective : Objective or InUnits
    params0 : ndarray (K, P)
    max_iter, max_fun : int
        Most iterations and evaluations of each network.
    tol : float
        A network has converged when the fall of J that its pairs still promise, half of
        g'H g, is at most ``tol * (J + negligible)``: a part of J, which has no units.
        In the mean of the last WINDOW iterations J must have fallen by no more than
        SEEN times that (or rounding), unless no step lowers it any more.
    negligible : ndarray (K,), optional
        J of each network that is as good as 0, by default 0.
    curvature : ndarray (K,), optional
        What J is counted in, by default 1: the first step is no longer than one by it.
    callback : Callback, optional

    Returns
    -------
    Result
        ``x`` is the last iterate of each network: the lowest J, but for rounding.
    """
    result = Result.of_start(params0)
    if negligible is None:
        negligible = np.zeros(len(params0))
    longest = 1.0 / (np.ones(len(params0)) if curvature is None else curvature)
    n_bytes = network_bytes(params0.shape[1], objective.dtype.itemsize)
    size = max(1, STACK_BYTES // n_bytes)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        part: Minimised = objective
        n_begun = 0
        state: State | None = None
        while state is not None or n_begun < len(params0):
            free = size - (0 if state is None else len(state))
            if n_begun < len(params0) and free >= max(1, size // JOINING):
                begin = np.arange(n_begun, min(n_begun + free, len(params0)))
                n_begun = int(begin[-1]) + 1
                them = objective if len(begin) == len(params0) else objective[begin]
                limits = negligible[begin], longest[begin]
                new = begun(them, result.x[begin], begin, max_fun, *limits)
                _new_direction(new, slice(None))
                if state is None:
                    part, state = them, new
                else:
                    state = joined(state, new)
                    part = objective[state.network]
            else:
                assert state is not None
                _iterate(part, state, max_iter, max_fun, tol, callback)
            part, state = _retire(part, state, result)
    return result


def _retire(
    objective: Minimised, state: State, result: Result
) -> tuple[Minimised, State | None]:
    """Write the finished networks into the result; what is left of the stack."""
    done = state.status != RUNNING
    if any_true(done):
        networks = state.network[done]
        for field in fields(result):
            getattr(result, field.name)[networks] = getattr(state, field.name)[done]
        if all_true(done):
            return objective, None
        state.keep(~done)
        objective = objective[~done]
    return objective, state


def _iterate(objective, state, max_iter, max_fun, tol, callback) -> None:
    """One evaluation of every active network, and what follows from it."""
    kinks = objective.kinks
    trial = state.x + state.step[:, np.newaxis] * state.direction
    if kinks is not None:
        kinks.project(trial, state.x, state.jac)
    fun, smooth = objective.loss_gradient(trial)
    jac, face = gradients(kinks, trial, smooth)
    along = state.direction  # as far as the projection lets it
    if kinks is not None:
        along = kinks.free(along, trial)
    slope = row_dot(jac if kinks is None else face, along)
    state.nfev += 1
    state.trials += 1
    tried = state.step, fun, slope, state.fun, state.slope
    accepted = are_wolfe(*tried, state.trials, np.finfo(objective.dtype).eps)

    if not all_true(accepted):
        _narrow_brackets(state, tried, np.flatnonzero(~accepted))
        _give_up(state, np.flatnonzero(~accepted), tol)
    if any_true(accepted):
        # A slice where all have arrived, the common case, for it copies nothing.
        everyone = all_true(accepted)
        moved: Index = slice(None) if everyone else np.flatnonzero(accepted)
        # The least s'y of a pair: a part of -s'g, as in SciPy, which frees it of units.
        least = -EPS * (state.step * state.slope)
        change = jac - state.jac if kinks is None else face - state.face
        state.pairs.store(moved, trial - state.x, change, least)
        fall = _mean_fall(state, moved, fun)
        state.x[moved], state.fun[moved], state.jac[moved] = (
            trial[moved],
            fun[moved],
            jac[moved],
        )
        state.face[moved] = face[moved]
        state.nit[moved] += 1
        if callback is not None:
            state.status[moved] = callback(
                state.network[moved], trial[moved], fun[moved]
            )
        ended = state.nit >= max_iter
        if any_true(ended):
            state.status[ended & (state.status == RUNNING)] = MAX_ITER
        _new_direction(state, moved)
        J = np.abs(state.fun[moved]) + state.negligible[moved]
        predicted_fall = np.where(
            state.pairs.count[moved] > 0, -0.5 * state.slope[moved] / J, np.nan
        )
        predicted_fall[~state.jac[moved].any(axis=1)] = 0.0
        state.predicted_fall[moved] = predicted_fall
        seen = SEEN * max(tol, np.finfo(objective.dtype).eps) * J
        ended = (predicted_fall <= tol) & ((fall <= seen) | (predicted_fall == 0.0))
        if any_true(ended):
            state.status[np.arange(len(state))[moved][ended]] = CONVERGED
    spent = state.nfev >= max_fun
    if any_true(spent):
        state.status[spent & (state.status == RUNNING)] = MAX_FUN


def _narrow_brackets(state: State, tried: tuple, searching: np.ndarray) -> None:
    """Choose the next trial of the networks whose last one was not accepted."""
    step, fun, slope, fun_0, slope_0 = (value[searching] for value in tried)
    bracket = state.low[searching], state.high[searching], state.trials[searching]
    narrowed = narrow(step, fun, slope, fun_0, slope_0, *bracket)
    state.low[searching], state.high[searching], state.step[searching] = narrowed


def _mean_fall(state: State, moved: Index, fun: np.ndarray) -> np.ndarray:
    """Mean fall of J over the last iterations, inf at first; ``fun`` is the newest."""
    networks, size = np.arange(len(state))[moved], state.recent.shape[1]
    place = state.nit[moved] % size
    fall = (state.recent[networks, place] - fun[moved]) / size
    state.recent[networks, place] = fun[moved]
    return fall


def _give_up(state: State, searching: np.ndarray, tol: float) -> None:
    """After MAX_TRIALS: forget the pairs and try the gradient; then stop.

    Where the pairs have promised no more than ``tol``, that is the minimum.
    """
    failed = searching[state.trials[searching] >= MAX_TRIALS]
    fresh = state.pairs.count[failed] == 0
    done = state.predicted_fall[failed[fresh]] <= tol
    state.status[failed[fresh]] = np.where(done, CONVERGED, Status.STALLED)
    retry = failed[~fresh]
    if len(retry):
        state.pairs.forget(retry)
        _new_direction(state, retry)


def _new_direction(state: State, networks: Index) -> None:
    """direction = -H jac of the ``networks``, and a new search along it."""
    direction = state.pairs.direction(state.jac)
    slope = row_dot(state.jac, direction)
    falls = slope < 0.0
    if not all_true(falls):
        ascent = ~falls & (state.pairs.count > 0)
        if any_true(ascent[networks]):
            # Rounding has spoilt the pairs: the gradient is left.
            state.pairs.forget(ascent)
            _new_direction(state, networks)
            return
    state.direction[networks] = direction[networks]
    state.slope[networks] = slope[networks]
    state.step[networks] = 1.0
    state.trials[networks] = 0
    state.low[networks, 0] = 0.0
    state.low[networks, 1] = state.fun[networks]
    state.low[networks, 2] = slope[networks]
    state.high[networks] = np.inf
    first = state.pairs.count[networks] == 0
    if any_true(first):
        # Without curvature the first trial moves the parameters by a distance of 1, or
        # as far as should lower J by a millionth of itself, which is seen at any scale
        # of y.
        networks = np.arange(len(state))[networks][first]
        norm = np.sqrt(-slope[networks])
        visible = np.maximum(1.0 / norm, 1e-6 * np.abs(state.fun[networks]) / norm**2)
        state.step[networks] = np.minimum(state.longest[networks], visible)
