"""The folds of intervals and sets, and the groups of rows that folds hold together."""

from __future__ import annotations

from dataclasses import replace
from numbers import Integral

import numpy as np
from sklearn.utils import check_array, check_consistent_length

from skwd._cv.fold_networks import check_can_be_fitted
from skwd._cv.folds import shuffled_folds
from skwd._cv.intervals import check_folds
from skwd._cv.noise import NOISE_FOLDS
from skwd._cv.problem import LEFT_OUT, Problem
from skwd._cv.splits import row_numbers
from skwd._data.class_targets import check_labels
from skwd._data.merged_rows import first_of_each
from skwd._data.missing import with_plain_missing
from skwd._estimators.parameter_values import check_intervals, varies
from skwd._estimators.rules import is_off


def with_groups(problem: Problem, groups) -> Problem:
    """The problem with the user's ``groups`` (n,), None for rows that are single."""
    if groups is None:
        return problem
    settings = problem.settings
    holds_out = (
        settings.asks_for_folds
        or not is_off(settings["intervals"])
        or varies(settings.params)
        or (settings["early_stopping"] and problem.held_out is None)
    )
    if not holds_out:
        noise = ', noise="varying"' if "noise" in settings.params else ""
        stopping = "" if settings["early_stopping"] else " or early_stopping=True"
        raise ValueError(
            "groups are rows that are held out together, and this fit holds none out. "
            f'Set alpha="auto", intervals{noise}{stopping}, or leave groups out.'
        )
    how = {"ensure_2d": False, "dtype": None, "input_name": "groups"}
    groups = with_plain_missing(np.asarray(groups))
    if groups.dtype.kind == "O":
        check_labels(groups, "groups")
    groups = check_array(groups, **how)
    if groups.ndim != 1:
        raise ValueError(
            f"groups must be one value for each sample; got the shape {groups.shape}. "
            "Pass one column."
        )
    check_consistent_length(problem.data.X, groups)
    group = np.unique(groups, return_inverse=True)[1]
    if len(np.unique(group[problem.counted])) < 2:
        raise ValueError(
            "groups must have two different values or more, of which one is held out; "
            f"got {groups[0]} alone. Leave groups out."
        )
    return replace(problem, group=group)


def left_out_rows(problem: Problem, groups) -> list[tuple] | None:
    """(rows to train on, rows left out) of each fold of ``intervals``, or of ``noise``.

    Rows have a positive weight, and one fold leaves each of them out. None where
    neither is asked for. ``groups`` are as the user has them, for a splitter.
    """
    splitter = problem.settings["intervals"]
    check_intervals(splitter, own_folds=False)
    of_noise = is_off(splitter) and varies(problem.settings.params)
    if is_off(splitter) and not of_noise:
        return None
    (X, y, weight), counted = problem.data, problem.counted
    if of_noise:
        found = _shuffled(problem, NOISE_FOLDS, counted, at_most=True)
    elif isinstance(splitter, Integral):
        found = _shuffled(problem, int(splitter), counted)
    else:
        if len(counted) < len(weight):
            X, y = X[counted], y[counted]
            groups = None if groups is None else np.asarray(groups)[counted]
        found = row_numbers(splitter, X, y, False, {"groups": groups}, name="intervals")
    rows = [(counted[train], counted[test]) for train, test in found]
    check_folds([test for _, test in rows], counted, f"intervals={splitter!r}")
    check_can_be_fitted(problem, rows)
    return rows


def _shuffled(
    problem: Problem, n_folds: int, counted: np.ndarray, *, at_most: bool = False
) -> list[tuple]:
    """Shuffled folds of the rows ``counted`` that keep copies or groups together.

    Classes are kept in proportion where each has as many different rows as there are
    folds; ``at_most``: with fewer rows there are fewer folds.
    """
    y = problem.data.y[counted]
    Y, _ = problem.targets.encode(y, np.ones(len(counted)))
    first, value = first_of_each(problem.held_together(Y, counted))
    what = "different rows" if problem.group is None else "groups"
    if at_most:
        n_folds = min(n_folds, len(first))
        if n_folds < 2:
            raise ValueError(
                f"noise='varying' needs at least 2 {what}; got {len(first)} in "
                f"n_samples={len(Y)}. Use noise='constant', or give fit more {what}."
            )
    if len(first) < n_folds:
        raise ValueError(
            f"intervals={n_folds!r} needs as many {what}; got {len(first)} "
            f"in n_samples={len(Y)}. Use fewer folds, or give fit more {what}."
        )
    seed = int(problem.stream(LEFT_OUT).integers(2**31 - 1))
    strata = problem.targets.strata(Y)
    classes = None if strata is None else strata[first]
    folds = shuffled_folds(n_folds, len(first), classes, seed)
    parts = [np.isin(value, test) for _, test in folds]
    return [(np.flatnonzero(~test), np.flatnonzero(test)) for test in parts]
