"""The epoch loop for a stack: first-order steps on mini-batches.

Gradient descent on all rows is the epoch of one batch. The networks train in *groups*
(see `batches`), each small enough for its state to stay in the cache, and each to its
end before the next begins. A network that is done leaves its group.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from skwd._core.layout import Layout
from skwd._core.objective import Objective
from skwd._solvers.batches import Batches
from skwd._solvers.dropout import Dropout
from skwd._solvers.optimizers import Update
from skwd._solvers.result import RUNNING, Callback, Result, Status
from skwd._solvers.schedules import Schedule
from skwd._solvers.stepping import EpochRunner, State

# J this many times above its start is divergence: steps that are too long multiply J
# time and again, so that this is seen within a few epochs.
EXPLOSION = 1e3
# Networks per group: their weights, gradients, moments and activations take no more
# than this. Changes no bit.
GROUP_STATE_BYTES = 1 << 22


@dataclass
class NetworkGroup:
    """F samples with A networks each, which train together."""

    networks: np.ndarray  # (F * A,) their numbers, sample by sample
    samples: list[int]  # (F,) the samples' numbers
    state: State | None  # None before its first epoch
    epochs: int = 0  # completed in this call


def minimize(
    objective: Objective,
    params0: np.ndarray,
    *,
    update: Update,
    schedule: Schedule,
    batch_size: int,
    max_iter: int,
    callback: Callback,
    order: np.random.Generator | None = None,
    state: State | None = None,
    noise: Dropout | None = None,
    stream: np.random.Generator | None = None,
    note_rates: Callable | None = None,
) -> Result:
    """Train every network for ``max_iter`` epochs, or as many as the callback allows.

    Parameters
    ----------
    objective : Objective
    params0 : ndarray (K, P)
    update : SGD or Adam
    schedule : Schedule
    batch_size : int
        At most so many rows per step; the last batch of an epoch has what is left.
    max_iter : int
        Most epochs of each network.
    callback : Callback
        Called with the weights after an epoch and the epoch's J: the mean of the
        batches' losses before their steps, plus the penalty at its end. It decides when
        a network has converged.
    order : Generator or None
        Orders the rows of each epoch, for each sample by a copy of its own; None keeps
        their order.
    state : State, optional
        Of one network, to continue from and to step in place; ``params0`` and ``order``
        are not read then.
    noise : Dropout, optional
        Disturbs the units in training, drawn by a copy of ``stream``.
    note_rates : callable, optional
        Is told the networks and their learning rates, before each epoch.

    Returns
    -------
    Result
        ``x`` holds the last weights, ``fun`` the last epoch's J, ``nfev`` the steps;
        ``jac`` is not known (nan).
    """
    result = Result.of_start(params0, with_jac=False)
    how = update, schedule, batch_size, max_iter, callback, noise, note_rates
    with np.errstate(all="ignore"):  # what overflows is seen when its epoch is over
        if state is not None:
            groups = [NetworkGroup(np.arange(1), [int(objective.sample_of[0])], state)]
        else:
            groups = [
                NetworkGroup(networks, samples, None)
                for samples, networks in _group_networks(
                    objective,
                    np.arange(len(params0)),
                    _networks_per_group(objective, batch_size),
                )
            ]
        while groups:
            group = groups.pop(0)
            if group.state is None:  # its turn has come, and with it its memory
                params = params0[group.networks].astype(objective.dtype)
                group.state = State.of(params, update, schedule.initial, order, stream)
            going = _train(group, objective, result, *how)
            groups[:0] = _split(group, objective, going)
    return result


def network_bytes(layout: Layout, batch_size: int, itemsize: int) -> int:
    """Memory of a network in its group: weights, moments and so on, activations."""
    values = 6 * layout.n_params + 2 * batch_size * sum(layout.layer_units[1:])
    return values * itemsize


def _networks_per_group(objective: Objective, batch_size: int) -> int:
    rows = min(batch_size, max(len(sample) for sample in objective.samples))
    network_size = network_bytes(
        objective.network.layout, rows, objective.dtype.itemsize
    )
    return max(1, GROUP_STATE_BYTES // network_size)


def _group_networks(objective: Objective, networks: np.ndarray, limit: int):
    """The samples and networks of groups of at most ``limit`` networks."""
    sample_of = objective.sample_of[networks]
    chunks: dict[tuple[int, int], list] = {}
    for number in np.unique(sample_of):
        of_sample = networks[sample_of == number]
        for i in range(0, len(of_sample), limit):
            chunk = of_sample[i : i + limit]
            alike = len(objective.samples[number]), len(chunk)
            chunks.setdefault(alike, []).append((int(number), chunk))
    is_sparse = sparse.issparse(objective.samples[0].X)
    for (_, size), members in chunks.items():
        together = 1 if is_sparse else max(1, limit // size)
        for i in range(0, len(members), together):
            numbers, parts = zip(*members[i : i + together])
            yield list(numbers), np.concatenate(parts)


def _split(
    group: NetworkGroup, objective: Objective, going: np.ndarray
) -> list[NetworkGroup]:
    """Groups of the networks of a group that go on, the bool array ``going``."""
    place = {network: i for i, network in enumerate(group.networks)}
    left = group.networks[going]
    groups: list[NetworkGroup] = []
    assert group.state is not None
    for samples, networks in _group_networks(objective, left, max(1, len(left))):
        state = group.state[[place[network] for network in networks]]
        groups.append(NetworkGroup(networks, samples, state, group.epochs))
    return groups


def _train(
    group: NetworkGroup,
    objective: Objective,
    result: Result,
    update: Update,
    schedule: Schedule,
    batch_size: int,
    max_iter: int,
    callback: Callback,
    noise: Dropout | None,
    note_rates: Callable | None,
) -> np.ndarray:
    """Train a group until some network is done; the others, a bool array (F * A,)."""
    networks, state = group.networks, group.state
    assert state is not None
    part = objective[networks]
    samples = [objective.samples[number] for number in group.samples]
    per_sample = len(networks) // len(samples)
    rngs = list(state.order[::per_sample])
    batches = Batches(
        objective.network,
        samples,
        per_sample,
        batch_size,
        None if rngs[0] is None else rngs,
    )
    steps = EpochRunner(part, batches, state, update, schedule, noise)
    while True:
        is_first = np.isnan(state.start[0])
        rates = schedule.rates(int(state.epochs[0]), state.rate)
        if note_rates is not None:
            note_rates(networks, rates)
        fun, first = steps.epoch(rates, look_at_first=is_first)
        group.epochs += 1
        state.epochs += 1
        state.steps += batches.n_batches
        # Not finite as soon as a parameter is not.
        fun += part.penalty_value(state.params)
        # Until a network is done, the result holds the weights that it started from.
        before = result.x[networks] if is_first else None
        unusable = _unusable_status(part, state, fun, first, before)
        status = _status_of(networks, state, fun, unusable, schedule, callback)
        going = status == RUNNING
        if group.epochs == max_iter:
            status[going] = Status.MAX_ITER
            going = np.zeros(len(networks), bool)
        if not going.all():
            _write(result, group, ~going, fun, status, batches.n_batches)
            # Each network takes the state of its sample's order along.
            state.order[:] = np.repeat(np.array(rngs, dtype=object), per_sample)
            state.stream[:] = state.stream[0]
            return going


def _write(
    result: Result,
    group: NetworkGroup,
    done: np.ndarray,
    fun: np.ndarray,
    status: np.ndarray,
    n_batches: int,
) -> None:
    """Put the networks of a group that are ``done``, bool, into the result."""
    networks = group.networks[done]
    assert group.state is not None
    result.x[networks], result.fun[networks] = group.state.params[done], fun[done]
    result.nit[networks] = group.epochs
    result.nfev[networks] = group.epochs * n_batches
    result.status[networks] = status[done]


def _status_of(
    networks: np.ndarray,
    state: State,
    fun: np.ndarray,
    unusable: np.ndarray | None,
    schedule: Schedule,
    callback: Callback,
) -> np.ndarray:
    """The status of each network after an epoch of J ``fun``, (K,).

    ``unusable`` (K,) are statuses that the callback is not asked about; None: it is
    asked about all. An adaptive schedule lowers the rate where patience has run out.
    """
    if unusable is None:
        status = callback(networks, state.params, fun)
        out_of_patience = status != RUNNING
    else:
        status, ok = unusable.copy(), unusable == RUNNING
        if ok.any():
            status[ok] = callback(networks[ok], state.params[ok], fun[ok])
        out_of_patience = ok & (status != RUNNING)
    if out_of_patience.any():
        status[schedule.lower(out_of_patience, state.rate)] = RUNNING
    return status


def _unusable_status(
    part: Objective, state: State, fun, first, before
) -> np.ndarray | None:
    """RUNNING, DIVERGED or OVERFLOW after an epoch of J ``fun`` (K,); None: all run.

    ``first`` (K,) is the mean loss of the epoch's first batch, ``before`` the weights
    before the first epoch of all.
    """
    if before is not None:
        state.start[:] = fun
        odd = ~(fun <= EXPLOSION * np.abs(first))  # true for nan as well
        if odd.any():  # then it is worth a look at where it came from
            state.start[odd] = part[odd].fun(before[odd])
    gone = exploded(part, fun, state.start)
    if not gone.any():
        return None
    unusable = np.where(gone, int(Status.DIVERGED), RUNNING)
    unusable[~np.isfinite(state.start)] = Status.OVERFLOW
    return unusable


def exploded(objective: Objective, fun: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Where J (K,) has diverged from its ``start`` (K,), bool."""
    gone = ~(fun <= EXPLOSION * np.abs(start)) | ~np.isfinite(fun)
    if gone.any():
        # A perfect fit may be left: at worst for a constant of so high a loss.
        allowed = np.maximum(np.abs(start), objective.worth())
        gone = ~(fun <= EXPLOSION * allowed) | ~np.isfinite(fun)
    return gone
