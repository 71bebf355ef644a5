"""The terms of a fitted model without hidden layers: what each column adds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import is_classifier

from skwd._curvature.factors import Factors
from skwd._data.encoding import Encoding, column_ends
from skwd._estimators.fitted_network import FittedNetwork
from skwd._estimators.sources import SEVERAL, Columns
from skwd._estimators.wrappers import Reached

# Values of a column of a table at which its term is drawn: numbers, and categories.
MOST_VALUES, MOST_CATEGORIES = 200, 20


@dataclass(frozen=True, eq=False)
class Terms:
    """f(x) = b + sum_j f_j(x_j), with f_j the weights of column j's inputs.

    A term is that of one column, or the sum of those of some. Rows (m, n_inputs) are
    `encoded`, and count in the inputs of these columns alone.

    Parameters
    ----------
    network : FittedNetwork
        Without hidden layers.
    scale : ndarray (n_outputs,)
        y's units, 1 for classes.
    """

    network: FittedNetwork
    scale: np.ndarray

    @classmethod
    def of(cls, estimator: Any) -> Terms:
        """Those of an estimator; raises ValueError where its columns do not add up."""
        hidden = tuple(W.shape[-1] for W in estimator.coefs_[:-1])
        if hidden:
            raise ValueError(
                "TermsDisplay is for models without hidden layers, whose columns add "
                f"up; got hidden layers of {hidden} units. Fit with "
                "hidden_layer_sizes=() and encoding='parts'."
            )
        n_outputs = estimator.coefs_[-1].shape[-1]
        scale = np.ones(n_outputs)
        if not is_classifier(estimator) and len(estimator.y_scale_) == n_outputs:
            scale = estimator.y_scale_ * scale
        return cls(estimator._network(), scale)

    @property
    def n_outputs(self) -> int:
        """Raw outputs."""
        return len(self.scale)

    @property
    def has_posterior(self) -> bool:
        """Whether the terms have deviations."""
        return self.network.has_posterior

    @property
    def _encoding(self) -> Encoding | None:
        return self.network.encoding

    def _places(self, columns: np.ndarray) -> np.ndarray:
        """The inputs of some columns."""
        if self._encoding is None:
            return np.asarray(columns)
        return np.flatnonzero(np.isin(self._encoding.sources, columns))

    def encoded(self, rows: np.ndarray) -> np.ndarray:
        """Rows (m, n_columns) as the model takes them."""
        return rows if self._encoding is None else self._encoding.encode(rows)

    def at(self, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """What some columns add, (m, n_outputs)."""
        W, own = self.network.layout.W(self.network.params, 0), self._places(columns)
        return rows[:, own] @ W.mean(axis=0)[own] * self.scale

    def grid(self, column: int, x: np.ndarray) -> np.ndarray:
        """Between these values, in the range of x (n,), its term is a straight line."""
        low, high = x.min(), x.max()
        encoding, inside = self._encoding, np.empty(0)
        if encoding is not None and len(encoding.knots[column]):
            ends = column_ends(encoding, column)
            inside = np.concatenate([encoding.knots[column], ends])
            inside = inside[(inside > low) & (inside < high)]
        return np.unique(np.concatenate([[low], inside, [high]]))

    def deviations(
        self, columns: np.ndarray, rows: np.ndarray, mean: np.ndarray
    ) -> np.ndarray:
        """Deviations of the term less its mean, (m, n_outputs), by the posterior.

        ``mean`` (n_inputs,) is that of the rows that centre the term.
        The variance of c'w is had from that of b + c'w, b - c'w and b.
        """
        own, (n, width) = self._places(columns), rows.shape
        c = np.zeros((n, width))
        c[:, own] = rows[:, own] - mean[own]
        both = np.concatenate([c, -c, np.zeros((1, width))])
        shape = len(both), self.n_outputs, self.n_outputs
        factors = Factors([both], [np.broadcast_to(np.eye(self.n_outputs), shape)])
        found = []
        for gaussian in self.network.posteriors():
            covariance = gaussian.covariance(factors)
            variance = np.diagonal(covariance, axis1=-2, axis2=-1)
            found.append(0.5 * (variance[:n] + variance[n:-1]) - variance[-1:])
        return np.sqrt(np.maximum(np.mean(found, axis=0), 0.0)) * self.scale


@dataclass(frozen=True, eq=False)
class DrawnTerm:
    """A term at some values of a column, less its mean over rows.

    Parameters
    ----------
    values : ndarray (n,)
        The column in the rows.
    grid : ndarray (m,)
        Some of them, ascending: numbers, dates, or categories as str.
    term, deviations : ndarray (m, n_outputs)
        The latter None without a posterior.
    spread : float
        The standard deviation of the term over the rows, all outputs together.
    """

    values: np.ndarray
    grid: np.ndarray
    term: np.ndarray
    deviations: np.ndarray | None
    spread: float

    @property
    def n_outputs(self) -> int:
        return self.term.shape[1]


def drawn_terms(found: Reached, X: Any, by: str) -> tuple[list[str], list[DrawnTerm]]:
    """The names and the terms of columns, or of sources of columns, over rows of X."""
    terms, (names, source) = Terms.of(found.net), found.terms(by)
    of_table = found.columns()
    _, rows = found.net._to_predict(found.rows(X))
    rows = rows.toarray() if sparse.issparse(rows) else rows
    rows = np.asarray(rows, dtype=np.float64)
    table: Any = X if hasattr(X, "shape") else np.asarray(X)
    encoded, drawn = terms.encoded(rows), []
    mean = encoded.mean(axis=0)
    for number in range(len(names)):
        columns = np.flatnonzero(source == number)
        first = columns[0]
        if by == "column" or of_table.source[first] == SEVERAL:
            values = rows[:, first]
            grid = terms.grid(first, values)
            at = np.zeros((len(grid), rows.shape[1]))
            at[:, first] = grid
            at = terms.encoded(at)
        else:
            values = _numbers_or_labels(_column(table, of_table, first))
            grid, places = _some_of(values)
            at = encoded[places]
        all_rows, deviations = terms.at(columns, encoded), None
        if terms.has_posterior:
            deviations = terms.deviations(columns, at, mean)
        drawn.append(
            DrawnTerm(
                values,
                grid,
                terms.at(columns, at) - all_rows.mean(axis=0),
                deviations,
                float(np.sqrt(all_rows.var(axis=0).sum())),
            )
        )
    return names, drawn


def _column(table: Any, columns: Columns, first: int) -> Any:
    """The column of a table, (n,), that one behind the steps of a Pipeline is of."""
    number = int(columns.source[first])
    if columns.behind is not None:  # whose columns are in the table by name, or nowhere
        names = list(map(str, getattr(table, "columns", [])))
        if columns.of_table[number] not in names:
            raise ValueError(
                f"by='source' needs steps that name their columns; {columns.behind} "
                "does not (get_feature_names_out). Use by='column'."
            )
        number = names.index(columns.of_table[number])
    if sparse.issparse(table):
        return table.tocsc()[:, [number]].toarray().ravel()
    return table.iloc[:, number] if hasattr(table, "iloc") else table[:, number]


def _numbers_or_labels(column: Any) -> np.ndarray:
    """The values of a column of a table, as floats, dates or, of categories, as str."""
    values = np.asarray(column)
    kind = values.dtype.kind
    if kind in "iuf":
        return values.astype(np.float64)
    if kind == "m":  # in days
        return values / np.timedelta64(1, "D")
    if kind == "M":
        return values
    if kind == "O" and not any(isinstance(v, str) for v in values):
        are_dates = any(isinstance(v, date) for v in values)  # those in a zone, too
        try:  # or a nullable column of numbers
            return np.asarray(column, dtype="datetime64[ns]" if are_dates else float)
        except (TypeError, ValueError):
            pass
    return values.astype(str)


def _some_of(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Different values, ascending, and a row of each.

    Of many numbers or dates some from the least to the largest, of many categories the
    most frequent ones.
    """
    found, places, counts = np.unique(values, return_index=True, return_counts=True)
    if found.dtype.kind in "fM":
        some = np.flatnonzero(np.isfinite(found))  # what was imputed has no value
        at = np.linspace(0, len(some) - 1, min(len(some), MOST_VALUES))
        some = some[at.round().astype(int)]
    else:
        some = np.sort(np.argsort(-counts, kind="stable")[:MOST_CATEGORIES])
    return found[some], places[some]
