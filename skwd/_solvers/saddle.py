"""The saddle at small weights: where a network ends that has not begun to learn.

With one hidden layer the pull of the data on all weights fades with the weights. Near
zero J is flat, L-BFGS sees nothing that it could promise, and J may yet fall: zero
weights are a minimum only where

    root(alpha_1 alpha_2) >= phi'(0) ||X'(s r)||_2 / sum s,    r = y - mean(y)

(an identity network's collapse). A unit along the strongest pull leads away from there.
With more hidden layers zero weights are a minimum at every alpha (Ziyin, Li and Meng,
NeurIPS 2022), and nothing is done.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from skwd._core.loss import Loss
from skwd._core.objective import Objective, Sample
from skwd._core.rows import SparseRows

# J within this part of that of the best constant: nothing has been learnt. A third or
# three times: no change.
UNLEARNT = 0.01
# The output of the unit that is tried, in deviations of its inputs, and the shifts by
# which it starts: at the centre of the activation, and on its slope. Of 120 fits from
# weights of 1e-8, 14 end at the constant with these, 19 without the second shift, 30
# with the size .25 alone, 54 with none; 720 from random weights came to no saddle.
SIZES = (1.0, 0.25, 0.06)
SHIFTS = (0.0, 2.0)


class Pull(NamedTuple):
    """The strongest pull of the data on an identity network."""

    size: float  # the largest singular value of X'(s r) / sum s
    into: np.ndarray  # (d,) unit vector
    out: np.ndarray  # (n_outputs,) unit vector
    deviation: float  # of X along `into`


def pull_of(sample: Sample, loss: Loss) -> Pull:
    """The strongest pull of a sample's rows, cached in ``sample.kept``."""
    key = "pull", loss.key
    if key not in sample.kept:
        pull = sample.pull() * loss.slope(sample.y, sample.norm_weight)
        U, values, V = np.linalg.svd(pull, full_matrices=False)
        square = 0.0
        for X, _, norm_weight in sample.blocks():
            along = (X if isinstance(X, SparseRows) else X[:, :-1]) @ U[:, :1]
            square += norm_weight[:, 0] @ np.square(along[:, 0])
        kept = Pull(float(values[0]), U[:, 0], V[0], float(np.sqrt(square)))
        sample.kept[key] = kept
    return sample.kept[key]


def away_from_saddle(
    objective: Objective, params: np.ndarray, fun: np.ndarray, tol: float
) -> np.ndarray:
    """Starting points of lower J for networks that have learnt nothing, (K, P).

    Parameters
    ----------
    objective : Objective
    params : ndarray (K, P)
        Where they have ended.
    fun : ndarray (K,)
        J there.
    tol : float
        J must be lower by more than this part of it.

    Returns
    -------
    ndarray (K, P)
        Rows of nan where there is no such point.
    """
    found = np.full(params.shape, np.nan)
    layout = objective.network.layout
    if layout.n_weight_layers != 2 or not objective.penalty.is_quadratic:
        return found
    constant = objective.constant_loss()
    for k in map(int, np.flatnonzero(fun >= constant - UNLEARNT * np.abs(constant))):
        sample = objective.samples[objective.sample_of[k]]
        with np.errstate(over="ignore", invalid="ignore"):
            try:
                loss = objective.loss[np.array([k])].shaped(())
                pull = pull_of(sample, loss)
            except np.linalg.LinAlgError:  # of numbers that overflow
                continue
        alphas = _layer_alphas(objective, k)
        if not (pull.size > np.sqrt(np.prod(alphas)) and pull.deviation > 0.0):
            continue
        tried = _along_the_pull(objective, params[k], pull, alphas)
        with np.errstate(over="ignore", invalid="ignore"):  # it is too far then
            values = objective[np.full(len(tried), k)].fun(tried)
        best = int(np.argmin(np.where(np.isnan(values), np.inf, values)))
        if values[best] < fun[k] - tol * abs(constant[k]):
            found[k] = tried[best]
    return found


def _layer_alphas(objective: Objective, k: int) -> np.ndarray:
    """The lowest alpha of each layer of network k, (n_weight_layers,)."""
    layout, decay = objective.network.layout, objective.decay[k : k + 1]
    layers = range(layout.n_weight_layers)
    return np.array([layout.W(decay, layer).min() for layer in layers])


def _along_the_pull(
    objective: Objective, params: np.ndarray, pull: Pull, alphas: np.ndarray
) -> np.ndarray:
    """A network with its smallest unit along the pull, in several sizes, (m, P)."""
    layout, activation = objective.network.layout, objective.network.activation
    W = layout.W(params[np.newaxis], 1)[0]
    unit = int(np.argmin(np.square(W).sum(axis=1)))
    first, second = alphas
    # Of both penalties, where there are two.
    balance = (second / first) ** 0.25 if first > 0.0 and second > 0.0 else 1.0
    tried = []
    for size in SIZES:
        strength = np.sqrt(size / pull.deviation)
        for shift in SHIFTS:
            candidate = params[np.newaxis].copy()
            weight = strength * balance
            bias = np.array([shift * weight * pull.deviation])
            layout.W(candidate, 0)[0, :, unit] = weight * pull.into
            layout.b(candidate, 0)[0, 0, unit] = bias[0]
            layout.W(candidate, 1)[0, unit] = strength / balance * pull.out
            activation(bias)  # what the unit adds to the mean is taken off again
            layout.b(candidate, 1)[0, 0] -= bias[0] * layout.W(candidate, 1)[0, unit]
            tried.append(candidate[0])
    return np.array(tried)
