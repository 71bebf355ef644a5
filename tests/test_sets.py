"""predict_set: CV+ by hand, its coverage, its folds; predict with coverage."""

import pickle
import warnings

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_array_equal
from refusal import assert_refused
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.model_selection import GroupKFold, KFold, PredefinedSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skwd import (
    WeightDecayMLPClassifier,
    WeightDecayMLPClassifierCV,
    WeightDecayMLPRegressor,
)

FOLDS = KFold(6, shuffle=True, random_state=3)
SMALL = {"hidden_layer_sizes": (5,), "random_state": 0, "tol": 1e-4}


def data(kind="three", n=90, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 3))
    score = X[:, 0] + 0.5 * X[:, 1] ** 2 + 0.4 * rng.standard_normal(n)
    return X, {
        "three": np.digitize(score, [0.0, 1.0]) + 1,
        "strings": np.where(score > 0.5, "yes", "no"),
        "multilabel": np.stack([score > 0.0, X[:, 1] > 0.5], axis=1).astype(int),
        "rare": np.digitize(score, [-1.5, 0.5]) + 1,
    }[kind]


def targets_of(y):
    """y as columns of labels, and the classes of each."""
    return (y, np.arange(2)) if y.ndim == 2 else (y[:, np.newaxis], np.unique(y))


def probabilities(model, X, classes, y):
    """(m, n_targets, C), 0 for classes that the model has not seen."""
    p = model.predict_proba(X)
    if y.ndim == 2:
        return np.stack([1.0 - p, p], axis=2)
    found = np.zeros((len(p), 1, len(classes)))
    found[:, 0, np.searchsorted(classes, model.classes_)] = p
    return found


def by_hand(model, X, y, X_new, coverage, splits, by_class=False, weight=None):
    """Algorithm 2 of Romano, Sesia and Candes as it reads, from plain fits."""
    Y, classes = targets_of(y)
    own, new, labels = [], [], []
    for train, test in splits:
        part = clone(model).set_params(intervals=None)
        part.fit(X[train], y[train], None if weight is None else weight[train])
        p, p_new = (
            probabilities(part, part_X, classes, y) for part_X in (X[test], X_new)
        )
        for i, row in enumerate(test):
            codes = np.searchsorted(classes, Y[row])
            own.append([1.0 - p[i, t, c] for t, c in enumerate(codes)])
            new.append(1.0 - p_new)
            labels.append(codes)
    own, new, labels = np.array(own), np.array(new), np.array(labels)
    sets = np.empty(new.shape[1:], bool)
    for x, t, c in np.ndindex(*sets.shape):
        rows = labels[:, t] == c if by_class else slice(None)
        less = own[rows, t] < new[rows, x, t, c] - 1e-6
        sets[x, t, c] = less.sum() < coverage * (less.size + 1.0) - 1e-9
    return sets if y.ndim == 2 else sets[:, 0]


CASES = {
    "three classes": {},
    "labels that are words": {"kind": "strings"},
    "multilabel": {"kind": "multilabel"},
    "class weights": {"class_weight": "balanced", "weighted": True},
    "ensemble": {"n_init": 2, "ensemble": True},
    "float32": {"dtype": np.float32},
    "sparse": {"sparse": True},
    "linear": {"hidden_layer_sizes": ()},
    "early stopping": {"early_stopping": True, "kind": "strings"},
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.wide(14)
@pytest.mark.parametrize("name", CASES)
def test_equals_the_formula_on_its_folds(name, one_blas_thread):
    changes = dict(CASES[name])
    X, y = data(changes.pop("kind", "three"))
    X = X.astype(changes.pop("dtype", np.float64))
    if changes.pop("sparse", False):
        X = sparse.csr_array(X)
    weight = np.arange(90) % 3 + 1.0 if changes.pop("weighted", False) else None
    X_new, splits = X[:12], list(FOLDS.split(X))
    model = WeightDecayMLPClassifier(**SMALL | changes, intervals=FOLDS)
    model.fit(X, y, weight)
    given = clone(model).set_params(alpha=model.alpha_)
    for coverage, by_class in ((0.5, False), (0.9, False), (0.8, True)):
        sets = model.predict_set(X_new, coverage, class_conditional=by_class)
        assert sets.dtype == bool
        wanted = by_hand(given, X, y, X_new, coverage, splits, by_class, weight)
        assert_array_equal(sets, wanted)
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.predict_set(X_new), model.predict_set(X_new))
    labels, sets = model.predict(X_new, coverage=0.7)
    assert_array_equal(labels, model.predict(X_new))
    assert_array_equal(sets, model.predict_set(X_new, 0.7))
    plain = clone(model).set_params(intervals=None).fit(X, y, weight)
    assert_array_equal(plain.predict_proba(X_new), model.predict_proba(X_new))


def test_a_class_that_a_fold_lacks_has_no_probability_there(one_blas_thread):
    X, y = data()
    fold = np.where(y == 3, 0, np.arange(90) % 3)
    folds = PredefinedSplit(fold)
    model = WeightDecayMLPClassifier(**SMALL, alpha=0.02, intervals=folds).fit(X, y)
    assert len(model._fitted.folds.places[0]) == 2
    splits = list(folds.split())
    for by_class in (False, True):
        wanted = by_hand(model, X, y, X[:9], 0.8, splits, by_class)
        sets = model.predict_set(X[:9], 0.8, class_conditional=by_class)
        assert_array_equal(sets, wanted)


@pytest.mark.wide(2)
@pytest.mark.parametrize("alpha", ["auto", "loo"])
def test_chosen_alphas_are_those_of_the_folds(alpha, one_blas_thread):
    X, y = data("strings")
    model = WeightDecayMLPClassifier(**SMALL | {"alpha": alpha}, intervals=FOLDS)
    model.fit(X, y)
    given = clone(model).set_params(alpha=model.alpha_)
    given.set_params(hidden_layer_sizes=model._fitted.network.layout.layer_units[1:-1])
    wanted = by_hand(given, X, y, X[:9], 0.8, list(FOLDS.split(X)))
    assert_array_equal(model.predict_set(X[:9], 0.8), wanted)


@pytest.mark.slow
def test_a_cv_form_keeps_its_own_folds(one_blas_thread):
    X, y = data()
    how = {**SMALL, "hidden_layer_sizes": (3,)}
    model = WeightDecayMLPClassifierCV(
        alphas=[0.01, 0.1], cv=FOLDS, intervals=True, **how
    ).fit(X, y)
    plain = WeightDecayMLPClassifier(alpha=model.alpha_, intervals=FOLDS, **how)
    plain.fit(X, y)
    for by_class in (False, True):
        sets = model.predict_set(X, 0.8, class_conditional=by_class)
        assert_array_equal(sets, plain.predict_set(X, 0.8, class_conditional=by_class))
    model.set_params(intervals=None).fit(X, y)
    with pytest.raises(ValueError) as refused:
        model.predict(X, coverage=0.9)
    assert str(refused.value) == (
        "Sets need the networks of folds, and this estimator was fitted without. Fit "
        "it with intervals=True."
    )


def test_rows_of_weight_zero_are_removed_and_folds_can_be_grouped():
    X, y = data()
    weight = (np.arange(90) % 4 > 0).astype(float)
    groups, kept = np.arange(90) // 9, weight > 0.0
    model = WeightDecayMLPClassifier(**SMALL, intervals=GroupKFold(5))
    sets = model.fit(X, y, weight, groups=groups).predict_set(X)
    model.fit(X[kept], y[kept], groups=groups[kept])
    assert (model.predict_set(X) == sets).mean() > 0.99
    fold = model._fitted.folds.fold
    assert all(len(np.unique(fold[groups[kept] == g])) == 1 for g in range(10))


def test_by_number_classes_are_in_proportion_and_copies_together():
    X, y = data("rare")
    X, y = np.concatenate([X, X]), np.concatenate([y, y])
    model = WeightDecayMLPClassifier(**SMALL, intervals=5).fit(X, y)
    folds = model._fitted.folds
    assert_array_equal(folds.fold[:90], folds.fold[90:])
    of_class = [np.bincount(folds.fold[y == c], minlength=5) for c in (1, 2, 3)]
    assert all(np.ptp(counts) <= 2 for counts in of_class)  # one row, and its copy
    again = clone(model).fit(X, y)
    assert_array_equal(again.predict_set(X), model.predict_set(X))


def test_a_set_is_empty_where_no_class_is_as_likely_as_usual():
    rng = np.random.default_rng(0)
    places = np.array([[3.0, 0.0], [-3.0, 0.0], [0.0, 4.0]])
    y = np.arange(150) % 3
    X = places[y] + 0.3 * rng.standard_normal((150, 2))
    model = WeightDecayMLPClassifier(
        hidden_layer_sizes=(), alpha=0.001, intervals=10
    ).fit(X, y)
    sets = model.predict_set([[0.0, 1.3], [3.0, 0.0]], coverage=0.9)
    assert_array_equal(sets, [[False, False, False], [True, False, False]])


def test_class_conditional_sets_cover_a_rare_class():
    """Of nine rows in ten of class 0, sets without the rare one cover 90 %."""
    rng = np.random.default_rng(1)
    y = (rng.uniform(size=3000) < 0.1).astype(int)
    X = rng.standard_normal((3000, 2)) + 0.8 * y[:, np.newaxis]
    model = WeightDecayMLPClassifier(
        hidden_layer_sizes=(), alpha=0.01, intervals=10, random_state=0
    ).fit(X[:1000], y[:1000])
    rare = y[1000:] == 1
    plain = model.predict_set(X[1000:])
    by_class = model.predict_set(X[1000:], class_conditional=True)
    assert plain[rare, 1].mean() < 0.5
    assert 0.82 < by_class[rare, 1].mean() < 0.97
    assert 0.86 < by_class[~rare, 0].mean() < 0.94


def test_too_few_rows_are_named():
    X, y = data("rare", n=40)
    model = WeightDecayMLPClassifier(**SMALL, intervals=KFold(4)).fit(X, y)
    fewest = np.unique(y, return_counts=True)[1].min()
    assert fewest < 9
    with pytest.warns(UserWarning) as said:
        sets = model.predict_set(X, class_conditional=True)
    assert [str(one.message) for one in said] == [
        f"coverage=0.9 needs more than {fewest} rows of each class: those that have no "
        "more are in all sets. Lower coverage, or fit to more rows."
    ]
    assert sets[:, np.argmin(np.bincount(y)[1:])].all()
    with pytest.warns(UserWarning) as said:
        sets = model.predict_set(X, coverage=0.99)
    assert [str(one.message) for one in said] == [
        "coverage=0.99 needs more than 40 rows: every class is in all sets. Lower "
        "coverage, or fit to more rows."
    ]
    assert sets.all()


def test_folds_that_cannot_be_fitted_are_named_before_any_training():
    how = {"hidden_layer_sizes": (2,), "random_state": 0, "intervals": 2}
    X = np.random.default_rng(0).standard_normal((12, 2))
    assert_refused(
        WeightDecayMLPClassifier(**how),
        "Split 0 of intervals cannot be fitted: A classifier needs at least two "
        "classes of positive weight; got 1 class out of [0]. Give it samples of a "
        "second class.",
        X,
        np.arange(12) // 11,
    )
    assert_refused(
        WeightDecayMLPClassifier(**how, early_stopping=True),
        "Split 0 of intervals cannot be fitted: early_stopping=True cannot hold out "
        "validation_fraction=0.1 of 6 samples of 2 classes",
        X,
        np.arange(12) // 6,
        whole=False,
    )


def test_a_weight_of_a_class_that_a_fold_lacks_is_of_the_others():
    X, y = data("three", 60)
    y[:] = y[0]
    y[20:], y[7] = y[0] + 1, y[0] + 2
    weight = {y[7]: 4.0}
    how = {**SMALL, "alpha": 0.05, "class_weight": weight}
    model = WeightDecayMLPClassifier(**how, intervals=FOLDS).fit(X, y)
    sets = model.predict_set(X, 0.8)
    every = {label: weight.get(label, 1.0) for label in np.unique(y)}
    model.set_params(class_weight=every).fit(X, y)
    assert_array_equal(model.predict_set(X, 0.8), sets)


@pytest.mark.wide(2)
@pytest.mark.parametrize("intervals", [3, FOLDS])
def test_sparse_indicators_are_dense_ones(intervals):
    X, y = data("multilabel", 60)
    model = WeightDecayMLPClassifier(**SMALL, alpha=0.05, intervals=intervals)
    weight = np.arange(60) % 4 > 0
    dense = model.fit(X, y, weight).predict_set(X)
    for made in (sparse.csr_array, sparse.csc_matrix):
        assert_array_equal(model.fit(X, made(y), weight).predict_set(X), dense)


def test_predict_with_coverage_through_pipelines():
    X, y = data("strings")
    number = X[:, 0] + 0.1 * X[:, 1]
    sets = make_pipeline(
        StandardScaler(), WeightDecayMLPClassifier(**SMALL, intervals=3)
    ).fit(X, y)
    ends = make_pipeline(
        StandardScaler(),
        WeightDecayMLPRegressor(**SMALL, intervals=3, posterior=True),
    ).fit(X, number)
    Z = sets[0].transform(X)
    with sklearn.config_context(enable_metadata_routing=True):
        routed = clone(sets)
        routed[1].set_predict_request(coverage=True)
        found = routed.fit(X, y).predict(X, coverage=0.8)
    for labels, chosen in (sets.predict(X, coverage=0.8), found):
        assert_array_equal(labels, sets.predict(X))
        assert_array_equal(chosen, sets[1].predict_set(Z, 0.8))
    predicted, interval = ends.predict(X, coverage=0.8)
    assert_array_equal(predicted, ends.predict(X))
    assert_array_equal(interval, ends[1].predict_interval(Z, 0.8))
    with pytest.raises(ValueError) as refused:
        ends.predict(X, return_std=True, coverage=0.8)
    assert str(refused.value) == (
        "return_std=True and coverage=0.8 ask for two second answers, and predict "
        "gives one. Call it once for each."
    )


def test_what_is_refused():
    X, y = data()
    plain = WeightDecayMLPClassifier(**SMALL).fit(X, y)
    for ask in (plain.predict_set, lambda X: plain.predict(X, coverage=0.9)):
        with pytest.raises(ValueError) as refused:
            ask(X)
        assert str(refused.value) == (
            "Sets need the networks of folds, and this estimator was fitted without. "
            "Fit it with intervals=10."
        )
    with pytest.raises(AttributeError) as refused:
        clone(plain).set_params(intervals=10).partial_fit(X, y, classes=[1, 2, 3])
    assert str(refused.value) == (
        "intervals=10 has no partial_fit: it needs all rows, in folds. Use fit, or "
        "intervals=None."
    )
    model = WeightDecayMLPClassifier(**SMALL, intervals=3).fit(X, y)
    for coverage in (0.0, 1.0, "most"):
        with pytest.raises(ValueError, match="coverage must be a number between"):
            model.predict(X, coverage=coverage)
    with pytest.raises(ValueError, match="intervals=91 needs as many different rows"):
        model.set_params(intervals=91).fit(X, y)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["three", "strings", "rare", "multilabel"])
def test_covers_what_it_says(kind):
    covered, by_class = [], []
    for seed in range(6):
        X, y = data(kind, 2200, seed)
        model = WeightDecayMLPClassifier(**SMALL, intervals=10).fit(X[:200], y[:200])
        Y, classes = targets_of(y[200:])
        codes = np.searchsorted(classes, Y)[..., np.newaxis]
        for found, asked in ((covered, False), (by_class, True)):
            sets = model.predict_set(X[200:], class_conditional=asked)
            sets = sets.reshape(2000, -1, len(classes))
            found.append(np.take_along_axis(sets, codes, axis=2).mean())
    assert 0.88 <= np.mean(covered) <= 0.94
    assert 0.87 <= np.mean(by_class) <= 0.95


@pytest.mark.slow
def test_equals_mapie(one_blas_thread):
    """Where MAPIE is installed: its cross-conformal sets on the same folds and alpha.

    Its count of rows that are as strange is compared with (1 - coverage) (n - 1), that
    of the theorem with (1 - coverage) (n + 1) - 1: here they round to the same.
    """
    module = pytest.importorskip("mapie.classification", reason="MAPIE not installed")
    X, y = load_iris(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    order = np.random.default_rng(0).permutation(150)[:125]
    X, y = X[order], y[order]
    plain = WeightDecayMLPClassifier(**SMALL | {"alpha": 0.01})
    for coverage in (0.9, 0.96):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = module.CrossConformalClassifier(
                plain, confidence_level=coverage, conformity_score="lac", cv=FOLDS
            ).fit_conformalize(X, y)
            _, wanted = theirs.predict_set(X, agg_scores="crossval")
        ours = clone(plain).set_params(intervals=FOLDS).fit(X, y)
        sets = ours.predict_set(X, coverage)
        assert 0.0 < sets.mean() < 1.0
        assert_array_equal(sets, wanted[:, :, 0])
