"""X without a column that varies: a constant, and the one warning says why."""

import numpy as np
import pytest
from scipy import sparse

from skwd import (
    WeightDecayMLPClassifier,
    WeightDecayMLPRegressor,
    WeightDecayMLPRegressorCV,
)

Y = np.random.default_rng(0).standard_normal(40)
SMALL = {"hidden_layer_sizes": (3,), "random_state": 0}
NOTHING = (
    "No column of X varies over the rows trained on: at every alpha the network "
    "predicts a constant. Give fit columns that vary."
)


@pytest.mark.wide(13)
@pytest.mark.parametrize("value", [7.0, 0.1, 1e9])
@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize(
    "how",
    [
        {},
        {"hidden_layer_sizes": ()},
        {"alpha": "loo"},
        {"alpha": 0.01, "n_init": 2, "ensemble": True},
        {"alpha": "auto"},
        {"alpha": "evidence", "alpha_groups": "input"},
        {"l1_ratio": 1.0, "sparsity": "adaptive"},
        {"noise": "varying", "intervals": 4},
    ],
)
def test_no_alpha_is_blamed(how, convert, value):
    X = convert(np.full((40, 2), value))
    for model, y, mean in (
        (WeightDecayMLPRegressor, Y, Y.mean()),
        (WeightDecayMLPClassifier, Y > 0.0, np.mean(Y > 0.0)),
    ):
        is_class = model is WeightDecayMLPClassifier
        if is_class and "noise" in how:
            continue
        with pytest.warns(UserWarning) as caught:
            fitted = model(**SMALL | how).fit(X, y)
        assert [str(one.message) for one in caught] == [NOTHING]
        found = fitted.predict_proba(X)[:, 1] if is_class else fitted.predict(X)
        np.testing.assert_allclose(found, mean, atol=1e-4)


def test_nor_is_it_by_a_search():
    X = np.ones((40, 2))
    with pytest.warns(UserWarning) as caught:
        WeightDecayMLPRegressorCV(alphas=[0.01, 0.1], cv=2, **SMALL).fit(X, Y)
    assert [str(one.message) for one in caught] == [NOTHING]


def test_rows_of_weight_zero_make_no_column_vary():
    X = np.ones((40, 2))
    X[::4] = np.random.default_rng(1).standard_normal((10, 2))
    weight = (np.arange(40) % 4 > 0).astype(float)
    with pytest.warns(UserWarning, match="No column of X varies"):
        WeightDecayMLPRegressor(**SMALL).fit(X, Y, weight)
