"""Choose the weight decay lambda by cross-validation, and look at the trade-off.

Too small a lambda overfits: the training error is low, the validation error high. Too
large a lambda underfits: both are high. GridSearchCV finds the value between them for a
regressor and a classifier on data that come with scikit-learn; a table of each search
is printed, and both are drawn into one picture.

    python examples/choose_lambda.py [--output PICTURE.png]
"""

import argparse
from pathlib import Path
from time import perf_counter

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skwd import WeightDecayMLPClassifier, WeightDecayMLPRegressor

# title, loader, estimator, folds, scoring (higher is better), what it is minus of,
# lambdas
SEARCHES = [
    (
        "Regression: diabetes",
        load_diabetes,
        WeightDecayMLPRegressor(normalize_y=True, random_state=0),
        KFold(10, shuffle=True, random_state=0),
        "neg_root_mean_squared_error",
        "RMSE",
        np.logspace(-3, 0, 13),
    ),
    (
        "Classification: breast cancer",
        load_breast_cancer,
        WeightDecayMLPClassifier(random_state=0),
        StratifiedKFold(10, shuffle=True, random_state=0),
        "neg_log_loss",
        "log-loss",
        np.logspace(-5, 0, 11),
    ),
]


def search(load, estimator, cv, scoring, alphas):
    """Cross-validate every alpha, as with any scikit-learn estimator."""
    X, y = load(return_X_y=True)
    model = Pipeline([("scale", StandardScaler()), ("mlp", estimator)])
    grid = GridSearchCV(
        model,
        {"mlp__alpha": alphas},
        cv=cv,
        scoring=scoring,
        return_train_score=True,
        n_jobs=2,
    )
    return grid.fit(X, y)


def errors(grid):
    """Training error, validation error and its standard error, for each alpha."""
    results = grid.cv_results_
    standard_error = results["std_test_score"] / np.sqrt(grid.n_splits_ - 1)
    return -results["mean_train_score"], -results["mean_test_score"], standard_error


def print_table(title, metric, alphas, grid, seconds):
    print(f"\n{title} ({metric}, {grid.n_splits_} folds, {seconds:.1f} s)")
    print(f"{'lambda':>10}{'train':>10}{'validation':>12}   standard error")
    for i, (alpha, train, validation, error) in enumerate(zip(alphas, *errors(grid))):
        best = "   <- best" if i == grid.best_index_ else ""
        print(f"{alpha:10.2g}{train:10.4g}{validation:12.4g}   +- {error:.2g}{best}")


def draw(ax, title, metric, alphas, grid):
    """Both errors against lambda, with a band of one standard error each way."""
    train, validation, error = errors(grid)
    best, blue, red = grid.best_index_, "#33658a", "#d1495b"
    ax.fill_between(
        alphas,
        validation - error,
        validation + error,
        color=red,
        alpha=0.18,
        linewidth=0,
        label="± 1 standard error",
    )
    ax.plot(alphas, validation, "o-", color=red, markersize=4, label="validation")
    ax.plot(alphas, train, "o-", color=blue, markersize=4, label="training")
    ring = {"markeredgecolor": "white", "markeredgewidth": 1.5}
    ax.plot(alphas[best], validation[best], "o", color=red, markersize=11, **ring)
    ax.axvline(alphas[best], color="0.6", linewidth=1, linestyle=(0, (4, 3)), zorder=0)
    ax.text(
        alphas[best],
        0.96,
        f"best λ = {alphas[best]:.2g}",
        transform=ax.get_xaxis_transform(),  # x in lambdas, y in parts of the height
        ha="center",
        va="top",
        bbox={"boxstyle": "round", "facecolor": "white", "edgecolor": "0.75"},
    )
    ax.set_title(title)
    ax.set_xlabel("← overfits        λ (alpha)        underfits →")
    ax.set_ylabel(metric)
    ax.set_xscale("log")
    ax.set_ylim(bottom=0)
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis="y", color="0.92")
    ax.set_axisbelow(True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    default = Path(__file__).with_suffix(".png")
    parser.add_argument("--output", type=Path, default=default, help="the picture")
    output = parser.parse_args().output

    found = []
    for title, load, estimator, cv, scoring, metric, alphas in SEARCHES:
        start = perf_counter()
        grid = search(load, estimator, cv, scoring, alphas)
        print_table(title, metric, alphas, grid, perf_counter() - start)
        found.append((title, metric, alphas, grid))

    try:
        from matplotlib.figure import Figure
    except ImportError:
        print("\nNo picture: it needs matplotlib (pip install matplotlib).")
        return
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.1, wspace=0.04)
    axes = figure.subplots(1, 2)
    for ax, (title, metric, alphas, grid) in zip(axes, found):
        draw(ax, title, metric, alphas, grid)
    axes[0].legend(frameon=False, loc="lower right", handlelength=1.4)
    figure.savefig(output, dpi=150)
    print(f"\nPicture: {output}")


if __name__ == "__main__":
    main()
