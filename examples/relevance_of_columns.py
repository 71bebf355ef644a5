"""Which columns matter?
=====================

Which columns matter? Three answers on real columns and permuted copies of them.

The diabetes data have ten columns; beside each stands a copy whose rows are shuffled,
which tells nothing of y. ``alpha_groups="input"`` gives each column an alpha of its
own, by the evidence; ``sparsity="adaptive"`` lets whole columns leave, at an alpha
chosen by cross-validation; permutation importance shuffles columns of a network that
has one alpha for all, on rows held out. The first two fit once and say zero; the third
gives every column a number of either sign.

Run it with::

    python examples/relevance_of_columns.py [--output PICTURE.png]
"""

import argparse
from pathlib import Path

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.inspection import permutation_importance
from sklearn.model_selection import KFold, train_test_split
from sklearn.preprocessing import scale

from skwd import WeightDecayMLPRegressor, WeightDecayMLPRegressorCV

NET = {"hidden_layer_sizes": (20,), "activation": "tanh", "random_state": 0}


def answers(X, y):
    """title: (importance of each column, its deviation or None)."""
    train, test, y_train, y_test = train_test_split(X, y, random_state=0)
    by_evidence = WeightDecayMLPRegressor(
        alpha="evidence", alpha_groups="input", **NET
    ).fit(train, y_train)
    folds = KFold(5, shuffle=True, random_state=0)
    sparse = WeightDecayMLPRegressorCV(
        l1_ratio=1.0, sparsity="adaptive", rule="1se", cv=folds, **NET
    ).fit(train, y_train)
    plain = WeightDecayMLPRegressor(alpha="auto", **NET).fit(train, y_train)
    shuffled = permutation_importance(plain, test, y_test, n_repeats=20, random_state=0)
    found = {}
    for title, model in (
        ('alpha_groups="input"', by_evidence),
        ('sparsity="adaptive"', sparse),
    ):
        left = model.feature_importances_ > 0
        r2 = model.score(test, y_test)
        heading = f"{title}\n{left.sum()} columns left, R2 {r2:.2f}"
        found[heading] = model.feature_importances_, None
    heading = f"permutation importance\none alpha, R2 {plain.score(test, y_test):.2f}"
    found[heading] = shuffled.importances_mean, shuffled.importances_std
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    default = Path(f"{Path(__file__).stem}.png")
    parser.add_argument("--output", type=Path, default=default)
    output = parser.parse_args().output
    data = load_diabetes()
    rng = np.random.default_rng(0)
    copies = rng.permuted(data.data, axis=0)
    X = scale(np.hstack([data.data, copies]))
    names = [*data.feature_names, *(f"{name} shuffled" for name in data.feature_names)]
    found = answers(X, data.target)
    for heading, (importance, _) in found.items():
        kept = [names[j] for j in np.argsort(-importance) if importance[j] != 0]
        print(heading.replace("\n", ": "))
        print("   ", ", ".join(kept[:8]), f"... {len(kept)} not zero")

    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(
        1, 3, figsize=(12, 5), layout="constrained", sharey=True
    )
    colours = ["#2a9d8f"] * 10 + ["#d1495b"] * 10
    for ax, (heading, (importance, deviation)) in zip(axes, found.items()):
        ax.barh(range(20), importance, xerr=deviation, color=colours)
        ax.set_yticks(range(20), names)
        ax.set_title(heading)
    axes[0].invert_yaxis()
    axes[0].set_xlabel("share of the mean squared derivative")
    axes[1].set_xlabel("share of the mean squared derivative")
    axes[2].set_xlabel("fall of R2 when shuffled")
    figure.savefig(output, dpi=100)
    print(f"drawn to {output.name}")


if __name__ == "__main__":
    main()
