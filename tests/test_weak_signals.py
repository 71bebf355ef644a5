"""Data without a signal, for an alpha by name: a constant, and a warning of it."""

import warnings

import numpy as np
import pytest
from sklearn.metrics import mean_poisson_deviance

from skwd import WeightDecayMLPClassifier, WeightDecayMLPRegressor

SMALL = {"hidden_layer_sizes": (3,), "activation": "tanh", "random_state": 0}
REGRESSOR_NAMES = pytest.mark.parametrize("name", ["evidence", "loo", "gcv"])
NAMES = pytest.mark.parametrize("name", ["evidence", "loo"])


def too_weak(name, top):
    return (
        f"alpha={name!r}: the signal is too weak to be told from noise. alpha is at "
        f"its top, {top:.3g}, and the network predicts a constant. Use fewer hidden "
        "layers, more rows or better features, or give alpha a number."
    )


def pull(X, Y, s):
    """a = ||X'(s r)|| / sum s, or what noise alone would make of it."""
    X, R = (Z - np.average(Z, axis=0, weights=s) for Z in (X, Y))
    sizes = (np.average((Z**2).sum(axis=1), weights=s) for Z in (X, R))
    chance = np.sqrt(np.prod(list(sizes)) / s.sum())
    return max(chance, np.linalg.norm(X.T @ (R * s[:, np.newaxis]), 2) / s.sum())


def mean_square(X, s):
    """Of a row about the mean: what alpha is counted in without a hidden layer."""
    centred = X - np.average(X, axis=0, weights=s)
    return np.average((centred**2).sum(axis=1), weights=s)


def noise_data(seed):
    """y has next to no part that is linear in X; the weights are not all the same."""
    rng = np.random.default_rng(seed)
    X, y, s = rng.standard_normal((80, 3)), rng.standard_normal(80), np.ones(80)
    s[:20] = 0.5
    return X, y - 0.9 * X @ np.linalg.lstsq(X, y, rcond=None)[0], s


def check_is_constant(model, name, X, y, s):
    """Fit it; everything is that of the weighted mean."""
    hidden = len(model.hidden_layer_sizes)
    with pytest.warns(UserWarning) as caught:
        model.fit(X, y, sample_weight=s)
    top = pull(X, y[:, np.newaxis], s)
    if not hidden:
        top = 1e6 * mean_square(X, s)
    assert [str(w.message) for w in caught] == [too_weak(name, top)]
    assert model.alpha_ == pytest.approx(top, rel=1e-12)
    mean = np.average(y, weights=s)
    np.testing.assert_allclose(model.predict(X), mean, rtol=1e-12)
    assert all(not W.any() for W in model.coefs_)
    spread = np.average((y - mean) ** 2, weights=s)
    assert model.loss_ == pytest.approx(spread / 2, rel=1e-12)
    centred = (X - np.average(X, axis=0, weights=s)) * np.sqrt(s / s.sum())[:, None]
    values = np.zeros(1) if hidden else np.linalg.eigvalsh(centred.T @ centred)
    dof = 1 + np.sum(values / (values + top))
    assert model.n_effective_params_ == pytest.approx(dof, rel=1e-9)
    noise = spread * s.sum() / (s.sum() - dof)
    assert model.noise_std_**2 == pytest.approx(noise, rel=1e-9)


@pytest.mark.wide(4)
@REGRESSOR_NAMES
@pytest.mark.parametrize("seed", range(5))
def test_a_linear_regressor_of_noise_predicts_its_mean(seed, name):
    model = WeightDecayMLPRegressor(
        hidden_layer_sizes=(), alpha=name, normalize_y=False, random_state=0
    )
    check_is_constant(model, name, *noise_data(seed))


@pytest.mark.wide(5)
@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("seed", range(5))
def test_a_network_finds_no_evidence_in_noise(seed, activation):
    model = WeightDecayMLPRegressor(alpha="evidence", normalize_y=False, **SMALL)
    model.set_params(activation=activation)
    check_is_constant(model, "evidence", *noise_data(seed))


@pytest.mark.wide(10)
@pytest.mark.parametrize("name", ["loo", "gcv"])
@pytest.mark.parametrize("seed", range(5))
def test_no_network_is_kept_that_scores_less_than_a_constant(seed, name):
    """Leave-one-out and GCV of the mean are both its loss / (1 - 1 / n)^2."""
    X, y, s = noise_data(seed)
    spread = np.average((y - np.average(y, weights=s)) ** 2, weights=s)
    constant = -0.5 * spread / (1 - 1 / s.sum()) ** 2
    model = WeightDecayMLPRegressor(alpha=name, normalize_y=False, **SMALL)
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        model.fit(X, y, sample_weight=s)
    if model.alpha_ < 0.99 * pull(X, y[:, np.newaxis], s):
        assert model.alpha_scores_.max() > constant
    else:
        check_is_constant(model, name, X, y, s)


@pytest.mark.wide(4)
@NAMES
@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_classifier_of_noise_predicts_its_frequencies(n_classes, name):
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((90, 3)), np.arange(90) % n_classes
    X -= 0.9 * np.array([X[y == k].mean(axis=0) for k in range(n_classes)])[y]
    s = np.where(y == 0, 0.5, 1.0)
    model = WeightDecayMLPClassifier(alpha=name, hidden_layer_sizes=(), random_state=0)
    with pytest.warns(UserWarning) as caught:
        model.fit(X, y, sample_weight=s)
    top = 1e6 * mean_square(X, s)
    assert [str(w.message) for w in caught] == [too_weak(name, top)]
    assert model.alpha_ == pytest.approx(top, rel=1e-9)
    frequencies = np.bincount(y, s) / s.sum()
    probabilities = model.predict_proba(X)
    expected = np.broadcast_to(frequencies, probabilities.shape)
    np.testing.assert_allclose(probabilities, expected, rtol=1e-12)
    loss = -frequencies @ np.log(frequencies)
    assert model.loss_ == pytest.approx(loss, rel=1e-12)
    assert model.n_effective_params_ == pytest.approx(n_classes - 1, abs=0.02)


@pytest.mark.wide(3)
@REGRESSOR_NAMES
def test_a_signal_that_no_line_sees_is_no_noise(name):
    """X'r is zero but for rounding: the scale of alpha must not be."""
    X = np.linspace(-1.0, 1.0, 61)[:, np.newaxis]
    y = X[:, 0] ** 2 + 0.05 * np.cos(40.0 * X[:, 0])
    model = WeightDecayMLPRegressor(alpha=name, tol=1e-6, **SMALL).fit(X, y)
    assert np.sqrt(np.mean((model.predict(X) - X[:, 0] ** 2) ** 2)) < 0.05
    assert model.alpha_ > 1e-8


@REGRESSOR_NAMES
def test_a_constant_y_is_no_reason_to_warn(name):
    X = np.random.default_rng(0).standard_normal((20, 2))
    model = WeightDecayMLPRegressor(alpha=name, **SMALL).fit(X, np.full(20, 3.0))
    np.testing.assert_allclose(model.predict(X), 3.0, rtol=1e-12)


def test_weights_below_one_leave_out_whole_rows():
    """Leverages stay below 1, and small weights do not end in no decay at all."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 10))
    y = X[:, 0] + rng.standard_normal(60)
    model = WeightDecayMLPRegressor(hidden_layer_sizes=(), alpha="loo")
    counts = model.fit(X, y).alpha_
    small = model.fit(X, y, sample_weight=np.full(60, 1 / 60)).alpha_
    assert 0.5 * counts < small < 2.0 * counts


@pytest.mark.slow
@REGRESSOR_NAMES
def test_a_deep_network_is_no_constant_where_the_signal_is_strong(name):
    """From random weights it collapses at alphas that a trained one can bear."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((1200, 20))
    y = 2.0 * X[:, :5].sum(axis=1) / np.sqrt(5.0) + rng.standard_normal(1200)
    model = WeightDecayMLPRegressor(
        hidden_layer_sizes=(20, 20, 20), alpha=name, normalize_y=True, random_state=0
    )
    assert model.fit(X[:200], y[:200]).score(X[200:], y[200:]) > 0.65


@pytest.mark.slow
def test_leaving_out_large_counts_knows_bounds():
    """The exponential of a step from one row could be anything."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((1400, 5))
    y = rng.poisson(np.exp(6.0 + np.sin(X[:, 0]) + 0.3 * X[:, 1]))
    model = WeightDecayMLPRegressor(alpha="loo", loss="poisson", random_state=0)
    model.fit(X[:400], y[:400])
    constant = np.full(1000, y[:400].mean())
    assert np.abs(model.alpha_scores_).max() < mean_poisson_deviance(y[400:], constant)
    deviance = mean_poisson_deviance(y[400:], model.predict(X[400:]))
    assert deviance < 0.1 * mean_poisson_deviance(y[400:], constant)
