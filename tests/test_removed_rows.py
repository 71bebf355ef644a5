"""A row of weight 0, or without a known target, is a removed row, and 2 is two rows.

Whatever holds rows out or counts them: the same networks, attributes and warnings.
"""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone

from skwd import WeightDecayMLPClassifier, WeightDecayMLPRegressor

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


def table(seed, n=70):
    """Rows with copies, and others to be removed: copies of x with another y."""
    rng = np.random.default_rng(seed)
    X = np.repeat(rng.standard_normal((n // 2, 3)), 2, axis=0)
    y = X[:, 0] ** 2 + np.repeat(rng.standard_normal(n // 2), 2) * 0.5
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
        asked = {"return_std": True}
        assert_allclose(same.predict(X, **asked)[1], model.predict(X, **asked)[1])
        assert_allclose(same.noise_std_, model.noise_std_, rtol=1e-6)
        factors = [m.noise_choice_["factor"] for m in (model, same)]
        assert_allclose(*factors, rtol=1e-6)
    if model.intervals:
        assert_allclose(same.predict_interval(X), model.predict_interval(X), atol=1e-6)


@pytest.mark.parametrize("how", CASES)
def test_a_weight_of_zero_removes_a_row(how):
    X, y, X0, y0 = table(0)
    model = WeightDecayMLPRegressor(**SMALL | how)
    weight = np.repeat([1.0, 0.0], [len(y), len(y0)])
    order = np.random.default_rng(1).permutation(len(weight))
    with_rows = np.vstack([X, X0])[order], np.append(y, y0)[order], weight[order]
    kept = order[weight[order] > 0.0]
    assert_same(fitted(model, X[kept], y[kept]), fitted(model, *with_rows), X)


@pytest.mark.parametrize("how", [{}, *(FITS[k] for k in ("auto", "stopped", "adam"))])
def test_a_row_without_a_known_target_is_removed(how):
    X, y, X0, y0 = table(0)
    model = WeightDecayMLPRegressor(**SMALL | how, missing_targets="mask")
    unknown = np.vstack([X, X0]), np.append(y, np.full(len(y0), np.nan))
    assert_same(fitted(model, X, y), fitted(model, *unknown), X)


@pytest.mark.parametrize("how", OF_CLASSES)
def test_a_class_of_weight_zero_is_removed(how):
    X, y, X0, y0 = table(0)
    labels = np.digitize(y, [0.5])
    model = WeightDecayMLPClassifier(**SMALL | how, class_weight={0: 1.0, 1: 1.0})
    weight = np.repeat([1.0, 0.0], [len(y), len(y0)])
    both = np.vstack([X, X0]), np.append(labels, 1 - labels[:40]), weight
    found, other = fitted(model, X, labels), fitted(model, *both)
    assert found[1] == other[1]
    assert_allclose(other[0].predict_proba(X), found[0].predict_proba(X), atol=1e-6)
    if "intervals" in how:
        sets = [m.predict_set(X) for m in (found[0], other[0])]
        np.testing.assert_array_equal(*sets)


@pytest.mark.parametrize("how", [case for case in CASES if case.id != "adam"])
def test_a_weight_of_two_is_the_row_twice(how):
    rng = np.random.default_rng(3)
    X = rng.standard_normal((60, 3))
    y = X[:, 0] + np.exp(X[:, 1] - 1.0) * rng.standard_normal(60)
    weight = np.where(X[:, 1] > 0.3, 3, 1)
    twice = np.repeat(np.arange(60), weight)
    model = WeightDecayMLPRegressor(**SMALL | how, tol=1e-8)
    (found, said), (other, said_too) = (
        fitted(model, X, y, weight),
        fitted(model, X[twice], y[twice]),
    )
    assert [s.split()[0] for s in said] == [s.split()[0] for s in said_too]
    if "intervals" in how or "early_stopping" in how:
        return  # ranks count rows, and so do the shares of a validation set
    assert_allclose(other.alpha_, found.alpha_, rtol=1e-3)
    assert_allclose(other.predict(X), found.predict(X), atol=1e-3)
    if "noise" in how:
        assert_allclose(other.noise_std_, found.noise_std_, rtol=1e-3)
        factors = [m.noise_choice_["factor"] for m in (found, other)]
        assert_allclose(*factors, rtol=1e-2)
