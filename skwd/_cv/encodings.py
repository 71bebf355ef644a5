"""Columns in parts, learnt from all rows, or from some with the same layers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from skwd._core.sample import Sample
from skwd._data.encoding import Encoding, why_without_parts


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
        return Encoding.learnt(self._sample)

    @property
    def why_without_parts(self) -> str:
        """Why X has no columns in parts, and what to do."""
        return why_without_parts(self._sample)

    @property
    def _sample(self) -> Sample:
        return Sample(self.X, self.Y, self.weight)

    def learnt(self, training: Sample, among: Sample | None) -> Encoding:
        """That of rows to train on, with the layers of the rows that they are among.

        ``among`` are some rows, or None for all: networks of all parts of these have
        the same layers.
        """
        if training.rows is None:
            return self.whole
        if among is None:
            return Encoding.learnt(training, self.whole)
        whole = Encoding.learnt(among)
        is_whole = len(among) == len(training)
        return whole if is_whole else Encoding.learnt(training, whole)
