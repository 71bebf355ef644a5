"""How a cross-validation is spread over workers: chunks of networks through joblib."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from time import perf_counter

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs, parallel_config
from joblib.parallel import get_active_backend

from skwd._core.blas import ONE_BLAS_THREAD
from skwd._cv.chunks import chunks
from skwd._cv.scoring import CellScorer, Scores, Split, train_and_score
from skwd._solvers.monitor import Interrupt


def cross_validate(
    splits: list[Split],
    alphas: np.ndarray,
    cell_scorer: CellScorer,
    n_jobs,
    verbose: bool,
    told: Callable[[int, int], None] | None = None,
) -> Scores:
    """The scores of all splits and alphas, chunk by chunk.

    ``told``, if given, hears after each chunk how many cells there are, of how many.
    """
    n_jobs = effective_n_jobs(n_jobs)
    parts = chunks([split.task for split in splits], len(alphas), n_jobs)
    interrupt, whole = Interrupt(), Scores.unknown(len(splits), len(alphas))
    jobs = (
        ([splits[f] for f in part.tasks], alphas[part.alphas], cell_scorer, interrupt)
        for part in parts
    )
    start, n_done = perf_counter(), 0
    try:
        with _one_blas_thread_each():
            for part, found in zip(parts, _run(jobs, min(n_jobs, len(parts)))):
                whole.take(part.tasks, part.alphas, found)
                n_done += found.score.size
                if told is not None:
                    told(n_done, whole.score.size)
                if verbose:
                    seconds = perf_counter() - start
                    print(_progress_line(n_done, whole.score.size, seconds))
    except BaseException:
        interrupt.requested = True  # for the threads that are still at work
        raise
    whole.failures.sort()  # in whatever order the chunks were
    whole.unscored.sort()
    return whole


def _run(jobs, n_jobs: int) -> Iterator[Scores]:
    """The scores of each task, in their order, as they come."""
    if n_jobs == 1:
        return (train_and_score(*job) for job in jobs)
    how = {"n_jobs": n_jobs, "batch_size": 1}
    try:
        parallel = Parallel(return_as="generator", **how)
    except ValueError:  # a backend that gives all results at once
        parallel = Parallel(**how)
    return iter(parallel(delayed(train_and_score)(*job) for job in jobs))


@contextmanager
def _one_blas_thread_each() -> Iterator[None]:
    """BLAS on one thread per worker: what each job has to itself, and bits to compare.

    In this process that holds for all threads; joblib's own processes are told. Those
    of other backends are set up by whoever starts them.
    """
    backend, _ = get_active_backend()
    callback = nullcontext()
    if type(backend).__name__ == "LokyBackend":
        options = getattr(backend, "backend_kwargs", {})
        callback = parallel_config("loky", inner_max_num_threads=1, **options)
    with ONE_BLAS_THREAD, callback:
        yield


def _progress_line(n_done: int, n_fits: int, seconds: float) -> str:
    left = seconds * (n_fits - n_done) / n_done
    return (
        f"{n_done} of {n_fits} fits done ({n_done / n_fits:.0%}) in {seconds:.1f} s, "
        f"about {left:.1f} s left"
    )
