"""A subclass whose constructor has fewer parameters, or others, is what it sets."""

import numpy as np
import pytest
from sklearn.base import clone

from skwd import (
    WeightDecayMLPClassifier,
    WeightDecayMLPClassifierCV,
    WeightDecayMLPRegressor,
    WeightDecayMLPRegressorCV,
)

SET = {"hidden_layer_sizes": (), "activation": "tanh", "random_state": 0}


def narrow(cls, **more):
    """A subclass of a constructor without the parameters that it sets."""

    class Narrow(cls):
        def __init__(self, tol=1e-4, colour="blue"):
            super().__init__(tol=tol, **SET, **more)
            self.colour = colour

    return Narrow


@pytest.mark.parametrize(
    ("cls", "more"),
    [
        (WeightDecayMLPRegressor, {"loss": "huber", "intervals": 3}),
        (WeightDecayMLPClassifier, {"alpha": "loo"}),
        (WeightDecayMLPRegressorCV, {"alphas": [0.1, 0.2], "intervals": True}),
        (WeightDecayMLPClassifierCV, {"alphas": [0.1, 0.2], "scoring": "neg_log_loss"}),
    ],
)
def test_what_a_narrow_constructor_sets_is_what_is_fitted(cls, more, regression):
    X, y = regression
    if "Classifier" in cls.__name__:
        y = (y > 0.0).astype(int)
    found = clone(narrow(cls, **more)(colour="red")).fit(X, y)
    plain = cls(tol=1e-4, **SET, **more).fit(X, y)
    assert found.colour == "red" and len(found.coefs_) == 1
    np.testing.assert_array_equal(found.predict(X), plain.predict(X))
    np.testing.assert_array_equal(found.coefs_[0], plain.coefs_[0])
    if "alphas" in more:
        scores = found.cv_results_["mean_test_score"]
        np.testing.assert_array_equal(scores, plain.cv_results_["mean_test_score"])


def test_its_parameters_are_checked():
    X = np.eye(4)
    with pytest.raises(ValueError, match=r"loss must be one of .*; got 'l0'"):
        narrow(WeightDecayMLPRegressor, loss="l0")().fit(X, X[0])
