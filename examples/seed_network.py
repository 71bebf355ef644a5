"""One network, beside scikit-learn
================================

A network of 64 ReLU units with weight decay 0.001, in one line, beside scikit-learn.

1000 samples of 10 uniform inputs, Adam for 100 epochs in batches of 32. What the output
of such inputs should be is free; here it is a smooth function of them with a little
noise. scikit-learn's MLPRegressor divides its alpha by the rows of each batch, so it
gets 32 times as much (only its last batch, of 8 rows, then has too much). Both have ::

    J = mean of (y - f)^2 / 2  +  0.001 / 2 * sum of squared weights

Both take all 100 epochs, one network each, fitted three times; the least time counts.
They draw their own initial weights and their own batches, so J and R2, on the training
data, differ: which one comes out ahead depends on the seed.

Run it with::

    python examples/seed_network.py
"""

import warnings
from time import perf_counter

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

from skwd import WeightDecayMLPRegressor

DECAY, BATCH = 0.001, 32
SETTINGS = {
    "hidden_layer_sizes": (64,),
    "activation": "relu",
    "solver": "adam",
    "batch_size": BATCH,
    "max_iter": 100,
    "tol": 0.0,
    "n_iter_no_change": 101,  # with tol=0: nobody stops before the last epoch
    "random_state": 0,
}


def data():
    np.random.seed(0)
    X = np.random.rand(1000, 10)
    y = np.sin(2 * np.pi * X[:, 0]) + X @ np.linspace(-1, 1, 10)
    return X, y + 0.1 * np.random.randn(1000)


def fit_skwd(X, y):
    return WeightDecayMLPRegressor(alpha=DECAY, normalize_y=False, **SETTINGS).fit(X, y)


def fit_sklearn(X, y):
    return MLPRegressor(alpha=DECAY * BATCH, **SETTINGS).fit(X, y)


def J(model, X, y):
    """The objective at a fitted model's weights, from its predictions."""
    penalty = sum(np.sum(W**2) for W in model.coefs_)
    return 0.5 * np.mean((y - model.predict(X)) ** 2) + 0.5 * DECAY * penalty


def main():
    X, y = data()
    print(f"{'':14s}{'J':>10s}{'R2':>8s}{'seconds':>10s}")
    for name, fit in (("skwd", fit_skwd), ("scikit-learn", fit_sklearn)):
        seconds = []
        with warnings.catch_warnings():
            # Both warn that they stop at max_iter: 100 epochs are what is asked for.
            warnings.simplefilter("ignore", ConvergenceWarning)
            for _ in range(3):
                start = perf_counter()
                model = fit(X, y)
                seconds.append(perf_counter() - start)
        row = f"{J(model, X, y):10.5f}{model.score(X, y):8.4f}{min(seconds):10.3f}"
        print(f"{name:14s}{row}")


if __name__ == "__main__":
    main()
