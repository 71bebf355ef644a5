"""Where each weight matrix and bias lies in the flat buffer, and the initial weights.

Conventions (they hold in every module below the estimators)
-----------------------------------------------------------
K : networks in the stack, always the first axis.
P : parameters of one network; ``params`` is (K, P), one row a network.
W, b : views of one layer, (K, fan_in, fan_out) and (K, 1, fan_out). A layer's
    bias follows its weights directly, so that both together are one matrix of
    fan_in + 1 rows: a product with inputs that end in a column of ones adds the
    bias at no cost.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from skwd._core.alpha_groups import AlphaGroups

# Weights this much smaller than they started, in every layer at once, have collapsed.
COLLAPSE = 1e-2


@dataclass(frozen=True)
class Layout:
    """The layers of a network in one flat vector: W_1, b_1, W_2, b_2, ...

    Parameters
    ----------
    layer_units : tuple of int
        (n_inputs, *hidden_layer_sizes, n_outputs).
    sources : ndarray of int (n_inputs,), optional
        The column of X that each input is of, ascending; default one each.

    Attributes
    ----------
    n_params : int
        P, the number of weights and biases of one network.
    n_weight_layers : int
        The number of weight matrices (``n_layers_ - 1`` of an estimator).
    """

    layer_units: tuple[int, ...]
    sources: np.ndarray | None = field(default=None, compare=False, repr=False)
    n_params: int = field(init=False, compare=False)
    n_weight_layers: int = field(init=False, compare=False)
    _starts: list[int] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        starts = [0]
        for fan_in, fan_out in zip(self.layer_units[:-1], self.layer_units[1:]):
            starts.append(starts[-1] + (fan_in + 1) * fan_out)
        vars(self).update(
            _starts=starts, n_params=starts[-1], n_weight_layers=len(starts) - 1
        )

    def Wb(self, params: np.ndarray, layer: int) -> np.ndarray:
        """Weights of a layer, its bias the last row: (K, fan_in + 1, fan_out)."""
        fan_in, fan_out = self.layer_units[layer : layer + 2]
        flat = params[:, self._starts[layer] : self._starts[layer + 1]]
        return flat.reshape(len(params), fan_in + 1, fan_out)

    def W(self, params: np.ndarray, layer: int) -> np.ndarray:
        """Weights of a layer, a view (K, fan_in, fan_out)."""
        return self.Wb(params, layer)[:, :-1]

    def b(self, params: np.ndarray, layer: int) -> np.ndarray:
        """Biases of a layer, a view (K, 1, fan_out)."""
        return self.Wb(params, layer)[:, -1:]

    @cached_property
    def first_inputs(self) -> np.ndarray:
        """The first input that is of each column of X, (n_features,)."""
        if self.sources is None:
            return np.arange(self.layer_units[0])
        return np.flatnonzero(np.diff(self.sources, prepend=-1))

    def columns_left(self, params: np.ndarray) -> np.ndarray:
        """The columns of X with a weight that is not zero, bool (K, n_features)."""
        left = np.any(self.W(params, 0), axis=2)
        if self.sources is None:
            return left
        return np.logical_or.reduceat(left, self.first_inputs, axis=1)

    @cached_property
    def layer_groups(self) -> AlphaGroups:
        """One alpha for the weights of each layer, none for biases."""
        index = np.full(self.n_params, self.n_weight_layers)
        for layer in range(self.n_weight_layers):
            self.W(index[np.newaxis], layer)[:] = layer
        return AlphaGroups(index, self.n_weight_layers)

    def column_groups(self, of_column: np.ndarray) -> AlphaGroups:
        """One alpha for each group of columns of X, then one for each further layer.

        ``of_column`` (n_features,) is the group of each column, 0 ... their number - 1.
        """
        n_groups = int(of_column.max()) + 1
        index = self.layer_groups.index + n_groups - 1
        of_input = of_column if self.sources is None else of_column[self.sources]
        self.W(index[np.newaxis], 0)[0] = of_input[:, np.newaxis]
        return AlphaGroups(index, n_groups + self.n_weight_layers - 1)

    @property
    def decay_mask(self) -> np.ndarray:
        """1 for weights, 0 for biases, which are never penalised: (P,)."""
        return self.layer_groups.mask

    @cached_property
    def hidden_biases(self) -> np.ndarray:
        """1 for the biases of hidden units: (P,)."""
        mask = 1.0 - self.decay_mask
        self.b(mask[np.newaxis], self.n_weight_layers - 1)[:] = 0.0
        return mask

    def split(self, params: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Copies of all W (K, fan_in, fan_out) and all b (K, fan_out)."""
        layers = range(self.n_weight_layers)
        coefs = [self.W(params, layer).copy() for layer in layers]
        return coefs, [self.b(params, layer)[:, 0].copy() for layer in layers]

    def join(self, coefs: list[np.ndarray], intercepts: list[np.ndarray]) -> np.ndarray:
        """The flat buffer (K, P) of the lists that `split` returns."""
        params = np.empty((len(coefs[0]), self.n_params), dtype=coefs[0].dtype)
        for layer, (coef, intercept) in enumerate(zip(coefs, intercepts)):
            self.W(params, layer)[:] = coef
            self.b(params, layer)[:, 0] = intercept
        return params


def initial_scale(layout: Layout, gain: float, layer: int) -> float:
    """Standard deviation of a layer's initial weights: gain / sqrt(fan_in + fan_out).

    The gain is the hidden activation's, sqrt(2) for relu and for the output layer: with
    it this is Glorot and Bengio's scale (2010, eq. 12). The full gain / sqrt(fan_in) of
    He et al. (2015) keeps the mean square from layer to layer, but starts L-BFGS
    further from its minimum.
    """
    fan_in, fan_out = layout.layer_units[layer : layer + 2]
    last = layer == layout.n_weight_layers - 1
    return float((np.sqrt(2.0) if last else gain) / np.sqrt(fan_in + fan_out))


@np.errstate(over="ignore")
def layer_sizes(layout: Layout, params: np.ndarray) -> np.ndarray:
    """Root mean squares of the weights of networks (K, P), (n_weight_layers,)."""
    layers = [layout.W(params, layer) for layer in range(layout.n_weight_layers)]
    return np.sqrt([np.square(W, dtype=np.float64).mean() for W in layers])


def is_collapsed(layout: Layout, gain: float, params: np.ndarray) -> bool:
    """Whether alpha has driven every weight of networks (K, P) to about zero.

    Never for a linear model: with small weights it is simply well regularised.
    """
    sizes = layer_sizes(layout, params)
    scales = [initial_scale(layout, gain, layer) for layer in range(len(sizes))]
    return len(sizes) > 1 and bool((sizes / scales).max() <= COLLAPSE)


def initial_params(
    layout: Layout, gain: float, rngs: list[np.random.Generator]
) -> np.ndarray:
    """Uniform weights of `initial_scale`: (len(rngs), P), float64.

    Hidden biases are drawn from the same interval, which spreads the kinks of ReLU
    units over the data; output biases are zero. Row k depends on ``rngs[k]`` alone.
    """
    params = np.zeros((len(rngs), layout.n_params))
    for k, rng in enumerate(rngs):
        for layer in range(layout.n_weight_layers):
            bound = np.sqrt(3.0) * initial_scale(layout, gain, layer)
            Wb = layout.Wb(params[k : k + 1], layer)
            Wb[:] = rng.uniform(-bound, bound, size=Wb.shape)
        layout.b(params[k : k + 1], layout.n_weight_layers - 1)[:] = 0.0
    return params
