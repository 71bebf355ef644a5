"""Choices of alpha where approximations fail: outliers, depth, many columns."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_friedman1
from sklearn.preprocessing import StandardScaler

from skwd import WeightDecayMLPRegressor


def with_outliers(seed, n):
    """Friedman 1, 3 % of the rows with noise of deviation 30; new rows have none."""
    X, f = make_friedman1(n, noise=0.0, random_state=seed)
    rng = np.random.default_rng(seed)
    y = f + rng.standard_normal(n)
    y += np.where(rng.random(n) < 0.03, 30.0 * rng.standard_normal(n), 0.0)
    X_new, f_new = make_friedman1(2000, noise=0.0, random_state=seed + 1000)
    mean, scale = X.mean(axis=0), X.std(axis=0)
    return (X - mean) / scale, y, (X_new - mean) / scale, f_new


def error(data, **how):
    X, y, X_new, f_new = data
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = WeightDecayMLPRegressor(random_state=0, **how).fit(X, y)
    return np.sqrt(np.mean((model.predict(X_new) - f_new) ** 2)), model


def gcv_with_outliers(seed):
    """Error of "gcv", and its model, no score of which is below leave-one-out's."""
    how = {"hidden_layer_sizes": (10,), "activation": "tanh"}
    data = with_outliers(seed, 500)
    rmse, model = error(data, alpha="gcv", **how)
    _, loo = error(data, alpha="loo", **how)
    # At the same fits.
    shared = np.isin(model.alphas_, loo.alphas_)
    scores = dict(zip(loo.alphas_, loo.alpha_scores_))
    for alpha, score in zip(model.alphas_[shared], model.alpha_scores_[shared]):
        assert score <= scores[alpha] * (1.0 - 1e-6)
    return rmse, model


@pytest.mark.slow
def test_gcv_does_not_run_away_with_outliers():
    """On a draw where every way ends at one alpha."""
    rmse, model = gcv_with_outliers(0)
    assert rmse < 2.6 and model.alpha_ > 1e-3


@pytest.mark.slow
def test_gcv_does_not_run_away_on_any_draw():
    """It had errors of 28, and 5 to 11 on these draws, at alphas down to 6e-8.

    Rounding leads it to one or another minimum at small alphas: 2.4 to 4.8 on the
    second draw, so that the mean is what can be asked for.
    """
    found = [gcv_with_outliers(seed) for seed in range(3)]
    assert np.mean([rmse for rmse, _ in found]) < 4.0
    assert min(model.alpha_ for _, model in found) > 1e-5


@pytest.mark.slow
def test_three_layers_with_outliers():
    """The constant has an error of 5; "evidence" took it on three of five draws.

    The mean of all five: on one rounding alone moves an error of 3.3 by 0.1.
    """
    errors = {"auto": [], "evidence": [], "loo": []}
    for seed in range(5):
        data, how = with_outliers(seed, 200), {"hidden_layer_sizes": (10, 10, 10)}
        for alpha, found in errors.items():
            rmse, model = error(data, alpha=alpha, **how)
            found.append(rmse)
            if alpha == "auto":
                assert model.alpha_choice_["model"] != "constant"
            else:
                assert any(W.any() for W in model.coefs_)
    assert np.mean(errors["auto"]) < 3.1 and np.mean(errors["loo"]) < 3.4
    # Gaussian noise is not what outliers are: "evidence" may follow them on some draw.
    assert np.median(errors["evidence"]) < 3.4


@pytest.mark.slow
def test_three_layers_of_many_columns():
    """1000 x 200: the constant has an error of 2.2."""
    rng = np.random.default_rng(1)
    X = rng.standard_normal((3000, 200))
    f = np.sin(2.0 * X[:, 0]) + X[:, 1] * X[:, 2] + 0.5 * X[:, 3:8].sum(axis=1)
    y = f + 0.3 * rng.standard_normal(3000)
    data = X[:1000], y[:1000], X[1000:], f[1000:]
    rmse, _ = error(data, alpha="auto", hidden_layer_sizes=(20, 20, 20))
    assert rmse < 1.5 < np.std(f)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_more_columns_than_rows(seed):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((2060, 150))
    f = X[:, :5].sum(axis=1)
    y = f + 0.5 * rng.standard_normal(2060)
    data = X[:60], y[:60], X[60:], f[60:]
    best, _ = error(data, alpha="loo", hidden_layer_sizes=(20,))
    rmse, _ = error(data, alpha="auto", hidden_layer_sizes=(20,))
    assert rmse < 1.05 * best < np.std(f)


@pytest.mark.slow
@pytest.mark.parametrize("size", [1e-3, 1e-2, 1e3])
def test_weights_of_any_size_leave_auto_something_to_choose(size):
    """Small weights count as few rows: all first alphas leave constants, a plateau."""
    X, y = make_friedman1(200, 8, noise=1.0, random_state=0)
    X = StandardScaler().fit_transform(X)
    model = WeightDecayMLPRegressor(
        alpha="auto", encoding=None, hidden_layer_sizes=(10,), random_state=0
    )
    model.fit(X[:150], y[:150], sample_weight=np.full(150, size))
    plain = clone(model).fit(X[:150], y[:150])
    assert model.alpha_choice_["model"] == "network"
    assert model.score(X[150:], y[150:]) > plain.score(X[150:], y[150:]) - 0.05
