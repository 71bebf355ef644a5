"""Faults that were found where two features meet, each as the rule that was broken."""

import itertools
import re
from functools import partial

import matplotlib
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_diabetes, load_iris, make_friedman1
from sklearn.metrics import (
    mean_absolute_error,
    mean_pinball_loss,
    mean_poisson_deviance,
    mean_tweedie_deviance,
    r2_score,
)
from sklearn.model_selection import KFold

from skwd import (
    RelevanceDisplay,
    WeightDecayDisplay,
    WeightDecayMLPClassifier,
    WeightDecayMLPClassifierCV,
    WeightDecayMLPRegressor,
    WeightDecayMLPRegressorCV,
)

matplotlib.use("agg")
X, Y = make_friedman1(150, 8, noise=1.0, random_state=0)
X = (X - X.mean(axis=0)) / X.std(axis=0)
SMALL = {"hidden_layer_sizes": (5,), "random_state": 0}


def test_the_posterior_of_a_linear_model_without_decay_is_that_of_least_squares():
    model = WeightDecayMLPRegressor(hidden_layer_sizes=(), alpha=0, posterior=True)
    _, std = model.fit(X, Y).predict(X, return_std=True)
    A = np.column_stack([np.ones(150), X])
    residual = Y - A @ np.linalg.lstsq(A, Y, rcond=None)[0]
    noise = residual @ residual / (150 - 9)
    leverage = np.einsum("ij,ij->i", A, np.linalg.solve(A.T @ A, A.T).T)
    assert_allclose(std, np.sqrt(noise * (1.0 + leverage)), rtol=1e-5)


@pytest.mark.wide(3)
@pytest.mark.parametrize("alpha", [0, [0, 0.1], [0.1, 0]])
def test_a_posterior_of_weights_without_decay_is_finite(alpha):
    model = WeightDecayMLPRegressor(alpha=alpha, posterior=True, **SMALL)
    _, std = model.fit(X, Y).predict(X, return_std=True)
    assert np.isfinite(std).all() and (std > 0.0).all()
    model = WeightDecayMLPClassifier(alpha=alpha, posterior=True, **SMALL)
    assert np.isfinite(model.fit(X, Y > 14.0).predict_proba(X)).all()


@pytest.mark.parametrize("solver", ["adam", "auto"])
def test_rates_of_dropout_are_any_list(solver):
    how = {"solver": solver, "max_iter": 3, **SMALL}
    fitted = []
    for rates in ([0.1, 0.2], (0.1, 0.2), np.array([0.1, 0.2])):
        with pytest.warns(match="max_iter"):
            fitted.append(WeightDecayMLPRegressor(dropout=rates, **how).fit(X, Y))
    assert_array_equal(fitted[0].coefs_[0], fitted[1].coefs_[0])
    assert_array_equal(fitted[0].coefs_[0], fitted[2].coefs_[0])
    with pytest.raises(ValueError, match=r"here 2 .X and each hidden layer.; got 3"):
        WeightDecayMLPRegressor(dropout=np.full(3, 0.1), **how).fit(X, Y)


def test_a_rate_that_would_never_be_reached_is_refused():
    model = WeightDecayMLPRegressor(warmup_epochs=10, max_iter=10, solver="adam")
    message = (
        "warmup_epochs must be below max_iter, as the learning rate rises to "
        "learning_rate_init in so many epochs; got 10 with max_iter=10. Use "
        "warmup_epochs=0 for none."
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        model.fit(X, Y)
    model.partial_fit(X, Y)  # whose epochs go on


def test_no_columns_to_draw():
    model = WeightDecayMLPRegressor(alpha=0.1, **SMALL).fit(X, Y)
    displays = RelevanceDisplay, WeightDecayDisplay
    for display, number in itertools.product(displays, (0, -1, 2.5, "all")):
        with pytest.raises(ValueError, match=f"max_columns must be .*; got {number!r}"):
            display.from_estimator(model, max_columns=number)


def test_importances_that_are_all_zero_are_drawn():
    model = WeightDecayMLPRegressor(alpha=1e3, l1_ratio=1.0, sparsity="input", **SMALL)
    with pytest.warns(match="too large"):
        model.fit(X, Y)
    assert (model.feature_importances_ == 0.0).all() and not model.support_.any()
    assert len(RelevanceDisplay.from_estimator(model).bars_) == 8


def test_the_ends_of_an_interval_are_in_order():
    model = WeightDecayMLPRegressor(intervals=5, alpha=0.01, **SMALL).fit(X, Y)
    for coverage in (0.02, 0.3, 0.9):
        ends = model.predict_interval(X, coverage=coverage)
        assert (ends[:, 0] <= ends[:, 1]).all()


def test_the_support_of_an_ensemble_is_that_of_all_its_networks():
    model = WeightDecayMLPRegressor(
        alpha=0.12,
        l1_ratio=1.0,
        sparsity="input",
        n_init=4,
        ensemble=True,
        hidden_layer_sizes=(3,),
        random_state=1,
    ).fit(X, Y)
    used = np.any(model.coefs_[0], axis=(0, 2))
    assert_array_equal(model.support_, used)
    moved = [
        np.abs(model.predict(X + 0.5 * np.eye(8)[j]) - model.predict(X)).max() > 0.0
        for j in range(8)
    ]
    assert_array_equal(model.support_, moved)


@pytest.mark.parametrize("loss", ["huber", "absolute_error", "quantile"])
def test_partial_fit_keeps_what_a_loss_has_learnt_from_its_first_rows(loss):
    model = WeightDecayMLPRegressor(loss=loss, alpha=0.01, solver="adam", **SMALL)
    model.partial_fit(X[:75], Y[:75])
    first = model._fitted.targets.loss
    model.partial_fit(X[75:], 10.0 * Y[75:])
    assert model._fitted.targets.loss.key == first.key


def test_why_there_is_no_partial_fit_is_the_error_itself():
    model = WeightDecayMLPRegressor(alpha="auto")
    with pytest.raises(
        AttributeError, match=r"^alpha='auto' has no partial_fit: it ne"
    ):
        model.partial_fit(X, Y)
    assert not hasattr(model, "partial_fit")
    assert hasattr(model.set_params(alpha=0.1), "partial_fit")
    assert "Train for one epoch more" in WeightDecayMLPRegressor.partial_fit.__doc__


def copied(X, Y):
    """Every row twice, not beside each other."""
    return np.tile(X, (2, 1)), np.tile(Y, 2)


@pytest.mark.slow
def test_copies_of_a_row_stay_in_one_fold_of_intervals():
    rng = np.random.default_rng(5)
    X_new = rng.standard_normal((400, 4))
    X_30 = rng.standard_normal((30, 4))

    def noisy(rows):
        return rows[:, 0] + rng.standard_normal(len(rows))

    X_60, y_60 = copied(X_30, noisy(X_30))
    how = {"hidden_layer_sizes": (30,), "alpha": 1e-4, "random_state": 0}
    model = WeightDecayMLPRegressor(intervals=10, **how).fit(X_60, y_60)
    fold = model._fitted.folds.fold
    assert_array_equal(fold[:30], fold[30:])
    ends, y_new = model.predict_interval(X_new), noisy(X_new)
    assert np.mean((ends[:, 0] <= y_new) & (y_new <= ends[:, 1])) > 0.8
    weighted = WeightDecayMLPRegressor(intervals=10, **how)
    weighted.fit(X_30, y_60[:30], sample_weight=np.full(30, 2.0))
    assert_array_equal(weighted._fitted.folds.fold, fold[:30])
    with pytest.raises(ValueError, match="intervals=31 needs as many different rows"):
        WeightDecayMLPRegressor(intervals=31, **how).fit(X_60, y_60)


@pytest.mark.parametrize("cls", [WeightDecayMLPRegressor, WeightDecayMLPClassifier])
def test_early_stopping_is_watched_by_no_copy_of_a_row(cls):
    """Twice the rows are the same fit: their copies are held out with them."""
    y = Y if cls is WeightDecayMLPRegressor else (Y > np.median(Y)).astype(int)
    how = {"early_stopping": True, "solver": "lbfgs", "alpha": 0.01, **SMALL}
    once, twice = cls(**how).fit(X, y), cls(**how).fit(*copied(X, y))
    assert_allclose(twice.validation_scores_[:3], once.validation_scores_[:3])
    assert twice.best_validation_score_ == pytest.approx(
        once.best_validation_score_, rel=0.05
    )


def test_a_search_by_unseen_classes_says_so():
    X_iris, y_iris = load_iris(return_X_y=True)
    model = WeightDecayMLPClassifierCV(cv=KFold(3), alphas=[0.01, 0.1], **SMALL)
    with pytest.warns(UserWarning, match="^150 of 150 rows that cv tests on are of cl"):
        model.fit(X_iris, y_iris)
    model.set_params(cv=3).fit(X_iris, y_iris)  # in silence
    assert model.best_score_ > 0.9


@pytest.mark.slow
@pytest.mark.parametrize(
    ("params", "metric"),
    [
        ({"loss": "quantile", "quantile": 0.9}, partial(mean_pinball_loss, alpha=0.9)),
        ({"loss": "absolute_error"}, mean_absolute_error),
        ({"loss": "poisson"}, mean_poisson_deviance),
        ({"loss": "tweedie", "power": 1.2}, partial(mean_tweedie_deviance, power=1.2)),
    ],
)
def test_a_search_without_scoring_goes_by_its_loss(params, metric):
    """scorer_ says what that is; plain fits judged by it have the same mean."""
    how = {**params, **SMALL}
    model = WeightDecayMLPRegressorCV(alphas=[0.01, 0.1], cv=3, **how).fit(X, Y)
    plain = WeightDecayMLPRegressor(alpha=model.alpha_, **how)
    folds = KFold(3).split(X)
    scores = [
        -metric(Y[test], plain.fit(X[train], Y[train]).predict(X[test]))
        for train, test in folds
    ]
    assert model.best_score_ == pytest.approx(np.mean(scores))
    name = getattr(metric, "func", metric).__name__
    assert name in repr(model.scorer_)
    assert model.score(X, Y) == pytest.approx(r2_score(Y, model.predict(X)))


@pytest.mark.slow
def test_next_to_no_decay_that_knows_its_rows_by_heart_is_named():
    X_diabetes, y_diabetes = load_diabetes(return_X_y=True)
    X_diabetes = (X_diabetes / X_diabetes.std(axis=0))[:150]
    how = {"hidden_layer_sizes": (50,), "solver": "lbfgs", "random_state": 0}
    model = WeightDecayMLPRegressor(alpha=5e-7, **how)
    message = "^alpha is thousands of times below the default, and the network fits its"
    with pytest.warns(UserWarning, match=message):
        model.fit(X_diabetes, y_diabetes[:150])
    assert model.score(X_diabetes, y_diabetes[:150]) > 0.999
    model.set_params(alpha=0).fit(X_diabetes, y_diabetes[:150])  # which was asked for
    model.set_params(alpha=5e-7, hidden_layer_sizes=(1,))
    model.fit(X_diabetes, y_diabetes[:150])  # in silence
    search = WeightDecayMLPRegressorCV(alphas=[5e-7], cv=2, **how)
    search.fit(X_diabetes, y_diabetes[:150])
