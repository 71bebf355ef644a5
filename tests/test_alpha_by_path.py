"""alpha="loo" and "gcv" against refits without a row, RidgeCV and textbook formulas."""

import copy

import numpy as np
import pytest
from scipy.special import log_softmax, softmax
from scipy.stats import spearmanr
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge, RidgeCV

from skwd import WeightDecayMLPClassifier, WeightDecayMLPRegressor
from skwd._core.rows import row_block, shift_origin
from skwd._core.sample import Sample
from skwd._curvature.factors import factors_of
from skwd._curvature.laplace import curvature_of

LINEAR = {"hidden_layer_sizes": (), "tol": 1e-10, "random_state": 0}
TANH = {"hidden_layer_sizes": (3,), "activation": "tanh", "random_state": 0}
OF_THE_CHOICE = {"alphas_", "alpha_scores_", "alpha_score_errors_"}


def linear_problem(n_outputs=1, n=40):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, 5)) + 0.3
    Y = X @ rng.standard_normal((5, n_outputs)) + rng.standard_normal((n, n_outputs))
    return X, (Y[:, 0] if n_outputs == 1 else Y)


def curved_problem(seed=0, n=60):
    """Rows for small networks: y for regression, three classes."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 2))
    y = np.sin(1.5 * X[:, 0]) + 0.5 * X[:, 1] + 0.3 * rng.standard_normal(n)
    noise = 0.5 * rng.standard_normal(n)
    return X, y, np.digitize(X[:, 0] + 0.5 * X[:, 1] ** 2 + noise, [0.0, 1.0])


def left_out_losses(model, X, y):
    """The loss of each row by a refit of ``model`` without it, alpha n / (n - 1)."""
    n, losses = len(y), []
    for i in range(n):
        others = np.arange(n) != i
        losses.append(model(X[others], y[others], n / (n - 1), X[i : i + 1], y[i]))
    return np.array(losses)


def best(model):
    """The alpha of the highest score among those compared, and its score."""
    chosen = np.argmax(model.alpha_scores_)
    return model.alphas_[chosen], model.alpha_scores_[chosen]


@pytest.mark.wide(2)
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_scores_of_a_linear_model_are_exact_refits(n_outputs):
    X, y = linear_problem(n_outputs)
    model = WeightDecayMLPRegressor(alpha="loo", normalize_y=False, **LINEAR).fit(X, y)
    n = len(y)
    for place in (30, 60, 75, 90):  # the J of n - 1 rows is Ridge(n alpha) again
        alpha = model.alphas_[place]

        def refit(X, y, factor, x, target, alpha=alpha):
            ridge = Ridge(alpha=alpha * factor * len(y), tol=1e-12).fit(X, y)
            return np.sum((target - ridge.predict(x)) ** 2) / 2

        losses = left_out_losses(refit, X, y)
        assert model.alpha_scores_[place] == pytest.approx(-losses.mean(), rel=1e-9)
        error = losses.std() / np.sqrt(n)
        assert model.alpha_score_errors_[place] == pytest.approx(error, rel=1e-8)
    assert model.alpha_ == model.alphas_[np.argmax(model.alpha_scores_)]


def test_scores_of_a_linear_model_are_those_of_ridge_cv():
    X, y = linear_problem()
    model = WeightDecayMLPRegressor(alpha="loo", normalize_y=False, **LINEAR).fit(X, y)
    ridge = RidgeCV(alphas=len(y) * model.alphas_, store_cv_results=True).fit(X, y)
    expected = -ridge.cv_results_.mean(axis=0) / 2
    np.testing.assert_allclose(model.alpha_scores_, expected, rtol=1e-9)
    assert model.alpha_ == pytest.approx(ridge.alpha_ / len(y), rel=1e-12)
    np.testing.assert_allclose(model.coefs_[0][:, 0], ridge.coef_, rtol=1e-7)


@pytest.mark.wide(4)
@pytest.mark.parametrize("name", ["loo", "gcv"])
@pytest.mark.parametrize("scale", [1e-4, 1e4])
def test_alpha_of_a_linear_model_does_not_depend_on_the_size_of_y(name, scale):
    """As that of RidgeCV does not, and is as X'X."""
    X, y = linear_problem()
    model = WeightDecayMLPRegressor(alpha=name, **LINEAR)
    alpha = model.fit(X, y).alpha_
    larger = model.fit(X, scale * y)
    assert larger.alpha_ == pytest.approx(alpha, rel=1e-9)
    longer = model.fit(scale * X, scale * y)
    assert longer.alpha_ == pytest.approx(alpha * scale**2, rel=1e-9)


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_gcv_is_the_textbook_formula(n_outputs):
    """MSE / (1 - tr(S) / n)^2 / 2, summed over outputs that share S."""
    X, y = linear_problem(n_outputs)
    model = WeightDecayMLPRegressor(alpha="gcv", normalize_y=False, **LINEAR).fit(X, y)
    n, centred = len(y), X - X.mean(axis=0)
    R = (y - y.mean(axis=0)).reshape(n, -1)
    expected = []
    for alpha in model.alphas_:
        H = centred.T @ centred / n + alpha * np.eye(X.shape[1])
        S = centred @ np.linalg.solve(H, centred.T) / n
        misfit = np.sum((R - S @ R) ** 2) / n
        expected.append(-misfit / (1 - (1 + np.trace(S)) / n) ** 2 / 2)
    np.testing.assert_allclose(model.alpha_scores_, expected, rtol=1e-9)
    assert model.alpha_score_errors_ is None
    assert model.alpha_ == model.alphas_[np.argmax(expected)]


@pytest.mark.slow
def test_linear_losses_of_classifiers_and_counts_are_close_to_exact_refits():
    """No longer quadratic in the weights: one Newton step from the fit, not the end."""
    X, y = linear_problem(n=60)
    labels = np.digitize(y, [0.0])
    counts = np.random.default_rng(2).poisson(np.exp(0.3 * y)).astype(float)
    classifier = WeightDecayMLPClassifier(alpha="loo", **LINEAR).fit(X, labels)
    poisson = WeightDecayMLPRegressor(alpha="loo", loss="poisson", **LINEAR)
    poisson.fit(X, counts)

    def logistic(X, y, factor, x, target):
        C = 1 / (best(classifier)[0] * factor * len(y))
        peer = LogisticRegression(C=C, tol=1e-10, max_iter=10_000).fit(X, y)
        return -peer.predict_log_proba(x)[0, target]

    def deviance(X, y, factor, x, target):
        alpha = best(poisson)[0] * factor
        peer = PoissonRegressor(alpha=alpha, tol=1e-10, solver="newton-cholesky")
        mean = peer.fit(X, y).predict(x)[0]
        return mean - target + (target * np.log(target / mean) if target else 0.0)

    for model, refit, target in (
        (classifier, logistic, labels),
        (poisson, deviance, counts),
    ):
        losses = left_out_losses(refit, X, target)
        alpha, score = best(model)
        assert abs(np.log10(model.alpha_ / alpha)) < 0.201  # half a step
        assert -score == pytest.approx(losses.mean(), rel=0.02)
        assert -score != pytest.approx(losses.mean(), rel=1e-9)


NAMES = pytest.mark.parametrize(
    ("cls", "name"),
    [
        (WeightDecayMLPRegressor, "loo"),
        (WeightDecayMLPRegressor, "gcv"),
        (WeightDecayMLPClassifier, "loo"),
    ],
)


@pytest.mark.wide(3)
@NAMES
def test_the_network_is_at_a_minimum_of_J_at_its_alpha(cls, name):
    """And has all that a plain fit has, and the path. No fit goes on from there."""
    X, y, labels = curved_problem()
    y = y if cls is WeightDecayMLPRegressor else labels
    chosen = cls(alpha=name, posterior=True, **TANH).fit(X, y)
    plain = clone(chosen).set_params(alpha=chosen.alpha_).fit(X, y)
    assert abs(np.log10(chosen.alpha_ / best(chosen)[0])) < 0.201  # half a step
    assert set(vars(chosen)) - set(vars(plain)) == OF_THE_CHOICE
    assert chosen.converged_
    further = copy.deepcopy(chosen).set_params(alpha=chosen.alpha_, warm_start=True)
    further.fit(X, y)
    assert 0.999 * chosen.loss_ <= further.loss_ <= chosen.loss_ * (1.0 + 1e-9)


def approximate_losses(model, X, y):
    """f_i + V_i (I - L_i V_i)^-1 dl_i/df, with the curvature of J: biases are free."""
    network, origin = model._fitted.network.network, X.mean(axis=0)
    rows = row_block(X, slice(None), origin=origin)
    params = shift_origin(network.layout, model._fitted.network.params, origin, 1.0)[0]
    raw, factors = factors_of(network, params, rows)
    Y = np.eye(raw.shape[1])[y] if raw.shape[1] > 1 else y[:, np.newaxis]
    sample = Sample(X, Y.astype(float), np.ones(len(y)), origin=origin)
    alpha = np.full(network.layout.n_weight_layers, model.alpha)
    H = curvature_of(
        network, model._fitted.targets.loss, sample, params, alpha, of_rows=True
    )
    V = H.covariances(factors, np.ones(1))[0] / len(y)
    if isinstance(model, WeightDecayMLPRegressor):
        return ((y - raw[:, 0]) / (1 - V[:, 0, 0])) ** 2 / 2
    p, losses = softmax(raw, axis=1), []
    one_hot = np.eye(len(p[0]))[y]
    for i, target in enumerate(y):
        L = np.diag(p[i]) - np.outer(p[i], p[i])
        move = V[i] @ np.linalg.solve(np.eye(len(L)) - L @ V[i], p[i] - one_hot[i])
        losses.append(-log_softmax(raw[i] + move)[target])
    return np.array(losses)


@pytest.mark.slow
@pytest.mark.parametrize("cls", [WeightDecayMLPRegressor, WeightDecayMLPClassifier])
@pytest.mark.parametrize("seed", [0, 4, 5])
def test_small_networks_are_close_to_exact_refits(cls, seed):
    """Row by row, and in how they rank alphas; refits start from the whole fit."""
    X, y, labels = curved_problem(seed)
    y = y if cls is WeightDecayMLPRegressor else labels
    approximate, exact = [], []
    for alpha in (1e-2, 3e-2, 0.1):
        whole = cls(alpha=alpha, tol=1e-12, max_iter=5000, **TANH)
        if cls is WeightDecayMLPRegressor:
            whole.normalize_y = False  # refits would scale by other rows
        whole.fit(X, y)

        def refit(X, y, factor, x, target, whole=whole):
            model = copy.deepcopy(whole)
            model.set_params(warm_start=True)
            model.set_params(alpha=whole.alpha * factor).fit(X, y)
            if cls is WeightDecayMLPRegressor:
                return (target - model.predict(x)[0]) ** 2 / 2
            return -np.log(model.predict_proba(x)[0, target])

        approximate.append(approximate_losses(whole, X, y))
        exact.append(left_out_losses(refit, X, y))
        assert np.corrcoef(approximate[-1], exact[-1])[0, 1] >= 0.97
    ranks = np.mean(approximate, axis=1), np.mean(exact, axis=1)
    assert spearmanr(*ranks).statistic == pytest.approx(1.0)


def test_the_choice_between_the_alphas_of_a_classifier():
    """The lowest point of the parabola through the three lowest losses, on the grid."""
    X, _, labels = curved_problem()
    model = WeightDecayMLPClassifier(alpha="loo", **TANH).fit(X, labels)
    middle = np.argmax(model.alpha_scores_)
    around = slice(middle - 1, middle + 2)
    at = np.log10(model.alphas_[around])
    np.testing.assert_allclose(np.diff(at), 0.4, rtol=1e-9)
    curve = np.polynomial.Polynomial.fit(at, -model.alpha_scores_[around], 2)
    (lowest,) = curve.deriv().roots()
    assert np.log10(model.alpha_) == pytest.approx(lowest, abs=0.05)
