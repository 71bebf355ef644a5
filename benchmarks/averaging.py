"""Averaged class probabilities against plain ones, on real tables.

    python benchmarks/averaging.py --data FOLDER

Tables of classes (`tables`) of at most three classes, at most 400 rows, two random
splits; 50 ReLU or tanh units; the default alpha, "loo" and 1e-4. Printed are log-loss
and calibration error (`study`) without and with ``posterior=True``, and their means.
"""

import argparse
import warnings

import numpy as np
from study import judged, splits_of
from tables import add_arguments, pipeline, read_tables
from threadpoolctl import threadpool_limits

from skwd import WeightDecayMLPClassifier

ALPHAS = None, "loo", 1e-4


def compared(X, y, **how):
    """Log-loss and calibration, plain and averaged, and the scale chosen."""
    rows = []
    for train, test in splits_of("classes", X, y, len(y), 2):
        row = []
        for posterior in (False, True):
            model = WeightDecayMLPClassifier(
                posterior=posterior, hidden_layer_sizes=(50,), random_state=0, **how
            )
            fitted = pipeline(model).fit(X.iloc[train], y[train])
            found = judged("classes", fitted, X.iloc[test], y[test])
            row += [found["error"], found["calibration"]]
        rows.append([*row, fitted[-1].posterior_scale_])
    return np.mean(rows, axis=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add_arguments(parser)
    args = parser.parse_args()
    warnings.simplefilter("ignore")  # alpha=1e-4 need not converge
    found = {alpha: [] for alpha in ALPHAS}
    for part in ("tuning", "held out"):
        for table in read_tables("classes", part, keel=args.keel, data=args.data):
            rows = np.random.default_rng(0).permutation(len(table.y))[:400]
            X, y = table.X.iloc[rows], table.y[rows]
            if len(set(y)) > 3:
                continue
            for activation in ("relu", "tanh"):
                for alpha in ALPHAS:
                    row = compared(X, y, activation=activation, alpha=alpha)
                    found[alpha].append(row)
                    print(f"{table.name:14s} {activation} {alpha!s:6s}", row.round(3))
    for alpha, rows in found.items():
        plain, plain_off, averaged, off, _ = np.array(rows).T
        change = averaged - plain
        print(
            f"alpha={alpha}: {len(rows)} cases, log-loss {change.mean():+.4f}, "
            f"worst {change.max():+.4f}; "
            f"calibration {plain_off.mean():.4f} -> {off.mean():.4f}"
        )


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
