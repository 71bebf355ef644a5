"""What alpha means
================

The same number, another lambda: what alpha means here and in other libraries.

A penalty of the same strength has another number in every library: divided by n, by the
batch, with or without the half. `alpha_from` turns a library's number into skwd's.
Drawn is how far each library's linear model is from skwd's, as a part of the largest
coefficient: with its own number typed in as it is, and with `alpha_from`. Keras and
PyTorch need not be installed: their losses, as their manuals state them, are minimised
here by SciPy.

Run it with::

    python examples/what_alpha_means.py [--output PICTURE.png]
"""

import argparse
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import scale

from skwd import WeightDecayMLPClassifier, WeightDecayMLPRegressor, alpha_from

LOSSES = "keras mse", "torch MSELoss"


def minimised(loss, X, y):
    """Coefficients of a loss of (w, b), by BFGS."""
    found = minimize(loss, np.zeros(X.shape[1] + 1), args=(X, y), tol=1e-9)
    return found.x[:-1]


def keras(params, X, y, l2=0.05):
    """loss="mse" and kernel_regularizer=l2(l2): no half in either."""
    w, b = params[:-1], params[-1]
    return np.mean((y - X @ w - b) ** 2) + l2 * w @ w


def torch(params, X, y, weight_decay=0.05):
    """MSELoss, and weight_decay of SGD or Adam on the weights: half in one alone."""
    w, b = params[:-1], params[-1]
    return np.mean((y - X @ w - b) ** 2) + weight_decay / 2 * w @ w


def comparisons():
    """library: (its coefficients, its number, skwd's for it, data)."""
    X, y = load_diabetes(return_X_y=True)
    numbers = scale(X), scale(y)
    X, y = load_breast_cancer(return_X_y=True)
    classes = scale(X), y
    ridge = Ridge(alpha=20.0).fit(*numbers)
    logistic = LogisticRegression(C=0.05, tol=1e-8, max_iter=10_000).fit(*classes)
    n, n_classes = len(numbers[1]), len(classes[1])
    of_C = alpha_from("LogisticRegression", 0.05, n=n_classes)
    of_keras, of_torch = (alpha_from(name, 0.05) for name in LOSSES)
    return {
        "Ridge": (ridge.coef_, 20.0, alpha_from("Ridge", 20.0, n=n), numbers),
        "LogisticRegression, C": (logistic.coef_[0], 0.05, of_C, classes),
        "Keras, l2 and mse": (minimised(keras, *numbers), 0.05, of_keras, numbers),
        "PyTorch, MSELoss": (minimised(torch, *numbers), 0.05, of_torch, numbers),
    }


def distance(alpha, coef, X, y):
    """From skwd's linear model to ``coef``, over the largest of it."""
    is_number = len(np.unique(y)) > 2
    Linear = WeightDecayMLPRegressor if is_number else WeightDecayMLPClassifier
    model = Linear(hidden_layer_sizes=(), tol=1e-9, alpha=alpha).fit(X, y)
    return np.abs(model.coefs_[0][:, 0] - coef).max() / np.abs(coef).max()


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    default = Path(f"{Path(__file__).stem}.png")
    parser.add_argument("--output", type=Path, default=default)
    output = parser.parse_args().output
    distances = {}
    for library, (coef, number, alpha, data) in comparisons().items():
        pair = [distance(a, coef, *data) for a in (number, alpha)]
        distances[library] = pair
        print(f"{library:22s} {number:5g} is alpha {alpha:.3g}: ", end="")
        print(f"{pair[0]:.1e} apart as typed, {pair[1]:.1e} by alpha_from")

    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(9, 3.2), layout="constrained")
    places = np.arange(len(distances))
    for shift, column, label, colour in (
        (-0.2, 0, "its number typed in", "#d1495b"),
        (0.2, 1, "its number through alpha_from", "#2a9d8f"),
    ):
        values = [max(pair[column], 1e-12) for pair in distances.values()]
        ax.barh(places + shift, values, height=0.4, color=colour, label=label)
    ax.set_yticks(places, list(distances))
    ax.invert_yaxis()
    ax.set_xscale("log")
    ax.set_xlabel("largest difference of a coefficient, over the largest coefficient")
    ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2, frameon=False)
    figure.savefig(output, dpi=100)
    print(f"drawn to {output.name}")


if __name__ == "__main__":
    main()
