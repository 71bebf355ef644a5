"""What a worker of a cross-validation does: train a chunk, and score its networks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from inspect import signature
from numbers import Real
from time import perf_counter
from typing import Any

import numpy as np
import sklearn.metrics
from sklearn.metrics import check_scoring, get_scorer, make_scorer

from skwd._alpha.choice import AlphaChoice
from skwd._core.blas import ONE_BLAS_THREAD
from skwd._core.loss import Loss
from skwd._cv.splits import Split
from skwd._data.missing import as_numbers
from skwd._data.targets import Targets
from skwd._solvers.failures import check_any_usable
from skwd._solvers.monitor import Interrupt
from skwd._solvers.result import SUCCESS, Status, is_one_of
from skwd._solvers.task import train_path


@dataclass
class CellScorer:
    """How the networks of a search are scored.

    Parameters
    ----------
    fitted : callable
        From a split, its trained restarts, their alpha and all classes, or None, to the
        estimator that a scorer takes.
    scorer : callable
    X, y
        As the user gave them where they are tables, else as arrays.
    params : dict
        Further arguments of the scorer, sliced where they have all rows.
    targets : Targets
        Those of all rows.
    ensemble : bool
        Whether all restarts predict.
    """

    fitted: Callable[..., Any]
    scorer: Callable
    X: Any
    y: Any
    params: dict
    targets: Targets
    ensemble: bool

    def score(self, split: Split, trained: AlphaChoice, alpha: float) -> float:
        """The score of some trained restarts at ``alpha``.

        Where it is not a number as a class is missing from the rows to train or to test
        on, the scorer is told all ``labels``, if it takes them: those that the network
        has not seen have probability 0.
        """
        fitted = self.fitted(split, trained, alpha)
        n_samples = _length(self.y)
        # Copies for each, as scorers may do with them as they like.
        X, y, *values = (
            rows_of(value, split.test) if _length(value) == n_samples else value
            for value in (self.X, self.y, *self.params.values())
        )
        y = split.targets.hidden(y)
        params = dict(zip(self.params, values))
        cell = f"alpha={alpha:g} in split {split.number}"
        where = f"scoring={self.scorer!r} failed for {cell}"
        absent = split.targets.missing(self.targets) or self.targets.absent(y)
        labelled = labelled_scorer(self.scorer, self.targets) if absent else None
        try:
            score = self.scorer(fitted, X, y, **params)
        except Exception as error:
            score = error
        is_nan = isinstance(score, Real) and score != score
        if labelled is not None and (isinstance(score, Exception) or is_nan):
            try:
                classes = self.targets.fitted()["classes_"]
                known = self.fitted(split, trained, alpha, classes)
                score = labelled(known, X, y, **params)
            except Exception as error:
                score = error
        if isinstance(score, Exception):
            raise ScorerError(
                f"{where}: {score!r}. Choose a scorer that suits these targets."
            ) from score
        if hasattr(score, "item") and np.ndim(score) == 0:
            score = score.item()
        if not isinstance(score, Real):
            raise ScorerError(
                f"{where}: it must return one number; got {score!r}. Choose the one "
                "score that alpha is to be best by."
            )
        return float(score)


class ScorerError(ValueError):
    """A scorer that raised, or gave no number."""


@dataclass
class Scores:
    """The scores of F splits at A alphas; every array is (F, A)."""

    score: np.ndarray  # nan where no restart has usable weights
    fit_time: np.ndarray  # seconds: an equal share of the chunk's
    score_time: np.ndarray
    status: np.ndarray  # the worst of the networks that predict
    n_columns: np.ndarray  # of X that the best network has left; nan where all are
    failures: list[tuple]  # (split, alpha, why) of those without usable weights
    unscored: list[tuple]  # (split, alpha, why) where the scorer failed

    @classmethod
    def unknown(cls, n_splits: int, n_alphas: int) -> Scores:
        shape = n_splits, n_alphas
        score, status = np.full(shape, np.nan), np.full(shape, int(Status.RUNNING))
        unknown = np.full(shape, np.nan)
        return cls(score, np.zeros(shape), np.zeros(shape), status, unknown, [], [])

    def take(self, splits: list[int], alphas: list[int], others: Scores) -> None:
        """Put others in the place of some splits and alphas, by their numbers."""
        cells = np.ix_(splits, alphas)
        for name in ARRAYS:
            getattr(self, name)[cells] = getattr(others, name)
        self.failures.extend(others.failures)
        self.unscored.extend(others.unscored)

    def followed_by(self, others: Scores) -> Scores:
        """These scores and those of further alphas, above these."""
        joined: dict[str, Any] = {
            name: np.concatenate([getattr(self, name), getattr(others, name)], axis=1)
            for name in ARRAYS
        }
        failures = sorted(self.failures + others.failures)
        unscored = sorted(self.unscored + others.unscored)
        return Scores(**joined, failures=failures, unscored=unscored)


ARRAYS = ("score", "fit_time", "score_time", "status", "n_columns")


@ONE_BLAS_THREAD
def train_and_score(
    splits: list[Split],
    alphas: np.ndarray,
    cell_scorer: CellScorer,
    interrupt: Interrupt | None,
) -> Scores:
    """Train splits x alphas x restarts as one stack, and score each split and alpha.

    ``alphas`` (A,); the scores are (F, A).
    """
    start = perf_counter()
    tasks = [split.task for split in splits]
    of_groups = np.repeat(alphas[:, np.newaxis], tasks[0].groups.n_groups, axis=1)
    trained = AlphaChoice.of(train_path(tasks, of_groups, interrupt))
    scores = Scores.unknown(len(splits), len(alphas))
    scores.fit_time[:] = (perf_counter() - start) / scores.score.size
    n_init = len(tasks[0].params0)
    numbers = np.arange(scores.score.size * n_init).reshape(*scores.score.shape, n_init)
    for f, split in enumerate(splits):
        for a, alpha in enumerate(alphas):
            start = perf_counter()
            restarts = trained[numbers[f, a]]
            try:
                check_any_usable(restarts, split.task)
            except ValueError as error:
                scores.status[f, a] = restarts.status[0]
                scores.failures.append((split.number, float(alpha), str(error)))
                continue
            predicting = restarts.predicting(cell_scorer.ensemble)
            status = restarts.status[predicting]
            scores.status[f, a] = status[np.argmin(is_one_of(status, SUCCESS))]
            if not split.task.penalty.is_smooth:
                best = restarts.params[[restarts.best]]
                is_left = split.task.layout.columns_left(best)
                scores.n_columns[f, a] = np.count_nonzero(is_left)
            try:
                scores.score[f, a] = cell_scorer.score(split, restarts, float(alpha))
            except ScorerError as error:
                scores.unscored.append((split.number, float(alpha), str(error)))
            scores.score_time[f, a] = perf_counter() - start
    return scores


def scorer_of(estimator: Any, scoring: Any) -> Callable:
    """The scorer that ``scoring`` names."""
    if not isinstance(scoring, str) and not callable(scoring):
        raise ValueError(
            "scoring must be the name of a scorer, a callable or None, for alpha can "
            f"be best by one score only; got {scoring!r}. Choose one of them."
        )
    return check_scoring(estimator, scoring)


def scorer_of_loss(loss: Loss, masked: bool) -> Callable:
    """The scorer of ``scoring=None``: R2, or minus the metric that a loss goes by.

    Where ``masked``, it is that of the targets that are known.
    """
    name, arguments = loss.metric
    if name == "r2_score" and not masked:
        return get_scorer("r2")
    how = {"metric": name, **arguments}
    return make_scorer(known_score, greater_is_better=name == "r2_score", **how)


def known_score(y_true, y_pred, *, sample_weight=None, metric: str, **arguments):
    """The mean over outputs of a metric of the targets that are known.

    Outputs with too few known targets are left out: R2 takes two. Without any other it
    is nan.
    """
    y_true = as_numbers(y_true).reshape(len(y_true), -1)
    y_pred = np.asarray(y_pred).reshape(y_true.shape)
    found = []
    for y, predicted in zip(y_true.T, y_pred.T):
        known = ~np.isnan(y)
        if np.count_nonzero(known) < (2 if metric == "r2_score" else 1):
            continue
        weight = None if sample_weight is None else np.asarray(sample_weight)[known]
        how = {"sample_weight": weight, **arguments}
        found.append(
            getattr(sklearn.metrics, metric)(y[known], predicted[known], **how)
        )
    return float(np.mean(found)) if found else np.nan


def labelled_scorer(scorer, targets: Targets):
    """The scorer told all classes, as LogisticRegressionCV does; None if it cannot."""
    score_function = getattr(scorer, "_score_func", None)
    classes = targets.fitted().get("classes_")
    if score_function is None or classes is None:
        return None
    takes = signature(score_function).parameters
    if "labels" not in takes:
        return None
    callback = {**getattr(scorer, "_kwargs", {}), "labels": classes}
    if len(classes) == 2 and "pos_label" in takes:
        callback.setdefault("pos_label", classes[-1])
    return make_scorer(
        score_function,
        response_method=getattr(scorer, "_response_method", "predict"),
        greater_is_better=getattr(scorer, "_sign", 1) > 0,
        **callback,
    )


def takes_sample_weight(scorer) -> bool:
    """Whether a scorer can weight the samples."""
    score_function = getattr(scorer, "_score_func", scorer)
    return "sample_weight" in signature(score_function).parameters


def _length(value) -> int | None:
    if hasattr(value, "shape"):
        return value.shape[0] if value.shape else None
    return len(value) if isinstance(value, (list, tuple)) else None


def rows_of(value, rows: np.ndarray):
    """Some rows of an array, a sparse matrix, a table or a list."""
    if isinstance(value, (list, tuple)):
        return [value[row] for row in rows]
    return value.iloc[rows] if hasattr(value, "iloc") else value[rows]
