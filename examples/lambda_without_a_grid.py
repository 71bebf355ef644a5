"""Choose lambda without a grid
============================

Choose lambda from the training data alone, in one fit, and see the error bands.

Three ways that need no grid, evidence, leave-one-out and (for squared errors) GCV,
beside cross-validation with WeightDecayMLPRegressorCV or WeightDecayMLPClassifierCV and
with GridSearchCV, on data that come with scikit-learn: the lambda each has chosen, what
its network is worth on test rows, and the time it took, as means over some splits.

Then a picture: five networks fitted to rows that leave a gap. alpha="evidence" learns
lambda and the noise, and predict(X, return_std=True) knows where there were no rows.

Run it with::

    python examples/lambda_without_a_grid.py [--output PICTURE.png] [--splits 4]
"""

import argparse
from pathlib import Path
from time import perf_counter

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.metrics import log_loss
from sklearn.model_selection import (
    GridSearchCV,
    ShuffleSplit,
    StratifiedShuffleSplit,
)
from sklearn.preprocessing import StandardScaler

from skwd import (
    WeightDecayMLPClassifier,
    WeightDecayMLPClassifierCV,
    WeightDecayMLPRegressor,
    WeightDecayMLPRegressorCV,
)

DATA = {
    "diabetes": load_diabetes,
    "breast cancer": load_breast_cancer,
    "wine": load_wine,
}
ALPHAS = np.logspace(-4, 0, 9)


class Grid:
    """GridSearchCV over the plain estimator, and a fit with what it has found."""

    def __init__(self, plain, posterior, **how):
        self.last = clone(plain).set_params(posterior=posterior)
        self.search = GridSearchCV(plain, {"alpha": ALPHAS}, refit=False, **how)

    def fit(self, X, y):
        best = self.search.fit(X, y).best_params_
        return self.last.set_params(**best).fit(X, y)


def ways(classifies, seed):
    """Each way to choose lambda, by its name."""
    if classifies:
        plain, chooser = WeightDecayMLPClassifier, WeightDecayMLPClassifierCV
        how = {"scoring": "neg_log_loss"}
    else:
        plain, chooser = WeightDecayMLPRegressor, WeightDecayMLPRegressorCV
        how = {"scoring": "neg_mean_squared_error"}
    params = {"hidden_layer_sizes": (50,), "max_iter": 5000, "random_state": seed}
    names = ["evidence", "loo"] if classifies else ["evidence", "loo", "gcv"]
    how["posterior"] = not classifies  # what a log-likelihood of y needs
    by_name = {"posterior": how["posterior"], **params}
    found = {f'alpha="{name}"': plain(alpha=name, **by_name) for name in names}
    found[chooser.__name__] = chooser(alphas=ALPHAS, **how, **params)
    found["GridSearchCV"] = Grid(plain(**params), **how)
    return found


def judge(model, X, y):
    """Error (wrong classes, or RMSE) and mean log-likelihood of test rows."""
    if is_classifier(model):
        probabilities = model.predict_proba(X)
        wrong = np.mean(model.predict(X) != y)
        return wrong, -log_loss(y, probabilities, labels=model.classes_)
    mean, std = model.predict(X, return_std=True)
    errors = y - mean
    density = -0.5 * np.log(2 * np.pi * std**2) - 0.5 * (errors / std) ** 2
    return np.sqrt(np.mean(errors**2)), density.mean()


def compare(name, load, n_splits):
    """Print the table of one data set."""
    X, y = load(return_X_y=True)
    classifies = name != "diabetes"
    Splits = StratifiedShuffleSplit if classifies else ShuffleSplit
    found = {}
    splits = Splits(n_splits, test_size=0.25, random_state=0).split(X, y)
    for seed, (train, test) in enumerate(splits):
        scaler = StandardScaler().fit(X[train])
        X_train, X_test = scaler.transform(X[train]), scaler.transform(X[test])
        for way, model in ways(classifies, seed).items():
            start = perf_counter()
            fitted = model.fit(X_train, y[train])
            seconds = perf_counter() - start
            figures = np.log(fitted.alpha_), *judge(fitted, X_test, y[test]), seconds
            found.setdefault(way, []).append(figures)
    print(f"\n{name}: {len(X)} rows, {X.shape[1]} features")
    error = "wrong" if classifies else "RMSE"
    print(f"{'':28}{'lambda':>9}{error:>9}{'log-likelihood':>16}{'seconds':>9}")
    for way, figures in found.items():
        log_alpha, error, log_likelihood, seconds = np.mean(figures, axis=0)
        cells = f"{np.exp(log_alpha):9.2g}{error:9.4g}{log_likelihood:16.4f}"
        print(f"{way:28}{cells}{seconds:9.2f}")


def draw(ax):
    """What five networks make of 80 noisy rows with a gap between them."""
    rng = np.random.default_rng(3)
    x = np.concatenate([rng.uniform(-3.0, -0.6, 45), rng.uniform(1.2, 3.0, 35)])
    y = np.sin(2.0 * x) + 0.4 * x + 0.2 * rng.standard_normal(len(x))
    model = WeightDecayMLPRegressor(
        hidden_layer_sizes=(30,),
        activation="tanh",
        alpha="evidence",
        posterior=True,
        n_init=5,
        ensemble=True,
        random_state=0,
    ).fit(x[:, np.newaxis], y)
    grid = np.linspace(-4.5, 4.5, 400)
    mean, std = model.predict(grid[:, np.newaxis], return_std=True)
    red, blue = "#d1495b", "#33658a"
    shades = ((2, "± 2 standard deviations", "#f9dfe2"), (1, "± 1", "#eeb2ba"))
    for times, label, shade in shades:
        band = mean - times * std, mean + times * std
        ax.fill_between(grid, *band, color=shade, linewidth=0, label=label)
    ax.plot(grid, mean, color=red, label="prediction")
    truth = np.sin(2.0 * grid) + 0.4 * grid
    ax.plot(grid, truth, "--", color="0.4", linewidth=1, label="truth")
    ax.plot(x, y, "o", color=blue, markersize=3.5, label="80 rows, noise 0.2")
    ax.set_title(
        f'alpha="evidence": λ = {model.alpha_:.2g}, noise {model.noise_std_:.2f}, '
        f"{model.n_effective_params_:.0f} of {30 * 3 + 1} parameters"
    )
    ax.set_ylim(-5, 5)
    ax.set_xlabel("x")
    ax.set_ylabel("y")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(edgecolor="none", framealpha=0.9, loc="upper center", ncols=2)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    default = Path(f"{Path(__file__).stem}.png")
    parser.add_argument("--output", type=Path, default=default, help="the picture")
    parser.add_argument("--splits", type=int, default=4, help="of each table")
    args = parser.parse_args()
    for name, load in DATA.items():
        compare(name, load, args.splits)
    try:
        from matplotlib.figure import Figure
    except ImportError:
        print("\nNo picture: it needs matplotlib (pip install matplotlib).")
        return
    figure = Figure(figsize=(8, 4.2), layout="constrained")
    draw(figure.subplots())
    figure.savefig(args.output, dpi=150)
    print(f"\nPicture: {args.output}")


if __name__ == "__main__":
    main()
