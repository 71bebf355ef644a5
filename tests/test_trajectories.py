"""Every step equals torch's; what the two kinds of weight decay converge to."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Ridge
from stacks import LOSSES
from trajectories.cases import (
    ALPHA,
    BATCH_SIZE,
    CASES,
    N_EPOCHS,
    N_STEPS,
    PROBLEMS,
    N,
)

from skwd import WeightDecayMLPRegressor
from skwd._core.activations import ACTIVATIONS
from skwd._core.layout import Layout
from skwd._core.network import Network
from skwd._core.objective import Objective, Sample
from skwd._core.penalty import L2
from skwd._solvers.decay import DECAYS, StepSizes
from skwd._solvers.minibatch import minimize
from skwd._solvers.optimizers import SGD, Adam, step_ops
from skwd._solvers.result import Status
from skwd._solvers.schedules import Schedule

# J of y in its own units, to the letter.
Regressor = partial(WeightDecayMLPRegressor, normalize_y=False)

BOTH = ("l2", "decoupled")
LINEAR_ALPHA = 0.2  # of the fits without hidden layer
UPDATES = {"plain": SGD(), "nesterov": SGD(0.9, True), "adam": Adam()}
EPSILON = 0.1  # of Adam's: large, so that it converges at a constant rate
STORED = Path(__file__).parent / "trajectories" / "trajectories.npz"


@pytest.fixture(scope="module")
def stored():
    with np.load(STORED) as file:
        return dict(file)


class Recorded:
    """An update that keeps a copy of the weights after each of its steps."""

    def __init__(self, update):
        self.update = update
        self.decay, self.n_moments = update.decay, update.n_moments
        self.coefficients = update.coefficients
        self.n_coefficients = update.n_coefficients
        self.momentum, self.needs_mean_square = None, False
        self.steps = []

    def ops(self, penalty, w, *others):
        return [*self.update.ops(penalty, w, *others), (self.keep, (w,))]

    def keep(self, w):
        self.steps.append(w.copy())


def update_of(case):
    decay = DECAYS[case.decay]
    if case.optimizer == "SGD":
        return SGD(**case.options, decay=decay)
    beta_1, beta_2 = case.options.get("betas", (0.9, 0.999))
    return Adam(beta_1, beta_2, case.options.get("eps", 1e-8), decay)


def schedule_of(case):
    kind = "invscaling" if case.power else "constant"
    return Schedule(kind, case.rate, power=case.power)


def steps_of(update, schedule, task, stored, batch_size=BATCH_SIZE):
    """The weights after each step of skwd, (n_steps, P)."""
    X, Y, start = (stored[f"{task}/{part}"] for part in ("X", "Y", "start"))
    kind = PROBLEMS[task]
    objective = Objective(
        Network(Layout(kind.layer_units), ACTIVATIONS[kind.activation]),
        LOSSES[kind.loss],
        [Sample(X, Y, np.ones(len(X)))],
        np.array([ALPHA]),
    )
    recorded, epochs = Recorded(update), []

    def callback(networks, params, fun):
        epochs.append(params[0].copy())
        return np.full(len(networks), Status.RUNNING)

    result = minimize(
        objective,
        start[np.newaxis],
        update=recorded,
        schedule=schedule,
        batch_size=batch_size,
        max_iter=N_EPOCHS,
        callback=callback,
    )
    steps = np.array(recorded.steps)
    # What was seen is what was trained, one step per batch.
    per_epoch = -(-len(X) // batch_size)
    assert steps.shape == (N_EPOCHS * per_epoch, len(start))
    np.testing.assert_array_equal(steps[per_epoch - 1 :: per_epoch], epochs)
    np.testing.assert_array_equal(steps[-1:], result.x)
    return steps


@pytest.mark.parametrize("name", CASES)
def test_every_step_equals_the_stored_one_of_torch(name, stored):
    case, expected = CASES[name], stored[f"{name}/steps"]
    assert len(expected) == N_STEPS
    # Nothing is compared that does not move.
    assert (np.abs(np.diff(expected, axis=0)).max(axis=0) > 1e-3).all()
    steps = steps_of(update_of(case), schedule_of(case), case.problem, stored)
    np.testing.assert_allclose(steps, expected, rtol=1e-10, atol=1e-10)


def test_torch_makes_the_stored_trajectories(stored):
    """Live: the file is what its script makes."""
    pytest.importorskip("torch")
    from trajectories.make_trajectories import make

    made = make()
    assert made.keys() == stored.keys()
    for name in stored.keys() - {"torch_version"}:
        np.testing.assert_allclose(made[name], stored[name], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("batch_size", [N, BATCH_SIZE])
@pytest.mark.parametrize("task", PROBLEMS)
def test_without_momentum_both_decays_are_the_same_steps(task, batch_size, stored):
    schedule = Schedule("invscaling", 0.1)
    coupled, decoupled = (
        steps_of(SGD(decay=DECAYS[decay]), schedule, task, stored, batch_size)
        for decay in BOTH
    )
    np.testing.assert_allclose(coupled, decoupled, rtol=0, atol=1e-14)


def linear_fit(solver, decay, **params):
    """A full-batch fit without hidden layer that ends by max_iter, and its data."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 3)) * [1.0, 0.7, 1.3] + 0.3
    y = X @ [1.0, -2.0, 0.5] + 1.0 + 0.3 * rng.standard_normal(60)
    model = Regressor(
        hidden_layer_sizes=(),
        solver=solver,
        decay=decay,
        alpha=LINEAR_ALPHA,
        batch_size=len(X),
        tol=0.0,
        n_iter_no_change=params["max_iter"],  # decoupled decay does not lower J
        random_state=0,
        **params,
    )
    with pytest.warns(ConvergenceWarning):
        return model.fit(X, y), X, y


@pytest.mark.wide(4)
@pytest.mark.parametrize("nesterov", [False, True], ids=["heavy ball", "nesterov"])
@pytest.mark.parametrize("decay", BOTH)
def test_momentum_divides_decoupled_decay(decay, nesterov):
    """Coupled ends at Ridge(n alpha), decoupled at Ridge(n alpha (1 - momentum)).

    A velocity at rest is 1 / (1 - momentum) gradients; decoupled decay is not in it.
    """
    momentum = 0.8
    model, X, y = linear_fit(
        "sgd",
        decay,
        momentum=momentum,
        nesterovs_momentum=nesterov,
        learning_rate_init=0.05,
        max_iter=1000,
    )
    alpha = LINEAR_ALPHA * (1.0 if decay == "l2" else 1.0 - momentum)
    ridge = Ridge(alpha=len(X) * alpha, tol=1e-12).fit(X, y)
    np.testing.assert_allclose(model.coefs_[0][:, 0], ridge.coef_, rtol=0, atol=1e-8)
    np.testing.assert_allclose(model.intercepts_[0], ridge.intercept_, atol=1e-8)


def adam_fit(decay):
    """coefs w and the gradient of the loss at them and at the intercept."""
    constants = {"beta_2": 0.9, "epsilon": EPSILON}
    model, X, y = linear_fit(
        "adam", decay, learning_rate_init=0.05, max_iter=2000, **constants
    )
    error = model.predict(X) - y
    return model.coefs_[0][:, 0], X.T @ error / len(X), error.mean()


@pytest.mark.slow
def test_adam_with_l2_ends_at_the_minimum_of_J():
    w, grad, grad_b = adam_fit("l2")
    np.testing.assert_allclose(grad + LINEAR_ALPHA * w, 0.0, atol=1e-10)
    np.testing.assert_allclose(grad_b, 0.0, atol=1e-10)


@pytest.mark.slow
def test_adamw_ends_elsewhere():
    """Where its own step vanishes: g / (|g| + epsilon) + alpha w = 0."""
    w, grad, grad_b = adam_fit("decoupled")
    step = grad / (np.abs(grad) + EPSILON) + LINEAR_ALPHA * w
    np.testing.assert_allclose(step, 0.0, atol=1e-10)
    np.testing.assert_allclose(grad_b, 0.0, atol=1e-10)
    assert (np.abs(grad + LINEAR_ALPHA * w) > 0.03).all()


@pytest.mark.wide(12)
@pytest.mark.parametrize("alpha", [2e-5, 5e-5, 1e-3])
@pytest.mark.parametrize("update", UPDATES.values(), ids=UPDATES)
def test_decoupled_decay_in_float32_takes_off_what_it_should(update, alpha):
    """10,000 steps of (1 - rate alpha) w at zero gradient, some below a last digit."""
    decay = DECAYS["decoupled"]
    update = replace(update, decay=decay)
    start = np.random.default_rng(0).standard_normal((1, 50)).astype(np.float32)
    rate, w = 1e-3, start.copy()
    grad, factor, carry = (np.zeros_like(w) for _ in range(3))
    sizes = StepSizes(np.array([rate]), rate, None, 1, 1, 1)
    decay.factor(np.full(w.shape, alpha), sizes, factor)
    moments = [np.zeros_like(w) for _ in range(update.n_moments)]
    values = update.coefficients(0, 1, rate)[0].astype(np.float32)
    for _ in range(10_000):
        for function, arguments in step_ops(
            update, L2(), w, grad, factor, carry, moments, values
        ):
            function(*arguments)
    expected = start * (1.0 - rate * alpha) ** 10_000
    digit = np.abs(start) * np.finfo(np.float32).eps
    assert (np.abs(w - expected) <= 1.01 * digit).all()


@pytest.mark.slow
@pytest.mark.parametrize("alpha", [2e-5, 5e-5, 1e-3])
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_weights_of_a_constant_column_decay_alone(solver, alpha):
    """Of a fit in float32: they have no gradient in any of its 10,000 steps."""
    rng = np.random.default_rng(0)
    X = np.column_stack([np.full(100, 0.1), rng.standard_normal(100)])
    model = Regressor(solver=solver, decay="decoupled", batch_size=1, max_iter=100)
    model.set_params(hidden_layer_sizes=(50,), n_iter_no_change=np.inf, random_state=0)
    columns = []
    for now in (0.0, alpha):
        with pytest.warns(ConvergenceWarning, match="reached max_iter"):
            model.set_params(alpha=now).fit(X.astype("float32"), np.sin(X[:, 1]))
        assert model.coefs_[0].dtype == np.float32 and model.t_ == 10_000
        columns.append(model.coefs_[0][0].astype(float))
    start, end = columns
    taken = start * (1.0 - (1.0 - 1e-3 * alpha) ** 10_000)
    np.testing.assert_allclose(start - end, taken, rtol=1e-3)
