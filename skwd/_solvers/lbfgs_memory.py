"""The curvature that L-BFGS remembers of each network of a stack: its latest pairs.

    H = c I + [S, cY] [[R^-T (D + c Y'Y) R^-1, -R^-T], [-R^-1, 0]] [S, cY]'

is the inverse Hessian of Byrd, Nocedal and Schnabel (1994), eq. 3.1, with R the upper
triangle of S'Y and D its diagonal: -H g takes two passes over the pairs and a few m x m
products, instead of 2m vector operations that a NumPy loop would make slow.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from skwd._core.arrays import all_true, row_dot

# Pairs of a network. SciPy keeps 10; with 20, as many iterations reach a lower J for a
# few per cent more time (benchmarks/lbfgs.py prints both).
MEMORY = 20

# Networks by number, or all of them: a slice is a view where numbers make a copy.
Index = np.ndarray | slice


@dataclass
class CurvaturePairs:
    """Pairs s, y of steps and what the gradient changed by; m of each network.

    Each is divided by sqrt(s'y), which changes nothing in H and makes D the identity.
    They lie in m slots, the newest in the place of the oldest. Slots without a pair
    hold zeros (and 1 on R's diagonal) and add nothing. The stack axis is first.

    s and y are kept in the dtype of the data: y is a difference of gradients, which are
    known no better. Their products, m x m, are in double precision.
    """

    SY: np.ndarray  # (K, 2m, P) all s, then all y
    R_inv: np.ndarray  # (K, m, m), R: s_i'y_j where pair i is not newer than pair j
    YY: np.ndarray  # (K, m, m)
    scale: np.ndarray  # (K,) c: s'y / y'y of the newest pair
    count: np.ndarray  # (K,) pairs stored since they were last forgotten

    @classmethod
    def none(cls, n_networks: int, n_params: int, dtype) -> CurvaturePairs:
        """Networks without a pair: H is the identity."""
        return cls(
            SY=np.zeros((n_networks, 2 * MEMORY, n_params), dtype),
            R_inv=np.tile(np.eye(MEMORY), (n_networks, 1, 1)),
            YY=np.zeros((n_networks, MEMORY, MEMORY)),
            scale=np.ones(n_networks),
            count=np.zeros(n_networks, int),
        )

    def __getitem__(self, networks: np.ndarray) -> CurvaturePairs:
        return CurvaturePairs(
            *(getattr(self, field.name)[networks] for field in fields(self))
        )

    def forget(self, networks: np.ndarray) -> None:
        """Leave some networks without a pair."""
        self.SY[networks] = 0.0
        self.R_inv[networks] = np.eye(MEMORY)
        self.YY[networks] = 0.0
        self.scale[networks] = 1.0
        self.count[networks] = 0

    def store(
        self, networks: Index, s: np.ndarray, y: np.ndarray, least: np.ndarray
    ) -> None:
        """Give the ``networks`` a new pair, unless s'y is at most ``least`` (K,).

        s and y (K, P), overwritten, are of use for those networks. Without the oldest
        pair, and with the products b = S'y of the new one,

            R^-1 = [[R^-1, -R^-1 b], [0, 1]]
        """
        sy, yy = row_dot(s, y), row_dot(y, y)
        curved = sy > least
        if not all_true(curved[networks]):
            networks = np.arange(len(curved))[networks]
            networks = networks[curved[networks]]
        root = np.sqrt(sy)[:, np.newaxis]
        s /= root
        y /= root
        network, slot = networks, self.count[networks] % MEMORY
        if isinstance(
            networks, slice
        ):  # all networks: their slots, if alike, as one number
            alike = all_true(slot == slot[0])
            network, slot = (
                (networks, slot[0]) if alike else (np.arange(len(slot)), slot)
            )
        self.SY[network, slot] = s[networks]
        self.SY[network, MEMORY + slot] = y[networks]
        products = self._products(y)[:, :, 0]
        self.YY[network, slot] = self.YY[network, :, slot] = products[networks, MEMORY:]
        self.R_inv[network, slot] = self.R_inv[network, :, slot] = 0.0
        column = np.matmul(self.R_inv, products[:, :MEMORY, np.newaxis])[networks, :, 0]
        self.R_inv[network, :, slot] = -column
        self.R_inv[network, slot, slot] = 1.0
        self.scale[networks] = (sy / yy)[networks]
        self.count[networks] += 1

    def _products(self, vectors: np.ndarray) -> np.ndarray:
        """Those of all s and y with a vector of each network: (K, P) -> (K, 2m, 1)."""
        vectors = vectors.astype(self.SY.dtype, copy=False)
        found = np.matmul(self.SY, vectors[:, :, np.newaxis])
        return found.astype(np.float64, copy=False)

    def direction(self, g: np.ndarray) -> np.ndarray:
        """-H g for gradients (K, P) of all networks: some would be copied."""
        scale = self.scale[:, np.newaxis, np.newaxis]
        products = self._products(g)
        p = np.matmul(self.R_inv, products[:, :MEMORY])
        q = np.matmul(self.YY, p)
        q -= products[:, MEMORY:]
        q *= scale
        q += p
        weights = products  # of the pairs in -H g, in the place of what is used up
        np.matmul(self.R_inv.swapaxes(1, 2), q, out=weights[:, :MEMORY])
        np.negative(weights[:, :MEMORY], out=weights[:, :MEMORY])
        np.multiply(scale, p, out=weights[:, MEMORY:])
        weights = weights.astype(self.SY.dtype, copy=False)
        direction = np.matmul(weights.swapaxes(1, 2), self.SY)[:, 0]
        direction = direction.astype(np.float64, copy=False)
        direction -= scale[:, :, 0] * g
        return direction


def joined(first, second):
    """One stack after the other, of what has arrays with a stack axis for fields."""
    if isinstance(first, np.ndarray):
        return np.concatenate([first, second])
    both = (
        (getattr(first, field.name), getattr(second, field.name))
        for field in fields(first)
    )
    return type(first)(*(joined(*pair) for pair in both))
