"""Columns in parts, learnt from all rows, or from some with the same layers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from skwd._core.sample import Sample
from skwd._data.encoding import Encoding


@dataclass(frozen=True, eq=False)
class Encodings:
    """What is learnt of the columns of X, from all rows or from some.

    Parameters
    ----------
    X : ndarray (n, d), or CSR
    Y : ndarray (n, n_targets)
    weight : ndarray (n,)
    """

    X: Any
    Y: np.ndarray
    weight: np.ndarray

    @property
    def have_parts(self) -> bool:
        """Whether X has columns in parts."""
        return not sparse.issparse(self.X) and self.whole.has_parts

    @cached_property
    def whole(self) -> Encoding:
        """That of all rows of positive weight."""
        return Encoding.learnt(Sample(self.X, self.Y, self.weight))

    def learnt(self, training: Sample, *, alone: bool) -> Encoding:
        """That of rows to train on.

        With the layers of that of all rows, unless some rows are trained on ``alone``
        and need no place for parts that they do not have.
        """
        if len(training) == len(self.weight):
            return self.whole
        return Encoding.learnt(training, None if alone else self.whole)
