"""BLAS on one thread while networks train and predict.

Waiting threads of a BLAS library spin. Networks of this size gain next to nothing by a
second one on a quiet machine, and take up to fifty times as long where other processes
want the processor too (benchmarks/busy.py). And sums are rounded by the number of
threads: on one the bits of a fit depend on its sizes alone.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, ContextDecorator, nullcontext
from functools import cached_property
from threading import Lock, local

import threadpoolctl

# Rows times parameters of a prediction that BLAS makes on one thread by itself.
SMALL_PREDICTION = 1 << 12


class OneBlasThread(ContextDecorator, AbstractContextManager):
    """BLAS on one thread from the first fit that begins until the last one ends.

    Most libraries have one limit for the whole process, where fits in several threads
    overlap; one that is built with OpenMP has one for each thread. A context that may
    be entered again inside, and a decorator.
    """

    def __init__(self) -> None:
        self._lock, self._n_inside = Lock(), 0
        self._before: list[int] = []
        self._here = local()

    @cached_property
    def _libraries(self) -> tuple[list, list]:
        """Those with one limit for all threads, and those with one for each."""
        of_all: list = []
        of_each: list = []
        found = threadpoolctl.ThreadpoolController().select(user_api="blas")
        for library in found.lib_controllers:
            has_own = getattr(library, "threading_layer", None) == "openmp"
            (of_each if has_own else of_all).append(library)
        return of_all, of_each

    @property
    def n_spare(self) -> int:
        """The threads that BLAS would have had, for each of the fits at work; or 1."""
        before = max([*self._before, *getattr(self._here, "before", [])], default=1)
        return max(1, before // max(1, self._n_inside))

    def limit_this_thread(self) -> None:
        """BLAS on one thread for good in this Python thread, where each has its own."""
        _limit(self._libraries[1])

    def __enter__(self) -> None:
        depth = self._here.depth = getattr(self._here, "depth", 0) + 1
        if depth > 1:
            return
        of_all, of_each = self._libraries
        self._here.before = _limit(of_each)
        with self._lock:
            self._n_inside += 1
            if self._n_inside == 1:
                _let_this_thread_set()
                self._before = _limit(of_all)

    def __exit__(self, *exception: object) -> None:
        self._here.depth -= 1
        if self._here.depth:
            return
        of_all, of_each = self._libraries
        with self._lock:
            self._n_inside -= 1
            if self._n_inside == 0:
                _let_this_thread_set()
                _restore(of_all, self._before)
                self._before = []
                _let_this_thread_set()
        _restore(of_each, self._here.before)


def _limit(libraries: list) -> list[int]:
    """Give each library one thread; how many they had."""
    before = [library.get_num_threads() for library in libraries]
    _restore(libraries, [1] * len(libraries))
    return before


def _restore(libraries: list, numbers: list[int]) -> None:
    for library, number in zip(libraries, numbers):
        library.set_num_threads(number)


def _let_this_thread_set() -> None:
    # Since threadpoolctl 3.8 only the thread that set a limit of OpenBLAS changes it;
    # others are ignored. The last fit to end may be in another one than the first.
    openblas = getattr(threadpoolctl, "OpenBLASController", None)
    clear = getattr(openblas, "clear_controlling_thread", None)
    if clear is not None:
        clear(force=True)


ONE_BLAS_THREAD = OneBlasThread()
if hasattr(os, "register_at_fork"):  # a fit of another thread does not end in a fork
    os.register_at_fork(after_in_child=ONE_BLAS_THREAD.__init__)  # type: ignore[misc]


def for_prediction(n_rows: int, n_params: int) -> AbstractContextManager:
    """BLAS on one thread, where a prediction is large enough for more."""
    is_small = n_rows * n_params <= SMALL_PREDICTION
    return nullcontext() if is_small else ONE_BLAS_THREAD
