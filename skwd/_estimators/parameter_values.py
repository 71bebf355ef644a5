"""Checks of parameters that become something else: layers, alphas, folds."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from skwd._alpha import WAYS
from skwd._core.losses import LOSSES
from skwd._core.penalties import PENALTIES
from skwd._cv.ways import alpha_names
from skwd._estimators.rules import (
    NOT_NEGATIVE,
    as_list,
    is_bool,
    is_count,
    is_integer,
    is_off,
    is_real,
    meant,
)


def check_hidden_layer_sizes(sizes) -> tuple[int, ...]:
    """The hidden layers' units as a tuple; a single integer is one layer."""
    units_of = as_list(sizes)
    if not all(map(is_count, units_of)):
        raise ValueError(
            "hidden_layer_sizes must hold integers >= 1, one per hidden layer; got "
            f"{sizes!r}. Use hidden_layer_sizes=() for a linear model."
        )
    return tuple(int(units) for units in units_of)


def check_encoding(encoding) -> None:
    """Raise unless it says how columns are encoded."""
    names = ("auto", "parts")
    if encoding is None or (isinstance(encoding, str) and encoding in names):
        return
    raise ValueError(
        f"encoding must be None, 'auto' or 'parts'; got {encoding!r}"
        f"{meant(encoding, names)} Use encoding=None for the columns as they are."
    )


def check_dense(X) -> None:
    """Raise where X is sparse, and its columns would not be with their parts."""
    if sparse.issparse(X):
        raise ValueError(
            "encoding='parts' is for dense X, as parts of sparse columns are not "
            f"sparse; got a sparse X of shape {X.shape}. Use encoding='auto' or None, "
            "or X.toarray()."
        )


def check_intervals(intervals, own_folds: bool) -> None:
    """Raise unless intervals can be had; ``own_folds``: of those of a CV form."""
    if is_off(intervals) or (own_folds and is_bool(intervals)):
        return
    also = "."
    if is_real(intervals) and 0.0 < intervals < 1.0:
        also = f", and coverage={intervals!r} in predict."
    if own_folds:
        raise ValueError(
            "intervals must be True, False or None: they are those of the folds of cv; "
            f"got {intervals!r}. Use intervals=True{also}"
        )
    is_number = is_integer(intervals) and intervals >= 2
    is_splitter = hasattr(intervals, "split") and not isinstance(intervals, str | bytes)
    if not is_number and not is_splitter:
        raise ValueError(
            "intervals must be None, an integer >= 2 or a splitter; got "
            f"{intervals!r}. Use intervals=10{also}"
        )


def varies(params) -> bool:
    """Whether the parameters let the noise of y depend on x."""
    return params.get("noise", "constant") == "varying"


def check_noise(params) -> None:
    """Raise unless a regressor's loss has the deviation that noise="varying" is of."""
    loss = params["loss"]
    if varies(params) and LOSSES[loss].likelihood is None:
        raise ValueError(
            f"noise='varying' is not for loss={loss!r}, which has no deviation. Use "
            "noise='constant', and intervals for what may lie about its predictions."
        )


def check_coverage(coverage) -> None:
    """Raise unless it is a part of all."""
    if not (is_real(coverage) and 0.0 < coverage < 1.0):
        raise ValueError(
            "coverage must be a number between 0 and 1, both excluded; got "
            f"{coverage!r}. Use coverage=0.9."
        )


def check_missing_targets(params) -> None:
    """Raise unless a regressor's missing_targets goes with its other parameters."""
    given, loss = params["missing_targets"], params["loss"]
    if not isinstance(given, str) or given not in ("error", "mask"):
        raise ValueError(
            f"missing_targets must be 'error' or 'mask'; got {given!r}. Use 'mask' "
            "where some of several targets of a row are NaN."
        )
    if given == "error":
        return
    if not LOSSES[loss].may_be_masked:
        raise ValueError(
            f"missing_targets='mask' is not for loss={loss!r}. Use 'squared_error', "
            "'poisson', 'gamma' or 'tweedie', or leave rows out."
        )
    alpha = params.get("alpha")
    asked = {"alpha": isinstance(alpha, str) and alpha in WAYS and alpha}
    named = "alpha_groups", "posterior", "intervals"
    asked |= {name: params.get(name) for name in named}
    for name, value in asked.items():
        if not is_off(value):
            raise ValueError(
                f"missing_targets='mask' leaves no curvature and no residuals of whole "
                f"rows, which {name}={value!r} needs. Use missing_targets='error'."
            )


def may_be_masked(params) -> bool:
    """Whether missing_targets="mask" goes with a regressor's other parameters."""
    try:
        check_missing_targets({**params, "missing_targets": "mask"})
    except ValueError:
        return False
    return True


def check_sparsity(sparsity, l1_ratio, decay: str) -> None:
    """Raise unless sparsity and decay suit l1_ratio, which has been checked."""
    named = sparsity is None or isinstance(sparsity, str)
    if not named or sparsity not in PENALTIES:
        *names, last = (repr(name) for name in PENALTIES)
        raise ValueError(
            f"sparsity must be {', '.join(names)} or {last}; got {sparsity!r}"
            f"{meant(sparsity, PENALTIES)} Use sparsity=None for the L1 norm of "
            "all weights."
        )
    if sparsity is not None and l1_ratio == 0:
        raise ValueError(
            f"sparsity={sparsity!r} says what the L1 part of the penalty is, and "
            f"l1_ratio={l1_ratio!r} leaves none. Use l1_ratio=1, or sparsity=None."
        )
    if l1_ratio > 0 and decay != "l2":
        raise ValueError(
            f"l1_ratio={l1_ratio!r} is a part of J, which decay={decay!r} does not "
            f"minimise. Use decay='l2', or {no_l1(sparsity)}."
        )


def no_l1(sparsity) -> str:
    """How to go without L1, in words."""
    return "l1_ratio=0" if sparsity is None else "l1_ratio=0 and sparsity=None"


def check_dropout(dropout, n_layers: int) -> None:
    """Raise unless a list of rates has one for the input of each layer."""
    if isinstance(dropout, (list, tuple)) and len(dropout) != n_layers:
        raise ValueError(
            "dropout must be one rate for all hidden layers, or one for each layer's "
            f"input, here {n_layers} (X and each hidden layer); got {len(dropout)}: "
            f"{dropout!r}."
        )


def check_n_jobs(n_jobs) -> None:
    """Raise unless joblib can make so many workers."""
    if n_jobs is not None and not (is_integer(n_jobs) and n_jobs != 0):
        raise ValueError(
            f"n_jobs must be None or an integer other than 0; got {n_jobs!r}. Use "
            "n_jobs=-1 for all processors."
        )


def check_alphas(alphas) -> int | np.ndarray | None:
    """The alphas given, ascending, each once; the size of a grid; None for one that
    grows."""
    if alphas is None:
        return None
    if is_integer(alphas) and alphas >= 2:
        return int(alphas)
    is_number = is_integer(alphas) or is_real(alphas) or isinstance(alphas, str)
    values = [] if is_number else as_list(alphas)
    if not values or not all(is_real(value) and value >= 0 for value in values):
        raise ValueError(
            "alphas must be None, for a grid that grows as needed, an integer >= 2, "
            "for a grid of so many, or a sequence of finite numbers >= 0; got "
            f"{alphas!r}. Use alphas=None, or np.logspace(-4, 0, 9) for standardised "
            "data."
        )
    return np.unique(np.asarray(values, dtype=np.float64))


def check_alpha(alpha, n_weight_layers: int) -> np.ndarray | str | None:
    """alpha of each weight layer, (n_weight_layers,), the name of a choice, or None."""
    if alpha is None:
        return None
    if getattr(alpha, "ndim", None) == 0:
        alpha = alpha.item()
    if isinstance(alpha, str) and alpha in alpha_names():
        return str(alpha)
    values = as_list(alpha)
    if not all(is_real(value) and value >= 0 for value in values):
        listed = ", ".join(repr(name) for name in alpha_names())
        remedy = "Use alpha=None for the default, or alpha=0 for no weight decay."
        if isinstance(alpha, str) and alpha.lower() in ("cv", "grid"):
            remedy = "Use a CV form, as WeightDecayMLPRegressorCV, to compare alphas."
        raise ValueError(
            f"alpha must be None, finite and >= 0, or one of {listed}; got {alpha!r}"
            f"{meant(alpha, alpha_names(), NOT_NEGATIVE)} {remedy}"
        )
    if len(values) != n_weight_layers and not is_real(alpha):
        raise ValueError(
            "alpha must be one number, or one per weight layer, here "
            f"{n_weight_layers} (the hidden layers and the output layer); got "
            f"{len(values)}: {alpha!r}. To choose between numbers, use alpha='auto' or "
            "the CV form with these as its alphas."
        )
    return np.full(n_weight_layers, np.asarray(values, dtype=np.float64))
