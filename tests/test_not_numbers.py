"""Text and dates in the place of numbers: one error that names them and the remedy."""

import numpy as np
import pytest
from refusal import LABELS, X, Y, assert_refused, fitted

from skwd import (
    WeightDecayMLPClassifier,
    WeightDecayMLPClassifierCV,
    WeightDecayMLPRegressor,
    WeightDecayMLPRegressorCV,
)

ENCODE = (
    "Make columns of its categories first, by a OneHotEncoder in a ColumnTransformer: "
    '"One real table, end to end" in the guide.'
)
REPLACE = "If it stands for missing values, replace it by NaN, for a SimpleImputer."
SUBTRACT = "Use differences in days or seconds, as numbers."
TOWNS = ["here", "there"] * 6
OBJECTS = np.c_[X[:, 0].astype(object), np.array(TOWNS, dtype=object)]
STRAY = X.astype(object)
STRAY[3, 1] = "?"


def tables():
    """X of twelve rows, and what is said of it."""
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame({"size": X[:, 0], "town": TOWNS})
    mixed = table.assign(
        kind=pd.Categorical(TOWNS), when=pd.date_range("2020", periods=12)
    )
    mixed["rate"] = [1.5, "n/a", *range(10)]
    many = pd.DataFrame({f"c{j}": TOWNS for j in range(6)})
    many[0] = 1.0
    many.columns = [str(name) for name in many]
    shown = ", ".join(f"column 'c{j}' (as 'here')" for j in range(4))
    return {
        "frame": (table, f"got text in column 'town' (as 'here'). {ENCODE}"),
        "each kind": (
            mixed,
            "got text in column 'town' (as 'here'), column 'kind' (as 'here'), text "
            "among numbers in column 'rate' (as 'n/a'), dates or times in column "
            f"'when' (as 2020-01-01T00:00:00.000000). {ENCODE} {REPLACE} {SUBTRACT}",
        ),
        "many": (many, f"got text in {shown} and 2 more. {ENCODE}"),
        "periods": (
            pd.DataFrame({"month": pd.period_range("2020", periods=12, freq="M")}),
            f"got dates or times in column 'month' (as 2020-01). {SUBTRACT}",
        ),
    }


@pytest.mark.wide(4)
@pytest.mark.parametrize("name", ["frame", "each kind", "many", "periods"])
def test_columns_of_a_frame(name):
    table, message = tables()[name]
    assert_refused(WeightDecayMLPRegressor(), f"X must hold numbers; {message}", table)


@pytest.mark.parametrize(
    "Estimator",
    [
        WeightDecayMLPRegressor,
        WeightDecayMLPClassifier,
        WeightDecayMLPRegressorCV,
        WeightDecayMLPClassifierCV,
    ],
)
@pytest.mark.wide(5)
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (OBJECTS, f"text in column 1 (as 'here'). {ENCODE}"),
        (OBJECTS.tolist(), f"text in column 1 (as 'here'). {ENCODE}"),
        (OBJECTS.astype(str), f"text in column 1 (as 'here'). {ENCODE}"),
        (STRAY, f"text among numbers in column 1 (as '?'). {REPLACE}"),
    ],
    ids=["objects", "lists", "strings", "a stray"],
)
def test_columns_of_an_array(Estimator, bad, message):
    assert_refused(Estimator(), f"X must hold numbers; got {message}", bad, LABELS)


@pytest.mark.slow
def test_polars():
    pl = pytest.importorskip("polars")
    table = pl.DataFrame({"size": X[:, 0], "town": TOWNS})
    message = f"X must hold numbers; got text in column 'town' (as 'here'). {ENCODE}"
    assert_refused(WeightDecayMLPRegressor(), message, table)


def test_targets_that_may_miss():
    message = f"X must hold numbers; got text in column 1 (as 'here'). {ENCODE}"
    model = WeightDecayMLPRegressor(missing_targets="mask")
    assert_refused(model, message, OBJECTS, np.c_[Y, Y])


def test_rows_to_predict():
    with pytest.raises(ValueError) as caught:
        fitted(WeightDecayMLPRegressor).predict(STRAY)
    assert str(caught.value) == (
        "X must hold numbers; got text among numbers in column 1 (as '?'). " + REPLACE
    )


def test_validation_rows():
    assert_refused(
        WeightDecayMLPRegressor(early_stopping=True),
        f"X_val must hold numbers; got text in column 1 (as 'here'). {ENCODE} X_val "
        "must have the columns of fit's X. In a Pipeline they are those that the steps "
        "before give: with metadata routing transform_input=['X_val'] of the Pipeline "
        "transforms X_val.",
        X_val=OBJECTS,
        y_val=Y,
    )


def test_numbers_are_read_as_before():
    """Of objects, or written as text."""
    model = fitted(WeightDecayMLPRegressor)
    for same in (X.astype(object), X.astype(str), X.tolist()):
        np.testing.assert_array_equal(model.predict(same), model.predict(X))


def test_other_objects_keep_the_words_of_scikit_learn():
    bad = X.astype(object)
    bad[0, 0] = {"foo": "bar"}
    with pytest.raises(TypeError, match="argument must be a string or a real number"):
        WeightDecayMLPRegressor().fit(bad, Y)


@pytest.mark.parametrize(
    ("weight", "rest"),
    [
        (
            "balanced",
            "'balanced'. Use class_weight='balanced', a parameter of the classifiers.",
        ),
        ("weight", "'weight'. Pass one weight per sample, as an array."),
        (["heavy"] * 12, "'heavy'. Pass one weight per sample, as an array."),
        ([None, "2", *TOWNS[2:]], "'here'. Pass one weight per sample, as an array."),
    ],
)
def test_weights(weight, rest):
    for model in (WeightDecayMLPClassifier(), WeightDecayMLPRegressorCV()):
        message = f"sample_weight must hold numbers; got {rest}"
        assert_refused(model, message, X, LABELS, weight)
    assert_refused(
        WeightDecayMLPRegressor(early_stopping=True),
        f"sample_weight_val must hold numbers; got {rest}",
        X_val=X,
        y_val=Y,
        sample_weight_val=weight,
    )
