"""The losses: value and gradient with respect to the raw prediction, and the link.

One loss is one small object. ``l(y, raw)`` is the loss of one sample, SUMMED over
outputs, with the 1/2 that the name says; ``raw_prediction`` is the network's output
before the inverse link. Shapes: y (n, n_outputs), raw_prediction (K, n, n_outputs),
losses (K, n); any leading axes that broadcast will do for K.

``loss_gradient(y, raw)`` returns the losses and overwrites ``raw`` with dl/draw;
``gradient(raw, y, out)`` writes dl/draw alone and leaves ``raw`` as it is.
``curvature_root(raw)`` is R' (..., c, o) with R R' = d2l/draw2, one row a column of R;
``saturated_log_likelihood(y)`` (n,) is the log-likelihood of a sample whose loss is 0,
so that the log-likelihood is that minus the loss; the squared error, whose noise is a
parameter of its own, has none. ``moderated(raw, covariance)`` is the raw prediction
whose inverse link is the mean of that of N(raw, covariance), covariance (..., o, o).
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from scipy.special import (
    expit,
    gammaln,
    log_expit,
    log_softmax,
    logit,
    logsumexp,
    softmax,
    xlogy,
)

# Class frequencies below this start as if they were this: a logit of +-9, not inf. So
# do counts that are all zero.
FREQUENCY_FLOOR = 1e-4


class Loss(Protocol):
    """What the objective and the estimators ask of a loss."""

    out_activation: str
    has_noise: bool  # the loss is a squared distance in units of an unknown noise
    shift_invariant: bool  # a number added to all outputs of a row changes nothing
    is_quadratic: bool  # in the raw prediction, so that linear models have one system
    # c of alpha=None, which is c / sum s: of least mean regret on real tables, with and
    # without much noise, at 100 to 5000 rows (benchmarks/default_alpha.py).
    default_decay: float

    def loss_gradient(self, y: np.ndarray, raw: np.ndarray) -> np.ndarray: ...

    def loss(self, y: np.ndarray, raw: np.ndarray) -> np.ndarray: ...

    def gradient(self, raw: np.ndarray, y: np.ndarray, out: np.ndarray) -> None: ...

    def inverse_link(self, raw: np.ndarray) -> np.ndarray: ...

    def constant(self, y_mean: np.ndarray) -> np.ndarray:
        """The raw prediction of the best constant, from the weighted mean of y."""

    def curvature_root(self, raw: np.ndarray) -> np.ndarray: ...

    def saturated_log_likelihood(self, y: np.ndarray) -> np.ndarray: ...

    def moderated(self, raw: np.ndarray, covariance: np.ndarray) -> np.ndarray: ...


def _sum_outputs(a: np.ndarray) -> np.ndarray:
    return a[..., 0] if a.shape[-1] == 1 else a.sum(axis=-1)


def _diagonal(a: np.ndarray) -> np.ndarray:
    """Diagonal matrices of the last axis: (..., o) -> (..., o, o)."""
    return a[..., np.newaxis] * np.eye(a.shape[-1])


class HalfSquaredError:
    """l = 1/2 ||y - raw||^2, identity link."""

    out_activation = "identity"
    has_noise = True
    shift_invariant = False
    is_quadratic = True
    default_decay = 5.0
    gradient = np.subtract  # raw - y

    def loss_gradient(self, y, raw):
        raw -= y
        return 0.5 * _sum_outputs(raw * raw)

    def loss(self, y, raw):
        return self.loss_gradient(y, raw.copy())

    def inverse_link(self, raw):
        return raw

    def constant(self, y_mean):
        return y_mean

    def curvature_root(self, raw):
        n_outputs = raw.shape[-1]
        return np.broadcast_to(np.eye(n_outputs), (*raw.shape, n_outputs))

    def saturated_log_likelihood(self, y):
        raise NotImplementedError("without the noise there is no likelihood")

    def moderated(self, raw, covariance):
        return raw


class HalfPoissonLoss:
    """l = mu - y + y ln(y / mu) with mu = exp(raw): half the Poisson deviance."""

    out_activation = "exp"
    has_noise = False
    shift_invariant = False
    is_quadratic = False
    default_decay = 13.0

    def loss_gradient(self, y, raw):
        losses = xlogy(y, y) - y - y * raw
        np.exp(raw, out=raw)
        losses += raw
        raw -= y
        return _sum_outputs(losses)

    def loss(self, y, raw):
        return self.loss_gradient(y, raw.copy())

    def gradient(self, raw, y, out):
        np.exp(raw, out)
        np.subtract(out, y, out)

    def inverse_link(self, raw):
        return np.exp(raw)

    def constant(self, y_mean):
        return np.log(np.where(y_mean > 0.0, y_mean, FREQUENCY_FLOOR))

    def curvature_root(self, raw):
        return _diagonal(np.exp(0.5 * raw))

    def saturated_log_likelihood(self, y):
        return _sum_outputs(xlogy(y, y) - y - gammaln(y + 1.0))

    def moderated(self, raw, covariance):
        return raw + 0.5 * np.diagonal(covariance, axis1=-2, axis2=-1)


class HalfBinomialLoss:
    """l = sum over outputs of ln(1 + e^raw) - y raw, y in {0, 1}, logit link.

    One output for two classes, a sum of Bernoullis for multilabel targets.
    """

    out_activation = "logistic"
    has_noise = False
    shift_invariant = False
    is_quadratic = False
    default_decay = 4.0

    def loss(self, y, raw):
        return _sum_outputs(-log_expit(raw) + (1.0 - y) * raw)

    def loss_gradient(self, y, raw):
        losses = self.loss(y, raw)
        expit(raw, out=raw)
        raw -= y
        return losses

    def gradient(self, raw, y, out):
        expit(raw, out)
        np.subtract(out, y, out)

    def inverse_link(self, raw):
        return expit(raw)

    def log_probabilities(self, raw):
        """ln P of the positive class (or label), finite for every finite raw."""
        return log_expit(raw)

    def constant(self, y_mean):
        return logit(np.clip(y_mean, FREQUENCY_FLOOR, 1.0 - FREQUENCY_FLOOR))

    def curvature_root(self, raw):
        return _diagonal(np.exp(0.5 * (log_expit(raw) + log_expit(-raw))))

    def saturated_log_likelihood(self, y):
        return np.zeros(len(y))

    def moderated(self, raw, covariance):
        # MacKay 1992, "The evidence framework applied to classification networks".
        variance = np.diagonal(covariance, axis1=-2, axis2=-1)
        return raw / np.sqrt(1.0 + np.pi / 8.0 * variance)


class HalfMultinomialLoss:
    """l = -ln softmax(raw)_y, y one-hot, softmax link."""

    out_activation = "softmax"
    has_noise = False
    shift_invariant = True
    is_quadratic = False
    default_decay = 4.0

    def loss_gradient(self, y, raw):
        losses = np.einsum("...no,...no->...n", y, raw)
        highest = raw.max(axis=-1, keepdims=True)
        raw -= highest
        np.exp(raw, out=raw)
        total = raw.sum(axis=-1, keepdims=True)
        raw /= total
        raw -= y
        return np.log(total[..., 0]) + highest[..., 0] - losses

    def loss(self, y, raw):
        return self.loss_gradient(y, raw.copy())

    def gradient(self, raw, y, out):
        np.subtract(raw, raw.max(axis=-1, keepdims=True), out)
        np.exp(out, out)
        np.divide(out, out.sum(axis=-1, keepdims=True), out)
        np.subtract(out, y, out)

    def inverse_link(self, raw):
        return softmax(raw, axis=-1)

    def log_probabilities(self, raw):
        """ln of the class probabilities, finite for every finite raw."""
        return log_softmax(raw, axis=-1)

    def constant(self, y_mean):
        return np.log(np.maximum(y_mean, FREQUENCY_FLOOR))

    def curvature_root(self, raw):
        # diag(p) - p p' has rank o - 1: its Cholesky factor, whose last column is zero
        # (Tanabe and Sagae, JRSS B 1992), with q_j = p_j+1 + ... + p_o.
        p = softmax(raw, axis=-1)
        q = np.cumsum(p[..., :0:-1], axis=-1)[..., ::-1]  # (..., o - 1)
        before = q + p[..., :-1]
        with np.errstate(divide="ignore", invalid="ignore"):
            root = np.sqrt(p[..., :-1] / before / q)
        root[~np.isfinite(root)] = 0.0  # nothing is left of the probability
        R = np.triu(np.ones(p.shape[-1]), 1)[:-1] * -p[..., np.newaxis, :]
        j = np.arange(p.shape[-1] - 1)
        R[..., j, j] = q
        return R * root[..., np.newaxis]

    def saturated_log_likelihood(self, y):
        return np.zeros(len(y))

    def moderated(self, raw, covariance):
        # The same for the difference of each pair of classes, on which alone p depends:
        # Lu, Ie and Sha 2020, "Mean-field approximation to Gaussian-softmax integral".
        variance = np.diagonal(covariance, axis1=-2, axis2=-1)
        of_pairs = variance[..., np.newaxis] + variance[..., np.newaxis, :]
        of_pairs = np.maximum(of_pairs - 2.0 * covariance, 0.0)
        differences = raw[..., np.newaxis] - raw[..., np.newaxis, :]
        differences = differences / np.sqrt(1.0 + np.pi / 8.0 * of_pairs)
        return log_softmax(-logsumexp(-differences, axis=-1), axis=-1)


LOSS_OF_LINK = {
    loss.out_activation: loss
    for loss in (
        HalfSquaredError(),
        HalfPoissonLoss(),
        HalfBinomialLoss(),
        HalfMultinomialLoss(),
    )
}
