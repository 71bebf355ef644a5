"""No units, no origins: a fit of (X + b, c y + d) is the fit of (X, y)."""

import warnings

import numpy as np
import pytest
from scipy import sparse
from scipy.special import log_softmax, softmax, xlogy
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import (
    BayesianRidge,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    RidgeCV,
)
from sklearn.metrics import mean_poisson_deviance
from sklearn.preprocessing import scale

from skwd import WeightDecayMLPClassifier, WeightDecayMLPRegressor

NET = {"hidden_layer_sizes": (8,), "activation": "tanh", "random_state": 0}
# Few iterations and epochs, at steps that a first-order solver can take: they end by
# max_iter. Rounding, of any processor, has not yet grown, as it does on L-BFGS's way to
# a minimum, where it may choose between two.
FEW = {
    "lbfgs": {"max_iter": 4},
    "gd": {"learning_rate_init": 0.1, "max_iter": 30},
    "sgd": {"learning_rate_init": 0.02, "max_iter": 15, "batch_size": 40},
    "adam": {"max_iter": 15, "batch_size": 40},
}
# What a few steps make of a rounding, more than ten times what was seen.
GROWTH = 1e3
# Deviations by which the columns of X, and y, are moved: what float32 can hold less.
SHIFTS = {np.float64: 1e5, np.float32: 1e2}


@pytest.fixture(scope="module")
def data():
    X, y = load_diabetes(return_X_y=True)
    return scale(X[:200]), scale(y[:200])


def shifts_of(n_features, size):
    """An origin for each column, of either sign; one column stays where it is."""
    b = np.random.default_rng(1).uniform(-1.0, 1.0, n_features) * size
    b[0], b[1] = size, 0.0
    return b


def fitted(model, *data):
    """Fitted, whether it converges or not: few epochs do not."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(*data)


LOSSES = {  # J of raw predictions and y (n, outputs), of a row, and its gradient by raw
    "squares": lambda raw, y: (0.5 * (raw - y) ** 2, raw - y),
    "classes": lambda raw, y: (-y * log_softmax(raw, axis=1), softmax(raw, axis=1) - y),
    "counts": lambda raw, y: (
        np.exp(raw) - y - xlogy(y, np.exp(raw)) + xlogy(y, y),
        np.exp(raw) - y,
    ),
}


def J_and_gradient(coefs, intercepts, X, y, alpha, loss="squares"):
    """Of one tanh layer, row by row of the formulas: J, and dJ of each array."""
    A = np.tanh(X @ coefs[0] + intercepts[0])
    losses, delta = LOSSES[loss](A @ coefs[1] + intercepts[1], y)
    J = np.sum(losses) / len(y) + 0.5 * alpha * sum(np.sum(W**2) for W in coefs)
    delta = delta / len(y)
    hidden = delta @ coefs[1].T * (1.0 - A**2)
    dW = [X.T @ hidden + alpha * coefs[0], A.T @ delta + alpha * coefs[1]]
    return J, [*dW, hidden.sum(axis=0), delta.sum(axis=0)]


def check_minimum(model, X, y, loss="squares"):
    """J is that of the formulas, and its gradient is next to nothing.

    In steps that move the network alike. tol=1e-5 leaves a fall of 1e-5 J in sight,
    half of a squared gradient over the curvature, which is below 100 in such steps.
    """
    assert model.converged_
    coefs = [W.astype(float) for W in model.coefs_]
    first, last = (b.astype(float) for b in model.intercepts_)
    X = X.toarray() if sparse.issparse(X) else X
    X = X.astype(float)
    if loss == "squares":
        y = (y - model.y_mean_) / model.y_scale_
    y = np.eye(len(last))[y] if loss == "classes" else y[:, np.newaxis]
    means = X.mean(axis=0)
    where = coefs, [means @ coefs[0] + first, last], X - means, y
    J, gradient = J_and_gradient(*where, model.alpha_, loss)
    digits = float(np.sqrt(np.finfo(model.coefs_[0].dtype).eps))
    assert J == pytest.approx(model.loss_, rel=max(1e-6, digits))
    gradient[0] /= np.sqrt(X.var(axis=0) + model.alpha_)[:, np.newaxis]
    norm = np.sqrt(sum(np.square(part).sum() for part in gradient))
    assert norm <= 0.05 * np.sqrt(J)
    return J


@pytest.mark.wide(8)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("c", [1e-12, 3.0, 1e12])
@pytest.mark.parametrize("solver", FEW)
def test_a_regressor_knows_no_units_of_y_and_no_origins(data, solver, c, dtype):
    X, y = data[0].astype(dtype), data[1]
    size = SHIFTS[dtype]
    b = shifts_of(X.shape[1], size).astype(dtype)
    if dtype == np.float32:
        X = (X + b) - b  # what the shifted rows can hold
    d = c * size * 0.7
    model = WeightDecayMLPRegressor(solver=solver, **NET, **FEW[solver])
    plain = fitted(model, X, y)
    expected, J = plain.predict(X), plain.loss_
    shift_origin = fitted(model, X + b, c * y + d)
    rounding = GROWTH * size * float(np.finfo(dtype).eps)
    found = (shift_origin.predict(X + b).astype(float) - d) / c
    np.testing.assert_allclose(found, expected, atol=rounding)
    assert shift_origin.loss_ == pytest.approx(J, rel=rounding)
    if solver == "lbfgs":
        model = WeightDecayMLPRegressor(solver=solver, **NET)
        check_minimum(model.fit(X + b, c * y + d), X + b, c * y + d)


@pytest.mark.wide(4)
@pytest.mark.parametrize("loss", ["classes", "counts"])
@pytest.mark.parametrize("solver", FEW)
def test_classes_and_counts_know_no_origins_of_X(data, solver, loss):
    X, y = data
    b = shifts_of(X.shape[1], 1e5)
    params = {"solver": solver, **NET, **FEW[solver]}
    if loss == "classes":
        model, y = WeightDecayMLPClassifier(**params), np.digitize(y, [-0.5, 0.5])
        predict = "predict_proba"
    else:
        model = WeightDecayMLPRegressor(loss="poisson", **params)
        y, predict = np.floor(np.exp(y)), "predict"
    plain = fitted(model, X, y)
    expected, J = getattr(plain, predict)(X), plain.loss_
    shift_origin = fitted(model, X + b, y)
    rounding = GROWTH * 1e5 * np.finfo(float).eps
    found = getattr(shift_origin, predict)(X + b)
    np.testing.assert_allclose(found, expected, atol=rounding * expected.max())
    assert shift_origin.loss_ == pytest.approx(J, rel=rounding)
    if solver == "lbfgs":
        model.set_params(max_iter=3000)
        check_minimum(model.fit(X + b, y), X + b, y, loss)


@pytest.mark.wide(14)
@pytest.mark.parametrize("c", [1e-12, 1e12])
@pytest.mark.parametrize("name", ["evidence", "loo", "gcv"])
@pytest.mark.parametrize("hidden", [(), (8,)])
def test_alpha_by_name_knows_no_units_of_y_and_no_origins(name, hidden, c):
    X, y = load_diabetes(return_X_y=True)
    X, y = scale(X), scale(y)
    b = shifts_of(X.shape[1], 1e5)
    model = WeightDecayMLPRegressor(alpha=name, **{**NET, "hidden_layer_sizes": hidden})
    plain = model.fit(X, y)
    score, alpha = plain.score(X, y), plain.alpha_
    X, y = X + b, c * y + 7e4 * c
    shift_origin = model.fit(X, y)
    # Rounding may send the way to alpha to another minimum, which is as good.
    assert shift_origin.score(X, y) == pytest.approx(score, abs=0.03)
    assert shift_origin.converged_
    if not hidden:
        assert shift_origin.alpha_ == pytest.approx(alpha, rel=1e-3)


@pytest.mark.wide(2)
@pytest.mark.parametrize("name", ["evidence", "loo"])
def test_alpha_by_name_of_classes_knows_no_origins(name):
    X, y = load_breast_cancer(return_X_y=True)
    X, y = scale(X)[:200], y[:200]
    b = shifts_of(X.shape[1], 1e5)
    model = WeightDecayMLPClassifier(alpha=name, **{**NET, "hidden_layer_sizes": (4,)})
    scores = [model.fit(Z, y).score(Z, y) for Z in (X, X + b)]
    assert scores[1] == pytest.approx(scores[0], abs=0.03)


@pytest.mark.wide(9)
@pytest.mark.parametrize("solver", FEW)
@pytest.mark.parametrize("shift", [0.0, 3.0])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_csr_csc_and_dense_are_the_same_about_their_means(data, solver, shift, dtype):
    X = np.maximum(data[0], 0.0).astype(dtype) * (1.0 + shift)
    net = {"solver": solver, **NET, "alpha": 0.05}
    model = WeightDecayMLPRegressor(**net, **FEW[solver])
    dense = fitted(model, X, data[1]).predict(X)
    for kind in (sparse.csr_matrix, sparse.csc_matrix):
        found = fitted(model, kind(X), data[1]).predict(kind(X))
        rounding = GROWTH * np.finfo(dtype).eps
        np.testing.assert_allclose(found, dense, atol=rounding)
        if solver == "lbfgs":
            to_the_end = WeightDecayMLPRegressor(**net).fit(kind(X), data[1])
            check_minimum(to_the_end, kind(X), data[1])


@pytest.mark.wide(4)
@pytest.mark.parametrize("scale_of_X", [1e-6, 1e-3, 1e3, 1e6])
@pytest.mark.parametrize("loss", ["squared", "classes", "counts"])
@pytest.mark.parametrize("shift", [0.0, 1e5])
def test_a_linear_model_is_its_peer_in_any_units_of_X(data, scale_of_X, loss, shift):
    """alpha in the units of X squared: the same function is to be found."""
    X, y = data
    b, n, alpha = shifts_of(X.shape[1], shift), len(y), 0.02
    Z = (X + b) * scale_of_X
    params = {"hidden_layer_sizes": (), "alpha": alpha * scale_of_X**2}
    if loss == "squared":
        ours = WeightDecayMLPRegressor(**params).fit(Z, y).predict(Z)
        theirs = Ridge(alpha * n, solver="cholesky").fit(X, y).predict(X)
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
    elif loss == "classes":
        classes = (y > 0).astype(int)
        ours = WeightDecayMLPClassifier(**params).fit(Z, classes).predict_proba(Z)
        peer = LogisticRegression(C=1.0 / (alpha * n), tol=1e-10, max_iter=10_000)
        np.testing.assert_allclose(
            ours, peer.fit(X, classes).predict_proba(X), atol=5e-3
        )
    else:
        counts = np.floor(np.exp(y))
        ours = WeightDecayMLPRegressor(loss="poisson", **params).fit(Z, counts)
        peer = PoissonRegressor(alpha=alpha, tol=1e-10, max_iter=10_000).fit(X, counts)
        deviance = mean_poisson_deviance(counts, peer.predict(X))
        found = mean_poisson_deviance(counts, ours.predict(Z))
        assert found == pytest.approx(deviance, rel=1e-3)


@pytest.mark.wide(36)
@pytest.mark.parametrize("alpha", [1e-5, 1e-3, 0.3])
@pytest.mark.parametrize("size", [1e-6, 1e-3, 1.0, 1e3, 1e6])
@pytest.mark.parametrize("shift", [0.0, 1e4])
def test_a_network_ends_at_a_minimum_of_its_own_J_in_any_units_of_X(
    data, size, alpha, shift
):
    """Its gradient, in steps that move the network alike, is next to nothing."""
    X = data[0] + shifts_of(data[0].shape[1], shift)
    X, y = X * size, data[1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of an alpha that is too large
        model = WeightDecayMLPRegressor(alpha=alpha, **NET).fit(X, y)
    J = check_minimum(model, X, y)
    assert J <= 0.5 * (1.0 + 2e-5)  # of a constant, within tol


def test_a_year_and_a_constant_are_no_obstacle_to_a_choice_of_alpha(data):
    X, y = data
    year = np.random.default_rng(0).integers(1990, 2021, (len(X), 1))
    constant = np.full((len(X), 1), 1e5)
    centred = np.hstack([X, year - year.mean()])
    plain = np.hstack([X, year, constant])
    for name in ("loo", "gcv", "evidence"):
        model = WeightDecayMLPRegressor(alpha=name, hidden_layer_sizes=())
        expected = model.fit(centred, y).score(centred, y)
        assert model.fit(plain, y).score(plain, y) == pytest.approx(expected, abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("y_scale", [1e-3, 1e-4, 1e3])
def test_the_evidence_of_diabetes_in_other_units_is_bayesian_ridges(y_scale):
    X, y = load_diabetes(return_X_y=True)
    X, y = scale(X), scale(y)
    peer = BayesianRidge().fit(X, y).score(X, y)
    y = y * y_scale
    linear = WeightDecayMLPRegressor(hidden_layer_sizes=(), alpha="evidence").fit(X, y)
    assert linear.score(X, y) == pytest.approx(peer, abs=1e-3)
    network = WeightDecayMLPRegressor(alpha="evidence", random_state=0).fit(X, y)
    assert network.score(X, y) > peer
    assert network.converged_


@pytest.mark.parametrize("shift", [0.0, 1e4])
def test_loo_of_a_linear_model_is_ridge_cv(data, shift):
    X, y = data
    X = X + shifts_of(X.shape[1], shift)
    ours = WeightDecayMLPRegressor(hidden_layer_sizes=(), alpha="loo").fit(X, y)
    peer = RidgeCV(ours.alphas_ * len(y)).fit(data[0], y)
    assert ours.alpha_ == pytest.approx(peer.alpha_ / len(y))
    np.testing.assert_allclose(ours.predict(X), peer.predict(data[0]), atol=1e-6)


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_constant_column_of_any_size_is_no_column(solver, dtype):
    """Predictions are of X as it is, and would see the rounding of 1e30 times w."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 2)).astype(dtype)
    y = X[:, 0] + 0.1 * rng.standard_normal(40)
    far = np.insert(X, 1, 1e30, axis=1)
    model = WeightDecayMLPRegressor(
        hidden_layer_sizes=(4,), solver=solver, max_iter=5, random_state=0, tol=1.0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(far, y)
    assert not model.coefs_[0][1].any()
    without = model.predict(far) - model.predict(np.insert(X, 1, -3.0, axis=1))
    np.testing.assert_array_equal(without, 0.0)
    found = 0.5 * np.mean(((model.predict(far) - y) / y.std()) ** 2)
    penalty = 0.5 * model.alpha_ * sum((W**2).sum() for W in model.coefs_)
    assert model.loss_ == pytest.approx(found + penalty, rel=1e-5)
