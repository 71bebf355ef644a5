"""scikit-learn's callbacks: a task for each epoch, iteration, round and chunk."""

import pickle
import warnings
from unittest.mock import patch

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from spies import HAS_CALLBACKS, Heard, needs_callbacks

from skwd import (
    WeightDecayMLPClassifier,
    WeightDecayMLPClassifierCV,
    WeightDecayMLPRegressor,
    WeightDecayMLPRegressorCV,
)
from skwd._curvature.laplace import Laplace

SMALL = {"hidden_layer_sizes": (4,), "random_state": 0}


@needs_callbacks
@pytest.mark.filterwarnings("ignore:solver=")
@pytest.mark.parametrize(
    ("how", "name"),
    [
        ({}, "iteration"),
        ({"solver": "adam", "max_iter": 9}, "epoch"),
        ({"solver": "gd", "max_iter": 9, "learning_rate_init": 0.1}, "epoch"),
    ],
)
def test_a_task_for_each_iteration_with_the_network_of_then(regression, how, name):
    X, y = regression
    heard = Heard()
    model = WeightDecayMLPRegressor(alpha=0.01, **SMALL, **how)
    plain = clone(model).fit(X, y)
    model.set_callbacks(heard).fit(X, y)
    np.testing.assert_array_equal(model.coefs_[0], plain.coefs_[0])
    assert heard.ended.count(name) == model.n_iter_
    assert heard.ended[-1] == "fit" and sorted(heard.begun) == sorted(heard.ended)
    assert heard.is_down
    # The first as after one iteration, the last as it is returned.
    assert heard.scores[-1] == heard.scores[-2] == model.score(X, y)
    first = clone(model).set_params(max_iter=1).fit(X, y)
    assert heard.scores[0] == first.score(X, y)
    pickle.loads(pickle.dumps(model))


@needs_callbacks
@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_true_stops_and_keeps_the_network(regression, solver):
    X, y = regression
    name = "iteration" if solver == "lbfgs" else "epoch"
    rate = {"learning_rate_init": 0.05} if solver == "adam" else {}
    model = WeightDecayMLPRegressor(alpha=0.01, solver=solver, **rate, **SMALL)
    three = clone(model).set_params(max_iter=3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # who asked for it needs no warning
        model.set_callbacks(Heard(name, 3)).fit(X, y)
    assert model.n_iter_ == 3 and not model.converged_
    with pytest.warns(match="max_iter"):
        three.fit(X, y)
    np.testing.assert_array_equal(model.coefs_[0], three.coefs_[0])


@pytest.mark.wide(2)
@needs_callbacks
@pytest.mark.parametrize("alpha", ["evidence", "loo"])
def test_rounds_of_a_choice_of_alpha(regression, alpha):
    X, y = regression
    heard, model = Heard(), WeightDecayMLPRegressor(alpha=alpha, **SMALL)
    model.set_callbacks(heard).fit(X, y)
    scan = {"scan"} if alpha == "evidence" else set()
    assert set(heard.ended) == {"round", "fit"} | scan
    assert np.isfinite(heard.scores).all()
    sooner = Heard("round", 1)
    model.set_callbacks(sooner).fit(X, y)
    assert sooner.ended.count("round") < heard.ended.count("round")
    assert model.score(X, y) > 0.5


@needs_callbacks
@pytest.mark.parametrize(
    ("how", "parts"),
    [
        ({"alpha": "auto", "encoding": None}, {"network", "linear model"}),
        pytest.param(
            {"alpha": "auto"},
            {"network", "linear model", "additive model"},
            marks=pytest.mark.slow,
        ),
        ({"intervals": 3}, {"networks without a fold"}),
        pytest.param(
            {"noise": "varying"},
            {"networks without a fold", "network"},
            marks=pytest.mark.slow,
        ),
        pytest.param(
            {"alpha": "auto", "noise": "varying"},
            {"networks without a fold", "network"},
            marks=pytest.mark.slow,
        ),
        ({"alpha": "evidence"}, {"scan"}),
    ],
)
def test_parts_of_a_fit_are_tasks_that_cannot_be_stopped(regression, how, parts):
    X, y = regression
    model = WeightDecayMLPRegressor(**SMALL, **how)
    plain = clone(model).fit(X, y)
    for part in [None, *parts]:
        heard = Heard(part, 1)  # asks to stop
        model.set_callbacks(heard).fit(X, y)
        assert parts <= set(heard.ended)
        assert sorted(heard.begun) == sorted(heard.ended)
        np.testing.assert_array_equal(model.coefs_[0], plain.coefs_[0])
        first = heard.ended.index(min(parts, key=heard.ended.index))
        assert first < len(heard.ended) - 1 and heard.ended[-1] == "fit"


@needs_callbacks
@pytest.mark.filterwarnings("ignore:solver=")
@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_the_model_that_auto_takes_is_heard_as_any_other(solver):
    """One unit cannot follow a band, parts can: the model without hidden layers."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3))
    y = (np.abs(X[:, 0]) > 0.7) ^ (rng.random(200) < 0.1)
    heard = Heard()
    model = WeightDecayMLPClassifier(
        alpha="auto", hidden_layer_sizes=(1,), solver=solver, max_iter=9, random_state=0
    )
    model.set_callbacks(heard).fit(X, y)
    assert model.alpha_choice_["model"] == "additive model"
    assert heard.ended.count("iteration") == model.n_iter_ == 9
    assert heard.scores[-1] == heard.scores[-2] == model.score(X, y)


@needs_callbacks
@pytest.mark.parametrize("alpha", [0.01, "auto"])
def test_the_second_stage_is_heard_with_its_penalty(regression, alpha):
    X, y = regression
    seen = []

    class Watch(Heard):
        def on_fit_task_end(self, estimator, context, *, X, y, fitted_estimator):
            super().on_fit_task_end(
                estimator, context, X=X, y=y, fitted_estimator=fitted_estimator
            )
            if fitted_estimator is not None:
                seen.append(fitted_estimator.loss_)

    model = WeightDecayMLPRegressor(
        alpha=alpha, l1_ratio=1.0, sparsity="adaptive", encoding=None, **SMALL
    )
    model.set_callbacks(Watch()).fit(X, y)
    assert min(seen) == model.loss_


@needs_callbacks
def test_models_of_as_many_parameters_are_not_taken_for_each_other():
    """97 of a network of 16 units, and of an additive model of columns in parts."""
    rng = np.random.default_rng(1)
    X = rng.uniform(-2.0, 2.0, (120, 4))
    y = np.sign(X).sum(axis=1) + 0.3 * rng.standard_normal(120)
    heard = Heard()
    model = WeightDecayMLPRegressor(
        hidden_layer_sizes=(16,), alpha="auto", random_state=0
    )
    model.set_callbacks(heard).fit(X, y)
    assert model.alpha_choice_["model"] == "additive model"
    assert model.coefs_[0].size + 1 == 16 * 6 + 1
    assert heard.scores[-1] == heard.scores[-2] == model.score(X, y)


@pytest.mark.slow
@needs_callbacks
def test_restarts_are_tasks_with_tasks_of_their_own(regression):
    X, y = regression
    heard = Heard()
    model = WeightDecayMLPRegressor(alpha=0.01, n_init=3, **SMALL)
    model.set_callbacks(heard).fit(X, y)
    assert heard.ended.count("start") == 3
    assert heard.ended.count("iteration") >= model.n_iter_


@pytest.mark.wide(2)
@needs_callbacks
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_chunks_of_a_search_and_then_its_last_fit(regression, classes, n_jobs):
    for Estimator, (X, y) in (
        (WeightDecayMLPRegressorCV, regression),
        (WeightDecayMLPClassifierCV, classes),
    ):
        heard = Heard()
        model = Estimator(alphas=[0.01, 0.1, 1.0], cv=3, n_jobs=n_jobs, **SMALL)
        model.set_callbacks(heard).fit(X, y)
        assert heard.ended.count("chunk") >= n_jobs
        assert heard.ended.count("cross-validation") == heard.ended.count("fit") == 1
        assert heard.ended.count("iteration") == model.n_iter_
        assert heard.ended[-1] == "fit"


@needs_callbacks
def test_weights_reach_every_task(regression):
    X, y = regression
    given = []

    class Weighed(Heard):
        def on_fit_task_end(self, estimator, context, *, metadata=None):
            given.append(metadata)

    weight = np.linspace(1.0, 2.0, len(y))
    model = WeightDecayMLPRegressor(alpha=0.01, **SMALL).set_callbacks(Weighed())
    model.fit(X, y, weight)
    assert all(metadata["sample_weight"] is weight for metadata in given)
    assert len(given) == model.n_iter_ + 1
    model.fit(X, y)
    assert given[-1] is None


@needs_callbacks
def test_a_network_that_is_not_asked_has_no_posterior(regression):
    X, y = regression
    model = WeightDecayMLPRegressor(alpha=0.01, posterior=True, **SMALL)
    with patch.object(Laplace, "of", side_effect=Laplace.of) as made:
        model.set_callbacks(Heard()).fit(X, y)
    assert made.call_count == 1


@pytest.mark.slow
@needs_callbacks
def test_those_of_scikit_learn_in_pipelines_and_searches(regression):
    callback = pytest.importorskip("sklearn.callback")
    X, y = regression
    monitor = callback.ScoringMonitor(scoring="r2")
    net = WeightDecayMLPRegressor(alpha=0.01, **SMALL).set_callbacks(monitor)
    pipe = make_pipeline(StandardScaler(), net)
    pipe.fit(X, y)
    log = monitor.get_logs().data
    assert log[-1]["r2"] == pytest.approx(pipe.score(X, y))
    grid = GridSearchCV(pipe, {"weightdecaymlpregressor__alpha": [0.01, 0.1]}, cv=2)
    grid.fit(X, y)
    if pytest.importorskip("rich"):
        net.set_callbacks()
        bar = callback.ProgressBar(max_propagation_depth=None)
        grid.set_callbacks(bar).fit(X, y)
        search = WeightDecayMLPRegressorCV(alphas=[0.01, 0.1], cv=2, **SMALL)
        search.set_callbacks(bar).fit(X, y)


@needs_callbacks
def test_a_callback_that_raises_leaves_the_estimator_as_it_was(regression):
    X, y = regression

    class Broken(Heard):
        def on_fit_task_end(self, estimator, context):
            if context.task_name == "iteration":
                raise KeyboardInterrupt

    broken, model = Broken(), WeightDecayMLPRegressor(alpha=0.01, **SMALL).fit(X, y)
    before = model.predict(X)
    with pytest.raises(KeyboardInterrupt):
        model.set_callbacks(broken).fit(X + 1.0, 2.0 * y)
    np.testing.assert_array_equal(model.predict(X), before)
    assert broken.is_down
    model.set_callbacks().fit(X, y)
    fresh = WeightDecayMLPRegressor(**SMALL).set_callbacks(Broken())
    with pytest.raises(KeyboardInterrupt):
        fresh.fit(X, y)
    assert not hasattr(fresh, "coefs_")


@needs_callbacks
def test_warnings_name_the_line_of_the_user(regression):
    X, y = regression
    with pytest.warns(match="max_iter") as caught:
        WeightDecayMLPClassifier(max_iter=2, **SMALL).fit(X, y > 0)
    assert caught[0].filename == __file__


@pytest.mark.skipif(HAS_CALLBACKS, reason="scikit-learn has callbacks")
def test_what_callbacks_need_is_said():
    with pytest.raises(ImportError, match=r"needs scikit-learn 1\.9 or newer"):
        WeightDecayMLPRegressor().set_callbacks()
