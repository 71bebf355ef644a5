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


def without_parts():
    """Tables of 40 rows whose columns have no parts, and why."""
    rng = np.random.default_rng(0)
    yes_or_no = rng.integers(0, 2, (40, 3)).astype(float)
    wide = rng.standard_normal((40, 251))
    yield yes_or_no, "none has 3 different values. Use encoding=None"
    for table in wide, np.hstack([wide, yes_or_no]):
        yield (
            table,
            "251 of them have 3 different values or more, and parts are for at most "
            "250. Give fewer columns, or use encoding=None",
        )
    near = np.tile([[0.0, 0.0], [1e-320, 1.0]], (20, 1))
    near[0] = 2e-320, 0.0
    yield near, "their values lie too near together, or too far apart. Standardise X"


@pytest.mark.parametrize("way", ["fit", "CV", "partial_fit"])
@pytest.mark.parametrize(("table", "why"), without_parts())
def test_parts_that_no_column_has_are_named_once(table, why, way):
    how = {**LINEAR, "encoding": "parts"}
    model = WeightDecayMLPRegressor(alpha=0.1, **how)
    if way == "CV":
        model = WeightDecayMLPRegressorCV(alphas=[0.1, 0.2], cv=2, **how)
    train = model.fit
    if way == "partial_fit":
        train = model.set_params(solver="adam").partial_fit
    y = np.random.default_rng(0).standard_normal(40)
    with pytest.warns(UserWarning, match="^encoding=") as caught:
        train(table, y)
    said = [str(w.message) for w in caught if "parts" in str(w.message)]
    assert said == [f"encoding='parts' leaves all columns of X as they are: {why}."]
    assert {w.filename for w in caught} == {__file__}
    with warnings.catch_warnings():  # the same without it
        warnings.simplefilter("ignore")
        plain = model.__class__(**model.get_params()).set_params(encoding=None)
        train_plain = plain.partial_fit if way == "partial_fit" else plain.fit
        train_plain(table, y)
    np.testing.assert_array_equal(model.predict(table), plain.predict(table))


def test_nothing_is_said_where_some_column_has_parts():
    model = WeightDecayMLPRegressor(alpha=0.1, encoding="parts", **LINEAR)
    weight = np.ones(40)
    some = np.random.default_rng(0).standard_normal((40, 350))
    some[:, 250:] = 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(some, Y)
    # Rows of weight 0 are removed, and their values with them.
    table = np.where(np.arange(40)[:, np.newaxis] < 20, X > 0.0, X)
    weight[20:] = 0.0
    with pytest.warns(UserWarning, match="none has 3 different values"):
        model.fit(table, Y, sample_weight=weight)
