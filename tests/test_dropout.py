"""dropout: its expectation, its random stream, stacks, and what it is refused for."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skwd import (
    WeightDecayMLPClassifier,
    WeightDecayMLPRegressor,
    WeightDecayMLPRegressorCV,
)
from skwd._core.activations import ACTIVATIONS
from skwd._core.layout import Layout
from skwd._core.network import ForwardBackward, Network
from skwd._core.rows import row_block
from skwd._solvers.dropout import Dropout

SMALL = {"hidden_layer_sizes": (12, 6), "solver": "adam", "random_state": 0}
SHORT = {**SMALL, "max_iter": 8, "batch_size": 16, "n_iter_no_change": np.inf}
unfinished = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning",
    "ignore:The network is worse than a constant",
)


def data(n=70, d=4, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    return X, np.sin(X[:, 0]) + X[:, 1] + 0.2 * rng.standard_normal(n)


def passes(rates, params, X, layout, seed=0):
    """Raw predictions and gradients of one pass with dropout."""
    noise = Dropout(rates).drawing(np.random.default_rng(seed))
    grad = np.empty_like(params)
    network = Network(layout, ACTIVATIONS["tanh"])
    both = ForwardBackward(network, params, len(X), grad, (), noise=noise)
    block, ops = noise.input_ops(row_block(X, slice(None)))
    for function, arguments in ops:
        function(*arguments)
    raw = both.forward(block).copy()
    both.backward(block, np.ones_like(raw))
    return raw, grad, block


def test_gradients_are_those_of_the_disturbed_network():
    layout = Layout((3, 5, 4, 2))
    rng = np.random.default_rng(0)
    params, X = rng.standard_normal((1, layout.n_params)), rng.standard_normal((9, 3))
    rates = (0.3, 0.4, 0.5)
    _, grad, _ = passes(rates, params, X, layout)
    for place in rng.choice(layout.n_params, 25, replace=False):
        moved = [params.copy(), params.copy()]
        moved[0][0, place] += 1e-6
        moved[1][0, place] -= 1e-6
        up, down = (passes(rates, p, X, layout)[0].sum() for p in moved)
        assert grad[0, place] == pytest.approx((up - down) / 2e-6, rel=1e-6, abs=1e-7)


def test_parts_are_dropped_and_the_mean_is_kept():
    X = np.full((4000, 3), 2.0)
    noise = Dropout((0.25, 0.5)).drawing(np.random.default_rng(0))
    out, ops = noise.input_ops(row_block(X, slice(None)))
    for function, arguments in ops:
        function(*arguments)
    assert set(np.unique(out[:, :-1])) == {0.0, 2.0 / 0.75} and (out[:, -1] == 1).all()
    assert out[:, :-1].mean() == pytest.approx(2.0, abs=0.05)
    values, slopes = np.full((4000, 5), 3.0), np.full((4000, 5), 0.5)
    for function, arguments in noise.ops(0, values, slopes):
        function(*arguments)
    assert set(np.unique(values)) == {0.0, 6.0} and set(np.unique(slopes)) == {0.0, 1.0}
    assert values.mean() == pytest.approx(3.0, abs=0.1)
    assert Dropout.of(0.0) is None and Dropout.of([0.0, 0]) is None


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_input_dropout_of_a_linear_model_is_ridge(kind):
    """The mean of J is that with p / (1 - p) E[x_j^2] added to alpha of each column.

    Steps that go to zero end near its minimum, in closed form.
    """
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 3)) * [1.0, 2.0, 0.5] + 1.0
    y = X @ [1.0, -0.5, 2.0] + 0.1 * rng.standard_normal(60)
    p, alpha, Xc = 0.3, 0.02, X - X.mean(axis=0)
    model = WeightDecayMLPRegressor(
        hidden_layer_sizes=(),
        solver="sgd",
        momentum=0.0,
        alpha=alpha,
        dropout=[p],
        learning_rate="linear",
        learning_rate_init=0.1,
        batch_size=60,
        max_iter=8000,
        n_iter_no_change=np.inf,
        normalize_y=False,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(sparse.csr_array(X) if kind == "sparse" else X, y)
    penalty = alpha + p / (1 - p) * np.square(Xc).mean(axis=0)
    expected = np.linalg.solve(Xc.T @ Xc / 60 + np.diag(penalty), Xc.T @ y / 60)
    assert_allclose(model.coefs_[0][:, 0], expected, rtol=0.02)
    plain = np.linalg.solve(Xc.T @ Xc / 60 + alpha * np.eye(3), Xc.T @ y / 60)
    assert np.abs(plain - expected).max() > 0.2


@unfinished
def test_it_is_off_in_predictions_and_has_a_stream_of_its_own():
    X, y = data()
    model = WeightDecayMLPRegressor(dropout=0.3, **SHORT).fit(X, y)
    assert_array_equal(model.predict(X), model.predict(X))
    again = clone(model).fit(X, y)
    assert_array_equal(again.coefs_[0], model.coefs_[0])
    other = clone(model).set_params(random_state=1).fit(X, y)
    plain = clone(model).set_params(dropout=0.0).fit(X, y)
    assert (other.coefs_[0] != model.coefs_[0]).any()
    assert (plain.coefs_[0] != model.coefs_[0]).any()
    # The order of the rows does not change with it: neither does a rate of next to 0.
    tiny = clone(model).set_params(dropout=1e-300).fit(X, y)
    assert_array_equal(tiny.coefs_[0], plain.coefs_[0])
    f = np.tanh(0.0) + X @ model.coefs_[0] + model.intercepts_[0]
    f = np.maximum(f, 0) @ model.coefs_[1] + model.intercepts_[1]
    f = (np.maximum(f, 0) @ model.coefs_[2] + model.intercepts_[2])[:, 0]
    assert_allclose(model.predict(X), f * model.y_scale_ + model.y_mean_)
    z = (y - y.mean()) / y.std()
    penalty = sum(np.square(W).sum() for W in model.coefs_)
    J = 0.5 * np.mean((f - z) ** 2) + 0.5 * model.alpha_ * penalty
    assert model.loss_ == pytest.approx(J, rel=1e-12)


@pytest.mark.wide(4)
@unfinished
@pytest.mark.parametrize("dropout", [0.2, [0.1, 0.2, 0.3]], ids=str)
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_a_stack_equals_single_fits(dropout, solver, one_blas_thread):
    """A CV form and GridSearchCV, though networks of a stack share what is drawn."""
    X, y = data(61)
    how = SHORT | {"solver": solver, "dropout": dropout, "learning_rate_init": 0.01}
    alphas = [1e-3, 0.1]
    cv = WeightDecayMLPRegressorCV(alphas=alphas, cv=3, **how).fit(X, y)
    plain = WeightDecayMLPRegressor(**how)
    search = GridSearchCV(plain, {"alpha": alphas}, cv=3).fit(X, y)
    for key in ("split0_test_score", "split1_test_score", "split2_test_score"):
        assert_array_equal(cv.cv_results_[key], search.cv_results_[key])
    assert_array_equal(cv.coefs_[0], search.best_estimator_.coefs_[0])


@unfinished
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_calls_of_partial_fit_are_epochs(solver):
    X, y = data()
    how = SHORT | {"solver": solver, "dropout": 0.25, "alpha": 0.01}
    whole = WeightDecayMLPRegressor(**how).fit(X, y)
    parts = WeightDecayMLPRegressor(**how)
    for _ in range(8):
        parts.partial_fit(X, y)
    assert_array_equal(parts.coefs_[0], whole.coefs_[0])


@pytest.mark.slow
@unfinished
def test_kinds_of_data():
    X, y = data(90)
    for model, target in (
        (WeightDecayMLPClassifier(), np.digitize(y, [-0.5, 0.5])),
        (WeightDecayMLPClassifier(early_stopping=True), y > 0),
        (WeightDecayMLPRegressor(loss="poisson"), np.round(np.exp(y))),
        (WeightDecayMLPRegressor(alpha="auto"), y),
    ):
        how = SMALL | {"dropout": [0.1, 0.2, 0.0], "learning_rate_init": 0.01}
        model.set_params(**how, max_iter=60).fit(X.astype(np.float32), target)
        assert model.coefs_[0].dtype == np.float32
        assert model.score(X, target) > 0.4


def test_auto_is_a_solver_that_drops():
    X, y = data()
    with pytest.warns(match="here 'adam'"):
        WeightDecayMLPRegressor(dropout=0.5, max_iter=2).fit(X, y)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dropout": 1.0}, "dropout must be a number >= 0 and < 1, or a list"),
        ({"dropout": -0.1}, "dropout must be a number >= 0 and < 1, or a list"),
        ({"dropout": "half"}, "dropout must be a number >= 0 and < 1, or a list"),
        ({"dropout": [0.1, 0.2]}, "here 3 .X and each hidden layer.; got 2"),
        ({"solver": "lbfgs"}, "dropout=0.5 is for the solvers 'sgd', 'adam'; got"),
        ({"solver": "gd"}, "dropout=0.5 is for the solvers 'sgd', 'adam'; got"),
        ({"solver": "auto", "alpha": "evidence"}, "which dropout=0.5 does not give"),
        ({"solver": "auto", "alpha": "loo"}, "which dropout=0.5 does not give"),
        ({"posterior": True}, "which dropout=0.5 does not give"),
    ],
    ids=str,
)
def test_what_is_refused(change, message):
    X, y = data()
    model = WeightDecayMLPRegressor(**SMALL | {"dropout": 0.5} | change)
    with pytest.raises(ValueError, match=message):
        model.fit(X, y)
