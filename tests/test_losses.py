"""The losses of regressors: gradients, constants, and scikit-learn's linear models."""

import pickle

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from sklearn.linear_model import (
    GammaRegressor,
    HuberRegressor,
    QuantileRegressor,
    TweedieRegressor,
)

from skwd import WeightDecayMLPRegressor, WeightDecayMLPRegressorCV
from skwd._core.losses import LOSSES
from skwd._core.robust_losses import MEDIAN_DISTANCE

LINEAR = {"hidden_layer_sizes": (), "normalize_y": False, "tol": 1e-9}
SMALL = {"hidden_layer_sizes": (6,), "random_state": 0}
OWN = {"huber_delta": None, "quantile": 0.8, "power": 1.3}
every_loss = pytest.mark.parametrize("name", LOSSES)
new_losses = pytest.mark.parametrize(
    "name", [n for n in LOSSES if n not in ("squared_error", "poisson")]
)


def rows(n=200, seed=0):
    """A linear signal with heavy tails, and positive y about its exponential."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 5))
    signal = X @ np.array([1.0, -0.5, 0.0, 0.0, 0.3])
    return X, signal + 0.5 * rng.standard_t(2, n), rng.gamma(2.0, np.exp(signal) / 2)


def y_for(name, seed=0):
    X, y, positive = rows(seed=seed)
    return X, positive if LOSSES[name].domain is not None else y


def fitted_loss(name, y, share):
    scale = np.ones(y.shape[1])
    return LOSSES[name].with_parameters(OWN).fitted_to(y, share, scale)


@every_loss
def test_gradients_are_those_of_the_losses(name):
    """By finite differences, where they are not at a corner; in both precisions."""
    _, y = y_for(name)
    y, share = np.stack([y[:50], y[50:100]], axis=1), np.full(50, 1 / 50)
    loss, rng = fitted_loss(name, y, share), np.random.default_rng(1)
    raw = rng.standard_normal((3, 50, 2))
    out, step = np.empty_like(raw), 1e-6
    loss.gradient(raw, y, out)
    for k in range(2):
        e = step * np.eye(2)[k]
        slope = (loss.loss(y, raw + e) - loss.loss(y, raw - e)) / (2 * step)
        np.testing.assert_allclose(out[..., k], slope, atol=2e-4, rtol=1e-5)
    both, losses = raw.copy(), loss.loss(y, raw)
    np.testing.assert_allclose(loss.loss_gradient(y, both), losses, rtol=1e-12)
    np.testing.assert_array_equal(both, out)
    narrow = np.empty(raw.shape, np.float32)
    loss.gradient(raw.astype(np.float32), y.astype(np.float32), narrow)
    np.testing.assert_allclose(narrow, out, rtol=2e-3, atol=2e-3)


@every_loss
def test_the_constant_is_the_best_one(name):
    _, y = y_for(name)
    rng = np.random.default_rng(2)
    share = rng.uniform(size=len(y))
    share /= share.sum()
    y = y[:, np.newaxis]
    loss = fitted_loss(name, y, share)
    found = loss.constant(y, share)[0]

    def mean(raw):
        return float(share @ loss.loss(y, np.full_like(y, raw)))

    best = minimize_scalar(mean, bracket=(found - 0.5, found + 0.5), tol=1e-12)
    assert mean(found) <= best.fun * (1 + 1e-9) + 1e-12


@every_loss
def test_some_networks_of_a_stack_keep_their_own_losses(name):
    """Whatever each has learnt from its y."""
    _, y = y_for(name)
    y, share = y[:40, None], np.full(40, 1 / 40)
    losses = [fitted_loss(name, factor * y, share) for factor in (1.0, 2.0, 5.0)]
    stack = losses[0].stacked(losses, np.array([0, 1, 2, 2]))[np.array([3, 1])]
    raw = np.random.default_rng(0).standard_normal((2, 40, 1))
    for k, number in enumerate((2, 1)):
        alone = losses[number].loss(y, raw[k])
        np.testing.assert_allclose(stack.loss(y, raw)[k], alone)


@pytest.mark.parametrize("name", ["huber", "absolute_error", "quantile"])
def test_what_robust_losses_learn_is_in_units_of_y(name):
    y, share = y_for(name)[1][:50, None], np.full(50, 1 / 50)
    learnt = "delta" if name == "huber" else "width"
    found = getattr(fitted_loss(name, y, share), learnt)
    for factor in (1e-3, 1e3):
        other = getattr(fitted_loss(name, factor * y, share), learnt)
        np.testing.assert_allclose(other, factor * found)


@pytest.mark.parametrize("name", ["huber", "absolute_error", "quantile"])
def test_of_a_constant_y_the_loss_is_that_of_deviation_one(name):
    share = np.full(9, 1 / 9)
    loss = fitted_loss(name, np.full((9, 1), 3.0), share)
    of_one = fitted_loss(name, MEDIAN_DISTANCE * np.tile([-1, 0, 1], 3)[:, None], share)
    assert loss.key == of_one.key
    X = rows(9)[0]
    model = WeightDecayMLPRegressor(loss=name, **SMALL).fit(X, np.full(9, 3.0))
    np.testing.assert_allclose(model.predict(X), 3.0, rtol=1e-6)


@every_loss
def test_a_prediction_without_error_costs_nothing(name):
    _, y = y_for(name)
    y, share = y[:, np.newaxis], np.full(len(y), 1 / len(y))
    loss = fitted_loss(name, y, share)
    raw = np.log(y) if loss.out_activation == "exp" else y
    np.testing.assert_allclose(loss.loss(y, raw), 0.0, atol=1e-12)


# Without a hidden layer


def test_huber_is_huber_regressor():
    X, y, _ = rows()
    peer = HuberRegressor(epsilon=1.35, alpha=0.5, tol=1e-10, max_iter=10_000)
    peer.fit(X, y)
    delta, alpha = 1.35 * peer.scale_, 0.5 * peer.scale_ / len(y)
    model = WeightDecayMLPRegressor(
        loss="huber", huber_delta=delta, alpha=alpha, **LINEAR
    ).fit(X, y)
    np.testing.assert_allclose(model.coefs_[0][:, 0], peer.coef_, atol=1e-5)
    np.testing.assert_allclose(model.intercepts_[0], peer.intercept_, atol=1e-5)
    # In y's own units, whatever the network sees.
    scaled = WeightDecayMLPRegressor(
        loss="huber",
        huber_delta=delta,
        alpha=alpha,
        **LINEAR | {"normalize_y": True},
    ).fit(X, y)
    np.testing.assert_allclose(scaled.predict(X), peer.predict(X), atol=0.02)


@pytest.mark.wide(3)
@pytest.mark.parametrize("q", [0.1, 0.5, 0.9])
def test_quantile_is_quantile_regressor_in_the_limit(q):
    """A round corner of a thousandth of a deviation: as close, with the same zeros."""
    X, y, _ = rows()
    peer = QuantileRegressor(quantile=q, alpha=0.02, solver="highs").fit(X, y)
    how = {"loss": "quantile", "quantile": q, "alpha": 0.02, "l1_ratio": 1.0}
    model = WeightDecayMLPRegressor(**how, **LINEAR).fit(X, y)
    width = 1e-3 * y.std()
    np.testing.assert_allclose(
        model.coefs_[0][:, 0], peer.coef_, atol=10 * width, rtol=0
    )
    np.testing.assert_array_equal(model.support_, peer.coef_ != 0.0)
    J, error = model.loss_, y - peer.predict(X)
    exact = np.mean(np.maximum(q * error, (q - 1) * error))
    exact += 0.02 * np.abs(peer.coef_).sum()
    assert exact - 0.5 * width <= J <= exact  # the stated limit
    if q == 0.5:
        how |= {"loss": "absolute_error", "alpha": 0.04}
        twice = WeightDecayMLPRegressor(**how, **LINEAR).fit(X, y)
        np.testing.assert_allclose(twice.coefs_[0], model.coefs_[0], atol=1e-5)


@pytest.mark.parametrize("power", [1.0, 1.3, 1.9, 2.0, 3.0])
def test_tweedie_and_gamma_are_scikit_learn_s(power):
    X, _, y = rows()
    if power < 2.0:
        y[::5] = 0.0
    how = {"alpha": 0.1, "tol": 1e-10, "max_iter": 10_000}
    peer = TweedieRegressor(power=power, link="log", **how).fit(X, y)
    losses = [{"loss": "tweedie", "power": power}]
    if power == 2.0:
        peer = GammaRegressor(**how).fit(X, y)
        losses.append({"loss": "gamma"})
    for loss in losses:
        model = WeightDecayMLPRegressor(alpha=0.1, **loss, **LINEAR).fit(X, y)
        np.testing.assert_allclose(model.coefs_[0][:, 0], peer.coef_, atol=1e-6)
        np.testing.assert_allclose(model.predict(X), peer.predict(X), rtol=1e-6)


# Networks


@pytest.mark.slow
@new_losses
def test_networks_are_fitted_chosen_and_kept(name):
    X, y = y_for(name)
    how = {"loss": name, "quantile": 0.5, **SMALL}
    model = WeightDecayMLPRegressor(**how).fit(X, y)
    constant = LOSSES[name].with_parameters({**OWN, "quantile": 0.5})
    constant = constant.fitted_to(y[:, None], np.full(len(y), 1 / len(y)), np.ones(1))
    assert np.isfinite(model.loss_) and model.predict(X).shape == y.shape
    by_folds = WeightDecayMLPRegressor(alpha="auto", **how).fit(X, y)
    assert "network" in by_folds.alpha_choice_["scores"]
    chosen = WeightDecayMLPRegressorCV(
        alphas=[0.01, 0.1], cv=3, scoring="neg_mean_absolute_error", **how
    ).fit(X, y)
    plain = WeightDecayMLPRegressor(alpha=chosen.alpha_, **how).fit(X, y)
    np.testing.assert_array_equal(chosen.predict(X), plain.predict(X))
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    steps = WeightDecayMLPRegressor(solver="adam", early_stopping=True, **how)
    assert np.isfinite(steps.fit(X, y).predict(X)).all()
    stream = WeightDecayMLPRegressor(solver="adam", alpha=0.01, **how)
    assert np.isfinite(stream.partial_fit(X, y).partial_fit(X, y).predict(X)).all()
    banded = WeightDecayMLPRegressor(alpha=0.03, intervals=4, **how).fit(X, y)
    ends = banded.predict_interval(X)
    assert (ends[:, 0] <= ends[:, 1]).all()


@pytest.mark.wide(3)
@pytest.mark.parametrize("name", ["huber", "absolute_error", "quantile"])
def test_units_of_y_do_not_matter(name):
    X, y, _ = rows()
    how = {"loss": name, "tol": 1e-9, **SMALL}
    how |= {"quantile": 0.7} if name == "quantile" else {}
    for hidden, far in (((), 1e-6), ((6,), 0.02)):  # networks may end elsewhere
        how["hidden_layer_sizes"] = hidden
        model = WeightDecayMLPRegressor(**how).fit(X, y)
        other = WeightDecayMLPRegressor(**how).fit(X, 1e6 * y - 3e5)
        assert other.loss_ == pytest.approx(model.loss_, rel=far)
        if not hidden:
            np.testing.assert_allclose(
                (other.predict(X) + 3e5) / 1e6, model.predict(X), atol=1e-4
            )


@pytest.mark.slow
def test_robust_losses_ignore_what_ruins_squares():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 3))
    truth = np.sin(2 * X[:, 0]) + X[:, 1]
    y = truth + 0.1 * rng.standard_normal(300)
    y[:30] += 50.0 * rng.standard_normal(30)
    errors = {}
    for name in ("squared_error", "huber", "absolute_error"):
        how = {"hidden_layer_sizes": (20,), "activation": "tanh", "random_state": 0}
        model = WeightDecayMLPRegressor(loss=name, alpha=1e-3, **how)
        errors[name] = np.sqrt(np.mean((model.fit(X, y).predict(X) - truth) ** 2))
    assert errors["huber"] < 0.4 and errors["absolute_error"] < 0.4
    assert errors["squared_error"] > 2.0


@pytest.mark.parametrize("q", [0.1, 0.5, 0.9])
def test_a_quantile_has_that_part_of_new_rows_below_it(q):
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (3000, 1))
    y = X[:, 0] + (0.2 + 0.5 * np.abs(X[:, 0])) * rng.standard_normal(3000)
    model = WeightDecayMLPRegressor(loss="quantile", quantile=q, **SMALL)
    model.fit(X[:2000], y[:2000])
    below = np.mean(y[2000:] <= model.predict(X[2000:]))
    assert below == pytest.approx(q, abs=0.04)


# What does not go


@pytest.mark.parametrize(
    ("given", "y", "message"),
    [
        (
            {"loss": "gamma"},
            [0.0, 1.0, 2.0],
            "loss='gamma' needs y > 0; got 0. Use loss='tweedie' and power=1.5 for "
            "targets that may be 0.",
        ),
        ({"loss": "tweedie"}, [-1.0, 1.0, 2.0], "loss='tweedie' needs y >= 0; got -1"),
        (
            {"loss": "tweedie", "power": 2.5},
            [0.0, 1.0, 2.0],
            "loss='tweedie' needs y > 0; got 0. Use loss='tweedie' and power=1.5 for",
        ),
        ({"quantile": 1.0}, [0.0, 1.0, 2.0], "quantile must be a number between 0 and"),
        ({"huber_delta": 0}, [0.0, 1.0, 2.0], "huber_delta must be None or a finite"),
        ({"power": 0.5}, [0.0, 1.0, 2.0], "power must be a number from 1 to 3"),
        (
            {"loss": "huber", "alpha": "evidence"},
            [0.0, 1.0, 2.0],
            "alpha='evidence' is not for loss='huber', which has no likelihood",
        ),
        (
            {"loss": "gamma", "alpha": "loo"},
            [1.0, 1.5, 2.0],
            "alpha='loo' is not for loss='gamma'",
        ),
        (
            {"loss": "gamma", "posterior": True},
            [1.0, 1.5, 2.0],
            "posterior=True is not for loss='gamma'",
        ),
    ],
)
def test_a_loss_says_what_it_cannot_do(given, y, message):
    with pytest.raises(ValueError, match=message):
        WeightDecayMLPRegressor(**SMALL, **given).fit(np.eye(3), y)
