"""The objective of a stack: J and its gradient for K networks at once.

    J_k(w) = (1 / sum s) sum_i s_i l(y_i, f(x_i; w)) + 1/2 sum_layers alpha_kl ||W_l||^2

over the rows i of network k's own sample. Solvers see ``len(objective)``,
``objective[networks]`` and ``objective.loss_gradient(params)``, never X, y or a loss;
``data_loss_gradient`` is J without its penalty, for steps that apply alpha themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy import sparse

from skwd._core.evaluation import Evaluation, weighted_sum
from skwd._core.losses import Loss
from skwd._core.network import Network, Pass, block_rows
from skwd._core.rows import row_block

# Networks of a sample that are evaluated at once: their activations and slopes stay in
# the cache too. Changes no bit.
GROUP_BYTES = 1 << 20
# A sample whose rows, with their column of ones, need no more than this is gathered
# once; a larger one is gathered block by block at each evaluation.
GATHER_BYTES = 1 << 26


@dataclass(eq=False)
class Sample:
    """The rows that one or more networks train on.

    Attributes
    ----------
    X : ndarray or CSR matrix (n_total, d)
        All rows, shared by every sample and never copied whole.
    y : ndarray (n, n_outputs), float64
        Targets of this sample's rows.
    weight : ndarray (n,), float64
    rows : ndarray (n,) or None
        The rows of X, in the order of y; None for all of them.
    gather_once : bool
        May be switched off to save memory; changes no bit.
    origin : ndarray (d,) or None
        Is subtracted from every row.
    kept : dict
        What solvers have found out about it and need again.
    """

    X: np.ndarray | sparse.csr_matrix
    y: np.ndarray
    weight: np.ndarray
    rows: np.ndarray | None = None
    gather_once: bool = True
    origin: np.ndarray | None = None
    kept: dict = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.y)

    @property
    def dtype(self) -> np.dtype:
        """float32 or float64: what the networks of this sample compute in."""
        return self.X.dtype

    @cached_property
    def share(self) -> np.ndarray:
        """s_i / sum s, (n,)."""
        # Divided by the largest first: weights near the ends of the float range work.
        scaled = self.weight / self.weight.max()
        return scaled / scaled.sum()

    @property
    def total_weight(self) -> float:
        """sum s: the number of rows, where weights are counts."""
        return float(self.weight.sum())

    @cached_property
    def gathered_bytes(self) -> int:
        """Memory of its rows as `take` gives them."""
        if sparse.issparse(self.X):
            per_row = np.diff(self.X.indptr)
            values = int((per_row if self.rows is None else per_row[self.rows]).sum())
            return values * (self.X.data.itemsize + self.X.indices.itemsize)
        return len(self) * (self.X.shape[1] + 1) * self.X.dtype.itemsize

    def part(self, positions: np.ndarray) -> Sample:
        """Some of its rows."""
        rows = positions if self.rows is None else self.rows[positions]
        y, weight = self.y[positions], self.weight[positions]
        return Sample(self.X, y, weight, rows, origin=self.origin)

    @property
    def is_small(self) -> bool:
        """Whether its rows need no more than GATHER_BYTES."""
        return self.gathered_bytes <= GATHER_BYTES

    @property
    def is_gathered(self) -> bool:
        """Whether its rows are gathered once; otherwise they stay in place."""
        return self.gather_once and self.is_small

    @cached_property
    def gathered(self):
        """All rows as `take` gives them; only where `is_gathered`."""
        rows = slice(None) if self.rows is None else self.rows
        return row_block(self.X, rows, origin=self.origin)

    def take(self, positions: slice | np.ndarray, out: np.ndarray | None = None):
        """X of some rows (b, d + 1) with its column of ones, or `SparseRows` (b, d).

        ``out`` (b, d + 1) spares dense X an allocation.
        """
        if not self.is_gathered:
            rows = positions if self.rows is None else self.rows[positions]
            return row_block(self.X, rows, out, self.origin)
        if out is None or isinstance(positions, slice):
            return self.gathered[positions]
        # The positions are in range; "clip" spares a copy.
        return np.take(self.gathered, positions, axis=0, out=out, mode="clip")

    def blocks(self, n_rows: int) -> Iterator[tuple]:
        """X as of `take`, y (b, n_outputs) and share (b, 1), block after block."""
        for start in range(0, len(self), n_rows):
            block = slice(start, start + n_rows)
            y = self.y[block].astype(self.dtype, copy=False)
            yield self.take(block), y, self.share[block, np.newaxis]


class Objective:
    """J of K networks.

    Parameters
    ----------
    network : Network
    loss : Loss
    samples : list of Sample
    alpha : ndarray (K, n_weight_layers)
    sample_of : ndarray of int (K,), optional
        Which sample each network trains on; default the first.
    """

    def __init__(
        self,
        network: Network,
        loss: Loss,
        samples: list[Sample],
        alpha: np.ndarray,
        sample_of: np.ndarray | None = None,
    ):
        self.network = network
        self.loss = loss
        self.samples = samples
        self.alpha = alpha
        self.sample_of = np.zeros(len(alpha), int) if sample_of is None else sample_of
        self.dtype = samples[0].dtype

    def __len__(self) -> int:
        return len(self.alpha)

    def __getitem__(self, networks) -> Objective:
        """The objective of some of the networks: same data, same scratch memory."""
        parts = self.alpha[networks], self.sample_of[networks]
        return type(self)(self.network, self.loss, self.samples, *parts)

    @cached_property
    def decay(self) -> np.ndarray:
        """alpha of each parameter, zero for biases: (K, P)."""
        return self.alpha @ self.network.layout.layer_masks

    def loss_gradient(self, params: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """J (K,) and its gradient (K, P), in float64, at ``params`` (K, P)."""
        fun, grad = self.data_loss_gradient(params)
        penalty, decayed = self.penalty_gradient(params)
        fun += penalty
        grad += decayed
        return fun, grad

    def fun(self, params: np.ndarray) -> np.ndarray:
        """J (K,), in float64, by a forward pass alone."""
        return self.data_loss(params) + self.penalty(params)

    def penalty(self, params: np.ndarray) -> np.ndarray:
        """alpha/2 times the sum of squared weights, (K,), in float64."""
        params = params.astype(np.float64, copy=False)
        return 0.5 * row_dot(self.decay * params, params)

    def penalty_gradient(self, params: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The penalty alone (K,) and its gradient, alpha times the weights, (K, P)."""
        decayed = self.decay * params
        return 0.5 * row_dot(decayed, params), decayed

    def data_loss_gradient(self, params: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The loss without the penalty (K,) and its gradient (K, P), in float64."""
        return self._evaluation(params)

    def data_loss(self, params: np.ndarray) -> np.ndarray:
        """The loss without the penalty (K,), in float64, by a forward pass alone."""
        fun = np.zeros(len(params))
        for sample, networks in self._groups:
            members = params[networks].astype(self.dtype, copy=False)
            for X, y, share in sample.blocks(self._block_rows):
                raw = Pass(self.network, members, X.shape[0]).forward(X)
                fun[networks] += weighted_sum(self.loss.loss(y, raw), share)
        return fun

    def constant_loss(self) -> np.ndarray:
        """The loss of the best constant prediction, (K,), in float64."""
        of_sample = []
        for sample in self.samples:
            raw = self.loss.constant(sample.share @ sample.y)
            with np.errstate(over="ignore", invalid="ignore"):  # J tells of it
                losses = self.loss.loss(sample.y, np.broadcast_to(raw, sample.y.shape))
            of_sample.append(float(sample.share @ losses))
        return np.array(of_sample)[self.sample_of]

    @cached_property
    def _block_rows(self) -> int:
        return block_rows(self.network.layout, self.dtype.itemsize)

    @cached_property
    def _evaluation(self) -> Evaluation:
        return Evaluation(self.network, self.loss, self._groups, self._block_rows)

    @cached_property
    def _groups(self) -> list[tuple[Sample, np.ndarray]]:
        """Networks that share a sample, few enough for the cache."""
        groups: list[tuple[Sample, np.ndarray]] = []
        for index in np.unique(self.sample_of):
            sample = self.samples[index]
            rows = min(self._block_rows, len(sample))
            width = 2 * sum(self.network.layout.layer_units[1:])
            size = max(1, GROUP_BYTES // (rows * width * self.dtype.itemsize))
            members = np.flatnonzero(self.sample_of == index)
            for start in range(0, len(members), size):
                groups.append((sample, members[start : start + size]))
        return groups


def row_dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Dot products of the rows of a and b: (K, P), (K, P) -> (K,), one slice each."""
    if len(a) == 1:  # the same call of BLAS, at less cost
        return np.dot(a[0], b[0])[np.newaxis]
    return np.matmul(a[:, np.newaxis], b[:, :, np.newaxis])[:, 0, 0]
