"""A warm start on y in other units goes on from where it was."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.datasets import make_friedman1

from skwd import WeightDecayMLPRegressor

X, Y = make_friedman1(150, 8, noise=1.0, random_state=0)
X = (X - X.mean(axis=0)) / X.std(axis=0)
SMALL = {"hidden_layer_sizes": (5,), "alpha": 0.01}


@pytest.mark.wide(12)
@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((1000.0, 0.0), (1.0, 0.0)),
        ((-1.0, 5e3), (-30.0, 1.0)),
        ((1.0, 0.0), (1e6, -9.0)),
    ],
)
@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_of_y_in_other_units_the_minimum_is_that_of_before(
    seed, before, after, n_outputs
):
    """The fit of c y + d is the fit of y: a warm start begins at its end."""
    y = Y if n_outputs == 1 else np.stack([Y, X[:, 0] - np.sin(Y)], axis=1)
    model = WeightDecayMLPRegressor(random_state=seed, warm_start=True, **SMALL)
    lowest = model.fit(X, before[0] * y + before[1]).loss_
    was_predicted = (model.predict(X) - model.y_mean_) / model.y_scale_
    model.fit(X, after[0] * y + after[1])
    assert model.loss_curve_[0] <= lowest * (1.0 + 1e-9)
    now = (model.predict(X) - model.y_mean_) / model.y_scale_
    assert_allclose(now, was_predicted, atol=0.05)


def test_of_further_rows_of_the_same_y_predictions_go_on():
    """Rows of a part of the range have another deviation, and the same meaning."""
    high = Y > np.quantile(Y, 0.4)
    model = WeightDecayMLPRegressor(random_state=0, warm_start=True, **SMALL)
    predicted = model.fit(X, Y).predict(X[high])
    model.set_params(max_fun=1, max_iter=1)
    with pytest.warns(match="max_fun"):
        model.fit(X[high], Y[high])
    assert_allclose(model.predict(X[high]), predicted, rtol=1e-9)


def test_networks_that_are_worse_than_a_constant_go_on_too():
    """As epoch after epoch of a loop over warm starts is one long training."""
    model = WeightDecayMLPRegressor(
        solver="adam", max_iter=1, warm_start=True, random_state=0, **SMALL
    )
    losses = []
    for _ in range(30):
        with pytest.warns(match="reached max_iter"):
            losses.append(model.fit(X, Y).loss_)
    assert losses[-1] < 0.9 * losses[0] and (np.diff(losses) < 0).sum() > 25
