"""What large data cost: seconds and memory per million rows, and per thousand networks.

    python benchmarks/large.py [--rows 1000000]

Rows of 20 columns, 64 ReLU units, Adam on batches of 200: an epoch of
fit on an array (its columns in parts, too), on a memory map of the same and on CSR with
a tenth of the values; the same rows through partial_fit in a hundred parts; and a
search of 1000 networks, on 1000 rows each. Memory is what the fit itself takes at most,
beside its X and y, by tracemalloc (without a memory map's pages, which the system gives
and takes).
"""

import argparse
import tempfile
import tracemalloc
import warnings
from pathlib import Path
from time import perf_counter

import numpy as np
from scipy import sparse

from skwd import WeightDecayMLPRegressor, WeightDecayMLPRegressorCV

NET = {"hidden_layer_sizes": (64,), "solver": "adam", "alpha": 1e-4, "random_state": 0}


def measured(name, work, n_rows):
    tracemalloc.start()
    start = perf_counter()
    work()
    seconds, peak = perf_counter() - start, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    per_million = seconds * 1e6 / n_rows
    print(
        f"{name:34s} {per_million:7.2f} s a million rows and epoch, "
        f"{peak / n_rows:6.1f} bytes a row"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    n = parser.parse_args().rows
    warnings.simplefilter("ignore")  # one epoch is no convergence
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((n, 20)), rng.standard_normal(n)

    def fit(X, **how):
        return lambda: WeightDecayMLPRegressor(max_iter=1, **NET, **how).fit(X, y)

    def stream():
        model = WeightDecayMLPRegressor(**NET)
        for part in np.array_split(np.arange(n), 100):
            model.partial_fit(X[part[0] : part[-1] + 1], y[part[0] : part[-1] + 1])

    measured("fit", fit(X), n)
    measured("fit, float32", fit(X.astype(np.float32)), n)
    measured("fit, columns in parts", fit(X, encoding="parts"), n)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "X.npy"
        np.save(path, X)
        measured("fit, memory map", fit(np.load(path, mmap_mode="r")), n)
    measured("fit, CSR", fit(sparse.random(n, 20, 0.1, "csr", rng=rng)), n)
    measured("partial_fit, a hundred parts", stream, n)

    X, y, alphas = X[:1000, :10], y[:1000], np.logspace(-4, 0, 100)
    search = WeightDecayMLPRegressorCV(
        alphas=alphas, cv=10, max_iter=20, n_iter_no_change=np.inf, **search_net()
    )
    start = perf_counter()
    search.fit(X, y)
    print(f"1000 networks of 20 epochs: {perf_counter() - start:.1f} s")


def search_net():
    return {name: value for name, value in NET.items() if name != "alpha"}


if __name__ == "__main__":
    main()
