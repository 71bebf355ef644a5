"""Properties of rows that fit, seen with other data: weights, units, containers."""

import numpy as np
from calls import N, call_of, contained
from cases import SAME_SCORE, differing, outputs
from properties import SKIPPED

NEAR = {"float64": 1e-6, "int32": 1e-6, "float32": 1e-3}


def unlike(case, predicted, mine=None, y=None):
    """What is wrong where predictions are not those of the same fit, else None.

    A linear model has one minimum, networks are compared by score: to .03 of R2, or to
    five rows of another class.
    """
    mine = case.outputs["predict"] if mine is None else mine
    if case.has(layers="none") and not case.is_chosen and not case.is_classifier:
        near = NEAR[case.row["dtype"]] * (1.0 if case.has(sparsity="none") else 100.0)
        near *= 1.0 if case.has(loss="squared_error") else 100.0
        apart = np.abs(predicted - mine).max() / np.nanstd(case.y.astype(float))
        return f"linear predictions are {apart:.2g} apart" if apart > near else None
    scores = case.score(mine, y), case.score(predicted, y)
    if abs(scores[0] - scores[1]) > (5 / N if case.is_classifier else SAME_SCORE):
        return f"scores are {scores[0]:.4f} and {scores[1]:.4f}"
    return None


def taken(case, rows):
    """Some rows of X and y, in their containers."""
    is_frame = case.has(container="frame")
    return [a.iloc[rows] if is_frame else a[rows] for a in (case.call.X, case.call.y)]


def a_weight_is_a_number_of_rows(case):
    """A row of weight 2 is a repeated row, one of weight 0 is absent."""
    if not case.is_to_a_minimum or case.is_cv or not case.has(intervals="none"):
        return SKIPPED
    if not case.has(noise="constant"):  # whose folds number the rows
        return SKIPPED
    counts = np.arange(N) % 3
    if case.has(y="booleans") or case.is_classifier:
        counts = 1 + np.arange(N) % 2
    rows = np.repeat(np.arange(N), counts)
    weighted = case.call.quietly(case.call.X, case.call.y, counts.astype(float))
    repeated = case.call.quietly(*taken(case, rows), None)
    return unlike(case, repeated.predict(case.call.X), weighted.predict(case.call.X))


def weights_of_zero_are_absent(case):
    """Rows of weight 0 may hold anything, as far as predictions go."""
    if not case.has(weights="zeros"):
        return SKIPPED
    if case.is_cv or not case.has(intervals="none") or not case.is_to_a_minimum:
        return SKIPPED
    if not case.has(noise="constant"):  # whose folds number the rows
        return SKIPPED
    kept = np.flatnonzero(case.call.weight)
    without = case.call.quietly(*taken(case, kept), case.call.weight[kept])
    return unlike(case, without.predict(case.call.X))


def weights_of_one_are_none(case):
    """Weights of one are no weights, to the bit."""
    if not case.has(weights="ones"):
        return SKIPPED
    model = case.call.quietly(case.call.X, case.call.y, None)
    found = differing(case.outputs, outputs(model, case.call))
    return f"{found} differ" if found else None


def units_do_not_matter(case):
    """(X + b, c y + d) gives the fit of (X, y), where y is normalised.

    (X + b, c y) does so with a log link, at an alpha that goes with y.
    """
    if not case.is_to_a_minimum or case.has(loss="huber-delta"):
        return SKIPPED
    if case.has(alpha="evidence", alpha_groups="list"):
        return SKIPPED  # rounding leads its rounds to other minima, by the processor
    is_log_link = case.has(loss=("poisson", "gamma", "tweedie"))
    if is_log_link and not case.has(alpha=("default", "auto")):
        return SKIPPED
    if not case.has(container=("dense", "memmap")):
        return SKIPPED
    X = case.X + 5
    c, d = 1.0, 0.0
    y = case.y
    if not case.is_classifier:
        if not (is_log_link or case.has(normalize_y="yes")):
            return SKIPPED
        c, d = 250.0, 0.0 if is_log_link else 40.0
        y = c * np.asarray(y, dtype=np.float64) + d
    model = case.call.quietly(X.astype(case.X.dtype), y, case.call.weight)
    predicted = model.predict(X.astype(case.X.dtype))
    if not case.is_classifier:
        predicted = (predicted.astype(np.float64) - d) / c
    return unlike(case, predicted)


def columns_with_an_alpha_have_no_units(case):
    """A column times 1000 changes nothing where its alpha is its own."""
    if not case.has(alpha_groups="input", alpha="evidence", container="dense"):
        return SKIPPED
    of_columns = np.atleast_1d(case.model.alpha_)[:4]
    if not case.has(dtype="float64") or len(np.unique(of_columns)) == 1:
        return SKIPPED  # the evidence could not tell columns apart: all share one
    scale = np.array([1.0, 1000.0, 1.0, 1.0])
    model = case.call.quietly(case.X * scale, case.call.y, case.call.weight)
    return unlike(case, model.predict(case.X * scale))


def containers_do_not_matter(case):
    """A memory map is the array in it, to the bit; a frame and CSR are to rounding."""
    if case.has(container="dense"):
        return SKIPPED
    dense = call_of(case.row | {"container": "dense"})
    model = dense.quietly()
    if not case.has(container="memmap"):
        if not case.is_to_a_minimum:
            return SKIPPED
        return unlike(case, model.predict(dense.X))
    found = differing(case.outputs, outputs(model, dense))
    return f"{found} differ" if found else None


def sparse_rows_predict_as_dense_ones(case):
    """A model takes rows in any container."""
    mine = case.outputs["predict"]
    X = contained(case.X, "csr")
    if case.has(container="frame") or case.is_classifier:
        return SKIPPED
    found = case.model.predict(X)
    near = 1e-4 if case.has(dtype="float32") else 1e-9
    return None if np.allclose(found, mine, near, near) else "predictions differ"


PROPERTIES = [
    a_weight_is_a_number_of_rows,
    weights_of_zero_are_absent,
    weights_of_one_are_none,
    units_do_not_matter,
    columns_with_an_alpha_have_no_units,
    containers_do_not_matter,
    sparse_rows_predict_as_dense_ones,
]
