"""What is said of networks that have no usable weights, and what helps."""

from __future__ import annotations

import numpy as np

from skwd._core.rows import scaler_for
from skwd._solvers.result import Status
from skwd._solvers.task import TrainingTask
from skwd._solvers.training import StackFit
from skwd._solvers.units import LEAST_DEVIATION, MOST_DEVIATION


def scaling_remedies(task: TrainingTask) -> str:
    """What is to be done about the units of X and y, in a half-sentence of its own."""
    found = []
    largest = task.largest_deviation_of_X
    if largest > 0.0 and not LEAST_DEVIATION <= largest <= MOST_DEVIATION:
        found.append(
            f"standardise X ({scaler_for(task.training.X)}), whose columns have a "
            f"standard deviation of {largest:.3g} at most"
        )
    deviation = _deviation_of_y(task)
    if deviation > 0.0 and not LEAST_DEVIATION <= deviation <= MOST_DEVIATION:
        found.append(f"use normalize_y=True for y, whose deviation is {deviation:.3g}")
    return "; ".join(found)


def _deviation_of_y(task: TrainingTask) -> float:
    """What normalize_y divides y by, root mean square over outputs; 0 if by nothing.

    It is 1 for y that has been divided. The loss says what it is: of robust losses
    not the standard deviation, which outliers make large at any scale.
    """
    sample, moments = task.training, task.loss.moments
    if moments is None or not task.has_varying_y:  # but for rounding
        return 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        _, deviations = moments(sample.y, sample.norm_weight)
        return float(np.sqrt(np.square(deviations).mean()))


def advice(first: str, task: TrainingTask) -> str:
    """A remedy, and those for the units, if they are amiss: the likely cause."""
    units = scaling_remedies(task)
    return f"{units[0].upper()}{units[1:]}. {first}." if units else f"{first}."


def check_any_usable(trained: StackFit, task: TrainingTask) -> None:
    """Raise when no network of the stack has usable weights."""
    if not trained.unusable.all():
        return
    solver = task.solver
    if (trained.status == Status.OVERFLOW).all():
        is_large = _deviation_of_y(task) > MOST_DEVIATION
        y = ", and y (normalize_y=True)" if is_large else ""
        raise ValueError(
            "Solver produced non-finite parameter weights. The input data may contain "
            "large values and need to be preprocessed: the objective overflows at the "
            f"initial weights. Standardise X ({scaler_for(task.training.X)}){y}."
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
        f"solver={solver.name!r} diverged in epoch {trained.nit[k]}: the "
        f"objective went {start}to {end:.3g}. {advice(solver.when_it_diverges, task)}"
    )
