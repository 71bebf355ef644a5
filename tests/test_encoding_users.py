"""encoding="parts" with everything beside it: weights' groups, steps, exports, X."""

import pickle
import re

import numpy as np
import pandas as pd
import pytest
from parts import Parts, mixed
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline

from skwd import (
    RelevanceDisplay,
    WeightDecayMLPClassifier,
    WeightDecayMLPRegressor,
    WeightDecayMLPRegressorCV,
)
from skwd._core.kinks import Kinks, UnequalKinks
from skwd._solvers.dropout import Dropout

LINEAR = {"hidden_layer_sizes": (), "alpha": 0.01}
PARTS = {"encoding": "parts"}
SMALL = {"hidden_layer_sizes": (4,), "random_state": 0, "alpha": 0.02, "tol": 1e-2}
STEPS = {"solver": "adam", "batch_size": 50, "max_iter": 3, "n_iter_no_change": 1}


def with_noise(n=150):
    """X of three columns, of which the last is noise, and y."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 3))
    return X, np.where(X[:, 0] > 0.5, 2.0, 0.0) + X[:, 1] + 0.1 * rng.normal(size=n)


def test_what_it_may_be_is_said():
    X, y = mixed()
    for given, near in (("part", ": did you mean 'parts'?"), (3, "."), (True, ".")):
        message = (
            f"encoding must be None, 'auto' or 'parts'; got {given!r}{near} Use "
            "encoding=None for the columns as they are."
        )
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            WeightDecayMLPRegressor(encoding=given).fit(X, y)


def test_sparse_rows_have_no_parts():
    X, y = mixed()
    csr = sparse.csr_matrix(X)
    message = (
        "encoding='parts' is for dense X, as parts of sparse columns are not sparse; "
        "got a sparse X of shape (150, 5). Use encoding='auto' or None, or X.toarray()."
    )
    for cls in (WeightDecayMLPRegressor, WeightDecayMLPRegressorCV):
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            cls(**PARTS).fit(csr, y)
    assert WeightDecayMLPRegressor(**SMALL).fit(csr, y).encoding_ is None
    # Rows to predict, and to watch, may be sparse all the same.
    model = WeightDecayMLPRegressor(**LINEAR, **PARTS).fit(X, y)
    np.testing.assert_allclose(model.predict(csr), model.predict(X))
    stopped = WeightDecayMLPRegressor(**SMALL, **PARTS, early_stopping=True)
    a = clone(stopped).fit(X, y, X_val=csr, y_val=y)
    b = clone(stopped).fit(X, y, X_val=X, y_val=y)
    np.testing.assert_allclose(a.coefs_[0], b.coefs_[0], rtol=1e-6, atol=1e-9)


def test_float32_integers_and_frames():
    X, y = mixed()
    X = np.round(4.0 * X)
    model = WeightDecayMLPRegressor(**LINEAR, **PARTS).fit(X, y)
    integers = WeightDecayMLPRegressor(**LINEAR, **PARTS).fit(X.astype(int), y)
    np.testing.assert_array_equal(integers.predict(X.astype(int)), model.predict(X))
    frame = pd.DataFrame(X, columns=list("abcde"))
    named = WeightDecayMLPRegressor(**LINEAR, **PARTS).fit(frame, y)
    np.testing.assert_array_equal(named.predict(frame), model.predict(X))
    single = WeightDecayMLPRegressor(**LINEAR, **PARTS).fit(X.astype(np.float32), y)
    assert single.coefs_[0].dtype == np.float32
    np.testing.assert_allclose(
        single.predict(X.astype(np.float32)), model.predict(X), atol=1e-4
    )


def test_a_missing_value_is_refused_as_ever():
    X, y = mixed()
    X[3, 1] = np.nan
    with pytest.raises(ValueError, match="Input X contains NaN"):
        WeightDecayMLPRegressor(**PARTS).fit(X, y)


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_columns_leave_with_their_parts(solver):
    X, y = with_noise()
    how = {**LINEAR, **PARTS, "l1_ratio": 1.0, "sparsity": "input", "alpha": 0.05}
    if solver == "adam":
        how |= {"solver": "adam", "max_iter": 150, "learning_rate_init": 0.01}
    model = WeightDecayMLPRegressor(**how, random_state=0).fit(X, y)
    W = np.split(model.coefs_[0][:, 0], 3)
    assert model.support_.tolist() == [True, True, False]
    assert [part.any() for part in W] == [True, True, False]
    if solver == "lbfgs":  # 0 is in the subdifferential
        Z = Parts().fit_transform(X)
        Z, scaled = Z - Z.mean(axis=0), (y - y.mean()) / y.std()
        pull = np.split(Z.T @ (scaled - Z @ model.coefs_[0][:, 0]) / len(y), 3)
        for w, g in zip(W[:2], pull):
            along = 0.05 * w / np.linalg.norm(w)
            np.testing.assert_allclose(g, along, atol=1e-3)
        assert np.linalg.norm(pull[2]) <= 0.05


def test_blocks_of_different_sizes_are_those_of_a_size_each():
    rng = np.random.default_rng(0)
    strength, widths = rng.uniform(0.5, 1.0, (2, 4)), np.array([2, 3, 2, 3])
    w, g, step = rng.normal(size=(3, 2, 12))
    w[:, 2:5] = 0.0
    step = np.abs(step)
    both = UnequalKinks(strength, widths)
    starts = np.cumsum(widths) - widths
    expected, moved = np.zeros(2), {name: np.empty((2, 12)) for name in "abcd"}
    moved["d"][:, 10:] = w[:, 10:]
    for b, (start, width) in enumerate(zip(starts, widths)):
        part = slice(start, start + width)
        one = Kinks(strength[:, [b]], int(width))
        expected += one.value(w[:, part])
        moved["a"][:, part], moved["b"][:, part] = one.gradients(w[:, part], g[:, part])
        moved["c"][:, part] = one.free(g[:, part], w[:, part])
        shrunk = w[:, part].copy()
        one.shrink(shrunk, step[:, part])
        moved["d"][:, part] = shrunk
    np.testing.assert_allclose(both.value(w), expected)
    least, face = both.gradients(w, g)
    free, shrunk = both.free(g, w), w.copy()
    both.shrink(shrunk, step)
    for name, found in zip("abcd", (least, face, free, shrunk)):
        n = 10 if name != "d" else 12
        np.testing.assert_allclose(found[:, :n], moved[name][:, :n])
    trial, own = w - 2.0 * g, w - 2.0 * g
    both.project(trial, w, least)
    for b, (start, width) in enumerate(zip(starts, widths)):
        part = slice(start, start + width)
        one, held = Kinks(strength[:, [b]], int(width)), own[:, part].copy()
        one.project(held, w[:, part], least[:, part])
        np.testing.assert_array_equal(trial[:, part], held)


def test_importances_are_shares_of_the_variance_of_terms():
    X, y = with_noise()
    how = {**LINEAR, **PARTS, "l1_ratio": 0.1, "sparsity": "input"}
    model = WeightDecayMLPRegressor(**how).fit(X, y)
    Z = Parts().fit_transform(X)
    columns, w = np.split(Z, 3, axis=1), np.split(model.coefs_[0][:, 0], 3)
    variances = np.array([(part @ v).var() for part, v in zip(columns, w)])
    np.testing.assert_allclose(
        model.feature_importances_, variances / variances.sum(), rtol=1e-6
    )


@pytest.mark.slow
def test_a_column_has_one_alpha_with_its_parts():
    X, y = with_noise()
    how = {"hidden_layer_sizes": (), "alpha": "evidence", "alpha_groups": "input"}
    model = WeightDecayMLPRegressor(**how, **PARTS).fit(X, y)
    assert model.alpha_.shape == model.feature_importances_.shape == (3,)
    assert model.column_effective_params_.shape == (3,)
    assert model.feature_importances_[2] < 0.01
    display = RelevanceDisplay.of(model)
    assert len(display.names) == len(display.importances) == 3
    plain = RelevanceDisplay.of(WeightDecayMLPRegressor(**SMALL, **PARTS).fit(X, y))
    assert len(plain.importances) == 3 and plain.importances.sum() == pytest.approx(1)
    listed = {**how, "alpha_groups": [[0, 2]]}
    model = WeightDecayMLPRegressor(**listed, **PARTS).fit(X, y)
    assert model.alpha_.shape == (2,)


def test_a_dropped_column_takes_its_parts_along():
    sources = np.array([0, 0, 0, 1, 2, 2])
    X = np.arange(1.0, 1.0 + 40 * 7).reshape(40, 7)
    drawn = Dropout((0.4, 0.0)).drawing(np.random.default_rng(0), sources)
    out, ops = drawn.input_ops(X)
    for function, arguments in ops:
        function(*arguments)
    kept = out[:, :-1] != 0.0
    np.testing.assert_array_equal(kept[:, :3], np.repeat(kept[:, :1], 3, axis=1))
    np.testing.assert_array_equal(kept[:, 4], kept[:, 5])
    np.testing.assert_allclose(out[:, :-1][kept], X[:, :-1][kept] / 0.6)
    plain = Dropout((0.4, 0.0)).drawing(np.random.default_rng(0))
    of_columns, ops = plain.input_ops(np.ones((40, 4)))
    for function, arguments in ops:
        function(*arguments)  # the same draws
    np.testing.assert_array_equal(of_columns[:, :-1] != 0.0, kept[:, [0, 3, 4]])
    Z, y = with_noise()
    how = {**SMALL, **STEPS, **PARTS, "dropout": [0.3, 0.0], "learning_rate_init": 0.03}
    with pytest.warns(ConvergenceWarning):
        assert np.isfinite(WeightDecayMLPRegressor(**how).fit(Z, y).loss_)


def test_partial_fit_keeps_the_knots_of_its_first_call():
    X, y = mixed()
    how = {**SMALL, **PARTS, **STEPS, "shuffle": False, "tol": 0.0}
    with pytest.warns(ConvergenceWarning):
        whole = WeightDecayMLPRegressor(**how).fit(X, y)
    streamed = WeightDecayMLPRegressor(**how)
    for _ in range(3):
        streamed.partial_fit(X, y)
    np.testing.assert_array_equal(whole.coefs_[0], streamed.coefs_[0])
    knots = streamed.knots_
    again = pickle.loads(pickle.dumps(streamed)).partial_fit(2.0 * X, y)
    streamed.partial_fit(2.0 * X, y)
    for a, b, before in zip(streamed.knots_, again.knots_, knots):
        np.testing.assert_array_equal(a, before)
        np.testing.assert_array_equal(b, before)
    np.testing.assert_array_equal(again.coefs_[0], streamed.coefs_[0])


def test_a_warm_start_keeps_the_knots():
    X, y = mixed()
    model = WeightDecayMLPRegressor(**SMALL, **PARTS, warm_start=True).fit(X, y)
    knots, before = model.knots_, model.loss_
    model.fit(X, y)
    assert model.loss_ <= before * (1.0 + 1e-9)
    model.fit(X * 1.5, y)
    np.testing.assert_array_equal(model.knots_[0], knots[0])
    model.encoding = None
    message = (
        "warm_start=True continues a network of encoding='parts', but encoding=None "
        "now. Set warm_start=False to start anew."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        model.fit(X, y)


def test_pickles_are_small_and_clones_are_the_same():
    X, y = mixed()
    model = WeightDecayMLPRegressor(hidden_layer_sizes=(50,), **PARTS, alpha=0.1)
    model = model.set_params(tol=1e-1, random_state=0).fit(X, y)
    weights = sum(W.nbytes for W in (*model.coefs_, *model.intercepts_))
    assert len(pickle.dumps(model)) < 1.2 * weights + 4000
    loaded = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    assert clone(model).encoding == "parts"


@pytest.mark.parametrize("early", [False, True])
def test_rows_to_validate_are_not_looked_at(early):
    X, y = mixed()
    how = {**SMALL, **PARTS, "early_stopping": early, "validation_fraction": 0.5}
    model = WeightDecayMLPRegressor(**how).fit(X, y)
    own = Parts().fit(X).knots_[0]
    assert np.array_equal(model.knots_[0], own) is not early


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("loss", ["poisson", "huber", "quantile", "gamma", "tweedie"])
def test_every_loss(loss):
    X, y = mixed()
    y = np.exp(y / 3)
    for solver in ("lbfgs", "adam"):
        how = {**SMALL, **PARTS, "loss": loss, "solver": solver, "max_iter": 30}
        how["learning_rate_init"] = 0.03
        model = WeightDecayMLPRegressor(**how).fit(X, y)
        assert np.isfinite(model.predict(X)).all() and model.encoding_ == "parts"


@pytest.mark.wide(10)
@pytest.mark.parametrize("activation", ["relu", "tanh", "identity"])
@pytest.mark.parametrize("hidden", [(), (4,), (4, 3)], ids=str)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_to_sklearn_predicts_the_same(activation, hidden, dtype):
    X, y = mixed()
    how = {**SMALL, **PARTS, "hidden_layer_sizes": hidden, "activation": activation}
    new = np.vstack([X, X + 9.0 * np.random.default_rng(1).normal(size=X.shape)])
    near = 1e-10 if dtype == np.float64 else 1e-4
    for columns in (slice(0, 5), slice(0, 3)):
        frame = pd.DataFrame(X[:, columns].astype(dtype)).rename(columns=str)
        rows = pd.DataFrame(new[:, columns].astype(dtype)).rename(columns=str)
        for given, asked in ((frame, rows), (frame.to_numpy(), rows.to_numpy())):
            model = WeightDecayMLPRegressor(**how).fit(given, 100.0 * y)
            theirs, expected = model.to_sklearn(), model.predict(asked)
            scale = np.abs(expected).max()
            found = theirs.predict(asked)
            np.testing.assert_allclose(found, expected, atol=near * scale)
            is_pipeline = bool(hidden) and activation != "relu"
            assert isinstance(theirs, Pipeline) is is_pipeline
            assert theirs.n_features_in_ == model.n_features_in_
            names = getattr(theirs, "feature_names_in_", None)
            assert (names is None) == (given is not frame)


FAR = np.random.default_rng(0)
FAR_COLUMNS = {
    "a few far": np.where(FAR.random(60) < 0.1, 1e100, FAR.standard_normal(60)),
    "some far": np.where(FAR.random(60) < 0.1, 1e4, FAR.standard_normal(60)),
    "heavy tails": np.exp(10.0 * FAR.standard_normal(60)),
    "a time": 1.7e9 + FAR.standard_normal(60),
}


@pytest.mark.wide(5)
@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("hidden", [(), (3,)], ids=str)
@pytest.mark.parametrize("name", FAR_COLUMNS)
def test_to_sklearn_of_columns_with_far_values(name, hidden, activation):
    x = FAR_COLUMNS[name]
    X = np.stack([x, np.cos(np.arange(60.0))], axis=1)
    y = 1.0 * (x > np.median(x)) + X[:, 1]
    how = {**SMALL, **PARTS, "hidden_layer_sizes": hidden, "activation": activation}
    model = WeightDecayMLPRegressor(**how).fit(X, y)
    rows = np.vstack([X, X * [1.3, 1.0], -X])
    found = model.to_sklearn().predict(rows)
    np.testing.assert_allclose(found, model.predict(rows), atol=1e-8)


@pytest.mark.slow
def test_onnx_end_to_end():
    skl2onnx = pytest.importorskip("skl2onnx")
    runtime = pytest.importorskip("onnxruntime")
    types = pytest.importorskip("skl2onnx.common.data_types")
    X, y = mixed()
    kind = [("X", types.DoubleTensorType([None, X.shape[1]]))]
    model = WeightDecayMLPClassifier(**SMALL, **PARTS).fit(X, y > 1.0)
    network = model.to_sklearn()
    onnx = skl2onnx.convert_sklearn(
        network, initial_types=kind, options={id(network): {"zipmap": False}}
    )
    session = runtime.InferenceSession(
        onnx.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    _, p = session.run(None, {"X": X})
    np.testing.assert_allclose(p, model.predict_proba(X), rtol=1e-6, atol=1e-7)
