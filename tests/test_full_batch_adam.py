"""Adam and momentum on all rows at once, where J rises and falls without harm."""

from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from spies import batches_seen, numbered

import skwd._core.objective
import skwd._core.sample
from skwd import WeightDecayMLPRegressor

# J of y in its own units, to the letter.
Regressor = partial(WeightDecayMLPRegressor, normalize_y=False)


def data(seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((100, 4))
    return X, X @ [1.0, 2.0, 3.0, 4.0] + rng.standard_normal(100)


def at_its_minimum(X, y, **params):
    model = Regressor(solver="lbfgs", tol=1e-8, max_iter=5000, random_state=0, **params)
    return model.fit(X, y).set_params(tol=1e-5, warm_start=True)


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_a_minimum_can_be_left_without_an_alarm(solver):
    X, y = data()
    model = at_its_minimum(X, y, hidden_layer_sizes=(5,), activation="tanh")
    lowest = model.loss_
    model.set_params(solver=solver, learning_rate_init=0.01).fit(X, y)
    assert model.converged_ and model.loss_ < 1.1 * lowest
    assert solver == "sgd" or model.loss_ > lowest  # adam did leave it


@pytest.mark.parametrize("rate", [1e-4, 1e-2])
def test_a_perfect_fit_can_be_left_without_an_alarm(rate):
    X, _ = data()
    y = X @ [1.0, 2.0, 3.0, 4.0]
    model = at_its_minimum(X, y, hidden_layer_sizes=(), alpha=0.0)
    assert model.loss_ < 1e-12
    model.set_params(solver="adam", learning_rate_init=rate).fit(X, y)
    assert model.score(X, y) > 0.999


def test_decoupled_decay_may_end_above_its_start():
    """It does not minimise J; this fit ended as a divergence from 1.02 to 1.02."""
    rng = np.random.default_rng(16)
    X, y = rng.standard_normal((100, 5)), rng.standard_normal(100)
    model = Regressor(
        solver="adam",
        decay="decoupled",
        hidden_layer_sizes=(50,),
        alpha=0.1,
        learning_rate_init=0.01,
        random_state=16,
        n_iter_no_change=20,
    )
    assert model.fit(X, y).converged_


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_zero_weights_of_a_large_sample_are_removed_rows(solver, monkeypatch):
    """Where the batch holds all rows of positive weight, but not all rows."""
    X, y = data()
    weight = np.where(np.arange(100) % 2, 1.0, 0.0)
    model = Regressor(
        hidden_layer_sizes=(3,), solver=solver, batch_size=60, random_state=0
    )
    model.set_params(max_iter=2000, learning_rate_init=0.01, tol=1e-3)
    monkeypatch.setattr(skwd._core.sample, "GATHER_BYTES", 1)
    weighted = clone(model).fit(X, y, sample_weight=weight)
    removed = clone(model).fit(X[weight > 0], y[weight > 0])
    np.testing.assert_allclose(weighted.predict(X), removed.predict(X), rtol=1e-9)


def test_warm_starts_see_new_orders(monkeypatch):
    X, y = data()
    X = numbered(X)
    model = Regressor(
        hidden_layer_sizes=(3,),
        solver="adam",
        batch_size=10,
        max_iter=1,
        warm_start=True,
        random_state=0,
    )
    orders = []
    for _ in range(4):
        with (
            batches_seen(monkeypatch, 100) as seen,
            pytest.warns(match="reached max_iter"),
        ):
            model.fit(X, y)
        orders.append(np.concatenate(seen))
    for i, order in enumerate(orders):
        assert_array_equal(np.sort(order), np.arange(100))
        assert not any((order == other).all() for other in orders[:i])
