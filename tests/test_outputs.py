"""Shapes and meaning of predictions, in blocks, far out, after pickling and cloning."""

import pickle
import tracemalloc

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone

import skwd._core.network
from skwd import WeightDecayMLPClassifier, WeightDecayMLPRegressor

RNG = np.random.default_rng(6)
X = RNG.standard_normal((50, 3))
Y = np.sin(X[:, 0]) + X[:, 1]
THREE = np.array(["b", "c", "a"])[np.digitize(Y, [-0.7, 0.7])]
TWO = np.where(Y > 0, 7, -3)
INDICATOR = np.column_stack([Y > 0, Y < 0.5, X[:, 2] > 0]).astype(int)
SMALL = {"hidden_layer_sizes": (4,), "activation": "tanh", "random_state": 0}
ROWS = RNG.standard_normal((2000, 3))  # many, so that some lie close to a boundary
MANY = {"n_init": 3, "ensemble": True}
single_and_ensemble = pytest.mark.parametrize("params", [{}, MANY], ids=["one", "many"])


@single_and_ensemble
@pytest.mark.parametrize("n_outputs", [1, 2, 5])
def test_shapes_of_regression(n_outputs, params):
    y = np.column_stack([Y + k * X[:, 2] for k in range(n_outputs)])
    model = WeightDecayMLPRegressor(alpha=0.01, **SMALL, **params).fit(X, y)
    assert model.predict(X).shape == (50, n_outputs)
    assert model.predict(X[:1]).shape == (1, n_outputs)
    assert model.n_outputs_ == n_outputs
    assert model.score(X, y) > 0.8


@single_and_ensemble
def test_two_classes(params):
    model = WeightDecayMLPClassifier(**SMALL, **params).fit(X, TWO)
    logit, proba = model.decision_function(ROWS), model.predict_proba(ROWS)
    assert model.classes_.tolist() == [-3, 7]
    assert logit.shape == (2000,)
    assert proba.shape == model.predict_log_proba(ROWS).shape == (2000, 2)
    np.testing.assert_array_equal(model.predict(ROWS), np.where(logit > 0, 7, -3))
    np.testing.assert_array_equal(proba[:, 1] > proba[:, 0], logit > 0)
    np.testing.assert_allclose(proba.sum(axis=1), 1.0, rtol=1e-15)
    assert model.score(X, TWO) > 0.9


@single_and_ensemble
def test_three_classes(params):
    model = WeightDecayMLPClassifier(alpha=1e-3, **SMALL, **params).fit(X, THREE)
    logits, proba = model.decision_function(ROWS), model.predict_proba(ROWS)
    assert model.classes_.tolist() == ["a", "b", "c"]
    assert logits.shape == proba.shape == (2000, 3)
    assert model.predict_log_proba(ROWS).shape == (2000, 3)
    best = logits.argmax(axis=1)
    np.testing.assert_array_equal(model.predict(ROWS), model.classes_[best])
    np.testing.assert_array_equal(proba.argmax(axis=1), best)
    np.testing.assert_allclose(proba.sum(axis=1), 1.0, rtol=1e-15)
    assert model.score(X, THREE) > 0.9


@single_and_ensemble
@pytest.mark.parametrize("n_labels", [2, 3])
def test_multilabel(n_labels, params):
    y = INDICATOR[:, :n_labels]
    model = WeightDecayMLPClassifier(**SMALL, **params).fit(X, y)
    logits, proba = model.decision_function(ROWS), model.predict_proba(ROWS)
    assert model.classes_.tolist() == list(range(n_labels))
    for answer in (logits, proba, model.predict_log_proba(ROWS)):
        assert answer.shape == (2000, n_labels)
    np.testing.assert_array_equal(model.predict(ROWS), (logits > 0).astype(int))
    np.testing.assert_array_equal(proba > 0.5, logits > 0)
    assert (model.predict(X) == y).mean() > 0.9


def test_labels_need_a_probability_above_a_half():
    model = with_logits(INDICATOR, {}, [0.0, 0.0, 0.0])
    np.testing.assert_array_equal(model.predict_proba(X[:, :1]), 0.5)
    assert not model.predict(X[:, :1]).any()


def with_logits(y, params, *weights):
    """A linear classifier of one feature whose logits are x times ``weights``."""
    model = WeightDecayMLPClassifier(hidden_layer_sizes=(), **params).fit(X[:, :1], y)
    model.coefs_[0][:] = np.reshape(weights, model.coefs_[0].shape)
    model.intercepts_[0][:] = 0.0
    return model


@pytest.mark.parametrize(
    ("y", "params", "weights"),
    [
        (TWO, {}, [1.0]),
        (THREE, {}, [1.0, 0.0, -1.0]),
        (INDICATOR, {}, [1.0, 0.5, -1.0]),
        (TWO, MANY, [1.0, 1.0, -1.0]),
        (THREE, MANY, [1.0, 0.0, -1.0, 1.0, 0.0, 0.0, -1.0, 1.0, 0.0]),
        (INDICATOR, MANY, [1.0, 0.0, -1.0, 1.0, 0.5, 1.0, -1.0, 1.0, 0.0]),
    ],
)
def test_log_probabilities_are_finite_and_those_of_predict_proba(y, params, weights):
    """Of each link, and of ensembles whose members contradict each other."""
    model = with_logits(y, params, *weights)
    x = np.array([-1e4, -700.0, -30.0, -1.0, 0.0, 1e-9, 2.0, 300.0, 1e4])[:, np.newaxis]
    log_proba, proba = model.predict_log_proba(x), model.predict_proba(x)
    assert np.isfinite(log_proba).all()
    assert (log_proba <= 0.0).all()
    normal = proba > np.finfo(float).tiny
    assert normal.any(axis=0).all()
    # A rounding of p is an absolute one of ln p; exp turns one of ln p, at most 700
    # here, into as many of p.
    found, expected = log_proba[normal], np.log(proba[normal])
    np.testing.assert_allclose(found, expected, rtol=1e-15, atol=1e-15)


def test_an_ensemble_whose_members_contradict_each_other_far_out():
    """Two of three are certain of the one class, one of the other: 2/3 and 1/3."""
    proba = with_logits(TWO, MANY, 1.0, 1.0, -1.0).predict_proba([[1e4], [-1e4]])
    expected = np.array([[1, 2], [2, 1]]) / 3
    np.testing.assert_allclose(proba, expected, rtol=1e-12)


@pytest.mark.parametrize("n", [64, 193, 1000])
@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_matrix])
def test_predictions_do_not_depend_on_the_blocks(monkeypatch, convert, n):
    """Blocks of 64 rows; one rounding per term of a sum is all that they change."""
    rows = convert(np.random.default_rng(0).standard_normal((n, 3)))
    models = [
        WeightDecayMLPRegressor(**SMALL).fit(X, Y),
        WeightDecayMLPClassifier(**SMALL, **MANY).fit(X, THREE),
    ]
    whole = models[0].predict(rows), models[1].decision_function(rows)
    monkeypatch.setattr(skwd._core.network, "BLOCK_BYTES", 1)
    parts = models[0].predict(rows), models[1].decision_function(rows)
    for one, other in zip(whole, parts):
        np.testing.assert_allclose(other, one, rtol=0, atol=1e-13)


def peak_bytes(call, *args):
    tracemalloc.start()
    try:
        call(*args)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_of_predict_is_that_of_a_block():
    """The activations of all rows would take 320 MB; X has 8 and the answer 1.6."""
    rows = np.random.default_rng(0).standard_normal((200_000, 5))
    model = WeightDecayMLPRegressor(hidden_layer_sizes=(200,), max_iter=1)
    with pytest.warns(UserWarning, match="reached max_iter"):
        model.fit(rows[:50], rows[:50, 0])
    assert peak_bytes(model.predict, rows) < 8e6


@pytest.mark.slow
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("solver", ["lbfgs", "gd", "sgd", "adam"])
def test_sparse_X_is_never_densified(monkeypatch, solver, early_stopping):
    """50 x 200 000: dense it would take 80 MB; the weights and a moment take 3.2."""
    wide = sparse.random(50, 200_000, density=1e-4, format="csr", random_state=0)
    labels = np.arange(50) % 2
    model = WeightDecayMLPClassifier(
        hidden_layer_sizes=(2,),
        solver=solver,
        early_stopping=early_stopping,
        max_iter=3,
    )

    def only_of_rows(densified):
        def method(matrix, *args, **kwargs):
            if max(matrix.shape) > 50:  # products of rows with rows may be
                raise AssertionError("densified")
            return densified(matrix, *args, **kwargs)

        return method

    for kind in (sparse.csr_matrix, sparse.csc_matrix, sparse.csr_array):
        for name in ("toarray", "todense"):
            monkeypatch.setattr(kind, name, only_of_rows(getattr(kind, name)))
    with pytest.raises(AssertionError, match="densified"):
        wide.toarray()
    with pytest.warns(UserWarning, match="reached max_iter"):
        peak = peak_bytes(model.fit, wide, labels)
    # L-BFGS keeps 40 vectors, as short as rows but where it stops early.
    if not (solver == "lbfgs" and early_stopping):
        n_moments = {"lbfgs": 0, "gd": 0, "sgd": 1, "adam": 2}[solver]
        assert peak < 45e6 + 3.2e6 * n_moments
    assert peak_bytes(model.predict, wide) < 8e6


@pytest.mark.wide(4)
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("solver", ["lbfgs", "gd", "sgd", "adam"])
@pytest.mark.parametrize(
    "Estimator", [WeightDecayMLPRegressor, WeightDecayMLPClassifier]
)
def test_pickles_hold_the_weights_once(Estimator, solver, early_stopping):
    rows = np.random.default_rng(0).standard_normal((40, 200))
    model = Estimator(
        hidden_layer_sizes=(120,),
        solver=solver,
        early_stopping=early_stopping,
        max_iter=5,
        n_init=2,
    )
    with pytest.warns(UserWarning, match="reached max_iter"):
        model.fit(rows, np.arange(40) % 3)
    n_weights = sum(W.size for W in model.coefs_)
    assert n_weights >= 20_000
    stored = pickle.dumps(model)
    assert len(stored) < 1.2 * 8 * n_weights + 4000
    restored = pickle.loads(stored)
    np.testing.assert_array_equal(restored.predict(rows), model.predict(rows))


@pytest.mark.parametrize(
    "Estimator", [WeightDecayMLPRegressor, WeightDecayMLPClassifier]
)
def test_clone_and_parameters(Estimator):
    model = Estimator(alpha=(0.1, 0.2), n_init=2, **SMALL).fit(X, TWO)
    copy = clone(model)
    assert copy.get_params() == model.get_params()
    assert copy.__dict__.keys() == copy.get_params().keys()
    np.testing.assert_array_equal(copy.fit(X, TWO).predict(X), model.predict(X))
    assert copy.set_params(hidden_layer_sizes=(2, 3), alpha=0.5) is copy
    assert copy.hidden_layer_sizes == (2, 3)
    with pytest.raises(ValueError, match=r"^Invalid parameter 'momentun'"):
        copy.set_params(momentun=0.9)
