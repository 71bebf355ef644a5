"""The losses of classifiers: cross-entropy of one logit, of labels, and of softmax."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from scipy.special import expit, log_expit, log_softmax, logit, logsumexp, softmax

from skwd._core.loss import FREQUENCY_FLOOR, Likelihood, Loss, diagonal, sum_targets


class ClassLoss(Loss, abstract=True):
    """A loss of classes, with probabilities and their logarithms, which are finite."""

    default_decay = 4.0

    @abstractmethod
    def log_probabilities(self, raw: np.ndarray) -> np.ndarray:
        """ln of the probabilities that `inverse_link` gives, finite for finite raw."""

    @abstractmethod
    def by_class(self, raw: np.ndarray) -> np.ndarray:
        """Probabilities of the classes of each target, (..., n_targets, n_classes)."""


class Bernoulli(Likelihood):
    """Labels 0 and 1; label 1 has the probability 1 / (1 + exp(-raw))."""

    of_classes = True

    def curvature_root(self, raw):
        return diagonal(np.exp(0.5 * (log_expit(raw) + log_expit(-raw))))

    def marginalised(self, raw, covariance):
        # MacKay 1992, "The evidence framework applied to classification networks".
        variance = np.diagonal(covariance, axis1=-2, axis2=-1)
        return raw / np.sqrt(1.0 + np.pi / 8.0 * variance)


class HalfBinomialLoss(ClassLoss):
    """l = sum over outputs of ln(1 + e^raw) - y raw, y in {0, 1}, logit link.

    One output for two classes, a sum of Bernoullis for multilabel targets.
    """

    name = "binomial"
    out_activation = "logistic"
    likelihood = Bernoulli()

    def loss(self, y, raw):
        return sum_targets(-log_expit(raw) + (1.0 - y) * raw)

    def gradient(self, raw, y, out):
        expit(raw, out)
        np.subtract(out, y, out)

    def inverse_link(self, raw):
        return expit(raw)

    def log_probabilities(self, raw):
        return log_expit(raw)

    def by_class(self, raw):
        return expit(np.stack([-raw, raw], axis=-1))

    def constant(self, y, norm_weight):
        y_mean = norm_weight @ y
        return logit(np.clip(y_mean, FREQUENCY_FLOOR, 1.0 - FREQUENCY_FLOOR))

    def linear_curvature(self, y, norm_weight):
        return _variance(y, norm_weight) if y.shape[1] == 1 else None


class Categorical(Likelihood):
    """One of several classes, of the probabilities softmax(raw)."""

    of_classes = True
    shift_invariant = True

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

    def marginalised(self, raw, covariance):
        # The same for the difference of each pair of classes, on which alone p depends:
        # Lu, Ie and Sha 2020, "Mean-field approximation to Gaussian-softmax integral".
        variance = np.diagonal(covariance, axis1=-2, axis2=-1)
        of_pairs = variance[..., np.newaxis] + variance[..., np.newaxis, :]
        of_pairs = np.maximum(of_pairs - 2.0 * covariance, 0.0)
        differences = raw[..., np.newaxis] - raw[..., np.newaxis, :]
        differences = differences / np.sqrt(1.0 + np.pi / 8.0 * of_pairs)
        return log_softmax(-logsumexp(-differences, axis=-1), axis=-1)


class HalfMultinomialLoss(ClassLoss):
    """l = -ln softmax(raw)_y, y one-hot, softmax link."""

    name = "multinomial"
    out_activation = "softmax"
    likelihood = Categorical()

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
        return log_softmax(raw, axis=-1)

    def by_class(self, raw):
        return softmax(raw, axis=-1)[..., np.newaxis, :]

    def constant(self, y, norm_weight):
        return np.log(np.maximum(norm_weight @ y, FREQUENCY_FLOOR))

    def linear_curvature(self, y, norm_weight):
        return _variance(y, norm_weight)


def _variance(y: np.ndarray, norm_weight: np.ndarray) -> float:
    """Mean of p (1 - p) over the indicators, p their frequencies."""
    p = norm_weight @ y
    return float((p * (1.0 - p)).mean())
