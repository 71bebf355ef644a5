"""The folds of intervals and sets: which rows each network of a fit has not seen."""

from __future__ import annotations

from numbers import Integral

import numpy as np
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.utils import check_consistent_length

from skwd._cv.fold_networks import check_can_be_fitted
from skwd._cv.intervals import check_folds
from skwd._cv.noise import FOLDS
from skwd._cv.problem import INTERVALS, Problem
from skwd._cv.splits import row_numbers
from skwd._data.merged_rows import different_rows
from skwd._estimators.parameter_values import check_intervals, varies
from skwd._estimators.rules import is_off


def left_out_rows(problem: Problem, groups) -> list[tuple] | None:
    """(rows to train on, rows left out) of each fold of ``intervals``, or of ``noise``.

    Rows have a positive weight, and one fold leaves each of them out. None where
    neither is asked for.
    """
    splitter = problem.settings["intervals"]
    check_intervals(splitter, own_folds=False)
    of_noise = is_off(splitter) and varies(problem.settings.params)
    if is_off(splitter) and groups is not None:
        raise ValueError(
            "groups are those of the folds of intervals: set intervals to a "
            "splitter such as GroupKFold(10), or leave groups out."
        )
    if isinstance(splitter, Integral) and groups is not None:
        raise ValueError(
            f"groups are those of a splitter, and intervals={splitter!r} makes folds "
            f"of single rows. Set intervals to GroupKFold({splitter!r}), or leave "
            "groups out."
        )
    if is_off(splitter) and not of_noise:
        return None
    if groups is not None:
        check_consistent_length(problem.data.X, groups)
    X, y, weight = problem.data
    counted = np.flatnonzero(weight)
    if len(counted) < len(weight):
        X, y = X[counted], y[counted]
        groups = None if groups is None else np.asarray(groups)[counted]
    if of_noise:
        found = _shuffled(problem, FOLDS, X, y, at_most=True)
    elif isinstance(splitter, Integral):
        found = _shuffled(problem, int(splitter), X, y)
    else:
        found = row_numbers(splitter, X, y, False, {"groups": groups}, "intervals")
    tests = [test for _, test in found]
    check_folds(tests, len(counted), f"intervals={splitter!r}")
    rows = [(counted[train], counted[test]) for train, test in found]
    check_can_be_fitted(problem, rows)
    return rows


def _shuffled(
    problem: Problem, n_folds: int, X, y, *, at_most: bool = False
) -> list[tuple]:
    """Shuffled folds that keep copies of a row together.

    Classes are kept in proportion where each has as many different rows as there are
    folds; ``at_most``: with fewer rows there are fewer folds.
    """
    Y, _ = problem.targets.encode(y, np.ones(X.shape[0]))
    first, value = different_rows(X, Y)
    if at_most:
        n_folds = min(n_folds, len(first))
        if n_folds < 2:
            raise ValueError(
                f"noise='varying' needs at least 2 different rows; got {len(first)} in "
                f"n_samples={len(Y)}. Use noise='constant', or give fit more rows."
            )
    if len(first) < n_folds:
        raise ValueError(
            f"intervals={n_folds!r} needs as many different rows; got {len(first)} "
            f"in n_samples={len(Y)}. Use fewer folds, or give fit more rows."
        )
    seed = int(problem.stream(INTERVALS).integers(2**31 - 1))
    splitter: KFold | StratifiedKFold = KFold(n_folds, shuffle=True, random_state=seed)
    strata = problem.targets.strata(Y)
    if strata is not None:
        strata = strata[first]
        if np.unique(strata, return_counts=True)[1].min() >= n_folds:
            splitter = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
    folds = splitter.split(first, strata)
    parts = [np.isin(value, test) for _, test in folds]
    return [(np.flatnonzero(~test), np.flatnonzero(test)) for test in parts]
