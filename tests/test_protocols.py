"""A new loss, penalty, solver or noise: one object and one line of registration."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import Ridge
from stacks import make_stack

from skwd import (
    WeightDecayMLPClassifier,
    WeightDecayMLPRegressor,
    WeightDecayMLPRegressorCV,
)
from skwd._core.loss import LossDefaults
from skwd._core.losses import LOSSES
from skwd._core.network import ForwardBackward
from skwd._core.penalties import PENALTIES
from skwd._core.penalty import Penalty
from skwd._solvers.base import Solver, common_fields
from skwd._solvers.registry import SOLVERS
from skwd._solvers.result import Result, Status

LINEAR = {"hidden_layer_sizes": (), "normalize_y": False, "random_state": 0}
SMALL = {"hidden_layer_sizes": (3,), "random_state": 0}


def noisy_rows(seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((80, 5))
    y = X @ np.array([2.0, -1.0, 0.0, 0.0, 0.5]) + 0.3 * rng.standard_normal(80)
    return X, y


# Penalties


class PseudoL1(Penalty):
    """alpha times the sum of root(w^2 + 1/100), which is smooth."""

    name = "pseudo_l1"
    is_quadratic = False
    is_smooth = True

    def value(self, strength, params):
        return (strength * np.sqrt(np.square(params, dtype=float) + 0.01)).sum(axis=1)

    def value_gradient(self, strength, params):
        gradient = strength * params / np.sqrt(np.square(params) + 0.01)
        return self.value(strength, params), gradient

    def gradient_ops(self, w, strength, out):
        return [
            (np.multiply, (w, w, out)),
            (np.add, (out, np.asarray(0.01, w.dtype), out)),
            (np.sqrt, (out, out)),
            (np.divide, (w, out, out)),
            (np.multiply, (out, strength, out)),
        ]

    def curvature(self, strength, params):
        return strength * 0.01 * (np.square(params) + 0.01) ** -1.5

    def log_prior(self, precision, counts, values):
        raise NotImplementedError

    def reference_alpha(self, pull):
        return float(np.abs(pull).max())


@pytest.fixture
def penalties(monkeypatch):
    monkeypatch.setitem(PENALTIES, PseudoL1.name, lambda layout, ratio: PseudoL1())


class Regressor(WeightDecayMLPRegressor):
    _penalty = "pseudo_l1"


class RegressorCV(WeightDecayMLPRegressorCV):
    _penalty = "pseudo_l1"
    _plain_class = Regressor


@pytest.mark.parametrize("hidden", [(), (3,)])
def test_a_smooth_penalty_has_one_minimum_of_a_linear_model(penalties, hidden):
    """lbfgs and gd agree there, and J is what its formula says."""
    X, y = noisy_rows()
    how = {**LINEAR, "hidden_layer_sizes": hidden, "alpha": 0.1, "tol": 1e-9}
    model = Regressor(**how).fit(X, y)
    residual = y - model.predict(X)
    weights = np.concatenate([W.ravel() for W in model.coefs_])
    J = np.mean(residual**2) / 2 + 0.1 * np.sqrt(weights**2 + 0.01).sum()
    assert model.loss_ == pytest.approx(J, rel=1e-9)
    if not hidden:
        rate = {"solver": "gd", "learning_rate_init": 0.2, "max_iter": 20_000}
        other = Regressor(**how, **rate).fit(X, y)
        np.testing.assert_allclose(other.coefs_[0], model.coefs_[0], atol=1e-4)
        assert other.loss_ == pytest.approx(model.loss_, rel=1e-8)


def test_a_penalty_is_cross_validated(penalties):
    X, y = noisy_rows()
    chooser = RegressorCV(alphas=[0.01, 1.0], cv=3, **SMALL).fit(X, y)
    plain = Regressor(alpha=chooser.alpha_, **SMALL).fit(X, y)
    np.testing.assert_array_equal(chooser.coefs_[0], plain.coefs_[0])
    grown = RegressorCV(cv=3, **SMALL).fit(X, y)
    assert grown.score(X, y) > 0.8


def test_what_a_penalty_rules_out_is_named(penalties):
    X, y = noisy_rows()
    with pytest.raises(ValueError, match="alpha='evidence' needs alpha/2 times"):
        Regressor(alpha="evidence", **SMALL).fit(X, y)


# Losses


class PseudoHuber(LossDefaults):
    """root(1 + (raw - y)^2) - 1, an identity link, and no bound."""

    name = "pseudo_huber"
    out_activation = "identity"
    is_for_numbers = True
    has_noise = False
    shift_invariant = False
    is_quadratic = False
    least_y = None
    default_decay = 5.0

    def loss_gradient(self, y, raw):
        losses = self.loss(y, raw)
        self.gradient(raw.copy(), y, raw)
        return losses

    def loss(self, y, raw):
        return (np.sqrt(1.0 + np.square(raw - y)) - 1.0).sum(axis=-1)

    def gradient(self, raw, y, out):
        out[...] = (raw - y) / np.sqrt(1.0 + np.square(raw - y))

    def inverse_link(self, raw):
        return raw

    def constant(self, y, share):
        return share @ y

    def curvature_root(self, raw):
        return np.ones((*raw.shape[:-1], 1, raw.shape[-1]))

    def saturated_log_likelihood(self, y):
        return np.zeros(len(y))

    def variance(self, prediction, raw_variance, noise):
        return raw_variance + 2.0

    def marginalised(self, raw, covariance):
        return raw


def test_a_loss_is_fitted_cross_validated_and_listed(monkeypatch):
    monkeypatch.setitem(LOSSES, "pseudo_huber", PseudoHuber())
    X, y = noisy_rows()
    y = y.copy()
    y[::10] += 50.0  # outliers
    clean = np.arange(len(y)) % 10 > 0
    for solver in ("lbfgs", "adam"):
        model = WeightDecayMLPRegressor(
            loss="pseudo_huber", alpha=1e-4, solver=solver, **LINEAR, tol=1e-9
        ).set_params(max_iter=5000, learning_rate_init=0.01)
        model.fit(X, y)
        assert model.score(X[clean], y[clean]) > 0.95
        assert Ridge().fit(X, y).score(X[clean], y[clean]) < 0.5
    smooth = WeightDecayMLPRegressor(loss="pseudo_huber", posterior=True, **SMALL)
    _, std = smooth.fit(X, y).predict(X, return_std=True)
    # The noise of its own, not that of another loss with this link.
    assert (std >= np.sqrt(2.0)).all()
    chooser = WeightDecayMLPRegressorCV(loss="pseudo_huber", cv=3, **SMALL).fit(X, y)
    assert chooser.alpha_ > 0.0 and len(chooser.predict(X)) == len(y)
    with pytest.raises(ValueError, match=r"'squared_error', .*, 'pseudo_huber'; got"):
        WeightDecayMLPRegressor(loss="hinge").fit(X, y)
    with pytest.raises(ValueError, match="alpha='gcv' is for loss='squared_error'"):
        WeightDecayMLPRegressor(loss="pseudo_huber", alpha="gcv").fit(X, y)


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


def test_a_solver_is_fitted_cross_validated_and_listed(monkeypatch, one_blas_thread):
    monkeypatch.setitem(SOLVERS, "backtracking", Backtracking)
    X, y = noisy_rows()
    n = len(y)
    how = {"solver": "backtracking", "tol": 1e-9, "max_iter": 2000}
    linear = WeightDecayMLPRegressor(alpha=0.1, **LINEAR, **how).fit(X, y)
    np.testing.assert_allclose(
        linear.predict(X), Ridge(alpha=0.1 * n).fit(X, y).predict(X), atol=1e-3
    )
    chooser = WeightDecayMLPRegressorCV(
        solver="backtracking", alphas=[1e-3, 0.1], cv=3, n_init=2, **SMALL
    ).fit(X, y)
    plain = WeightDecayMLPRegressor(
        solver="backtracking", alpha=chooser.alpha_, n_init=2, **SMALL
    ).fit(X, y)
    np.testing.assert_array_equal(chooser.coefs_[0], plain.coefs_[0])
    short = clone(plain).set_params(max_iter=2, n_init=1)
    with pytest.warns(match="reached max_iter after 2 steps .* max_iter or tol"):
        short.fit(X, y)
    with pytest.raises(ValueError, match="'adam', 'backtracking'; got 'newton'"):
        WeightDecayMLPClassifier(solver="newton").fit(X, y > 0)
    assert not hasattr(plain, "partial_fit")


# Noise in training


class HalfOfTheUnits:
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
        np.testing.assert_allclose(grad[:, p], difference, rtol=1e-5, atol=1e-7)
    disturbed = one.forward(X).copy()
    plain = ForwardBackward(objective.network, params, 7).forward(X)
    assert (np.abs(plain - disturbed) > 1e-3).any()
