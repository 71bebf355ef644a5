"""Which alphas a fitted estimator, or one inside it, has compared, and their scores."""

from __future__ import annotations

from numbers import Real

import numpy as np

from skwd._cv.results import split_scores
from skwd._estimators.wrappers import inner_of


def path_of(estimator) -> dict:
    """The path that a fitted estimator, or one inside it, has compared.

    Raises ValueError where there is none.
    """
    if hasattr(estimator, "cv_results_") and hasattr(estimator, "best_params_"):
        found = _grid_over_alpha(estimator)
        if found is not None:
            return found
    inner = inner_of(estimator)
    if inner is not None:
        return path_of(inner)
    if not hasattr(estimator, "alphas_"):
        given = (
            f"alpha={estimator.alpha!r}" if hasattr(estimator, "alpha") else estimator
        )
        raise ValueError(
            f"{given} has no path of alphas to draw. Fit with alpha='loo' or 'gcv', or "
            "a CV estimator, or search over alpha."
        )
    of_splits = hasattr(estimator, "cv_results_")
    return {
        "alphas": estimator.alphas_,
        "scores": split_scores(estimator.cv_results_)
        if of_splits
        else estimator.alpha_scores_[:, np.newaxis],
        "std_errors": None if of_splits else estimator.alpha_score_errors_,
        "alpha": estimator.alpha_ if np.ndim(estimator.alpha_) == 0 else None,
        "scoring": estimator._fitted.scoring if of_splits else _loss_name(estimator),
        "columns_left": estimator.cv_results_.get("mean_columns_left")
        if of_splits
        else None,
    }


def _grid_over_alpha(search) -> dict | None:
    """The path of a search of scikit-learn over alpha alone; None: over something else.

    With other parameters beside alpha it is the part that shares their best values.
    """
    params, best = search.cv_results_["params"], search.best_params_
    names = [name for name in best if name.split("__")[-1] == "alpha"]
    if len(names) != 1 or not isinstance(best[names[0]], Real):
        return None
    others = {name: value for name, value in best.items() if name != names[0]}
    alike = [
        number
        for number, one in enumerate(params)
        if isinstance(one.get(names[0]), Real)
        and all(one.get(name) == value for name, value in others.items())
    ]
    alphas = np.array([float(params[number][names[0]]) for number in alike])
    order = np.argsort(alphas)
    scores = split_scores(search.cv_results_)[np.array(alike)[order]]
    return {
        "alphas": alphas[order],
        "scores": scores,
        "std_errors": None,
        "alpha": float(best[names[0]]),
        "scoring": search.scoring,
    }


def _loss_name(estimator) -> str:
    """What a search without splits has estimated: GCV has no standard errors."""
    if getattr(estimator, "alpha_choice_", None) is not None:
        return "neg_held-out_loss"
    if estimator.alpha_score_errors_ is None:
        return "neg_generalized_cross-validation"
    return "neg_leave-one-out_loss"
