"""CoverageDisplay applies the wrappers that it is given."""

import matplotlib
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.special import ndtri
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skwd import CoverageDisplay, WeightDecayMLPClassifier, WeightDecayMLPRegressor

matplotlib.use("agg")
X, Y = load_diabetes(return_X_y=True)
TRAIN, TEST = slice(0, 300), slice(300, None)
NET = WeightDecayMLPRegressor(
    hidden_layer_sizes=(5,), alpha=0.05, posterior=True, intervals=5, random_state=0
)


def by_hand(net, X_test, y_test, at=0.9):
    """The coverages of both kinds of intervals, from the steps' own answers."""
    mean, std = net.predict(X_test, return_std=True)
    gaussian = np.mean(np.abs(y_test - mean) <= ndtri(0.5 + 0.5 * at) * std)
    ends = net.predict_interval(X_test, coverage=at)
    return gaussian, np.mean((ends[:, 0] <= y_test) & (y_test <= ends[:, 1]))


def shown(display, at=0.9):
    place = int(np.argmin(np.abs(display.coverages - at)))
    names = "return_std", "predict_interval"
    return tuple(display.observed[name][place] for name in names)


def test_a_transformed_target_in_pipelines_and_a_search():
    log = {"func": np.log, "inverse_func": np.exp}
    inner = make_pipeline(StandardScaler(), NET)
    wrapped = TransformedTargetRegressor(inner, **log)
    outer = make_pipeline(StandardScaler(with_mean=False), wrapped)
    search = GridSearchCV(outer, {}, cv=2).fit(X[TRAIN], Y[TRAIN])
    first = StandardScaler(with_mean=False).fit(X[TRAIN])
    second = StandardScaler().fit(first.transform(X[TRAIN]))

    def through(part):
        return second.transform(first.transform(part))

    net = clone(NET)
    net.fit(through(X[TRAIN]), np.log(Y[TRAIN]))
    expected = by_hand(net, through(X[TEST]), np.log(Y[TEST]))
    for model in (search, search.best_estimator_):
        found = shown(CoverageDisplay.from_estimator(model, X[TEST], Y[TEST]))
        assert found == pytest.approx(expected)
        assert found[1] > 0.8
    falling = TransformedTargetRegressor(
        NET, func=np.negative, inverse_func=np.negative
    ).fit(X[TRAIN], Y[TRAIN])
    plain = clone(NET).fit(X[TRAIN], -Y[TRAIN])
    found = shown(CoverageDisplay.from_estimator(falling, X[TEST], Y[TEST]))
    assert found == pytest.approx(by_hand(plain, X[TEST], -Y[TEST]))


def test_y_as_one_column_is_y():
    model = clone(NET).fit(X[TRAIN], Y[TRAIN])
    flat = CoverageDisplay.from_estimator(model, X[TEST], Y[TEST])
    column = CoverageDisplay.from_estimator(model, X[TEST], Y[TEST, np.newaxis])
    for name, part in flat.observed.items():
        assert_array_equal(column.observed[name], part)


def test_classes_have_no_coverage_of_numbers():
    model = WeightDecayMLPClassifier(hidden_layer_sizes=(3,), posterior=True)
    model.fit(X[TRAIN], Y[TRAIN] > 140.0)
    with pytest.raises(ValueError, match="CoverageDisplay is for regressors"):
        CoverageDisplay.from_estimator(model, X[TEST], Y[TEST] > 140.0)
