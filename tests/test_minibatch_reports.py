"""What fit says of a mini-batch training, and what it leaves behind."""

import re
import warnings
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError

import skwd._core.layout
from skwd import WeightDecayMLPClassifier, WeightDecayMLPRegressor

SOLVERS = {
    "adam": {"solver": "adam", "learning_rate_init": 0.02},
    "sgd": {"solver": "sgd", "learning_rate_init": 0.02},
}
both = pytest.mark.parametrize("solver", SOLVERS)

RNG = np.random.default_rng(4)
X = RNG.standard_normal((61, 3))
Y = X @ [1.0, -2.0, 0.5] + 0.3 * RNG.standard_normal(61) + 1.0
LABELS = np.array(["down", "mid", "up"])[np.digitize(Y, [0.0, 2.0])]


def network(solver, cls=WeightDecayMLPRegressor, **params):
    common = {"hidden_layer_sizes": (4,), "activation": "tanh", "batch_size": 12}
    return cls(random_state=0, **{**common, **SOLVERS[solver], **params})


def linear(solver, **params):
    return network(solver, hidden_layer_sizes=(), **params)


def said(estimator, *data):
    """The one warning of fit, raised for the line that called it."""
    with pytest.warns() as record:
        estimator.fit(*data)
    assert len(record) == 1
    assert record[0].filename == __file__
    message = record[0].message
    text = "\n".join([str(message), *getattr(message, "__notes__", ())])
    return record[0].category, text


@both
def test_warning_of_too_few_epochs(solver):
    model = linear(solver, max_iter=7, alpha=0.1)
    category, text = said(model, X, Y)
    assert category is ConvergenceWarning
    assert model.n_iter_ == 7 and not model.converged_
    assert text == (
        f"solver={solver!r} reached max_iter (max_iter=7, tol=1e-05). Increase "
        "max_iter, tol or learning_rate_init.\n7 epochs"
    )


def test_warning_of_steps_too_long_to_stay_at_the_minimum():
    """From the minimum, J can only rise, here to the noise of its steps."""
    model = linear("sgd", alpha=0.1, warm_start=True)
    model.set_params(solver="lbfgs", batch_size="auto").fit(X, Y)
    model.set_params(solver="sgd", batch_size=4, learning_rate_init=0.05)
    category, text = said(model, X, Y)
    assert category is ConvergenceWarning
    assert text == (
        "solver='sgd' stopped with an objective above the lowest it had reached "
        f"(max_iter={model.max_iter}, tol=1e-05). Lower learning_rate_init.\n"
        f"{model.n_iter_} epochs"
    )
    assert not model.converged_


@both
def test_patience_ends_a_training_without_a_warning(solver):
    """With the epoch in which it runs out, by the rule that is written down."""
    model = linear(solver, alpha=0.1, tol=1e-3, n_iter_no_change=4, batch_size=20)
    model.set_params(learning_rate_init=0.01).fit(X, Y)
    assert model.converged_ and model.n_iter_ < model.max_iter
    reference, waited = np.inf, 0
    for J in model.loss_curve_:
        assert waited < 4
        improved = reference == np.inf or J < reference * (1.0 - 4e-3)
        reference, waited = (J, 0) if improved else (reference, waited + 1)
    assert waited == 4 and len(model.loss_curve_) == model.n_iter_


@pytest.mark.wide(4)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("batch_size", [12, 61], ids=["mini-batches", "all rows"])
@pytest.mark.parametrize("rate", [1e3, 1e30, 1e300])
@pytest.mark.parametrize("cls", [WeightDecayMLPRegressor, WeightDecayMLPClassifier])
@both
def test_divergence_is_named_in_its_first_epoch(solver, cls, rate, batch_size, dtype):
    """Without a warning of NumPy's on the way."""
    model = network(solver, cls, alpha=0.1, batch_size=batch_size)
    model.set_params(learning_rate_init=rate)
    y = LABELS if cls is WeightDecayMLPClassifier else Y
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError) as caught:
            model.fit(X.astype(dtype), y)
    message = (
        rf"solver='{solver}' diverged in epoch 1: the objective .*"
        rf"learning_rate_init={re.escape(f'{rate:g}')} is too large for this data: "
        r"lower it\."
    )
    assert re.fullmatch(message, str(caught.value)), str(caught.value)
    with pytest.raises(NotFittedError):
        model.predict(X)


@pytest.mark.parametrize("rate", [4.0, 10.0])
def test_slower_divergence_is_named_in_its_epoch(rate):
    """Once J is 1000 times its start; the fitted estimator stays as it was."""
    model = linear("sgd", alpha=0.1, batch_size=61)
    model.set_params(learning_rate_init=0.005).fit(X, Y)
    before, predicted = dict(model.__dict__), model.predict(X)
    model.set_params(learning_rate_init=rate, nesterovs_momentum=False)
    with pytest.raises(ValueError) as caught:
        model.fit(X, Y)
    found = re.match(r"solver='sgd' diverged in epoch (\d+): ", str(caught.value))
    assert 2 <= int(found[1]) <= 20
    model.set_params(**{name: before[name] for name in model.get_params()})
    assert model.__dict__ == before
    assert_array_equal(model.predict(X), predicted)


@pytest.mark.parametrize("solver", ["gd", "sgd"])
def test_divergence_under_early_stopping_names_the_J_that_diverged(solver):
    """Not that of the best weights so far, which is lower than at the start."""
    model = linear("sgd", early_stopping=True, batch_size="auto", momentum=0.0)
    model.set_params(solver=solver, learning_rate_init=2.5)
    with pytest.raises(ValueError, match=rf"^solver='{solver}' diverged in ") as caught:
        model.fit(X, Y, X_val=X, y_val=Y)
    start, end = re.search(r"went from (\S+) to (\S+)\. ", str(caught.value)).groups()
    assert float(end) > 100.0 * float(start)


@pytest.mark.wide(3)
@pytest.mark.parametrize("lost", [[1], [0, 2]])
@pytest.mark.parametrize(
    ("solver", "scale"), [("sgd", 1e5), ("sgd", 1e200), ("adam", 1e200)]
)
def test_a_lost_restart_is_dropped_and_the_others_are_kept(solver, scale, lost):
    """An identity layer is steep far from the origin: large weights diverge there."""
    model = network(solver, activation="identity", n_init=3, ensemble=True, tol=1e-2)
    model.set_params(n_iter_no_change=2)

    def initial_params(*args):
        params = skwd._core.layout.initial_params(*args)
        params[lost] *= scale
        return params

    every = clone(model).fit(X, Y)
    kept = [k for k in range(3) if k not in lost]
    with patch("skwd._cv.problem.initial_params", initial_params):
        fewer = clone(model).fit(X, Y)
        single = clone(model).set_params(ensemble=False).fit(X, Y)
    for W, expected in zip(fewer.coefs_, every.coefs_, strict=True):
        np.testing.assert_allclose(W, expected[kept], rtol=1e-12)
    assert single.loss_ == fewer.loss_


def fitted_attributes(model):
    names = (name for name in vars(model) if name.endswith("_") and name[0] != "_")
    return {name: type(getattr(model, name)) for name in names}


@pytest.mark.wide(4)
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("cls", [WeightDecayMLPRegressor, WeightDecayMLPClassifier])
def test_every_solver_leaves_the_same_attributes(cls, early_stopping):
    """Curves with an entry per iteration, of the same types."""
    y = LABELS if cls is WeightDecayMLPClassifier else Y
    found = {}
    for solver in ("lbfgs", "gd", "sgd", "adam"):
        small = {} if solver in ("lbfgs", "gd") else {"batch_size": 12}
        model = cls(
            hidden_layer_sizes=(4,),
            solver=solver,
            learning_rate_init=0.05,
            early_stopping=early_stopping,
            tol=1e-2,
            random_state=0,
            **small,
        ).fit(X, y)
        found[solver] = fitted_attributes(model)
        curves = [model.loss_curve_]
        if early_stopping:
            curves.append(model.validation_scores_)
            assert model.best_validation_score_ >= max(model.validation_scores_)
        for curve in curves:
            assert len(curve) == model.n_iter_ > 0
            assert {type(value) for value in curve} == {float}
        lowest = None if early_stopping else min(model.loss_curve_)
        assert model.best_loss_ == lowest
        assert model.t_ == model.n_iter_ * (54 if early_stopping else 61)
    assert all(types == found["lbfgs"] for types in found.values())
    assert "loss_curve_" in found["adam"] and "converged_" in found["adam"]


@both
def test_dataframes_string_labels_and_early_stopping_give_no_warning(solver):
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    labels = pd.Series(LABELS)
    model = network(solver, WeightDecayMLPClassifier, early_stopping=True, tol=1e-2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(frame, labels)
        split = model.predict(frame)
        model.fit(frame, labels, X_val=frame[:20], y_val=labels[:20])
        model.predict_proba(frame)
    assert set(split) <= {"down", "mid", "up"}
    assert_array_equal(split, clone(model).fit(X, LABELS).predict(X))
    assert_array_equal(model.feature_names_in_, ["a", "b", "c"])


@both
def test_verbose_prints_a_line_per_epoch(solver, capsys):
    model = network(solver, verbose=True, early_stopping=True, tol=1e-2).fit(X, Y)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == model.n_iter_
    for number, (line, J, score) in enumerate(
        zip(lines, model.loss_curve_, model.validation_scores_, strict=True), 1
    ):
        assert line == (
            f"Iteration {number}, loss = {J:.8g}, validation loss = {-score:.8g}"
        )
    model.set_params(early_stopping=False).partial_fit(X, Y)
    assert f"loss = {model.loss_curve_[-1]:.8g}\n" in capsys.readouterr().out


@both
def test_the_held_out_rows_are_as_if_given(solver, monkeypatch):
    """A split and X_val of the same rows are one computation."""
    import skwd._cv.problem as module

    parts, split = [], module.validation_split

    def spy(*args):
        parts.append(split(*args))
        return parts[-1]

    monkeypatch.setattr(module, "validation_split", spy)
    model = network(solver, early_stopping=True, tol=1e-3)
    by_split = clone(model).fit(X, Y)
    rows, held_out = parts[0]
    given = clone(model).fit(X[rows], Y[rows], X_val=X[held_out], y_val=Y[held_out])
    assert_array_equal(given.coefs_[0], by_split.coefs_[0])
    assert given.loss_curve_ == by_split.loss_curve_
    assert given.validation_scores_ == by_split.validation_scores_


@pytest.mark.filterwarnings("ignore:solver=", "ignore:encoding=")
@pytest.mark.parametrize("n", [1, 7, 49])
@pytest.mark.parametrize("value", [0.1, 3.0, 1e8])
@pytest.mark.parametrize(
    "how",
    [
        {},
        {"alpha": 0.0},
        {"decay": "decoupled"},
        {"encoding": "parts"},
        {"loss": "huber"},
        {"loss": "poisson"},
        {"missing_targets": "mask"},
        {"normalize_y": False},
    ],
)
def test_rounding_of_a_constant_y_is_not_taken_for_divergence(how, value, n):
    """Its J begins at rounding, of which any step of Adam is many times."""
    data, y = np.random.default_rng(0).standard_normal((n, 3)), np.full((n, 2), value)
    if "missing_targets" in how:
        y[::2, 0] = np.nan
        y[-1] = value
    model = linear("adam", learning_rate_init=1e-3, max_iter=30, **how).fit(data, y)
    if how != {"loss": "poisson"}:
        assert np.abs(model.predict(data) - value).max() < 0.05
    else:
        assert np.abs(np.log(model.predict(data) / value)).max() < 1e-2
