"""The default alpha: c rows, and more or fewer where linear models say so."""

import tracemalloc
import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import Ridge, RidgeCV

from skwd import WeightDecayMLPClassifier, WeightDecayMLPRegressor
from skwd._alpha import linear_rows
from skwd._core.losses import LOSSES, MULTINOMIAL
from skwd._core.rows import spread
from skwd._cv import ways

N, D = 240, 30
C, C_CLASSES = LOSSES["squared_error"].default_decay, MULTINOMIAL.default_decay
QUICK = {"hidden_layer_sizes": (2,), "random_state": 0, "max_iter": 2}


@pytest.fixture(scope="module")
def noisy():
    """Thirty columns, two of them with a signal below the noise."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((N, D)) * rng.uniform(0.5, 2.0, D)
    return X, X[:, 0] - 0.5 * X[:, 1] + 3.0 * rng.standard_normal(N)


def rows(model):
    """The prior that alpha_ stands for, in rows."""
    return float(model.alpha_) * N


def quick(cls=WeightDecayMLPRegressor, **params):
    return cls(**{**QUICK, **params})


def fitted(model, *data):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(*data)


def task_of(monkeypatch, model, *data):
    """The task that the default alpha is learnt from."""
    found, plain = [], ways.learnt_default

    def spy(task):
        found.append(task)
        return plain(task)

    monkeypatch.setattr(ways, "learnt_default", spy)
    fitted(model, *data)
    return found[0]


def left_out_errors(task, alphas, n_units=0):
    """Those of ridge on the columns and on some units of weights 1."""
    sample, W = task.training, np.ones((D, n_units))
    moments = linear_rows._moments(sample, W)
    return linear_rows._left_out_errors(sample, W, moments, alphas)


@pytest.mark.parametrize("n_units", [0, 1])
def test_errors_are_those_of_ridge_without_each_row(monkeypatch, noisy, n_units):
    X, y = noisy
    task = task_of(monkeypatch, quick(), X, y)
    alphas = np.array([1e-3, 0.1, 3.0])
    found = left_out_errors(task, alphas, n_units)
    if n_units:
        unit = np.maximum((X - X.mean(axis=0)).sum(axis=1), 0.0)
        X = np.column_stack([X, unit])
    peer = RidgeCV(alphas=N * alphas, store_cv_results=True)
    peer.fit(X, (y - y.mean()) / y.std())
    np.testing.assert_allclose(found, peer.cv_results_.mean(axis=0), rtol=1e-10)
    monkeypatch.setattr(linear_rows, "JUDGED", N // 3)
    found = left_out_errors(task, alphas, n_units)
    judged = peer.cv_results_[task.training.rows[spread(N, N // 3)]].mean(axis=0)
    np.testing.assert_allclose(found, judged, rtol=1e-10)


@pytest.mark.wide(2)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_errors_of_classes_are_those_of_their_indicators(monkeypatch, noisy, n_classes):
    X, y = noisy
    labels = np.digitize(y, np.quantile(y, [0.3, 0.8][: n_classes - 1]))
    task = task_of(monkeypatch, quick(WeightDecayMLPClassifier), X, labels)
    Y = (labels[:, np.newaxis] == np.arange(n_classes)) * 1.0
    Y = Y[:, 1:] if n_classes == 2 else Y
    errors = np.zeros(Y.shape)
    for i in range(N):
        kept = np.arange(N) != i
        peer = Ridge(alpha=N * 0.2).fit(X[kept], Y[kept])
        errors[i] = Y[i] - peer.predict(X[i : i + 1])
    found = left_out_errors(task, np.array([0.2]))
    np.testing.assert_allclose(found, np.mean(np.sum(errors**2, axis=1)), rtol=1e-9)
    p = Y.mean(axis=0)
    curvature = task.loss.linear_curvature(task.training.y, task.training.norm_weight)
    assert curvature == pytest.approx(np.mean(p * (1.0 - p)))


@pytest.mark.parametrize("labels", [False, True])
def test_more_columns_than_rows_are_seen_in_the_space_of_the_rows(monkeypatch, labels):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((220, 6)) @ rng.standard_normal((6, 400))
    y = X[:, 0] + 3.0 * rng.standard_normal(220)
    X += rng.standard_normal(X.shape)
    cls = WeightDecayMLPClassifier if labels else WeightDecayMLPRegressor
    y = y > 0.0 if labels else y
    model = fitted(quick(cls), X, y)
    monkeypatch.setattr("skwd._solvers.row_space.GATHER_BYTES", 0)
    whole = fitted(quick(cls), X, y)
    assert model.alpha_ == pytest.approx(whole.alpha_, rel=1e-6)
    c = (C_CLASSES if labels else C) / 220
    assert model.alpha_ > 2.0 * c
    monkeypatch.undo()
    wide = np.hstack([X, rng.standard_normal((220, 400))])  # too many for columns
    assert fitted(quick(cls), wide, y).alpha_ > 2.0 * c
    monkeypatch.setattr("skwd._solvers.row_space.GATHER_BYTES", 0)
    assert fitted(quick(cls), wide, y).alpha_ == pytest.approx(c)


@pytest.mark.wide(3)
@pytest.mark.parametrize("is_sparse", [False, True])
@pytest.mark.parametrize("n, d", [(600, 250), (900, 900), (1200, 201)])
def test_of_many_columns_three_hundred_rows_tell(n, d, is_sparse):
    """Those of weight, drawn at random."""
    rng = np.random.default_rng(0)
    X = np.maximum(rng.standard_normal((n, d)), 0.0)
    y = X[:, :5].sum(axis=1) + 3.0 * rng.standard_normal(n)
    weight = np.ones(n)
    weight[::3] = 0.0
    counting = np.flatnonzero(weight)
    asked = counting[spread(len(counting), 300)]
    X = sparse.csr_matrix(X) if is_sparse else X
    found = fitted(quick(), X, y, weight).alpha_ * weight.sum()
    assert found > 2.0 * C
    others = np.setdiff1d(counting, asked)
    for rows, is_seen in ((others, False), (asked, True)):
        of_others = y.copy()
        of_others[rows] = rng.permutation(y[rows])
        again = fitted(quick(), X, of_others, weight).alpha_ * weight.sum()
        assert (again == pytest.approx(found, rel=1e-6)) is not is_seen


@pytest.mark.wide(2)
@pytest.mark.parametrize("d", [480, 520, 640, 660])
@pytest.mark.parametrize("cls", [WeightDecayMLPRegressor, WeightDecayMLPClassifier])
def test_storage_and_empty_columns_do_not_matter(cls, d):
    rng, n = np.random.default_rng(0), 600
    X = np.maximum(rng.standard_normal((n, d)), 0.0)
    y = X[:, :5].sum(axis=1) + 3.0 * rng.standard_normal(n)
    y = y if cls is WeightDecayMLPRegressor else y > np.median(y)
    found = float(fitted(quick(cls), X, y).alpha_)
    assert found * n > 2.0 * C
    empty = sparse.csr_matrix((n, 41))
    for table in (sparse.csr_matrix(X), sparse.hstack([X, empty]).tocsr()):
        assert fitted(quick(cls), table, y).alpha_ == pytest.approx(found, rel=0.02)
    X[7, 3:5] = 1e-7  # of no weight for a prior
    found = float(fitted(quick(cls), X, y).alpha_)
    table = sparse.csr_matrix(X)
    assert fitted(quick(cls), table, y).alpha_ == pytest.approx(found, rel=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("n", [2989, 2991, 2993, 3002])
@pytest.mark.parametrize("d", [120, 250])
def test_an_order_of_rows_with_a_period_does_not_matter(n, d, monkeypatch):
    """As of cases that alternate with controls."""
    monkeypatch.setattr(linear_rows, "JUDGED", 500)
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((n, d)), np.arange(n) % 2
    X[:, 0] += 1.5 * y
    X[:, 1:6] += 0.5 * y[:, np.newaxis]
    order = rng.permutation(n)
    cls = WeightDecayMLPClassifier
    in_order = fitted(quick(cls, max_iter=1), X, y).alpha_
    mixed = fitted(quick(cls, max_iter=1), X[order], y[order]).alpha_
    assert 0.6 < in_order / mixed < 1.6


@pytest.mark.slow
def test_the_random_units_of_many_columns_are_few_at_a_time():
    X = sparse.random(220, 2**18, density=1e-3, format="csr", random_state=0)
    y = np.arange(220.0) % 7
    peaks = []
    for alpha in (0.1, None):
        tracemalloc.start()
        fitted(quick(hidden_layer_sizes=(), alpha=alpha), X, y)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 80e6  # all units at once: 210 MB


@pytest.mark.slow
def test_columns_that_those_rows_lack_do_not_count():
    """Most words are in a row or two, and hardly move the mean of all rows."""
    rng = np.random.default_rng(0)
    n, d = 900, 4000
    X = np.where(rng.random((n, d)) < 1.5 / n, 0.01, 0.0)
    X[:, :20] = np.where(rng.random((n, 20)) < 0.3, 1.0, 0.0)
    y = X[:, :20] @ rng.standard_normal(20)
    for table in (X, sparse.csr_matrix(X)):
        assert fitted(quick(), table, y).alpha_ * n < 0.5 * C


def test_what_is_too_large_for_the_space_of_the_rows_keeps_c(monkeypatch):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((400, 700)), rng.standard_normal(400)
    assert fitted(quick(), X, y).alpha_ > 2.0 * C / 400
    monkeypatch.setattr("skwd._solvers.row_space.GATHER_BYTES", 300 * 700 * 8)
    assert fitted(quick(), X, y).alpha_ == pytest.approx(C / 400)


def test_the_ends_of_what_is_as_good_as_the_best():
    n_rows = np.array([1.0, 10.0, 100.0])
    ends = linear_rows.ends_as_good
    assert ends(n_rows, np.array([1.0, 1.0, 1.0])) == (1.0, 100.0)
    most = 1.0 + linear_rows.EQUAL
    halfway = most + (most - 1.0)  # the line passes `most` halfway in the logarithm
    rising = ends(n_rows, np.array([1.0, halfway, 9.0]))
    assert rising == pytest.approx((1.0, 10**0.5))
    falling = ends(n_rows, np.array([9.0, halfway, 1.0]))
    assert falling == pytest.approx((10**1.5, 100.0))
    assert ends(n_rows, np.array([np.nan, 1.0, 1.0])) == (1.0, 1.0)


def test_noisy_columns_raise_it_and_clean_ones_do_not(monkeypatch, noisy):
    X, y = noisy
    model = quick()
    needed = linear_rows.rows_needed(task_of(monkeypatch, model, X, y))
    assert needed > linear_rows.REFERENCE
    wanted = C * (needed / linear_rows.REFERENCE) ** linear_rows.POWER
    assert rows(model) == pytest.approx(wanted)
    assert rows(model) > 2.0 * C
    clean = X[:, 0] - 0.5 * X[:, 1]
    assert rows(fitted(quick(hidden_layer_sizes=()), X, clean)) == pytest.approx(C)
    labels = y > 0.0
    found = fitted(quick(WeightDecayMLPClassifier), X, labels)
    assert rows(found) > 1.5 * C_CLASSES
    line = quick(WeightDecayMLPClassifier, hidden_layer_sizes=())
    assert rows(fitted(line, X[:, :2], X[:, 0] > 0.0)) == pytest.approx(C_CLASSES)


@pytest.mark.parametrize("cls", [WeightDecayMLPRegressor, WeightDecayMLPClassifier])
def test_where_next_to_nothing_is_noise_it_is_lower(monkeypatch, cls):
    """By what ridge on the columns and the random units needs, found by RidgeCV."""
    rng = np.random.default_rng(0)
    X = rng.uniform(-1.0, 1.0, (N, 3))
    signal = np.abs(X[:, 0]) + X[:, 1] + 0.05 * rng.standard_normal(N)
    y = signal if cls is WeightDecayMLPRegressor else signal > 0.5
    c = C if cls is WeightDecayMLPRegressor else C_CLASSES
    task = task_of(monkeypatch, quick(cls), X, y)
    units = np.random.default_rng(0).uniform(-1.0, 1.0, (3, linear_rows.N_UNITS))
    units *= np.sqrt(6.0 / (3 + linear_rows.N_UNITS))
    about = X - X.mean(axis=0)
    A, target = np.column_stack([X, np.maximum(about @ units, 0.0)]), y * 1.0
    scale = 1.0 if cls is WeightDecayMLPClassifier else y.std()
    curvature = target.var() if cls is WeightDecayMLPClassifier else 1.0
    n_rows = np.logspace(-2.0, 2.0, 161)
    peer = RidgeCV(alphas=n_rows / curvature, store_cv_results=True)
    errors = peer.fit(A, target / scale).cv_results_.mean(axis=0)
    as_good = n_rows[errors <= (1.0 + linear_rows.EQUAL) * errors.min()]
    needed = linear_rows.rows_needed(task)
    assert needed < 0.5
    off = np.log(needed / max(as_good[-1], linear_rows.FEWEST))
    assert off == pytest.approx(0.0, abs=0.4)
    assert rows(fitted(quick(cls), X, y)) == pytest.approx(c * needed**0.5)
    noisy = signal + rng.standard_normal(N)
    noisy = noisy if cls is WeightDecayMLPRegressor else noisy > 0.5
    assert rows(fitted(quick(cls), X, noisy)) > 2.0 * c * needed**0.5


def test_it_has_a_floor_and_no_jumps():
    needed = np.logspace(-4.0, 4.0, 400)
    factor = np.array([linear_rows.factor_of(x) for x in needed])
    assert (np.diff(factor) >= 0.0).all()
    assert factor[0] == linear_rows.FEWEST**0.5
    assert (factor[(needed >= 1.0) & (needed <= linear_rows.REFERENCE)] == 1.0).all()
    assert np.abs(np.diff(np.log(factor))).max() < 0.03


@pytest.mark.parametrize("name", ["product", "even"])
def test_signals_that_no_linear_model_sees_are_not_taken_for_noise(name):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 5))
    y = X[:, 0] * X[:, 1] if name == "product" else np.abs(X[:, 0])
    y = y / y.std() + 0.3 * rng.standard_normal(400)
    raised = fitted(quick(), X, y).alpha_ * 400
    noise = fitted(quick(), X, rng.permutation(y)).alpha_ * 400
    assert raised < 1.5 * C
    assert noise > 2.0 * raised


@pytest.mark.parametrize("cls", [WeightDecayMLPRegressor, WeightDecayMLPClassifier])
def test_noise_alone_gives_a_constant_and_the_reason(cls):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((400, 20)), rng.standard_normal(400)
    model = cls(random_state=0)
    with pytest.warns(UserWarning) as caught:
        model.fit(X, y if cls is WeightDecayMLPRegressor else y > 0.0)
    shown = f"{model.alpha_:g}"
    assert [str(w.message) for w in caught] == [
        f"alpha={shown} is too large for this data: every weight has collapsed to "
        f"about zero, and the network predicts a constant. alpha=None is {shown} here, "
        "as a linear model tells next to no signal from noise. Use alpha='auto', or "
        "give alpha a number."
    ]


def test_raised_it_predicts_better(noisy):
    X, y = noisy
    rng = np.random.default_rng(1)
    X_new = rng.standard_normal((2000, D)) * X.std(axis=0)
    y_new = X_new[:, 0] - 0.5 * X_new[:, 1]
    params = {"hidden_layer_sizes": (30,), "random_state": 0}
    raised = WeightDecayMLPRegressor(**params).fit(X, y)
    plain = WeightDecayMLPRegressor(alpha=C / N, **params).fit(X, y)
    errors = [np.mean((m.predict(X_new) - y_new) ** 2) for m in (raised, plain)]
    assert errors[0] < 0.8 * errors[1]


@pytest.mark.parametrize("cls", [WeightDecayMLPRegressor, WeightDecayMLPClassifier])
def test_weights_are_rows(noisy, cls):
    X, y = noisy
    y = y if cls is WeightDecayMLPRegressor else np.digitize(y, [-2.0, 2.0])
    weight = np.where(np.arange(N) % 8, 1.0 + np.arange(N) % 5 // 4, 0.0)
    counts = np.repeat(np.arange(N), weight.astype(int))
    weighted = fitted(quick(cls), X, y, weight)
    repeated = fitted(quick(cls), X[counts], y[counts])
    assert weighted.alpha_ == pytest.approx(repeated.alpha_, rel=1e-9)
    kept = np.flatnonzero(weight)
    without = fitted(quick(cls), X[kept], y[kept], weight[kept])
    assert weighted.alpha_ == pytest.approx(without.alpha_, rel=1e-9)
    assert weighted.alpha_ * weight.sum() > 1.5 * C_CLASSES


def test_units_of_y_origins_containers_and_dtypes_do_not_matter(noisy):
    X, y = noisy
    X = np.where(np.abs(X) < 0.5, 0.0, X)
    plain = fitted(quick(), X, y)
    assert rows(plain) > 2.0 * C
    for others in (
        (X + 30.0, 1e-4 * y - 7.0),
        (sparse.csr_matrix(X), y),
        (np.asfortranarray(X), y),
    ):
        assert fitted(quick(), *others).alpha_ == pytest.approx(plain.alpha_, rel=1e-6)
    narrow = fitted(quick(), X.astype(np.float32), y)
    assert narrow.alpha_ == pytest.approx(plain.alpha_, rel=1e-3)
    two = fitted(quick(), X, np.stack([y, 5.0 - y], axis=1))
    assert two.alpha_ == pytest.approx(plain.alpha_, rel=1e-6)


def test_the_solver_and_the_layers_do_not_matter(noisy):
    X, y = noisy
    plain = fitted(quick(), X, y).alpha_
    for params in (
        {"solver": "adam"},
        {"hidden_layer_sizes": (3, 2)},
        {"hidden_layer_sizes": ()},
    ):
        found = fitted(quick(**params), X, y).alpha_
        assert found == pytest.approx(plain, rel=1e-9), params


@pytest.mark.parametrize(
    "params",
    [
        {"loss": "huber"},
        {"loss": "absolute_error"},
        {"missing_targets": "mask"},
        {"l1_ratio": 0.5},
        {"decay": "decoupled", "solver": "adam"},
    ],
    ids=str,
)
def test_what_keeps_c(noisy, params):
    X, y = noisy
    found = fitted(quick(**params), X, y).alpha_
    few = fitted(quick(**params), X, np.where(np.arange(N) % 2, X[:, 0], -X[:, 0]))
    assert found == pytest.approx(few.alpha_)  # nothing was learnt from y


def test_few_rows_labels_and_parts_of_a_stream_keep_c(noisy):
    X, y = noisy
    few = fitted(quick(), X[:199], y[:199])
    assert few.alpha_ * 199 == pytest.approx(C)
    labels = np.stack([y > 0.0, y > 1.0], axis=1)
    found = fitted(quick(WeightDecayMLPClassifier), X, labels)
    assert rows(found) == pytest.approx(C_CLASSES)
    part = quick(solver="adam").partial_fit(X, y)
    assert part.alpha_ * 1000 == pytest.approx(C)
    assert rows(fitted(quick(), X, np.ones(N))) == pytest.approx(C)


def test_columns_of_extreme_units(noisy):
    X, y = noisy
    for scale in (1e-150, 1e150, 1e-200, 1e200):
        model = quick()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", RuntimeWarning)
            try:
                alpha = model.fit(X * scale, y).alpha_
            except ValueError as error:
                assert "Standardise X" in str(error)
                continue
        assert np.isfinite(alpha)
        assert alpha * N >= linear_rows.factor_of(0.0) * C * (1.0 - 1e-9)
