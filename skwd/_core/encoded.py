"""Rows of X whose columns are encoded where they are gathered, block by block."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from scipy import sparse

from skwd._core.interface import Interface


class Encoder(Interface, abstract=True):
    """Computes encoded columns, each from one column of X.

    Attributes
    ----------
    n_columns : int
        Of the encoded rows.
    sources : ndarray of int (n_columns,)
        The column of X that each encoded one is of, ascending.
    """

    n_columns: int
    sources: np.ndarray

    @abstractmethod
    def encode(self, X: np.ndarray) -> np.ndarray:
        """Some rows (b, d) encoded, (b, n_columns), in the dtype of X."""


class EncodedRows:
    """Rows of X (n, d) that are encoded when they are asked for: (n, n_columns).

    Parameters
    ----------
    X : ndarray or CSR matrix (n, d)
    encoder : Encoder
    """

    def __init__(self, X, encoder: Encoder):
        self.X, self.encoder = X, encoder
        self.shape = X.shape[0], encoder.n_columns
        self.dtype = X.dtype

    def part(self, rows: slice | np.ndarray) -> EncodedRows:
        """Some of the rows, still to be encoded."""
        return EncodedRows(self.X[rows], self.encoder)

    def __getitem__(self, rows) -> np.ndarray:
        """Some rows, encoded: one (n_columns,) or several (b, n_columns)."""
        part = self.X[rows]
        if sparse.issparse(part):
            part = part.toarray()
        return self.encoder.encode(np.atleast_2d(part)).reshape(
            *part.shape[:-1], self.encoder.n_columns
        )


def encoded(X, encoder: Encoder | None):
    """X as networks take it: itself where there is no encoder."""
    return X if encoder is None else EncodedRows(X, encoder)
