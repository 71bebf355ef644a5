"""What a choice of alpha by name ends with: a minimum, the network that was judged."""

import pickle
import re
import warnings

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import scale

from skwd import (
    WeightDecayMLPClassifier,
    WeightDecayMLPClassifierCV,
    WeightDecayMLPRegressor,
    WeightDecayMLPRegressorCV,
)


def noisy_waves(seed, n=60):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 3))
    y = np.sin(2.0 * X[:, 0]) + X[:, 1] * X[:, 2] + 0.3 * rng.standard_normal(n)
    return X, y


@pytest.mark.wide(3)
@pytest.mark.parametrize("seed", [0, 1, 4])
def test_alpha_moves_by_at_most_a_factor_of_e_a_round(seed, capsys):
    """So that the network can follow it; here it would like to go further at first."""
    model = WeightDecayMLPRegressor(
        hidden_layer_sizes=(8,),
        activation="tanh",
        alpha="evidence",
        random_state=seed,
        verbose=1,
    ).fit(*noisy_waves(seed))
    out = capsys.readouterr().out
    alphas = [float(found) for found in re.findall(r"round \d+: alpha = (\S+),", out)]
    moves = np.abs(np.diff(np.log(alphas)))
    assert moves.max() == pytest.approx(1.0, abs=1e-3)  # of four printed digits
    assert model.converged_


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.* is at the low end of its range")
@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("name", ["evidence", "loo"])
def test_clean_data_end_at_a_minimum_too(name, activation):
    """Where the evidence goes back to a network that was not trained to its end."""
    rng = np.random.default_rng(0)
    X = rng.uniform(-1.0, 1.0, (300, 4))
    y = np.exp(X[:, 0]) * np.sin(3.0 * X[:, 1]) + X[:, 2] * X[:, 3]
    y += 0.01 * rng.standard_normal(300)
    model = WeightDecayMLPRegressor(
        hidden_layer_sizes=(20,), activation=activation, alpha=name, random_state=0
    )
    assert model.fit(X, y).converged_
    assert model.n_iter_ == len(model.loss_curve_) <= model.max_iter


@pytest.mark.slow
@pytest.mark.parametrize("name", ["loo", "gcv"])
def test_no_constant_is_returned_where_a_network_was_judged(name):
    """A year beside the features used to end in a constant on half of the seeds."""
    rng = np.random.default_rng(0)
    X, y = noisy_waves(7, n=150)
    X, n_judged = np.column_stack([X, rng.integers(1990, 2021, len(X))]), 0
    for seed in range(8):
        model = WeightDecayMLPRegressor(
            hidden_layer_sizes=(6,), activation="tanh", alpha=name, random_state=seed
        )
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".* low end of its range")
            model.fit(X, y)
        assert model.converged_
        if -model.alpha_scores_.max() < 0.4:  # of a constant it is 0.5
            n_judged += 1
            assert model.score(X, y) > 0.2
    assert n_judged >= 4


@pytest.mark.parametrize(("n_columns", "is_used_up"), [(38, True), (5, False)])
def test_degrees_of_freedom_that_are_used_up_are_named(n_columns, is_used_up):
    """40 rows and a signal that wants all columns, or a few columns and noise."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, n_columns))
    y = X @ rng.standard_normal(n_columns) + (0.0 if is_used_up else 1.0) * X[::-1, 0]
    model = WeightDecayMLPRegressor(hidden_layer_sizes=(), alpha="loo")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y)
    said = [str(w.message) for w in caught]
    assert (model.n_effective_params_ > 0.9 * 40) == is_used_up
    named = [text for text in said if "degrees of freedom of the data" in text]
    assert len(named) == is_used_up


@pytest.mark.slow
@pytest.mark.parametrize("hidden", [(5,), (50,), (30, 20)])
def test_a_pickle_is_little_more_than_the_weights(hidden):
    X, y = load_diabetes(return_X_y=True)
    X, labels = scale(X), (y > 140).astype(int)
    models = [
        WeightDecayMLPRegressor(alpha="evidence"),
        WeightDecayMLPRegressor(alpha="loo"),
        WeightDecayMLPRegressor(),
        WeightDecayMLPClassifier(alpha="loo"),
        WeightDecayMLPClassifier(alpha="evidence"),
        WeightDecayMLPRegressorCV(alphas=[0.01, 0.1], cv=2),
        WeightDecayMLPClassifierCV(alphas=[0.01, 0.1], cv=2),
    ]
    for model in models:
        model.set_params(hidden_layer_sizes=hidden, random_state=0)
        model.fit(X, labels if hasattr(model, "predict_proba") else y)
        arrays = model.coefs_ + model.intercepts_
        weights = sum(array.nbytes for array in arrays)
        assert len(pickle.dumps(model)) < 1.2 * weights + 4096, model


def test_an_alpha_at_the_low_end_of_its_range_is_named():
    """A line without noise wants no decay at all."""
    X = np.random.default_rng(0).standard_normal((80, 3))
    y = np.tanh(X @ [0.5, -0.3, 0.2])
    model = WeightDecayMLPRegressor(
        hidden_layer_sizes=(1,), activation="tanh", alpha="loo", random_state=0
    )
    with pytest.warns(UserWarning) as caught:
        model.fit(X, y)
    assert str(caught[-1].message) == (
        f"alpha='loo': alpha is at the low end of its range, {model.alpha_:.3g}: "
        "weight decay does not help this network. Where predictions are not good "
        "enough use more units, or give alpha a number."
    )


def test_the_error_of_predictions_knows_no_origin():
    """After a few iterations: at the end rounding may have led to another minimum."""
    X, y = noisy_waves(0, n=120)
    model = WeightDecayMLPRegressor(
        hidden_layer_sizes=(5,), activation="tanh", alpha=0.02, posterior=True
    ).set_params(random_state=0, max_iter=4)
    found = []
    for shift in (0.0, 1e4):
        with pytest.warns(match="reached max_iter"):
            model.fit(X + shift, y)
        found.append(model.predict(2.0 * X + shift, return_std=True))
    # A thousand times what X + 1e4 rounds away.
    rounding = 1e3 * 1e4 * np.finfo(float).eps
    np.testing.assert_allclose(found[1][0], found[0][0], atol=rounding)
    np.testing.assert_allclose(found[1][1], found[0][1], rtol=rounding)
