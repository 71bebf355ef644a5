"""Faults of rows that are known and not mended: where they occur, and what is seen.

Each is a property, or "fit", the values of a row where it does not hold, and words of
what is then said. A known fault that does not occur any more fails the slow form.
"""

from typing import NamedTuple


class Known(NamedTuple):
    """A fault."""

    where: str
    values: dict
    words: str


KNOWN: list[Known] = []


def known(row, where, text):
    """The known fault that explains what is said of a row, or None."""
    for fault in KNOWN:
        here = all(row[factor] == value for factor, value in fault.values.items())
        if fault.where == where and here and fault.words in text:
            return fault
    return None
