"""The networks that predict: one owner of their flat parameters and their posterior."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from skwd._alpha.averaging import posteriors_of
from skwd._core.activations import ACTIVATIONS
from skwd._core.blas import ONE_BLAS_THREAD, for_prediction
from skwd._core.encoded import encoded
from skwd._core.layout import Layout
from skwd._core.network import Network
from skwd._core.rows import shift_origin
from skwd._curvature.posterior import Posterior, predictive_blocks
from skwd._data.encoding import Encoding


class FittedNetwork:
    """K networks of one shape, and a Gaussian about each if there is one.

    Parameters
    ----------
    layout : Layout
    params : ndarray (K, P)
        For X as it is.
    activation : str
        That of the hidden layers.
    alone : bool
        ``coefs`` and ``intercepts`` are of one network, without an axis K.

    Attributes
    ----------
    params : ndarray (K, P)
    coefs, intercepts : list of ndarray
        Views of ``params``.
    posterior : list of Posterior, or None
        One for each network, of X about ``origin``.
    origin : ndarray (d,) or None
    encoding : Encoding or None
        Of X, in whose columns the weights of the first layer are.
    pending : tuple or None
        What `posteriors` is made of when it is asked for.
    """

    def __init__(
        self, layout: Layout, params: np.ndarray, activation: str, *, alone: bool
    ):
        self.activation, self.params = activation, params
        self.network = Network(layout, ACTIVATIONS[activation])
        networks = 0 if alone else slice(None)
        layers = range(layout.n_weight_layers)
        self.coefs = [layout.W(params, layer)[networks] for layer in layers]
        self.intercepts = [layout.b(params, i)[networks, 0] for i in layers]
        self.posterior: list[Posterior] | None = None
        self.origin: np.ndarray | None = None
        self.encoding: Encoding | None = None
        self.pending: tuple | None = None

    @classmethod
    def of(cls, coefs: list, intercepts: list, activation: str) -> FittedNetwork:
        """The networks of some weights: of one, or with a first axis K."""
        alone = coefs[0].ndim == 2
        if alone:
            coefs = [W[np.newaxis] for W in coefs]
            intercepts = [b[np.newaxis] for b in intercepts]
        layout = Layout((*(W.shape[-2] for W in coefs), coefs[-1].shape[-1]))
        params = layout.join(coefs, intercepts)
        return cls(layout, params, activation, alone=alone)

    def __getstate__(self) -> dict:
        """The state without the weights, which the estimator's coefs_ hold already."""
        names = "activation", "posterior", "origin", "encoding", "pending"
        return {name: getattr(self, name) for name in names}

    def weights(self) -> dict[str, list[np.ndarray]]:
        """coefs_ and intercepts_: new lists, which their owner may change."""
        return {"coefs_": list(self.coefs), "intercepts_": list(self.intercepts)}

    def with_weights(
        self, coefs: list[np.ndarray], intercepts: list[np.ndarray]
    ) -> FittedNetwork:
        """Itself where these weights are its own, else a network of them."""
        if "params" in self.__dict__ and len(coefs) == len(self.coefs):
            given, own = [*coefs, *intercepts], [*self.coefs, *self.intercepts]
            if len(given) == len(own) and all(a is b for a, b in zip(given, own)):
                return self
        other = FittedNetwork.of(coefs, intercepts, self.activation)
        other.posterior, other.origin = self.posterior, self.origin
        other.encoding, other.pending = self.encoding, self.pending
        return other

    @property
    def layout(self) -> Layout:
        return self.network.layout

    @property
    def has_posterior(self) -> bool:
        return self.posterior is not None or self.pending is not None

    def posteriors(self) -> list[Posterior]:
        """The posterior of each network, which there is."""
        if self.posterior is None:
            assert self.pending is not None
            self.origin = self.pending[0].training.origin
            self.posterior, self.pending = posteriors_of(*self.pending), None
        return self.posterior

    def noise(self) -> np.ndarray:
        """Variance of y about each network, in scaled units, (K, n_outputs)."""
        return np.array([gaussian.noise for gaussian in self.posteriors()])

    def combine_blocks(self, X, combine: Callable) -> np.ndarray:
        """``combine`` of the raw predictions of X, block after block."""
        blocks = self.network.predict_blocks(self.params, encoded(X, self.encoding))
        with for_prediction(X.shape[0], self.params.shape[1]):
            parts = [combine(block) for block in blocks]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    @ONE_BLAS_THREAD
    def combine_posterior_blocks(self, X, combine: Callable) -> np.ndarray:
        """``combine`` of raw predictions (K, b, o) and their covariances, by blocks."""
        posteriors, dtype = self.posteriors(), self.params.dtype
        X = encoded(X, self.encoding)
        network = Network(self.layout, self.network.activation)
        params = self.params.astype(np.float64)
        params = shift_origin(self.layout, params, self.origin, 1.0)
        blocks = predictive_blocks(network, params, posteriors, X, self.origin)
        return np.concatenate([combine(*block).astype(dtype) for block in blocks])
