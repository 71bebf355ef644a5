"""Where Adam overtakes L-BFGS: the measurements behind solver="auto".

Fits with default parameters on growing data; for each solver the seconds, J, the score
on 5000 other rows and the iterations or epochs. The rule of "auto" is in rows times
parameters, the first column.

    python benchmarks/auto.py
"""

import time
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skwd import WeightDecayMLPClassifier, WeightDecayMLPRegressor

ESTIMATORS = {
    "regression": WeightDecayMLPRegressor,
    "two classes": WeightDecayMLPClassifier,
}
N_TEST = 5000
SIZES = (  # rows, columns, hidden units
    (500, 10, 100),
    (2000, 10, 100),
    (10_000, 10, 100),
    (10_000, 50, 100),
    (40_000, 20, 100),
    (100_000, 20, 100),
)


def task(kind, n, d):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n + N_TEST, d))
    f = np.sin(2 * X[:, 0]) + X[:, 1] * X[:, 2] + 0.5 * np.abs(X[:, 3])
    if kind == "regression":
        y = f + 0.3 * rng.standard_normal(len(f))
        y = (y - y.mean()) / y.std()
    else:
        y = (f + 0.5 * rng.standard_normal(len(f)) > 0.4).astype(int)
    return X[:n], y[:n], X[n:], y[n:]


def main():
    # Where max_iter is reached the table shows it.
    warnings.simplefilter("ignore", ConvergenceWarning)
    columns = "seconds      J   score  epochs"
    print(f"{'':32s}{'lbfgs':^32s} {'adam':^32s}")
    print(f"{'':11s}{'rows x columns':>15s} {'work':>5s}  {columns}   {columns}")
    for kind, Estimator in ESTIMATORS.items():
        for n, d, h in SIZES:
            X, y, X_test, y_test = task(kind, n, d)
            work = n * ((d + 1) * h + h + 1)
            line = f"{kind:11s} {n:>8d} x {d:<3d} {work:.0e} "
            for solver in ("lbfgs", "adam"):
                model = Estimator(
                    hidden_layer_sizes=(h,), solver=solver, random_state=0
                )
                start = time.perf_counter()
                model.fit(X, y)
                seconds = time.perf_counter() - start
                score = model.score(X_test, y_test)
                line += f" {seconds:7.2f} {model.loss_:.4f}  {score:.4f} "
                line += f"{model.n_iter_:6d}  "
            print(line, flush=True)


if __name__ == "__main__":
    main()
