"""A row of weight 0, or without a known target, is a removed row, and 2 is two rows.

Whatever holds rows out or counts them: the same networks, attributes and warnings.
"""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import KFold

from skwd import (
    WeightDecayMLPClassifier,
    WeightDecayMLPClassifierCV,
    WeightDecayMLPRegressor,
    WeightDecayMLPRegressorCV,
)

SMALL = {"hidden_layer_sizes": (5,), "activation": "tanh", "random_state": 0}
FITS = {
    "default": {},
    "layers": {"hidden_layer_sizes": (4, 3)},
    "auto": {"alpha": "auto", "encoding": None},
    "auto and parts": {"alpha": "auto"},
    "evidence": {"alpha": "evidence"},
    "columns": {"alpha": "evidence", "alpha_groups": "input"},
    "columns by auto": {"alpha": "auto", "alpha_groups": "input", "encoding": None},
    "loo": {"alpha": "loo"},
    "intervals": {"intervals": 4, "alpha": 0.01},
    "stopped": {"early_stopping": True, "alpha": 0.01},
    "adam": {"solver": "adam", "max_iter": 9, "alpha": 0.01},
    "noise": {"noise": "varying", "alpha": 0.02},
    "noise and auto": {"noise": "varying", "alpha": "auto", "posterior": True},
}
SLOW = {"auto and parts", "noise", "noise and auto", "columns by auto"}
CASES = [
    pytest.param(how, id=name, marks=[pytest.mark.slow] * (name in SLOW))
    for name, how in FITS.items()
]
OF_CLASSES = [case for case in CASES if "noise" not in case.id]


# At this strength the noise is found to vary in the tables below.
VARIES = 1.5


def table(n=70):
    """Rows with copies, and others to be removed: copies of x with another y."""
    rng = np.random.default_rng(0)
    X = np.repeat(rng.standard_normal((n // 2, 3)), 2, axis=0)
    noise = np.repeat(rng.standard_normal(n // 2), 2) * np.exp(VARIES * X[:, 1] - 1.0)
    y = X[:, 0] ** 2 + noise
    return X, y, X[:40] + (rng.random((40, 1)) < 0.5), y[:40] + 5.0


def fitted(model, *data):
    """A fit, and what it has said."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = clone(model).fit(*data)
    return model, [str(w.message) for w in caught]


def assert_same(found, other, X):
    (model, said), (same, said_too) = found, other
    assert said == said_too
    for name in ("alpha_", "loss_", "n_iter_", "alphas_", "alpha_scores_", "t_"):
        if hasattr(model, name):
            assert_allclose(getattr(same, name), getattr(model, name), rtol=1e-6)
    assert_allclose(same.predict(X), model.predict(X), atol=1e-6)
    if getattr(model, "noise", "") == "varying":
        assert model.noise_choice_["model"] != "constant"
        asked = {"return_std": True}
        assert_allclose(same.predict(X, **asked)[1], model.predict(X, **asked)[1])
        assert_allclose(same.noise_std_, model.noise_std_, rtol=1e-6)
        factors = [m.noise_choice_["factor"] for m in (model, same)]
        assert_allclose(*factors, rtol=1e-6)
    if model.intervals:
        assert_allclose(same.predict_interval(X), model.predict_interval(X), atol=1e-6)


@pytest.mark.parametrize("how", CASES)
def test_a_weight_of_zero_removes_a_row(how):
    X, y, X0, y0 = table(300 if "noise" in how else 70)
    model = WeightDecayMLPRegressor(**SMALL | how)
    weight = np.repeat([1.0, 0.0], [len(y), len(y0)])
    order = np.random.default_rng(1).permutation(len(weight))
    with_rows = np.vstack([X, X0])[order], np.append(y, y0)[order], weight[order]
    kept = order[weight[order] > 0.0]
    assert_same(fitted(model, X[kept], y[kept]), fitted(model, *with_rows), X)


@pytest.mark.parametrize("how", [{}, *(FITS[k] for k in ("auto", "stopped", "adam"))])
def test_a_row_without_a_known_target_is_removed(how):
    X, y, X0, y0 = table()
    model = WeightDecayMLPRegressor(**SMALL | how, missing_targets="mask")
    unknown = np.vstack([X, X0]), np.append(y, np.full(len(y0), np.nan))
    assert_same(fitted(model, X, y), fitted(model, *unknown), X)


@pytest.mark.parametrize("how", OF_CLASSES)
def test_a_class_of_weight_zero_is_removed(how):
    """As by weights of its rows: both know of the class. It may be a group alone."""
    X, y, *_ = table(90)
    labels = np.digitize(y, [0.0, 1.0])
    groups = np.where(labels == 2, 9, np.arange(90) // 10)
    model = WeightDecayMLPClassifier(**SMALL | how)
    off = clone(model).set_params(class_weight={0: 1.0, 1: 1.0, 2: 0.0})
    for given in [{}, {"groups": groups}][: 1 + ("intervals" in how)]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(X, labels, labels != 2, **given)
            off.fit(X, labels, **given)
        assert_allclose(off.predict_proba(X), model.predict_proba(X), atol=1e-6)
        if "intervals" in how:
            assert_array_equal(off.predict_set(X), model.predict_set(X))


CV = {"alphas": [0.01], "intervals": True, **SMALL}
# 80 rows that count, and 10 that are in each training part and in several test parts.
OFF = np.arange(80, 90)
SPLITS = list(KFold(4).split(np.ones(80)))
WITH_OFF = [
    (np.append(a, OFF), np.append(b, OFF[:k])) for k, (a, b) in enumerate(SPLITS)
]


def test_folds_of_a_search_need_no_row_of_weight_zero():
    X, y, *_ = table(90)
    plain = WeightDecayMLPRegressorCV(cv=SPLITS, **CV).fit(X[:80], y[:80])
    model = WeightDecayMLPRegressorCV(cv=WITH_OFF, **CV).fit(X, y, np.arange(90) < 80)
    assert_allclose(model.predict_interval(X), plain.predict_interval(X), atol=1e-6)


def test_folds_of_a_search_need_no_row_of_a_class_of_weight_zero():
    X, y, *_ = table(90)
    labels, weights = np.where(np.arange(90) < 80, y > 0.5, 2), {0: 1.0, 1: 1.0, 2: 0.0}
    how = {"cv": WITH_OFF, "scoring": "accuracy", **CV}
    by_row = WeightDecayMLPClassifierCV(**how).fit(X, labels, labels < 2)
    by_class = WeightDecayMLPClassifierCV(class_weight=weights, **how).fit(X, labels)
    assert_array_equal(by_class.predict_set(X), by_row.predict_set(X))


@pytest.mark.parametrize("how", [{"alpha": 0.01}, {"alpha": "auto", "encoding": None}])
def test_validation_rows_of_weight_zero_are_removed(how):
    X, y, *_ = table(90)
    model = WeightDecayMLPRegressor(**SMALL | how, early_stopping=True)
    wild, off = X[60:].copy(), np.ones(30)
    wild[3], off[3] = 1e300, 0.0
    y_wild = np.where(off > 0.0, y[60:], 1e200)
    plain = clone(model).fit(
        X[:60], y[:60], X_val=X[60:][off > 0], y_val=y[60:][off > 0]
    )
    given = {"X_val": wild, "y_val": y_wild, "sample_weight_val": off}
    model.fit(X[:60], y[:60], **given)
    assert_allclose(model.predict(X), plain.predict(X), atol=1e-6)
    assert_allclose(model.validation_scores_, plain.validation_scores_, rtol=1e-6)


TWICE = [case for case in CASES if case.id not in ("adam", "stopped")]


@pytest.mark.parametrize("how", TWICE)
def test_a_weight_of_two_is_the_row_twice(how):
    rng = np.random.default_rng(3)
    n = 200 if "noise" in how else 60
    X = rng.standard_normal((n, 3))
    y = X[:, 0] + np.exp(VARIES * X[:, 1] - 1.0) * rng.standard_normal(n)
    weight = np.where(X[:, 1] > 0.3, 3, 1)
    twice = np.repeat(np.arange(n), weight)
    model = WeightDecayMLPRegressor(**SMALL | how, tol=1e-8)
    found, said = fitted(model, X, y, weight)
    other, said_too = fitted(model, X[twice], y[twice])
    assert [s.split()[0] for s in said] == [s.split()[0] for s in said_too]
    assert_allclose(other.alpha_, found.alpha_, rtol=1e-3)
    assert_allclose(other.predict(X), found.predict(X), atol=1e-3)
    if "noise" in how:
        assert found.noise_choice_["model"] != "constant"
        assert_allclose(other.noise_std_, found.noise_std_, rtol=1e-3)
        factors = [m.noise_choice_["factor"] for m in (found, other)]
        assert_allclose(*factors, rtol=1e-2)
