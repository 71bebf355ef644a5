"""What fit says of a training: whole messages, once, at the line that called it."""

import ast
import re
import warnings
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning, NotFittedError

import skwd._core.layout
import skwd._solvers.training
from skwd import WeightDecayMLPClassifier, WeightDecayMLPRegressor

RNG = np.random.default_rng(3)
X = RNG.standard_normal((40, 3))
Y = X @ [1.0, -2.0, 0.5] + 0.3 * np.sin(3.0 * X[:, 0]) + 1.0


def network(**params):
    params = {"hidden_layer_sizes": (4,), "activation": "tanh", **params}
    return WeightDecayMLPRegressor(random_state=0, **params)


def collapse_alpha():
    """||X'r|| / n with r = y - mean(y) in y's deviations: tanh has slope 1 at 0."""
    residual = (Y - Y.mean()) / Y.std()
    return np.linalg.norm(X.T @ residual) / len(Y)


def linear(**params):
    params = {"hidden_layer_sizes": (), "random_state": 0, **params}
    return WeightDecayMLPRegressor(normalize_y=False, **params)


def linear_loss_gradient(W, b, alpha):
    """J of the linear model on X and Y, and its gradient by W (3,) and b."""
    centred = X - X.mean(axis=0)  # as networks are trained
    residual = centred @ W + b - Y
    J = 0.5 * np.mean(residual**2) + 0.5 * alpha * W @ W
    return J, centred.T @ residual / len(Y) + alpha * W, residual.mean()


def said(estimator, *data):
    """The one warning of fit, for the line that called it, and its notes."""
    with pytest.warns() as record:
        estimator.fit(*data)
    assert len(record) == 1
    assert record[0].filename == __file__
    message = record[0].message
    text = "\n".join([str(message), *getattr(message, "__notes__", ())])
    return record[0].category, text


def late(estimator, ended, remedy, who="", some=""):
    """The whole message, what is in sight left to a pattern."""
    solver = {"auto": "'auto', here 'lbfgs',"}.get(estimator.solver, "'lbfgs'")
    return (
        rf"{who}solver={solver} {ended} \(max_iter={estimator.max_iter}, "
        rf"tol={estimator.tol:g}\)\. {remedy}\.\n{some}{estimator.n_iter_} "
        r"iterations, a fall of J by (\S+) of itself in sight"
    )


@pytest.mark.parametrize("solver", ["lbfgs", "auto"])
@pytest.mark.parametrize(
    ("name", "value", "n_iter"), [("max_iter", 3, {3}), ("max_fun", 5, {2, 3, 4})]
)
def test_warning_of_too_few_iterations_or_evaluations(name, value, n_iter, solver):
    model = network(solver=solver, alpha=0.01, **{name: value})
    category, text = said(model, X, Y)
    assert category is ConvergenceWarning
    assert model.n_iter_ in n_iter
    assert not model.converged_
    found = re.fullmatch(
        late(model, f"reached {name}", f"Increase {name} or tol"), text
    )
    # What is promised early on is of the size of what is gained later.
    best = network(alpha=0.01).fit(X, Y).loss_
    assert 0.01 < float(found[1]) < 100.0 * (model.loss_ / best - 1.0)


def test_the_text_is_the_same_whatever_the_rows():
    """So that Python's filter "once" shows it once; what differs is in the notes."""
    texts, notes = [], []
    for start in range(4):
        for short in ({"max_iter": 3}, {"max_fun": 5, "n_init": 3, "ensemble": True}):
            with pytest.warns(ConvergenceWarning) as record:
                network(alpha=0.01, **short).fit(X[start:], Y[start:])
            texts += [str(w.message) for w in record]
            notes += [note for w in record for note in w.message.__notes__]
    assert len(texts) == 8 and len(set(texts)) == 2
    assert len(notes) == 8 and len(set(notes)) > 2


def test_warning_of_gradient_descent():
    model = linear(solver="gd", learning_rate_init=0.01, max_iter=7, alpha=0.1)
    category, text = said(model, X, Y)
    assert category is ConvergenceWarning
    assert text == (
        "solver='gd' reached max_iter (max_iter=7, tol=1e-05). Increase max_iter, tol "
        "or learning_rate_init.\n7 epochs"
    )


def test_warning_of_gradient_descent_that_ends_before_a_minimum():
    """Steps so short that J falls by less than patience asks for."""
    model = network(solver="gd", learning_rate_init=1e-7, alpha=0.01)
    category, text = said(model, X, Y)
    assert category is ConvergenceWarning
    found = re.fullmatch(
        rf"solver='gd' made no more progress, though not at a minimum "
        rf"\(max_iter={model.max_iter}, tol=1e-05\)\."
        r"(?: It is worse than a constant\.)? Increase learning_rate_init, or use "
        rf"solver='lbfgs'\.\n{model.n_iter_} epochs, a fall of J by (\S+) of itself in "
        "sight",
        text,
    )
    assert float(found[1]) > 0.01 and not model.converged_


def test_warning_of_a_stalled_line_search():
    """Nothing but zeros meets tol=0, and J in float32 stops falling before."""
    model = network(alpha=0.01, tol=0)
    category, text = said(model, X.astype(np.float32), Y)
    assert category is ConvergenceWarning
    ended = "found no step that lowers the objective at this precision"
    remedy = "Increase tol, or pass X as float64"
    found = re.fullmatch(late(model, ended, remedy), text)
    # J is known to an epsilon of float32.
    assert 0.0 <= float(found[1]) < 1e-4
    _, text = said(model, X, Y)
    assert ended in text and "float64" not in text and "Increase tol." in text


@pytest.mark.parametrize("solver", ["lbfgs", "gd", "adam"])
def test_units_that_are_amiss_are_named_as_the_cause(solver):
    """y, where it is not scaled, and X; a standardised X is not to be standardised."""
    model = network(solver=solver, max_iter=2, alpha=0.01, normalize_y=False)
    _, text = said(model, X, 1e4 * Y)
    deviation = f"{1e4 * Y.std():.3g}"
    cause = f"Use normalize_y=True for y, whose deviation is {deviation}. Incr"
    assert cause in text and "tandardise X" not in text
    _, text = said(network(max_iter=2, alpha=0.01), 1e3 * X, 1e4 * Y)
    largest = f"{1e3 * X.std(axis=0).max():.3g}"
    cause = (
        "Standardise X (StandardScaler), whose columns have a standard deviation of "
        f"{largest} at most. Incr"
    )
    assert cause in text and "normalize_y" not in text


def test_a_constant_is_never_told_to_be_scaled():
    model = network(solver="adam", max_iter=3)
    _, message = said(model, X, np.full(len(X), 3.0))
    assert message.startswith("solver='adam' reached max_iter")
    assert "normalize_y" not in message


@pytest.mark.parametrize("loss", ["huber", "absolute_error", "quantile"])
@pytest.mark.parametrize("solver", ["gd", "sgd", "adam"])
@pytest.mark.parametrize("missing", ["error", "mask"])
def test_a_scaled_y_with_outliers_is_never_told_to_be_scaled(loss, solver, missing):
    """One row far out makes the standard deviation large, not what y is divided by."""
    if missing == "mask":
        loss = "squared_error"
    far_out = np.where(np.arange(len(Y)) == 0, 1e6, Y)
    model = network(loss=loss, solver=solver, max_iter=3, missing_targets=missing)
    model.set_params(alpha=0.1, learning_rate_init=1e-9)
    _, text = said(model, X, far_out)
    assert "max_iter" in text and "normalize_y" not in text
    model.set_params(normalize_y=False)
    _, text = said(model, X, 1e6 * Y)
    assert "Use normalize_y=True for y, whose deviation is " in text
    model.set_params(normalize_y=True)  # as it says
    _, text = said(model, X, 1e6 * Y)
    assert "normalize_y" not in text


def test_counts_are_never_told_to_be_scaled():
    counts = np.floor(np.exp(Y))
    model = network(loss="poisson", max_iter=2, alpha=0.01)
    _, text = said(model, X, 1e4 * counts)
    assert "normalize_y" not in text
    with pytest.raises(ValueError) as caught:
        network(loss="poisson", activation="relu").fit(1e300 * X, counts)
    assert "normalize_y" not in str(caught.value)


def test_a_network_worse_than_a_constant_is_named():
    """It has learnt the opposite, and its steps are too short to learn."""
    model = network(alpha=1e-3, warm_start=True).fit(X, -Y)
    model.set_params(solver="sgd", learning_rate_init=1e-9)
    category, text = said(model, X, Y)
    assert category is UserWarning and model.converged_
    loss = 0.5 * np.mean((Y - model.predict(X)) ** 2) / Y.var()
    assert loss > 0.5
    assert text == (
        "The network is worse than a constant: its loss on the rows trained on is "
        f"{loss:.4g}, that of a constant 0.5. Lower alpha or learning_rate_init, or "
        "use solver='lbfgs'."
    )


@pytest.mark.parametrize(
    "given",
    [
        {"dropout": 0.001},
        {"batch_size": 7, "learning_rate": "cosine"},
        {"decay": "decoupled", "warmup_epochs": 2, "dropout": (0.0, 0.1)},
    ],
)
def test_another_solver_is_named_with_all_that_it_does_not_read(given):
    """Whoever follows the remedy has a fit, and no further error."""
    model = network(alpha=1e-3, warm_start=True).fit(X, -Y)
    model.set_params(solver="sgd", learning_rate_init=1e-9, **given)
    _, text = said(model, X, Y)
    remedy = text.partition(", or use ")[2].removesuffix(".")
    name, *left_out = (part.partition("=") for part in remedy.split(" and "))
    assert name == ("solver", "=", "'lbfgs'")
    assert {part[0] for part in left_out} == set(given)
    defaults = WeightDecayMLPRegressor().get_params()
    for parameter, _, value in left_out:
        assert ast.literal_eval(value) == defaults[parameter]
    model.set_params(solver="lbfgs", **{name: defaults[name] for name in given})
    assert model.fit(X, Y).converged_


class Subclass(WeightDecayMLPRegressor):
    def fit(self, X, y):
        return super().fit(X, y)  # the line that is warned of


@pytest.mark.parametrize("seed", [2, 3, 4])
def test_units_that_are_dead_from_the_start_have_no_ratio_of_gradients(seed):
    model = WeightDecayMLPRegressor(
        hidden_layer_sizes=(1, 1), alpha=0, random_state=seed
    )
    x, y = np.arange(8.0)[:, np.newaxis], [3, -1, 2, -2, 5, 0, 1, 4]
    _, message = said(model, x, y)
    assert message.startswith("The network predicts a constant: with 2 hidden layers")


def test_a_warning_points_at_the_line_that_called_the_package():
    with pytest.warns(UserWarning) as caught:
        Subclass(alpha=100.0, hidden_layer_sizes=(2,)).fit(X, Y)
    assert caught[0].filename == __file__
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    assert lines[caught[0].lineno - 1].strip().startswith("return super().fit(X, y)")


def stack_of(model):
    """The trained stack behind a fit on X and Y, those that are not kept included."""
    stacks = []

    def train(*args):
        stacks.append(skwd._solvers.training.train(*args))
        return stacks[0]

    with patch("skwd._solvers.task.train", train):
        model.fit(X, Y)
    return stacks[0]


def test_warning_of_several_networks_of_an_ensemble():
    """Ended when the first of three converges, two are late; the latest is told."""
    model = network(alpha=0.01, n_init=3, ensemble=True)
    first, second, _ = np.sort(stack_of(model).nit)
    assert first < second
    category, text = said(model.set_params(max_iter=int(first)), X, Y)
    assert category is ConvergenceWarning
    pattern = late(
        model,
        "reached max_iter",
        "Increase max_iter or tol",
        "Some networks of the ensemble are late: ",
        "2 of 3 networks, ",
    )
    assert float(re.fullmatch(pattern, text)[1]) > model.tol
    assert not model.converged_


def starting_far_off(networks, scale):
    """Initial weights with those of some networks of a stack multiplied by scale."""

    def initial_params(*args):
        params = skwd._core.layout.initial_params(*args)
        params[networks] *= scale
        return params

    return patch("skwd._cv.problem.initial_params", initial_params)


@pytest.mark.slow
def test_no_warning_for_a_restart_that_is_not_kept():
    """Without an ensemble only the network that predicts has to converge."""
    model = network(solver="gd", learning_rate_init=0.3, n_init=2, alpha=0.01)
    with starting_far_off([1], 3.0):
        near, far = stack_of(model).nit
        assert near < far
        model.set_params(max_iter=int(near), ensemble=True)
        with pytest.warns(ConvergenceWarning, match="^Some networks of") as caught:
            model.fit(X, Y)
        assert caught[0].message.__notes__[0].startswith("1 of 2 networks, ")
        model.set_params(ensemble=False).fit(X, Y)
    assert model.converged_
    assert model.n_iter_ == near


def diverging_curve(alpha, rate):
    """J of each epoch of gradient descent until it is 1000 times the first, J after.

    The loss is that before the epoch's step, the penalty that at its end.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        # A step of 1e-300 leaves the initial weights as they are.
        start = linear(solver="gd", learning_rate_init=1e-300, max_iter=1).fit(X, Y)
    W, b = start.coefs_[0][:, 0], start.intercepts_[0][0]
    b = b + X.mean(axis=0) @ W
    curve = []
    while not curve or curve[-1] <= 1000.0 * curve[0]:
        J, dW, db = linear_loss_gradient(W, b, alpha)
        loss = J - 0.5 * alpha * W @ W
        W, b = W - rate * dW, b - rate * db
        curve.append(loss + 0.5 * alpha * W @ W)
    return curve, linear_loss_gradient(W, b, alpha)[0]


@pytest.mark.parametrize(("alpha", "rate"), [(0.1, 2.0), (0.1, 1.5), (0.0, 3.0)])
def test_divergence_names_the_iteration_and_the_remedy(alpha, rate):
    curve, final = diverging_curve(alpha, rate)
    assert 2 < len(curve) < 100
    model = linear(solver="gd", alpha=alpha, learning_rate_init=rate)
    with pytest.raises(ValueError) as caught:
        model.fit(X, Y)
    assert str(caught.value) == (
        f"solver='gd' diverged in epoch {len(curve)}: the objective went from "
        f"{curve[0]:.3g} to {final:.3g}. learning_rate_init={rate:g} is too large "
        "for this data: lower it."
    )
    with pytest.raises(NotFittedError):
        model.predict(X)


def test_a_failed_training_leaves_the_fitted_estimator_as_it_was():
    model = linear(solver="gd", learning_rate_init=0.1).fit(X, Y)
    before, predicted = dict(model.__dict__), model.predict(X)
    model.set_params(learning_rate_init=10.0)
    with pytest.raises(ValueError):
        model.fit(X, Y)
    assert model.__dict__ == before | {"learning_rate_init": 10.0}
    np.testing.assert_array_equal(model.predict(X), predicted)


@pytest.mark.wide(4)
@pytest.mark.parametrize("lost", [[1], [0, 2]])
@pytest.mark.parametrize("scale", [100.0, 1e200], ids=["diverges", "overflows"])
def test_a_lost_restart_is_dropped_and_the_others_are_kept(lost, scale):
    """An identity layer is steep far from the origin: large weights diverge there."""
    params = {"activation": "identity", "solver": "gd", "learning_rate_init": 0.1}
    ensemble = network(n_init=3, ensemble=True, **params).fit(X, Y)
    kept = [k for k in range(3) if k not in lost]
    with starting_far_off(lost, scale):
        fewer = network(n_init=3, ensemble=True, **params).fit(X, Y)
        single = network(n_init=3, **params).fit(X, Y)
    # One product per network: rounding is all that its neighbours may change.
    for W, expected in zip(fewer.coefs_, ensemble.coefs_, strict=True):
        np.testing.assert_allclose(W, expected[kept], rtol=1e-12)
    assert single.loss_ == fewer.loss_
    assert sum(np.array_equal(single.coefs_[0], W) for W in fewer.coefs_[0]) == 1


def test_all_restarts_lost_is_an_error():
    model = network(
        activation="identity", solver="gd", learning_rate_init=10.0, n_init=3
    )
    with pytest.raises(ValueError, match=r"^solver='gd' diverged in epoch \d+: "):
        model.fit(X, Y)


@pytest.mark.parametrize(
    ("alpha", "shown"),
    [(100.0, "100"), ([50.0, 200.0], "[50.0, 200.0]"), (np.full(2, 80), "80")],
)
@pytest.mark.parametrize("solver", ["lbfgs", "gd"])
def test_collapse_is_named(solver, alpha, shown):
    model = network(alpha=alpha, solver=solver, learning_rate_init=0.005)
    category, text = said(model, X, Y)
    assert category is UserWarning
    assert text == (
        f"alpha={shown} is too large for this data: every weight has collapsed to "
        "about zero, and the network predicts a constant. Lower alpha: small weights "
        f"leave zero below about {collapse_alpha():.2g}."
    )
    assert np.ptp(model.predict(X)) < 1e-2 * np.ptp(Y)


def test_collapse_of_a_classifier_is_named():
    model = WeightDecayMLPClassifier(alpha=10.0, random_state=0)
    assert said(model, X, Y > 1.0)[1].startswith("alpha=10 is too large for this data:")


@pytest.mark.parametrize(
    "model",
    [linear(alpha=1e6), network(alpha=0.1), network(alpha=(0.0, 100.0))],
    ids=["linear", "moderate", "one layer"],
)
def test_no_collapse_to_name(model):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(X, Y)


@pytest.mark.parametrize("solver", ["lbfgs", "gd"])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_keyboard_interrupt_propagates_and_changes_nothing(solver, early_stopping):
    model = network(solver=solver, early_stopping=early_stopping, alpha=0.01)
    fitted = network(alpha=0.01).fit(X, Y).set_params(**model.get_params())
    before, predicted = dict(fitted.__dict__), fitted.predict(X)
    answer = skwd._solvers.training.Monitor.__call__
    calls = []

    def third(self, *args):
        calls.append(args)
        if len(calls) % 3 == 0:
            raise KeyboardInterrupt
        return answer(self, *args)

    with patch("skwd._solvers.training.Monitor.__call__", third):
        for candidate in (model, fitted):
            with pytest.raises(KeyboardInterrupt):
                candidate.fit(X, Y)
    assert len(calls) == 6
    assert fitted.__dict__.keys() == before.keys()
    assert all(fitted.__dict__[name] is before[name] for name in before)
    np.testing.assert_array_equal(fitted.predict(X), predicted)
    with pytest.raises(NotFittedError):
        model.predict(X)
