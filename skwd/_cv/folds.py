"""The splits that alpha="auto" is judged by, and which rows they hold out together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from sklearn.model_selection import KFold, ShuffleSplit, StratifiedKFold

from skwd._cv.problem import JUDGING, Problem

FOLDS = 5  # two: errors 1.03; three: 2 % worse on classes; ten: as good, twice the work
# Of more rows than this a random subsample is judged, by one split of it.
MOST_ROWS = 12_000


def judging_splits(problem: Problem) -> list[tuple[np.ndarray, np.ndarray]]:
    """(rows to train on, rows to judge by) of each split of a problem's rows."""
    data = problem.data
    Y, weight = problem.targets.encode(data.y, data.weight)
    strata, rng = problem.targets.strata(Y), problem.stream(JUDGING)
    are_groups = problem.group is not None
    numbers = problem.together
    return list(splits_of(numbers, weight, strata, rng, are_groups=are_groups))


def splits_of(
    numbers: np.ndarray,
    weight: np.ndarray,
    strata,
    rng: np.random.Generator,
    *,
    are_groups: bool = False,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rows to train on and to judge by, of positive weight.

    Rows of the same number (n,), copies or groups, are kept together: no row is judged
    by its copy, and a row of weight 2 is a repeated one. Copies count as one row.
    Classes, as ``strata`` (n,) or None, are kept in proportion where each has a row, or
    a group, for every fold; that of a group is its lowest.
    """
    counted, seed = np.flatnonzero(weight), int(rng.integers(2**31 - 1))
    _, value = np.unique(numbers[counted], return_inverse=True)
    size = np.bincount(value)
    values, of_size = np.arange(len(size)), size if are_groups else np.ones(len(size))
    if of_size.sum() > MOST_ROWS:
        drawn = rng.permutation(values)
        n_kept = np.searchsorted(np.cumsum(of_size[drawn]), MOST_ROWS, side="right")
        values = np.sort(drawn[: max(2, n_kept)])
        one = ShuffleSplit(1, test_size=1 / 3, random_state=seed)
        folds: Iterable[tuple] = one.split(values)
    else:
        classes = None
        if strata is not None:
            classes = np.full(len(size), np.inf)
            np.minimum.at(classes, value, strata[counted])
        folds = shuffled_folds(min(FOLDS, len(values)), len(values), classes, seed)
    for parts in folds:
        train, test = (counted[np.isin(value, values[part])] for part in parts)
        yield train, test


def shuffled_folds(
    n_folds: int, n_rows: int, classes: np.ndarray | None, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Shuffled folds of rows, (rows outside, rows of the fold) each.

    ``classes`` (n,) are kept in proportion where each has a row for every fold.
    """
    rows, kind = np.arange(n_rows), KFold
    if classes is not None:
        counts = np.unique(classes, return_counts=True)[1]
        kind = StratifiedKFold if counts.min() >= n_folds else KFold
    return kind(n_folds, shuffle=True, random_state=seed).split(rows, classes)
