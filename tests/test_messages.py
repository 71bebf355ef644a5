"""A wrong word gets the nearest right one, under the name it has here."""

from fractions import Fraction

import numpy as np
import pytest
from sklearn.model_selection import GroupKFold
from sklearn.preprocessing import StandardScaler

from skwd import (
    WeightDecayMLPClassifier,
    WeightDecayMLPClassifierCV,
    WeightDecayMLPRegressor,
    WeightDecayMLPRegressorCV,
    alpha_from,
    source_groups,
)

MEANT = [
    ("activation", "leakyrelu", "leaky_relu"),
    ("activation", "sigmoid", "logistic"),
    ("activation", "Swish", "silu"),
    ("activation", "ReLU", "relu"),
    ("solver", "l-bfgs", "lbfgs"),
    ("solver", "AdamW", "adam"),
    ("loss", "mse", "squared_error"),
    ("loss", "Poisson", "poisson"),
    ("decay", "decouple", "decoupled"),
    ("decay", "AdamW", "decoupled"),
    ("decay", "sgdw", "decoupled"),
    ("solver", "sgdw", "sgd"),
    ("noise", "heteroscedastic", "varying"),
    ("noise", "homoskedastic", "constant"),
    ("encoding", "splines", "parts"),
    ("sparsity", "group-lasso", "input"),
    ("alpha", "cv", "auto"),
    ("alpha", "leave-one-out", "loo"),
    ("learning_rate", "inv-scaling", "invscaling"),
    ("alpha", "automatic", "auto"),
    ("alpha", "evidance", "evidence"),
    ("batch_size", "Auto", "auto"),
]


@pytest.mark.parametrize(("name", "given", "meant"), MEANT)
def test_the_nearest_right_word_is_named(name, given, meant):
    model = WeightDecayMLPRegressor(**{name: given})
    with pytest.raises(ValueError) as caught:
        model.fit(np.eye(3), np.arange(3.0))
    assert f"got {given!r}: did you mean {meant!r}?" in str(caught.value)
    assert str(caught.value).startswith(f"{name} must be ")


@pytest.mark.parametrize("given", ["xyz", "", 3, None])
def test_what_is_like_nothing_names_nothing(given):
    for name in ("activation", "solver"):
        with pytest.raises(ValueError) as caught:
            WeightDecayMLPClassifier(**{name: given}).fit(np.eye(3), [0, 1, 0])
        assert str(caught.value).endswith(f"; got {given!r}.")


def test_a_library_is_named_too():
    with pytest.raises(ValueError, match="got 'ridge': did you mean 'Ridge'"):
        alpha_from("ridge", 1.0)


@pytest.mark.parametrize(
    "library",
    ["AdamW", "torch AdamW", "torch.optim.AdamW", "optax.adamw", "keras SGDW", "Lion"],
)
def test_decay_that_is_no_term_of_an_objective(library):
    with pytest.raises(ValueError) as caught:
        alpha_from(library, 0.01)
    assert str(caught.value) == (
        f"{library!r} is decoupled weight decay: it is no term of an objective, so "
        "that no alpha of J means the same. Use decay='decoupled' with that number."
    )


def refusal_of(model):
    with pytest.raises(ValueError) as caught:
        model.fit(np.eye(3), np.arange(3.0))
    return str(caught.value)


QUOTED = [
    ("alpha", "0.1"),
    ("tol", "1e-5"),
    ("n_init", "5"),
    ("batch_size", "32"),
    ("dropout", "0.2"),
]


@pytest.mark.parametrize(("name", "given"), QUOTED)
def test_a_number_in_quotes(name, given):
    said = refusal_of(WeightDecayMLPRegressor(**{name: given}))
    assert f"got {given!r}: did you mean {given}, without quotes? Use" in said


def test_a_number_for_a_name():
    assert refusal_of(WeightDecayMLPRegressor(learning_rate=0.01)).endswith(
        "got 0.01: did you mean learning_rate_init=0.01? This is its schedule."
    )
    assert refusal_of(WeightDecayMLPRegressor(decay=1e-4)).endswith(
        "got 0.0001: the strength of weight decay is alpha. This is how alpha acts in "
        "a step."
    )


def test_a_coverage_for_folds():
    assert refusal_of(WeightDecayMLPRegressor(intervals=0.9)).endswith(
        "got 0.9. Use intervals=10, and coverage=0.9 in predict."
    )
    assert refusal_of(WeightDecayMLPRegressorCV(intervals=0.9, cv=3)).endswith(
        "got 0.9. Use intervals=True, and coverage=0.9 in predict."
    )


def test_a_cross_validation_is_a_class():
    assert refusal_of(WeightDecayMLPRegressor(alpha="cv")).endswith(
        "got 'cv': did you mean 'auto'? Use a CV form, as WeightDecayMLPRegressorCV, "
        "to compare alphas."
    )


SCORES = [
    ("mse", "neg_mean_squared_error"),
    ("RMSE", "neg_root_mean_squared_error"),
    ("max_error", "neg_max_error"),
    ("roc-auc", "roc_auc"),
]


@pytest.mark.parametrize(("given", "meant"), SCORES)
def test_a_score(given, meant):
    assert refusal_of(WeightDecayMLPRegressorCV(scoring=given)) == (
        "scoring must be one of sklearn.metrics.get_scorer_names(); got "
        f"{given!r}: did you mean {meant!r}?"
    )


def test_the_table_comes_last():
    table = np.eye(3)
    with pytest.raises(TypeError) as caught:
        source_groups(table, StandardScaler())
    assert str(caught.value) == (
        "transformer must be a transformer of scikit-learn, as a ColumnTransformer; "
        "got ndarray. Use source_groups(transformer, X), in this order."
    )


@pytest.mark.parametrize("shape", [(4,), (4, 1)])
def test_labels_that_are_missing_or_of_two_types(shape):
    for labels, message in (
        (
            ["a", None, "b", "a"],
            "y must hold a label in every row; got None in row 1. Leave such rows out, "
            "or give them a label of their own.",
        ),
        (
            ["a", 1, "b", 1],
            "y must hold labels of one type; got int and str. Use y.astype(str) for "
            "labels that are all text.",
        ),
    ):
        y = np.array(labels, dtype=object).reshape(shape)
        for model in (WeightDecayMLPClassifier(), WeightDecayMLPClassifierCV()):
            with pytest.raises(ValueError) as caught:
                model.fit(np.eye(4), y)
            assert str(caught.value) == message


@pytest.mark.filterwarnings("ignore:alpha=1e.30 is too large")
@pytest.mark.parametrize(
    "same",
    [
        ({"alpha": 10**30}, {"alpha": 1e30}),
        ({"alpha": Fraction(1, 8)}, {"alpha": 0.125}),
        ({"max_iter": 10**20}, {"max_iter": 10**6}),
        ({"tol": Fraction(1, 1024)}, {"tol": 1 / 1024}),
    ],
)
def test_numbers_of_any_kind_are_the_floats_they_equal(same):
    X = np.random.default_rng(0).standard_normal((30, 3))
    one, other = (
        WeightDecayMLPRegressor(hidden_layer_sizes=(3,), random_state=0, **given)
        .fit(X, X[:, 0])
        .predict(X)
        for given in same
    )
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", ["alpha", "max_iter", "tol"])
def test_an_integer_beyond_all_floats_is_refused(name):
    with pytest.raises(ValueError, match=f"{name} must be .*; got 1000"):
        WeightDecayMLPRegressor(**{name: 10**400}).fit(np.eye(3), np.arange(3.0))


NOT_THERE = [
    (
        WeightDecayMLPRegressorCV,
        "partial_fit",
        "it compares alphas on folds of all rows. Use fit, or the estimator of one "
        "alpha with alpha_ as its alpha.",
    ),
    (
        WeightDecayMLPClassifierCV,
        "predict_interval",
        "intervals are of numbers. Use predict_set(X, coverage=0.9) after a fit with "
        "intervals, or predict_proba(X).",
    ),
    (
        WeightDecayMLPRegressor,
        "predict_set",
        "sets are of classes. Use predict_interval(X, coverage=0.9) after a fit with "
        "intervals.",
    ),
]


@pytest.mark.parametrize(("cls", "name", "instead"), NOT_THERE)
def test_a_method_of_others(cls, name, instead):
    for one in (cls(), cls):
        assert not hasattr(one, name)
    with pytest.raises(AttributeError) as caught:
        getattr(cls(), name)(np.eye(3), np.arange(3.0))
    assert str(caught.value) == (
        f"{cls.__name__!r} object has no attribute {name!r}: {instead}"
    )


FOREIGN = {
    "array": np.array([1.0, 2.0]),
    "integers": np.array([1, 2]),
    "words": np.array(["a", "b"]),
    "of no axis": np.array(1.5),
    "word of no axis": np.array("auto"),
    "mapping": {"a": 1},
    "ragged": [[1, 2], [3]],
    "pairs of numbers": np.array([[1, 2], [3, 4]]),
    "pairs of letters": ["ab", "cd"],
    "pairs of floats": [([0.5, 1.5], [2.5])],
    "short masks": [([True, False], [False, True])],
    "rows out of range": [([0, 1], [99])],
    "set": set(),
    "bytes": b"x",
    "complex": 1 + 2j,
    "object": object(),
    "nan": float("nan"),
    "inf": float("inf"),
    "negative": -3,
}
FORMS = (
    WeightDecayMLPRegressor,
    WeightDecayMLPClassifier,
    WeightDecayMLPRegressorCV,
    WeightDecayMLPClassifierCV,
)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("given", FOREIGN.values(), ids=FOREIGN)
@pytest.mark.parametrize("Model", FORMS)
def test_foreign_values_work_or_are_refused_by_name(Model, given):
    """Of every parameter; and no ValueError is NumPy's own."""
    X, y = np.random.default_rng(0).normal(size=(20, 2)), np.arange(20) % 2
    small = {"max_iter": 2, "hidden_layer_sizes": (2,)}
    n_refused = 0
    for name in Model().get_params():
        try:
            Model(**{**small, name: given}).fit(X, y)
        except ValueError as error:
            assert name in str(error)
            n_refused += 1
    assert n_refused > 10


def test_errors_of_a_generator_of_splits_are_its_own():
    X, y = np.random.default_rng(0).normal(size=(20, 2)), np.arange(20.0)

    def broken():
        yield np.arange(10), np.arange(10, 20)
        raise ValueError("my own fault")

    for cv, words in ((broken(), "my own fault"), (GroupKFold(3).split(X, y), "group")):
        with pytest.raises(ValueError, match=words) as caught:
            WeightDecayMLPRegressorCV(cv=cv, alphas=[0.1]).fit(X, y)
        assert "Use cv=5" not in str(caught.value)


@pytest.mark.parametrize("intervals", [None, True])
def test_no_splits_at_all(intervals):
    model = WeightDecayMLPRegressorCV(cv=[], alphas=[0.1], intervals=intervals)
    assert "needs at least 1 split" in refusal_of(model)


def test_the_splits_of_a_generator_are_not_printed():
    splits = iter([(np.arange(900), np.arange(900, 1000)), (np.arange(900), [])])
    model = WeightDecayMLPRegressorCV(cv=splits, alphas=[0.1])
    with pytest.raises(ValueError) as caught:
        model.fit(np.arange(1000.0)[:, np.newaxis], np.arange(1000.0))
    assert len(str(caught.value)) < 200
