"""J against the plain reference, its gradient against five-point differences."""

import numpy as np
import pytest
import reference
from scipy import sparse
from stacks import LOSSES, make_stack

import skwd._core.network
import skwd._core.objective
import skwd._core.sample
from skwd._core.activations import ACTIVATIONS
from skwd._core.objective import Objective, Sample

CASES = [
    ("squared_error", 1),
    ("squared_error", 3),
    ("poisson", 1),
    ("poisson", 3),
    ("binomial", 1),
    ("binomial", 3),
    ("multinomial", 3),
]


def five_point(f, x, direction, step):
    """The derivative of f (K,) at x along ``direction``, of fourth order in step."""
    shifted = [f(x + k * step * direction) for k in (-2, -1, 1, 2)]
    return (shifted[0] - 8 * shifted[1] + 8 * shifted[2] - shifted[3]) / (12 * step)


@pytest.mark.wide(7)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("hidden", "activation"),
    [((), "identity")] + [(h, a) for h in ((5,), (5, 4, 3)) for a in ACTIVATIONS],
)
@pytest.mark.parametrize(("loss", "n_outputs"), CASES)
def test_gradient_is_the_derivative_of_J(
    loss, n_outputs, activation, hidden, weighted, dtype
):
    """Every loss, number of outputs, activation, depth, weighting, per-layer alpha."""
    layers = len(hidden) + 1
    objective, params = make_stack(
        hidden=hidden,
        activation=activation,
        loss=loss,
        n_outputs=n_outputs,
        weighted=weighted,
        dtype=dtype,
        n=20,
        alpha=np.arange(1.0, 3 * layers + 1).reshape(3, layers) / 10,
    )
    rng = np.random.default_rng(5)
    params = params + 0.1 * rng.standard_normal(params.shape)
    direction = rng.standard_normal(params.shape)
    grad = objective.loss_gradient(params)[1]
    if dtype == np.float32:
        # Differences of a float32 loss are all rounding: the float64 twin, whose own
        # gradient the other half of the cases confirms, says what grad must be.
        twin, _ = make_stack(
            hidden=hidden,
            activation=activation,
            loss=loss,
            n_outputs=n_outputs,
            weighted=weighted,
            n=20,
            alpha=objective.alpha,
        )
        expected = twin.loss_gradient(params)[1]
        np.testing.assert_allclose(grad, expected, rtol=2e-5, atol=2e-6)
        return
    # A jump of the slope (or of elu's curvature) within the stencil would spoil the
    # differences: a small step avoids it, at the price of more rounding.
    rough = ACTIVATIONS[activation].kinked or activation == "elu"
    step, tolerance = (1e-6, 1e-9) if rough else (2e-4, 1e-10)
    numeric = five_point(
        lambda x: objective.loss_gradient(x)[0], params, direction, step
    )
    error = np.abs((grad * direction).sum(axis=1) - numeric)
    scale = np.linalg.norm(grad, axis=1) * np.linalg.norm(direction, axis=1)
    assert (error <= tolerance * scale).all(), error / scale


@pytest.mark.wide(12)
@pytest.mark.parametrize("activation", list(ACTIVATIONS))
@pytest.mark.parametrize(("loss", "n_outputs"), CASES)
def test_agrees_with_the_plain_reference_at_every_layer(loss, n_outputs, activation):
    objective, params = make_stack(
        hidden=(4, 3),
        loss=loss,
        n_outputs=n_outputs,
        activation=activation,
        weighted=True,
        n=15,
        alpha=[[0.1, 0.2, 0.3], [0.0, 1.0, 0.5], [0.3, 0.0, 0.0]],
    )
    sample, layout = objective.samples[0], objective.network.layout
    coefs, intercepts = layout.split(params)
    block = skwd._core.rows.row_block(sample.X, slice(None))
    step = skwd._core.network.ForwardBackward(objective.network, params, len(block))
    step.forward(block)
    A = [a.copy() for a in step.values]
    J = objective.loss_gradient(params)[0]
    for k in range(len(objective)):
        Ws, bs = [W[k] for W in coefs], [b[k] for b in intercepts]
        for i, x in enumerate(sample.X):
            for ours, plain in zip(A, reference.layers(Ws, bs, activation, x)):
                np.testing.assert_allclose(ours[k, i], plain, rtol=1e-12, atol=1e-14)
        expected = reference.objective(
            Ws,
            bs,
            activation,
            loss,
            sample.X,
            sample.y,
            sample.weight,
            objective.alpha[k],
        )
        assert J[k] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", list(ACTIVATIONS))
def test_activation_value_without_slope_is_the_same(name):
    z = np.linspace(-4, 4, 101)
    with_slope, alone = z.copy(), z.copy()
    ACTIVATIONS[name](with_slope, np.empty_like(z))
    ACTIVATIONS[name](alone)
    np.testing.assert_array_equal(with_slope, alone)


@pytest.mark.wide(5)
@pytest.mark.parametrize("name", list(ACTIVATIONS))
def test_gain_keeps_the_mean_square(name):
    """Monte Carlo over a wide layer: mean square 1 in, mean square 1 out."""
    z = np.random.default_rng(0).standard_normal(1_000_000)
    ACTIVATIONS[name](z)
    assert ACTIVATIONS[name].gain ** 2 * np.mean(z**2) == pytest.approx(1.0, rel=0.01)


@pytest.mark.parametrize("loss", list(LOSSES))
def test_loss_only_equals_loss_with_gradient(loss):
    objective, params = make_stack(loss=loss, n_outputs=3, hidden=(5,))
    np.testing.assert_allclose(
        objective.data_loss(params), objective.data_loss_gradient(params)[0], rtol=1e-14
    )


@pytest.mark.parametrize("loss", list(LOSSES))
def test_constant_is_the_minimum_of_a_bias_alone(loss):
    """The derivative of the mean loss in every constant output is zero there."""
    objective, _ = make_stack(loss=loss, n_outputs=3, hidden=(), weighted=True)
    sample = objective.samples[0]
    params = np.zeros((1, objective.network.layout.n_params))
    constant = objective.loss.constant(sample.y, sample.norm_weight)
    objective.network.layout.b(params, 0)[:] = constant
    grad = objective[:1].data_loss_gradient(params)[1]
    np.testing.assert_allclose(objective.network.layout.b(grad, 0), 0.0, atol=1e-12)


@pytest.mark.parametrize("loss", list(LOSSES))
def test_no_loss_overflows_at_large_logits(loss):
    if loss == "poisson":
        return  # exp(raw) is the prediction itself: its range ends where float64 does
    y = np.array([[0.0, 1.0, 0.0]])
    raw = np.array([[[-1e4, 0.0, 1e4]]])
    losses = LOSSES[loss].loss(y, raw)
    assert np.isfinite(losses).all()
    assert losses[0, 0] == pytest.approx(
        {"squared_error": 1e8 + 0.5, "binomial": 1e4 + np.log(2), "multinomial": 1e4}[
            loss
        ]
    )


def test_sample_blocks_change_rounding_only(monkeypatch):
    objective, params = make_stack(n=500, hidden=(7, 5), weighted=True)
    fun, grad = objective.loss_gradient(params)
    monkeypatch.setattr(skwd._core.network, "BLOCK_BYTES", 1)
    again, params = make_stack(n=500, hidden=(7, 5), weighted=True)
    assert again._block_rows == skwd._core.network.MIN_BLOCK_ROWS
    blocked = again.loss_gradient(params)
    np.testing.assert_allclose(blocked[0], fun, rtol=1e-13)
    np.testing.assert_allclose(blocked[1], grad, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("gather", [0, 1 << 26])
def test_rows_are_a_smaller_sample(gather, monkeypatch):
    """A sample of some rows is those rows of X by themselves, gathered once or not."""
    monkeypatch.setattr(skwd._core.sample, "GATHER_BYTES", gather)
    rows = np.array([5, 3, 40, 41, 3])
    objective, params = make_stack(rows=(rows,), weighted=True)
    sample = objective.samples[0]
    alone = Objective(
        objective.network,
        objective.loss,
        [Sample(sample.X[rows], sample.y, sample.weight)],
        objective.alpha,
    )
    for _ in range(2):
        for got, expected in zip(
            objective.loss_gradient(params), alone.loss_gradient(params)
        ):
            np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_sparse_rows_agree_with_dense_ones(n_outputs):
    objective, params = make_stack(hidden=(7,), n_outputs=n_outputs, weighted=True)
    sample = objective.samples[0]
    dense = np.where(np.abs(sample.X) > 0.7, sample.X, 0.0)
    pair = [
        Objective(
            objective.network,
            objective.loss,
            [Sample(X, sample.y, sample.weight)],
            objective.alpha,
        ).loss_gradient(params)
        for X in (dense, sparse.csr_matrix(dense))
    ]
    for got, expected in zip(*pair):
        np.testing.assert_allclose(got, expected, rtol=1e-11, atol=1e-14)


def test_scale_of_the_weights_changes_nothing(one_blas_thread):
    objective, params = make_stack(weighted=True)
    before = objective.loss_gradient(params)
    sample = objective.samples[0]
    for scale in (2.0**-900, 4.0, 2.0**900):  # powers of two: exact
        scaled = Sample(sample.X, sample.y, sample.weight * scale)
        after = Objective(
            objective.network, objective.loss, [scaled], objective.alpha
        ).loss_gradient(params)
        for got, expected in zip(after, before):
            np.testing.assert_array_equal(got, expected)


def test_biases_are_not_penalised():
    objective, params = make_stack(alpha=0.7, hidden=(6,))
    plain, _ = make_stack(alpha=0.0, hidden=(6,))
    layout = objective.network.layout
    difference = objective.loss_gradient(params)[1] - plain.loss_gradient(params)[1]
    for layer in range(2):
        np.testing.assert_allclose(layout.b(difference, layer), 0.0, atol=1e-16)
        np.testing.assert_allclose(
            layout.W(difference, layer), 0.7 * layout.W(params, layer), atol=1e-15
        )
    assert layout.decay_mask.sum() == 4 * 6 + 6
