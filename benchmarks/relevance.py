"""One alpha for each column of X against one for all: what it finds, and its time.

    python benchmarks/relevance.py
    python benchmarks/relevance.py --draws 20
    python benchmarks/relevance.py --data FOLDER

Friedman 1 with 50 columns, of which five matter, noise 1: the error to the noise-free
function on 1000 new rows, whether the five have the largest importances, columns kept
and seconds, beside the same network with a single alpha. Then y = 2 x0 x1 + x2 + .2
noise, of which no column but x2 shows anything by itself, and noise alone.

With ``--data`` or ``--keel`` (see `tables`) real tables of numbers in their place, at
most 500 rows, ten splits, 20 tanh units: the root mean squared error over the deviation
of y, the difference with its standard error, and on how many splits it is lower.
"""

import argparse
import time
import warnings

import numpy as np
from sklearn.model_selection import ShuffleSplit
from tables import add_arguments, pipeline, read_tables
from threadpoolctl import threadpool_limits

from skwd import WeightDecayMLPRegressor

NETWORKS = {
    "20 tanh": {"hidden_layer_sizes": (20,), "activation": "tanh"},
    "50 ReLU": {"hidden_layer_sizes": (50,)},
    "20, 20 tanh": {"hidden_layer_sizes": (20, 20), "activation": "tanh"},
}


def friedman(seed, n):
    rng = np.random.default_rng(100 + seed)
    X = rng.uniform(size=(n + 1000, 50))
    f = 10.0 * np.sin(np.pi * X[:, 0] * X[:, 1]) + 20.0 * (X[:, 2] - 0.5) ** 2
    f += 10.0 * X[:, 3] + 5.0 * X[:, 4]
    return (X - 0.5) * 12**0.5, f, f + rng.standard_normal(n + 1000), 5


def product(seed, n):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n + 1000, 50))
    f = 2.0 * X[:, 0] * X[:, 1] + X[:, 2]
    return X, f, f + 0.2 * rng.standard_normal(n + 1000), 3


def noise(seed, n):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n + 1000, 50))
    return X, np.zeros(n + 1000), rng.standard_normal(n + 1000), 0


def fitted(X, y, X_new, f_new, groups, how):
    """The fit, its error on new rows and its seconds."""
    model = WeightDecayMLPRegressor(
        alpha="evidence", alpha_groups=groups, random_state=0, **how
    )
    start = time.perf_counter()
    model.fit(X, y)
    seconds = time.perf_counter() - start
    return model, np.sqrt(np.mean((model.predict(X_new) - f_new) ** 2)), seconds


def on_tables(sources):
    print(
        "table: error with one alpha | by column | difference, standard error | lower"
    )
    for part in ("tuning", "held out"):
        for table in read_tables("squared_error", part, **sources):
            rows = np.random.default_rng(0).permutation(len(table.y))[:500]
            X, y = table.X.iloc[rows], table.y[rows]
            errors = []
            for train, test in ShuffleSplit(10, test_size=0.2, random_state=0).split(X):
                before = pipeline(None)[:-1].fit(X.iloc[train])
                parts = [before.transform(X.iloc[part]) for part in (train, test)]
                data = parts[0], y[train], parts[1], y[test]
                groups = (None, "input")
                found = [fitted(*data, g, NETWORKS["20 tanh"])[1] for g in groups]
                errors.append(np.array(found) / y[test].std())
            common, by_column = np.array(errors).T
            change = by_column - common
            error = change.std(ddof=1) / np.sqrt(len(change))
            print(
                f"{table.name:16s} {common.mean():.3f} | {by_column.mean():.3f} | "
                f"{change.mean():+.3f} {error:.3f} | {(change < 0).sum()} of 10",
                flush=True,
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--draws", type=int, default=5)
    add_arguments(parser)
    args = parser.parse_args()
    draws = args.draws
    warnings.simplefilter("ignore")  # of noise that is a constant
    if args.data or args.keel:
        on_tables({"data": args.data, "keel": args.keel})
        return
    print("data, network: errors with one alpha | by column, worst | draws with the")
    print("relevant columns on top | columns kept | times the seconds of one alpha")
    problems = (friedman, 500), (friedman, 200), (product, 400), (noise, 400)
    for problem, n in problems:
        for name, how in NETWORKS.items():
            rows = []
            for seed in range(draws):
                X, f, y, k = problem(seed, n)
                data = X[:n], y[:n], X[n:], f[n:]
                _, common, common_seconds = fitted(*data, None, how)
                model, error, seconds = fitted(*data, "input", how)
                shares = model.feature_importances_
                on_top = set(np.argsort(shares)[::-1][:k]) == set(range(k))
                kept = np.isfinite(model.alpha_[:50]).sum()
                rows.append((common, error, on_top, kept, seconds / common_seconds))
            common, error, on_top, kept, ratio = np.array(rows, dtype=float).T
            print(
                f"{problem.__name__:9s} {n} {name:12s} {common.mean():6.2f} | "
                f"{error.mean():5.2f} {error.max():5.2f} | "
                f"{on_top.sum():.0f} of {draws} | {kept.mean():5.1f} | "
                f"{ratio.mean():5.1f}",
                flush=True,
            )


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
