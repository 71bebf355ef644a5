"""The learning rate of each epoch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SCHEDULES = ("constant", "invscaling", "adaptive", "cosine", "linear")


@dataclass(frozen=True)
class Schedule:
    """The learning rate of each epoch, counted from 0.

    "constant" ``initial``; "invscaling" ``initial / (epoch + 1) ** power``; "cosine"
    ``initial (1 + cos(pi part)) / 2`` (Loshchilov and Hutter 2017, eq. 5, without
    restarts) and "linear" ``initial (1 - part)``, part = epoch / horizon, their last
    value kept from then on; "adaptive" ``initial``, divided by 5 each time that
    patience has run out, until it is at most 1e-6. In the first ``warmup`` epochs the
    rate rises in equal steps to ``initial``, and the schedule begins after them.
    """

    kind: str
    initial: float
    power: float = 0.5
    horizon: int = 1
    warmup: int = 0

    DIVISOR = 5.0
    LOWEST = 1e-6

    def rates(self, epoch: int, current: np.ndarray) -> np.ndarray:
        """The rate of each network in this epoch, (K,); ``current`` is adaptive's."""
        ramp = min(1.0, (epoch + 1) / (self.warmup + 1))
        if self.kind == "adaptive":
            return ramp * current
        epoch, horizon = max(0, epoch - self.warmup), max(1, self.horizon - self.warmup)
        part, factor = min(epoch, horizon - 1) / horizon, 1.0
        if self.kind == "invscaling":
            factor = (epoch + 1) ** -self.power
        if self.kind == "cosine":
            factor = (1.0 + np.cos(np.pi * part)) / 2.0
        if self.kind == "linear":
            factor = 1.0 - part
        return np.full_like(current, self.initial * factor * ramp)

    def lower(self, out_of_patience: np.ndarray, current: np.ndarray) -> np.ndarray:
        """Lower adaptive rates in place where patience ran out; where it did, (K,)."""
        lowered = out_of_patience & (current > self.LOWEST) & (self.kind == "adaptive")
        current[lowered] /= self.DIVISOR
        return lowered
