"""Fitted attributes have one writer, go as a whole, and know no parameter set later."""

import copy
import inspect
import pickle
import re

import numpy as np
import pytest
from fits import (
    CASES,
    CCV,
    RCV,
    TABLE,
    C,
    R,
    X,
    answers,
    assert_same,
    assert_same_held,
    attributes,
    data_of,
    estimator_of,
    fitted,
    quiet,
    wanted,
)
from numpy.testing import assert_array_equal
from spies import HAS_CALLBACKS

import skwd
from skwd._solvers.monitor import Monitor

pytestmark = pytest.mark.usefixtures("one_blas_thread")
all_cases = pytest.mark.parametrize("name", CASES)


def documented(cls):
    """The names of the section Attributes of a class docstring."""
    section = re.search(
        r"Attributes\n-+\n(.*?)\n\n\w+\n-+\n", inspect.getdoc(cls), re.DOTALL
    )[1]
    heads = [line for line in section.split("\n") if re.match(r"\w+_(,| :|$)", line)]
    return [name for head in heads for name in head.split(" :")[0].split(", ")]


@pytest.mark.wide(72)
@all_cases
def test_attributes_are_those_that_the_docstring_names(name):
    model = fitted(name)
    assert attributes(model) == wanted(model, name) <= set(documented(type(model)))


@pytest.mark.slow
@pytest.mark.parametrize("cls", [R, C, RCV, CCV])
def test_every_attribute_of_the_docstring_is_that_of_some_fit(cls):
    names = documented(cls)
    assert len(names) == len(set(names))
    found = [attributes(fitted(name)) for name in CASES if CASES[name][0] is cls]
    assert set().union(*found) == set(names)
    assert set(names) <= set(" ".join(TABLE).split())


@pytest.mark.wide(28)
@all_cases
def test_nothing_of_an_earlier_fit_survives(name):
    """The fit of the case before, of that class; then this one, by set_params."""
    alike = [other for other in CASES if CASES[other][0] is CASES[name][0]]
    model = fitted(alike[alike.index(name) - 1])
    model.set_params(**estimator_of(name).get_params(deep=False))
    quiet(model.fit, *data_of(name))
    fresh = pickle.loads(pickle.dumps(model)), fitted(name)
    assert vars(model).keys() == vars(fresh[1]).keys()
    assert_same_held(*map(vars, fresh), "it")


BY_EPOCHS = {
    "solver": "adam",
    "alpha": 0.1,
    "alpha_groups": None,
    "posterior": False,
    "intervals": None,
    "noise": "constant",
    "early_stopping": False,
    "class_weight": None,
}


CONTINUED = [
    name
    for name, (cls, y, params) in CASES.items()
    if cls in (R, C) and y != "constant" and "ensemble" not in params
]


@pytest.mark.wide(48)
@pytest.mark.parametrize("name", CONTINUED)
@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
def test_partial_fit_keeps_no_attribute_of_the_fit(l1_ratio, name):
    """It leaves those that it has alone."""
    (X, y), model = data_of(name), fitted(name)
    changes = BY_EPOCHS | {"l1_ratio": l1_ratio}
    if l1_ratio == 0.0 or model.sparsity is not None:
        changes["sparsity"] = "input" if l1_ratio else None
    if len(model.coefs_) == 1:
        changes["hidden_layer_sizes"] = ()
    known = model.get_params()
    model.set_params(**{key: value for key, value in changes.items() if key in known})
    fresh = type(model)(**model.get_params(deep=False))
    first = {"classes": np.unique(y)} if isinstance(model, C) and y.ndim == 1 else {}
    for one in (model.partial_fit(X, y), fresh.partial_fit(X, y, **first)):
        assert attributes(one) == wanted(one, name)
    assert vars(model).keys() == vars(fresh).keys()
    assert vars(model._fitted).keys() == vars(fresh._fitted).keys()
    assert model._fitted.folds is None and not model._has_posterior()


@pytest.mark.parametrize("way", ["a new list", "an item", "in place"])
@pytest.mark.parametrize("name", ["coefs_", "intercepts_"])
def test_weights_put_in_the_place_of_some_predict(name, way):
    """Of a line: twice the slope, or twice the intercept."""
    line = R(hidden_layer_sizes=(), alpha=0.01, normalize_y=False).fit(X, X[:, 0] + 1.0)
    at_0, before = line.predict(0.0 * X), line.predict(X)
    if way == "a new list":
        setattr(line, name, [2.0 * vars(line)[name][0]])
    elif way == "an item":
        vars(line)[name][0] = 2.0 * vars(line)[name][0]
    else:
        vars(line)[name][0] *= 2.0
    added = before - at_0 if name == "coefs_" else at_0
    for model in (line, pickle.loads(pickle.dumps(line))):
        np.testing.assert_allclose(model.predict(X), before + added, rtol=1e-12)


@pytest.mark.slow
def test_columns_are_those_of_the_weights_that_are_there_now():
    """A fit to one column; then partial_fit to rows that depend on another."""
    model = R(
        hidden_layer_sizes=(3,),
        l1_ratio=1.0,
        sparsity="input",
        alpha=0.1,
        solver="adam",
        learning_rate_init=0.02,
        random_state=0,
    )
    quiet(model.fit, X, X[:, 0])
    assert model.support_.tolist() == [True, False, False]
    for _ in range(300):
        model.partial_fit(X, X[:, 2])
        left = np.any(model.coefs_[0] != 0.0, axis=1)
        assert_array_equal(model.support_, left)
    assert model.support_.tolist() == [False, False, True]
    assert model.feature_importances_.tolist() == [0.0, 0.0, 1.0]


OTHERS = {
    "hidden_layer_sizes": (7, 2),
    "activation": "selu",
    "solver": "sgd",
    "alpha": 7.0,
    "l1_ratio": 0.5,
    "intervals": 9,
    "batch_size": 5,
    "learning_rate": "cosine",
    "decay": "decoupled",
    "loss": "gamma",
    "huber_delta": 3.0,
    "class_weight": {0: 3.0, "yes": 2.0},
    "alphas": 9,
    "cv": 7,
    "rule": "1se",
    "n_jobs": 2,
}


def with_other_parameters(model):
    """Every parameter has another value than it was fitted with."""
    for name, value in model.get_params(deep=False).items():
        other = OTHERS.get(name)
        if name in ("sparsity", "alpha_groups"):
            other = None if value else "input"
        elif name == "encoding":
            other = None if value == "parts" else "parts"
        elif name == "noise":
            other = "varying" if value == "constant" else "constant"
        elif name == "missing_targets":
            other = "mask" if value == "error" else "error"
        elif name == "scoring":
            other = "max_error" if isinstance(model, RCV) else "accuracy"
        elif other is None:
            other = not value if isinstance(value, bool) else 2 * value + 1
        assert other != value
        model.set_params(**{name: other})
    return model


@pytest.mark.wide(36)
@all_cases
def test_answers_know_no_parameter_that_is_set_later(name, monkeypatch):
    """Of the estimator, of copies of it and of what displays draw."""
    for display in vars(skwd).values():
        if inspect.isclass(display) and hasattr(display, "plot"):
            monkeypatch.setattr(display, "plot", lambda self, *args, **how: self)
    X, y = data_of(name)
    before = answers(fitted(name), X, y)
    assert isinstance(before["predict"], np.ndarray)
    model = with_other_parameters(fitted(name))
    for now in (
        model,
        pickle.loads(pickle.dumps(model)),
        copy.copy(model),
        copy.deepcopy(model),
    ):
        assert_same(answers(now, X, y), before)
    # Of two copies one may be fitted anew.
    other = copy.copy(model).set_params(**fitted(name).get_params(deep=False))
    if name in ("plain", "posterior", "search", "three", "epochs"):
        quiet(other.fit, X[::2], y[::2])
        if hasattr(other, "partial_fit"):
            other.partial_fit(X, y)
        assert_same(answers(model, X, y), before)


class Stopped:
    """A callback that ends the fit as a user does, in its third iteration or epoch."""

    def __init__(self):
        self.n_ended = 0

    def setup(self, estimator, context):
        pass

    teardown = on_fit_task_begin = setup

    def on_fit_task_end(self, estimator, context):
        self.n_ended += 1
        if self.n_ended == 3:
            raise KeyboardInterrupt


def bad_length(model, X, y, monkeypatch):
    return X, y[:-1]


def bad_y(model, X, y, monkeypatch):
    y = y.astype(object)
    y[3] = np.nan
    return X, y


def diverging(model, X, y, monkeypatch):
    model.set_params(solver="sgd", learning_rate_init=1e200, activation="identity")
    return X, y


def interrupted(model, X, y, monkeypatch):
    """In the second iteration, or in the first epoch of partial_fit."""
    calls, watch = [], Monitor.__call__

    def stop(self, *args, **kwargs):
        calls.append(self)
        if len(calls) == 2 or model.solver == "adam":
            raise KeyboardInterrupt
        return watch(self, *args, **kwargs)

    monkeypatch.setattr(Monitor, "__call__", stop)
    return X, y


def called_back(model, X, y, monkeypatch):
    if not HAS_CALLBACKS:
        pytest.skip("scikit-learn has callbacks since 1.9")
    model.set_callbacks(Stopped())
    return X, y


@pytest.mark.wide(10)
@pytest.mark.parametrize("name", ["plain", "auto", "two", "search", "search of two"])
@pytest.mark.parametrize("by", ["fit", "partial_fit"])
@pytest.mark.parametrize(
    "failure", [bad_length, bad_y, diverging, interrupted, called_back]
)
def test_what_fails_leaves_the_estimator_as_it_was(failure, by, name, monkeypatch):
    """One that was fitted, and one that never was."""
    if by == "partial_fit" and ("search" in name or failure is called_back):
        pytest.skip("there is none")
    if failure is diverging and name == "auto":
        pytest.skip("the linear model does not diverge")
    X, y = data_of(name)
    for model in (fitted(name), estimator_of(name)):
        how, is_new = {}, "_fitted" not in vars(model)
        if by == "partial_fit":
            how = {"classes": ["no", "yes"]} if isinstance(model, C) else {}
            model.set_params(solver="adam", alpha=0.1)
            model = model if is_new else model.partial_fit(X, y)
        with monkeypatch.context() as patched:
            given = failure(model, X, y, patched)
            held = {k: v for k, v in vars(model).items() if k != "_skl_callbacks"}
            deep = copy.deepcopy(held)
            with pytest.raises((ValueError, KeyboardInterrupt)):
                quiet(getattr(model, by), *given, **how)
        now = {k: v for k, v in vars(model).items() if k != "_skl_callbacks"}
        assert now.keys() == held.keys()
        assert all(now[one] is held[one] for one in held)
        assert_same_held(now, deep, "it")
