"""Jobs over the workers that joblib gives: the same results for any number of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from joblib import Parallel, delayed, parallel_config
from joblib.parallel import get_active_backend

from skwd._core.blas import ONE_BLAS_THREAD


def run(function: Callable, jobs: Iterable[tuple], n_jobs: int) -> Iterator[Any]:
    """What ``function`` makes of the arguments of each job, in their order.

    One after the other as they are asked for, or by ``n_jobs`` workers.
    """
    if n_jobs == 1:
        return (function(*job) for job in jobs)
    how: dict[str, Any] = {"n_jobs": n_jobs, "batch_size": 1}
    try:
        parallel = Parallel(return_as="generator", **how)
    except ValueError:  # a backend that gives all results at once
        parallel = Parallel(**how)
    return iter(parallel(delayed(function)(*job) for job in jobs))


@contextmanager
def one_blas_thread_each() -> Iterator[None]:
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
