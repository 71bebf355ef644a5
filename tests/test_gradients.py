"""Gradients by layer: kept when asked for, and named where they vanish."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import make_friedman1
from sklearn.preprocessing import scale

from skwd import (
    WeightDecayMLPClassifier,
    WeightDecayMLPRegressor,
    WeightDecayMLPRegressorCV,
)

X, Y = make_friedman1(200, 8, noise=1.0, random_state=0)
X = scale(X)
SMALL = {"activation": "tanh", "random_state": 0, "track_gradients": True}


def norms_of(model):
    """Of the gradient of the loss by each layer's weights, by back-propagation."""
    inputs = [X]
    for W, b in zip(model.coefs_[:-1], model.intercepts_[:-1]):
        inputs.append(np.tanh(inputs[-1] @ W + b))
    raw = inputs[-1] @ model.coefs_[-1] + model.intercepts_[-1]
    z = (Y[:, np.newaxis] - model.y_mean_) / model.y_scale_
    delta, norms = (raw - z) / len(Y), []
    for layer in reversed(range(len(model.coefs_))):
        norms.append(np.linalg.norm(inputs[layer].T @ delta))
        delta = (delta @ model.coefs_[layer].T) * (1 - inputs[layer] ** 2)
    return norms[::-1]


@pytest.mark.filterwarnings("ignore:solver=")
@pytest.mark.parametrize("hidden", [(), (5,), (5, 4)], ids=str)
@pytest.mark.parametrize("solver", ["lbfgs", "gd", "sgd", "adam"])
def test_the_last_row_is_the_gradient_at_the_weights(solver, hidden):
    how = {"hidden_layer_sizes": hidden, "solver": solver, "max_iter": 7}
    model = WeightDecayMLPRegressor(alpha=0.01, **how, **SMALL).fit(X, Y)
    assert model.gradient_norms_.shape == (model.n_iter_, len(hidden) + 1)
    last = model.gradient_norms_[-1]
    np.testing.assert_allclose(last, norms_of(model), rtol=1e-6, atol=1e-12)


def test_they_change_nothing_and_are_kept_only_when_asked_for():
    how = {"hidden_layer_sizes": (5,), **SMALL}
    tracked = WeightDecayMLPRegressor(alpha=0.01, n_init=2, **how).fit(X, Y)
    plain = WeightDecayMLPRegressor(
        alpha=0.01, n_init=2, **(how | {"track_gradients": False})
    ).fit(X, Y)
    np.testing.assert_array_equal(tracked.coefs_[0], plain.coefs_[0])
    assert not hasattr(plain, "gradient_norms_")
    tracked.set_params(track_gradients=False).fit(X, Y)
    assert not hasattr(tracked, "gradient_norms_")


# Five units hardly overfit 200 rows: "loo" may end with next to no decay.
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.* is at the low end of its range")
def test_a_search_keeps_those_of_its_last_fit():
    how = {"hidden_layer_sizes": (5,), **SMALL}
    chosen = WeightDecayMLPRegressorCV(alphas=[0.01, 0.1], cv=3, **how).fit(X, Y)
    assert chosen.gradient_norms_.shape == (chosen.n_iter_, 2)
    for alpha in ("auto", "loo", "evidence"):
        model = WeightDecayMLPRegressor(alpha=alpha, encoding=None, **how).fit(X, Y)
        last = model.gradient_norms_[-1]
        np.testing.assert_allclose(last, norms_of(model), rtol=1e-6)


def test_partial_fit_goes_on_with_them():
    how = {"hidden_layer_sizes": (5,), "alpha": 0.01, **SMALL}
    model = WeightDecayMLPRegressor(solver="adam", **how)
    for _ in range(3):
        model.partial_fit(X, Y)
    assert model.gradient_norms_.shape == (3, 2)


@pytest.mark.wide(2)
@pytest.mark.parametrize("activation", ["logistic", "softplus"])
def test_vanishing_gradients_are_named(activation):
    model = WeightDecayMLPRegressor(
        hidden_layer_sizes=(20,) * 8, activation=activation, solver="adam", alpha=1e-5
    ).set_params(random_state=0)
    with pytest.warns(UserWarning) as caught:
        model.fit(X, Y)
    (text,) = [str(w.message) for w in caught]
    assert text.startswith(
        "The network predicts a constant: gradients vanish. At the initial weights "
        "that of the loss by the first layer is "
    )
    assert text.endswith(
        f" of that by the last, with 8 hidden layers of {activation!r}. Use tanh, relu "
        "or selu, fewer hidden layers or a lower alpha."
    )
    with warnings.catch_warnings():  # the remedy, here
        warnings.simplefilter("error", UserWarning)
        warnings.simplefilter("ignore", category=pytest.PytestWarning)
        model.set_params(activation="selu", tol=1e-3).fit(X, Y)
    assert model.score(X, Y) > 0.5


@pytest.mark.slow
def test_a_deep_collapse_is_named():
    """Not all layers are at zero, but the prediction is a constant."""
    X, Y = make_friedman1(400, 10, noise=1.0, random_state=0)
    X, how = scale(X), {"hidden_layer_sizes": (20,) * 8, "random_state": 0}
    model = WeightDecayMLPRegressor(alpha=0.0125, **how)
    with pytest.warns(UserWarning) as caught:
        model.fit(X, Y)
    assert [str(w.message) for w in caught] == [
        "The network predicts a constant: with 8 hidden layers zero weights are a "
        "minimum of J for every alpha > 0, and these have fallen into it. Lower alpha, "
        "or use fewer hidden layers."
    ]
    assert model.score(X, Y) < 1e-6
    model.set_params(alpha=1e-3, tol=1e-3).fit(X, Y)  # the remedy, here
    assert model.score(X, Y) > 0.9


@pytest.mark.slow
def test_effective_parameters_of_each_layer():
    how = {"hidden_layer_sizes": (6, 5), "activation": "tanh", "random_state": 0}
    model = WeightDecayMLPRegressor(alpha=0.01, posterior=True, **how).fit(X, Y)
    assert model.layer_effective_params_.shape == (3,)
    total = model.layer_effective_params_.sum()
    assert 0 < total <= model.n_effective_params_
    columns = WeightDecayMLPRegressor(
        alpha="evidence", alpha_groups="input", **how
    ).fit(X, Y)
    if np.ndim(columns.alpha_):
        assert columns.layer_effective_params_.shape == (3,)
        first = columns.column_effective_params_.sum()
        assert columns.layer_effective_params_[0] == pytest.approx(first)
    classes = WeightDecayMLPClassifier(alpha="evidence", **how).fit(X, Y > 14)
    assert classes.layer_effective_params_.shape == (3,)
