"""Curvature the long way: whole matrices of one small network, by differences.

Nothing is shared with the package but its forward pass and slopes, which other tests
compare with a plain reference.
"""

from dataclasses import dataclass

import numpy as np
from stacks import make_stack

from skwd._network import Pass, row_block

STEP = 1e-5


def forward(objective, w):
    """Raw prediction of the first network of an objective, (n, o)."""
    X = row_block(objective.samples[0].X, slice(None))
    return Pass(objective.network, w[np.newaxis], len_of(X)).forward(X)[0].copy()


def len_of(X):
    return X.shape[0]


def differences(f, x):
    """df/dx of f: (m,) -> (...), by central differences, (..., m)."""
    columns = []
    for j in range(len(x)):
        e = np.zeros(len(x))
        e[j] = STEP
        columns.append((f(x + e) - f(x - e)) / (2.0 * STEP))
    return np.stack(columns, axis=-1)


def loss_curvature(loss, y, raw):
    """d2l/draw2, (n, o, o)."""

    def gradient(shift):
        out = np.empty_like(raw)
        loss.gradient(raw + shift, y, out)
        return out

    return differences(gradient, np.zeros(raw.shape[1]))


@dataclass
class Dense:
    """One network, its sample, and all of its matrices."""

    objective: object
    w: np.ndarray  # (P,)
    J: np.ndarray  # (n, o, P)
    L: np.ndarray  # (n, o, o)
    G: np.ndarray  # (P, P) Gauss-Newton, without decay
    decay: np.ndarray  # (P,)

    @property
    def sample(self):
        return self.objective.samples[0]

    @property
    def layout(self):
        return self.objective.network.layout

    @property
    def parts(self):
        """What the package's functions take of a network."""
        o = self.objective
        return o.network, o.loss, self.sample, self.w

    def inverse(self, scale=1.0):
        """H^-1, or its pseudo-inverse without what nothing determines."""
        H = self.G + scale * np.diag(self.decay)
        values, vectors = np.linalg.eigh(H)
        kept = values > 1e-9 * values[-1]
        return (vectors[:, kept] / values[kept]) @ vectors[:, kept].T

    def log_det(self, scale=1.0):
        values = np.linalg.eigvalsh(self.G + scale * np.diag(self.decay))
        return np.log(values[values > 1e-9 * values[-1]]).sum()

    def n_determined(self, scale=1.0):
        values = np.linalg.eigvalsh(self.G + scale * np.diag(self.decay))
        return int((values > 1e-9 * values[-1]).sum())

    def gamma(self, scale=1.0):
        """k_l - alpha tr(D_l H^-1) of each layer."""
        spread = np.diag(self.inverse(scale)) * self.decay * scale
        return np.array(
            [mask.sum() - mask @ spread for mask in self.layout.layer_masks]
        )


def dense(alpha=0.02, **how):
    """A small network at its starting point, and everything about it."""
    objective, params = make_stack(1, alpha=np.atleast_2d(alpha), **how)
    w = params[0]
    sample, loss = objective.samples[0], objective.loss
    J = differences(lambda v: forward(objective, v), w)
    L = loss_curvature(loss, sample.y, forward(objective, w))
    G = np.einsum("n,nop,nok,nkq->pq", sample.share, J, L, J)
    return Dense(objective, w, J, L, (G + G.T) / 2.0, objective.decay[0])
