"""The fit again where the noise varies: each row weighs as much as it tells."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from skwd._cv.chosen import Chosen
from skwd._cv.folds import judging_splits
from skwd._cv.models import choose_by_folds
from skwd._cv.noise import deviations_of, some_rows
from skwd._cv.problem import Problem
from skwd._data.number_targets import RegressionTargets


def weighted_fit(
    problem: Problem, chosen: Chosen, residuals: np.ndarray, rho: np.ndarray
) -> Chosen | None:
    """The fit to rows of weights s_i / rho_i, if it is better by those weights.

    That is judged where alpha is chosen by folds: by the weighted squares of rows left
    out, those of the weighted fits and ``residuals`` (n, 1) of the plain ones, both in
    the units that y has without the fold. Several targets have one weight for a row,
    and are left as they are.
    """
    loss, n_targets = chosen.targets.loss, residuals.shape[1]
    if not chosen.is_judged or n_targets > 1 or not loss.is_quadratic:
        return None
    data = problem.data
    weight = np.array(data.weight, dtype=np.float64)
    counted = np.flatnonzero(weight)
    weight[counted] /= rho[:, 0]
    weight *= data.weight.sum() / weight.sum()  # they count as rows still
    solver = problem.settings.solver
    settings = replace(problem.settings, solver=solver.quiet(solver.hooks))
    weighted = replace(
        problem, data=data._replace(weight=weight), settings=settings, earlier=None
    )
    if settings["verbose"]:
        print("the fit again, to rows weighted by the variance:")
    task, targets = weighted.whole()
    fit = choose_by_folds(weighted, task, targets)
    if not fit.is_judged or fit.trained.unusable.all():
        return None
    assert fit.choice is not None
    off = np.zeros(len(weight))
    off[counted] = residuals[:, 0]
    losses = []
    for train, test in judging_splits(weighted):  # as those fits had them
        _, without = weighted.task(train, targets=weighted.targets)
        assert isinstance(without, RegressionTargets)
        squares = np.square(off[test] / without.scale)
        losses.append(0.5 * np.average(squares, weights=weight[test]))
    before = float(np.mean(losses))
    after = -float(fit.choice["scores"][fit.choice["model"]])
    return fit if after < before else None


def level_of(problem: Problem, before: Chosen, after: Chosen) -> float:
    """What a posterior's variance is multiplied by after a weighted fit.

    rho was fitted to the variances ``before``: their geometric mean over the rows is
    kept.
    """
    weight = problem.data.weight
    rows, logs = some_rows(problem.data.X, np.flatnonzero(weight)), []
    for chosen in (before, after):
        trained = chosen.trained
        networks = trained[trained.predicting(problem.settings["ensemble"])]
        found = deviations_of(chosen.task, networks, chosen.targets, rows)
        logs.append(np.average(np.log(found).mean(axis=1), weights=weight[weight > 0]))
    return float(np.exp(2.0 * (logs[0] - logs[1])))
