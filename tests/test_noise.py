"""noise="varying": rho by hand from public estimators, one noise, and refusals."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.stats import norm, sem, t
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GroupKFold, KFold, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skwd import WeightDecayMLPRegressor, WeightDecayMLPRegressorCV
from skwd._cv.folds import splits_of
from skwd._cv.intervals import interval
from skwd._cv.models import choose_by_folds
from skwd._cv.noise import FLOOR, LEAST_ROWS, gain_on_constant
from skwd._cv.problem import JUDGING, LEFT_OUT
from skwd._cv.settings import Data
from skwd._cv.tails import DEGREES, log_density
from skwd._cv.weighted_fit import weighted_fit
from skwd._data.merged_rows import numbers_of_copies
from skwd._estimators.parameters import check_parameters
from skwd._solvers.result import Status

FOLDS = KFold(5, shuffle=True, random_state=3)
SMALL = {"hidden_layer_sizes": (5,), "alpha": 0.05, "random_state": 0}
R = WeightDecayMLPRegressor


def data(n=160, seed=0, varies=True):
    """A curve, with a noise of deviation e^(-1 + .8 x1), or of .4 everywhere."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 3))
    deviation = np.exp(-1.0 + 0.8 * X[:, 1]) if varies else np.full(n, 0.4)
    f = np.sin(X[:, 0]) + 0.5 * X[:, 2]
    return X, f + deviation * rng.standard_normal(n), f, deviation


def left_out(model, X, y, weight, splits):
    """Residuals and variances of rows left out, by plain fits: (n, n_targets) each."""
    r, v = np.empty((2, len(y), y.reshape(len(y), -1).shape[1]))
    plain = clone(model).set_params(noise="constant", intervals=None)
    for train, test in splits:
        part = clone(plain).fit(X[train], y[train], weight[train])
        mean, std = part.predict(X[test]), np.ones(1)
        if model.posterior:
            mean, std = part.predict(X[test], return_std=True)
        r[test] = (y[test] - mean).reshape(len(test), -1)
        v[test] = np.square(std).reshape(-1, 1 if std.ndim == 1 else std.shape[1])
    if not model.posterior:
        known = ~np.isnan(r)
        shared = np.where(known, weight[:, None], 0.0)
        v[:] = np.nansum(shared * r**2, axis=0) / shared.sum(axis=0)
    return r, v


def rho_by_hand(model, X, r, v, weight):
    """The gamma regressors of r^2 / v, one for each target."""
    found = []
    for square in (r**2 / v).T:
        known = ~np.isnan(square)
        floor = FLOOR * np.average(square[known], weights=weight[known])
        rho = R(
            loss="gamma",
            alpha="auto",
            hidden_layer_sizes=model.hidden_layer_sizes,
            activation=model.activation,
            random_state=0,
        )
        rows = np.flatnonzero(known)
        found.append(rho.fit(X[rows], np.maximum(square[rows], floor), weight[rows]))
    return found


CASES = {
    "posterior": {"posterior": True},
    "residuals alone": {},
    "weights": {"posterior": True, "weighted": True},
    "two outputs": {"posterior": True, "n_outputs": 2},
    "missing targets": {"missing_targets": "mask", "n_outputs": 2},
    "float32": {"posterior": True, "dtype": np.float32},
    "sparse": {"sparse": True},
    "ensemble": {"posterior": True, "n_init": 2, "ensemble": True},
    "counts": {"loss": "poisson", "posterior": True},
    "no hidden layer": {"hidden_layer_sizes": (), "posterior": True},
    "tanh": {"activation": "tanh", "normalize_y": False},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_rho_is_a_gamma_regressor_of_rows_left_out(name, monkeypatch):
    monkeypatch.setattr("skwd._cv.noise.ERRORS", 0.0)  # any gain will do
    changes = dict(CASES[name])
    X, y, *_ = data()
    if changes.pop("n_outputs", 1) == 2:
        y = np.stack([y, y[::-1] + 2.0 * y], axis=1)
    if changes.get("loss") == "poisson":
        y = np.round(np.exp(y) + 2.0 * np.exp(2.0 * X[:, 1]))
    if "missing_targets" in changes:
        y[1::10, 1], y[::5, 0] = np.nan, np.nan  # no row has none
    weight = (
        np.arange(160) % 3 + 1.0 if changes.pop("weighted", False) else np.ones(160)
    )
    X = X.astype(changes.pop("dtype", np.float64))
    dense = X
    if changes.pop("sparse", False):
        X = sparse.csr_array(X)
    model = R(**SMALL | changes, noise="varying")
    if "missing_targets" not in changes:
        model.set_params(intervals=FOLDS)
        splits = list(FOLDS.split(dense))
    model.fit(X, y, weight)
    if "missing_targets" in changes:  # the ten folds that there are without intervals
        rng = np.random.default_rng([model._fitted.seed, LEFT_OUT])
        seed = int(rng.integers(2**31 - 1))
        splits = list(KFold(10, shuffle=True, random_state=seed).split(dense))
    choices = model.noise_choice_
    choices = [choices] if y.ndim == 1 else choices
    assert "constant" not in [choice["model"] for choice in choices]
    r, v = left_out(model, X, y, weight, splits)
    networks = rho_by_hand(model, X, r, v, weight)
    rho = np.stack([one.predict(X) for one in networks], axis=1)
    for column, known in zip(rho.T, ~np.isnan(r.T)):  # to where it was fitted
        column[:] = np.clip(column, column[known].min(), column[known].max())
    if model.posterior:
        plain = clone(model).set_params(noise="constant", intervals=None)
        v = (
            plain.fit(X, y, weight).predict(X, return_std=True)[1].reshape(rho.shape)
            ** 2
        )
    predicted, std = model.predict(X, return_std=True)
    # In float32 two roundings lead two paths, to ends as good.
    rtol = 2e-2 if dense.dtype == np.float32 else 1e-6
    assert std.shape == predicted.shape and std.dtype == dense.dtype
    assert_allclose(std.reshape(rho.shape), np.sqrt(v * rho), rtol=rtol)
    for choice, one, column in zip(choices, networks, rho.T):
        assert choice["scores"] == pytest.approx(one.alpha_choice_["scores"], rel=rtol)
        if "missing_targets" not in changes:  # ends: each row as often as it weighs
            times = np.repeat(np.sort(column), weight[np.argsort(column)].astype(int))
            low, high = np.ceil(0.05 * len(times)), np.floor(0.95 * len(times) + 1)
            factor = times[int(high) - 1] / times[int(low) - 1]
            assert choice["factor"] == pytest.approx(factor, rel=rtol)
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.predict(X, return_std=True)[1], std)


@pytest.mark.slow
def test_the_noise_is_the_root_of_the_mean_variance():
    X, y, *_ = data(90)
    model = R(**SMALL, noise="varying").fit(X, y)
    std = model.predict(X, return_std=True)[1]
    assert model.noise_std_ == pytest.approx(np.sqrt(np.mean(std**2)))
    model.set_params(posterior=True).fit(X, y)
    plain = clone(model).set_params(noise="constant").fit(X, y)
    rho = np.square(
        model.predict(X, return_std=True)[1] / plain.predict(X, return_std=True)[1]
    )
    assert model.noise_std_ == pytest.approx(plain.noise_std_ * np.sqrt(rho.mean()))


@pytest.mark.slow
def test_one_noise_stays_one_noise():
    """Where the constant is chosen, everything is that of noise="constant"."""
    for seed in range(9):
        X, y, *_ = data(seed=seed, varies=False)
        model = R(**SMALL, noise="varying", posterior=True, intervals=FOLDS).fit(X, y)
        if model.noise_choice_["model"] == "constant":
            break
    assert model.noise_choice_["model"] == "constant"
    assert model.noise_choice_["factor"] == 1.0
    plain = clone(model).set_params(noise="constant").fit(X, y)
    for ask in ({"return_std": True}, {"coverage": 0.8}):
        for mine, other in zip(model.predict(X, **ask), plain.predict(X, **ask)):
            assert_array_equal(mine, other)
    assert model.noise_std_ == plain.noise_std_
    assert not hasattr(plain, "noise_choice_")


def test_few_rows_have_one_noise_and_say_so():
    X, y, *_ = data(LEAST_ROWS - 1)
    X, y = np.concatenate([X, X]), np.concatenate([y, y])
    model = R(**SMALL, noise="varying").fit(X, y)
    assert model.noise_choice_ == {
        "way": "default",
        "model": "constant",
        "scores": {},
        "reason": "fewer than 60 different rows",
        "factor": 1.0,
        "degrees_of_freedom": np.inf,
    }
    std = model.predict(X, return_std=True)[1]
    assert_allclose(std, np.full(len(y), model.noise_std_), rtol=1e-12)
    few = R(**SMALL, noise="varying").fit(X[:4], y[:4])  # fewer than ten folds
    assert few.predict(X[:2], return_std=True)[1].shape == (2,)
    with pytest.raises(ValueError) as refused:
        few.fit(X[:1], y[:1])
    assert str(refused.value) == (
        "noise='varying' needs at least 2 different rows; got 1 in n_samples=1. Use "
        "noise='constant', or give fit more different rows."
    )
    constant = R(**SMALL, noise="varying").fit(X, np.ones(len(X)))
    assert constant.noise_choice_["reason"] == "no residual is left, or none is finite"
    assert (constant.predict(X, return_std=True)[1] == 0.0).all()


@pytest.mark.slow
def test_a_better_likelihood_than_one_noise():
    X, y, _, deviation = data(1500)
    train, test = slice(0, 500), slice(500, None)
    found = {}
    for noise in ("constant", "varying"):
        model = R(**SMALL | {"alpha": None}, noise=noise, posterior=True)
        mean, std = model.fit(X[train], y[train]).predict(X[test], return_std=True)
        found[noise] = norm.logpdf(y[test], mean, std).mean()
    assert found["varying"] > found["constant"] + 0.3
    assert np.corrcoef(np.log(std), np.log(deviation[test]))[0, 1] > 0.9


@pytest.mark.slow
def test_the_mean_is_fitted_again_to_rows_weighted_by_the_noise(one_blas_thread):
    """A line, whose minimum is one; where that is no better, the plain line stays."""
    rng = np.random.default_rng(0)
    how = {"hidden_layer_sizes": (), "alpha": "auto", "random_state": 0}
    seen = set()
    for _ in range(3):
        X = rng.standard_normal((200, 3))
        noise = np.where(X[:, 1] > 0.0, 1.5, 0.2) * rng.standard_normal(200)
        y = X[:, 0] - X[:, 2] + noise
        model = R(**how, noise="varying").fit(X, y)
        plain = clone(model).set_params(noise="constant").fit(X, y)
        weight = 1.0 / model.predict(X, return_std=True)[1] ** 2
        weighted = clone(plain).fit(X, y, weight * len(y) / weight.sum())
        is_new = np.abs(model.predict(X) - plain.predict(X)).max() > 1e-3
        wanted = (weighted if is_new else plain).predict(X)
        assert_allclose(model.predict(X), wanted, rtol=1e-5, atol=1e-6)
        assert model.alpha_ == pytest.approx((weighted if is_new else plain).alpha_)
        seen.add(is_new)
        if is_new:  # deviations keep the level that rho was fitted to
            both = clone(model).set_params(posterior=True).fit(X, y)
            ratio = both.predict(X, return_std=True)[1] * np.sqrt(weight)
            assert 0.9 < np.exp(np.log(ratio).mean()) < 1.1
    assert True in seen


@pytest.mark.slow
def test_tails_are_those_of_the_residuals():
    """Densities are those of SciPy; heavy tails and Gaussian ones are told apart."""
    z = np.linspace(-9.0, 9.0, 19)
    for nu in DEGREES[1:]:
        law = t(nu, scale=np.sqrt((nu - 2.0) / nu))
        assert law.std() == pytest.approx(1.0)
        assert_allclose(log_density(z, nu), law.logpdf(z), rtol=1e-10)
    assert_allclose(log_density(z, np.inf), norm.logpdf(z), rtol=1e-10)
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 2))
    how = {"hidden_layer_sizes": (), "alpha": 0.01, "noise": "varying"}
    for noise, wanted in (
        (rng.standard_t(3.0, 400), (3.0, 4.0)),
        (rng.standard_normal(400), (30.0, np.inf)),
    ):
        model = R(**how).fit(X, X[:, 0] + noise)
        assert model.noise_choice_["degrees_of_freedom"] in wanted


@pytest.mark.slow
def test_intervals_are_wide_where_y_varies(one_blas_thread):
    X, y, *_ = data(240)
    model = R(**SMALL, noise="varying", posterior=True, intervals=FOLDS).fit(X, y)
    r, v = left_out(model, X, y, np.ones(240), list(FOLDS.split(X)))
    (rho,) = rho_by_hand(model, X, r, v, np.ones(240))
    fold, new = np.empty(240, int), []
    plain = clone(model).set_params(noise="constant", intervals=None)
    for k, (train, test) in enumerate(FOLDS.split(X)):
        fold[test] = k
        new.append(clone(plain).fit(X[train], y[train]).predict(X[:20]))
    of_rows, square = rho.predict(X), r[:, 0] ** 2 / v[:, 0]
    square, s = np.maximum(square, FLOOR * square.mean()), np.empty(240)
    how = {"alpha": rho.alpha_, "encoding": rho.encoding_}
    if rho.alpha_choice_["model"] in ("linear model", "additive model"):
        how["hidden_layer_sizes"] = ()
    for train, test in FOLDS.split(X):
        part = clone(rho).set_params(**how).fit(X[train], square[train])
        found = np.clip(part.predict(X[test]), of_rows.min(), of_rows.max())
        s[test] = np.sqrt(v[test, 0] * found)
    std = model.predict(X[:20], return_std=True)[1]
    off = np.abs(r[:, 0]) / s
    centres = np.array(new).T[:, fold]
    low, high = centres - off * std[:, None], centres + off * std[:, None]
    wanted = np.stack([np.sort(low, 1)[:, 23], np.sort(high, 1)[:, 216]], axis=1)
    assert_allclose(model.predict_interval(X[:20]), wanted, rtol=1e-6)
    scaled = interval(np.array(new), fold, off, 0.9, std)
    assert_allclose(scaled, wanted, rtol=1e-6)


@pytest.mark.slow
def test_a_cv_form_has_its_own_folds(one_blas_thread):
    X, y, *_ = data(80)
    how = {**SMALL, "noise": "varying"}
    how.pop("alpha")
    model = WeightDecayMLPRegressorCV(alphas=[0.01, 0.1], cv=FOLDS, **how).fit(X, y)
    plain = R(alpha=model.alpha_, intervals=FOLDS, **how).fit(X, y)
    assert_array_equal(
        model.predict(X, return_std=True)[1], plain.predict(X, return_std=True)[1]
    )
    assert model.noise_choice_ == plain.noise_choice_
    one = clone(model).set_params(noise="constant").fit(X, y)
    assert_array_equal(one.predict(X), model.predict(X))
    assert_array_equal(
        one.cv_results_["mean_test_score"], model.cv_results_["mean_test_score"]
    )
    with pytest.raises(ValueError) as refused:
        model.set_params(cv=TimeSeriesSplit(3)).fit(X, y)
    assert "noise='varying' need folds that leave out every" in str(refused.value)


@pytest.mark.slow
def test_frames_pipelines_copies_and_weights_of_zero():
    pd = pytest.importorskip("pandas")
    X, y, *_ = data(100)
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    pipe = make_pipeline(
        StandardScaler().set_output(transform="pandas"), R(**SMALL, noise="varying")
    ).fit(frame, y)
    std = pipe.predict(frame, return_std=True)[1]
    Z = pipe[:-1].transform(frame)
    bare = R(**SMALL, noise="varying").fit(Z, y)
    assert_array_equal(std, bare.predict(Z, return_std=True)[1])
    kept = np.arange(100) % 4 > 0
    folds = GroupKFold(5)
    groups = np.arange(100) // 5
    model = R(**SMALL, noise="varying", intervals=folds)
    model.fit(X, y, kept * 1.0, groups=groups)
    without = clone(model).fit(X[kept], y[kept], groups=groups[kept])
    assert_allclose(
        model.predict(X, return_std=True)[1],
        without.predict(X, return_std=True)[1],
        rtol=1e-5,
    )


def test_what_is_refused():
    X, y, *_ = data(80)
    plain = R(**SMALL).fit(X, y)
    before = plain.predict(X)
    with pytest.raises(ValueError) as refused:
        plain.set_params(noise="huge").fit(X[::-1], y)
    assert str(refused.value) == (
        "noise must be one of 'constant', 'varying'; got 'huge'."
    )
    for loss in ("huber", "absolute_error", "quantile", "gamma", "tweedie"):
        with pytest.raises(ValueError) as refused:
            plain.set_params(noise="varying", loss=loss).fit(X[::-1], np.exp(y))
        assert str(refused.value) == (
            f"noise='varying' is not for loss={loss!r}, which has no deviation. Use "
            "noise='constant', and intervals for what may lie about its predictions."
        )
    assert_array_equal(plain.predict(X), before)
    with pytest.raises(AttributeError) as refused:
        R(noise="varying").partial_fit(X, y)
    assert str(refused.value) == (
        "noise='varying' has no partial_fit: it needs all rows, in folds. Use fit, or "
        "change noise."
    )


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_intervals_cover_quiet_and_loud_rows_alike():
    """Of five groups by deviation each .8 to .97, where one noise misses by far."""
    found = {"constant": [], "varying": []}
    for seed in range(4):
        X, y, *_ = data(2400, seed)
        for noise, groups in found.items():
            model = R(
                hidden_layer_sizes=(50,), noise=noise, intervals=10, random_state=seed
            ).fit(X[:400], y[:400])
            _, ends = model.predict(X[400:], coverage=0.9)
            inside = (ends[:, 0] <= y[400:]) & (y[400:] <= ends[:, 1])
            groups.append(inside[np.argsort(X[400:, 1])].reshape(5, -1).mean(axis=1))
    one, by_x = (np.mean(groups, axis=0) for groups in found.values())
    assert 0.88 <= one.mean() <= 0.95 and 0.88 <= by_x.mean() <= 0.95
    assert one.max() > 0.98 and one.min() < 0.75
    assert (by_x > 0.8).all() and (by_x < 0.97).all()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_near_the_likelihood_of_the_known_noise():
    """Within .15 of it at 1000 rows, with the mean fitted again .08; one noise: .01."""
    short, lost = [], []
    for seed in range(2):
        for varies, found in ((True, short), (False, lost)):
            rng = np.random.default_rng(seed)
            X, y, f, deviation = data(3000, seed=int(rng.integers(1000)), varies=varies)
            scores = [norm.logpdf(y[1000:], f[1000:], deviation[1000:]).mean()]
            for noise in ("constant", "varying"):
                model = R(alpha="auto", noise=noise, posterior=True, random_state=0)
                mean, std = model.fit(X[:1000], y[:1000]).predict(X[1000:], True)
                scores.append(norm.logpdf(y[1000:], mean, std).mean())
            found.append(scores)
    known, constant, varying = np.mean(short, axis=0)
    assert varying > known - 0.09 and varying > constant + 0.3
    _, constant, varying = np.mean(lost, axis=0)
    assert varying > constant - 0.01


def test_weighted_fits_are_judged_in_the_units_of_their_folds():
    """Weights of 1 are no gain over the same residuals, but a little over larger ones.

    Without the fold of a row far out the deviation of y is another.
    """
    X, y, *_ = data(60)
    y[7] += 100.0
    n = len(y)
    model = R(hidden_layer_sizes=(), alpha="auto", encoding=None, random_state=0)
    given = X, y, None, (None, None, None)
    problem = model._problem(check_parameters(model), *given)
    chosen = choose_by_folds(problem, *problem.whole())
    assert chosen.choice["model"] == "linear model"
    numbers, rng = numbers_of_copies(X, y[:, np.newaxis]), problem.stream(JUDGING)
    off = np.empty((n, 1))
    for train, test in splits_of(numbers, np.ones(n), None, rng):
        alpha = chosen.trained.alpha[0, 0] * n / len(train)
        line = clone(model).set_params(alpha=alpha).fit(X[train], y[train])
        off[test, 0] = y[test] - line.predict(X[test])
    ones = np.ones((n, 1))
    assert weighted_fit(problem, chosen, 1.001 * off, ones) is not None
    assert weighted_fit(problem, chosen, 0.999 * off, ones) is None


def test_what_is_said_is_of_the_fit_that_is_kept(monkeypatch):
    def late(problem, chosen, *_):
        status = np.full(len(chosen.trained.params), int(Status.MAX_ITER))
        return replace(chosen, trained=replace(chosen.trained, status=status))

    monkeypatch.setattr("skwd._cv.noise.ERRORS", 0.0)
    monkeypatch.setattr("skwd._cv.number_folds.weighted_fit", late)
    X, y, *_ = data(90)
    model = R(hidden_layer_sizes=(), alpha="auto", noise="varying", random_state=0)
    with pytest.warns(ConvergenceWarning, match="max_iter") as said:
        model.fit(X, y)
    assert len(said) == 1 and not model.converged_


@pytest.mark.slow
@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize(
    ("posterior", "noise"), [(True, "constant"), (True, "varying"), (False, "varying")]
)
@pytest.mark.parametrize("c", [1e-200, 1e200])
def test_deviations_of_y_whose_squares_are_no_numbers(posterior, noise, c, monkeypatch):
    """c times y has c times the deviations."""
    monkeypatch.setattr("skwd._cv.noise.ERRORS", 0.0)  # any gain will do
    rng = np.random.default_rng(0)
    X = rng.standard_normal((80, 2))
    y = X[:, 0] + np.exp(X[:, 1]) * rng.standard_normal(80)
    model = WeightDecayMLPRegressor(
        hidden_layer_sizes=(), posterior=posterior, noise=noise, random_state=0
    )
    wanted = model.fit(X, y).predict(X, return_std=True)[1]
    found = model.fit(X, c * y).predict(X, return_std=True)[1]
    np.testing.assert_allclose(found / c, wanted, rtol=1e-6)


@pytest.mark.parametrize("seed", range(20))
def test_a_gain_on_the_constant_is_one_of_likelihood_row_by_row(seed):
    rng = np.random.default_rng(seed)
    n_groups, size = int(rng.integers(10, 40)), int(rng.integers(1, 4))
    n = n_groups * size
    y, rho = rng.chisquare(1, n), rng.gamma(2.0, 0.5, n)
    group = np.repeat(np.arange(n_groups), size)
    fold, weight = group % 5, rng.integers(1, 4, n).astype(float)

    def gain(rows, weight, together):
        some = Data(np.empty((len(rows), 0)), y[rows], weight)
        return gain_on_constant(some, rho[rows], fold[rows], together)

    def gains_of(weight):
        """By the likelihood, beside the mean of the rows of other folds."""
        mean = [np.average(y[fold != k], weights=weight[fold != k]) for k in fold]
        law, one = norm(scale=np.sqrt(rho)), norm(scale=np.sqrt(mean))
        return 2.0 * (law.logpdf(np.sqrt(y)) - one.logpdf(np.sqrt(y)))

    gains = gains_of(np.ones(n))
    rows, ones = np.arange(n), np.ones(n)
    assert_allclose(gain(rows, ones, rows), (gains.mean(), sem(gains)), rtol=1e-9)
    # Rows of a group are one draw: their mean.
    of_groups = gains.reshape(n_groups, size).mean(axis=1)
    expected = of_groups.mean(), sem(of_groups)
    assert_allclose(gain(rows, ones, group), expected, rtol=1e-9)
    # A weight of 2 is a repeated row, and no further draw.
    again = np.repeat(rows, weight.astype(int))
    expected = gain(again, np.ones(len(again)), again)
    assert_allclose(gain(rows, weight, rows), expected, rtol=1e-9)
    # One row may weigh more than all others by far.
    weight[0] = 1e30
    expected = np.average(gains_of(weight), weights=weight)
    assert_allclose(gain(rows, weight, rows)[0], expected, rtol=1e-9)
