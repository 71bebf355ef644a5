"""X_val that has not gone through the steps before is named as such, and not blamed."""

import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn import set_config
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from skwd import (
    WeightDecayMLPClassifierCV,
    WeightDecayMLPRegressor,
    WeightDecayMLPRegressorCV,
)
from skwd._estimators.validation_rows import warn_of_untransformed

DIABETES = load_diabetes(return_X_y=True, scaled=False)
NET = {
    "hidden_layer_sizes": (3,),
    "solver": "adam",
    "early_stopping": True,
    "max_iter": 60,
    "random_state": 0,
}


def said_in(fit):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit()
    return [str(w.message) for w in caught if "max_iter" not in str(w.message)]


CV = {"alphas": [0.01, 0.1], "cv": 2}


@pytest.mark.parametrize(
    ("cls", "how"),
    [
        (WeightDecayMLPRegressor, {}),
        (WeightDecayMLPRegressorCV, CV),
        (WeightDecayMLPClassifierCV, CV),
    ],
)
def test_a_pipeline_that_left_it_out(cls, how):
    X, y = DIABETES
    y = (y > 140).astype(int) if cls is WeightDecayMLPClassifierCV else y
    pipe = make_pipeline(StandardScaler(), cls(**NET, **how))
    step = pipe.steps[-1][0]
    val = {f"{step}__X_val": X[300:], f"{step}__y_val": y[300:]}
    said = said_in(lambda: pipe.fit(X[:300], y[:300], **val))
    assert len(said) == 1
    assert said[0].startswith(
        "X_val seems not to have gone through the steps that X has: X has values from "
    )
    assert said[0].endswith(
        "With metadata routing transform_input=['X_val'] of a Pipeline takes it "
        "through them; elsewhere transform X_val as X."
    )


def test_the_numbers_that_are_named():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1.0, 1.0, (40, 2))
    X[:2] = [[-1, -1], [1, 1]]
    X_val = np.c_[rng.uniform(-1, 1, 20), np.linspace(50.0, 60.0, 20)]
    with pytest.warns(UserWarning) as caught:
        assert warn_of_untransformed(X, X_val, ["size", "age"])
    assert "X has values from -1 to 1 in column 'age', X_val from 50 to 60." in str(
        caught[0].message
    )
    with pytest.warns(match="in column 1, X_val from 50 to 60"):
        assert warn_of_untransformed(sparse.csr_array(X), sparse.csr_array(X_val), None)


def test_routing_takes_it_through():
    X, y = DIABETES
    set_config(enable_metadata_routing=True)
    try:
        net = WeightDecayMLPRegressor(**NET).set_fit_request(X_val=True, y_val=True)
        pipe = make_pipeline(StandardScaler(), net, transform_input=["X_val"])
        val = {"X_val": X[300:], "y_val": y[300:]}
        assert said_in(lambda: pipe.fit(X[:300], y[:300], **val)) == []
    finally:
        set_config(enable_metadata_routing=False)


@pytest.mark.parametrize("scaler", [StandardScaler(), MinMaxScaler()])
def test_splits_of_a_table(scaler):
    """None is named but those that lack the step, either way round."""
    X, _ = DIABETES
    by_age = X[np.argsort(X[:, 0], kind="stable")]
    splits = [train_test_split(X, test_size=0.2, random_state=k) for k in range(5)]
    for train, val in [*splits, (by_age[:350], by_age[350:])]:
        scaler.fit(train)
        scaled = scaler.transform(train), scaler.transform(val)
        for one in (scaled, (train, val), (sparse.csr_array(train), val)):
            assert not warn_of_untransformed(*one, None)
        with pytest.warns(match="X_val seems not to have gone"):
            assert warn_of_untransformed(scaled[0], val, None)


def test_columns_so_much_narrower():
    """Those of the table come scaled, and are scaled again."""
    X, _ = load_diabetes(return_X_y=True)
    with pytest.warns(match="X_val seems not to have gone"):
        assert warn_of_untransformed(StandardScaler().fit_transform(X), X[:100], None)


def test_columns_of_one_source():
    rng = np.random.default_rng(0)
    kinds = (
        rng.standard_normal,
        rng.standard_cauchy,
        lambda shape: np.round(rng.standard_normal(shape)),
        lambda shape: (rng.random(shape) < 0.01).astype(float),
        lambda shape: np.ones(shape),
    )
    for made in kinds:
        for _ in range(20):
            X, X_val = made((30, 2)), made((12, 2))
            assert not warn_of_untransformed(X, X_val, None)


def test_a_network_may_still_be_worse_than_a_constant():
    X, y = DIABETES
    X = StandardScaler().fit_transform(X)
    model = WeightDecayMLPRegressor(**NET)
    said = said_in(lambda: model.fit(X[:300], y[:300], X_val=X[300:], y_val=-y[300:]))
    assert [text[:11] for text in said] == ["The network"]
