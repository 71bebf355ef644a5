"""How seconds and errors grow with the number of rows, on one processor and on two.

    python benchmarks/growth.py [--rows 300 1000 3000] [--out growth.jsonl]
    python benchmarks/growth.py --picture growth.png --out growth.jsonl

Friedman's first function of 10 columns (make_friedman1) and a step in one of them, with
noise of deviation 1: the part of the noise-free variance that is not found in 10,000
other rows. The default, "auto", "auto" of columns alone and the CV form (five folds,
13 alphas; up to 10,000 rows) beside CatBoost, HistGradientBoosting and scikit-learn's
MLP (early stopping, y standardised), each with ``n_jobs`` or its own threads. Seconds
are of the clock: run it alone. Lines that the file holds are not run again.
"""

import argparse
import json
import time
import warnings
from itertools import product
from pathlib import Path

import numpy as np
from sklearn.datasets import make_friedman1
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from study_learners import SEED, STOPPED, boosted, scaled
from study_report import lines
from threadpoolctl import threadpool_limits

from skwd import WeightDecayMLPRegressor, WeightDecayMLPRegressorCV

ROWS = [300, 1000, 3000, 10_000, 30_000, 100_000]
MOST_ROWS_OF_CV = 10_000
STEP = 3.0


def made(n, seed):
    """X, noisy y and the truth."""
    X, truth = make_friedman1(n, n_features=10, random_state=seed)
    truth = truth + STEP * (X[:, 5] > 0.7)
    return X, truth + np.random.default_rng(seed).standard_normal(n), truth


def learners(n_threads):
    """Name to estimator, for so many processors."""
    spread = {"n_jobs": n_threads, **SEED}
    columns = {"alpha": "auto", "encoding": None}
    found = {
        "default": WeightDecayMLPRegressor(**spread),
        "auto": WeightDecayMLPRegressor(alpha="auto", **spread),
        "auto, columns": WeightDecayMLPRegressor(**columns, **spread),
        "CV form": WeightDecayMLPRegressorCV(cv=5, **spread),
        "MLP": scaled(MLPRegressor(**STOPPED, **SEED)),
        "HistGB": HistGradientBoostingRegressor(**SEED),
    }
    trees = boosted("squared_error", n_threads)
    return found | {name: trees[name] for name in trees if name == "CatBoost"}


def run(args):
    X_test, _, truth = made(10_000, 1)
    known = {
        tuple(x[k] for k in ("rows", "threads", "learner")) for x in lines(args.out)
    }
    for n, n_threads in product(args.rows, args.threads):
        X, y, _ = made(n, 2)
        for name, learner in learners(n_threads).items():
            too_many = name == "CV form" and n > MOST_ROWS_OF_CV
            if too_many or (n, n_threads, name) in known:
                continue
            model = make_pipeline(StandardScaler(), learner)
            with threadpool_limits(n_threads):
                start = time.perf_counter()
                model.fit(X, y)
                seconds = time.perf_counter() - start
            error = np.mean((model.predict(X_test) - truth) ** 2) / np.var(truth)
            line = {"rows": n, "threads": n_threads, "learner": name}
            line |= {"seconds": seconds, "error": error}
            with args.out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")


def report(found):
    """Seconds and errors, a line for each learner."""
    sizes = sorted({line["rows"] for line in found})
    for n_threads in sorted({line["threads"] for line in found}):
        for measure in ("seconds", "error"):
            head = f"{measure}, {n_threads} processor{'s' * (n_threads > 1)}"
            print(f"\n{head:24s}" + "".join(f"{n:>10d}" for n in sizes))
            for name in dict.fromkeys(line["learner"] for line in found):
                values = {
                    line["rows"]: line[measure]
                    for line in found
                    if (line["learner"], line["threads"]) == (name, n_threads)
                }
                shown = (
                    f"{values[n]:10.3f}" if n in values else " " * 10 for n in sizes
                )
                print(f"{name:24s}" + "".join(shown))


def draw(found, path):
    """Two panels against the number of rows: seconds on one processor, and errors."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
    alone = min(line["threads"] for line in found)
    ours = ("default", "auto", "auto, columns", "CV form")
    colors = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    names = list(dict.fromkeys(line["learner"] for line in found))
    for name, color in zip(names, colors):
        mine = [x for x in found if (x["learner"], x["threads"]) == (name, alone)]
        mine.sort(key=lambda line: line["rows"])
        rows = [line["rows"] for line in mine]
        how = {"marker": "o", "ms": 4, "color": color}
        how["ls"] = "-" if name in ours else "--"
        label = f"skwd, {name}" if name in ours else name
        for ax, measure in zip(axes, ("seconds", "error")):
            ax.plot(rows, [line[measure] for line in mine], label=label, **how)
    titles = "seconds of fit, one processor", "part of the variance not found"
    for ax, title in zip(axes, titles):
        ax.set(xscale="log", yscale="log", xlabel="rows", title=title)
        ax.grid(color="0.9")
        ax.set_axisbelow(True)
        ax.spines[["top", "right"]].set_visible(False)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center")
    figure.savefig(path, dpi=110)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", nargs="+", type=int, default=ROWS)
    parser.add_argument("--threads", nargs="*", type=int, default=[1, 2])
    parser.add_argument("--out", type=Path, default=Path("growth.jsonl"))
    parser.add_argument("--picture", type=Path, help="draw what the file holds")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    if args.picture is None:
        run(args)
    found = lines(args.out)
    report(found)
    if args.picture is not None:
        draw(found, args.picture)


if __name__ == "__main__":
    main()
