"""Steps that are too long, data of any scale, and what a warm start may not change."""

import warnings

import numpy as np
import pytest
from refusal import LABELS, X, Y, assert_refused
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression
from stacks import make_stack

import skwd._solvers.lbfgs
from skwd import (
    WeightDecayMLPClassifier,
    WeightDecayMLPRegressor,
    WeightDecayMLPRegressorCV,
)

LINEAR = {"hidden_layer_sizes": (), "alpha": 0.0, "random_state": 0}


@pytest.fixture(scope="module")
def diabetes():
    X, y = load_diabetes(return_X_y=True)
    return X / X.std(axis=0), y / y.std()


def rate_limit(X):
    """2 / L: above it gradient descent on a linear model leaves its minimum."""
    centred = np.column_stack([X, np.ones(len(X))])
    return 2.0 / np.linalg.eigvalsh(centred.T @ centred / len(X)).max()


@pytest.mark.parametrize("factor", [1.1, 1.5, 10.0])
def test_gradient_descent_that_rises_is_divergence(factor, diabetes):
    model = WeightDecayMLPRegressor(
        solver="gd", learning_rate_init=factor * rate_limit(diabetes[0]), **LINEAR
    )
    with pytest.raises(ValueError, match="solver='gd' diverged in epoch"):
        model.fit(*diabetes)


def test_gradient_descent_that_rises_a_little_says_so(diabetes):
    """Above its lowest J, but not yet above its start."""
    model = WeightDecayMLPRegressor(
        solver="gd",
        learning_rate_init=1.01 * rate_limit(diabetes[0]),
        normalize_y=True,
        **LINEAR,
    )
    with pytest.warns(ConvergenceWarning, match="Lower learning_rate_init"):
        model.fit(*diabetes)
    assert not model.converged_
    assert min(model.loss_curve_) < model.loss_curve_[-1] < model.loss_curve_[0]


def test_gradient_descent_at_a_safe_rate_converges(diabetes):
    rate = 0.95 * rate_limit(diabetes[0])
    model = WeightDecayMLPRegressor(solver="gd", learning_rate_init=rate, **LINEAR)
    assert model.fit(*diabetes).converged_


def test_the_last_step_of_gradient_descent_is_looked_at(diabetes):
    model = WeightDecayMLPRegressor(
        solver="gd", learning_rate_init=1e10, max_iter=1, **LINEAR
    )
    with pytest.raises(ValueError, match="diverged in epoch 1"):
        model.fit(*diabetes)


@pytest.mark.parametrize("scale", [1e-3, 1e4, 1e8, 1e12])
def test_lbfgs_works_at_any_scale_of_X(scale, diabetes):
    """Curvature far above 1 / eps is curvature still."""
    X, y = diabetes
    model = WeightDecayMLPRegressor(tol=1e-6 * scale, **LINEAR)
    model.fit(X * scale, y)
    assert model.score(X * scale, y) == pytest.approx(
        LinearRegression().fit(X, y).score(X, y), abs=1e-6
    )


@pytest.mark.parametrize("scale", [1e-6, 1e8, 1e12, 1e20, 1e100])
def test_lbfgs_works_at_any_scale_of_y(scale, diabetes):
    """A first step of length 1 would not be seen in a J of 1e24."""
    X, y = diabetes
    model = WeightDecayMLPRegressor(tol=1e-6 * scale, **LINEAR).fit(X, y * scale)
    assert model.score(X, y * scale) == pytest.approx(
        LinearRegression().fit(X, y).score(X, y), abs=1e-6
    )


@pytest.mark.parametrize("max_fun", [1, 2, 7])
def test_max_fun_is_never_exceeded(max_fun):
    objective, x0 = make_stack(3)
    result = skwd._solvers.lbfgs.minimize(
        objective, x0, max_iter=99, max_fun=max_fun, tol=1e-9
    )
    np.testing.assert_array_equal(result.nfev, max_fun)


def test_chunks_of_networks_change_no_bit(monkeypatch, one_blas_thread):
    """Bounded memory for the curvature pairs: networks wait until others finish."""
    objective, x0 = make_stack(5, alpha=[1e-3, 1e-2, 0.1, 1e-4, 1.0])
    limits = {"max_iter": 60, "max_fun": 99, "tol": 1e-5}
    whole = skwd._solvers.lbfgs.minimize(objective, x0, **limits)
    monkeypatch.setattr(
        skwd._solvers.lbfgs,
        "STACK_BYTES",
        2 * skwd._solvers.lbfgs.network_bytes(x0.shape[1], 8),
    )
    seen, sizes = [], set()

    def callback(networks, params, fun):
        seen.extend(networks)
        sizes.add(len(networks))
        return np.full(len(networks), -1)

    chunked = skwd._solvers.lbfgs.minimize(objective, x0, **limits, callback=callback)
    assert set(seen) == set(range(5)) and sizes == {1, 2}
    for name in ("x", "fun", "jac", "nit", "nfev", "status"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(chunked, name))


def test_validation_data_that_overflow():
    assert_refused(
        WeightDecayMLPRegressor(early_stopping=True),
        "The validation loss is not finite at the initial weights: the validation rows "
        "(X_val and y_val, if given) hold values too large for their dtype. "
        "Standardise them as X and y.",
        X,
        Y,
        X_val=X,
        y_val=Y * 1e200,
        trains=True,
    )


def test_validation_data_of_weightless_classes():
    assert_refused(
        WeightDecayMLPClassifier(early_stopping=True, class_weight={0: 1, 1: 1, 2: 0}),
        "All weights are zero in X_val and y_val: no sample is left to fit. Give at "
        "least one sample a positive weight.",
        X,
        np.arange(12) % 3,
        X_val=X[2::3],
        y_val=np.full(4, 2),
    )


@pytest.mark.parametrize(
    ("before", "after", "name"),
    [
        ({}, {"loss": "poisson"}, "out_activation_='identity'"),
        ({"normalize_y": True}, {"normalize_y": False}, "normalize_y=True"),
        ({"normalize_y": False}, {"normalize_y": True}, "normalize_y=False"),
        ({}, {"activation": "tanh"}, "activation='relu'"),
    ],
)
def test_a_warm_start_refuses_another_meaning_of_the_weights(before, after, name):
    model = WeightDecayMLPRegressor(
        hidden_layer_sizes=(3,), alpha=1e-3, warm_start=True, random_state=0, **before
    ).fit(X, np.abs(Y))
    predicted = model.predict(X)
    model.set_params(**after)
    with pytest.raises(ValueError, match=f"continues a network of {name}, but"):
        model.fit(X, np.abs(Y))
    np.testing.assert_array_equal(model.predict(X), predicted)


def test_a_warm_start_refuses_labels_after_classes():
    model = WeightDecayMLPClassifier(
        hidden_layer_sizes=(3,), alpha=1e-3, warm_start=True, random_state=0
    ).fit(X, np.arange(12) % 3)
    with pytest.raises(ValueError, match="out_activation_='softmax', but"):
        model.fit(X, np.column_stack([LABELS, 1 - LABELS, LABELS]))


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("shift", [0.0, 7.0, 1e5])
@pytest.mark.parametrize("n", [20, 61, 400])
def test_where_the_pull_cancels_the_grid_is_that_of_noise(n, shift, unit):
    """X'(s r) of an even function of symmetric columns is rounding, of any size."""
    half = np.random.default_rng(n).standard_normal((n, 2))
    X, y = np.concatenate([half, -half]), np.sum(half**2, axis=1)
    y = 250.0 * np.concatenate([y, y]) + 40.0
    X = unit * (X + shift)
    model = WeightDecayMLPRegressorCV(
        hidden_layer_sizes=(3,), alphas=3, cv=2, max_iter=1, random_state=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = model.fit(X, y).alphas_[-1]
    wanted = np.sqrt(X.var(axis=0).sum() / len(X))  # of a y of deviation 1
    np.testing.assert_allclose(found, wanted, rtol=1e-6)
