"""The unpenalised parameters, which are eliminated from the curvature first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Directions whose curvature is this much smaller than the largest are not determined by
# the data.
NEGLIGIBLE = 1e-10
# Curvatures of hidden biases are known to this part of their sum, but for rounding.
ROUNDING = 1e-12


@dataclass
class UnpenalisedBlock:
    """The block of unpenalised parameters, inverted: T T' = block^-1, T the ``basis``.

    Output biases (and weights without decay) come first, then hidden biases. Of the
    former, directions that nothing determines are left out. A hidden bias may be one
    that the data leave wide open, or next to: ``floor`` is the least curvature that a
    direction of them has. Where it is below rounding, as of a constant y, that is.
    """

    basis: np.ndarray  # (n_unpenalised, r)
    log_det: float  # over the directions above the floor
    n_directions: int  # above the floor
    part: np.ndarray  # (r,) T' block T is diagonal: 1 above the floor, less below

    @classmethod
    def of(
        cls, block: np.ndarray, hidden: np.ndarray, floor: float
    ) -> UnpenalisedBlock:
        """The block of a matrix whose rows ``hidden`` (bool) are hidden biases."""
        first, second = np.flatnonzero(~hidden), np.flatnonzero(hidden)
        outer = block[np.ix_(first, first)]
        values, vectors = np.linalg.eigh(outer)
        kept = values > NEGLIGIBLE * values.max(initial=0.0)
        T_first = vectors[:, kept] / np.sqrt(values[kept])
        C = block[np.ix_(second, first)] @ T_first
        inner = block[np.ix_(second, second)]
        floor = max(floor, ROUNDING * float(np.trace(inner)))
        inner = inner - C @ C.T
        inner_values, vectors = np.linalg.eigh(inner)
        inner_values = np.maximum(inner_values, 0.0)
        floored = np.maximum(inner_values, floor)
        T_second = vectors / np.sqrt(floored)
        n_first = T_first.shape[1]
        T = np.zeros((len(block), n_first + len(second)))
        T[first, :n_first] = T_first
        T[first, n_first:] = -T_first @ (C.T @ T_second)
        T[second, n_first:] = T_second
        above = inner_values >= floor
        determined = np.concatenate([values[kept], inner_values[above]])
        return cls(
            T,
            float(np.log(determined).sum()),
            len(determined),
            np.concatenate([np.ones(n_first), inner_values / floored]),
        )
