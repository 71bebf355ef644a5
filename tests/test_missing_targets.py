"""missing_targets="mask": each output is fitted to the rows where it is known."""

import pickle

import numpy as np
import pytest
from sklearn.linear_model import PoissonRegressor, Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score

from skwd import WeightDecayMLPRegressor, WeightDecayMLPRegressorCV
from skwd._core.losses import LOSSES
from skwd._cv.scoring import known_score
from skwd._data.number_targets import RegressionTargets

MASK = {"missing_targets": "mask", "random_state": 0}


def rows(seed=0, n=80, positive=False):
    """X, and three outputs of which about a third is missing, here and there a row."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 4))
    Y = X @ rng.standard_normal((4, 3)) + 5.0 + 0.3 * rng.standard_normal((n, 3))
    if positive:
        Y = rng.poisson(np.exp(0.3 * (Y - 5.0))).astype(float)
    Y[rng.random(Y.shape) < 0.3] = np.nan
    Y[:2] = np.nan
    return X, Y


def has_target(Y):
    return ~np.isnan(Y).all(axis=1)


@pytest.mark.parametrize("is_weighted", [False, True])
def test_without_a_hidden_layer_each_output_is_the_ridge_of_its_rows(is_weighted):
    X, Y = rows()
    s = np.random.default_rng(1).uniform(0.5, 2.0, len(X))
    s = s if is_weighted else np.ones(len(X))
    model = WeightDecayMLPRegressor(
        hidden_layer_sizes=(), alpha=0.1, normalize_y=False, tol=1e-9, **MASK
    ).fit(X, Y, s)
    total = s[has_target(Y)].sum()
    for k, y in enumerate(Y.T):
        known = ~np.isnan(y)
        peer = Ridge(alpha=0.1 * total).fit(X[known], y[known], s[known])
        np.testing.assert_allclose(model.coefs_[0][:, k], peer.coef_, atol=1e-6)
        np.testing.assert_allclose(model.predict(X)[:, k], peer.predict(X), atol=1e-5)


def test_counts_with_a_log_link():
    X, Y = rows(positive=True)
    model = WeightDecayMLPRegressor(
        hidden_layer_sizes=(), alpha=0.1, loss="poisson", tol=1e-9, **MASK
    ).fit(X, Y)
    for k, y in enumerate(Y.T):
        known = ~np.isnan(y)
        part = known.sum() / has_target(Y).sum()
        peer = PoissonRegressor(alpha=0.1 / part, tol=1e-10, max_iter=1000)
        peer.fit(X[known], y[known])
        np.testing.assert_allclose(model.coefs_[0][:, k], peer.coef_, atol=1e-5)


@pytest.mark.parametrize("solver", ["lbfgs", "adam", "gd"])
def test_loss_and_scale_are_of_what_is_known(solver):
    X, Y = rows()
    how = {"hidden_layer_sizes": (5,), "activation": "tanh", "alpha": 0.01}
    if solver != "lbfgs":
        how |= {"max_iter": 30, "learning_rate_init": 0.01, "n_iter_no_change": np.inf}
    model = WeightDecayMLPRegressor(solver=solver, **how, **MASK)
    if solver == "lbfgs":
        model.fit(X, Y)
    else:
        with pytest.warns(match="max_iter"):
            model.fit(X, Y)
    np.testing.assert_allclose(model.y_mean_, np.nanmean(Y, axis=0))
    np.testing.assert_allclose(model.y_scale_, np.nanstd(Y, axis=0))
    residual = (Y - model.predict(X)) / model.y_scale_
    weights = sum(np.square(W).sum() for W in model.coefs_)
    J = 0.5 * np.nansum(residual**2) / has_target(Y).sum() + 0.005 * weights
    assert model.loss_ == pytest.approx(J, rel=1e-9)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


@pytest.mark.filterwarnings("ignore:solver='auto', here 'lbfgs', reached max_iter")
def test_nothing_missing_is_a_plain_fit():
    """In its first iterations; later rounding may lead them to two minima."""
    X, Y = rows()
    Y = np.where(np.isnan(Y), 4.0, Y)
    how = {"hidden_layer_sizes": (5,), "alpha": 0.01, "max_iter": 4, "random_state": 0}
    plain = WeightDecayMLPRegressor(**how).fit(X, Y)
    masked = WeightDecayMLPRegressor(missing_targets="mask", **how).fit(X, Y)
    assert masked.loss_ == pytest.approx(plain.loss_, rel=1e-12)
    np.testing.assert_allclose(masked.predict(X), plain.predict(X), rtol=1e-11)


@pytest.mark.slow
def test_searches_early_stopping_and_streams():
    X, Y = rows()
    how = {"hidden_layer_sizes": (5,), **MASK}
    auto = WeightDecayMLPRegressor(alpha="auto", **how).fit(X, Y)
    assert np.isfinite(auto.predict(X)).all()

    def known_error(model, X, Y):
        return -np.sqrt(np.nanmean((model.predict(X) - Y) ** 2))

    chosen = WeightDecayMLPRegressorCV(scoring=known_error, cv=3, **how).fit(X, Y)
    assert chosen.best_score_ > -1.0
    early = WeightDecayMLPRegressor(early_stopping=True, **how)
    early.fit(X[:60], Y[:60], X_val=X[60:], y_val=Y[60:])
    assert np.isfinite(early.validation_scores_).all()
    stream = WeightDecayMLPRegressor(solver="adam", alpha=0.01, **how)
    assert np.isfinite(stream.partial_fit(X, Y).partial_fit(X, Y).predict(X)).all()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"missing_targets": "skip"}, "missing_targets must be 'error' or 'mask'"),
        ({"loss": "huber"}, "missing_targets='mask' is not for loss='huber'"),
        ({"alpha": "evidence"}, "which alpha='evidence' needs"),
        ({"posterior": True}, "which posterior=True needs"),
        ({"intervals": 5}, "which intervals=5 needs"),
    ],
)
def test_what_it_does_not_go_with(given, message):
    X, Y = rows()
    with pytest.raises(ValueError, match=message):
        WeightDecayMLPRegressor(**{**MASK, **given}).fit(X, Y)


def test_what_is_missing_altogether_or_not_asked_for():
    X, Y = rows()
    with pytest.raises(ValueError, match="NaN"):
        WeightDecayMLPRegressor().fit(X, Y)
    Y[:, 1] = np.nan
    with pytest.raises(ValueError, match="Output 1 of y has no target in the rows"):
        WeightDecayMLPRegressor(**MASK).fit(X, Y)
    Y[0, 0] = np.inf
    with pytest.raises(ValueError, match="infinity"):
        WeightDecayMLPRegressor(**MASK).fit(X, Y)


def test_rows_without_any_target_that_is_known_do_not_count():
    """The error says so, of all rows, of a split and of validation rows."""
    X, Y = rows()
    none = np.full(Y.shape, np.nan)
    wanted = "Give at least one sample a positive weight and a target that is known."
    model = WeightDecayMLPRegressor(**MASK, early_stopping=True)
    half = np.where(np.arange(len(X))[:, np.newaxis] < len(X) // 2, np.nan, Y)
    search = WeightDecayMLPRegressorCV(**MASK, cv=KFold(2))
    for refused, y, val in (
        (model, none, {}),
        (model, Y, {"X_val": X, "y_val": none}),
        (search, half, {}),
    ):
        with pytest.raises(ValueError) as caught:
            refused.fit(X, y, **val)
        assert str(caught.value).endswith(f"no sample is left to fit. {wanted}")


def test_an_output_known_in_rows_of_no_weight_alone_is_named():
    X, Y = rows()
    Y[5:, 2], s = np.nan, np.ones(len(X))
    Y[:5, 2], s[:5] = 1.0, 0.0
    for cls in (WeightDecayMLPRegressor, WeightDecayMLPRegressorCV):
        with pytest.raises(ValueError, match="Output 2 of y has no target in the rows"):
            cls(**MASK).fit(X, Y, s)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_folds_and_parts_may_lack_an_output(seed):
    """Ten outputs of which 8 % is known: most folds lack one."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((80, 4))
    Y = 100.0 + X @ rng.standard_normal((4, 10)) + 0.1 * rng.standard_normal((80, 10))
    Y[rng.random(Y.shape) > 0.08] = np.nan
    Y[np.arange(10), np.arange(10)] = 100.0
    how = {"hidden_layer_sizes": (5,), **MASK}
    auto = WeightDecayMLPRegressor(alpha="auto", **how).fit(X, Y)
    assert np.isfinite(auto.predict(X)).all() and np.isfinite(auto.alpha_scores_).all()
    assert np.abs(auto.predict(X) - 100.0).max() < 50.0
    chosen = WeightDecayMLPRegressorCV(alphas=[0.01, 0.1], cv=4, **how).fit(X, Y)
    assert np.isfinite(chosen.best_score_) and np.isfinite(chosen.score(X, Y))
    stream = WeightDecayMLPRegressor(solver="adam", alpha=0.01, **how)
    for part in np.array_split(np.arange(80), 5):
        stream.partial_fit(X[part], Y[part])
    assert np.isfinite(stream.predict(X)).all()
    early = WeightDecayMLPRegressor(early_stopping=True, **how)
    early.fit(X[:70], Y[:70], X_val=X[70:], y_val=Y[70:])
    assert np.isfinite(early.validation_scores_).all()


@pytest.mark.filterwarnings("ignore:alpha")
@pytest.mark.parametrize("n_outputs", [2, 3, 4])
@pytest.mark.parametrize("way", ["CV", "grid", "auto"])
def test_a_fold_may_lack_an_output_where_networks_end_at_a_constant(way, n_outputs):
    """At strong alphas a saddle is looked for, in all outputs."""
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((60, 3)), rng.standard_normal((60, n_outputs))
    Y[6:, 0] = np.nan
    how = {"hidden_layer_sizes": (3,), "encoding": None, **MASK}
    splits = [(np.arange(6, 60), np.arange(6)), (np.arange(50), np.arange(50, 60))]
    if way == "auto":  # some of its folds lack one: it is known in six rows alone
        model = WeightDecayMLPRegressor(alpha="auto", **how)
    else:
        alphas = [0.01, 100.0] if way == "CV" else None
        model = WeightDecayMLPRegressorCV(alphas=alphas, cv=splits, **how)
    model.fit(X, Y)
    assert np.isfinite(model.predict(X)).all() and np.isfinite(model.loss_)


@pytest.mark.wide(2)
@pytest.mark.parametrize("is_weighted", [False, True])
def test_scores_are_of_what_is_known(is_weighted):
    X, Y = rows()
    s = np.random.default_rng(1).uniform(0.5, 2.0, len(X)) if is_weighted else None
    model = WeightDecayMLPRegressor(hidden_layer_sizes=(), alpha=0.1, **MASK).fit(X, Y)
    parts = []
    for k, y in enumerate(Y.T):
        known = ~np.isnan(y)
        weight = None if s is None else s[known]
        parts.append(
            r2_score(y[known], model.predict(X)[known, k], sample_weight=weight)
        )
    assert model.score(X, Y, s) == pytest.approx(np.mean(parts))
    assert np.isfinite(cross_val_score(model, X, Y, cv=3)).all()
    search = GridSearchCV(model, {"alpha": [0.01, 0.1]}, cv=3).fit(X, Y)
    chosen = WeightDecayMLPRegressorCV(
        alphas=[0.01, 0.1], cv=3, hidden_layer_sizes=(), **MASK
    ).fit(X, Y)
    np.testing.assert_allclose(
        chosen.cv_results_["mean_test_score"], search.cv_results_["mean_test_score"]
    )


def test_two_known_targets_have_an_R2_and_one_has_none():
    y = np.array([[1.0, 2.0], [3.0, np.nan], [np.nan, np.nan]])
    predicted = np.array([[1.5, 0.0], [2.5, 0.0], [9.0, 9.0]])
    # 1 - (.25 + .25) / (1 + 1) of the first column alone.
    assert known_score(y, predicted, metric="r2_score") == pytest.approx(0.75)
    assert np.isnan(known_score(y[1:], predicted[1:], metric="r2_score"))
    error = known_score(y[1:], predicted[1:] + 1.0, metric="mean_squared_error")
    assert error == pytest.approx(0.25)


def test_a_target_that_was_never_seen_is_not_judged():
    Y = np.array([[1.0, np.nan], [3.0, np.nan]])
    loss, share = LOSSES["squared_error"], np.full(2, 0.5)
    targets = RegressionTargets.of(Y, share, loss=loss, normalize=True, masked=True)
    scaled = targets.fitted_to(Y, share).scaled(np.array([[4.0, 100.0]]))
    np.testing.assert_array_equal(scaled, [[2.0, np.nan]])


def test_an_output_first_seen_later_learns_its_units_then():
    X, Y = rows()
    Y = np.where(np.isnan(Y), 5.0, Y)
    Y[:, 1] *= 1000.0
    Y[:40, 1] = np.nan
    stream = WeightDecayMLPRegressor(solver="adam", alpha=0.01, **MASK)
    stream.partial_fit(X[:40], Y[:40])
    first = stream.y_scale_.copy()
    stream.partial_fit(X[40:], Y[40:])
    np.testing.assert_array_equal(stream.y_scale_[[0, 2]], first[[0, 2]])
    assert stream.y_scale_[1] == pytest.approx(np.std(Y[40:, 1]))


def test_a_row_without_a_target_is_a_removed_one_wherever_folds_are_made():
    X, Y = rows()
    how = {"hidden_layer_sizes": (), "alpha": "auto", "encoding": None}
    model, there = WeightDecayMLPRegressor(**how, **MASK), has_target(Y)
    scores = model.fit(X, Y).alpha_scores_
    again = model.fit(X[there], Y[there]).alpha_scores_
    np.testing.assert_allclose(scores, again, rtol=1e-9)
