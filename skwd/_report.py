"""What is said of a finished training: errors for lost networks, and the warnings."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skwd._layout import Layout, initial_scale
from skwd._path import Problem
from skwd._result import Status
from skwd._training import Settings, Trained

# Weights this much smaller than they started, in every layer at once, have collapsed.
COLLAPSE = 1e-2

_REMEDIES = {
    Status.MAX_ITER: "Increase max_iter or tol, or standardise X (StandardScaler)",
    Status.ROSE: "Lower learning_rate_init, or standardise X (StandardScaler)",
    Status.MAX_FUN: "Increase max_fun or tol, or standardise X (StandardScaler)",
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


def report(problem: Problem, trained: Trained, ensemble: bool, alpha) -> None:
    """Raise when nothing can predict; warn of what the user should know."""
    check_not_lost(trained, problem.settings)
    networks = trained.predicting(ensemble)
    warn_if_not_converged(trained, networks, problem.settings)
    if problem.has_varying_y:  # otherwise a constant is right
        params, gain = trained.params[networks], problem.activation.gain
        warn_if_collapsed(problem.layout, gain, params, alpha)


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
    n_layers = layout.n_weight_layers
    if n_layers == 1:
        return  # a linear model with small weights is simply well regularised
    for layer in range(n_layers):
        size = np.sqrt(np.mean(np.square(layout.W(params, layer), dtype=np.float64)))
        if size > COLLAPSE * initial_scale(layout, gain, layer):
            return
    shown = f"{alpha[0]:g}" if len(set(alpha)) == 1 else [float(a) for a in alpha]
    warnings.warn(
        f"alpha={shown} is too large for this data: every weight has collapsed to "
        "about zero, and the network predicts a constant. Lower alpha.",
        UserWarning,
        stacklevel=5,
    )
