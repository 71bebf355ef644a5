"""What is said of a finished training: errors for lost networks, and the warnings."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skwd._layout import Layout, is_collapsed
from skwd._path import Problem
from skwd._result import Status
from skwd._training import Settings, Trained

_REMEDIES = {
    Status.MAX_ITER: "Increase max_iter or tol, or standardise X (StandardScaler)",
    Status.ROSE: "Lower learning_rate_init, or standardise X (StandardScaler)",
    Status.MAX_FUN: "Increase max_fun or tol, or standardise X (StandardScaler)",
    Status.UNSETTLED: "Increase tol, standardise X and y, or give alpha a number",
    Status.STALLED: "Increase tol, standardise X and y, or pass X as float64",
}
_REMEDY_EPOCHS = "Increase max_iter, tol or learning_rate_init, or standardise X"


def remedy(status: Status, settings: Settings) -> str:
    """What helps a network that ended like this."""
    slow = status == Status.MAX_ITER and settings.solver != "lbfgs"
    return _REMEDY_EPOCHS if slow else _REMEDIES[status]


def check_not_lost(trained: Trained, settings: Settings) -> None:
    """Raise when no network of the stack has usable weights."""
    if not trained.lost.all():
        return
    if (trained.status == Status.OVERFLOW).all():
        raise ValueError(
            "The objective overflows at the initial weights: X or y holds values too "
            "large for their dtype. Standardise X (StandardScaler), and y "
            "(normalize_y=True) for a regressor."
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
    raise ValueError(
        f"solver={settings.solver!r} diverged in epoch {trained.nit[k]}: the "
        f"objective went {start}to {end:.3g}. "
        f"learning_rate_init={settings.schedule.initial:g} is too large for this "
        "data: lower it, or standardise X (and y)."
    )


def report(problem: Problem, trained: Trained, ensemble: bool, given) -> None:
    """Raise when nothing can predict; warn of what the user should know.

    ``given`` is alpha as a number, one per layer, or the name of a choice.
    """
    check_not_lost(trained, problem.settings)
    networks = trained.predicting(ensemble)
    warn_if_not_converged(trained, networks, problem.settings)
    if not problem.has_varying_y:  # a constant is right
        return
    params, alpha = trained.params[networks], trained.alpha[networks[0]]
    if isinstance(given, str):
        warn_if_weak(problem.layout, params, alpha, given)
    else:
        warn_if_collapsed(problem.layout, problem.activation.gain, params, alpha)


def warn_if_weak(layout: Layout, params: np.ndarray, alpha, name: str) -> None:
    """Name it when no alpha was found at which the data tell a signal from noise."""
    if (params * layout.decay_mask).any():
        return
    warnings.warn(
        f"alpha={name!r}: the signal is too weak to be told from noise. alpha is at "
        f"its top, {alpha[0]:.3g}, and the network predicts a constant. Standardise X "
        "(StandardScaler) and y, use fewer hidden layers, more rows or better "
        "features, or give alpha a number.",
        UserWarning,
        stacklevel=5,
    )


def warn_if_not_converged(
    trained: Trained, networks: np.ndarray, settings: Settings
) -> None:
    """One ConvergenceWarning for the networks that predict."""
    late = [k for k in networks if not Status(trained.status[k]).success]
    if not late:
        return
    # The one with the largest gradient (or J, where there is no gradient).
    k = max(late, key=lambda k: (np.nan_to_num(trained.grad_norm[k]), trained.loss[k]))
    status = Status(trained.status[k])
    who = f"{len(late)} of {len(networks)} networks: " if len(networks) > 1 else ""
    reached = ""
    if np.isfinite(trained.grad_norm[k]):
        reached = f", with a largest gradient entry of {trained.grad_norm[k]:.2g}"
    warnings.warn(
        f"{who}solver={settings.solver!r} {status.message} after {trained.nit[k]} "
        f"{'iterations' if settings.solver == 'lbfgs' else 'epochs'}{reached} "
        f"(tol={settings.tol:g}). {remedy(status, settings)}.",
        ConvergenceWarning,
        stacklevel=5,
    )


def warn_if_collapsed(layout: Layout, gain: float, params: np.ndarray, alpha) -> None:
    """Name it when alpha has driven every weight of a hidden network to about zero."""
    if not is_collapsed(layout, gain, params):
        return
    shown = f"{alpha[0]:g}" if len(set(alpha)) == 1 else [float(a) for a in alpha]
    warnings.warn(
        f"alpha={shown} is too large for this data: every weight has collapsed to "
        "about zero, and the network predicts a constant. Lower alpha.",
        UserWarning,
        stacklevel=5,
    )
