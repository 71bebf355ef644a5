"""What every constant that decides results is worth: times a third and times three.

    python benchmarks/constants.py --data FOLDER --keel FOLDER --out FILE
    python benchmarks/constants.py -k evidence

Integers are halved and doubled, factors and exponents as said in CONSTANTS. Fits of the
tasks that read the constant, on small tables for tuning (see `tables`: at most 200 rows
to train on) and Friedman 1: the held-out error of each over that at the unchanged
value, mean and worst, and evaluations of J (networks times gradients) and seconds over
theirs. The error is 1 - R2, or the log-loss, the mean of ``--draws`` splits and seeds;
.01 is added to both.

The first lines, "rounding", are of X times 1 + 1e-9: another rounding takes a network
to another minimum, and less than they show is nothing. Left out are sizes of memory and
blocks, which change rounding alone, and what decides a status or a warning only. With
``--out`` lines are added to a file, and what stands there is not measured again.
"""

import argparse
import sys
import time
import warnings
from functools import cache
from importlib import import_module
from pathlib import Path

import numpy as np
from sklearn.datasets import make_friedman1
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from tables import add_arguments, pipeline, read_tables
from threadpoolctl import threadpool_limits

import skwd
from skwd._core.objective import Objective

N_TRAIN = 200
NUMBERS = "concrete", "diabetes", "friedman", "saheart", "wine"
CLASSES = "australian", "sonar", "vehicle"
TANH, RELU = {"hidden_layer_sizes": (12,), "activation": "tanh"}, {}
DEEP = {"hidden_layer_sizes": (8, 8), "activation": "tanh"}
LINEAR = {"hidden_layer_sizes": ()}
COLUMNS = {"alpha": "evidence", "alpha_groups": "input"}
FEW = {"hidden_layer_sizes": (20,), "cv": 3}
ADAPTIVE = {"sparsity": "adaptive", "l1_ratio": 1.0}

# Each task: (parameters, of numbers or classes, tables) of its fits.
TASKS = {
    "fit": [(RELU, NUMBERS), (TANH, NUMBERS), (RELU, CLASSES), (TANH, CLASSES)],
    "evidence": [(TANH | {"alpha": "evidence"}, NUMBERS + CLASSES)],
    "deep evidence": [(DEEP | {"alpha": "evidence"}, NUMBERS)],
    "linear evidence": [(LINEAR | {"alpha": "evidence"}, NUMBERS + CLASSES)],
    "loo": [(TANH | {"alpha": "loo"}, NUMBERS + CLASSES)],
    "gcv": [(TANH | {"alpha": "gcv"}, NUMBERS)],
    "linear loo": [(LINEAR | {"alpha": "loo"}, NUMBERS + CLASSES)],
    "columns": [(TANH | COLUMNS, ("concrete", "friedman", "saheart"))],
    "linear columns": [(LINEAR | COLUMNS, NUMBERS)],
    "auto": [(TANH | {"alpha": "auto"}, NUMBERS + CLASSES)],
    "CV form": [(FEW, ("concrete", "diabetes", "friedman", "sonar"))],
    "adaptive": [(FEW | ADAPTIVE, ("friedman", "saheart"))],
    "posterior": [(TANH | {"alpha": "evidence", "posterior": True}, CLASSES)],
    "saddle": [(TANH | {"alpha": a}, NUMBERS) for a in (0.1, 0.2, 0.3)],
    "raw columns": [(RELU | {"raw": True}, NUMBERS), (TANH | {"raw": True}, NUMBERS)],
    "outliers": [(TANH | {"loss": s}, NUMBERS) for s in ("huber", "absolute_error")],
    "stream": [(RELU | {"stream": True}, NUMBERS)],
}
EVIDENCE = "evidence", "deep evidence", "linear evidence"
LOO, COLUMN = ("loo", "gcv", "linear loo"), ("columns", "linear columns")


def powers(value):
    """A factor, or several: its root and its square."""
    return np.power(value, 0.5), np.power(value, 2.0)


def given(*values):
    """The two values themselves, where a third or three times makes no sense."""
    return lambda value: values


# (module, names, tasks that read them, how they change if not as above).
CONSTANTS = [
    ("_alpha.choice", "LONGEST STRONG LEAST_GAMMA", (*EVIDENCE, "columns"), None),
    ("_alpha.evidence", "MAX_ROUNDS SETTLED SHORTEST", EVIDENCE, None),
    ("_alpha.evidence_start", "SCAN ROUND_ITERATIONS", EVIDENCE, None),
    ("_alpha.scales", "LOWEST", (*EVIDENCE, *LOO, "CV form"), None),
    ("_alpha.scales", "HIGHEST_LINEAR", ("linear evidence", "linear loo"), None),
    ("_alpha.loo_search", "PER_DECADE", LOO, None),
    ("_alpha.loo_search", "START STEP MUCH", LOO[:2], None),
    ("_alpha.column_fits", "ITERATIONS TOL SETTLED", COLUMN[:1], None),
    ("_alpha.column_fits", "SETTLED_LINEAR", COLUMN[1:], None),
    ("_alpha.residuals", "DEGREE", COLUMN[:1], None),
    ("_alpha.relevance", "BACKWARD FORWARD ROUNDS", COLUMN[:1], None),
    ("_alpha.relevance", "REFITS PATIENCE EFFECTS MARGIN", COLUMN[:1], None),
    ("_alpha.relevance", "LINEAR_ROUNDS", COLUMN[1:], None),
    ("_alpha.relevance", "MOST_USED", COLUMN[:1], given(0.2, 1.0)),
    ("_alpha.averaging", "SCALES", ("posterior",), None),
    ("_cv.folds", "FOLDS", ("auto",), None),
    ("_cv.auto", "LOOSER LOWEST HIGHEST EQUAL", ("auto",), None),
    ("_cv.auto", "FACTOR", ("auto",), powers),
    ("_cv.results", "GRID", ("CV form",), None),
    ("_cv.second_stage", "STARTS", ("adaptive",), None),
    ("_solvers.lbfgs", "SEEN", ("fit",), None),
    ("_solvers.lbfgs_state", "WINDOW", ("fit",), None),
    ("_solvers.lbfgs_memory", "MEMORY", ("fit",), None),
    ("_solvers.line_search", "SUFFICIENT_DECREASE STRONG_TRIALS", ("fit",), None),
    ("_solvers.line_search", "MAX_TRIALS NOISE", ("fit",), None),
    ("_solvers.line_search", "CURVATURE", ("fit",), given(0.5, 0.99)),
    ("_solvers.minimum", "CONVEX", ("linear evidence",), None),
    ("_solvers.saddle", "UNLEARNT SIZES SHIFTS", ("saddle",), None),
    ("_solvers.units", "LEAST_DEVIATION MOST_DEVIATION", ("raw columns",), None),
    ("_core.layout", "COLLAPSE", EVIDENCE[:2], None),
    ("_core.loss", "FREQUENCY_FLOOR", ("fit",), None),
    ("_core.robust_losses", "SMOOTH DELTA HALVINGS", ("outliers",), None),
    ("_core.sparse_penalties", "LEAST_SHARE", ("adaptive",), None),
    ("_curvature.free", "NEGLIGIBLE", EVIDENCE[:2], None),
    ("_curvature.laplace", "LEAST_FREE", EVIDENCE[:2], None),
    ("_curvature.penalised", "MOST_TRACE", EVIDENCE[:2], None),
    ("_curvature.penalised", "KEPT", ("posterior",), None),
    ("_curvature.compact", "LEAST_REST", ("posterior",), None),
    ("_estimators.search", "FEWEST", ("CV form",), None),
    ("_estimators.one_fit", "STREAM_ROWS", ("stream",), None),
]


def changed(value, how=None):
    """The two values in a constant's place."""
    if how is not None:
        return how(value)
    if isinstance(value, tuple):
        return tuple(zip(*map(changed, value)))
    if isinstance(value, int):
        return tuple(max(1, round(value * factor)) for factor in (0.5, 2.0))
    return tuple(value * factor for factor in (1 / 3, 3.0))


def put(module, name, value):
    """Replace a constant, also where it has been imported; how to undo it."""
    before = getattr(module, name)
    own = (m for key, m in sys.modules.items() if key.startswith("skwd."))
    places = [m for m in own if getattr(m, name, None) is before]
    for place in places:
        setattr(place, name, value)
    return lambda: [setattr(place, name, before) for place in places]


@cache
def tables(keel, data):
    """Name to (X, y, whether y is of numbers); those that there are."""
    found = {}
    for kind, names in (("classes", CLASSES), ("squared_error", NUMBERS)):
        for table in read_tables(kind, "tuning", keel=keel, data=data):
            if table.name in names:
                found[table.name] = table.X, table.y, kind != "classes"
    X, y = make_friedman1(700, 15, noise=1.0, random_state=0)
    found["friedman"] = X, y, True
    return found


def split(X, y, is_of_numbers, raw, draw):
    """Rows to train on and to judge by, of standardised or of raw columns."""
    how = {"random_state": draw, "stratify": None if is_of_numbers else y}
    how["train_size"] = N_TRAIN if len(y) > 1.5 * N_TRAIN else 2 / 3
    parts = train_test_split(X, y, **how)
    if not isinstance(X, np.ndarray):
        before = pipeline(None)[:-1].fit(parts[0])
        parts[:2] = [before.transform(part) for part in parts[:2]]
    units = 10.0 ** np.linspace(-2.0, 2.0, parts[0].shape[1]) if raw else 1.0
    parts[:2] = [part * units for part in parts[:2]]
    return parts


def run(task, sources, draws, jitter=0.0):
    """Errors of the fits of a task, evaluations of J and seconds: three arrays."""
    found, counts, inner = [], [0], Objective.data_loss_gradient

    def counted(self, params):
        counts[0] += len(params)
        return inner(self, params)

    Objective.data_loss_gradient = counted
    for given_params, names in TASKS[task]:
        params = {k: given_params[k] for k in given_params.keys() - {"raw", "stream"}}
        stream = "stream" in given_params
        for name in [name for name in names if name in tables(*sources)]:
            table, errors = tables(*sources)[name], []
            counts[0], start = 0, time.process_time()
            for draw in range(draws):
                X, X_test, y, y_test = split(*table, "raw" in given_params, draw)
                kind = "Regressor" if table[2] else "Classifier"
                form = f"WeightDecayMLP{kind}{'CV' if 'cv' in params else ''}"
                model = getattr(skwd, form)(random_state=draw, **params)
                for _ in range(60 if stream else 1):
                    (model.partial_fit if stream else model.fit)(X * (1 + jitter), y)
                if table[2]:
                    errors.append(1.0 - model.score(X_test, y_test))
                else:
                    errors.append(log_loss(y_test, model.predict_proba(X_test)))
            seconds = time.process_time() - start
            found.append((np.mean(errors), counts[0] + 1, seconds))
    Objective.data_loss_gradient = inner
    return np.array(found).T


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("-k", default="", help="a part of the constants' names")
    parser.add_argument("--out", type=Path, help="lines are added to this file")
    parser.add_argument("--draws", type=int, default=1)
    add_arguments(parser)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    sources = args.keel, args.data
    known = args.out.read_text() if args.out and args.out.exists() else ""
    base = cache(lambda task: run(task, sources, args.draws))

    def line(key, task, found):
        """Print, and add to the file, what a change has done."""
        ratio = (found[0] + 0.01) / (base(task)[0] + 0.01)
        work, seconds = found[1:].sum(axis=1) / base(task)[1:].sum(axis=1)
        text = f"{key:52s} error {ratio.mean():.3f} {ratio.max():.3f} "
        text += f"evaluations {work:.2f} seconds {seconds:.2f}"
        print(text, flush=True)
        if args.out:
            with args.out.open("a") as file:
                file.write(text + "\n")

    for key, task in ((f"rounding [{task}]", task) for task in TASKS):
        if args.k in key and key not in known:
            line(key, task, run(task, sources, args.draws, 1e-9))
    for place, names, tasks, how in CONSTANTS:
        module = import_module(f"skwd.{place}")
        for name in names.split():
            for sign, value in zip("-+", changed(getattr(module, name), how)):
                for task in tasks:
                    key = f"{place}.{name} {sign} [{task}]"
                    if args.k not in key or key in known:
                        continue
                    base(task)
                    undo = put(module, name, value)
                    try:
                        line(key, task, run(task, sources, args.draws))
                    finally:
                        undo()


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
