"""The folds of predict_interval: which rows each network of a fit has not seen."""

from __future__ import annotations

from numbers import Integral

import numpy as np
from sklearn.model_selection import KFold

from skwd._cv.intervals import check_folds
from skwd._cv.problem import INTERVALS, Problem
from skwd._cv.splits import row_numbers
from skwd._estimators.parameter_values import check_intervals


def interval_rows(problem: Problem, groups) -> list[tuple]:
    """(rows to train on, rows left out) of each fold that ``intervals`` ask for.

    Rows have a positive weight, and one fold leaves each of them out.
    """
    params = problem.settings.params
    if "intervals" not in params:
        raise ValueError(
            "groups are those of the folds of intervals, which classifiers do not "
            "have: leave groups out."
        )
    splitter = params["intervals"]
    check_intervals(splitter, own_folds=False)
    if splitter is None or splitter is False:
        raise ValueError(
            "groups are those of the folds of intervals: set intervals to a "
            "splitter such as GroupKFold(10), or leave groups out."
        )
    X, y, weight = problem.data
    counted = np.flatnonzero(weight)
    if isinstance(splitter, Integral):
        seed = int(problem.stream(INTERVALS).integers(2**31 - 1))
        splitter = KFold(int(splitter), shuffle=True, random_state=seed)
    if len(counted) < len(y):
        X, y = X[counted], y[counted]
        groups = None if groups is None else np.asarray(groups)[counted]
    found = row_numbers(splitter, X, y, False, {"groups": groups})
    tests = [test for _, test in found]
    check_folds(tests, len(counted), f"intervals={params['intervals']!r}")
    return [(counted[train], counted[test]) for train, test in found]
