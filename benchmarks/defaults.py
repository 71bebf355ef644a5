"""Defaults against defaults, on real tables that no default of skwd was chosen on.

    python benchmarks/defaults.py
    python benchmarks/defaults.py --rows 2000 8000 20000

Every learner has its defaults and random_state=0, in the same Pipeline (`pipeline` of
`tables`); scikit-learn's MLP predicts a standardised y. The tables are the held-out
part of `tables`, at most 700 rows of each; ``--rows`` takes the tables that have at
least half so many, cut down to so many. Five shuffled folds, stratified by class, the
same for all. Printed are R2, higher is better, or the log-loss, lower is better, with
no probability below 1e-4; their mean and mean rank; on how many tables skwd is no worse
than each rival, within 0.005; CPU seconds of fitting and predicting, on one thread; and
the warnings of skwd. "auto" is skwd with alpha="auto".
"""

import argparse
import os
import warnings
from collections import Counter

import numpy as np
from scipy.stats import rankdata
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegressionCV, RidgeCV
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler
from tables import add_arguments, log_loss, pipeline, read_tables
from threadpoolctl import threadpool_limits

from skwd import WeightDecayMLPClassifier, WeightDecayMLPRegressor

SEED = {"random_state": 0}
MARGIN = 0.005
LEARNERS = {
    "squared_error": {
        "skwd": WeightDecayMLPRegressor(**SEED),
        "MLP": TransformedTargetRegressor(
            MLPRegressor(**SEED), transformer=StandardScaler()
        ),
        "HistGB": HistGradientBoostingRegressor(**SEED),
        "forest": RandomForestRegressor(**SEED),
        "linear": RidgeCV(),
        "auto": WeightDecayMLPRegressor(alpha="auto", **SEED),
    },
    "classes": {
        "skwd": WeightDecayMLPClassifier(**SEED),
        "MLP": MLPClassifier(**SEED),
        "HistGB": HistGradientBoostingClassifier(**SEED),
        "forest": RandomForestClassifier(**SEED),
        "linear": LogisticRegressionCV(),
        "auto": WeightDecayMLPClassifier(alpha="auto", **SEED),
    },
}


def cpu_seconds():
    """Of this process and its children."""
    now = os.times()
    return now.user + now.system + now.children_user + now.children_system


def cut(table, n_rows):
    """At most so many rows, drawn at random."""
    rows = np.random.default_rng(0).permutation(len(table.y))[:n_rows]
    return table.X.iloc[rows], table.y[rows]


def score(kind, model, X, y):
    if kind == "classes":
        return log_loss(model, X, y)
    return r2_score(y, model.predict(X))


def run(kind, learner, X, y, heard):
    """Mean score over the folds and CPU seconds; adds the warnings to ``heard``."""
    folds = StratifiedKFold if kind == "classes" else KFold
    scores, start = [], cpu_seconds()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for train, test in folds(5, shuffle=True, random_state=0).split(X, y):
            model = pipeline(learner).fit(X.iloc[train], y[train])
            scores.append(score(kind, model, X.iloc[test], y[test]))
    heard.update(str(warning.message) for warning in caught)
    return np.mean(scores), cpu_seconds() - start


def line(name, values, digits=3):
    print(f"{name:32s}" + "".join(f"{v:9.{digits}f}" for v in values), flush=True)


def compare(kind, n_rows, least_rows, sources):
    learners = LEARNERS[kind]
    measure, sign = ("log-loss", 1.0) if kind == "classes" else ("R2", -1.0)
    title = f"{measure}, at most {n_rows} rows"
    print(f"\n{title:32s}" + "".join(f"{name:>9s}" for name in learners))
    scores, seconds, heard = [], [], Counter()
    for table in read_tables(kind, "held out", **sources):
        if len(table.y) < least_rows:
            continue
        X, y = cut(table, n_rows)
        results = [
            run(kind, learner, X, y, heard if name == "skwd" else Counter())
            for name, learner in learners.items()
        ]
        scores.append([result[0] for result in results])
        seconds.append([result[1] for result in results])
        line(f"{table.name} {len(y)} x {X.shape[1]}", scores[-1])
    if not scores:
        print("no table has so many rows")
        return
    losses = sign * np.array(scores)
    line("mean", np.mean(scores, axis=0))
    line("mean rank", rankdata(losses, axis=1).mean(axis=0), digits=2)
    no_worse = (losses[:, :1] <= losses + MARGIN).sum(axis=0)
    line(f"skwd no worse, of {len(losses)}", no_worse, digits=0)
    line("CPU seconds", np.sum(seconds, axis=0), digits=1)
    for message, count in heard.items():
        print(f"skwd warned {count} times: {message}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add_arguments(parser)
    parser.add_argument("--rows", nargs="+", type=int)
    parser.add_argument("--kind", nargs="+", choices=LEARNERS, default=list(LEARNERS))
    args = parser.parse_args()
    limits = [(n, n // 2) for n in args.rows] if args.rows else [(700, 0)]
    for n_rows, least_rows in limits:
        for kind in args.kind:
            sources = {"keel": args.keel, "data": args.data}
            compare(kind, n_rows, least_rows, sources)


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
