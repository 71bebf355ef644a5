"""A noise that depends on x
=========================

A band that breathes: the noise of y depends on x, and the deviation follows it.

400 rows of a curve whose noise grows and falls. With ``noise="constant"`` the band has
one width: too wide where y is quiet, too narrow where it is loud. ``noise="varying"``
learns from the rows that folds leave out where y varies much. Right, the part of 4000
new rows within the band of 90 %, by tenths of the predicted deviation.

Run it with::

    python examples/noise_that_varies.py [--output PICTURE.png]
"""

import argparse
from pathlib import Path

import numpy as np

from skwd import (
    CoverageDisplay,
    WeightDecayMLPRegressor,
    log_likelihood_scorer,
    neg_crps_scorer,
)

COLORS = {"constant": "C1", "varying": "C0"}
WIDTH = 1.645  # deviations on both sides: 90 % of a Gaussian


def deviation(x):
    return 0.08 + 0.6 * np.exp(-0.5 * ((x - 1.0) / 0.7) ** 2)


def draw(n, rng):
    x = rng.uniform(-3.0, 3.0, n)
    y = np.sin(1.5 * x) + 0.3 * x + deviation(x) * rng.standard_normal(n)
    return x[:, np.newaxis], y


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    default = Path(f"{Path(__file__).stem}.png")
    parser.add_argument("--output", type=Path, default=default)
    output = parser.parse_args().output
    rng = np.random.default_rng(0)
    (X, y), (X_new, y_new) = draw(400, rng), draw(4000, rng)
    models = {
        noise: WeightDecayMLPRegressor(
            alpha="auto", posterior=True, noise=noise, activation="tanh", random_state=0
        ).fit(X, y)
        for noise in COLORS
    }
    for noise, model in models.items():
        print(
            f"noise={noise!r}: log-likelihood of new rows "
            f"{log_likelihood_scorer(model, X_new, y_new):.3f}, "
            f"CRPS {-neg_crps_scorer(model, X_new, y_new):.4f}"
        )
    choice = models["varying"].noise_choice_
    print(f"rho is a {choice['model']}: {choice['reason']}")
    print(f"its 95 % over its 5 % quantile is {choice['factor']:.0f}")
    picture(models, X, y, X_new, y_new).savefig(output, dpi=120)
    print(f"written to {output}")


def picture(models, X, y, X_new, y_new):
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(13.0, 4.0), layout="constrained")
    grid = np.linspace(-3.0, 3.0, 300)
    for ax, (noise, model) in zip(axes, models.items()):
        mean, std = model.predict(grid[:, np.newaxis], return_std=True)
        ax.plot(X[:, 0], y, ".", color="0.6", markersize=3)
        ax.plot(grid, mean, color=COLORS[noise])
        ax.fill_between(
            grid,
            mean - WIDTH * std,
            mean + WIDTH * std,
            color=COLORS[noise],
            alpha=0.25,
            linewidth=0,
            label="90 %",
        )
        truth = np.sin(1.5 * grid) + 0.3 * grid
        for side in (-WIDTH, WIDTH):
            label = "90 % of the truth" if side > 0 else None
            edge = truth + side * deviation(grid)
            ax.plot(grid, edge, color="k", linestyle=":", linewidth=1, label=label)
        ax.set(title=f'noise="{noise}"', xlabel="x", ylabel="y", ylim=(-3.2, 3.4))
        ax.legend(loc="upper left", frameon=False)
    by_deviation(models, X_new, y_new).plot(axes[2])
    for line, color in zip(axes[2].lines[1:], COLORS.values()):
        line.set_color(color)
    axes[2].legend(loc="lower left", frameon=False)
    axes[2].set_title("new rows, quiet to loud")
    return figure


def by_deviation(models, X_new, y_new):
    """What both cover of the same ten groups of rows, by the deviation that varies."""
    inside = {}
    for noise, model in models.items():
        mean, std = model.predict(X_new, return_std=True)
        inside[f"noise={noise!r}"] = np.abs(y_new - mean) <= WIDTH * std
    groups = np.array_split(np.argsort(std), 10)  # std is that of the last, "varying"
    return CoverageDisplay(
        coverages=np.array([0.9]),
        observed={
            name: np.array([part[rows].mean() for rows in groups])
            for name, part in inside.items()
        },
        deviations=np.array([std[rows].mean() for rows in groups]),
    )


if __name__ == "__main__":
    main()
