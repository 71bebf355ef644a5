"""The terms of a fitted model without hidden layers: what each column adds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import is_classifier

from skwd._curvature.factors import Factors
from skwd._data.encoding import Encoding, column_ends
from skwd._estimators.fitted_network import FittedNetwork


@dataclass(frozen=True, eq=False)
class Terms:
    """f(x) = b + sum_j f_j(x_j), with f_j the weights of column j's inputs.

    Parameters
    ----------
    network : FittedNetwork
        Without hidden layers.
    scale : ndarray (n_outputs,)
        y's units, 1 for classes.
    """

    network: FittedNetwork
    scale: np.ndarray

    @classmethod
    def of(cls, estimator: Any) -> Terms:
        """Those of an estimator; raises ValueError where its columns do not add up."""
        hidden = tuple(W.shape[-1] for W in estimator.coefs_[:-1])
        if hidden:
            raise ValueError(
                "TermsDisplay is for models without hidden layers, whose columns add "
                f"up; got hidden layers of {hidden} units. Fit with "
                "hidden_layer_sizes=() and encoding='parts'."
            )
        n_outputs = estimator.coefs_[-1].shape[-1]
        scale = np.ones(n_outputs)
        if not is_classifier(estimator) and len(estimator.y_scale_) == n_outputs:
            scale = estimator.y_scale_ * scale
        return cls(estimator._network(), scale)

    @property
    def n_outputs(self) -> int:
        """Raw outputs."""
        return len(self.scale)

    @property
    def has_posterior(self) -> bool:
        """Whether the terms have deviations."""
        return self.network.has_posterior

    @property
    def _encoding(self) -> Encoding | None:
        return self.network.encoding

    def _places(self, column: int) -> np.ndarray:
        """The inputs of a column."""
        if self._encoding is None:
            return np.array([column])
        return np.flatnonzero(self._encoding.sources == column)

    def inputs(self, column: int, x: np.ndarray) -> np.ndarray:
        """A column as the model takes it, at some values x (m,): (m, its inputs)."""
        if self._encoding is None:
            return x[:, np.newaxis]
        return self._encoding.at(column, x)

    def at(self, column: int, x: np.ndarray) -> np.ndarray:
        """What a column adds at some values x (m,): (m, n_outputs)."""
        W = self.network.layout.W(self.network.params, 0).mean(axis=0)
        return self.inputs(column, x) @ W[self._places(column)] * self.scale

    def grid(self, column: int, x: np.ndarray) -> np.ndarray:
        """Between these values, in the range of x (n,), its term is a straight line."""
        low, high = x.min(), x.max()
        encoding, inside = self._encoding, np.empty(0)
        if encoding is not None and len(encoding.knots[column]):
            ends = column_ends(encoding, column)
            inside = np.concatenate([encoding.knots[column], ends])
            inside = inside[(inside > low) & (inside < high)]
        return np.unique(np.concatenate([[low], inside, [high]]))

    def deviations(self, column: int, x: np.ndarray, mean: np.ndarray) -> np.ndarray:
        """Deviations of the term less its mean, (m, n_outputs), by the posterior.

        ``mean`` (its inputs,) is that of the inputs over the rows that centre the term.
        The variance of c'w is had from that of b + c'w, b - c'w and b.
        """
        width, n = self.network.layout.layer_units[0], len(x)
        c = np.zeros((n, width))
        c[:, self._places(column)] = self.inputs(column, x) - mean
        rows = np.concatenate([c, -c, np.zeros((1, width))])
        shape = len(rows), self.n_outputs, self.n_outputs
        factors = Factors([rows], [np.broadcast_to(np.eye(self.n_outputs), shape)])
        found = []
        for gaussian in self.network.posteriors():
            covariance = gaussian.covariance(factors)
            variance = np.diagonal(covariance, axis1=-2, axis2=-1)
            found.append(0.5 * (variance[:n] + variance[n:-1]) - variance[-1:])
        return np.sqrt(np.maximum(np.mean(found, axis=0), 0.0)) * self.scale
