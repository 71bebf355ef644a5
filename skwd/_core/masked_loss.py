"""A loss over the outputs that are known: missing targets, NaN, cost nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from skwd._core.loss import LossDefaults


@dataclass(frozen=True, eq=False)
class MaskedLoss(LossDefaults):
    """Another loss, summed over the outputs of a row whose y is not NaN.

    A missing y counts as what is predicted, where every loss is 0 and has no gradient.
    Its curvature is not known from the raw prediction alone: there is no evidence, no
    posterior and no system to be solved directly.
    """

    inner: Any

    has_likelihood = False
    is_quadratic = False
    # Not those of the defaults, which would hide the other's.
    has_units = property(lambda self: self.inner.has_units)
    excludes_least = property(lambda self: self.inner.excludes_least)

    def __getattr__(self, name: str):
        """What does not differ is the other's."""
        if name.startswith("__") or name == "inner":  # of copies that are being made
            raise AttributeError(name)
        return getattr(self.inner, name)

    def fitted_to(self, y, share, scale):
        return self  # the losses that may be masked know of no units

    def loss(self, y, raw):
        return self.inner.loss(np.where(np.isnan(y), self.inverse_link(raw), y), raw)

    def loss_gradient(self, y, raw):
        losses = self.loss(y, raw)
        self.gradient(raw.copy(), y, raw)
        return losses

    def gradient(self, raw, y, out):
        self.inner.gradient(raw, y, out)
        np.copyto(out, 0.0, where=np.isnan(y))

    def constant(self, y, share):
        found = []
        for column in y.T:
            known = ~np.isnan(column)
            weight = share[known] / share[known].sum()
            found.append(self.inner.constant(column[known, np.newaxis], weight)[0])
        return np.array(found)
