"""From ``cv`` to splits that can be trained on, checked before any training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from numbers import Integral
from typing import NamedTuple

import numpy as np
from sklearn.model_selection import check_cv, train_test_split

from skwd._cv.chunks import share_memory
from skwd._data.targets import Targets
from skwd._solvers.task import TrainingTask


class Split(NamedTuple):
    """The training rows of one split, ready to train on, and its test rows."""

    number: int
    task: TrainingTask
    targets: Targets
    test: np.ndarray


# How an estimator is given the groups that a splitter asks for.
PASS_GROUPS = (
    "Pass groups to fit; in a Pipeline to its last step, pipe.fit(X, y, "
    "step__groups=groups), with the name of the step."
)


def row_numbers(
    cv,
    X,
    y,
    classifier: bool,
    params: dict,
    *,
    name: str = "cv",
    remedy: str = PASS_GROUPS,
) -> list[tuple]:
    """(rows to train on, rows to test on) of each split of the user's X and y.

    ``name`` is that of the parameter that ``cv`` is, ``remedy`` what helps a splitter
    that lacks groups.
    """
    has_split = hasattr(cv, "split") and not isinstance(cv, str | bytes)
    is_number = isinstance(cv, Integral) and int(cv) >= 2
    is_plain = cv is None or is_number or has_split
    splits = cv if is_plain else _pairs(cv, name)
    splitter = check_cv(splits, y, classifier=classifier)
    all_rows, found = np.arange(X.shape[0] if hasattr(X, "shape") else len(X)), []
    for number, split in enumerate(_splits(splitter, X, y, params, name, remedy)):
        parts = [np.asarray(part) for part in split]
        for part, what in zip(parts, ("train on", "test on")):
            if not part.size or (part.dtype == bool and not part.any()):
                raise ValueError(
                    f"Split {number} of {name}={cv!r} has no rows to {what}. Give "
                    "every split some."
                )
        try:
            found.append(tuple(all_rows[part] for part in parts))
        except IndexError as error:
            raise ValueError(
                f"Split {number} of {name} has rows that X does not have: {error}. "
                f"X has {len(all_rows)} rows, numbered from 0."
            ) from error
    return found


def _pairs(cv, name: str) -> list:
    """An iterable of splits as a list, each a pair of arrays of rows."""
    try:
        each = iter(cv)
    except TypeError:
        each = None
    splits = [] if each is None else list(each)
    if each is None or not all(map(_is_pair, splits)):
        raise ValueError(
            f"{name} must be None, an integer >= 2, a splitter or an iterable of "
            f"splits, pairs of the rows to train on and to test on; got {cv!r}. Use "
            f"{name}=5."
        )
    return splits


def _is_pair(split) -> bool:
    """Whether it is two lists of numbers of rows, or of whether rows belong to it."""
    if isinstance(split, str | bytes) or not hasattr(split, "__len__"):
        return False
    parts = [np.asarray(part) for part in split]
    kinds = [part.dtype.kind in "iub" or not part.size for part in parts]
    return len(parts) == 2 and all(kinds) and all(part.ndim == 1 for part in parts)


def _splits(splitter, X, y, params, name: str, remedy: str) -> Iterator[tuple]:
    """Those of a splitter, or the word that it needs groups."""
    try:
        yield from splitter.split(X, y, **params)
    except ValueError as error:
        if params.get("groups") is not None or "'groups'" not in str(error):
            raise
        raise ValueError(
            f"{name}={splitter!r} needs the group of every row. {remedy}"
        ) from error


def check_enough(splits: list, cv, rule: str) -> None:
    """Raise where a rule needs more splits."""
    needed, why = (2, ", to know a standard error") if rule == "1se" else (1, "")
    if len(splits) < needed:
        other = ", or rule='best'" if rule == "1se" else ""
        raise ValueError(
            f"rule={rule!r} needs at least {needed} split{'s' * (needed > 1)}{why}; "
            f"got {len(splits)} from cv={cv!r}. Use cv=5{other}."
        )


def check_test_weights(rows: list[tuple], weight: np.ndarray) -> None:
    """Raise where a weighted score would have no weight."""
    for number, (_, test) in enumerate(rows):
        if not weight[test].any():
            raise ValueError(
                f"Split {number} of cv has only rows of weight 0 to test on, and its "
                "score would be weighted. Give one of them a positive weight."
            )


def tasks(task_of: Callable, rows: list[tuple], name: str = "cv") -> list[Split]:
    """The splits, ready to train on.

    ``task_of`` makes the task and the targets of some rows to train on; ``name`` is
    that of the parameter that the splits are of.
    """
    splits = []
    for number, (train, test) in enumerate(rows):
        try:
            task, targets = task_of(train)
        except ValueError as error:
            raise ValueError(
                f"Split {number} of {name} cannot be fitted: {error}"
            ) from error
        splits.append(Split(number, task, targets, test))
    return splits


def shared(splits: list[Split]) -> list[Split]:
    """The splits, whose tasks together gather no more rows than one alone may."""
    tasks = share_memory([split.task for split in splits])
    return [split._replace(task=task) for split, task in zip(splits, tasks)]


def validation_split(
    n_samples: int,
    fraction: float,
    seed: int,
    classes: np.ndarray | None,
    name: str = "samples",
) -> tuple[np.ndarray, np.ndarray]:
    """Rows to train on and rows to validate on, in ascending order.

    ``classes`` (n_samples,), class numbers, stratifies the split. The row of a class
    that has a single one is trained on. ``name`` is what is counted, in words.
    """
    n_val = int(np.ceil(fraction * n_samples))
    rows, alone = np.arange(n_samples), np.arange(0)
    n_groups = 1
    if classes is not None:
        counts = np.bincount(classes)
        is_alone = counts[classes] == 1
        rows, alone, n_groups = rows[~is_alone], rows[is_alone], (counts > 1).sum()
        classes = classes[rows]
    if min(n_val, len(rows) - n_val) < max(n_groups, 1):
        what = "" if classes is None else f" of {n_groups + len(alone)} classes"
        needs = (
            "both parts need a sample"
            if classes is None
            else "both parts need a sample of every class of two or more"
        )
        raise ValueError(
            f"early_stopping=True cannot hold out validation_fraction={fraction!r} of "
            f"{n_samples} {name}{what}: {needs}. Pass X_val and y_val, change "
            "validation_fraction, or set early_stopping=False."
        )
    train, val = train_test_split(
        rows, test_size=n_val, random_state=seed, stratify=classes
    )
    return np.sort(np.concatenate([train, alone])), np.sort(val)
