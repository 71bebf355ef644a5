"""What fit says of a training: whole messages, once, at the line that called it."""

import warnings
from unittest.mock import patch

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning, NotFittedError

import skwd._layout
import skwd._training
from skwd import WeightDecayMLPClassifier, WeightDecayMLPRegressor

RNG = np.random.default_rng(3)
X = RNG.standard_normal((40, 3))
Y = X @ [1.0, -2.0, 0.5] + 0.3 * np.sin(3.0 * X[:, 0]) + 1.0


def network(**params):
    params = {"hidden_layer_sizes": (4,), "activation": "tanh", **params}
    return WeightDecayMLPRegressor(random_state=0, **params)


def linear(**params):
    return WeightDecayMLPRegressor(hidden_layer_sizes=(), random_state=0, **params)


def linear_loss_gradient(W, b, alpha):
    """J of the linear model on X and Y, and its gradient by W (3,) and b."""
    residual = X @ W + b - Y
    J = 0.5 * np.mean(residual**2) + 0.5 * alpha * W @ W
    return J, X.T @ residual / len(Y) + alpha * W, residual.mean()


def tanh_gradient_norm(coefs, intercepts, alpha):
    """The largest gradient entry of J of one tanh layer on X and Y."""
    A = np.tanh(X @ coefs[0] + intercepts[0])
    delta = (A @ coefs[1] + intercepts[1] - Y[:, np.newaxis]) / len(Y)
    hidden = delta @ coefs[1].T * (1.0 - A**2)
    dW = [X.T @ hidden + alpha * coefs[0], A.T @ delta + alpha * coefs[1]]
    gradient = [*dW, hidden.sum(axis=0), delta.sum(axis=0)]
    return max(np.abs(part).max() for part in gradient)


def said(estimator, *data):
    """The one warning of fit, raised for the line that called it."""
    with pytest.warns() as record:
        estimator.fit(*data)
    assert len(record) == 1
    assert record[0].filename == __file__
    return record[0].category, str(record[0].message)


def late(estimator, ended, remedy, gradient, who=""):
    return ConvergenceWarning, (
        f"{who}solver='lbfgs' {ended} after {estimator.n_iter_} iterations, with a "
        f"largest gradient entry of {gradient:.2g} (tol={estimator.tol:g}). {remedy}."
    )


@pytest.mark.parametrize("solver", ["lbfgs", "auto"])
@pytest.mark.parametrize(
    ("name", "value", "n_iter"), [("max_iter", 3, {3}), ("max_fun", 5, {2, 3, 4})]
)
def test_warning_of_too_few_iterations_or_evaluations(name, value, n_iter, solver):
    model = network(solver=solver, alpha=0.01, **{name: value})
    found = said(model, X, Y)
    assert model.n_iter_ in n_iter
    assert not model.converged_
    gradient = tanh_gradient_norm(model.coefs_, model.intercepts_, 0.01)
    remedy = f"Increase {name} or tol, or standardise X (StandardScaler)"
    assert found == late(model, f"reached {name}", remedy, gradient)


def test_warning_of_gradient_descent():
    model = linear(solver="gd", learning_rate_init=0.01, max_iter=7, alpha=0.1)
    category, text = said(model, X, Y)
    W, b = model.coefs_[0][:, 0], model.intercepts_[0][0]
    _, dW, db = linear_loss_gradient(W, b, 0.1)
    assert category is ConvergenceWarning
    assert text == (
        "solver='gd' reached max_iter after 7 epochs, with a largest gradient "
        f"entry of {max(*np.abs(dW), abs(db)):.2g} (tol=0.0001). Increase max_iter, "
        "tol or learning_rate_init, or standardise X."
    )


def test_warning_of_a_stalled_line_search():
    """Nothing but zeros meets tol=0, and J in float32 stops falling before."""
    model = network(alpha=0.01, tol=0)
    category, text = said(model, X.astype(np.float32), Y)
    assert category is ConvergenceWarning
    start = (
        "solver='lbfgs' found no step that lowers the objective at this precision "
        f"after {model.n_iter_} iterations, with a largest gradient entry of "
    )
    gradient, _, rest = text.removeprefix(start).partition(" ")
    # J of about 0.1 is known to an epsilon, 1e-7: the gradient to about its root.
    assert 0.0 < float(gradient) < 1e-3
    assert rest == "(tol=0). Increase tol, standardise X and y, or pass X as float64."


def stack_of(model):
    """The trained stack behind a fit on X and Y, those that are not kept included."""
    stacks = []

    def train(*args):
        stacks.append(skwd._training.train(*args))
        return stacks[0]

    with patch("skwd._path.train", train):
        model.fit(X, Y)
    return stacks[0]


def test_warning_of_several_networks_of_an_ensemble():
    """Ended when the first of three converges, two are late; the latest is told."""
    model = network(alpha=0.01, n_init=3, ensemble=True)
    first, second, _ = np.sort(stack_of(model).nit)
    assert first < second
    category, text = said(model.set_params(max_iter=int(first)), X, Y)
    norms = [
        tanh_gradient_norm(coefs, intercepts, 0.01)
        for coefs, intercepts in zip(zip(*model.coefs_), zip(*model.intercepts_))
    ]
    assert sum(norm <= model.tol for norm in norms) == 1
    assert category is ConvergenceWarning
    assert text == (
        f"2 of 3 networks: solver='lbfgs' reached max_iter after {first} iterations, "
        f"with a largest gradient entry of {max(norms):.2g} (tol=0.0001). Increase "
        "max_iter or tol, or standardise X (StandardScaler)."
    )
    assert not model.converged_


def starting_far_off(networks, scale):
    """Initial weights with those of some networks of a stack multiplied by scale."""

    def initial_params(*args):
        params = skwd._layout.initial_params(*args)
        params[networks] *= scale
        return params

    return patch("skwd._estimator.initial_params", initial_params)


def test_no_warning_for_a_restart_that_is_not_kept():
    """Without an ensemble only the network that predicts has to converge."""
    model = linear(solver="gd", learning_rate_init=0.3, n_init=2)
    with starting_far_off([1], 100.0):
        near, far = stack_of(model).nit
        assert near < far
        with pytest.warns(ConvergenceWarning, match=r"^1 of 2 networks: "):
            model.set_params(max_iter=int(near), ensemble=True).fit(X, Y)
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
        "for this data: lower it, or standardise X (and y)."
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
        "about zero, and the network predicts a constant. Lower alpha."
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
    answer = skwd._training.Monitor.__call__
    calls = []

    def third(self, *args):
        calls.append(args)
        if len(calls) % 3 == 0:
            raise KeyboardInterrupt
        return answer(self, *args)

    with patch("skwd._training.Monitor.__call__", third):
        for candidate in (model, fitted):
            with pytest.raises(KeyboardInterrupt):
                candidate.fit(X, Y)
    assert len(calls) == 6
    assert fitted.__dict__.keys() == before.keys()
    assert all(fitted.__dict__[name] is before[name] for name in before)
    np.testing.assert_array_equal(fitted.predict(X), predicted)
    with pytest.raises(NotFittedError):
        model.predict(X)
