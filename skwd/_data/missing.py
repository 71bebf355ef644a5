"""Values that are missing, as arrays and tables of users have them: None, NaN, NA."""

from __future__ import annotations

import math

import numpy as np


def is_na(value) -> bool:
    """Whether a value is pandas' NA, which need not be installed."""
    return type(value).__name__ == "NAType"


def with_plain_missing(y, of_labels: bool = False):
    """y, with None for what is missing in an array of objects, NaN and pandas' NA too.

    scikit-learn's checks raise a TypeError for one, and do not name y for the other.
    ``of_labels``: one column of floats with NaN as well, which are labels here.
    """
    values = np.asarray(y) if hasattr(y, "__array__") else np.empty(0)
    if of_labels and values.dtype.kind == "f" and values.shape[1:] in ((), (1,)):
        values = values.astype(object) if np.isnan(values).any() else values
    if values.dtype.kind != "O":
        return y
    flat = values.ravel().tolist()
    missing = [is_na(v) or (isinstance(v, float) and v != v) for v in flat]
    if not any(missing):
        return y
    values = values.copy()
    values[np.reshape(missing, values.shape)] = None
    return values


def as_numbers(y) -> np.ndarray:
    """y as float64, where NaN is what is missing."""
    return np.asarray(with_plain_missing(y), dtype=np.float64)


def in_shape(y, shape: tuple[int, ...]) -> np.ndarray:
    """y as numbers in the ``shape`` (n, *outputs) of its predictions."""
    y = as_numbers(y)
    if y.size != math.prod(shape):
        raise ValueError(
            f"y must have the outputs that are predicted, a shape of {shape}; got "
            f"{y.shape}. Pass the targets of the rows of X."
        )
    return y.reshape(shape)
