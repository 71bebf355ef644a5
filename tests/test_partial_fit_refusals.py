"""What partial_fit refuses, in these words, with nothing half-changed afterwards."""

import pickle
import re

import numpy as np
import pytest
from refused_calls import (
    CLASSES,
    CLASSIFIER,
    LABELS,
    REGRESSOR,
    STAGES,
    X,
    Y,
    assert_as_before,
    assert_refused,
    at,
    classes_for,
    train_on,
)
from spies import assert_same_training, interrupted, rates_seen

pytestmark = pytest.mark.usefixtures("one_blas_thread")
both = pytest.mark.parametrize("solver", ["sgd", "adam"])
every_stage = pytest.mark.parametrize("stage", STAGES)
later = pytest.mark.parametrize("stage", STAGES[1:])


@pytest.mark.parametrize(
    ("cls", "params", "reason"),
    [
        (REGRESSOR, {"early_stopping": True}, "deciding it takes many epochs"),
        (CLASSIFIER, {"early_stopping": True}, "deciding it takes many epochs"),
        (
            CLASSIFIER,
            {"class_weight": "balanced"},
            "the frequencies of all y are not known",
        ),
        (REGRESSOR, {"posterior": True}, "it needs a whole fit, to a minimum of J"),
        (CLASSIFIER, {"alpha": "loo"}, "it needs a whole fit, to a minimum of J"),
    ],
)
def test_it_is_hidden_where_it_could_only_refuse(cls, params, reason):
    [(name, value)] = params.items()
    model = cls(**params)
    assert not hasattr(model, "partial_fit")
    with pytest.raises(AttributeError) as caught:
        model.partial_fit(X, LABELS)
    assert str(caught.value) == (
        f"{name}={value!r} has no partial_fit: {reason}. Use fit, or change {name}."
    )


def test_it_is_hidden_with_several_starts():
    model = REGRESSOR(n_init=2)
    assert not hasattr(model, "partial_fit")
    with pytest.raises(AttributeError) as caught:
        model.partial_fit(X, Y)
    assert str(caught.value) == (
        "n_init=2 has no partial_fit: it trains a single network. Use fit, or n_init=1."
    )


@pytest.mark.parametrize(
    ("cls", "change", "message"),
    [
        (
            REGRESSOR,
            {"beta_1": 1.0},
            r"beta_1 must be a number >= 0 and < 1; got 1\.0\. Use beta_1=0\.9, the "
            r"default\.",
        ),
        (
            CLASSIFIER,
            {"alpha": -1.0},
            r"alpha must be None, finite and >= 0, or one of 'auto', 'evidence', "
            r"'loo', 'gcv'; "
            r"got -1\.0\. Use alpha=None for the default, or alpha=0 for no weight "
            r"decay\.",
        ),
        *(
            (
                CLASSIFIER,
                {"class_weight": value},
                r"class_weight must be None, 'balanced' or a dict of class to weight "
                rf">= 0; got {re.escape(repr(value))}\. Use class_weight='balanced' "
                r"for equal shares\.",
            )
            for value in ({0: -1.0}, [1.0, 2.0, 1.0], np.array([1.0, 2.0, 1.0]))
        ),
    ],
)
@every_stage
def test_a_parameter_without_meaning_for_one_epoch(stage, cls, change, message):
    assert_refused(at(stage, cls, "adam"), message, change=change, **classes_for(cls))


NAN = np.where(np.arange(40) == 7, np.nan, 1.0)


@pytest.mark.wide(5)
@pytest.mark.parametrize(
    ("message", "X", "y", "weight"),
    [
        (r"Input X contains NaN\.(?s:.*)", X * NAN[:, np.newaxis], Y, None),
        (r"Input y contains NaN\. Leave such rows out\.", X, Y * NAN, None),
        (r"Found array with 0 sample(?s:.*)", X[:0], Y[:0], None),
        (r"Found input variables with inconsistent(?s:.*)", X, Y[:39], None),
        (
            r"sample_weight must not be negative; got -1\. Use 0 to leave a sample out"
            r"\.",
            X,
            Y,
            np.append(np.ones(39), -1.0),
        ),
        (
            r"All weights are zero in sample_weight: no sample is left to fit\. Give "
            r"at least one sample a positive weight\.",
            X,
            Y,
            np.zeros(40),
        ),
    ],
)
@every_stage
def test_bad_rows(stage, message, X, y, weight):
    model = at(stage, REGRESSOR, "adam")
    assert_refused(model, message, X, y, sample_weight=weight)


@later
def test_other_features_than_before(stage):
    message = "X has 2 features, but WeightDecayMLPRegressor is expecting 3 features as"
    model = at(stage, REGRESSOR, "adam")
    assert_refused(model, message + r" input\.", X[:, :2], Y)


@pytest.mark.parametrize(
    ("change", "y"),
    [
        ({}, np.column_stack([Y, Y])),
        ({"hidden_layer_sizes": (5,)}, Y),
        ({"hidden_layer_sizes": (4, 4)}, Y),
        ({"activation": "tanh"}, Y),
        ({"loss": "poisson"}, np.abs(Y)),
        ({"ensemble": True}, Y),
    ],
    ids=["outputs", "units", "layers", "activation", "loss", "ensemble"],
)
@later
def test_another_network_than_before(stage, change, y):
    """Said of partial_fit: that warm_start is at its default is no part of it."""
    model = at(stage, REGRESSOR, "adam")
    assert_refused(model, "(?s:(?!.*warm_start).*)", X, y, change=change)


@pytest.mark.parametrize("y", [Y, LABELS], ids=["continuous", "labels"])
def test_the_first_call_needs_classes(y):
    message = (
        r"The first call of partial_fit needs classes, all that will ever occur; got "
        r"None\. Pass classes=np\.unique\(y\) of all y\."
    )
    model = at("new", CLASSIFIER, "adam")
    assert_refused(model, message, X, y)


@pytest.mark.parametrize(
    ("y", "given", "message"),
    [
        (
            LABELS + 1,
            CLASSES,
            r"y holds the class 3, which is not among the classes of this estimator: "
            r"\[0, 1, 2\]\. Leave it out, or fit anew with it\.",
        ),
        (
            LABELS.astype(str),
            CLASSES,
            r"y holds the class '\d', which is not among the classes of this "
            r"estimator: \[0, 1, 2\]\. Leave it out, or fit anew with it\.",
        ),
        (Y, CLASSES, r"Unknown label type: continuous\.(?s:.*)"),
    ],
)
@every_stage
def test_labels_that_are_no_classes(stage, y, given, message):
    model = at(stage, CLASSIFIER, "adam")
    assert_refused(model, message, X, y, classes=given)
    if stage != "new":
        assert_refused(at(stage, CLASSIFIER, "adam"), message, X, y)


def test_a_single_class():
    message = (
        r"classes must hold at least two classes; got \[1\]\. Pass all that will ever "
        r"occur\."
    )
    model = at("new", CLASSIFIER, "adam")
    assert_refused(model, message, X, np.ones(40, int), classes=[1, 1])


@pytest.mark.parametrize("given", [[0, 1], [0, 1, 2, 3], ["0", "1", "2"]], ids=str)
@later
def test_other_classes_than_before(stage, given):
    message = (
        r"classes must be those of the first call, \[0, 1, 2\]; got "
        rf"{re.escape(str(given))}\. Leave classes out, or fit anew\."
    )
    assert_refused(at(stage, CLASSIFIER, "adam"), message, X, LABELS, classes=given)


@every_stage
def test_a_chunk_whose_class_weights_are_all_zero(stage):
    """No sample is left that counts, as with sample_weight."""
    model = at(stage, CLASSIFIER, "adam", class_weight={0: 0.0, 1: 1.0, 2: 1.0})
    data = X[LABELS == 0], LABELS[LABELS == 0]
    message = (
        r"All weights are zero in sample_weight times class_weight: no sample is left "
        r"to fit\. Give at least one sample a positive weight\."
    )
    assert_refused(model, message, *data, classes=CLASSES)
    if stage != "new":
        none = np.zeros(3)
        with pytest.raises(ValueError, match="All weights are zero in sample_weight"):
            model.set_params(warm_start=True).fit(X[:3], CLASSES, none)


@pytest.mark.wide(4)
@pytest.mark.parametrize("batch_size", [16, 40], ids=["mini-batches", "all rows"])
@pytest.mark.parametrize("rate", [1e6, 1e300])
@pytest.mark.parametrize("cls", [REGRESSOR, CLASSIFIER])
@every_stage
@both
def test_an_epoch_that_diverges(solver, stage, cls, rate, batch_size):
    """By its learning rate: named with the epoch; the moments are as they were."""
    model = at(stage, cls, solver, batch_size=batch_size, alpha=0.1)
    epoch = {"new": 1, "begun": 3, "fitted": 4}[stage]
    message = (
        rf"solver='{solver}' diverged in epoch {epoch}: the objective .*"
        rf"learning_rate_init={re.escape(f'{rate:g}')} is too large for this data: "
        r"lower it\."
    )
    change = {"learning_rate_init": rate}
    assert_refused(model, message, change=change, **classes_for(cls))


@pytest.mark.wide(5)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("scale", [1e30, 1e150, 1e250])
@every_stage
def test_a_chunk_of_huge_values(stage, scale, dtype):
    """However it goes wrong: one error, the weights and moments as they were."""
    model = at("new", REGRESSOR, "sgd")
    if stage != "new":
        model.partial_fit(X.astype(dtype), Y)
    if stage == "fitted":
        with pytest.warns(match="reached max_iter"):
            model.fit(X.astype(dtype), Y)
    assert_refused(model, r"(?s:.+)", scale * X, Y)


@pytest.mark.parametrize("after", [1, 2])
@every_stage
@both
def test_an_interrupt_in_the_middle_of_an_epoch(solver, stage, after, monkeypatch):
    """It propagates, and the call that follows starts from before the interrupt."""
    model = at(stage, REGRESSOR, solver)
    control = pickle.loads(pickle.dumps(model))
    before = dict(model.__dict__)
    with interrupted(monkeypatch, after) as taken, pytest.raises(KeyboardInterrupt):
        model.partial_fit(X, Y)
    assert len(taken) == after
    assert_as_before(model, before)
    assert_same_training(train_on(model), train_on(control))


@pytest.mark.parametrize("failing", range(4))
def test_a_failed_call_uses_up_no_patience(failing, monkeypatch):
    """The adaptive rate is lowered in the call in which it would have been.

    Targets so large make the one step of the failing call diverge, not the loss before.
    """
    params = {"learning_rate": "adaptive", "n_iter_no_change": 3, "tol": 1e3}
    model = at("new", REGRESSOR, "sgd", batch_size=40, **params)
    control = at("new", REGRESSOR, "sgd", batch_size=40, **params)
    for call in range(8):
        assert_same_training(train_on(model), train_on(control))
        if call == failing:
            with rates_seen(monkeypatch) as rates:
                with pytest.raises(ValueError, match=" diverged in epoch "):
                    model.partial_fit(X, 1e20 * Y)
            assert rates == [0.001 / 5 ** (failing // 3)]
    with rates_seen(monkeypatch) as rates:
        train_on(model)
        train_on(control)
    assert rates[0] == rates[1] < 0.001 / 5
