"""A parameter that changes nothing beside the others is named, once."""

import warnings

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV

from skwd import (
    WeightDecayMLPClassifier,
    WeightDecayMLPClassifierCV,
    WeightDecayMLPRegressor,
    WeightDecayMLPRegressorCV,
)

RNG = np.random.default_rng(0)
X = RNG.standard_normal((40, 2))
Y = np.exp(X[:, 0] + 0.1 * RNG.standard_normal(40))
LINEAR = {"hidden_layer_sizes": ()}


def said_in(fit):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        fit()
    return [str(w.message) for w in caught if "is not read" in str(w.message)]


UNREAD = [
    ({"quantile": 0.9}, "quantile=0.9", "quantile", "squared_error"),
    ({"huber_delta": 1.0}, "huber_delta=1.0", "huber", "squared_error"),
    ({"power": 1.2, "loss": "gamma"}, "power=1.2", "tweedie", "gamma"),
    (
        {"quantile": 0.1, "loss": "absolute_error"},
        "quantile=0.1",
        "quantile",
        "absolute_error",
    ),
]


@pytest.mark.wide(3)
@pytest.mark.parametrize(("params", "given", "able", "loss"), UNREAD)
@pytest.mark.parametrize("Estimator", [WeightDecayMLPRegressor, "CV"])
def test_it_is_named_once(Estimator, params, given, able, loss):
    how = {**LINEAR, **params}
    model = WeightDecayMLPRegressor(alpha=0.1, **how)
    if Estimator == "CV":
        model = WeightDecayMLPRegressorCV(alphas=[0.1, 0.2], cv=2, **how)
    name, _, _ = given.partition("=")
    expected = (
        f"{given} is for loss={able!r}, and is not read by loss={loss!r}. Use "
        f"loss={able!r}, or leave {name} out."
    )
    with pytest.warns(UserWarning) as caught:
        model.fit(X, Y)
    [one] = [w for w in caught if "is not read" in str(w.message)]
    assert str(one.message) == expected and one.filename == __file__
    # What worked goes on working, as if it had been left out.
    default = model.__class__().get_params()[name]
    predicted = model.predict(X)
    assert said_in(lambda: model.set_params(**{name: default}).fit(X, Y)) == []
    np.testing.assert_array_equal(model.predict(X), predicted)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"quantile": 0.5, "power": 1.5, "huber_delta": None},
        {"loss": "quantile", "quantile": 0.9},
        {"loss": "huber", "huber_delta": 1.0},
        {"loss": "tweedie", "power": 1.2},
    ],
)
def test_nothing_is_said_of_what_is_read(params):
    model = WeightDecayMLPRegressor(alpha=0.1, **LINEAR, **params)
    assert said_in(lambda: model.fit(X, Y)) == []


def test_partial_fit_says_it_at_its_first_call():
    model = WeightDecayMLPRegressor(solver="adam", quantile=0.9, **LINEAR)
    assert len(said_in(lambda: model.partial_fit(X, Y))) == 1
    assert said_in(lambda: model.partial_fit(X, Y)) == []


@pytest.mark.slow
def test_a_search_says_it_of_fits_that_do_not_read_it():
    model = WeightDecayMLPRegressor(alpha=0.1, quantile=0.9, **LINEAR)
    losses = ["squared_error", "huber", "quantile"]
    search = GridSearchCV(model, {"loss": losses}, cv=3, refit=False)
    said = said_in(lambda: search.fit(X, Y))
    assert len(said) <= 6 and len(set(said)) == 2


@pytest.mark.parametrize("CV", [False, True])
@pytest.mark.parametrize("labels", [False, True])
def test_an_average_of_one_network_is_named_once(labels, CV):
    cls = {
        (False, False): WeightDecayMLPRegressor,
        (True, False): WeightDecayMLPClassifier,
        (False, True): WeightDecayMLPRegressorCV,
        (True, True): WeightDecayMLPClassifierCV,
    }[labels, CV]
    how = {"alphas": [0.1, 0.2], "cv": 2} if CV else {"alpha": 0.1}
    y = (Y > 1.0).astype(int) if labels else Y
    one = "ensemble=True averages n_init networks, and n_init=1. Use n_init=5, say, or "
    with pytest.warns(UserWarning, match=f"^{one}leave ensemble out.$") as caught:
        cls(**LINEAR, **how, ensemble=True).fit(X, y)
    assert len(caught) == 1 and caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cls(**LINEAR, **how, ensemble=True, n_init=2).fit(X, y)
