"""skwd and its rivals on real tables, of two sizes and more.

    python benchmarks/study.py run --out study.jsonl --sizes 500 3000 --data FOLDER
    python benchmarks/study.py report study.jsonl --picture study.png

`run` fits every learner (`study_learners`) to random splits of every table (`tables`):
at most so many rows to train on as a size says, two thirds of the table at most, and
at most 3,000 others to test on. A table takes part in the smallest size and in all that
it has half of the rows for. One line of JSON is appended for each fit; what the file
holds already is not run again, so that a study can be cut into parts: ``--part``,
``--kind``, ``--sizes``, ``--tables``, ``--learners``, ``--splits``. One thread; seconds
are the processor's, of fit.

`report` compares the learners that have all tables of a size. The error is the mean
squared error over the variance of y in the test rows, or the log-loss with no
probability below 1e-4; the mean over a table's splits is one number for each learner.
Printed are the mean rank, how often a learner is the best, the geometric mean and the
worst of its error over the best learner's, with .01 added to both for errors that are
next to nothing, wrong labels, calibration (mean |confidence - accuracy| in ten bins),
and the time over that of CatBoost (geometric mean).
"""

import argparse
import json
import time
import warnings
from itertools import product
from pathlib import Path

import numpy as np
import study_report
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit
from study_learners import SMALL, SMALL_ONLY, learners
from tables import add_arguments, log_loss, pipeline, read_tables
from threadpoolctl import threadpool_limits

KINDS = ("squared_error", "classes")
PARTS = ("tuning", "held out")
KEYS = ("kind", "table", "size", "learner", "split")
MOST_TEST_ROWS, LEAST_OF_CLASS = 3000, 5


def n_train_of(size, y):
    return min(size, 2 * len(y) // 3)


def splits_of(kind, X, y, size, n_splits):
    """Random splits, the same for all learners."""
    n_train = n_train_of(size, y)
    how = {"n_splits": n_splits, "train_size": n_train, "random_state": 0}
    how["test_size"] = min(len(y) - n_train, MOST_TEST_ROWS)
    if kind == "classes":
        return StratifiedShuffleSplit(**how).split(X, y)
    return ShuffleSplit(**how).split(X)


def judged(kind, model, X, y):
    """What is kept of a fitted model: name to number."""
    if kind == "classes":
        p = model.predict_proba(X)
        right = model.classes_[p.argmax(axis=1)] == y
        bins = np.minimum((10 * p.max(axis=1)).astype(int), 9)
        gaps = np.bincount(bins, p.max(axis=1) - right, 10)
        return {
            "error": float(log_loss(model, X, y)),
            "wrong": 1.0 - right.mean(),
            "calibration": np.abs(gaps).sum() / len(y),
        }
    return {"error": float(np.mean((y - model.predict(X)) ** 2) / np.var(y))}


def fitted(kind, learner, X, y, train, test):
    """One line of the study."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        start = time.process_time()
        model = pipeline(learner).fit(X.iloc[train], y[train])
        seconds = time.process_time() - start
        found = judged(kind, model, X.iloc[test], y[test])
    last = model[-1]
    if hasattr(last, "alpha_choice_"):
        found["model"] = last.alpha_choice_["model"]
    if hasattr(last, "alpha_"):
        found["alpha"] = float(np.mean(last.alpha_))
    return {**found, "seconds": seconds, "warnings": len(caught)}


def tasks(kind, part, sizes, names, sources):
    """(name, size, X, y) of each table, at each size that it has the rows for."""
    for table in read_tables(kind, part, **sources):
        if names and table.name not in names:
            continue
        for size in sizes:
            X, y = table.X, table.y
            if size > min(sizes) and n_train_of(size, y) < size / 2:
                continue
            if kind == "classes":  # a class of few rows may be missing in a split
                labels, counts = np.unique(y, return_counts=True)
                expected = counts * n_train_of(size, y) / len(y)
                often = np.isin(y, labels[expected >= LEAST_OF_CLASS])
                X, y = X[often], y[often]
            yield table.name, size, X, y


def run(args):
    """Fit what the file does not hold yet."""
    known = {tuple(line[k] for k in KEYS) for line in study_report.lines(args.out)}
    sources = {"keel": args.keel, "data": args.data}
    for kind, part in product(args.kind, args.part):
        chosen = learners(kind, args.learners)
        for table, size, X, y in tasks(kind, part, args.sizes, args.tables, sources):
            splits = splits_of(kind, X, y, size, args.splits)
            for number, (train, test) in enumerate(splits):
                for name, learner in chosen.items():
                    key = kind, table, size, name, number
                    is_large = name in SMALL_ONLY and len(train) > SMALL
                    if key in known or is_large:
                        continue
                    line = dict(zip(KEYS, key)) | {"part": part, "rows": len(train)}
                    line |= fitted(kind, learner, X, y, train, test)
                    with args.out.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(line) + "\n")
            print(kind, part, table, size, *X.shape, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    runs = commands.add_parser("run")
    add_arguments(runs)
    runs.add_argument("--out", type=Path, default=Path("study.jsonl"))
    runs.add_argument("--tables", nargs="+")
    runs.add_argument("--splits", type=int, default=3)
    reports = commands.add_parser("report")
    reports.add_argument("file", type=Path)
    reports.add_argument("--picture", type=Path)
    for command in (runs, reports):
        command.add_argument("--kind", nargs="+", choices=KINDS, default=KINDS)
        command.add_argument("--part", nargs="+", choices=PARTS, default=PARTS)
        command.add_argument("--sizes", nargs="+", type=int, default=[500, 3000])
        command.add_argument("--learners", nargs="+")
    args = parser.parse_args()
    run(args) if args.command == "run" else study_report.report(args)


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
