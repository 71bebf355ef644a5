"""What kind of thing a parameter's value is."""

from __future__ import annotations

import numbers
from collections.abc import Callable

import numpy as np


def integer_from(low: int) -> Callable:
    return lambda value: is_integer(value) and value >= low


def is_limit(value) -> bool:
    """An integer >= 1, or inf for none."""
    return is_count(value) or (isinstance(value, numbers.Real) and value == np.inf)


def is_integer(value) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def is_real(value) -> bool:
    real = isinstance(value, numbers.Real) and not isinstance(value, (bool, np.bool_))
    return real and bool(np.isfinite(value))


def is_bool(value) -> bool:
    return isinstance(value, (bool, np.bool_))


def is_rate(value) -> bool:
    return is_real(value) and 0 <= value < 1


is_count = integer_from(1)


def as_list(value) -> list:
    """The entries of a sequence, or one value alone."""
    sequence = isinstance(value, (list, tuple, range)) or getattr(value, "ndim", 0) > 0
    return list(value) if sequence else [value]
