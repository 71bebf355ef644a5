"""scikit-learn's own checks, and what the estimators promise about their fits."""

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
import reference
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skwd import WeightDecayMLPClassifier, WeightDecayMLPRegressor


def assert_same_network(a, b):
    for ours, other in zip(a.coefs_ + a.intercepts_, b.coefs_ + b.intercepts_):
        assert_array_equal(ours, other)
    assert a.loss_ == b.loss_ and a.n_iter_ == b.n_iter_


@pytest.mark.parametrize("solver", ["lbfgs", "gd"])
def test_a_doubled_weight_is_a_repeated_row_and_a_zero_weight_a_removed_one(
    solver, regression
):
    """To the last bit, and so is any order of the rows."""
    X, y = regression
    rng = np.random.default_rng(0)
    weight = rng.integers(0, 4, len(y))
    order = rng.permutation(len(y))
    model = WeightDecayMLPRegressor(
        hidden_layer_sizes=(7,),
        solver=solver,
        learning_rate_init=0.05,
        tol=1e-3,
        normalize_y=True,
        random_state=0,
    )
    weighted = clone(model).fit(X[order], y[order], sample_weight=weight[order])
    rows = np.repeat(np.arange(len(y)), weight)
    assert_same_network(weighted, clone(model).fit(X[rows], y[rows]))


@pytest.mark.parametrize("scale", [2.0**-40, 1.7, 1e12])
def test_the_scale_of_the_weights_changes_nothing(scale, classes):
    X, y = classes
    weight = np.random.default_rng(0).uniform(0.5, 2.0, len(y))
    model = WeightDecayMLPClassifier(
        hidden_layer_sizes=(), alpha=0.05, class_weight="balanced", tol=1e-10
    )
    a = clone(model).fit(X, y, sample_weight=weight)
    b = clone(model).fit(X, y, sample_weight=scale * weight)
    np.testing.assert_allclose(a.coefs_[0], b.coefs_[0], rtol=1e-6)


@pytest.mark.wide(4)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("solver", ["lbfgs", "gd"])
def test_loss_is_J_recomputed_at_the_returned_weights(
    solver, early_stopping, weighted, regression
):
    X, y = regression
    Y = np.column_stack([y, X[:, 0] * y])
    weight = (
        np.random.default_rng(0).uniform(0, 2, len(y)) if weighted else np.ones(len(y))
    )
    alpha = (0.1, 0.02)
    model = WeightDecayMLPRegressor(
        hidden_layer_sizes=(6,),
        solver=solver,
        alpha=alpha,
        normalize_y=False,
        learning_rate_init=0.1,
        tol=1e-3,
        early_stopping=early_stopping,
        random_state=0,
    )
    validation = {"X_val": X[:20], "y_val": Y[:20]} if early_stopping else {}
    model.fit(X, Y, sample_weight=weight, **validation)
    plain = reference.objective(
        model.coefs_, model.intercepts_, "relu", "squared_error", X, Y, weight, alpha
    )
    assert model.loss_ == pytest.approx(plain, rel=1e-12)
    if solver == "lbfgs" and not early_stopping:
        assert model.loss_curve_[-1] == pytest.approx(model.loss_, rel=1e-12)
    assert len(model.loss_curve_) == model.n_iter_
    assert model.t_ == model.n_iter_ * len(y)


def test_initial_weights_depend_on_random_state_and_restart_only(regression, classes):
    """The same seed starts any data, dtype or other features off from the same weights;
    restart k of many is restart k of more."""
    X, y = regression
    common = dict(hidden_layer_sizes=(5,), random_state=3, max_iter=1, tol=0.0)
    common["normalize_y"] = False
    starts = []

    def start(model, X, y):
        import skwd._solvers.task as module

        with pytest.MonkeyPatch.context() as patch:

            def stop(objective, params0, *rest):
                starts.append(params0)
                raise RuntimeError("far enough")

            patch.setattr(module, "train", stop)
            with pytest.raises(RuntimeError, match="far enough"):
                model.fit(X, y)
        return starts[-1]

    base = start(WeightDecayMLPRegressor(**common), X, y)
    scaled = start(WeightDecayMLPRegressor(**common), X[::-1] * 3, y)
    assert_array_equal(scaled[0, :-1], base[0, :-1])
    other = start(WeightDecayMLPRegressor(**{**common, "normalize_y": True}), X, y)
    assert_array_equal(other[0, :-1], base[0, :-1])
    assert base[0, -1] == pytest.approx(y.mean()) and abs(other[0, -1]) < 1e-15
    many = start(WeightDecayMLPRegressor(**common, n_init=4), X, y)
    assert_array_equal(many[0], base[0])
    narrow = start(WeightDecayMLPRegressor(**common, early_stopping=True), X, y)
    assert_array_equal(narrow[0, :-1], base[0, :-1])
    assert len(np.unique(many, axis=0)) == 4


def test_restarts_keep_the_lowest_J_and_ensembles_all(regression, one_blas_thread):
    X, y = regression
    common = dict(hidden_layer_sizes=(5,), activation="tanh", random_state=1)
    common |= dict(alpha=1e-3, normalize_y=False)
    first = WeightDecayMLPRegressor(**common).fit(X, y)
    best = WeightDecayMLPRegressor(**common, n_init=5).fit(X, y)
    every = WeightDecayMLPRegressor(**common, n_init=5, ensemble=True).fit(X, y)
    assert every.coefs_[0].shape == (5, 4, 5) and every.intercepts_[1].shape == (5, 1)
    singles = []
    for k in range(5):
        single = pickle.loads(pickle.dumps(best))
        single.coefs_ = [W[k] for W in every.coefs_]
        single.intercepts_ = [b[k] for b in every.intercepts_]
        singles.append(single)
    assert_array_equal(singles[0].predict(X), first.predict(X))
    J = [
        reference.objective(
            s.coefs_,
            s.intercepts_,
            "tanh",
            "squared_error",
            X,
            y[:, np.newaxis],
            np.ones(len(y)),
            (1e-3, 1e-3),
        )
        for s in singles
    ]
    assert best.loss_ == pytest.approx(min(J)) and max(J) > 1.01 * min(J)
    assert_array_equal(singles[int(np.argmin(J))].predict(X), best.predict(X))
    mean = np.mean([s.predict(X) for s in singles], axis=0)
    np.testing.assert_allclose(every.predict(X), mean, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_an_ensemble_of_classifiers_averages_probabilities(n_classes, classes):
    X, y = classes
    y = np.minimum(y, n_classes - 1)
    common = dict(
        hidden_layer_sizes=(4,), activation="tanh", alpha=0.01, random_state=1
    )
    every = WeightDecayMLPClassifier(**common, n_init=3, ensemble=True).fit(X, y)
    probabilities = []
    for k in range(3):
        single = WeightDecayMLPClassifier(**common).fit(X, y)
        single.coefs_ = [W[k] for W in every.coefs_]
        single.intercepts_ = [b[k] for b in every.intercepts_]
        probabilities.append(single.predict_proba(X))
    mean = np.mean(probabilities, axis=0)
    np.testing.assert_allclose(every.predict_proba(X), mean, rtol=1e-10, atol=1e-14)
    assert_array_equal(every.predict(X), every.classes_[mean.argmax(axis=1)])


def test_class_weight_multiplies_sample_weight(classes, one_blas_thread):
    X, y = classes
    weight = np.random.default_rng(0).uniform(0.5, 2.0, len(y))
    model = WeightDecayMLPClassifier(hidden_layer_sizes=(4,), random_state=0, tol=1e-3)
    by_class = clone(model).set_params(class_weight={0: 1.0, 1: 2.5, 2: 0.5})
    by_sample = weight * np.array([1.0, 2.5, 0.5])[y]
    assert_same_network(
        by_class.fit(X, y, sample_weight=weight),
        clone(model).fit(X, y, sample_weight=by_sample),
    )
    balanced = clone(model).set_params(class_weight="balanced")
    sums = np.bincount(y, weight)
    by_sample = weight * (sums.sum() / (3 * sums))[y]
    assert_same_network(
        balanced.fit(X, y, sample_weight=weight),
        clone(model).fit(X, y, sample_weight=by_sample),
    )


def test_one_grid_search_over_alpha_in_a_pipeline(classes):
    X, y = classes
    pipeline = make_pipeline(
        StandardScaler(),
        WeightDecayMLPClassifier(hidden_layer_sizes=(8,), tol=1e-2, random_state=0),
    )
    grid = {"weightdecaymlpclassifier__alpha": [1e-4, 1e-2, 0.1]}
    search = GridSearchCV(pipeline, grid, cv=3, error_score="raise").fit(X, y)
    assert search.best_score_ > 0.7
    assert search.best_estimator_[-1].alpha_ in grid["weightdecaymlpclassifier__alpha"]


def test_verbose_prints_a_line_per_iteration(regression, capsys):
    X, y = regression
    model = WeightDecayMLPRegressor(
        hidden_layer_sizes=(3,),
        tol=1e-2,
        verbose=True,
        early_stopping=True,
        random_state=0,
    ).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == model.n_iter_
    assert lines[0].startswith("Iteration 1, loss = ")
    assert f"validation loss = {-model.validation_scores_[0]:.8g}" in lines[0]
    WeightDecayMLPRegressor(hidden_layer_sizes=(3,), n_init=2, tol=1e-2, verbose=1).fit(
        X, y
    )
    assert "Network 1, iteration 1, loss = " in capsys.readouterr().out


@pytest.mark.slow
def test_importing_costs_little_more_than_scikit_learns_mlp():
    """Counted in modules, which no busy machine disturbs."""
    count = "import sys, {}; print(sum(not m.startswith('skwd') for m in sys.modules))"
    modules = {
        name: int(
            subprocess.run(
                [sys.executable, "-c", count.format(name)],
                capture_output=True,
                text=True,
                check=True,
                env=os.environ,
            ).stdout
        )
        for name in ("skwd", "sklearn.neural_network")
    }
    assert modules["skwd"] <= 1.1 * modules["sklearn.neural_network"]
