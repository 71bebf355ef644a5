"""The exact curvature against whole matrices."""

import numpy as np
import pytest
from dense import (
    Floored,
    closed,
    curvature_in_closed_form,
    differences,
    forward,
    loss_curvature,
)
from networks import WIDTH_OF, both_sizes, every_depth, every_form, network
from numpy.testing import assert_allclose, assert_array_equal
from stacks import LOSSES, targets

import skwd._curvature.factors as factors_module
from skwd._core.activations import ACTIVATIONS
from skwd._core.alpha_groups import AlphaGroups
from skwd._core.rows import row_block
from skwd._curvature.exact import Exact
from skwd._curvature.factors import Rows, factors_of, jacobian, tangent, whitened
from skwd._curvature.free import UnpenalisedBlock
from skwd._curvature.penalised import OfSamples, of_parameters

SCALES = np.array([1.0, 0.1, 30.0])
TINY = 1e-14  # a floor under hidden biases that never binds

both_ways = pytest.mark.parametrize("many_scales", [False, True])


def exact(net, floor=TINY, **how):
    return Exact.of(*net.parts, net.decay, floor, net.layout.layer_groups, **how)


@pytest.mark.wide(4)
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@every_depth
def test_the_jacobian(hidden, activation, sparse):
    net = network("squared_error", 2, 20, hidden, activation=activation, sparse=sparse)
    X = row_block(net.sample.X, slice(None))
    raw, factors = factors_of(net.objective.network, net.w, X)
    assert_allclose(raw, forward(net.objective, net.w), rtol=1e-12)
    rows = jacobian(net.layout, factors)
    assert_allclose(rows, net.J.reshape(rows.shape), atol=1e-8)
    direction = np.random.default_rng(0).standard_normal(len(net.w))
    shift_origin = tangent(net.layout, factors, direction)
    assert_allclose(shift_origin.ravel(), rows @ direction, rtol=1e-10, atol=1e-12)


@every_form
def test_the_root_of_the_curvature_of_a_loss(loss, n_outputs):
    rng = np.random.default_rng(0)
    y = targets(loss, 30, n_outputs, rng)
    raw = 2.0 * rng.standard_normal((30, n_outputs))
    root = LOSSES[loss].likelihood.curvature_root(raw)
    product = np.matmul(root.swapaxes(1, 2), root)
    assert_allclose(product, loss_curvature(LOSSES[loss], y, raw), atol=1e-8)
    stack = LOSSES[loss].likelihood.curvature_root(np.stack([raw, -raw]))
    assert_array_equal(stack[0], root)
    if loss == "multinomial":
        assert root.shape == (30, n_outputs - 1, n_outputs)
        raw[:4] = [[800, 0, -800], [0, 800, 0], [0, -800, 800], [-800, 900, 900]]
        assert np.isfinite(LOSSES[loss].likelihood.curvature_root(raw)).all()


@every_form
def test_which_losses_know_differences_of_outputs_alone(loss, n_outputs):
    rng = np.random.default_rng(0)
    y, raw = targets(loss, 30, n_outputs, rng), rng.standard_normal((30, n_outputs))
    alike = np.allclose(LOSSES[loss].loss(y, raw), LOSSES[loss].loss(y, raw + 1.0))
    assert LOSSES[loss].likelihood.shift_invariant == alike


@pytest.mark.wide(6)
@both_ways
@both_sizes
@every_depth
@every_form
def test_every_verb(loss, n_outputs, hidden, n, many_scales):
    net = network(loss, n_outputs, n, hidden, weighted=True)
    curvature = exact(net, many_scales=many_scales)
    X = row_block(net.sample.X, slice(None))
    _, factors = factors_of(net.objective.network, net.w, X)
    vector = net.G @ np.random.default_rng(1).standard_normal(len(net.w))
    spreads = curvature.covariances(factors, SCALES)
    solutions = curvature.solve(vector, SCALES)
    assert curvature.n_free() == pytest.approx(
        net.n_determined() - net.layout.decay_mask.sum()
    )
    for scale, spread, solution in zip(SCALES, spreads, solutions):
        inverse = net.inverse(scale)
        assert_allclose(curvature.log_det(scale), net.log_det(scale), rtol=1e-7)
        assert_allclose(curvature.n_effective(scale), net.gamma(scale), atol=1e-6)
        # Common shifts of softmax outputs, which nothing determines, left out.
        centre = np.eye(n_outputs) - (loss == "multinomial") / n_outputs
        expected = np.einsum("nop,pq,nkq->nok", net.J, inverse, net.J)
        top = np.abs(expected).max()
        assert_allclose(
            centre @ spread @ centre, centre @ expected @ centre, atol=1e-6 * top
        )
        found, expected = net.J @ solution, net.J @ inverse @ vector
        top = np.abs(expected).max()
        assert_allclose(found @ centre, expected @ centre, atol=1e-6 * top)


@both_ways
@pytest.mark.parametrize(("layer", "n"), [(0, 60), (1, 60), (1, 15)])
def test_a_layer_without_decay_is_eliminated_with_the_biases(layer, n, many_scales):
    """15 rows are fewer than the 19 parameters."""
    alpha = np.where(np.arange(2) == layer, 0.0, 0.05)[np.newaxis]
    net, _, factors = closed(network(n=n, hidden=(3,), alpha=alpha))
    curvature = exact(net, 1e-6, many_scales=many_scales)
    Floored(net, 1e-6).agrees(curvature, factors, SCALES)


@both_sizes
def test_a_floor_under_hidden_biases(n):
    net = network(n=n, hidden=(6,), n_features=2)
    bare, b = exact(net), net.decay == 0.0
    hidden = (net.layout.hidden_biases > 0.0)[b]
    block = net.G[np.ix_(b, b)]
    inner = block[np.ix_(hidden, hidden)]
    inner = (
        inner
        - np.outer(block[hidden, ~hidden], block[~hidden, hidden])
        / (block[~hidden, ~hidden])
    )
    values, vectors = np.linalg.eigh(inner)
    floor = float(np.sort(values)[-3]) * 1.001  # two directions are above it
    lifted = exact(net, floor)
    raised = net.G.copy()
    lift = (vectors * (np.maximum(values, floor) - values)) @ vectors.T
    where = np.flatnonzero(b)[hidden]
    raised[np.ix_(where, where)] += lift
    known, net.G = net.G, raised
    assert_allclose(lifted.n_effective(), net.gamma(), atol=1e-6)
    assert lifted.n_directions == 1 + 2 < bare.n_directions == 7
    dof = np.trace(net.inverse() @ known)  # what the floor adds is no data
    assert lifted.n_free() == pytest.approx(dof - net.gamma().sum(), rel=1e-5)
    X = row_block(net.sample.X, slice(None))
    _, factors = factors_of(net.objective.network, net.w, X)
    spread = lifted.covariances(factors, np.ones(1))[0]
    expected = np.einsum("nop,pq,nkq->nok", net.J, net.inverse(), net.J)
    assert_allclose(spread, expected, rtol=1e-5)


@both_ways
def test_no_decay_at_all(many_scales):
    """There is nothing beside the unpenalised parameters."""
    net, _, factors = closed(network(hidden=(), alpha=np.zeros((1, 1))))
    curvature = exact(net, many_scales=many_scales)
    assert curvature.n_effective().tolist() == [0.0]
    assert curvature.n_free() == curvature.n_directions == len(net.w)
    inverse = np.linalg.inv(net.G)
    expected = np.einsum("nop,pq,nkq->nok", net.J, inverse, net.J)
    assert_allclose(curvature.covariances(factors, np.ones(1))[0], expected, rtol=1e-9)
    solved = curvature.solve(net.G @ net.w, np.ones(1))[0]
    assert_allclose(solved, net.w, rtol=1e-9, atol=1e-12)


def test_what_rounding_has_made_indefinite_has_a_spectrum():
    S, groups = np.diag([3.0, -2.0]), AlphaGroups(np.zeros(2, dtype=int), 1)
    assert of_parameters(S, groups, many_scales=False).ratio.tolist() == [0.0, 3.0]


def test_units_that_never_act_are_left_out():
    net = network(hidden=(4,), activation="relu")
    net.layout.b(net.w[np.newaxis], 0)[0, 0, :2] = -100.0
    net.J = differences(lambda v: forward(net.objective, v), net.w)
    net.G = np.einsum("n,nop,noq->pq", net.sample.norm_weight, net.J, net.J)
    curvature = exact(net)
    assert curvature.n_directions == 3
    assert_allclose(curvature.n_effective(), net.gamma(), atol=1e-6)


def test_blocks_of_rows_change_rounding_only(monkeypatch):
    for n in WIDTH_OF:
        net = network("multinomial", 3, n)
        whole = exact(net)
        monkeypatch.setattr(factors_module, "BLOCK_BYTES", 8 * 3 * len(net.w) * 4)
        assert whole.block_rows == 4
        assert_allclose(exact(net).log_det(), whole.log_det(), rtol=1e-12)
        monkeypatch.undo()


@both_sizes
def test_a_spectrum_where_a_cholesky_factor_would_lose_digits(n):
    forms = {}
    for alpha in 1e-2, 1e-12:
        net = network(n=n, alpha=np.full((1, 2), alpha))
        forms[alpha] = type(exact(net).penalised).__name__
        assert (
            exact(net).penalised.quadratic_forms(np.ones((1, 1, 30)), SCALES).min()
            > 0.0
        )
    assert forms == {
        1e-2: "OfParameters" if n == 60 else "OfSamples",
        1e-12: "Spectrum",
    }


@pytest.mark.parametrize("known", [1e-8, 1e-3, 1e3])
def test_what_little_a_layer_knows_keeps_its_digits(known):
    groups = AlphaGroups(np.array([0, 0, 1]), 2)
    found = OfSamples.of(np.diag([known, 0.0, 1e3]), groups).n_effective(1.0)
    expected = [known**2 / (known**2 + 1.0), 1e6 / (1e6 + 1.0)]
    assert_allclose(found, expected, rtol=1e-9)


def test_nothing_determined():
    free = UnpenalisedBlock.of(np.zeros((3, 3)), np.array([False, True, True]), 1e-200)
    assert free.part.sum() == 0.0 and free.n_directions == 0


@pytest.mark.wide(125)
@both_ways
@pytest.mark.parametrize("floor", [1e-6, None], ids=["low", "binding"])
@pytest.mark.parametrize("activation", ["tanh", "relu", "logistic"])
@both_sizes
@every_depth
@every_form
def test_closed_form(loss, n_outputs, hidden, n, activation, floor, many_scales):
    """From the factors on, with nothing of the package in what is right."""
    how = {"hidden": hidden, "sparse": n == 12, "activation": activation}
    net, raw, factors = closed(network(loss, n_outputs, n, weighted=True, **how))
    rows = Rows(net.sample.y, net.sample.weight / net.sample.weight.sum(), raw, factors)
    assert_allclose(jacobian(net.layout, factors), np.concatenate(net.J), atol=1e-12)
    Phi = jacobian(net.layout, whitened(rows, net.loss))
    assert_allclose(Phi.T @ Phi, net.G, rtol=1e-10, atol=1e-13)
    floor = floor or np.median(np.diag(net.G)[net.decay == 0.0])
    curvature = exact(net, floor, many_scales=many_scales)
    Floored(net, floor).agrees(curvature, factors, SCALES)


@pytest.mark.parametrize("loss", ["binomial", "multinomial"])
def test_the_root_of_extreme_logits(loss):
    for raw in np.array([[40.0, 0, -40], [300, -300, 0], [-700, 690, 700]]):
        root = LOSSES[loss].likelihood.curvature_root(raw[np.newaxis])[0]
        expected = np.diag(curvature_in_closed_form(loss, raw))
        assert_allclose(np.diag(root.T @ root), expected, rtol=1e-10)
