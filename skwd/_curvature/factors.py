"""What the Jacobian of a network is made of: an outer product per layer and output.

    d raw_o / d W_l = a_{l-1} delta_lo',    d raw_o / d b_l = delta_lo

with a_{l-1} the inputs of the layer and delta_lo what a unit of output o asks of its
units. Jacobians, Gauss-Newton matrices and Kronecker factors are made from these two,
of one network at a time, in float64.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from skwd._core.layout import Layout
from skwd._core.loss import Loss, likelihood_of
from skwd._core.network import ForwardBackward, Network
from skwd._core.objective import Sample
from skwd._core.rows import SparseRows

# A block of rows needs no more than this.
BLOCK_BYTES = 1 << 22


class Factors(NamedTuple):
    """The outer products of each layer of some rows, not yet multiplied.

    ``deltas`` belong to the outputs, or to what they were multiplied with (c below).
    """

    inputs: list  # of each layer: (b, fan_in), the first may be SparseRows
    deltas: list[np.ndarray]  # of each layer: (b, c, fan_out)

    @property
    def n_rows(self) -> int:
        return self.deltas[0].shape[0]

    def scaled(self, scale: np.ndarray) -> Factors:
        """The factors of the Jacobian whose rows are multiplied by ``scale`` (b,)."""
        column = scale[:, np.newaxis, np.newaxis]
        return Factors(self.inputs, [delta * column for delta in self.deltas])

    def times(self, root: np.ndarray) -> Factors:
        """The Jacobian of ``root @ raw``, root (b, c', c)."""
        return Factors(self.inputs, [np.matmul(root, delta) for delta in self.deltas])


def factors_of(network: Network, params: np.ndarray, X) -> tuple[np.ndarray, Factors]:
    """The raw prediction (b, n_outputs) and the Jacobian's factors for rows X.

    Parameters
    ----------
    params : ndarray (P,), float64
    X : ndarray (b, d + 1) with a column of ones, or SparseRows (b, d)
        As `row_block` gives it.
    """
    layout, params = network.layout, params[np.newaxis]
    passes = ForwardBackward(network, params, X.shape[0], with_slopes=True)
    raw = passes.forward(X)[0].copy()
    inputs = [X if isinstance(X, SparseRows) else X[:, :-1]]
    inputs += [values[0].copy() for values in passes.values[:-1]]
    n_outputs = raw.shape[1]
    shape = X.shape[0], n_outputs, n_outputs
    deltas = [np.broadcast_to(np.eye(n_outputs), shape)]
    for layer in range(layout.n_weight_layers - 1, 0, -1):
        delta = np.matmul(deltas[0], layout.W(params, layer)[0].T)
        deltas.insert(0, delta * passes.slopes[layer - 1][0][:, np.newaxis])
    return raw, Factors(inputs, deltas)


def jacobian(layout: Layout, factors: Factors, dtype=np.float64) -> np.ndarray:
    """The Jacobian itself, row by row and in a row output by output: (b * c, P)."""
    n_rows, n_outputs = factors.deltas[0].shape[:2]
    rows = np.empty((n_rows * n_outputs, layout.n_params), dtype=dtype)
    for layer, (a, delta) in enumerate(zip(*factors)):
        a = a.toarray() if isinstance(a, SparseRows) else a
        shape = n_rows, n_outputs, a.shape[1], delta.shape[2]
        W = layout.W(rows, layer).reshape(shape)
        a, delta = a.astype(dtype, copy=False), delta.astype(dtype, copy=False)
        np.multiply(a[:, np.newaxis, :, np.newaxis], delta[:, :, np.newaxis], out=W)
        layout.b(rows, layer)[:] = delta.reshape(-1, 1, delta.shape[2])
    return rows


def tangent(layout: Layout, factors: Factors, direction: np.ndarray) -> np.ndarray:
    """The Jacobian times ``direction`` (P,): (b, c)."""
    change = np.zeros(factors.deltas[0].shape[:2])
    direction = direction[np.newaxis]
    for layer, (a, delta) in enumerate(zip(*factors)):
        dZ = a @ layout.W(direction, layer)[0] + layout.b(direction, layer)[0]
        change += np.matmul(delta, dZ[:, :, np.newaxis])[:, :, 0]
    return change


class Rows(NamedTuple):
    """Some training rows of a network at given weights."""

    y: np.ndarray  # (b, n_outputs)
    norm_weight: np.ndarray  # (b,) s_i / sum s
    raw: np.ndarray  # (b, n_outputs)
    factors: Factors  # of the Jacobian of raw


def rows_per_block(layout: Layout, *, multiplied: bool) -> int:
    """Rows whose factors, or with ``multiplied`` whose Jacobian, fill a block."""
    width = layout.n_params if multiplied else sum(layout.layer_units)
    return max(1, BLOCK_BYTES // (8 * layout.layer_units[-1] * width))


def training_rows(
    network: Network, sample: Sample, params: np.ndarray, n_rows: int
) -> Iterator[Rows]:
    """The rows of a sample with their factors, in blocks of ``n_rows``."""
    for X, y, norm_weight in sample.blocks(n_rows):
        raw, factors = factors_of(network, params, X.astype(np.float64, copy=False))
        yield Rows(y.astype(np.float64, copy=False), norm_weight[:, 0], raw, factors)


def whitened(rows: Rows, loss: Loss) -> Factors:
    """Factors of Phi = root(norm_weight) R' J: Phi'Phi is the Gauss-Newton matrix."""
    root = likelihood_of(loss).curvature_root(rows.raw)
    return rows.factors.times(root).scaled(np.sqrt(rows.norm_weight))
