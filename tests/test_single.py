"""What alpha="auto" only judges is trained in float32, where that is as good."""

import numpy as np
import pytest
from scipy import sparse

import skwd._cv.single
from skwd import WeightDecayMLPClassifier, WeightDecayMLPRegressor
from skwd._cv.models import in_single as used
from skwd._cv.single import in_single

RNG = np.random.default_rng(0)
X = RNG.normal(size=(240, 3))
Y = np.sin(2 * X[:, 0]) + X[:, 1] + 0.2 * RNG.normal(size=240)
WEIGHTS = RNG.integers(0, 3, 240).astype(float)
# Beside one value all others are one number in float32.
FAR = np.concatenate([[[1e11, 0.0, 0.0]], X[1:]])
AUTO = {"alpha": "auto", "hidden_layer_sizes": (6,), "random_state": 0}
AUTO |= {"encoding": None}


@pytest.fixture
def seen(monkeypatch):
    """The dtypes that networks were judged in; few rows are enough."""
    monkeypatch.setattr(skwd._cv.single, "LEAST_BYTES", 1)
    found = []

    def spy(problem, splits):
        judged, places = used(problem, splits)
        found.append(judged.data.X.dtype)
        for (train, test), (rows, others) in zip(splits, places):
            for before, after in ((train, rows), (test, others)):
                was, now = problem.data.X[before], judged.data.X[after]
                if judged is not problem:
                    was = was - was[0]
                    scale = np.abs(was).max() or 1.0
                    np.testing.assert_allclose(now - now[0], was, atol=1e-5 * scale)
                np.testing.assert_array_equal(
                    problem.data.y[before], judged.data.y[after]
                )
        return judged, places

    monkeypatch.setattr("skwd._cv.models.in_single", spy)
    return found


def held_out(model):
    return model.alpha_choice_["scores"]


@pytest.mark.slow
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
@pytest.mark.parametrize("Model", [WeightDecayMLPRegressor, WeightDecayMLPClassifier])
def test_losses_are_those_of_double_precision(Model, weights, seen, monkeypatch):
    """Networks without an activation have one minimum, whatever the rounding."""
    y = Y if Model is WeightDecayMLPRegressor else np.digitize(Y, [-0.5, 0.5])
    judged = Model(**AUTO, activation="identity").fit(X, y, weights)
    monkeypatch.setattr(skwd._cv.single, "LEAST_BYTES", 10**9)
    plain = Model(**AUTO, activation="identity").fit(X, y, weights)
    assert seen == [np.float32, np.float64]
    assert judged.coefs_[0].dtype == np.float64
    within = {"constant": 1e-4, "linear model": 1e-4, "network": 1e-3}
    for name, share in within.items():
        score = held_out(plain)[name]
        assert held_out(judged)[name] == pytest.approx(score, rel=share)


@pytest.mark.slow
def test_columns_far_from_zero_lose_nothing(seen):
    """They are taken about their means before they are rounded."""
    near = WeightDecayMLPRegressor(**AUTO).fit(X, Y)
    far = WeightDecayMLPRegressor(**AUTO).fit(X + 2.0**26, Y)
    assert seen == [np.float32] * 2
    for name in ("constant", "linear model"):  # with one minimum
        score = held_out(near)[name]
        assert held_out(far)[name] == pytest.approx(score, rel=0.05)  # other folds


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("what", ["X_val", "y_val"])
def test_validation_rows_out_of_the_range_of_float32_are_judged_in_double(what, seen):
    given = {"X_val": X[:60].copy(), "y_val": np.exp(Y[:60])}
    given[what][0] = 1e-42 if what == "y_val" else 1e60
    how = AUTO | {"early_stopping": True, "hidden_layer_sizes": (), "loss": "gamma"}
    WeightDecayMLPRegressor(**how).fit(X, np.exp(Y), **given)
    assert seen == [np.float64]


def test_validation_rows_go_along(seen):
    how = {**AUTO, "early_stopping": True, "solver": "lbfgs", "hidden_layer_sizes": ()}
    near = WeightDecayMLPRegressor(**how).fit(X, Y, X_val=X[:60], y_val=Y[:60])
    far = WeightDecayMLPRegressor(**how)
    far.fit(X + 2.0**26, Y, X_val=X[:60] + 2.0**26, y_val=Y[:60])
    assert seen == [np.float32] * 2
    score = held_out(near)["linear model"]
    assert held_out(far)["linear model"] == pytest.approx(score, rel=0.05)
    assert score > held_out(near)["constant"] + 0.1


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "rows, y, params",
    [
        (sparse.csr_matrix(X), Y, {}),
        (X * [1.0, 1e-20, 1.0], Y, {}),
        (X * [1.0, 1e20, 1.0], Y, {}),
        (X, 1e-20 * Y, {"normalize_y": False}),
        (X, Y, {"alpha_groups": "input", "hidden_layer_sizes": (2,)}),
        (FAR, Y, {"encoding": "parts", "hidden_layer_sizes": ()}),
    ],
    ids=["sparse", "small column", "large column", "small y", "by evidence", "knots"],
)
def test_what_single_precision_cannot_hold_is_judged_in_double(rows, y, params, seen):
    WeightDecayMLPRegressor(**AUTO | params).fit(rows, y)
    assert seen == [np.float64]


@pytest.mark.parametrize(
    "n, d, encoding, dtype",
    [
        (240, 3, None, np.float64),
        (2000, 3, None, np.float32),
        (600, 20, None, np.float64),
        (600, 20, "auto", np.float32),  # of hundreds of parts
        (1000, 400, None, np.float32),
    ],
)
def test_what_fits_the_cache_is_judged_in_double(n, d, encoding, dtype, monkeypatch):
    class Seen(Exception):
        pass

    def spy(problem, splits):
        raise Seen(used(problem, splits)[0].data.X.dtype)

    assert used is in_single
    monkeypatch.setattr("skwd._cv.models.in_single", spy)
    rows = np.random.default_rng(0).normal(size=(n, d))
    model = WeightDecayMLPRegressor(alpha="auto", encoding=encoding)
    with pytest.raises(Seen, match=dtype.__name__):
        model.fit(rows, rows[:, 0])
