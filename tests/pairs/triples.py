"""Random triples of values: `python tests/pairs/triples.py [how many] [seed]`.

Each is refused before any training, or is a row that keeps all promises. What does
not is printed.
"""

import itertools
import sys
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).parents[1]))

from checks import wrong_with
from factors import BESIDE, DEFAULTS, ESTIMATORS, FACTORS, NATURAL, read, written
from generator import is_elsewhere, refusal


def random_row(rng):
    """A row with three values that are no defaults, at random, or None."""
    names = rng.choice(list(FACTORS), 3, replace=False)
    given = {str(n): str(rng.choice(list(FACTORS[n])[1:])) for n in names}
    beside = [BESIDE[value] for value in given.items() if value in BESIDE]
    for factor, values in beside:
        given.setdefault(factor, str(rng.choice(values)))
    estimators = list(ESTIMATORS) if "estimator" not in given else [given["estimator"]]
    for estimator in estimators:
        row = DEFAULTS | {"estimator": estimator, "y": NATURAL[estimator]} | given
        error = refusal(row)
        if error is None or not is_elsewhere(error):
            return row, error
    return None, error


def main(number=200, seed=0):
    rng = np.random.default_rng(seed)
    n_refused = n_wrong = 0
    for _ in itertools.repeat(None, number):
        row, error = random_row(rng)
        if error is not None:
            n_refused += 1
            if not isinstance(error, (ValueError, AttributeError)):
                print(written(row), repr(error), flush=True)
            continue
        wrong, _ = wrong_with(row)
        assert read(written(row)) == row
        if wrong:
            n_wrong += 1
            print(written(row), wrong, flush=True)
    print(f"{number} triples: {n_refused} refused, {n_wrong} wrong")


if __name__ == "__main__":
    with threadpool_limits(1, user_api="blas"):
        main(*map(int, sys.argv[1:]))
