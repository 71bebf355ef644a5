"""Class probabilities that know what the data leave open."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit

from skwd import WeightDecayMLPClassifier

SMALL = {"hidden_layer_sizes": (5,), "activation": "tanh", "random_state": 0}


def pair(X, y, **how):
    """The same fit without and with a posterior."""
    plain = WeightDecayMLPClassifier(**{**SMALL, **how}).fit(X, y)
    return plain, WeightDecayMLPClassifier(posterior=True, **{**SMALL, **how}).fit(X, y)


def test_two_classes_without_a_hidden_layer(classes):
    """MacKay's formula with the posterior of a logistic regression.

    Its covariance times the smallest scale whose leave-one-out log-loss is within a
    standard error of the lowest.
    """
    X, y = classes
    y = y > 0
    plain, model = pair(X, y, alpha=0.001, hidden_layer_sizes=(), tol=1e-10)
    A, logit = np.c_[X, np.ones(len(X))], plain.decision_function(X)
    p = expit(logit)
    slope = p * (1.0 - p)
    H = A.T @ (slope[:, np.newaxis] * A) + len(X) * 0.001 * np.diag([1, 1, 1, 1, 0])
    variance = np.einsum("ni,ij,nj->n", A, np.linalg.inv(H), A)
    left = 1.0 - slope * variance
    scales = np.r_[0.0, 2.0 ** np.arange(-8, 1)]
    left_out = [
        (logit + variance / left * (p - y))
        / np.sqrt(1 + np.pi / 8 * s * variance / left)
        for s in scales
    ]
    losses = np.array([-np.log(expit(np.where(y, f, -f))) for f in left_out])
    excess = losses - losses[np.argmin(losses.mean(axis=1))]
    within = excess.mean(axis=1) <= excess.std(axis=1) / np.sqrt(len(y))
    scale = model.posterior_scale_
    assert scale == scales[np.argmax(within)]
    expected = expit(logit / np.sqrt(1.0 + np.pi * scale * variance / 8.0))
    assert_allclose(model.predict_proba(X)[:, 1], expected, rtol=1e-9)
    assert_array_equal(model.decision_function(X), logit)


@pytest.mark.wide(3)
@pytest.mark.parametrize("alpha", [0.003, "evidence", "loo"])
def test_classes_are_drawn_towards_each_other(alpha, classes, one_blas_thread):
    X, y = classes
    plain, model = pair(X, y, alpha=alpha)
    before, after = plain.predict_proba(X), model.predict_proba(X)
    assert_allclose(after.sum(axis=1), 1.0, rtol=1e-12)
    if model.posterior_scale_ > 0.0:
        assert after.max(axis=1).mean() < before.max(axis=1).mean()
    else:
        assert_allclose(after, before, rtol=1e-12)
    assert_array_equal(model.decision_function(X), plain.decision_function(X))
    chosen = model.classes_[model.decision_function(X).argmax(axis=1)]
    assert_array_equal(model.predict(X), chosen)
    log = model.predict_log_proba(10.0 * X)
    assert np.isfinite(log).all()
    assert_allclose(np.exp(log), model.predict_proba(10.0 * X), rtol=1e-12)


def test_the_mean_of_a_softmax_of_a_gaussian(classes):
    """Close to what many draws give."""
    X, y = classes
    _, model = pair(X, y, alpha=0.01, hidden_layer_sizes=())
    from skwd._core.rows import row_block
    from skwd._curvature.factors import factors_of

    rows = row_block(X[:6], slice(None))
    raw, factors = factors_of(
        model._fitted.network.network, model._fitted.network.params[0], rows
    )
    covariance = model._fitted.network.posterior[0].covariance(factors)
    rng = np.random.default_rng(0)
    for r, V, p in zip(raw, covariance, model.predict_proba(X[:6])):
        draws = rng.multivariate_normal(r, V, size=20000)
        exp = np.exp(draws - draws.max(axis=1, keepdims=True))
        mean = (exp / exp.sum(axis=1, keepdims=True)).mean(axis=0)
        assert_allclose(p, mean, atol=0.02)


def test_labels_are_each_two_classes(classes):
    X, y = classes
    Y = np.c_[y > 0, y > 1].astype(int)
    plain, model = pair(X, Y, alpha=0.01)
    before, after = plain.predict_proba(X), model.predict_proba(X)
    if model.posterior_scale_ > 0.0:
        assert (np.abs(after - 0.5) < np.abs(before - 0.5)).all()
    else:
        assert_allclose(after, before, rtol=1e-12)
    assert_array_equal(after > 0.5, before > 0.5)


@pytest.mark.slow
def test_an_ensemble_averages_moderated_probabilities(classes):
    X, y = classes
    _, model = pair(X, y, alpha="evidence", n_init=3, ensemble=True)
    one, parts = WeightDecayMLPClassifier(posterior=True, **SMALL).fit(X, y), []
    for k in range(3):
        one.coefs_ = [W[k] for W in model.coefs_]
        one.intercepts_ = [b[k] for b in model.intercepts_]
        one._fitted.network.posterior = [model._fitted.network.posterior[k]]
        parts.append(one.predict_proba(X))
    assert_allclose(model.predict_proba(X), np.mean(parts, axis=0), rtol=1e-10)
