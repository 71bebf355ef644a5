"""Networks that find no signal: alpha at its top, or no weight left, are a constant."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from skwd._alpha.choice import AlphaChoice, train_from
from skwd._alpha.scales import search_scale
from skwd._core.layout import Layout, is_collapsed
from skwd._core.objective import Sample, mean_loss_of_constant
from skwd._solvers.result import Status
from skwd._solvers.task import TrainingTask


def has_no_signal(
    task: TrainingTask, trained: AlphaChoice, k: int, best, top: float
) -> bool:
    """Whether nothing but noise is left of network k.

    ``best`` is the alpha that would suit it better, or one for each layer.
    """
    nearly = (1.0 - 1e-9) * top  # alpha is there but for rounding
    if (trained.alpha[k] >= nearly).all() and np.all(np.asarray(best) >= nearly):
        return True
    return is_without_weights(task, trained, k)


def is_without_weights(task: TrainingTask, trained: AlphaChoice, k: int) -> bool:
    """Whether alpha has driven every weight of network k to about zero."""
    params, gain = trained.params[k : k + 1], task.activation.gain
    return is_collapsed(task.layout, gain, params)


def train_constant(task: TrainingTask) -> AlphaChoice:
    """Constants in the place of all networks, at alpha = a."""
    a = search_scale(task)
    alpha = np.full(task.groups.n_groups, a)
    trained = train_from(task.objective(alpha), task.params0, task.solver)
    for k in map(int, np.flatnonzero(~trained.unusable)):
        make_constant(task, trained, k, a)
        if task.validation is not None:
            seen = mean_loss_of_constant(task.loss, task.validation, task.constant)
            trained.best_validation[k] = seen
            trained.validation_curve[k] = [seen] * len(trained.loss_curve[k])
    return trained


def make_constant(task: TrainingTask, trained: AlphaChoice, k: int, top: float) -> None:
    """Put the best constant, at the alpha ``top``, in the place of network k."""
    trained.params[k], trained.alpha[k] = constant_params(task), top
    constant = task.objective(trained.alpha[k : k + 1])
    trained.loss[k] = constant.fun(trained.params[k : k + 1])[0]
    trained.status[k] = Status.CONVERGED


def constant_params(task: TrainingTask) -> np.ndarray:
    """The weights (P,) of the best constant, in the dtype of networks."""
    layout = task.layout
    params = np.zeros((1, layout.n_params))
    layout.b(params, layout.n_weight_layers - 1)[:] = task.constant
    return params[0].astype(task.training.dtype)


def without_features(task: TrainingTask) -> tuple[TrainingTask, np.ndarray, float]:
    """The task of the constant alone, its optimum and an alpha."""
    y, weight = task.training.y, task.training.weight
    bare = Sample(np.zeros((len(y), 1)), y, weight)
    layout = Layout((1, task.layout.layer_units[-1]))
    params = np.concatenate([np.zeros(layout.layer_units[-1]), task.constant])
    groups = layout.layer_groups
    bare_task = replace(task, layout=layout, groups=groups, training=bare)
    return bare_task, params, 1.0
