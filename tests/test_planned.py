"""solver="auto" on large data: Adam with a plan of its own, unless parameters ask."""

import inspect
import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from skwd import WeightDecayMLPClassifier, WeightDecayMLPRegressor
from skwd._solvers.first_order import PLAIN_RATE, PLAN, PLANNED_RATE

RNG = np.random.default_rng(0)
X = RNG.normal(size=(150, 3))
Y = np.sin(2 * X[:, 0]) + X[:, 1] + 0.2 * RNG.normal(size=150)
SMALL = {"hidden_layer_sizes": (5,), "random_state": 0}
BY_HAND = {"solver": "adam", "learning_rate_init": PLANNED_RATE, **PLAN}
BY_HAND |= {"n_iter_no_change": 10**6}


@pytest.fixture(autouse=True)
def large(monkeypatch):
    """All data are large."""
    monkeypatch.setattr("skwd._solvers.minimum.AUTO_WORK", 1)


def assert_equal_networks(a, b):
    for mine, yours in zip(a.coefs_ + a.intercepts_, b.coefs_ + b.intercepts_):
        np.testing.assert_array_equal(mine, yours)


@pytest.mark.parametrize("Model", [WeightDecayMLPRegressor, WeightDecayMLPClassifier])
def test_the_plan_is_adam_with_these_parameters(Model):
    y = Y if Model is WeightDecayMLPRegressor else np.digitize(Y, [-0.5, 0.5])
    model = Model(**SMALL).fit(X, y)
    assert model.solver_ == "adam" and model.converged_
    assert model.n_iter_ == PLAN["max_iter"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # max_iter is its end
        assert_equal_networks(model, Model(**SMALL | BY_HAND).fit(X, y))


def test_a_rate_that_was_given_stands():
    model = WeightDecayMLPRegressor(**SMALL, learning_rate_init=0.02).fit(X, Y)
    with pytest.warns(ConvergenceWarning, match="max_iter"):
        other = WeightDecayMLPRegressor(
            **SMALL | BY_HAND | {"learning_rate_init": 0.02}
        ).fit(X, Y)
    assert_equal_networks(model, other)


def test_so_does_a_lower_max_iter_which_may_be_too_low():
    with pytest.warns(ConvergenceWarning, match="max_iter=9"):
        model = WeightDecayMLPRegressor(**SMALL, max_iter=9).fit(X, Y)
    assert model.n_iter_ == 9 and not model.converged_


@pytest.mark.wide(4)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    "params",
    [
        {"batch_size": 50, "max_iter": 30},
        {"learning_rate": "invscaling", "max_iter": 30},
        {"decay": "decoupled", "max_iter": 30},
        {"early_stopping": True},
    ],
    ids=str,
)
def test_what_asks_for_epochs_means_adam_itself(params):
    model = WeightDecayMLPRegressor(**SMALL, **params).fit(X, Y)
    plain = WeightDecayMLPRegressor(**SMALL, **params, solver="adam").fit(X, Y)
    assert_equal_networks(model, plain)


def test_so_does_partial_fit():
    model = WeightDecayMLPRegressor(**SMALL).partial_fit(X, Y)
    plain = WeightDecayMLPRegressor(**SMALL, solver="adam").partial_fit(X, Y)
    assert_equal_networks(model, plain)


@pytest.mark.parametrize(
    "params", [{"posterior": True}, {"l1_ratio": 0.5}, {"alpha": "loo"}], ids=str
)
def test_what_wants_a_minimum_keeps_lbfgs(params):
    assert WeightDecayMLPRegressor(**SMALL, **params).fit(X, Y).solver_ == "lbfgs"


def test_auto_judges_and_ends_with_the_plan():
    model = WeightDecayMLPRegressor(**SMALL, alpha="auto").fit(X, Y)
    if model.alpha_choice_["model"] == "network":
        assert model.solver_ == "adam" and model.n_iter_ == PLAN["max_iter"]
        alone = WeightDecayMLPRegressor(**SMALL, alpha=model.alpha_).fit(X, Y)
        assert_equal_networks(model, alone)


def test_the_rate_that_gives_way_is_the_default():
    found = inspect.signature(WeightDecayMLPRegressor).parameters
    assert found["learning_rate_init"].default == PLAIN_RATE


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_weights_that_fade_away_become_zero(dtype):
    """Those of dead units; numbers below the normal range would take much longer."""
    rows = np.abs(X).astype(dtype)
    how = {"solver": "adam", "learning_rate": "cosine", "learning_rate_init": 0.05}
    how |= {"batch_size": 4, "n_iter_no_change": 10**6, "alpha": 0.1}
    model = WeightDecayMLPRegressor(**SMALL, **how, max_iter=150).fit(rows, -rows[:, 0])
    sizes = np.abs(np.concatenate([w.ravel() for w in model.coefs_]))
    assert not ((sizes > 0.0) & (sizes < np.finfo(dtype).tiny)).any()
