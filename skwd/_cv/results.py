"""From the scores of splits x alphas to the table of results and the chosen alpha."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.stats import rankdata

from skwd._alpha.scales import LOWEST
from skwd._cv.scoring import Scores

RULES = ("best", "1se")
# The grid of alphas=None, in units of `alpha_scale`. It grows by two of its steps while
# its lowest alpha is the best. A third: errors 1.04, worst 1.24, in 1.4 times the work;
# three times: no worse, in .65 of it (four tables).
GRID = 10.0 ** np.linspace(-3.0, 0.0, 7)


def grown_grid(
    scale: float, scored: Callable[[np.ndarray], Scores]
) -> tuple[np.ndarray, Scores]:
    """A grid that suits the data, ascending, and its scores.

    Parameters
    ----------
    scale : float
        At about this alpha a network collapses to a constant.
    scored : callable
        From some alphas to their scores.
    """
    alphas = scale * GRID
    scores = scored(alphas)
    while alphas[0] > LOWEST * scale and is_at_an_end(scores.score.T, 0):
        more = alphas[0] * GRID[-3:-1]
        scores = scored(more).followed_by(scores)
        alphas = np.concatenate([more, alphas])
    return alphas, scores


@np.errstate(invalid="ignore")  # of scores that are infinite
def is_at_an_end(scores: np.ndarray, end: int) -> bool:
    """Whether the alpha numbered ``end``, the first or last, is clearly the best.

    By more than one standard error of its difference from the next; of a single split
    by any difference. ``scores`` (A, F).
    """
    n_alphas, n_splits = scores.shape
    mean = scores.mean(axis=1)
    if end not in (0, n_alphas - 1) or n_alphas < 2 or not mean[end] >= np.nanmax(mean):
        return False
    gain = scores[end] - scores[1 if end == 0 else n_alphas - 2]
    error = gain.std(ddof=1) / np.sqrt(n_splits) if n_splits > 1 else 0.0
    return bool(gain.mean() > error)


def results_table(alphas: np.ndarray, scores: Scores) -> dict:
    """cv_results_, with the keys that GridSearchCV has for a grid over alpha."""
    results: dict[str, Any] = {}
    for name, values in (("fit", scores.fit_time), ("score", scores.score_time)):
        results[f"mean_{name}_time"], results[f"std_{name}_time"] = _moments(values.T)
    results["param_alpha"] = np.ma.masked_array(alphas, mask=False)
    results["params"] = [{"alpha": float(alpha)} for alpha in alphas]
    for number, split in enumerate(scores.score):
        results[f"split{number}_test_score"] = split.copy()
    if not np.isnan(scores.n_columns).all():
        results["mean_columns_left"] = scores.n_columns.mean(axis=0)
    mean, std = _moments(scores.score.T)
    results["mean_test_score"], results["std_test_score"] = mean, std
    # Without a score is worse than any score.
    known = np.where(np.isnan(mean), np.nanmin(mean) - 1.0, mean)
    results["rank_test_score"] = rankdata(-known, method="min").astype(np.int32)
    return results


@np.errstate(invalid="ignore")  # of scores that are infinite
def _moments(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation (ddof=0) over the splits: (A, F) -> (A,), (A,)."""
    values = np.ascontiguousarray(values)
    return values.mean(axis=1), values.std(axis=1)


def split_scores(results: dict, name: str = "score") -> np.ndarray:
    """The scores of this name in a cv_results_, (n_alphas, n_splits)."""
    n_splits = sum(
        key.startswith("split") and key.endswith(f"_test_{name}") for key in results
    )
    parts = [results[f"split{number}_test_{name}"] for number in range(n_splits)]
    return np.stack(parts, axis=1)


def choose(scores: np.ndarray, rule: str) -> int:
    """The number of the chosen alpha; ``scores`` (A, F) by ascending alphas.

    "best" is the highest mean, the smallest alpha of equals. "1se" is the largest alpha
    whose mean is no more than one standard error, that of the best over the splits,
    below it (Breiman et al. 1984; lambda.1se of glmnet).
    """
    mean = scores.mean(axis=1)
    best = int(np.nanargmax(mean))
    if rule == "best":
        return best
    if not np.isfinite(scores[best]).all():
        return best  # infinite scores have no standard error
    error = scores[best].std(ddof=1) / np.sqrt(scores.shape[1])
    return int(np.flatnonzero(mean >= mean[best] - error)[-1])
