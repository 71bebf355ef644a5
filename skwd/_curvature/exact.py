"""All of the curvature of a network: for P x P or N x N numbers that fit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skwd._core.alpha_groups import AlphaGroups
from skwd._core.loss import Loss
from skwd._core.network import Network
from skwd._core.objective import Sample
from skwd._curvature.base import Curvature
from skwd._curvature.compact import CompactCurvature
from skwd._curvature.factors import (
    jacobian,
    rows_per_block,
    training_rows,
    whitened,
)
from skwd._curvature.free import UnpenalisedBlock
from skwd._curvature.penalised import (
    MOST_TRACE,
    SMALL_BYTES,
    Penalised,
    Spectrum,
    gram,
    of_parameters,
    of_samples,
    subtract,
)


@dataclass(eq=False)
class Exact(Curvature):
    """All of H: from P x P or from N x N numbers, whichever are fewer."""

    free: UnpenalisedBlock
    C: np.ndarray  # (n_penalised, r)
    penalised: Penalised

    @classmethod
    def of(
        cls,
        network: Network,
        loss: Loss,
        sample: Sample,
        params: np.ndarray,
        decay: np.ndarray,
        floor: float,
        groups: AlphaGroups,
        *,
        many_scales: bool = False,
    ) -> Exact:
        """H at ``params`` (P,) with ``decay`` (P,); floor: see `UnpenalisedBlock`."""
        layout = network.layout
        n_rows = rows_per_block(layout, multiplied=True)
        blocks = (
            jacobian(layout, whitened(rows, loss))
            for rows in training_rows(network, sample, params, n_rows)
        )
        p = decay > 0.0
        hidden, root = (layout.hidden_biases > 0.0)[~p], np.sqrt(decay[p])
        of_p = AlphaGroups(groups.index[p], groups.n_groups)
        if len(sample) * layout.layer_units[-1] < layout.n_params:
            first, *others = blocks
            Phi = np.concatenate([first, *others]) if others else first
            Phi_b, Phi_w = np.compress(~p, Phi, axis=1), np.compress(p, Phi, axis=1)
            free = UnpenalisedBlock.of(Phi_b.T @ Phi_b, hidden, floor)
            Q = Phi_b @ free.basis
            C = Phi_w.T @ Q
            # The root of I - QQ', whose columns are orthogonal, of length root(part).
            Psi = Phi_w
            squares = np.einsum("ij,ij->j", Phi_w, Phi_w)
            many_scales |= (squares / root**2).sum() > MOST_TRACE
            subtract(Psi, Q / (1.0 + np.sqrt(1.0 - free.part)), C)
            Psi /= root
            penalised = of_samples(Psi, of_p, many_scales)
        else:
            G = np.zeros((layout.n_params, layout.n_params))
            for Phi in blocks:
                G += Phi.T @ Phi
            free = UnpenalisedBlock.of(G[np.ix_(~p, ~p)], hidden, floor)
            C = G[np.ix_(p, ~p)] @ free.basis
            S = G[np.ix_(p, p)]
            many_scales |= (np.diag(S) / root**2).sum() > MOST_TRACE
            subtract(S, C, C)
            S /= root
            S /= root[:, np.newaxis]
            penalised = of_parameters(S, of_p, many_scales)
        known = free.log_det, free.n_directions
        return cls(layout, groups, decay, *known, free, C, penalised)

    @property
    def block_rows(self) -> int:
        return rows_per_block(self.layout, multiplied=True)

    def n_effective(self, scale=1.0):
        return self.penalised.n_effective(scale)

    def n_free(self, scale=1.0):
        # What the floor adds to H is no data: tr(H^-1 (H - floor - decay)).
        part = self.free.part
        added = (self.C * np.sqrt(1.0 - part)).T / np.sqrt(self.decay[self.decay > 0.0])
        shared = self.penalised.quadratic_forms(
            added[part < 1.0, np.newaxis], np.array([scale])
        )
        return float(part.sum() - shared.sum())

    def _log_det_ratio(self, scale):
        return self.penalised.log_det(scale)

    def compact(self) -> Exact | CompactCurvature:
        assert isinstance(self.penalised, Spectrum)
        if self.penalised.V.nbytes <= SMALL_BYTES:
            return self
        layout, p = self.layout, self.decay > 0.0
        leading = self.penalised.leading()
        U = np.zeros((layout.n_params, len(leading.ratio)), dtype=np.float32)
        U[p] = leading.V / np.sqrt(self.decay[p])[:, np.newaxis]
        C = np.zeros((layout.n_params, self.C.shape[1]))
        C[p] = self.C
        inverse = np.zeros((1, layout.n_params))
        inverse[0, p] = 1.0 / self.decay[p]
        layers = range(layout.n_weight_layers)
        per_input = [layout.Wb(inverse, layer)[0, :, 0].copy() for layer in layers]
        weight = leading.ratio / (1.0 + leading.ratio)
        how = weight, per_input, self.decay, self.free.basis, C
        return CompactCurvature(layout, U, *how)

    def _split(self, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The parts of vectors (m, P) along T, and those that Psi is made of."""
        p = self.decay > 0.0
        free = vectors[:, ~p] @ self.free.basis
        psi = np.compress(p, vectors, axis=1)
        subtract(psi, free, self.C)
        psi /= np.sqrt(self.decay[p])
        return free, psi

    def covariances(self, factors, scales):
        shape = factors.deltas[0].shape[:2]
        free, psi = (
            part.reshape(*shape, part.shape[1])
            for part in self._split(jacobian(self.layout, factors))
        )
        return gram(free) + self.penalised.quadratic_forms(psi, scales)

    def solve(self, vector, scales):
        p = self.decay > 0.0
        free, psi = self._split(vector[np.newaxis])
        weights = self.penalised.solve(psi[0], scales) / np.sqrt(self.decay[p])
        solved = np.empty((len(scales), len(vector)))
        solved[:, p] = weights
        solved[:, ~p] = (free - weights @ self.C) @ self.free.basis.T
        return solved
