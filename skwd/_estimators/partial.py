"""partial_fit: where it is to be had, and why not elsewhere."""

from __future__ import annotations

from numbers import Integral

import numpy as np

from skwd._cv.ways import alpha_names
from skwd._solvers.registry import solvers_with

# Parameters that have no meaning for one epoch at a time: (name, value, reason).
_WHOLE_FITS = (
    ("posterior", True, "it needs a whole fit, to a minimum of J"),
    ("early_stopping", True, "deciding it takes many epochs"),
    ("class_weight", "balanced", "the frequencies of all y are not known"),
    ("sparsity", "adaptive", "its second stage needs the end of the first"),
)


def has_partial_fit(estimator) -> bool:
    """Whether an estimator's solver can continue epoch by epoch."""
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
    if intervals is not None and intervals is not False:
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
        return True
    listed = " or ".join(repr(name) for name in sorted(able))
    raise AttributeError(
        f"solver={estimator.solver!r} has no partial_fit: it needs all rows at once. "
        f"Use solver={listed}."
    )
