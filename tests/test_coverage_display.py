"""CoverageDisplay applies the wrappers that it is given."""

import matplotlib
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.special import ndtri
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold
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


@pytest.mark.slow
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
    for labels in (Y > 140.0, np.where(Y > 140.0, "yes", "no")):
        model.fit(X[TRAIN], labels[TRAIN])
        pipe = make_pipeline(model)
        cases = [(model, {}), (pipe, {}), (clone(model), {"cv": 3})]
        for one, how in cases:
            with pytest.raises(ValueError) as caught:
                CoverageDisplay.from_estimator(one, X[TEST], labels[TEST], **how)
            assert str(caught.value) == (
                "CoverageDisplay is for regressors, whose targets are numbers; got "
                f"{type(one).__name__} of classes. Fit it with intervals: the part "
                "of the rows whose class is in its set of predict_set(X) is the "
                "coverage."
            )


def test_groups_of_rows_by_their_deviation():
    model = clone(NET).fit(X[TRAIN], Y[TRAIN])
    display = CoverageDisplay.from_estimator(model, X[TEST], Y[TEST], by="deviation")
    mean, std = model.predict(X[TEST], return_std=True)
    ends = model.predict_interval(X[TEST], coverage=0.9)
    inside = {
        "return_std": np.abs(Y[TEST] - mean) <= ndtri(0.95) * std,
        "predict_interval": (ends[:, 0] <= Y[TEST]) & (Y[TEST] <= ends[:, 1]),
    }
    groups = np.array_split(np.argsort(std, kind="stable"), 10)
    np.testing.assert_allclose(display.deviations, [std[g].mean() for g in groups])
    for name, part in inside.items():
        wanted = [part[g].mean() for g in groups]
        np.testing.assert_allclose(display.observed[name], wanted)
    assert display.coverages == pytest.approx([0.9])
    assert display.ax_.get_ylabel() == "part of the rows covered at 90%"
    with pytest.raises(ValueError) as refused:
        CoverageDisplay.from_estimator(model, X, Y, by="row")
    assert str(refused.value) == (
        "by must be 'coverage' or 'deviation'; got 'row'. Use by='deviation' for "
        "groups of rows."
    )


@pytest.mark.wide(2)
@pytest.mark.parametrize("by", ["coverage", "deviation"])
def test_rows_out_of_fold(by):
    """Every row by the clone that has not seen its fold, in a Pipeline too."""
    folds, pipe = KFold(3, shuffle=True, random_state=0), make_pipeline(NET)
    display = CoverageDisplay.from_estimator(pipe, X, Y, by=by, cv=folds)
    inside, deviation = np.empty(len(X), bool), np.empty(len(X))
    for train, test in folds.split(X):
        net = clone(NET).fit(X[train], Y[train])
        mean, deviation[test] = net.predict(X[test], return_std=True)
        far = np.abs(Y[test] - mean) / deviation[test]
        inside[test] = far <= ndtri(0.95)
    if by == "coverage":
        assert shown(display)[0] == pytest.approx(inside.mean())
        return
    groups = np.array_split(np.sort(deviation), 10)
    np.testing.assert_allclose(display.deviations, [g.mean() for g in groups])
    assert display.observed["return_std"].mean() == pytest.approx(
        inside.mean(), abs=0.01
    )


@pytest.mark.parametrize("by", ["coverage", "deviation"])
def test_a_deviation_of_zero_covers_what_is_right(by):
    model = clone(NET).set_params(posterior=False, intervals=None, noise="varying")
    model.fit(X[TRAIN], np.full(len(X[TRAIN]), 3.0))
    assert not model.predict(X[TEST], return_std=True)[1].any()
    y = np.where(np.arange(len(X[TEST])) % 4 == 0, 2.0, 3.0)
    display = CoverageDisplay.from_estimator(model, X[TEST], y, by=by)
    assert display.observed["return_std"].mean() == pytest.approx(0.75, abs=0.01)


def test_targets_that_are_not_known_are_left_out():
    model = clone(NET).fit(X[TRAIN], Y[TRAIN])
    y, rest = Y[TEST].copy(), np.arange(142) % 3 > 0
    y[~rest] = np.nan
    for by in ("coverage", "deviation"):
        display = CoverageDisplay.from_estimator(model, X[TEST], y, by=by)
        alone = CoverageDisplay.from_estimator(model, X[TEST][rest], y[rest], by=by)
        for name, part in alone.observed.items():
            np.testing.assert_allclose(display.observed[name], part)


@pytest.mark.slow
def test_intervals_alone_are_grouped_by_their_width():
    model = clone(NET).set_params(posterior=False).fit(X[TRAIN], Y[TRAIN])
    display = CoverageDisplay.from_estimator(model, X[TEST], Y[TEST], by="deviation")
    assert set(display.observed) == {"predict_interval"}
    assert (np.diff(display.deviations) >= 0.0).all()
    noise = clone(model).set_params(noise="varying", intervals=None)
    noise.fit(X[TRAIN], Y[TRAIN])
    display = CoverageDisplay.from_estimator(noise, X[TEST], Y[TEST])
    assert set(display.observed) == {"return_std"}


@pytest.mark.parametrize("by", ["coverage", "deviation"])
@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.full(30, np.nan), "y has no target that is known: all are NaN. Give Cov"),
        (np.zeros(7), "Found input variables with inconsistent numbers of samples"),
        (np.zeros((30, 2)), r"y must have the outputs .*of \(30,\); got \(30, 2\)"),
    ],
    ids=["none is known", "few", "two outputs"],
)
def test_targets_that_cannot_be_covered(by, y, message):
    X = np.random.default_rng(0).standard_normal((30, 2))
    model = WeightDecayMLPRegressor(hidden_layer_sizes=(), posterior=True)
    model.fit(X, X[:, 0])
    with pytest.raises(ValueError, match=message):
        CoverageDisplay.from_estimator(model, X, y, by=by)


@pytest.mark.slow
def test_rows_too_few_are_said_once():
    X = np.random.default_rng(0).standard_normal((6, 2))
    model = WeightDecayMLPRegressor(hidden_layer_sizes=(), intervals=2)
    model.fit(X, X[:, 0])
    message = "coverage=0.9 needs more than 6 rows: the ends of its intervals are inf"
    with pytest.warns(UserWarning, match=message) as said:
        display = CoverageDisplay.from_estimator(model, X, X[:, 0])
    assert len(said) == 1
    found = display.observed["predict_interval"]
    for coverage, part in zip(display.coverages[:16], found):
        ends = model.predict_interval(X, coverage)
        inside = (ends[:, 0] <= X[:, 0]) & (X[:, 0] <= ends[:, 1])
        assert part == inside.mean()
    assert (found[-2:] == 1.0).all()


def test_folds_of_groups_are_given_as_splits():
    groups, model = np.arange(len(Y)) // 20, clone(NET).set_params(intervals=None)
    with pytest.raises(ValueError) as caught:
        CoverageDisplay.from_estimator(model, X, Y, cv=GroupKFold(3))
    said = "needs the group of every row. Pass the splits themselves: "
    remedy = "cv=list(splitter.split(X, y, groups))"
    assert str(caught.value).endswith(f"{said}{remedy}.")
    cv = list(GroupKFold(3).split(X, Y, groups))
    display = CoverageDisplay.from_estimator(model, X, Y, cv=cv)
    assert 0.7 < display.observed["return_std"][-5:].min()
