"""predict_interval: CV+ by hand, its coverage, its folds, and what it refuses."""

import pickle
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.model_selection import GroupKFold, KFold, PredefinedSplit, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skwd import (
    WeightDecayMLPRegressor,
    WeightDecayMLPRegressorCV,
)
from skwd._cv.intervals import interval, ranks

FOLDS = KFold(6, shuffle=True, random_state=3)
SMALL = {"hidden_layer_sizes": (6,), "random_state": 0, "tol": 1e-4}
short = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def data(n=80, n_outputs=1, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 3))
    f = np.sin(2.0 * X[:, 0]) + 0.5 * X[:, 1]
    y = f[:, None] * np.arange(1, n_outputs + 1)
    y = y + 0.3 * rng.standard_normal(y.shape)
    return X, y[:, 0] if n_outputs == 1 else y


def by_hand(model, X, y, X_new, coverage, splits, **fit):
    """CV+ as its formula reads, from plain fits: (m, n_outputs, 2)."""
    n = sum(len(test) for _, test in splits)
    m, y = len(np.asarray(X_new.toarray() if sparse.issparse(X_new) else X_new)), y
    low, high = [], []
    for train, test in splits:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            part = (
                clone(model).set_params(intervals=None).fit(X[train], y[train], **fit)
            )
        residual = np.abs(y[test] - part.predict(X[test])).reshape(len(test), -1)
        new = part.predict(X_new).reshape(m, -1)
        low += [new - r for r in residual]
        high += [new + r for r in residual]
    a = 1.0 - coverage
    lower = np.sort(low, axis=0)[int(np.floor(round(a * (n + 1), 9))) - 1]
    upper = np.sort(high, axis=0)[int(np.ceil(round(coverage * (n + 1), 9))) - 1]
    return np.stack([lower, upper], axis=-1)


@pytest.mark.wide(18)
@short
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"alpha": 0.003, "activation": "tanh"},
        {"n_init": 3},
        {"n_init": 2, "ensemble": True},
        {"solver": "adam", "max_iter": 30, "learning_rate_init": 0.02},
        {"normalize_y": False},
        {"hidden_layer_sizes": ()},
        {"hidden_layer_sizes": (4, 3)},
        {"loss": "poisson"},
        {"n_outputs": 2},
        {"sparse": True},
        {"dtype": np.float32},
    ],
    ids=str,
)
def test_is_the_formula_of_plain_fits_on_the_same_folds(changes, one_blas_thread):
    changes = dict(changes)
    X, y = data(n_outputs=changes.pop("n_outputs", 1))
    X = X.astype(changes.pop("dtype", np.float64))
    if changes.pop("sparse", False):
        X = sparse.csr_array(X)
    if changes.get("loss") == "poisson":
        y = np.round(np.exp(y))
    X_new = X[:7]
    model = WeightDecayMLPRegressor(**SMALL | changes, intervals=FOLDS).fit(X, y)
    given = clone(model).set_params(alpha=model.alpha_)
    splits = list(FOLDS.split(X))
    for coverage in (0.5, 0.9, 0.95):
        ends = model.predict_interval(X_new, coverage=coverage)
        wanted = by_hand(given, X, y, X_new, coverage, splits)
        if changes.get("loss") == "poisson":  # no count is below
            wanted = np.maximum(wanted, 0.0)
        assert ends.shape == (7, 2) if y.ndim == 1 else (7, 2, 2)
        rtol = 1e-4 if X.dtype == np.float32 else 1e-9
        assert_allclose(ends.reshape(wanted.shape), wanted, rtol=rtol, atol=rtol)
    plain = clone(model).set_params(intervals=None).fit(X, y)
    assert_array_equal(plain.predict(X_new), model.predict(X_new))
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.predict_interval(X_new), model.predict_interval(X_new))


@pytest.mark.slow
def test_every_fold_has_two_stages_of_its_own(one_blas_thread):
    """The second begins where the first ended, too, as in a plain fit."""
    X, y = data(30)
    how = {"l1_ratio": 1.0, "sparsity": "adaptive", "alpha": 0.02}
    how |= {"hidden_layer_sizes": (4,), "activation": "tanh"}
    folds = KFold(2)
    model = WeightDecayMLPRegressor(**SMALL | how, intervals=folds).fit(X, y)
    wanted = by_hand(model, X, y, X[:5], 0.9, list(folds.split(X)))[:, 0]
    assert_allclose(model.predict_interval(X[:5]), wanted, rtol=1e-9, atol=1e-9)


@short
def test_validation_data_go_whole_to_every_fold(one_blas_thread):
    (X, y), (X_val, y_val) = data(), data(seed=1)
    fit = {"X_val": X_val, "y_val": y_val}
    model = WeightDecayMLPRegressor(**SMALL, early_stopping=True, intervals=FOLDS)
    model.fit(X, y, **fit)
    given = clone(model).set_params(alpha=model.alpha_)
    wanted = by_hand(given, X, y, X_val, 0.8, list(FOLDS.split(X)), **fit)
    assert_allclose(model.predict_interval(X_val, 0.8), wanted[:, 0], rtol=1e-9)


@pytest.mark.slow
def test_a_cv_form_keeps_its_own_folds(one_blas_thread):
    X, y = data()
    model = WeightDecayMLPRegressorCV(
        alphas=[1e-3, 0.03], cv=FOLDS, intervals=True, **SMALL
    ).fit(X, y)
    plain = WeightDecayMLPRegressor(alpha=model.alpha_, intervals=FOLDS, **SMALL)
    wanted = plain.fit(X, y).predict_interval(X)
    assert_array_equal(model.predict_interval(X), wanted)


@pytest.mark.slow
@pytest.mark.parametrize("alpha", ["evidence", "loo", "auto"])
def test_chosen_alphas_are_those_of_the_folds(alpha, one_blas_thread):
    X, y = data()
    how = SMALL | {"alpha": alpha, "encoding": None}
    model = WeightDecayMLPRegressor(**how, intervals=FOLDS)
    model.fit(X, y)
    given = clone(model).set_params(alpha=model.alpha_)
    wanted = by_hand(given, X, y, X[:5], 0.9, list(FOLDS.split(X)))[:, 0]
    assert_allclose(model.predict_interval(X[:5]), wanted, rtol=1e-6, atol=1e-6)


@pytest.mark.slow
def test_models_that_auto_chooses():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((120, 3))
    y = X @ [1.0, -2.0, 0.5] + 0.5 * rng.standard_normal(120)
    model = WeightDecayMLPRegressor(**SMALL, alpha="auto", intervals=FOLDS).fit(X, y)
    assert model.alpha_choice_["model"] == "linear model"
    line = clone(model).set_params(hidden_layer_sizes=(), alpha=model.alpha_)
    wanted = by_hand(line, X, y, X[:5], 0.9, list(FOLDS.split(X)))[:, 0]
    assert_allclose(model.predict_interval(X[:5]), wanted, rtol=1e-6, atol=1e-6)
    for seed in range(9):
        noise = np.random.default_rng(seed).standard_normal(120)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(X, noise)
        if model.alpha_choice_["model"] == "constant":
            break
    assert model.alpha_choice_["model"] == "constant"
    splits = list(FOLDS.split(X))
    means = np.array([noise[train].mean() for train, _ in splits])
    fold, off = np.empty(120, int), np.empty(120)
    for k, (_, test) in enumerate(splits):
        fold[test], off[test] = k, np.abs(noise[test] - means[k])
    assert_allclose(
        model.predict_interval(X[:1]), interval(means[:, None], fold, off, 0.9)
    )


@short
def test_the_line_of_every_fold_has_the_solver_of_the_line_chosen(one_blas_thread):
    """An exact one, where the network is trained by steps."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 3))
    y = X @ [1.0, -2.0, 0.5] + 0.1 * rng.standard_normal(60)
    how = {**SMALL, "solver": "adam", "max_iter": 5, "alpha": "auto"}
    model = WeightDecayMLPRegressor(**how, intervals=FOLDS).fit(X, y)
    assert model.alpha_choice_["model"] == "linear model" and model.solver_ == "lbfgs"
    line = clone(model).set_params(
        hidden_layer_sizes=(), solver="lbfgs", alpha=model.alpha_
    )
    wanted = by_hand(line, X, y, X[:5], 0.9, list(FOLDS.split(X)))[:, 0]
    assert_allclose(model.predict_interval(X[:5]), wanted, rtol=1e-6, atol=1e-6)


def test_rows_of_weight_zero_are_removed_and_folds_can_be_grouped():
    X, y = data()
    weight = np.ones(80)
    weight[::4] = 0.0
    groups = np.arange(80) // 8
    model = WeightDecayMLPRegressor(**SMALL, intervals=GroupKFold(5))
    ends = model.fit(X, y, weight, groups=groups).predict_interval(X)
    kept = weight > 0.0
    model.fit(X[kept], y[kept], groups=groups[kept])
    assert_allclose(model.predict_interval(X), ends, rtol=1e-6)
    assert (np.diff(ends, axis=1) > 0.0).all()


def test_a_cv_form_removes_rows_of_weight_zero_from_its_folds(one_blas_thread):
    X, y = data(40)
    weight, fold = np.ones(40), np.arange(40) % 2
    weight[::3] = 0.0
    kept = weight > 0.0
    how = {**SMALL, "hidden_layer_sizes": ()}
    model = WeightDecayMLPRegressorCV(alphas=[0.01], intervals=True, **how)
    model.set_params(cv=PredefinedSplit(fold)).fit(X, y, weight)
    ends = model.predict_interval(X)
    model.set_params(cv=PredefinedSplit(fold[kept])).fit(X[kept], y[kept])
    assert_allclose(model.predict_interval(X), ends, rtol=1e-6)


def test_by_number_the_folds_are_shuffled_and_fixed_by_random_state():
    X, y = data()
    order = np.argsort(y)
    X, y = X[order], y[order]
    model = WeightDecayMLPRegressor(**SMALL, intervals=10)
    ends = model.fit(X, y).predict_interval(X)
    assert_array_equal(clone(model).fit(X, y).predict_interval(X), ends)
    inside = (ends[:, 0] <= y) & (y <= ends[:, 1])
    assert inside.mean() > 0.85
    assert set(np.bincount(model._fitted.folds.fold)) == {8}
    assert (np.diff(model._fitted.folds.fold) != 0).sum() > 40


def test_ends_are_infinite_where_rows_are_too_few():
    assert ranks(9, 0.9) == (1, 9) and ranks(8, 0.9) == (0, 9)
    X, y = data(16)
    model = WeightDecayMLPRegressor(**SMALL, intervals=4).fit(X, y)
    assert np.isfinite(model.predict_interval(X, 0.9)).all()
    with pytest.warns(UserWarning, match="coverage=0.97 needs more than 16") as said:
        ends = model.predict_interval(X, 0.97)
    assert len(said) == 1
    assert_array_equal(ends, np.tile([-np.inf, np.inf], (16, 1)))


@pytest.mark.parametrize(
    ("intervals", "message"),
    [
        (1, "intervals must be None, an integer >= 2 or a splitter; got 1"),
        (True, "intervals must be None, an integer >= 2 or a splitter; got True"),
        ("ten", "intervals must be None, an integer >= 2 or a splitter; got 'ten'"),
        (TimeSeriesSplit(3), "leave out every row exactly once; row 0"),
        (81, "intervals=81 needs as many different rows; got 80"),
    ],
)
def test_bad_folds_are_named_before_any_training(intervals, message):
    X, y = data()
    model = WeightDecayMLPRegressor(**SMALL).fit(X, y)
    before = model.predict(X)
    with pytest.raises(ValueError, match=message):
        model.set_params(intervals=intervals).fit(X[::-1], y)
    assert_array_equal(model.predict(X), before)


def test_what_is_refused():
    X, y = data()
    plain = WeightDecayMLPRegressor(**SMALL).fit(X, y)
    with pytest.raises(ValueError, match=r"fitted without\. Fit it with intervals=10"):
        plain.predict_interval(X)
    form = WeightDecayMLPRegressorCV(alphas=[0.1], cv=3, **SMALL).fit(X, y)
    with pytest.raises(
        ValueError, match=r"fitted without\. Fit it with intervals=True"
    ):
        form.predict_interval(X)
    with pytest.raises(ValueError, match="intervals must be True, False or None"):
        form.set_params(intervals=10).fit(X, y)
    with pytest.raises(ValueError, match=r"cv=TimeSeriesSplit\(.*exactly once"):
        form.set_params(intervals=True, cv=TimeSeriesSplit(3)).fit(X, y)
    by_group = clone(plain).set_params(intervals=GroupKFold(4))
    for n in (79, 81):  # rows of weight 0 hide none of it
        with pytest.raises(ValueError, match=rf"inconsistent.*\[80, {n}\]"):
            by_group.fit(X, y, np.arange(80) % 2, groups=np.arange(n) // 8)
    with pytest.raises(AttributeError) as refused:
        WeightDecayMLPRegressor(intervals=10).partial_fit(X, y)
    assert "intervals=10 has no partial_fit" in str(refused.value)
    model = WeightDecayMLPRegressor(**SMALL, intervals=4).fit(X, y)
    for coverage in (0.0, 1.0, 90, "most", np.nan):
        with pytest.raises(ValueError, match="coverage must be a number between"):
            model.predict_interval(X, coverage)
    # They go with the network that they are of.
    with pytest.raises(ValueError, match="fitted without"):
        model.set_params(intervals=None).partial_fit(X, y).predict_interval(X)


def test_works_behind_a_pipeline():
    X, y = data()
    model = make_pipeline(
        StandardScaler(), WeightDecayMLPRegressor(**SMALL, intervals=5)
    ).fit(X, y)
    ends = model[-1].predict_interval(model[:-1].transform(X))
    assert ((ends[:, 0] <= y) & (y <= ends[:, 1])).mean() > 0.85


NOISES = {
    "normal": lambda rng, X: 0.5 * rng.standard_normal(len(X)),
    "student": lambda rng, X: 0.4 * rng.standard_t(2, len(X)),
    "skewed": lambda rng, X: 0.5 * (rng.exponential(size=len(X)) - 1.0),
    "uneven": lambda rng, X: (
        (0.1 + 0.5 * np.abs(X[:, 0])) * rng.standard_normal(len(X))
    ),
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("n, activation", [(100, "tanh"), (400, "relu")])
def test_covers_what_it_says(noise, n, activation):
    """Gaussian, heavy, skewed and uneven noise: six draws, 2000 new rows each."""
    covered = []
    for seed in range(6):
        rng = np.random.default_rng([seed, n])
        X = rng.standard_normal((n + 2000, 5))
        y = np.sin(2.0 * X[:, 0]) + 0.5 * X[:, 1] * X[:, 2] + NOISES[noise](rng, X)
        model = WeightDecayMLPRegressor(
            hidden_layer_sizes=(50,),
            activation=activation,
            alpha="evidence",
            intervals=10,
            random_state=seed,
        ).fit(X[:n], y[:n])
        ends = model.predict_interval(X[n:])
        covered.append(np.mean((ends[:, 0] <= y[n:]) & (y[n:] <= ends[:, 1])))
    assert 0.88 <= np.mean(covered) <= 0.95


@pytest.mark.slow
def test_equals_mapie(one_blas_thread):
    """Where MAPIE is installed: its CV+ on the same folds and alpha."""
    regression = pytest.importorskip("mapie.regression", reason="MAPIE not installed")
    X, y = data()
    alpha = 0.01
    plain = WeightDecayMLPRegressor(**SMALL | {"alpha": alpha})
    theirs = regression.CrossConformalRegressor(
        plain, confidence_level=0.9, method="plus", cv=FOLDS
    ).fit_conformalize(X, y)
    _, ends = theirs.predict_interval(X)
    ours = clone(plain).set_params(intervals=FOLDS).fit(X, y).predict_interval(X)
    assert_allclose(ours, ends[:, :, 0], rtol=1e-7)


OF_POSITIVE_Y = [(loss, "constant") for loss in ("poisson", "gamma", "tweedie")]


@pytest.mark.wide(2)
@pytest.mark.parametrize("loss, noise", [*OF_POSITIVE_Y, ("poisson", "varying")])
def test_no_end_is_where_no_target_can_be(loss, noise):
    """An end below 0 is 0: the same new targets are covered."""
    X, y = data()
    y = np.random.default_rng(0).poisson(np.exp(0.2 * y)) + (loss != "poisson") * 0.1
    model = WeightDecayMLPRegressor(**SMALL, loss=loss, intervals=4, noise=noise)
    model.fit(X, y)
    ends = model.predict_interval(X, 0.95)
    folds = model._fitted.folds
    means = np.stack([folds.predict(k, X) for k in range(4)])[:, :, 0]
    scale = model._deviations(X)[:, 0] if folds.in_deviations[0] else None
    plain = interval(means, folds.fold, folds.residuals[:, 0], 0.95, scale)
    assert (plain[:, 0] < 0.0).any()
    assert_allclose(ends, np.maximum(plain, 0.0), rtol=1e-12)
    with pytest.warns(UserWarning, match="the ends of its intervals are infinite"):
        ends = model.predict_interval(X, 0.999)
    assert (ends[:, 0] == 0.0).all() and (ends[:, 1] == np.inf).all()
