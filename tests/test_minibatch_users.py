"""What users have been bitten by elsewhere, for mini-batches: sgd and adam."""

import numpy as np
import pytest
import reference
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import Ridge
from spies import assert_same_training, batches_seen, interrupted, numbered, rates_seen

from skwd import WeightDecayMLPRegressor

SOLVERS = {
    "adam": {"solver": "adam", "learning_rate_init": 0.02},
    "sgd": {"solver": "sgd", "learning_rate_init": 0.02},
}
both = pytest.mark.parametrize("solver", SOLVERS)

RNG = np.random.default_rng(0)
N = 120
X = RNG.standard_normal((N, 4))
Y = X @ [1.0, -2.0, 0.5, 0.0] + 3.0 + 0.1 * RNG.standard_normal(N)
WEIGHT = RNG.uniform(0.2, 2.0, N)


def network(solver, cls=WeightDecayMLPRegressor, **params):
    common = {"hidden_layer_sizes": (5,), "activation": "tanh", "batch_size": 16}
    common |= {"max_iter": 6, "tol": 0.0, "random_state": 0, **SOLVERS[solver]}
    common |= {"alpha": 1e-3}
    if cls is WeightDecayMLPRegressor:
        common |= {"normalize_y": False}  # J of y as it is
    return cls(**{**common, **params})


def fit(model, *data, **kwargs):
    """``fit`` of all max_iter epochs."""
    with pytest.warns(ConvergenceWarning, match="reached max_iter"):
        model.fit(*data, **kwargs)
    assert model.n_iter_ == model.max_iter
    return model


def test_no_warm_start_goes_through_the_rows_as_one_before_it(monkeypatch):
    model = network("sgd", max_iter=1, warm_start=True)
    with batches_seen(monkeypatch, N) as seen:
        for _ in range(4):
            fit(model, numbered(X), Y)
    assert len(seen) == 4 * 8  # 8 batches an epoch
    assert len(set(map(tuple, seen[::8]))) == 4


@pytest.mark.wide(6)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("solver", "schedule", "exact"),
    [
        ("sgd", {"learning_rate_init": 0.1, "learning_rate": "cosine"}, 1e-9),
        ("adam", {"learning_rate_init": 0.03, "learning_rate": "cosine"}, 1e-5),
        (
            "sgd",
            {"learning_rate_init": 0.1, "learning_rate": "invscaling", "power_t": 1.0},
            1e-2,
        ),
    ],
)
def test_alpha_means_the_same_for_every_batch_size(solver, schedule, exact, weighted):
    """Without a hidden layer every batch size reaches Ridge's weights at one alpha.

    ``exact`` is what the schedule leaves of the way in 400 epochs of a single batch.
    Smaller batches end in the noise of their gradients at the last learning rates that
    still move the weights: the more, the fewer the rows of the smallest batch, which is
    the last of an epoch, a single row with batches of 7 and 119. An alpha that is off
    by a factor of 2, let alone that of the batch size, is further off than all of them.
    """
    alpha, weight = 0.2, WEIGHT if weighted else np.ones(N)

    def ridge(alpha):
        model = Ridge(alpha=alpha * weight.sum()).fit(X, Y, sample_weight=weight)
        return np.append(model.coef_, model.intercept_)

    tolerance = {N: exact, N // 10: 2e-3 + exact, 7: 0.03, 119: 0.07}
    for other in (alpha / 2, 2 * alpha):
        assert np.abs(ridge(other) - ridge(alpha)).max() > 2 * max(tolerance.values())
    for batch_size, error in tolerance.items():
        model = network(
            solver,
            hidden_layer_sizes=(),
            alpha=alpha,
            batch_size=batch_size,
            max_iter=400,
            n_iter_no_change=400,
            **schedule,
        )
        fit(model, X, Y, sample_weight=weight if weighted else None)
        found = np.append(model.coefs_[0], model.intercepts_[0])
        assert_allclose(found, ridge(alpha), rtol=0, atol=error)


@pytest.mark.wide(4)
@pytest.mark.parametrize("weighted", [False, True])
@both
def test_every_solver_reaches_the_same_J(solver, weighted):
    """Never below the minimum, and less above it in full batches than in small ones."""
    weight = WEIGHT if weighted else None
    common = {"hidden_layer_sizes": (), "alpha": 0.2, "tol": 1e-12}
    lbfgs = WeightDecayMLPRegressor(solver="lbfgs", normalize_y=False, **common)
    J = lbfgs.fit(X, Y, sample_weight=weight).loss_
    schedule = {"learning_rate": "cosine", "max_iter": 400, "n_iter_no_change": 400}
    if solver == "adam":
        schedule |= {"learning_rate_init": 0.05}
    for batch_size, above in ((N, 1e-6), (12, 1e-4)):
        model = network(solver, batch_size=batch_size, **{**common, **schedule})
        fit(model, X, Y, sample_weight=weight)
        assert J * (1 - 1e-12) <= model.loss_ <= J * (1 + above)


@pytest.mark.wide(4)
@pytest.mark.parametrize("decay", ["l2", "decoupled"])
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@both
def test_loss_is_J_recomputed_at_the_returned_weights(
    solver, weighted, early_stopping, decay
):
    y = np.column_stack([Y, X[:, 0] * Y])
    weight = WEIGHT if weighted else np.ones(N)
    model = network(solver, alpha=(0.1, 0.02), early_stopping=early_stopping)
    model.set_params(decay=decay)
    validation = {"X_val": X[:20], "y_val": y[:20]} if early_stopping else {}
    fit(model, X, y, sample_weight=weight if weighted else None, **validation)
    plain = reference.objective(
        model.coefs_,
        model.intercepts_,
        "tanh",
        "squared_error",
        X,
        y,
        weight,
        (0.1, 0.02),
    )
    assert model.loss_ == pytest.approx(plain, rel=1e-12)
    assert len(model.loss_curve_) == model.n_iter_ and model.t_ == 6 * N


def plain_curve(model, start, batches, weight):
    """J of each epoch by a plain loop over the same batches, and the last weights.

    The weighted mean of the batches' losses before their steps, plus the penalty at the
    epoch's end. One tanh layer, squared error, SGD with Nesterov's momentum or Adam,
    on X about its weighted means; the weights at the start are those about its means.
    """
    alpha, rate = model.alpha, model.learning_rate_init
    origin = np.average(numbered(X), axis=0, weights=weight)
    data = numbered(X) - origin
    w = [a.copy() for a in start.coefs_ + start.intercepts_]
    w[2] += numbered(X).mean(axis=0) @ w[0]
    moments = [(np.zeros_like(a), np.zeros_like(a)) for a in w]
    curve, J, seen, t = [], 0.0, 0, 0
    for rows in batches:
        x, s = data[rows], weight[rows, np.newaxis]
        A = np.tanh(x @ w[0] + w[2])
        residual = A @ w[1] + w[3] - Y[rows, np.newaxis]
        J += 0.5 * np.sum(s * residual**2) / weight.sum()
        delta = residual * s * N / (len(rows) * weight.sum())
        hidden = delta @ w[1].T * (1.0 - A**2)
        g = [x.T @ hidden + alpha * w[0], A.T @ delta + alpha * w[1]]
        g += [hidden.sum(axis=0), delta.sum(axis=0)]
        t += 1
        for a, da, (m, v) in zip(w, g, moments):
            if model.solver == "sgd":
                m[:] = 0.9 * m + da
                a -= rate * (da + 0.9 * m)
            else:
                m[:] = 0.9 * m + 0.1 * da
                v[:] = 0.999 * v + 0.001 * da**2
                a -= rate * m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        seen += len(rows)
        if seen == N:
            curve.append(J + 0.5 * alpha * sum(np.sum(W**2) for W in w[:2]))
            J, seen = 0.0, 0
    w[2] -= origin @ w[0]
    return curve, w


@pytest.mark.wide(4)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("batch_size", [16, 17, N])
@both
def test_the_loss_curve_is_that_of_a_plain_loop(
    solver, batch_size, weighted, monkeypatch
):
    """17 rows leave a last batch of one; a learning rate of 1e-300 shows the start."""
    weight = WEIGHT if weighted else np.ones(N)
    model = network(solver, alpha=0.1, batch_size=batch_size)
    start = fit(clone(model).set_params(learning_rate_init=1e-300), numbered(X), Y)
    with batches_seen(monkeypatch, N) as batches:
        fit(model, numbered(X), Y, sample_weight=weight if weighted else None)
    assert {len(rows) for rows in batches[:-1]} <= {batch_size, N % batch_size}
    # The output bias starts at the weighted mean.
    start.intercepts_[1][:] = np.average(Y, weights=weight)
    curve, w = plain_curve(model, start, batches, weight)
    assert_allclose(model.loss_curve_, curve, rtol=1e-10)
    assert model.best_loss_ == min(model.loss_curve_)
    for ours, plain in zip(model.coefs_ + model.intercepts_, w, strict=True):
        assert_allclose(ours, plain, rtol=1e-8, atol=1e-11)


def expected_rates(curve, rate, tol, patience):
    """Divided by 5 where patience runs out; improvement is over a running best.

    By more than tol of it for each epoch of patience.
    """
    rates, best, waited = [], np.inf, 0
    for J in curve:
        rates.append(rate)
        improved = best == np.inf or J < best - tol * patience * best
        best, waited = (J, 0) if improved else (best, waited + 1)
        if waited == patience:
            rate, waited = rate / 5.0, 0
    return rates


@both
def test_the_adaptive_rate_goes_by_a_running_best(solver, monkeypatch):
    """A noisy J: it is neither the last epoch's nor that of one lucky epoch."""
    params = {"learning_rate": "adaptive", "tol": 0.005, "n_iter_no_change": 3}
    model = network(solver, max_iter=40, batch_size=4, **params)
    model.set_params(learning_rate_init=0.1)
    with rates_seen(monkeypatch) as rates:
        fit(model, X, Y)
    assert_allclose(rates, expected_rates(model.loss_curve_, 0.1, 0.005, 3), rtol=1e-12)
    assert 2 < len(set(rates)) < 12
    rose = np.diff(model.loss_curve_)[:-1] > 0
    kept = np.diff(rates)[1:] == 0  # the rate of the epoch that follows
    assert (rose & kept).any() and (~rose & ~kept).any()


def test_slow_progress_keeps_the_adaptive_rate(monkeypatch):
    """No epoch gains enough over the one before, but any three together do."""
    params = {"learning_rate": "adaptive", "tol": 0.01, "n_iter_no_change": 3}
    model = network("sgd", hidden_layer_sizes=(), batch_size=N, momentum=0.0, **params)
    model.set_params(learning_rate_init=0.008, max_iter=12)
    with rates_seen(monkeypatch) as rates:
        fit(model, X, Y)
    J, gains = np.array(model.loss_curve_), -np.diff(model.loss_curve_)
    assert (gains < 0.03 * J[:-1]).all()
    assert (gains[:-2] + gains[1:-1] + gains[2:] > 0.03 * J[:-3]).all()
    assert set(rates) == {0.008}


def test_an_adaptive_rate_of_1e_minus_6_ends_the_training(monkeypatch):
    """After so many rounds of patience, without a warning."""
    params = {"learning_rate": "adaptive", "tol": 1e3, "n_iter_no_change": 2}
    model = network("sgd", max_iter=100, **params)
    with rates_seen(monkeypatch) as rates:
        model.fit(X, Y)
    assert model.converged_ and rates[-1] <= 1e-6 < rates[-3]
    assert model.n_iter_ == len(rates) == 1 + 2 * len(set(rates))


@both
def test_keyboard_interrupt_inside_an_epoch_changes_nothing(solver, monkeypatch):
    new = network(solver)
    fitted = fit(clone(new), X, Y)
    before, predicted = dict(fitted.__dict__), fitted.predict(X)
    for model in (new, fitted):
        with interrupted(monkeypatch, after=11) as taken:  # of 8 in an epoch
            with pytest.raises(KeyboardInterrupt):
                model.fit(X, 2.0 * Y)
        assert len(taken) == 11
    assert fitted.__dict__.keys() == before.keys()
    assert all(fitted.__dict__[name] is before[name] for name in before)
    assert_array_equal(fitted.predict(X), predicted)
    with pytest.raises(NotFittedError):
        new.predict(X)
    assert_same_training(fit(new, X, Y), fitted)
