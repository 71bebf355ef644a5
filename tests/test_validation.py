"""Bad parameters: each is refused with one whole message, before any training."""

import inspect
import warnings

import numpy as np
import pytest
from refusal import LABELS, X, assert_refused, unquoted

from skwd import WeightDecayMLPClassifier, WeightDecayMLPRegressor

both = pytest.mark.parametrize(
    "Estimator", [WeightDecayMLPRegressor, WeightDecayMLPClassifier]
)


@both
def test_constructor_stores_parameters_untouched(Estimator):
    names = list(Estimator().get_params())
    values = {name: object() for name in names}
    estimator = Estimator(**values)
    assert all(getattr(estimator, name) is values[name] for name in names)
    assert estimator.__dict__.keys() == set(names)


@both
def test_constructor_is_keyword_only(Estimator):
    parameters = list(inspect.signature(Estimator.__init__).parameters.values())[1:]
    assert parameters
    assert {p.kind for p in parameters} == {inspect.Parameter.KEYWORD_ONLY}
    with pytest.raises(TypeError):
        Estimator((5,))


@pytest.mark.parametrize(
    "value",
    [
        0,
        (3, 0),
        -1,
        (3, -1),
        2.5,
        (3.0,),
        "3",
        ("3",),
        True,
        None,
        [[3]],
        ((3,), (4, 5)),
    ],
    ids=repr,
)
@both
def test_hidden_layer_sizes(Estimator, value):
    assert_refused(
        Estimator(hidden_layer_sizes=value),
        "hidden_layer_sizes must hold integers >= 1, one per hidden layer; got "
        f"{value!r}. Use hidden_layer_sizes=() for a linear model.",
        y=LABELS,
    )


@pytest.mark.parametrize(
    "value",
    [-1, np.nan, np.inf, "1.0", "bayes", True, (1, -1), (0.1, (0.2, 0.3))],
    ids=repr,
)
@both
def test_alpha(Estimator, value):
    near = ": did you mean 'evidence'?" if value == "bayes" else unquoted(value)
    assert_refused(
        Estimator(alpha=value),
        "alpha must be None, finite and >= 0, or one of 'auto', 'evidence', 'loo', "
        "'gcv'; got "
        f"{value!r}{near} Use alpha=None for the default, or alpha=0 for no weight "
        "decay.",
        y=LABELS,
    )


@pytest.mark.parametrize("value", [(), (1,), (1, 2, 3), np.array([0.1])], ids=repr)
@both
def test_alpha_of_as_many_as_not_the_layers(Estimator, value):
    assert_refused(
        Estimator(alpha=value, hidden_layer_sizes=(4,)),
        "alpha must be one number, or one per weight layer, here 2 (the hidden layers "
        f"and the output layer); got {len(value)}: {value!r}. To choose between "
        "numbers, use alpha='auto' or the CV form with these as its alphas.",
        y=LABELS,
    )


ACTIVATIONS = (
    "'identity', 'logistic', 'tanh', 'relu', 'leaky_relu', 'elu', 'selu', 'silu', "
    "'gelu', 'softplus'"
)


@pytest.mark.parametrize("value", ["foo", None, 3, ["relu"]], ids=repr)
@pytest.mark.parametrize(
    ("name", "choices"),
    [
        ("solver", "'auto', 'lbfgs', 'gd', 'sgd', 'adam'"),
        ("activation", ACTIVATIONS),
        ("learning_rate", "'constant', 'invscaling', 'adaptive', 'cosine', 'linear'"),
        (
            "decay",
            "'l2', 'decoupled', 'independent', 'normalized', 'scheduled', 'cautious'",
        ),
    ],
    ids=["solver", "activation", "learning_rate", "decay"],
)
@both
def test_unknown_names(Estimator, name, choices, value):
    near = {
        ("learning_rate", 3): ": did you mean learning_rate_init=3? This is its "
        "schedule.",
        ("decay", 3): ": the strength of weight decay is alpha. This is how alpha acts "
        "in a step.",
    }
    assert_refused(
        Estimator(**{name: value}),
        f"{name} must be one of {choices}; got {value!r}"
        f"{near.get((name, value) if value == 3 else name, '.')}",
        y=LABELS,
    )


@pytest.mark.parametrize("value", ["foo", None, 3], ids=repr)
def test_unknown_loss(value):
    assert_refused(
        WeightDecayMLPRegressor(loss=value),
        "loss must be one of 'squared_error', 'huber', 'absolute_error', 'quantile', "
        f"'poisson', 'gamma', 'tweedie'; got {value!r}.",
    )


@pytest.mark.parametrize(
    "value",
    [
        "foo",
        [1.0, 2.0],
        True,
        {0: -1.0, 1: 1.0},
        {0: np.nan, 1: 1.0},
        {0: np.inf, 1: 1.0},
        {0: "heavy", 1: 1.0},
        {0: None, 1: 1.0},
    ],
    ids=repr,
)
def test_class_weight(value):
    assert_refused(
        WeightDecayMLPClassifier(class_weight=value),
        "class_weight must be None, 'balanced' or a dict of class to weight >= 0; got "
        f"{value!r}. Use class_weight='balanced' for equal shares.",
        y=LABELS,
    )


def test_class_weight_of_no_class_at_hand():
    assert_refused(
        WeightDecayMLPClassifier(class_weight={5: 1.0}),
        "class_weight={5: 1.0} names 5, which is not among the classes [0, 1]. Use the "
        "labels of y as keys.",
        y=LABELS,
    )


@pytest.mark.parametrize("value", ["balanced", {0: 1.0, 1: 2.0}], ids=repr)
def test_class_weight_with_multilabel_targets(value):
    assert_refused(
        WeightDecayMLPClassifier(class_weight=value),
        f"class_weight={value!r} has no meaning for multilabel targets. Use "
        "class_weight=None and sample_weight.",
        y=np.column_stack([LABELS, 1 - LABELS]),
    )


@pytest.mark.wide(3)
@pytest.mark.parametrize("value", [0, -1, 1.5, 2.0, True, None, "5"], ids=repr)
@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("max_iter", "Use max_iter=3000, the default."),
        ("max_fun", "Use max_fun=15000, the default."),
        ("n_iter_no_change", "Use n_iter_no_change=10, the default."),
        ("n_init", "Use n_init=1 for a single start."),
    ],
)
@both
def test_counts(Estimator, name, remedy, value):
    no_limit = " or np.inf" if name in ("max_fun", "n_iter_no_change") else ""
    assert_refused(
        Estimator(**{name: value}),
        f"{name} must be an integer >= 1{no_limit}; got {value!r}"
        f"{unquoted(value)} {remedy}",
        y=LABELS,
    )


@pytest.mark.parametrize("early_stopping", [False, True])
@both
def test_no_limit(Estimator, early_stopping):
    """Without patience J falls to the minimum of smooth units all the same."""
    model = Estimator(
        hidden_layer_sizes=(2,),
        activation="tanh",
        alpha=0.01,
        max_fun=np.inf,
        n_iter_no_change=np.inf,
        max_iter=500,
        early_stopping=early_stopping,
        validation_fraction=0.5,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        model.fit(X, LABELS)
    assert np.isfinite(model.loss_)
    assert early_stopping or model.converged_


@pytest.mark.parametrize(
    "value", [-1, -1e-9, np.nan, np.inf, "a", None, True], ids=repr
)
@both
def test_tol(Estimator, value):
    assert_refused(
        Estimator(tol=value),
        f"tol must be a finite number >= 0; got {value!r}. Use tol=1e-5, the default.",
        y=LABELS,
    )


@pytest.mark.parametrize("value", [0, -1, np.nan, np.inf, "adaptive", True], ids=repr)
@both
def test_learning_rate_init(Estimator, value):
    assert_refused(
        Estimator(learning_rate_init=value),
        f"learning_rate_init must be a finite number > 0; got {value!r}. Values "
        "between 0.001 and 0.5 suit standardised data.",
        y=LABELS,
    )


@pytest.mark.parametrize("value", [0, 1, -0.1, 1.5, np.nan, "a", True], ids=repr)
@both
def test_validation_fraction(Estimator, value):
    assert_refused(
        Estimator(validation_fraction=value),
        "validation_fraction must be a number between 0 and 1, both excluded; got "
        f"{value!r}. Use validation_fraction=0.1 to hold out a tenth of the rows.",
        y=LABELS,
    )


@pytest.mark.parametrize("value", [0, 1, "yes", None], ids=repr)
@pytest.mark.parametrize("name", ["early_stopping", "warm_start", "ensemble"])
@both
def test_switches(Estimator, name, value):
    assert_refused(
        Estimator(**{name: value}),
        f"{name} must be True or False; got {value!r}. Use {name}=False, the default.",
        y=LABELS,
    )


@pytest.mark.parametrize("value", [0, 1, "yes", None], ids=repr)
def test_normalize_y(value):
    assert_refused(
        WeightDecayMLPRegressor(normalize_y=value),
        f"normalize_y must be True or False; got {value!r}. Use normalize_y=True, the "
        "default.",
    )


@pytest.mark.parametrize("value", [-1, 1.5, None, "loud"], ids=repr)
@both
def test_verbose(Estimator, value):
    assert_refused(
        Estimator(verbose=value),
        f"verbose must be a bool or an integer >= 0; got {value!r}. Use verbose=True "
        "for a line per iteration.",
        y=LABELS,
    )


@pytest.mark.parametrize("value", [-1, "a", 1.5], ids=repr)
def test_random_state(value):
    assert_refused(
        WeightDecayMLPRegressor(random_state=value),
        "random_state must be None, an integer from 0 to 2**32 - 1 or a RandomState; "
        f"got {value!r}. Use random_state=0 for the same result every time.",
    )


@pytest.mark.wide(4)
@pytest.mark.parametrize(
    "good",
    [
        {"hidden_layer_sizes": np.int64(3)},
        {"hidden_layer_sizes": np.array([3, 2])},
        {"hidden_layer_sizes": []},
        {"alpha": np.float32(0.01)},
        {"alpha": np.array([0.01, 0.02])},
        {"alpha": 0},
        {"max_iter": np.int32(500), "tol": 1, "early_stopping": np.True_},
    ],
    ids=repr,
)
def test_parameters_of_other_numeric_types_are_good(good):
    """The checks must not refuse what a grid search over arrays hands them."""
    estimator = WeightDecayMLPRegressor(
        **{"hidden_layer_sizes": (3,), "activation": "tanh", "alpha": 1e-3, **good},
        random_state=0,
    )
    plain = {
        name: value.tolist() if isinstance(value, (np.generic, np.ndarray)) else value
        for name, value in good.items()
    }
    expected = WeightDecayMLPRegressor(**{**estimator.get_params(), **plain})
    y = np.sin(X[:, 0])
    np.testing.assert_array_equal(
        estimator.fit(X, y).predict(X), expected.fit(X, y).predict(X)
    )
