"""Numeric y: as float64, and scaled to mean 0 and deviation 1 where asked for."""

from __future__ import annotations

import numbers
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from skwd._core.layout import Layout
from skwd._core.loss import Loss, likelihood_of
from skwd._core.masked_loss import MaskedLoss
from skwd._data.missing import as_numbers
from skwd._data.targets import Targets


@dataclass(frozen=True, eq=False)
class RegressionTargets(Targets):
    """Numeric y, scaled to mean 0 and deviation 1 per target where asked for.

    Parameters
    ----------
    shape : tuple of int
        Of y beside its rows: () for a single column without an axis of its own.
    loss : Loss
        With its parameters; once fitted, with those that follow from y.
    normalize : bool
        Learn mean and scale from the rows to train on, if the loss may have units.
    masked : bool
        NaN is a target that is not known; rows without any other have no weight.
    may_be_masked : bool
        The parameters allow for that.
    mean, scale : ndarray (n_targets,)
        Of y, once they are learnt.
    varies : ndarray of bool (n_targets,)
        Whether the scale is a deviation.
    known : ndarray of bool (n_targets,)
        Whether a target is known in any row trained on.
    """

    shape: tuple
    loss: Loss
    normalize: bool
    masked: bool = False
    may_be_masked: bool = False
    mean: np.ndarray | float = 0.0
    scale: np.ndarray | float = 1.0
    varies: np.ndarray | bool = True
    known: np.ndarray | bool = True

    @classmethod
    def of(
        cls,
        y,
        weight,
        *,
        loss: Loss,
        normalize: bool,
        masked: bool,
        may_be_masked: bool = False,
        **classes,
    ):
        """The targets of the y of a fit, whose units are still to be learnt."""
        loss = MaskedLoss(loss) if masked else loss
        normalize = normalize and loss.moments is not None
        return cls(y.shape[1:], loss, normalize, masked, may_be_masked)

    @property
    def counts_with(self) -> str:
        known = " and a target that is known" if self.masked else ""
        return f"{super().counts_with}{known}"

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
            if np.isinf(y).any():
                raise ValueError(
                    f"Input {name} contains infinity. Leave such rows out."
                )
            rows = y.reshape(len(y), -1)
            weight = np.where(np.isnan(rows).all(axis=1), 0.0, weight)
        elif not np.isfinite(y).all():
            what = "NaN" if np.isnan(y).any() else "infinity"
            remedy = "Leave such rows out"
            if what == "NaN" and self.may_be_masked and y.size > len(y):
                remedy += ", or set missing_targets='mask', which takes what is known"
            raise ValueError(f"Input {name} contains {what}. {remedy}.")
        if self.loss.domain is not None:
            least, is_excluded = self.loss.domain
            if (y <= least if is_excluded else y < least).any():
                sign, lowest = ">" if is_excluded else ">=", np.nanmin(y)
                other = "loss='squared_error' for targets of either sign"
                if lowest == 0.0:
                    other = "loss='tweedie' and power=1.5 for targets that may be 0"
                raise ValueError(
                    f"loss={self.loss.name!r} needs {name} {sign} {least:g}; got "
                    f"{lowest:g}. Use {other}."
                )
        return y.reshape(len(y), -1), weight

    def fitted_to(self, Y, norm_weight, kept=None):
        n_targets = Y.shape[1]
        mean, scale = np.zeros(n_targets), np.ones(n_targets)
        varies = np.ones(n_targets, dtype=bool)
        if self.normalize:
            assert self.loss.moments is not None
            mean, deviation = self.loss.moments(Y, norm_weight)
            # A constant leaves rounding behind: that is no deviation either.
            varies = deviation > 10.0 * np.finfo(np.float64).eps * np.abs(mean)
            scale = np.where(varies, deviation, 1.0)
        known = ~np.isnan(Y).all(axis=0) if self.masked else np.ones(n_targets, bool)
        learnt = None  # a loss that has learnt from y before
        if kept is not None and np.shape(kept.varies) == (n_targets,):
            if kept.varies.all() and type(kept.loss) is type(self.loss):
                learnt = kept.loss
            stays = kept.varies | ~varies
            mean = np.where(stays, kept.mean, mean)
            scale = np.where(stays, kept.scale, scale)
            varies, known = varies | kept.varies, known | kept.known
        fitted = replace(self, mean=mean, scale=scale, varies=varies, known=known)
        loss = self.loss.fitted_to(fitted.scaled(Y), norm_weight, scale, learnt)
        return replace(fitted, loss=loss)

    def scaled(self, Y):
        out = Y - self.mean
        out /= self.scale
        if not np.all(self.known):  # such targets are not judged
            out[:, ~np.asarray(self.known)] = np.nan
        return out

    def deviation(
        self, raw: np.ndarray, covariance: np.ndarray, noise: np.ndarray
    ) -> np.ndarray:
        """Deviations of y in its own units, (b, n_targets), of a mixture of networks.

        Of the variance within them, noise (K, n_targets) included, plus that between
        them; ``raw`` (K, b, o) are raw predictions and ``covariance`` (K, b, o, o) what
        is not known of them.
        """
        raw_variance = np.diagonal(covariance, axis1=-2, axis2=-1)
        y = self.loss.inverse_link(raw)
        within = likelihood_of(self.loss).variance(y, raw_variance, noise)
        return np.sqrt(within.mean(axis=0) + y.var(axis=0)) * self.scale

    def check_known(self):
        if not np.all(self.known):
            number = int(np.flatnonzero(~np.asarray(self.known))[0])
            raise ValueError(
                f"Output {number} of y has no target in the rows to train on: all are "
                "missing, or have weight 0, or are held out. Leave the output out, or "
                "give fit a row where it is known."
            )

    def hidden(self, y):
        if np.all(self.known):
            return y
        y = as_numbers(y).copy()
        y.reshape(len(y), -1)[:, ~np.asarray(self.known)] = np.nan
        return y

    def continued(self, earlier, layout: Layout, params: np.ndarray):
        """Networks whose output layer predicts the same in the new units, (K, P)."""
        last, params = layout.n_weight_layers - 1, params.copy()
        W, b = layout.W(params, last), layout.b(params, last)
        shift = (earlier.mean - self.mean) / self.scale
        W[:], b[:] = self.loss.in_other_units(W, b, earlier.scale / self.scale, shift)
        return params

    def examples(self):
        return np.ones((2, *self.shape))

    def fitted(self):
        return {"y_mean_": self.mean, "y_scale_": self.scale}
