"""Laplace's approximation: a Gaussian about the optimum of one network.

    p(w | data) ~ N(w_hat, noise (n H)^-1),   n = sum s

with H the Gauss-Newton curvature of J and noise the variance of y about f (1 for losses
that know their own). Its volume gives the evidence of alpha, its width the error of a
prediction. Every quantity is MacKay's ("A practical Bayesian framework for
backpropagation networks", Neural Computation 1992), with priors on biases flat:

    prior_precision = alpha n / noise of each layer,   noise_precision = 1 / noise
    gamma = k - alpha tr(D H^-1),   dof = gamma + free biases
    noise = SSE / (n n_outputs - dof),   prior_precision <- gamma / ||w||^2

The evidence of an alpha is that at the noise which suits it best, 2 n J / (n n_outputs
- free biases): at the fixed point the same, and elsewhere still a likelihood of alpha.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skwd._core.alpha_groups import AlphaGroups
from skwd._core.loss import Loss, likelihood_of
from skwd._core.network import ForwardBackward, Network, block_rows
from skwd._core.objective import Sample
from skwd._core.penalty import L2
from skwd._core.rows import scaler_for
from skwd._curvature.base import Curvature
from skwd._curvature.exact import Exact
from skwd._curvature.kronecker import Kronecker

# The whole of H as long as its work is a second or so, and its memory small; beyond it
# a Kronecker product per layer, which has no leverages of single rows: where those are
# asked, more work is worth it. The work is N P m with N outputs of rows, P parameters
# and m the fewer of them, and m^3 times that of a Cholesky factor, or of a spectrum.
EXACT_WORK, EXACT_WORK_OF_ROWS = 4e10, 1e11
CHOLESKY, SPECTRUM = 2.0, 10.0
EXACT_BYTES = 1 << 28
# The noise is estimated from at least this part of the outputs, whatever the dof: with
# weights below 1 the parameters can outnumber them.
LEAST_FREE = 1e-3
# In the place of 0, for a constant y.
LEAST_FLOOR = 1e-200
# Of an alpha that is not 0: its root divides, and squares must stay in the float range.
LEAST_DECAY = 1e-100


def is_exact(
    n_outputs_of_rows: int,
    n_params: int,
    *,
    many_scales: bool = False,
    of_rows: bool = False,
) -> bool:
    """Whether the curvature of so many outputs and parameters is taken whole."""
    fewer = min(n_outputs_of_rows, n_params)
    work = float(n_outputs_of_rows) * n_params * fewer
    work += (SPECTRUM if many_scales else CHOLESKY) * float(fewer) ** 3
    limit = EXACT_WORK_OF_ROWS if of_rows else EXACT_WORK
    return work <= limit and 8 * n_params * fewer <= EXACT_BYTES


def curvature_of(
    network: Network,
    loss: Loss,
    sample: Sample,
    params: np.ndarray,
    alpha: np.ndarray,
    *,
    groups: AlphaGroups | None = None,
    many_scales: bool = False,
    of_rows: bool = False,
    bias_prior: bool = False,
) -> Curvature:
    """H at the weights ``params`` (P,) with ``alpha`` (G,), by default of layers.

    With ``bias_prior`` hidden biases have the decay of their layer's weights too, the
    weakest of them.
    """
    params = params.astype(np.float64, copy=False)
    decay = np.where(alpha > 0.0, np.maximum(alpha, LEAST_DECAY), 0.0)
    layout = network.layout
    groups = layout.layer_groups if groups is None else groups
    decays = groups.per_parameter(decay[np.newaxis])
    if bias_prior:
        for layer in range(layout.n_weight_layers - 1):
            layout.b(decays, layer)[:] = layout.W(decays, layer).min()
    decay = decays[0]
    point = network, loss, sample, params, decay, bias_floor(loss, sample), groups
    size, request = sample.y.size, {"many_scales": many_scales, "of_rows": of_rows}
    try:
        if is_exact(size, network.layout.n_params, **request):
            return Exact.of(*point, many_scales=many_scales)
        return Kronecker.of(*point)
    except (np.linalg.LinAlgError, ValueError) as error:  # of numbers that overflow
        raise ValueError(
            "The curvature of J is not finite: X, y or sample_weight hold values too "
            f"large or too small. Standardise X ({scaler_for(sample.X)}), and give "
            "sample_weight a mean of 1."
        ) from error


def bias_floor(loss: Loss, sample: Sample) -> float:
    """The least curvature of a hidden bias: 2 pi / n times the variance of y.

    The data say little of the bias of a unit that few rows reach, and of linearised
    networks that are nearly as free as there are rows everything could be true. Each
    direction of the hidden biases is taken to be known as well as from one row at which
    a unit of it moves f by root(2 pi) deviations of y (a unit-information prior: Kass
    and Wasserman, JASA 1995); for losses that know their noise, by root(2 pi).
    """
    scale = 1.0
    if likelihood_of(loss).estimates_noise:
        y, norm_weight = sample.y, sample.norm_weight
        scale = float((norm_weight @ np.square(y - norm_weight @ y)).mean())
    return max(2.0 * np.pi * scale / sample.total_weight, LEAST_FLOOR)


@dataclass(eq=False)
class Laplace:
    """What is known of one network at its optimum; G are the groups of alpha."""

    curvature: Curvature
    n: float  # sum s
    n_effective: np.ndarray  # (G,) gamma
    noise: np.ndarray  # (n_outputs,) variance of y about f; 1 where the loss knows it
    log_evidence: float
    alpha: np.ndarray  # (G,) re-estimated, in the place of the one it was fitted with

    @classmethod
    @np.errstate(over="ignore", invalid="ignore", divide="ignore")
    def of(
        cls,
        network: Network,
        loss: Loss,
        sample: Sample,
        params: np.ndarray,
        alpha: np.ndarray,
        *,
        one_alpha: bool = True,
        groups: AlphaGroups | None = None,
    ) -> Laplace:
        """The approximation at the optimum ``params`` (P,) of J with ``alpha`` (G,).

        With ``one_alpha`` all groups are re-estimated as one.
        """
        n, errors = sample.total_weight, mean_noise(network, loss, sample, params)
        curvature = curvature_of(network, loss, sample, params, alpha, groups=groups)
        gamma = curvature.n_effective()
        squares = curvature.groups.sums(np.square(params, dtype=np.float64))
        likelihood = likelihood_of(loss)
        if likelihood.estimates_noise:
            count, misfit = n * len(errors), n * errors.sum()
            dof = gamma.sum() + curvature.n_free()
            noise = n * errors * len(errors) / max(count - dof, LEAST_FREE * count)
            free = max(count - curvature.n_directions, LEAST_FREE * count)
            assumed = (misfit + n * (curvature.alpha * squares).sum()) / free
            log_likelihood = _gaussian(misfit, assumed, count)
        else:
            noise, assumed = errors, 1.0
            log_likelihood = n * _mean_log_likelihood(network, loss, sample, params)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            per_unit = np.divide(n, assumed)
            evidence = log_likelihood + _log_volume_ratio(curvature, squares, per_unit)
            precision = gamma.sum() / squares.sum() if one_alpha else gamma / squares
            again = np.full_like(gamma, precision * noise.mean() / n)
        again[np.isnan(again)] = np.inf  # of no weights at all
        if np.isnan(evidence):  # of y that is fitted exactly
            evidence = np.inf
        return cls(curvature, n, gamma, noise, float(evidence), again)

    @property
    def dof(self) -> float:
        """Parameters that the data determine, free biases included."""
        return float(self.n_effective.sum() + self.curvature.n_free())


def _log_volume_ratio(
    curvature: Curvature, squares: np.ndarray, per_unit: float
) -> float:
    """ln of the prior at the optimum times the volume of the posterior.

    ``per_unit`` is n / noise: J in these units is minus a log-probability.
    """
    precision = curvature.alpha * per_unit
    counts, n_free = curvature.groups.counts, curvature.n_directions
    log_prior = L2().log_prior(precision, counts, 0.5 * squares)
    n_directions = counts[precision > 0.0].sum() + n_free
    log_det = curvature.log_det() + n_directions * np.log(per_unit)
    return log_prior - 0.5 * log_det + 0.5 * n_free * np.log(2.0 * np.pi)


def _gaussian(squares: float, noise: float, n: float) -> float:
    """Log-likelihood of n errors with this sum of squares."""
    with np.errstate(divide="ignore", invalid="ignore"):
        value = -0.5 * n * np.log(2.0 * np.pi * noise) - 0.5 * squares / noise
    return np.inf if np.isnan(value) else float(value)


def raw_blocks(network: Network, sample: Sample, params: np.ndarray):
    """y, norm_weight and raw prediction of ``params`` (P,) by blocks, in float64."""
    params = params[np.newaxis].astype(np.float64, copy=False)
    for X, y, norm_weight in sample.blocks(block_rows(network.layout, 8)):
        X = X.astype(np.float64, copy=False)
        raw = ForwardBackward(network, params, X.shape[0]).forward(X)[0]
        yield y.astype(np.float64, copy=False), norm_weight[:, 0], raw


def mean_noise(network, loss, sample, params) -> np.ndarray:
    """Mean squared error of each output on the training rows, (n_outputs,).

    1 for the losses that know their own noise.
    """
    if not likelihood_of(loss).estimates_noise:
        return np.ones(sample.y.shape[1])
    blocks = raw_blocks(network, sample, params)
    return sum(norm_weight @ np.square(y - raw) for y, norm_weight, raw in blocks)


def _mean_log_likelihood(network, loss, sample, params) -> float:
    """Weighted mean of the log-likelihood of a row."""
    total, saturated = 0.0, likelihood_of(loss).saturated_log_likelihood
    for y, norm_weight, raw in raw_blocks(network, sample, params):
        total += norm_weight @ (saturated(y) - loss.loss(y, raw))
    return float(total)
