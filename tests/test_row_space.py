"""Networks of more columns than rows, trained in the space of the rows."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression, Ridge
from stacks import make_stack
from test_stack import assert_same, solver_named

from skwd import (
    WeightDecayMLPClassifier,
    WeightDecayMLPRegressor,
    WeightDecayMLPRegressorCV,
)
from skwd._alpha.choice import laplace_of
from skwd._core.objective import Objective
from skwd._core.rows import column_means
from skwd._core.sample import Sample
from skwd._cv import parallel
from skwd._solvers.hooks import Hooks, layer_norms
from skwd._solvers.row_basis import basis, has_basis
from skwd._solvers.row_space import MULTIPLE, RowSpace, n_inputs_on, widths
from skwd._solvers.training import train

N, D = 40, 150
WIDTH = 2 * MULTIPLE  # of N rows


@pytest.fixture(scope="module")
def wide():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((N, D)) * rng.uniform(0.5, 2.0, D) + 3.0
    return X, X[:, :5].sum(axis=1) + 0.3 * rng.standard_normal(N)


@pytest.fixture(scope="module")
def few_factors():
    """Columns that share four factors, whose noise the evidence can tell."""
    rng = np.random.default_rng(2)
    X = rng.standard_normal((N, 4)) @ rng.standard_normal((4, D))
    X += 0.3 * rng.standard_normal((N, D))
    return X, X[:, :3].sum(axis=1) / 3.0 + 0.6 * rng.standard_normal(N)


def a_stack(n_networks=3, n=N, **how):
    return make_stack(n_networks, n=n, n_features=D, **how)


def across_the_rows(model, X):
    """What of the first weights is orthogonal to all rows about their mean."""
    rows, W = X - X.mean(axis=0), model.coefs_[0]
    return W - np.linalg.pinv(rows, rcond=1e-7) @ (rows @ W)


@pytest.mark.parametrize("is_sparse", [False, True])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("loss", ["squared_error", "multinomial", "poisson"])
def test_J_and_its_gradient_are_the_same_in_both_spaces(loss, dtype, is_sparse):
    n_outputs = 3 if loss == "multinomial" else 2
    how = {"loss": loss, "n_outputs": n_outputs, "weighted": True, "dtype": dtype}
    how["sparse"] = is_sparse
    objective, params = a_stack(alpha=np.array([1e-3, 0.1, 2.0]), **how)
    assert widths(objective).tolist() == [WIDTH] * 3
    space = RowSpace(objective, WIDTH)
    rtol = 1e-10 if dtype == np.float64 else 1e-4
    inside = space.inside(params)
    outside = space.outside(inside)  # without what is orthogonal to the rows
    J, gradient = objective.loss_gradient(outside)
    narrow_J, narrow_gradient = space.objective.loss_gradient(inside)
    np.testing.assert_allclose(narrow_J, J, rtol=rtol)
    np.testing.assert_allclose(
        narrow_gradient, space.inside(gradient), rtol=rtol, atol=rtol
    )
    np.testing.assert_allclose(
        space.outside(narrow_gradient), gradient, rtol=rtol, atol=rtol
    )
    at_first = objective.data_loss(params)  # no row sees the difference
    np.testing.assert_allclose(space.objective.data_loss(inside), at_first, rtol=rtol)


@pytest.mark.wide(5)
@pytest.mark.parametrize("is_sparse", [False, True])
@pytest.mark.parametrize("hidden", [(), (7,), (5, 4)], ids=str)
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_it_ends_at_a_minimum_of_J_of_all_columns(hidden, activation, is_sparse):
    how = {"hidden": hidden, "activation": activation, "sparse": is_sparse}
    objective, params = a_stack(alpha=0.03, **how)
    fit = train(objective, params, solver_named(max_iter=5000, tol=1e-12))
    J, gradient = objective.loss_gradient(fit.params)
    np.testing.assert_allclose(fit.fun, J, rtol=1e-9)
    slope = np.abs(gradient).max(axis=1)
    start = np.abs(objective.loss_gradient(params)[1]).max(axis=1)
    assert (J < objective.fun(params)).all()
    if activation == "tanh" or not hidden:  # minima of relu may be kinks
        assert (slope < 1e-4 * start).all()


@pytest.mark.parametrize("is_sparse", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_linear_models_are_those_of_scikit_learn(wide, weighted, is_sparse):
    X, y = wide
    X_of_peer = X
    if is_sparse:
        X_of_peer = np.where(X > 3.0, X, 0.0)
        X = sparse.csr_matrix(X_of_peer)
    weight = np.random.default_rng(1).uniform(0.2, 3.0, N) if weighted else np.ones(N)
    linear = {"hidden_layer_sizes": (), "alpha": 0.02}
    model = WeightDecayMLPRegressor(**linear).fit(X, y, weight)
    peer = Ridge(alpha=0.02 * weight.sum()).fit(X_of_peer, y, weight)
    np.testing.assert_allclose(model.predict(X), peer.predict(X_of_peer), rtol=1e-7)
    coef = model.coefs_[0][:, 0] * model.y_scale_
    np.testing.assert_allclose(coef, peer.coef_, atol=1e-8)
    labels = np.digitize(y, np.quantile(y, [0.3, 0.7]))
    model = WeightDecayMLPClassifier(**linear, max_iter=5000, tol=1e-9)
    model.fit(X, labels, weight)
    peer = LogisticRegression(C=1.0 / (0.02 * weight.sum()), tol=1e-10, max_iter=10_000)
    peer.fit(X_of_peer, labels, weight)
    found, expected = model.predict_proba(X), peer.predict_proba(X_of_peer)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    np.testing.assert_allclose(across_the_rows(model, X_of_peer), 0.0, atol=1e-8)


def test_networks_of_other_rows_stay_what_they_are_alone():
    """Of 31 and 32 rows, and 33, which have other shapes; of more rows than columns."""
    n = D + 20
    rows = [np.arange(MULTIPLE + more) for more in (-1, 0, 1)] + [np.arange(n)]
    alpha = 10.0 ** np.linspace(-3, 0, 8)
    solver = solver_named(max_iter=40)
    objective, params = a_stack(8, n=n, rows=rows, alpha=alpha, weighted=True)
    assert widths(objective).tolist() == 2 * [MULTIPLE, MULTIPLE, 2 * MULTIPLE, D]
    together = train(objective, params, solver)
    for k in range(len(params)):
        one = np.array([k])
        assert_same(train(objective[one], params[one], solver), 0, together, k)


def test_copies_of_a_row_are_its_weight(wide):
    X, y = wide
    X = np.concatenate([X, X[:10], X[:3] + 1e-9])  # and rows that are nearly one
    y = np.concatenate([y, y[:10], y[:3] + 1.0])
    how = {"hidden_layer_sizes": (8,), "alpha": 0.01, "random_state": 0}
    model = WeightDecayMLPRegressor(**how).fit(X, y)
    weight = np.concatenate(
        [np.full(10, 2.0), np.ones(N - 10), np.zeros(10), np.ones(3)]
    )
    peer = WeightDecayMLPRegressor(**how).fit(X, y, weight)
    np.testing.assert_array_equal(peer.predict(X), model.predict(X))


@pytest.mark.parametrize("constant", [1.0, 1e9])
def test_a_constant_column_has_no_weights(wide, constant):
    X, y = wide
    with_one = np.insert(X, 3, constant, axis=1)
    how = {"hidden_layer_sizes": (8,), "alpha": 0.01, "random_state": 0}
    model = WeightDecayMLPRegressor(**how, max_iter=5)
    with pytest.warns(ConvergenceWarning):
        model.fit(with_one, y)
    np.testing.assert_allclose(across_the_rows(model, with_one), 0.0, atol=1e-12)
    assert np.abs(model.coefs_[0][3]).max() < 1e-15


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("unit", [1e-15, 1e-6, 1e6, 1e15])
def test_a_column_in_other_units_hides_no_other(wide, unit, dtype):
    """Its rounding, in coordinates of all columns, may be larger than they are."""
    X, y = wide
    column = np.random.default_rng(1).standard_normal(N)
    X = np.insert(X - 3.0, 3, unit * column, axis=1).astype(dtype)
    model = WeightDecayMLPRegressor(hidden_layer_sizes=(), alpha=0.02).fit(X, y)
    of_peer = X.astype(float)
    of_peer[:, 3] = min(unit, 1e5) * column  # costs nothing from there on
    peer = Ridge(alpha=0.02 * N).fit(of_peer, y)
    atol = 1e-4 if dtype == np.float32 else 1e-6
    np.testing.assert_allclose(model.predict(X), peer.predict(of_peer), atol=atol)


def stepped(objective, params):
    """Where ten steps of L-BFGS lead."""
    return train(objective, params, solver_named(max_iter=10)).params


@pytest.mark.parametrize("unit", [1e-3, 1.0, 1e3])
def test_steps_are_those_by_all_columns_of_one_unit(monkeypatch, unit):
    objective, params = a_stack(activation="tanh", alpha=0.03)
    layout, [sample] = objective.network.layout, objective.samples
    sample.X[:] *= unit / np.sqrt(sample.norm_weight @ np.square(sample.X))
    space = RowSpace(objective, WIDTH)
    params = space.outside(space.inside(params))  # starts within the rows' space
    layout.W(params, 0)[:] /= max(unit, 1.0)
    inside = stepped(objective, params)
    monkeypatch.setattr("skwd._solvers.row_space.GATHER_BYTES", 0)
    by_columns = stepped(objective, params)
    moved = np.abs(by_columns - params).max()
    np.testing.assert_allclose(inside, by_columns, atol=1e-4 * moved)


def test_columns_in_unlike_units_take_no_more_steps(wide):
    X, y = wide
    n_iter = {}
    how = {"hidden_layer_sizes": (10,), "activation": "tanh", "random_state": 0}
    for largest in (1.0, 1e2, 1e6):
        units = np.where(np.arange(D) == 7, largest, 1.0)
        model = WeightDecayMLPRegressor(alpha=0.01, **how).fit(X * units, y)
        n_iter[largest] = model.n_iter_
    assert max(n_iter.values()) < 2.5 * n_iter[1.0], n_iter


def test_a_basis_is_kept_where_rows_are():
    for is_kept in (True, False):
        objective, params = a_stack(1)
        [sample] = objective.samples
        sample.gather_once = is_kept
        train(objective, params, solver_named(max_iter=2))
        assert ("basis" in sample.kept) is is_kept


def test_a_warm_start_goes_on_from_there(wide):
    X, y = wide
    how = {"hidden_layer_sizes": (4,), "alpha": 0.05, "random_state": 0}
    model = WeightDecayMLPRegressor(**how, warm_start=True, tol=1e-10, max_iter=2000)
    first = model.fit(X, y).n_iter_
    assert model.fit(X, y).n_iter_ <= 0.2 * first
    np.testing.assert_allclose(across_the_rows(model, X), 0.0, atol=1e-4)


def test_hooks_are_told_of_networks_of_all_columns():
    objective, params = a_stack()
    seen = {0: [], 1: [], 2: []}

    def tell(network, of_then, alpha):
        seen[network].append(of_then.copy())
        assert (alpha == objective.alpha[network]).all()
        return network == 1 and len(seen[1]) == 3

    hooks = Hooks(keeps_gradients=True, after_iteration=tell)
    fit = train(objective, params, solver_named(max_iter=9, hooks=hooks))
    for k in range(3):
        one = objective[np.array([k])]
        J = [float(one.fun(of_then[np.newaxis])[0]) for of_then in seen[k]]
        np.testing.assert_allclose(J, fit.loss_curve[k], rtol=1e-10)
        np.testing.assert_array_equal(seen[k][-1], fit.params[k])
        _, gradient = one.data_loss_gradient(seen[k][-1][np.newaxis])
        norms = layer_norms(objective.network.layout, gradient)[0]
        np.testing.assert_allclose(fit.gradient_curve[k][-1], norms, rtol=1e-9)
    assert fit.nit.tolist() == [9, 3, 9]


@pytest.fixture
def choices(monkeypatch):
    """The tasks that alpha is chosen for by name, and what was chosen."""
    seen, choose = [], parallel.train_choosing

    def spy(task, *how):
        seen.append((task, choose(task, *how)))
        return seen[-1][1]

    monkeypatch.setattr(parallel, "train_choosing", spy)
    return seen


@pytest.mark.wide(3)
@pytest.mark.parametrize("hidden", [(), (5,)], ids=str)
@pytest.mark.parametrize("labels", [False, True])
@pytest.mark.parametrize("groups", [None, "layer"])
def test_the_evidence_is_that_of_all_columns(
    choices, few_factors, hidden, labels, groups
):
    X, y = few_factors
    cls = WeightDecayMLPRegressor
    if labels:
        cls, y = WeightDecayMLPClassifier, y > np.median(y)
    how = {"hidden_layer_sizes": hidden, "alpha_groups": groups, "activation": "tanh"}
    model = cls(alpha="evidence", posterior=True, random_state=0, **how).fit(X, y)
    [(task, found)] = choices
    k, known = found.best, found.known(found.best)
    point = task, found.params[k], found.alpha[k]
    whole = laplace_of(*point, one_alpha=groups is None)
    assert known.curvature.layout.layer_units[0] == WIDTH
    assert whole.curvature.layout.layer_units[0] == D
    assert known.log_evidence == pytest.approx(whole.log_evidence, rel=1e-8)
    np.testing.assert_allclose(known.n_effective, whole.n_effective, rtol=1e-7)
    np.testing.assert_allclose(known.noise, whole.noise, rtol=1e-9)
    assert model.coefs_[0].shape[0] == D and model.n_features_in_ == D
    np.testing.assert_allclose(model.log_evidence_, whole.log_evidence, rtol=1e-8)


@pytest.mark.parametrize("way", ["evidence", "loo", "gcv"])
def test_alpha_by_name_is_that_of_all_columns(monkeypatch, few_factors, way):
    X, y = few_factors
    model = WeightDecayMLPRegressor(hidden_layer_sizes=(), alpha=way).fit(X, y)
    monkeypatch.setattr("skwd._solvers.row_space.GATHER_BYTES", 0)
    whole = WeightDecayMLPRegressor(hidden_layer_sizes=(), alpha=way).fit(X, y)
    assert model.alpha_ == pytest.approx(whole.alpha_, rel=1e-5)
    np.testing.assert_allclose(model.predict(X), whole.predict(X), rtol=1e-5)


def test_rounds_are_told_of_networks_of_all_columns():
    objective, params = a_stack(1)
    space, seen = RowSpace(objective, WIDTH), []
    inside = space.inside(params)
    hooks = space.hooks(Hooks(after_round=lambda *what: seen.append(what)))
    hooks.after_round(0, inside[0], objective.alpha[0])
    [(network, of_then, alpha)] = seen
    np.testing.assert_array_equal(of_then, space.outside(inside)[0])
    assert network == 0 and (alpha == objective.alpha[0]).all()


@pytest.mark.slow
def test_auto_goes_by_the_rows_of_wide_tables():
    rng = np.random.default_rng(0)
    n, d = 60, 12_000  # 7e7 rows times parameters
    X, y = rng.standard_normal((n, d)), rng.standard_normal(n)
    quick = {"max_iter": 2, "hidden_layer_sizes": (100,), "random_state": 0}
    solver = lambda X, **how: (  # noqa: E731
        WeightDecayMLPRegressor(**quick, **how).fit(X, y).solver_
    )
    with pytest.warns(UserWarning):
        assert solver(X) == "lbfgs"
        assert solver(sparse.csr_matrix(X)) == "lbfgs"
        assert solver(X, early_stopping=True) == "adam"
        assert solver(sparse.csr_matrix(X), early_stopping=True) == "adam"


def texts(n, kind, dtype, seed):
    """Rows of 100 words each, of many that are rare."""
    rng = np.random.default_rng(seed)
    often = 1.0 / np.arange(1, 20 * n + 1)
    words = rng.choice(20 * n, 100 * n, p=often / often.sum())
    ones, rows = np.ones(100 * n), np.repeat(np.arange(n), 100)
    X = sparse.csr_matrix((ones, (rows, words)), shape=(n, 20 * n))
    X = TfidfTransformer().fit_transform(X).tocsr() if kind == "tf-idf" else X
    return X.astype(dtype)


@pytest.mark.wide(4)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("kind", ["counts", "tf-idf"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n", [100, 320, 800, 1600])
def test_texts_lack_the_direction_of_their_mean_alone(n, kind, dtype, weighted):
    """Whatever rounding leaves of it: there is one coordinate less than rows."""
    X, rng = texts(n, kind, dtype, n), np.random.default_rng(n)
    weight = rng.uniform(0.5, 2.0, n) if weighted else np.ones(n)
    sample = Sample(X, np.zeros((n, 1)), weight)
    sample = sample.in_units(sample.y, column_means(X, None, sample.norm_weight))
    assert has_basis(sample)
    found = basis(sample).R
    assert found.shape == (n - 1, n)
    rows = X[:100].toarray().astype(np.float64) - sample.origin.astype(np.float64)
    products, scale = rows @ rows.T, np.square(rows).sum(axis=1).max()
    np.testing.assert_allclose(
        found[:, :100].T @ found[:, :100], products, atol=1e-6 * scale
    )


def test_auto_takes_coordinates_of_sparse_rows_at_every_size():
    """Adam would change the weights of all columns at each step."""
    rng, n = np.random.default_rng(0), 800
    quick = {"max_iter": 2, "hidden_layer_sizes": (100,), "random_state": 0}
    for d, solver in ((1000, "adam"), (1700, "lbfgs")):
        X, y = rng.standard_normal((n, d)), rng.standard_normal(n)
        X = sparse.csr_matrix(np.where(X > 2.0, X, 0.0))
        with pytest.warns(UserWarning):
            model = WeightDecayMLPRegressor(**quick, alpha=1.0).fit(X, y)
        assert model.solver_ == solver


@pytest.mark.wide(5)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e3])
@pytest.mark.parametrize("seed", range(3))
def test_sparse_rows_are_fitted_as_dense_ones(seed, unit, dtype):
    """With copies, rows that are next to equal, constant columns and empty rows."""
    rng = np.random.default_rng(seed)
    X = np.where(rng.random((N, 4 * D)) < 0.1, rng.exponential(size=(N, 4 * D)), 0.0)
    X[1], X[2], X[3] = X[0], X[0] + 1e-7 * (X[0] > 0.0), 0.0
    X[:, 5] = 2.0
    y = X[:, 6:12].sum(axis=1) + 0.3 * rng.standard_normal(N)
    X = (unit * X).astype(dtype)
    how = {"hidden_layer_sizes": (), "alpha": 0.02 * unit**2, "max_iter": 10_000}
    eps = float(np.finfo(dtype).eps)
    dense = WeightDecayMLPRegressor(**how).fit(X, y)
    model = WeightDecayMLPRegressor(**how).fit(sparse.csr_matrix(X), y)
    assert model.loss_ == pytest.approx(dense.loss_, rel=max(1e-7, 100.0 * eps))
    atol = max(1e-6, 1e3 * eps) * y.std()
    np.testing.assert_allclose(model.predict(X), dense.predict(X), atol=atol)
    dense = WeightDecayMLPClassifier(**how).fit(X, y > np.median(y))
    model = WeightDecayMLPClassifier(**how).fit(sparse.csr_matrix(X), y > np.median(y))
    assert model.loss_ == pytest.approx(dense.loss_, rel=max(1e-6, 100.0 * eps))


@pytest.mark.parametrize("size", [1e-3, 3e-6])
def test_a_small_value_leaves_sparse_rows_in_their_space(size):
    objective, _ = a_stack(sparse=True)
    X = objective.samples[0].X.tolil()
    X[:, 3] = 0.0
    X[7, 3] = size
    objective.samples[0].X = X = X.tocsr()
    assert widths(objective).tolist() == [WIDTH] * 3
    rows, rng = X.toarray(), np.random.default_rng(0)
    y = rows[:, 4:8].sum(axis=1) + 0.3 * rng.standard_normal(N)
    for alpha in (0.02, 1e-3):
        how = {"hidden_layer_sizes": (), "alpha": alpha, "max_iter": 10_000}
        dense = WeightDecayMLPRegressor(**how).fit(rows, y)
        model = WeightDecayMLPRegressor(**how).fit(X, y)
        assert model.loss_ == pytest.approx(dense.loss_, rel=1e-7)
        np.testing.assert_allclose(model.coefs_[0], dense.coefs_[0], atol=1e-6)


def test_folds_of_sparse_rows_choose_as_those_of_dense_ones(few_factors):
    X, y = few_factors
    X = np.concatenate([X, np.zeros_like(X)], axis=1)
    how = {"hidden_layer_sizes": (), "random_state": 0, "cv": 4}
    how |= {"alphas": [1e-3, 0.1, 10.0]}
    dense = WeightDecayMLPRegressorCV(**how).fit(X, y)
    model = WeightDecayMLPRegressorCV(**how).fit(sparse.csr_matrix(X), y)
    for key in ("mean_test_score", "std_test_score"):
        found, expected = model.cv_results_[key], dense.cv_results_[key]
        np.testing.assert_allclose(found, expected, rtol=1e-6)
    np.testing.assert_allclose(model.predict(X), dense.predict(X), rtol=1e-6)


WHY = "sparse columns", "one by far", "by one alone", "memory", "of a column"


@pytest.mark.parametrize("why", WHY)
def test_what_is_not_in_the_space_of_rows(monkeypatch, why):
    is_sparse = why in ("sparse columns", "one by far", "by one alone")
    objective, _ = a_stack(sparse=is_sparse, n=N if why != "sparse columns" else 75)
    if why == "one by far":  # whose digits would be lost in products
        objective.samples[0].X.data[objective.samples[0].X.indices == 3] *= 1e-8
    if why == "by one alone":  # rows are told apart
        X = objective.samples[0].X.tolil()
        X[N // 2 :] = X[: N - N // 2]
        X[:, 3] = 3e-6 * np.arange(1.0, N + 1.0)[:, np.newaxis]
        objective.samples[0].X = X.tocsr()
    if why == "memory":
        monkeypatch.setattr("skwd._solvers.row_space.GATHER_BYTES", N * D * 8)
    if why == "of a column":  # an alpha of its own
        layout = objective.network.layout
        groups = layout.column_groups(np.arange(D) % 2)
        alpha = np.full((3, groups.n_groups), 0.01)
        objective = Objective(
            objective.network, objective.loss, objective.samples, alpha, groups=groups
        )
    assert widths(objective).tolist() == [D] * 3
    if why in ("sparse columns", "memory"):
        sample = objective.samples[0]
        assert n_inputs_on(objective.network.layout, sample, len(sample)) == D
