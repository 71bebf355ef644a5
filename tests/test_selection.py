"""The table of results, the rules, the grid made from the data, metadata routing."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy.sparse import csr_matrix
from sklearn.metrics import get_scorer, r2_score
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skwd import WeightDecayMLPClassifierCV, WeightDecayMLPRegressorCV
from skwd._cv.results import choose

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:alpha=.* is too large for this data"),
]
SMALL = dict(hidden_layer_sizes=(4,), random_state=0, max_iter=20)


def one_standard_error(scores):
    """The 1-se rule in words, with the scores of one alpha after the other."""
    means = [sum(row) / len(row) for row in scores]
    best = max(range(len(means)), key=lambda i: means[i])
    k, mean = len(scores[best]), means[best]
    variance = sum((score - mean) ** 2 for score in scores[best]) / (k - 1)
    allowed = mean - (variance / k) ** 0.5
    return max(i for i in range(len(means)) if means[i] >= allowed)


def test_rules_on_random_scores():
    rng = np.random.default_rng(0)
    chosen = []
    for _ in range(200):
        scores = rng.standard_normal((6, 4)) + 2 * rng.standard_normal((6, 1))
        best, largest = choose(scores, "best"), choose(scores, "1se")
        assert best == max(range(6), key=lambda i: scores[i].mean())
        assert largest == one_standard_error(scores.tolist())
        chosen.append(largest > best)
    assert 0 < sum(chosen) < 200


def test_the_smallest_of_equals_is_best_and_nan_is_never_chosen():
    assert choose(np.array([[0.0, 0], [1, 1], [1, 1]]), "best") == 1
    scores = np.array([[np.nan, 9], [1, 1.2], [0.5, 1.1], [np.nan, np.nan]])
    assert choose(scores, "best") == 1
    assert choose(scores, "1se") == 1
    scores[2] = 1.05
    assert choose(scores, "1se") == 2


def test_infinite_scores_have_no_standard_error():
    assert choose(np.array([[0.0, 0.0], [np.inf, 1.0]]), "1se") == 1
    assert choose(np.full((2, 3), -np.inf), "1se") == 0


@pytest.mark.parametrize("rule", ["best", "1se"])
def test_the_choice_is_read_from_the_table(rule, regression):
    X, y = regression
    y = y + np.random.default_rng(0).standard_normal(len(y))
    model = WeightDecayMLPRegressorCV(
        alphas=np.logspace(-4, 0, 9), rule=rule, cv=5, **SMALL
    ).fit(X, y)
    table = pd.DataFrame(model.cv_results_)
    scores = table.filter(regex="^split").to_numpy()
    expected = scores.mean(axis=1).argmax()
    if rule == "1se":
        expected = one_standard_error(scores.tolist())
    assert model.best_index_ == expected
    assert model.alpha_ == model.alphas_[expected] == table["param_alpha"][expected]
    assert model.best_score_ == table["mean_test_score"][expected]
    assert table["params"][expected] == {"alpha": model.alpha_}
    assert table["std_test_score"][expected] == pytest.approx(scores[expected].std())


def test_rules_differ_here(regression):
    """So that the test above tells them apart."""
    X, y = regression
    y = y + 0.5 * np.random.default_rng(0).standard_normal(len(y))
    models = [
        WeightDecayMLPRegressorCV(alphas=np.logspace(-4, 0, 9), rule=rule, **SMALL)
        for rule in ("best", "1se")
    ]
    first, second = (model.fit(X, y).alpha_ for model in models)
    assert first < second


def pull(X, Y, weight):
    """||X'(s r)||_2 / sum s, row by row."""
    mean = sum(s * y for s, y in zip(weight, Y)) / sum(weight)
    total = sum(s * np.outer(x, y - mean) for s, x, y in zip(weight, X, Y))
    return np.linalg.svd(total / sum(weight), compute_uv=False)[0]


@pytest.mark.wide(4)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("is_sparse", [False, True])
def test_the_grid_of_a_regressor(dtype, is_sparse, regression, monkeypatch):
    X, y = regression
    monkeypatch.setattr("skwd._core.rows.BLOCK_ROWS", 50)
    Y = np.column_stack([y, 3.0 * X[:, 0]])
    weight = np.random.default_rng(0).uniform(0.0, 2.0, len(y))
    X = X.astype(dtype)
    given = csr_matrix(X) if is_sparse else X
    how = {"early_stopping": True, "normalize_y": False}
    model = WeightDecayMLPRegressorCV(alphas=5, cv=2, **how, **SMALL)
    model.fit(given, Y, weight)
    top = pull(X.astype(float), Y, weight)
    np.testing.assert_allclose(model.alphas_, top * np.logspace(-6, 0, 5), rtol=1e-6)


def test_the_grid_of_scaled_y_has_no_units(regression):
    X, y = regression
    tops = []
    for scale in (1.0, 1e5):
        model = WeightDecayMLPRegressorCV(alphas=4, cv=2, normalize_y=True, **SMALL)
        tops.append(model.fit(X, scale * y + 7.0).alphas_[-1])
    assert tops[0] == pytest.approx(tops[1], rel=1e-9)
    assert tops[0] == pytest.approx(
        pull(X, ((y - y.mean()) / y.std())[:, None], np.ones(len(y)))
    )


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_grid_of_a_classifier(n_classes, classes):
    """On indicators (one for two classes), with the class weights."""
    X, y = classes
    y = y if n_classes == 3 else y % 2
    class_weight = {0: 1.0, 1: 3.0, 2: 0.5} if n_classes == 3 else {0: 1.0, 1: 3.0}
    model = WeightDecayMLPClassifierCV(
        alphas=3, cv=3, class_weight=class_weight, **SMALL
    ).fit(X, y)
    Y = np.eye(3)[y] if n_classes == 3 else y[:, np.newaxis].astype(float)
    weight = [class_weight[label] for label in y]
    assert model.alphas_[-1] == pytest.approx(pull(X, Y, weight), rel=1e-9)


def test_the_top_of_the_grid_collapses_a_tanh_network(regression):
    """A little above it the network is a constant, well below it is not."""
    X, y = regression
    model = WeightDecayMLPRegressorCV(alphas=2, cv=2, **SMALL).fit(X, y)
    sizes = []
    for factor in (0.5, 1.5):
        network = model._plain_class(
            alpha=factor * model.alphas_[-1],
            hidden_layer_sizes=(4,),
            activation="tanh",
            random_state=0,
            tol=1e-6,
        ).fit(X, y)
        sizes.append(max(np.abs(W).max() for W in network.coefs_))
    assert sizes[0] > 0.1 and sizes[1] < 1e-3


def test_a_constant_y_has_a_grid_too():
    X = np.random.default_rng(0).standard_normal((20, 3))
    model = WeightDecayMLPRegressorCV(alphas=3, cv=2, **SMALL).fit(X, np.full(20, 5.0))
    np.testing.assert_allclose(model.alphas_, [1e-6, 1e-3, 1.0])
    np.testing.assert_allclose(model.predict(X), 5.0, atol=0.05)


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def test_routing_weights_the_scores_where_they_are_requested(routing, regression):
    X, y = regression
    weight = np.random.default_rng(0).uniform(0.5, 3.0, len(y))
    scores = {}
    for requested in (True, False):
        scorer = get_scorer("r2").set_score_request(sample_weight=requested)
        model = WeightDecayMLPRegressorCV(
            alphas=[0.01, 0.1], cv=3, scoring=scorer, **SMALL
        ).fit(X, y, sample_weight=weight)
        scores[requested] = model.cv_results_["split1_test_score"]
        plain = model._plain_class(alpha=0.01, **SMALL)
        train, test = list(KFold(3).split(X))[1]
        plain.fit(X[train], y[train], weight[train])
        given = {"sample_weight": weight[test]} if requested else {}
        expected = r2_score(y[test], plain.predict(X[test]), **given)
        assert scores[requested][0] == pytest.approx(expected, rel=1e-6)
    assert (scores[True] != scores[False]).all()


def test_routing_of_groups_through_a_pipeline(routing, regression):
    X, y = regression
    groups = np.random.default_rng(0).integers(0, 3, len(y))
    model = WeightDecayMLPRegressorCV(alphas=[0.01, 0.1], cv=GroupKFold(3), **SMALL)
    pipeline = make_pipeline(StandardScaler(), model).fit(X, y, groups=groups)
    with sklearn.config_context(enable_metadata_routing=False):
        alone = WeightDecayMLPRegressorCV(
            alphas=[0.01, 0.1], cv=GroupKFold(3), **SMALL
        ).fit(StandardScaler().fit_transform(X), y, groups=groups)
    np.testing.assert_array_equal(
        pipeline[-1].cv_results_["split2_test_score"],
        alone.cv_results_["split2_test_score"],
    )


def test_routing_of_weights_to_fit_in_an_outer_search(routing, regression):
    X, y = regression
    model = WeightDecayMLPRegressorCV(alphas=[0.01, 0.1], cv=2, **SMALL)
    model.set_fit_request(sample_weight=True).set_score_request(sample_weight=False)
    inner = get_scorer("r2").set_score_request(sample_weight=False)
    model.set_params(scoring=inner)
    outer = GridSearchCV(model, {"activation": ["tanh", "relu"]}, cv=2)
    outer.fit(X, y, sample_weight=np.ones(len(y)))
    assert outer.best_estimator_.alpha_ in (0.01, 0.1)


@pytest.mark.slow
def test_nested_cross_validation(regression):
    X, y = regression
    model = WeightDecayMLPRegressorCV(alphas=[0.01, 0.1], cv=2, n_jobs=2, **SMALL)
    scores = cross_val_score(model, X, y, cv=3, n_jobs=2)
    alone = cross_val_score(model.set_params(n_jobs=1), X, y, cv=3)
    np.testing.assert_allclose(scores, alone, rtol=1e-4)
