"""Choose lambda by cross-validation
=================================

Choose the weight decay lambda by cross-validation, and look at the trade-off.

Too small a lambda overfits: the training error is low, the validation error high. Too
large a lambda underfits: both are high. WeightDecayMLPRegressorCV and
WeightDecayMLPClassifierCV find the value between them, here on data that come with
scikit-learn. A table of each search is printed, the paths are drawn into one picture,
and the last lines say what the choice has brought: beside no weight decay, and beside
GridSearchCV over scikit-learn's own network, with the same objective, folds and solver.

Run it with::

    python examples/choose_lambda.py [--output PICTURE.png]
"""

import argparse
import warnings
from pathlib import Path
from time import perf_counter

import numpy as np
from joblib import Parallel, delayed
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold
from sklearn.neural_network import MLPClassifier, MLPRegressor
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
        KFold(5, shuffle=True, random_state=0),
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
        StratifiedKFold(5, shuffle=True, random_state=0),
        "neg_log_loss",
        "log-loss",
        np.logspace(-5, 0, 11),
    ),
]


def timed_fit(model, X, y):
    """The fitted model and the seconds it took; the workers have started before."""
    Parallel(n_jobs=2)(delayed(abs)(i) for i in range(2))
    start = perf_counter()
    model.set_params(n_jobs=2).fit(X, y)
    return model, perf_counter() - start


def by_scikit_learn(plain, alphas, n, **how):
    """GridSearchCV over its network: its lbfgs divides alpha by the rows trained on."""
    steps = {"solver": "lbfgs", "max_iter": 3000, "random_state": 0}
    alphas = alphas * n * 0.8  # five folds
    if plain is WeightDecayMLPClassifier:
        return GridSearchCV(MLPClassifier(**steps), {"alpha": alphas}, **how)
    scaled = TransformedTargetRegressor(
        MLPRegressor(**steps), transformer=StandardScaler()
    )
    return GridSearchCV(scaled, {"regressor__alpha": alphas}, **how)


def search(title, load, plain, chooser, params, cv, scoring, metric, alphas):
    """Both searches with their seconds, and the training error at each alpha."""
    X, y = load(return_X_y=True)
    X, how = StandardScaler().fit_transform(X), {"cv": cv, "scoring": scoring}
    ours = timed_fit(chooser(alphas=alphas, **how, **params), X, y)
    score = ours[0].scorer_
    train = [-score(plain(alpha=a, **params).fit(X, y), X, y) for a in alphas]
    print_table(title, metric, ours[0], train)
    print("... and GridSearchCV over scikit-learn's network, to compare", flush=True)
    theirs = timed_fit(by_scikit_learn(plain, alphas, len(y), **how), X, y)
    return ours, theirs, np.array(train)


def print_table(title, metric, model, train):
    """Errors of each lambda."""
    results = model.cv_results_
    errors = results["std_test_score"] / np.sqrt(model.n_splits_ - 1)
    print(f"\n{title} ({metric}, {model.n_splits_} folds)")
    print(f"{'lambda':>8}{'training':>10}{'validation':>12}   standard error")
    for i, alpha in enumerate(model.alphas_):
        best = "   <- best" if i == model.best_index_ else ""
        cells = f"{train[i]:10.4g}{-results['mean_test_score'][i]:12.4g}"
        print(f"{alpha:8.2g}{cells}   +- {errors[i]:.2g}{best}")


def print_gain(title, metric, ours, theirs):
    """What the choice has brought, and how fast."""
    (model, seconds), (grid, grid_seconds) = ours, theirs
    name = title.split(": ")[1]
    lowest = -model.cv_results_["mean_test_score"][0]
    print(
        f"{name}: lambda {model.alpha_:.2g}, {metric} {-model.best_score_:.3g} instead "
        f"of {lowest:.3g} with next to no weight decay. GridSearchCV over "
        f"scikit-learn's network: {-grid.best_score_:.3g}, in {grid_seconds:.0f} "
        f"seconds instead of {seconds:.1f}."
    )


def draw(ax, title, metric, model, train):
    """Both errors against lambda: the path of the validation error, and training."""
    blue, red = "#33658a", "#d1495b"
    display = AlphaPathDisplay.from_estimator(
        model, ax=ax, negate_score=True, score_name=metric, line_kw={"color": red}
    )
    ax.plot(model.alphas_, train, "o-", color=blue, markersize=4, label="training")
    ax.set_title(title)
    ax.set_xlabel("← overfits        λ (alpha)        underfits →")
    ax.set_ylim(0, 1.1 * np.max(-display.scores.mean(axis=1)))
    ax.spines[["top", "right"]].set_visible(False)
    below = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.2), "ncols": 3}
    ax.legend(**below, frameon=False, handlelength=1.6, fontsize="small")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    default = Path(f"{Path(__file__).stem}.png")
    parser.add_argument("--output", type=Path, default=default, help="the picture")
    output = parser.parse_args().output

    found = []
    for task in SEARCHES:
        with warnings.catch_warnings():  # of lambdas that are far too small
            warnings.simplefilter("ignore")
            found.append((task[0], task[-2], *search(*task)))

    try:
        from matplotlib.figure import Figure
    except ImportError:
        print("\nNo picture: it needs matplotlib (pip install matplotlib).")
    else:
        figure = Figure(figsize=(10, 4.6), layout="constrained")
        figure.get_layout_engine().set(w_pad=0.1, wspace=0.04)
        for ax, (title, metric, ours, _, train) in zip(figure.subplots(1, 2), found):
            draw(ax, title, metric, ours[0], train)
        figure.savefig(output, dpi=150)
        print(f"\nPicture: {output}")
    print()
    for title, metric, ours, theirs, _ in found:
        print_gain(title, metric, ours, theirs)


if __name__ == "__main__":
    main()
