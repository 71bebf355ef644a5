"""alpha by name where a default network has more hidden units than there are rows."""

import warnings

import numpy as np
import pytest
from sklearn.metrics import log_loss

from skwd import WeightDecayMLPClassifier, WeightDecayMLPRegressor

NAMES = pytest.mark.parametrize("name", ["evidence", "loo", "gcv"])
N = 80  # and a hundred units, each with a bias that is not penalised


def rows(seed, n, signal):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 3))
    f = X[:, 0] + np.sin(2.0 * X[:, 1]) + 0.5 * X[:, 2] ** 2
    return X, signal * f + 0.5 * rng.standard_normal(n)


def fitted(name, seed, signal):
    X, y = rows(seed, N, signal)
    model = WeightDecayMLPRegressor(alpha=name, posterior=True, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of weak signals
        return model.fit(X, y), X, y


@pytest.mark.wide(9)
@NAMES
@pytest.mark.parametrize("seed", range(3))
def test_noise_is_not_learnt_by_heart(name, seed):
    model, X, y = fitted(name, seed, 0.0)
    assert model.score(X, y) < 0.3
    assert 0.3 < model.noise_std_ < 0.7
    assert model.n_effective_params_ < 0.2 * N


@pytest.mark.slow
@NAMES
@pytest.mark.parametrize("seed", range(3))
def test_a_signal_is_found(name, seed):
    """As it is by the best alpha for new rows."""
    model, _, _ = fitted(name, seed, 1.0)
    X, y = rows(100 + seed, 1000, 1.0)
    plain = WeightDecayMLPRegressor(normalize_y=True, random_state=0)
    scores = [
        plain.set_params(alpha=alpha).fit(*rows(seed, N, 1.0)).score(X, y)
        for alpha in np.logspace(-3, -1, 5)
    ]
    assert model.score(X, y) > max(scores) - 0.15


@pytest.mark.slow
@NAMES
def test_intervals_hold_as_many_rows_as_they_say(name):
    """68 % for one standard deviation, of data that the model is not true of."""
    shares = []
    for seed in range(3):
        model, _, _ = fitted(name, seed, 1.0)
        X, y = rows(100 + seed, 1000, 1.0)
        mean, std = model.predict(X, return_std=True)
        shares.append(np.mean(np.abs(y - mean) < std))
    assert 0.5 < np.mean(shares) < 0.9


@pytest.mark.slow
@pytest.mark.parametrize("hidden", [(8,), (20, 20)], ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_labels_of_noise_are_not_learnt_by_heart(hidden, seed):
    """No probability of a row of the data leaves much of its doubt."""
    rng = np.random.default_rng(seed)
    X, labels = rng.standard_normal((100, 10)), rng.integers(0, 2, 100)
    model = WeightDecayMLPClassifier(
        hidden_layer_sizes=hidden, alpha="evidence", random_state=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of weak signals
        model.fit(X, labels)
    assert log_loss(labels, model.predict_proba(X)) > 0.5
