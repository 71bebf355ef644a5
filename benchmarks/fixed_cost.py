"""What a fit and a prediction cost whatever the data, against scikit-learn's MLP.

    python benchmarks/fixed_cost.py [--profile] [--import-time]

Fits of one iteration on 50 x 4 rows, alpha=0.01 and 100 units, and predictions of one
row, of WeightDecayMLPRegressor and MLPRegressor in turn: medians of many, and their
ratio, in CPU time: other work on the machine counts less. --profile prints where skwd's
fits spend their own time. BLAS has one thread. --import-time is that of the import of
scikit-learn's networks, and how much that of skwd adds, the least of five of each, with
compiled files as an installation has them.
"""

import argparse
import cProfile
import os
import pstats
import subprocess
import sys
import tempfile
import time
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor
from threadpoolctl import threadpool_limits

from skwd import WeightDecayMLPRegressor

LEARNERS = WeightDecayMLPRegressor, MLPRegressor
SOLVERS = "lbfgs", "adam"
N_FITS, N_PREDICTIONS, N_WARM = 400, 2000, 20
IMPORTS = """
from time import process_time as now
start = now()
import sklearn.neural_network
between = now()
import skwd
print(between - start, now() - between)
"""


def data():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((50, 4))
    return X, X[:, 0] + np.sin(X[:, 1]) + 0.1 * rng.standard_normal(50)


def learner(kind, solver):
    return kind(
        hidden_layer_sizes=(100,), solver=solver, alpha=0.01, max_iter=1, random_state=0
    )


def medians(functions, repeats):
    """Median CPU microseconds of each function, called in turn."""
    seconds = np.empty((repeats, len(functions)))
    for number in range(-N_WARM, repeats):
        for which, function in enumerate(functions):
            start = time.process_time()
            function()
            seconds[number, which] = time.process_time() - start
    return np.median(seconds, axis=0) * 1e6


def print_import_time():
    """What importing skwd takes beyond what it needs of scikit-learn."""
    with tempfile.TemporaryDirectory() as cache:
        compiled = {**os.environ, "PYTHONPYCACHEPREFIX": cache}
        compiled.pop("PYTHONDONTWRITEBYTECODE", None)
        command = [sys.executable, "-c", IMPORTS]
        runs = [
            subprocess.run(command, env=compiled, capture_output=True, check=True)
            for _ in range(6)
        ][1:]  # the first compiles
    theirs, ours = zip(*(map(float, run.stdout.split()) for run in runs))
    print(f"import: scikit-learn {min(theirs):.3f} s of CPU, skwd + {min(ours):.3f} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--profile", action="store_true", help="of skwd's fits")
    parser.add_argument("--import-time", action="store_true", help="that alone")
    args = parser.parse_args()
    if args.import_time:
        print_import_time()
        return
    warnings.simplefilter("ignore", ConvergenceWarning)
    X, y = data()
    if args.profile:
        for solver in SOLVERS:
            model = learner(WeightDecayMLPRegressor, solver).fit(X, y)
            with cProfile.Profile() as profile:
                for _ in range(N_FITS):
                    model.fit(X, y)
            print(f"{N_FITS} fits by {solver!r}")
            pstats.Stats(profile).sort_stats("tottime").print_stats(40)
        return
    print(f"{'CPU microseconds':16s} {'skwd':>8s} {'MLP':>8s} {'ratio':>6s}")
    for solver in SOLVERS:
        models = [learner(kind, solver).fit(X, y) for kind in LEARNERS]
        tasks = {
            "fit": ([lambda m=m: m.fit(X, y) for m in models], N_FITS),
            "predict": ([lambda m=m: m.predict(X[:1]) for m in models], N_PREDICTIONS),
        }
        for task, (functions, repeats) in tasks.items():
            ours, theirs = medians(functions, repeats)
            name = f"{solver} {task}"
            print(f"{name:16s} {ours:8.0f} {theirs:8.0f} {ours / theirs:6.2f}")


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
