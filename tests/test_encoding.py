"""encoding="parts" is what a transformer before the network does, step by step."""

from contextlib import nullcontext

import numpy as np
import pytest
from parts import Parts, mixed
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline

from skwd import (
    WeightDecayMLPClassifier,
    WeightDecayMLPRegressor,
    WeightDecayMLPRegressorCV,
)
from skwd._core.encoded import EncodedRows
from skwd._core.sample import Sample
from skwd._cv import models
from skwd._cv.intervals import interval
from skwd._data.encoding import Encoding

LINEAR = {"hidden_layer_sizes": (), "alpha": 0.01}
PARTS = {"encoding": "parts"}
SMALL = {"hidden_layer_sizes": (4,), "activation": "tanh", "random_state": 0}


def learnt(X, weight=None):
    weight = np.ones(len(X)) if weight is None else np.asarray(weight, float)
    return Encoding.learnt(Sample(X, np.zeros((len(X), 1)), weight))


def by_hand(**params):
    return make_pipeline(Parts(), WeightDecayMLPRegressor(**params))


@pytest.mark.parametrize("n", [20, 23, 24, 93, 150])
def test_the_columns_are_those_of_the_transformer(n):
    X, _ = mixed(n)
    new = X + 3.0 * np.random.default_rng(1).normal(size=X.shape)
    theirs, ours = Parts().fit(X), learnt(X)
    for knots, expected in zip(ours.knots, theirs.knots_):
        np.testing.assert_array_equal(knots, expected)
    np.testing.assert_allclose(ours.encode(new), theirs.transform(new), atol=1e-12)
    assert ours.sources.tolist() == sorted(ours.sources)
    assert [np.sum(ours.sources == j) for j in (3, 4)] == [1, 1]


def test_a_linear_model_is_ridge():
    X, y = mixed()
    model = WeightDecayMLPRegressor(**LINEAR, **PARTS).fit(X, y)
    Z, scaled = Parts().fit_transform(X), (y - y.mean()) / y.std()
    ridge = Ridge(alpha=0.01 * len(y), solver="cholesky").fit(Z, scaled)
    np.testing.assert_allclose(model.coefs_[0][:, 0], ridge.coef_, atol=1e-9)
    expected = ridge.predict(Z) * y.std() + y.mean()
    np.testing.assert_allclose(model.predict(X), expected, atol=1e-8)
    assert model.encoding_ == "parts" and model.n_features_in_ == 5
    assert model.coefs_[0].shape == (Z.shape[1], 1)


def test_a_linear_model_is_logistic_regression():
    X, y = mixed()
    X[:, 1] -= 1e3
    labels = np.digitize(y, np.quantile(y, [0.3, 0.7]))
    Z = Parts().fit_transform(X)
    for given in (labels, labels > 0):
        how = {"tol": 1e-10, "solver": "lbfgs"}
        model = WeightDecayMLPClassifier(**LINEAR, **PARTS, **how).fit(X, given)
        theirs = LogisticRegression(C=1 / (0.01 * len(y)), tol=1e-8, max_iter=5000)
        p = theirs.fit(Z, given).predict_proba(Z)
        np.testing.assert_allclose(model.predict_proba(X), p, atol=2e-5)


@pytest.mark.parametrize("hidden", [(), (4,)], ids=str)
def test_a_network_posterior_and_evidence_are_those_of_a_pipeline(hidden):
    X, y = mixed()
    # Of a network so few iterations that roundings have not led to another minimum.
    how = {**SMALL, "hidden_layer_sizes": hidden, "alpha": 0.02, "posterior": True}
    how |= {"max_iter": 12} if hidden else {"tol": 1e-12}
    with pytest.warns(ConvergenceWarning) if hidden else nullcontext():
        ours = WeightDecayMLPRegressor(**how, **PARTS).fit(X, y)
        theirs = by_hand(**how).fit(X, y)
    for a, b in zip(ours.coefs_, theirs[-1].coefs_):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-8)
    assert ours.log_evidence_ == pytest.approx(theirs[-1].log_evidence_, rel=1e-5)
    for a, b in zip(ours.predict(X, True), theirs.predict(X, return_std=True)):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    if not hidden:
        chosen = WeightDecayMLPRegressor(**{**how, "alpha": "evidence"}, **PARTS)
        hand = by_hand(**{**how, "alpha": "evidence"}).fit(X, y)
        assert chosen.fit(X, y).alpha_ == pytest.approx(hand[-1].alpha_, rel=1e-4)


def test_intervals_are_those_of_a_pipeline_by_fold():
    X, y = mixed()
    folds = KFold(5, shuffle=True, random_state=0)
    model = WeightDecayMLPRegressor(**LINEAR, **PARTS, intervals=folds).fit(X, y)
    new, predictions = X[:40] + 0.1, []
    fold, residual = np.empty(len(y), int), np.empty(len(y))
    for number, (train, test) in enumerate(folds.split(X)):
        pipe = by_hand(**LINEAR).fit(X[train], y[train])
        predictions.append(pipe.predict(new))
        fold[test], residual[test] = number, np.abs(y[test] - pipe.predict(X[test]))
    expected = interval(np.array(predictions), fold, residual, 0.8)
    found = model.predict_interval(new, coverage=0.8)
    np.testing.assert_allclose(found, expected, atol=1e-7)


def test_a_search_is_that_of_a_pipeline():
    X, y = mixed()
    alphas, cv = np.logspace(-3, 0, 3), KFold(3, shuffle=True, random_state=0)
    how = {"hidden_layer_sizes": ()}
    ours = WeightDecayMLPRegressorCV(alphas=alphas, cv=cv, **how, **PARTS).fit(X, y)
    grid = {"weightdecaymlpregressor__alpha": alphas}
    theirs = GridSearchCV(by_hand(**how), grid, cv=cv).fit(X, y)
    for key in ("split0_test_score", "split2_test_score", "mean_test_score"):
        np.testing.assert_allclose(
            ours.cv_results_[key], theirs.cv_results_[key], rtol=1e-7
        )
    assert ours.alpha_ == theirs.best_params_["weightdecaymlpregressor__alpha"]


@pytest.mark.usefixtures("one_blas_thread")
def test_a_search_is_a_grid_search_to_the_last_bit():
    X, y = mixed(90)
    X = X[:, :2]  # no equal values: every fold has as many parts
    alphas, cv = [0.01, 0.1], KFold(3)
    how = {**SMALL, **PARTS, "max_iter": 30, "tol": 1e-2}
    ours = WeightDecayMLPRegressorCV(alphas=alphas, cv=cv, **how).fit(X, y)
    grid = {"alpha": alphas}
    theirs = GridSearchCV(WeightDecayMLPRegressor(**how), grid, cv=cv).fit(X, y)
    for key in ("split0_test_score", "split1_test_score", "split2_test_score"):
        np.testing.assert_array_equal(ours.cv_results_[key], theirs.cv_results_[key])
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))


def test_blocks_are_the_whole(monkeypatch):
    X, y = mixed()
    encoding = learnt(X)
    whole = encoding.encode(X)
    rows = EncodedRows(X, encoding)
    parts = [rows[start : start + 7] for start in range(0, len(X), 7)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    np.testing.assert_array_equal(rows[5], whole[5])
    np.testing.assert_array_equal(rows[np.array([9, 2])], whole[[9, 2]])
    how = {**SMALL, **PARTS, "alpha": 0.02, "max_iter": 8, "tol": 1e-9}
    with pytest.warns(ConvergenceWarning):
        kept = WeightDecayMLPRegressor(**how).fit(X, y)
    monkeypatch.setattr("skwd._core.sample.GATHER_BYTES", 0)
    monkeypatch.setattr("skwd._core.rows.BLOCK_ROWS", 11)
    monkeypatch.setattr("skwd._core.network.BLOCK_BYTES", 1)
    with pytest.warns(ConvergenceWarning):
        blocks = WeightDecayMLPRegressor(**how).fit(X, y)
    for a, b in zip(kept.coefs_, blocks.coefs_):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(kept.predict(X), blocks.predict(X), atol=1e-9)


def test_no_more_than_a_block_is_encoded_at_a_time(monkeypatch):
    X, y = mixed(3000)
    monkeypatch.setattr("skwd._core.sample.GATHER_BYTES", 1 << 16)
    monkeypatch.setattr("skwd._core.rows.BLOCK_ROWS", 256)
    sizes, encode = [], Encoding.encode

    def spy(self, rows):
        sizes.append(len(rows))
        return encode(self, rows)

    monkeypatch.setattr(Encoding, "encode", spy)
    how = {**SMALL, **PARTS, "hidden_layer_sizes": (300,), "tol": 0.0}
    for solver in ({"solver": "lbfgs"}, {"solver": "adam", "batch_size": 100}):
        with pytest.warns(ConvergenceWarning):
            model = WeightDecayMLPRegressor(**how, **solver, max_iter=2).fit(X, y)
        model.predict(X)
    assert 0 < max(sizes) <= 256


def test_a_weight_is_a_number_of_rows():
    X, y = mixed(60)
    weight = np.random.default_rng(2).integers(0, 4, len(y))
    again = np.repeat(X, weight, axis=0)
    for a, b in zip(learnt(X, weight).knots, learnt(again).knots):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(learnt(X, 1e-3 * weight).knots, learnt(again).knots):
        np.testing.assert_array_equal(a, b)
    how = {**SMALL, **PARTS, "alpha": 0.05, "tol": 1e-2}
    ours = WeightDecayMLPRegressor(**how).fit(X, y, weight)
    twice = WeightDecayMLPRegressor(**how).fit(again, np.repeat(y, weight))
    np.testing.assert_allclose(ours.predict(X), twice.predict(X), rtol=1e-6)


def test_units_change_nothing():
    X, y = mixed()
    how = {**LINEAR, **PARTS}
    model = WeightDecayMLPRegressor(**how).fit(X[:, :3], y)
    for factor, shift in ((1e-6, 3.0), (-40.0, 1e4), (-1.0, 0.0), (1e5, -1e5)):
        other = X[:, :3] * factor + shift
        moved = WeightDecayMLPRegressor(**how).fit(other, y)
        near = 1e-7 if abs(factor) > 1e-3 else 1e-5
        np.testing.assert_allclose(moved.predict(other), model.predict(X[:, :3]), near)


@pytest.mark.parametrize("curve", [np.exp, np.cbrt, lambda x: -np.tanh(x)])
def test_a_monotone_curve_leaves_each_row_in_its_part(curve):
    x = np.random.default_rng(3).normal(size=(200, 1))
    a, b = learnt(x), learnt(curve(x))
    assert len(a.knots[0]) == len(b.knots[0]) == 24
    inside = np.searchsorted(a.knots[0], x[:, 0])
    other = np.searchsorted(b.knots[0], curve(x)[:, 0])
    if curve(np.ones(1)) < 0:  # the knots themselves lie at the other end of a part
        is_knot = np.isin(x[:, 0], a.knots[0])
        inside, other, is_knot = inside[~is_knot], 24 - other[~is_knot], is_knot
    np.testing.assert_array_equal(inside, other)


@pytest.mark.parametrize("n_rare", [2, 5, 40])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_rare_values_have_parts_too(n_rare, sign):
    """Of a column of zeros but for a few rows the quantiles would be its two ends."""
    n = 33 * n_rare
    x = np.zeros((n, 1))
    x[:n_rare, 0] = sign * np.arange(1.0, n_rare + 1.0) ** 3
    theirs, ours = Parts().fit(x), learnt(x)
    assert len(ours.knots[0]) == min(n_rare + 1, 24)
    np.testing.assert_array_equal(ours.knots[0], theirs.knots_[0])
    new = 3.0 * np.linspace(x.min(), x.max(), 50)[:, np.newaxis]
    np.testing.assert_allclose(ours.encode(new), theirs.transform(new), atol=1e-12)
    twice = learnt(x, np.full(n, 2.0))
    np.testing.assert_array_equal(twice.knots[0], ours.knots[0])


@pytest.mark.filterwarnings("ignore:encoding='parts' leaves all columns")
def test_columns_of_two_values_or_one_stay():
    X, y = mixed()
    for columns in ([3], [3, 4]):
        how = {"hidden_layer_sizes": (), "alpha": 0.02}
        plain = WeightDecayMLPRegressor(**how).fit(X[:, columns], y)
        parts = WeightDecayMLPRegressor(**how, **PARTS).fit(X[:, columns], y)
        np.testing.assert_array_equal(parts.coefs_[0], plain.coefs_[0])
        assert parts.encoding_ == "parts" and not any(map(len, parts.knots_))
        assert plain.encoding_ is None and plain.knots_ is None


def test_many_columns_share_the_quantiles():
    X = np.random.default_rng(4).normal(size=(200, 100))
    assert {len(knots) for knots in learnt(X).knots} == {10}
    wide = np.random.default_rng(4).normal(size=(30, 400))
    assert learnt(wide).encode(wide).shape == wide.shape


def test_rows_of_a_fold_keep_to_the_layers_of_all():
    X, _ = mixed(60)
    X[:, 0] = np.r_[np.zeros(30), np.arange(30.0)]
    whole = learnt(X)
    part = Encoding.learnt(Sample(X[::3], np.zeros((20, 1)), np.ones(20)), whole)
    own = learnt(X[::3])
    assert part.n_columns == whole.n_columns > own.n_columns
    Z = part.encode(X)
    np.testing.assert_array_equal(Z[:, part.are_used], own.encode(X))
    assert not Z[:, ~part.are_used].any()
    model = WeightDecayMLPRegressor(**SMALL, **PARTS, alpha=0.05, intervals=3)
    model.fit(X, X[:, 1])
    folds = model._fitted.folds
    for kept in folds.networks:
        params, encoding = kept.params, kept.encoder
        W = kept.layout.W(params, 0)[0]
        assert not W[~encoding.are_used].any()


def test_far_beyond_the_rows_a_column_ends():
    X, y = mixed()
    model = WeightDecayMLPRegressor(**SMALL, **PARTS, alpha=0.02, tol=1e-2).fit(X, y)
    near, far = np.tile(X[:1], (2, 1)), np.tile(X[:1], (2, 1))
    near[:, 0], far[:, 0] = [-50.0, 50.0], [-1e9, 1e9]
    np.testing.assert_array_equal(model.predict(near), model.predict(far))


LADDER = [
    "constant",
    "linear model",
    "additive model",
    "network",
    "network on parts",
]


def a_table(n=120):
    rng = np.random.default_rng(5)
    X = rng.uniform(size=(n, 3))
    bend = 4.0 * np.abs(X[:, 0] - 0.5) + 2.0 * (X[:, 1] > 0.6)
    return X, bend + 0.1 * rng.normal(size=n)


@pytest.mark.slow
def test_auto_compares_five_models():
    X, y = a_table()
    how = {**SMALL, "alpha": "auto", "tol": 1e-3}
    model = WeightDecayMLPRegressor(**how).fit(X, y)
    scores = model.alpha_choice_["scores"]
    assert sorted(scores) == sorted(LADDER)
    assert model.alpha_choice_["model"] == "additive model"
    assert model.encoding_ == "parts" and len(model.coefs_) == 1
    # The same as when its alpha is given.
    hand = by_hand(hidden_layer_sizes=(), alpha=model.alpha_).fit(X, y)
    np.testing.assert_allclose(model.predict(X), hand.predict(X), atol=1e-7)
    without = WeightDecayMLPRegressor(**how, encoding=None).fit(X, y)
    assert set(without.alpha_choice_["scores"]) == {LADDER[0], LADDER[1], LADDER[3]}
    assert without.encoding_ is None
    for name, score in without.alpha_choice_["scores"].items():
        assert scores[name] == pytest.approx(score, rel=1e-6)
    alone = WeightDecayMLPRegressor(**how, encoding="parts").fit(X, y)
    assert set(alone.alpha_choice_["scores"]) == {LADDER[0], LADDER[2], LADDER[4]}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.* is at the low end of its range")
def test_auto_takes_the_network_on_parts_where_columns_act_together(monkeypatch):
    scores = {name: place for place, name in enumerate(LADDER)}
    judge = models._judge_models

    def best_on_parts(*judged):
        losses, candidates = judge(*judged)
        return {name: -scores[name] for name in losses}, candidates

    monkeypatch.setattr(models, "_judge_models", best_on_parts)
    X, y = a_table(90)
    how = {**SMALL, "alpha": "auto", "tol": 1e-3}
    model = WeightDecayMLPRegressor(**how, intervals=3, warm_start=True).fit(X, y)
    assert model.alpha_choice_["model"] == "network on parts"
    assert model.encoding_ == "parts" and len(model.coefs_) == 2
    given = {**how, "alpha": model.alpha_, "intervals": 3}
    plain = WeightDecayMLPRegressor(**given, encoding="parts").fit(X, y)
    np.testing.assert_allclose(plain.predict(X), model.predict(X), rtol=1e-6)
    ends = model.predict_interval(X), plain.predict_interval(X)
    np.testing.assert_allclose(*ends, rtol=1e-5)
    again = model.fit(X, y)  # anew, as the network that is asked for is another
    np.testing.assert_allclose(again.predict(X), plain.predict(X), rtol=1e-6)


@pytest.mark.filterwarnings("ignore:.* is at the low end of its range")
def test_a_hopeless_network_on_parts_is_given_up(monkeypatch):
    X, y = a_table(60)
    monkeypatch.setattr(models, "HOPELESS", -0.5)  # half of the lowest loss
    judged, judge = [], models.Candidates._judged
    searched, race = [], models.race

    def spy(self, folds, multiples):
        layout = self.tasks[0].layout
        kind = layout.sources is not None, layout.n_weight_layers
        judged.extend([kind] * len(multiples))
        return judge(self, folds, multiples)

    def first_spy(competitors):  # who wins may be judged further
        searched.extend(judged)
        return race(competitors)

    monkeypatch.setattr(models.Candidates, "_judged", spy)
    monkeypatch.setattr(models, "race", first_spy)
    model = WeightDecayMLPRegressor(**{**SMALL, "alpha": "auto", "tol": 1e-2})
    model.fit(X, y)
    assert searched.count((True, 2)) == 2
    assert searched.count((True, 1)) > 2 and searched.count((False, 2)) > 2


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.* is at the low end of its range")
def test_units_of_columns_leave_the_network_on_parts_what_it_is():
    rng = np.random.default_rng(1)
    X = rng.standard_normal((250, 4))
    y = 2.0 * ((X[:, 0] > 0) & (X[:, 1] > 0.3)) + X[:, 2] * (X[:, 0] > 0.5)
    y += 0.1 * rng.standard_normal(250)
    how = {"hidden_layer_sizes": (20,), "alpha": "auto", "random_state": 0}
    found = [
        WeightDecayMLPRegressor(**how).fit(size * X, y).alpha_choice_
        for size in (1.0, 100.0)
    ]
    assert [choice["model"] for choice in found] == ["network on parts"] * 2
    at_one, at_hundred = (choice["scores"]["network on parts"] for choice in found)
    assert at_hundred == pytest.approx(at_one, rel=0.03)


@pytest.mark.slow
def test_networks_on_parts_are_not_tried_where_parts_are_worse_than_columns(capsys):
    rng = np.random.default_rng(0)
    X = rng.uniform(size=(60, 8))
    y = X.sum(axis=1) + 0.05 * rng.normal(size=60)  # parts have nothing to add
    how = {**SMALL, "alpha": "auto", "tol": 1e-2, "verbose": 1}
    scores = WeightDecayMLPRegressor(**how).fit(X, y).alpha_choice_["scores"]
    assert set(scores) == set(LADDER[:4])
    assert scores["additive model"] < 1.03 * scores["linear model"]
    assert "network on parts: not tried" in capsys.readouterr().out


@pytest.mark.slow
def test_sparse_rows_and_columns_of_two_values_have_no_ladder():
    X, y = a_table(60)
    how = {**SMALL, "alpha": "auto", "tol": 1e-2}
    for rows in (sparse.csr_matrix(X), (X > 0.5).astype(float)):
        model = WeightDecayMLPRegressor(**how).fit(rows, y)
        assert set(model.alpha_choice_["scores"]) == {LADDER[0], LADDER[1], LADDER[3]}
