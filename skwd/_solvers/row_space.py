"""Training in the space of the rows, where X has more columns than rows.

At a minimum of J with weight decay the weights that leave the inputs are sums of rows:
what is orthogonal to all rows changes no prediction, and costs. So with an orthonormal
basis Q of the rows' space, X' = Q R, the first weights are W = Q V, and

    J(W, ...) = J(V, ...)   with R' in the place of X,   ||W|| = ||V||

(the representer theorem: Schölkopf, Herbrich and Smola, COLT 2001). n rows of d columns
are n columns then (`row_basis`). L-BFGS takes the same steps in any orthonormal basis,
where columns are not in units of their own (`units`); what it starts with across the
rows is left out.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import sparse

from skwd._core.layout import Layout
from skwd._core.network import Network
from skwd._core.objective import Objective
from skwd._core.sample import GATHER_BYTES, Sample
from skwd._solvers.hooks import Hooks, Tell
from skwd._solvers.row_basis import Basis, basis, has_basis, rotated

# Coordinates are a multiple of this, with zeros: folds of n and n + 1 rows are then
# networks of one shape, but for one in so many.
MULTIPLE = 32
# Sparse rows have coordinates where there are so many times more columns: products of
# their entries alone take less time than those of all coordinates.
SPARSE = 2


def n_inputs_on(
    layout: Layout, sample: Sample, n_rows: int, times: int = SPARSE
) -> int:
    """The inputs that networks are trained with on so many rows of a sample's X.

    Its columns, or coordinates in the space of the rows, where they are fewer; of
    sparse rows where they are so many ``times`` fewer.
    """
    n_inputs = layout.layer_units[0]
    found = -(-n_rows // MULTIPLE) * MULTIPLE
    is_sparse = sparse.issparse(sample.X)
    if found * (times if is_sparse else 1) >= n_inputs:
        return n_inputs
    dense = found if is_sparse else n_inputs
    is_small = n_rows * (dense + 1) * sample.dtype.itemsize <= GATHER_BYTES
    return found if is_small else n_inputs


def size_on(layout: Layout, sample: Sample, n_rows: int) -> tuple[int, bool]:
    """The number of parameters of a network that is trained on ``n_rows`` rows.

    And whether X is sparse, and coordinates take the place of its columns.
    """
    fewer = layout.layer_units[0] - n_inputs_on(layout, sample, n_rows)
    is_wide = fewer > 0 and sparse.issparse(sample.X)
    return layout.n_params - fewer * layout.layer_units[1], is_wide


def widths(objective: Objective) -> np.ndarray:
    """The inputs that each network of a stack can be trained with, (K,)."""
    layout, samples = objective.network.layout, objective.samples
    n_inputs = layout.layer_units[0]
    of_samples = np.array([n_inputs_on(layout, s, len(s)) for s in samples])
    found = of_samples[objective.sample_of]
    if (found == n_inputs).all():
        return found
    is_by_layer = objective.penalty.is_quadratic and np.array_equal(
        objective.groups.index, layout.layer_groups.index
    )
    for k, number in enumerate(objective.sample_of):
        if not is_by_layer or not has_basis(samples[number]):
            found[k] = n_inputs
    return found


class RowSpace:
    """A stack of networks in the space of their rows.

    Parameters
    ----------
    objective : Objective
        One of equal `widths`, fewer than its inputs.
    width : int

    Attributes
    ----------
    objective : Objective
        The same J, of fewer first weights.
    """

    def __init__(self, objective: Objective, width: int):
        self._layout, network = objective.network.layout, objective.network
        units = width, *self._layout.layer_units[1:]
        self._narrow = Layout(units)
        self._sample_of, samples = objective.sample_of, objective.samples
        self._bases = {i: basis(samples[i]) for i in set(self._sample_of.tolist())}
        self.objective = Objective(
            Network(self._narrow, network.activation),
            objective.loss,
            [
                rotated(s, self._bases[i], width) if i in self._bases else s
                for i, s in enumerate(samples)
            ],
            objective.alpha,
            self._sample_of,
            objective.penalty,
        )

    def inside(self, params: np.ndarray) -> np.ndarray:
        """Networks (K, P) of X in the space of the rows, (K, P')."""
        found = self._moved(params, self._layout, self._narrow)
        first, old = self._narrow.W(found, 0), self._layout.W(params, 0)
        for k in range(len(params)):
            basis_of_rows = self._basis_of(k)
            first[k, : len(basis_of_rows.R)] = basis_of_rows.inside(old[k])
        return found

    def outside(self, params: np.ndarray, first: int = 0) -> np.ndarray:
        """Networks (K, P') in the space of the rows as networks of X, (K, P).

        ``first`` is the number of the first one in the stack.
        """
        found = self._moved(params, self._narrow, self._layout)
        inside, of_columns = self._narrow.W(params, 0), self._layout.W(found, 0)
        for k in range(len(params)):
            basis_of_rows = self._basis_of(first + k)
            V = inside[k, : len(basis_of_rows.R)]
            of_columns[k] = basis_of_rows.outside(V)
        return found

    def hooks(self, hooks: Hooks | None) -> Hooks | None:
        """Hooks in here that tell others of the networks of X."""
        if hooks is None:
            return None
        of_iteration, of_round = hooks.after_iteration, hooks.after_round
        return replace(
            hooks,
            after_iteration=of_iteration and self._told(of_iteration),
            after_round=of_round and self._told(of_round),
        )

    def _told(self, tell: Tell) -> Tell:
        def told(network: int, params: np.ndarray, alpha: np.ndarray) -> bool:
            return tell(network, self.outside(params[np.newaxis], network)[0], alpha)

        return told

    def _basis_of(self, network: int) -> Basis:
        return self._bases[self._sample_of[network]]

    @staticmethod
    def _moved(params: np.ndarray, old: Layout, new: Layout) -> np.ndarray:
        """Networks of other first weights, which are zero."""
        found = np.zeros((len(params), new.n_params))
        new.b(found, 0)[:] = old.b(params, 0)
        for layer in range(1, old.n_weight_layers):
            new.Wb(found, layer)[:] = old.Wb(params, layer)
        return found
