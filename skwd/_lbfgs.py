"""L-BFGS for a stack: K independent runs in one loop over the active networks.

Each pass of the loop

1. evaluates J once, at the trial point of every active network;
2. accepts the trial points that meet the strong Wolfe conditions, and narrows the
   bracket of the others (line search and step are one loop, so that a network in its
   line search never holds up its neighbours);
3. gives the accepted networks their curvature pair and a new direction;
4. hands them to the callback and retires those that are finished.

The direction is -H g in the compact form of Byrd, Nocedal and Schnabel (1994), eq.
3.1: two passes over the curvature pairs and a few m x m products, instead of 2m vector
operations that a NumPy loop would make slow. Every network has its own pairs, step
length and status; the arithmetic of the solver is float64, whatever J computes in.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from skwd._line_search import MAX_TRIALS, is_wolfe, narrow
from skwd._objective import Objective, row_dot
from skwd._result import CONVERGED, RUNNING, Callback, Result, Status

# Curvature pairs. SciPy keeps 10; with 20, as many iterations reach a lower J for a few
# per cent more time (benchmarks/lbfgs.py prints both).
MEMORY = 20
# Networks that run at a time: together they need no more than this, unless one network
# alone does. As some finish, others take their place: a stack that shrank to its
# slowest networks would spend its time between the array operations. Changes no bit.
STACK_BYTES = 1 << 23

# They begin once this part of the stack is free: each time costs a copy of it.
JOINING = 4

MAX_ITER, MAX_FUN = int(Status.MAX_ITER), int(Status.MAX_FUN)

# Networks by number, or all of them: a slice is a view where numbers make a copy.
_Index = np.ndarray | slice


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
    pairs: np.ndarray  # (K, 2m, P): s then y, each divided by sqrt(s'y)
    SY: np.ndarray  # (K, m, m) s_i'y_j where pair i is not newer than pair j
    YY: np.ndarray  # (K, m, m)
    scale: np.ndarray  # (K,) s'y / y'y of the newest pair
    n_pairs: np.ndarray  # (K,) pairs stored since the last reset
    nit: np.ndarray  # (K,)
    nfev: np.ndarray  # (K,)
    status: np.ndarray  # (K,)

    def __len__(self) -> int:
        return len(self.network)

    def keep(self, networks: np.ndarray) -> None:
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name)[networks])

    def joined(self, other: _State) -> _State:
        pairs = (
            (getattr(self, field.name), getattr(other, field.name))
            for field in fields(self)
        )
        return _State(*map(np.concatenate, pairs))


def network_bytes(n_params: int) -> int:
    """Memory of a network in its run: pairs, iterate, trial, gradients, direction."""
    return 8 * (2 * MEMORY + 8) * n_params


def minimize(
    objective: Objective,
    params0: np.ndarray,
    *,
    max_iter: int,
    max_fun: int,
    tol: float,
    callback: Callback | None = None,
) -> Result:
    """Minimise J of every network of the stack by L-BFGS.

    Parameters
    ----------
    objective : Objective
    params0 : ndarray (K, P)
    max_iter, max_fun : int
        Most iterations and evaluations of each network.
    tol : float
        A network has converged when its largest gradient entry is at most ``tol``.
    callback : Callback, optional

    Returns
    -------
    Result
        ``x`` is the last iterate of each network: the lowest J, but for rounding.
    """
    result = Result.of_start(params0)
    size = max(1, STACK_BYTES // network_bytes(params0.shape[1]))
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        part, state, n_begun = objective, None, 0
        while state is None or len(state) or n_begun < len(params0):
            free = size - (0 if state is None else len(state))
            if n_begun < len(params0) and free >= max(1, size // JOINING):
                begin = np.arange(n_begun, min(n_begun + free, len(params0)))
                n_begun = begin[-1] + 1
                new = _start(objective[begin], result.x[begin], begin, max_fun, tol)
                state = new if state is None else state.joined(new)
                part = objective[state.network]
            else:
                _iterate(part, state, max_iter, max_fun, tol, callback)
            part, state = _retire(part, state, result)
    return result


def _start(
    objective: Objective, x: np.ndarray, networks: np.ndarray, max_fun: int, tol: float
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
        pairs=np.zeros((n_networks, 2 * MEMORY, n_params)),
        SY=np.tile(np.eye(MEMORY), (n_networks, 1, 1)),
        YY=np.zeros((n_networks, MEMORY, MEMORY)),
        scale=np.ones(n_networks),
        n_pairs=np.zeros(n_networks, int),
        nit=np.zeros(n_networks, int),
        nfev=np.ones(n_networks, int),
        status=np.full(n_networks, Status.RUNNING),
    )
    finite = np.isfinite(fun) & np.isfinite(jac).all(axis=1)
    state.status[~finite] = Status.OVERFLOW
    state.status[finite & (max_fun <= 1)] = Status.MAX_FUN
    state.status[finite & (np.abs(jac).max(axis=1) <= tol)] = Status.CONVERGED
    _new_direction(state, slice(None))
    return state


def _retire(
    objective: Objective, state: _State, result: Result
) -> tuple[Objective, _State]:
    """Write the finished networks into the result and drop them from the stack."""
    done = state.status != RUNNING
    if done.any():
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
    state.nfev += 1
    state.trials += 1
    found = np.array([state.step, fun, row_dot(jac, state.direction)]).T
    start = np.array([np.zeros(len(state)), state.fun, state.slope]).T
    accepted = is_wolfe(found, start, state.trials, np.finfo(objective.dtype).eps)

    if not accepted.all():
        at = np.flatnonzero(~accepted)
        ends = state.low[at], state.high[at]
        bracket = narrow(found[at], start[at], *ends, state.trials[at])
        state.low[at], state.high[at], state.step[at] = bracket
        _give_up(state, at)
    if accepted.any():
        # A slice where all have arrived, the common case, for it copies nothing.
        at = slice(None) if accepted.all() else np.flatnonzero(accepted)
        _store_pair(state, at, trial, jac)
        state.x[at], state.fun[at], state.jac[at] = trial[at], fun[at], jac[at]
        state.nit[at] += 1
        status = np.where(state.nit[at] >= max_iter, MAX_ITER, RUNNING)
        if callback is not None:
            answer = callback(state.network[at], trial[at], fun[at])
            status = np.where(answer == RUNNING, status, answer)
        status[np.abs(state.jac[at]).max(axis=1) <= tol] = CONVERGED
        state.status[at] = status
        _new_direction(state, at)
    spent = state.nfev >= max_fun
    if spent.any():
        state.status[spent & (state.status == RUNNING)] = MAX_FUN


def _give_up(state: _State, searching: np.ndarray) -> None:
    """After MAX_TRIALS: forget the pairs and try the gradient; then stop as stalled."""
    failed = searching[state.trials[searching] >= MAX_TRIALS]
    fresh = state.n_pairs[failed] == 0
    state.status[failed[fresh]] = Status.STALLED
    retry = failed[~fresh]
    if len(retry):
        _forget(state, retry)
        _new_direction(state, retry)


def _forget(state: _State, networks: np.ndarray) -> None:
    state.pairs[networks] = 0.0
    state.SY[networks] = np.eye(MEMORY)
    state.YY[networks] = 0.0
    state.scale[networks] = 1.0
    state.n_pairs[networks] = 0


def _store_pair(state: _State, at: _Index, x: np.ndarray, jac: np.ndarray) -> None:
    """Replace the oldest pair by s = x - iterate and y = jac - its gradient.

    Both are divided by sqrt(s'y), which changes nothing in H and gives SY a unit
    diagonal. A pair without positive curvature is left out.
    """
    s, y = x - state.x, jac - state.jac  # (K, P), of use where a network has arrived
    sy, yy = row_dot(s, y), row_dot(y, y)
    # Relative to -s'g, as in SciPy: free of the units of x and J.
    curved = sy > np.finfo(np.float64).eps * -(state.step * state.slope)
    if not curved[at].all():
        at = np.arange(len(state))[at]
        at = at[curved[at]]
    root = np.sqrt(sy)[:, np.newaxis]
    s /= root
    y /= root
    network = np.arange(len(state))[at]
    slot = state.n_pairs[at] % MEMORY
    state.pairs[network, slot] = s[at]
    state.pairs[network, MEMORY + slot] = y[at]
    products = np.matmul(state.pairs, y[:, :, np.newaxis])[at, :, 0]
    state.SY[network, slot] = 0.0  # the new s is newer than every other y
    state.SY[network, :, slot] = products[:, :MEMORY]
    state.YY[network, slot] = state.YY[network, :, slot] = products[:, MEMORY:]
    state.scale[at] = (sy / yy)[at]
    state.n_pairs[at] += 1


def _new_direction(state: _State, at: _Index) -> None:
    """direction = -H jac (Byrd, Nocedal and Schnabel 1994, eq. 3.1), and a new search.

    H = c I + [S, cY] [[R^-T (D + c Y'Y) R^-1, -R^-T], [-R^-1, 0]] [S, cY]'

    with R the upper triangle of S'Y and D its diagonal, here I. Slots without a pair
    hold zeros (and 1 on R's diagonal) and add nothing. All networks are computed, for
    that needs no copy of the pairs, and those at ``at`` are written.
    """
    g = state.jac[:, :, np.newaxis]
    scale = state.scale[:, np.newaxis, np.newaxis]
    pairs_g = np.matmul(state.pairs, g)  # (K, 2m, 1)
    R_inv = np.linalg.inv(state.SY)
    p = np.matmul(R_inv, pairs_g[:, :MEMORY])
    q = p + scale * (np.matmul(state.YY, p) - pairs_g[:, MEMORY:])
    weights = np.empty((len(state), 1, 2 * MEMORY))
    weights[:, 0, :MEMORY] = np.matmul(R_inv.swapaxes(1, 2), q)[:, :, 0]
    weights[:, 0, MEMORY:] = (-scale * p)[:, :, 0]
    direction = np.matmul(weights, state.pairs)[:, 0]
    direction += state.scale[:, np.newaxis] * state.jac
    np.negative(direction, out=direction)
    slope = row_dot(state.jac, direction)
    ascent = ~(slope < 0.0) & (state.n_pairs > 0)
    if ascent.any() and ascent[at].any():
        _forget(state, ascent)  # rounding has spoilt the pairs: the gradient is left
        _new_direction(state, at)
        return
    # Without curvature the first trial moves the parameters by a distance of 1, or as
    # far as should lower J by a millionth of itself, which is seen at any scale of y.
    step = np.ones(len(state))
    first = state.n_pairs == 0
    if first.any():
        norm = np.sqrt(-slope[first])
        visible = np.maximum(1.0 / norm, 1e-6 * state.fun[first] / norm**2)
        step[first] = np.minimum(1.0, visible)
    state.direction[at] = direction[at]
    state.slope[at] = slope[at]
    state.step[at] = step[at]
    state.trials[at] = 0
    state.low[at, 0] = 0.0
    state.low[at, 1] = state.fun[at]
    state.low[at, 2] = slope[at]
    state.high[at] = np.inf
