"""The losses that there are, by name: a new one is a file and a line here."""

from __future__ import annotations

from skwd._core.class_losses import HalfBinomialLoss, HalfMultinomialLoss
from skwd._core.loss import Loss
from skwd._core.number_losses import HalfPoissonLoss, HalfSquaredError

LOSSES: dict[str, Loss] = {
    loss.name: loss
    for loss in (
        HalfSquaredError(),
        HalfPoissonLoss(),
        HalfBinomialLoss(),
        HalfMultinomialLoss(),
    )
}


def losses_of_numbers() -> tuple[str, ...]:
    """The names of the losses that a regressor may have."""
    return tuple(name for name, loss in LOSSES.items() if loss.is_for_numbers)
