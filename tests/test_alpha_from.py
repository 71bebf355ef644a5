"""alpha_from: each row of the table against its library, or against the algebra."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.linear_model import (
    ElasticNet,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
)
from sklearn.neural_network import MLPClassifier, MLPRegressor

from skwd import WeightDecayMLPClassifier, WeightDecayMLPRegressor, alpha_from

N = 80
LINEAR = {"hidden_layer_sizes": (), "tol": 1e-12, "max_iter": 10_000}


def data():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((N, 3))
    return X, X @ [1.0, -2.0, 0.5] + 0.5 * rng.standard_normal(N)


@pytest.mark.parametrize(
    ("library", "value", "peer"),
    [
        ("Ridge", 7.0, Ridge(7.0)),
        ("ElasticNet", 0.3, ElasticNet(0.3, l1_ratio=0.0, tol=1e-12, max_iter=10**5)),
    ],
)
def test_linear_models_of_numbers(library, value, peer):
    X, y = data()
    alpha = alpha_from(library, value, n=N)
    model = WeightDecayMLPRegressor(alpha=alpha, **LINEAR).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ElasticNet advises against l1_ratio=0
        peer.fit(X, y)
    assert_allclose(model.predict(X), peer.predict(X), atol=1e-6)


def test_linear_models_of_counts_and_classes():
    X, y = data()
    counts = np.round(np.exp(0.5 * y))
    model = WeightDecayMLPRegressor(
        loss="poisson", alpha=alpha_from("PoissonRegressor", 0.2), **LINEAR
    ).fit(X, counts)
    peer = PoissonRegressor(alpha=0.2, tol=1e-10, max_iter=10_000).fit(X, counts)
    assert_allclose(model.predict(X), peer.predict(X), rtol=1e-5)
    alpha = alpha_from("LogisticRegression", 0.3, n=N)
    model = WeightDecayMLPClassifier(alpha=alpha, **LINEAR).fit(X, y > 0)
    peer = LogisticRegression(C=0.3, tol=1e-10, max_iter=10_000).fit(X, y > 0)
    assert_allclose(model.predict_proba(X), peer.predict_proba(X), atol=1e-5)


def penalty(model):
    return 0.5 * sum(np.square(W).sum() for W in model.coefs_)


def test_the_mlp_of_scikit_learn():
    """Its loss is J at this alpha: by all rows with lbfgs, by the batch elsewhere."""
    X, y = data()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = MLPRegressor(
            hidden_layer_sizes=(5,), solver="lbfgs", alpha=3.0, random_state=0
        ).fit(X, y)
        one = MLPClassifier(hidden_layer_sizes=(5,), alpha=3.0, random_state=0)
        before = one.partial_fit(X, y > 0, classes=[False, True])
    squares = 0.5 * np.mean((model.predict(X) - y) ** 2)
    alpha = alpha_from("MLP lbfgs", 3.0, n=N)
    assert model.loss_ == pytest.approx(squares + alpha * penalty(model), rel=1e-6)
    assert alpha_from("MLP", 3.0, batch_size=20) == 3.0 / 20
    assert before.loss_ > 0


# What each minimises, as a function of the residuals' squares or entropies and w.
def test_the_algebra_of_the_others():
    """c times their objective is J: the loss and the penalty of each, m = 2 outputs."""
    rng = np.random.default_rng(0)
    R, w, n, m, v = rng.standard_normal((30, 2)), rng.standard_normal(9), 30, 2, 0.07
    loss, square = 0.5 * np.square(R).sum() / n, np.square(w).sum()
    beta = 4.0
    objectives = {
        "torch MSELoss": (np.square(R).mean() + 0.5 * v * square, {"n_outputs": m}),
        "keras mse": (np.square(R).mean() + v * square, {"n_outputs": m}),
        "MacKay": (
            0.5 * beta * np.square(R).sum() + 0.5 * v * square,
            {"n": n, "noise_precision": beta},
        ),
        "brnn": (
            beta * np.square(R).sum() + v * square,
            {"n": n, "noise_precision": beta},
        ),
        "laplace-torch": (
            0.5 * beta * np.square(R).sum() + 0.5 * v * square,
            {"n": n, "noise_precision": beta},
        ),
        "glmnet": (loss + 0.5 * v * square, {"y_deviation": 1.0}),
    }
    for library, (objective, given) in objectives.items():
        alpha = alpha_from(library, v, **given)
        their_loss = objective - {"keras mse": 1.0, "brnn": 1.0}.get(library, 0.5) * (
            v * square
        )
        c = loss / their_loss
        assert c * objective == pytest.approx(loss + 0.5 * alpha * square, rel=1e-12)
    # Entropies are means over rows there as here.
    assert alpha_from("keras crossentropy", v) == 2 * v
    assert alpha_from("torch CrossEntropyLoss", v) == v
    assert alpha_from("laplace-torch", 3.0, n=30) == 0.1
    assert alpha_from("SGDRegressor", v) == alpha_from("SGDClassifier", v) == v


@pytest.mark.parametrize(
    ("args", "given", "message"),
    [
        (("AdamW", 0.01), {}, "minimises no J|no term of an objective"),
        (("ridge", 0.01), {}, "library must be one of 'glmnet'"),
        (("Ridge", 0.01), {}, "needs n, an integer >= 1; got None"),
        (("MLP", 0.01), {"n": 9}, "needs batch_size, an integer >= 1; got None"),
        (("MacKay", 0.01), {"n": 9}, "needs noise_precision, beta"),
        (("MacKay", 0.01), {"n": 9, "noise_precision": 0.0}, "a number > 0; got 0.0"),
        (("Ridge", -1.0), {"n": 9}, "value must be a finite number >= 0"),
        (("LogisticRegression", 0), {"n": 9}, "value must be a finite number >= 0"),
    ],
)
def test_what_is_refused(args, given, message):
    with pytest.raises(ValueError, match=message):
        alpha_from(*args, **given)


@pytest.mark.parametrize("scale", [0.1, 1.0, 30.0])
def test_glmnet_divides_a_gaussian_y_by_its_deviation(scale):
    """Its objective, worked out in its own steps, has the minimum of this alpha.

    glmnet minimises 1/2 mean (u - X b)^2 + lambda' / 2 b^2 for u = y / sd(y) and
    lambda' = lambda / sd(y), and returns sd(y) b.
    """
    X, y = data()
    y, value = scale * y, 0.4
    deviation, centred = y.std(), X - X.mean(axis=0)
    u = (y - y.mean()) / deviation
    H = centred.T @ centred / N + value / deviation * np.eye(X.shape[1])
    b = deviation * np.linalg.solve(H, centred.T @ u / N)
    alpha = alpha_from("glmnet", value, y_deviation=deviation)
    model = WeightDecayMLPRegressor(alpha=alpha, **LINEAR).fit(X, y)
    assert_allclose(model.predict(X), y.mean() + centred @ b, rtol=1e-8, atol=1e-8)
    with pytest.raises(ValueError, match=r"needs y_deviation, .* got None"):
        alpha_from("glmnet", value)
    assert alpha_from("glmnet binomial", value) == value
