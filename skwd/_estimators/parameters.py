"""Parameter checks: one clear error with what was given and the remedy."""

from __future__ import annotations

import inspect
import numbers
from collections.abc import Callable
from functools import lru_cache

import numpy as np

from skwd._alpha import WAYS
from skwd._core.activations import ACTIVATIONS
from skwd._core.losses import LOSSES
from skwd._core.penalties import PENALTIES
from skwd._solvers.base import Solver
from skwd._solvers.decay import DECAYS
from skwd._solvers.registry import (
    OF_SOME_SOLVERS,
    SOLVERS,
    AutoSolver,
    given_parameters,
    solver_of,
    solvers_that_read,
    solvers_with,
)
from skwd._solvers.schedules import SCHEDULES


def _integer_from(low: int) -> Callable:
    return lambda value: _is_integer(value) and value >= low


def _is_limit(value) -> bool:
    """An integer >= 1, or inf for none."""
    return _is_count(value) or (isinstance(value, numbers.Real) and value == np.inf)


def _is_integer(value) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def _is_real(value) -> bool:
    real = isinstance(value, numbers.Real) and not isinstance(value, (bool, np.bool_))
    return real and bool(np.isfinite(value))


def _is_bool(value) -> bool:
    return isinstance(value, (bool, np.bool_))


def _is_rate(value) -> bool:
    return _is_real(value) and 0 <= value < 1


_is_count = _integer_from(1)

# name: (is it right, what it must be, what to do)
_RULES: dict[str, tuple[Callable, str, str]] = {
    "learning_rate_init": (
        lambda value: _is_real(value) and value > 0,
        "a finite number > 0",
        "Values between 0.001 and 0.5 suit standardised data.",
    ),
    "power_t": (
        lambda value: _is_real(value) and value >= 0,
        "a finite number >= 0",
        "Use power_t=0.5, the default.",
    ),
    "momentum": (_is_rate, "a number >= 0 and < 1", "Use momentum=0.9, the default."),
    "beta_1": (_is_rate, "a number >= 0 and < 1", "Use beta_1=0.9, the default."),
    "beta_2": (_is_rate, "a number >= 0 and < 1", "Use beta_2=0.999, the default."),
    "epsilon": (
        lambda value: _is_real(value) and value > 0,
        "a finite number > 0",
        "Use epsilon=1e-8, the default.",
    ),
    "batch_size": (
        lambda value: value == "auto" if isinstance(value, str) else _is_count(value),
        "'auto' or an integer >= 1",
        "Use batch_size='auto' for min(200, n) rows.",
    ),
    "max_iter": (
        _is_count,
        "an integer >= 1",
        "Use max_iter=3000, the default.",
    ),
    "max_fun": (
        _is_limit,
        "an integer >= 1 or np.inf",
        "Use max_fun=15000, the default.",
    ),
    "tol": (
        lambda value: _is_real(value) and value >= 0,
        "a finite number >= 0",
        "Use tol=1e-5, the default.",
    ),
    "n_iter_no_change": (
        _is_limit,
        "an integer >= 1 or np.inf",
        "Use n_iter_no_change=10, the default.",
    ),
    "validation_fraction": (
        lambda value: _is_real(value) and 0 < value < 1,
        "a number between 0 and 1, both excluded",
        "Use validation_fraction=0.1 to hold out a tenth of the rows.",
    ),
    "n_init": (_is_count, "an integer >= 1", "Use n_init=1 for a single start."),
    "verbose": (
        lambda value: _is_bool(value) or (_is_integer(value) and value >= 0),
        "a bool or an integer >= 0",
        "Use verbose=True for a line per iteration.",
    ),
    **{
        name: (_is_bool, "True or False", f"Use {name}={default}, the default.")
        for default, names in (
            (
                False,
                (
                    "warm_start",
                    "early_stopping",
                    "ensemble",
                    "alpha_per_layer",
                    "posterior",
                ),
            ),
            (True, ("shuffle", "nesterovs_momentum", "normalize_y")),
        )
        for name in names
    },
}


def _as_list(value) -> list:
    """The entries of a sequence, or one value alone."""
    sequence = isinstance(value, (list, tuple, range)) or getattr(value, "ndim", 0) > 0
    return list(value) if sequence else [value]


# How alpha may be chosen, by name: from folds, or by one of the ways.
ALPHA_NAMES = ("auto", *WAYS)


def check_optimum(estimator) -> None:
    """Raise where alpha by name or a posterior cannot mean anything."""
    alpha = estimator._way()
    way = None if alpha is None else WAYS.get(alpha)
    per_layer = getattr(estimator, "alpha_per_layer", False)
    if per_layer and (way is None or not way.has_layers):
        raise ValueError(
            "alpha_per_layer=True is for alpha='evidence'; got alpha="
            f"{estimator.alpha!r}. Use "
            "alpha='evidence', or a sequence of one alpha per layer."
        )
    loss = getattr(estimator, "loss", "cross-entropy")
    noisy = loss in LOSSES and LOSSES[loss].has_noise
    if way is not None and way.needs_noise and not noisy:
        raise ValueError(
            f"alpha={alpha!r} is for loss='squared_error'; got {loss!r}. Use "
            "alpha='loo' or alpha='evidence'."
        )
    if way is None and not estimator.posterior:
        return
    asked = "posterior=True" if way is None else f"alpha={alpha!r}"
    needed: dict[str, tuple] = {"decay": ("l2",), "early_stopping": (False,)}
    if way is not None:
        needed |= {name: (none,) for name, none in OF_SOME_SOLVERS.items()}
        needed["solver"] = ("auto", *solvers_with("finds_minima"))
    for name, wanted in needed.items():
        given = getattr(estimator, name)
        if given not in wanted:
            raise ValueError(
                f"{asked} needs a minimum of J over all rows, which {name}={given!r} "
                f"does not give. Use {name}={wanted[0]!r}."
            )
    if not PENALTIES[estimator._penalty].is_quadratic:
        raise ValueError(
            f"{asked} needs the penalty 'l2', alpha/2 times the sum of squares; got "
            f"{estimator._penalty!r}."
        )


def check_choice(name: str, value, choices: tuple[str, ...]) -> None:
    """Raise unless ``value`` is one of the names in ``choices``."""
    if not isinstance(value, str) or value not in choices:
        listed = ", ".join(repr(choice) for choice in choices)
        raise ValueError(f"{name} must be one of {listed}; got {value!r}.")


@lru_cache(maxsize=64)
def _names(cls: Callable) -> tuple[str, ...]:
    """The constructor's parameters, as get_params has them, at a tenth of its cost."""
    found = inspect.signature(cls).parameters.values()
    return tuple(p.name for p in found if p.kind is p.KEYWORD_ONLY)


def check_parameters(estimator, *, by_epochs: bool = False) -> Solver | AutoSolver:
    """Check every parameter that does not depend on the data; the solver that they set.

    ``by_epochs``: it has to go on epoch by epoch.
    """
    check_choice("solver", estimator.solver, ("auto", *SOLVERS))
    check_choice("activation", estimator.activation, tuple(ACTIVATIONS))
    check_choice("learning_rate", estimator.learning_rate, SCHEDULES)
    check_choice("decay", estimator.decay, tuple(DECAYS))
    check_choice("penalty", estimator._penalty, tuple(PENALTIES))
    params = {name: getattr(estimator, name) for name in _names(estimator.__class__)}
    for name, (is_right, wanted, remedy) in _RULES.items():
        if name in params and not is_right(params[name]):
            raise ValueError(f"{name} must be {wanted}; got {params[name]!r}. {remedy}")
    solver = estimator.solver
    for name in OF_SOME_SOLVERS:
        able = solvers_that_read(name)
        if name in given_parameters(params) and solver not in ("auto", *able):
            listed = ", ".join(repr(name) for name in able)
            raise ValueError(
                f"{name}={params[name]!r} is for the solvers {listed}; got solver="
                f"{solver!r}. Use {name}={OF_SOME_SOLVERS[name]!r}, or another solver."
            )
    check_optimum(estimator)
    needs = ["has_epochs"] if by_epochs else []
    if estimator._way() is not None:
        needs.append("finds_minima")
    if not PENALTIES[estimator._penalty].is_smooth:
        needs.append("takes_proximal_steps")
    able = solvers_with(*needs)
    if solver not in ("auto", *able):
        listed = ", ".join(repr(name) for name in able)
        raise ValueError(
            f"The penalty {estimator._penalty!r} has no gradient everywhere: it is for "
            f"the solvers {listed}; got solver={solver!r}."
        )
    return solver_of(params, needs=tuple(needs))


def check_hidden_layer_sizes(sizes) -> tuple[int, ...]:
    """The hidden layers' units as a tuple; a single integer is one layer."""
    as_list = _as_list(sizes)
    if not all(_is_integer(units) and units >= 1 for units in as_list):
        raise ValueError(
            "hidden_layer_sizes must hold integers >= 1, one per hidden layer; got "
            f"{sizes!r}. Use hidden_layer_sizes=() for a linear model."
        )
    return tuple(int(units) for units in as_list)


def check_n_jobs(n_jobs) -> None:
    """Raise unless joblib can make so many workers."""
    if n_jobs is not None and not (_is_integer(n_jobs) and n_jobs != 0):
        raise ValueError(
            f"n_jobs must be None or an integer other than 0; got {n_jobs!r}. Use "
            "n_jobs=-1 for all processors."
        )


def check_alphas(alphas) -> int | np.ndarray | None:
    """The alphas given, ascending, each once; the size of a grid; None for one that
    grows."""
    if alphas is None:
        return None
    if _is_integer(alphas) and alphas >= 2:
        return int(alphas)
    is_number = _is_integer(alphas) or _is_real(alphas) or isinstance(alphas, str)
    values = [] if is_number else _as_list(alphas)
    if not values or not all(_is_real(value) and value >= 0 for value in values):
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
    if isinstance(alpha, str) and alpha in ALPHA_NAMES:
        return str(alpha)
    values = _as_list(alpha)
    if not all(_is_real(value) and value >= 0 for value in values):
        listed = ", ".join(repr(name) for name in ALPHA_NAMES)
        raise ValueError(
            f"alpha must be None, finite and >= 0, or one of {listed}; got {alpha!r}. "
            "Use alpha=None for the default, or alpha=0 for no weight decay."
        )
    if len(values) != n_weight_layers and not _is_real(alpha):
        raise ValueError(
            "alpha must be one number, or one per weight layer, here "
            f"{n_weight_layers} (the hidden layers and the output layer); got "
            f"{len(values)}: {alpha!r}."
        )
    return np.full(n_weight_layers, np.asarray(values, dtype=np.float64))
