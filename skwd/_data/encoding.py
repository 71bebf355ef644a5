"""Columns in parts: each numeric column beside its piecewise-linear parts.

A column x with knots q_0 < ... < q_m, quantiles of the rows trained on, becomes

    z   = clip((x - centre) / width, -CLIP, CLIP)                          the column
    r_j = SCALE clip((x - q_j) / (q_j+1 - q_j), 0, 1),  j = 0 ... m - 1    its parts

with width the distance of its quartiles and centre the middle between them. With weight
decay the function of a column is then a random walk of slopes, and a model without
hidden layers an additive one (Gorishniy, Rubachev and Babenko, "On embeddings for
numerical features in tabular deep learning", NeurIPS 2022).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from skwd._core.encoded import Encoder
from skwd._core.layout import Layout
from skwd._core.rows import row_blocks
from skwd._core.sample import Sample

# What other values do is from benchmarks/encoding.py --constant: mean errors of a
# network of 100 ReLU units over those at these values, 16 tasks of 1,200 rows, one
# split each.
# Columns alone: 1.14.

# Quantiles of each column. 8: 1.03; 16: 1.01; 32: 1.00; 48: .99; 96: 1.01; of 300 rows
# (three splits) 1.04, 1.01, 1.00, .98, .99. Of all columns together: time, no more.
QUANTILES, MOST_QUANTILES = 24, 1000
# Columns of fewer different values stay as they are. 5, 9 or 16: 1.01, 1.01, 1.00 (two
# splits). With fewer quantiles all do. A column of rare values that stayed, without an
# end, cost spambase: R2 of .33, -.36 and .70 for .78, .70 and .70 (500 rows, "auto").
LEAST_VALUES, LEAST_QUANTILES = 3, 4
# What the parts are multiplied by. .25: 1.01; 1: 1.03.
SCALE = 0.5
# Where the column ends, in distances of quartiles. 1.5: 1.02; 2: 1.01; 4: 1.00; a
# smooth end, z / root(1 + (z / 3)^2): 1.01.
CLIP = 3.0
# Sums of weights this near to a quantile's share of all are it, but for rounding: of
# few rows, and of each further one.
SHARE, OF_A_ROW = 1e-12, float(np.finfo(np.float64).eps)
QUARTILES = np.array([0.25, 0.75])


class Values(NamedTuple):
    """The different values of a column, ascending, and the share of rows up to each."""

    x: np.ndarray  # (u,) float64
    share: np.ndarray  # (u,)
    rounding: float  # of a share

    @classmethod
    def of(cls, x: np.ndarray, weight: np.ndarray) -> Values:
        """Those of some rows; ``weight`` (n,) is positive."""
        if weight.strides == (0,):  # all are one number
            x = np.sort(x)
            total = np.arange(1.0, len(x) + 1.0)
        else:
            order = np.argsort(x, kind="stable")
            x, total = x[order], np.cumsum(weight[order])
        last = np.flatnonzero(np.append(x[1:] != x[:-1], True))
        rounding = max(SHARE, OF_A_ROW * len(x))
        return cls(x[last].astype(np.float64), total[last] / total[-1], rounding)

    def quantiles(self, at: np.ndarray) -> np.ndarray:
        """Values below or at which there is a share ``at`` of the rows, ascending.

        Without interpolation (NumPy's "inverted_cdf"), above the middle counted from
        the top, so that those of -x are minus those of x.
        """
        low = np.searchsorted(self.share, at - self.rounding)
        high = np.searchsorted(self.share, at + self.rounding, side="right")
        return self.x[np.minimum(np.where(at <= 0.5, low, high), len(self.x) - 1)]

    def knots(self, n_quantiles: int) -> np.ndarray:
        """The different ones of so many quantiles from the least to the largest."""
        return np.unique(self.quantiles(np.linspace(0.0, 1.0, n_quantiles)))

    @property
    def once_each(self) -> Values:
        """The same values, each in one row."""
        share = np.arange(1, len(self.x) + 1) / len(self.x)
        return self._replace(share=share)


@dataclass(frozen=True, eq=False)
class Encoding(Encoder):
    """Which columns have parts, and where.

    Parameters
    ----------
    knots : list of ndarray
        Of each column of X; empty where it stays as it is.
    centre, width : ndarray (d,)
        Of the columns themselves; 0 and 1 where they stay as they are.
    places : ndarray of int (d,)
        Of the parts of each column: as many as it has, or more, which are then zero.
    """

    knots: list[np.ndarray]
    centre: np.ndarray
    width: np.ndarray
    places: np.ndarray

    @classmethod
    def learnt(cls, sample: Sample, like: Encoding | None = None) -> Encoding:
        """The encoding of the rows of a sample, whose X is as the user has it.

        ``like`` has the places that it keeps to, so that networks of different rows
        have the same layers.
        """
        d = sample.X.shape[1]
        numeric = [j for j in range(d) if _has_values(sample, j)]
        n_quantiles = quantiles_of(len(numeric))
        knots = [np.empty(0)] * d
        centre, width = np.zeros(d), np.ones(d)
        for j in numeric:  # sorted one at a time
            values = Values.of(*_column(sample, j))
            most = None if like is None else int(like.places[j])
            found = _knots(values, n_quantiles, most)
            if found is None:
                continue
            knots[j] = found
            low, high = values.quantiles(QUARTILES)
            if high == low:  # half of the rows or more are one value
                quarter = 0.25 * (found[-1] - found[0])
                low, high = low - quarter, low + quarter
            centre[j], width[j] = 0.5 * (low + high), high - low
        places = [max(0, len(found) - 1) for found in knots]
        return cls(
            knots, centre, width, np.array(places) if like is None else like.places
        )

    def __getstate__(self) -> dict:
        """The state without what follows from it."""
        names = "knots", "centre", "width", "places"
        return {name: vars(self)[name] for name in names}

    @cached_property
    def n_columns(self) -> int:  # type: ignore[override]
        """Of the encoded rows."""
        return len(self.places) + int(self.places.sum())

    @cached_property
    def sources(self) -> np.ndarray:  # type: ignore[override]
        """The column of X that each encoded one is of."""
        return np.repeat(np.arange(len(self.places)), 1 + self.places)

    @cached_property
    def are_used(self) -> np.ndarray:
        """Whether each encoded column is more than zeros, (n_columns,) bool."""
        used = np.ones(self.n_columns, dtype=bool)
        for first, knots, places in zip(self.columns, self.knots, self.places):
            used[first + max(1, len(knots)) : first + 1 + places] = False
        return used

    @cached_property
    def columns(self) -> np.ndarray:
        """The encoded columns that are columns themselves, (d,)."""
        return np.concatenate([[0], np.cumsum(1 + self.places)[:-1]]).astype(int)

    @cached_property
    def _ramps(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """(shift, rate, low, high) of clip((x - shift) rate, low, high), each (D,)."""
        shift, rate, low, high = np.zeros((4, self.n_columns))
        for j, first in enumerate(self.columns):
            knots, has_parts = self.knots[j], len(self.knots[j]) > 0
            shift[first], rate[first] = self.centre[j], 1.0 / self.width[j]
            low[first], high[first] = (-CLIP, CLIP) if has_parts else (-np.inf, np.inf)
            parts = slice(first + 1, first + max(1, len(knots)))
            shift[parts] = knots[:-1]
            rate[parts] = SCALE / np.diff(knots)
            high[parts] = SCALE
        return shift, rate, low, high

    @property
    def has_parts(self) -> bool:
        """Whether any column has parts."""
        return any(map(len, self.knots))

    def at(self, column: int, x: np.ndarray) -> np.ndarray:
        """A column and its parts at some values ``x`` (m,): (m, 1 + its places)."""
        X = np.zeros((len(x), len(self.knots)))
        X[:, column] = x
        return self.encode(X)[:, self.sources == column]

    def encode(self, X: np.ndarray) -> np.ndarray:
        """Some rows (b, d) encoded, (b, n_columns), in the dtype of X."""
        shift, rate, low, high = self._ramps
        values = X.take(self.sources, axis=1).astype(np.float64, copy=False)
        values -= shift
        values *= rate
        np.clip(values, low, high, out=values)
        return values.astype(X.dtype, copy=False)


def column_ends(encoding: Encoding, column: int) -> np.ndarray:
    """Where a column that has parts ends itself, (2,)."""
    return encoding.centre[column] + encoding.width[column] * np.array([-CLIP, CLIP])


def quantiles_of(n_numeric: int) -> int:
    """The quantiles of each column, of so many columns of enough different values."""
    return min(QUANTILES, MOST_QUANTILES // max(1, n_numeric))


def why_without_parts(sample: Sample) -> str:
    """Why no column of a sample, whose X is as the user has it, has parts.

    And what to do; without the full stop.
    """
    n_numeric = sum(_has_values(sample, j) for j in range(sample.X.shape[1]))
    most = MOST_QUANTILES // LEAST_QUANTILES
    if n_numeric > most:
        return (
            f"{n_numeric} of them have {LEAST_VALUES} different values or more, and "
            f"parts are for at most {most}. Give fewer columns, or use encoding=None"
        )
    if n_numeric > 0:
        return "their values lie too near together, or too far apart. Standardise X"
    return f"none has {LEAST_VALUES} different values. Use encoding=None"


def _column(sample: Sample, j: int) -> tuple[np.ndarray, np.ndarray]:
    """The values and weights of the rows that count."""
    rows = slice(None) if sample.rows is None else sample.rows
    x, weight = sample.X[rows, j], sample.weight
    if not weight.all():
        counted = weight > 0.0
        x, weight = x[counted], weight[counted]
    return x, weight


def _has_values(sample: Sample, j: int) -> bool:
    """Whether a column has LEAST_VALUES different values, as the first rows tell."""
    x, seen = _column(sample, j)[0], np.empty(0)
    for block in row_blocks(len(x)):
        seen = np.unique(np.concatenate([seen, x[block]]))
        if len(seen) >= LEAST_VALUES:
            return True
    return False


def _knots(values: Values, n_quantiles: int, places: int | None) -> np.ndarray | None:
    """The knots of a column, where it has parts; ``places`` are the most parts.

    Where nearly all rows are one value, or two, they are quantiles of the different
    values: rare ones have parts too, and the column an end.
    """
    if n_quantiles < LEAST_QUANTILES:
        return None
    with np.errstate(over="ignore", divide="ignore"):
        found = values.knots(n_quantiles)
        if len(found) < 3:
            values = values.once_each
            found = values.knots(n_quantiles)
        while places is not None and len(found) - 1 > places:
            n_quantiles -= 1
            found = values.knots(n_quantiles)
        is_finite = np.isfinite(SCALE / np.diff(found)).all()
    if len(found) < 3 or not is_finite or not np.isfinite(found[-1] - found[0]):
        return None
    return found


def layout_of(units: tuple[int, ...], encoding: Encoding | None) -> Layout:
    """The layers of a network, whose ``units`` begin with the columns of X."""
    if encoding is None:
        return Layout(units)
    return Layout((encoding.n_columns, *units[1:]), encoding.sources)


def without_idle(layout: Layout, encoder: Encoder | None) -> Layout:
    """The layers without inputs that are zero, as columns have no such part."""
    if not isinstance(encoder, Encoding) or encoder.are_used.all():
        return layout
    return Layout((int(np.count_nonzero(encoder.are_used)), *layout.layer_units[1:]))


def widened(params: np.ndarray, layout: Layout, encoder: Encoder | None) -> np.ndarray:
    """Networks (K, P') of the layers `without_idle`, in the whole layers: (K, P)."""
    narrow = without_idle(layout, encoder)
    if narrow is layout:
        return params
    assert isinstance(encoder, Encoding)
    coefs, intercepts = narrow.split(params)
    first = np.zeros((len(params), *layout.layer_units[:2]))
    first[:, encoder.are_used] = coefs[0]
    return layout.join([first, *coefs[1:]], intercepts)
