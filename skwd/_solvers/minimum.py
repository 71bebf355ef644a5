"""J to a minimum, by all rows: solved where it is quadratic, else by L-BFGS.

L-BFGS is told the scales of unscaled columns (`units`), and goes on from the saddle
at zero weights (`saddle`), where it sees nothing to be gained.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np

from skwd._core.arrays import EPS, row_dot
from skwd._core.layout import Layout
from skwd._core.network import Network
from skwd._core.objective import Objective
from skwd._solvers import direct, lbfgs
from skwd._solvers.base import Solver, common_fields
from skwd._solvers.lbfgs_state import gradients
from skwd._solvers.result import Result, Status
from skwd._solvers.saddle import away_from_saddle
from skwd._solvers.units import InUnits, parameter_scales

# "auto" is L-BFGS up to so many rows times parameters, the work of one evaluation of J.
# On tables of 3,000 rows it takes 2.6 times the time of Adam's plan and has errors .99
# of it, of 9,000 and 16,000 rows 4.6 and .96 (benchmarks/solvers.py).
AUTO_WORK = 5e7
# In units of tol: J of a linear model is convex, and a few iterations more find its
# minimum to more digits than a linear peer's.
CONVEX = 1e-5
# In units of tol: what gradient descent may leave behind, as it crawls along valleys.
FAR = 1e3
# Roundings of the parts of a loss, between which there is no lower J to be seen.
ROUNDINGS = 10.0
# The curvature assumed along a gradient where J is concave.
LEAST_BEND = 1e-12
# Steps along a gradient, in the size of the parameters, that J is looked at after.
STEPS = 10.0 ** np.arange(-12.0, 1.0)


@dataclass(frozen=True)
class LbfgsSolver(Solver):
    """L-BFGS on all rows; linear models of squared error are solved directly.

    Parameters
    ----------
    max_fun : float
        Most evaluations of J of each network: an integer, or inf.
    """

    max_fun: float

    name: ClassVar[str] = "lbfgs"
    unit: ClassVar[str] = "iterations"
    sees_all_rows: ClassVar[bool] = True
    finds_minima: ClassVar[bool] = True
    remedies: ClassVar[Mapping[Status, str]] = {
        Status.MAX_FUN: "Increase max_fun or tol",
        Status.UNSETTLED: "Increase tol, or give alpha a number",
        Status.STALLED: "Increase tol",
    }

    @classmethod
    def of(cls, params):
        return cls(**common_fields(params), max_fun=float(params["max_fun"]))

    @classmethod
    def suits(cls, n_rows, n_params, is_wide):
        return is_wide or n_rows * n_params <= AUTO_WORK

    def network_bytes(self, layout: Layout, n_rows: int, itemsize: int) -> int:
        return lbfgs.network_bytes(layout.n_params, itemsize)

    def watches_loss(self, network: Network) -> bool:
        # What L-BFGS promises need not vanish where J has kinks: there it is done as
        # well when J falls by less than tol, as a part of J, per iteration.
        return network.kinked

    def minimise(self, objective, params0, monitor, order):
        stops_early = monitor.validation is not None
        is_linear = objective.network.layout.n_weight_layers == 1
        if is_linear and not stops_early and direct.suits(objective):
            result = direct.minimize(objective, params0, monitor)
            if result is not None:
                return result
        result = _by_lbfgs(objective, params0, self, monitor)
        at_start = np.flatnonzero((result.status == Status.STALLED) & (result.nit == 0))
        if len(at_start):  # no step lowers J: they may have begun at a minimum
            begun = objective[at_start], result.x[at_start]
            predicted_fall = _promise(*begun)
            if self.watches_loss(objective.network):
                predicted_fall = np.minimum(predicted_fall, _seen_fall(*begun))
            result.predicted_fall[at_start] = predicted_fall
            result.status[at_start[predicted_fall <= self.tol]] = Status.CONVERGED
        stalled = np.flatnonzero(result.status == Status.STALLED)
        if len(stalled) and objective.loss.moments is None:
            part = objective[stalled]
            fall, _ = _promised_fall(part, result.x[stalled])
            at_rounding = fall <= ROUNDINGS * EPS * part.loss_size()
            result.status[stalled[at_rounding]] = Status.CONVERGED
        if not stops_early:
            _leave_saddles(objective, result, self, monitor)
        return result


def tolerance(tol: float, layout: Layout, dtype: np.dtype) -> float:
    """The part of J that its minimum is found to, for the parameter ``tol``."""
    if layout.n_weight_layers > 1:
        return tol
    return min(tol, max(CONVEX * tol, float(np.finfo(dtype).eps)))


def check_minimum(objective: Objective, result: Result, tol: float) -> None:
    """Set the status SLOW where patience has ended a network away from a minimum.

    FAR times ``tol`` of J in sight is too much. (Where a valley is narrow, what is seen
    along the gradient is a part of what is left.)
    """
    ended = np.flatnonzero(result.status == Status.CONVERGED)
    if len(ended):
        result.predicted_fall[ended] = _promise(objective[ended], result.x[ended])
        result.status[ended[result.predicted_fall[ended] > FAR * tol]] = Status.SLOW


def _promise(objective: Objective, x: np.ndarray) -> np.ndarray:
    """The fall of J by the best step along its gradient, as a part of J, (K,)."""
    fall, J = _promised_fall(objective, x)
    with np.errstate(all="ignore"):
        return np.where(fall > 0.0, fall / np.abs(J), fall)


def _promised_fall(
    objective: Objective, x: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The fall of J by the best step along its gradient, and J itself, (K,) each.

    1/2 (g'g)^2 / g'Hg, with Hg from a second gradient near ``x`` (K, P); where J has
    kinks, of the subgradient of least length.
    """
    with np.errstate(all="ignore"):
        J, smooth = objective.loss_gradient(x)
        g, _ = gradients(objective.kinks, x, smooth)
        square = row_dot(g, g)
        size = np.sqrt(row_dot(x, x) + 1.0) * np.cbrt(np.finfo(objective.dtype).eps)
        step = (size / np.sqrt(square))[:, np.newaxis]
        _, nearby = objective.loss_gradient(x + step * g)
        bend = row_dot(g, nearby - smooth) / step[:, 0]
        fall = 0.5 * square**2 / np.maximum(bend, LEAST_BEND * square)
    return np.where(square > 0.0, fall, 0.0), J


def _seen_fall(objective: Objective, x: np.ndarray) -> np.ndarray:
    """The largest fall of J that is seen along its gradient, as a part of J, (K,).

    Where the slope jumps at ``x``, no gradient and no curvature tells of it.
    """
    scales = parameter_scales(objective)
    scales = np.ones_like(x) if scales is None else scales
    with np.errstate(all="ignore"):
        J, smooth = objective.loss_gradient(x)
        g = gradients(objective.kinks, x, smooth)[0] / scales
        size = row_dot(x * scales, x * scales) + 1.0
        along = g / scales * np.sqrt(size / row_dot(g, g))[:, np.newaxis]
        falls = [J - objective.fun(x - t * along) for t in STEPS]
        return np.fmax.reduce([np.zeros(len(x)), *falls]) / np.abs(J)


def _by_lbfgs(objective, params0, solver: LbfgsSolver, callback) -> Result:
    J, scales = objective, parameter_scales(objective)
    tol = tolerance(solver.tol, objective.network.layout, objective.dtype)
    # What counts as 0: a part of J of a constant, or where that is 0 of the penalty.
    worth = np.maximum(
        np.abs(objective.constant_loss()), EPS * objective.penalty_value(params0)
    )
    if scales is not None:
        J = InUnits(objective, scales)
        params0, callback = params0 * scales, J.callback(callback)
    result = lbfgs.minimize(
        J,
        params0,
        max_iter=solver.max_iter,
        max_fun=solver.max_fun,
        tol=tol,
        negligible=tol * worth,
        curvature=objective.curvature(),
        callback=callback,
    )
    if scales is not None:
        result.x /= scales
        result.jac *= scales
    return result


def _leave_saddles(objective, result: Result, solver: LbfgsSolver, monitor) -> None:
    """Train networks on that have converged where J has not begun to fall."""
    ended = np.flatnonzero(result.status == Status.CONVERGED)
    part, point = objective[ended], (result.x[ended], result.fun[ended])
    starts = away_from_saddle(part, *point, solver.tol)
    found = ~np.isnan(starts).any(axis=1)
    if not found.any():
        return
    networks = ended[found]
    part, callback = objective[networks], monitor.of(networks)
    again = _by_lbfgs(part, starts[found], solver, callback)
    again.nit += result.nit[networks]
    again.nfev += result.nfev[networks]
    lower = again.fun <= result.fun[networks]
    for field in fields(result):
        new = getattr(again, field.name)[lower]
        getattr(result, field.name)[networks[lower]] = new
