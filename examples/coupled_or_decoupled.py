"""Coupled, decoupled or independent decay
=======================================

Does decoupled weight decay free lambda from the learning rate? Heat maps over both.

Loshchilov and Hutter (2019, figures 1 and 2) found, for images, the best lambda of
coupled decay to move with the learning rate, and that of decoupled decay in their form
("independent") to stay. Here Adam trains a network on the diabetes data of
scikit-learn, for a fixed number of epochs, at every learning rate and lambda; the
colour is the held-out error of five shuffled folds over that of the best cell. It is
the other way round: a hundred epochs bring all but the slowest rates near a minimum of
J, which knows no learning rate, and what "independent" takes off in a step has to be
weighed against a step that is as long as the rate. All lambdas and folds of a learning
rate are trained as one stack.

Run it with::

    python examples/coupled_or_decoupled.py [--output PICTURE.png]
"""

import argparse
import warnings
from pathlib import Path
from time import perf_counter

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold
from sklearn.preprocessing import StandardScaler

from skwd import WeightDecayMLPRegressorCV

RATES = np.logspace(-3.5, -1.5, 5)
MODES = {  # decay, what its lambda is, lambdas
    "l2": ("in J", np.logspace(-3, 1, 9)),
    "decoupled": ("times the learning rate", np.logspace(-2.5, 1.5, 9)),
    "independent": ("by itself", np.logspace(-5, -1, 9)),
}
N_EPOCHS = 100


def errors_of(decay, alphas, X, y):
    """Mean squared error over the variance of y, (rates, alphas)."""
    rows = []
    for rate in RATES:
        model = WeightDecayMLPRegressorCV(
            hidden_layer_sizes=(50,),
            solver="adam",
            decay=decay,
            alphas=alphas,
            cv=KFold(5, shuffle=True, random_state=0),
            learning_rate_init=rate,
            batch_size=32,
            max_iter=N_EPOCHS,
            n_iter_no_change=np.inf,
            random_state=0,
        ).fit(X, y)
        rows.append(1.0 - model.cv_results_["mean_test_score"])
    return np.array(rows)


def draw(ax, decay, meaning, alphas, errors, lowest):
    """One heat map; a dot marks the best lambda of each learning rate."""
    shown = ax.imshow(
        np.log10(errors / lowest), origin="lower", cmap="viridis_r", vmin=0.0, vmax=0.15
    )
    ax.plot(errors.argmin(axis=1), range(len(RATES)), "o", color="#d1495b")
    ax.set_xticks(range(0, 9, 2), [f"{alpha:.0e}" for alpha in alphas[::2]])
    ax.set_yticks(range(len(RATES)), [f"{rate:.1e}" for rate in RATES])
    best = alphas[errors.argmin(axis=1)]
    ratio = best.max() / best.min()
    ax.set_title(
        f'decay="{decay}": λ {meaning}\nits best moves by a factor {ratio:.0f}'
    )
    ax.set_xlabel("λ")
    return shown


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    default = Path(f"{Path(__file__).stem}.png")
    parser.add_argument("--output", type=Path, default=default)
    output = parser.parse_args().output
    # The epochs are counted, whatever the loss does; some cells collapse.
    warnings.simplefilter("ignore", ConvergenceWarning)
    warnings.filterwarnings("ignore", "alpha=.* is too large")
    warnings.filterwarnings("ignore", "The network is worse than a constant")
    X, y = load_diabetes(return_X_y=True)
    X, start = StandardScaler().fit_transform(X), perf_counter()
    found = {
        decay: errors_of(decay, alphas, X, y) for decay, (_, alphas) in MODES.items()
    }
    seconds = perf_counter() - start
    n_fits = 5 * sum(errors.size for errors in found.values())
    print(f"{n_fits} networks of {N_EPOCHS} epochs in {seconds:.0f} seconds")
    for decay, errors in found.items():
        best = MODES[decay][1][errors.argmin(axis=1)]
        shown = "  ".join(f"{alpha:.1e}" for alpha in best)
        print(
            f"{decay:12s} lowest 1 - R2 {errors.min():.3f}; best lambda by rate {shown}"
        )

    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(13, 3.6), layout="constrained")
    lowest = min(errors.min() for errors in found.values())
    for ax, (decay, (meaning, alphas)) in zip(axes, MODES.items()):
        shown = draw(ax, decay, meaning, alphas, found[decay], lowest)
    axes[0].set_ylabel("learning rate of Adam")
    bar = figure.colorbar(shown, ax=axes, shrink=0.9)
    bar.set_label("held-out error over the best (log10)")
    figure.savefig(output, dpi=100)
    print(f"drawn to {output.name}")


if __name__ == "__main__":
    main()
