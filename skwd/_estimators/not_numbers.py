"""What is said of an X that holds text, dates or times in the place of numbers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Real
from typing import Any

import numpy as np

from skwd._data.missing import is_na

# Columns that a message names, of more it has the number.
MOST = 4


@contextmanager
def says_what_is_no_number(X, name: str = "X") -> Iterator[None]:
    """Where X cannot become numbers, one error that names its columns.

    Other errors, and those of values that are neither text nor dates, stay as they are.
    """
    try:
        yield
    except (TypeError, ValueError) as error:
        is_other = isinstance(error, ValueError) and "could not conv" not in str(error)
        said = "" if is_other else _what_is_wrong(X, name)
        if not said:
            raise
        raise ValueError(said) from error


def _what_is_wrong(X, name: str) -> str:
    """The message, empty where there is no text, no date and no NA of pandas."""
    text: list[str] = []
    strays: list[str] = []
    missing: list[str] = []
    times: list[str] = []
    for shown, values in _columns(X):
        stray = next(filter(is_text, values), None)
        if stray is not None:
            has_numbers = any(map(_is_number, values))
            (strays if has_numbers else text).append(f"{shown} (as {stray!r})")
        elif (time := next(filter(_is_time, values), None)) is not None:
            times.append(f"{shown} (as {time})")
        elif any(map(is_na, values)):
            missing.append(shown)
    found = [
        (
            text,
            "text",
            "Make columns of its categories first, by a OneHotEncoder in a "
            'ColumnTransformer: "One real table, end to end" in the guide',
        ),
        (
            strays,
            "text among numbers",
            "If it stands for missing values, replace it by NaN, for a SimpleImputer",
        ),
        (times, "dates or times", "Use differences in days or seconds, as numbers"),
        (missing, "pandas' NA", "Replace it by NaN, for a SimpleImputer"),
    ]
    if not any(columns for columns, _, _ in found):
        return ""
    got = [f"{what} in {_listed(columns)}" for columns, what, _ in found if columns]
    remedies = [f"{remedy}." for columns, _, remedy in found if columns]
    return f"{name} must hold numbers; got {', '.join(got)}. {' '.join(remedies)}"


def _columns(X) -> Iterator[tuple[str, list]]:
    """The columns of X that are not of a numeric dtype: how each is named, and it."""
    names = getattr(X, "columns", None)
    if names is None:
        X = np.asarray(X, dtype=object)
    elif hasattr(X, "iloc"):
        X = X.iloc
    if names is None and X.ndim != 2:
        return
    n_columns = X.shape[1] if names is None else len(names)
    for j in range(n_columns):
        column = np.asarray(X[:, j])
        if column.dtype.kind not in "biufc":
            shown = f"column {j if names is None else repr(names[j])}"
            of_numpy = column.dtype.kind in "mM"  # whose lists may be of integers
            yield shown, [column[0]] if of_numpy else column.tolist()


def _listed(columns: list[str]) -> str:
    more = f" and {len(columns) - MOST} more" if len(columns) > MOST else ""
    return ", ".join(columns[:MOST]) + more


def is_text(value: Any) -> bool:
    """Whether it is text that is not read as a number."""
    return isinstance(value, (str, bytes)) and not _is_number(value)


def _is_number(value: Any) -> bool:
    """Whether it is, or is read as, a number that is known."""
    if not isinstance(value, (str, bytes, Real)):
        return False
    try:
        return not np.isnan(float(value))
    except ValueError:
        return False


def _is_time(value: Any) -> bool:
    is_of_numpy = isinstance(value, (np.datetime64, np.timedelta64))
    return is_of_numpy or hasattr(value, "strftime") or hasattr(value, "total_seconds")
