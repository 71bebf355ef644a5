"""Does Adam choose lambda?
========================

Adam adapts its steps to each weight: does that choose lambda? It does not.

The error on new rows of 50 ReLU units on the diabetes data, against lambda: trained by
Adam for 500 epochs, and by L-BFGS to the minimum of J. Adam divides each step by the
size of the gradients it has seen, which changes the way to the minimum, not the
minimum: both curves have their lowest point at about the same lambda.

Run it with::

    python examples/does_adam_choose_lambda.py [--output PICTURE.png]
"""

import argparse
import warnings
from pathlib import Path

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold
from sklearn.preprocessing import scale

from skwd import WeightDecayMLPRegressorCV

ALPHAS = np.logspace(-4, 0.5, 10)
STEPS = {
    "lbfgs": {},
    "adam": {"learning_rate_init": 0.003, "max_iter": 500, "batch_size": 50},
}


def errors_of(solver, X, y):
    """1 - R2 of each lambda, (n_alphas, n_splits)."""
    model = WeightDecayMLPRegressorCV(
        hidden_layer_sizes=(50,),
        solver=solver,
        alphas=ALPHAS,
        cv=KFold(10, shuffle=True, random_state=0),
        n_iter_no_change=np.inf if solver == "adam" else 10,
        random_state=0,
        **STEPS[solver],
    ).fit(X, y)
    results = model.cv_results_
    return np.stack([1.0 - results[f"split{k}_test_score"] for k in range(10)], axis=1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    default = Path(f"{Path(__file__).stem}.png")
    parser.add_argument("--output", type=Path, default=default)
    output = parser.parse_args().output
    warnings.simplefilter("ignore", ConvergenceWarning)  # the epochs are counted
    X, y = load_diabetes(return_X_y=True)
    found = {solver: errors_of(solver, scale(X), y) for solver in STEPS}
    for solver, errors in found.items():
        mean = errors.mean(axis=1)
        best = ALPHAS[mean.argmin()]
        print(f"{solver:5s} best lambda {best:.2g}: 1 - R2 {mean.min():.3f}")

    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
    for (solver, errors), colour in zip(found.items(), ("#2a9d8f", "#e9a03b")):
        mean, error = errors.mean(axis=1), errors.std(axis=1, ddof=1) / np.sqrt(10)
        ax.semilogx(ALPHAS, mean, marker="o", color=colour, label=solver)
        ax.fill_between(ALPHAS, mean - error, mean + error, color=colour, alpha=0.15)
    ax.set_title("Adam needs lambda as L-BFGS does, and about the same")
    ax.set_xlabel("lambda")
    ax.set_ylabel("1 - R2 of ten folds, with a standard error")
    ax.legend(loc="upper right")
    figure.savefig(output, dpi=100)
    print(f"drawn to {output.name}")


if __name__ == "__main__":
    main()
