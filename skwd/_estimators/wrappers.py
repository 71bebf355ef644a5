"""From searches, pipelines and wrappers to the estimator inside, and its columns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from skwd._estimators.base import BaseWeightDecayMLP
from skwd._estimators.sources import Columns, columns_behind, keeps_columns


def inner_of(estimator):
    """The fitted estimator inside a search, pipeline or wrapper, or None."""
    if isinstance(estimator, BaseWeightDecayMLP):
        return None
    if isinstance(estimator, FrozenEstimator):
        return estimator.estimator
    if hasattr(estimator, "estimators_"):  # several, and a template of them
        return None
    for name in ("best_estimator_", "regressor_", "estimator_"):
        if hasattr(estimator, name):
            return getattr(estimator, name)
    return estimator.steps[-1][1] if hasattr(estimator, "steps") else None


def _selects_columns(wrapper) -> bool:
    """Whether it fits its estimator to some of the columns, as RFE does."""
    return hasattr(wrapper, "ranking_") and hasattr(wrapper, "transform")


@dataclass
class Reached:
    """An estimator of this package and the wrappers that were opened to reach it.

    Parameters
    ----------
    net : estimator of this package
        Fitted.
    wrappers : list
        From the outside in.
    """

    net: Any
    wrappers: list

    def rows(self, X):
        """X as the estimator sees it, behind the steps of each Pipeline."""
        for wrapper in self.wrappers:
            if hasattr(wrapper, "steps"):
                X = wrapper[:-1].transform(X) if len(wrapper.steps) > 1 else X
            elif _selects_columns(wrapper):
                X = wrapper.transform(X)
        return X

    def transformed(self, X, y: np.ndarray) -> tuple:
        """X and y as the estimator sees them.

        A TransformedTargetRegressor transforms y, and what covers y there covers it
        here, as its functions are monotone.
        """
        for wrapper in self.wrappers:
            if hasattr(wrapper, "transformer_"):
                columns = y.reshape(len(y), -1) if y.ndim == 1 else y
                y = np.asarray(wrapper.transformer_.transform(columns))
        return self.rows(X), y

    def columns(self) -> Columns:
        """The names of the columns of X there, and which column each comes from."""
        found, behind = None, None
        steps: list[Any] = []
        for wrapper in self.wrappers:
            if _selects_columns(wrapper):
                steps.append(wrapper)
            for _, step in getattr(wrapper, "steps", [])[:-1]:
                steps += [] if keeps_columns(step) else [step]
        for step in steps:
            found = columns_behind(step, found)
            if found is None:
                behind = type(step).__name__
        n_columns = self.net.n_features_in_
        if found is None or len(found.names) != n_columns:
            behind = type(steps[-1]).__name__ if steps else None
            names = getattr(self.net, "feature_names_in_", None)
            found = Columns.of(n_columns, names)
        return replace(found, behind=behind)

    def terms(self, by: str) -> tuple[list[str], np.ndarray]:
        """Names of columns or sources, and each column's number among them, (n,)."""
        if not (isinstance(by, str) and by in ("column", "source")):
            raise ValueError(
                f"by must be 'column' or 'source'; got {by!r}. Use by='source' for "
                "what the columns of a table became behind the steps of a Pipeline."
            )
        columns = self.columns()
        if by == "source":
            return columns.by_source()
        return columns.names, np.arange(len(columns.names))


def foreign(inner, who: str) -> ValueError:
    """The error of the display ``who`` where an estimator inside is another's."""
    return ValueError(
        f"{who} draws estimators of skwd, and Pipelines, searches and wrappers that "
        f"end in one; got {type(inner).__name__}. Give it one of those."
    )


def reached(estimator, who: str) -> Reached:
    """The estimator of this package inside all wrappers, for the display ``who``."""
    check_is_fitted(estimator)
    inner, wrappers = estimator, []
    while (deeper := inner_of(inner)) is not None:
        if not isinstance(inner, FrozenEstimator):  # which has all that is inside
            wrappers.append(inner)
        inner = deeper
    if not isinstance(inner, BaseWeightDecayMLP):
        raise foreign(inner, who)
    check_is_fitted(inner)
    return Reached(inner, wrappers)
