"""Which alphas a fitted estimator, or one inside it, has compared, and their scores."""

from __future__ import annotations

from numbers import Real

import numpy as np
from sklearn.base import is_classifier, is_regressor

from skwd._cv.results import split_scores
from skwd._estimators.base import BaseWeightDecayMLP
from skwd._estimators.wrappers import foreign, inner_of


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
    if not isinstance(estimator, BaseWeightDecayMLP):
        raise foreign(estimator, "AlphaPathDisplay")
    if not hasattr(estimator, "alphas_"):
        given = getattr(estimator, "alpha", None)
        choice = getattr(estimator, "alpha_choice_", None)  # of too few rows, say
        why = "" if choice is None else f": {choice['reason']}"
        likelihood = estimator._fitted.targets.loss.likelihood
        has_noise = likelihood is not None and likelihood.estimates_noise
        by_name = ["auto"] * (given != "auto")
        by_name += ["loo"] * (likelihood is not None) + ["gcv"] * has_noise
        named = " or ".join(map(repr, by_name)).replace(" or ", ", ", len(by_name) - 2)
        named = f"alpha={named}, or " if by_name else ""
        raise ValueError(
            f"alpha={given!r} has no path of alphas to draw{why}. Fit with {named}a CV "
            "form, or search over alpha."
        )
    of_splits, fitted = hasattr(estimator, "cv_results_"), estimator._fitted
    model = fitted.path_model
    is_other = fitted.model not in (None, model)  # what was taken has no path
    if is_other:
        model = f"{model};\nchosen: {fitted.model}"
    has_one_alpha = np.ndim(estimator.alpha_) == 0
    return {
        "alphas": estimator.alphas_,
        "scores": split_scores(estimator.cv_results_)
        if of_splits
        else estimator.alpha_scores_[:, np.newaxis],
        "std_errors": None if of_splits else estimator.alpha_score_errors_,
        "alpha": estimator.alpha_ if has_one_alpha and not is_other else None,
        "model": model,
        "scoring": fitted.scoring if of_splits else _loss_name(estimator),
        "columns_left": estimator.cv_results_.get("mean_columns_left")
        if of_splits
        else None,
    }


def _grid_over_alpha(search) -> dict | None:
    """The path of a search of scikit-learn over alpha alone; None: over something else.

    With other parameters beside alpha it is the part that shares their best values. Of
    several scores it is that of ``refit``, and of an alpha that a halving search has
    judged several times the last.
    """
    table, best = search.cv_results_, search.best_params_
    params = table["params"]
    names = [name for name in best if name.split("__")[-1] == "alpha"]
    if len(names) != 1 or not isinstance(best[names[0]], Real):
        return None
    others = [name for name in best if name != names[0]]
    number_of = {
        float(one[names[0]]): number
        for number, one in enumerate(params)
        if one.keys() == best.keys()
        and isinstance(one[names[0]], Real)
        and all(_are_equal(one[name], best[name]) for name in others)
    }
    alphas, scoring, score = sorted(number_of), search.scoring, "score"
    if scoring is None and (is_classifier(search) or is_regressor(search)):
        scoring = "accuracy" if is_classifier(search) else "r2"
    if getattr(search, "multimetric_", False):
        scoring = score = search.refit
        if not isinstance(score, str):
            return None
    return {
        "alphas": np.array(alphas),
        "scores": split_scores(table, score)[[number_of[alpha] for alpha in alphas]],
        "std_errors": None,
        "alpha": float(best[names[0]]),
        "scoring": scoring,
    }


def _are_equal(one, other) -> bool:
    """Whether two values of a parameter are the same, arrays included."""
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return np.array_equal(one, other)
    return bool(one == other)


def _loss_name(estimator) -> str:
    """What a search without splits has estimated: GCV has no standard errors."""
    if getattr(estimator, "alpha_choice_", None) is not None:
        return "neg_held-out_loss"
    if estimator.alpha_score_errors_ is None:
        return "neg_generalized_cross-validation"
    return "neg_leave-one-out_loss"
