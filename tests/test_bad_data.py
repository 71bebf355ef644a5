"""Bad data: each is refused with one whole message, before any training."""

import numpy as np
import pytest
from refusal import LABELS, X, Y, assert_refused, with_value
from scipy import sparse

from skwd import WeightDecayMLPClassifier, WeightDecayMLPRegressor

REGRESSOR = WeightDecayMLPRegressor()
CLASSIFIER = WeightDecayMLPClassifier()
STOPPING = WeightDecayMLPRegressor(early_stopping=True)
STOPPING_CLASSIFIER = WeightDecayMLPClassifier(early_stopping=True)
ONES = np.ones(12)
TWO_LABELS = np.column_stack([LABELS, 1 - LABELS])

non_finite = pytest.mark.parametrize(
    ("value", "what"), [(np.nan, "NaN"), (np.inf, "infinity"), (-np.inf, "infinity")]
)


@non_finite
@pytest.mark.parametrize(
    "container", [np.asarray, sparse.csr_matrix, sparse.csc_matrix]
)
def test_X_not_finite(container, value, what):
    bad = container(with_value(X, (3, 1), value))
    assert_refused(REGRESSOR, f"Input X contains {what}", bad, Y, whole=False)
    assert_refused(CLASSIFIER, f"Input X contains {what}", bad, LABELS, whole=False)


@non_finite
def test_y_not_finite(value, what):
    start = f"Input y contains {what}"
    assert_refused(REGRESSOR, start, X, with_value(Y, 2, value), whole=False)
    two = with_value(np.column_stack([Y, Y]), (2, 1), value)
    assert_refused(REGRESSOR, start, X, two, whole=False)
    if what == "NaN":
        start = "y must hold a label in every row; got None in row 2"
    assert_refused(CLASSIFIER, start, X, with_value(LABELS, 2, value), whole=False)


@pytest.mark.parametrize("value", [None, np.nan, np.inf, "nan", "inf"], ids=repr)
def test_y_of_objects_not_finite(value):
    """What becomes NaN or infinity only once y is made float is found too."""
    y = np.array([value, *Y[1:]], dtype=object)
    start = ("Input", "y must be numeric")
    assert_refused(REGRESSOR, start, X, y, whole=False)


@non_finite
def test_sample_weight_not_finite(value, what):
    bad = with_value(ONES, 2, value)
    start = f"Input sample_weight contains {what}"
    assert_refused(REGRESSOR, start, X, Y, bad, whole=False)
    start = f"Input sample_weight_val contains {what}"
    data = {"X_val": X, "y_val": Y, "sample_weight_val": bad}
    assert_refused(STOPPING, start, X, Y, **data, whole=False)


@pytest.mark.parametrize("name", ["sample_weight", "sample_weight_val"])
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (
            with_value(ONES, 3, -0.5),
            "{} must not be negative; got -0.5. Use 0 to leave a sample out.",
        ),
        (
            np.ones(5),
            "{} must hold one weight per sample: got 5 weights for 12 samples.",
        ),
        (
            np.ones((12, 1)),
            "Sample weights must be 1D array or scalar; {} has the shape (12, 1). Pass "
            "one weight per sample.",
        ),
        (
            np.zeros(12),
            "All weights are zero in {}: no sample is left to fit. Give at least one "
            "sample a positive weight.",
        ),
    ],
    ids=["negative", "length", "shape", "zeros"],
)
def test_sample_weight(name, bad, message):
    data = {"X_val": X, "y_val": Y, name: bad}
    assert_refused(STOPPING, message.format(name), X, Y, **data)


def test_lengths_of_X_and_y():
    message = "Found input variables with inconsistent numbers of samples: [12, 5]"
    assert_refused(REGRESSOR, message, X, Y[:5])
    assert_refused(CLASSIFIER, message, X, LABELS[:5])
    assert_refused(STOPPING, message, X, Y, X_val=X, y_val=Y[:5])


@pytest.mark.parametrize(
    ("y", "weight", "class_weight", "found"),
    [
        (np.zeros(12, int), None, None, "1 class out of [0]"),
        (["a"] * 12, None, None, "1 class out of ['a']"),
        (LABELS, (LABELS == 0).astype(float), None, "1 class out of [0, 1]"),
        (LABELS, None, {0: 0.0, 1: 1.0}, "1 class out of [0, 1]"),
        (LABELS, None, {0: 0, 1: 0}, "0 classes out of [0, 1]"),
        (LABELS, (LABELS == 0).astype(float), "balanced", "1 class out of [0, 1]"),
        (LABELS, (LABELS == 0) * 1.0, {0: 0.0, 1: 1.0}, "0 classes out of [0, 1]"),
    ],
)
def test_fewer_than_two_classes_of_positive_weight(y, weight, class_weight, found):
    assert_refused(
        WeightDecayMLPClassifier(class_weight=class_weight),
        f"A classifier needs at least two classes of positive weight; got {found}. "
        "Give it samples of a second class.",
        X,
        y,
        weight,
    )


@pytest.mark.parametrize(
    ("y", "shown"),
    [
        (["u", "v"] * 6, "'u'"),
        (np.array(["u", "v"] * 6), "'u'"),
        (np.array(["u", *Y[1:]], dtype=object), "'u'"),
        (np.array([b"u", b"v"] * 6), "b'u'"),
    ],
    ids=["list", "array", "objects", "bytes"],
)
def test_strings_for_the_regressor(y, shown):
    assert_refused(
        REGRESSOR,
        f"y must be numeric for a regressor; got {shown}. Use WeightDecayMLPClassifier "
        "for labels.",
        X,
        y,
    )


def test_continuous_y_for_the_classifier():
    start = "Unknown label type: continuous"
    assert_refused(CLASSIFIER, start, X, Y, whole=False)


def test_multiclass_multioutput_for_the_classifier():
    start = "y should be a 1d array, got an array of shape (12, 2) instead."
    three = np.column_stack([np.arange(12) % 3, LABELS])
    assert_refused(CLASSIFIER, start, X, three, whole=False)


def test_negative_y_for_poisson():
    assert_refused(
        WeightDecayMLPRegressor(loss="poisson"),
        "loss='poisson' needs y >= 0; got -0.25. Use loss='squared_error' for targets "
        "of either sign.",
        X,
        with_value(LABELS, 3, -0.25),
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"X_val": X}, "X_val was given without y_val: pass both or neither."),
        ({"y_val": Y}, "y_val was given without X_val: pass both or neither."),
        (
            {"sample_weight_val": ONES},
            "sample_weight_val was given without X_val and y_val: pass all three, or "
            "none of them.",
        ),
        (
            {"X_val": np.column_stack([X, X]), "y_val": Y},
            "X has 4 features, but WeightDecayMLPRegressor is expecting 2 features as "
            "input. X_val must have the columns of fit's X. In a Pipeline they are "
            "those that the steps before give: with metadata routing "
            "transform_input=['X_val'] of the Pipeline transforms X_val.",
        ),
    ],
)
def test_validation_data_incomplete(data, message):
    assert_refused(STOPPING, message, X, Y, **data)


def test_validation_data_without_early_stopping():
    assert_refused(
        REGRESSOR,
        "X_val and y_val are used for early stopping only: set early_stopping=True, or "
        "leave them out.",
        X,
        Y,
        X_val=X,
        y_val=Y,
    )


@pytest.mark.parametrize("labels", [[0, 1, 2], ["a", "b", "c"], [2, 5, 3]])
def test_y_val_with_an_unseen_class(labels):
    y = np.array(labels)[LABELS]
    assert_refused(
        STOPPING_CLASSIFIER,
        f"y_val holds the class {labels[2]!r}, which is not among the classes of this "
        f"estimator: {labels[:2]}. Leave it out, or fit anew with it.",
        X,
        y,
        X_val=X[:3],
        y_val=labels,
    )


def test_y_val_with_an_unseen_type_of_class():
    assert_refused(
        STOPPING_CLASSIFIER,
        "y_val holds the class 'a', which is not among the classes of this estimator: "
        "[0, 1]. Leave it out, or fit anew with it.",
        X,
        LABELS,
        X_val=X,
        y_val=["a", "b"] * 6,
    )


@pytest.mark.parametrize(
    ("estimator", "data", "start"),
    [
        (
            STOPPING,
            {"X_val": with_value(X, (1, 1), np.nan)},
            "Input X_val contains NaN.",
        ),
        (STOPPING, {"y_val": with_value(Y, 1, np.nan)}, "Input y_val contains NaN."),
        (STOPPING, {"y_val": ["u"] * 12}, "y_val must be numeric for a regressor"),
        (
            WeightDecayMLPRegressor(loss="poisson", early_stopping=True),
            {"y_val": Y},
            "loss='poisson' needs y_val >= 0",
        ),
    ],
    ids=["X NaN", "y NaN", "strings", "poisson"],
)
def test_messages_about_validation_data_name_it(estimator, data, start):
    data = {"X_val": X, "y_val": LABELS, **data}
    assert_refused(estimator, start, X, LABELS, **data, whole=False)


@pytest.mark.parametrize(
    ("y", "y_val"),
    [
        (Y, np.column_stack([Y, Y])),
        (np.column_stack([Y, Y]), Y),
        (np.column_stack([Y, Y]), np.column_stack([Y, Y, Y])),
    ],
    ids=["1 and 2", "2 and 1", "2 and 3"],
)
def test_y_val_of_another_number_of_outputs(y, y_val):
    assert_refused(STOPPING, "y_val must", X, y, X_val=X, y_val=y_val, whole=False)


def test_y_val_of_another_number_of_labels():
    for y_val in (LABELS, np.column_stack([TWO_LABELS, LABELS])):
        assert_refused(
            STOPPING_CLASSIFIER,
            "y_val must be an indicator of 2 labels like y; got the shape "
            f"{y_val.shape}.",
            X,
            TWO_LABELS,
            X_val=X,
            y_val=y_val,
        )


@pytest.mark.parametrize(
    "bad",
    [2 * TWO_LABELS, -TWO_LABELS, 2 * TWO_LABELS - 1],
    ids=["0 2", "0 -1", "-1 1"],
)
def test_labels_other_than_0_and_1(bad):
    """scikit-learn calls any two integers an indicator; the loss needs 0 and 1."""
    assert_refused(CLASSIFIER, "y must", X, bad, whole=False)
    data = {"X_val": X, "y_val": bad}
    assert_refused(
        STOPPING_CLASSIFIER, "y_val must", X, TWO_LABELS, **data, whole=False
    )
