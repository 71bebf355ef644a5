"""Properties of rows that fit, seen through scikit-learn's tools."""

import copy

import joblib
import numpy as np
from cases import differing, outputs
from properties import SKIPPED
from searches import assert_same_search, grid_search
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MaxAbsScaler


def the_grid_search(case):
    """A CV form is GridSearchCV over the estimator of one alpha, to the bit."""
    if not case.is_cv or not case.has(callback="no", threads="1"):
        return SKIPPED
    if not case.has(missing="error", stopping=("none", "fraction")):
        return SKIPPED
    if case.has(sparsity="adaptive"):  # which has two searches
        return SKIPPED
    model = clone(case.model)
    if "intervals" in model.get_params():
        model.set_params(intervals=None)
    search = grid_search(model, case.call.X, case.call.y, case.call.weight)
    found = copy.copy(case.model)
    found.cv_results_ = dict(found.cv_results_)
    found.cv_results_.pop("mean_columns_left", None)  # which only the CV form has
    try:
        assert_same_search(found, search)
    except AssertionError as error:
        return " ".join(str(error).split())[:200]
    return None


def jobs_do_not_matter(case):
    """n_jobs changes nothing."""
    if "n_jobs" not in case.model.get_params():
        return SKIPPED
    with joblib.parallel_config("threading"):
        model = case.call.model().set_params(n_jobs=2)
        model = case.call.quietly(model=model)
    found = differing(case.outputs, outputs(model, case.call))
    return f"{found} differ" if found else None


def a_pipeline_is_its_steps(case):
    """A Pipeline is the steps by hand, to the bit."""
    if not case.has(how="fit", stopping=("none", "fraction"), callback="no"):
        return SKIPPED
    scaler = MaxAbsScaler()
    pipe = Pipeline([("scale", scaler), ("model", case.call.model())])
    X, y, weight = case.call.X, case.call.y, case.call.weight
    pipe.fit(X, y, model__sample_weight=weight)
    scaled = clone(scaler).fit_transform(X)
    by_hand = case.call.quietly(scaled, y, weight)
    names = ["predict", "predict_proba"] if case.is_classifier else ["predict"]
    for name in names:
        found = getattr(by_hand, name)(scaled)
        if not np.array_equal(getattr(pipe, name)(X), found):
            return f"{name} differs"
    return None


def transformed_targets_are_by_hand(case):
    """A TransformedTargetRegressor is the fit of the transformed y, to the bit."""
    if case.is_classifier or not case.has(how="fit", missing="error", callback="no"):
        return SKIPPED
    if not case.has(stopping=("none", "fraction"), y=("numbers", "two-outputs")):
        return SKIPPED
    model = TransformedTargetRegressor(
        case.call.model(), func=np.sqrt, inverse_func=np.square
    )
    X, weight = case.call.X, case.call.weight
    model.fit(X, case.call.y, sample_weight=weight)
    by_hand = case.call.quietly(X, np.sqrt(case.y), weight)
    by_hand = np.square(by_hand.predict(X))
    return None if np.array_equal(model.predict(X), by_hand) else "predict differs"


def scores_work(case):
    """score is finite, and so are those of cross_val_score."""
    if not case.has(missing="error"):
        return SKIPPED
    X, y, weight = case.call.X, case.call.y, case.call.weight
    score = case.model.score(X, y, weight)
    if not np.isfinite(score):
        return f"score is {score}"
    if not case.has(stopping=("none", "fraction"), how=("fit", "twice"), callback="no"):
        return None
    scores = cross_val_score(case.call.model(), X, y, cv=2, error_score="raise")
    return None if np.isfinite(scores).all() else f"cross-validated scores are {scores}"


def exports_predict_the_same(case):
    """to_sklearn() predicts the same in the same shape, or says what it cannot have."""
    try:
        other = case.model.to_sklearn()
    except ValueError as error:
        words = "activation=", "an ensemble of", "loss=", "y was a column"
        clear = any(word in str(error) for word in words)
        return None if clear else f"refused by {error}"
    found, mine = other.predict(case.call.X), case.outputs["predict"]
    if found.shape != mine.shape:
        return f"the shape is {found.shape}, not {mine.shape}"
    if case.is_classifier:
        same = np.mean(found == mine) > 0.97
    else:
        near = 1e-3 if case.has(dtype="float32") else 1e-6
        same = np.allclose(found, mine, rtol=near, atol=near)
    return None if same else "predictions differ"


def importances_are_shares(case):
    """feature_importances_ are shares of 1, or all 0."""
    found = case.model.feature_importances_
    if found.shape != (case.call.X.shape[1],):
        return f"the shape is {found.shape}"
    is_right = (found >= 0.0).all() and (
        abs(found.sum() - 1.0) < 1e-6 or not found.any()
    )
    return None if is_right else f"they are {found}"


PROPERTIES = [
    importances_are_shares,
    the_grid_search,
    jobs_do_not_matter,
    a_pipeline_is_its_steps,
    transformed_targets_are_by_hand,
    scores_work,
    exports_predict_the_same,
]
