"""What the stored trajectories were made of: data, networks, optimizers. No torch."""

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

N, N_FEATURES, HIDDEN = 47, 2, (3, 2)
BATCH_SIZE = 10  # five batches in order, the last of seven rows
N_EPOCHS = 10
N_STEPS = 50
ALPHA = (0.02, 0.1, 0.3)  # of the three weight matrices; biases have none
SEED = 21  # no ReLU unit is dead: every parameter moves


@dataclass(frozen=True)
class Problem:
    """A network and its loss: the mean over the rows of a batch."""

    activation: str  # of the hidden layers
    loss: str  # "squared_error" is 1/2 ||y - f||^2; "multinomial" on softmax
    n_outputs: int

    @property
    def layer_units(self) -> tuple[int, ...]:
        return N_FEATURES, *HIDDEN, self.n_outputs


PROBLEMS = {
    "tanh": Problem("tanh", "squared_error", 2),
    "relu": Problem("relu", "squared_error", 1),
    "softmax": Problem("tanh", "multinomial", 3),
}


@dataclass(frozen=True)
class Case:
    """An optimizer on a problem.

    SGD has no decoupled decay in torch: there the weights are multiplied by
    1 - rate * alpha by hand before the optimizer's step, as AdamW does. The rate of an
    epoch, counted from 0, is rate / (epoch + 1) ** power.
    """

    problem: str
    optimizer: str  # of torch.optim
    decay: str  # "l2": coupled, "decoupled"
    rate: float
    options: dict = field(default_factory=dict)  # of the optimizer, torch's names
    power: float = 0.0

    @property
    def by_hand(self) -> bool:
        return self.optimizer == "SGD" and self.decay == "decoupled"


HEAVY_BALL = {"momentum": 0.9}
NESTEROV = {"momentum": 0.9, "nesterov": True}
ODD = {"betas": (0.8, 0.95), "eps": 1e-2}
CASES = {
    "sgd": Case("tanh", "SGD", "l2", 0.2),
    "momentum_falling_rate": Case("softmax", "SGD", "l2", 0.1, HEAVY_BALL, 0.5),
    "nesterov": Case("relu", "SGD", "l2", 0.05, NESTEROV),
    "momentum_by_hand": Case("tanh", "SGD", "decoupled", 0.05, HEAVY_BALL),
    "nesterov_falling_rate_by_hand": Case(
        "relu", "SGD", "decoupled", 0.1, NESTEROV, 0.5
    ),
    "adam": Case("tanh", "Adam", "l2", 0.02),
    "adamw": Case("relu", "AdamW", "decoupled", 0.02),
    "adamw_falling_rate": Case("softmax", "AdamW", "decoupled", 0.05, ODD, 0.5),
}


def data(name: str) -> dict[str, np.ndarray]:
    """X, Y and the initial weights W_1, b_1, W_2, b_2, ... of a problem.

    W are (fan_in, fan_out). The stream of RandomState is frozen, default_rng's is not.
    """
    problem = PROBLEMS[name]
    rng = np.random.RandomState(SEED)
    X = rng.standard_normal((N, N_FEATURES))
    signal = np.column_stack([X[:, 0] * X[:, 1], np.sin(2 * X[:, 0]), X[:, 1]])
    Y = signal[:, : problem.n_outputs] + 0.1 * rng.standard_normal((N, 1))
    if problem.loss == "multinomial":
        Y = np.eye(problem.n_outputs)[Y.argmax(axis=1)]
    made = {"X": X, "Y": Y}
    units = problem.layer_units
    for layer, (fan_in, fan_out) in enumerate(pairwise(units), start=1):
        made[f"W_{layer}"] = rng.uniform(-1.0, 1.0, (fan_in, fan_out))
        made[f"b_{layer}"] = rng.uniform(-0.5, 0.5, fan_out)
    return made
