"""alpha="auto", the other ways to choose alpha and their rivals, on real tables.

    python benchmarks/study.py run --out study.jsonl --data FOLDER
    python benchmarks/study.py report study.jsonl --picture study.png

`run` fits every learner to random splits of every table (`tables`), two thirds to train
on, and appends one line of JSON for each fit; what the file holds already is not run
again, so that a study can be cut into parts: ``--part``, ``--kind``, ``--tables``,
``--learners``, ``--splits``. All learners stand behind the same Pipeline; the MLP of
scikit-learn learns a standardised y. One BLAS thread; seconds are those of fit, by the
clock.

`report` compares the learners on the tables that all of them have. The error is the
mean squared error over the variance of y in the test rows, or the log-loss with no
probability below 1e-4; the mean over a table's splits is one number for each learner.
Printed are the mean rank, how often a learner is the best, the geometric mean and the
worst of its error over the best learner's and over that of "cv", with .01 added to both
for errors that are next to nothing, wrong labels,
calibration (mean |confidence - accuracy| in ten bins), the mean log-likelihood of
learners with deviations, and the time over that of "cv" (geometric mean).
"""

import argparse
import json
import time
import warnings
from pathlib import Path

import numpy as np
import study_report
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from sklearn.linear_model import LogisticRegressionCV, RidgeCV
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    ShuffleSplit,
    StratifiedKFold,
    StratifiedShuffleSplit,
)
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler
from tables import add_arguments, log_loss, pipeline, read_tables
from threadpoolctl import threadpool_limits

from skwd import (
    WeightDecayMLPClassifier,
    WeightDecayMLPClassifierCV,
    WeightDecayMLPRegressor,
    WeightDecayMLPRegressorCV,
)

SEED = {"random_state": 0}
GRID = {"alpha": np.logspace(-5, 1, 7)}
SCALED = {"regressor__alpha": GRID["alpha"]}
GP_ROWS = 1000  # a Gaussian process takes n^3 operations
NOISY_KERNEL = ConstantKernel() * RBF() + WhiteKernel()
FOLDS = {
    "squared_error": KFold(5, shuffle=True, random_state=0),
    "classes": StratifiedKFold(5, shuffle=True, random_state=0),
}


def _scaled_mlp():
    return TransformedTargetRegressor(
        MLPRegressor(**SEED), transformer=StandardScaler()
    )


LEARNERS = {
    "squared_error": {
        "default": WeightDecayMLPRegressor(**SEED),
        "auto": WeightDecayMLPRegressor(alpha="auto", **SEED),
        "evidence": WeightDecayMLPRegressor(alpha="evidence", posterior=True, **SEED),
        "loo": WeightDecayMLPRegressor(alpha="loo", posterior=True, **SEED),
        "cv": WeightDecayMLPRegressorCV(cv=FOLDS["squared_error"], **SEED),
        "MLP": _scaled_mlp(),
        "MLP grid": GridSearchCV(_scaled_mlp(), SCALED, cv=FOLDS["squared_error"]),
        "linear": RidgeCV(np.logspace(-3, 3, 13)),
        "HistGB": HistGradientBoostingRegressor(**SEED),
        "forest": RandomForestRegressor(**SEED),
        "GP": GaussianProcessRegressor(NOISY_KERNEL, normalize_y=True),
    },
    "classes": {
        "default": WeightDecayMLPClassifier(**SEED),
        "auto": WeightDecayMLPClassifier(alpha="auto", **SEED),
        "evidence": WeightDecayMLPClassifier(alpha="evidence", **SEED),
        "loo": WeightDecayMLPClassifier(alpha="loo", **SEED),
        "cv": WeightDecayMLPClassifierCV(
            cv=FOLDS["classes"], scoring="neg_log_loss", **SEED
        ),
        "MLP": MLPClassifier(**SEED),
        "MLP grid": GridSearchCV(
            MLPClassifier(**SEED), GRID, cv=FOLDS["classes"], scoring="neg_log_loss"
        ),
        "linear": LogisticRegressionCV(),
        "HistGB": HistGradientBoostingClassifier(**SEED),
        "forest": RandomForestClassifier(**SEED),
    },
}


def splits_of(kind, X, y, n_splits):
    """Random splits, the same for all learners."""
    how = {"n_splits": n_splits, "test_size": 1 / 3, "random_state": 0}
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
            "error": log_loss(model, X, y),
            "wrong": 1.0 - right.mean(),
            "calibration": np.abs(gaps).sum() / len(y),
        }
    found = {"error": np.mean((y - model.predict(X)) ** 2) / np.var(y)}
    last = model[-1]
    if getattr(last, "posterior", isinstance(last, GaussianProcessRegressor)):
        mean, std = model.predict(X, return_std=True)
        z = (y - mean) / std
        found["likelihood"] = np.mean(-0.5 * z**2 - np.log(std * np.sqrt(2 * np.pi)))
        found["likelihood"] += np.log(y.std())
    return found


def fitted(kind, learner, X, y, train, test):
    """One line of the study."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        start = time.perf_counter()
        model = pipeline(learner).fit(X.iloc[train], y[train])
        seconds = time.perf_counter() - start
        found = judged(kind, model, X.iloc[test], y[test])
    last = model[-1]
    if hasattr(last, "alpha_choice_"):
        found["model"] = last.alpha_choice_["model"]
    if hasattr(last, "alpha_"):
        found["alpha"] = float(np.mean(last.alpha_))
    return {**found, "seconds": seconds, "warnings": len(caught)}


def run(args):
    """Fit what the file does not hold yet."""
    keys = ("kind", "table", "learner", "split")
    known = {tuple(line[key] for key in keys) for line in study_report.lines(args.out)}
    sources = {"keel": args.keel, "data": args.data}
    for kind in args.kind:
        chosen = {n: e for n, e in LEARNERS[kind].items() if n in args.learners}
        for part in args.part:
            for table in read_tables(kind, part, **sources):
                if args.tables and table.name not in args.tables:
                    continue
                rows = np.random.default_rng(0).permutation(len(table.y))[: args.rows]
                X, y = table.X.iloc[rows], table.y[rows]
                if kind == "classes":  # a class of one row cannot be split
                    names, counts = np.unique(y, return_counts=True)
                    often = np.isin(y, names[counts >= 10])
                    X, y = X[often], y[often]
                splits = list(splits_of(kind, X, y, args.splits))
                for number, (train, test) in enumerate(splits):
                    for name, learner in chosen.items():
                        key = kind, table.name, name, number
                        if key in known or (name == "GP" and len(train) > GP_ROWS):
                            continue
                        line = dict(zip(keys, key)) | {"part": part, "rows": len(y)}
                        line |= fitted(kind, learner, X, y, train, test)
                        with args.out.open("a", encoding="utf-8") as file:
                            file.write(json.dumps(line) + "\n")
                print(kind, part, table.name, *X.shape, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    runs = commands.add_parser("run")
    add_arguments(runs)
    names = list(dict.fromkeys(n for of in LEARNERS.values() for n in of))
    runs.add_argument("--out", type=Path, default=Path("study.jsonl"))
    runs.add_argument("--kind", nargs="+", choices=LEARNERS, default=list(LEARNERS))
    parts = "tuning", "held out"
    runs.add_argument("--part", nargs="+", choices=parts, default=parts)
    runs.add_argument("--tables", nargs="+")
    runs.add_argument("--learners", nargs="+", choices=names, default=names)
    runs.add_argument("--splits", type=int, default=10)
    runs.add_argument("--rows", type=int, default=1000, help="the most of a table")
    reports = commands.add_parser("report")
    reports.add_argument("file", type=Path)
    reports.add_argument("--learners", nargs="+", choices=names)
    reports.add_argument("--part", nargs="+", choices=parts, default=parts)
    reports.add_argument("--picture", type=Path)
    args = parser.parse_args()
    run(args) if args.command == "run" else study_report.report(args)


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
