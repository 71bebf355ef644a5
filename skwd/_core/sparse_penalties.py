"""The penalties with kinks: L1 and norms of columns, whose minima have exact zeros."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np

from skwd._core.arrays import row_dot
from skwd._core.kinks import Kinks, kinks_of
from skwd._core.layout import Layout
from skwd._core.penalty import Penalty

# Added to each column's share of the largest norm, so that none is ruled out.
LEAST_SHARE = 0.01


class SparsePenalty(Penalty, abstract=True):
    """alpha times l1_ratio norms and (1 - l1_ratio) / 2 squares."""

    is_quadratic = False
    is_smooth = False

    def __init__(self, l1_ratio: float):
        self.l1_ratio = l1_ratio
        # With norms alone about half is best: benchmarks/default_alpha.py --net l1,
        # input and elastic, on 18 tables of numbers and 29 of classes.
        self.default_share = 1.0 - 0.5 * l1_ratio

    def smooth_part(self, strength):
        return strength * (1.0 - self.l1_ratio)

    def value(self, strength, params):
        params = params.astype(np.float64, copy=False)
        squares = 0.5 * row_dot(self.smooth_part(strength) * params, params)
        return squares + self.kinks(strength).value(params)

    def value_gradient(self, strength, params):
        return self.value(strength, params), self.smooth_part(strength) * params

    @abstractmethod
    def kinks(self, strength: np.ndarray) -> Kinks:
        """Where it has no gradient."""

    def _reference(self, of_norms: float, pull: np.ndarray) -> float:
        """The alpha that leaves nothing, of norms and squares each by its share."""
        of_squares = float(np.linalg.norm(pull, ord=2))
        if of_norms == 0.0 or of_squares == 0.0:
            return 0.0
        r = self.l1_ratio
        return 1.0 / (r / of_norms + (1.0 - r) / of_squares)

    def gradient_ops(self, w, strength, out):
        return [(np.multiply, (w, strength, out))]


class ElasticNet(SparsePenalty):
    """alpha times the sum of l1_ratio |w| + (1 - l1_ratio) / 2 w^2."""

    def __init__(self, layout: Layout, l1_ratio: float):
        super().__init__(l1_ratio)

    def kinks(self, strength):
        return Kinks(self.l1_ratio * strength, 1)

    def reference_alpha(self, pull):
        return self._reference(float(np.abs(pull).max(initial=0.0)), pull)


class ColumnNorms(SparsePenalty):
    """Norms of the columns of X in the first layer, alpha/2 w^2 in the others.

    alpha times the sum over columns j of l1_ratio c_j ||w_j|| + (1 - l1_ratio) / 2
    ||w_j||^2, with w_j the weights of column j and c_j a weight of its own, 1 unless
    given.

    Parameters
    ----------
    layout : Layout
    l1_ratio : float
    weights : ndarray (d,) or (K, d), optional
        c of all networks, or of each.
    """

    def __init__(
        self, layout: Layout, l1_ratio: float, weights: np.ndarray | None = None
    ):
        super().__init__(l1_ratio)
        self.layout = layout
        firsts = layout.first_inputs
        self.weights = np.ones(len(firsts)) if weights is None else weights
        n_inputs = np.diff(firsts, append=layout.layer_units[0])
        self._widths = n_inputs * layout.layer_units[1]
        part = np.ones((1, layout.n_params))
        layout.W(part, 0)[:] = 1.0 - l1_ratio
        self._squares = part[0]

    def __getitem__(self, networks):
        if self.weights.ndim == 1:
            return self
        return self.weighted(self.weights[networks])

    def weighted(self, weights: np.ndarray) -> ColumnNorms:
        """The same penalty with other weights."""
        return ColumnNorms(self.layout, self.l1_ratio, weights)

    def stacked(self, others: Sequence[Penalty], of_network: np.ndarray) -> Penalty:
        rows = [other.weights for other in others if isinstance(other, ColumnNorms)]
        return self.weighted(np.stack(rows)[of_network])

    def smooth_part(self, strength):
        return strength * self._squares

    def kinks(self, strength):
        alpha = self.layout.W(strength, 0)[:, :, 0]
        alpha = np.take(alpha, self.layout.first_inputs, axis=1)  # in its order
        return kinks_of(self.l1_ratio * alpha * self.weights, self._widths)

    def reference_alpha(self, pull):
        if self.layout.n_weight_layers > 1:
            return self._reference(float(np.linalg.norm(pull, ord=2)), pull)
        lengths = np.sqrt(self._of_columns(np.square(pull).sum(axis=1)))
        return self._reference(float(lengths.max(initial=0.0)), pull)

    def _of_columns(self, values: np.ndarray) -> np.ndarray:
        """Sums over the inputs of each column: (n_inputs,) -> (d,)."""
        return np.add.reduceat(values, self.layout.first_inputs)


class AdaptiveColumnNorms(ColumnNorms):
    """The first of two stages: the second weights each column by what this one finds.

    c_j = 1 / (||w_j|| / max_k ||w_k|| + 1/100) (after Zou, "The adaptive lasso", JASA
    2006): a column that hardly mattered costs a hundred times as much.
    """

    has_second_stage = True

    def second_stage(self, params):
        W = self.layout.W(params[np.newaxis], 0)[0].astype(np.float64)
        norms = np.sqrt(self._of_columns(np.square(W).sum(axis=1)))
        largest = norms.max()
        known = 0.0 < largest < np.inf
        share = norms / largest if known else np.ones_like(norms)
        weights = 1.0 / (share + LEAST_SHARE)
        return ColumnNorms(self.layout, self.l1_ratio, weights)
