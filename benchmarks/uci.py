"""alpha without a grid beside cross-validation: errors, likelihoods, coverage and time.

    python benchmarks/uci.py --data DIR [--splits N] [--only NAME ...]

Regression: every NAME.txt of DIR is a whitespace table with the target in its last
column, split as by Hernandez-Lobato and Adams (2015) and Gal and Ghahramani (2016):
90 % of the rows train, X and y standardised on them, one hidden layer of 50 units.
Classification: data of scikit-learn, 10 stratified splits. random_state is the number
of the split. The rival is GridSearchCV over scikit-learn's MLP (lbfgs, 8 alphas, 5
folds, n_jobs=2, its workers started before); skwd has one worker, and BLAS one thread.
The rival's likelihood of y is normal, with the mean squared error of its folds; its
workers print their warnings to the standard error.
"""

import argparse
import platform
import warnings
from pathlib import Path
from time import perf_counter

import numpy as np
import sklearn
from joblib import Parallel, delayed, effective_n_jobs
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, StratifiedShuffleSplit
from sklearn.neural_network import MLPClassifier, MLPRegressor
from threadpoolctl import threadpool_limits

from skwd import (
    WeightDecayMLPClassifier,
    WeightDecayMLPClassifierCV,
    WeightDecayMLPRegressor,
    WeightDecayMLPRegressorCV,
)

ALPHAS = np.logspace(-4, 3, 8)  # of scikit-learn, which divides them by the rows
NET = {"hidden_layer_sizes": (50,)}
# The one setting for all data: five tanh networks, each with an alpha per layer.
FIVE = {"n_init": 5, "ensemble": True}
PER_LAYER = {"activation": "tanh", "alpha_groups": "layer"}
# Dropout tuned by grid search, mean of 20 splits: RMSE, log-likelihood; from the result
# files of Gal and Ghahramani's code.
PUBLISHED = {
    "concrete": (4.826, -2.937),
    "energy": (0.539, -1.212),
    "yacht": (0.666, -1.250),
}
CLASSES = {"breast_cancer": load_breast_cancer, "wine": load_wine}
CLASSES["digits"] = load_digits


class Rival:
    """GridSearchCV over scikit-learn's MLP; predicts as skwd's regressors do."""

    def __init__(self, plain, max_iter, seed, scoring):
        mlp = plain(solver="lbfgs", max_iter=max_iter, random_state=seed, **NET)
        how = {"cv": 5, "n_jobs": 2, "scoring": scoring}
        self.search = GridSearchCV(mlp, {"alpha": ALPHAS}, **how)

    def fit(self, X, y):
        self.mean_, self.scale_ = 0.0, 1.0
        if isinstance(self.search.estimator, MLPRegressor):
            self.mean_, self.scale_ = y.mean(), y.std() or 1.0
            y = (y - self.mean_) / self.scale_
        self.search.fit(X, y)
        return self

    def predict(self, X, return_std=True):
        y = self.search.predict(X) * self.scale_ + self.mean_
        return y, np.full(len(y), np.sqrt(-self.search.best_score_) * self.scale_)

    def predict_proba(self, X):
        return self.search.predict_proba(X)


def regressors(seed):
    """What is compared, by name; the rival of all others is first."""

    def ours(alpha, **how):
        how = {"posterior": True, "random_state": seed, **NET, **how}
        return WeightDecayMLPRegressor(alpha=alpha, **how)

    return {
        "GridSearchCV, max_iter=1000": Rival(
            MLPRegressor, 1000, seed, "neg_mean_squared_error"
        ),
        "GridSearchCV, max_iter=200": Rival(
            MLPRegressor, 200, seed, "neg_mean_squared_error"
        ),
        "CV form": WeightDecayMLPRegressorCV(posterior=True, random_state=seed, **NET),
        "the default alpha": ours(None),
        "evidence, relu": ours("evidence"),
        "evidence, tanh per layer": ours("evidence", **PER_LAYER),
        "loo": ours("loo"),
        "gcv": ours("gcv"),
        "evidence, relu, 5 nets": ours("evidence", **FIVE),
        "evidence, tanh, 5 nets": ours("evidence", **PER_LAYER, **FIVE),
    }


def classifiers(seed):
    """What is compared, by name; the rival of all others is first."""

    def ours(alpha, **how):
        how = {"random_state": seed, **NET, **how}
        return WeightDecayMLPClassifier(alpha=alpha, **how)

    return {
        "GridSearchCV, max_iter=1000": Rival(MLPClassifier, 1000, seed, "neg_log_loss"),
        "CV form": WeightDecayMLPClassifierCV(
            scoring="neg_log_loss", random_state=seed, **NET
        ),
        "the default alpha": ours(None),
        "evidence": ours("evidence"),
        "evidence, moderated": ours("evidence", posterior=True),
        "loo": ours("loo"),
        "loo, 5 nets": ours("loo", **FIVE),
    }


def fitted(model, X, y):
    """The model, its seconds and the number of its warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        start = perf_counter()
        model.fit(X, y)
        return perf_counter() - start, len(caught)


def judge_regressor(model, X, y):
    """RMSE, log-likelihood, shares within one and two standard deviations."""
    mean, std = model.predict(X, return_std=True)
    errors = np.abs(y - mean) / std
    likelihood = -0.5 * np.log(2.0 * np.pi * std**2) - 0.5 * errors**2
    rmse = np.sqrt(np.mean((y - mean) ** 2))
    return rmse, likelihood.mean(), (errors < 1).mean(), (errors < 2).mean()


def judge_classifier(model, X, y):
    """Log-loss and accuracy."""
    p = model.predict_proba(X)
    return log_loss(y, p), np.mean(p.argmax(axis=1) == y)


def standardised(X, train):
    """All rows, by the mean and deviation of those that train."""
    mean, scale = X[train].mean(axis=0), X[train].std(axis=0)
    return (X - mean) / np.where(scale > 0.0, scale, 1.0)


def gal_splits(n, n_splits):
    np.random.seed(1)
    for _ in range(n_splits):
        order = np.random.choice(range(n), n, replace=False)
        yield order[: round(0.9 * n)], order[round(0.9 * n) :]


def run(X, y, splits, models, cell_scorer):
    """{name: (n_splits, figures and seconds and warnings)}, split by split."""
    found = {}
    for seed, (train, test) in enumerate(splits):
        Z = standardised(X, train)
        for name, model in models(seed).items():
            spent = fitted(model, Z[train], y[train])
            found.setdefault(name, []).append(
                (*cell_scorer(model, Z[test], y[test]), *spent)
            )
    return {name: np.array(rows) for name, rows in found.items()}


def print_table(title, columns, found):
    """Means and standard errors; the first row is the rival."""
    print(f"\n{title}")
    width = max(map(len, found))
    heads = "".join(f"{column:>18}" for column in columns)
    print(f"{'':{width}}{heads}{'minus rival':>18}{'seconds':>9}{'ratio':>7}  warnings")
    rival = next(iter(found.values()))
    for name, rows in found.items():
        cells = [_mean(rows[:, i]) for i in range(len(columns))]
        cells.append(_mean(rows[:, 0] - rival[:, 0]))
        seconds, ratio = rows[:, -2].mean(), rival[:, -2].mean() / rows[:, -2].mean()
        line = "".join(f"{cell:>18}" for cell in cells)
        warned = int((rows[:, -1] > 0).sum())
        print(f"{name:{width}}{line}{seconds:9.2f}{ratio:7.1f}{warned:5}/{len(rows)}")


def _mean(values):
    if len(values) == 1:
        return f"{values[0]:.4f}"
    error = values.std(ddof=1) / np.sqrt(len(values))
    return f"{values.mean():.4f} ± {error:.4f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, help="a directory with NAME.txt")
    parser.add_argument("--splits", type=int, default=20, help="at most")
    parser.add_argument("--only", nargs="+", help="names of data")
    given = parser.parse_args()
    print(
        f"Python {platform.python_version()}, NumPy {np.__version__}, scikit-learn "
        f"{sklearn.__version__}, {effective_n_jobs(-1)} processors"
    )
    Parallel(n_jobs=2)(delayed(MLPRegressor().get_params)() for _ in range(2))
    tables = sorted(given.data.glob("*.txt")) if given.data else []
    with threadpool_limits(1):
        for path in tables:
            if given.only and path.stem not in given.only:
                continue
            table = np.loadtxt(path)
            X, y = table[:, :-1], table[:, -1]
            splits = gal_splits(len(y), given.splits)
            found = run(X, y, splits, regressors, judge_regressor)
            columns = "RMSE", "log-likelihood", "within 1 sd", "within 2 sd"
            print_table(path.stem, columns, found)
            if path.stem in PUBLISHED:
                print("published dropout: {} / {}".format(*PUBLISHED[path.stem]))
        for name, load in CLASSES.items():
            if given.only and name not in given.only:
                continue
            X, y = load(return_X_y=True)
            n_splits = min(10, given.splits)
            how = StratifiedShuffleSplit(n_splits, test_size=0.2, random_state=0)
            found = run(X, y, how.split(X, y), classifiers, judge_classifier)
            print_table(name, ("log-loss", "accuracy"), found)


if __name__ == "__main__":
    main()
