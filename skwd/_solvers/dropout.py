"""Dropout: units, and columns of X, that take no part in a step.

Each unit of a hidden layer is dropped with the layer's rate p and otherwise divided by
1 - p (inverted dropout), so that the mean of a training pass is a prediction's input to
the next layer. A dropped column of X is at its mean. Srivastava, Hinton, Krizhevsky,
Sutskever and Salakhutdinov, "Dropout", JMLR 2014.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from skwd._core.network import LayerNoise, RecordedOp
from skwd._core.rows import SparseRows

# The random stream of a fit's dropout, beside that of the order of its rows.
STREAM = 5


@dataclass(frozen=True)
class Dropout:
    """The rates: one for all hidden layers, or one for each layer's input."""

    rates: float | tuple[float, ...]

    @classmethod
    def of(cls, value: Any) -> Dropout | None:
        """Dropout at the rates of a parameter; None where nothing is dropped."""
        rates = float(value) if np.ndim(value) == 0 else tuple(map(float, value))
        return cls(rates) if np.any(np.asarray(rates) > 0.0) else None

    def rate(self, layer: int) -> float:
        """The rate of the input of a weight layer: 0 is X."""
        if isinstance(self.rates, tuple):
            return self.rates[layer]
        return self.rates if layer > 0 else 0.0

    @staticmethod
    def stream(order: np.random.Generator | None) -> np.random.Generator:
        """The generator of a fit whose rows are ordered by ``order``."""
        if order is None:
            return np.random.default_rng([STREAM])
        sequence: Any = order.bit_generator.seed_seq
        return np.random.default_rng([*np.atleast_1d(sequence.entropy), STREAM])

    def drawing(
        self, rng: np.random.Generator, sources: np.ndarray | None = None
    ) -> DrawnDropout:
        """Dropout that is drawn anew in each step, the same for a group of networks.

        ``sources`` are the columns that the inputs are of: those of one leave together.
        """
        return DrawnDropout(self, rng, sources)


@dataclass(frozen=True)
class DrawnDropout(LayerNoise):
    """The operations of a training pass; masks are drawn as they are made."""

    dropout: Dropout
    rng: np.random.Generator
    sources: np.ndarray | None = None

    def ops(
        self, layer: int, values: np.ndarray, slopes: np.ndarray | None
    ) -> list[RecordedOp]:
        """Drop units of a hidden layer (*, b, h) and their slopes."""
        rate = self.dropout.rate(layer + 1)
        if rate == 0.0:
            return []
        kept = np.empty(values.shape[-2:], dtype=values.dtype)
        ops: list[RecordedOp] = [
            (self._draw, (rate, kept)),
            (np.multiply, (values, kept, values)),
        ]
        if slopes is not None:
            ops.append((np.multiply, (slopes, kept, slopes)))
        return ops

    def input_ops(self, X) -> tuple[Any, list[RecordedOp]]:
        """X of a step with columns dropped (*, b, d + 1), and what makes it."""
        rate = self.dropout.rate(0)
        if rate == 0.0:
            return X, []
        n_rows, n_columns = X.shape[-2:]
        if isinstance(X, SparseRows):
            out = np.ones((n_rows, n_columns + 1), dtype=X.X.dtype)
        else:
            n_columns -= 1  # the last one is of ones
            out = np.ones(X.shape, dtype=X.dtype)
        sources = self.sources
        n_drawn = n_columns if sources is None else int(sources[-1]) + 1
        kept = np.empty((n_rows, n_drawn), dtype=out.dtype)
        if sources is None:
            return out, [(self._draw, (rate, kept)), (_times, (X, kept, out))]
        of_inputs = np.empty((n_rows, n_columns), dtype=out.dtype)
        spread = np.take, (kept, sources, 1, of_inputs, "clip")
        return out, [(self._draw, (rate, kept)), spread, (_times, (X, of_inputs, out))]

    def _draw(self, rate: float, kept: np.ndarray) -> None:
        """1 / (1 - rate) where kept, else 0."""
        draws = self.rng.random(kept.shape)
        np.multiply(draws >= rate, 1.0 / (1.0 - rate), out=kept, casting="same_kind")


def _times(X, kept: np.ndarray, out: np.ndarray) -> None:
    """out <- X about its origin times ``kept``, the column of ones left as it is."""
    values = X.toarray() if isinstance(X, SparseRows) else X[..., :-1]
    np.multiply(values, kept, out=out[..., :-1])
