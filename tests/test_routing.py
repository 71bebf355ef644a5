"""Metadata routing: weights, validation data and groups reach those who asked."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skwd import WeightDecayMLPRegressor, WeightDecayMLPRegressorCV

SMALL = {"hidden_layer_sizes": (4,), "random_state": 0}


@pytest.fixture(autouse=True)
def routing():
    with config_context(enable_metadata_routing=True):
        yield


@pytest.fixture
def data(regression):
    X, y = regression
    rng = np.random.default_rng(0)
    return X, y, rng.uniform(0.1, 3.0, len(y)), np.arange(len(y)) % 6


def test_a_pipeline_transforms_the_validation_rows_too(data):
    X, y, _, _ = data
    net = WeightDecayMLPRegressor(early_stopping=True, alpha=0.01, **SMALL)
    net.set_fit_request(X_val=True, y_val=True)
    pipe = Pipeline(
        [("scale", StandardScaler()), ("net", net)], transform_input=["X_val"]
    )
    pipe.fit(3.0 * X[:80], y[:80], X_val=3.0 * X[80:], y_val=y[80:])
    scale = StandardScaler().fit(3.0 * X[:80])
    alone = WeightDecayMLPRegressor(early_stopping=True, alpha=0.01, **SMALL)
    alone.fit(
        scale.transform(3.0 * X[:80]),
        y[:80],
        X_val=scale.transform(3.0 * X[80:]),
        y_val=y[80:],
    )
    np.testing.assert_array_equal(pipe[-1].coefs_[0], alone.coefs_[0])


@pytest.mark.slow
def test_weights_go_to_fit_and_to_score_in_a_grid(data):
    X, y, weight, _ = data
    net = WeightDecayMLPRegressor(alpha=0.01, **SMALL)
    net.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
    grid = GridSearchCV(net, {"alpha": [0.01, 0.1]}, cv=3)
    grid.fit(X, y, sample_weight=weight)
    chooser = WeightDecayMLPRegressorCV(alphas=[0.01, 0.1], cv=3, **SMALL)
    chooser.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
    chooser.fit(X, y, sample_weight=weight)  # scoring=None: as its score was told
    np.testing.assert_allclose(
        chooser.cv_results_["mean_test_score"], grid.cv_results_["mean_test_score"]
    )
    plain = WeightDecayMLPRegressorCV(alphas=[0.01, 0.1], cv=3, **SMALL)
    plain.set_fit_request(sample_weight=True)
    plain.fit(X, y, sample_weight=weight)
    assert (
        plain.cv_results_["mean_test_score"] != grid.cv_results_["mean_test_score"]
    ).all()
    asked = WeightDecayMLPRegressorCV(
        alphas=[0.01, 0.1],
        cv=3,
        scoring=get_scorer("r2").set_score_request(sample_weight=True),
        **SMALL,
    ).fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(
        asked.cv_results_["mean_test_score"], chooser.cv_results_["mean_test_score"]
    )


@pytest.mark.slow
def test_groups_go_to_the_splitter(data):
    X, y, weight, groups = data
    folds = GroupKFold(3)
    chooser = WeightDecayMLPRegressorCV(alphas=[0.01, 0.1], cv=folds, **SMALL)
    chooser.fit(X, y, groups=groups)
    splits = list(folds.split(X, y, groups))
    same = WeightDecayMLPRegressorCV(alphas=[0.01, 0.1], cv=splits, **SMALL).fit(X, y)
    np.testing.assert_array_equal(
        chooser.cv_results_["mean_test_score"], same.cv_results_["mean_test_score"]
    )
    net = WeightDecayMLPRegressor(alpha=0.01, intervals=GroupKFold(3), **SMALL)
    net.set_fit_request(groups=True)
    pipe = Pipeline([("scale", StandardScaler()), ("net", net)])
    assert pipe.fit(X, y, groups=groups)[-1].predict_interval(X).shape == (len(y), 2)
    chooser = WeightDecayMLPRegressorCV(alphas=[0.01, 0.1], cv=folds, **SMALL)
    chooser.set_fit_request(sample_weight=True)
    scale = StandardScaler().set_fit_request(sample_weight=False)
    pipe = Pipeline([("scale", scale), ("net", chooser)])
    pipe.fit(X, y, groups=groups, sample_weight=weight)
