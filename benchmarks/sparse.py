"""Selecting columns: sparsity="adaptive" on Friedman 1, beside LassoNet.

    python benchmarks/sparse.py [--draws 10] [--lassonet 3]

500 rows of 100 columns, noise 1, standardised; five columns matter. Of each draw: the
F1 of the columns that are left against those five, the error to the noise-free function
on 2000 new rows, and the seconds of choosing alpha and fitting. skwd is the CV form of
20 tanh units with its defaults, five folds and the 1-se rule. LassoNet (Lemhadri, Ruan,
Abraham and Tibshirani, JMLR 2021; needs the packages lassonet and torch) is its own CV
form of 20 units, five folds, with its defaults; ``--lassonet`` draws, 0 for none.
"""

import argparse
import warnings
from time import perf_counter

import numpy as np
from sklearn.datasets import make_friedman1

from skwd import WeightDecayMLPRegressorCV

D, N = 100, 500
TRUE = np.arange(D) < 5


def draw(seed):
    X, y = make_friedman1(N, D, noise=1.0, random_state=seed)
    X_new, y_new = make_friedman1(2000, D, noise=0.0, random_state=1000 + seed)
    root = np.sqrt(12.0)  # of a uniform variable: variance 1
    return (X - 0.5) * root, y, (X_new - 0.5) * root, y_new


def by_skwd(X, y, X_new, seed):
    model = WeightDecayMLPRegressorCV(
        hidden_layer_sizes=(20,),
        activation="tanh",
        l1_ratio=1.0,
        sparsity="adaptive",
        rule="1se",
        random_state=seed,
    ).fit(X, y)
    return model.support_, model.predict(X_new)


def by_lassonet(X, y, X_new, seed):
    from lassonet import LassoNetRegressorCV

    mean, std = y.mean(), y.std()
    model = LassoNetRegressorCV(
        hidden_dims=(20,), cv=5, random_state=seed, torch_seed=seed, verbose=0
    )
    z = ((y - mean) / std).astype(np.float32)
    model.fit(X.astype(np.float32), z)
    predicted = np.ravel(model.predict(X_new.astype(np.float32)))
    return model.best_selected_.numpy().astype(bool), predicted * std + mean


def measured(name, learner, n_draws):
    rows = []
    for seed in range(n_draws):
        X, y, X_new, y_new = draw(seed)
        start = perf_counter()
        left, predicted = learner(X, y, X_new, seed)
        seconds = perf_counter() - start
        f1 = 2 * (left & TRUE).sum() / (left.sum() + TRUE.sum())
        error = np.sqrt(np.mean((predicted - y_new) ** 2))
        rows.append([f1, error, seconds, left.sum()])
        print(
            f"{name:9s} draw {seed}: F1 {f1:.2f}, {left.sum():3d} columns left, error "
            f"{error:.3f}, {seconds:.1f} s",
            flush=True,
        )
    f1, error, seconds, _ = np.mean(rows, axis=0)
    print(
        f"{name:9s} mean of {n_draws}: F1 {f1:.3f}, error {error:.3f}, {seconds:.1f} s"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--lassonet", type=int, default=3)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    measured("skwd", by_skwd, arguments.draws)
    if arguments.lassonet:
        measured("LassoNet", by_lassonet, arguments.lassonet)


if __name__ == "__main__":
    main()
