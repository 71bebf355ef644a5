"""No hidden layer is a linear model; what theory says of hidden ones in closed form."""

import warnings
from functools import partial

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge

from skwd import WeightDecayMLPClassifier, WeightDecayMLPRegressor

# J of y in its own units, to the letter.
Regressor = partial(WeightDecayMLPRegressor, normalize_y=False)

LINEAR = {"hidden_layer_sizes": (), "random_state": 0}
# What each solver reaches: lbfgs its gradient tolerance, gd 2000 steps of a rate below
# 2 / (alpha + h_max), each of which shrinks the error by 1 - rate (alpha + h_min).
LBFGS = {"solver": "lbfgs", "tol": 1e-11}
GD = {"solver": "gd", "learning_rate_init": 0.3, "max_iter": 2000, "tol": 0.0}
SOLVERS = pytest.mark.parametrize(
    ("solver", "rtol"), [(LBFGS, 1e-6), (GD, 1e-6)], ids=["lbfgs", "gd"]
)
WEIGHTED = pytest.mark.parametrize("weighted", [False, True])
ALPHA = 0.05


def task(n_outputs=1, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((80, 5)) + 0.3
    Y = X @ rng.standard_normal((5, n_outputs)) + rng.standard_normal((80, n_outputs))
    return X, (Y[:, 0] if n_outputs == 1 else Y), rng.integers(0, 4, 80).astype(float)


def quiet_fit(model, X, y, weight):
    """Fit; gd, which runs its 2000 steps out, may say so."""
    with warnings.catch_warnings():
        if model.solver == "gd":
            warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(X, y, sample_weight=weight)


@SOLVERS
@WEIGHTED
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_no_hidden_layer_is_ridge(n_outputs, weighted, solver, rtol):
    X, y, s = task(n_outputs)
    s = s if weighted else np.ones(len(s))
    ours = Regressor(alpha=ALPHA, **LINEAR, **solver)
    quiet_fit(ours, X, y, s if weighted else None)
    ridge = Ridge(alpha=ALPHA * s.sum(), tol=1e-12).fit(X, y, sample_weight=s)
    coef = np.reshape(ridge.coef_, (n_outputs, -1)).T
    np.testing.assert_allclose(ours.coefs_[0], coef, rtol=rtol, atol=1e-9)
    np.testing.assert_allclose(ours.intercepts_[0], ridge.intercept_, rtol=rtol)
    np.testing.assert_allclose(ours.predict(X), ridge.predict(X), rtol=rtol, atol=1e-9)


@SOLVERS
@WEIGHTED
def test_normalized_y_is_ridge_on_scaled_y(weighted, solver, rtol):
    X, y, s = task(2)
    s = s if weighted else np.ones(len(s))
    ours = WeightDecayMLPRegressor(alpha=ALPHA, **LINEAR, **solver)
    quiet_fit(ours, X, y * [1000.0, 1e-3] + [5.0, 7.0], s)
    mean = np.average(y, axis=0, weights=s)
    scale = np.sqrt(np.average((y - mean) ** 2, axis=0, weights=s))
    # Ridge's penalty relative to the scaled y is the same: predictions just scale.
    ridge = Ridge(alpha=ALPHA * s.sum()).fit(X, (y - mean) / scale, sample_weight=s)
    expected = (ridge.predict(X) * scale + mean) * [1000.0, 1e-3] + [5.0, 7.0]
    np.testing.assert_allclose(ours.predict(X), expected, rtol=rtol, atol=1e-9)
    np.testing.assert_allclose(ours.y_scale_, scale * [1000.0, 1e-3], rtol=1e-12)


@pytest.mark.wide(4)
@SOLVERS
@WEIGHTED
@pytest.mark.parametrize("n_classes", [2, 3])
def test_no_hidden_layer_is_logistic_regression(n_classes, weighted, solver, rtol):
    X, y, s = task()
    y = np.digitize(y, [0.0] if n_classes == 2 else [-1.0, 1.0])
    s = s if weighted else np.ones(len(s))
    ours = WeightDecayMLPClassifier(alpha=ALPHA, **LINEAR, **solver)
    quiet_fit(ours, X, y, s if weighted else None)
    peer = LogisticRegression(C=1 / (ALPHA * s.sum()), tol=1e-10, max_iter=10_000)
    peer.fit(X, y, sample_weight=s)
    np.testing.assert_allclose(ours.coefs_[0].T, peer.coef_, rtol=rtol, atol=1e-7)
    # Softmax intercepts are defined up to a constant.
    difference = ours.intercepts_[0] - peer.intercept_
    if n_classes == 2:
        np.testing.assert_allclose(difference, 0.0, atol=1e-6)
    np.testing.assert_allclose(difference, difference[0], atol=1e-6)
    np.testing.assert_allclose(ours.predict_proba(X), peer.predict_proba(X), rtol=1e-6)


@pytest.mark.wide(4)
@SOLVERS
@WEIGHTED
def test_no_hidden_layer_is_poisson_regressor(weighted, solver, rtol):
    X, y, s = task()
    y = np.random.default_rng(2).poisson(np.exp(0.3 * y)).astype(float)
    s = s if weighted else np.ones(len(s))
    solver = solver | (
        {"learning_rate_init": 0.05, "max_iter": 10_000} if solver is GD else {}
    )
    ours = Regressor(alpha=ALPHA, loss="poisson", **LINEAR, **solver)
    quiet_fit(ours, X, y, s if weighted else None)
    peer = PoissonRegressor(
        alpha=ALPHA, tol=1e-10, max_iter=10_000, solver="newton-cholesky"
    )
    peer.fit(X, y, sample_weight=s)
    np.testing.assert_allclose(ours.coefs_[0][:, 0], peer.coef_, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(ours.predict(X), peer.predict(X), rtol=1e-6)


def unsquared_ridge(X, r, alpha):
    """min 1/(2n) ||r - X b||^2 + alpha ||b||_2, by its optimality condition.

    b = (X'X/n + alpha/t I)^-1 X'r/n with t = ||b||: a root in t.
    """
    n = len(r)
    values, vectors = np.linalg.eigh(X.T @ X / n)
    c = vectors.T @ (X.T @ r) / n

    def gap(log_t):
        t = np.exp(log_t)
        return (np.linalg.norm(c / (values + alpha / t)) - t) ** 2 / t**2

    t = np.exp(
        minimize_scalar(
            gap, bounds=(-8, 3), method="bounded", options={"xatol": 1e-14}
        ).x
    )
    return vectors @ (c / (values + alpha / t))


def test_identity_hidden_layer_is_unsquared_ridge():
    """alpha/2 (|W1|^2 + |w2|^2) at its least is alpha ||W1 w2||."""
    X, y, _ = task()
    X, y = X - X.mean(axis=0), y - y.mean()
    alpha = 0.3 * np.linalg.norm(X.T @ y) / len(y)
    net = Regressor(
        hidden_layer_sizes=(4,),
        activation="identity",
        alpha=alpha,
        tol=1e-18,
        random_state=0,
    ).fit(X, y)
    b = (net.coefs_[0] @ net.coefs_[1])[:, 0]
    np.testing.assert_allclose(b, unsquared_ridge(X, y, alpha), rtol=1e-5, atol=1e-7)
    residual = y - X @ b
    closed_form = residual @ residual / (2 * len(y)) + alpha * np.linalg.norm(b)
    assert net.loss_ == pytest.approx(closed_form, rel=1e-9)


def test_identity_hidden_layer_is_a_nuclear_norm_for_several_outputs():
    """Optimality of 1/(2n)||R - XB||^2 + alpha ||B||_*: X'(R - XB)/n is alpha UV' on
    B's singular vectors and shorter than alpha beside them."""
    X, Y, _ = task(3)
    X, Y = X - X.mean(axis=0), Y - Y.mean(axis=0)
    alpha = 0.6 * np.linalg.norm(X.T @ Y, 2) / len(Y)
    net = Regressor(
        hidden_layer_sizes=(6,),
        activation="identity",
        alpha=alpha,
        tol=1e-18,
        random_state=0,
    ).fit(X, Y)
    B = net.coefs_[0] @ net.coefs_[1]
    U, sizes, Vt = np.linalg.svd(B, full_matrices=False)
    rank = int((sizes > 1e-4).sum())
    assert 1 <= rank < 3  # the nuclear norm has cut directions away
    gradient = X.T @ (Y - X @ B) / len(Y)
    subgradient = U[:, :rank] @ Vt[:rank]
    rest = gradient / alpha - subgradient
    np.testing.assert_allclose(rest @ Vt[:rank].T, 0.0, atol=1e-5)
    np.testing.assert_allclose(U[:, :rank].T @ rest, 0.0, atol=1e-5)
    assert np.linalg.norm(rest, 2) <= 1.0 + 1e-6
    squares = np.sum((Y - X @ B) ** 2) / (2 * len(Y))
    assert net.loss_ == pytest.approx(squares + alpha * sizes.sum(), rel=1e-8)


@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize(("factor", "collapses"), [(1.05, True), (0.95, False)])
def test_zero_weights_at_large_alpha(factor, collapses, n_outputs):
    """An identity layer is zero exactly when alpha >= ||X'r||_2 / n, spectral norm."""
    X, Y, _ = task(n_outputs)
    Y = Y.reshape(len(Y), -1)
    X, R = X - X.mean(axis=0), Y - Y.mean(axis=0)
    alpha = factor * np.linalg.norm(X.T @ R, 2) / len(R)
    net = Regressor(
        hidden_layer_sizes=(6,),
        activation="identity",
        alpha=alpha,
        tol=1e-16,
        random_state=0,
    )
    if collapses:
        with pytest.warns(UserWarning, match="every weight has collapsed"):
            net.fit(X, Y)
        assert max(np.abs(W).max() for W in net.coefs_) < 1e-6
        assert net.loss_ == pytest.approx(np.sum(R**2) / (2 * len(R)), rel=1e-10)
    else:
        net.fit(X, Y)
        assert np.abs(net.coefs_[0] @ net.coefs_[1]).max() > 1e-2


def test_identity_units_balance_their_two_layers(regression):
    """At a minimum alpha1 ||w_j||^2 = alpha2 a_j^2 for every hidden unit j."""
    X, y = regression
    alphas = (0.02, 0.005)
    net = Regressor(
        hidden_layer_sizes=(5,),
        activation="identity",
        alpha=alphas,
        tol=1e-16,
        random_state=0,
    ).fit(X, y)
    incoming = alphas[0] * np.square(net.coefs_[0]).sum(axis=0)
    outgoing = alphas[1] * np.square(net.coefs_[1]).sum(axis=1)
    np.testing.assert_allclose(incoming, outgoing, rtol=1e-4, atol=1e-9)
    assert incoming.max() > 1e-3


@pytest.mark.parametrize("activation", ["identity", "tanh"])
def test_only_the_product_of_two_alphas_matters_to_homogeneous_units(
    activation, regression
):
    """(c alpha, alpha / c) has the same least J for identity units, not for tanh."""
    X, y = regression
    J = [
        Regressor(
            hidden_layer_sizes=(3,),
            activation=activation,
            alpha=(c * 0.02, 0.02 / c),
            tol=1e-8,
            n_init=5,
            random_state=0,
        )
        .fit(X, y)
        .loss_
        for c in (1.0, 5.0)
    ]
    assert (J[1] == pytest.approx(J[0], rel=1e-8)) is (activation == "identity")
