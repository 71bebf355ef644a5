"""Choose the weight decay lambda by cross-validation, and look at the trade-off.

Too small a lambda overfits: the training error is low, the validation error high. Too
large a lambda underfits: both are high. GridSearchCV finds the value between them as
for any estimator; WeightDecayMLPRegressorCV and WeightDecayMLPClassifierCV find the
same one with the same scores, in less time. Both do so here, for a regressor and a
classifier on data that come with scikit-learn: a table of each search is printed, and
the paths are drawn into one picture.

    python examples/choose_lambda.py [--output PICTURE.png]
"""

import argparse
from pathlib import Path
from time import perf_counter

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold
from sklearn.preprocessing import StandardScaler

from skwd import (
    AlphaPathDisplay,
    WeightDecayMLPClassifier,
    WeightDecayMLPClassifierCV,
    WeightDecayMLPRegressor,
    WeightDecayMLPRegressorCV,
)

# title, loader, estimator of one lambda, the one that chooses it, their parameters,
# folds, scoring (higher is better), what it is minus of, lambdas
SEARCHES = [
    (
        "Regression: diabetes",
        load_diabetes,
        WeightDecayMLPRegressor,
        WeightDecayMLPRegressorCV,
        {"random_state": 0},
        KFold(10, shuffle=True, random_state=0),
        "neg_root_mean_squared_error",
        "RMSE",
        np.logspace(-3, 0, 13),
    ),
    (
        "Classification: breast cancer",
        load_breast_cancer,
        WeightDecayMLPClassifier,
        WeightDecayMLPClassifierCV,
        {"random_state": 0},
        StratifiedKFold(10, shuffle=True, random_state=0),
        "neg_log_loss",
        "log-loss",
        np.logspace(-5, 0, 11),
    ),
]


def timed_fit(model, X, y):
    """The fitted model and the seconds it took; the workers have started before."""
    unfitted = clone(model)
    Parallel(n_jobs=2)(delayed(unfitted.get_params)() for _ in range(2))
    start = perf_counter()
    model.set_params(n_jobs=2).fit(X, y)
    return model, perf_counter() - start


def search(load, plain, chooser, params, cv, scoring, alphas):
    """Cross-validate every alpha, in both ways."""
    X, y = load(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    how = {"cv": cv, "scoring": scoring}
    # The training scores, for the picture, are a small part of its time.
    grid = GridSearchCV(
        plain(**params), {"alpha": alphas}, return_train_score=True, **how
    )
    return timed_fit(grid, X, y), timed_fit(
        chooser(alphas=alphas, **how, **params), X, y
    )


def print_table(title, metric, grid, grid_seconds, model, model_seconds):
    """Errors of each lambda, as both searches found them."""
    theirs, ours = grid.cv_results_, model.cv_results_
    train, names = -theirs["mean_train_score"], ("GridSearchCV", type(model).__name__)
    columns = -theirs["mean_test_score"], -ours["mean_test_score"]
    errors = ours["std_test_score"] / np.sqrt(model.n_splits_ - 1)
    print(f"\n{title} ({metric}, {model.n_splits_} folds)")
    print(f"{'lambda':>8}{'training':>10}{names[0]:>14}{names[1]:>28}   standard error")
    for i, alpha in enumerate(model.alphas_):
        best = "   <- best" if i == model.best_index_ == grid.best_index_ else ""
        cells = f"{train[i]:10.4g}{columns[0][i]:14.6g}{columns[1][i]:28.6g}"
        print(f"{alpha:8.2g}{cells}   +- {errors[i]:.2g}{best}")
    times = f"{grid_seconds:>12.1f} s{model_seconds:26.1f} s"
    print(f"{'time':>18}{times}   {grid_seconds / model_seconds:.1f} times faster")


def draw(ax, title, metric, grid, model):
    """Both errors against lambda: the path of the validation error, and training."""
    blue, red = "#33658a", "#d1495b"
    display = AlphaPathDisplay.from_estimator(
        model, ax=ax, negate_score=True, score_name=metric, line_kw={"color": red}
    )
    train = -grid.cv_results_["mean_train_score"]
    ax.plot(model.alphas_, train, "o-", color=blue, markersize=4, label="training")
    ax.set_title(title)
    ax.set_xlabel("← overfits        λ (alpha)        underfits →")
    ax.set_ylim(0, 1.1 * np.max(-display.scores.mean(axis=1)))
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(edgecolor="none", framealpha=0.9, handlelength=1.6, fontsize="small")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    default = Path(__file__).with_suffix(".png")
    parser.add_argument("--output", type=Path, default=default, help="the picture")
    output = parser.parse_args().output

    found = []
    for title, *parts, metric, alphas in SEARCHES:
        (grid, grid_seconds), (model, seconds) = search(*parts, alphas)
        print_table(title, metric, grid, grid_seconds, model, seconds)
        found.append((title, metric, grid, model))

    try:
        from matplotlib.figure import Figure
    except ImportError:
        print("\nNo picture: it needs matplotlib (pip install matplotlib).")
        return
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.1, wspace=0.04)
    for ax, part in zip(figure.subplots(1, 2), found):
        draw(ax, *part)
    figure.savefig(output, dpi=150)
    print(f"\nPicture: {output}")


if __name__ == "__main__":
    main()
