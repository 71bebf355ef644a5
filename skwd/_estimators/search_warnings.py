"""What is said of a finished cross-validation: errors, and the warnings."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from sklearn.exceptions import FitFailedWarning

from skwd._cv.problem import Problem
from skwd._cv.results import is_at_an_end
from skwd._cv.scoring import Scores
from skwd._cv.splits import Split
from skwd._data.targets import Targets
from skwd._estimators.warnings import shown_solver, warn, warn_of_late_training
from skwd._solvers.base import Solver
from skwd._solvers.result import SUCCESS, UNUSABLE, Status, is_one_of

# A choice by scores of which more than this part is fixed says little.
UNSEEN = 0.5
# Folds of consecutive rows whose means of y tell so much of its variance, beyond what
# as many folds tell by chance, are unlike each other: y is sorted, or nearly.
SORTED = 0.5
# In fewer rows chance does that now and then, and y must be sorted.
LEAST_ROWS = 50
# Of fewer different values y is rather a class, whose order is no trend.
LEAST_VALUES = 4


def raise_if_none(scores: Scores, scoring) -> None:
    """Raise where nothing can be chosen."""
    n_fits, failure = scores.score.size, ""
    unusable = np.isin(scores.status, UNUSABLE)
    if scores.failures:
        number, alpha, why = scores.failures[0]
        failure = f"alpha={alpha:g}, split {number}: {why}"
    if unusable.all():
        raise ValueError(f"All {n_fits} fits failed. {failure}")
    if len(scores.unscored) == n_fits - unusable.sum():
        raise ValueError(scores.unscored[0][2])
    if np.isnan(scores.score).any(axis=0).all():
        without = "The score of every alpha is nan in some split"
        if unusable.any():
            raise ValueError(f"{without}. {failure}")
        if scores.unscored:
            raise ValueError(f"{without}. {scores.unscored[0][2]}")
        raise ValueError(
            f"{without}: scoring={scoring!r} is not defined on its test rows. Choose "
            "another scorer (R2 needs two rows), or other splits."
        )


def warn_of_scores(scores: Scores, solver: Solver, given, best: int) -> None:
    """One warning for each kind of trouble; of convergence, at the chosen alpha.

    ``given``: the parameters solver and scoring, as attributes.
    """
    unusable, n_fits = np.isin(scores.status, UNUSABLE), scores.score.size
    if unusable.any():
        number, alpha, why = scores.failures[0]
        warn(
            f"{unusable.sum()} of {n_fits} fits failed, and their scores are nan. "
            f"alpha={alpha:g}, split {number}: {why}",
            FitFailedWarning,
        )
    if scores.unscored:
        warn(
            f"{len(scores.unscored)} of {n_fits} scores are nan. "
            f"{scores.unscored[0][2]}"
        )
    elif not np.isfinite(scores.score[~unusable]).all():
        warn(
            f"scoring={given.scoring!r} is not finite for some alphas and splits, see "
            "cv_results_; an alpha whose mean score is nan is never chosen."
        )
    late = ~is_one_of(scores.status[:, best], SUCCESS) & ~unusable[:, best]
    if late.any():
        first = Status(scores.status[late, best][0])
        warn_of_late_training(
            "Some fits of the cross-validation at the chosen alpha have not converged: "
            f"{shown_solver(given.solver, solver)} {first.message} "
            f"(max_iter={solver.max_iter}, tol={solver.tol:g}). "
            f"{solver.remedy(first)}.",
            f"{late.sum()} of {len(late)} fits",
        )


def warn_of_the_end(alphas: np.ndarray, scores: Scores, best: int, grows: bool) -> None:
    """Name it when the best alpha is likely beyond those that were tried."""
    if not is_at_an_end(scores.score.T, best):
        return
    end, beyond = ("lowest", "lower") if best == 0 else ("highest", "higher")
    warn(
        f"alpha_={alphas[best]:.3g} is the {end} of the alphas that were tried, and "
        f"clearly better than the next. Give alphas {beyond} ones"
        + ("." if grows else ", or use alphas=None.")
    )


def warn_of_unseen_classes(
    splits: list[Split], problem: Problem, targets: Targets
) -> None:
    """Name it when most rows to test on are of classes that no network has seen."""
    unseen = n_rows = 0
    for split in splits:
        lacking = split.targets.missing(targets)
        if lacking:
            unseen += int(np.isin(problem.data.y[split.test], lacking).sum())
        n_rows += len(split.test)
    if unseen > UNSEEN * n_rows:
        warn(
            f"{unseen} of {n_rows} rows that cv tests on are of classes that the rows "
            "trained on lack, and are predicted wrongly at every alpha: the scores say "
            "next to nothing. Use cv=5, which keeps the classes in proportion, or "
            "shuffled folds."
        )


def warn_of_order(y, rows: list[tuple], classifier: bool) -> None:
    """Name it when y is sorted, and the folds are consecutive rows of it."""
    if classifier or sparse.issparse(y):
        return  # the folds of a classifier have the classes in proportion
    y = np.asarray(y, dtype=np.float64).reshape(len(y), -1)
    if any(_is_in_order(target, [test for _, test in rows]) for target in y.T):
        warn(
            "y is in an order that makes the folds of cv unlike each other: each is "
            "predicted from rows that are unlike its own. Use KFold(5, shuffle=True), "
            "or TimeSeriesSplit() if the order is one in time."
        )


def _is_in_order(y: np.ndarray, folds: list[np.ndarray]) -> bool:
    """Whether y (n,), where it is no NaN, is in an order that sets folds apart."""
    is_known = ~np.isnan(y)
    parts = [part for fold in folds if len(part := y[fold][is_known[fold]])]
    known = y[is_known]
    n, n_within = len(known), len(known) - len(parts)
    if n_within <= 0 or len(parts) < 2:  # single rows have their likes in other folds
        return False
    if len(np.unique(known)) < LEAST_VALUES:
        return False
    steps = np.diff(known)
    if n < LEAST_ROWS and not ((steps >= 0.0).all() or (steps <= 0.0).all()):
        return False
    with np.errstate(over="ignore"):
        within = sum(np.square(part - part.mean()).sum() for part in parts)
        total = np.square(known - known.mean()).sum()
    return within / n_within < (1.0 - SORTED) * total / (n - 1)
