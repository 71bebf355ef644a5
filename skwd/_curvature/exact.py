"""All of the curvature of a network: for P x P or N x N numbers that fit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skwd._curvature.base import NEGLIGIBLE, Curvature
from skwd._curvature.factors import (
    jacobian,
    rows_per_block,
    training_rows,
    whitened,
)
from skwd._losses import Loss
from skwd._network import Network
from skwd._objective import Sample


@dataclass(eq=False)
class Exact(Curvature):
    """All of H: from P x P or from N x N numbers, whichever are fewer."""

    T: np.ndarray  # (n_unpenalised, n_free) inverse root of their block
    C: np.ndarray  # (n_penalised, n_free)
    V: np.ndarray  # (n_penalised, q) orthonormal columns

    @classmethod
    def of(
        cls,
        network: Network,
        loss: Loss,
        sample: Sample,
        params: np.ndarray,
        decay: np.ndarray,
        floor: float,
    ) -> Exact:
        """At the weights ``params`` (P,) with ``decay`` (P,); see `Free` for floor."""
        layout = network.layout
        n_rows = rows_per_block(layout, multiplied=True)
        blocks = (
            jacobian(layout, whitened(rows, loss))
            for rows in training_rows(network, sample, params, n_rows)
        )
        penalised = decay > 0.0
        hidden = (layout.hidden_biases > 0.0)[~penalised]
        root = np.sqrt(decay[penalised])
        if len(sample) * sample.y.shape[1] < layout.n_params:
            Phi = np.concatenate(list(blocks))
            Phi_b, Phi_w = Phi[:, ~penalised], Phi[:, penalised]
            free = Free.of(Phi_b.T @ Phi_b, hidden, floor)
            Q = Phi_b @ free.T
            C = Phi_w.T @ Q
            # The root of I - QQ', whose columns are orthogonal, of length root(part).
            Psi = Phi_w - (Q / (1.0 + np.sqrt(1.0 - free.part))) @ C.T
            Psi /= root
            ratio, U = np.linalg.eigh(Psi @ Psi.T)
            kept = ratio > len(ratio) * np.finfo(float).eps * ratio[-1]
            ratio = ratio[kept]
            V = Psi.T @ (U[:, kept] / np.sqrt(ratio))
        else:
            G = np.zeros((layout.n_params, layout.n_params))
            for Phi in blocks:
                G += Phi.T @ Phi
            free = Free.of(G[np.ix_(~penalised, ~penalised)], hidden, floor)
            C = G[np.ix_(penalised, ~penalised)] @ free.T
            S = G[np.ix_(penalised, penalised)] - C @ C.T
            S /= root
            S /= root[:, np.newaxis]
            ratio, V = np.linalg.eigh(S)
            ratio = np.maximum(ratio, 0.0)  # but for rounding
        of_layer = layout.layer_masks[:, penalised] @ (V * V)
        return cls(
            layout,
            decay,
            ratio,
            of_layer,
            free.log_det,
            free.n_directions,
            float(free.part.sum()),
            T=free.T,
            C=C,
            V=V,
        )

    @property
    def n_rows(self) -> int:
        return rows_per_block(self.layout, multiplied=True)

    def _coordinates(self, vectors: np.ndarray) -> tuple[np.ndarray, ...]:
        """Of vectors (m, P): along T, along V, and what of Psi's row V leaves over."""
        penalised = self.decay > 0.0
        free = vectors[:, ~penalised] @ self.T
        psi = vectors[:, penalised] - free @ self.C.T
        psi /= np.sqrt(self.decay[penalised])
        along = psi @ self.V
        if self.V.shape[0] == self.V.shape[1]:
            return free, along, np.zeros((len(psi), 0))
        psi -= along @ self.V.T
        return free, along, psi

    def covariances(self, factors, scales):
        rows = jacobian(self.layout, factors)
        shape = factors.deltas[0].shape[:2]
        free, along, rest = (
            part.reshape(*shape, part.shape[1]) for part in self._coordinates(rows)
        )
        fixed, loose = _gram(free), _gram(rest)
        if shape[1] == 1:
            shrunk = 1.0 / (self.ratio[:, np.newaxis] + scales)  # (q, S)
            varying = np.matmul(np.square(along[:, 0]), shrunk).T[..., None, None]
        else:
            varying = np.stack(
                [_gram(along / np.sqrt(self.ratio + scale)) for scale in scales]
            )
        return fixed + loose / scales[:, None, None, None] + varying

    def solve(self, vector, scales):
        penalised = self.decay > 0.0
        free, along, rest = self._coordinates(vector[np.newaxis])
        shrunk = along / (self.ratio + scales[:, np.newaxis])
        solved = np.empty((len(scales), len(vector)))
        weights = shrunk @ self.V.T
        if rest.shape[1]:
            weights += rest / scales[:, np.newaxis]
        weights /= np.sqrt(self.decay[penalised])
        solved[:, penalised] = weights
        solved[:, ~penalised] = (free - weights @ self.C) @ self.T.T
        return solved


def _gram(a: np.ndarray) -> np.ndarray:
    """(b, c, r) -> (b, c, c)."""
    return np.matmul(a, a.swapaxes(1, 2))


@dataclass
class Free:
    """The block of unpenalised parameters, inverted: T T' = block^-1.

    Output biases (and weights without decay) come first, then hidden biases. Of the
    former, directions that nothing determines are left out. The prior on biases is
    flat, of density 1; a hidden bias that the data leave wide open would have more than
    all of it, so that ``floor`` is the least curvature that a direction has.
    """

    T: np.ndarray  # (n_unpenalised, r)
    log_det: float  # over the directions above the floor
    n_directions: int  # above the floor
    part: np.ndarray  # (r,) T' block T is diagonal: 1 above the floor, less below

    @classmethod
    def of(cls, block: np.ndarray, hidden: np.ndarray, floor: float) -> Free:
        """Of a matrix whose rows ``hidden`` (bool) are hidden biases."""
        first, second = np.flatnonzero(~hidden), np.flatnonzero(hidden)
        outer = block[np.ix_(first, first)]
        values, vectors = np.linalg.eigh(outer)
        kept = values > NEGLIGIBLE * values.max(initial=0.0)
        T_first = vectors[:, kept] / np.sqrt(values[kept])
        C = block[np.ix_(second, first)] @ T_first
        inner = block[np.ix_(second, second)] - C @ C.T
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
