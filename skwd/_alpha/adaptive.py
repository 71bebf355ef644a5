"""The second stage of sparsity="adaptive": columns weighted by what the first found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from skwd._solvers.task import TrainingTask, train_path


def second_stage(
    tasks: list[TrainingTask],
    alpha: np.ndarray,
    *,
    further_starts: np.ndarray | None = None,
    keep_best: bool = True,
) -> list[TrainingTask]:
    """Tasks whose penalty knows the best restart of a first stage at ``alpha``.

    Tasks whose penalty has a single stage are returned as they are.

    Parameters
    ----------
    tasks : list of TrainingTask
        Of the same layout, solver, penalty and number of restarts.
    alpha : ndarray (G,), or (F, G) for each of F tasks
    further_starts : ndarray (m, P), optional
        Starting points of the first stage, beside those of each task.
    keep_best : bool
        The best restart is one more starting point of the second stage.
    """
    if not tasks[0].penalty.has_second_stage:
        return tasks
    first = tasks
    if further_starts is not None:
        more = further_starts.astype(np.float64)
        first = [replace(t, params0=np.concatenate([t.params0, more])) for t in tasks]
    first = [replace(task, solver=task.solver.quiet()) for task in first]
    fit = train_path(first, np.expand_dims(alpha, -2))
    n_starts, following = len(first[0].params0), []
    for number, task in enumerate(tasks):
        restarts = fit[number * n_starts + np.arange(n_starts)]
        best = restarts.params[restarts.best].astype(np.float64)
        starts = [task.params0, best[np.newaxis]] if keep_best else [task.params0]
        penalty = task.penalty.second_stage(best)
        task = replace(task, penalty=penalty, params0=np.concatenate(starts))
        following.append(task)
    return following
