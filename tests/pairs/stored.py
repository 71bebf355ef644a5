"""The files beside the array: its rows, and what is refused with its first words."""

import re
from pathlib import Path

from factors import read, written

HERE = Path(__file__).parent
ROWS, REFUSALS = HERE / "array.txt", HERE / "refusals.txt"
N_CHARACTERS = 72
VALUES = r"'[^']*'|\[+[^]]*\]+|\{[^}]*\}|\b\d[\d.e-]*\b|KFold\([^)]*\)"


def first_words(error):
    """The beginning of a message, whole words, on one line.

    What a parameter is given is left out, so that what is one reason is one text.
    """
    text = " ".join(str(error).split())
    text = re.sub(VALUES, "_", text)
    text = re.sub(r"WeightDecayMLP\w+(\(.*)?", "_", text)
    if len(text) <= N_CHARACTERS:
        return text
    return text[:N_CHARACTERS].rpartition(" ")[0]


def pair_line(pair):
    return " ".join(f"{factor}={value}" for factor, value in pair)


def write_refusals(refused):
    """Store errors by pair, grouped by their first words."""
    groups = {}
    for pair, error in refused.items():
        groups.setdefault(first_words(error), []).append(pair_line(pair))
    lines = []
    for words, pairs in sorted(groups.items()):
        lines += [words, *(f"    {pair}" for pair in pairs)]
    REFUSALS.write_text("\n".join(lines) + "\n", encoding="utf-8")


def refusals():
    """The stored refusals: first words by pair."""
    found, words = {}, ""
    for line in REFUSALS.read_text(encoding="utf-8").splitlines():
        if line.startswith("    "):
            a, b = (tuple(value.split("=")) for value in line.split())
            found[a, b] = words
        else:
            words = line
    return found


def write_rows(rows):
    lines = [written(row) for row in rows]
    ROWS.write_text("\n".join(lines) + "\n", encoding="utf-8")


def rows():
    """The stored rows."""
    return [read(line) for line in ROWS.read_text(encoding="utf-8").splitlines()]
