"""What is said of a finished training: errors for lost networks, and the warnings."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skwd._core.layout import is_collapsed
from skwd._solvers.problem import Problem
from skwd._solvers.result import Status
from skwd._solvers.settings import Settings
from skwd._solvers.training import Trained
from skwd._solvers.units import LEAST_DEVIATION, MOST_DEVIATION

_PACKAGE = str(Path(__file__).parent.parent)
# With more effective parameters than this part of the data's degrees of freedom, little
# is left to judge an alpha by.
USED_UP = 0.9
# A loss above that of a constant by more than this part of it is worse.
CLEARLY = 1e-3

_REMEDIES = {
    Status.MAX_ITER: "Increase max_iter or tol",
    Status.ROSE: "Lower learning_rate_init",
    Status.SLOW: "Increase learning_rate_init, or use solver='lbfgs'",
    Status.MAX_FUN: "Increase max_fun or tol",
    Status.UNSETTLED: "Increase tol, or give alpha a number",
    Status.STALLED: "Increase tol, or pass X as float64",
}
_REMEDY_EPOCHS = "Increase max_iter, tol or learning_rate_init"


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn, once, at the line outside of this package that called it."""
    frame, level = sys._getframe(1), 2
    while frame.f_back and frame.f_back.f_code.co_filename.startswith(_PACKAGE):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level + 1)


def remedy(status: Status, settings: Settings) -> str:
    """What helps a network that ended like this."""
    slow = status == Status.MAX_ITER and settings.solver != "lbfgs"
    return _REMEDY_EPOCHS if slow else _REMEDIES[status]


def scaling_remedies(problem: Problem) -> str:
    """What is to be done about the units of X and y, in a half-sentence of its own."""
    found = []
    largest = problem.largest_deviation_of_X
    if largest > 0.0 and not LEAST_DEVIATION <= largest <= MOST_DEVIATION:
        found.append(
            "standardise X (StandardScaler), whose columns have a standard deviation "
            f"of {largest:.3g} at most"
        )
    deviation = problem.deviation_of_y
    amiss = deviation > 0.0 and not LEAST_DEVIATION <= deviation <= MOST_DEVIATION
    if problem.loss.has_noise and amiss:
        found.append(
            f"use normalize_y=True for y, whose standard deviation is {deviation:.3g}"
        )
    return "; ".join(found)


def _advice(first: str, problem: Problem) -> str:
    """A remedy, and those for the units, if they are amiss: the likely cause."""
    units = scaling_remedies(problem)
    return f"{units[0].upper()}{units[1:]}. {first}." if units else f"{first}."


def check_not_lost(trained: Trained, problem: Problem) -> None:
    """Raise when no network of the stack has usable weights."""
    if not trained.lost.all():
        return
    settings = problem.settings
    if (trained.status == Status.OVERFLOW).all():
        is_large = problem.loss.has_noise and problem.deviation_of_y > MOST_DEVIATION
        y = ", and y (normalize_y=True)" if is_large else ""
        raise ValueError(
            "The objective overflows at the initial weights: X or y holds values too "
            f"large for their dtype. Standardise X (StandardScaler){y}."
        )
    if (trained.status == Status.UNWATCHED).all():
        raise ValueError(
            "The validation loss is not finite at the initial weights: the validation "
            "rows (X_val and y_val, if given) hold values too large for their dtype. "
            "Standardise them as X and y."
        )
    k = int(np.argmax(trained.status == Status.DIVERGED))
    curve = trained.loss_curve[k]  # empty if the first epoch diverged
    start = f"from {curve[0]:.3g} " if curve else ""
    # With early stopping loss is that of the best weights, otherwise of the last.
    end = np.fmax(trained.fun[k], trained.loss[k])
    lower = (
        f"learning_rate_init={settings.schedule.initial:g} is too large for this data: "
        "lower it"
    )
    raise ValueError(
        f"solver={settings.solver!r} diverged in epoch {trained.nit[k]}: the "
        f"objective went {start}to {end:.3g}. {_advice(lower, problem)}"
    )


def report(problem: Problem, trained: Trained, ensemble: bool, given) -> None:
    """Raise when nothing can predict; warn of what the user should know.

    ``given`` is alpha as a number, one per layer, None, or the name of a choice.
    """
    check_not_lost(trained, problem)
    networks = trained.predicting(ensemble)
    is_late = _warn_if_not_converged(problem, trained, networks)
    if not problem.has_varying_y:  # a constant is right
        return
    params, alpha = trained.params[networks], trained.alpha[networks[0]]
    if isinstance(given, str):
        if not (params * problem.layout.decay_mask).any():
            _warn_of_no_signal(problem, alpha[0], given)
            return
        _warn_of_the_choice(problem, trained, networks, given)
    elif is_collapsed(problem.layout, problem.activation.gain, params):
        _warn_of_collapse(problem, alpha, given)
        return
    if not is_late:
        _warn_if_worse_than_constant(problem, trained, networks)


def _warn_if_not_converged(
    problem: Problem, trained: Trained, networks: np.ndarray
) -> bool:
    """One ConvergenceWarning for the networks that predict; whether there was one."""
    late = [k for k in networks if not Status(trained.status[k]).success]
    if not late:
        return False
    settings = problem.settings
    # The one that has furthest to go.
    k = max(late, key=lambda k: (np.nan_to_num(trained.promise[k]), trained.loss[k]))
    status = Status(trained.status[k])
    who = f"{len(late)} of {len(networks)} networks: " if len(networks) > 1 else ""
    left = ""
    if np.isfinite(trained.promise[k]):
        left = f", with a fall of J by {trained.promise[k]:.2g} of itself in sight"
    what = "iterations" if settings.solver == "lbfgs" else "epochs"
    worse = _as_bad_as_a_constant(problem, trained, np.array(late))
    than = " It is worse than a constant." if worse is not None else ""
    warn(
        f"{who}solver={settings.solver!r} {status.message} after {trained.nit[k]} "
        f"{what}{left} (tol={settings.tol:g}).{than} "
        f"{_advice(remedy(status, settings), problem)}",
        ConvergenceWarning,
    )
    return True


def _as_bad_as_a_constant(
    problem: Problem, trained: Trained, networks: np.ndarray
) -> tuple[float, float] | None:
    """The loss of the worst network that a constant betters, and the constant's.

    Without the penalty, on the rows trained on, or those that early stopping watched.
    """
    objective = problem.objective(trained.alpha[networks])
    if problem.validation is None:
        loss = objective.data_loss(trained.params[networks])
        constant = objective.constant_loss()
    else:
        sample, loss = problem.validation, trained.best_validation[networks]
        raw = np.broadcast_to(problem.constant, sample.y.shape)
        constant = np.full(len(loss), sample.share @ problem.loss.loss(sample.y, raw))
    worst = int(np.argmax(loss - constant))
    if loss[worst] <= constant[worst] * (1.0 + CLEARLY):
        return None
    return float(loss[worst]), float(constant[worst])


def _warn_if_worse_than_constant(problem, trained, networks) -> None:
    """Name it when zero weights would have predicted better."""
    found = _as_bad_as_a_constant(problem, trained, networks)
    if found is None:
        return
    is_watched = problem.validation is not None
    where = "on the validation rows" if is_watched else "on the rows trained on"
    first = "Lower alpha, or use n_init=5 for more starting points"
    if problem.settings.solver != "lbfgs":
        first = "Lower alpha or learning_rate_init, or use solver='lbfgs'"
    warn(
        f"The network is worse than a constant: its loss {where} is {found[0]:.4g}, "
        f"that of a constant {found[1]:.4g}. {_advice(first, problem)}"
    )


def _warn_of_no_signal(problem: Problem, alpha: float, name: str) -> None:
    """Name it when no alpha was found at which the data tell a signal from noise."""
    first = "Use fewer hidden layers, more rows or better features, or give alpha a"
    warn(
        f"alpha={name!r}: the signal is too weak to be told from noise. alpha is at "
        f"its top, {alpha:.3g}, and the network predicts a constant. "
        f"{_advice(f'{first} number', problem)}"
    )


def _warn_of_collapse(problem: Problem, alpha: np.ndarray, given) -> None:
    """Name it when alpha has driven every weight of a hidden network to about zero."""
    shown = f"{alpha[0]:g}" if len(set(alpha)) == 1 else [float(a) for a in alpha]
    first, why = "Lower alpha", ""
    if given is None:
        n, n_rows = problem.training.total_weight, problem.n_rows
        why = f" alpha=None is {shown} here, as the rows weigh {n:.3g} together."
        if n < 0.1 * n_rows:
            first = (
                "They count as rows: rescale sample_weight to a mean of 1, or give "
                "alpha a number"
            )
    warn(
        f"alpha={shown} is too large for this data: every weight has collapsed to "
        f"about zero, and the network predicts a constant.{why} "
        f"{_advice(first, problem)}"
    )


def _warn_of_the_choice(problem, trained, networks, name: str) -> None:
    """Name an alpha at the end of its range, and one that nothing is left to judge."""
    k = networks[0] if len(networks) == 1 else trained.best
    n_outputs = problem.training.y.shape[1]
    if problem.loss.shift_invariant:
        n_outputs -= 1
    n = max(problem.training.total_weight, problem.n_rows)
    most, dof = n * n_outputs, trained.dof(k)
    if dof > USED_UP * most:
        first = "Use fewer units, columns or layers, more rows, or a CV estimator"
        warn(
            f"alpha={name!r}: the network uses up {dof:.4g} of {most:.4g} degrees of "
            "freedom of the data, and little is left to judge alpha by. "
            f"{_advice(first, problem)}"
        )
    elif trained.lowest[k]:
        first = "Use more units, or give alpha a number"
        warn(
            f"alpha={name!r}: alpha is at the low end of its range, "
            f"{trained.alpha[k].min():.3g}: weight decay does not help this network. "
            f"{_advice(first, problem)}"
        )
