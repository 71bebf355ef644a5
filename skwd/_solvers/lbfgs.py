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
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from skwd._core.arrays import all_true, any_true, row_dot
from skwd._solvers import lbfgs_memory
from skwd._solvers.lbfgs_memory import CurvaturePairs, Index, joined
from skwd._solvers.line_search import MAX_TRIALS, are_wolfe, narrow
from skwd._solvers.result import CONVERGED, RUNNING, Callback, Result, Status
from skwd._solvers.scaled import Minimised

# Networks that run at a time: together they need no more than this, unless one network
# alone does. As some finish, others take their place: a stack that shrank to its
# slowest networks would spend its time between the array operations. Changes no bit.
STACK_BYTES = 1 << 23

# They begin once this part of the stack is free: each time costs a copy of it.
JOINING = 4

# A promise is believed once J falls by no more than SEEN times as much an iteration, as
# a mean over the last WINDOW iterations (of P, where there are fewer parameters). The
# first pairs know of the steepest directions alone, and plateaus promise nothing. Of
# 192 fits to 60 to 1030 rows 5 % end more than 1 % above the J that is found with
# tol=1e-7; without the window 8 % do, in 7 % fewer iterations.
WINDOW, SEEN = 10, 3.0

EPS = np.finfo(np.float64).eps
MAX_ITER, MAX_FUN = int(Status.MAX_ITER), int(Status.MAX_FUN)


@dataclass
class _State:
    """Everything a network owns; each field has the stack axis first."""

    network: np.ndarray  # (K,) its index in the caller's stack
    x: np.ndarray  # (K, P) the iterate
    fun: np.ndarray  # (K,)
    jac: np.ndarray  # (K, P)
    direction: np.ndarray  # (K, P)
    slope: np.ndarray  # (K,) jac . direction, negative
    step: np.ndarray  # (K,) the trial point is x + step * direction
    low: np.ndarray  # (K, 3) best end of the bracket: step, J, slope
    high: np.ndarray  # (K, 3) other end; step inf while there is none
    trials: np.ndarray  # (K,) in this line search
    pairs: CurvaturePairs
    nit: np.ndarray  # (K,)
    nfev: np.ndarray  # (K,)
    status: np.ndarray  # (K,)
    negligible: np.ndarray  # (K,) J that is as good as 0
    predicted_fall: (
        np.ndarray
    )  # (K,) the fall of J that the pairs promise, as a part of J
    recent: np.ndarray  # (K, min(WINDOW, P)) J of the last iterations, or inf

    def __len__(self) -> int:
        return len(self.network)

    def keep(self, networks: np.ndarray) -> None:
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name)[networks])


def network_bytes(n_params: int) -> int:
    """Memory of a network in its run: pairs, iterate, trial, gradients, direction."""
    return 8 * (2 * lbfgs_memory.MEMORY + 8) * n_params


def minimize(
    objective: Minimised,
    params0: np.ndarray,
    *,
    max_iter: int,
    max_fun: float,
    tol: float,
    negligible: np.ndarray | None = None,
    callback: Callback | None = None,
) -> Result:
    """Minimise J of every network of the stack by L-BFGS.

    Parameters
    ----------
    objective : Objective or ScaledObjective
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
    callback : Callback, optional

    Returns
    -------
    Result
        ``x`` is the last iterate of each network: the lowest J, but for rounding.
    """
    result = Result.of_start(params0)
    if negligible is None:
        negligible = np.zeros(len(params0))
    size = max(1, STACK_BYTES // network_bytes(params0.shape[1]))
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        part: Minimised = objective
        n_begun = 0
        state: _State | None = None
        while state is None or len(state) or n_begun < len(params0):
            free = size - (0 if state is None else len(state))
            if n_begun < len(params0) and free >= max(1, size // JOINING):
                begin = np.arange(n_begun, min(n_begun + free, len(params0)))
                n_begun = int(begin[-1]) + 1
                new = _start(objective[begin], result.x[begin], begin, max_fun)
                new.negligible = negligible[begin]
                state = new if state is None else joined(state, new)
                part = objective[state.network]
            elif state is not None:
                _iterate(part, state, max_iter, max_fun, tol, callback)
            assert state is not None
            part, state = _retire(part, state, result)
    return result


def _start(
    objective: Minimised,
    x: np.ndarray,
    networks: np.ndarray,
    max_fun: float,
) -> _State:
    n_networks, n_params = x.shape
    fun, jac = objective.loss_gradient(x)
    state = _State(
        network=networks,
        x=x,
        fun=fun,
        jac=jac,
        direction=np.empty_like(x),
        slope=np.empty(n_networks),
        step=np.empty(n_networks),
        low=np.empty((n_networks, 3)),
        high=np.empty((n_networks, 3)),
        trials=np.zeros(n_networks, int),
        pairs=CurvaturePairs.none(n_networks, n_params),
        nit=np.zeros(n_networks, int),
        nfev=np.ones(n_networks, int),
        status=np.full(n_networks, Status.RUNNING),
        negligible=np.zeros(n_networks),
        predicted_fall=np.full(n_networks, np.nan),
        recent=np.full((n_networks, min(WINDOW, n_params)), np.inf),
    )
    finite = np.isfinite(fun) & np.isfinite(jac).all(axis=1)
    state.status[~finite] = Status.OVERFLOW
    state.status[finite & (max_fun <= 1)] = Status.MAX_FUN
    state.status[finite & ~jac.any(axis=1)] = Status.CONVERGED
    _new_direction(state, slice(None))
    return state


def _retire(
    objective: Minimised, state: _State, result: Result
) -> tuple[Minimised, _State]:
    """Write the finished networks into the result and drop them from the stack."""
    done = state.status != RUNNING
    if any_true(done):
        networks = state.network[done]
        for field in fields(result):
            getattr(result, field.name)[networks] = getattr(state, field.name)[done]
        state.keep(~done)
        objective = objective[~done]
    return objective, state


def _iterate(objective, state, max_iter, max_fun, tol, callback) -> None:
    """One evaluation of every active network, and what follows from it."""
    trial = state.x + state.step[:, np.newaxis] * state.direction
    fun, jac = objective.loss_gradient(trial)
    slope = row_dot(jac, state.direction)
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
        state.pairs.store(moved, trial - state.x, jac - state.jac, least)
        fall = _mean_fall(state, moved, fun)
        state.x[moved], state.fun[moved], state.jac[moved] = (
            trial[moved],
            fun[moved],
            jac[moved],
        )
        state.nit[moved] += 1
        if callback is not None:
            state.status[moved] = callback(
                state.network[moved], trial[moved], fun[moved]
            )
        ended = state.nit >= max_iter
        if any_true(ended):
            state.status[ended & (state.status == RUNNING)] = MAX_ITER
        _new_direction(state, moved)
        J = state.fun[moved] + state.negligible[moved]
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


def _narrow_brackets(state: _State, tried: tuple, searching: np.ndarray) -> None:
    """Choose the next trial of the networks whose last one was not accepted."""
    step, fun, slope, fun_0, slope_0 = (value[searching] for value in tried)
    bracket = state.low[searching], state.high[searching], state.trials[searching]
    narrowed = narrow(step, fun, slope, fun_0, slope_0, *bracket)
    state.low[searching], state.high[searching], state.step[searching] = narrowed


def _mean_fall(state: _State, moved: Index, fun: np.ndarray) -> np.ndarray:
    """Mean fall of J over the last iterations, inf at first; ``fun`` is the newest."""
    networks, size = np.arange(len(state))[moved], state.recent.shape[1]
    place = state.nit[moved] % size
    fall = (state.recent[networks, place] - fun[moved]) / size
    state.recent[networks, place] = fun[moved]
    return fall


def _give_up(state: _State, searching: np.ndarray, tol: float) -> None:
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


def _new_direction(state: _State, networks: Index) -> None:
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
        visible = np.maximum(1.0 / norm, 1e-6 * state.fun[networks] / norm**2)
        state.step[networks] = np.minimum(1.0, visible)
