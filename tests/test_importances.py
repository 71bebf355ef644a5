"""feature_importances_: what they are, after every fit, and what selects by them."""

import pickle

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_diabetes, make_friedman1
from sklearn.feature_selection import RFE, SelectFromModel
from sklearn.linear_model import Ridge

from skwd import (
    WeightDecayMLPClassifier,
    WeightDecayMLPClassifierCV,
    WeightDecayMLPRegressor,
    WeightDecayMLPRegressorCV,
)
from skwd._core.sample import Sample
from skwd._estimators.importances import few_rows

SMALL = {"hidden_layer_sizes": (6,), "activation": "tanh", "random_state": 0}
CV = {"alphas": [0.01, 0.1], "cv": 2}
FITS = {
    "regressor": (WeightDecayMLPRegressor, {}),
    "regressor by columns": (
        WeightDecayMLPRegressor,
        {"alpha": "evidence", "alpha_groups": [[0, 1]]},
    ),
    "sparse": (WeightDecayMLPRegressor, {"l1_ratio": 1.0, "sparsity": "input"}),
    "adam": (WeightDecayMLPRegressor, {"solver": "adam"}),
    "ensemble": (WeightDecayMLPRegressor, {"n_init": 3, "ensemble": True}),
    "classifier": (WeightDecayMLPClassifier, {}),
    "regressor CV": (WeightDecayMLPRegressorCV, CV),
    "classifier CV": (WeightDecayMLPClassifierCV, CV),
}


def table():
    X, y = make_friedman1(150, 7, noise=0.5, random_state=0)
    X = (X - 0.5) * np.array([1.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0])
    return X, y


def squared_slopes(model, X):
    """The mean squares of five-point differences, in deviations of the columns."""
    ask = getattr(model, "decision_function", model.predict)
    step, squares = 1e-3, []
    for column in step * np.eye(X.shape[1]):
        near, far = (ask(X + k * column) - ask(X - k * column) for k in (1, 2))
        squares.append(np.square((8.0 * near - far) / (12.0 * step)).mean())
    return np.array(squares) * X.var(axis=0)


def by_differences(model, X):
    squares = squared_slopes(model, X)
    return squares / squares.sum()


@pytest.mark.wide(9)
@pytest.mark.parametrize("name", FITS)
def test_they_are_the_mean_squared_derivatives(name):
    Estimator, how = FITS[name]
    X, y = table()
    if "lassifier" in name:
        y = (y > np.median(y)) * 1
    model = Estimator(**SMALL | how).fit(X, y)
    found = model.feature_importances_
    assert found.shape == (7,) and found.sum() == pytest.approx(1.0)
    if name == "ensemble":  # the mean of squares, not the square of a mean
        nets = [clone(model).set_params(ensemble=False, n_init=1) for _ in range(3)]
        for k, net in enumerate(nets):
            net.fit(X, y)
            net.coefs_ = [W[k] for W in model.coefs_]
            net.intercepts_ = [b[k] for b in model.intercepts_]
        squares = sum(squared_slopes(net, X) for net in nets)
        np.testing.assert_allclose(found, squares / squares.sum(), rtol=1e-3, atol=1e-6)
    else:
        np.testing.assert_allclose(
            found, by_differences(model, X), rtol=1e-3, atol=1e-6
        )
    assert model.feature_importances_ is found


def test_of_a_linear_model_they_are_squared_coefficients():
    X, y = load_diabetes(return_X_y=True)
    model = WeightDecayMLPRegressor(hidden_layer_sizes=(), alpha=1e-3).fit(X, y)
    squares = np.square(Ridge(alpha=1e-3 * len(y)).fit(X, y).coef_ * X.std(axis=0))
    np.testing.assert_allclose(
        model.feature_importances_, squares / squares.sum(), rtol=1e-5
    )


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_after_every_partial_fit(solver):
    """Those of the network of then; and a fit after it has its own."""
    X, y = table()
    model = WeightDecayMLPRegressor(solver=solver, alpha=0.01, **SMALL)
    for _ in range(3):
        model.partial_fit(X, y)
        found = by_differences(model, X)
        np.testing.assert_allclose(model.feature_importances_, found, rtol=1e-3)
    before = model.feature_importances_
    model.set_params(solver="lbfgs").fit(X, y)
    assert not np.array_equal(before, model.feature_importances_)


def test_a_constant_has_none():
    X, y = table()
    for target in (np.full(150, 3.0), y):
        model = WeightDecayMLPRegressor(alpha=1e3, **SMALL)
        if target is y:
            with pytest.warns(match="too large for this data"):
                model.fit(X, target)
        else:
            model.fit(X, target)
        assert model.feature_importances_.tolist() == [0.0] * 7


@pytest.mark.parametrize("ask_first", [True, False])
def test_pickles_and_copies_hold_the_shares_alone(ask_first):
    X, y = table()
    model = WeightDecayMLPRegressor(**SMALL).fit(X, y)
    asked = clone(model).fit(X, y).feature_importances_
    if ask_first:
        model.feature_importances_  # noqa: B018
    text = pickle.dumps(model)
    other = pickle.loads(text)
    np.testing.assert_array_equal(other.feature_importances_, asked)
    assert X.tobytes()[:80] not in text
    np.testing.assert_array_equal(other.predict(X), model.predict(X))


def test_before_a_fit_there_are_none():
    assert not hasattr(WeightDecayMLPRegressor(), "feature_importances_")
    with pytest.raises(AttributeError, match="is not fitted yet"):
        WeightDecayMLPRegressor().feature_importances_  # noqa: B018


@pytest.mark.parametrize("Selector", [SelectFromModel, RFE])
@pytest.mark.parametrize(
    "Estimator", [WeightDecayMLPRegressor, WeightDecayMLPClassifier]
)
def test_selectors_of_scikit_learn_work_by_default(Selector, Estimator):
    X, y = table()
    y = y if Estimator is WeightDecayMLPRegressor else (y > np.median(y)) * 1
    how = {"n_features_to_select": 4} if Selector is RFE else {"threshold": 0.05}
    left = Selector(Estimator(**SMALL), **how).fit(X, y).get_support()
    assert left[3] and not left[5] and not left[6]


def test_many_rows_are_represented_by_some():
    """From everywhere, in step with no period; sparse rows stay sparse."""
    rows = np.arange(12_000)
    X = np.stack([rows, rows % 12], axis=1).astype(float)
    few = few_rows(Sample(X, X[:, :1], np.ones(len(X))))
    assert len(few) == 1000 and not np.shares_memory(few.X, X)
    thirds = np.bincount((few.X[:, 0] // 4000).astype(int))
    months = np.bincount(few.X[:, 1].astype(int))
    assert thirds.min() > 300 and months.min() > 60
    part = Sample(X, X[:60, :1], np.ones(60), rows=rows[:6000:100])
    assert few_rows(part).X[:, 0].tolist() == list(range(0, 6000, 100))
    many = sparse.csr_matrix((rows % 7 == 0)[:, np.newaxis] * 1.0)
    assert sparse.issparse(few_rows(Sample(many, X[:, :1], np.ones(len(X)))).X)


def test_of_many_rows_they_are_near_those_of_all():
    X, y = make_friedman1(3000, 6, random_state=0)
    model = WeightDecayMLPRegressor(alpha=0.01, max_iter=40, **SMALL)
    with pytest.warns(match="max_iter"):
        found = model.fit(X, y).feature_importances_
    np.testing.assert_allclose(found, by_differences(model, X), rtol=0.2, atol=0.01)
