"""Rows before they are trained on: their dtype, some weight, and y in its range."""

from __future__ import annotations

import numpy as np

from skwd._core.loss import Loss
from skwd._core.sample import Sample


def in_dtype(X, dtype):
    """X in this dtype; what overflows becomes inf, and J with it."""
    with np.errstate(over="ignore"):
        return X.astype(dtype, copy=False)


def check_range(sample: Sample, loss: Loss, name: str) -> None:
    """Raise where y is out of the range of float32, if networks predict in that.

    Beside larger y a small one is as good as 0, but for a loss of positive y.
    """
    if sample.dtype == np.float64:
        return
    range_, size = np.finfo(sample.dtype), np.abs(sample.y)
    small = (size > 0.0) & (size < range_.tiny)
    if loss.domain is None and (size >= range_.tiny).any():
        small[:] = False
    lost = small | (size > range_.max)
    if lost.any():
        largest = max(sample.y[lost], key=abs)
        raise ValueError(
            f"{name}={largest:.3g} is out of the range of {sample.dtype}, which X is "
            f"of. Pass X as float64, or {name} in other units."
        )


def check_some_weight(
    weight: np.ndarray, name: str, wanted: str = "a positive weight"
) -> None:
    """Raise where no sample is left that counts; ``wanted`` is what it lacks."""
    if not weight.any():
        raise ValueError(
            f"All weights are zero in {name}: no sample is left to fit. Give at least "
            f"one sample {wanted}."
        )
