"""What kind of thing a value must be: numbers, integers, switches, lists of them."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np


class Rule(NamedTuple):
    """What a parameter must be, in words and as bounds."""

    wanted: str
    remedy: str
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
        if isinstance(value, (bool, np.bool_)):
            return bool in self.kinds
        if not isinstance(value, self.kinds) or not np.isfinite(value):
            return any(value is other or value == other for other in self.others)
        above = value > self.low if self.is_open[0] else value >= self.low
        return above and (value < self.high if self.is_open[1] else value <= self.high)


ANY = "a finite number >= 0"
RATE = "a number >= 0 and < 1"
OPEN = (True, True)


def _switch(name: str, default: bool) -> Rule:
    return Rule("True or False", f"Use {name}={default}, the default.", (bool,))


RULES: dict[str, Rule] = {
    "learning_rate_init": Rule(
        "a finite number > 0",
        "Values between 0.001 and 0.5 suit standardised data.",
        is_open=(True, False),
    ),
    "power_t": Rule(ANY, "Use power_t=0.5, the default."),
    "momentum": Rule(
        RATE, "Use momentum=0.9, the default.", high=1.0, is_open=(False, True)
    ),
    "beta_1": Rule(
        RATE, "Use beta_1=0.9, the default.", high=1.0, is_open=(False, True)
    ),
    "beta_2": Rule(
        RATE, "Use beta_2=0.999, the default.", high=1.0, is_open=(False, True)
    ),
    "epsilon": Rule(
        "a finite number > 0", "Use epsilon=1e-8, the default.", is_open=(True, False)
    ),
    "batch_size": Rule(
        "'auto' or an integer >= 1",
        "Use batch_size='auto' for min(200, n) rows.",
        (Integral,),
        low=1,
        others=("auto",),
    ),
    "warmup_epochs": Rule(
        "an integer >= 0", "Use warmup_epochs=0, the default, for none.", (Integral,)
    ),
    "max_iter": Rule(
        "an integer >= 1", "Use max_iter=3000, the default.", (Integral,), low=1
    ),
    "max_fun": Rule(
        "an integer >= 1 or np.inf",
        "Use max_fun=15000, the default.",
        (Integral,),
        low=1,
        others=(np.inf,),
    ),
    "tol": Rule(ANY, "Use tol=1e-5, the default."),
    "n_iter_no_change": Rule(
        "an integer >= 1 or np.inf",
        "Use n_iter_no_change=10, the default.",
        (Integral,),
        low=1,
        others=(np.inf,),
    ),
    "validation_fraction": Rule(
        "a number between 0 and 1, both excluded",
        "Use validation_fraction=0.1 to hold out a tenth of the rows.",
        high=1.0,
        is_open=OPEN,
    ),
    "huber_delta": Rule(
        "None or a finite number > 0",
        "Use huber_delta=None for half a robust deviation of y.",
        is_open=(True, False),
        others=(None,),
    ),
    "quantile": Rule(
        "a number between 0 and 1, both excluded",
        "Use quantile=0.5, the default, for the median.",
        high=1.0,
        is_open=OPEN,
    ),
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
    "dropout": Rule(
        "a number >= 0 and < 1, or a list of them",
        "Use dropout=0.2 to drop a fifth of the hidden units in each step.",
        high=1.0,
        is_open=(False, True),
        is_each=True,
    ),
    "n_init": Rule(
        "an integer >= 1", "Use n_init=1 for a single start.", (Integral,), 1
    ),
    "verbose": Rule(
        "a bool or an integer >= 0",
        "Use verbose=True for a line per iteration.",
        (bool, Integral),
    ),
    "warm_start": _switch("warm_start", False),
    "early_stopping": _switch("early_stopping", False),
    "ensemble": _switch("ensemble", False),
    "posterior": _switch("posterior", False),
    "track_gradients": _switch("track_gradients", False),
    "shuffle": _switch("shuffle", True),
    "nesterovs_momentum": _switch("nesterovs_momentum", True),
    "normalize_y": _switch("normalize_y", True),
}


def is_count(value) -> bool:
    return is_integer(value) and value >= 1


def is_integer(value) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def is_real(value) -> bool:
    real = isinstance(value, Real) and not isinstance(value, (bool, np.bool_))
    return real and bool(np.isfinite(value))


def is_bool(value) -> bool:
    return isinstance(value, (bool, np.bool_))


def is_list(value) -> bool:
    return isinstance(value, (list, tuple, range)) or getattr(value, "ndim", 0) > 0


def as_list(value) -> list:
    """The entries of a sequence, or one value alone."""
    return list(value) if is_list(value) else [value]
