"""Curvature of large networks: diagonal in the basis of a Kronecker product per layer.

    Phi_l'Phi_l  ~  (U_A (x) U_B) diag(Lambda) (U_A (x) U_B)'

with U_A, U_B the eigenvectors of A = E[a a'] and B = sum over c of E[delta_c delta_c'],
a the layer's inputs, delta its whitened deltas and E the weighted mean over the rows;
the layers are taken as unrelated. A (x) B alone (Martens and Grosse, ICML 2015) takes a
and delta as independent; Lambda_ij = sum over c of E[(U_A'a)_i^2 (U_B'delta_c)_j^2] is
right for every direction of the basis (George et al., "Fast approximate natural
gradient descent in a Kronecker-factored eigenbasis", NeurIPS 2018).

The bias is the row of A that belongs to a constant input. It is eliminated, as `Exact`
does, under the product: what is left for the weights is A about its mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skwd._core.alpha_groups import AlphaGroups
from skwd._core.loss import Loss
from skwd._core.network import Network
from skwd._core.objective import Sample
from skwd._core.rows import SparseRows
from skwd._curvature.base import Curvature
from skwd._curvature.factors import rows_per_block, training_rows, whitened
from skwd._curvature.free import NEGLIGIBLE

# Above so many inputs (or units) of a layer these are taken as uncorrelated, too.
MAX_FACTOR = 1500
# alpha=0 becomes this part of the layer's largest curvature.
NO_DECAY = 1e-10


@dataclass
class Factor:
    """A symmetric matrix in its eigenbasis; without vectors it is diagonal."""

    values: np.ndarray  # (m,) >= 0
    vectors: np.ndarray | None  # (m, m)

    @classmethod
    def of(cls, matrix: np.ndarray) -> Factor:
        """The factor of a matrix, or of a diagonal."""
        if matrix.ndim == 1:
            return cls(np.maximum(matrix, 0.0), None)
        values, vectors = np.linalg.eigh(matrix)
        return cls(np.maximum(values, 0.0), vectors)

    def into(self, a: np.ndarray) -> np.ndarray:
        """Coordinates in the eigenbasis, along the last axis."""
        return a if self.vectors is None else a @ self.vectors

    def back(self, a: np.ndarray) -> np.ndarray:
        """The inverse of `into`."""
        return a if self.vectors is None else a @ self.vectors.T


class Moments:
    """Mean and second moment of rows that come in blocks; a diagonal if m is large."""

    def __init__(self, m: int):
        self.mean = np.zeros(m)
        self.second = np.zeros(m) if m > MAX_FACTOR else np.zeros((m, m))

    def add(self, rows, norm_weight: np.ndarray | None = None) -> None:
        """Add rows (b, m), each ``norm_weight`` times, or once."""
        rows = rows.toarray() if isinstance(rows, SparseRows) else rows
        if norm_weight is not None:
            self.mean += rows.T @ norm_weight
            rows = rows * np.sqrt(norm_weight)[:, np.newaxis]
        if self.second.ndim == 2:
            self.second += rows.T @ rows
        else:
            self.second += np.einsum("bm,bm->m", rows, rows)

    def covariance(self) -> np.ndarray:
        """About the mean."""
        if self.second.ndim == 1:
            return self.second - self.mean**2
        return self.second - np.outer(self.mean, self.mean)


@dataclass
class LayerCurvature:
    """The curvature of a layer: A (x) B + alpha on weights, each times its ``unit``.

    The weights of one input share an alpha. Measured in units of its root, in which all
    of the layer have the alpha 1, they leave the eigenvectors of A (x) B their own.
    """

    mean: np.ndarray  # (fan_in,) of the inputs
    unit: np.ndarray  # (fan_in,) 1 / root(alpha)
    A: Factor  # of the covariance of the inputs, each times its unit
    B: Factor
    values: np.ndarray  # (fan_in, fan_out) Lambda, of the same
    floor: float | None  # of the curvature of biases, None for those of the outputs
    bias_decay: float = 0.0  # which takes the place of the floor

    @property
    def determined(self) -> np.ndarray:
        """The directions of the biases that the data determine, bool (fan_out,)."""
        if self.floor is None:
            return self.B.values > NEGLIGIBLE * self.B.values.max(initial=0.0)
        return self.B.values >= self.floor

    def centred(self, a) -> np.ndarray:
        """The inputs (b, fan_in) about their mean, in the eigenbasis of A."""
        a = a.toarray() if isinstance(a, SparseRows) else a
        return self.A.into((a - self.mean) * self.unit)

    def inverse_weights(self, scale: float) -> np.ndarray:
        """1 over the eigenvalues of H on the weights, (fan_in, fan_out)."""
        return 1.0 / (self.values + scale)

    def n_effective(self, scale: float) -> np.ndarray:
        """Weights of each input that the data determine, (fan_in,)."""
        determined = (self.values / (self.values + scale)).sum(axis=1)
        if self.A.vectors is None:
            return determined
        return np.square(self.A.vectors) @ determined

    def inverse_bias(self) -> np.ndarray:
        """1 over the eigenvalues of B, as in `UnpenalisedBlock`, (fan_out,)."""
        if self.bias_decay > 0.0:
            return 1.0 / (self.B.values + self.bias_decay)
        if self.floor is not None:
            return 1.0 / np.maximum(self.B.values, self.floor)
        kept = self.determined
        return np.where(kept, 1.0 / np.where(kept, self.B.values, 1.0), 0.0)


def _scaled(covariance: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """The covariance of inputs that are multiplied by ``unit``; or its diagonal."""
    if covariance.ndim == 1:
        return covariance * np.square(unit)
    return covariance * unit * unit[:, np.newaxis]


def _largest_curvature(A: Moments, B: Moments) -> float:
    """The largest eigenvalue of A (x) B."""
    a, b = Factor.of(A.covariance()), Factor.of(B.second)
    return float(a.values.max(initial=0.0) * b.values.max(initial=0.0))


@dataclass(eq=False)
class Kronecker(Curvature):
    """Layer by layer, each a Kronecker product."""

    layers: list[LayerCurvature]

    # Every direction averages over the rows: a single one leaves no trace.
    knows_rows = False

    @classmethod
    def of(
        cls,
        network: Network,
        loss: Loss,
        sample: Sample,
        params: np.ndarray,
        decay: np.ndarray,
        floor: float,
        groups: AlphaGroups,
    ) -> Kronecker:
        """H at ``params`` (P,) with ``decay`` (P,); floor: see `UnpenalisedBlock`."""
        layout = network.layout
        units = layout.layer_units
        A, B = [Moments(m) for m in units[:-1]], [Moments(m) for m in units[1:]]
        n_rows = rows_per_block(layout, multiplied=False)
        for rows in training_rows(network, sample, params, n_rows):
            for layer, (a, delta) in enumerate(zip(*whitened(rows, loss))):
                A[layer].add(a, rows.norm_weight)
                B[layer].add(delta.reshape(-1, delta.shape[2]))
        layers, decay = [], decay.copy()
        for layer in range(layout.n_weight_layers):
            alpha = layout.W(decay[np.newaxis], layer)[0]  # a view
            if not alpha.all():
                least = NO_DECAY * _largest_curvature(A[layer], B[layer]) or 1.0
                alpha[alpha == 0.0] = least
            if (alpha != alpha[:, :1]).any():
                raise ValueError("the weights of one input must share an alpha")
            unit = 1.0 / np.sqrt(alpha[:, 0])
            is_last = layer == layout.n_weight_layers - 1
            of_layer = LayerCurvature(
                A[layer].mean,
                unit,
                Factor.of(_scaled(A[layer].covariance(), unit)),
                Factor.of(B[layer].second),
                np.zeros(units[layer : layer + 2]),
                None if is_last else floor,
                float(layout.b(decay[np.newaxis], layer)[0, 0, 0]),
            )
            layers.append(of_layer)
        for rows in training_rows(network, sample, params, n_rows):
            for part, a, delta in zip(layers, *whitened(rows, loss)):
                squares = np.square(part.B.into(delta)).sum(axis=1)
                part.values += np.square(part.centred(a)).T @ squares
        determined = [part.B.values[part.determined] for part in layers]
        return cls(
            layout,
            groups,
            decay,
            log_det_free=float(sum(np.log(values).sum() for values in determined)),
            n_directions=sum(map(len, determined)),
            layers=layers,
        )

    @property
    def block_rows(self) -> int:
        return rows_per_block(self.layout, multiplied=False)

    def n_effective(self, scale=1.0):
        gamma = np.zeros(self.groups.n_groups)
        index = self.groups.index[np.newaxis]
        for number, layer in enumerate(self.layers):
            of_input = self.layout.W(index, number)[0, :, 0]
            gamma += np.bincount(of_input, layer.n_effective(scale), len(gamma))
        return gamma

    def n_free(self, scale=1.0):
        return float(
            sum(layer.B.values @ layer.inverse_bias() for layer in self.layers)
        )

    def _log_det_ratio(self, scale):
        return sum(np.log1p(layer.values / scale).sum() for layer in self.layers)

    def covariances(self, factors, scales):
        n_rows, n_outputs = factors.deltas[0].shape[:2]
        total = np.zeros((len(scales), n_rows, n_outputs, n_outputs))
        for layer, a, delta in zip(self.layers, *factors):
            squares = np.square(layer.centred(a))  # (b, fan_in)
            delta = layer.B.into(delta)  # (b, c, fan_out)
            for s, scale in enumerate(scales):
                weights = squares @ layer.inverse_weights(scale)
                weights += layer.inverse_bias()
                total[s] += np.matmul(delta * weights[:, None], delta.swapaxes(1, 2))
        return total

    def solve(self, vector, scales):
        solved = np.zeros((len(scales), len(vector)))
        vector = vector[np.newaxis]
        for number, layer in enumerate(self.layers):
            W = self.layout.W(vector, number)[0]
            b = self.layout.b(vector, number)[0, 0]
            bias = layer.B.back(layer.B.into(b) * layer.inverse_bias())
            # Eigenvectors on both sides: U_A' W U_B.
            unit = layer.unit[:, np.newaxis]
            W = (W - np.outer(layer.mean, b)) * unit
            W = layer.A.into(layer.B.into(W).T).T
            for s, scale in enumerate(scales):
                solution = W * layer.inverse_weights(scale)
                solution = layer.A.back(layer.B.back(solution).T).T * unit
                row = solved[s : s + 1]
                self.layout.W(row, number)[0] = solution
                self.layout.b(row, number)[0, 0] = bias - layer.mean @ solution
        return solved
