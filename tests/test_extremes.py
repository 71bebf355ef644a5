"""Data at the edge: too few samples to hold out, values that overflow, huge weights."""

import warnings

import numpy as np
import pytest
from refusal import LABELS, X, Y, assert_refused
from scipy import sparse
from sklearn.preprocessing import StandardScaler

from skwd import WeightDecayMLPClassifier, WeightDecayMLPRegressor

OVERFLOW = (
    "Solver produced non-finite parameter weights. The input data may contain large "
    "values and need to be preprocessed: the objective overflows at the initial "
    "weights. Standardise X (StandardScaler)."
)
OVERFLOW_OF_Y = OVERFLOW[:-1] + ", and y (normalize_y=True)."
solvers = pytest.mark.parametrize("solver", ["lbfgs", "gd"])


def network(Estimator, **params):
    params = {"hidden_layer_sizes": (3,), "activation": "tanh", "alpha": 1e-3, **params}
    return Estimator(random_state=0, **params)


@pytest.mark.parametrize(
    ("fraction", "n"), [(0.1, 1), (0.9, 1), (0.95, 12)], ids=["one", "one", "all"]
)
def test_early_stopping_of_a_regressor_with_too_few_samples(fraction, n):
    assert_refused(
        WeightDecayMLPRegressor(early_stopping=True, validation_fraction=fraction),
        f"early_stopping=True cannot hold out validation_fraction={fraction} of {n} "
        "samples: both parts need a sample. Pass X_val and y_val, change "
        "validation_fraction, or set early_stopping=False.",
        X[:n],
        Y[:n],
    )


@pytest.mark.parametrize(
    ("y", "fraction", "n_classes"),
    [
        (LABELS, 0.05, 2),
        (LABELS, 0.95, 2),
    ],
    ids=["too small", "too large"],
)
def test_early_stopping_of_a_classifier_with_too_few_samples(y, fraction, n_classes):
    assert_refused(
        WeightDecayMLPClassifier(early_stopping=True, validation_fraction=fraction),
        f"early_stopping=True cannot hold out validation_fraction={fraction} of 12 "
        f"samples of {n_classes} classes: both parts need a sample of every class "
        "of two or more. Pass X_val and y_val, change validation_fraction, or set "
        "early_stopping=False.",
        X,
        y,
    )


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("y", [[0] * 11 + [1], ["a", "b", "c"] * 3 + ["a", "b", "d"]])
def test_the_only_row_of_a_class_is_trained_on(y, seed):
    model = network(
        WeightDecayMLPClassifier, early_stopping=True, validation_fraction=0.4
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The network is worse than a constant")
        model.set_params(random_state=seed).fit(X, y)
    assert model.classes_.tolist() == sorted(set(y))
    assert np.isfinite(model.validation_scores_).all()


@pytest.mark.parametrize("seed", range(4))
def test_so_is_the_only_one_that_counts(seed):
    """Weight 0 is a removed row."""
    weight = np.where(LABELS == 0, 1.0, 0.0)
    weight[3] = 1.0
    model = network(
        WeightDecayMLPClassifier, early_stopping=True, validation_fraction=0.5
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The network is worse than a constant")
        model.set_params(random_state=seed).fit(X, LABELS, weight)
    alone = np.append(np.flatnonzero(LABELS == 0), 3)
    assert model.classes_.tolist() == [0, 1]
    assert np.isfinite(model.predict_proba(X[alone])).all()


@pytest.mark.parametrize("fraction", [0.1, 0.5])
def test_early_stopping_with_just_enough_samples(fraction):
    """Two rows are one to train on and one to validate on; two of a class likewise."""
    params = {"early_stopping": True, "validation_fraction": fraction}
    regressor = network(WeightDecayMLPRegressor, **params).fit(X[:2], Y[:2])
    assert np.isfinite(regressor.validation_scores_).all()
    params["validation_fraction"] = 0.5
    classifier = network(WeightDecayMLPClassifier, **params).fit(X[:4], LABELS[:4])
    assert np.isfinite(classifier.validation_scores_).all()


@solvers
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    "Estimator", [WeightDecayMLPRegressor, WeightDecayMLPClassifier]
)
def test_X_that_overflows_the_first_product(Estimator, dtype, solver):
    """Products with 50 units overflow whatever the weights; relu passes them on."""
    huge = np.full((12, 30), 0.9 * np.finfo(dtype).max, dtype=dtype)
    huge[::3] *= -1.0
    estimator = Estimator(hidden_layer_sizes=(50,), solver=solver, alpha=1e-3)
    assert_refused(estimator, OVERFLOW, huge, LABELS, trains=True)


def test_the_remedy_for_sparse_X_takes_it():
    rows = sparse.random(60, 400, 0.1, format="csr", dtype=np.float32, random_state=0)
    model = WeightDecayMLPRegressor(hidden_layer_sizes=(4,), alpha=0.1)
    with pytest.raises(ValueError, match=r"StandardScaler\(with_mean=False\)\)\.$"):
        model.fit(rows * np.float32(1e30), np.arange(60.0))
    scaled = StandardScaler(with_mean=False).fit_transform(rows)
    assert np.isfinite(model.fit(scaled, np.arange(60.0)).loss_)


@solvers
@pytest.mark.parametrize("scale, dtype", [(1e200, np.float64), (1e30, np.float32)])
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_y_that_overflows_the_loss(n_outputs, scale, dtype, solver):
    y = np.tile(scale * LABELS[:, np.newaxis], n_outputs)
    estimator = WeightDecayMLPRegressor(
        hidden_layer_sizes=(5,), solver=solver, normalize_y=False
    )
    assert_refused(estimator, OVERFLOW_OF_Y, X.astype(dtype), y, trains=True)


@pytest.mark.parametrize("exponent", [600, -600])
def test_normalize_y_takes_values_whose_squares_leave_the_float_range(exponent):
    """The remedy that the overflow error names; a power of two scales exactly."""
    plain = network(WeightDecayMLPRegressor, normalize_y=True).fit(X, Y)
    scaled = network(WeightDecayMLPRegressor, normalize_y=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scaled.fit(X, np.ldexp(Y, exponent))
    np.testing.assert_array_equal(
        scaled.predict(X), np.ldexp(plain.predict(X), exponent)
    )


@pytest.mark.parametrize("weight", [2.0**1023, 2.0**-1060])
@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_weights_at_the_ends_of_the_float_range(class_weight, weight):
    """All multiplied by one constant, they mean the same; repeated rows add theirs."""
    twice, labels = np.repeat(X, 2, axis=0), np.repeat(LABELS, 2)
    model = network(WeightDecayMLPClassifier, class_weight=class_weight)
    expected = model.fit(twice, labels).predict_proba(X)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(twice, labels, np.full(24, weight))
    np.testing.assert_array_equal(model.predict_proba(X), expected)


def test_a_constant_y_is_fitted_without_a_word():
    """The best network is the constant: that is no fault of alpha."""
    model = network(WeightDecayMLPRegressor, alpha=0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(X, np.full(12, 3.0))
    assert model.converged_


def test_copies_are_counted_once_where_too_few_are_to_be_held_out():
    """No row is watched by its copy."""
    assert_refused(
        WeightDecayMLPClassifier(early_stopping=True),
        "early_stopping=True cannot hold out validation_fraction=0.1 of 4 different "
        "samples of 2 classes: both parts need a sample of every class of two or more. "
        "Pass X_val and y_val, change validation_fraction, or set "
        "early_stopping=False.",
        np.tile(X[:4], (3, 1)),
        np.tile(LABELS[:4], 3),
    )
