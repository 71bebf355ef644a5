"""GridSearchCV over the estimator of one alpha: what the CV forms must return."""

import warnings

import numpy as np
import sklearn
from numpy.testing import assert_array_equal
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV

OWN_SCORE = "huber absolute_error quantile poisson gamma tweedie".split()
ALPHAS = np.array([1e-4, 3e-3, 0.05, 0.7])


def grid_search(model, X, y, weight=None, **fit_params):
    """The search that ``model``, a CV form, is said to be; fitted."""
    params = model.get_params(deep=False)
    search = {name: params.pop(name) for name in ("alphas", "cv", "scoring", "n_jobs")}
    params.pop("rule")
    plain = model._plain_class(**params)
    # GridSearchCV's None is `score`; that of the CV forms follows the loss.
    scoring = search["scoring"] or (
        model._default_scorer() if params.get("loss") in OWN_SCORE else None
    )
    how = {"cv": search["cv"], "scoring": scoring, "n_jobs": search["n_jobs"]}
    grid = {"alpha": search["alphas"]}
    with warnings.catch_warnings():
        # Some that stop early are; the CV forms say it of the one they refit.
        warnings.filterwarnings("ignore", "The network is worse than a constant")
        return _fitted(plain, grid, how, model, X, y, weight, fit_params)


def _fitted(plain, grid, how, model, X, y, weight, fit_params):
    if weight is None:
        return GridSearchCV(plain, grid, **how).fit(X, y, **fit_params)
    # Before scikit-learn 1.7 only metadata routing weights the scores.
    scorer = how["scoring"] or ("accuracy" if hasattr(model, "predict_proba") else "r2")
    with sklearn.config_context(enable_metadata_routing=True):
        how["scoring"] = get_scorer(scorer).set_score_request(sample_weight=True)
        plain.set_fit_request(sample_weight=True)
        found = GridSearchCV(plain, grid, **how)
        return found.fit(X, y, sample_weight=weight, **fit_params)


def weights_of(model):
    return model.coefs_ + model.intercepts_


def assert_same_search(model, search, rtol=0.0):
    """Every score, the choice and every refitted weight; to the last bit by default."""
    ours, theirs = model.cv_results_, search.cv_results_
    assert list(ours) == list(theirs)
    for key in ours:
        if "time" in key:
            assert ours[key].shape == theirs[key].shape
            assert (ours[key] >= 0).all()
        elif key == "params":
            assert ours[key] == theirs[key]
        elif rtol and key != "param_alpha" and "rank" not in key:
            np.testing.assert_allclose(ours[key], theirs[key], rtol, err_msg=key)
        else:
            assert_array_equal(ours[key], theirs[key], key)
    assert model.alpha_ == search.best_params_["alpha"]
    assert model.best_index_ == search.best_index_
    assert model.n_splits_ == search.n_splits_
    best = search.best_estimator_
    for part, other in zip(weights_of(model), weights_of(best), strict=True):
        assert part.dtype == other.dtype
        if rtol:
            np.testing.assert_allclose(part, other, rtol, rtol)
        else:
            assert_array_equal(part, other)
    if not rtol:
        assert model.best_score_ == search.best_score_
        for name in ("loss_", "loss_curve_", "validation_scores_", "n_iter_", "t_"):
            assert getattr(model, name) == getattr(best, name)


def assert_same_choice(a, b):
    """Two CV forms agree in all but the seconds, to the last bit."""
    assert list(a.cv_results_) == list(b.cv_results_)
    for key, value in a.cv_results_.items():
        if "time" not in key:
            assert_array_equal(value, b.cv_results_[key], key)
    assert (a.alpha_, a.best_index_) == (b.alpha_, b.best_index_)
    for part, other in zip(weights_of(a), weights_of(b), strict=True):
        assert_array_equal(part, other)
