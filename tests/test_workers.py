"""Chunks, workers and backends: they change the time a search takes, nothing else."""

import contextlib
import io
import re
import threading
import time
import tracemalloc
import warnings

import joblib
import numpy as np
import pytest
from joblib.parallel import get_active_backend
from searches import ALPHAS, assert_same_choice
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, FitFailedWarning
from sklearn.model_selection import GridSearchCV
from threadpoolctl import threadpool_info, threadpool_limits

import skwd._core.objective
import skwd._cv.chunks
import skwd._cv.parallel
import skwd._solvers.lbfgs
import skwd._solvers.minibatch
import skwd._solvers.task
from skwd import (
    WeightDecayMLPClassifier,
    WeightDecayMLPClassifierCV,
    WeightDecayMLPRegressor,
    WeightDecayMLPRegressorCV,
)
from skwd._core.blas import ONE_BLAS_THREAD
from skwd._cv.chunks import chunks
from skwd._solvers.result import Status

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def model(solver="adam", **changes):
    base = dict(
        alphas=ALPHAS, hidden_layer_sizes=(6,), random_state=0, cv=3, max_iter=8
    )
    return WeightDecayMLPRegressorCV(solver=solver, **{**base, **changes})


@pytest.fixture(params=["lbfgs", "adam"])
def fitted(request, regression):
    """A search in one chunk of one worker, and its data."""
    X, y = regression
    # 120 rows make 3 equal folds, 119 unequal ones.
    return model(request.param, early_stopping=True).fit(X[:119], y[:119]), X, y


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing"])
@pytest.mark.parametrize("n_jobs", [2, 3])
def test_workers_change_nothing(backend, n_jobs, fitted):
    whole, X, y = fitted
    with joblib.parallel_config(backend=backend):
        parts = clone(whole).set_params(n_jobs=n_jobs).fit(X[:119], y[:119])
    assert_same_choice(parts, whole)


@pytest.mark.slow
def test_without_a_backend_named_n_jobs_means_processes(fitted):
    whole, X, y = fitted
    assert_same_choice(clone(whole).set_params(n_jobs=2).fit(X[:119], y[:119]), whole)
    with joblib.parallel_config(n_jobs=2):
        assert_same_choice(clone(whole).fit(X[:119], y[:119]), whole)


@pytest.mark.wide(6)
@pytest.mark.parametrize("n_bytes", [1, 40_000, 200_000])
def test_chunks_change_nothing(n_bytes, fitted, monkeypatch):
    whole, X, y = fitted
    monkeypatch.setattr(skwd._cv.chunks, "CHUNK_BYTES", n_bytes)
    assert_same_choice(clone(whole).fit(X[:119], y[:119]), whole)
    monkeypatch.setattr(skwd._solvers.minibatch, "GROUP_STATE_BYTES", 1)
    monkeypatch.setattr(skwd._core.objective, "GROUP_BYTES", 1)
    assert_same_choice(clone(whole).fit(X[:119], y[:119]), whole)


def test_rows_gathered_once_or_in_place(fitted, monkeypatch):
    """Folds that together are too large leave their rows where they are."""
    whole, X, y = fitted
    request = []

    def share_memory(tasks):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(skwd._cv.chunks, "GATHER_BYTES", 79 * 5 * 8 * 2)
            tasks = skwd._cv.chunks.share_memory(tasks)
        request.extend(task.training.is_gathered for task in tasks)
        return tasks

    monkeypatch.setattr("skwd._cv.splits.share_memory", share_memory)
    assert_same_choice(clone(whole).fit(X[:119], y[:119]), whole)
    assert request == [False] * 3


def problems_of(estimator, X, y, monkeypatch):
    """The problems of a search's splits."""
    found = []

    def cross_validate(splits, *args, **kwargs):
        found.extend(split.task for split in splits)
        raise RuntimeError("far enough")

    monkeypatch.setattr("skwd._estimators.search.cross_validate", cross_validate)
    with pytest.raises(RuntimeError, match="far enough"):
        estimator.fit(X, y)
    return found


def test_folds_that_are_trained_share_their_memory(regression, monkeypatch):
    monkeypatch.setattr(skwd._cv.chunks, "GATHER_BYTES", 2 * 80 * 4 * 8)
    tasks = problems_of(model(cv=3), *regression, monkeypatch)
    assert [task.training.is_gathered for task in tasks] == [False] * 3


@pytest.mark.wide(4)
@pytest.mark.parametrize("n_jobs", [1, 2, 5, 16])
@pytest.mark.parametrize("n_alphas", [1, 3, 8, 50])
@pytest.mark.parametrize("n_bytes", [1, 100_000, 1 << 24])
def test_every_cell_is_in_one_chunk(n_jobs, n_alphas, n_bytes, regression, monkeypatch):
    tasks = problems_of(model(cv=7, n_init=2), *regression, monkeypatch)
    monkeypatch.setattr(skwd._cv.chunks, "CHUNK_BYTES", n_bytes)
    cut = chunks(tasks, n_alphas, n_jobs)
    cells = [(f, a) for part in cut for f in part.tasks for a in part.alphas]
    assert sorted(cells) == [(f, a) for f in range(7) for a in range(n_alphas)]
    each = skwd._cv.chunks._cell_bytes(tasks[0])
    sizes = [len(part.tasks) * len(part.alphas) for part in cut]
    assert max(sizes) * each <= max(n_bytes, each)
    assert len(cut) >= min(n_jobs, len(cells))


def test_folds_of_one_chunk_share_their_rows_and_alphas_are_mixed(
    regression, monkeypatch
):
    tasks = problems_of(model(cv=5), *regression, monkeypatch)
    first, second = chunks(tasks, 8, 2)
    assert first.tasks == second.tasks == [0, 1, 2, 3, 4]
    assert (first.alphas, second.alphas) == ([0, 2, 4, 6], [1, 3, 5, 7])


def test_blas_has_one_thread_while_networks_train_and_as_many_as_before_after(
    regression, monkeypatch
):
    def n_threads():
        pools = [p for p in threadpool_info() if p["user_api"] == "blas"]
        return [pool["num_threads"] for pool in pools]

    seen, train_path = [], skwd._solvers.task.train_path

    def spy(*args):
        seen.append(n_threads())
        return train_path(*args)

    monkeypatch.setattr("skwd._cv.scoring.train_path", spy)
    before = n_threads()
    model().fit(*regression)
    assert seen == [[1] * len(before)]
    assert n_threads() == before


def test_progress(regression, capsys, monkeypatch):
    monkeypatch.setattr(skwd._cv.chunks, "CHUNK_BYTES", 1)
    model(verbose=True, cv=2).fit(*regression)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 8
    for number, line in enumerate(lines, 1):
        assert re.fullmatch(
            rf"{number} of 8 fits done \({number / 8:.0%}\) in \d+\.\d s, about "
            r"\d+\.\d s left",
            line,
        )
    assert lines[-1].endswith("about 0.0 s left")
    model(verbose=2, cv=2, max_iter=3).fit(*regression)
    lines = capsys.readouterr().out.splitlines()
    assert [line[:11] for line in lines[8:]] == [f"Iteration {k}" for k in (1, 2, 3)]
    model().fit(*regression)
    assert capsys.readouterr().out == ""


@pytest.mark.wide(3)
@pytest.mark.parametrize(
    ("change", "n_fits", "n_said"),
    [
        ({"intervals": 4}, 4, 1),
        ({"intervals": 4, "n_init": 2}, 8, 1),
        ({"intervals": 4, "n_jobs": 2}, 4, 1),
        ({"intervals": 4, "alpha": "auto", "encoding": None}, 4, 1),
        ({"noise": "varying"}, 10, 2),  # those of the variance too
    ],
    ids=str,
)
def test_progress_of_the_networks_without_a_fold(change, n_fits, n_said, monkeypatch):
    """They take longer than the fit to all rows, and a long fit is not silent."""
    monkeypatch.setattr(skwd._cv.chunks, "CHUNK_BYTES", 1)
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 2))
    y = X[:, 0] + np.exp(1.5 * X[:, 1]) * rng.standard_normal(300)
    how = {"hidden_layer_sizes": (3,), "max_iter": 30, "random_state": 0, **change}
    models = [WeightDecayMLPRegressor(verbose=True, **how)]
    if "noise" not in change:
        models.append(WeightDecayMLPClassifier(verbose=True, **how))
    for estimator in models:
        said = printed(estimator, X, y if estimator is models[0] else y > 0.0)
        start = f"without a fold: {n_fits} fits"
        begun = [k for k, line in enumerate(said) if line == start]
        assert len(begun) == n_said
        for k in begun:
            step = change.get("n_init", 1)  # the starts of a fold are one chunk
            for done, line in zip(range(step, n_fits + 1, step), said[k + 1 :]):
                part = f"{done} of {n_fits} fits done ({done / n_fits:.0%}) in "
                assert line.startswith(f"without a fold: {part}")
        assert ("the variance of y:" in said) == ("noise" in change)
        assert not printed(estimator.set_params(verbose=False), X, y > 0.0)
    chosen = WeightDecayMLPRegressorCV(
        cv=3, alphas=[0.1, 1.0], intervals=True, verbose=True, hidden_layer_sizes=(3,)
    )
    assert "without a fold: 3 fits" in printed(chosen, X, y)


def printed(estimator, X, y):
    """The lines that a fit prints."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        estimator.fit(X, y)
    return out.getvalue().splitlines()


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_an_interrupt_ends_the_threads_and_leaves_the_estimator(
    solver, regression, monkeypatch
):
    """The main thread is interrupted while it waits; the workers end within a step."""
    X, y = regression
    estimator = model(solver).fit(X, y)
    before = dict(estimator.__dict__)
    started, n_before = threading.Event(), threading.active_count()
    call = skwd._solvers.task.train

    def train(*args):
        started.set()
        return call(*args)

    monkeypatch.setattr(skwd._solvers.task, "train", train)
    endless = {"max_iter": 10**9, "tol": 0.0, "n_iter_no_change": 10**9}
    endless |= {"max_fun": 10**9, "activation": "tanh", "alphas": [0.0, 1e-9]}
    changed = clone(estimator).set_params(n_jobs=2, **endless)
    changed.__dict__.update({k: v for k, v in before.items() if k.endswith("_")})
    kept = dict(changed.__dict__)

    def run(function, tasks, n_jobs):
        for task in tasks:
            threading.Thread(target=function, args=task).start()
        assert started.wait(20)
        raise KeyboardInterrupt

    monkeypatch.setattr(skwd._cv.parallel, "run", run)
    monkeypatch.setattr(threading, "excepthook", lambda args: None)
    with pytest.raises(KeyboardInterrupt):
        changed.fit(X, y)
    assert changed.__dict__.keys() == kept.keys()
    assert all(changed.__dict__[name] is kept[name] for name in kept)
    deadline = time.monotonic() + 20
    while threading.active_count() > n_before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() == n_before


def test_an_interrupt_of_a_single_worker(regression, monkeypatch):
    calls = []

    def scorer(model, X, y):
        calls.append(model)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return 0.0

    estimator = model(scoring=scorer)
    with pytest.raises(KeyboardInterrupt):
        estimator.fit(*regression)
    assert not hasattr(estimator, "alpha_") and len(calls) == 3


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_networks(regression, monkeypatch):
    """1000 networks take their scores, and the memory of the largest chunk."""
    limit = 1 << 20
    monkeypatch.setattr(skwd._cv.chunks, "CHUNK_BYTES", limit)
    monkeypatch.setattr(skwd._solvers.minibatch, "GROUP_STATE_BYTES", limit)
    X, y = regression
    peaks = {}
    for n_alphas in (50, 250):
        wide = model(
            "adam",
            alphas=np.logspace(-4, 0, n_alphas),
            cv=4,
            hidden_layer_sizes=(100,),
            max_iter=1,
        )
        tracemalloc.start()
        wide.fit(X, y)
        peaks[n_alphas] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    every_network = 1000 * (6 * 601 + 2 * 90 * 101) * 8  # what 1000 at once would take
    assert peaks[250] < 3 * limit < every_network / 50
    assert peaks[250] < 1.3 * peaks[50]


def test_lost_networks_in_a_stack_leave_their_neighbours(regression, monkeypatch):
    """Rows that overflow in one split alone fail that split alone."""
    X, y = regression
    y = y.copy()
    y[:40] = 1e200
    splits = [
        (np.arange(40, 120), np.arange(100, 120)),
        (np.arange(0, 120), np.arange(60, 80)),
        (np.arange(50, 110), np.arange(110, 120)),
    ]
    seen = []

    def stop(scores, *rest):
        seen.append(scores)
        raise RuntimeError("far enough")

    monkeypatch.setattr("skwd._estimators.search.raise_if_none", stop)
    for cv in (splits, splits[::2]):
        with pytest.raises(RuntimeError, match="far enough"):
            how = {"early_stopping": True, "normalize_y": False}
            model("lbfgs", cv=cv, **how).fit(X, y)
    whole, others = seen
    lost = np.isin(whole.status, (Status.OVERFLOW, Status.UNWATCHED))
    np.testing.assert_array_equal(lost, [[False] * 4, [True] * 4, [False] * 4])
    np.testing.assert_array_equal(np.isnan(whole.score), lost)
    np.testing.assert_array_equal(whole.score[::2], others.score)
    assert len(whole.failures) == 4 and others.failures == []


@pytest.mark.slow
def test_a_cluster_of_two_workers(fitted):
    """Dask carries the chunks; nothing here knows of it."""
    distributed = pytest.importorskip("distributed")
    whole, X, y = fitted
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
        joblib.parallel_config(backend="dask", wait_for_workers_timeout=60),
    ):
        client.wait_for_workers(2)
        parts = clone(whole).set_params(n_jobs=-1).fit(X[:119], y[:119])
        plain = clone(whole)._plain()
        grid = GridSearchCV(plain, {"alpha": whole.alphas_}, cv=whole.cv, n_jobs=-1)
        grid.fit(X[:119], y[:119])
        assert sum(client.run(lambda: 1).values()) == 2
    assert_same_choice(parts, whole)
    np.testing.assert_allclose(
        grid.cv_results_["mean_test_score"], whole.cv_results_["mean_test_score"]
    )


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of Ray's own
def test_ray_carries_the_chunks_too(regression):
    ray = pytest.importorskip("ray")
    from ray.util.joblib import register_ray

    X, y = regression
    one = model("lbfgs").fit(X, y)
    register_ray()
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        with joblib.parallel_config(backend="ray", n_jobs=2):
            parts = clone(one).set_params(n_jobs=2).fit(X, y)
    finally:
        ray.shutdown()
    assert_same_choice(parts, one)


def test_classes_travel_to_the_workers(classes):
    X, y = classes
    names = np.array(["ash", "birch", "oak"])[y]
    one = WeightDecayMLPClassifierCV(
        alphas=ALPHAS, cv=3, max_iter=5, hidden_layer_sizes=(5,), random_state=0
    ).fit(X, names)
    assert_same_choice(clone(one).set_params(n_jobs=2).fit(X, names), one)


@pytest.mark.slow
def test_loky_keeps_the_options_it_was_given(regression):
    """An initializer runs in every worker, and the scorer finds what it left."""
    if not hasattr(get_active_backend()[0], "backend_kwargs"):
        pytest.skip("joblib before 1.5 has no options for loky")

    def begin():
        import builtins

        builtins.skwd_was_begun = True

    def scorer(model, X, y):
        import builtins

        return float(builtins.skwd_was_begun)

    with joblib.parallel_config(backend="loky", initializer=begin):
        found = model(n_jobs=2, scoring=scorer).fit(*regression)
    assert found.best_score_ == 1.0


def test_searches_that_overlap_in_threads_share_the_limit_of_blas(regression):
    """The first to begin sets it and the last to end restores it."""

    def n_threads():
        return {p["num_threads"] for p in threadpool_info() if p["user_api"] == "blas"}

    inside, first_is_done, seen = threading.Event(), threading.Event(), []

    def wait(model, X, y):
        inside.set()
        assert first_is_done.wait(20)
        seen.append(n_threads())
        return 0.0

    def go(model, X, y):
        return 0.0

    with threadpool_limits(2, user_api="blas"):
        before = n_threads()
        other = threading.Thread(target=model(scoring=wait).fit, args=regression)
        with ONE_BLAS_THREAD:  # a search that is at work already
            other.start()
            assert inside.wait(20)
            assert n_threads() == {1}
        assert n_threads() == {1}
        first_is_done.set()
        other.join()
        assert set(map(frozenset, seen)) == {frozenset({1})}
        assert n_threads() == before


def test_failures_are_told_in_an_order_of_their_own(regression, monkeypatch):
    """Not in that of the chunks."""
    X, y = regression
    said = []
    for n_bytes in (1, 1 << 24):
        monkeypatch.setattr(skwd._cv.chunks, "CHUNK_BYTES", n_bytes)
        exploding = model("gd", alphas=[1e-3, 50, 60], learning_rate_init=0.1, tol=0.0)
        with pytest.warns(FitFailedWarning) as caught:
            exploding.set_params(max_iter=40).fit(X, y)
        said += [str(w.message) for w in caught if w.category is FitFailedWarning]
    assert said[0] == said[1]
    assert "alpha=50, split 0" in said[0]


@pytest.mark.slow
def test_memory_of_a_stack_on_many_rows(monkeypatch):
    """The rows are there once, however many networks are evaluated on them."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40_000, 3)).astype(np.float32)
    y = rng.standard_normal((40_000, 4))
    peaks = {}
    for n_init in (1, 40):
        plain = skwd.WeightDecayMLPRegressor(
            hidden_layer_sizes=(3,), n_init=n_init, max_iter=2, solver="lbfgs"
        )
        tracemalloc.start()
        plain.fit(X, y)
        peaks[n_init] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    # What each network has of its own: curvature pairs and a block's activations.
    own = 40 * (skwd._solvers.lbfgs.network_bytes(28, 8) + (1 << 19))
    assert peaks[40] < peaks[1] + own / 2
    each_row = 40 * 40_000 * 4  # a byte per row and network more would be seen
    assert peaks[40] - peaks[1] < 2 * each_row
