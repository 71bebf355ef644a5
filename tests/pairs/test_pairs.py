"""Every pair of values occurs in a row that fits and keeps its promises, or is refused.

The rows and the refusals are stored: `python tests/pairs/update.py` writes them anew.
"""

import re
from pathlib import Path

import factors
import numpy as np
import pytest
import stored
from checks import PROPERTIES, wrong_with
from generator import answer

UPDATE = "If that is meant, update the file by `python tests/pairs/update.py`."
# Beside the array: properties of few rows, with values that are trained in no time.
FURTHER = [
    "layers=none alpha=evidence alpha_groups=input",
    "alpha=number weights=zeros",
    "alpha=number layers=none container=frame",
    "estimator=regcv layers=none",
]
ROWS = [*stored.rows(), *map(factors.read, FURTHER)]
REFUSALS = stored.refusals()
PAIRS = factors.all_pairs()
GUIDE = Path(__file__).parents[2] / "examples/guide/what_goes_with_what.md"
# Of the fast form: so many rows that are trained in a moment, and pairs that are asked.
N_FAST_ROWS, N_FAST_PAIRS = 7, 100
N_PARTS = 10
# Rows with these take a second to train, others a few hundredths: they are asked every
# third property, the next such row another third.
SLOW_ALPHAS, THIRD = ("auto", "evidence"), 3


def fast_rows():
    """The numbers of some rows, always the same."""

    def is_quick(row):
        many = row["noise"] == "varying" or row["intervals"] == "splitter"
        return row["alpha"] not in SLOW_ALPHAS and not many

    quick = [i for i, row in enumerate(ROWS) if is_quick(row)]
    rng = np.random.default_rng(0)
    further = range(len(ROWS) - len(FURTHER), len(ROWS))
    return {*map(int, rng.permutation(quick)[:N_FAST_ROWS]), *further}


FAST = fast_rows()
SLOW = [i for i, row in enumerate(ROWS) if row["alpha"] in SLOW_ALPHAS]


def test_every_pair_occurs_in_a_row_or_is_refused():
    found = {pair for row in ROWS for pair in factors.pairs_of(row)}
    missing = [stored.pair_line(p) for p in PAIRS if p not in found | REFUSALS.keys()]
    assert not missing, f"No row has {missing[:9]}. {UPDATE}"
    both = [stored.pair_line(pair) for pair in REFUSALS if pair in found]
    assert not both, f"{both[:9]} are in rows, and are stored as refused. {UPDATE}"


def assert_as_stored(pair):
    """A pair is refused in the words stored, or is not and is not stored."""
    row, refused = answer(pair)
    line = stored.pair_line(pair)
    if refused is None:
        assert row is not None
        assert pair not in REFUSALS, f"{line} is no longer refused. {UPDATE}"
        return
    error = refused[1]
    assert pair in REFUSALS, f"{line} is refused now: {error}. {UPDATE}"
    assert stored.first_words(error) == REFUSALS[pair], f"{line}: {error}. {UPDATE}"
    assert isinstance(error, (ValueError, AttributeError)), repr(error)
    assert any(word in str(error) for word in factors.words_of(pair)), str(error)


def test_some_pairs_are_refused_as_stored():
    rng = np.random.default_rng(1)
    refused = list(REFUSALS)
    for i in rng.permutation(len(refused))[: N_FAST_PAIRS // 3]:
        assert_as_stored(refused[i])
    for i in rng.permutation(len(PAIRS))[: 2 * N_FAST_PAIRS // 3]:
        assert_as_stored(PAIRS[i])


@pytest.mark.slow
@pytest.mark.parametrize("part", range(N_PARTS))
def test_all_pairs_are_refused_as_stored(part):
    for pair in PAIRS[part::N_PARTS]:
        assert_as_stored(pair)


@pytest.mark.skipif(not GUIDE.exists(), reason="examples/ is not beside the tests")
def test_the_guide_has_each_refusal_and_no_other():
    text = GUIDE.read_text(encoding="utf-8")
    cells = re.findall(r"^\|.*\| `([^`]+)` \|$", text, re.MULTILINE)
    patterns = [".*".join(map(re.escape, cell.split("…"))) for cell in cells]
    reasons = set(REFUSALS.values())
    absent = [r for r in reasons if not any(re.match(p, r) for p in patterns)]
    assert not absent, f"examples/guide/what_goes_with_what.md lacks {absent}"
    old = [
        c for c, p in zip(cells, patterns) if not any(re.match(p, r) for r in reasons)
    ]
    assert not old, f"{old} are in the guide, and no pair is refused so"


def test_some_rows_keep_all_promises():
    """And each property is asked of one of them."""
    seen = set()
    for number in sorted(FAST):
        wrong, applied = wrong_with(ROWS[number])
        assert not wrong, f"{factors.written(ROWS[number])}: {wrong}"
        seen.update(applied)
    assert [p.__name__ for p in PROPERTIES if p.__name__ not in seen] == []


@pytest.mark.slow
@pytest.mark.parametrize("number", sorted(set(range(len(ROWS))) - FAST))
def test_a_row_keeps_its_promises(number):
    row, asked = ROWS[number], PROPERTIES
    if number in SLOW:
        asked = PROPERTIES[SLOW.index(number) % THIRD :: THIRD]
    wrong, _ = wrong_with(row, asked)
    assert not wrong, f"{factors.written(row)}: {wrong}"
