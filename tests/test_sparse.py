"""l1_ratio and sparsity: exact zeros at certified minima, whatever the solver."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.sparse import csr_matrix
from sklearn.datasets import make_friedman1
from sklearn.feature_selection import SelectFromModel
from sklearn.linear_model import ElasticNet, LogisticRegression, MultiTaskLasso
from sklearn.model_selection import GridSearchCV

from skwd import (
    WeightDecayMLPClassifier,
    WeightDecayMLPClassifierCV,
    WeightDecayMLPRegressor,
    WeightDecayMLPRegressorCV,
)
from skwd._core.kinks import shrunk
from skwd._cv import models
from skwd._cv import second_stage as module

LINEAR = {"hidden_layer_sizes": (), "tol": 1e-9, "random_state": 0}
SMALL = {"hidden_layer_sizes": (6,), "activation": "tanh", "random_state": 0}
KINDS = [(None, 0.3), (None, 1.0), ("input", 0.3), ("input", 1.0)]
every_kind = pytest.mark.parametrize(("sparsity", "l1_ratio"), KINDS)


def rows(n_outputs=1, n=100, d=12, seed=0):
    """Standardised columns, of which the first three matter."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    Y = X[:, :3] @ rng.standard_normal((3, n_outputs)) + 0.5 * X[:, :1] ** 2
    Y = Y + 0.5 * rng.standard_normal((n, n_outputs))
    return X, Y if n_outputs > 1 else Y[:, 0]


def penalty(model, alpha):
    """The formula of the docstring, from the fitted weights."""
    first, *others = [np.asarray(W, dtype=float) for W in model.coefs_]
    r = model.l1_ratio
    if model.sparsity is None:
        layers = [first, *others]
        return alpha * sum(
            r * np.abs(W).sum() + (1 - r) / 2 * (W**2).sum() for W in layers
        )
    columns = np.sqrt((first**2).sum(axis=1)).sum()
    squares = (1 - r) * (first**2).sum() + sum((W**2).sum() for W in others)
    return alpha * (r * columns + squares / 2)


# Linear models: scikit-learn's


@pytest.mark.parametrize("l1_ratio", [0.3, 1.0])
@pytest.mark.parametrize("alpha", [0.3, 0.05, 1e-3])
def test_no_hidden_layer_is_the_elastic_net(alpha, l1_ratio):
    """y in its own deviations; a single output's columns are single weights."""
    X, y = rows()
    peer = ElasticNet(alpha=alpha, l1_ratio=l1_ratio, tol=1e-12, max_iter=100_000)
    peer.fit(X, (y - y.mean()) / y.std())
    for sparsity in (None, "input"):
        how = {"alpha": alpha, "l1_ratio": l1_ratio, "sparsity": sparsity}
        model = WeightDecayMLPRegressor(**how, **LINEAR).fit(X, y)
        coef = model.coefs_[0][:, 0]
        np.testing.assert_allclose(coef, peer.coef_, atol=1e-6)
        np.testing.assert_array_equal(coef == 0.0, peer.coef_ == 0.0)
        np.testing.assert_array_equal(model.support_, peer.coef_ != 0.0)
        assert model.converged_


@pytest.mark.parametrize("alpha", [0.3, 0.05])
def test_columns_of_several_outputs_are_the_multi_task_lasso(alpha):
    X, Y = rows(3)
    how = {"alpha": alpha, "l1_ratio": 1.0, "sparsity": "input", "normalize_y": False}
    model = WeightDecayMLPRegressor(**how, **LINEAR).fit(X, Y)
    peer = MultiTaskLasso(alpha=alpha, tol=1e-12, max_iter=100_000).fit(X, Y)
    np.testing.assert_allclose(model.coefs_[0].T, peer.coef_, atol=1e-6)
    np.testing.assert_array_equal(model.support_, peer.coef_.any(axis=0))


def logistic(C, l1_ratio):
    """As scikit-learn spells it: penalty= is on its way out since 1.8."""
    how = {"C": C, "l1_ratio": l1_ratio, "solver": "saga", "tol": 1e-12}
    how |= {"max_iter": 200_000}
    if LogisticRegression().penalty == "l2":
        how["penalty"] = "elasticnet"
    return LogisticRegression(**how)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_classes_are_the_elastic_net_of_logistic_regression(n_classes):
    X, y = rows()
    y = np.digitize(y, [0.0] if n_classes == 2 else [-0.7, 0.7])
    alpha, l1_ratio = 0.03, 0.5
    model = WeightDecayMLPClassifier(alpha=alpha, l1_ratio=l1_ratio, **LINEAR)
    model.fit(X, y)
    peer = logistic(1 / (len(X) * alpha), l1_ratio).fit(X, y)
    np.testing.assert_allclose(model.coefs_[0].T, peer.coef_, atol=1e-5)
    np.testing.assert_array_equal(model.coefs_[0].T == 0.0, peer.coef_ == 0.0)
    p, peer_p = model.predict_proba(X), peer.predict_proba(X)
    np.testing.assert_allclose(p, peer_p, atol=1e-5)


STEPS = {
    "gd": {"learning_rate_init": 0.2},
    "heavy ball": {"solver": "sgd", "nesterovs_momentum": False},
    "nesterov": {"solver": "sgd", "learning_rate_init": 0.02},
    "plain sgd": {"solver": "sgd", "momentum": 0.0, "learning_rate_init": 0.2},
    "adam": {"solver": "adam", "learning_rate_init": 0.01, "max_iter": 3000},
}


@pytest.mark.wide(30)
@every_kind
@pytest.mark.parametrize("steps", STEPS)
def test_every_solver_ends_at_the_same_minimum(steps, sparsity, l1_ratio):
    """On all rows, with a rate that goes to zero: thresholds go with the steps."""
    X, Y = rows(2)
    how = {"alpha": 0.1, "l1_ratio": l1_ratio, "sparsity": sparsity}
    exact = WeightDecayMLPRegressor(**how, **LINEAR).fit(X, Y)
    how |= {"solver": "gd", "batch_size": len(X), "max_iter": 2000} | STEPS[steps]
    how |= {"learning_rate": "linear", "n_iter_no_change": np.inf}
    if how["solver"] == "gd":
        del how["batch_size"]
    model = WeightDecayMLPRegressor(**how, **LINEAR)
    with pytest.warns(match="max_iter"):
        model.fit(X, Y)
    np.testing.assert_allclose(model.coefs_[0], exact.coefs_[0], atol=1e-4)
    np.testing.assert_array_equal(model.support_, exact.support_)
    assert model.loss_ == pytest.approx(exact.loss_, rel=1e-6)


def test_zeros_grow_with_alpha_until_none_is_left():
    X, y = rows()
    a = np.abs(X.T @ (y - y.mean())).max() / len(X) / y.std()
    left = [
        WeightDecayMLPRegressor(alpha=a * part, l1_ratio=1.0, **LINEAR)
        .fit(X, y)
        .support_.sum()
        for part in (1e-6, 0.1, 0.5, 0.999)
    ]
    assert left[0] == 12 and left[-1] == 1 and sorted(left, reverse=True) == left
    with pytest.warns(match="every weight has collapsed"):
        none = WeightDecayMLPRegressor(alpha=1.001 * a, l1_ratio=1.0, **LINEAR)
        none.fit(X, y)
    assert not none.support_.any()


@pytest.mark.wide(2)
@pytest.mark.parametrize("sparsity", [None, "input"])
def test_grids_end_near_where_nothing_is_left(sparsity):
    """At the last weight for norms alone; as with squares where they are nearly all."""
    X, y = rows()
    how = {"hidden_layer_sizes": (), "alphas": 2, "cv": 2, "sparsity": sparsity}
    tops = {}
    for l1_ratio in (1.0, 0.5, 1e-3, 0.0):
        how |= {"l1_ratio": l1_ratio, "sparsity": sparsity if l1_ratio else None}
        tops[l1_ratio] = WeightDecayMLPRegressorCV(**how).fit(X, y).alphas_[-1]
    assert tops[1e-3] == pytest.approx(tops[0.0], rel=0.01)
    assert tops[1.0] < tops[0.5] < tops[0.0]
    last = np.abs(X.T @ (y - y.mean())).max() / len(y) / y.std()
    assert tops[1.0] == pytest.approx(last)


# Networks: certified by the subdifferential


def smooth_gradient(model, X, y, alpha):
    """Of J without its norms, by finite differences of the formula, as coefs_ are."""
    weights = [*model.coefs_, *model.intercepts_]
    sizes = [W.size for W in weights]

    def J(flat):
        parts = np.split(flat, np.cumsum(sizes)[:-1])
        shaped = [part.reshape(W.shape) for part, W in zip(parts, weights)]
        n_layers = len(model.coefs_)
        h = X
        for layer in range(n_layers):
            h = h @ shaped[layer] + shaped[n_layers + layer]
            h = np.tanh(h) if layer < n_layers - 1 else h
        z = (y.reshape(len(y), -1) - model.y_mean_) / model.y_scale_
        loss = np.square(z - h).sum(axis=1).mean() / 2
        r = 1 - model.l1_ratio
        for layer, W in enumerate(shaped[:n_layers]):
            plain = model.sparsity is not None and layer > 0
            loss += alpha / 2 * (1.0 if plain else r) * (W**2).sum()
        return loss

    flat, step = np.concatenate([W.ravel() for W in weights]), 1e-5
    gradient = np.array(
        [(J(flat + e) - J(flat - e)) / (2 * step) for e in step * np.eye(len(flat))]
    )
    return [
        g.reshape(W.shape)
        for g, W in zip(np.split(gradient, np.cumsum(sizes)[:-1]), weights)
    ]


def distance_to_zero(model, X, y, alpha):
    """Of the subdifferential of J at the fitted weights."""
    gradients, total = smooth_gradient(model, X, y, alpha), 0.0
    strength = alpha * model.l1_ratio
    for place, (W, g) in enumerate(zip([*model.coefs_, *model.intercepts_], gradients)):
        if place >= len(model.coefs_) or (model.sparsity is not None and place > 0):
            total += (g**2).sum()
            continue
        blocks = (W, g) if model.sparsity else (W.reshape(-1, 1), g.reshape(-1, 1))
        for w, part in zip(*blocks):
            norm = np.linalg.norm(w)
            if norm > 0:
                total += np.square(part + strength * w / norm).sum()
            else:
                total += max(np.linalg.norm(part) - strength, 0.0) ** 2
    return np.sqrt(total)


@every_kind
@pytest.mark.parametrize("hidden", [(6,), (5, 4)], ids=str)
@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.wide(26)
def test_lbfgs_ends_at_a_certified_minimum(hidden, n_outputs, sparsity, l1_ratio):
    X, y = rows(n_outputs)
    for alpha in (0.003, 0.03):
        how = {"alpha": alpha, "l1_ratio": l1_ratio, "sparsity": sparsity}
        how |= {"hidden_layer_sizes": hidden, "activation": "tanh", "random_state": 1}
        begun = WeightDecayMLPRegressor(max_iter=1, **how)
        with pytest.warns(match="max_iter"):
            begun.fit(X, y)
        model = WeightDecayMLPRegressor(tol=1e-12, max_iter=20_000, **how).fit(X, y)
        start = distance_to_zero(begun, X, y, alpha)
        assert distance_to_zero(model, X, y, alpha) < 1e-4 * start
        residual = (y - model.predict(X)).reshape(len(y), -1) / model.y_scale_
        J = np.square(residual).sum(axis=1).mean() / 2 + penalty(model, alpha)
        assert model.loss_ == pytest.approx(J, rel=1e-9)


@pytest.mark.slow
@every_kind
def test_a_stack_is_its_networks_one_by_one(one_blas_thread, sparsity, l1_ratio):
    """The CV form is GridSearchCV, for "input" as for single weights."""
    X, y = rows()
    how = {"l1_ratio": l1_ratio, "sparsity": sparsity, **SMALL}
    alphas = [0.003, 0.03]
    for steps in ({}, {"solver": "adam", "max_iter": 30, "n_iter_no_change": np.inf}):
        ours = WeightDecayMLPRegressorCV(alphas=alphas, cv=3, **how, **steps)
        grid = GridSearchCV(
            WeightDecayMLPRegressor(**how, **steps), {"alpha": alphas}, cv=3
        )
        for model in (ours, grid):
            if steps:
                with pytest.warns():
                    model.fit(X, y)
            else:
                model.fit(X, y)
        best = grid.best_estimator_
        np.testing.assert_array_equal(
            ours.cv_results_["mean_test_score"], grid.cv_results_["mean_test_score"]
        )
        for W, other in zip(ours.coefs_, best.coefs_):
            np.testing.assert_array_equal(W, other)
        np.testing.assert_array_equal(ours.support_, best.support_)
        left = ours.cv_results_["mean_columns_left"]
        assert left[0] >= left[1] and left.max() <= 12


@pytest.mark.wide(4)
@every_kind
@pytest.mark.parametrize("scale", [1e-4, 1e4])
def test_columns_in_other_units_are_no_longer_way(sparsity, l1_ratio, scale):
    """X scaled and alpha with it: the same J where all is L1 of the first layer."""
    X, y = rows()
    how = {"l1_ratio": 1.0, "sparsity": sparsity, "tol": 1e-10}
    model = WeightDecayMLPRegressor(alpha=0.05, **(LINEAR | how)).fit(X, y)
    other = WeightDecayMLPRegressor(alpha=0.05 * scale, **(LINEAR | how))
    other.fit(scale * X, y)
    np.testing.assert_allclose(scale * other.coefs_[0], model.coefs_[0], atol=1e-6)
    assert other.n_iter_ < 10 * model.n_iter_


# The proximal map of a norm in the metric of Adam


@pytest.mark.parametrize("seed", range(6))
def test_the_proximal_map_of_a_norm_with_steps_of_their_own(seed):
    rng = np.random.default_rng(seed)
    w, step = rng.standard_normal(5), 10.0 ** rng.uniform(-2, 1, 5)
    strength = rng.uniform(0.1, 2.0)
    v = shrunk(w, step, np.array([strength]))

    def value(v):
        return strength * np.linalg.norm(v) + (np.square(v - w) / (2 * step)).sum()

    if not v.any():
        assert np.linalg.norm(w / step) <= strength
    else:  # stationary
        gradient = strength * v / np.linalg.norm(v) + (v - w) / step
        np.testing.assert_allclose(gradient, 0.0, atol=1e-9)
    found = minimize(value, w, method="Nelder-Mead", options={"maxiter": 20_000})
    assert value(v) <= found.fun + 1e-12


# Selection, in two stages


@pytest.mark.slow
def test_adaptive_weights_find_the_columns_that_matter():
    X, y = make_friedman1(300, 20, noise=0.5, random_state=0)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    how = {"hidden_layer_sizes": (10,), "activation": "tanh", "random_state": 0}
    plain = WeightDecayMLPRegressor(alpha=0.003, l1_ratio=1.0, sparsity="input", **how)
    assert plain.fit(X, y).support_.sum() > 5
    adaptive = WeightDecayMLPRegressor(
        alpha=0.003, l1_ratio=1.0, sparsity="adaptive", **how
    ).fit(X, y)
    np.testing.assert_array_equal(np.flatnonzero(adaptive.support_), range(5))
    np.testing.assert_array_equal(adaptive.feature_importances_ > 0, adaptive.support_)
    chosen = SelectFromModel(adaptive, threshold=1e-10).fit(X, y)
    np.testing.assert_array_equal(chosen.get_support(), adaptive.support_)


@pytest.mark.slow
def test_the_second_stage_is_weighted_by_the_first():
    """J of the second stage, by its formula, from the first one's weights."""
    X, y = rows()
    how = {"alpha": 0.01, "l1_ratio": 0.7, **SMALL}
    first = WeightDecayMLPRegressor(sparsity="input", **how).fit(X, y)
    second = WeightDecayMLPRegressor(sparsity="adaptive", **how).fit(X, y)
    norms = np.linalg.norm(first.coefs_[0], axis=1)
    weights = 1 / (norms / norms.max() + 0.01)
    z = (y - second.predict(X)) / second.y_scale_
    own = np.linalg.norm(second.coefs_[0], axis=1)
    J = np.square(z).mean() / 2 + 0.01 * (
        0.7 * weights @ own
        + 0.15 * (second.coefs_[0] ** 2).sum()
        + 0.5 * (second.coefs_[1] ** 2).sum()
    )
    assert second.loss_ == pytest.approx(J, rel=1e-9)


@pytest.mark.wide(2)
@pytest.mark.parametrize("n_init", [1, 3])
def test_a_search_s_first_stage_has_three_starts(n_init, monkeypatch):
    X, y = rows(n=40)
    given, second_stage = [], module.second_stage

    def spy(tasks, alpha, *, further_starts=None, **how):
        more = 0 if further_starts is None else len(further_starts)
        given.append((len(tasks), more))
        return second_stage(tasks, alpha, further_starts=further_starts, **how)

    monkeypatch.setattr(module, "second_stage", spy)
    how = {**SMALL, "hidden_layer_sizes": (2,), "n_init": n_init}
    how |= {"l1_ratio": 1.0, "sparsity": "adaptive"}
    WeightDecayMLPRegressorCV(alphas=[0.03], cv=2, **how).fit(X, y)
    # Of both folds; all rows have what the folds have found.
    assert given == [(2, 3 - n_init), (1, 2)]


def test_the_first_stage_of_a_fold_has_an_alpha_in_its_own_units(monkeypatch):
    """n alpha is that of all rows: here a fold leaves 20 of 100 out."""
    X, y = rows()
    given, second_stage = [], models.second_stage

    def spy(tasks, alpha, **how):
        given.append(np.ravel(alpha))
        return second_stage(tasks, alpha, **how)

    monkeypatch.setattr(models, "second_stage", spy)
    model = WeightDecayMLPRegressor(
        alpha="auto", l1_ratio=1.0, sparsity="adaptive", encoding=None, **LINEAR
    ).fit(X, y)
    np.testing.assert_array_equal(given[-1], model.first_stage_alpha_)
    np.testing.assert_allclose(80.0 * given[0], 100.0 * model.first_stage_alpha_)


@pytest.mark.slow
def test_the_cv_form_selects_the_five_columns_of_friedman():
    """All five on every draw, of a hundred; mean F1 over two draws at least .95."""
    found = []
    for seed in range(2):
        X, y = make_friedman1(500, 100, noise=1.0, random_state=seed)
        X = (X - 0.5) * np.sqrt(12)
        model = WeightDecayMLPRegressorCV(
            hidden_layer_sizes=(20,),
            activation="tanh",
            l1_ratio=1.0,
            sparsity="adaptive",
            rule="1se",
            random_state=seed,
        ).fit(X, y)
        assert model.support_[:5].all()
        found.append(10 / (model.support_.sum() + 5))
    assert np.mean(found) > 0.95


# At home in the rest of the package


@pytest.mark.slow
@every_kind
def test_what_else_works_with_exact_zeros(sparsity, l1_ratio):
    X, y = rows()
    how = {"l1_ratio": l1_ratio, "sparsity": sparsity, **SMALL}
    by_folds = WeightDecayMLPRegressor(alpha="auto", **how).fit(X, y)
    assert by_folds.score(X, y) > 0.5 and by_folds.alpha_choice_["way"][0] == "5"
    kept = WeightDecayMLPRegressor(alpha=0.03, intervals=4, **how).fit(X, y)
    assert kept.predict_interval(X).shape == (100, 2)
    stream = WeightDecayMLPRegressor(alpha=0.03, solver="sgd", **how)
    stream.partial_fit(X, y).partial_fit(X, y)
    assert np.isfinite(stream.predict(X)).all()
    epochs = WeightDecayMLPRegressor(
        alpha=0.03, solver="sgd", max_iter=2, shuffle=False, **how
    )
    stream = WeightDecayMLPRegressor(alpha=0.03, solver="sgd", shuffle=False, **how)
    with pytest.warns(match="max_iter"):
        epochs.fit(X, y)
    stream.partial_fit(X, y).partial_fit(X, y)
    np.testing.assert_array_equal(stream.coefs_[0], epochs.coefs_[0])


@pytest.mark.wide(4)
@every_kind
def test_exact_zeros_of_sparse_rows_and_in_float32(sparsity, l1_ratio):
    """The same first steps, before rounding has grown, and J by its formula."""
    X, y = rows()
    how = {"alpha": 0.03, "l1_ratio": l1_ratio, "sparsity": sparsity, **SMALL}
    few = WeightDecayMLPRegressor(max_iter=4, **how)
    with pytest.warns(match="max_iter"):
        expected = few.fit(X, y).predict(X)
    for data in (csr_matrix(X), X.astype(np.float32)):
        with pytest.warns(match="max_iter"):
            found = few.fit(data, y).predict(data)
        rounding = 1e3 * float(np.finfo(data.dtype).eps)
        np.testing.assert_allclose(found, expected, atol=rounding)
        model = WeightDecayMLPRegressor(**how).fit(data, y)
        assert model.converged_ and model.coefs_[0].dtype == data.dtype
        residual = (y - model.predict(data)) / model.y_scale_
        J = np.square(residual).mean() / 2 + penalty(model, 0.03)
        assert model.loss_ == pytest.approx(J, rel=rounding)


@pytest.mark.slow
def test_adaptive_goes_with_auto_intervals_ensembles_and_classes():
    X, y = rows()
    how = {"l1_ratio": 1.0, "sparsity": "adaptive", **SMALL}
    auto = WeightDecayMLPRegressor(alpha="auto", intervals=4, **how).fit(X, y)
    assert auto.first_stage_alpha_ > 0 and auto.predict_interval(X).shape == (100, 2)
    chosen = WeightDecayMLPRegressorCV(cv=3, intervals=True, **how).fit(X, y)
    assert chosen.first_stage_alpha_ in chosen.alphas_
    assert np.isfinite(chosen.predict_interval(X)).all()
    labels = np.digitize(y, [-0.7, 0.7])
    chooser = WeightDecayMLPClassifierCV(
        cv=3, n_init=2, ensemble=True, alphas=[0.003, 0.01, 0.03], **how
    ).fit(X, labels)
    assert chooser.coefs_[0].shape == (2, 12, 6)
    with pytest.raises(AttributeError) as refused:
        _ = WeightDecayMLPRegressor(alpha=0.1, solver="adam", **how).partial_fit
    reason = str(refused.value)
    assert reason.startswith("sparsity='adaptive' has no partial_fit: its second stage")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"l1_ratio": 1.5}, "l1_ratio must be a number between 0 and 1; got 1.5"),
        ({"l1_ratio": 1.0, "sparsity": "rows"}, "sparsity must be None, 'input' or"),
        ({"sparsity": "input"}, "sparsity='input' says what the L1 part of the pen"),
        ({"l1_ratio": 0.5, "decay": "decoupled", "solver": "adam"}, "l1_ratio=0.5 is"),
        ({"l1_ratio": 0.5, "alpha": "evidence"}, "alpha='evidence' needs alpha/2 ti"),
        ({"l1_ratio": 0.5, "alpha": "loo"}, "alpha='loo' needs alpha/2 times"),
        ({"l1_ratio": 0.5, "posterior": True}, "posterior=True needs alpha/2 times"),
    ],
)
def test_what_does_not_go_with_it_is_one_clear_error(given, message):
    X, y = rows()
    with pytest.raises(ValueError, match=message):
        WeightDecayMLPRegressor(**SMALL, **given).fit(X, y)


def test_each_block_is_shrunk_as_if_it_were_alone():
    """Its root takes its own number of steps, whatever those beside it need."""
    rng = np.random.default_rng(0)
    w = rng.normal(size=(6, 40, 5)) * 10.0 ** rng.uniform(-3, 3, (6, 40, 1))
    step = 10.0 ** rng.uniform(-4, 0, w.shape)
    strength = np.full((6, 40, 1), 0.3)
    together = shrunk(w, step, strength)
    for index in np.ndindex(6, 40):
        block = tuple(slice(i, i + 1) for i in index)
        alone = shrunk(w[block], step[block], strength[block])
        np.testing.assert_array_equal(alone, together[block])
