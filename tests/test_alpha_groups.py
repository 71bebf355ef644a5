"""Groups of alpha: one for each column of X, in the curvature and in the evidence."""

import numpy as np
import pandas as pd
import pytest
from networks import network
from numpy.testing import assert_allclose

from skwd._core.alpha_groups import AlphaGroups
from skwd._core.objective import Objective
from skwd._core.penalty import L2
from skwd._curvature.exact import Exact
from skwd._curvature.factors import factors_of
from skwd._curvature.kronecker import Kronecker
from skwd._curvature.laplace import Laplace
from skwd._estimators.alpha_groups import check_alpha_groups, groups_of_columns

SCALES = np.array([0.3, 1.0, 5.0])


def by_column(layout):
    """One group for each column of X, one for each further layer."""
    index = layout.layer_groups.index.copy()
    d, last = layout.layer_units[0], layout.n_weight_layers
    for layer in range(last):
        W = layout.W(index[np.newaxis], layer)[0]
        W[:] = np.arange(d)[:, np.newaxis] if layer == 0 else d + layer - 1
    layout.b(index[np.newaxis], 0)
    for layer in range(last):
        layout.b(index[np.newaxis], layer)[:] = d + last - 1
    return AlphaGroups(index, d + last - 1)


def with_columns(n, hidden, n_outputs=1):
    net = network(n=n, hidden=hidden, n_outputs=n_outputs)
    groups = by_column(net.layout)
    alpha = 10.0 ** np.linspace(-3, 0, groups.n_groups)
    return net, groups, alpha, groups.per_parameter(alpha[np.newaxis])[0]


def test_groups_are_of_any_sequence():
    columns = pd.Index(["a", "b", "c", "d"])
    given = (["b", "c"],), [columns[1:3]], [np.array([1, -2])], [range(1, 3)]
    for groups in given:
        check_alpha_groups(groups)
        assert list(groups_of_columns(groups, 4, columns)) == [1, 0, 0, 2]


def test_sums_and_common_values():
    groups = AlphaGroups(np.array([1, 0, 2, 1]), 2)
    assert groups.sums(np.array([1.0, 2.0, 4.0, 8.0])).tolist() == [2.0, 9.0]
    assert groups.common(np.array([3.0, 5.0, 7.0, 3.0])).tolist() == [5.0, 3.0]
    assert groups.counts.tolist() == [1.0, 2.0] and groups.mask.tolist() == [1, 1, 0, 1]
    found = groups.per_parameter(np.array([[0.5, 0.1]]))
    assert found.tolist() == [[0.1, 0.5, 0.0, 0.1]]


@pytest.mark.parametrize("hidden", [(), (4,)])
def test_J_and_its_gradient(hidden):
    net, groups, alpha, decay = with_columns(30, hidden)
    how = np.zeros(1, int), L2(), groups
    J = Objective(
        net.objective.network, net.loss, [net.sample], alpha[np.newaxis], *how
    )
    zero = Objective(
        net.objective.network, net.loss, [net.sample], 0.0 * alpha[np.newaxis], *how
    )
    (fun,), (grad,) = J.loss_gradient(net.w[np.newaxis])
    (bare,), (slope,) = zero.loss_gradient(net.w[np.newaxis])
    assert fun == pytest.approx(bare + 0.5 * decay @ net.w**2)
    assert_allclose(grad, slope + decay * net.w, rtol=1e-12)


@pytest.mark.parametrize("n", [60, 12], ids=["parameters", "rows"])
@pytest.mark.parametrize("hidden", [(), (4,)])
@pytest.mark.parametrize("many_scales", [False, True])
def test_effective_parameters_of_each_group(n, hidden, many_scales):
    """gamma_g = sum over its parameters of 1 - alpha (H^-1)_pp, H = G + alpha."""
    net, groups, alpha, decay = with_columns(n, hidden)
    floor = 1e-200
    exact = Exact.of(*net.parts, decay, floor, groups, many_scales=many_scales)
    if n == 12 and hidden:
        return _agrees_with_its_own_trace(exact, groups)
    for scale in SCALES:
        inverse = np.linalg.inv(net.G + scale * np.diag(decay))
        determined = 1.0 - scale * decay * np.diag(inverse)
        expected = [determined[groups.index == g].sum() for g in range(groups.n_groups)]
        assert_allclose(exact.n_effective(scale), expected, rtol=1e-7, atol=1e-9)
    assert_allclose(exact.alpha, alpha)


def _agrees_with_its_own_trace(exact, groups):
    """Fewer rows than parameters: biases that nothing determines have no inverse."""
    for scale in SCALES:
        basis = np.eye(len(exact.decay))
        columns = [exact.solve(e, np.array([scale]))[0] for e in basis]
        determined = 1.0 - scale * exact.decay * np.diag(columns)
        gamma = [determined[groups.index == g].sum() for g in range(groups.n_groups)]
        assert_allclose(exact.n_effective(scale), gamma, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_the_kronecker_form_of_a_linear_model_is_exact(n_outputs):
    net, groups, alpha, decay = with_columns(60, (), n_outputs)
    exact = Exact.of(*net.parts, decay, 1e-200, groups)
    kronecker = Kronecker.of(*net.parts, decay, 1e-200, groups)
    X = net.sample.take(slice(0, 5))
    _, factors = factors_of(net.objective.network, net.w, X)
    assert_allclose(kronecker.alpha, alpha)
    assert_allclose(
        kronecker.covariances(factors, SCALES),
        exact.covariances(factors, SCALES),
        rtol=1e-9,
        atol=1e-12,
    )
    solved = kronecker.solve(net.w, SCALES), exact.solve(net.w, SCALES)
    assert_allclose(*solved, rtol=1e-9, atol=1e-12)
    for scale in SCALES:
        assert kronecker.log_det(scale) == pytest.approx(exact.log_det(scale))
        gammas = kronecker.n_effective(scale), exact.n_effective(scale)
        assert_allclose(*gammas, rtol=1e-9)


def test_weights_of_one_input_share_an_alpha_in_the_kronecker_form():
    net = network(n=60, hidden=(3,))
    index = net.layout.layer_groups.index.copy()
    index[index == 2] = 3  # biases have no group
    index[0] = 2  # one weight of the first column
    groups = AlphaGroups(index, 3)
    decay = groups.per_parameter(np.array([[0.1, 0.2, 0.3]]))[0]
    with pytest.raises(ValueError, match="the weights of one input must share"):
        Kronecker.of(*net.parts, decay, 1e-9, groups)


def test_the_evidence_has_an_alpha_for_each_group():
    """At its fixed point: gamma_g noise / (n ||w_g||^2); tied, one for all."""
    net, groups, alpha, _ = with_columns(60, (4,))
    found = Laplace.of(*net.parts, alpha, one_alpha=False, groups=groups)
    squares = groups.sums(net.w**2)
    expected = found.n_effective * found.noise.mean() / (found.n * squares)
    assert_allclose(found.alpha, expected, rtol=1e-12)
    one = Laplace.of(*net.parts, alpha, groups=groups)
    assert (one.alpha == one.alpha[0]).all() and len(one.alpha) == groups.n_groups
    assert one.log_evidence == found.log_evidence
