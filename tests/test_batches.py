"""Batches: every row once, unbiased gradients, the same bits whatever the blocks."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from skwd import WeightDecayMLPRegressor
from skwd._core.activations import ACTIVATIONS
from skwd._core.layout import Layout, initial_params
from skwd._core.losses import (
    HalfBinomialLoss,
    HalfMultinomialLoss,
    HalfPoissonLoss,
    HalfSquaredError,
)
from skwd._core.network import ForwardBackward, Network
from skwd._core.objective import Objective, Sample
from skwd._solvers.batches import Batches
from skwd._solvers.minibatch import minimize
from skwd._solvers.optimizers import SGD, Adam
from skwd._solvers.result import Status
from skwd._solvers.schedules import Schedule

RNG = np.random.default_rng(0)
LOSSES = {
    "squared_error": (HalfSquaredError(), 2, RNG.standard_normal((700, 2))),
    "one output": (HalfSquaredError(), 1, RNG.standard_normal((700, 1))),
    "poisson": (HalfPoissonLoss(), 1, RNG.poisson(2.0, (700, 1)).astype(float)),
    "binomial": (HalfBinomialLoss(), 2, RNG.integers(0, 2, (700, 2)).astype(float)),
    "multinomial": (HalfMultinomialLoss(), 3, np.eye(3)[RNG.integers(0, 3, 700)]),
}
X = RNG.standard_normal((700, 4))
WEIGHT = RNG.exponential(size=700) * (RNG.uniform(size=700) < 0.8)


def network_of(n_outputs, hidden=(5,)):
    return Network(Layout((4, *hidden, n_outputs)), ACTIVATIONS["tanh"])


def start_of(network, n_networks):
    rngs = [np.random.default_rng(k) for k in range(n_networks)]
    params = initial_params(network.layout, 1.0, rngs)
    return params + 0.1 * np.random.default_rng(9).standard_normal(params.shape)


def batch_gradients(network, loss, batches, params):
    """(rows of the batch, gradient of its loss (K, P)) of each batch of an epoch."""
    total, n_rows = np.zeros(params.shape), 0
    for block in batches.epoch():
        for piece in block.parts:
            grad = np.zeros_like(params)
            one = ForwardBackward(network, params, piece.n_rows, grad, batches.stack)
            delta = one.forward(piece.X).copy()
            loss.loss_gradient(piece.y, delta)
            one.backward(piece.X, delta * piece.weight)
            total += grad
            n_rows += piece.n_rows
            if piece.ends:
                yield n_rows, total
                total, n_rows = np.zeros(params.shape), 0


@pytest.mark.wide(5)
@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", LOSSES)
@pytest.mark.parametrize(
    ("n", "batch_size"),
    [(120, 12), (120, 7), (120, 119), (121, 11), (120, 120), (700, 350), (700, 300)],
)
def test_the_batch_gradients_average_to_the_gradient(
    n, batch_size, kind, weighted, shuffle, monkeypatch
):
    """Each batch counts by its rows; where all have as many, it is their plain mean.

    Batches of more than 256 rows are worked through in parts of 64 here.
    """
    monkeypatch.setattr("skwd._core.network.BLOCK_BYTES", 1)
    loss, n_outputs, y = LOSSES[kind]
    network = network_of(n_outputs)
    weight = WEIGHT[:n] if weighted else np.ones(n)
    sample = Sample(X[:n], y[:n], weight)
    params = start_of(network, 2)
    rngs = [np.random.default_rng(1)] if shuffle else None
    batches = Batches(network, [sample], 2, batch_size, rngs)
    sizes, gradients = zip(*batch_gradients(network, loss, batches, params))
    assert sum(sizes) == n and set(sizes[:-1]) <= {batch_size}
    assert len(sizes) == batches.n_batches
    mean = np.einsum("b,bkp->kp", np.array(sizes) / n, gradients)
    objective = Objective(network, loss, [sample], np.zeros((2, 2)))
    _, expected = objective.data_loss_gradient(params)
    assert_allclose(mean, expected, rtol=1e-10, atol=1e-14)
    if n % batch_size == 0:
        assert_allclose(np.mean(gradients, axis=0), expected, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize(
    ("form", "n_samples"),
    [
        *[("dense", 1), ("dense", 2), ("large", 1), ("large", 2)],
        *[("sparse", 1), ("large sparse", 1)],  # several sparse samples train apart
    ],
)
@pytest.mark.parametrize("n_networks", [1, 3])
def test_samples_of_some_rows_in_any_form(n_samples, n_networks, form, monkeypatch):
    """Rows of a fold, several folds at once, sparse X, X too large to be gathered."""
    loss, n_outputs, y = LOSSES["squared_error"]
    network = network_of(n_outputs)
    data = sparse.csr_matrix(np.maximum(X, 0.0)) if "sparse" in form else X
    if "large" in form:
        monkeypatch.setattr("skwd._core.sample.GATHER_BYTES", 0)
    rng = np.random.default_rng(2)
    all_rows = [rng.choice(700, 61, replace=False) for _ in range(n_samples)]
    samples = [Sample(data, y[rows], WEIGHT[rows], rows) for rows in all_rows]
    params = start_of(network, n_samples * n_networks)
    rngs = [np.random.default_rng(f) for f in range(n_samples)]
    batches = Batches(network, samples, n_networks, 12, rngs)
    sizes, gradients = zip(*batch_gradients(network, loss, batches, params))
    assert sizes == (12, 12, 12, 12, 12, 1)
    mean = np.einsum("b,bkp->kp", np.array(sizes) / 61, gradients)
    sample_of = np.repeat(np.arange(n_samples), n_networks)
    alpha = np.zeros((len(params), 2))
    objective = Objective(network, loss, samples, alpha, sample_of)
    _, expected = objective.data_loss_gradient(params)
    assert_allclose(mean, expected, rtol=1e-10, atol=1e-14)


def test_a_batch_gradient_is_the_formula():
    """n / (|B| sum s) times the sum of s_i grad l_i, for a linear model."""
    network = network_of(1, hidden=())
    y, s = LOSSES["one output"][2][:61], WEIGHT[:61]
    params = start_of(network, 1)
    batches = Batches(network, [Sample(X[:61], y, s)], 1, 12, None)
    W, b = network.layout.W(params, 0)[0], network.layout.b(params, 0)[0]
    gradients = batch_gradients(network, HalfSquaredError(), batches, params)
    for k, (n_rows, gradient) in enumerate(gradients):
        rows = slice(12 * k, 12 * k + 12)
        assert n_rows == len(X[:61][rows])
        factor = 61 / (n_rows * s.sum())
        delta = factor * s[rows, np.newaxis] * (X[:61][rows] @ W + b - y[rows])
        assert_allclose(network.layout.W(gradient, 0)[0], X[:61][rows].T @ delta)
        assert_allclose(network.layout.b(gradient, 0)[0], [delta.sum(axis=0)])


def run(*_):
    return np.full(len(_[0]), Status.RUNNING)


def test_a_batch_of_zero_weights_is_a_step_of_decay_alone():
    network, alpha, rate = network_of(1, hidden=()), 0.3, 0.1
    y = LOSSES["one output"][2][:40]
    s = np.where(np.arange(40) < 20, 0.0, WEIGHT[:40] + 0.1)
    params0 = start_of(network, 1)
    objective = Objective(
        network, HalfSquaredError(), [Sample(X[:40], y, s)], np.full((1, 1), alpha)
    )
    schedule = Schedule("constant", initial=rate)
    options = {"schedule": schedule, "batch_size": 10, "callback": run}
    result = minimize(objective, params0, update=SGD(), max_iter=1, **options)
    W, b = network.layout.W(params0, 0)[0].copy(), network.layout.b(params0, 0)[0, 0]
    J = 0.0
    for start in (0, 10, 20, 30):
        rows = slice(start, start + 10)
        residual, weight = X[rows] @ W + b - y[rows], s[rows, np.newaxis] / s.sum()
        J += 0.5 * np.sum(weight * residual**2)
        delta = 4.0 * weight * residual
        W = W - rate * (X[rows].T @ delta + alpha * W)
        b = b - rate * delta.sum(axis=0)
    assert_allclose(network.layout.W(result.x, 0)[0], W, rtol=1e-12)
    assert_allclose(network.layout.b(result.x, 0)[0, 0], b, rtol=1e-12)
    assert_allclose(result.fun, J + 0.5 * alpha * np.sum(W**2), rtol=1e-12)
    adam = minimize(objective, params0, update=Adam(), max_iter=50, **options)
    assert np.isfinite(adam.x).all() and adam.status == Status.MAX_ITER


def fit(data=X[:211], batch_size=12, **params):
    model = WeightDecayMLPRegressor(
        hidden_layer_sizes=(6, 5),
        solver="adam",
        batch_size=batch_size,
        learning_rate_init=0.01,
        max_iter=4,
        random_state=0,
        **params,
    )
    y = np.sin(X[:211, 0])
    with pytest.warns(match="reached max_iter"):
        return model.fit(data, y, sample_weight=WEIGHT[:211])


@pytest.mark.wide(4)
@pytest.mark.parametrize(
    ("limit", "value"),
    [
        ("skwd._solvers.batches.BLOCK_BYTES", 1),
        ("skwd._solvers.optimizers.VISIT", 5),
        ("skwd._core.sample.GATHER_BYTES", 0),
    ],
)
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("shuffle", [True, False])
def test_memory_limits_change_no_bit_of_the_weights(
    shuffle, form, limit, value, monkeypatch, one_blas_thread
):
    data = form(np.maximum(X[:211], 0.0))
    plain = fit(data, shuffle=shuffle)
    monkeypatch.setattr(limit, value)
    bounded = fit(data, shuffle=shuffle)
    for ours, others in zip(bounded.coefs_, plain.coefs_, strict=True):
        assert_array_equal(ours, others)
    assert_allclose(bounded.loss_curve_, plain.loss_curve_, rtol=1e-13)


@pytest.mark.parametrize("shuffle", [True, False])
def test_a_large_batch_in_parts_is_the_same_to_rounding(shuffle, monkeypatch):
    plain = fit(X[:211], 150, shuffle=shuffle)
    monkeypatch.setattr("skwd._core.network.MIN_BLOCK_ROWS", 16)
    monkeypatch.setattr("skwd._core.network.BLOCK_BYTES", 1)
    parts = fit(X[:211], 150, shuffle=shuffle)
    for ours, others in zip(parts.coefs_, plain.coefs_, strict=True):
        assert_allclose(ours, others, rtol=1e-9, atol=1e-12)
    assert_allclose(parts.loss_curve_, plain.loss_curve_, rtol=1e-12)


def test_a_batch_size_above_n_is_clipped_in_silence():
    """So is the 200 of "auto"."""
    few = X[:150], np.sin(X[:150, 0])
    fits = []
    for batch_size in (150, 151, 10**9, "auto"):
        model = WeightDecayMLPRegressor(
            solver="sgd",
            hidden_layer_sizes=(3,),
            batch_size=batch_size,
            learning_rate_init=0.01,
            tol=1e-3,
            random_state=0,
        )
        fits.append(model.fit(*few))  # a warning would be an error
        assert_array_equal(fits[-1].coefs_[0], fits[0].coefs_[0])
        assert fits[-1].loss_curve_ == fits[0].loss_curve_
