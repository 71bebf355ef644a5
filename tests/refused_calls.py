"""How bad calls of partial_fit are tested: refused, and nothing is half-changed."""

import pickle
import re
import warnings

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from spies import assert_same_training

from skwd import WeightDecayMLPClassifier, WeightDecayMLPRegressor

REGRESSOR, CLASSIFIER = WeightDecayMLPRegressor, WeightDecayMLPClassifier
# When a call comes: before any other, after two calls, after a fit.
STAGES = ("new", "begun", "fitted")

RNG = np.random.default_rng(0)
X = RNG.standard_normal((40, 3))
Y = np.sin(X[:, 0]) + X[:, 1]
LABELS = np.digitize(Y, [-0.5, 0.5])
CLASSES = [0, 1, 2]


def data_of(model):
    return (X, LABELS) if isinstance(model, CLASSIFIER) else (X, Y)


def classes_for(cls):
    return {"classes": CLASSES} if cls is CLASSIFIER else {}


def train_on(model):
    """A good call."""
    return model.partial_fit(*data_of(model), **classes_for(type(model)))


def at(stage, cls, solver, **params):
    """An estimator at a stage, with Adam's or momentum's memory where it has begun."""
    common = {"hidden_layer_sizes": (4,), "batch_size": 16, "max_iter": 3}
    model = cls(solver=solver, random_state=0, **{**common, **params})
    if stage == "begun":
        train_on(train_on(model))
    if stage == "fitted":
        with pytest.warns(match="reached max_iter"):
            model.fit(*data_of(model))
    return model


def assert_refused(model, message, *data, change=None, **given):
    """One ValueError that says ``message``, a pattern, and no warning.

    The estimator is as it was, and its next call gives what it would have given.
    """
    control = pickle.loads(pickle.dumps(model))
    good = {name: model.get_params()[name] for name in change or {}}
    model.set_params(**(change or {}))
    before = dict(model.__dict__)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError) as caught:
            model.partial_fit(*data or data_of(model), **given)
    assert re.fullmatch(message, str(caught.value)), str(caught.value)
    assert_as_before(model, before)
    assert_same_training(train_on(model.set_params(**good)), train_on(control))


def assert_as_before(model, before):
    assert model.__dict__.keys() == before.keys()
    assert all(model.__dict__[name] is before[name] for name in before)
    if "coefs_" in before:
        assert np.isfinite(model.predict(X[:, :3])).all()
    else:
        with pytest.raises(NotFittedError):
            model.predict(X)
