"""Which solver at which size: the measurements behind solver="auto".

L-BFGS, Adam with its defaults and Adam by plans of some epochs, batch and rate (falling
by a cosine), at the same alphas on real and on made data: errors (1 - R2 or log-loss)
on other rows, J and CPU seconds, each over those of the plan that "auto" has. "Work" is
rows times parameters, what the rule of "auto" goes by.

    python benchmarks/solvers.py [--keel DIR] [--rows 3000 9000 16000]
"""

import argparse
import time
import warnings
from collections import defaultdict

import numpy as np
from race import columns
from sklearn.metrics import log_loss
from tables import add_arguments, read_tables

from skwd import WeightDecayMLPClassifier, WeightDecayMLPRegressor
from skwd._solvers.first_order import PLAN, PLANNED_RATE

C = {"squared_error": 5.0, "classes": 4.0}
NEVER = 10**6
PLANNED = PLAN["max_iter"], PLAN["batch_size"], PLANNED_RATE
PLANS = (PLANNED, (60, 128, 0.008), (150, 128, 0.008), (100, 128, 0.004))
PLANS += ((100, 256, 0.01), (60, 64, 0.005))
MADE = (2200, 284), (10_000, 50), (40_000, 20)
N_TEST = 5000


def ways():
    yield "lbfgs", {"solver": "lbfgs"}
    yield "adam", {"solver": "adam"}
    for epochs, batch, rate in PLANS:
        how = {"learning_rate": "cosine", "learning_rate_init": rate}
        how |= {"batch_size": batch, "max_iter": epochs, "n_iter_no_change": NEVER}
        yield f"{epochs} x {batch}, {rate}", {"solver": "adam"} | how


def made(kind, n, d):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n + N_TEST, d))
    f = np.sin(2 * X[:, 0]) + X[:, 1] * X[:, 2] + 0.5 * np.abs(X[:, 3])
    y = f + 0.3 * rng.standard_normal(len(f))
    if kind == "classes":
        y = (f + 0.5 * rng.standard_normal(len(f)) > 0.4).astype(int)
    return X[:n], y[:n], X[n:], y[n:]


def tables(args):
    """(name, kind, X, y, X_test, y_test), real ones and made ones."""
    for kind in C:
        for table in read_tables(kind, "tuning", args.keel, args.data):
            for n in args.rows:
                if len(table.X) < 1.15 * n:
                    continue
                order = np.random.default_rng(0).permutation(len(table.X))
                X, y = table.X.iloc[order], table.y[order]
                encode = columns().fit(X[:n])
                test = encode.transform(X[n:][:N_TEST]), y[n:][:N_TEST]
                yield table.name, kind, encode.transform(X[:n]), y[:n], *test
    for kind in C:
        for n, d in MADE:
            yield "made", kind, *made(kind, n, d)


def error(model, X, y):
    if not hasattr(model, "classes_"):
        return 1.0 - model.score(X, y)
    known = np.isin(y, model.classes_)
    p = model.predict_proba(X[known])
    return log_loss(y[known], p, labels=model.classes_)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_arguments(parser)
    parser.add_argument("--rows", type=int, nargs="+", default=[3000, 9000, 16_000])
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    ratios = defaultdict(list)
    for name, kind, X, y, X_test, y_test in tables(args):
        cls = WeightDecayMLPClassifier if kind == "classes" else WeightDecayMLPRegressor
        for multiple in (1.0, 3.0):
            found = {}
            for way, how in ways():
                alpha = C[kind] * multiple / len(X)
                model = cls(alpha=alpha, random_state=0, **how)
                start = time.process_time()
                model.fit(X, y)
                seconds = time.process_time() - start
                found[way] = error(model, X_test, y_test), model.loss_, seconds
            work = len(X) * sum(w.size for w in model.coefs_ + model.intercepts_)
            reference = found["{} x {}, {}".format(*PLANNED)]
            line = f"{name:12s} {kind:13s} {len(X)} x {X.shape[1]:<4d} {work:.0e}"
            group = "made" if name == "made" else f"{len(X)} rows"
            for way, values in found.items():
                ratio = np.array(values) / reference
                ratios[group, way].append(ratio)
                line += f"  {way}: {ratio[0]:.3f}, {ratio[2]:.2f}"
            print(line, flush=True)
    for (group, way), found in ratios.items():
        mean, ends = np.exp(np.log(found).mean(axis=0)), np.array(found)[:, 0]
        print(
            f"{group:10s} {way:18s} {len(found):3d} error {mean[0]:.3f}, "
            f"{ends.min():.2f} to {ends.max():.2f}; J {mean[1]:.3f}; time {mean[2]:.2f}"
        )


if __name__ == "__main__":
    main()
