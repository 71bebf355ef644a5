"""Rows that belong together: one fold holds all of a group, whatever holds rows out."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

from skwd import WeightDecayMLPClassifier, WeightDecayMLPRegressor
from skwd._cv import folds
from skwd._cv.folds import splits_of
from skwd._cv.problem import Problem

SMALL = {"hidden_layer_sizes": (4,), "random_state": 0}
quiet = pytest.mark.filterwarnings("ignore")


def persons(n_persons=16, rows=5, n_columns=3):
    """Rows of persons that are alike in X, and a level of y that is the person's."""
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(n_persons), rows)
    X = rng.standard_normal((n_persons, n_columns))[group]
    X = X + 0.05 * rng.standard_normal(X.shape)
    level = 2.0 * rng.standard_normal(n_persons)
    return X, level[group] + 0.3 * rng.standard_normal(len(X)), group


@pytest.fixture
def held_out(monkeypatch):
    """The rows of each task that a fit has made."""
    found, plain = [], Problem.task

    def spy(problem, rows=None, **how):
        task, targets = plain(problem, rows, **how)
        seen = task.training.rows
        if seen is not None and problem.group is not None:
            found.append(np.sort(seen))
        return task, targets

    monkeypatch.setattr(Problem, "task", spy)
    return found


WAYS = {
    "auto": {"alpha": "auto"},
    "intervals": {"intervals": 4},
    "a splitter": {"alpha": "auto", "intervals": GroupKFold(4)},
    "noise": {"noise": "varying"},
    "early stopping": {"early_stopping": True, "solver": "adam", "max_iter": 3},
    "many": {"alpha": "auto", "intervals": 3, "noise": "varying"},
}


@quiet
@pytest.mark.wide(2)
@pytest.mark.parametrize("way", WAYS)
def test_no_row_is_judged_by_one_of_its_group(held_out, way):
    X, y, group = persons()
    model = WeightDecayMLPRegressor(**SMALL, **WAYS[way])
    model.fit(X, y, groups=np.char.add("person ", group.astype(str)))
    apart = [rows for rows in held_out if len(rows) < len(y)]
    assert len(apart) >= 1
    for rows in apart:  # all rows of a person, or none
        assert_array_equal(rows, np.flatnonzero(np.isin(group, group[rows])))


@pytest.mark.slow
@quiet
def test_groups_of_single_rows_change_nothing():
    X, y, _ = persons()
    for way in ("auto", "intervals", "noise"):
        model = WeightDecayMLPRegressor(**SMALL, **WAYS[way])
        alone = clone(model).fit(X, y)
        # Folds go by the order of the groups, which is that of copies: by X.
        grouped = model.fit(X, y, groups=X[:, 0])
        assert_array_equal(grouped.predict(X), alone.predict(X))


def test_splits_hold_whole_groups_and_all_rows():
    group = np.random.default_rng(0).integers(0, 11, 100)
    weight = np.ones(100)
    weight[::7] = 0.0
    rng = np.random.default_rng(0)
    splits = list(splits_of(group, weight, None, rng, are_groups=True))
    assert len(splits) == 5
    tested = np.concatenate([test for _, test in splits])
    assert_array_equal(np.sort(tested), np.flatnonzero(weight))
    for train, test in splits:
        assert not set(group[train]) & set(group[test])
    three = splits_of(group % 3, weight, None, rng, are_groups=True)
    assert len(list(three)) == 3  # as many folds as there are groups


def test_many_rows_are_judged_by_some_of_the_groups(monkeypatch):
    monkeypatch.setattr(folds, "MOST_ROWS", 60)
    group, rng = np.arange(120) // 10, np.random.default_rng(0)
    ((train, test),) = splits_of(group, np.ones(120), None, rng, are_groups=True)
    assert len(train) == 40 and len(test) == 20
    assert not set(group[train]) & set(group[test])
    # Two of them at least, however large.
    split = splits_of(np.arange(140) // 70, np.ones(140), None, rng, are_groups=True)
    ((train, test),) = split
    assert len(train) == len(test) == 70


@pytest.mark.slow
@quiet
def test_the_choice_is_that_of_rows_of_new_groups():
    """What tells persons apart says nothing of others: the more decay, the better."""
    X, y, group = persons(30, 8)
    fits = [
        WeightDecayMLPRegressor(**SMALL, alpha="auto").fit(X, y, groups=groups)
        for groups in (None, group)
    ]
    new_X, new_y, _ = persons(60, 1)
    errors = [np.mean((fit.predict(new_X[30:]) - new_y[30:]) ** 2) for fit in fits]
    assert errors[1] < errors[0]


@quiet
def test_a_linear_model_is_judged_by_the_folds_of_its_groups():
    """The scores are those of Ridge on the same folds."""
    X, y, group = persons()
    how = {**SMALL, "hidden_layer_sizes": (), "tol": 1e-9, "encoding": None}
    model = WeightDecayMLPRegressor(**how, alpha="auto").fit(X, y, groups=group)
    stream = np.random.default_rng([model._fitted.seed, 3])
    parts = list(splits_of(group, np.ones(len(y)), None, stream, are_groups=True))
    for alpha, score in zip(model.alphas_, model.alpha_scores_):
        losses = []
        for train, test in parts:
            own = alpha * len(y) / len(train)  # so many rows in each
            scale = y[train].std()
            peer = Ridge(alpha=len(train) * own).fit(X[train], y[train] / scale)
            off = y[test] / scale - peer.predict(X[test])
            losses.append(0.5 * np.mean(off**2))
        assert score == pytest.approx(-np.mean(losses), rel=1e-6)


@pytest.mark.slow
@quiet
def test_classes_of_groups_are_kept_in_proportion():
    rng = np.random.default_rng(1)
    group = np.repeat(np.arange(40), 4)
    y = np.repeat(rng.permutation(np.arange(40) % 4 == 0), 4)
    splits = splits_of(group, np.ones(160), y * 1, rng, are_groups=True)
    assert [y[test].mean() for _, test in splits] == [0.25] * 5
    X = rng.standard_normal((160, 2)) + y[:, None]
    model = WeightDecayMLPClassifier(**SMALL, alpha="auto", intervals=4)
    sets = model.fit(X, y, groups=group).predict_set(X)
    assert sets.shape == (160, 2)
    model.set_params(intervals=StratifiedGroupKFold(4)).fit(X, y, groups=group)


def message_of(model, X, y, groups, **val):
    with pytest.raises(ValueError, match="this fit holds none out") as caught:
        model.fit(X, y, groups=groups, **val)
    return str(caught.value)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:alpha='auto'. the signal is too weak")
def test_each_way_that_the_message_names_takes_groups():
    X, y, group = persons()
    plain = WeightDecayMLPRegressor(**SMALL)
    labels = WeightDecayMLPClassifier(**SMALL)
    of_classes, of_numbers = (
        message_of(labels, X, y > 0.0, group),
        message_of(plain, X, y, group),
    )
    ways = [{"alpha": "auto"}, {"intervals": 4}, {"early_stopping": True}]
    for way in [*ways, {"noise": "varying"}]:  # each that is named serves
        name = next(iter(way))
        assert name in of_numbers
        clone(plain).set_params(**way).fit(X, y, groups=group)
        assert (name in of_classes) == (name != "noise")
        if name != "noise":
            clone(labels).set_params(**way).fit(X, y > 0.0, groups=group)
    stopping = clone(plain).set_params(early_stopping=True)
    own = message_of(stopping, X, y, group, X_val=X, y_val=y)
    assert "early_stopping" not in own and 'noise="varying", or leave' in own


def test_bad_groups_are_refused_before_training():
    X, y, group = persons()
    plain = WeightDecayMLPRegressor(**SMALL)
    auto = WeightDecayMLPRegressor(**SMALL, alpha="auto")
    for model in (plain, WeightDecayMLPRegressor(**SMALL, alpha="evidence")):
        with pytest.raises(ValueError, match="and this fit holds none out"):
            model.fit(X, y, groups=group)
    with pytest.raises(ValueError, match=r"inconsistent.*\[80, 79\]"):
        auto.fit(X, y, groups=group[1:])
    with pytest.raises(ValueError, match=r"one value for each sample; got .*\(80, 1\)"):
        auto.fit(X, y, groups=group[:, None])
    with pytest.raises(ValueError, match="two different values or more"):
        auto.fit(X, y, groups=np.zeros(80))
    with pytest.raises(ValueError, match="two different values or more"):
        auto.fit(X, y, (group == 3) * 1.0, groups=group)
    with pytest.raises(ValueError, match="Input groups contains NaN"):
        auto.fit(X, y, groups=np.where(group == 1, np.nan, group))
    with pytest.raises(ValueError, match="intervals=20 needs as many groups; got 16"):
        clone(plain).set_params(intervals=20).fit(X, y, groups=group)
