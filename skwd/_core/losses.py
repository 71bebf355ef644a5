"""The losses that there are, by name: a new one is a file and a line here."""

from __future__ import annotations

from typing import Any

from skwd._core.class_losses import HalfBinomialLoss, HalfMultinomialLoss
from skwd._core.loss import Loss
from skwd._core.number_losses import HalfPoissonLoss, HalfSquaredError
from skwd._core.positive_losses import HalfTweedieLoss
from skwd._core.robust_losses import HuberLoss, QuantileLoss

_KNOWN: tuple[Any, ...] = (  # a ufunc is a gradient, too, which types do not tell
    HalfSquaredError(),
    HuberLoss(),
    QuantileLoss("absolute_error", factor=2.0),
    QuantileLoss("quantile"),
    HalfPoissonLoss(),
    HalfTweedieLoss("gamma", 2.0, default_decay=3.0, excludes_least=True),
    HalfTweedieLoss("tweedie", 1.5, default_decay=5.0),
    HalfBinomialLoss(),
    HalfMultinomialLoss(),
)
LOSSES: dict[str, Loss] = {loss.name: loss for loss in _KNOWN}


def losses_of_numbers() -> tuple[str, ...]:
    """The names of the losses that a regressor may have."""
    return tuple(name for name, loss in LOSSES.items() if loss.is_for_numbers)
