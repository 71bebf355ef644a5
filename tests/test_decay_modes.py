"""decay: every mode is its published rule, in a stack too, and what follows from it."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from skwd import (
    WeightDecayMLPClassifier,
    WeightDecayMLPRegressor,
    WeightDecayMLPRegressorCV,
)
from skwd._solvers.decay import DECAYS

MODES = [name for name, mode in DECAYS.items() if not mode.minimises_J]
ALPHA = 0.05
SHORT = {
    "hidden_layer_sizes": (),
    "normalize_y": False,
    "shuffle": False,
    "n_iter_no_change": np.inf,
    "tol": 0.0,
    "random_state": 0,
}
unfinished = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def line(n=40, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 3)) * [1.0, 3.0, 0.3]
    X -= X.mean(axis=0)
    return X, X @ [1.0, -0.5, 2.0] + 0.3 * rng.standard_normal(n) + 1.0


def reference(X, y, solver, decay, rates, batch, alpha, momentum=0.0):
    """The published rules, one step after the other, on a linear model."""
    n = len(y)
    w, b = np.zeros(X.shape[1]), y.mean()
    first, second, t = np.zeros(len(w) + 1), np.zeros(len(w) + 1), 0
    part = np.sqrt(batch / (n * len(rates)))
    for rate in rates:
        eta = rate / rates[0]
        for start in range(0, n, batch):
            rows = slice(start, start + batch)
            r = X[rows] @ w + b - y[rows]
            g = np.r_[X[rows].T @ r, r.sum()] / len(r)
            t += 1
            if solver == "adam":
                first = 0.9 * first + 0.1 * g
                second = 0.999 * second + 0.001 * g**2
                v_hat = second / (1 - 0.999**t)
                u = first / (1 - 0.9**t) / (np.sqrt(v_hat) + 1e-8)
                stable = 1.0 / np.sqrt(v_hat.mean())
            else:
                first = momentum * first + g
                u = first
                stable = 1.0 / (1.0 - momentum)
            lost = {
                "decoupled": rate * alpha * w,
                "independent": eta * alpha * w,
                "normalized": eta * alpha * part * w,
                "scheduled": rate * alpha * stable * w,
                "cautious": rate * alpha * (u[:-1] * w >= 0.0) * w,
            }[decay]
            w, b = w - lost - rate * u[:-1], b - rate * u[-1]
    return w, b


@unfinished
@pytest.mark.parametrize("decay", MODES)
@pytest.mark.parametrize(
    ("solver", "options"),
    [
        ("gd", {}),
        ("sgd", {"momentum": 0.0}),
        ("sgd", {"momentum": 0.8, "nesterovs_momentum": False}),
        ("adam", {}),
    ],
    ids=["gd", "sgd", "heavy ball", "adam"],
)
@pytest.mark.parametrize("learning_rate", ["constant", "cosine"])
def test_fifty_steps_of_the_published_rule(decay, solver, options, learning_rate):
    X, y = line()
    batch = 40 if solver == "gd" else 10
    n_epochs = 50 if solver == "gd" else 13
    size = {} if solver == "gd" else {"batch_size": batch}
    model = WeightDecayMLPRegressor(
        solver=solver,
        decay=decay,
        alpha=ALPHA,
        learning_rate=learning_rate,
        learning_rate_init=0.02,
        max_iter=n_epochs,
        **size,
        **options,
        **SHORT,
    ).fit(X, y)
    rates = np.array(model.learning_rates_)
    assert len(rates) == n_epochs and rates[0] == 0.02
    momentum = options.get("momentum", 0.0)
    w, b = reference(X, y, solver, decay, rates, batch, ALPHA, momentum)
    assert_allclose(model.coefs_[0][:, 0], w, rtol=1e-10, atol=1e-12)
    assert_allclose(model.intercepts_[0], b, rtol=1e-10)


@pytest.mark.wide(12)
@unfinished
@pytest.mark.parametrize("decay", MODES)
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_a_stack_of_alphas_equals_single_fits(decay, solver, one_blas_thread):
    X, y = line(60)
    how = {**SHORT, "hidden_layer_sizes": (5, 4), "solver": solver, "decay": decay}
    how |= {"max_iter": 6, "batch_size": 13, "shuffle": True}
    alphas = [0.0, 0.001, 0.1]
    cv = WeightDecayMLPRegressorCV(alphas=alphas, cv=3, **how).fit(X, y)
    for a, alpha in enumerate(alphas):
        for fold, rows in enumerate(np.array_split(np.arange(60), 3)):
            train = np.setdiff1d(np.arange(60), rows)
            plain = WeightDecayMLPRegressor(alpha=alpha, **how).fit(X[train], y[train])
            score = cv.cv_results_[f"split{fold}_test_score"][a]
            assert score == plain.score(X[rows], y[rows])


@unfinished
@pytest.mark.parametrize("decay", MODES)
def test_biases_never_decay_and_layers_have_their_own_alpha(decay):
    """Without a gradient, as of y that does not vary, only decayed weights move."""
    X = np.random.default_rng(0).standard_normal((30, 2))
    model = WeightDecayMLPClassifier(
        hidden_layer_sizes=(4,),
        solver="sgd",
        momentum=0.0,
        decay=decay,
        alpha=[0.5, 0.0],
        learning_rate_init=0.1,
        max_iter=1,
        random_state=0,
    )
    y = np.arange(30) % 2
    still = clone(model).set_params(alpha=0.0).fit(X, y)
    model.fit(X, y)
    assert (model.coefs_[0] != still.coefs_[0]).any()
    assert_array_equal(model.intercepts_[1], still.intercepts_[1])
    assert_array_equal(model.coefs_[1], still.coefs_[1])


@pytest.mark.wide(14)
@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize("decay", MODES)
def test_float32_decays_as_float64(solver, decay):
    """By what was asked, to one percent, though a step is below the last digit."""
    X, y = line(40)
    X[:, 0] = 0.0  # a column without a gradient: its weights decay alone
    how = {**SHORT, "hidden_layer_sizes": (20,), "solver": solver, "decay": decay}
    alpha = 2e-5 if decay in ("independent", "normalized") else 2e-2
    model = WeightDecayMLPRegressor(
        alpha=alpha, max_iter=500, batch_size=2, learning_rate_init=1e-3, **how
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        lost = []
        for dtype in (np.float32, np.float64):
            start = clone(model).set_params(alpha=0.0, max_iter=1)
            before = start.fit(X.astype(dtype), y).coefs_[0][0]
            after = clone(model).fit(X.astype(dtype), y).coefs_[0][0]
            lost.append(1.0 - np.abs(after).sum() / np.abs(before).sum())
    if decay != "cautious":  # u w >= 0 holds where the step is 0, too
        assert lost[1] > 1e-3
    assert lost[0] == pytest.approx(lost[1], rel=0.01, abs=1e-6)


def test_coupled_and_decoupled_are_one_for_gradient_descent():
    """Loshchilov and Hutter, Proposition 1."""
    X, y = line()
    how = {**SHORT, "solver": "gd", "learning_rate_init": 0.05, "max_iter": 60}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        coupled = WeightDecayMLPRegressor(alpha=ALPHA, **how).fit(X, y)
        for decay, alpha in (("decoupled", ALPHA), ("independent", 0.05 * ALPHA)):
            other = WeightDecayMLPRegressor(alpha=alpha, decay=decay, **how).fit(X, y)
            assert_allclose(other.coefs_[0], coupled.coefs_[0], rtol=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("decay", ["l2", "decoupled", "scheduled"])
def test_what_heavy_ball_converges_to(decay):
    """ridge(alpha), and of SGDW's rule ridge(alpha (1 - momentum)); SGDS repairs it."""
    X, y = line()
    model = WeightDecayMLPRegressor(
        solver="sgd",
        decay=decay,
        alpha=ALPHA,
        momentum=0.9,
        nesterovs_momentum=False,
        batch_size=40,
        learning_rate_init=0.01,
        max_iter=6000,
        **SHORT,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X, y)
    kept = ALPHA * (0.1 if decay == "decoupled" else 1.0)
    ridge = np.linalg.solve(X.T @ X / 40 + kept * np.eye(3), X.T @ (y - y.mean()) / 40)
    assert_allclose(model.coefs_[0][:, 0], ridge, rtol=1e-6)


@pytest.mark.parametrize("decay", MODES)
@pytest.mark.parametrize(
    "change", [{"solver": "lbfgs"}, {"alpha": "evidence"}, {"alpha": "loo"}], ids=str
)
def test_only_l2_has_a_minimum(decay, change):
    X, y = line()
    with pytest.raises(ValueError, match=f"decay={decay!r}"):
        WeightDecayMLPRegressor(decay=decay, **change).fit(X, y)


@pytest.mark.wide(4)
@unfinished
@pytest.mark.parametrize("learning_rate", ["linear", "cosine", "constant", "adaptive"])
def test_a_warm_up_comes_before_the_schedule(learning_rate):
    X, y = line()
    how = {**SHORT, "solver": "adam", "learning_rate": learning_rate, "max_iter": 10}
    how["alpha"] = ALPHA
    model = WeightDecayMLPRegressor(warmup_epochs=3, **how).fit(X, y)
    rates = np.array(model.learning_rates_) / model.learning_rate_init
    assert_allclose(rates[:4], [0.25, 0.5, 0.75, 1.0])
    part = np.arange(7) / 7
    rest = {"linear": 1 - part, "cosine": (1 + np.cos(np.pi * part)) / 2}
    assert_allclose(rates[3:], rest.get(learning_rate, np.ones(7)))
    parts = clone(model)
    for _ in range(10):
        parts.partial_fit(X, y)
    assert parts.learning_rates_ == model.learning_rates_
    assert_array_equal(parts.coefs_[0], model.coefs_[0])
    assert WeightDecayMLPRegressor(random_state=0).fit(X, y).learning_rates_ == []
    with pytest.raises(ValueError, match="warmup_epochs=3 is for the solvers"):
        WeightDecayMLPRegressor(warmup_epochs=3, solver="lbfgs").fit(X, y)
    with pytest.raises(ValueError, match="warmup_epochs must be an integer >= 0"):
        WeightDecayMLPRegressor(warmup_epochs=-1).fit(X, y)
