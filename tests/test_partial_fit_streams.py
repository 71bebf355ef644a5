"""partial_fit over streams: chunks of any size and class; what is kept, what is not."""

import pickle
import warnings

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn import config_context
from sklearn.base import clone

from skwd import WeightDecayMLPClassifier, WeightDecayMLPRegressor

SOLVERS = {
    "adam": {"solver": "adam", "learning_rate_init": 0.01},
    "sgd": {"solver": "sgd", "learning_rate_init": 0.02},
}
both = pytest.mark.parametrize("solver", SOLVERS)


def regressor(solver, **params):
    common = {"hidden_layer_sizes": (20,), "batch_size": 10, "random_state": 0}
    return WeightDecayMLPRegressor(**{**common, **SOLVERS[solver], **params})


def classifier(solver, **params):
    common = {"hidden_layer_sizes": (20,), "batch_size": 10, "random_state": 0}
    common |= {"alpha": 1e-3}
    return WeightDecayMLPClassifier(**{**common, **SOLVERS[solver], **params})


def stream(n, seed=0):
    """n rows of a fixed smooth function, with a little noise."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 3))
    return X, np.sin(X[:, 0]) + X[:, 1] + 0.1 * rng.standard_normal(n)


def chunks(n, seed=0):
    """Slices of 1 to 60 rows, together n."""
    rng = np.random.default_rng(seed)
    stop = 0
    while stop < n:
        start, stop = stop, min(n, stop + int(rng.integers(1, 61)))
        yield slice(start, stop)


@pytest.mark.slow
@both
def test_chunks_of_different_size_reach_a_good_regressor(solver):
    X, y = stream(8000)
    model, sizes = regressor(solver), []
    for rows in chunks(8000):
        model.partial_fit(X[rows], y[rows])
        sizes.append(rows.stop - rows.start)
    assert min(sizes) == 1 and max(sizes) == 60
    assert model.t_ == 8000 and model.n_iter_ == len(sizes)
    X_new, y_new = stream(1000, seed=1)
    assert model.score(X_new, y_new) > 0.96  # noise alone leaves 0.993


@pytest.mark.slow
@both
def test_chunks_of_different_size_reach_a_good_classifier(solver):
    """Some of a single row, and so of a single class."""
    X, y = stream(8000)
    labels = np.array(["low", "mid", "up"])[np.digitize(y, [-0.6, 0.6])]
    model = classifier(solver, learning_rate_init=0.02 if solver == "sgd" else 0.01)
    for rows in chunks(8000):
        model.partial_fit(X[rows], labels[rows], classes=["up", "mid", "low"])
    assert_array_equal(model.classes_, ["low", "mid", "up"])
    X_new, y_new = stream(1000, seed=1)
    labels_new = model.classes_[np.digitize(y_new, [-0.6, 0.6])]
    assert model.score(X_new, labels_new) > 0.9  # noise alone leaves about 0.95


@pytest.mark.slow
@pytest.mark.parametrize("warm_start", [False, True])
@pytest.mark.parametrize("n_classes", [2, 3])
@both
def test_a_chunk_may_hold_a_single_class(solver, n_classes, warm_start):
    """The first, too, and chunks sorted by class to the end of the stream."""
    X, y = stream(300)
    y = np.digitize(y, [-0.5, 0.7][: n_classes - 1])
    model = classifier(solver, warm_start=warm_start, batch_size=50)
    for k in [*range(n_classes)] * 60:
        model.partial_fit(X[y == k], y[y == k], classes=np.arange(n_classes))
        assert model.predict_proba(X).shape == (300, n_classes)
    for _ in range(40):  # a few of all, after so much forgetting
        model.partial_fit(X, y)
    assert model.score(X, y) > 0.85


@both
def test_a_chunk_far_from_those_before_is_no_divergence(solver):
    """Its loss is as large as it is: only steps that make a loss grow diverge."""
    X, y = stream(50)
    model = regressor(solver, learning_rate_init=0.003)
    for k in range(3):
        model.partial_fit(X, y)
        model.partial_fit(X, y + 100.0 * k)
    assert model.loss_curve_[-1] > 1e3 * model.loss_curve_[0]
    assert np.isfinite(model.predict(X)).all()


@pytest.mark.parametrize("batch_size", [10, 50], ids=["mini-batches", "all rows"])
@both
def test_one_epoch_from_a_perfect_fit_is_no_divergence(solver, batch_size):
    """Fresh moments may move it by a step, which is much more than J = 0."""
    X, _ = stream(50)
    y = X @ [1.0, -2.0, 0.5]
    exact = {"hidden_layer_sizes": (), "alpha": 0.0}
    model = regressor(solver, **exact).set_params(solver="lbfgs", batch_size="auto")
    model.set_params(tol=1e-9).fit(X, y)
    model.set_params(**SOLVERS[solver], batch_size=batch_size)
    assert model.loss_ < 1e-15
    for _ in range(3):
        model.partial_fit(X, y)
    assert model.score(X, y) > 0.999


@pytest.mark.wide(2)
@both
def test_a_first_chunk_of_zero_counts_can_be_left_again(solver):
    """Its best constant is exp(-inf), from where no gradient leads back."""
    X, y = stream(200)
    counts = np.random.default_rng(0).poisson(np.exp(0.5 * y))
    model = regressor(solver, loss="poisson", learning_rate_init=0.005)
    model.partial_fit(X, np.zeros(200))
    for _ in range(60):
        model.partial_fit(X, counts)
    assert model.predict(X).mean() == pytest.approx(counts.mean(), rel=0.2)


@both
def test_a_pickle_is_small_after_fit_and_keeps_the_moments_after_partial_fit(solver):
    """The moments are as large as the weights, adam's twice."""
    X = np.random.default_rng(0).standard_normal((30, 100))
    y = X[:, 0]
    model = regressor(solver, hidden_layer_sizes=(300,), max_iter=2)
    with pytest.warns(match="reached max_iter"):
        model.fit(X, y)
    weights = sum(a.nbytes for a in model.coefs_ + model.intercepts_)
    n_moments = {"sgd": 1, "adam": 2}[solver]
    assert weights < len(pickle.dumps(model)) < 1.2 * weights
    model.partial_fit(X, y)
    size = len(pickle.dumps(model)) / weights
    assert 1 + n_moments < size < 1.2 + n_moments
    with pytest.warns(match="reached max_iter"):
        model.fit(X, y)
    assert len(pickle.dumps(model)) < 1.2 * weights


@both
def test_only_the_solvers_of_epochs_have_partial_fit(solver):
    for make in (regressor, classifier):
        assert hasattr(make(solver), "partial_fit")
        assert hasattr(make(solver).set_params(solver="auto"), "partial_fit")
        for other in ("lbfgs", "gd"):
            assert not hasattr(make(solver).set_params(solver=other), "partial_fit")


@both
def test_the_dtype_of_the_first_chunk_stays(solver):
    """As the number of features does; float64 chunks are converted."""
    X, y = stream(60)
    model = regressor(solver).partial_fit(X.astype("float32"), y)
    same = pickle.loads(pickle.dumps(model)).partial_fit(X.astype("float32"), y)
    model.partial_fit(X.astype("float32").astype("float64"), y)
    assert {a.dtype for a in model.coefs_ + model.intercepts_} == {np.dtype("float32")}
    assert model.predict(X.astype("float32")).dtype == np.float32
    assert_array_equal(model.coefs_[0], same.coefs_[0])
    wide = regressor(solver).partial_fit(X, y).partial_fit(X.astype("float32"), y)
    assert {a.dtype for a in wide.coefs_ + wide.intercepts_} == {np.dtype("float64")}


@both
def test_a_changed_parameter_acts_from_the_next_call(solver):
    """alpha and the learning rate; another solver starts with moments of its own."""
    X, y = stream(60)
    base = regressor(solver).partial_fit(X, y)
    kept = pickle.loads(pickle.dumps(base)).partial_fit(X, y)
    for change in ({"alpha": 1.0}, {"learning_rate_init": 1e-4}, {"shuffle": False}):
        model = pickle.loads(pickle.dumps(base)).set_params(**change).partial_fit(X, y)
        assert (model.coefs_[0] != kept.coefs_[0]).all()
    assert pickle.loads(pickle.dumps(base)).set_params(alpha=1.0).alpha_ == 5e-3
    (other,) = set(SOLVERS) - {solver}
    switched = base.set_params(**SOLVERS[other]).partial_fit(X, y)
    assert switched.n_iter_ == 2 and np.isfinite(switched.loss_)
    state = switched._fitted.progress.state
    assert (
        state.epochs == 1
        and state.second.size == (0, base._fitted.network.params.size)[other == "adam"]
    )


@both
def test_dataframes_and_string_labels_give_no_warning(solver):
    pd = pytest.importorskip("pandas")
    X, y = stream(90)
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    labels = pd.Series(np.where(y > 0, "up", "down"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = classifier(solver)
        model.partial_fit(frame[:40], labels[:40], classes=labels.unique())
        model.partial_fit(frame[40:], labels[40:])
        predicted = model.predict(frame)
    assert set(predicted) == {"down", "up"}
    assert_array_equal(model.feature_names_in_, ["a", "b", "c"])
    plain = clone(model)
    plain.partial_fit(X[:40], labels.to_numpy()[:40], classes=["down", "up"])
    plain.partial_fit(X[40:], labels.to_numpy()[40:])
    assert_array_equal(plain.coefs_[0], model.coefs_[0])


def test_metadata_routing_knows_classes_and_weights():
    """scikit-learn reads the signature of partial_fit for its requests."""
    with config_context(enable_metadata_routing=True):
        model = classifier("adam")
        model.set_partial_fit_request(classes=True, sample_weight=True)
        requests = model.get_metadata_routing().partial_fit.requests
    assert requests == {"classes": True, "sample_weight": True}
