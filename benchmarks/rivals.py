"""Adapters for minibatch.py: each fits one task by Adam, and one function scores all.

An adapter takes a task and returns the weights and biases it ends with, or None where
there are none. Every one takes the same Adam steps on J, the mean over samples of
(y - f)^2 / 2 plus ALPHA / 2 times the sum of squared weights. All start from the
weights that scikit-learn draws, but for skwd, which draws its own; each shuffles on its
own. Two more take no step at all and show what a step is made of.

    python benchmarks/minibatch.py
"""

import os
import time
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from sklearn.neural_network import MLPRegressor

from skwd import WeightDecayMLPRegressor

# Beyond these, scikit-learn's default settings of Adam, which the others share.
ALPHA, LEARNING_RATE, BETA_1, BETA_2, EPSILON = 1e-3, 1e-3, 0.9, 0.999, 1e-8
# The names under which the tables look for what they compare.
SKWD, SKLEARN = "skwd", "scikit-learn"
PRODUCTS = "matrix products only"


@dataclass(frozen=True)
class Task:
    """The data X (n, d) and y (n,), the network and the number of epochs."""

    X: np.ndarray
    y: np.ndarray
    hidden: tuple[int, ...]
    batch: int
    epochs: int

    @classmethod
    def of_shape(cls, n, d, hidden, batch, epochs, dtype):
        rng = np.random.default_rng(0)
        X = rng.standard_normal((n, d))
        signal = np.sin(X[:, 0]) + X[:, 1] * X[:, 2]
        y = signal + 0.1 * rng.standard_normal(n)
        return cls(X.astype(dtype), y.astype(dtype), hidden, batch, epochs)

    @property
    def layers(self):
        """(fan_in, fan_out) of each layer."""
        return list(pairwise((self.X.shape[1], *self.hidden, 1)))

    @property
    def batches(self):
        """The rows of an epoch's order that make each of its batches."""
        n = len(self.X)
        return [slice(i, min(i + self.batch, n)) for i in range(0, n, self.batch)]

    @property
    def steps(self):
        return self.epochs * len(self.batches)

    @property
    def flops(self):
        """Of the matrix products of all epochs: a multiply and an add count as two."""
        first, *others = (fan_in * fan_out for fan_in, fan_out in self.layers)
        # Forward and weights' gradient, and the units' gradient but for the inputs.
        return self.epochs * len(self.X) * 2 * (2 * first + 3 * sum(others))


def J(coefs, intercepts, task):
    """The objective at the given weights, in float64 whatever they were fitted in."""
    A = task.X.astype(np.float64)
    for layer, (W, b) in enumerate(zip(coefs, intercepts)):
        A = A @ W.astype(np.float64) + b.astype(np.float64)
        if layer < len(coefs) - 1:
            np.maximum(A, 0, out=A)
    residual = task.y.astype(np.float64) - A[:, 0]
    penalty = sum(np.sum(W.astype(np.float64) ** 2) for W in coefs)
    return 0.5 * np.mean(residual**2) + 0.5 * ALPHA * penalty


def settings(task):
    """What skwd and scikit-learn call by the same names; alpha is not among it."""
    return {
        "solver": "adam",
        "hidden_layer_sizes": task.hidden,
        "batch_size": task.batch,
        "max_iter": task.epochs,
        "tol": 0.0,
        "n_iter_no_change": task.epochs + 1,  # nobody stops early
        "random_state": 0,
    }


def start(task):
    """The weights and biases that scikit-learn starts from, drawn as it draws them."""
    rng = np.random.RandomState(0)
    params = []
    for fan_in, fan_out in task.layers:
        bound = np.sqrt(6 / (fan_in + fan_out))
        W = rng.uniform(-bound, bound, (fan_in, fan_out))
        b = rng.uniform(-bound, bound, fan_out)
        params.append((W.astype(task.X.dtype), b.astype(task.X.dtype)))
    return params


def make_sklearn(threads):
    def fit(task):
        # It divides its alpha by the rows of the batch; a short last batch gets more.
        model = MLPRegressor(alpha=ALPHA * task.batch, **settings(task))
        model.fit(task.X, task.y)
        return model.coefs_, model.intercepts_

    return fit


def make_skwd(threads):
    def fit(task):
        model = WeightDecayMLPRegressor(
            alpha=ALPHA, normalize_y=False, **settings(task)
        )
        model.fit(task.X, task.y)
        return model.coefs_, model.intercepts_

    return fit


def make_torch(threads):
    """PyTorch, one operation at a time, with its fused Adam."""
    import torch

    torch.set_num_threads(threads)

    def network(task):
        modules = []
        for W, b in start(task):
            W, b = torch.from_numpy(W.T.copy()), torch.from_numpy(b)
            linear = torch.nn.Linear(*W.T.shape, dtype=W.dtype)
            linear.weight.data, linear.bias.data = W, b
            modules += [linear, torch.nn.ReLU()]
        return torch.nn.Sequential(*modules[:-1])

    def fit(task):
        model = network(task)
        torch.manual_seed(0)
        weights = [p for p in model.parameters() if p.ndim == 2]
        biases = [p for p in model.parameters() if p.ndim == 1]
        # Adam adds weight_decay * w to the gradient, as J asks; AdamW would not.
        groups = [
            {"params": weights, "weight_decay": ALPHA},
            {"params": biases, "weight_decay": 0.0},
        ]
        optimizer = torch.optim.Adam(
            groups, lr=LEARNING_RATE, betas=(BETA_1, BETA_2), eps=EPSILON, fused=True
        )
        X, y = torch.from_numpy(task.X), torch.from_numpy(task.y)[:, None]
        for _ in range(task.epochs):
            order = torch.randperm(len(X))
            for batch in task.batches:
                rows = order[batch]
                loss = 0.5 * torch.nn.functional.mse_loss(model(X[rows]), y[rows])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        return (
            [W.detach().numpy().T for W in weights],
            [b.detach().numpy() for b in biases],
        )

    return fit


def make_jax(threads):
    """JAX, each epoch one compiled scan over its batches.

    It takes all processors the process may use, or one: pin others with taskset.
    """
    if threads == 1:
        one = " --xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
        os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + one
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_enable_x64", True)  # or float64 would become float32

    def loss(params, X, y):
        A = X
        for layer, (W, b) in enumerate(params):
            A = A @ W + b
            if layer < len(params) - 1:
                A = jax.nn.relu(A)
        penalty = sum(jnp.sum(W**2) for W, _ in params)
        return 0.5 * jnp.mean((y - A[:, 0]) ** 2) + 0.5 * ALPHA * penalty

    def step(state, X, y):
        params, first, second, t = state
        grad = jax.grad(loss)(params, X, y)
        t = t + 1
        rate = LEARNING_RATE * jnp.sqrt(1 - BETA_2**t) / (1 - BETA_1**t)
        first = jax.tree.map(lambda m, g: BETA_1 * m + (1 - BETA_1) * g, first, grad)
        second = jax.tree.map(
            lambda v, g: BETA_2 * v + (1 - BETA_2) * g**2, second, grad
        )
        params = jax.tree.map(
            lambda p, m, v: p - rate * m / (jnp.sqrt(v) + EPSILON),
            params,
            first,
            second,
        )
        return params, first, second, t

    @jax.jit
    def epoch(state, X, y, whole, rest):
        def one(state, rows):
            return step(state, X[rows], y[rows]), None

        state, _ = jax.lax.scan(one, state, whole)
        return one(state, rest)[0] if len(rest) else state

    def fit(task):
        params = [(jnp.asarray(W), jnp.asarray(b)) for W, b in start(task)]
        zeros = jax.tree.map(jnp.zeros_like, params)
        state = params, zeros, zeros, jnp.zeros((), task.X.dtype)
        X, y = jnp.asarray(task.X), jnp.asarray(task.y)
        rng = np.random.default_rng(0)
        n_whole = len(X) // task.batch * task.batch
        for _ in range(task.epochs):
            order = rng.permutation(len(X)).astype(np.int32)
            whole, rest = order[:n_whole].reshape(-1, task.batch), order[n_whole:]
            state = epoch(state, X, y, whole, rest)
        return tuple(zip(*[(np.asarray(W), np.asarray(b)) for W, b in state[0]]))

    return fit


def make_slices(threads):
    """No network: the loop, the shuffling and the rows of each batch."""

    def fit(task):
        rng = np.random.default_rng(0)
        for _ in range(task.epochs):
            order = rng.permutation(len(task.X))
            for batch in task.batches:
                rows = order[batch]
                task.X[rows], task.y[rows]

    return fit


def make_products(threads):
    """No data: the matrix products that no step can do without, into given arrays."""

    def products(b, task):
        rng = np.random.default_rng(0)
        for layer, (fan_in, fan_out) in enumerate(task.layers):
            shapes = (b, fan_in), (fan_in, fan_out), (b, fan_out)
            A, W, dZ = (rng.standard_normal(s).astype(task.X.dtype) for s in shapes)
            Z, dW, dA = np.empty_like(dZ), np.empty_like(W), np.empty_like(A)
            yield A, W, Z
            yield A.T, dZ, dW
            if layer > 0:
                yield dZ, W.T, dA

    def fit(task):
        sizes = [batch.stop - batch.start for batch in task.batches]
        of_size = {b: list(products(b, task)) for b in set(sizes)}
        for _ in range(task.epochs):
            for b in sizes:
                for left, right, out in of_size[b]:
                    np.matmul(left, right, out=out)

    return fit


# Those that minimise J, in the order of the tables, and those that only show its parts.
MAKERS = {
    SKLEARN: make_sklearn,
    SKWD: make_skwd,
    "PyTorch": make_torch,
    "JAX": make_jax,
    "shuffle and slice only": make_slices,
    PRODUCTS: make_products,
}


def make_adapters(threads, names=tuple(MAKERS)):
    """The adapters of what is installed; a line says what is not."""
    adapters = {}
    for name in names:
        try:
            adapters[name] = MAKERS[name](threads)
        except ImportError:
            print(f"{name} is not installed: skipped")
    return adapters


@dataclass
class Timing:
    """Seconds of the first fit and the least of those after, and J at its end."""

    first: float
    best: float
    J: float | None


def compare(adapters, task, rounds):
    """Time the adapters in turn, round after round, on one task.

    The first round warms up: it holds the compilation where there is one.
    """
    timings = {}
    for _ in range(rounds + 1):
        for name, fit in adapters.items():
            start = time.perf_counter()
            weights = fit(task)
            seconds = time.perf_counter() - start
            if name in timings:
                timings[name].best = min(timings[name].best, seconds)
            else:
                value = None if weights is None else J(*weights, task)
                timings[name] = Timing(seconds, np.inf, value)
    return timings
