"""Where alpha by name, a posterior or GCV cannot hold: one error, before training."""

import numpy as np
import pytest
from refusal import LABELS, assert_refused
from refusal import X as X_REFUSED

from skwd import (
    WeightDecayMLPClassifier,
    WeightDecayMLPClassifierCV,
    WeightDecayMLPRegressor,
    WeightDecayMLPRegressorCV,
)

BOTH = WeightDecayMLPRegressor, WeightDecayMLPClassifier
NAMES = "evidence", "loo"


@pytest.mark.parametrize("Estimator", BOTH)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("change", "remedy"),
    [
        ({"decay": "decoupled", "solver": "adam"}, "decay='l2'"),
        ({"early_stopping": True}, "early_stopping=False"),
        ({"solver": "adam"}, "solver='auto'"),
        ({"solver": "gd"}, "solver='auto'"),
        ({"batch_size": 3}, "batch_size='auto'"),
        ({"learning_rate": "cosine"}, "learning_rate='constant'"),
    ],
)
def test_alpha_by_name_needs_a_minimum(Estimator, name, change, remedy):
    key = remedy.partition("=")[0]
    assert_refused(
        Estimator(alpha=name, **change),
        f"alpha={name!r} needs a minimum of J over all rows, which {key}="
        f"{change[key]!r} does not give. Use {remedy}.",
        y=LABELS,
    )


@pytest.mark.wide(4)
@pytest.mark.parametrize(
    "Estimator", [*BOTH, WeightDecayMLPRegressorCV, WeightDecayMLPClassifierCV]
)
@pytest.mark.parametrize(
    ("change", "remedy"),
    [
        ({"decay": "decoupled", "solver": "adam"}, "decay='l2'"),
        ({"early_stopping": True}, "early_stopping=False"),
    ],
)
def test_a_posterior_needs_one_too(Estimator, change, remedy):
    key = remedy.partition("=")[0]
    assert_refused(
        Estimator(posterior=True, **change),
        f"posterior=True needs a minimum of J over all rows, which {key}="
        f"{change[key]!r} does not give. Use {remedy}.",
        y=LABELS,
    )


def test_gcv_is_of_squared_errors():
    message = (
        "alpha='gcv' is for loss='squared_error'; got {!r}. Use alpha='loo' or "
        "alpha='evidence'."
    )
    assert_refused(
        WeightDecayMLPClassifier(alpha="gcv"),
        message.format("cross-entropy"),
        y=LABELS,
    )
    assert_refused(
        WeightDecayMLPRegressor(alpha="gcv", loss="poisson"),
        message.format("poisson"),
        y=LABELS,
    )


@pytest.mark.parametrize("Estimator", BOTH)
@pytest.mark.parametrize("name", ["track_gradients", "posterior"])
def test_switches_are_bool(Estimator, name):
    assert_refused(
        Estimator(**{name: 1}),
        f"{name} must be True or False; got 1. Use {name}=False, the default.",
        y=LABELS,
    )


@pytest.mark.parametrize("Estimator", BOTH)
@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({"alpha": "evidence"}, "alpha='evidence'"),
        ({"alpha": "loo"}, "alpha='loo'"),
        ({"posterior": True}, "posterior=True"),
    ],
)
def test_there_is_no_partial_fit(Estimator, change, shown):
    model = Estimator(**change)
    assert not hasattr(model, "partial_fit")
    with pytest.raises(AttributeError) as caught:
        _ = model.partial_fit
    message = f"{shown} has no partial_fit: it needs a whole fit, to a minimum of J."
    name = shown.partition("=")[0]
    expected = f"{message} Use fit, or change {name}."
    assert str(caught.value) == expected
    assert hasattr(model.set_params(alpha=0.1, posterior=False), "partial_fit")


def test_a_std_needs_a_posterior():
    model = WeightDecayMLPRegressor(hidden_layer_sizes=(2,), alpha=1e-3, random_state=0)
    model.fit(X_REFUSED, np.arange(12) / 12.0)
    with pytest.raises(ValueError) as caught:
        model.predict(X_REFUSED, return_std=True)
    assert str(caught.value) == (
        "return_std=True needs a deviation, and this estimator was fitted without. "
        "Fit it with posterior=True or noise='varying'."
    )
