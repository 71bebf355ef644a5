"""partial_fit: k calls are k epochs of fit, bit for bit, pickled in between or not."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from spies import assert_same_training, batches_seen, numbered, rates_seen

from skwd import WeightDecayMLPClassifier, WeightDecayMLPRegressor
from skwd._solvers.schedules import SCHEDULES

pytestmark = pytest.mark.usefixtures("one_blas_thread")
SOLVERS = {
    "adam": {"solver": "adam", "learning_rate_init": 0.02},
    "sgd": {"solver": "sgd", "learning_rate_init": 0.02},
}
both = pytest.mark.parametrize("solver", SOLVERS)

RNG = np.random.default_rng(0)
N = 61  # in batches of 12: the last one has a single row
X = RNG.standard_normal((N, 3))
Y = np.sin(2.0 * X[:, 0]) + X[:, 1] * X[:, 2]
LABELS = np.digitize(Y, [-0.4, 0.4])
WEIGHT = RNG.uniform(0.2, 2.0, N) * (np.arange(N) % 5 > 0)
KINDS = {
    "regression": (WeightDecayMLPRegressor, np.column_stack([Y, Y**2]), {}),
    "poisson": (
        WeightDecayMLPRegressor,
        RNG.poisson(np.exp(0.5 * X[:, 0])),
        {"loss": "poisson"},
    ),
    "binary": (WeightDecayMLPClassifier, np.where(Y > 0, "up", "down"), {}),
    "classes": (WeightDecayMLPClassifier, LABELS, {"class_weight": {0: 2, 1: 1, 2: 1}}),
    "multilabel": (
        WeightDecayMLPClassifier,
        np.column_stack([Y > 0, X[:, 0] > 1]).astype(int),
        {},
    ),
}


def network(cls=WeightDecayMLPRegressor, solver="adam", **params):
    """A network of mini-batches that does not stop before max_iter, 5 epochs."""
    common = {"hidden_layer_sizes": (5,), "batch_size": 12, "max_iter": 5}
    common |= {"n_iter_no_change": 1000, "tol": 0.0, "random_state": 0, "alpha": 1e-3}
    return cls(**{**common, **SOLVERS[solver], **params})


def fit(model, *data, **kwargs):
    """``fit`` of all max_iter epochs."""
    with pytest.warns(ConvergenceWarning, match="reached max_iter"):
        model.fit(*data, **kwargs)
    assert model.n_iter_ == model.max_iter
    return model


def epoch_by_epoch(model, X, y, sample_weight=None, pickled=False):
    """As many calls of partial_fit as ``fit`` has epochs."""
    multilabel = np.ndim(y) == 2
    is_classifier = isinstance(model, WeightDecayMLPClassifier)
    classes = np.unique(y) if is_classifier and not multilabel else None
    n_seen = X.shape[0] if sample_weight is None else np.count_nonzero(sample_weight)
    for k in range(model.max_iter):
        given = {"classes": classes} if classes is not None and k == 0 else {}
        model.partial_fit(X, y, sample_weight=sample_weight, **given)
        if pickled:
            model = pickle.loads(pickle.dumps(model))
        assert model.n_iter_ == k + 1 and model.t_ == (k + 1) * n_seen
        assert len(model.loss_curve_) == k + 1 and not model.converged_
    return model


@pytest.mark.wide(20)
@pytest.mark.parametrize("batch_size", ["auto", 12], ids=["all rows", "mini-batches"])
@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("schedule", SCHEDULES)
@both
def test_calls_are_epochs_under_every_schedule(
    solver, schedule, shuffle, batch_size, monkeypatch
):
    """No epoch improves by tol here: "adaptive" lowers its rate at every second."""
    params = {"learning_rate": schedule, "shuffle": shuffle, "max_iter": 8}
    if schedule == "adaptive":
        params |= {"n_iter_no_change": 2, "tol": 1e3}
    model = network(solver=solver, batch_size=batch_size, **params)
    with rates_seen(monkeypatch) as rates:
        whole = fit(clone(model), X, Y)
    with rates_seen(monkeypatch) as rates_by_call:
        parts = epoch_by_epoch(model, X, Y)
    assert_same_training(parts, whole)
    assert rates_by_call == rates
    epochs = np.arange(8)
    expected = {
        "constant": np.ones(8),
        "invscaling": (epochs + 1) ** -0.5,
        "adaptive": 5.0 ** -np.array([0, 0, 0, 1, 1, 2, 2, 3]),
        "cosine": (1 + np.cos(np.pi * epochs / 8)) / 2,
        "linear": 1 - epochs / 8,
    }[schedule]
    np.testing.assert_allclose(rates, 0.02 * expected, rtol=1e-14)


@both
def test_the_cosine_keeps_its_last_rate_after_max_iter_calls(solver, monkeypatch):
    model = network(solver=solver, learning_rate="cosine", max_iter=4)
    with rates_seen(monkeypatch) as rates:
        for _ in range(7):
            model.partial_fit(X, Y)
    expected = 0.01 * (1 + np.cos(np.pi * np.array([0, 1, 2, 3, 3, 3, 3]) / 4))
    np.testing.assert_allclose(rates, expected, rtol=1e-14)


@pytest.mark.wide(36)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("form", ["float64", "float32", "sparse"])
@pytest.mark.parametrize("batch_size", [200, 12], ids=["all rows", "mini-batches"])
@pytest.mark.parametrize("kind", KINDS)
@both
def test_calls_are_epochs_for_every_kind_of_data(
    solver, kind, batch_size, form, weighted
):
    cls, y, params = KINDS[kind]
    data = X.astype("float32") if form == "float32" else X
    data = sparse.csr_matrix(np.maximum(data, 0.0)) if form == "sparse" else data
    weight = WEIGHT if weighted else None
    model = network(cls, solver, batch_size=batch_size, **params)
    whole = fit(clone(model), data, y, sample_weight=weight)
    parts = epoch_by_epoch(model, data, y, weight)
    assert_same_training(parts, whole)
    assert parts.coefs_[0].dtype == data.dtype
    assert_array_equal(parts.predict(data), whole.predict(data))


@pytest.mark.wide(5)
@pytest.mark.filterwarnings("ignore:ensemble=True averages n_init networks")
@pytest.mark.parametrize(
    "params",
    [
        {"solver": "sgd", "nesterovs_momentum": False},
        {"solver": "sgd", "momentum": 0.0},
        {"solver": "sgd", "decay": "decoupled", "learning_rate": "cosine"},
        {"solver": "adam", "decay": "decoupled", "learning_rate": "invscaling"},
        {"solver": "adam", "hidden_layer_sizes": ()},
        {"solver": "adam", "hidden_layer_sizes": (4, 3), "activation": "tanh"},
        {"solver": "adam", "alpha": (0.5, 0.01), "ensemble": True},
        {"solver": "adam", "warm_start": True},
        {"solver": "adam", "random_state": np.random.RandomState(3)},
    ],
    ids=lambda params: str(sorted(params)),
)
def test_calls_are_epochs_of_every_update(params):
    model = network(**params)
    whole, parts = clone(model), model
    assert_same_training(epoch_by_epoch(parts, X, Y), fit(whole, X, Y))


@pytest.mark.parametrize("learning_rate", ["adaptive", "cosine"])
@both
def test_a_pickle_between_the_calls_changes_nothing(solver, learning_rate):
    params = {"learning_rate": learning_rate, "n_iter_no_change": 1, "tol": 0.5}
    model = network(solver=solver, max_iter=6, **params)
    kept = epoch_by_epoch(clone(model), X, Y)
    assert_same_training(epoch_by_epoch(model, X, Y, pickled=True), kept)


def test_auto_is_adam():
    auto = epoch_by_epoch(network(solver="adam").set_params(solver="auto"), X, Y)
    assert_same_training(auto, epoch_by_epoch(network(solver="adam"), X, Y))


@both
def test_a_copy_does_not_share_moments_with_its_original(solver):
    """Both continue alike, in any order."""
    original = network(solver=solver).partial_fit(X, Y)
    copy = pickle.loads(pickle.dumps(original))
    shallow = clone(original)
    shallow.__dict__.update(original.__dict__)
    for model in (original, copy, shallow):
        model.partial_fit(X, Y).partial_fit(X, Y)
    assert_same_training(copy, original)
    assert_same_training(shallow, original)


@pytest.mark.wide(4)
@pytest.mark.parametrize("before", ["lbfgs", "gd", "adam", "sgd"])
@pytest.mark.parametrize("normalize_y", [False, True])
@both
def test_after_fit_it_continues_the_weights_with_fresh_moments(
    solver, normalize_y, before
):
    """As a warm start does, which learns y's units anew; counts and curve go on."""
    model = network(batch_size="auto", max_iter=3, normalize_y=normalize_y)
    fit(model.set_params(solver=before), X, Y)
    first = model.loss_curve_
    model.set_params(**SOLVERS[solver], batch_size=12)
    warm = pickle.loads(pickle.dumps(model)).set_params(warm_start=True)
    fit(warm, X, Y)
    for _ in range(3):
        model.partial_fit(X, Y)
    # The same units, but for the rounding of sums over rows in another order.
    rtol = 1e-12 if normalize_y else 0.0
    for part, other in zip(model.coefs_, warm.coefs_, strict=True):
        assert_allclose(part, other, rtol=rtol, atol=rtol)
    assert_allclose(model.loss_, warm.loss_, rtol=rtol)
    assert_allclose(model.loss_curve_, first + warm.loss_curve_, rtol=rtol)
    assert model.best_loss_ == min(model.loss_curve_)
    assert model.n_iter_ == 6 and model.t_ == 6 * N


@both
def test_fit_forgets_the_calls_before_it(solver):
    """Their weights, moments and counts; with a warm start all but the weights."""
    model = network(solver=solver, max_iter=3).partial_fit(X[:, ::-1], 3.0 * Y)
    fresh = fit(network(solver=solver, max_iter=3), X, Y)
    assert_same_training(fit(model, X, Y), fresh)
    assert_same_training(model.partial_fit(X, Y), fresh.partial_fit(X, Y))
    without_moments = network(solver=solver, max_iter=3, warm_start=True)
    without_moments.partial_fit(X, Y)
    with_moments = pickle.loads(pickle.dumps(without_moments))
    fit(without_moments, X, Y)
    for _ in range(3):
        with_moments.partial_fit(X, Y)
    assert without_moments.n_iter_ == 3 and with_moments.n_iter_ == 4
    assert (without_moments.coefs_[0] != with_moments.coefs_[0]).any()


@pytest.mark.wide(4)
@pytest.mark.parametrize("batch_size", [200, 12], ids=["all rows", "mini-batches"])
@both
def test_a_row_of_zero_weight_is_no_row(solver, batch_size):
    """Whatever it holds; nor does it count among the rows seen, t_."""
    weight = np.where(np.arange(N) % 3 == 1, 0.0, WEIGHT + 0.1)
    wild = np.where(weight[:, np.newaxis] > 0, X, 1e200)
    model = network(solver=solver, batch_size=batch_size)
    some = epoch_by_epoch(
        clone(model), X[weight > 0], Y[weight > 0], weight[weight > 0]
    )
    every = epoch_by_epoch(clone(model), wild, Y, weight)
    assert_same_training(every, some)


@pytest.mark.parametrize("absent", [0, 1, 2])
@both
def test_a_first_chunk_without_a_class_is_one_where_it_has_no_weight(solver, absent):
    model = network(WeightDecayMLPClassifier, solver)
    some = LABELS != absent
    lacking = clone(model).partial_fit(X[some], LABELS[some], classes=[0, 1, 2])
    weightless = model.partial_fit(X, LABELS, classes=[0, 1, 2], sample_weight=some)
    assert_same_training(weightless, lacking)


@both
def test_class_weight_multiplies_sample_weight(solver):
    cls, weights = WeightDecayMLPClassifier, np.array([0.5, 2.0, 1.0])
    by_class = network(cls, solver, class_weight=dict(enumerate(weights)))
    by_class = epoch_by_epoch(by_class, X, LABELS, WEIGHT)
    by_sample = network(cls, solver)
    by_sample = epoch_by_epoch(by_sample, X, LABELS, WEIGHT * weights[LABELS])
    assert_same_training(by_class, by_sample)


@both
def test_every_epoch_has_a_permutation_of_its_own(solver, monkeypatch):
    """With an integer seed too; calls, epochs and equal seeds see the same ones."""
    data = numbered(X)

    def orders(train, **params):
        with batches_seen(monkeypatch, N) as batches:
            train(network(solver=solver, max_iter=4, **params), data, Y)
        assert [len(batch) for batch in batches[:6]] == [12] * 5 + [1]
        return np.concatenate(batches).reshape(4, N)

    calls = orders(epoch_by_epoch)
    assert_array_equal(np.sort(calls, axis=1), np.tile(np.arange(N), (4, 1)))
    assert len(np.unique(calls, axis=0)) == 4
    assert_array_equal(orders(fit), calls)
    assert_array_equal(orders(epoch_by_epoch), calls)
    assert_array_equal(orders(epoch_by_epoch, hidden_layer_sizes=(9,)), calls)
    assert (orders(epoch_by_epoch, random_state=1) != calls).any()
    in_order = orders(epoch_by_epoch, shuffle=False)
    assert_array_equal(in_order, np.tile(np.arange(N), (4, 1)))
    assert_array_equal(orders(fit, shuffle=False), in_order)


@pytest.mark.wide(4)
@pytest.mark.parametrize("pickled", [False, True])
@pytest.mark.parametrize("form", ["float64", "float32", "sparse"])
@both
def test_calls_are_epochs_at_the_default_alpha_of_a_thousand_rows(
    solver, form, pickled
):
    """About the same origin and in the same units of y, which fit learns at once."""
    rng = np.random.default_rng(3)
    data = rng.standard_normal((1000, 3)) + 50.0
    y = 1e3 * np.sin(data[:, 0]) + 7e5
    data = data.astype("float32") if form == "float32" else data
    data = sparse.csr_matrix(data) if form == "sparse" else data
    model = network(solver=solver, batch_size=120, alpha=None)
    whole = fit(clone(model), data, y)
    parts = epoch_by_epoch(model, data, y, pickled=pickled)
    assert_same_training(parts, whole)
    assert parts.alpha_ == whole.alpha_
    assert_array_equal(parts.predict(data), whole.predict(data))


@both
def test_the_first_rows_give_origin_and_units_for_good(solver):
    model = network(solver=solver).partial_fit(X[:30] + 5.0, Y[:30])
    mean, scale = model.y_mean_, model.y_scale_
    assert_allclose(mean, Y[:30].mean())
    assert_allclose(scale, Y[:30].std())
    model.partial_fit(X[30:], 100.0 * Y[30:])
    assert_array_equal(model.y_mean_, mean)
    assert_array_equal(model.y_scale_, scale)
    assert_allclose(
        model._fitted.progress.origin, (X[:30] + 5.0).mean(axis=0), rtol=1e-14
    )


@pytest.mark.slow
@both
def test_units_are_learnt_when_y_varies_for_the_first_time(solver):
    """Then, output by output, for good; what is predicted does not change by it."""
    constant = np.full(N, 40.0)
    model = network(solver=solver, hidden_layer_sizes=(20,))
    model.partial_fit(X, np.column_stack([constant, Y]))
    first = model.y_scale_[1]
    assert_allclose(model.y_scale_, [1.0, Y.std()])
    before, rate = model.predict(X), model.learning_rate_init
    model.set_params(learning_rate_init=1e-14)
    model.partial_fit(X, np.column_stack([constant + 1e3 * Y, 2.0 * Y]))
    assert_allclose(model.y_mean_, [40.0 + 1e3 * Y.mean(), Y.mean()])
    assert_allclose(model.y_scale_, [1e3 * Y.std(), first])
    assert_allclose(model.predict(X), before, atol=1e-9)
    learnt = model.y_mean_, model.y_scale_
    model.set_params(learning_rate_init=rate)
    for _ in range(200):
        model.partial_fit(X, np.column_stack([constant + 1e3 * Y, Y]))
    assert_array_equal([model.y_mean_, model.y_scale_], learnt)
    assert model.score(X, np.column_stack([constant + 1e3 * Y, Y])) > 0.9


@both
def test_what_decoupled_decay_carries_is_kept_between_calls(solver):
    """In float32 the digits that its steps round off."""
    model = network(solver=solver, decay="decoupled")
    data = X.astype("float32")
    parts = epoch_by_epoch(clone(model), data, Y, pickled=True)
    assert parts._fitted.progress.state.carry.any()
    assert_same_training(parts, fit(model, data, Y))
