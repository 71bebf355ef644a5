"""alpha="auto" with columns in parts among its models, against columns alone.

    python benchmarks/encoding.py [--rows 3000] [--splits 3] [--solver adam]
    python benchmarks/encoding.py --constant QUANTILES 8 16 48

Tables are those of `tables.py` for tuning. The first form prints for each table the
mean test error (1 - R2, or the log-loss) with encoding="auto" over that with
encoding=None, the CPU seconds of both and how often each model was chosen; the second
the error of a network on parts for other values of a constant, over that at its own,
each at the best of three alphas on the test rows, beside that of columns alone. "adam"
is 60 epochs of batches of 64 with a cosine from .003.
"""

import argparse
import time
import warnings
from collections import Counter

import numpy as np
from sklearn.base import is_classifier
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from tables import add_arguments, pipeline, read_tables

import skwd
from skwd._data import encoding as parts

# Of different kinds: smooth, with steps, of many classes, of few rows, nominal columns.
NAMES = {
    "classes": ("german", "phoneme", "segment", "vehicle", "ring", "mammographic"),
    "squared_error": ("diabetes", "penbased", "phoneme", "saheart"),
}
COSINE = {"learning_rate": "cosine", "learning_rate_init": 3e-3, "batch_size": 64}
ADAM = {"solver": "adam", "tol": 0.0, "n_iter_no_change": 10**6, **COSINE}
MULTIPLES = (0.3, 1.0, 3.0)


def tasks(sources, names):
    """(name, X, y, estimator class) of each table."""
    for kind, wanted in NAMES.items():
        for table in read_tables(kind, "tuning", **sources):
            if table.name in (names or wanted):
                classes = kind == "classes"
                cls = skwd.WeightDecayMLPRegressor
                cls = skwd.WeightDecayMLPClassifier if classes else cls
                yield f"{kind[:7]} {table.name}", table.X, table.y, cls


def split_of(X, y, cls, n_rows, seed):
    """Training and test rows: at most ``n_rows``, and as many to test on."""
    n_train, n_test = min(n_rows, 2 * len(y) // 3), min(3000, len(y) // 3)
    how = {"train_size": n_train, "test_size": n_test, "random_state": seed}
    return train_test_split(X, y, stratify=y if is_classifier(cls()) else None, **how)


def error_of(model, X, y):
    """1 - R2, or the log-loss."""
    if is_classifier(model):
        return log_loss(y, model.predict_proba(X), labels=model.classes_)
    return 1.0 - model.score(X, y)


def compare(args, sources):
    """encoding="auto" over encoding=None, of alpha="auto"."""
    params = ADAM | {"max_iter": args.epochs} if args.solver == "adam" else {}
    errors, seconds, chosen = {}, {}, {}
    for seed in range(args.splits):
        for name, X, y, cls in tasks(sources, args.tables):
            A, B, a, b = split_of(X, y, cls, args.rows, seed)
            for encoding in (None, "auto"):
                model = cls(alpha="auto", encoding=encoding, random_state=0, **params)
                start = time.process_time()
                pipe = pipeline(model).fit(A, a)
                took = time.process_time() - start
                key = name, encoding
                errors.setdefault(key, []).append(error_of(pipe, B, b))
                seconds.setdefault(key, []).append(took)
            model = pipe[-1].alpha_choice_["model"]
            chosen.setdefault(name, Counter())[model] += 1
            pair = [errors[name, encoding][-1] for encoding in (None, "auto")]
            both = [seconds[name, encoding][-1] for encoding in (None, "auto")]
            print(f"  split {seed} {name:22} {pair[0]:.4f} -> {pair[1]:.4f}, {model}, "
                  f"{both[0]:.1f} -> {both[1]:.1f} s", flush=True)  # fmt: skip
    print("\ntable, columns, auto, ratio, seconds of both, models")
    ratios, times = [], []
    for name in chosen:
        plain, auto = (np.mean(errors[name, e]) for e in (None, "auto"))
        t_plain, t_auto = (np.mean(seconds[name, e]) for e in (None, "auto"))
        ratios.append(auto / plain)
        times.append(t_auto / t_plain)
        models = ", ".join(f"{m} {n}" for m, n in chosen[name].items())
        print(f"{name:30} {plain:8.4f} {auto:8.4f} {auto / plain:6.3f} "
              f"{t_plain:6.1f} {t_auto:6.1f}  {models}")  # fmt: skip
    print(f"geometric mean {np.exp(np.mean(np.log(ratios))):.3f}, worst "
          f"{max(ratios):.3f}; times the seconds: median {np.median(times):.1f}, most "
          f"{max(times):.1f}")  # fmt: skip


def constant(args, sources):
    """Other values of a constant over its own."""
    name, *values = args.constant
    own, ratios = getattr(parts, name), {}
    values = [type(own)(value) for value in values]
    for title, X, y, cls in tasks(sources, args.tables):
        found = {}
        for value in (own, *values, "columns"):
            encoding = None if value == "columns" else "parts"
            setattr(parts, name, own if value == "columns" else value)
            of_splits = []
            for seed in range(args.splits):
                A, B, a, b = split_of(X, y, cls, args.rows, seed)
                of_alphas = []
                for multiple in MULTIPLES:
                    how = {"alpha": 5.0 * multiple / len(a), "encoding": encoding}
                    how |= ADAM | {"max_iter": args.epochs, "random_state": seed}
                    model = pipeline(cls(**how)).fit(A, a)
                    of_alphas.append(error_of(model, B, b))
                of_splits.append(min(of_alphas))
            found[value] = np.mean(of_splits)
        setattr(parts, name, own)
        line = []
        for value in (*values, "columns"):
            ratios.setdefault(value, []).append(found[value] / found[own])
            line.append(f"{value} {ratios[value][-1]:.3f}")
        print(
            f"{title:22} {own} {found[own]:.4f}; over it: {', '.join(line)}", flush=True
        )
    for value, of_tables in ratios.items():
        mean = np.exp(np.mean(np.log(of_tables)))
        ends = f"{min(of_tables):.3f} to {max(of_tables):.3f}"
        print(f"{name} = {value}: {mean:.3f}, {ends}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add_arguments(parser)
    parser.add_argument("--rows", type=int, default=3000)
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--solver", choices=("adam", "auto"), default="adam")
    parser.add_argument("--tables", nargs="*", help="only these")
    parser.add_argument("--constant", nargs="+", help="a name and values")
    args = parser.parse_args()
    sources = {"keel": args.keel, "data": args.data}
    warnings.simplefilter("ignore")
    (constant if args.constant else compare)(args, sources)
