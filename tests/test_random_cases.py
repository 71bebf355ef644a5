"""Thousands of random calls: a fit is right, or refused with nothing half-changed."""

import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone, is_classifier
from sklearn.linear_model import Ridge

from skwd import WeightDecayMLPClassifier, WeightDecayMLPRegressor

hypothesis = pytest.importorskip("hypothesis")
from hypothesis import HealthCheck, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
MANY = settings(
    max_examples=700,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
ALPHAS = [None, 0.0, 1e-3, 1.0, "auto", "evidence", "loo"]
DTYPES = [np.float64, np.float32, np.int64, np.int32, np.uint8, np.bool_]
PARAMETERS = """
activation alpha batch_size beta_1 decay dropout early_stopping epsilon
hidden_layer_sizes huber_delta l1_ratio learning_rate learning_rate_init loss max_fun
max_iter missing_targets momentum n_init n_iter_no_change power quantile shuffle solver
sparsity tol validation_fraction verbose warm_start
""".split()
HARMLESS = {("hidden_layer_sizes", "[]"), ("dropout", "[]")}
FORMATS = ["C", "F", "strided", "csr", "csc", "coo", "list"]


def written(X, how):
    """The same numbers in another layout."""
    if how == "C":
        return np.ascontiguousarray(X)
    if how == "F":
        return np.asfortranarray(X)
    if how == "strided":
        wide = np.zeros((2 * len(X), 2 * X.shape[1]), X.dtype)
        wide[::2, ::2] = X
        return wide[::2, ::2]
    if how == "list":
        return X.tolist()
    return getattr(sparse, f"{how}_matrix")(X)


@st.composite
def cases(draw):
    """(X as an array, y, weights or None, an estimator with small numbers of units)."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, d = draw(st.integers(1, 40)), draw(st.integers(1, 6))
    X = 3.0 * rng.standard_normal((n, d))
    if draw(st.booleans()):
        X[:, draw(st.integers(0, d - 1))] = draw(st.sampled_from([0.0, 1.0, 1e3]))
    if draw(st.booleans()):  # rows that are equal
        X = X[rng.integers(0, max(1, n // 2), n)]
    X = X.astype(draw(st.sampled_from(DTYPES)))
    weight = None
    if draw(st.booleans()):
        weight = rng.integers(0, 4, n) * draw(st.sampled_from([1.0, 0.25, 1e3]))
    how = {
        "hidden_layer_sizes": draw(st.sampled_from([(), (1,), (3,), (2, 2)])),
        "activation": draw(st.sampled_from(["relu", "tanh", "logistic", "silu"])),
        "solver": draw(st.sampled_from(["auto", "lbfgs", "adam", "sgd", "gd"])),
        "alpha": draw(
            st.sampled_from([None, 0.0, 1e-3, 1.0, "auto", "evidence", "loo"])
        ),
        "l1_ratio": draw(st.sampled_from([0.0, 0.0, 0.5, 1.0])),
        "sparsity": draw(st.sampled_from([None, None, "input", "adaptive"])),
        "n_init": draw(st.sampled_from([1, 1, 2])),
        "ensemble": draw(st.booleans()),
        "early_stopping": draw(st.sampled_from([False, False, True])),
        "decay": draw(st.sampled_from(["l2", "l2", "decoupled", "cautious"])),
        "batch_size": draw(st.sampled_from(["auto", "auto", 1, 7])),
        "posterior": draw(st.sampled_from([False, False, True])),
        "max_iter": draw(st.sampled_from([1, 20, 200])),
        "random_state": 0,
    }
    if draw(st.booleans()):
        labels = np.array(["a", "b", "c", "d"])[: draw(st.integers(1, 4))]
        y = labels[rng.integers(0, len(labels), n)]
        return X, y, weight, WeightDecayMLPClassifier(**how)
    y = rng.standard_normal(n) * draw(st.sampled_from([0.0, 1e-6, 1.0, 1e6]))
    if draw(st.booleans()):
        y = np.stack([y, rng.standard_normal(n)], axis=1)
    how["loss"] = draw(
        st.sampled_from(["squared_error", "squared_error", "huber", "quantile"])
    )
    return X, y, weight, WeightDecayMLPRegressor(**how)


def outputs(model, X):
    return model.predict_proba(X) if is_classifier(model) else model.predict(X)


@MANY
@given(cases())
def test_a_fit_predicts_or_is_refused_by_one_clear_error(case):
    X, y, weight, model = case
    try:
        model.fit(X, y, weight)
    except ValueError as error:
        text = str(error)
        assert len(text) > 20 and text.rstrip().endswith((".", ")", "]")), text
        assert not hasattr(model, "coefs_") and not hasattr(model, "loss_")
        return
    found = outputs(model, X)
    assert np.isfinite(found).all() and len(found) == len(X)
    if is_classifier(model):
        np.testing.assert_allclose(found.sum(axis=1), 1.0, rtol=1e-5)
        assert set(model.predict(X)) <= set(y)
    assert np.isfinite(model.loss_) and np.isfinite(np.max(model.alpha_))


@MANY
@given(cases(), st.sampled_from(FORMATS))
def test_how_numbers_are_written_changes_nothing(case, how):
    """Layout to the bit, sparse formats to rounding; the weights are as given."""
    X, y, weight, model = case
    is_sparse = how in ("csr", "csc", "coo")
    if is_sparse and X.dtype not in (np.float32, np.float64):
        return  # scipy has no products of these with what follows
    if how == "list":
        X = X.astype(np.float64)
    model.set_params(alpha=0.01, max_iter=5, l1_ratio=0.0, sparsity=None)
    before = X.copy(), y.copy(), None if weight is None else weight.copy()
    try:
        plain = clone(model).fit(X, y, weight)
    except ValueError:
        with pytest.raises(ValueError):
            model.fit(written(X, how), y, weight)
        return
    other = model.fit(written(X, how), y, weight)
    rtol = 1e-2 if is_sparse or X.dtype == np.float32 else 1e-9
    scale = np.abs(outputs(plain, X)).max() + 1e-12
    np.testing.assert_allclose(
        outputs(other, X), outputs(plain, X), rtol=rtol, atol=rtol * scale
    )
    np.testing.assert_array_equal(X, before[0])
    np.testing.assert_array_equal(y, before[1])
    if weight is not None:
        np.testing.assert_array_equal(weight, before[2])


@MANY
@given(
    st.integers(0, 2**32 - 1),
    st.integers(2, 30),
    st.integers(1, 5),
    st.integers(1, 3),
    st.sampled_from([1e-4, 0.01, 1.0, 30.0]),
    st.booleans(),
    st.floats(-1e3, 1e3),
    st.sampled_from([1e-6, 1.0, 1e5]),
)
def test_without_a_hidden_layer_it_is_ridge(
    seed, n, d, n_outputs, alpha, is_weighted, shift, size
):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d)) + shift
    y = size * (rng.standard_normal((n, n_outputs)) + shift)
    s = rng.integers(1, 4, n).astype(float) if is_weighted else np.ones(n)
    model = WeightDecayMLPRegressor(hidden_layer_sizes=(), alpha=alpha)
    model.fit(X, y, s if is_weighted else None)
    peer = Ridge(alpha=alpha * s.sum(), solver="cholesky").fit(X, y, s)
    deviation = np.sqrt(np.average((y - np.average(y, 0, s)) ** 2, 0, s)).max()
    np.testing.assert_allclose(
        model.predict(X).reshape(y.shape),
        peer.predict(X).reshape(y.shape),
        atol=1e-6 * deviation + 1e-9 * np.abs(y).max(),
        rtol=0,
    )


@settings(MANY, max_examples=300)
@given(st.data())
def test_wrong_values_are_named(data):
    """Any parameter with a value of another kind: one ValueError that names it."""
    name = data.draw(st.sampled_from(PARAMETERS))
    value = data.draw(
        st.sampled_from([-1, -0.5, "nonsense", object(), [], {}, float("nan"), -np.inf])
    )
    model = WeightDecayMLPRegressor(**{name: value})
    X = np.arange(12.0).reshape(6, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model.fit(X, X[:, 0])
        except ValueError as error:
            assert name in str(error)
            assert not hasattr(model, "coefs_")
        else:  # what is no harm in it
            assert (name, str(value)) in {
                ("hidden_layer_sizes", "[]"),
                ("dropout", "[]"),
            }
