"""A new loss, penalty, solver, way or decay mode: one class and one line in a list."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from searches import assert_same_search, grid_search
from sklearn.base import clone
from sklearn.linear_model import Ridge
from stacks import make_stack

from skwd import (
    WeightDecayMLPClassifier,
    WeightDecayMLPRegressor,
    WeightDecayMLPRegressorCV,
)
from skwd._alpha import WAYS, Way
from skwd._alpha.choice import AlphaChoice
from skwd._core.interface import Interface, asked
from skwd._core.loss import Likelihood, Loss
from skwd._core.losses import LOSSES
from skwd._core.network import ForwardBackward, LayerNoise
from skwd._core.penalties import PENALTIES
from skwd._core.penalty import Penalty
from skwd._solvers.base import Solver, common_fields
from skwd._solvers.decay import DECAYS, DecoupledDecay
from skwd._solvers.registry import SOLVERS
from skwd._solvers.result import Result, Status
from skwd._solvers.task import train_path

LINEAR = {"hidden_layer_sizes": (), "normalize_y": False, "random_state": 0}
SMALL = {"hidden_layer_sizes": (3,), "random_state": 0}


def noisy_rows(seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((80, 5))
    y = X @ np.array([2.0, -1.0, 0.0, 0.0, 0.5]) + 0.3 * rng.standard_normal(80)
    return X, y


# Interfaces


def test_a_class_that_leaves_a_member_out_cannot_be_made():
    class Shape(Interface, abstract=True):
        name: ClassVar[str] = asked()

    with pytest.raises(TypeError, match="Square leaves out name of the interface"):

        class Square(Shape):
            pass

    with pytest.raises(TypeError, match="takes no keyword arguments"):

        class Round(Shape, abstract=True, sides=0):
            pass

    with pytest.raises(TypeError, match=r"Bare leaves out constant, .*inverse_link"):

        class Bare(Loss):
            name, out_activation, default_decay = "bare", "identity", 1.0

    for kind in (Penalty, Solver, Likelihood, Way, LayerNoise):
        with pytest.raises(TypeError, match="leaves out"):
            type("Nothing", (kind,), {})


# Penalties


class PseudoL1(Penalty):
    """alpha times the sum of l1_ratio root(w^2 + 1/100), which is smooth."""

    is_quadratic = False
    is_smooth = True

    def __init__(self, layout, l1_ratio):
        self.l1_ratio = l1_ratio

    def value(self, strength, params):
        roots = np.sqrt(np.square(params, dtype=float) + 0.01)
        return self.l1_ratio * (strength * roots).sum(axis=1)

    def value_gradient(self, strength, params):
        gradient = strength * params / np.sqrt(np.square(params) + 0.01)
        return self.value(strength, params), self.l1_ratio * gradient

    def gradient_ops(self, w, strength, out):
        return [
            (np.multiply, (w, w, out)),
            (np.add, (out, np.asarray(0.01, w.dtype), out)),
            (np.sqrt, (out, out)),
            (np.divide, (w, out, out)),
            (np.multiply, (out, strength, out)),
            (np.multiply, (out, np.asarray(self.l1_ratio, w.dtype), out)),
        ]

    def reference_alpha(self, pull):
        return float(np.abs(pull).max())


PSEUDO = {"sparsity": "pseudo", "l1_ratio": 0.5}


@pytest.fixture
def penalties(monkeypatch):
    monkeypatch.setitem(PENALTIES, "pseudo", PseudoL1)


@pytest.mark.parametrize("hidden", [(), (3,)])
def test_a_smooth_penalty_has_one_minimum_of_a_linear_model(penalties, hidden):
    """lbfgs and gd agree there, and J is what its formula says."""
    X, y = noisy_rows()
    how = {**LINEAR, **PSEUDO, "hidden_layer_sizes": hidden, "alpha": 0.2, "tol": 1e-9}
    model = WeightDecayMLPRegressor(**how).fit(X, y)
    residual = y - model.predict(X)
    weights = np.concatenate([W.ravel() for W in model.coefs_])
    J = np.mean(residual**2) / 2 + 0.1 * np.sqrt(weights**2 + 0.01).sum()
    assert model.loss_ == pytest.approx(J, rel=1e-9)
    if not hidden:
        rate = {"solver": "gd", "learning_rate_init": 0.2, "max_iter": 20_000}
        other = WeightDecayMLPRegressor(**how, **rate).fit(X, y)
        assert_allclose(other.coefs_[0], model.coefs_[0], atol=1e-4)
        assert other.loss_ == pytest.approx(model.loss_, rel=1e-8)


def test_a_penalty_is_cross_validated(penalties):
    X, y = noisy_rows()
    how = {**SMALL, **PSEUDO}
    chooser = WeightDecayMLPRegressorCV(alphas=[0.01, 1.0], cv=3, **how).fit(X, y)
    plain = WeightDecayMLPRegressor(alpha=chooser.alpha_, **how).fit(X, y)
    assert_array_equal(chooser.coefs_[0], plain.coefs_[0])
    grown = WeightDecayMLPRegressorCV(cv=3, **how).fit(X, y)
    assert grown.score(X, y) > 0.8


def test_what_a_penalty_rules_out_is_named(penalties):
    X, y = noisy_rows()
    with pytest.raises(ValueError, match="alpha='evidence' needs alpha/2 times"):
        WeightDecayMLPRegressor(alpha="evidence", **SMALL, **PSEUDO).fit(X, y)
    with pytest.raises(ValueError, match="None, 'input', 'adaptive' or 'pseudo'; got"):
        WeightDecayMLPRegressor(sparsity="none", l1_ratio=1.0).fit(X, y)


# Losses


class Laplacian(Likelihood):
    """A likelihood of known noise, of variance 2."""

    def curvature_root(self, raw):
        return np.ones((*raw.shape[:-1], 1, raw.shape[-1]))

    def variance(self, prediction, raw_variance, noise):
        return raw_variance + 2.0

    def marginalised(self, raw, covariance):
        return raw


@dataclass(frozen=True, eq=False)
class PseudoHuber(Loss):
    """p^2 (root(1 + ((raw - y) / p)^2) - 1), with the parameter ``power`` for p."""

    power: float = 1.0

    name = "pseudo_huber"
    out_activation = "identity"
    default_decay = 5.0
    likelihood = Laplacian()

    def with_parameters(self, parameters):
        return replace(self, power=parameters["power"])

    def loss(self, y, raw):
        p = self.power
        return p * p * (np.sqrt(1.0 + np.square((raw - y) / p)) - 1.0).sum(axis=-1)

    def gradient(self, raw, y, out):
        out[...] = (raw - y) / np.sqrt(1.0 + np.square((raw - y) / self.power))

    def inverse_link(self, raw):
        return raw

    def constant(self, y, norm_weight):
        return norm_weight @ y


@pytest.mark.slow
def test_a_loss_is_fitted_cross_validated_and_listed(monkeypatch):
    monkeypatch.setitem(LOSSES, "pseudo_huber", PseudoHuber())
    X, y = noisy_rows()
    y = y.copy()
    y[::10] += 50.0  # outliers
    clean = np.arange(len(y)) % 10 > 0
    found = {}
    for solver, power in (("lbfgs", 1.0), ("adam", 1.0), ("lbfgs", 3.0)):
        model = WeightDecayMLPRegressor(
            loss="pseudo_huber", alpha=1e-4, solver=solver, power=power, **LINEAR
        ).set_params(max_iter=5000, learning_rate_init=0.01, tol=1e-9)
        model.fit(X, y)
        assert model.score(X[clean], y[clean]) > 0.9
        assert Ridge().fit(X, y).score(X[clean], y[clean]) < 0.5
        residual = (y - model.predict(X)) / power
        J = power**2 * np.mean(np.sqrt(1.0 + residual**2) - 1.0)
        J += 0.5e-4 * np.square(model.coefs_[0]).sum()
        assert model.loss_ == pytest.approx(J, rel=1e-9)
        found[solver, power] = model.coefs_[0]
    assert np.abs(found["lbfgs", 1.0] - found["lbfgs", 3.0]).max() > 1e-3
    smooth = WeightDecayMLPRegressor(
        loss="pseudo_huber", power=1.0, posterior=True, **SMALL
    )
    _, std = smooth.fit(X, y).predict(X, return_std=True)
    # The noise of its own, not that of another loss with this link.
    assert (std >= np.sqrt(2.0)).all()
    chooser = WeightDecayMLPRegressorCV(loss="pseudo_huber", cv=3, **SMALL).fit(X, y)
    assert chooser.alpha_ > 0.0 and len(chooser.predict(X)) == len(y)
    with pytest.raises(ValueError, match=r"'squared_error', .*, 'pseudo_huber'; got"):
        WeightDecayMLPRegressor(loss="hinge").fit(X, y)
    with pytest.raises(ValueError, match="alpha='gcv' is for loss='squared_error'"):
        WeightDecayMLPRegressor(loss="pseudo_huber", alpha="gcv").fit(X, y)


class GaussianOfOwnVariance(Loss):
    """1/2 ((y - m)^2 e^-v + v), of two raw outputs for each target: m and v.

    m of every target come first. It predicts m, and has units: of y / c the mean is m /
    c and the log-variance v - 2 ln c.
    """

    name = "gaussian"
    out_activation = "identity"
    default_decay = 5.0
    moments = staticmethod(lambda y, weight: (weight @ y, y.std(axis=0)))

    def n_raw(self, n_targets):
        return 2 * n_targets

    def loss(self, y, raw):
        mean, log_variance = np.split(raw, 2, axis=-1)
        square = np.square(y - mean) * np.exp(-log_variance)
        return 0.5 * (square + log_variance).sum(axis=-1)

    def gradient(self, raw, y, out):
        mean, log_variance = np.split(raw, 2, axis=-1)
        far, precision = mean - y, np.exp(-log_variance)
        parts = far * precision, 0.5 - 0.5 * np.square(far) * precision
        np.concatenate(parts, axis=-1, out=out)

    def inverse_link(self, raw):
        return raw[..., : raw.shape[-1] // 2]

    def constant(self, y, norm_weight):
        mean = norm_weight @ y
        return np.concatenate([mean, np.log(norm_weight @ np.square(y - mean))])

    def in_other_units(self, W, b, ratio, shift):
        n = len(ratio)
        factor = np.concatenate([ratio, np.ones(n)])
        added = np.concatenate([shift, 2.0 * np.log(ratio)])
        return W * factor, b * factor + added


@pytest.fixture
def two_raw_outputs(monkeypatch):
    """The loss, and rows whose noise goes with a column."""
    monkeypatch.setitem(LOSSES, "gaussian", GaussianOfOwnVariance())
    rng = np.random.default_rng(3)
    X = rng.standard_normal((150, 3))
    noise = np.exp(0.6 * X[:, :1]) * rng.standard_normal((150, 2))
    return X, np.stack([X[:, 1], X[:, 2] - X[:, 1]], axis=1) + noise


def test_a_loss_of_two_raw_outputs_has_the_gradient_of_its_value(two_raw_outputs):
    loss, (_, Y) = LOSSES["gaussian"], two_raw_outputs
    raw = np.random.default_rng(0).standard_normal((150, 4))
    gradient = np.empty_like(raw)
    loss.gradient(raw, Y, gradient)
    for column in range(4):
        step = 1e-6 * np.eye(4)[column]
        difference = (loss.loss(Y, raw + step) - loss.loss(Y, raw - step)) / 2e-6
        assert_allclose(gradient[:, column], difference, rtol=1e-6, atol=1e-8)
    # Of y in other units: the log of a density moves by that of the units.
    W, b, ratio, shift = raw, np.ones(4), np.array([3.0, 0.2]), np.array([5.0, -1.0])
    other_W, other_b = loss.in_other_units(W, b, ratio, shift)
    there = loss.loss(ratio * Y + shift, other_W + other_b)
    assert_allclose(there, loss.loss(Y, W + b) + np.log(ratio).sum(), rtol=1e-10)
    weight = np.full(150, 1.0 / 150.0)
    constant = np.broadcast_to(loss.constant(Y, weight), raw.shape).copy()
    loss.gradient(constant.copy(), Y, constant)
    assert_allclose(weight @ constant, 0.0, atol=1e-14)  # nothing is better


@pytest.mark.wide(9)
@pytest.mark.parametrize("n_targets", [1, 2])
@pytest.mark.parametrize(
    ("solver", "rate"), [("lbfgs", 1.0), ("gd", 0.05), ("sgd", 0.02), ("adam", 0.01)]
)
def test_a_loss_of_two_raw_outputs_is_trained(two_raw_outputs, solver, rate, n_targets):
    X, Y = two_raw_outputs
    y = Y if n_targets == 2 else Y[:, 0]
    model = WeightDecayMLPRegressor(
        loss="gaussian",
        hidden_layer_sizes=(4,),
        alpha=0.01,
        solver=solver,
        learning_rate_init=rate,
        tol=1e-4,
        activation="tanh",
        random_state=0,
    ).fit(X, y)
    assert model.predict(X).shape == y.shape and model.coefs_[-1].shape[1] == 2 * (
        n_targets
    )
    hidden = np.tanh(X @ model.coefs_[0] + model.intercepts_[0])
    raw = hidden @ model.coefs_[1] + model.intercepts_[1]
    scaled = (Y[:, :n_targets] - model.y_mean_) / model.y_scale_
    J = LOSSES["gaussian"].loss(scaled, raw).mean()
    J += 0.005 * sum(np.square(W).sum() for W in model.coefs_)
    assert model.loss_ == pytest.approx(J, rel=1e-10)
    mean = raw[:, :n_targets] * model.y_scale_ + model.y_mean_
    assert_allclose(model.predict(X).reshape(150, -1), mean, rtol=1e-10)
    constant = LOSSES["gaussian"].constant(scaled, np.full(150, 1.0 / 150.0))
    assert model.loss_ < LOSSES["gaussian"].loss(scaled, constant).mean() - 0.1


@pytest.mark.slow
def test_a_loss_of_two_raw_outputs_is_stacked_continued_and_refused(
    two_raw_outputs, one_blas_thread
):
    X, Y = two_raw_outputs
    how = {"loss": "gaussian", **SMALL}
    model = WeightDecayMLPRegressorCV(alphas=[0.01, 0.1], cv=3, n_init=2, **how)
    assert_same_search(model.fit(X, Y), grid_search(model, X, Y))
    model = WeightDecayMLPRegressor(alpha=0.1, intervals=3, tol=1e-8, **how)
    lowest = model.fit(X, Y).loss_
    assert model.predict_interval(X).shape == (150, 2, 2)
    again = model.set_params(warm_start=True).fit(X, Y)
    assert again.loss_curve_[0] <= lowest  # it begins where it was
    epoch = WeightDecayMLPRegressor(solver="adam", **how).partial_fit(X, Y)
    assert epoch.partial_fit(X, Y).predict(X).shape == (150, 2)
    chosen = WeightDecayMLPRegressor(alpha="auto", **how).fit(X, Y)
    assert chosen.predict(X).shape == (150, 2)
    with pytest.raises(ValueError, match="has 4 raw outputs, which no network"):
        model.to_sklearn()
    with pytest.raises(ValueError, match="which has no likelihood"):
        WeightDecayMLPRegressor(posterior=True, **how).fit(X, Y)


# Solvers


@dataclass(frozen=True)
class Backtracking(Solver):
    """Gradient steps, halved until J falls."""

    name: ClassVar[str] = "backtracking"
    unit: ClassVar[str] = "steps"
    sees_all_rows: ClassVar[bool] = True

    @classmethod
    def of(cls, params):
        return cls(**common_fields(params))

    def network_bytes(self, layout, n_rows, itemsize):
        return 16 * layout.n_params

    def minimise(self, objective, params0, monitor, order):
        result = Result.of_start(params0)
        step = np.ones(len(params0))
        for _ in range(self.max_iter):
            k = np.flatnonzero(result.status == Status.RUNNING)
            if not len(k):
                break
            part = objective[k]
            fun, jac = part.loss_gradient(result.x[k])
            while True:
                trial = result.x[k] - step[k, np.newaxis] * jac
                higher = part.fun(trial) > fun
                if not higher.any():
                    break
                step[k[higher]] *= 0.5
            result.x[k], result.fun[k] = trial, part.fun(trial)
            result.nit[k] += 1
            result.status[k] = monitor(k, trial, result.fun[k])
            step[k] *= 2.0
        result.status[result.status == Status.RUNNING] = Status.MAX_ITER
        return result


@pytest.mark.slow
def test_a_solver_is_fitted_cross_validated_and_listed(monkeypatch, one_blas_thread):
    monkeypatch.setitem(SOLVERS, "backtracking", Backtracking)
    X, y = noisy_rows()
    n = len(y)
    how = {"solver": "backtracking", "tol": 1e-9, "max_iter": 2000}
    linear = WeightDecayMLPRegressor(alpha=0.1, **LINEAR, **how).fit(X, y)
    ridge = Ridge(alpha=0.1 * n).fit(X, y).predict(X)
    assert_allclose(linear.predict(X), ridge, atol=1e-3)
    chooser = WeightDecayMLPRegressorCV(
        solver="backtracking", alphas=[1e-3, 0.1], cv=3, n_init=2, **SMALL
    ).fit(X, y)
    plain = WeightDecayMLPRegressor(
        solver="backtracking", alpha=chooser.alpha_, n_init=2, **SMALL
    ).fit(X, y)
    assert_array_equal(chooser.coefs_[0], plain.coefs_[0])
    short = clone(plain).set_params(max_iter=2, n_init=1)
    with pytest.warns(match="reached max_iter .* max_iter or tol") as caught:
        short.fit(X, y)
    assert caught[0].message.__notes__ == ["2 steps"]
    with pytest.raises(ValueError, match="'adam', 'backtracking'; got 'newton'"):
        WeightDecayMLPClassifier(solver="newton").fit(X, y > 0)
    assert not hasattr(plain, "partial_fit")


# Ways to choose alpha


class Tenth(Way):
    """A tenth of the mean square of the rows, whatever y is."""

    name = "tenth"

    def choose(self, task, kind, verbose):
        squares = np.square(task.training.X).sum(axis=1).mean()
        alphas = np.full((1, task.groups.n_groups), 0.1 * squares)
        return AlphaChoice.of(train_path([task], alphas))


def test_a_way_is_used_and_listed(monkeypatch):
    monkeypatch.setitem(WAYS, "tenth", Tenth())
    X, y = noisy_rows()
    model = WeightDecayMLPRegressor(alpha="tenth", **LINEAR).fit(X, y)
    assert model.alpha_ == pytest.approx(0.1 * np.square(X).sum(axis=1).mean())
    assert model.log_evidence_ < 0.0  # of alpha by name
    ridge = Ridge(alpha=model.alpha_ * len(X)).fit(X, y)
    assert_allclose(model.predict(X), ridge.predict(X))
    assert not hasattr(model.set_params(solver="adam"), "partial_fit")
    with pytest.raises(ValueError, match=r"'auto', .*'gcv', 'tenth'; got 'twentieth'"):
        model.set_params(alpha="twentieth").fit(X, y)


# Decay modes


class DoubleDecay(DecoupledDecay):
    """w <- (1 - 2 rate alpha) w."""

    name = "double"

    def factor(self, alpha, sizes, out):
        super().factor(2.0 * alpha, sizes, out)


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_a_decay_mode_is_used_and_listed(monkeypatch, solver):
    monkeypatch.setitem(DECAYS, "double", DoubleDecay())
    X, y = noisy_rows()
    how: dict[str, Any] = {"solver": solver, "max_iter": 5, "tol": 0, **SMALL}
    with pytest.warns(match="max_iter"):
        model = WeightDecayMLPRegressor(decay="double", alpha=0.05, **how).fit(X, y)
    with pytest.warns(match="max_iter"):
        other = WeightDecayMLPRegressor(decay="decoupled", alpha=0.1, **how).fit(X, y)
    assert_array_equal(model.coefs_[0], other.coefs_[0])
    with pytest.raises(ValueError, match=r"'cautious', 'double'; got 'triple'"):
        WeightDecayMLPRegressor(decay="triple").fit(X, y)


# Noise in training


class HalfOfTheUnits(LayerNoise):
    """Every second unit is off, the others count twice."""

    def ops(self, layer, values, slopes):
        factor = 2.0 * (np.arange(values.shape[-1]) % 2)
        found = [(np.multiply, (values, factor, values))]
        if slopes is not None:
            found.append((np.multiply, (slopes, factor, slopes)))
        return found


@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize("hidden", [(6,), (5, 4)])
def test_a_disturbed_pass_has_the_gradient_of_what_it_computes(hidden, n_outputs):
    objective, params = make_stack(
        2, alpha=np.zeros(2), hidden=hidden, n_outputs=n_outputs, activation="tanh"
    )
    X = objective.samples[0].take(slice(0, 7))
    weights = np.random.default_rng(1).standard_normal((2, 7, n_outputs))

    def value(params):
        one = ForwardBackward(objective.network, params, 7, noise=HalfOfTheUnits())
        return (one.forward(X) * weights).sum(axis=(1, 2))

    grad = np.empty_like(params)
    one = ForwardBackward(objective.network, params, 7, grad, noise=HalfOfTheUnits())
    one.forward(X)
    one.backward(X, weights.copy())
    for p in range(0, params.shape[1], 3):
        step = np.zeros_like(params)
        step[:, p] = 1e-6
        difference = (value(params + step) - value(params - step)) / 2e-6
        assert_allclose(grad[:, p], difference, rtol=1e-5, atol=1e-7)
    disturbed = one.forward(X).copy()
    plain = ForwardBackward(objective.network, params, 7).forward(X)
    assert (np.abs(plain - disturbed) > 1e-3).any()
