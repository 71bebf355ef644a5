"""pandas' own missing values, NA: of targets they are NaN, else one clear error."""

import numpy as np
import pytest
from refusal import LABELS, X, Y, assert_refused
from sklearn.model_selection import cross_val_score

from skwd import (
    CoverageDisplay,
    WeightDecayMLPClassifier,
    WeightDecayMLPClassifierCV,
    WeightDecayMLPRegressor,
    WeightDecayMLPRegressorCV,
    log_likelihood_scorer,
    neg_crps_scorer,
)

pd = pytest.importorskip("pandas")

RNG = np.random.default_rng(0)
ROWS = RNG.standard_normal((60, 2))
NUMBERS = np.column_stack([ROWS[:, 0], -ROWS[:, 0]]) + 0.3 * RNG.standard_normal(
    (60, 2)
)
NUMBERS[[3, 41], [0, 1]] = np.nan
LINEAR = {"hidden_layer_sizes": (), "missing_targets": "mask"}


def in_tables():
    """The same targets as a user of pandas may have them."""
    table = pd.DataFrame(NUMBERS, columns=["a", "b"]).astype("Float64")
    objects = NUMBERS.astype(object)
    objects[np.isnan(NUMBERS)] = pd.NA
    return {"nullable": table, "objects": objects, "frame": pd.DataFrame(objects)}


@pytest.mark.parametrize("name", ["nullable", "objects", "frame"])
def test_targets_in_a_table_are_those_in_an_array(name):
    """Of fit, score, scorers, searches and displays."""
    table = in_tables()[name]
    model = WeightDecayMLPRegressor(alpha=0.1, noise="varying", **LINEAR)
    model.fit(ROWS, NUMBERS)
    found = WeightDecayMLPRegressor(alpha=0.1, noise="varying", **LINEAR)
    found.fit(ROWS, table)
    np.testing.assert_array_equal(found.predict(ROWS), model.predict(ROWS))
    assert model.score(ROWS, table) == model.score(ROWS, NUMBERS)
    for scorer in (log_likelihood_scorer, neg_crps_scorer):
        assert scorer(model, ROWS, table) == scorer(model, ROWS, NUMBERS)
    pytest.importorskip("matplotlib")
    drawn = [
        CoverageDisplay.from_estimator(model, ROWS, y).observed["return_std"]
        for y in (table, NUMBERS)
    ]
    np.testing.assert_array_equal(*drawn)


@pytest.mark.parametrize("name", ["nullable", "objects", "frame"])
def test_searches_take_them_too(name):
    """An output that is not known in a fold is not judged there."""
    table, numbers = in_tables()[name], NUMBERS.copy()
    folds = [(np.arange(30), np.arange(30, 60)), (np.arange(30, 60), np.arange(30))]
    for unseen in (False, True):
        if unseen:  # by the first fold
            numbers[:30, 1] = np.nan
            where = table.iloc if hasattr(table, "iloc") else table
            where[:30, 1] = pd.NA
        tables = (
            WeightDecayMLPRegressorCV(alphas=[0.1, 1.0], cv=folds, **LINEAR)
            .fit(ROWS, y)
            .cv_results_["mean_test_score"]
            for y in (table, numbers)
        )
        np.testing.assert_array_equal(*tables)
    model = WeightDecayMLPRegressor(alpha=0.1, **LINEAR)
    given = {"cv": 2, "error_score": "raise"}
    table, numbers = in_tables()[name], NUMBERS
    scores = [cross_val_score(model, ROWS, y, **given) for y in (table, numbers)]
    np.testing.assert_array_equal(*scores)


WORDS = np.array(["a", "b", "c"])[LABELS].astype(object)
NO_LABEL = (
    "y must hold a label in every row; got None in row 2. Leave such rows out, or give "
    "them a label of their own."
)


def labels(dtype, missing):
    y = WORDS.copy()
    y[2] = missing
    return pd.Series(y, dtype=dtype)


@pytest.mark.parametrize("dtype", [object, "string", "str", "category"])
@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_a_label_that_is_missing(dtype, missing):
    model = WeightDecayMLPClassifier()
    y = labels(dtype, missing)
    assert_refused(model, NO_LABEL, X, y)
    if dtype is object:
        assert_refused(model, NO_LABEL, X, y.to_numpy())
        model = WeightDecayMLPClassifier(early_stopping=True)
        message = NO_LABEL.replace("y must", "y_val must")
        assert_refused(model, message, X, WORDS, X_val=X, y_val=y)
        model = WeightDecayMLPRegressor(alpha="auto")
        message = NO_LABEL.replace("y must", "groups must")
        assert_refused(model, message, X, Y, groups=y)


def holed(y, dtype):
    """y with its third value missing, in a dtype of NumPy or of pandas."""
    kind = pd.Series if y.ndim == 1 else pd.DataFrame
    y = y.copy()
    y.reshape(len(y), -1)[2, -1] = np.nan
    return kind(y).astype(dtype) if dtype[0].isupper() else y.astype(dtype)


@pytest.mark.parametrize("dtype", ["float64", "float32", "object", "Float64"])
@pytest.mark.parametrize("two", [False, True], ids=["one target", "two targets"])
def test_a_number_that_is_missing(dtype, two):
    """The remedy is one that works for this very input, in whatever dtype it comes."""
    y = np.column_stack([Y, Y]) if two else Y
    start = "Input y contains NaN. Leave such rows out"
    mask = f"{start}, or set missing_targets='mask', which takes what is known."
    for estimator, may_be_masked in [
        (WeightDecayMLPRegressor(), True),
        (WeightDecayMLPRegressor(alpha="auto", noise="varying"), True),
        (WeightDecayMLPRegressor(loss="huber"), False),
        (WeightDecayMLPRegressor(alpha="evidence"), False),
        (WeightDecayMLPRegressor(posterior=True), False),
        (WeightDecayMLPRegressor(intervals=3), False),
        (WeightDecayMLPRegressorCV(cv=2), True),
        (WeightDecayMLPRegressorCV(cv=2, intervals=True), False),
    ]:
        message = mask if two and may_be_masked else f"{start}."
        assert_refused(estimator, message, X, holed(y, dtype))
    if two:
        WeightDecayMLPRegressor(missing_targets="mask").fit(X, holed(y, dtype))
    stopping = WeightDecayMLPRegressor(early_stopping=True)
    message = (mask if two else f"{start}.").replace(" y ", " y_val ")
    assert_refused(stopping, message, X, y, X_val=X, y_val=holed(y, dtype))


@pytest.mark.parametrize("dtype", ["float64", "float32", "object", "Float64"])
@pytest.mark.parametrize("as_column", [False, True])
def test_a_label_that_is_a_number_and_missing(dtype, as_column):
    y = holed(np.arange(len(X)) % 2.0, dtype)
    y = np.asarray(y)[:, np.newaxis] if as_column else y
    for estimator in (WeightDecayMLPClassifier(), WeightDecayMLPClassifierCV(cv=2)):
        assert_refused(estimator, NO_LABEL, X, y)


def test_an_object_that_is_missing():
    objects = Y.astype(object)
    objects[2] = pd.NA
    message = "Input y contains NaN. Leave such rows out."
    assert_refused(WeightDecayMLPRegressor(), message, X, objects)
    table = pd.DataFrame(X.astype(object), columns=["a", "b"])
    table.iloc[2, 1] = pd.NA
    assert_refused(
        WeightDecayMLPRegressor(),
        "X must hold numbers; got pandas' NA in column 'b'. Replace it by NaN, for a "
        "SimpleImputer.",
        table,
        Y,
    )
