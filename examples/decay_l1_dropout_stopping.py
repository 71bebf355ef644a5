"""Weight decay, L1, dropout or early stopping
===========================================

Weight decay, L1, whole columns, dropout or early stopping: on the same real data.

Each network has 50 ReLU units, and each way its own strength, chosen by five shuffled
folds of the training rows: lambda for L2 and the sparse penalties, the rate for
dropout; early stopping has none. Half of the rows of diabetes and of breast cancer, ten
times anew, test. Printed and drawn are the test loss (1 - R2, log-loss), the share of
weights that are not zero, their length, and the seconds that choosing and fitting took.

Run it with::

    python examples/decay_l1_dropout_stopping.py [--output PICTURE.png] [--splits 10]
"""

import argparse
import warnings
from pathlib import Path
from time import perf_counter

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.model_selection import GridSearchCV, KFold, train_test_split
from sklearn.preprocessing import StandardScaler

from skwd import (
    WeightDecayMLPClassifier,
    WeightDecayMLPClassifierCV,
    WeightDecayMLPRegressor,
    WeightDecayMLPRegressorCV,
)

FOLDS = KFold(5, shuffle=True, random_state=0)
ADAM = {"solver": "adam", "learning_rate_init": 0.003, "alpha": 0.0, "max_iter": 300}
ADAM |= {"n_iter_no_change": np.inf}
DATA = {
    "diabetes": (
        load_diabetes,
        WeightDecayMLPRegressor,
        WeightDecayMLPRegressorCV,
        "r2",
    ),
    "breast cancer": (
        load_breast_cancer,
        WeightDecayMLPClassifier,
        WeightDecayMLPClassifierCV,
        "neg_log_loss",
    ),
}
HEADING = "                      loss     +-  weights  length      s"


def ways(data):
    """name: an estimator that chooses its own strength."""
    _, Plain, Chooser, scoring = DATA[data]
    net = {"hidden_layer_sizes": (50,), "random_state": 0}
    search = {"cv": FOLDS, "scoring": scoring}
    rates = {"dropout": [0.1, 0.3, 0.5, 0.7, 0.9]}
    early = net | ADAM | {"early_stopping": True, "n_iter_no_change": 20}
    return {
        "no regularisation": Plain(**net, alpha=0.0),
        "L2, weight decay": Chooser(**net, **search),
        "L1": Chooser(**net, **search, l1_ratio=1.0),
        "columns": Chooser(**net, **search, l1_ratio=1.0, sparsity="adaptive"),
        "dropout": GridSearchCV(Plain(**net, **ADAM), rates, **search),
        "early stopping": Plain(**early),
    }


def measured(model, data, X, y, n_splits):
    """Mean test loss, share of weights, their length, seconds; and their deviations."""
    rows = []
    for seed in range(n_splits):
        parts = train_test_split(X, y, test_size=0.5, random_state=seed)
        scaler = StandardScaler().fit(parts[0])
        train, test = scaler.transform(parts[0]), scaler.transform(parts[1])
        start = perf_counter()
        model.fit(train, parts[2])
        seconds = perf_counter() - start
        fitted = getattr(model, "best_estimator_", model)
        if data == "diabetes":
            loss = 1.0 - fitted.score(test, parts[3])
        else:
            log_p = fitted.predict_log_proba(test)
            loss = -log_p[np.arange(len(test)), parts[3]].mean()
        weights = np.concatenate([W.ravel() for W in fitted.coefs_])
        rows.append([loss, np.mean(weights != 0), np.linalg.norm(weights), seconds])
    return np.mean(rows, axis=0), np.std(rows, axis=0, ddof=1) / np.sqrt(n_splits)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    default = Path(f"{Path(__file__).stem}.png")
    parser.add_argument("--output", type=Path, default=default)
    parser.add_argument("--splits", type=int, default=10)
    arguments = parser.parse_args()
    # The epochs of dropout are counted; unregularised fits may go on for ever; some
    # lambdas of a grid are too large.
    warnings.simplefilter("ignore")
    found = {}
    for data, load in (
        ("diabetes", load_diabetes),
        ("breast cancer", load_breast_cancer),
    ):
        X, y = load(return_X_y=True)
        print(f"{data}, {len(y) // 2} rows train")
        print(
            f"{'':18s} {'loss':>7s} {'+-':>6s} {'weights':>8s} {'length':>7s} {'s':>6s}"
        )
        for name, model in ways(data).items():
            mean, error = measured(model, data, X, y, arguments.splits)
            found[data, name] = mean, error
            loss, share, length, seconds = mean
            print(
                f"{name:18s} {loss:7.3f} {error[0]:6.3f} {share:8.0%} {length:7.2f} "
                f"{seconds:6.2f}"
            )
        print()

    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 3, figsize=(12, 5), layout="constrained")
    titles = ("test loss", "weights that are not 0", "length of the weights")
    for row, data in zip(axes, DATA):
        names = [name for other, name in found if other == data]
        for column, (ax, title) in enumerate(zip(row, titles)):
            values = [found[data, name][0][column] for name in names]
            errors = [found[data, name][1][column] for name in names]
            best = int(np.argmin(values)) if column == 0 else -1
            colours = ["#2a9d8f" if i == best else "#8da0b3" for i in range(len(names))]
            ax.barh(names, values, xerr=errors, color=colours)
            ax.invert_yaxis()
            ax.set_title(f"{data}: {title}")
            if column == 0:  # what no regularisation loses is off the scale
                ax.set_xlim(0, 2.0 * np.median(values))
                ax.locator_params(axis="x", nbins=5)
            else:
                ax.set_yticks([])
    figure.savefig(arguments.output, dpi=100)
    print(f"drawn to {arguments.output.name}")


if __name__ == "__main__":
    main()
