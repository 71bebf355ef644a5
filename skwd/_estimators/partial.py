"""partial_fit, and what else is had here and there: where, and why not elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from numbers import Integral
from types import MethodType
from typing import Any

import numpy as np

from skwd._cv.ways import alpha_names
from skwd._estimators.rules import is_off
from skwd._solvers.registry import solvers_with

# Parameters that have no meaning for one epoch at a time: (name, value, reason).
_WHOLE_FITS = (
    ("posterior", True, "it needs a whole fit, to a minimum of J"),
    ("noise", "varying", "it needs all rows, in folds"),
    ("early_stopping", True, "deciding it takes many epochs"),
    ("class_weight", "balanced", "the frequencies of all y are not known"),
    ("sparsity", "adaptive", "its second stage needs the end of the first"),
)


class AvailableIf:
    """A method that some parameters rule out: it is not there, and the error says why.

    scikit-learn's ``available_if`` has the reason in a chained exception alone.

    Parameters
    ----------
    check : callable
        Raises AttributeError for an estimator that does not have the method.
    """

    def __init__(self, check: Callable[[Any], None]):
        self.check = check

    def __call__(self, method: Callable) -> AvailableIf:
        self.method = method
        update_wrapper(self, method)
        return self

    def __get__(self, estimator: Any, owner: type | None = None) -> Callable:
        if estimator is None:
            return self.method
        self.check(estimator)
        return MethodType(self.method, estimator)


class NotThere:
    """A method that another estimator has; the AttributeError says what to use.

    Parameters
    ----------
    instead : str
        The reason and the remedy.
    """

    def __init__(self, instead: str):
        self.instead = self.__doc__ = instead

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, estimator: Any, owner: type) -> Any:
        raise AttributeError(
            f"{owner.__name__!r} object has no attribute {self.name!r}: {self.instead}"
        )


def check_partial_fit(estimator) -> None:
    """Raise unless an estimator's parameters let it continue epoch by epoch."""
    n_init, why = estimator.n_init, "it needs a whole fit, to a minimum of J"
    by_name = [("alpha", name, why) for name in alpha_names()]
    for name, value, reason in (*by_name, *_WHOLE_FITS):
        given = getattr(estimator, name, None)
        if isinstance(given, (str, bool, np.bool_)) and given == value:
            raise AttributeError(
                f"{name}={value!r} has no partial_fit: {reason}. Use fit, or change "
                f"{name}."
            )
    intervals = getattr(estimator, "intervals", None)
    if not is_off(intervals):
        raise AttributeError(
            f"intervals={intervals!r} has no partial_fit: it needs all rows, in folds. "
            "Use fit, or intervals=None."
        )
    if isinstance(n_init, Integral) and int(n_init) > 1:
        raise AttributeError(
            f"n_init={n_init!r} has no partial_fit: it trains a single network. Use "
            "fit, or n_init=1."
        )
    able = solvers_with("has_epochs")
    if estimator.solver in ("auto", *able):
        return
    listed = " or ".join(repr(name) for name in sorted(able))
    raise AttributeError(
        f"solver={estimator.solver!r} has no partial_fit: it needs all rows at once. "
        f"Use solver={listed}."
    )
