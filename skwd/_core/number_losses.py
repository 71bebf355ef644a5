"""The losses of regressors: squared error, and half the Poisson deviance."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln, xlogy

from skwd._core.loss import FREQUENCY_FLOOR, LossDefaults, diagonal, sum_outputs


class HalfSquaredError(LossDefaults):
    """l = 1/2 ||y - raw||^2, identity link."""

    name = "squared_error"
    out_activation = "identity"
    is_for_numbers = True
    has_noise = True
    has_units = True
    shift_invariant = False
    is_quadratic = True
    least_y = None
    default_decay = 5.0
    gradient = np.subtract  # raw - y

    def loss_gradient(self, y, raw):
        raw -= y
        return 0.5 * sum_outputs(raw * raw)

    def loss(self, y, raw):
        return self.loss_gradient(y, raw.copy())

    def inverse_link(self, raw):
        return raw

    def constant(self, y, share):
        return share @ y

    def curvature_root(self, raw):
        n_outputs = raw.shape[-1]
        return np.broadcast_to(np.eye(n_outputs), (*raw.shape, n_outputs))

    def saturated_log_likelihood(self, y):
        raise NotImplementedError("without the noise there is no likelihood")

    def variance(self, prediction, raw_variance, noise):
        return raw_variance + noise[:, np.newaxis]

    def marginalised(self, raw, covariance):
        return raw


class HalfPoissonLoss(LossDefaults):
    """l = mu - y + y ln(y / mu) with mu = exp(raw): half the Poisson deviance."""

    name = "poisson"
    out_activation = "exp"
    is_for_numbers = True
    has_noise = False
    shift_invariant = False
    is_quadratic = False
    least_y = 0.0
    default_decay = 13.0

    def loss_gradient(self, y, raw):
        losses = xlogy(y, y) - y - y * raw
        np.exp(raw, out=raw)
        losses += raw
        raw -= y
        return sum_outputs(losses)

    def loss(self, y, raw):
        return self.loss_gradient(y, raw.copy())

    def gradient(self, raw, y, out):
        np.exp(raw, out)
        np.subtract(out, y, out)

    def inverse_link(self, raw):
        return np.exp(raw)

    def constant(self, y, share):
        y_mean = share @ y
        return np.log(np.where(y_mean > 0.0, y_mean, FREQUENCY_FLOOR))

    def curvature_root(self, raw):
        return diagonal(np.exp(0.5 * raw))

    def saturated_log_likelihood(self, y):
        return sum_outputs(xlogy(y, y) - y - gammaln(y + 1.0))

    def variance(self, prediction, raw_variance, noise):
        # Of exp(raw), linearised, and of the count.
        return np.square(prediction) * raw_variance + prediction

    def marginalised(self, raw, covariance):
        return raw + 0.5 * np.diagonal(covariance, axis1=-2, axis2=-1)
