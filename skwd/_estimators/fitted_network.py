"""The networks that predict: one owner of their flat parameters and their posterior."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from skwd._core.activations import ACTIVATIONS
from skwd._core.layout import Layout
from skwd._core.network import Network
from skwd._core.rows import row_block, shift_origin
from skwd._curvature.factors import factors_of
from skwd._curvature.posterior import Posterior

# A variance whose root, and whose sums, are numbers still.
HUGE = 1e300


class FittedNetwork:
    """K networks of one shape, and a Gaussian about each if there is one.

    Parameters
    ----------
    coefs : list of ndarray, (fan_in, fan_out) or (K, fan_in, fan_out)
        The weights of each layer.
    intercepts : list of ndarray, (fan_out,) or (K, fan_out)
    activation : str
        Of the hidden layers.

    Attributes
    ----------
    params : ndarray (K, P)
    coefs, intercepts : list of ndarray
        Views of ``params``, in the shapes given.
    posterior : list of Posterior, or None
        One for each network, of X about ``origin``.
    origin : ndarray (d,) or None
    """

    def __init__(
        self, coefs: list[np.ndarray], intercepts: list[np.ndarray], activation: str
    ):
        weights = [W if W.ndim == 3 else W[np.newaxis] for W in coefs]
        biases = [b if b.ndim == 2 else b[np.newaxis] for b in intercepts]
        units = [W.shape[-2] for W in weights] + [weights[-1].shape[-1]]
        layout = Layout(tuple(units))
        self.activation = activation
        self.network = Network(layout, ACTIVATIONS[activation])
        self.params = layout.join(weights, biases)
        networks = slice(None) if coefs[0].ndim == 3 else 0
        layers = range(layout.n_weight_layers)
        self.coefs = [layout.W(self.params, layer)[networks] for layer in layers]
        self.intercepts = [layout.b(self.params, i)[networks, 0] for i in layers]
        self.posterior: list[Posterior] | None = None
        self.origin: np.ndarray | None = None

    def __getstate__(self) -> dict:
        """Without the weights, which the estimator's coefs_ hold already."""
        return {
            "activation": self.activation,
            "posterior": self.posterior,
            "origin": self.origin,
        }

    def owns(self, coefs: list[np.ndarray], intercepts: list[np.ndarray]) -> bool:
        """Whether these arrays are its own, none replaced since."""
        if "params" not in self.__dict__ or len(coefs) != len(self.coefs):
            return False
        given, own = [*coefs, *intercepts], [*self.coefs, *self.intercepts]
        return len(given) == len(own) and all(a is b for a, b in zip(given, own))

    def with_weights(
        self, coefs: list[np.ndarray], intercepts: list[np.ndarray]
    ) -> FittedNetwork:
        """Itself where the weights are its own, else a network of them."""
        if self.owns(coefs, intercepts):
            return self
        other = FittedNetwork(coefs, intercepts, self.activation)
        other.posterior, other.origin = self.posterior, self.origin
        return other

    def with_outputs(
        self, coefs: list[np.ndarray], intercepts: list[np.ndarray]
    ) -> FittedNetwork:
        """Networks of the same hidden layers, without a posterior."""
        return FittedNetwork(coefs, intercepts, self.activation)

    @property
    def layout(self) -> Layout:
        return self.network.layout

    def noise(self) -> np.ndarray:
        """Variance of y about each network, in scaled units, (K, n_outputs)."""
        assert self.posterior is not None
        return np.array([gaussian.noise for gaussian in self.posterior])

    def combine_blocks(self, X, combine: Callable) -> np.ndarray:
        """``combine`` of the raw predictions of X, block after block."""
        blocks = self.network.predict_blocks(self.params, X)
        parts = [combine(block) for block in blocks]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def combine_posterior_blocks(self, X, combine: Callable) -> np.ndarray:
        """``combine`` of raw predictions (K, b, o) and their covariances, by blocks."""
        assert self.posterior is not None
        dtype = self.params.dtype
        network = Network(self.layout, self.network.activation)
        params = self.params.astype(np.float64)
        params = shift_origin(self.layout, params, self.origin, 1.0)
        step = min(gaussian.curvature.n_rows for gaussian in self.posterior)
        parts = []
        for start in range(0, X.shape[0], step):
            block = slice(start, start + step)
            rows = row_block(X, block, origin=self.origin).astype(np.float64)
            raws, covariances = [], []
            for w, gaussian in zip(params, self.posterior):
                raw, factors = factors_of(network, w, rows)
                covariance = gaussian.covariance(factors)
                # So far from the training rows that nothing is known.
                unknown = ~np.isfinite(covariance).all(axis=(-1, -2))
                covariance[unknown] = HUGE * np.eye(raw.shape[1])
                raws.append(raw)
                covariances.append(covariance)
            parts.append(combine(np.stack(raws), np.stack(covariances)).astype(dtype))
        return np.concatenate(parts)
