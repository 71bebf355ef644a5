"""Rows that cover every pair of values that is not refused, by a greedy search.

What cannot go together is known from the package's own answers alone: a pair is refused
where the two values beside defaults are, and a row grows by values that are not.
"""

import itertools

import numpy as np
from calls import refusal
from factors import BESIDE, DEFAULTS, ESTIMATORS, FACTORS, NATURAL, all_pairs, pairs_of

TRIES = 3


def bases(pair):
    """Rows with the values of a pair and as much by default as may be."""
    given = dict(pair)
    free = {}
    for value in pair:
        if value in BESIDE and BESIDE[value][0] not in given:
            factor, values = BESIDE[value]
            free[factor] = values
    if "estimator" not in given:
        free = {"estimator": tuple(ESTIMATORS)} | free
    rows = []
    for values in itertools.product(*free.values()):
        row = DEFAULTS | dict(zip(free, values)) | given
        if "y" not in given:
            row["y"] = NATURAL[row["estimator"]]
        rows.append(row)
    return rows


def answer(pair):
    """(a row that is not refused, None), or (None, the first row and its refusal)."""
    first = None
    for row in bases(pair):
        error = refusal(row)
        if error is None:
            return row, None
        if first is None or is_elsewhere(first[1]):
            first = row, error
    return None, first


def is_elsewhere(error):
    """Whether a refusal says only that this estimator has no such parameter."""
    return str(error).startswith("Invalid parameter")


def answers():
    """What is said to every pair: rows that are bases, and refusals."""
    allowed, refused = {}, {}
    for pair in all_pairs():
        row, why = answer(pair)
        if why is None:
            allowed[pair] = row
        else:
            refused[pair] = why
    return allowed, refused


def covering_rows(allowed):
    """Rows, each not refused, in which every pair of ``allowed`` occurs."""
    rng = np.random.default_rng(0)
    left, rows = dict.fromkeys(allowed), []
    while left:
        pair = next(iter(left))
        row = grown(allowed[pair], pair, allowed, left, rng)
        for found in pairs_of(row):
            left.pop(found, None)
        rows.append(row)
    return rows


def grown(row, pair, allowed, left, rng):
    """A row with other values, where they cover more and are not refused."""
    fixed = {factor for factor, _ in pair}
    others = [f for f in FACTORS if f not in fixed]
    rng.shuffle(others)
    for factor in others:
        found = []
        for value in FACTORS[factor]:
            changed = row | {factor: value}
            mine = [p for p in pairs_of(changed) if factor in (p[0][0], p[1][0])]
            if all(p in allowed for p in mine):
                gain = sum(p in left for p in mine)
                found.append((gain, rng.random(), value))
        for gain, _, value in sorted(found, reverse=True)[:TRIES]:
            if value == row[factor]:
                break
            changed = row | {factor: value}
            if gain and refusal(changed) is None:
                row = changed
                break
    return row
