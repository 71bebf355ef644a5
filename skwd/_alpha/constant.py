"""Networks that find no signal: alpha at its top, or no weight left, are a constant."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from skwd._core.layout import Layout, is_collapsed
from skwd._core.objective import Sample
from skwd._solvers.problem import Problem
from skwd._solvers.result import Status
from skwd._solvers.training import Trained, train


def is_weak(problem: Problem, trained: Trained, k: int, best, top: float) -> bool:
    """Whether nothing but noise is left of network k.

    ``best`` is the alpha that would suit it better, or one for each layer.
    """
    nearly = (1.0 - 1e-9) * top  # alpha is there but for rounding
    if (trained.alpha[k] >= nearly).all() and np.all(np.asarray(best) >= nearly):
        return True
    return is_without_weights(problem, trained, k)


def is_without_weights(problem: Problem, trained: Trained, k: int) -> bool:
    """Whether alpha has driven every weight of network k to about zero."""
    params, gain = trained.params[k : k + 1], problem.activation.gain
    return is_collapsed(problem.layout, gain, params)


def train_constant(problem: Problem) -> Trained:
    """Constants in the place of all networks, at alpha = a."""
    a = problem.search_scale
    alpha = np.full(problem.layout.n_weight_layers, a)
    trained = train(problem.objective(alpha), problem.params0, problem.settings)
    for k in np.flatnonzero(~trained.lost):
        make_constant(problem, trained, k, a)
    return trained


def make_constant(problem: Problem, trained: Trained, k: int, top: float) -> None:
    """Put the best constant, at the alpha ``top``, in the place of network k."""
    trained.params[k], trained.alpha[k] = constant_params(problem), top
    constant = problem.objective(trained.alpha[k : k + 1])
    trained.loss[k] = constant.fun(trained.params[k : k + 1])[0]
    trained.status[k] = Status.CONVERGED


def constant_params(problem: Problem) -> np.ndarray:
    """The weights (P,) of the best constant, in the dtype of networks."""
    layout = problem.layout
    params = np.zeros((1, layout.n_params))
    layout.b(params, layout.n_weight_layers - 1)[:] = problem.constant
    return params[0].astype(problem.training.dtype)


def without_features(problem: Problem) -> tuple[Problem, np.ndarray, float]:
    """The problem of the constant alone, its optimum and an alpha."""
    y, weight = problem.training.y, problem.training.weight
    bare = Sample(np.zeros((len(y), 1)), y, weight)
    layout = Layout((1, y.shape[1]))
    params = np.concatenate([np.zeros(y.shape[1]), problem.constant])
    return replace(problem, layout=layout, training=bare), params, 1.0
