"""Numeric y: as float64, and scaled to mean 0 and deviation 1 where asked for."""

from __future__ import annotations

import numbers

import numpy as np
from scipy import sparse

from skwd._core.layout import Layout
from skwd._core.loss import Loss
from skwd._core.masked_loss import MaskedLoss
from skwd._core.robust_losses import robust_moments
from skwd._core.sample import Sample
from skwd._data.targets import Targets


class RegressionTargets(Targets):
    """Numeric y, scaled to mean 0 and deviation 1 per output where asked for.

    Parameters
    ----------
    loss : Loss
        With its parameters.
    normalize : bool
        Learn mean and scale from the rows to train on, if the loss knows of units.
    earlier : (mean, scale) or None
        Each (n_outputs,), of an earlier fit that is continued.
    known : ndarray of bool (n_outputs,), optional
        The outputs for which that scaling is kept; by default none.
    masked : bool
        NaN is a target that is not known; rows without any other have no weight.
    """

    def __init__(
        self,
        y,
        loss: Loss,
        normalize: bool,
        earlier=None,
        known=None,
        *,
        masked: bool = False,
    ):
        self.masked = masked
        self.loss = self.given_loss = MaskedLoss(loss) if masked else loss
        self.normalize = normalize and loss.has_units
        self.shape = y.shape[1:]  # () for a single column without an axis of its own
        self.earlier, self.known = earlier, known
        self.scaling: tuple[np.ndarray, np.ndarray] | None = None
        self.varies = np.ones(0, dtype=bool)

    def encode(self, y, weight, name="y") -> tuple[np.ndarray, np.ndarray]:
        """y as float64 (n, n_outputs), and the weights as they are."""
        y = y.toarray() if sparse.issparse(y) else np.asarray(y)
        if y.shape[1:] in ((), (1,)) and self.shape in ((), (1,)):
            y = y.reshape(len(y), *self.shape)  # one output, however it is written
        if y.shape[1:] != self.shape:
            raise ValueError(
                f"{name} must have the outputs of y, a shape of {('n', *self.shape)}; "
                f"got {y.shape}."
            )
        if y.dtype.kind in "mM":
            raise ValueError(
                f"{name} must be numeric for a regressor; got dates or times of dtype "
                f"{y.dtype}. Use differences in days or seconds, as numbers."
            )
        try:
            y = y.astype(np.float64, copy=False)
        except (TypeError, ValueError):
            values = y.ravel().tolist()
            value = next(v for v in values if not isinstance(v, numbers.Real))
            raise ValueError(
                f"{name} must be numeric for a regressor; got {value!r}. Use "
                "WeightDecayMLPClassifier for labels."
            ) from None
        if self.masked:
            y = _check_known(y, name)
            rows = y.reshape(len(y), -1)
            weight = np.where(np.isnan(rows).all(axis=1), 0.0, weight)
        else:
            _check_finite(y, name)  # objects may have held NaN
        least = self.loss.least_y
        if least is not None:
            strict = self.loss.excludes_least
            if (y <= least if strict else y < least).any():
                sign = ">" if strict else ">="
                lowest = np.nanmin(y)
                raise ValueError(
                    f"loss={self.loss.name!r} needs {name} {sign} {least:g}; got "
                    f"{lowest:g}. Use loss='squared_error' for targets of either sign."
                )
        return y.reshape(len(y), -1), weight

    def learn_scale(self, sample: Sample) -> None:
        y = sample.y
        mean, scale = np.zeros(y.shape[1]), np.ones(y.shape[1])
        self.varies = np.ones(y.shape[1], dtype=bool)
        if self.normalize:
            mean, deviation = self._moments(y, sample.norm_weight)
            # A constant leaves rounding behind: that is no deviation either.
            self.varies = deviation > 10.0 * np.finfo(np.float64).eps * np.abs(mean)
            scale = np.where(self.varies, deviation, 1.0)
        known_all = self.known is not None and len(self.known) == len(mean)
        if self.earlier is not None and self.known is not None and known_all:
            kept = self.known | ~self.varies
            mean = np.where(kept, self.earlier[0], mean)
            scale = np.where(kept, self.earlier[1], scale)
            self.varies |= self.known
        self.scaling = mean, scale
        scaled = self.scaled(y)
        self.loss = self.given_loss.fitted_to(scaled, sample.norm_weight, scale)

    @property
    def _moments(self):
        """What takes y (n, n_outputs) and its weights to mean and deviation."""
        if self.loss.is_robust:
            return robust_moments
        return _known_moments if self.masked else _moments

    def scaled(self, Y: np.ndarray) -> np.ndarray:
        assert self.scaling is not None
        mean, scale = self.scaling
        out = Y - mean
        out /= scale
        return out

    def continued(self, layout: Layout, params: np.ndarray) -> np.ndarray:
        """With an output layer that predicts the same, in the new units."""
        assert self.earlier is not None and self.scaling is not None
        (old_mean, old_scale), (mean, scale) = self.earlier, self.scaling
        last, params = layout.n_weight_layers - 1, params.copy()
        layout.W(params, last)[:] *= old_scale / scale
        b = layout.b(params, last)
        b[:] = b * (old_scale / scale) + (old_mean - mean) / scale
        return params

    def fitted(self) -> dict:
        assert self.scaling is not None
        mean, scale = self.scaling
        return {
            "y_mean_": mean,
            "y_scale_": scale,
            "_y_varies": self.varies,
            "_y_shape": self.shape,
        }


def _check_finite(y: np.ndarray, name: str) -> None:
    """Raise where y holds NaN or infinity."""
    if not np.isfinite(y).all():
        what = "NaN" if np.isnan(y).any() else "infinity"
        raise ValueError(f"Input {name} contains {what}. Leave such rows out.")


def _check_known(y: np.ndarray, name: str) -> np.ndarray:
    """y; raises where it holds infinity, or where nothing is known of an output."""
    if np.isinf(y).any():
        raise ValueError(f"Input {name} contains infinity. Leave such rows out.")
    if np.isnan(y).reshape(len(y), -1).all(axis=0).any():
        raise ValueError(
            f"An output of {name} has no target that is not missing. Leave it out."
        )
    return y


def _moments(y: np.ndarray, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weighted mean and deviation of each column."""
    mean = share @ y
    distance = y - mean
    # Powers of two keep squares within the float range, and are exact.
    largest = np.maximum(distance.max(axis=0), -distance.min(axis=0))
    power = np.frexp(largest)[1]
    np.ldexp(distance, -power, out=distance)
    np.square(distance, out=distance)
    return mean, np.ldexp(np.sqrt(share @ distance), power)


def _known_moments(y: np.ndarray, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weighted mean and deviation of the targets of each column that are known."""
    known = ~np.isnan(y)
    weight = known * share[:, np.newaxis]
    total = weight.sum(axis=0)
    mean = (weight * np.where(known, y, 0.0)).sum(axis=0) / total
    squares = (weight * np.square(np.where(known, y - mean, 0.0))).sum(axis=0) / total
    return mean, np.sqrt(squares)
