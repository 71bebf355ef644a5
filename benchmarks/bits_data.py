"""The small tables of `bits`: what is given to fit, and rows to predict.

Each is a dict of the arguments of fit and of ``X_new``, drawn anew from its own seed.
"""

import numpy as np
import pandas as pd
from scipy import sparse


def table(name):
    """The arguments of fit, and X_new, of a table of this name."""
    return TABLES[name](np.random.default_rng(0))


def _numbers(rng, n=60, d=4):
    X = rng.standard_normal((n + 15, d))
    f = np.sin(X[:, 0]) + X[:, min(1, d - 1)] * X[:, min(2, d - 1)] + 3.0
    y = f + 0.2 * rng.standard_normal(n + 15)
    return {"X": X[:n], "y": y[:n], "X_new": X[n:]}


def _classes(rng, edges=(0.0, 1.0), n=60):
    given = _numbers(rng, n)
    return given | {"y": np.digitize(given["y"] - 3.0, edges)}


def _with_y(of_numbers):
    """The table of numbers with y a function of (y, rng)."""

    def make(rng):
        given = _numbers(rng)
        return given | {"y": of_numbers(given["y"], rng)}

    return make


def _with(make, of_given):
    """A table with the arguments that a function of (table, rng) changes."""

    def changed(rng):
        given = make(rng)
        return given | of_given(given, rng)

    return changed


def _some_nan(y, rng):
    Y = np.c_[y, y**2, -y]
    Y[rng.random(Y.shape) < 0.2] = np.nan
    Y[5] = np.nan
    return Y


def _weights(given, rng):
    weight = rng.uniform(0.5, 2.0, len(given["y"]))
    weight[::7] = 0.0
    return {"sample_weight": weight}


def _held_out(given, rng):
    weight = rng.uniform(0.5, 2.0, 20)
    given = {name: values for name, values in given.items() if name != "X_new"}
    more = {"X_val": given["X"][40:], "y_val": given["y"][40:]}
    fewer = {"X": given["X"][:40], "y": given["y"][:40]}
    return fewer | more | {"sample_weight_val": weight}


def _in_X(function):
    """X and X_new as a function makes them."""
    return lambda given, rng: {name: function(given[name]) for name in ("X", "X_new")}


def _holes(X):
    return sparse.csr_matrix(np.where(np.abs(X) < 0.7, 0.0, X))


def _frame(X):
    return pd.DataFrame(X, columns=["size", "age", "rooms", "floor"])


def _labels(given, rng):
    return {"y": np.c_[given["X"][:, 0] > 0, given["y"] > 3.5, given["y"] < 2.5] * 1}


def _in_groups(given, rng):
    return {"groups": np.arange(len(given["y"])) // 5}


def _copies(given, rng):
    rows = rng.integers(0, 25, 60)
    return {"X": given["X"][rows], "y": given["y"][rows]}


def _units(X):
    """A column that does not vary, one of huge and one of tiny numbers."""
    return np.c_[X[:, :3], 0 * X[:, :1] + 2.0] * [1, 1e4, 1e-4, 1]


def _two(rng):
    return _classes(rng, (0.3,))


_two_outputs = _with_y(lambda y, _: np.c_[y, y**2])

TABLES = {
    "numbers": _numbers,
    "many rows": _with(
        lambda rng: _numbers(rng, 3000, 10), lambda given, _: {"X_new": given["X"]}
    ),
    "very many rows": lambda rng: _numbers(rng, 12100, 3),
    "wide": lambda rng: _numbers(rng, 20, 30),
    "few": lambda rng: _numbers(rng, 10),
    "one column": lambda rng: _numbers(rng, 60, 1),
    "weighted": _with(_numbers, _weights),
    "float32": _with(_numbers, _in_X(np.float32)),
    "csr": _with(_numbers, _in_X(_holes)),
    "csr32": _with(_with(_numbers, _in_X(np.float32)), _in_X(_holes)),
    "frame": _with(_numbers, _in_X(_frame)),
    "units": _with(_numbers, _in_X(_units)),
    "copies": _with(_numbers, _copies),
    "groups": _with(_numbers, _in_groups),
    "validation": _with(_numbers, _held_out),
    "sorted": _with(_numbers, lambda given, _: {"y": np.sort(given["y"])}),
    "clean": _with(_numbers, lambda given, _: {"y": np.sin(given["X"][:, 0])}),
    "three sorted": _with(_classes, lambda given, _: {"y": np.sort(given["y"])}),
    "line": _with(
        _numbers,
        lambda given, rng: {
            "y": given["X"] @ [1.0, 2.0, 0.0, -1.0] + rng.standard_normal(60)
        },
    ),
    "noise": _with_y(lambda y, rng: rng.standard_normal(len(y))),
    "constant": _with_y(lambda y, _: np.full(len(y), 2.5)),
    "outliers": _with_y(lambda y, rng: y + 50.0 * (rng.random(len(y)) < 0.1)),
    "counts": _with_y(lambda y, rng: rng.poisson(np.exp(y - 2.5))),
    "positive": _with_y(lambda y, rng: np.exp(y - 3) * rng.gamma(5, 0.2, len(y))),
    "rain": _with_y(lambda y, rng: np.maximum(y - 3, 0) * rng.gamma(5, 0.2, len(y))),
    "two outputs": _two_outputs,
    "two weighted": _with(_two_outputs, _weights),
    "missing": _with_y(_some_nan),
    "two": _two,
    "three": _classes,
    "names": _with(_classes, lambda given, _: {"y": np.array([*"abc"])[given["y"]]}),
    "rare": lambda rng: _classes(rng, (-9.0, -0.3, 1.9, 2.3)),
    "labels": _with(_numbers, _labels),
    "one class": _with(_classes, lambda given, _: {"y": 0 * given["y"] + 4}),
    "coin": _with_y(lambda y, rng: rng.integers(0, 2, len(y))),
    "one label less": _with(
        _with(_numbers, _labels), lambda given, _: {"y": given["y"] * [1, 0, 1]}
    ),
    "line of two": _with(
        lambda rng: _numbers(rng, 120),
        lambda given, rng: {
            "y": 1 * (given["X"].sum(axis=1) + rng.logistic(size=120) > 0)
        },
    ),
    "two weights": _with(_two, _weights),
    "three weights": _with(_classes, _weights),
    "two float32": _with(_two, _in_X(np.float32)),
    "three csr": _with(_classes, _in_X(_holes)),
    "three frame": _with(_classes, _in_X(_frame)),
    "two validation": _with(_two, _held_out),
    "labels weights": _with(_with(_numbers, _labels), _weights),
}
