"""What users have been bitten by elsewhere, one test for each behaviour."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.metrics import log_loss

from skwd import WeightDecayMLPClassifier, WeightDecayMLPRegressor

SMALL = {"hidden_layer_sizes": (8,), "random_state": 0}
EVERY = pytest.mark.parametrize(
    "solver",
    [
        {"solver": "lbfgs"},
        {"solver": "gd", "learning_rate_init": 0.1},
        {"solver": "sgd", "learning_rate_init": 0.03, "batch_size": 8},
        {"solver": "adam", "learning_rate_init": 0.03, "batch_size": 8},
    ],
    ids=["lbfgs", "gd", "sgd", "adam"],
)


def overfitting(n=60, seed=0):
    """Few rows, much noise: the validation loss turns up after a while."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 5))
    return X, X[:, 0] + rng.standard_normal(n)


def validation_loss(model, X, y):
    return 0.5 * np.mean((model.predict(X) - y) ** 2)


@EVERY
def test_early_stopping_restores_the_weights_of_the_lowest_validation_loss(solver):
    X, y = overfitting()
    X_val, y_val = overfitting(40, seed=1)
    how = {"early_stopping": True, "normalize_y": False}
    model = WeightDecayMLPRegressor(**how, **SMALL, **solver)
    model.fit(X, y, X_val=X_val, y_val=y_val)
    best = max(model.validation_scores_)
    assert model.best_validation_score_ == best
    assert -validation_loss(model, X_val, y_val) == pytest.approx(best, rel=1e-12)
    assert model.validation_scores_[-1] < best
    assert len(model.validation_scores_) == len(model.loss_curve_) == model.n_iter_
    assert model.converged_ and model.n_iter_ < model.max_iter


@pytest.mark.wide(4)
@EVERY
def test_patience_is_exact(solver):
    """Training ends n_iter_no_change iterations after the last improvement."""
    X, y = overfitting()
    X_val, y_val = overfitting(40, seed=1)
    for patience in (1, 3, 7):
        model = WeightDecayMLPRegressor(
            early_stopping=True, tol=0.0, n_iter_no_change=patience, **SMALL, **solver
        ).fit(X, y, X_val=X_val, y_val=y_val)
        best = int(np.argmax(model.validation_scores_)) + 1
        assert model.n_iter_ == best + patience


def test_patience_on_the_training_loss_is_exact():
    """gd on J: the reference falls by improvements above tol of it an epoch alone."""
    X, y = overfitting()
    model = WeightDecayMLPRegressor(
        solver="gd", learning_rate_init=0.1, tol=1e-3, n_iter_no_change=5, **SMALL
    ).fit(X, y)
    reference, waited = np.inf, 0
    for J in model.loss_curve_:
        assert waited < 5  # no epoch after the fifth without improvement
        improved = reference == np.inf or J < reference * (1.0 - 5e-3)
        reference, waited = (J, 0) if improved else (reference, waited + 1)
    assert waited == 5
    assert model.n_iter_ == len(model.loss_curve_)


def test_one_lucky_iteration_does_not_hide_slow_progress():
    """Steady progress of less than tol * 10 an epoch, but more over ten, goes on."""
    X, y = overfitting()
    model = WeightDecayMLPRegressor(
        hidden_layer_sizes=(),
        solver="gd",
        learning_rate_init=5e-4,
        tol=5e-5,
        alpha=0.0,
        n_iter_no_change=10,
        max_iter=40,
        random_state=0,
    )
    with pytest.warns(UserWarning, match="reached max_iter"):
        model.fit(X, y)
    falls = -np.diff(model.loss_curve_) / model.loss_curve_[0]
    assert (falls < 5e-4).all() and falls[-10:].sum() > 1e-3
    assert model.n_iter_ == 40


@pytest.mark.wide(4)
@EVERY
def test_a_second_warm_start_does_not_destroy_the_best_weights(solver):
    X, y = overfitting()
    X_val, y_val = overfitting(40, seed=1)
    model = WeightDecayMLPRegressor(
        early_stopping=True, warm_start=True, tol=1e-5, **SMALL, **solver
    )
    losses = []
    for _ in range(4):
        model.fit(X, y, X_val=X_val, y_val=y_val)
        losses.append(validation_loss(model, X_val, y_val))
    assert all(b <= a * (1 + 1e-12) for a, b in pairwise(losses)), losses


# Six rows, drawn anew each time for None, may suit a constant best.
@pytest.mark.filterwarnings("ignore:The network is worse than a constant")
@pytest.mark.parametrize("random_state", [0, None, np.random.RandomState(0)])
def test_a_warm_start_keeps_the_validation_rows(random_state, monkeypatch):
    import skwd._cv.problem as module

    X, y = overfitting()
    held_out, split = [], module.validation_split

    def spy(*args):
        parts = split(*args)
        held_out.append(parts[1])
        return parts

    monkeypatch.setattr(module, "validation_split", spy)
    model = WeightDecayMLPRegressor(
        hidden_layer_sizes=(8,),
        early_stopping=True,
        warm_start=True,
        random_state=random_state,
    )
    for _ in range(3):
        model.fit(X, y)
    assert_array_equal(held_out[0], held_out[1])
    assert_array_equal(held_out[0], held_out[2])
    assert len(held_out[0]) == 6


def test_a_warm_start_continues_where_the_last_fit_ended():
    X, y = overfitting()
    model = WeightDecayMLPRegressor(
        activation="tanh", alpha=0.01, warm_start=True, tol=1e-6, **SMALL
    ).fit(X, y)
    before = model.coefs_[0].copy()
    n_iter, loss = model.n_iter_, model.loss_
    assert n_iter > 20
    model.fit(X, y)
    assert model.n_iter_ <= n_iter / 4 and model.loss_ <= loss * (1.0 + 1e-12)
    np.testing.assert_allclose(model.coefs_[0], before, atol=0.05)
    higher = clone(model).fit(X, y).set_params(alpha=0.1)
    first = higher.loss_
    higher.fit(X, y)
    assert higher.alpha_ == 0.1 and higher.loss_ > first


def test_a_warm_start_names_what_does_not_fit():
    X, y = overfitting()
    model = WeightDecayMLPRegressor(warm_start=True, **SMALL).fit(X, y)
    model.set_params(hidden_layer_sizes=(9,))
    with pytest.raises(ValueError, match=r"continues layers of \(5, 8, 1\) units"):
        model.fit(X, y)
    model.set_params(hidden_layer_sizes=(8,), n_init=3, ensemble=True)
    with pytest.raises(ValueError, match="continues one network, but ensemble=True"):
        model.fit(X, y)
    model.set_params(n_init=1, ensemble=False, activation="tanh")
    with pytest.raises(ValueError, match="continues a network of activation='relu'"):
        model.fit(X, y)


def test_a_warm_start_has_the_same_classes(classes):
    """In scikit-learn's words."""
    X, y = classes
    model = WeightDecayMLPClassifier(warm_start=True, tol=1e-2, **SMALL).fit(X, y)
    before, some = model.predict_proba(X), y != 1
    for part, other in ((X[some], y[some]), (X, np.where(y == 1, 7, y))):
        with pytest.raises(ValueError) as refused:
            model.fit(part, other)
        assert str(refused.value) == (
            "warm_start can only be used where `y` has the same classes as in the "
            f"previous call to fit. Previously got [0 1 2], `y` has {np.unique(other)}."
            " Set warm_start=False to start anew."
        )
        assert_array_equal(model.predict_proba(X), before)


@pytest.mark.wide(4)
@EVERY
def test_early_stopping_survives_constant_y_and_two_validation_rows(solver):
    X, y = overfitting()
    model = WeightDecayMLPRegressor(early_stopping=True, **SMALL, **solver)
    model.fit(X, np.full(len(y), 3.0))
    assert np.abs(model.predict(X) - 3.0).mean() < 0.1
    model.set_params(validation_fraction=2 / 60).fit(X, y)
    assert np.isfinite(model.validation_scores_).all()


def test_early_stopping_watches_the_loss_not_the_accuracy(classes):
    X, y = classes
    model = WeightDecayMLPClassifier(early_stopping=True, tol=1e-4, **SMALL)
    model.fit(X[:100], y[:100], X_val=X[100:], y_val=y[100:])
    expected = -log_loss(y[100:], model.predict_proba(X[100:]), labels=[0, 1, 2])
    assert model.best_validation_score_ == pytest.approx(expected, rel=1e-10)


def test_validation_rows_are_stratified_and_weighted(classes):
    X, y = classes
    y = np.where(np.arange(150) < 10, 2, y % 2)  # ten rows of a rare class
    weight = np.random.default_rng(0).uniform(0.5, 2.0, 150)
    model = WeightDecayMLPClassifier(
        early_stopping=True,
        validation_fraction=0.2,
        class_weight="balanced",
        alpha=0.05,
        **SMALL,
    )
    seen = {}
    import skwd._solvers.task as module

    with pytest.MonkeyPatch.context() as patch:

        def spy(objective, params0, settings, watched, *rest):
            seen["validation"] = watched.samples[0]
            return train(objective, params0, settings, watched, *rest)

        train = module.train
        patch.setattr(module, "train", spy)
        model.fit(X, y, sample_weight=weight)
    sample = seen["validation"]
    assert len(sample) == 30 and sample.y[:, 2].sum() == 2
    sums = np.bincount(y, weight)
    expected = (weight * (weight.sum() / (3 * sums))[y])[sample.rows]
    np.testing.assert_allclose(sample.weight, expected, rtol=1e-12)


@pytest.mark.parametrize(
    "estimator", [WeightDecayMLPRegressor, WeightDecayMLPClassifier]
)
@pytest.mark.parametrize("solver", ["lbfgs", "gd"])
def test_solvers_of_all_rows_at_once_have_no_partial_fit(estimator, solver):
    model = estimator(solver=solver)
    assert not hasattr(model, "partial_fit")
    with pytest.raises(AttributeError) as caught:
        model.partial_fit  # noqa: B018
    assert str(caught.value) == (
        f"solver={solver!r} has no partial_fit: it needs all rows at once. Use "
        "solver='adam' or 'sgd'."
    )


def test_zero_weights_are_harmless(regression):
    """Even where a zero-weight row holds a value that would overflow."""
    X, y = regression
    weight = np.where(np.arange(len(y)) < 100, 1.0, 0.0)
    wild = X.copy()
    wild[100:] = 1e200
    ours = WeightDecayMLPRegressor(**SMALL).fit(wild, y, sample_weight=weight)
    alone = WeightDecayMLPRegressor(**SMALL).fit(X[:100], y[:100])
    assert_array_equal(ours.predict(X), alone.predict(X))


def test_every_solver_reaches_the_same_J(regression):
    X, y = regression
    J = [
        WeightDecayMLPRegressor(
            hidden_layer_sizes=(), alpha=0.1, tol=1e-12, random_state=0, **solver
        )
        .fit(X, y)
        .loss_
        for solver in (
            {"solver": "lbfgs"},
            {"solver": "gd", "learning_rate_init": 0.3},
        )
    ]
    assert J[1] == pytest.approx(J[0], rel=1e-9)
