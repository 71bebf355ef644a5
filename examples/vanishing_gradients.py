"""Does weight decay make gradients vanish?
========================================

Left: the gradient of the loss by the first layer over that by the last, at the initial
weights of networks of 1 to 10 hidden layers. That is the vanishing gradient of deep
networks, and lambda is not in it: it is made by the activation.

Right: the gradient by the first layer as eight layers of 20 tanh units train, for
several lambdas. At a minimum of J the gradient of the loss is minus lambda w: decay
keeps it from vanishing, until there is so much that all weights shrink to zero, and
with them every gradient, as each is a product with the weights of the other layers.

Run it with::

    python examples/vanishing_gradients.py [--output PICTURE.png]
"""

import argparse
import warnings
from pathlib import Path

from sklearn.datasets import make_friedman1
from sklearn.preprocessing import scale

from skwd import WeightDecayMLPRegressor

DEPTHS = range(1, 11)
ALPHAS = {0.0: "#8da0b3", 1e-3: "#2a9d8f", 1e-2: "#e9a03b", 1.0: "#d1495b"}


def network(n_layers, activation, **how):
    how = {"random_state": 0, "track_gradients": True, **how}
    units = (20,) * n_layers
    return WeightDecayMLPRegressor(
        hidden_layer_sizes=units, activation=activation, **how
    )


def start_ratios(activation, X, y):
    """First over last layer, after a single and very short step, for each depth."""
    ratios = []
    for n_layers in DEPTHS:
        still = {"solver": "gd", "learning_rate_init": 1e-9, "max_iter": 1}
        model = network(n_layers, activation, alpha=0.0, **still).fit(X, y)
        ratios.append(model.gradient_norms_[0, 0] / model.gradient_norms_[0, -1])
    return ratios


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    default = Path(f"{Path(__file__).stem}.png")
    parser.add_argument("--output", type=Path, default=default)
    output = parser.parse_args().output
    warnings.simplefilter("ignore")  # epochs are counted, and some networks collapse
    X, y = make_friedman1(400, 10, noise=1.0, random_state=0)
    X = scale(X)

    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
    left, right = axes
    for activation in ("logistic", "softplus", "relu", "tanh", "selu"):
        ratios = start_ratios(activation, X, y)
        left.semilogy(DEPTHS, ratios, marker="o", markersize=3, label=activation)
        print(
            f"{activation:9s} gradient of 10 layers, first over last {ratios[-1]:.1e}"
        )
    left.set_title("Gradients vanish by the activation")
    left.set_xlabel("hidden layers")
    left.set_ylabel("first layer over last, at the start")
    left.legend(loc="lower left")

    adam = {"solver": "adam", "max_iter": 300, "n_iter_no_change": float("inf")}
    for alpha, colour in ALPHAS.items():
        model = network(8, "tanh", alpha=alpha, **adam).fit(X, y)
        norms = model.gradient_norms_[:, 0]
        right.semilogy(norms, color=colour, linewidth=1, label=f"λ = {alpha:g}")
        print(f"lambda {alpha:5g}: R2 {model.score(X, y):.3f}, at last {norms[-1]:.1e}")
    right.set_title("and by far too large a λ, not by a good one")
    right.set_xlabel("epochs of Adam, 8 layers of tanh")
    right.set_ylabel("gradient by the first layer")
    right.legend(loc="lower left")

    figure.savefig(output, dpi=100)
    print(f"drawn to {output.name}")


if __name__ == "__main__":
    main()
