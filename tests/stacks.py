"""Small stacks of networks for the tests of the core."""

import numpy as np
from scipy.sparse import csr_matrix

from skwd._core.activations import ACTIVATIONS
from skwd._core.layout import Layout, initial_params
from skwd._core.losses import (
    HalfBinomialLoss,
    HalfMultinomialLoss,
    HalfPoissonLoss,
    HalfSquaredError,
)
from skwd._core.network import Network
from skwd._core.objective import Objective, Sample

LOSSES = {
    "squared_error": HalfSquaredError(),
    "poisson": HalfPoissonLoss(),
    "binomial": HalfBinomialLoss(),
    "multinomial": HalfMultinomialLoss(),
}


def targets(loss, n, n_outputs, rng):
    """Random y (n, n_outputs) of the kind that a loss takes."""
    if loss == "squared_error":
        return rng.standard_normal((n, n_outputs))
    if loss == "poisson":
        return rng.poisson(2.0, size=(n, n_outputs)).astype(float)
    if loss == "binomial":
        return rng.integers(0, 2, size=(n, n_outputs)).astype(float)
    return np.eye(n_outputs)[rng.integers(0, n_outputs, n)]


def make_stack(
    n_networks=3,
    *,
    hidden=(6,),
    activation="tanh",
    loss="squared_error",
    n_outputs=1,
    n=60,
    n_features=4,
    alpha=0.01,
    dtype=np.float64,
    sparse=False,
    weighted=False,
    rows=(None,),
    seed=0,
):
    """An objective and its starting point (K, P).

    ``rows`` holds the rows of each sample; network k trains on sample k modulo their
    number. ``alpha`` is one number, or an array (K,) or (K, n_weight_layers).
    """
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, n_features)).astype(dtype)
    if sparse:
        X = csr_matrix(np.where(X > 0, X, 0.0))
    Y = targets(loss, n, n_outputs, rng)
    weight = rng.uniform(0.0, 3.0, size=n) if weighted else np.ones(n)
    samples = [
        Sample(X, Y, weight) if r is None else Sample(X, Y[r], weight[r], r)
        for r in rows
    ]
    layout = Layout((n_features, *hidden, n_outputs))
    gain = ACTIVATIONS[activation].gain
    params = initial_params(
        layout, gain, [np.random.default_rng([seed, k]) for k in range(n_networks)]
    )
    shape = (n_networks, layout.n_weight_layers)
    alpha = np.asarray(alpha, dtype=float)
    alpha = np.broadcast_to(alpha[:, None] if alpha.ndim == 1 else alpha, shape).copy()
    objective = Objective(
        Network(layout, ACTIVATIONS[activation]),
        LOSSES[loss],
        samples,
        alpha,
        np.arange(n_networks) % len(samples),
    )
    return objective, params


class Counted:
    """An objective that counts how often each of its networks is evaluated."""

    def __init__(self, objective, numbers=None, counts=None):
        self.objective = objective
        self.numbers = np.arange(len(objective)) if numbers is None else numbers
        self.counts = np.zeros(len(objective), int) if counts is None else counts
        self.dtype = objective.dtype
        self.decay = objective.decay
        self.kinks = objective.kinks

    def __len__(self):
        return len(self.objective)

    def __getitem__(self, networks):
        part = self.objective[networks], self.numbers[networks]
        return Counted(*part, self.counts)

    def loss_gradient(self, params):
        self.counts[self.numbers] += 1
        return self.objective.loss_gradient(params)

    def data_loss_gradient(self, params):
        self.counts[self.numbers] += 1
        return self.objective.data_loss_gradient(params)
