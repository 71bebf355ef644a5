"""Training in the space of the rows, where X has more columns than rows.

At a minimum of J with weight decay the weights that leave the inputs are sums of rows:
what is orthogonal to all rows changes no prediction, and costs. So with an orthonormal
basis Q of the rows' space, X' = Q R, the first weights are W = Q V, and

    J(W, ...) = J(V, ...)   with R' in the place of X,   ||W|| = ||V||

(the representer theorem: Schölkopf, Herbrich and Smola, COLT 2001). n rows of d columns
are n columns then. L-BFGS takes the same steps in any orthonormal basis, where columns
are not in units of their own (`units`); what it starts with across the rows is left
out.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy import linalg, sparse

from skwd._core.layout import Layout
from skwd._core.network import Network
from skwd._core.objective import Objective
from skwd._core.sample import GATHER_BYTES, Sample
from skwd._solvers.hooks import Hooks, Tell
from skwd._solvers.units import ROUNDINGS, rounding_of_columns, unscaled_deviations

EPS = float(np.finfo(np.float64).eps)

# Coordinates are a multiple of this, with zeros: folds of n and n + 1 rows are then
# networks of one shape, but for one in so many.
MULTIPLE = 32


def n_inputs_on(layout: Layout, sample: Sample, n_rows: int) -> int:
    """The inputs that networks are trained with on so many rows of a sample's X.

    Its columns, or coordinates in the space of the rows, where they are fewer.
    """
    n_inputs = layout.layer_units[0]
    if sparse.issparse(sample.X):
        return n_inputs
    found = -(-n_rows // MULTIPLE) * MULTIPLE
    is_small = n_rows * (n_inputs + 1) * sample.dtype.itemsize <= GATHER_BYTES
    return min(found, n_inputs) if is_small else n_inputs


def params_on(layout: Layout, sample: Sample, n_rows: int) -> int:
    """The parameters of such a network."""
    fewer = layout.layer_units[0] - n_inputs_on(layout, sample, n_rows)
    return layout.n_params - fewer * layout.layer_units[1]


def widths(objective: Objective) -> np.ndarray:
    """The inputs that each network of a stack can be trained with, (K,)."""
    layout, samples = objective.network.layout, objective.samples
    n_inputs = layout.layer_units[0]
    of_samples = np.array([n_inputs_on(layout, s, len(s)) for s in samples])
    found = of_samples[objective.sample_of]
    if (found == n_inputs).all():
        return found
    has_one_alpha = objective.penalty.is_quadratic and np.array_equal(
        objective.groups.index, layout.layer_groups.index
    )
    for k, number in enumerate(objective.sample_of):
        if not has_one_alpha or not has_basis(samples[number]):
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
                _rotated(s, self._bases[i], width) if i in self._bases else s
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
            Q = self._basis_of(k)
            first[k, : Q.shape[1]] = Q.T @ old[k]
        return found

    def outside(self, params: np.ndarray, first: int = 0) -> np.ndarray:
        """Networks (K, P') in the space of the rows as networks of X, (K, P).

        ``first`` is the number of the first one in the stack.
        """
        found = self._moved(params, self._narrow, self._layout)
        inside, of_columns = self._narrow.W(params, 0), self._layout.W(found, 0)
        for k in range(len(params)):
            Q = self._basis_of(first + k)
            of_columns[k] = Q @ inside[k, : Q.shape[1]]
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

    def _basis_of(self, network: int) -> np.ndarray:
        return self._bases[self._sample_of[network]].Q

    @staticmethod
    def _moved(params: np.ndarray, old: Layout, new: Layout) -> np.ndarray:
        """Networks of other first weights, which are zero."""
        found = np.zeros((len(params), new.n_params))
        new.b(found, 0)[:] = old.b(params, 0)
        for layer in range(1, old.n_weight_layers):
            new.Wb(found, layer)[:] = old.Wb(params, layer)
        return found


class Basis(NamedTuple):
    """Of the space of r directions that the n rows of a sample have, X' = Q R."""

    Q: np.ndarray  # (d, r) orthonormal
    R: np.ndarray  # (r, n) the rows by their coordinates
    # (r,) what coordinates are measured in, as their columns' `unscaled_deviations` say
    unscaled: np.ndarray | None


def has_basis(sample: Sample) -> bool:
    """Whether coordinates keep what each column says of the rows of a dense X.

    They are sums over all columns, and the rounding of the largest swamps a column that
    is by far smaller; and numbers must not overflow.
    """
    sizes = _column_sizes(sample)
    total = float(np.linalg.norm(sizes))
    if not total < np.finfo(sample.dtype).max:
        return False
    n = len(sample)
    varies = sizes > ROUNDINGS * np.sqrt(n) * rounding_of_columns(sample)
    return bool((sizes[varies] > max(n, len(sizes)) * EPS * total).all())


def basis(sample: Sample) -> Basis:
    """That of a sample which `has_basis`; it is found once, and kept if rows are.

    Directions that rows have by rounding alone are left out: rows about their mean have
    one less than there are rows.
    """
    if "basis" in sample.kept:
        return sample.kept["basis"]
    rows = [X[:, :-1] for X, _, _ in sample.blocks()]
    X = np.concatenate(rows).astype(np.float64, copy=False)
    Q, R = linalg.qr(X.T, mode="economic", check_finite=False)
    sizes = _column_sizes(sample)
    value_rounding = rounding_of_columns(sample) + np.finfo(sample.dtype).eps * sizes
    rounding = len(X) * (value_rounding @ np.abs(Q))
    rounding += max(X.shape) * EPS * np.linalg.norm(sizes)
    has_rows = np.sqrt(np.square(R).sum(axis=1)) > rounding
    Q, R = Q[:, has_rows], R[has_rows]
    unscaled = unscaled_deviations(sample)
    if unscaled is not None and has_rows.any():
        # The directions that make Q' diag(1 / deviations^2) Q diagonal have units of
        # their own, those of their columns. Coordinates' own deviations would raise
        # directions of noise to the size of others.
        known = np.where(unscaled > 0.0, unscaled, unscaled.max())
        of_units = linalg.qr(Q / known[:, np.newaxis], mode="r", check_finite=False)[0]
        _, inverse, directions = linalg.svd(of_units[: Q.shape[1]], check_finite=False)
        Q, R, unscaled = Q @ directions.T, directions @ R, 1.0 / inverse
    found = Basis(Q, R, unscaled)
    if sample.gather_once:
        sample.kept["basis"] = found
    return found


def rotated(sample: Sample, width: int) -> Sample:
    """The rows of a sample by their coordinates, with zeros up to ``width``."""
    return _rotated(sample, basis(sample), width)


def _rotated(sample: Sample, found: Basis, width: int) -> Sample:
    X = np.zeros((len(sample), width), dtype=sample.dtype)
    X[:, : len(found.R)] = found.R.T
    unscaled = found.unscaled
    if unscaled is not None:
        unscaled = np.pad(unscaled, (0, width - len(unscaled)))
    return Sample(X, sample.y, sample.weight, kept={"unscaled": unscaled})


def _column_sizes(sample: Sample) -> np.ndarray:
    """Roots of the sums of squares of the columns, (d,)."""
    if "sizes" not in sample.kept:
        total = np.zeros(sample.X.shape[1])
        with np.errstate(over="ignore", invalid="ignore"):
            for X, _, _ in sample.blocks():
                total += np.square(X[:, :-1], dtype=np.float64).sum(axis=0)
        sample.kept["sizes"] = np.sqrt(total)
    return sample.kept["sizes"]
