"""A wrong word gets the nearest right one, under the name it has here."""

from fractions import Fraction

import numpy as np
import pytest

from skwd import WeightDecayMLPClassifier, WeightDecayMLPRegressor, alpha_from

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
