"""Log-likelihood and CRPS of predictions with a deviation, as scorers."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm
from sklearn.datasets import load_diabetes
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.linear_model import BayesianRidge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skwd import (
    WeightDecayMLPRegressor,
    WeightDecayMLPRegressorCV,
    log_likelihood_scorer,
    neg_crps_scorer,
)

X, Y = load_diabetes(return_X_y=True)
X, Y = StandardScaler().fit_transform(X)[:150], Y[:150]
SCORERS = [log_likelihood_scorer, neg_crps_scorer]
SMALL = {"hidden_layer_sizes": (3,), "random_state": 0, "posterior": True}


class Given:
    """An estimator whose predictions are given."""

    def __init__(self, mean, std):
        self.found = mean, std

    def predict(self, X, return_std):
        return self.found


def crps(y, mean, std):
    """The integral of the squared distance of the distribution from a step at y."""
    low = quad(lambda x: norm.cdf(x, mean, std) ** 2, -60.0, y, limit=200)[0]
    high = quad(lambda x: norm.sf(x, mean, std) ** 2, y, 60.0, limit=200)[0]
    return low + high


def test_closed_forms():
    y, mean = np.array([0.3, -2.0, 5.0]), np.array([0.0, 1.0, 4.5])
    std = np.array([1.0, 0.5, 3.0])
    given, weight = Given(mean, std), np.array([1.0, 2.0, 0.5])
    likelihood = norm.logpdf(y, mean, std)
    ranked = np.array([crps(*one) for one in zip(y, mean, std)])
    for scorer, each in ((SCORERS[0], likelihood), (SCORERS[1], -ranked)):
        assert scorer(given, None, y) == pytest.approx(each.mean(), rel=1e-7)
        weighted = scorer(given, None, y, weight)
        assert weighted == pytest.approx(np.average(each, weights=weight), rel=1e-7)
    # The absolute error, without a deviation.
    sure = Given(mean, np.zeros(3))
    assert neg_crps_scorer(sure, None, y) == pytest.approx(-np.abs(y - mean).mean())
    assert log_likelihood_scorer(sure, None, y) < -1e200
    # Several outputs, of which some are not known.
    both = Given(np.stack([mean, mean], 1), np.stack([std, std], 1))
    wide = np.stack([y, np.where(np.arange(3) == 1, np.nan, y)], axis=1)
    wanted = np.average(likelihood, weights=[2, 1, 2])
    assert log_likelihood_scorer(both, None, wide) == pytest.approx(wanted)


@pytest.mark.slow
def test_searches_and_other_learners_take_them():
    net = WeightDecayMLPRegressor(**SMALL, alpha=0.05)
    pipe = make_pipeline(StandardScaler(), net)
    for scorer in SCORERS:
        scores = cross_val_score(pipe, X, Y, cv=3, scoring=scorer)
        assert scores.shape == (3,) and np.isfinite(scores).all()
        for other in (BayesianRidge(), GaussianProcessRegressor(alpha=1.0)):
            assert np.isfinite(cross_val_score(other, X, Y, cv=2, scoring=scorer)).all()


@pytest.mark.slow
@pytest.mark.parametrize("scorer", SCORERS)
def test_a_cv_form_has_the_scores_of_the_grid_search(
    scorer, one_blas_thread, monkeypatch
):
    monkeypatch.setattr("skwd._cv.noise.ERRORS", 0.0)  # any gain will do
    alphas = [0.003, 0.03, 0.1]
    search = GridSearchCV(
        WeightDecayMLPRegressor(**SMALL), {"alpha": alphas}, cv=3, scoring=scorer
    ).fit(X, Y)
    form = WeightDecayMLPRegressorCV(**SMALL, alphas=alphas, cv=3, scoring=scorer)
    form.fit(X, Y)
    assert form.alpha_ == search.best_params_["alpha"]
    np.testing.assert_allclose(
        form.cv_results_["mean_test_score"],
        search.cv_results_["mean_test_score"],
        rtol=1e-9,
    )
    varying = WeightDecayMLPRegressorCV(
        **SMALL, alphas=alphas, cv=3, scoring=scorer, noise="varying"
    ).fit(X, Y)  # scores know one noise
    assert varying.best_score_ == form.best_score_
    assert scorer(varying, X, Y) != scorer(form, X, Y)


@pytest.mark.parametrize("scorer", [log_likelihood_scorer, neg_crps_scorer])
@pytest.mark.parametrize(
    ("y", "weight", "message"),
    [
        (np.full(20, np.nan), None, "No target is known in a row of positive weight"),
        (np.zeros(20), np.zeros(20), "No target is known in a row of positive weight"),
        (np.zeros((20, 2)), None, r"y must have the outputs .* \(20,\); got \(20, 2"),
        (np.zeros(9), None, "Found input variables with inconsistent numbers of samp"),
    ],
    ids=["none is known", "none counts", "two outputs", "few"],
)
def test_what_cannot_be_scored(scorer, y, weight, message):
    X = np.random.default_rng(0).standard_normal((20, 2))
    model = WeightDecayMLPRegressor(hidden_layer_sizes=(), posterior=True)
    model.fit(X, X[:, 0])
    with pytest.raises(ValueError, match=message):
        scorer(model, X, y, weight)
