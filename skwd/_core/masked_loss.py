"""A loss over the targets that are known: missing ones, NaN, cost nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from skwd._core.loss import Loss

# The constant, the moments and the slope of a target without known values.
ZERO = np.zeros(1)


@dataclass(frozen=True, eq=False)
class MaskedLoss(Loss):
    """Another loss, summed over the targets of a row whose y is not NaN.

    A missing y counts as predicted, by a raw prediction of 0, where every loss is 0; it
    has no gradient.
    Its curvature is not known from the raw prediction alone: there is no evidence, no
    posterior and no system to be solved directly.
    """

    inner: Any

    # What is not the mask's own is the other loss's.
    name = property(lambda self: self.inner.name)  # type: ignore[assignment]
    out_activation = property(lambda self: self.inner.out_activation)  # type: ignore
    default_decay = property(lambda self: self.inner.default_decay)  # type: ignore
    domain = property(lambda self: self.inner.domain)  # type: ignore[assignment]
    metric = property(lambda self: self.inner.metric)  # type: ignore[assignment]

    def loss(self, y, raw):
        missing, zero = np.isnan(y), np.zeros(1, raw.dtype)
        y = np.where(missing, self.inverse_link(zero), y)
        return self.inner.loss(y, np.where(missing, zero, raw))

    def gradient(self, raw, y, out):
        missing = np.isnan(y)
        self.inner.gradient(raw, y, out)
        np.copyto(out, 0.0, where=missing)

    def inverse_link(self, raw):
        return self.inner.inverse_link(raw)

    def constant(self, y, norm_weight):
        columns = _known_columns(y, norm_weight)
        parts = [self.inner.constant(*known) if known else ZERO for known in columns]
        return np.concatenate(parts)

    def curvature(self, y, norm_weight):
        return self._of_known(self.inner.curvature, y, norm_weight)

    def slope(self, y, norm_weight):
        columns = _known_columns(y, norm_weight)
        parts = [self.inner.slope(*known) if known else ZERO for known in columns]
        return np.concatenate(parts)

    def default_unit(self, y, norm_weight):
        return self._of_known(self.inner.default_unit, y, norm_weight)

    @staticmethod
    def _of_known(function, y, norm_weight):
        """``function`` of the known rows of each target that has any."""
        columns = filter(None, _known_columns(y, norm_weight))
        return np.concatenate([function(*known) for known in columns])

    @property
    def moments(self):
        return None if self.inner.moments is None else self._moments

    def _moments(self, y, norm_weight):
        columns = _known_columns(y, norm_weight)
        moments = [
            self.inner.moments(*known) if known else (ZERO, ZERO) for known in columns
        ]
        centres, deviations = zip(*moments)
        return np.concatenate(centres), np.concatenate(deviations)

    def stacked(self, others, of_network):
        inner = [other.inner for other in others]
        return MaskedLoss(self.inner.stacked(inner, of_network))

    def __getitem__(self, networks):
        return MaskedLoss(self.inner[networks])

    def shaped(self, stack):
        return MaskedLoss(self.inner.shaped(stack))

    @property
    def key(self):
        return "masked", *self.inner.key


def _known_columns(y: np.ndarray, norm_weight: np.ndarray):
    """The known rows of each column, (n_known, 1), and their weights, of sum 1.

    None of a column without any.
    """
    for column in y.T:
        known = ~np.isnan(column)
        if not known.any():
            yield None
            continue
        weight = norm_weight[known] / norm_weight[known].sum()
        yield column[known, np.newaxis], weight
