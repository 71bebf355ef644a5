"""Laplace's approximation: evidence, noise and alpha against whole matrices."""

import numpy as np
import pytest
from dense import closed_form, evidence_of, forward, layer_masks
from networks import ALPHAS, both_sizes, every_depth, every_form, network
from numpy.testing import assert_allclose
from scipy.stats import bernoulli, multinomial, norm, poisson
from stacks import LOSSES, targets

from skwd._core.objective import Sample
from skwd._curvature import laplace as laplace_module
from skwd._curvature.exact import Exact
from skwd._curvature.factors import factors_of
from skwd._curvature.laplace import Laplace, is_exact
from skwd._curvature.posterior import Posterior


def test_likelihoods():
    rng = np.random.default_rng(0)
    raw = rng.standard_normal((40, 3))
    known = {
        "poisson": lambda y: poisson.logpmf(y, np.exp(raw)).sum(axis=1),
        "binomial": lambda y: bernoulli.logpmf(y, 1 / (1 + np.exp(-raw))).sum(axis=1),
        "multinomial": lambda y: [
            multinomial.logpmf(row, 1, np.exp(r) / np.exp(r).sum())
            for row, r in zip(y, raw)
        ],
    }
    for name, expected in known.items():
        y = targets(name, 40, 3, rng)
        found = LOSSES[name].likelihood.saturated_log_likelihood(y) - LOSSES[name].loss(
            y, raw
        )
        assert_allclose(found, expected(y), rtol=1e-10)


def test_which_form(monkeypatch):
    assert is_exact(442, 1201) and is_exact(17970, 760) and is_exact(10**6, 100)
    assert not is_exact(17970, 7510) and not is_exact(10**7, 100)
    net = network()
    assert isinstance(Laplace.of(*net.parts, np.array([0.01, 0.03])).curvature, Exact)
    monkeypatch.setattr(laplace_module, "EXACT_WORK", 1.0)
    other = Laplace.of(*net.parts, np.array([0.01, 0.03])).curvature
    assert type(other).__name__ == "Kronecker"


@pytest.mark.wide(2)
@pytest.mark.parametrize("one_alpha", [True, False])
@both_sizes
@every_form
def test_evidence(loss, n_outputs, n, one_alpha):
    """Normal density of the weights at the optimum times the volume around it."""
    net = network(loss, n_outputs, n, (2,), weighted=True)
    rng = np.random.default_rng(0)
    sample, alpha = net.sample, np.array(ALPHAS[:2])
    found = Laplace.of(*net.parts, alpha, one_alpha=one_alpha)
    n = sample.weight.sum()
    gamma, k = net.gamma(), net.layout.decay_mask.sum()
    n_free = net.n_determined() - k
    raw = forward(net.objective, net.w)
    squares = layer_masks(net.layout) @ net.w**2
    prior, noise = alpha @ squares, 1.0
    if loss == "squared_error":
        errors = sample.weight @ (sample.y - raw) ** 2
        variance = sample.weight @ (sample.y - sample.weight @ sample.y / n) ** 2 / n
        floor = 2 * np.pi * variance.mean() / n
        bound = Exact.of(*net.parts, net.decay, floor, net.layout.layer_groups)
        gamma, n_free = bound.n_effective(), bound.n_free()
        dof, outputs = gamma.sum() + n_free, n * n_outputs
        noise = errors * n_outputs / max(outputs - dof, 1e-3 * outputs)
        assert_allclose(found.noise, noise, rtol=1e-6)
        free = max(outputs - bound.n_directions, 1e-3 * outputs)
        assumed = (errors.sum() + n * prior) / free
        log_likelihood = sum(
            sample.weight @ norm.logpdf(sample.y[:, o], raw[:, o], np.sqrt(assumed))
            for o in range(n_outputs)
        )
        log_det, directions, noise = bound.log_det(), bound.n_directions, noise.mean()
    else:
        bound = Exact.of(*net.parts, net.decay, 2 * np.pi / n, net.layout.layer_groups)
        gamma, n_free, assumed = bound.n_effective(), bound.n_free(), 1.0
        losses = net.objective.loss.loss(sample.y, raw)
        top = net.objective.loss.likelihood.saturated_log_likelihood(sample.y)
        log_likelihood = sample.weight @ (top - losses)
        log_det, directions = bound.log_det(), bound.n_directions
    assert_allclose(found.n_effective, gamma, rtol=1e-6)
    assert found.dof == pytest.approx(gamma.sum() + n_free)
    precision = alpha @ layer_masks(net.layout) * n / assumed
    weights = net.layout.decay_mask > 0
    log_prior = norm.logpdf(net.w[weights], 0, precision[weights] ** -0.5).sum()
    log_volume = 0.5 * (k + directions) * np.log(2 * np.pi * assumed / n) - log_det / 2
    expected = log_likelihood + log_prior + log_volume
    assert found.log_evidence == pytest.approx(expected, rel=1e-9)
    again = gamma.sum() / squares.sum() if one_alpha else gamma / squares
    assert_allclose(found.alpha, again * noise / n * np.ones(2), rtol=1e-6)
    _, factors = factors_of(
        net.objective.network, net.w, np.c_[rng.standard_normal((5, 4)), np.ones(5)]
    )
    spread = found.curvature.covariances(factors, np.ones(1))[0] / n
    deviation = np.sqrt(found.noise)
    gaussian = Posterior(found.curvature, found.n, found.noise, 1.0)
    assert_allclose(
        gaussian.covariance(factors), spread * np.outer(deviation, deviation)
    )


@pytest.mark.wide(12)
@pytest.mark.parametrize("n", [80, 25])
@every_depth
@every_form
def test_evidence_in_closed_form(loss, n_outputs, hidden, n):
    """With whole weights, and again with rows repeated in their place."""
    net = network(loss, n_outputs, n, hidden, n_features=2)
    sample, times = net.sample, 1 + np.arange(n) % 3
    alpha = np.array(ALPHAS[: len(hidden) + 1])
    whole = Sample(sample.X, sample.y, times.astype(float))
    repeated = (np.repeat(a, times, axis=0) for a in (sample.X, sample.y))
    for each in whole, Sample(*repeated, np.ones(times.sum())):
        net.objective.samples[0] = each
        raw, net = closed_form(net)
        gamma, dof, noise, value, *again = evidence_of(net, raw, alpha)
        for one_alpha, expected in zip((True, False), again):
            it = Laplace.of(*net.parts, alpha, one_alpha=one_alpha)
            found = *it.n_effective, it.dof, *it.noise, it.log_evidence, *it.alpha
            assert_allclose(found, [*gamma, dof, *noise, value, *expected], rtol=1e-9)
