"""The epoch loop for a stack: first-order steps with their stopping rules.

Full-batch gradient descent is the epoch of one batch: each epoch evaluates the loss on
all rows, hands J to the callback, and steps.
"""

from __future__ import annotations

import numpy as np

from skwd._objective import Objective
from skwd._result import Callback, Result, Status
from skwd._updates import GradientDescent

# J this many times above its start is divergence: a stable step lowers J, and one that
# is too long multiplies it in every epoch, so that this is seen within a few.
EXPLOSION = 1e3


def minimize(
    objective: Objective,
    params0: np.ndarray,
    *,
    update: GradientDescent,
    max_iter: int,
    callback: Callback,
) -> Result:
    """Take ``max_iter`` steps with every network, or as many as the callback allows.

    Parameters
    ----------
    objective : Objective
    params0 : ndarray (K, P)
    update : GradientDescent
    max_iter : int
        Most epochs of each network.
    callback : Callback
        Called with the weights after an epoch's step and J before it; it decides when
        a network has converged.

    Returns
    -------
    Result
        ``x`` holds the last weights, ``fun`` and ``jac`` are those before the last
        step; a network that diverged keeps the weights of the epoch in which it did.
    """
    result = Result.of_start(params0)
    active = np.arange(len(params0))
    start = np.empty(len(params0))
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for epoch in range(max_iter):
            x = result.x[active]
            fun, grad = objective.data_loss_gradient(x)
            penalty, decayed = objective.penalty_gradient(x)
            fun += penalty
            result.fun[active] = fun
            result.jac[active] = grad + decayed
            result.nfev[active] += 1
            finite = np.isfinite(fun) & np.isfinite(grad).all(axis=1)
            if epoch == 0:
                start[:] = fun
                status = np.where(finite, Status.RUNNING, Status.OVERFLOW)
            else:
                lost = ~finite | (fun > EXPLOSION * start[active])
                status = np.where(lost, Status.DIVERGED, Status.RUNNING)
            going = status == Status.RUNNING
            update(x, grad, objective.decay)
            result.x[active[going]] = x[going]
            result.nit[active] += 1
            if going.any():
                status[going] = callback(active[going], x[going], fun[going])
            result.status[active] = status
            going = status == Status.RUNNING
            if not going.all():
                active, objective = active[going], objective[going]
                if not len(active):
                    return result
    result.status[active] = Status.MAX_ITER
    return result
