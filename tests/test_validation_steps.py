"""Bad parameters of steps and batches: each refused with one whole message."""

import warnings

import numpy as np
import pytest
from refusal import LABELS, X, Y, assert_refused, unquoted

from skwd import WeightDecayMLPClassifier, WeightDecayMLPRegressor

both = pytest.mark.parametrize(
    "Estimator", [WeightDecayMLPRegressor, WeightDecayMLPClassifier]
)
# Bad parameters are named whether or not the solver reads them.
solvers = pytest.mark.parametrize("solver", ["adam", "lbfgs"])


def refused(Estimator, name, value, solver, wanted, remedy):
    assert_refused(
        Estimator(**{name: value}, solver=solver),
        f"{name} must be {wanted}; got {value!r}{unquoted(value)} {remedy}",
        y=LABELS,
    )


@pytest.mark.wide(3)
@pytest.mark.parametrize(
    "value", [0, -1, 1.5, 2.0, True, None, np.nan, "10", "all", [5]], ids=repr
)
@solvers
@both
def test_batch_size(Estimator, solver, value):
    wanted = "'auto' or an integer >= 1"
    remedy = "Use batch_size='auto' for min(200, n) rows."
    refused(Estimator, "batch_size", value, solver, wanted, remedy)


@pytest.mark.parametrize("value", [-0.1, np.nan, np.inf, "a", None, True], ids=repr)
@solvers
@both
def test_power_t(Estimator, solver, value):
    remedy = "Use power_t=0.5, the default."
    refused(Estimator, "power_t", value, solver, "a finite number >= 0", remedy)


@pytest.mark.wide(4)
@pytest.mark.parametrize(
    "value", [-0.1, 1, 1.0, 1.5, np.nan, -np.inf, "a", None, True, False], ids=repr
)
@pytest.mark.parametrize(
    ("name", "default"), [("momentum", 0.9), ("beta_1", 0.9), ("beta_2", 0.999)]
)
@solvers
@both
def test_rates_of_moments(Estimator, solver, name, default, value):
    remedy = f"Use {name}={default}, the default."
    refused(Estimator, name, value, solver, "a number >= 0 and < 1", remedy)


@pytest.mark.wide(3)
@pytest.mark.parametrize("value", [0, -1e-8, np.nan, np.inf, "a", None, True], ids=repr)
@solvers
@both
def test_epsilon(Estimator, solver, value):
    remedy = "Use epsilon=1e-8, the default."
    refused(Estimator, "epsilon", value, solver, "a finite number > 0", remedy)


@pytest.mark.wide(3)
@pytest.mark.parametrize("value", [0, 1, 1.0, "yes", None], ids=repr)
@pytest.mark.parametrize("name", ["shuffle", "nesterovs_momentum"])
@solvers
@both
def test_switches(Estimator, solver, name, value):
    remedy = f"Use {name}=True, the default."
    refused(Estimator, name, value, solver, "True or False", remedy)


@pytest.mark.parametrize(
    ("params", "solver", "solvers", "default"),
    [
        ({"batch_size": 50}, "lbfgs", "'sgd', 'adam'", "'auto'"),
        ({"batch_size": 50}, "gd", "'sgd', 'adam'", "'auto'"),
        ({"learning_rate": "cosine"}, "lbfgs", "'gd', 'sgd', 'adam'", "'constant'"),
        ({"learning_rate": "adaptive"}, "lbfgs", "'gd', 'sgd', 'adam'", "'constant'"),
        ({"decay": "decoupled"}, "lbfgs", "'gd', 'sgd', 'adam'", "'l2'"),
    ],
    ids=str,
)
@both
def test_a_parameter_of_other_solvers(Estimator, params, solver, solvers, default):
    """One that would be ignored though it was asked for."""
    ((name, value),) = params.items()
    assert_refused(
        Estimator(solver=solver, **params),
        f"{name}={value!r} is for the solvers {solvers}; got solver={solver!r}. Use "
        f"{name}={default}, or another solver.",
        y=LABELS,
    )


def quiet_fit(estimator):
    """A fit that may end by max_iter; any other warning is an error."""
    estimator.set_params(random_state=0)  # from some weights a step is into a collapse
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r".*reached max_iter \(max_iter=3,")
        return estimator.fit(X, Y)


@pytest.mark.parametrize(
    "params",
    [
        {"solver": "gd", "learning_rate": "adaptive"},
        {"solver": "gd", "learning_rate": "cosine", "decay": "decoupled"},
        {"solver": "sgd", "batch_size": 5, "learning_rate": "invscaling"},
        {"solver": "adam", "batch_size": 5, "decay": "decoupled"},
        # What a solver never reads is not asked for by its default's being changed.
        {"solver": "lbfgs", "momentum": 0.5, "beta_1": 0.5, "shuffle": False},
    ],
    ids=str,
)
def test_parameters_of_their_solvers_are_good(params):
    model = WeightDecayMLPRegressor(hidden_layer_sizes=(2,), max_iter=3, **params)
    assert np.isfinite(quiet_fit(model).loss_)


@pytest.mark.parametrize(
    "request_",
    [{"batch_size": 5}, {"learning_rate": "cosine"}, {"decay": "decoupled"}],
    ids=str,
)
def test_auto_is_adam_where_only_adam_can_do_what_is_asked(request_):
    common = {"hidden_layer_sizes": (2,), "max_iter": 3, "random_state": 0, **request_}
    auto = quiet_fit(WeightDecayMLPRegressor(solver="auto", **common))
    adam = quiet_fit(WeightDecayMLPRegressor(solver="adam", **common))
    np.testing.assert_array_equal(auto.coefs_[0], adam.coefs_[0])
    assert auto.loss_curve_ == adam.loss_curve_


@pytest.mark.parametrize(
    "good",
    [
        {"batch_size": np.int64(5)},
        {"momentum": np.float32(0.5), "nesterovs_momentum": np.False_},
        {"momentum": 0, "power_t": np.float64(0.25), "learning_rate": "invscaling"},
        {"solver": "adam", "beta_1": 0, "beta_2": np.float32(0.5)},
        {"solver": "adam", "epsilon": np.float32(1e-3), "shuffle": np.True_},
    ],
    ids=str,
)
def test_parameters_of_other_numeric_types_are_good(good):
    """The checks must not refuse what a grid search over arrays hands them."""
    common = {"hidden_layer_sizes": (2,), "max_iter": 3, "random_state": 0}
    common = {"solver": "sgd", "batch_size": 5, **common}
    plain = {k: v.item() if isinstance(v, np.generic) else v for k, v in good.items()}
    model = quiet_fit(WeightDecayMLPRegressor(**{**common, **good}))
    expected = quiet_fit(WeightDecayMLPRegressor(**{**common, **plain}))
    np.testing.assert_array_equal(model.predict(X), expected.predict(X))
