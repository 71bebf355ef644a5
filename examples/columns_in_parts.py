"""Columns in parts
================

Steps that a network learns slowly, and the ladder of models.

y depends on the first column by steps, on the second by a bend, and on the third only
where a fourth is above a threshold. ``alpha="auto"`` compares five models by their
held-out loss: the constant, the linear and the additive model, the network, and the
network on the columns and their piecewise-linear parts. The first panel shows what the
network makes of the steps with and without parts, the second the held-out losses.

Run it with::

    python examples/columns_in_parts.py [--output PICTURE.png]
"""

import argparse
from pathlib import Path

import numpy as np

from skwd import WeightDecayMLPRegressor

LADDER = (
    "constant",
    "linear model",
    "additive model",
    "network",
    "network on parts",
)
NET = {"hidden_layer_sizes": (50,), "alpha": "auto", "random_state": 0}


def steps(x):
    """A function of the first column."""
    return 1.5 * (x > 0.25) - 2.0 * (x > 0.6) + 1.0 * (x > 0.7)


def data(n):
    rng = np.random.default_rng(0)
    X = rng.uniform(size=(n, 6))
    f = steps(X[:, 0]) + 3.0 * np.abs(X[:, 1] - 0.5) + 2.0 * X[:, 2] * (X[:, 3] > 0.4)
    return X, f + 0.3 * rng.normal(size=n)


def effect(model, grid, X):
    """The mean prediction, had all rows this value of the first column."""
    found = []
    for value in grid:
        rows = X[:300].copy()
        rows[:, 0] = value
        found.append(model.predict(rows).mean())
    return np.array(found) - np.mean(found)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    default = Path(f"{Path(__file__).stem}.png")
    parser.add_argument("--output", type=Path, default=default)
    output = parser.parse_args().output
    X, y = data(600)
    grid = np.linspace(0.0, 1.0, 401)
    models = {
        "columns alone": WeightDecayMLPRegressor(encoding=None, **NET).fit(X, y),
        "columns and parts": WeightDecayMLPRegressor(**NET).fit(X, y),
    }
    choice = models["columns and parts"].alpha_choice_
    for name, score in choice["scores"].items():
        print(f"{name:18} held-out loss {-score:.4f}")
    print("chosen:", choice["model"])

    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    truth = steps(grid)
    left.plot(grid, truth - truth.mean(), color="0.6", linewidth=3, label="true steps")
    for (name, model), style in zip(models.items(), ("C1--", "C0-")):
        left.plot(grid, effect(model, grid, X), style, label=name)
    left.set_xlabel("first column")
    left.set_ylabel("mean prediction")
    left.legend(frameon=False, fontsize=8)
    names = [name for name in LADDER if name in choice["scores"]]
    losses = [-choice["scores"][name] for name in names]
    colours = ["C0" if name == choice["model"] else "0.75" for name in names]
    right.barh(range(len(names)), losses, color=colours)
    right.set_yticks(range(len(names)), names)
    right.invert_yaxis()
    for place, loss in enumerate(losses):
        right.text(loss, place, f" {loss:.3f}", va="center", fontsize=8)
    right.set_xlim(0.0, 1.15 * max(losses))
    right.set_xlabel("held-out loss, y in deviations")
    figure.savefig(output, dpi=110)


if __name__ == "__main__":
    main()
