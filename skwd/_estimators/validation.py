"""Input checks: one clear error with what was given and the remedy."""

from __future__ import annotations

import numbers
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import numpy as np
from sklearn.utils import check_array, check_random_state

from skwd._cv.checks import check_some_weight
from skwd._estimators.not_numbers import is_text

CHECK_X = {"accept_sparse": "csr", "dtype": (np.float64, np.float32)}
CHECK_Y = {"accept_sparse": "csr", "dtype": None, "ensure_2d": False}


def check_sample_weight(sample_weight, n_samples: int, name: str) -> np.ndarray:
    """Sample weights as float64 (n_samples,); for None ones, that take no memory."""
    if sample_weight is None:
        return np.broadcast_to(np.ones(()), n_samples)
    if isinstance(sample_weight, numbers.Real):
        sample_weight = np.full(n_samples, sample_weight)
    try:
        weight = check_array(
            sample_weight, ensure_2d=False, dtype=np.float64, input_name=name
        )
    except ValueError as error:
        given = next(filter(is_text, np.ravel(np.asarray(sample_weight, object))), None)
        if given is None:
            raise
        remedy = "Pass one weight per sample, as an array."
        if given == "balanced":
            remedy = "Use class_weight='balanced', a parameter of the classifiers."
        raise ValueError(
            f"{name} must hold numbers; got {given!r}. {remedy}"
        ) from error
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


@contextmanager
def says_how_it_is_seen(name: str) -> Iterator[None]:
    """Add to an error about validation rows how a Pipeline transforms them.

    Rows with a number that is not finite are nothing that a Pipeline has left out.
    """
    try:
        yield
    except ValueError as error:
        text = str(error).strip()
        if "NaN" in text or "infinity" in text:
            raise
        raise ValueError(
            f"{text.removesuffix('.')}. {name} must have the columns of fit's X. In a "
            "Pipeline they are those that the steps before give: with metadata routing "
            f"transform_input=[{name!r}] of the Pipeline transforms {name}."
        ) from error


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


def draw_seed(random_state) -> int:
    """The seed of all random streams of one fit."""
    if isinstance(random_state, int) and 0 <= random_state < 2**32:
        return _seed_of(random_state)
    try:
        rng = check_random_state(random_state)
    except ValueError:
        raise ValueError(
            "random_state must be None, an integer from 0 to 2**32 - 1 or a "
            f"RandomState; got {random_state!r}. Use random_state=0 for the same "
            "result every time."
        ) from None
    return int(rng.randint(2**31 - 1))


@lru_cache(maxsize=256)
def _seed_of(random_state: int) -> int:
    """What `draw_seed` draws for an integer: making the generator takes longer."""
    return int(np.random.RandomState(random_state).randint(2**31 - 1))
