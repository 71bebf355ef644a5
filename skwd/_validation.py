"""Parameter and input checks: one clear error with what was given and the remedy."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.utils import check_array

from skwd._activations import ACTIVATIONS
from skwd._training import SOLVERS, Settings


def _integer_from(low: int) -> Callable:
    return lambda value: _is_integer(value) and value >= low


def _is_integer(value) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def _is_real(value) -> bool:
    real = isinstance(value, numbers.Real) and not isinstance(value, (bool, np.bool_))
    return real and bool(np.isfinite(value))


def _is_bool(value) -> bool:
    return isinstance(value, (bool, np.bool_))


# name: (is it right, what it must be, what to do)
_RULES: dict[str, tuple[Callable, str, str]] = {
    "learning_rate_init": (
        lambda value: _is_real(value) and value > 0,
        "a finite number > 0",
        "Values between 0.001 and 0.5 suit standardised data.",
    ),
    "max_iter": (
        _integer_from(1),
        "an integer >= 1",
        "Use max_iter=1000, the default.",
    ),
    "max_fun": (_integer_from(1), "an integer >= 1", "Use max_fun=15000, the default."),
    "tol": (
        lambda value: _is_real(value) and value >= 0,
        "a finite number >= 0",
        "Use tol=1e-4, the default.",
    ),
    "n_iter_no_change": (
        _integer_from(1),
        "an integer >= 1",
        "Use n_iter_no_change=10, the default.",
    ),
    "validation_fraction": (
        lambda value: _is_real(value) and 0 < value < 1,
        "a number between 0 and 1, both excluded",
        "Use validation_fraction=0.1 to hold out a tenth of the rows.",
    ),
    "n_init": (_integer_from(1), "an integer >= 1", "Use n_init=1 for a single start."),
    "verbose": (
        lambda value: _is_bool(value) or (_is_integer(value) and value >= 0),
        "a bool or an integer >= 0",
        "Use verbose=True for a line per iteration.",
    ),
    **{
        name: (_is_bool, "True or False", f"Use {name}=False, the default.")
        for name in ("warm_start", "early_stopping", "ensemble", "normalize_y")
    },
}


def _as_list(value) -> list:
    """The entries of a sequence, or one value alone."""
    sequence = isinstance(value, (list, tuple)) or getattr(value, "ndim", 0) > 0
    return list(value) if sequence else [value]


def check_choice(name: str, value, choices: tuple[str, ...]) -> None:
    """Raise unless ``value`` is one of the names in ``choices``."""
    if not isinstance(value, str) or value not in choices:
        listed = ", ".join(repr(choice) for choice in choices)
        raise ValueError(f"{name} must be one of {listed}; got {value!r}.")


def check_settings(estimator) -> Settings:
    """Check every parameter that does not depend on the data."""
    check_choice("solver", estimator.solver, ("auto", *SOLVERS))
    check_choice("activation", estimator.activation, tuple(ACTIVATIONS))
    params = estimator.get_params(deep=False)
    for name, (is_right, wanted, remedy) in _RULES.items():
        if name in params and not is_right(params[name]):
            raise ValueError(f"{name} must be {wanted}; got {params[name]!r}. {remedy}")
    return Settings(
        solver=SOLVERS[0] if estimator.solver == "auto" else estimator.solver,
        learning_rate_init=float(estimator.learning_rate_init),
        max_iter=int(estimator.max_iter),
        max_fun=int(estimator.max_fun),
        tol=float(estimator.tol),
        n_iter_no_change=int(estimator.n_iter_no_change),
        verbose=bool(estimator.verbose),
    )


def check_hidden_layer_sizes(sizes) -> tuple[int, ...]:
    """The hidden layers' units as a tuple; a single integer is one layer."""
    as_list = _as_list(sizes)
    if not all(_is_integer(units) and units >= 1 for units in as_list):
        raise ValueError(
            "hidden_layer_sizes must hold integers >= 1, one per hidden layer; got "
            f"{sizes!r}. Use hidden_layer_sizes=() for a linear model."
        )
    return tuple(int(units) for units in as_list)


def check_alpha(alpha, n_weight_layers: int) -> np.ndarray:
    """alpha of each weight layer, (n_weight_layers,)."""
    values = _as_list(alpha)
    if not all(_is_real(value) and value >= 0 for value in values):
        raise ValueError(
            f"alpha must be finite and >= 0; got {alpha!r}. Use alpha=0 for no weight "
            "decay."
        )
    if len(values) != n_weight_layers and not _is_real(alpha):
        raise ValueError(
            "alpha must be one number, or one per weight layer, here "
            f"{n_weight_layers} (the hidden layers and the output layer); got "
            f"{len(values)}: {alpha!r}."
        )
    return np.full(n_weight_layers, np.asarray(values, dtype=np.float64))


def check_sample_weight(sample_weight, n_samples: int, name: str) -> np.ndarray:
    """Sample weights as float64 (n_samples,); ones for None."""
    if sample_weight is None:
        return np.ones(n_samples)
    if isinstance(sample_weight, numbers.Real):
        sample_weight = np.full(n_samples, sample_weight)
    weight = check_array(
        sample_weight, ensure_2d=False, dtype=np.float64, input_name=name
    )
    if weight.ndim != 1:
        raise ValueError(
            f"Sample weights must be 1D array or scalar; {name} has the shape "
            f"{weight.shape}. Pass one weight per sample."
        )
    if len(weight) != n_samples:
        raise ValueError(
            f"{name} must hold one weight per sample: got {len(weight)} weights for "
            f"{n_samples} samples."
        )
    if (weight < 0).any():
        raise ValueError(
            f"{name} must not be negative; got {weight.min():g}. Use 0 to leave a "
            "sample out."
        )
    check_some_weight(weight, name)
    power = np.frexp(weight.max())[1]
    if abs(power) > 500:
        # J knows no scale of the weights: a power of two, which is exact, keeps their
        # sums and products within the float range.
        weight = np.ldexp(weight, -power)
    return weight


def check_some_weight(weight: np.ndarray, name: str) -> None:
    """Raise where no sample is left that counts."""
    if not weight.any():
        raise ValueError(
            f"All weights are zero in {name}: no sample is left to fit. Give at least "
            "one sample a positive weight."
        )


def check_validation_data(estimator, X_val, y_val, sample_weight_val) -> None:
    """Check that validation data come whole and are of use."""
    if (X_val is None) != (y_val is None):
        given, missing = ("X_val", "y_val") if y_val is None else ("y_val", "X_val")
        raise ValueError(f"{given} was given without {missing}: pass both or neither.")
    if X_val is None and sample_weight_val is not None:
        raise ValueError(
            "sample_weight_val was given without X_val and y_val: pass all three, or "
            "none of them."
        )
    if X_val is not None and not estimator.early_stopping:
        raise ValueError(
            "X_val and y_val are used for early stopping only: set "
            "early_stopping=True, or leave them out."
        )


def validation_split(
    n_samples: int, fraction: float, seed: int, classes: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Rows to train on and rows to validate on, in ascending order.

    ``classes`` (n_samples,), class numbers, stratifies the split.
    """
    n_val = int(np.ceil(fraction * n_samples))
    counts = np.array([1]) if classes is None else np.bincount(classes)
    n_groups = int((counts > 0).sum())
    if min(n_val, n_samples - n_val) < n_groups or (n_groups > 1 and 1 in counts):
        what = "" if classes is None else f" of {n_groups} classes"
        needs = (
            "both parts need a sample"
            if classes is None
            else "both parts need a sample of every class"
        )
        raise ValueError(
            f"early_stopping=True cannot hold out validation_fraction={fraction!r} of "
            f"{n_samples} samples{what}: {needs}. Pass X_val and y_val, change "
            "validation_fraction, or set early_stopping=False."
        )
    train, val = train_test_split(
        np.arange(n_samples), test_size=n_val, random_state=seed, stratify=classes
    )
    return np.sort(train), np.sort(val)


@contextmanager
def unchanged_on_failure(estimator) -> Iterator[None]:
    """Give the estimator back the attributes it had if anything is raised inside."""
    before = estimator.__dict__.copy()
    try:
        yield
    except BaseException:
        estimator.__dict__.clear()
        estimator.__dict__.update(before)
        raise
