"""NIST's reference data for linear regression, against least squares in fractions.

The data of Norris, Pontius, Filip, Longley and Wampler (Statistical Reference Datasets
of the US National Institute of Standards and Technology, in the public domain) are in
nist/. What the coefficients are is computed here, without rounding. NoInt1 and NoInt2
are models without an intercept, which these networks always have.
"""

import csv
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from skwd import WeightDecayMLPRegressor

FOLDER = Path(__file__).parent / "nist"
# Set: what x is raised to, and the digits that are reached at least.
SETS = {
    "norris": (1, 11),
    "pontius": (2, 9),
    "longley": (1, 9),
    "wampler1": (5, 5),
    "wampler2": (5, 8),
    "wampler3": (5, 5),
    "wampler4": (5, 5),
    "wampler5": (5, 5),
}


def columns(name):
    """y and the columns of X as written, in fractions: (n,), (n, d)."""
    file = "wampler" if name.startswith("wampler") else name
    with open(FOLDER / f"{file}.csv", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    target = "y" + name.removeprefix("wampler") if file == "wampler" else "y"
    inputs = [key for key in rows[0] if not key.startswith("y")]
    y = [Fraction(row[target]) for row in rows]
    power = SETS.get(name, (10,))[0]
    X = [
        [Fraction(row[key]) ** (p + 1) for key in inputs for p in range(power)]
        for row in rows
    ]
    return y, X


def least_squares(y, X):
    """Intercept and coefficients, by elimination without rounding."""
    A = [[Fraction(1), *row] for row in X]
    k = len(A[0])
    N = [
        [sum(row[i] * row[j] for row in A) for j in range(k)]
        + [sum(row[i] * t for row, t in zip(A, y))]
        for i in range(k)
    ]
    for i in range(k):
        pivot = next(r for r in range(i, k) if N[r][i] != 0)
        N[i], N[pivot] = N[pivot], N[i]
        N[i] = [value / N[i][i] for value in N[i]]
        for r in range(k):
            if r != i and N[r][i] != 0:
                N[r] = [a - N[r][i] * b for a, b in zip(N[r], N[i])]
    return [row[-1] for row in N]


def digits(name):
    """Correct digits of the worst coefficient."""
    y, X = columns(name)
    exact = least_squares(y, X)
    model = WeightDecayMLPRegressor(hidden_layer_sizes=(), alpha=0.0)
    model.fit(np.array(X, dtype=float), np.array(y, dtype=float))
    scale, mean = model.y_scale_[0], model.y_mean_[0]
    found = [model.intercepts_[0][0] * scale + mean, *(model.coefs_[0][:, 0] * scale)]
    errors = [abs(float((Fraction(f) - e) / e)) for f, e in zip(found, exact)]
    return -np.log10(max(*errors, 1e-16))


@pytest.mark.parametrize("name", SETS)
def test_digits_that_are_reached(name):
    assert digits(name) > SETS[name][1]


def test_a_system_that_no_factor_of_it_solves():
    """Filip, a polynomial of degree 10: of least norm, and still close to y."""
    y, X = columns("filip")
    X, y = np.array(X, dtype=float), np.array(y, dtype=float)
    model = WeightDecayMLPRegressor(hidden_layer_sizes=(), alpha=0.0).fit(X, y)
    assert 0.96 < model.score(X, y) < 0.9968  # that of exact least squares
