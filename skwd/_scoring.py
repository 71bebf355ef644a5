"""What a worker of a cross-validation does: train a chunk, and score its networks."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from inspect import signature
from numbers import Real
from time import perf_counter
from typing import NamedTuple

import numpy as np
from sklearn.base import is_classifier
from sklearn.metrics import check_scoring, get_scorer

from skwd._monitor import Interrupt
from skwd._path import Problem, train_path
from skwd._report import check_not_lost
from skwd._result import Status, succeeded
from skwd._targets import Targets


class Split(NamedTuple):
    """The training rows of one split, ready to train on, and its test rows."""

    number: int
    problem: Problem
    targets: Targets
    test: np.ndarray


@dataclass
class Judge:
    """How fitted estimators are scored."""

    estimator: object  # of one alpha, with its parameters but not fitted
    scorer: object
    X: object  # as the user gave it where that is a table, else as an array; so is y
    y: object
    params: dict  # further arguments of the scorer, sliced where they have all rows

    def score(self, split: Split, trained, alpha: float) -> float:
        """The score of some trained restarts at ``alpha``."""
        fitted = copy.copy(self.estimator)
        fitted.alpha = alpha
        fitted._store(split.problem, split.targets, trained, alpha)
        n_samples = _length(self.y)
        # Copies for each, as scorers may do with them as they like.
        X, y, *values = (
            _rows(value, split.test) if _length(value) == n_samples else value
            for value in (self.X, self.y, *self.params.values())
        )
        params = dict(zip(self.params, values))
        cell = f"alpha={alpha:g} in split {split.number}"
        where = f"scoring={self.scorer!r} failed for {cell}"
        try:
            score = self.scorer(fitted, X, y, **params)
        except Exception as error:
            raise ValueError(
                f"{where}: {error!r}. Choose a scorer that suits these targets."
            ) from error
        if hasattr(score, "item") and np.ndim(score) == 0:
            score = score.item()
        if not isinstance(score, Real):
            raise ValueError(
                f"{where}: it must return one number; got {score!r}. Choose the one "
                "score that alpha is to be best by."
            )
        return float(score)


@dataclass
class Scores:
    """Of F splits at A alphas; every array is (F, A)."""

    score: np.ndarray  # nan where all restarts were lost
    fit_time: np.ndarray  # seconds: an equal share of the chunk's
    score_time: np.ndarray
    status: np.ndarray  # the worst of the networks that predict
    failures: list[tuple]  # (split, alpha, why) where networks were lost

    @classmethod
    def unknown(cls, n_splits: int, n_alphas: int) -> Scores:
        shape = n_splits, n_alphas
        score, status = np.full(shape, np.nan), np.full(shape, int(Status.RUNNING))
        return cls(score, np.zeros(shape), np.zeros(shape), status, [])


def train_and_score(
    splits: list[Split], alphas: np.ndarray, judge: Judge, interrupt: Interrupt | None
) -> Scores:
    """Train splits x alphas x restarts as one stack, and score each split and alpha.

    ``alphas`` (A,); the scores are (F, A).
    """
    start = perf_counter()
    problems = [split.problem for split in splits]
    n_layers = problems[0].layout.n_weight_layers
    per_layer = np.repeat(alphas[:, np.newaxis], n_layers, axis=1)
    trained = train_path(problems, per_layer, interrupt)
    scores = Scores.unknown(len(splits), len(alphas))
    scores.fit_time[:] = (perf_counter() - start) / scores.score.size
    n_init = len(problems[0].params0)
    numbers = np.arange(scores.score.size * n_init).reshape(*scores.score.shape, n_init)
    for f, split in enumerate(splits):
        for a, alpha in enumerate(alphas):
            start = perf_counter()
            restarts = trained[numbers[f, a]]
            try:
                check_not_lost(restarts, split.problem.settings)
            except ValueError as error:
                scores.status[f, a] = restarts.status[0]
                scores.failures.append((split.number, float(alpha), str(error)))
                continue
            predicting = restarts.predicting(judge.estimator.ensemble)
            status = restarts.status[predicting]
            scores.status[f, a] = status[np.argmin(succeeded(status))]
            scores.score[f, a] = judge.score(split, restarts, float(alpha))
            scores.score_time[f, a] = perf_counter() - start
    return scores


def single_scorer(estimator, scoring):
    """The scorer that ``scoring`` names; None is the estimator's own score."""
    if scoring is None:
        # By name: the estimator's own method would route metadata back to it.
        return get_scorer("accuracy" if is_classifier(estimator) else "r2")
    if not isinstance(scoring, str) and not callable(scoring):
        raise ValueError(
            "scoring must be the name of a scorer, a callable or None, for alpha can "
            f"be best by one score only; got {scoring!r}. Choose one of them."
        )
    return check_scoring(estimator, scoring)


def takes_sample_weight(scorer) -> bool:
    """Whether a scorer can weight the samples."""
    score_function = getattr(scorer, "_score_func", scorer)
    return "sample_weight" in signature(score_function).parameters


def _length(value) -> int | None:
    if hasattr(value, "shape"):
        return value.shape[0] if value.shape else None
    return len(value) if isinstance(value, (list, tuple)) else None


def _rows(value, rows: np.ndarray):
    """Some rows of an array, a sparse matrix, a table or a list."""
    if isinstance(value, (list, tuple)):
        return [value[row] for row in rows]
    return value.iloc[rows] if hasattr(value, "iloc") else value[rows]
