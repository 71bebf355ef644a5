"""Losses with a log link know no units of y: c times y is fitted by c times the same.

J of c y is c^(2 - p) times that of y, p the Tweedie power: so go the default alpha, the
grids, the ranges of searches, and the first step of L-BFGS.
"""

import numpy as np
import pytest
from sklearn.linear_model import GammaRegressor, PoissonRegressor, TweedieRegressor
from sklearn.metrics import d2_tweedie_score

from skwd import WeightDecayMLPRegressor, WeightDecayMLPRegressorCV
from skwd._core.losses import LOSSES

POWERS = {
    "poisson": 1.0,
    "gamma": 2.0,
    "tweedie of 1.2": 1.2,
    "tweedie": 1.5,
    "tweedie of 2.7": 2.7,
}
PARAMS = {
    "tweedie of 1.2": {"loss": "tweedie", "power": 1.2},
    "tweedie of 2.7": {"loss": "tweedie", "power": 2.7},
}
WAYS = {
    "default": (WeightDecayMLPRegressor, {}),
    "linear": (WeightDecayMLPRegressor, {"hidden_layer_sizes": ()}),
    "auto": (WeightDecayMLPRegressor, {"alpha": "auto"}),
    "raw columns": (WeightDecayMLPRegressor, {}),
    "CV form": (WeightDecayMLPRegressorCV, {"cv": 3}),
}
SAME_SCORE = 0.03


def network(cls, loss, **params):
    given = {"hidden_layer_sizes": (4,), "random_state": 0, **params}
    return cls(**(PARAMS.get(loss) or {"loss": loss}), **given)


def unit_of(y, weight, power):
    """The deviation of dl/draw at the best constant."""
    mean = np.average(y, weights=weight)
    deviation = np.sqrt(np.average((y - mean) ** 2, weights=weight))
    return mean ** (1.0 - power) * deviation


@pytest.fixture(scope="module")
def rates():
    """Rates about 1 with exposures, and a strong signal."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((90, 3))
    rate = np.exp(np.tanh(2.0 * X[:, 0]) + 0.3 * X[:, 1])
    exposure = rng.uniform(0.5, 1.5, len(X))
    y = (rng.poisson(20.0 * rate * exposure) + 1.0) / (20.0 * exposure)
    return X, y, exposure


@pytest.mark.wide(90)
@pytest.mark.parametrize("loss", POWERS)
@pytest.mark.parametrize("c", [1e-6, 1e-3, 1e6])
@pytest.mark.parametrize("way", WAYS)
def test_c_times_y_has_c_times_the_prediction(rates, loss, way, c):
    X, y, exposure = rates
    X = X * 100.0 if way == "raw columns" else X
    cls, params = WAYS[way]
    plain = network(cls, loss, **params).fit(X, y, exposure)
    other = network(cls, loss, **params).fit(X, c * y, exposure)
    unit = c ** (2.0 - POWERS[loss])
    if way == "CV form":
        np.testing.assert_allclose(
            other.alphas_[:7], unit * plain.alphas_[:7], rtol=1e-9
        )
    elif way != "auto":
        assert other.alpha_ == pytest.approx(unit * plain.alpha_, rel=1e-9)
    mine, found = plain.predict(X), other.predict(X) / c
    if way == "linear":
        np.testing.assert_allclose(found, mine, rtol=1e-6)
    # Roundings may lead networks to another minimum.
    scores = [
        d2_tweedie_score(y, mu, sample_weight=exposure, power=1.0)
        for mu in (mine, found)
    ]
    assert scores[0] > 0.5
    assert scores[1] == pytest.approx(scores[0], abs=SAME_SCORE)


def test_leave_one_out_of_c_times_y(rates):
    X, y, exposure = rates
    params = {"alpha": "loo", "hidden_layer_sizes": ()}
    plain, other = (
        network(WeightDecayMLPRegressor, "poisson", **params).fit(X, c * y, exposure)
        for c in (1.0, 1e-5)
    )
    np.testing.assert_allclose(other.alphas_, 1e-5 * plain.alphas_, rtol=1e-9)
    assert other.alpha_ == pytest.approx(1e-5 * plain.alpha_, rel=1e-6)
    np.testing.assert_allclose(1e5 * other.predict(X), plain.predict(X), rtol=1e-6)


@pytest.mark.parametrize("loss", ["poisson", "gamma", "tweedie"])
def test_the_default_is_c_rows_of_the_deviation_of_the_gradient(rates, loss):
    X, y, exposure = rates
    alpha = LOSSES[loss].default_decay * unit_of(y, exposure, POWERS[loss])
    alpha /= exposure.sum()
    model = network(WeightDecayMLPRegressor, loss, hidden_layer_sizes=(), tol=1e-12)
    peer = {
        "poisson": PoissonRegressor,
        "gamma": GammaRegressor,
        "tweedie": lambda **params: TweedieRegressor(power=1.5, link="log", **params),
    }[loss](alpha=alpha, tol=1e-10, max_iter=10_000)
    peer.fit(X, y, sample_weight=exposure)
    found = model.fit(X, y, exposure)
    assert found.alpha_ == pytest.approx(alpha, rel=1e-12)
    np.testing.assert_allclose(found.predict(X), peer.predict(X), rtol=1e-5)


def test_missing_targets_are_not_counted(rates):
    X, y, exposure = rates
    Y = np.stack([y, 4.0 * y], axis=1)
    Y[::4, 0] = np.nan
    model = network(WeightDecayMLPRegressor, "poisson", missing_targets="mask")
    found = model.fit(X, Y, exposure)
    known = ~np.isnan(Y[:, 0])
    units = unit_of(y[known], exposure[known], 1.0), unit_of(4.0 * y, exposure, 1.0)
    c = LOSSES["poisson"].default_decay
    assert found.alpha_ == pytest.approx(c * np.mean(units) / exposure.sum())


@pytest.mark.wide(5)
@pytest.mark.parametrize("loss", ["poisson", "gamma", "tweedie"])
@pytest.mark.parametrize("y", [1.0, 3.0, 1e-3])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_y_that_does_not_vary_has_a_default_too(loss, y):
    X = np.random.default_rng(0).standard_normal((20, 2))
    model = network(WeightDecayMLPRegressor, loss).fit(X, np.full(20, y))
    c = LOSSES[loss].default_decay
    assert model.alpha_ == pytest.approx(c * y ** (2.0 - POWERS[loss]) / 20)
    np.testing.assert_allclose(model.predict(X), y, rtol=1e-6)


@pytest.mark.parametrize("loss", ["poisson", "gamma", "tweedie"])
def test_an_epoch_has_the_default_of_its_rows(rates, loss):
    X, y, _ = rates
    model = network(WeightDecayMLPRegressor, loss, solver="adam")
    c = LOSSES[loss].default_decay
    for rows in (slice(0, 40), slice(40, 90)):
        model.partial_fit(X[rows], y[rows])
        unit = unit_of(y[rows], np.ones(len(y[rows])), POWERS[loss])
        assert model.alpha_ == pytest.approx(c * unit / 1000.0)


@pytest.mark.wide(5)
@pytest.mark.parametrize("loss", POWERS)
def test_a_constant_is_a_minimum_and_found_in_any_unit(loss):
    """J is 0 there, but for the rounding of what it is a difference of."""
    X = np.random.default_rng(0).standard_normal((30, 3))
    for layers, y in (((4,), 3.0), ((4,), 1e9), ((), 7e3), ((), 1e-9)):
        model = network(WeightDecayMLPRegressor, loss, hidden_layer_sizes=layers)
        model.fit(X, np.full(30, y))
        assert model.converged_
        np.testing.assert_allclose(model.predict(X), y, rtol=1e-6)
