"""Make trajectories.npz with torch: the weights after every step of every case.

Run it in the folder tests: ``python -m trajectories.make_trajectories``. The weights of
a step are one flat vector W_1, b_1, W_2, b_2, ... with W (fan_in, fan_out) row by row,
the transpose of torch's.
"""

from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from trajectories.cases import (
    ALPHA,
    BATCH_SIZE,
    CASES,
    N_EPOCHS,
    PROBLEMS,
    Case,
    Problem,
    data,
)

FILE = Path(__file__).with_name("trajectories.npz")
ACTIVATIONS = {"tanh": torch.nn.Tanh, "relu": torch.nn.ReLU}


def make() -> dict[str, np.ndarray]:
    """All that the file holds."""
    made = {"torch_version": np.array(torch.__version__)}
    for name in PROBLEMS:
        given = data(name)
        made[f"{name}/X"], made[f"{name}/Y"] = given["X"], given["Y"]
        made[f"{name}/start"] = flat(network(PROBLEMS[name], given))
    for name, case in CASES.items():
        made[f"{name}/steps"] = trajectory(case)
    return made


def trajectory(case: Case) -> np.ndarray:
    """The weights after each step, (n_steps, P)."""
    problem, given = PROBLEMS[case.problem], data(case.problem)
    X, Y = torch.from_numpy(given["X"]), torch.from_numpy(given["Y"])
    net = network(problem, given)
    layers = linear_layers(net)
    inside = (0.0,) * len(ALPHA) if case.by_hand else ALPHA
    groups = [
        {"params": [layer.weight], "weight_decay": alpha}
        for layer, alpha in zip(layers, inside)
    ]
    groups.append({"params": [layer.bias for layer in layers], "weight_decay": 0.0})
    kind = getattr(torch.optim, case.optimizer)
    optimizer = kind(groups, lr=case.rate, **case.options)
    seen = []
    for epoch in range(N_EPOCHS):
        rate = case.rate / (epoch + 1) ** case.power
        for group in optimizer.param_groups:
            group["lr"] = rate
        for x, y in zip(X.split(BATCH_SIZE), Y.split(BATCH_SIZE)):
            optimizer.zero_grad()
            mean_loss(problem, net(x), y).backward()
            if case.by_hand:
                with torch.no_grad():
                    for layer, alpha in zip(layers, ALPHA):
                        layer.weight.mul_(1.0 - rate * alpha)
            optimizer.step()
            seen.append(flat(net))
    return np.array(seen)


def mean_loss(problem: Problem, raw: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    if problem.loss == "multinomial":
        return torch.nn.functional.cross_entropy(raw, y.argmax(dim=1))
    return 0.5 * (raw - y).square().sum(dim=1).mean()


def network(problem: Problem, given: dict[str, np.ndarray]) -> torch.nn.Sequential:
    """The network with the given weights, in float64."""
    units = problem.layer_units
    parts: list[torch.nn.Module] = []
    for fan_in, fan_out in pairwise(units):
        parts.append(torch.nn.Linear(fan_in, fan_out, dtype=torch.float64))
        parts.append(ACTIVATIONS[problem.activation]())
    net = torch.nn.Sequential(*parts[:-1])
    with torch.no_grad():
        for number, layer in enumerate(linear_layers(net), start=1):
            layer.weight.copy_(torch.from_numpy(given[f"W_{number}"].T))
            layer.bias.copy_(torch.from_numpy(given[f"b_{number}"]))
    return net


def linear_layers(net: torch.nn.Sequential) -> list[torch.nn.Linear]:
    return [part for part in net if isinstance(part, torch.nn.Linear)]


def flat(net: torch.nn.Sequential) -> np.ndarray:
    """A copy of all weights and biases, (P,)."""
    parts: list[np.ndarray] = []
    for layer in linear_layers(net):
        parts.append(layer.weight.detach().numpy().T.ravel())
        parts.append(layer.bias.detach().numpy())
    return np.concatenate(parts)


if __name__ == "__main__":
    np.savez_compressed(FILE, **make())
