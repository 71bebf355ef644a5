"""What is said of a finished training: the warnings, and their order."""

from __future__ import annotations

import contextlib
import sys
import warnings
from pathlib import Path

import numpy as np
import sklearn
from sklearn.exceptions import ConvergenceWarning

from skwd._alpha.choice import AlphaChoice
from skwd._alpha.scales import collapse_threshold, default_alpha
from skwd._core.layout import is_collapsed
from skwd._core.objective import mean_loss_of_constant
from skwd._solvers.base import Solver
from skwd._solvers.failures import advice, check_any_usable
from skwd._solvers.hooks import layer_norms
from skwd._solvers.result import SUCCESS, Status
from skwd._solvers.task import TrainingTask

# This package, and what of Python and scikit-learn stands between it and its user.
_INSIDE = (
    str(Path(__file__).parent.parent),
    contextlib.__file__,
    str(Path(sklearn.__file__).parent / "callback"),
)
# Of the gradient by the last layer: less at the first one, and it has vanished on the
# way. Of one to eight hidden layers of five activations (20 units each, Friedman 1)
# those that learn nothing at alpha = 1e-5 by adam have 2e-5 and 1e-4, the others .008
# and more.
VANISHING = 1e-3
# With more effective parameters than this part of the data's degrees of freedom, little
# is left to judge an alpha by.
USED_UP = 0.9
# A loss above that of a constant by more than this part of it is worse.
CLEARLY = 1e-3
# A given alpha below this part of the default is next to none, and a loss below this
# part of a constant's is that of rows known by heart, unless there is no noise.
NO_DECAY, BY_HEART = 1e-3, 1e-3


def warn(message: str | Warning, category: type[Warning] = UserWarning) -> None:
    """Warn, once, at the line outside of this package that called it."""
    frame, level = sys._getframe(1), 2
    while frame.f_back and frame.f_back.f_code.co_filename.startswith(_INSIDE):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level + 1)


def warn_of_late_training(text: str, numbers: str) -> None:
    """A ConvergenceWarning whose text knows parameters alone, so that Python, which
    shows a text once, shows it once; what differs from fit to fit is a note of it."""
    warning = ConvergenceWarning(text)
    warning.add_note(numbers)
    warn(warning)


def shown_solver(given: str, solver: Solver) -> str:
    """How a message names a solver, which may be what "auto" has become."""
    here = "" if given == solver.name else f", here {solver.name!r},"
    return f"solver={given!r}{here}"


def report(
    task: TrainingTask,
    trained: AlphaChoice,
    ensemble: bool,
    given,
    solver: str,
    *,
    is_found: bool = False,
    is_explained: bool = False,
) -> None:
    """Raise when nothing can predict; warn of what the user should know.

    ``solver`` is the parameter; ``given`` is alpha as a number, one per layer, None,
    or the name of a choice; ``is_found``: the number has been found by a search;
    ``is_explained``: what makes validation rows bad has been named.
    """
    check_any_usable(trained, task)
    networks = trained.predicting(ensemble)
    fine = (*SUCCESS, Status.ASKED)
    late = [k for k in networks if trained.status[k] not in fine]
    if late:
        named = shown_solver(solver, task.solver)
        _warn_if_not_converged(task, trained, networks, late, named)
    if not task.has_varying_y:  # a constant is right
        return
    if task.largest_deviation_of_X == 0.0:
        warn(
            "No column of X varies over the rows trained on: at every alpha the "
            "network predicts a constant. Give fit columns that vary."
        )
        return
    params, alpha = trained.params[networks], trained.alpha[networks[0]]
    if isinstance(given, str):
        if not (params * task.layout.decay_mask).any():
            _warn_of_no_signal(task, alpha[0], given)
            return
        _warn_of_the_choice(task, trained, networks, given)
    elif is_collapsed(task.layout, task.activation.gain, params) or (
        not task.penalty.is_smooth and not (params * task.layout.decay_mask).any()
    ):
        _warn_of_collapse(task, alpha, given)
        return
    if not late and not is_explained:
        losses = _losses(task, trained, networks)
        _warn_if_like_a_constant(task, trained, losses)
        is_given = not (is_found or isinstance(given, str) or given is None)
        by_heart = (losses[0] <= BY_HEART * losses[1]).all()
        if is_given and by_heart and task.validation is None:
            _warn_if_next_to_no_decay(task, alpha)


def _warn_if_not_converged(
    task: TrainingTask, trained: AlphaChoice, networks: np.ndarray, late: list, named
) -> None:
    """One ConvergenceWarning for those of the ``networks`` that are ``late``."""
    solver = task.solver
    # The one that has furthest to go.
    k = max(
        late, key=lambda k: (np.nan_to_num(trained.predicted_fall[k]), trained.loss[k])
    )
    status = Status(trained.status[k])
    who, notes = "", [f"{trained.nit[k]} {solver.unit}"]
    if len(networks) > 1:
        who = "Some networks of the ensemble are late: "
        notes.insert(0, f"{len(late)} of {len(networks)} networks")
    if np.isfinite(trained.predicted_fall[k]):
        notes.append(
            f"a fall of J by {trained.predicted_fall[k]:.2g} of itself in sight"
        )
    loss, constant = _losses(task, trained, np.array(late))
    is_worse = (loss > constant + CLEARLY * np.abs(constant)).any()
    than = " It is worse than a constant." if is_worse else ""
    remedy = solver.remedy(status)
    if status is Status.STALLED and task.training.dtype != np.float64:
        remedy += ", or pass X as float64"
    warn_of_late_training(
        f"{who}{named} {status.message} (max_iter={solver.max_iter}, "
        f"tol={solver.tol:g}).{than} {advice(remedy, task)}",
        ", ".join(notes),
    )


def _losses(
    task: TrainingTask, trained: AlphaChoice, networks: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The losses of some networks, and those of the best constant, without the penalty.

    On the rows trained on, or those that early stopping watched; both (k,).
    """
    objective = task.objective(trained.alpha[networks])
    if task.validation is None:
        penalty = objective.penalty_value(trained.params[networks])
        return trained.loss[networks] - penalty, objective.constant_loss()
    loss = trained.best_validation[networks]
    constant = mean_loss_of_constant(task.loss, task.validation, task.constant)
    return loss, np.full(len(loss), constant)


def _warn_if_like_a_constant(task, trained, losses) -> None:
    """Name it, with the cause, when zero weights would have predicted as well."""
    loss, constant = losses
    n_hidden, is_watched = task.layout.n_weight_layers - 1, task.validation is not None
    is_deep = n_hidden > 1 and not is_watched
    clearly = CLEARLY * np.abs(constant)
    has_learnt_nothing = (loss >= constant - clearly).all()
    if is_deep and has_learnt_nothing:
        norms = start_gradients(task, trained.alpha[trained.best])
        ratio = norms[0] / norms[-1] if norms[-1] > 0.0 else np.inf  # none is not less
        first = "Use tanh, relu or selu, fewer hidden layers or a lower alpha"
        if ratio < VANISHING:
            warn(
                "The network predicts a constant: gradients vanish. At the initial "
                f"weights that of the loss by the first layer is {ratio:.1g} of that "
                f"by the last, with {n_hidden} hidden layers of "
                f"{task.activation.name!r}. {advice(first, task)}"
            )
            return
    worst = int(np.argmax(loss - constant))
    if loss[worst] > constant[worst] + clearly[worst]:
        where = "on the validation rows" if is_watched else "on the rows trained on"
        first = "Lower alpha, or use n_init=5 for more starting points"
        if not task.solver.finds_minima:
            first = f"Lower alpha or learning_rate_init, or use {task.solver.instead}"
        warn(
            f"The network is worse than a constant: its loss {where} is "
            f"{loss[worst]:.4g}, that of a constant {constant[worst]:.4g}. "
            f"{advice(first, task)}"
        )
    elif is_deep and has_learnt_nothing:
        warn(
            f"The network predicts a constant: with {n_hidden} hidden layers zero "
            "weights are a minimum of J for every alpha > 0, and these have fallen "
            f"into it. {advice('Lower alpha, or use fewer hidden layers', task)}"
        )


def _warn_if_next_to_no_decay(task: TrainingTask, alpha: np.ndarray) -> None:
    """Name it when a network knows its rows by heart, and was given no other way."""
    if ((alpha > 0.0) & (alpha < NO_DECAY * default_alpha(task))).all():
        warn(
            "alpha is thousands of times below the default, and the network fits its "
            "rows nearly exactly, noise included. Leave alpha out, or use alpha='auto'."
        )


def start_gradients(task: TrainingTask, alpha: np.ndarray) -> np.ndarray:
    """Norms of the gradient of the loss by layer at the first starting point."""
    objective = task.objective(alpha[np.newaxis])
    with np.errstate(all="ignore"):
        _, gradient = objective.data_loss_gradient(task.params0[:1])
    return layer_norms(task.layout, gradient)[0]


def _warn_of_no_signal(task: TrainingTask, alpha: float, name: str) -> None:
    """Name it when no alpha was found at which the data tell a signal from noise."""
    first = "Use fewer hidden layers, more rows or better features, or give alpha a"
    warn(
        f"alpha={name!r}: the signal is too weak to be told from noise. alpha is at "
        f"its top, {alpha:.3g}, and the network predicts a constant. "
        f"{advice(f'{first} number', task)}"
    )


def _warn_of_collapse(task: TrainingTask, alpha: np.ndarray, given) -> None:
    """Name it when alpha has driven every weight to about zero."""
    shown = f"{alpha[0]:g}" if len(set(alpha)) == 1 else [float(a) for a in alpha]
    first, why = "Lower alpha", ""
    threshold = collapse_threshold(task)
    if threshold is not None and max(alpha) > threshold:
        first = f"Lower alpha: small weights leave zero below about {threshold:.2g}"
    if given is None:
        n, n_rows = task.training.total_weight, task.n_rows
        why = f" alpha=None is {shown} here, as the rows weigh {n:.3g} together."
        if n < 0.1 * n_rows:
            first = (
                "They count as rows: rescale sample_weight to a mean of 1, or give "
                "alpha a number"
            )
        elif alpha[0] > 1.01 * default_alpha(task)[0]:
            why = (
                f" alpha=None is {shown} here, as a linear model tells next to no "
                "signal from noise."
            )
            first = "Use alpha='auto', or give alpha a number"
    warn(
        f"alpha={shown} is too large for this data: every weight has collapsed to "
        f"about zero, and the network predicts a constant.{why} "
        f"{advice(first, task)}"
    )


def _warn_of_the_choice(task, trained, networks, name: str) -> None:
    """Name an alpha at the end of its range, and one that nothing is left to judge."""
    k = networks[0] if len(networks) == 1 else trained.best
    likelihood, n_outputs = task.loss.likelihood, task.training.y.shape[1]
    if likelihood is not None and likelihood.shift_invariant:
        n_outputs -= 1
    n = max(task.training.total_weight, task.n_rows)
    most, dof = n * n_outputs, trained.dof(k)
    if dof > USED_UP * most:
        first = "Use fewer units, columns or layers, more rows, or a CV form"
        warn(
            f"alpha={name!r}: the network uses up {dof:.4g} of {most:.4g} degrees of "
            "freedom of the data, and little is left to judge alpha by. "
            f"{advice(first, task)}"
        )
    elif trained.lowest[k]:
        first = "Where predictions are not good enough use more units, or give alpha a"
        first += " number"
        warn(
            f"alpha={name!r}: alpha is at the low end of its range, "
            f"{trained.alpha[k].min():.3g}: weight decay does not help this network. "
            f"{advice(first, task)}"
        )
