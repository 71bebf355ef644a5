"""Rows of the array over drawn data: `python tests/pairs/drawn.py [how many] [seed]`.

The data are few rows or one, more columns than rows, ties, constant columns, repeated
rows, integers, scales from 1e-150 to 1e150, weights as far apart. Each call ends in one
clear ValueError, or in a fit that keeps the promises that hold for any data. What does
not is printed, with the numbers that draw it again: `drawn.py 1 seed number`.
"""

import sys
import warnings
from pathlib import Path
from time import process_time

import numpy as np
from scipy import sparse
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).parents[1]))

import properties
import stored
from calls import Call, contained, targets
from cases import Case, differing, outputs
from checks import asked
from factors import is_classifier, written
from triples import random_row

# Those that hold whatever the data are.
PROPERTIES = (
    properties.clones_and_copies,
    properties.finite_and_shaped,
    properties.fitted_numbers,
    properties.no_leaks,
    properties.set_params_changes_nothing,
)
MOST = 150.0  # |log10| of a scale
SIZES = (1, 2, 3, 4, 5, 8, 12, 16, 24, 40)
WIDTHS = (1, 2, 3, 4, 6, 30)


def drawn_X(rng, n, d):
    """Columns of several kinds, on scales of their own or of all."""
    X = rng.standard_normal((n, d))
    kind = rng.choice(["smooth", "ties", "integers", "sparse", "heavy"])
    if kind == "ties":
        X = np.round(X)
    elif kind == "integers":
        X = np.round(100.0 * X)
    elif kind == "sparse":
        X[rng.random(X.shape) < 0.8] = 0.0
    elif kind == "heavy":
        X = np.sinh(3.0 * X)
    if rng.random() < 0.3:
        X = X[rng.integers(0, max(1, n // 3), n)]  # repeated rows
    is_constant = rng.random(d) < rng.choice([0.0, 0.5])
    scale = rng.choice(["one", "one", "near", "all", "columns"])
    if scale == "near":
        X = X * 10.0 ** rng.uniform(-6, 6, d) + rng.uniform(-1e3, 1e3, d)
    elif scale == "all":
        X = X * 10.0 ** rng.uniform(-MOST, MOST)
    elif scale == "columns":
        X = X * 10.0 ** rng.uniform(-MOST, MOST, d)
    X[:, is_constant] = rng.choice([0.0, 1.0, -7.5, 1e4])
    return X


def drawn_y(rng, kind, signal, X):
    """y of the kind that the row names, of a signal (n,)."""
    second = np.zeros((len(X), 3))  # what `targets` makes further outputs of
    second[:, : X.shape[1]] = X[:, :3]
    y = targets(kind, signal, second)
    if kind not in ("numbers", "column", "two-outputs"):
        return y
    how = rng.choice(
        ["plain", "plain", "counts", "constant", "scale", "shift", "zeros"]
    )
    if how == "counts":
        return np.floor(y)
    if how == "constant":
        return np.full_like(y, rng.choice([0.0, 3.0, 1e-3]))
    if how == "scale":
        return y * 10.0 ** rng.uniform(-MOST, MOST)
    if how == "shift":
        return y + rng.choice([1e6, -1e6])
    if how == "zeros":
        return np.where(y < np.quantile(y, 0.8), 0.0, y)
    return y


def drawn_weight(rng, kind, n):
    """Weights of the kind that the row names, and some of all sizes at once."""
    u = rng.uniform(0.5, 1.5, n)
    return {
        "none": None,
        "ones": np.ones(n),
        "zeros": np.where(rng.random(n) < 0.5, 0.0, u),
        "tiny": 10.0 ** rng.uniform(-300.0, -100.0) * u,
        "huge": 10.0 ** rng.uniform(rng.choice([-MOST, 100.0]), MOST, n) * u,
    }[kind]


def drawn_call(row, rng):
    """The call of a row, with data of its own."""
    n, d = int(rng.choice(SIZES)), int(rng.choice(WIDTHS))
    X = drawn_X(rng, n, d)
    size = np.abs(X).max(axis=0)
    unit = X / np.where(size > 0.0, size, 1.0)
    signal = 3.0 * unit[:, 0] + unit[:, -1] + rng.normal(0.0, rng.choice([0.0, 0.3]), n)
    y = drawn_y(rng, row["y"], signal, unit)
    if row["missing"] == "mask" and y.dtype.kind in "fi":
        y = y.astype(np.float64)
        y[rng.random(y.shape) < 0.3] = np.nan
    most = {"int32": 2.0**30, "float32": 1e30, "float64": 1e300}[row["dtype"]]
    X = np.clip(X, -most, most).astype(row["dtype"])
    weight = drawn_weight(rng, row["weights"], n)
    held_out = {}
    if row["stopping"] == "X_val":
        held_out = {"X_val": X[: n // 2 + 1], "y_val": y[: n // 2 + 1]}
    if row["container"] == "csr":
        X = sparse.csr_matrix(X)
        if held_out:
            held_out["X_val"] = sparse.csr_matrix(held_out["X_val"])
    else:
        X, y = contained(X, row["container"]), contained(y, row["container"])
        held_out = {k: contained(v, row["container"]) for k, v in held_out.items()}
    return Call(row, X, y, weight, held_out)


def refused_well(call, error):
    """What is wrong with a refusal, or None."""
    if type(error) not in (ValueError, TypeError, AttributeError):
        return f"{type(error).__name__}: {error}"
    model = call.model()
    before = dict(vars(model))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            call.train(model)
        except Exception as again:
            if str(again) != str(error):
                return f"two errors, {error} and {again}"
        else:
            return f"an error once, and none again: {error}"
    if call.row["how"] == "fit" and vars(model).keys() != before.keys():
        return f"attributes are left behind after {error}"
    leaks = [w for w in caught if issubclass(w.category, RuntimeWarning)]
    return f"{leaks[0].message}, and then {error}" if leaks else None


def is_constant(y):
    """Whether an output of y never varies, and so has no deviation."""
    rows = np.asarray(y, dtype=np.float64).reshape(len(y), -1)
    return any(len(np.unique(column[~np.isnan(column)])) < 2 for column in rows.T)


def said_to_be_infinite(case):
    """Whether a warning says that rows are too few for an interval."""
    return any(
        "ends of its intervals are infinite" in str(w.message) for w in case.warnings
    )


def wrong_with(call):
    """(what does not hold, the error of a refusal) of a call."""
    try:
        case = Case(call.row, call)
    except Exception as error:
        wrong = refused_well(call, error)
        return ({} if wrong is None else {"refusal": wrong}), error
    wrong = {}
    again = differing(case.outputs, outputs(call.quietly(), call))
    if again:
        wrong["the same call"] = f"{again} differ"
    for check in PROPERTIES:
        found = asked(check, case)
        if found == "deviations are not positive" and is_constant(case.y):
            continue
        if found == "interval is not finite" and said_to_be_infinite(case):
            continue
        if found not in (None, properties.SKIPPED):
            wrong[check.__name__] = found
    return wrong, None


def drawn(seed, number, rows):
    """A call, and the row that it is of."""
    rng = np.random.default_rng([seed, number])
    row = rows[rng.integers(len(rows))] if rng.random() < 0.5 else random_row(rng)[0]
    if row is None:
        return None
    row = row | {"threads": "1"}
    return drawn_call(row, rng)


def main(number=1000, seed=0, first=0):
    rows, errors, n_fits, n_wrong = stored.rows(), {}, 0, 0
    start = process_time()
    for k in range(first, first + number):
        call = drawn(seed, k, rows)
        if call is None:
            continue
        wrong, error = wrong_with(call)
        if error is None:
            n_fits += 1
        else:
            errors[str(error)[:60]] = errors.get(str(error)[:60], 0) + 1
        if wrong:
            n_wrong += 1
            shape = np.shape(call.X), "cls" if is_classifier(call.row) else "reg"
            print(f"{seed} {k}", written(call.row), *shape, wrong, flush=True)
    for text, count in sorted(errors.items(), key=lambda item: -item[1]):
        print(count, text)
    seconds = process_time() - start
    print(f"{number} calls: {n_fits} fits, {n_wrong} wrong, {seconds:.0f} s")


if __name__ == "__main__":
    with threadpool_limits(1, user_api="blas"):
        main(*map(int, sys.argv[1:]))
