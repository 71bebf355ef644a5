"""How fits are spread over workers: chunks of networks through joblib."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from time import perf_counter

import numpy as np
from joblib import effective_n_jobs

from skwd._alpha import WAYS, train_choosing
from skwd._alpha.choice import AlphaChoice
from skwd._cv.chunks import chunks
from skwd._cv.scoring import CellScorer, Scores, Split, train_and_score
from skwd._solvers.monitor import Interrupt
from skwd._solvers.task import TrainingTask, train_path
from skwd._solvers.training import StackFit
from skwd._solvers.workers import one_blas_thread_each, run


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
    progress, n_done = Progress(whole.score.size) if verbose else None, 0
    try:
        with one_blas_thread_each():
            found_in_order = run(train_and_score, jobs, min(n_jobs, len(parts)))
            for part, found in zip(parts, found_in_order):
                whole.take(part.tasks, part.alphas, found)
                n_done += found.score.size
                if told is not None:
                    told(n_done, whole.score.size)
                if progress is not None:
                    progress.add(found.score.size)
    except BaseException:
        interrupt.requested = True  # for the threads that are still at work
        raise
    whole.failures.sort()  # in whatever order the chunks were
    whole.unscored.sort()
    return whole


def train_cells(
    tasks: list[TrainingTask],
    alphas: np.ndarray,
    n_jobs,
    told: Callable[[int], None] | None = None,
) -> StackFit:
    """Train tasks x alphas x restarts, chunk by chunk, as `train_path` numbers them.

    ``alphas`` (A, G) or (F, A, G). Networks that somebody hears of are one stack;
    ``told``, if given, hears after each chunk how many networks it had.
    """
    n_alphas, n_init = alphas.shape[-2], len(tasks[0].params0)
    if len(tasks) * n_alphas * n_init == 1 or tasks[0].solver.is_heard:
        return train_path(tasks, alphas)
    n_jobs = effective_n_jobs(n_jobs)
    alphas = np.broadcast_to(alphas, (len(tasks), *alphas.shape[-2:]))
    numbers = np.arange(len(tasks) * n_alphas * n_init)
    numbers = numbers.reshape(len(tasks), n_alphas, n_init)
    jobs, mine = [], []
    parts = chunks(tasks, n_alphas, n_jobs)
    for part in parts:
        cells = np.ix_(part.tasks, part.alphas)
        for starts in _restarts(n_init, -(-n_jobs // len(parts))):
            some = [_with_starts(tasks[f], starts) for f in part.tasks]
            jobs.append((some, alphas[cells]))
            mine.append(numbers[cells][:, :, starts].ravel())
    found = []
    for fits, of_it in zip(_results(train_path, jobs, n_jobs), mine):
        found.append(fits)
        if told is not None:
            told(len(of_it))
    return StackFit.joined(found, mine)


def choose_cells(
    tasks: list[TrainingTask], way: str, kind: str | None, n_jobs
) -> list[AlphaChoice]:
    """What the restarts of each task are by a way to choose alpha, over workers."""
    n_init = len(tasks[0].params0)
    if len(tasks) * n_init == 1:
        return [train_choosing(tasks[0], way, kind)]
    n_jobs = 1 if tasks[0].solver.is_heard else effective_n_jobs(n_jobs)
    n_parts = -(-n_jobs // len(tasks)) if WAYS[way].restarts_apart else 1
    starts = _restarts(n_init, n_parts)
    jobs = [(_with_starts(task, some), way, kind) for task in tasks for some in starts]
    found = list(_results(train_choosing, jobs, n_jobs))
    each = len(starts)
    return [
        AlphaChoice.joined(found[f * each : (f + 1) * each], starts)
        for f in range(len(tasks))
    ]


def _restarts(n_init: int, n_parts: int) -> list[np.ndarray]:
    """The numbers of the restarts of a task, in so many parts if there are enough."""
    return np.array_split(np.arange(n_init), min(n_init, n_parts))


def _with_starts(task: TrainingTask, starts: np.ndarray) -> TrainingTask:
    """The task of some of its restarts, itself for all."""
    if len(starts) == len(task.params0):
        return task
    return replace(task, params0=task.params0[starts])


def _results(function: Callable, jobs: list[tuple], n_jobs: int) -> Iterator:
    """What ``function`` makes of each job, by as many workers as there are jobs for."""
    n_jobs = min(n_jobs, len(jobs))
    if n_jobs == 1:
        yield from (function(*job) for job in jobs)
        return
    with one_blas_thread_each():
        yield from run(function, jobs, n_jobs)


class Progress:
    """Prints how many fits of a search, or of folds, are done, and the time left."""

    def __init__(self, n_fits: int, what: str = ""):
        self.n_fits, self.what = n_fits, what
        self.start, self.n_done = perf_counter(), 0

    def add(self, n_fits: int) -> None:
        """A line, after so many more."""
        self.n_done += n_fits
        seconds = perf_counter() - self.start
        left = seconds * (self.n_fits - self.n_done) / self.n_done
        print(
            f"{self.what}{self.n_done} of {self.n_fits} fits done "
            f"({self.n_done / self.n_fits:.0%}) in {seconds:.1f} s, "
            f"about {left:.1f} s left"
        )
