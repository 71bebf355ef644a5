"""A network of float32 predicts in float32: y out of its range is refused at once."""

import numpy as np
import pytest

from skwd import WeightDecayMLPRegressor, WeightDecayMLPRegressorCV

X = np.random.default_rng(0).standard_normal((40, 2))
Y = np.exp(X[:, 0])


def network(cls=WeightDecayMLPRegressor, **params):
    return cls(hidden_layer_sizes=(2,), random_state=0, **params)


def refusal(name, value):
    return (
        f"{name}={value:.3g} is out of the range of float32, which X is of. Pass X as "
        f"float64, or {name} in other units."
    )


@pytest.mark.parametrize("cls", [WeightDecayMLPRegressor, WeightDecayMLPRegressorCV])
@pytest.mark.parametrize("loss", ["squared_error", "huber", "gamma", "poisson"])
@pytest.mark.parametrize("scale", [1e141, 1e-141])
def test_y_out_of_range_is_refused(cls, loss, scale):
    model, y = network(cls, loss=loss), scale * Y
    with pytest.raises(ValueError) as caught:
        model.fit(X.astype(np.float32), y)
    assert str(caught.value) == refusal("y", y.max())
    assert not hasattr(model, "coefs_")


@pytest.mark.parametrize("scale", [1e141, 1e-141])
def test_the_remedy_helps(scale):
    model = network(alpha=0.01).fit(X, scale * Y)
    assert model.score(X, scale * Y) > 0.9


def test_a_small_y_beside_others_is_as_good_as_0():
    y = np.where(np.arange(len(Y)) % 3, Y, 1e-60)
    zeros = np.where(np.arange(len(Y)) % 3, Y, 0.0)
    small, zero = (network().fit(X.astype(np.float32), part) for part in (y, zeros))
    np.testing.assert_allclose(small.predict(X), zero.predict(X), rtol=1e-3, atol=1e-3)
    with pytest.raises(ValueError, match=r"^y=1e-60 is out of the range of float32"):
        network(loss="gamma").fit(X.astype(np.float32), y)


def test_missing_targets_are_in_range():
    y = np.where(np.arange(len(Y)) % 3, Y, np.nan)
    model = network(missing_targets="mask").fit(X.astype(np.float32), y)
    assert np.isfinite(model.predict(X)).all()


def test_held_out_y_out_of_range():
    model = network(early_stopping=True)
    part = X.astype(np.float32)
    with pytest.raises(ValueError) as caught:
        model.fit(part, Y, X_val=part[:9], y_val=1e141 * Y[:9])
    assert str(caught.value) == refusal("y_val", 1e141 * Y[:9].max())
