"""The scale on which each parameter is searched, where the columns of X are unscaled.

L-BFGS begins with the curvature of every parameter alike. That of a weight of the first
layer goes with the square of its column's deviation, and with alpha: where columns are
in units of their own, its steps are measured in

    1 / root(deviation^2 + alpha / q)

with q the curvature of the loss, 1 unless J has the units of y. This is about 1 for
standardised columns, and those of further layers as if theirs were inputs of deviation
1. The minimum is the same; the way to it is not a thousand times longer. Data that are
scaled already are left alone.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from skwd._core.kinks import Kinks
from skwd._core.objective import Objective, Sample
from skwd._core.rows import SparseRows
from skwd._solvers.result import Callback

# Columns are unscaled when the largest deviation is outside of these bounds.
LEAST_DEVIATION, MOST_DEVIATION = 0.1, 10.0
# A deviation of no more roundings of the mean than this is none. One that is larger
# than VISIBLE, times weights of about one, is seen in predictions.
ROUNDINGS, VISIBLE = 10.0, 1e-3


def column_deviations(sample: Sample) -> np.ndarray:
    """Deviations of the columns of X over a sample's rows about its origin, (d,).

    They are found once.
    """
    return _roots_of_squares(sample, "deviations")


def column_sizes(sample: Sample) -> np.ndarray:
    """Roots of the sums of squares of the columns about its origin, without weights."""
    return _roots_of_squares(sample, "sizes")


def _roots_of_squares(sample: Sample, kind: str) -> np.ndarray:
    if kind in sample.kept:
        return sample.kept[kind]
    total = np.zeros(sample.X.shape[1])
    with np.errstate(over="ignore", invalid="ignore"):
        for X, _, norm_weight in sample.blocks():
            weight = norm_weight[:, 0]
            weight = np.ones_like(weight) if kind == "sizes" else weight
            if isinstance(X, SparseRows):
                total += X.column_squares(weight)
            else:
                total += weight @ np.square(X[:, :-1], dtype=np.float64)
    sample.kept[kind] = np.sqrt(total, out=total)
    return total


def rounding_of_columns(sample: Sample) -> np.ndarray:
    """By how much the values of a column may be off, (d,)."""
    if sample.origin is None:
        return np.zeros(sample.X.shape[1])
    eps = float(np.finfo(sample.dtype).eps)
    return eps * np.abs(sample.origin.astype(np.float64))


def largest_deviation(sample: Sample) -> float:
    """That of the columns of X, 0 where they vary by rounding alone."""
    deviations = column_deviations(sample)
    varies = deviations > ROUNDINGS * rounding_of_columns(sample)
    return float(deviations[varies].max(initial=0.0))


def unscaled_deviations(sample: Sample) -> np.ndarray | None:
    """The columns' deviations where they are far from standardised, (d,), or None.

    Constant columns do not count. Coordinates in the space of the rows (`row_space`)
    have those of the columns that they are made of.
    """
    if "unscaled" in sample.kept:
        return sample.kept["unscaled"]
    deviations = column_deviations(sample)
    largest = deviations.max(initial=0.0)
    is_scaled = LEAST_DEVIATION <= largest <= MOST_DEVIATION
    return deviations if 0.0 < largest < np.inf and not is_scaled else None


def starting_sizes(sample: Sample) -> np.ndarray | None:
    """What the first weights of each column are divided by, (d,), or None for 1.

    Its deviation, where that is large, as units that begin saturated would stay so. A
    constant column of large values begins without weights, which no row would change:
    predictions, which are of columns as they are, would see their rounding.
    """
    deviations, unscaled = column_deviations(sample), unscaled_deviations(sample)
    sizes = np.ones(len(deviations)) if unscaled is None else unscaled
    rounding = rounding_of_columns(sample)
    is_constant = deviations <= ROUNDINGS * rounding
    sizes = np.where(is_constant & (rounding > VISIBLE), np.inf, sizes)
    sizes = np.maximum(sizes, 1.0)
    return sizes if (sizes > 1.0).any() else None


def parameter_scales(objective: Objective) -> np.ndarray | None:
    """What each parameter is multiplied by, (K, P); None where all are alike."""
    deviations = [unscaled_deviations(sample) for sample in objective.samples]
    if all(deviation is None for deviation in deviations):
        return None
    layout = objective.network.layout
    scales = np.ones((len(objective), layout.n_params))
    curvature = objective.curvature()
    for k, number in enumerate(objective.sample_of):
        found = deviations[number]
        if found is None:
            continue
        decay = objective.decay[k : k + 1] / curvature[k]
        squares = np.square(found) + layout.W(decay, 0)[0, :, 0]
        known = np.isfinite(squares) & (squares > 0.0) & (found > 0.0)
        size = np.sqrt(np.where(known, squares, 1.0))
        layout.W(scales[k : k + 1], 0)[0] = size[:, np.newaxis]
        for layer in range(1, layout.n_weight_layers):
            size = np.sqrt(1.0 + layout.W(decay, layer)[0])
            layout.W(scales[k : k + 1], layer)[0] = size
    return scales


class InUnits:
    """J by parameters that are multiplied by scales (K, P) of their own."""

    def __init__(self, objective: Objective, scales: np.ndarray):
        self._objective, self._scales = objective, scales
        self.dtype = objective.dtype

    def __len__(self) -> int:
        return len(self._objective)

    def __getitem__(self, networks) -> InUnits:
        return InUnits(self._objective[networks], self._scales[networks])

    @cached_property
    def kinks(self) -> Kinks | None:
        """Where J has no gradient, of the scaled parameters."""
        kinks = self._objective.kinks
        return None if kinks is None else kinks.scaled(self._scales)

    def loss_gradient(self, params: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """J (K,) and its gradient by the scaled parameters (K, P)."""
        fun, grad = self._objective.loss_gradient(params / self._scales)
        grad /= self._scales
        return fun, grad

    def callback(self, callback: Callback) -> Callback:
        """A callback that takes scaled parameters, for one that does not."""
        return lambda networks, params, fun: callback(
            networks, params / self._scales[networks], fun
        )


Minimised = Objective | InUnits
