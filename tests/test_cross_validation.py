"""The CV forms return what GridSearchCV returns on the same splits."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from searches import ALPHAS, assert_same_choice, assert_same_search, grid_search
from sklearn.base import clone
from sklearn.datasets import make_multilabel_classification
from sklearn.exceptions import DataConversionWarning
from sklearn.linear_model import RidgeCV
from sklearn.metrics import make_scorer, mean_pinball_loss
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    RepeatedKFold,
    ShuffleSplit,
    StratifiedKFold,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from skwd import (
    WeightDecayMLPClassifier,
    WeightDecayMLPClassifierCV,
    WeightDecayMLPRegressor,
    WeightDecayMLPRegressorCV,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:alpha=.* is too large for this data"),
]
SOLVERS = {
    "lbfgs": {"max_iter": 25},
    "gd": {"max_iter": 15, "learning_rate_init": 0.05},
    "sgd": {"max_iter": 6, "batch_size": 16, "learning_rate": "cosine"},
    "adam": {"max_iter": 6, "batch_size": 16},
}
all_solvers = pytest.mark.parametrize("solver", SOLVERS)


def regressor(solver="lbfgs", **changes):
    base = dict(alphas=ALPHAS, hidden_layer_sizes=(6,), random_state=0, cv=4)
    return WeightDecayMLPRegressorCV(
        **{**base, "solver": solver, **SOLVERS[solver], **changes}
    )


def classifier(solver="lbfgs", **changes):
    base = dict(alphas=ALPHAS, hidden_layer_sizes=(6,), random_state=0, cv=4)
    return WeightDecayMLPClassifierCV(
        **{**base, "solver": solver, **SOLVERS[solver], **changes}
    )


REGRESSIONS = {
    "equal folds": {},
    "unequal folds": {"cv": KFold(7, shuffle=True, random_state=0)},
    "random splits": {"cv": ShuffleSplit(3, test_size=0.3, random_state=1)},
    "one split": {"cv": ShuffleSplit(1, random_state=1)},
    "repeated folds": {"cv": RepeatedKFold(n_splits=2, n_repeats=2, random_state=0)},
    "early stopping": {"early_stopping": True, "n_iter_no_change": 2},
    "restarts": {"n_init": 3},
    "early stopping of restarts": {"n_init": 2, "early_stopping": True},
    "ensemble": {"n_init": 3, "ensemble": True},
    "deep tanh": {"hidden_layer_sizes": (5, 4), "activation": "tanh"},
    "scaled y": {"normalize_y": True},
    "another score": {"scoring": "neg_mean_absolute_error"},
    "a callable": {"scoring": lambda model, X, y: -model.predict(X).std()},
    "a RandomState": {"random_state": np.random.RandomState(3)},
}


@pytest.mark.wide(117)
@all_solvers
@pytest.mark.parametrize("case", REGRESSIONS)
@pytest.mark.parametrize("weighted", [False, True])
def test_a_regressor_equals_the_grid_search(
    solver, case, weighted, regression, one_blas_thread
):
    X, y = regression
    if weighted and callable(REGRESSIONS[case].get("scoring")):
        pytest.skip("this callable takes no weights")
    weight = np.random.default_rng(0).integers(0, 3, len(y)) if weighted else None
    model = regressor(solver, **REGRESSIONS[case])
    search = grid_search(clone(model), X, y, weight)
    assert_same_search(model.fit(X, y, weight), search)


@pytest.mark.wide(54)
@all_solvers
@pytest.mark.parametrize(
    "case",
    [
        {},
        {"cv": StratifiedKFold(3, shuffle=True, random_state=0)},
        {"class_weight": "balanced", "scoring": "neg_log_loss"},
        {"early_stopping": True, "validation_fraction": 0.2},
        {"n_init": 2, "ensemble": True, "scoring": "roc_auc_ovr"},
    ],
    ids=["folds", "stratified", "balanced", "early stopping", "ensemble"],
)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_classifier_equals_the_grid_search(
    solver, case, n_classes, classes, one_blas_thread
):
    X, y = classes
    names = np.array(["ash", "birch", "oak"])[y if n_classes == 3 else y % 2]
    model = classifier(solver, **case)
    search = grid_search(clone(model), X, names)
    assert_same_search(model.fit(X, names), search)
    assert_array_equal(model.predict(X), search.predict(X))
    assert_array_equal(model.predict_proba(X), search.predict_proba(X))


@pytest.mark.wide(21)
@all_solvers
@pytest.mark.parametrize("kind", ["float32", "sparse", "sparse float32", "frame"])
def test_kinds_of_data(solver, kind, regression, one_blas_thread):
    X, y = regression
    if "sparse" in kind:
        X = sparse.csr_matrix(np.where(X > 0, X, 0.0))
    if "float32" in kind:
        X, y = X.astype(np.float32), y.astype(np.float32)
    if kind == "frame":
        X, y = pd.DataFrame(X, columns=list("abcd")), pd.Series(y)
    model = regressor(solver, cv=3)
    search = grid_search(clone(model), X, y)
    assert_same_search(model.fit(X, y), search)
    if kind == "frame":
        assert_array_equal(model.feature_names_in_, list("abcd"))


@pytest.mark.slow
@all_solvers
def test_several_outputs_counts_and_labels(solver, regression, one_blas_thread):
    X, y = regression
    counts = np.random.default_rng(0).poisson(np.exp(0.3 * y))
    labels = make_multilabel_classification(80, 4, n_classes=3, random_state=0)[1]
    for model, target in (
        (regressor(solver, cv=3), np.column_stack([y, X[:, 0] ** 2])),
        (regressor(solver, cv=3, loss="poisson"), counts),
        (classifier(solver, cv=3), labels),
        (classifier(solver, cv=3), sparse.csr_matrix(labels)),
    ):
        n = target.shape[0]
        search = grid_search(clone(model), X[:n], target)
        assert_same_search(model.fit(X[:n], target), search)


@pytest.mark.wide(4)
@all_solvers
def test_repeated_rows_and_distinct_ones(solver, regression, one_blas_thread):
    """Folds with duplicates are merged to unequal lengths by full-batch solvers."""
    X, y = regression
    rows = np.random.default_rng(0).integers(0, 60, 120)
    model = regressor(solver, batch_size="auto")
    assert_same_search(
        clone(model).fit(X[rows], y[rows]), grid_search(model, X[rows], y[rows])
    )


def test_auto_resolves_in_each_split(regression, one_blas_thread, monkeypatch):
    """Splits on either side of the limit train by different solvers, as alone."""
    X, y = regression
    monkeypatch.setattr("skwd._solvers.minimum.AUTO_WORK", 75 * 37)
    splits = [
        (np.arange(70), np.arange(70, 120)),
        (np.arange(30, 120), np.arange(30)),
    ]
    model = WeightDecayMLPRegressorCV(
        alphas=ALPHAS, hidden_layer_sizes=(6,), random_state=0, cv=splits, max_iter=5
    )
    assert_same_search(clone(model).fit(X, y), grid_search(model, X, y))


@pytest.mark.wide(2)
@pytest.mark.parametrize("cv", [GroupKFold(3), LeaveOneGroupOut()])
def test_groups(cv, regression, one_blas_thread):
    X, y = regression
    groups = np.random.default_rng(0).integers(0, 4, len(y))
    model = regressor(cv=cv)
    search = grid_search(clone(model), X, y, groups=groups)
    assert_same_search(model.fit(X, y, groups=groups), search)


@pytest.mark.slow
def test_validation_data_go_whole_to_every_split(regression, one_blas_thread):
    X, y = regression
    held_out = {"X_val": X[:20], "y_val": y[:20]}
    model = regressor("adam", early_stopping=True)
    search = grid_search(clone(model), X[20:], y[20:], **held_out)
    assert_same_search(model.fit(X[20:], y[20:], **held_out), search)


@pytest.mark.wide(4)
@all_solvers
def test_more_blas_threads_change_rounding_only(solver, regression):
    """Which a few iterations of L-BFGS leave as small as it is."""
    X, y = regression
    model = regressor(solver, **({"max_iter": 5} if solver == "lbfgs" else {}))
    with threadpool_limits(2, user_api="blas"):
        ours, search = clone(model).fit(X, y), grid_search(model, X, y)
    assert_same_search(ours, search, 1e-8)


def test_a_linear_model_is_ridge_cv(regression):
    """n alpha is Ridge's alpha on the training rows; no other estimator is asked."""
    X, y = regression
    model = regressor(
        hidden_layer_sizes=(), alphas=np.logspace(-3, 1, 9), tol=1e-9, max_iter=500
    )
    model.fit(X, y)
    n_train = len(y) * 3 // 4
    scored = RidgeCV(alphas=model.alphas_ * n_train, cv=4).fit(X, y)
    assert model.alpha_ * n_train == pytest.approx(scored.alpha_, rel=1e-12)
    assert model.best_score_ == pytest.approx(scored.best_score_, rel=1e-6)
    plain = WeightDecayMLPRegressor(
        hidden_layer_sizes=(), alpha=model.alpha_, tol=1e-9
    ).fit(X, y)
    np.testing.assert_allclose(model.predict(X), plain.predict(X), rtol=1e-6)


def test_weights_count_as_rows_in_scores_too(regression, one_blas_thread):
    """A weight of 2 is a repeated row wherever it is, training or test."""
    X, y = regression
    weight = np.random.default_rng(0).integers(1, 4, len(y))
    split = np.arange(len(y)) < 80
    rows = np.repeat(np.arange(len(y)), weight)
    model = regressor(cv=[(np.flatnonzero(split), np.flatnonzero(~split))])
    weighted = clone(model).fit(X, y, weight)
    cv = [(np.flatnonzero(split[rows]), np.flatnonzero(~split[rows]))]
    repeated = clone(model).set_params(cv=cv).fit(X[rows], y[rows])
    scores = [m.cv_results_["mean_test_score"] for m in (weighted, repeated)]
    np.testing.assert_allclose(*scores, rtol=1e-12)
    assert_array_equal(weighted.coefs_[0], repeated.coefs_[0])


def test_the_order_of_alphas_changes_nothing(regression):
    X, y = regression
    model = regressor("adam").fit(X, y)
    for alphas in (ALPHAS[::-1], [*ALPHAS[2:], *ALPHAS], ALPHAS.tolist()):
        assert_same_choice(regressor("adam", alphas=alphas).fit(X, y), model)
    assert_array_equal(model.alphas_, ALPHAS)


def test_a_scorer_made_by_make_scorer_and_a_pipeline(regression):
    X, y = regression
    pinball = make_scorer(mean_pinball_loss, greater_is_better=False, alpha=0.8)
    pipeline = make_pipeline(StandardScaler(), regressor(scoring=pinball))
    fitted = pipeline.fit(X, y)[-1]
    assert fitted.best_score_ < 0
    assert pipeline.predict(X).shape == y.shape


def test_the_fitted_estimator_scored_is_the_plain_one(regression):
    """A scorer sees what GridSearchCV shows it, tables included."""
    X, y = regression
    X = pd.DataFrame(X, columns=list("abcd"))
    seen = []

    def scorer(model, X, y):
        seen.append((type(model), model.alpha, model.alpha_, list(X.columns)))
        return model.score(X, y)

    regressor(scoring=scorer, cv=2).fit(X, y)
    expected = [(WeightDecayMLPRegressor, a, a, list("abcd")) for a in ALPHAS]
    assert sorted(seen, key=lambda found: found[1]) == [
        found for found in expected for _ in range(2)
    ]
    assert issubclass(WeightDecayMLPClassifierCV._plain_class, WeightDecayMLPClassifier)


@pytest.mark.slow
def test_tables_reach_splitter_and_scorer_as_they_are(regression, one_blas_thread):
    """Columns, and an index by which other tables are looked up."""
    X, y = regression
    index = [f"row {i}" for i in range(len(y))]
    X = pd.DataFrame(X, columns=list("abcd"), index=index)
    y = pd.Series(y, index=index)

    class ByColumn(KFold):
        def split(self, X, y=None, groups=None):
            positive = (X["a"] > 0).to_numpy()
            yield np.flatnonzero(positive), np.flatnonzero(~positive)
            yield np.flatnonzero(~positive), np.flatnonzero(positive)

    costs = pd.Series(np.linspace(1.0, 2.0, len(y)), index=index)

    def scorer(model, X, y):
        return -((y - model.predict(X)).abs() * costs.loc[X.index]).mean()

    model = regressor(cv=ByColumn(2), scoring=scorer)
    search = grid_search(clone(model), X, y)
    assert_same_search(model.fit(X, y), search)


def test_splits_as_masks_and_a_test_on_the_first_row_alone(regression):
    X, y = regression
    rows = np.arange(len(y))
    splits = [(rows[1:], rows[:1]), (rows[:60], rows[60:])]
    masks = [tuple(np.isin(rows, part) for part in split) for split in splits]
    how = {"scoring": "neg_mean_squared_error", "hidden_layer_sizes": ()}
    by_mask = regressor(cv=masks, **how).fit(X, y)
    assert_same_choice(by_mask, regressor(cv=splits, **how).fit(X, y))


@pytest.mark.slow
def test_a_polars_frame(regression):
    polars = pytest.importorskip("polars")
    X, y = regression
    frame = polars.DataFrame(X, schema=list("abcd"))
    model = regressor("adam", cv=2).fit(frame, y)
    assert_same_choice(model, regressor("adam", cv=2).fit(X, y))
    assert model.feature_names_in_.tolist() == list("abcd")


def test_a_column_of_labels_is_warned_of_once(classes):
    X, y = classes
    with pytest.warns(DataConversionWarning) as caught:
        column = classifier("adam", cv=3).fit(X, y[:, np.newaxis])
    assert len([w for w in caught if w.category is DataConversionWarning]) == 1
    assert_same_choice(column, classifier("adam", cv=3).fit(X, y))


def test_a_scorer_may_do_with_its_rows_as_it_likes(regression):
    X, y = regression

    def scorer(model, X, y, spoil=True):
        score = -np.square(model.predict(X) - y).mean()
        if spoil:
            X *= 0.0
            y *= 0.0
        return np.array(score)  # as other libraries give it, an array of no axis

    spoilt = regressor("adam", scoring=scorer).fit(X, y)
    by_name = regressor("adam", scoring="neg_mean_squared_error").fit(X, y)
    assert_same_choice(spoilt, by_name)


def test_a_range_of_alphas(regression):
    model = regressor("adam", alphas=range(1, 4), cv=2).fit(*regression)
    assert_array_equal(model.alphas_, [1.0, 2.0, 3.0])
