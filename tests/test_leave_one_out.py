"""Leave-one-out and GCV along a path of alphas against refits and whole matrices."""

import numpy as np
import pytest
from dense import Dense, dense, differences, forward, loss_curvature
from networks import task_of
from numpy.testing import assert_allclose
from scipy.sparse import csr_matrix
from sklearn.linear_model import Ridge
from stacks import targets

import skwd._curvature.factors as factors_module
import skwd._curvature.laplace as laplace_module
from skwd import WeightDecayMLPRegressor
from skwd._alpha.leave_one_out import left_out, loss_path
from skwd._core.objective import Sample
from skwd._solvers import lbfgs

ALPHA, ALPHAS = 0.03, np.array([2e-3, 1e-2, 0.03, 0.5, 20.0])
N, WIDE = 25, 40  # rows; features of a problem with fewer rows than parameters

FORMS = [("squared_error", 1), ("squared_error", 3), ("poisson", 1), ("poisson", 2)]
FORMS += [("binomial", 1), ("binomial", 3), ("multinomial", 3)]
COUNTS = np.random.default_rng(3).integers(1, 4, N).astype(float)

NEAR = np.array([0.05, 0.1, 1.0])  # a path about its middle, for other losses

both_names = pytest.mark.parametrize("name", ["loo", "gcv"])
both_forms = pytest.mark.parametrize("form", ["Exact", "Kronecker"])
every_depth = pytest.mark.parametrize("hidden", [(), (3,)], ids=str)
every_form = pytest.mark.parametrize(("loss", "n_outputs"), FORMS)
counted = pytest.mark.parametrize("weight", [np.ones(N), COUNTS], ids=["ones", "count"])
both_sizes = pytest.mark.parametrize("n_features", [4, WIDE])
outputs = pytest.mark.parametrize("n_outputs", [1, 3])


def use(form, monkeypatch):
    """Have every curvature taken in this form."""
    if form == "Kronecker":
        for limit in ("EXACT_WORK", "EXACT_WORK_OF_ROWS"):
            monkeypatch.setattr(laplace_module, limit, 0.0)


def problem_and_start(loss, n_outputs, n_features=4, weight=None, hidden=()):
    """A problem, and weights far from its optimum."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((N, n_features)) + 0.5
    y = targets(loss, N, n_outputs, rng)
    sample = Sample(X, y, np.ones(N) if weight is None else weight)
    task = task_of(sample, loss, hidden)
    return task, 0.3 * rng.standard_normal(task.layout.n_params)


def ridge(X, y, weight, alpha):
    """The optimum (d + 1, o) of J for squared errors, the intercept last."""
    X1 = np.c_[X, np.ones(len(X))]
    A = (X1.T * weight) @ X1 / weight.sum()
    A += alpha * np.diag(np.r_[np.ones(X.shape[1]), 0.0])
    return np.linalg.solve(A, (X1.T * weight) @ y / weight.sum())


def slope_of(loss, y, raw):
    """dl/draw."""
    slope = np.empty_like(raw)
    loss.gradient(raw, y, slope)
    return slope


def predicted(X, coef):
    return X @ coef[:-1] + coef[-1]


@pytest.mark.wide(4)
@pytest.mark.parametrize("weight", [np.ones(N), COUNTS, COUNTS / 2.0 - 0.25])
@both_sizes
@outputs
def test_leave_one_out_of_a_linear_model_is_n_refits(n_outputs, n_features, weight):
    """At every alpha of the path, from any weights: squared errors are quadratic.

    A row of weight 2 is two rows, of which one is left out; one below 1 goes whole.
    """
    task, params = problem_and_start("squared_error", n_outputs, n_features, weight)
    X, y = task.training.X, task.training.y
    path = loss_path(task, params, ALPHA, ALPHAS, leaves_out=True)
    n = weight.sum()
    losses = np.empty((len(ALPHAS), N))
    for a, alpha in enumerate(ALPHAS):
        for i in range(N):
            others = weight - np.minimum(weight, 1.0) * np.eye(N)[i]
            coef = ridge(X, y, others, alpha * n / others.sum())
            losses[a, i] = 0.5 * ((y[i] - predicted(X[i], coef)) ** 2).sum()
    mean = losses @ weight / n
    deviation = np.sqrt((losses - mean[:, np.newaxis]) ** 2 @ weight / n)
    assert_allclose(path.alphas, ALPHAS, rtol=0)
    assert_allclose(path.losses, mean, rtol=1e-8)
    assert_allclose(path.errors, deviation / np.sqrt(n), rtol=1e-8)


@pytest.mark.wide(4)
@pytest.mark.filterwarnings("ignore:alpha='loo'. the network uses up")
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("n, d", [(40, 200), (30, 31), (60, 40)])
def test_the_scores_of_a_search_are_those_of_refits(n, d, seed):
    """At weak decay too, where rounding is divided by alpha."""
    rng = np.random.default_rng(seed)
    factors = rng.standard_normal((n, 4))
    X = factors @ rng.standard_normal((4, d)) + rng.standard_normal((n, d))
    y = factors[:, 0] + 0.5 * rng.standard_normal(n)
    model = WeightDecayMLPRegressor(
        hidden_layer_sizes=(), alpha="loo", encoding=None
    ).fit(X, y)
    z, rows = (y - y.mean()) / y.std(), np.arange(n)
    seen = zip(model.alphas_, model.alpha_scores_)
    compared = [pair for pair in seen if pair[0] > 1e-9]
    assert len(compared) > 5
    for alpha, score in compared[:: max(1, len(compared) // 12)]:
        losses = []
        for i in rows:
            ridge = Ridge(alpha=n * alpha, solver="svd").fit(X[rows != i], z[rows != i])
            losses.append(0.5 * (z[i] - ridge.predict(X[[i]])[0]) ** 2)
        assert -score == pytest.approx(np.mean(losses), rel=1e-5)


@both_forms
@counted
@both_sizes
@outputs
def test_gcv_of_a_linear_model_is_the_textbook_formula(
    n_outputs, n_features, weight, form, monkeypatch
):
    """Golub, Heath and Wahba 1979, eq. 1.4, halved as the loss is, summed over outputs.

    |(I - A) y|^2 / n over (tr(I - A) / n)^2, with A the influence matrix of ridge with
    an intercept.
    """
    use(form, monkeypatch)
    task, params = problem_and_start("squared_error", n_outputs, n_features, weight)
    path = loss_path(task, params, ALPHA, ALPHAS, leaves_out=False)
    X, y = (
        np.repeat(a, weight.astype(int), axis=0)
        for a in (task.training.X, task.training.y)
    )
    n = len(X)
    expected = []
    for alpha in ALPHAS:
        influence = predicted(X, ridge(X, np.eye(n), np.ones(n), alpha))
        left = np.eye(n) - influence
        expected.append(0.5 * ((left @ y) ** 2).sum() / n / (np.trace(left) / n) ** 2)
    assert_allclose(path.losses, expected, rtol=1e-9)
    assert path.errors is None


@outputs
def test_rows_that_a_kronecker_product_does_not_know(n_outputs, monkeypatch):
    """Their leverage is that of other rows: the residual becomes e_i (1 + h_i)."""
    use("Kronecker", monkeypatch)
    task, params = problem_and_start("squared_error", n_outputs)
    path = loss_path(task, params, ALPHA, ALPHAS, leaves_out=True)
    X, y = task.training.X, task.training.y
    expected = []
    for alpha in ALPHAS:
        influence = predicted(X, ridge(X, np.eye(N), np.ones(N), alpha))
        errors = (y - influence @ y) * (1.0 + np.diag(influence))[:, np.newaxis]
        expected.append(0.5 * (errors**2).sum() / N)
    assert_allclose(path.losses, expected, rtol=1e-10)


@pytest.mark.wide(3)
@both_names
@every_depth
@every_form
def test_whole_weights_are_repeated_rows(loss, n_outputs, hidden, name):
    task, params = problem_and_start(loss, n_outputs, weight=COUNTS, hidden=hidden)
    sample, times = task.training, COUNTS.astype(int)
    X, y = (np.repeat(a, times, axis=0) for a in (sample.X, sample.y))
    repeated = task_of(Sample(X, y, np.ones(len(y))), loss, hidden)
    same_path(task, repeated, params, name)


@pytest.mark.wide(4)
@both_names
@every_depth
@every_form
def test_blocks_of_rows_change_rounding_only(
    loss, n_outputs, hidden, name, monkeypatch
):
    task, params = problem_and_start(loss, n_outputs, hidden=hidden)
    whole = loss_path(task, params, NEAR[1], NEAR, leaves_out=name == "loo")
    width = 8 * task.layout.n_params * n_outputs
    monkeypatch.setattr(factors_module, "BLOCK_BYTES", 4 * width)  # 4 rows of 25
    close(loss_path(task, params, NEAR[1], NEAR, leaves_out=name == "loo"), whole)


@both_forms
@both_names
@every_depth
def test_sparse_rows_agree_with_dense_ones(hidden, name, form, monkeypatch):
    use(form, monkeypatch)
    task, params = problem_and_start("multinomial", 3, hidden=hidden)
    sample = task.training
    X = np.where(sample.X > 0.3, sample.X, 0.0)
    pair = [
        task_of(Sample(each, sample.y, sample.weight), "multinomial", hidden)
        for each in (X, csr_matrix(X))
    ]
    same_path(*pair, params, name)


def same_path(one, other, params, name):
    close(
        *(
            loss_path(each, params, NEAR[1], NEAR, leaves_out=name == "loo")
            for each in (one, other)
        )
    )


def close(found, expected):
    assert_allclose(found.losses, expected.losses, rtol=1e-9)
    if found.errors is not None:
        assert_allclose(found.errors, expected.errors, rtol=1e-9)


def optimum(task, alpha):
    """Newton's method with the Jacobian of a linear model; J, L and H at its end."""
    loss, sample, layout = task.loss, task.training, task.layout
    X1, y, norm_weight = np.c_[sample.X, np.ones(N)], sample.y, sample.norm_weight
    o = y.shape[1]
    J = np.stack([np.kron(x, np.eye(o)) for x in X1])  # (n, o, P)
    w, decay = np.zeros(layout.n_params), alpha * layout.decay_mask
    for _ in range(30):
        raw = J @ w
        slope = slope_of(loss, y, raw)
        L = loss_curvature(loss, y, raw)
        H = np.einsum("n,nop,nok,nkq->pq", norm_weight, J, L, J) + np.diag(decay)
        gradient = np.einsum("n,nop,no->p", norm_weight, J, slope) + decay * w
        w = w - np.linalg.pinv(H, rcond=1e-9, hermitian=True) @ gradient
    assert np.abs(gradient).max() < 1e-14
    return w, J, L, H


@pytest.mark.wide(4)
@counted
@every_form
def test_without_a_row_it_is_a_step_of_newton(loss, n_outputs, weight):
    """From the optimum, for J of the other rows, in units of all of them."""
    task, _ = problem_and_start(loss, n_outputs, weight=weight)
    w, J, L, H = optimum(task, ALPHA)
    loss, y, n = task.loss, task.training.y, weight.sum()
    slope = slope_of(loss, y, J @ w)
    shift_origin = []
    for i in range(N):
        without = H - J[i].T @ L[i] @ J[i] / n
        gradient = -J[i].T @ slope[i] / n
        step = np.linalg.pinv(without, rcond=1e-9, hermitian=True) @ gradient
        shift_origin.append(J[i] @ (w - step))
    losses = loss.loss(y, np.array(shift_origin))
    path = loss_path(task, w, ALPHA, np.array([ALPHA]), leaves_out=True)
    assert_allclose(path.losses, [losses @ weight / n], rtol=1e-8)

    inverse = np.linalg.pinv(H, rcond=1e-9, hermitian=True)
    spread = np.einsum("nop,pq,nkq->nok", J, inverse, J) / n
    found = left_out(loss, y, J @ w, spread, L)
    centre = np.eye(y.shape[1])
    if loss.likelihood.shift_invariant:
        centre = centre - 1.0 / y.shape[1]
        basis = np.linalg.qr(centre)[0][:, :-1].T
        seen = left_out(loss, y, J @ w, basis @ spread @ basis.T, L, basis)
        assert_allclose(seen @ centre, found @ centre, rtol=1e-8, atol=1e-9)
    assert_allclose(
        found @ centre, np.array(shift_origin) @ centre, rtol=1e-8, atol=1e-9
    )
    stacked = left_out(loss, y, np.stack([J @ w] * 2), np.stack([spread] * 2), L)
    assert_allclose(stacked, [found, found], rtol=1e-12)


def half_trained(loss, n_outputs, n):
    """A network that has learnt something, but is not at its optimum."""
    net = dense(NEAR[1], loss=loss, n_outputs=n_outputs, n=n, hidden=(3,))
    few = {"max_iter": 10, "max_fun": 100, "tol": 0.0}
    w = lbfgs.minimize(net.objective, net.w[np.newaxis], **few).x[0]
    J = differences(lambda v: forward(net.objective, v), w)
    L = loss_curvature(net.objective.loss, net.sample.y, forward(net.objective, w))
    G = np.einsum("nop,nok,nkq->pq", J, L, J) / n
    return Dense(net.objective, w, J, L, G, net.decay)


@pytest.mark.wide(4)
@pytest.mark.parametrize("n", [60, 12], ids=["many rows", "few rows"])
@every_form
def test_the_path_of_a_network_is_that_of_its_linearisation(loss, n_outputs, n):
    """With hidden layers, for every loss, from weights that are no optimum."""
    net = half_trained(loss, n_outputs, n)
    task = task_of(net.sample, loss, (3,))
    loss, y, raw = task.loss, net.sample.y, forward(net.objective, net.w)
    variance = y.var(axis=0).mean() if loss.likelihood.estimates_noise else 1.0
    worst = loss.loss(y, np.broadcast_to(task.constant, y.shape)).max()
    net.G = net.G + lift(net, 2.0 * np.pi * variance / n)
    gradient = np.einsum("nop,no->p", net.J, slope_of(loss, y, raw)) / n
    expected = []
    for alpha in NEAR:
        inverse = net.inverse(alpha / NEAR[1])
        shift_origin = raw - net.J @ inverse @ (
            gradient + alpha * net.layout.decay_mask * net.w
        )
        spread = np.einsum("nop,pq,nkq->nok", net.J, inverse, net.J) / n
        slope = slope_of(loss, y, shift_origin)
        for i in range(n):
            left = np.eye(n_outputs) - net.L[i] @ spread[i]
            shift_origin[i] += spread[i] @ np.linalg.inv(left) @ slope[i]
        losses = loss.loss(y, shift_origin)
        if (
            loss.likelihood.estimates_noise or loss.out_activation == "exp"
        ):  # errors have a bound
            losses = np.minimum(losses, worst)
        expected.append(losses.mean())
    path = loss_path(task, net.w, NEAR[1], NEAR, leaves_out=True)
    assert_allclose(path.losses, expected, rtol=1e-8)


def test_a_unit_of_one_row_alone():
    """Next to nothing else determines it, and linearised networks know no bounds.

    The row is then as far off as the mean of y is where that is furthest off.
    """
    X = np.linspace(-1.0, 1.0, N)[:, np.newaxis]
    y = 0.5 * X
    y[-2:] += [[0.1], [2.5]]
    task = task_of(Sample(X, y, np.ones(N)), "squared_error", (2,))
    layout, w = task.layout, np.zeros((1, task.layout.n_params))
    layout.W(w, 0)[:] = [[0.5, 50.0]]
    layout.b(w, 0)[:] = [[0.0, -50.0]]  # 0 for the last row, saturated for all others
    layout.W(w, 1)[:] = [[1.0], [2.5]]
    layout.b(w, 1)[:] = 2.5
    path = loss_path(task, w[0], NEAR[0], NEAR[:2], leaves_out=True)
    of_that_row = 0.5 * np.abs(y - y.mean()).max() ** 2 / N
    assert np.all(path.losses > of_that_row)
    assert np.all(path.losses < of_that_row + y[:-1].var())


def lift(net, floor):
    """What `UnpenalisedBlock` adds to the curvature of hidden biases, (P, P)."""
    hidden = net.layout.hidden_biases > 0.0
    outer = ~hidden & (net.decay == 0.0)
    C = net.G[np.ix_(hidden, outer)]
    inverse = np.linalg.pinv(net.G[np.ix_(outer, outer)], rcond=1e-9, hermitian=True)
    inner = net.G[np.ix_(hidden, hidden)] - C @ inverse @ C.T
    values, vectors = np.linalg.eigh(inner)
    E = np.zeros_like(net.G)
    E[np.ix_(hidden, hidden)] = (
        vectors * (np.maximum(values, floor) - values)
    ) @ vectors.T
    return E
