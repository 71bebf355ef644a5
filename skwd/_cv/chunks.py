"""How a cross-validation is cut into chunks, each trained as one stack."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from skwd._core.sample import GATHER_BYTES, Sample
from skwd._solvers.task import TrainingTask

# What the networks of one chunk need while they train: parameters and all that is like
# them, and a batch's activations; more only where one alpha of one task alone does.
# Many small networks share the cost of a call within this, and it stays in the last
# cache. Changes no bit.
CHUNK_BYTES = 1 << 24


class Chunk(NamedTuple):
    """Some tasks at some alphas, by their numbers: what one call trains."""

    tasks: list[int]
    alphas: list[int]


def chunks(tasks: list[TrainingTask], n_alphas: int, n_jobs: int) -> list[Chunk]:
    """Cut a path into chunks of at most CHUNK_BYTES, a round number for each job.

    The results depend on none of this. Every chunk takes all alphas of some tasks,
    where tasks can be shared out evenly, or alphas from all over the path: weak decay
    often takes more iterations than strong.
    """
    found = []
    alike: dict[tuple, list[int]] = {}
    for number, task in enumerate(tasks):
        sources = task.layout.sources
        inputs = None if sources is None else sources.tobytes()
        alike.setdefault((task.solver, task.layout, inputs), []).append(number)
    for numbers in alike.values():
        size = max(_cell_bytes(tasks[number]) for number in numbers)
        limit, n_cells = max(1, CHUNK_BYTES // size), len(numbers) * n_alphas
        n_chunks = max(_ceil_div(n_cells, limit), min(n_jobs, n_cells))
        n_chunks = _ceil_div(n_chunks, n_jobs) * n_jobs
        by_alpha = 1 if len(numbers) % n_chunks == 0 else min(n_alphas, n_chunks)
        tasks_each = limit // _ceil_div(n_alphas, by_alpha)
        by_task = max(
            _ceil_div(n_chunks, by_alpha), _ceil_div(len(numbers), tasks_each)
        )
        by_task = min(len(numbers), by_task)
        for i in range(by_task):
            for j in range(by_alpha):
                mine = numbers[i::by_task]
                found.append(Chunk(mine, list(range(j, n_alphas, by_alpha))))
    return found


def _ceil_div(a: int, b: int) -> int:
    return -(-a // b)


def _cell_bytes(task: TrainingTask) -> int:
    """Working memory of the restarts of one task at one alpha."""
    n_rows, itemsize = len(task.training), task.training.dtype.itemsize
    network_size = task.solver.network_bytes(task.layout, n_rows, itemsize)
    kept = 3 if task.validation is None else 4  # starts, results, the best
    return len(task.params0) * (network_size + kept * 8 * task.layout.n_params)


def share_memory(tasks: list[TrainingTask]) -> list[TrainingTask]:
    """The tasks, which together gather no more rows than one alone may."""
    samples = [task.training for task in tasks]
    samples += [task.validation for task in tasks if task.validation is not None]
    if sum(sample.gathered_bytes for sample in samples) <= GATHER_BYTES:
        return tasks

    def in_place(sample: Sample) -> Sample:
        return replace(sample, gather_once=False)

    found = [replace(task, training=in_place(task.training)) for task in tasks]
    return [
        task
        if task.validation is None
        else replace(task, validation=in_place(task.validation))
        for task in found
    ]
