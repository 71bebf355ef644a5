"""What a loss is: value and gradient with respect to the raw prediction, and the link.

``l(y, raw)`` is the loss of one sample, SUMMED over outputs, with the 1/2 that the name
says; the raw prediction is the network's output before the inverse link. Shapes: y
(n, n_outputs), raw (K, n, n_outputs), losses (K, n); any leading axes that broadcast
will do for K.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

# Class frequencies below this start as if they were this: a logit of +-9, not inf. So
# do counts that are all zero.
FREQUENCY_FLOOR = 1e-4


class Loss(Protocol):
    """What the objective and the estimators ask of a loss."""

    name: str
    out_activation: str  # the inverse link, by its name in scikit-learn
    is_for_numbers: bool  # of regressors; their losses know no bound
    has_noise: bool  # the loss is a squared distance in units of an unknown noise
    shift_invariant: bool  # a number added to all outputs of a row changes nothing
    is_quadratic: bool  # in the raw prediction, so that linear models have one system
    has_units: bool  # y may be scaled
    has_likelihood: bool  # minus it is a log-likelihood, noise apart
    is_robust: bool  # y is scaled by its median and the distances from it
    least_y: float | None  # y must not be lower
    excludes_least: bool  # nor as low
    # c of alpha=None, which is c / sum s: of least mean regret on real tables, with and
    # without much noise, at 100 to 5000 rows (benchmarks/default_alpha.py).
    default_decay: float

    def of(self, parameters: Mapping[str, Any]) -> Loss:
        """With parameters of an estimator, of which it reads its own."""

    def fitted_to(self, y: np.ndarray, share: np.ndarray, scale: np.ndarray) -> Loss:
        """For y (n, n_outputs) to train on, divided by ``scale``, of shares (n,)."""

    def loss_gradient(self, y: np.ndarray, raw: np.ndarray) -> np.ndarray:
        """The losses; ``raw`` is overwritten with dl/draw."""

    def loss(self, y: np.ndarray, raw: np.ndarray) -> np.ndarray:
        """The losses, with ``raw`` left as it is."""

    def gradient(self, raw: np.ndarray, y: np.ndarray, out: np.ndarray) -> None:
        """Write dl/draw to ``out``, and leave ``raw`` as it is."""

    def inverse_link(self, raw: np.ndarray) -> np.ndarray:
        """The prediction, from the raw one."""

    def constant(self, y: np.ndarray, share: np.ndarray) -> np.ndarray:
        """The raw prediction of the best constant for y (n, n_outputs), shares (n,)."""

    def curvature_root(self, raw: np.ndarray) -> np.ndarray:
        """R' (..., c, o) with R R' = d2l/draw2: one row is a column of R."""

    def saturated_log_likelihood(self, y: np.ndarray) -> np.ndarray:
        """The log-likelihood (n,) of samples whose loss is 0.

        The log-likelihood is that minus the loss. The squared error, whose noise is a
        parameter of its own, has none.
        """

    def variance(
        self, prediction: np.ndarray, raw_variance: np.ndarray, noise: np.ndarray
    ) -> np.ndarray:
        """Variance of y about the prediction of each network, for losses of numbers.

        Of y for a given network, and as the network varies within its posterior:
        ``prediction`` and the variance of the raw prediction are (K, n, n_outputs),
        noise is (K, n_outputs).
        """

    def marginalised(self, raw: np.ndarray, covariance: np.ndarray) -> np.ndarray:
        """The raw prediction whose inverse link is the mean of that of a Gaussian.

        N(raw, covariance), with covariance (..., o, o).
        """


class LossDefaults:
    """What most losses answer."""

    has_units: bool = False
    has_likelihood: bool = True
    is_robust: bool = False
    excludes_least: bool = False

    def of(self, parameters):
        return self

    def fitted_to(self, y, share, scale):
        return self


def sum_outputs(a: np.ndarray) -> np.ndarray:
    return a[..., 0] if a.shape[-1] == 1 else a.sum(axis=-1)


def diagonal(a: np.ndarray) -> np.ndarray:
    """Diagonal matrices of the last axis: (..., o) -> (..., o, o)."""
    return a[..., np.newaxis] * np.eye(a.shape[-1])
