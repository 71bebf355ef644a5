"""What kind of thing a value must be: numbers, integers, switches, lists of them."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable
from numbers import Integral, Number, Real
from typing import Any, NamedTuple

import numpy as np


class Rule(NamedTuple):
    """What a parameter must be, in words and as bounds."""

    wanted: str
    remedy: str = ""  # by default the parameter's default
    kinds: tuple[type, ...] = (Real,)
    low: float = 0.0
    high: float = np.inf
    is_open: tuple[bool, bool] = (False, False)  # whether the bounds are excluded
    others: tuple = ()  # what it may be beside: None, "auto", inf
    is_each: bool = False  # of a list of them too

    def allows(self, value: Any) -> bool:
        """Whether a value is right."""
        if self.is_each and is_list(value):
            return all(map(self.allows, value))
        if is_bool(value):
            return bool in self.kinds
        if not isinstance(value, self.kinds) or not is_finite(value):
            if isinstance(value, str | Number):
                return value in self.others
            return any(value is other for other in self.others)  # arrays have no ==
        above = value > self.low if self.is_open[0] else value >= self.low  # type: ignore
        return above and (value < self.high if self.is_open[1] else value <= self.high)  # type: ignore


SWITCH = Rule("True or False", kinds=(bool,))
NOT_NEGATIVE = Rule("a finite number >= 0")
POSITIVE = Rule("a finite number > 0", is_open=(True, False))
RATE = Rule("a number >= 0 and < 1", high=1.0, is_open=(False, True))
PART = Rule("a number between 0 and 1, both excluded", high=1.0, is_open=(True, True))
COUNT = Rule("an integer >= 1", kinds=(Integral,), low=1)
LIMIT = COUNT._replace(wanted="an integer >= 1 or np.inf", others=(np.inf,))

RULES: dict[str, Rule] = {
    "learning_rate_init": POSITIVE._replace(
        remedy="Values between 0.001 and 0.5 suit standardised data."
    ),
    "power_t": NOT_NEGATIVE,
    "momentum": RATE,
    "beta_1": RATE,
    "beta_2": RATE,
    "epsilon": POSITIVE,
    "batch_size": COUNT._replace(
        wanted="'auto' or an integer >= 1",
        remedy="Use batch_size='auto' for min(200, n) rows.",
        others=("auto",),
    ),
    "warmup_epochs": Rule(
        "an integer >= 0",
        "Use warmup_epochs=0, the default, for none.",
        kinds=(Integral,),
    ),
    "max_iter": COUNT,
    "max_fun": LIMIT,
    "tol": NOT_NEGATIVE,
    "n_iter_no_change": LIMIT,
    "validation_fraction": PART._replace(
        remedy="Use validation_fraction=0.1 to hold out a tenth of the rows."
    ),
    "huber_delta": POSITIVE._replace(
        wanted="None or a finite number > 0",
        remedy="Use huber_delta=None for half a robust deviation of y.",
        others=(None,),
    ),
    "quantile": PART._replace(remedy="Use quantile=0.5, the default, for the median."),
    "power": Rule(
        "a number from 1 to 3",
        "Use power=1.5, the default, for y with zeros, or loss='gamma' for power=2.",
        low=1.0,
        high=3.0,
    ),
    "l1_ratio": Rule(
        "a number between 0 and 1",
        "Use l1_ratio=0, the default, for squares alone.",
        high=1.0,
    ),
    "dropout": RATE._replace(
        wanted="a number >= 0 and < 1, or a list of them",
        remedy="Use dropout=0.2 to drop a fifth of the hidden units in each step.",
        is_each=True,
    ),
    "n_init": COUNT._replace(remedy="Use n_init=1 for a single start."),
    "verbose": Rule(
        "a bool or an integer >= 0",
        "Use verbose=True for a line per iteration.",
        kinds=(bool, Integral),
    ),
    "warm_start": SWITCH,
    "early_stopping": SWITCH,
    "ensemble": SWITCH,
    "posterior": SWITCH,
    "track_gradients": SWITCH,
    "shuffle": SWITCH,
    "nesterovs_momentum": SWITCH,
    "normalize_y": SWITCH,
}


def is_count(value) -> bool:
    return is_integer(value) and value >= 1


def is_integer(value) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def is_finite(value) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond all floats
        return False


def is_real(value) -> bool:
    return isinstance(value, Real) and not is_bool(value) and is_finite(value)


def is_bool(value) -> bool:
    return isinstance(value, (bool, np.bool_))


def is_off(value) -> bool:
    """Whether what may be asked for is not: None or False."""
    return value is None or (is_bool(value) and not value)


def is_list(value) -> bool:
    return isinstance(value, (list, tuple, range)) or getattr(value, "ndim", 0) > 0


def as_list(value) -> list:
    """The entries of a sequence, or one value alone."""
    return list(value) if is_list(value) else [value]


# Words of other libraries, and the names here that may be meant: of several the one
# that the parameter takes is suggested.
OTHER_NAMES: dict[str, tuple[str, ...]] = {
    "sigmoid": ("logistic",),
    "swish": ("silu",),
    "linear": ("identity",),
    "mse": ("squared_error", "neg_mean_squared_error"),
    "rmse": ("squared_error", "neg_root_mean_squared_error"),
    "least_squares": ("squared_error",),
    "l2": ("squared_error",),
    "mae": ("absolute_error", "neg_mean_absolute_error"),
    "l1": ("absolute_error",),
    "pinball": ("quantile",),
    "auc": ("roc_auc",),
    "cross_entropy": ("neg_log_loss",),
    "bfgs": ("lbfgs",),
    "adamw": ("adam", "decoupled"),
    "sgdw": ("sgd", "decoupled"),
    "rmsprop": ("adam",),
    "heteroscedastic": ("varying",),
    "heteroskedastic": ("varying",),
    "homoscedastic": ("constant",),
    "homoskedastic": ("constant",),
    "group_lasso": ("input",),
    "splines": ("parts",),
    "ple": ("parts",),
    "automatic": ("auto",),
    "cv": ("auto",),
    "leave_one_out": ("loo",),
    "loocv": ("loo",),
    "laplace": ("evidence",),
    "bayes": ("evidence",),
}


def meant(value: Any, choices: Iterable[Any], number: Rule | None = None) -> str:
    """How what was given ends: ": did you mean ...?" where a word is like a right one,
    or in quotes what the rule ``number`` allows, else "."."""
    if not isinstance(value, str):
        return "."
    if number is not None and number.allows(_read(value)):
        return f": did you mean {value.strip()}, without quotes?"
    word, names = value.lower(), [c for c in choices if isinstance(c, str)]
    other = OTHER_NAMES.get(word.replace("-", "_"), ())
    likely = *other, *difflib.get_close_matches(word, names, 1)
    near = [name for name in likely if name in names]
    return f": did you mean {near[0]!r}?" if near else "."


def _read(text: str) -> int | float:
    """The number that is written, nan where there is none."""
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            pass
    return math.nan
