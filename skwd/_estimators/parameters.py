"""Parameter checks: one clear error with what was given and the remedy."""

from __future__ import annotations

import numbers
from collections.abc import Callable

import numpy as np

from skwd._core.activations import ACTIVATIONS
from skwd._solvers.optimizers import DECAYS, SCHEDULES, SGD, Adam, Schedule, Update
from skwd._solvers.settings import SOLVERS, Settings


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


# Parameters that ask for some solvers: (name, default that asks nothing, solvers).
_OF_SOLVERS = (
    ("batch_size", "auto", ("sgd", "adam")),
    ("learning_rate", "constant", ("gd", "sgd", "adam")),
    ("decay", "l2", ("gd", "sgd", "adam")),
)
# How alpha can be chosen without a grid.
CHOICES = ("evidence", "loo", "gcv")
# Rows per step of batch_size="auto", as in scikit-learn.
AUTO_BATCH = 200


def _as_list(value) -> list:
    """The entries of a sequence, or one value alone."""
    sequence = isinstance(value, (list, tuple, range)) or getattr(value, "ndim", 0) > 0
    return list(value) if sequence else [value]


def check_optimum(estimator) -> None:
    """Raise where alpha by name or a posterior cannot mean anything."""
    alpha = getattr(estimator, "alpha", None)  # the CV forms have none
    by_name = isinstance(alpha, str)
    by_evidence = by_name and alpha == "evidence"
    if getattr(estimator, "alpha_per_layer", False) and not by_evidence:
        raise ValueError(
            f"alpha_per_layer=True is for alpha='evidence'; got alpha={alpha!r}. Use "
            "alpha='evidence', or a sequence of one alpha per layer."
        )
    loss = getattr(estimator, "loss", "cross-entropy")
    if by_name and alpha == "gcv" and loss != "squared_error":
        raise ValueError(
            f"alpha='gcv' is for loss='squared_error'; got {loss!r}. Use alpha='loo' "
            "or alpha='evidence'."
        )
    if not by_name and not estimator.posterior:
        return
    asked = f"alpha={alpha!r}" if by_name else "posterior=True"
    needed = {"decay": ("l2",), "early_stopping": (False,)}
    if by_name:
        needed |= {name: (default,) for name, default, _ in _OF_SOLVERS}
        needed["solver"] = ("auto", "lbfgs")
    for name, wanted in needed.items():
        given = getattr(estimator, name)
        if given not in wanted:
            raise ValueError(
                f"{asked} needs a minimum of J over all rows, which {name}={given!r} "
                f"does not give. Use {name}={wanted[0]!r}."
            )


def check_choice(name: str, value, choices: tuple[str, ...]) -> None:
    """Raise unless ``value`` is one of the names in ``choices``."""
    if not isinstance(value, str) or value not in choices:
        listed = ", ".join(repr(choice) for choice in choices)
        raise ValueError(f"{name} must be one of {listed}; got {value!r}.")


def check_settings(estimator) -> Settings:
    """Check every parameter that does not depend on the data."""
    check_choice("solver", estimator.solver, ("auto", *SOLVERS))
    check_choice("activation", estimator.activation, tuple(ACTIVATIONS))
    check_choice("learning_rate", estimator.learning_rate, SCHEDULES)
    check_choice("decay", estimator.decay, tuple(DECAYS))
    params = estimator.get_params(deep=False)
    for name, (is_right, wanted, remedy) in _RULES.items():
        if name in params and not is_right(params[name]):
            raise ValueError(f"{name} must be {wanted}; got {params[name]!r}. {remedy}")
    solver = estimator.solver
    for name, default, solvers in _OF_SOLVERS:
        if params[name] != default and solver not in ("auto", *solvers):
            listed = ", ".join(repr(name) for name in solvers)
            raise ValueError(
                f"{name}={params[name]!r} is for the solvers {listed}; got solver="
                f"{solver!r}. Use {name}={default!r}, or another solver."
            )
    check_optimum(estimator)
    if isinstance(params.get("alpha"), str):
        solver = "lbfgs"
    elif solver == "auto" and any(params[n] != d for n, d, _ in _OF_SOLVERS):
        solver = "adam"
    return _settings(estimator, solver)


def _settings(estimator, solver: str) -> Settings:
    """What the training reads of an estimator with checked parameters."""
    size = estimator.batch_size
    return Settings(
        solver=solver,
        max_iter=int(estimator.max_iter),
        max_fun=_as_limit(estimator.max_fun),
        tol=float(estimator.tol),
        n_iter_no_change=_as_limit(estimator.n_iter_no_change),
        verbose=int(estimator.verbose),
        update=_update(estimator, solver),
        schedule=Schedule(
            estimator.learning_rate,
            initial=float(estimator.learning_rate_init),
            power=float(estimator.power_t),
            horizon=int(estimator.max_iter),
        ),
        batch_size=AUTO_BATCH if isinstance(size, str) else int(size),
        shuffle=bool(estimator.shuffle),
    )


def _as_limit(value) -> int | float:
    return np.inf if value == np.inf else int(value)


def _update(estimator, solver: str) -> Update:
    decay = DECAYS[estimator.decay]
    if solver == "gd":
        return SGD(decay=decay)
    if solver == "sgd":
        momentum = float(estimator.momentum)
        return SGD(momentum, bool(estimator.nesterovs_momentum), decay)
    rates = (estimator.beta_1, estimator.beta_2, estimator.epsilon)
    return Adam(*map(float, rates), decay)


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
    if isinstance(alpha, str) and alpha in CHOICES:
        return str(alpha)
    values = _as_list(alpha)
    if not all(_is_real(value) and value >= 0 for value in values):
        listed = ", ".join(repr(name) for name in CHOICES)
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
