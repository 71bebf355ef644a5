"""BLAS has one thread while networks train and predict, whatever it has elsewhere."""

import threading

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

import skwd._solvers.training
from skwd import (
    WeightDecayMLPClassifier,
    WeightDecayMLPClassifierCV,
    WeightDecayMLPRegressor,
    WeightDecayMLPRegressorCV,
)
from skwd._core.blas import ONE_BLAS_THREAD

SEVERAL = 2
RNG = np.random.default_rng(0)
# So many rows and units that BLAS would share each product among its threads.
X = RNG.normal(size=(700, 30))
Y = np.sin(X[:, 0]) + X[:, 1] * X[:, 2] + 0.3 * RNG.normal(size=700)
LABELS = np.digitize(Y, [-0.5, 0.5])
FEW = {"max_iter": 4, "random_state": 0}
WAYS = [
    *[{"solver": solver} for solver in ("lbfgs", "gd", "sgd", "adam")],
    {"batch_size": 500, "solver": "adam"},
    {"alpha": "auto"},
    {"alpha": "evidence", "hidden_layer_sizes": (10,)},
    {"alpha": "loo", "hidden_layer_sizes": (10,)},
    {"alpha": "gcv", "hidden_layer_sizes": (10,)},
    {"alpha": 0.01, "posterior": True, "hidden_layer_sizes": (10,)},
    {"n_init": 3, "ensemble": True},
    {"hidden_layer_sizes": ()},
    {"hidden_layer_sizes": (60, 60), "solver": "adam"},
]


def n_threads():
    return {p["num_threads"] for p in threadpool_info() if p["user_api"] == "blas"}


def bits_of(model, X, y):
    """All that a fit is and says, as bytes."""
    model.fit(X, y)
    found = [*model.coefs_, *model.intercepts_, model.predict(X)]
    found.append(np.asarray(model.alpha_))
    if hasattr(model, "predict_proba"):
        found.append(model.predict_proba(X))
    elif model.get_params().get("posterior"):
        found.append(model.predict(X, return_std=True)[1])
    if model.get_params().get("intervals"):
        found.append(model.predict_interval(X))
    return [np.ascontiguousarray(value).tobytes() for value in found]


def assert_same_bits(model, X, y):
    with threadpool_limits(1, user_api="blas"):
        alone = bits_of(model, X, y)
    with threadpool_limits(SEVERAL, user_api="blas"):
        assert bits_of(model, X, y) == alone
        assert n_threads() == {SEVERAL}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:The network is")
@pytest.mark.filterwarnings("ignore:alpha=")
@pytest.mark.wide(27)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("params", WAYS, ids=str)
@pytest.mark.parametrize(
    "Model, y", [(WeightDecayMLPRegressor, Y), (WeightDecayMLPClassifier, LABELS)]
)
def test_bits_do_not_depend_on_the_number_of_blas_threads(Model, y, params, dtype):
    if params.get("alpha") == "gcv" and Model is WeightDecayMLPClassifier:
        pytest.skip("there is no generalised cross-validation of classes")
    assert_same_bits(Model(**FEW | params), X.astype(dtype), y)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.slow
@pytest.mark.parametrize(
    "Model, y", [(WeightDecayMLPRegressorCV, Y), (WeightDecayMLPClassifierCV, LABELS)]
)
def test_bits_of_a_search_do_not_either(Model, y):
    assert_same_bits(Model(alphas=[0.01, 0.1], cv=3, **FEW), X, y)


@pytest.mark.slow
def test_intervals_and_further_epochs_neither():
    model = WeightDecayMLPRegressor(intervals=3, tol=1e-2, random_state=0)
    assert_same_bits(model, X, Y)
    found = []
    for number in (1, SEVERAL):
        model = WeightDecayMLPRegressor(solver="adam", random_state=0)
        with threadpool_limits(number, user_api="blas"):
            model.partial_fit(X, Y).partial_fit(X, Y)
            found.append(model.predict(X).tobytes())
    assert found[0] == found[1]


def test_it_has_one_thread_inside_and_as_many_as_before_after(monkeypatch):
    seen, train = [], skwd._solvers.training.train

    def spy(*args):
        seen.append(n_threads())
        return train(*args)

    monkeypatch.setattr("skwd._solvers.task.train", spy)
    model = WeightDecayMLPRegressor(solver="adam", tol=1e3, random_state=0)
    with threadpool_limits(SEVERAL, user_api="blas"):
        model.fit(X, Y)
        assert seen == [{1}]
        assert n_threads() == {SEVERAL}
        with ONE_BLAS_THREAD, ONE_BLAS_THREAD:
            assert n_threads() == {1}
        assert n_threads() == {SEVERAL}


def test_it_has_as_many_as_before_after_an_exception(monkeypatch):
    def fail(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr("skwd._solvers.task.train", fail)
    with threadpool_limits(SEVERAL, user_api="blas"):
        with pytest.raises(KeyboardInterrupt):
            WeightDecayMLPRegressor(**FEW).fit(X, Y)
        assert n_threads() == {SEVERAL}


def test_fits_that_overlap_in_threads_share_the_limit():
    """The first to begin sets it, and the last to end restores it."""
    inside, may_end, seen = threading.Event(), threading.Event(), []

    def other():
        with ONE_BLAS_THREAD:
            inside.set()
            assert may_end.wait(20)
            seen.append(n_threads())

    with threadpool_limits(SEVERAL, user_api="blas"):
        thread = threading.Thread(target=other)
        with ONE_BLAS_THREAD:
            thread.start()
            assert inside.wait(20)
        assert n_threads() == {1}
        may_end.set()
        thread.join()
        assert seen == [{1}]
        assert n_threads() == {SEVERAL}
