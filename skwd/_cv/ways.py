"""How a fit comes by its alpha: it is given, judged by folds, or by one fit alone."""

from __future__ import annotations

import numpy as np

from skwd._alpha import WAYS
from skwd._alpha.adaptive import second_stage
from skwd._alpha.choice import AlphaChoice
from skwd._alpha.linear_rows import learnt_default
from skwd._cv.chosen import Chosen
from skwd._cv.models import choose_by_folds
from skwd._cv.parallel import choose_cells, train_cells
from skwd._cv.problem import Problem
from skwd._data.targets import Targets
from skwd._solvers.hooks import tell_model
from skwd._solvers.task import TrainingTask


def alpha_names() -> tuple[str, ...]:
    """What the parameter ``alpha`` may be: from folds, or by a fit to all rows."""
    return ("auto", *WAYS)


def choose(problem: Problem, task: TrainingTask, targets: Targets) -> Chosen:
    """Train all rows at the alpha that the settings give, or name a way to.

    Parameters
    ----------
    problem : Problem
    task : TrainingTask
        That of all rows.
    targets : Targets
        As they have learnt from them.
    """
    alpha = problem.settings.alpha
    if not isinstance(alpha, str):
        return _at_the_given(problem, task, targets)
    if alpha not in WAYS:
        return choose_by_folds(problem, task, targets)
    kind, n_jobs = problem.settings.groups, problem.settings["n_jobs"]
    (trained,) = choose_cells([task], alpha, kind, n_jobs)
    return Chosen(task, targets, trained)


def _at_the_given(problem: Problem, task: TrainingTask, targets: Targets) -> Chosen:
    given = problem.settings.alpha
    alpha = learnt_default(task) if given is None else np.asarray(given)
    if task.penalty.has_second_stage:
        keep_best = not problem.settings["ensemble"]
        (task,) = second_stage([task], alpha, keep_best=keep_best)
        tell_model(task.solver.hooks, task, targets)
    fit = train_cells([task], alpha[np.newaxis], problem.settings["n_jobs"])
    trained = AlphaChoice.of(fit)
    return Chosen(task, targets, trained)
