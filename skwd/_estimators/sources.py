"""Which column of a table each column that the network sees was made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

# Of columns that were made of several, or of none that is known.
SEVERAL = -1


@dataclass
class Columns:
    """Columns somewhere in a Pipeline.

    Parameters
    ----------
    names : list of str
    source : ndarray of int (n_columns,)
        The number of the table's column that each was made of, or SEVERAL.
    of_table : list of str
        The names of the table's columns.
    behind : str, optional
        A step that does not name its columns, where the table is what came after it.
    """

    names: list[str]
    source: np.ndarray
    of_table: list[str]
    behind: str | None = None

    @classmethod
    def of(cls, n_columns: int, names=None) -> Columns:
        """Those of a table, by their names or numbers."""
        if names is None:
            names = [f"column {j}" for j in range(n_columns)]
        names = [str(name) for name in names]
        return cls(names, np.arange(n_columns), names)

    def took(self, names, origin: np.ndarray) -> Columns:
        """What these columns have become: of which each is made, (n,)."""
        source = np.append(self.source, SEVERAL)[origin]
        return Columns([str(name) for name in names], source, self.of_table)

    def by_source(self) -> tuple[list[str], np.ndarray]:
        """The names of the sources that there are, and the one of each column, (n,).

        A column of several sources stands for itself.
        """
        names: list[str] = []
        numbers: dict[Any, int] = {}
        found = np.empty(len(self.names), dtype=np.intp)
        for j, source in enumerate(map(int, self.source)):
            alone = source == SEVERAL
            key = self.names[j] if alone else source
            if key not in numbers:
                numbers[key] = len(names)
                names.append(self.names[j] if alone else self.of_table[source])
            found[j] = numbers[key]
        return names, found


def source_groups(transformer, X=None, y=None) -> list[list[int]]:
    """Groups of the columns that a transformer makes of one column each.

    For ``alpha_groups``: the one-hot columns of a category, or the columns of a spline,
    then share an alpha, so that they stay or leave together. Columns that are the only
    one of their source are in no group, and have an alpha of their own.

    Parameters
    ----------
    transformer : ColumnTransformer, Pipeline or any transformer of scikit-learn
        What comes before the estimator in a Pipeline. Fitted, unless ``X`` is given.
    X : array-like of shape (n_samples, n_columns), optional
        The table, to which a copy of ``transformer`` is fitted.
    y : array-like of shape (n_samples,), optional
        Targets, for transformers that ask for them.

    Returns
    -------
    groups : list of lists of int
        The numbers of the columns that the transformer gives, in their order.

    Raises
    ------
    NotFittedError
        For a transformer that is not fitted, without ``X``.

    See Also
    --------
    WeightDecayMLPRegressor : Takes them as ``alpha_groups``.
    RelevanceDisplay : Sums what one source became, with ``by="source"``.

    Notes
    -----
    Numbers count the columns of this table. Where a fold may lack a category, give the
    encoder its ``categories``, so that they mean the same in every fold.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.compose import make_column_transformer
    >>> from sklearn.preprocessing import OneHotEncoder, StandardScaler
    >>> from skwd import source_groups
    >>> table = pd.DataFrame({"size": [1.0, 2.0, 4.0], "town": ["A", "B", "C"]})
    >>> columns = make_column_transformer(
    ...     (StandardScaler(), ["size"]), (OneHotEncoder(), ["town"])
    ... )
    >>> source_groups(columns, table)
    [[1, 2, 3]]
    """
    if not hasattr(transformer, "fit"):
        raise TypeError(
            "transformer must be a transformer of scikit-learn, as a ColumnTransformer;"
            f" got {type(transformer).__name__}. Use source_groups(transformer, X), in "
            "this order."
        )
    if X is not None:
        transformer = clone(transformer).fit(X, y)
    check_is_fitted(transformer)
    columns = columns_behind(transformer, None)
    if columns is None:
        return []
    _, source = columns.by_source()
    members = [
        np.flatnonzero(source == k) for k in range(int(source.max(initial=-1)) + 1)
    ]
    return [group.tolist() for group in members if len(group) > 1]


def columns_behind(step, before: Columns | None) -> Columns | None:
    """The columns that a fitted step of a Pipeline gives; None where it cannot say.

    ``before`` are those that it was given; None are those that it has seen.
    """
    if keeps_columns(step):
        return before
    if before is None and hasattr(step, "steps"):  # the first may be no step at all
        for _, one in step.steps:
            after = columns_behind(one, before)
            if after is None and not keeps_columns(one):
                return None
            before = after
        return before
    if before is None:
        n_columns = getattr(step, "n_features_in_", None)
        if n_columns is None:
            return None
        before = Columns.of(n_columns, getattr(step, "feature_names_in_", None))
    try:
        names, origin = _made_of(step, before.names)
    except (AttributeError, TypeError, ValueError):  # it does not name its columns
        return None
    return before.took(names, origin)


def keeps_columns(step) -> bool:
    """Whether it is no step at all, or one that takes and adds rows."""
    if step is None or isinstance(step, str):  # "passthrough"
        return True
    return hasattr(step, "fit_resample") and not hasattr(step, "transform")


def _made_of(step, names: list[str]) -> tuple[list[str], np.ndarray]:
    """The names of what a transformer gives, and the number of what each is made of."""
    if keeps_columns(step):
        return names, np.arange(len(names))
    if hasattr(step, "steps"):  # a Pipeline
        found = Columns.of(len(names), names)
        for _, one in step.steps:
            found = found.took(*_made_of(one, found.names))
        return found.names, found.source
    own = getattr(step, "feature_names_in_", None)
    asked = np.asarray(names, dtype=object) if own is None else own
    out = [str(name) for name in step.get_feature_names_out(asked)]
    if out == names:
        origin = np.arange(len(names))
    elif hasattr(step, "output_indices_"):  # a ColumnTransformer
        origin = _of_column_transformer(step, names, len(out))
    elif hasattr(step, "transformer_list"):  # a FeatureUnion
        parts = [one for _, one in step.transformer_list if one not in (None, "drop")]
        origin = np.concatenate([_made_of(one, names)[1] for one in parts])
    elif hasattr(step, "powers_"):  # polynomials, of which some are of one column
        of_one = np.count_nonzero(step.powers_, axis=1) == 1
        origin = np.where(of_one, np.argmax(step.powers_, axis=1), SEVERAL)
    elif hasattr(step, "get_support"):  # a selector
        origin = step.get_support(indices=True)
    elif sum(counts := _columns_of_each(step)) == len(out):
        origin = np.repeat(np.arange(len(counts)), counts)
    else:
        origin = np.array([_by_name(name, names) for name in out], dtype=np.intp)
    return out, origin


def _of_column_transformer(step, names: list[str], n_out: int) -> np.ndarray:
    origin = np.full(n_out, SEVERAL)
    for name, one, chosen in step.transformers_:
        place = step.output_indices_[name]
        if place.stop > place.start:
            listed = _numbers(chosen, names)
            _, inside = _made_of(one, [names[j] for j in listed])
            origin[place] = np.append(listed, SEVERAL)[inside]
    return origin


def _numbers(chosen, names: list[str]) -> np.ndarray:
    """The numbers of columns that are chosen as a ColumnTransformer lets one do it."""
    if isinstance(chosen, slice) and isinstance(chosen.start or chosen.stop, str):
        start = 0 if chosen.start is None else names.index(chosen.start)
        stop = None if chosen.stop is None else names.index(chosen.stop) + 1
        chosen = slice(start, stop, chosen.step)
    if not isinstance(chosen, slice):
        chosen = np.atleast_1d(chosen)
        if chosen.dtype.kind not in "iub":
            return np.array([names.index(column) for column in chosen], dtype=np.intp)
    return np.arange(len(names))[chosen]


def _columns_of_each(step) -> list[int]:
    """How many columns an encoder by categories makes of each."""
    counts = [len(categories) for categories in getattr(step, "categories_", [])]
    if hasattr(step, "encodings_"):  # a TargetEncoder: means of y, or of each class
        return [len(step.encodings_) // len(counts)] * len(counts)
    infrequent = getattr(step, "infrequent_categories_", None)
    if infrequent is not None:
        rare = [0 if one is None else len(one) - 1 for one in infrequent]
        counts = [n - fewer for n, fewer in zip(counts, rare)]
    dropped = getattr(step, "drop_idx_", None)
    if dropped is not None:
        counts = [n - (one is not None) for n, one in zip(counts, dropped)]
    return counts


def _by_name(name: str, names: list[str]) -> int:
    """The column that another is named after: itself, or with something added."""
    if name in names:
        return names.index(name)
    after = [one for one in names if name.startswith(f"{one}_")]
    if not after:  # as of an indicator of missing values
        after = [one for one in names if name.endswith(f"_{one}")]
    return names.index(max(after, key=len)) if after else SEVERAL
