"""alpha_groups: which weights share an alpha, and what it tells of the columns of X."""

from __future__ import annotations

from typing import Any

import numpy as np

from skwd._alpha.choice import AlphaChoice, laplace_of
from skwd._estimators.rules import is_integer, is_list
from skwd._solvers.task import TrainingTask


def check_alpha_groups(groups: Any) -> None:
    """Raise unless ``alpha_groups`` is a name or a list of groups."""
    if groups is None or (isinstance(groups, str) and groups in ("layer", "input")):
        return
    are_lists = isinstance(groups, (list, tuple)) and all(
        is_list(group) and len(group) for group in groups
    )
    if not are_lists:
        raise ValueError(
            "alpha_groups must be None, 'layer', 'input' or a list of lists of columns "
            f"by number or name; got {groups!r}. Use 'input' for an alpha per column."
        )


def groups_of_columns(groups: Any, n_columns: int, names) -> np.ndarray:
    """The group of each column, (n_columns,): first those listed, then one for each.

    Parameters
    ----------
    groups : "input" or list of lists of column numbers or names
    n_columns : int
    names : ndarray of str or None
        The names of the columns, where X has any.
    """
    listed = [] if isinstance(groups, str) else list(groups)
    of_column = np.full(n_columns, -1)
    numbers = {} if names is None else {name: j for j, name in enumerate(names)}
    for number, group in enumerate(listed):
        for column in group:
            place: Any = numbers.get(column) if isinstance(column, str) else column
            if not is_integer(place) or not -n_columns <= place < n_columns:
                raise ValueError(
                    f"alpha_groups names the column {column!r}, which X does not have: "
                    f"it has {n_columns} columns. Use their numbers, or their names "
                    "if X is a table with names."
                )
            if of_column[place] >= 0:
                raise ValueError(
                    f"alpha_groups names the column {column!r} twice. Put every column "
                    "into one group at most."
                )
            of_column[place] = number
    rest = of_column < 0
    of_column[rest] = len(listed) + np.arange(rest.sum())
    return of_column


def effective_params(task: TrainingTask, trained: AlphaChoice, k: int) -> np.ndarray:
    """Effective parameters of each group of weights of network k, (G,)."""
    found = trained.laplace[k]
    if found is None:
        found = laplace_of(task, trained.params[k], trained.alpha[k])
    return found.n_effective
