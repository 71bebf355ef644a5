"""The defaults: alpha=None, normalize_y=True, and what becomes of them in a stream."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge
from sklearn.preprocessing import scale

from skwd import WeightDecayMLPClassifier, WeightDecayMLPRegressor
from skwd._core.losses import (
    HalfBinomialLoss,
    HalfMultinomialLoss,
    HalfPoissonLoss,
    HalfSquaredError,
)

SMALL = {"hidden_layer_sizes": (5,), "random_state": 0}
# More than c rows where columns ask for them, and never fewer.
LINEAR = {**SMALL, "hidden_layer_sizes": ()}
C = HalfSquaredError.default_decay
C_CLASSES = HalfBinomialLoss.default_decay
C_COUNTS = HalfPoissonLoss.default_decay


@pytest.fixture(scope="module")
def data():
    X, y = load_diabetes(return_X_y=True)
    return scale(X), y


def epoch(model, *args, **kwargs):
    """fit or partial_fit of few epochs, which do not converge."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.partial_fit(*args, **kwargs)


def test_alpha_is_c_over_the_rows(data):
    X, y = data
    n = len(y)
    assert WeightDecayMLPRegressor(**SMALL).fit(X, y).alpha_ == C / n
    labels = (y > 140).astype(int)
    assert WeightDecayMLPClassifier(**SMALL).fit(X, labels).alpha_ == C_CLASSES / n
    assert HalfMultinomialLoss.default_decay == C_CLASSES
    counts = np.floor(y / 50)
    model = WeightDecayMLPRegressor(loss="poisson", **SMALL).fit(X, counts)
    assert model.alpha_ == pytest.approx(C_COUNTS * counts.std() / n)


@pytest.mark.parametrize("times", [0.5, 2.0, 7.0])
def test_weights_count_as_rows(data, times):
    X, y = data
    weight = np.arange(len(y)) % 3.0 * times  # a third of the rows is left out
    model = WeightDecayMLPRegressor(**LINEAR).fit(X, y, sample_weight=weight)
    assert model.alpha_ == pytest.approx(C / weight.sum())


def test_class_weights_count_too(data):
    X, y = data
    labels = np.where(y > 140, "high", "low")
    model = WeightDecayMLPClassifier(class_weight={"high": 3.0}, **LINEAR)
    total = np.where(labels == "high", 3.0, 1.0).sum()
    assert model.fit(X, labels).alpha_ == pytest.approx(C_CLASSES / total)


def test_rows_held_out_for_early_stopping_are_not_trained_on(data):
    X, y = data
    model = WeightDecayMLPRegressor(
        early_stopping=True, validation_fraction=0.25, **SMALL
    )
    assert model.fit(X, y).alpha_ == C / (len(y) - np.ceil(0.25 * len(y)))


@pytest.mark.parametrize("loss", ["squared", "classes", "counts"])
def test_without_a_hidden_layer_it_is_a_known_linear_model(data, loss):
    X, y = data
    params = {"hidden_layer_sizes": (), "tol": 1e-12}
    if loss == "squared":
        ours = WeightDecayMLPRegressor(**params).fit(X, y).predict(X)
        theirs = Ridge(alpha=C).fit(X, y).predict(X)
    elif loss == "classes":
        labels = (y > 140).astype(int)
        ours = WeightDecayMLPClassifier(**params).fit(X, labels).predict_proba(X)
        peer = LogisticRegression(C=1.0 / C_CLASSES, tol=1e-10, max_iter=10_000)
        theirs = peer.fit(X, labels).predict_proba(X)
    else:
        counts = np.floor(y / 50)
        model = WeightDecayMLPRegressor(loss="poisson", **params)
        ours = model.fit(X, counts).predict(X)
        alpha = C_COUNTS * counts.std() / len(y)
        peer = PoissonRegressor(alpha=alpha, tol=1e-10, max_iter=10_000)
        theirs = peer.fit(X, counts).predict(X)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_a_part_of_a_stream_is_a_part_of_a_thousand_rows(data):
    X, y = data
    model = WeightDecayMLPRegressor(**SMALL)
    assert epoch(model, X[:32], y[:32]).alpha_ == C / 1000
    again, many = np.repeat(X, 4, axis=0), np.repeat(y, 4)
    assert epoch(model, again, many).alpha_ == C / len(many)


@pytest.mark.parametrize("decay", ["decoupled"])
def test_decoupled_decay_has_a_rule_of_its_own(data, decay):
    X, y = data
    model = WeightDecayMLPRegressor(decay=decay, max_iter=2, **SMALL)
    with pytest.warns(ConvergenceWarning):
        assert model.fit(X, y).alpha_ == 0.01
    assert epoch(model, X, y).alpha_ == 0.01


def test_numbers_and_lists_mean_what_they_meant(data):
    X, y = data
    assert WeightDecayMLPRegressor(alpha=0.02, **SMALL).fit(X, y).alpha_ == 0.02
    found = WeightDecayMLPRegressor(alpha=[0.02, 0.1], **SMALL).fit(X, y).alpha_
    np.testing.assert_array_equal(found, [0.02, 0.1])
    with pytest.warns(match="too large for this data"):
        whole = WeightDecayMLPRegressor(alpha=[1, 2], **SMALL).fit(X, y).alpha_
    assert whole.tolist() == [1.0, 2.0] and whole.dtype == np.float64


def test_y_in_its_own_units_is_J_to_the_letter(data):
    X, y = data
    model = WeightDecayMLPRegressor(normalize_y=False, alpha=20.0, **SMALL).fit(X, y)
    hidden = np.maximum(X @ model.coefs_[0] + model.intercepts_[0], 0.0)
    f = (hidden @ model.coefs_[1] + model.intercepts_[1])[:, 0]
    J = 0.5 * np.mean((y - f) ** 2)
    J += 10.0 * sum(np.sum(W**2) for W in model.coefs_)
    assert model.loss_ == pytest.approx(J, rel=1e-10)
    np.testing.assert_allclose(model.predict(X), f)


def test_counts_are_never_scaled_and_nothing_is_said(data):
    X, counts = data[0], np.floor(data[1] / 50)
    fits = [
        WeightDecayMLPRegressor(loss="poisson", normalize_y=given, **SMALL)
        for given in (True, False)
    ]
    scaled, plain = (model.fit(X, counts) for model in fits)
    np.testing.assert_array_equal(scaled.coefs_[0], plain.coefs_[0])
    assert scaled.y_scale_ == 1.0
    assert scaled.y_mean_ == 0.0


@pytest.mark.parametrize("solver", ["lbfgs", "adam", "sgd", "gd"])
def test_a_warm_start_goes_on_from_the_same_predictions_in_new_units(data, solver):
    """After no more than a step too short to be seen: those of the fit before.

    They are those predictions, or the same in deviations of y: what suits y better. So
    the latter where the network had learnt anything.
    """
    X, y = data
    model = WeightDecayMLPRegressor(
        solver=solver, warm_start=True, max_iter=20, alpha=0.01, **SMALL
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = model.fit(X, y).predict(X)
        model.set_params(max_iter=1, learning_rate_init=1e-12, max_fun=1)
        model.fit(X, 1e3 * y + 7.0)
    assert model.y_scale_ == pytest.approx(1e3 * y.std())
    atol = 1e-6 * model.y_scale_[0]
    now, in_units = model.predict(X), 1e3 * before + 7.0
    is_same = np.abs(now - in_units).max() <= atol
    if solver == "lbfgs":
        assert is_same
    assert is_same or np.abs(now - before).max() <= atol


def test_a_constant_first_window_does_not_switch_scaling_off(data):
    X, y = data
    model = WeightDecayMLPRegressor(warm_start=True, **SMALL)
    model.fit(X[:50], np.full(50, 100.0))
    assert model.y_scale_ == 1.0
    model.fit(X, y)
    assert model.y_scale_ == pytest.approx(y.std())
    plain = WeightDecayMLPRegressor(**SMALL).fit(X, y)
    assert model.score(X, y) == pytest.approx(plain.score(X, y), abs=0.05)


def test_weights_that_sum_to_one_are_named(data):
    X, y = data
    weight = np.full(len(y), 1.0 / len(y))
    model = WeightDecayMLPRegressor(**SMALL)
    with pytest.warns(UserWarning) as caught:
        model.fit(X, y, sample_weight=weight)
    assert [str(w.message) for w in caught] == [
        "alpha=5 is too large for this data: every weight has collapsed to about zero, "
        "and the network predicts a constant. alpha=None is 5 here, as the rows weigh "
        "1 together. They count as rows: rescale sample_weight to a mean of 1, or give "
        "alpha a number."
    ]
