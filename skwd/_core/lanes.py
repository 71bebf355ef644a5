"""Work in lanes, which Python threads take beside each other where there are some.

What a lane does and in which order its results are added depends on sizes alone, so
that no bit depends on the number of threads. A lane that no thread has begun when the
others are done is taken by the caller: it never waits for a thread to begin.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import numpy as np

from skwd._core.blas import ONE_BLAS_THREAD

# Lanes of less work than this, in rows times parameters times networks, are not worth a
# thread: about 2 ms.
LANE_WORK = 5e6


def n_lanes(work: float) -> int:
    """How many threads may share some work: as many as BLAS would have had, at most."""
    return max(1, min(ONE_BLAS_THREAD.n_spare, int(work // LANE_WORK)))


def run_lanes(lanes: list[Callable[[], None]]) -> None:
    """Call all lanes, the first in this thread; returns when all are done."""
    if len(lanes) == 1:
        lanes[0]()
        return
    errors = np.geterr()  # a thread's own

    def in_thread(lane: Callable[[], None]) -> None:
        with np.errstate(**errors):
            lane()

    pool = _POOLS.of(len(lanes) - 1)
    others = [(lane, pool.submit(in_thread, lane)) for lane in lanes[1:]]
    try:
        lanes[0]()
        for lane, future in reversed(others):
            if future.cancel():
                lane()
    finally:
        begun = [future for _, future in others if not future.cancel()]
        failed = [future.exception() for future in begun]
    for error in failed:
        if error is not None:
            raise error


class _Pools:
    """The threads of this process, as many as were ever asked for at once."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._pool: ThreadPoolExecutor | None = None
        self._size = 0

    def of(self, n_threads: int) -> ThreadPoolExecutor:
        with self._lock:
            if self._pool is None or self._size < n_threads:
                self._size = n_threads
                limit = ONE_BLAS_THREAD.limit_this_thread
                self._pool = ThreadPoolExecutor(n_threads, "skwd", limit)
            return self._pool


_POOLS = _Pools()
if hasattr(os, "register_at_fork"):  # threads do not live on in a fork
    os.register_at_fork(after_in_child=_POOLS.__init__)  # type: ignore[misc]
