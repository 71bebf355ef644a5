"""Columns in parts for scikit-learn's networks: as hinges, or splines of degree 1."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import SplineTransformer

from skwd._data.encoding import Encoding, column_ends

Layer = tuple[np.ndarray, np.ndarray]  # W (fan_in, fan_out), b (fan_out,)
# A part is the difference of two hinges: with values so many times its length from 0,
# as of a time in seconds or of a column with few far values, too few digits are left.
FARTHEST = 1e7


def have_digits(encoding: Encoding) -> bool:
    """Whether hinges are the columns in parts, but for some 1e-8."""
    return all(
        np.abs([*knots[[0, -1]], *column_ends(encoding, j)]).max()
        <= FARTHEST * min(np.diff(knots).min(), encoding.width[j])
        for j, knots in enumerate(encoding.knots)
        if len(knots)
    )


def as_hinges(encoding: Encoding, W: np.ndarray, b: np.ndarray) -> list[Layer]:
    """A layer of ReLU units, and the first layer (W, b) that takes their values.

    A part is the difference of two hinges, r(x - q) with r(t) = max(t, 0), and so is a
    column that ends on both sides; x itself is r(x) - r(-x).
    """
    into: list[tuple[int, float, float]] = []  # (column, weight, bias) of each hinge
    back: list[tuple[int, int, float]] = []  # (hinge, encoded column, factor)
    constant = np.zeros(encoding.n_columns)
    for j, (first, knots) in enumerate(zip(encoding.columns, encoding.knots)):
        if not len(knots):
            back += [(len(into), first, 1.0), (len(into) + 1, first, -1.0)]
            into += [(j, 1.0, 0.0), (j, -1.0, 0.0)]
            continue
        width, ends = encoding.width[j], column_ends(encoding, j)
        lowest, *_ = encoding.at(j, ends[:1])[0]
        constant[first] = lowest
        places = np.concatenate([ends, knots])
        hinges = len(into) + np.arange(len(places))
        into += [(j, 1.0 / width, -place / width) for place in places]
        pairs = [(0, 1), *((i, i + 1) for i in range(2, len(places) - 1))]
        for number, (low, high) in enumerate(pairs):
            value = encoding.at(j, places[[low, high]])[:, number]
            slope = (value[1] - value[0]) * width / (places[high] - places[low])
            back += [(hinges[low], first + number, slope)]
            back += [(hinges[high], first + number, -slope)]
    first_W = np.zeros((len(encoding.knots), len(into)))
    first_b = np.zeros(len(into))
    for hinge, (j, weight, bias) in enumerate(into):
        first_W[j, hinge], first_b[hinge] = weight, bias
    M = np.zeros((len(into), encoding.n_columns))
    for hinge, column, factor in back:
        M[hinge, column] = factor
    return [(first_W, first_b), (M @ W, b + constant @ W)]


def as_splines(encoding: Encoding, W: np.ndarray, b: np.ndarray) -> tuple[Any, Layer]:
    """A fitted transformer to splines of degree 1, and the layer that takes them.

    The hats between the knots of a column, constant beyond the last, add up to every
    function that is linear between these knots. Columns that stay as they are pass.
    """
    d = len(encoding.knots)
    in_parts = [j for j in range(d) if len(encoding.knots[j])]
    found = [
        np.unique(np.concatenate([column_ends(encoding, j), encoding.knots[j]]))
        if len(encoding.knots[j])
        else np.arange(2.0)
        for j in range(d)
    ]
    n_knots = max(map(len, found))
    knots = np.empty((n_knots, d))
    for j, own in enumerate(found):  # further ones beyond the last change nothing
        step = own[-1] - own[0]
        beyond = own[-1] + step * np.arange(1.0, n_knots - len(own) + 1)
        knots[:, j] = np.concatenate([own, beyond])
    splines = SplineTransformer(
        degree=1, knots=knots, extrapolation="constant", include_bias=True
    ).fit(knots)
    values = encoding.encode(knots)
    M = np.zeros((d * n_knots + d, encoding.n_columns))
    for j in in_parts:
        part = np.flatnonzero(encoding.sources == j)
        M[j * n_knots : (j + 1) * n_knots, part] = values[:, part]
    if len(in_parts) == d:
        return splines, (M[: d * n_knots] @ W, b)
    for j in sorted(set(range(d)) - set(in_parts)):
        M[d * n_knots + j, encoding.columns[j]] = 1.0
    both = FeatureUnion([("parts", splines), ("columns", "passthrough")]).fit(knots)
    return both, (M @ W, b)


def name_features(transformer: Any, names: np.ndarray) -> None:
    """Tell a transformer of `as_splines` what the columns of X are called."""
    for part in (
        transformer,
        *(t for _, t in getattr(transformer, "transformer_list", ())),
    ):
        if not isinstance(part, FeatureUnion):
            part.feature_names_in_ = names


def pipeline(transformer: Any, network: Any) -> Pipeline:
    """Both as one model."""
    return Pipeline([("columns", transformer), ("network", network)])
