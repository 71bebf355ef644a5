"""Default settings against scikit-learn's MLP at its best solver, on bundled data.

Ten-fold cross-validation in a Pipeline with StandardScaler, the same folds for all. The
last column is skwd's mean score minus the best rival's, beside the standard error of
that paired difference. skwd runs with warnings as errors.

    python benchmarks/out_of_the_box.py
"""

import warnings

import numpy as np
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_wine,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from skwd import WeightDecayMLPClassifier, WeightDecayMLPRegressor

DATA = {
    "diabetes": load_diabetes,
    "breast_cancer": load_breast_cancer,
    "digits": load_digits,
    "wine": load_wine,
    "iris": load_iris,
}


def scores(model, X, y, cv):
    """Score of each fold, with 0 as the random state."""
    model.set_params(random_state=0)
    return cross_val_score(make_pipeline(StandardScaler(), model), X, y, cv=cv)


def main():
    print(f"{'':14s}{'lbfgs':>8s}{'sgd':>8s}{'adam':>8s}{'skwd':>8s}   difference")
    for name, load in DATA.items():
        X, y = load(return_X_y=True)
        if name == "diabetes":
            rival, cv = MLPRegressor, KFold(10, shuffle=True, random_state=0)
            ours = WeightDecayMLPRegressor(normalize_y=True)
        else:
            rival, cv = MLPClassifier, StratifiedKFold(10, shuffle=True, random_state=0)
            ours = WeightDecayMLPClassifier()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            theirs = [
                scores(rival(solver=s), X, y, cv) for s in ("lbfgs", "sgd", "adam")
            ]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            own = scores(ours, X, y, cv)
        best = max(theirs, key=np.mean)
        gap = own - best
        means = "".join(f"{np.mean(s):8.4f}" for s in (*theirs, own))
        error = gap.std(ddof=1) / np.sqrt(len(gap))
        print(f"{name:14s}{means}   {gap.mean():+.4f} +- {error:.4f}")


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
