"""Adapters for lambda_grid.py: each chooses alpha by cross-validation and refits.

An adapter takes a `Search` and returns the score (R2) of every alpha and split. All see
the same splits and minimise the same J: the mean of (y - f)^2 / 2 plus alpha / 2 times
the sum of squared weights, by as many epochs of Adam or iterations of L-BFGS. Each
draws its own initial weights and orders of the rows. PyTorch trains one network after
the other, JAX all of them in one compiled and vectorised loop.

Run as a program it serves one adapter: a line of JSON on standard input, with a case,
dtype, number of alphas and rows, is answered by one with seconds and scores; the end of
the input by the peak memory.
"""

import json
import os
import resource
import sys
import time
import warnings
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from joblib import parallel_config
from joblib.externals.loky import get_reusable_executor
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.neural_network import MLPRegressor

from skwd import WeightDecayMLPRegressor, WeightDecayMLPRegressorCV

N_FOLDS, N_JOBS = 5, 2
LEARNING_RATE, BETA_1, BETA_2, EPSILON = 1e-3, 0.9, 0.999, 1e-8

# name: (n, d, hidden layers, what skwd and scikit-learn call by the same names)
CASES = {
    "Adam": (1000, 10, (64,), dict(solver="adam", batch_size=32, max_iter=100)),
    "L-BFGS": (1000, 10, (64,), dict(solver="lbfgs", max_iter=200)),
    "Adam, wide": (
        5000,
        20,
        (100, 100),
        dict(solver="adam", batch_size=200, max_iter=20),
    ),
}


@dataclass
class Search:
    """Data, network and alphas of one search."""

    X: np.ndarray
    y: np.ndarray
    hidden: tuple
    settings: dict
    alphas: np.ndarray

    @classmethod
    def of(cls, case, dtype, n_alphas=8, n=None):
        n_default, d, hidden, settings = CASES[case]
        rng = np.random.default_rng(0)
        X = rng.standard_normal((n or n_default, d))
        signal = np.sin(X[:, 0]) + X[:, 1] * X[:, 2]
        y = signal + 0.1 * rng.standard_normal(len(X))
        if settings["solver"] == "adam":  # all epochs, nobody stops early
            settings = {**settings, "tol": 0.0, "n_iter_no_change": 10**6}
        alphas = np.logspace(-5, -1, n_alphas)
        return cls(X.astype(dtype), y.astype(dtype), hidden, settings, alphas)

    @property
    def splits(self):
        return list(KFold(N_FOLDS).split(self.X))

    @property
    def common(self):
        return {"hidden_layer_sizes": self.hidden, "random_state": 0, **self.settings}

    def step_rows(self, n):
        return min(self.settings.get("batch_size", n), n)


def scores_of(grid):
    return np.stack(
        [grid.cv_results_[f"split{k}_test_score"] for k in range(N_FOLDS)], axis=1
    )


def skwd_cv(search, n_jobs=N_JOBS):
    model = WeightDecayMLPRegressorCV(
        alphas=search.alphas,
        cv=KFold(N_FOLDS),
        n_jobs=n_jobs,
        normalize_y=False,
        **search.common,
    )
    return scores_of(model.fit(search.X, search.y))


def skwd_cv_threads(search):
    with parallel_config(backend="threading"):
        return skwd_cv(search)


def grid_over_skwd(search):
    plain = WeightDecayMLPRegressor(normalize_y=False, **search.common)
    return grid_over(plain, search, search.alphas)


def grid_over_sklearn(search):
    # It divides its alpha by the rows of a step.
    rows = search.step_rows(len(search.X) * (N_FOLDS - 1) // N_FOLDS)
    return grid_over(MLPRegressor(**search.common), search, search.alphas * rows)


def grid_over(plain, search, alphas):
    grid = GridSearchCV(plain, {"alpha": alphas}, cv=KFold(N_FOLDS), n_jobs=N_JOBS)
    return scores_of(grid.fit(search.X, search.y))


def start(layers, rng, dtype):
    """Weights and biases of each layer, Glorot's scale."""
    params = []
    for fan_in, fan_out in layers:
        bound = np.sqrt(6 / (fan_in + fan_out))
        W = rng.uniform(-bound, bound, (fan_in, fan_out)).astype(dtype)
        params.append((W, rng.uniform(-bound, bound, fan_out).astype(dtype)))
    return params


def layers_of(search):
    units = (search.X.shape[1], *search.hidden, 1)
    return list(pairwise(units))


def predict(params, X):
    for layer, (W, b) in enumerate(params):
        X = X @ W + b
        if layer < len(params) - 1:
            X = np.maximum(X, 0)
    return X[:, 0]


def one_after_the_other(search, fit):
    """Scores by ``fit(X, y, alpha)``, which returns weights, and a refit."""
    scores = np.empty((len(search.alphas), N_FOLDS))
    for a, alpha in enumerate(search.alphas):
        for k, (train, test) in enumerate(search.splits):
            params = fit(search.X[train], search.y[train], alpha)
            scores[a, k] = r2_score(search.y[test], predict(params, search.X[test]))
    fit(search.X, search.y, search.alphas[scores.mean(axis=1).argmax()])
    return scores


def torch_loop(search):
    import torch

    torch.set_num_threads(N_JOBS)

    def network():
        modules = []
        for W, b in start(layers_of(search), np.random.default_rng(0), search.X.dtype):
            W, b = torch.from_numpy(W.T.copy()), torch.from_numpy(b)
            linear = torch.nn.Linear(*W.T.shape, dtype=W.dtype)
            linear.weight.data, linear.bias.data = W, b
            modules += [linear, torch.nn.ReLU()]
        return torch.nn.Sequential(*modules[:-1])

    def fit(X, y, alpha):
        torch.manual_seed(0)
        model = network()
        weights = [p for p in model.parameters() if p.ndim == 2]
        biases = [p for p in model.parameters() if p.ndim == 1]
        X, y = torch.from_numpy(X), torch.from_numpy(y)[:, None]
        loss = torch.nn.functional.mse_loss
        if search.settings["solver"] == "adam":
            optimizer = torch.optim.Adam(
                [
                    {"params": weights, "weight_decay": float(alpha)},
                    {"params": biases, "weight_decay": 0.0},
                ],
                lr=LEARNING_RATE,
                betas=(BETA_1, BETA_2),
                eps=EPSILON,
                fused=True,
            )
            for _ in range(search.settings["max_iter"]):
                for rows in torch.randperm(len(X)).split(search.step_rows(len(X))):
                    optimizer.zero_grad()
                    (0.5 * loss(model(X[rows]), y[rows])).backward()
                    optimizer.step()
        else:
            optimizer = torch.optim.LBFGS(
                model.parameters(),
                max_iter=search.settings["max_iter"],
                max_eval=15000,
                tolerance_grad=1e-4,
                tolerance_change=0.0,
                history_size=10,
                line_search_fn="strong_wolfe",
            )

            def closure():
                optimizer.zero_grad()
                penalty = sum((W**2).sum() for W in weights)
                J = 0.5 * loss(model(X), y) + 0.5 * float(alpha) * penalty
                J.backward()
                return J

            optimizer.step(closure)
        return [
            (W.detach().numpy().T, b.detach().numpy()) for W, b in zip(weights, biases)
        ]

    return one_after_the_other(search, fit)


JAX_EPOCHS = {}  # compiled, by the shape of the problem


def jax_epoch(search):
    """One epoch of Adam of networks (F, A), compiled: a scan over the batches."""
    import jax
    import jax.numpy as jnp

    def loss(params, X, y, alpha):
        A = X
        for layer, (W, b) in enumerate(params):
            A = A @ W + b
            A = jax.nn.relu(A) if layer < len(params) - 1 else A
        penalty = sum(jnp.sum(W**2) for W, _ in params)
        return 0.5 * jnp.mean((y - A[:, 0]) ** 2) + 0.5 * alpha * penalty

    # Alphas of a fold share its rows; folds have rows of their own.
    over_alphas = jax.vmap(jax.grad(loss), (0, None, None, 0))
    gradient = jax.vmap(over_alphas, (0, 0, 0, None))

    def step(state, X, y, alphas):
        params, first, second, t = state
        grad, t = gradient(params, X, y, alphas), t + 1
        rate = LEARNING_RATE * jnp.sqrt(1 - BETA_2**t) / (1 - BETA_1**t)
        tree = jax.tree.map
        first = tree(lambda m, g: BETA_1 * m + (1 - BETA_1) * g, first, grad)
        second = tree(lambda v, g: BETA_2 * v + (1 - BETA_2) * g**2, second, grad)
        params = tree(
            lambda p, m, v: p - rate * m / (jnp.sqrt(v) + EPSILON),
            params,
            first,
            second,
        )
        return params, first, second, t

    @jax.jit
    def epoch(state, X, y, alphas, order):
        size = search.step_rows(X.shape[1])
        n_whole = X.shape[1] // size * size
        fold = jnp.arange(X.shape[0])[:, None]

        def one(state, rows):  # rows (F, b)
            return step(state, X[fold, rows], y[fold, rows], alphas), None

        whole = order[:, :n_whole].reshape(X.shape[0], -1, size).swapaxes(0, 1)
        state, _ = jax.lax.scan(one, state, whole)
        rest = order[:, n_whole:]
        return one(state, rest)[0] if rest.shape[1] else state

    return epoch


def jax_stack(search):
    import jax

    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp

    def fit(X, y, alphas):  # (F, n, d), (F, n), (A,)
        F, A = len(X), len(alphas)
        layers = start(layers_of(search), np.random.default_rng(0), X.dtype)
        params = jax.tree.map(lambda p: jnp.tile(p, (F, A, *[1] * p.ndim)), layers)
        zeros = jax.tree.map(jnp.zeros_like, params)
        state = params, zeros, zeros, jnp.zeros((), X.dtype)
        key = X.shape, A, X.dtype
        if key not in JAX_EPOCHS:
            JAX_EPOCHS[key] = jax_epoch(search)
        rng = np.random.default_rng(0)
        X, y, alphas = map(jnp.asarray, (X, y, alphas.astype(X.dtype)))
        for _ in range(search.settings["max_iter"]):
            order = np.stack([rng.permutation(X.shape[1]) for _ in range(F)])
            state = JAX_EPOCHS[key](state, X, y, alphas, order.astype(np.int32))
        return jax.tree.map(np.asarray, state[0])

    train = np.stack([rows for rows, _ in search.splits])
    params = fit(search.X[train], search.y[train], search.alphas)
    scores = np.empty((len(search.alphas), N_FOLDS))
    for k, (_, test) in enumerate(search.splits):
        for a in range(len(search.alphas)):
            mine = [(W[k, a], b[k, a]) for W, b in params]
            scores[a, k] = r2_score(search.y[test], predict(mine, search.X[test]))
    best = search.alphas[[scores.mean(axis=1).argmax()]]
    fit(search.X[None], search.y[None], best)
    return scores


SKWD, SKLEARN = "skwd, CV form", "GridSearchCV, scikit-learn"
ADAPTERS = {
    SKLEARN: grid_over_sklearn,
    "GridSearchCV, skwd": grid_over_skwd,
    SKWD: skwd_cv,
    "skwd, two threads": skwd_cv_threads,
    "skwd, one worker": lambda search: skwd_cv(search, n_jobs=1),
    "PyTorch, a loop": torch_loop,
    "JAX, jit + vmap": jax_stack,
}
NEEDS = {"PyTorch, a loop": "torch", "JAX, jit + vmap": "jax"}
ADAM_ONLY = {"JAX, jit + vmap": "JAX has no L-BFGS of its own"}


def megabytes(who):
    return resource.getrusage(who).ru_maxrss / 1024  # kilobytes on Linux


def serve(name):
    warnings.simplefilter("ignore")  # max_iter is meant to be reached
    os.environ["PYTHONWARNINGS"] = "ignore"  # in the workers too
    for line in sys.stdin:
        case, dtype, n_alphas, n = json.loads(line)
        search = Search.of(case, np.dtype(dtype), n_alphas, n)
        begin = time.perf_counter()
        scores = ADAPTERS[name](search)
        seconds = time.perf_counter() - begin
        print(json.dumps([seconds, scores.tolist()]), flush=True)
    get_reusable_executor().shutdown(wait=True)
    workers = N_JOBS * megabytes(resource.RUSAGE_CHILDREN)
    print(json.dumps(megabytes(resource.RUSAGE_SELF) + workers), flush=True)


if __name__ == "__main__":
    serve(sys.argv[1])
