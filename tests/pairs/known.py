"""Faults of rows that are known and not mended: where they occur, and what is seen.

Each is a property, or "fit", the values of a row where it does not hold, words of what
is then said, and a row as an example. A known fault that does not occur any
more fails the slow form.
"""

from typing import NamedTuple


class Known(NamedTuple):
    """A fault."""

    where: str
    values: dict
    words: str
    example: str


KNOWN = [
    # R2 of scikit-learn refuses NaN in y, and is what a CV form scores by.
    Known(
        "fit",
        {"estimator": "regcv", "missing": "mask"},
        "Input contains NaN",
        "estimator=regcv missing=mask",
    ),
    # A search that starts from a number in the units of X.
    Known(
        "columns_with_an_alpha_have_no_units",
        {"layers": "none", "alpha_groups": "input"},
        "scores are",
        "layers=none alpha=evidence alpha_groups=input",
    ),
]


def known(row, where, text):
    """The known fault that explains what is said of a row, or None."""
    for fault in KNOWN:
        here = all(row[factor] == value for factor, value in fault.values.items())
        if fault.where == where and here and fault.words in text:
            return fault
    return None
