"""Forward and backward pass of a stack of networks over one block of rows.

    A_0 = X,   Z_l = A_{l-1} W_l + b_l,   A_l = phi(Z_l),   raw_prediction = Z_L

    delta_L = dJ/draw,   dW_l = A_{l-1}' delta_l,   db_l = sum of delta_l over rows
    delta_{l-1} = (delta_l W_l') * phi'(Z_{l-1})

Every product is one ``np.matmul`` slice per network, never one product across networks.
With BLAS held to one thread a stack gives bit for bit what its networks give alone.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Iterator

import numpy as np

from skwd._core.activations import Activation
from skwd._core.arrays import aligned
from skwd._core.encoded import EncodedRows
from skwd._core.interface import Interface
from skwd._core.layout import Layout
from skwd._core.rows import SparseRows

# A function and its arguments; with arrays among them, all of it can be called again.
RecordedOp = tuple[Callable, tuple]

# Rows per block: the activations of one network in one block fill about half an L2
# cache. Changes rounding only; it depends on the network's shape, never on the stack.
BLOCK_BYTES = 1 << 19
MIN_BLOCK_ROWS = 64


class LayerNoise(Interface, abstract=True):
    """What a training pass does to hidden units and a prediction does not: dropout."""

    @abstractmethod
    def ops(
        self, layer: int, values: np.ndarray, slopes: np.ndarray | None
    ) -> list[RecordedOp]:
        """Operations on the values of a hidden layer (*, b, h), and on their slopes.

        What multiplies the values multiplies the slopes, so that the backward pass is
        that of the disturbed network.
        """


def run(calls: list[RecordedOp]) -> None:
    """Make the calls, one after the other."""
    for function, arguments in calls:
        function(*arguments)


def block_rows(layout: Layout, itemsize: int) -> int:
    """Rows per block for networks of this shape."""
    width = sum(layout.layer_units[1:])
    return max(MIN_BLOCK_ROWS, BLOCK_BYTES // (itemsize * width))


class Network:
    """The function f of equally shaped networks; it holds scratch memory only.

    Parameters
    ----------
    layout : Layout
    activation : Activation
        Of the hidden layers.
    """

    def __init__(self, layout: Layout, activation: Activation):
        self.layout = layout
        self.activation = activation
        self._buffers: dict[tuple, np.ndarray] = {}
        self._ones: dict[np.dtype, np.ndarray] = {}

    @property
    def kinked(self) -> bool:
        """Whether f, and so J, has kinks in the weights."""
        return self.layout.n_weight_layers > 1 and self.activation.kinked

    def buffer(self, name: str, layer: int, shape: tuple[int, ...], dtype):
        """Scratch memory of this shape, kept between calls and grown when needed."""
        size, key = math.prod(shape), (name, layer, np.dtype(dtype))
        kept = self._buffers.get(key)
        if kept is None or kept.size < size:
            kept = self._buffers[key] = aligned((size,), dtype)
        return kept[:size].reshape(shape)

    def ones(self, n: int, dtype) -> np.ndarray:
        """A row of ones (1, n), the same for all who ask."""
        dtype = np.dtype(dtype)
        kept = self._ones.get(dtype)
        if kept is None or kept.shape[1] < n:
            kept = self._ones[dtype] = np.ones((1, n), dtype=dtype)
        return kept[:, :n]

    def predict_blocks(self, params: np.ndarray, X) -> Iterator[np.ndarray]:
        """Raw predictions (K, b, n_outputs) of all rows of X, block after block.

        The memory is each caller's own, so that threads may predict at the same time.
        """
        layout, n_rows = self.layout, X.shape[0]
        layers = range(layout.n_weight_layers)
        W = [layout.W(params, layer) for layer in layers]
        b = [layout.b(params, layer) for layer in layers]
        step = block_rows(layout, params.dtype.itemsize)
        for start in range(0, n_rows, step):
            is_whole = n_rows <= step and not isinstance(X, EncodedRows)
            rows = X if is_whole else X[start : start + step]
            raws = []
            for k in range(len(params)):
                values = rows @ W[0][k]
                values += b[0][k]
                for layer in layers[1:]:
                    self.activation(values)
                    values = values @ W[layer][k]
                    values += b[layer][k]
                raws.append(values)
            yield np.stack(raws) if len(raws) > 1 else raws[0][np.newaxis]


class ForwardBackward:
    """Forward and backward pass of a stack on blocks of ``n_rows`` rows.

    It makes all views of ``params`` and ``grad`` once, for as many blocks as follow
    while their owner steps ``params`` in place. `forward_ops` and `backward_ops`
    write the passes down as a list of calls, to be made again and again at no other
    cost than that of the array operations.

    Parameters
    ----------
    network : Network
    params : ndarray (K, P)
    n_rows : int
        b, the rows of a block.
    grad : ndarray (K, P), optional
        Where the backward pass writes the gradient; without it there is only a forward
        pass.
    with_slopes : bool
        Keep the slopes of the hidden units though there is no backward pass.
    noise : LayerNoise, optional
        Disturbs the hidden units: of a training pass, never of a prediction.
    stack : tuple of int, optional
        How the stack axis is laid out, written * below; default (K,). () for a single
        network spares it an axis; (F, A) are F groups of A networks, where each group
        has rows of its own.
    """

    def __init__(
        self,
        network: Network,
        params: np.ndarray,
        n_rows: int,
        grad: np.ndarray | None = None,
        stack: tuple[int, ...] | None = None,
        *,
        with_slopes: bool = False,
        noise: LayerNoise | None = None,
    ):
        self._noise = noise
        self._network = network
        self._params, self._grad = params, grad
        self._stack = (len(params),) if stack is None else stack
        layout, layers = network.layout, range(network.layout.n_weight_layers)
        self._W = [self._shaped(layout.W(params, layer)) for layer in layers]
        self._b = [self._shaped(layout.b(params, layer)) for layer in layers]
        widths = layout.layer_units[1:]
        #: The values of each layer after the forward pass, the raw prediction last.
        self.values = [self._scratch("A", i, n_rows, h) for i, h in enumerate(widths)]
        #: The slopes of each hidden layer after the forward pass, or None.
        self.slopes: list = [None] * (len(widths) - 1)
        if grad is not None or with_slopes:
            hidden = enumerate(widths[:-1])
            self.slopes = [self._scratch("S", i, n_rows, h) for i, h in hidden]

    def _shaped(self, view: np.ndarray) -> np.ndarray:
        return view.reshape(*self._stack, *view.shape[1:])

    def _gradient(self) -> np.ndarray:
        assert self._grad is not None
        return self._grad

    def _scratch(self, name: str, layer: int, n_rows: int, width: int) -> np.ndarray:
        shape = (*self._stack, n_rows, width)
        return self._network.buffer(name, layer, shape, self._params.dtype)

    def forward(self, X) -> np.ndarray:
        """The raw prediction (*, b, n_outputs), scratch memory.

        X (b, d + 1) with its column of ones, with leading axes that broadcast to the
        stack's, or `SparseRows` (b, d).
        """
        run(self.forward_ops(X, self.values[-1]))
        return self.values[-1]

    def backward(self, X, delta: np.ndarray) -> None:
        """Write the gradient of the block last seen, given dJ/draw (*, b, n_outputs).

        Afterwards the scratch memory of the forward pass is used up.
        """
        run(self.backward_ops(X, delta))

    def forward_ops(self, X, raw: np.ndarray) -> list[RecordedOp]:
        """The calls of `forward`, which write the raw prediction to ``raw``."""
        Z = [*self.values[:-1], raw]
        if isinstance(X, SparseRows):
            calls: list[RecordedOp] = [(self._first_sparse, (X, Z[0]))]
        else:
            Wb = self._shaped(self._network.layout.Wb(self._params, 0))
            calls = [self._product(X, Wb, Z[0])]
        for layer, slope in enumerate(self.slopes):
            calls += self._network.activation.ops(Z[layer], slope)
            if self._noise is not None:
                calls += self._noise.ops(layer, Z[layer], slope)
            calls.append(self._product(Z[layer], self._W[layer + 1], Z[layer + 1]))
            out, b = Z[layer + 1], self._b[layer + 1]
            if b.ndim == 2 and b.size == 1:  # one number for all: as one
                out, b = out[:, 0], b[0, 0, ...]
            calls.append((np.add, (out, b, out)))
        return calls

    def backward_ops(self, X, delta: np.ndarray) -> list[RecordedOp]:
        """The calls of `backward`."""
        layout, is_sparse = self._network.layout, isinstance(X, SparseRows)
        grad = self._gradient()
        ones = self._network.ones(delta.shape[-2], delta.dtype)  # sums over the rows
        calls: list[RecordedOp] = []
        for layer in range(layout.n_weight_layers - 1, 0, -1):
            A, slope = self.values[layer - 1], self.slopes[layer - 1]
            W_t = self._W[layer].swapaxes(-1, -2)  # (*, fan_out, fan_in)
            dW = self._shaped(layout.W(grad, layer))
            db = self._shaped(layout.b(grad, layer))
            calls += [
                self._product(A.swapaxes(-1, -2), delta, dW),
                self._product(ones, delta, db),
            ]
            if layer == 1 and delta.shape[-1] == 1 and not is_sparse:
                return calls + self._first_gradient_one_output(X, delta, W_t, slope)
            # The value of the layer below is used up: the new delta takes its place.
            outer = (np.multiply, (delta, W_t, A))
            product = outer if delta.shape[-1] == 1 else self._product(delta, W_t, A)
            calls += [product, (np.multiply, (A, slope, A))]
            delta = A
        if is_sparse:
            db = self._shaped(layout.b(grad, 0))
            sums = self._product(ones, delta, db)
            return [*calls, (self._first_gradient_sparse, (X, delta)), sums]
        dWb = self._shaped(layout.Wb(grad, 0))
        return [*calls, self._product(X.swapaxes(-1, -2), delta, dWb)]

    def _first_gradient_one_output(self, X, delta, W_t, slope) -> list[RecordedOp]:
        """dW_1 of one hidden layer with one output, in two passes fewer.

        delta_1 = (delta w') * S is never formed: X' delta_1 = ((X * delta)' S) * w', so
        delta scales the rows of X or S, whichever is narrower, and w a small matrix.
        """
        dWb = self._shaped(self._network.layout.Wb(self._gradient(), 0))
        if X.shape[-1] <= slope.shape[-1]:
            narrow = X
            scaled = self._scratch("X", 0, X.shape[-2], X.shape[-1])
            factors = scaled.swapaxes(-1, -2), slope
        else:
            narrow, scaled = slope, slope
            factors = X.swapaxes(-1, -2), slope
        return [
            (np.multiply, (narrow, delta, scaled)),
            self._product(*factors, dWb),
            (np.multiply, (dWb, W_t, dWb)),
        ]

    def _product(self, a: np.ndarray, b: np.ndarray, out: np.ndarray) -> RecordedOp:
        """out <- a b, a slice per network.

        For a single network np.dot makes the same BLAS calls at less cost, columns and
        rows given as vectors: a step of Adam on 32 rows takes 10 % less time.
        """
        if self._stack:
            return np.matmul, (a, b, out)
        if b.shape[1] == 1:
            b, out = b[:, 0], out[:, 0]
        if a.shape[0] == 1:
            a, out = a[0], out[0, ...]
        return np.dot, (a, b, out)

    def _first_sparse(self, X, Z) -> None:
        layout = self._network.layout
        W, b = layout.W(self._params, 0), layout.b(self._params, 0)
        for z, w, bias in zip(Z.reshape(len(W), *Z.shape[-2:]), W, b):
            np.add(X @ w, bias, z)

    def _first_gradient_sparse(self, X, delta) -> None:
        dW = self._network.layout.W(self._gradient(), 0)
        for dw, d in zip(dW, delta.reshape(len(dW), *delta.shape[-2:])):
            dw[:] = X.transposed_times(d)
