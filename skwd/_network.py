"""Forward and backward pass of a stack of networks over one block of rows.

    A_0 = X,   Z_l = A_{l-1} W_l + b_l,   A_l = phi(Z_l),   raw_prediction = Z_L

    delta_L = dJ/draw,   dW_l = A_{l-1}' delta_l,   db_l = sum of delta_l over rows
    delta_{l-1} = (delta_l W_l') * phi'(Z_{l-1})

Every product is one ``np.matmul`` slice per network, never one product across networks.
With BLAS held to one thread a stack gives bit for bit what its networks give alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from scipy import sparse

from skwd._activations import Activation
from skwd._layout import Layout

# Rows per block: the activations of one network in one block fill about half an L2
# cache. Changes rounding only; it depends on the network's shape, never on the stack.
BLOCK_BYTES = 1 << 19
MIN_BLOCK_ROWS = 64


def block_rows(layout: Layout, itemsize: int) -> int:
    """Rows per block for networks of this shape."""
    width = sum(layout.layer_units[1:])
    return max(MIN_BLOCK_ROWS, BLOCK_BYTES // (itemsize * width))


def row_block(X, rows: slice | np.ndarray):
    """Some rows of X as `Network` takes them: dense ones get a last column of ones.

    That column carries the bias of the first layer; sparse rows stay as they are.
    """
    if sparse.issparse(X):
        return X[rows]
    part = X[rows]
    block = np.empty((part.shape[0], part.shape[1] + 1), dtype=X.dtype)
    block[:, :-1] = part
    block[:, -1] = 1.0
    return block


class Network:
    """The function f of K equally shaped networks; it holds scratch memory only.

    Parameters
    ----------
    layout : Layout
    activation : Activation
        Of the hidden layers.
    """

    def __init__(self, layout: Layout, activation: Activation):
        self.layout = layout
        self.activation = activation
        self._buffers: dict[tuple[str, int], tuple[np.ndarray, np.ndarray]] = {}

    @property
    def kinked(self) -> bool:
        """Whether f, and so J, has kinks in the weights."""
        return self.layout.n_weight_layers > 1 and self.activation.kinked

    def _buffer(
        self, name: str, layer: int, shape: tuple[int, ...], dtype
    ) -> np.ndarray:
        """Scratch memory of this shape, kept between calls and grown when needed."""
        kept, view = self._buffers.get((name, layer), (None, None))
        if view is None or view.shape != shape or view.dtype != dtype:
            size = math.prod(shape)
            if kept is None or kept.size < size or kept.dtype != dtype:
                kept = np.empty(size, dtype=dtype)
            view = kept[:size].reshape(shape)
            self._buffers[name, layer] = kept, view
        return view

    def _first_product(self, params, X, out):
        """Z_1 = X W_1 + b_1; dense X ends in a column of ones, sparse X does not."""
        if sparse.issparse(X):
            for k, W in enumerate(self.layout.W(params, 0)):
                out[k] = X @ W
            out += self.layout.b(params, 0)
        else:
            np.matmul(X, self.layout.Wb(params, 0), out=out)

    def forward(
        self, params: np.ndarray, X, *, slopes: bool = False
    ) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Activations A_1 ... A_L (A_L the raw prediction) and slopes phi'(Z_l).

        params (K, P); X (b, d + 1) with its column of ones, or sparse (b, d). The
        arrays returned are scratch memory, valid until the next call.
        """
        A: list[np.ndarray] = []
        S: list[np.ndarray] = []
        n_layers = self.layout.n_weight_layers
        for layer in range(n_layers):
            shape = (len(params), X.shape[0], self.layout.layer_units[layer + 1])
            Z = self._buffer("A", layer, shape, params.dtype)  # (K, b, fan_out)
            if layer == 0:
                self._first_product(params, X, Z)
            else:
                np.matmul(A[-1], self.layout.W(params, layer), out=Z)
                Z += self.layout.b(params, layer)
            if layer < n_layers - 1:
                slope = self._buffer("S", layer, shape, Z.dtype) if slopes else None
                self.activation(Z, slope)
                if slopes:
                    S.append(slope)
            A.append(Z)
        return A, S

    def predict_blocks(self, params: np.ndarray, X) -> Iterator[np.ndarray]:
        """Raw predictions (K, b, n_outputs) of all rows of X, block after block.

        Scratch memory: each is valid until the next is asked for.
        """
        step = block_rows(self.layout, params.dtype.itemsize)
        for start in range(0, X.shape[0], step):
            block = row_block(X, slice(start, start + step))
            yield self.forward(params, block)[0][-1]

    def backward(
        self, params: np.ndarray, X, A: list[np.ndarray], S: list[np.ndarray], grad
    ) -> None:
        """Add this block's gradient to ``grad`` (K, P); A[-1] holds dJ/draw.

        A and S are those of `forward(..., slopes=True)` on the same block.
        """
        layout = self.layout
        delta = A[-1]  # (K, b, fan_out)
        ones = np.ones((1, delta.shape[1]), dtype=delta.dtype)  # sums over the rows
        for layer in range(layout.n_weight_layers - 1, 0, -1):
            layout.W(grad, layer)[:] += np.matmul(A[layer - 1].swapaxes(1, 2), delta)
            layout.b(grad, layer)[:] += np.matmul(ones, delta)
            W_t = layout.W(params, layer).swapaxes(1, 2)  # (K, fan_out, fan_in)
            if layer == 1 and delta.shape[2] == 1 and not sparse.issparse(X):
                self._first_gradient_one_output(X, delta, W_t, S[0], grad)
                return
            # The value of the layer below is used up: the new delta takes its place.
            previous = A[layer - 1]
            if delta.shape[2] == 1:
                np.multiply(delta, W_t, out=previous)
            else:
                np.matmul(delta, W_t, out=previous)
            previous *= S[layer - 1]
            delta = previous
        if sparse.issparse(X):
            for dW, d in zip(layout.W(grad, 0), delta):
                dW += X.T @ d
            layout.b(grad, 0)[:] += np.matmul(ones, delta)
        else:
            layout.Wb(grad, 0)[:] += np.matmul(X.T, delta)

    def _first_gradient_one_output(self, X, delta, W_t, slope, grad) -> None:
        """dW_1 of one hidden layer with one output, in two passes fewer.

        delta_1 = (delta w') * S is never formed: X' delta_1 = ((X * delta)' S) * w', so
        delta scales the rows of X or S, whichever is narrower, and w a small matrix.
        """
        if X.shape[1] <= slope.shape[2]:
            product = np.matmul((X * delta).swapaxes(1, 2), slope)
        else:
            slope *= delta
            product = np.matmul(X.T, slope)
        product *= W_t
        self.layout.Wb(grad, 0)[:] += product
