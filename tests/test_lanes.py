"""Threads share an evaluation of J in lanes; no bit depends on how many there are."""

import threading
import time
import warnings

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

import skwd._core.evaluation
import skwd._core.lanes
from skwd import WeightDecayMLPClassifier, WeightDecayMLPRegressor
from skwd._core.lanes import n_lanes, run_lanes

RNG = np.random.default_rng(0)
X = RNG.normal(size=(900, 6))
Y = np.sin(2 * X[:, 0]) + X[:, 1] + 0.2 * RNG.normal(size=900)
SMALL = {"hidden_layer_sizes": (8,), "random_state": 0, "max_iter": 15}
SMALL |= {"solver": "lbfgs"}


@pytest.fixture
def many_lanes(monkeypatch):
    """Small data in many parts, and threads for each; how many lanes there were."""
    monkeypatch.setattr(skwd._core.lanes, "LANE_WORK", 1.0)
    monkeypatch.setattr(skwd._core.evaluation, "LANE_WORK", 1.0)
    monkeypatch.setattr("skwd._core.network.BLOCK_BYTES", 1)
    seen = set()

    def spy(lanes):
        seen.add(len(lanes))
        run_lanes(lanes)

    monkeypatch.setattr(skwd._core.evaluation, "run_lanes", spy)
    return seen


def weights(model):
    return [w.tobytes() for w in (*model.coefs_, *model.intercepts_)]


@pytest.mark.wide(14)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    "Model, params",
    [
        (WeightDecayMLPRegressor, {}),
        (WeightDecayMLPRegressor, {"n_init": 3}),
        (WeightDecayMLPRegressor, {"alpha": "auto", "tol": 1e-3}),
        (WeightDecayMLPClassifier, {"hidden_layer_sizes": (6, 4)}),
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_bits_do_not_depend_on_the_number_of_threads(Model, params, dtype, many_lanes):
    y = Y if Model is WeightDecayMLPRegressor else np.digitize(Y, [-0.5, 0.5])
    found = []
    for n_threads in (1, 2, 3):
        many_lanes.clear()
        with threadpool_limits(n_threads, user_api="blas"):
            found.append(weights(Model(**SMALL | params).fit(X.astype(dtype), y)))
        assert max(many_lanes) == n_threads
    assert found[0] == found[1] == found[2]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_network_is_what_it_is_alone_in_lanes(many_lanes):
    with threadpool_limits(2, user_api="blas"):
        together = WeightDecayMLPRegressor(**SMALL, n_init=2, ensemble=True).fit(X, Y)
        alone = WeightDecayMLPRegressor(**SMALL).fit(X, Y)
    np.testing.assert_array_equal(together.coefs_[0][0], alone.coefs_[0])


def test_there_are_as_many_lanes_as_threads_and_work():
    work = skwd._core.lanes.LANE_WORK
    with threadpool_limits(3, user_api="blas"):
        with skwd._core.lanes.ONE_BLAS_THREAD:
            assert [n_lanes(k * work) for k in (0.5, 1.0, 2.5, 9.0)] == [1, 1, 2, 3]


def test_all_lanes_are_done_even_if_no_thread_takes_them(monkeypatch):
    """The caller takes those that have not begun."""
    taken, mine = threading.Event(), threading.get_ident()
    pool = skwd._core.lanes._POOLS.of(1)
    monkeypatch.setattr(skwd._core.lanes._POOLS, "of", lambda n: pool)
    busy = [pool.submit(taken.wait, 20) for _ in range(pool._max_workers)]
    done = []
    run_lanes([lambda k=k: done.append((k, threading.get_ident())) for k in range(3)])
    taken.set()
    assert sorted(done) == [(k, mine) for k in range(3)]
    assert all(future.result() for future in busy)


@pytest.mark.wide(2)
@pytest.mark.parametrize("which", [0, 1])
def test_an_error_in_a_lane_is_raised_when_all_have_ended(which):
    ended = []

    def lane(number):
        if number == which:
            raise OverflowError(number)
        time.sleep(0.05)
        ended.append(number)

    with pytest.raises(OverflowError):
        run_lanes([lambda: lane(0), lambda: lane(1)])
    n_ended = len(ended)
    time.sleep(0.1)
    assert len(ended) == n_ended


def test_what_numpy_was_told_of_overflow_holds_in_every_lane():
    def lane():
        time.sleep(0.02)  # so that each thread has one
        np.float64(1e308) * np.array([1e308])

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with np.errstate(all="ignore"):
            run_lanes([lane, lane])
