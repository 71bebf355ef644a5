"""What predictions need of the curvature, in little memory and few passes.

With psi a row of the Jacobian in the coordinates of `Exact` (scaled by the prior, free
parameters eliminated) and V, ratio the directions that the data inform,

    j H^-1 j'  =  free free'  +  psi psi'  -  sum_r ratio / (1 + ratio) (psi v_r)^2

psi v_r is one product of the Jacobian with a matrix in float32, and psi psi' is had
from the layers' inputs and deltas without the Jacobian. What V leaves out has the
variance of the prior, an upper bound.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skwd._core.layout import Layout
from skwd._core.rows import SparseRows
from skwd._curvature.base import Covariances
from skwd._curvature.factors import Factors, jacobian, rows_per_block
from skwd._curvature.penalised import gram

# Where less than this part of psi psi' is left, the difference has lost its digits: the
# rest of psi is then formed.
LEAST_REST = 1e-4


@dataclass(eq=False)
class CompactCurvature(Covariances):
    """H^-1 for the Jacobians of new rows.

    Parameters
    ----------
    layout : Layout
    U : ndarray (P, r), float32
        From the Jacobian to V, zero for free parameters.
    weight : ndarray (r,)
        ratio / (1 + ratio).
    per_input : list of ndarray (fan_in + 1,)
        1 / decay of each input of a layer, its bias last.
    decay : ndarray (P,)
    T : ndarray (n_free, f)
        The free parameters' eigenbasis.
    C : ndarray (P, f)
        Their part of the others, zero for free parameters.
    """

    layout: Layout
    U: np.ndarray
    weight: np.ndarray
    per_input: list[np.ndarray]
    decay: np.ndarray
    T: np.ndarray
    C: np.ndarray

    @property
    def block_rows(self) -> int:
        """Rows that `covariances` takes at a time."""
        return rows_per_block(self.layout, multiplied=True)

    def covariances(self, factors: Factors, scales: np.ndarray) -> np.ndarray:
        """J H^-1 J' of every row, (1, b, c, c); ``scales`` are 1."""
        n_rows, n_outputs = factors.deltas[0].shape[:2]
        shape = n_rows, n_outputs
        J = jacobian(self.layout, factors, np.float32)
        p = self.decay > 0.0
        free = J[:, ~p].astype(np.float64) @ self.T
        scaled = np.zeros(self.C.shape)
        scaled[p] = self.C[p] / self.decay[p, np.newaxis]
        along = (J @ self.U) - free @ (self.C.T @ self.U)
        cross = (J @ scaled.astype(np.float32)).astype(np.float64)
        free, along, cross = (a.reshape(*shape, -1) for a in (free, along, cross))
        mixed = np.matmul(cross, free.swapaxes(1, 2))
        squares = self._squares(factors) - mixed - mixed.swapaxes(1, 2)
        squares += np.matmul(free @ (self.C.T @ scaled), free.swapaxes(1, 2))
        along = along.astype(np.float64)
        rest = squares - gram(along)
        trace = np.trace(squares, axis1=1, axis2=2)
        lost = np.trace(rest, axis1=1, axis2=2) < LEAST_REST * trace
        if lost.any():
            rest[lost] = self._formed_rest(J.reshape(*shape, -1)[lost], free[lost])
        known = along * np.sqrt(1.0 - self.weight)
        return (gram(free) + gram(known) + rest)[np.newaxis]

    def _squares(self, factors: Factors) -> np.ndarray:
        """J diag(1 / decay) J' of each row, without free parameters: (b, c, c)."""
        n_rows, n_outputs = factors.deltas[0].shape[:2]
        total = np.zeros((n_rows, n_outputs, n_outputs))
        for inverse, a, delta in zip(self.per_input, *factors):
            a = a.toarray() if isinstance(a, SparseRows) else a
            size = np.square(a) @ inverse[:-1] + inverse[-1]
            total += size[:, np.newaxis, np.newaxis] * gram(delta)
        return total

    def _formed_rest(self, J: np.ndarray, free: np.ndarray) -> np.ndarray:
        """What V leaves over of psi, for a few rows (b, c, P): its gram (b, c, c)."""
        p = self.decay > 0.0
        root = np.sqrt(self.decay[p])
        psi = (J[..., p] - free @ self.C[p].T) / root
        V = self.U[p] * root[:, np.newaxis]
        return gram(psi - (psi @ V) @ V.T)
