"""Every kind of input: sparse, float32, DataFrames, lists; none of them modified."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.exceptions import DataConversionWarning

from skwd import WeightDecayMLPClassifier, WeightDecayMLPRegressor

RNG = np.random.default_rng(5)
X = RNG.standard_normal((60, 4)) * (RNG.random((60, 4)) < 0.5)
X[40:] = X[:20]  # equal rows, which the fit merges
Y = np.sin(X[:, 0]) + X[:, 1] - 0.5
LABELS = np.array(["pear", "apple", "fig"])[np.digitize(Y, [-1.0, 0.0])]
ESTIMATORS = [
    (WeightDecayMLPRegressor, Y),
    (WeightDecayMLPClassifier, LABELS),
    (WeightDecayMLPClassifier, LABELS == "fig"),
]
kinds = pytest.mark.parametrize(
    ("Estimator", "y"), ESTIMATORS, ids=["regressor", "three classes", "two classes"]
)
solvers = pytest.mark.parametrize("solver", ["lbfgs", "gd", "sgd", "adam"])


def network(Estimator, **params):
    """A small network; sgd and adam take steps of 16 rows, the last one fewer."""
    in_batches = params.get("solver") in ("sgd", "adam")
    params = {
        "hidden_layer_sizes": (5,),
        "activation": "tanh",
        "alpha": 0.01,
        "learning_rate_init": 0.02 if in_batches else 0.3,
        "batch_size": 16 if in_batches else "auto",
        "tol": 1e-3 if in_batches else 1e-4,
        "random_state": 0,
        **params,
    }
    return Estimator(**params)


def outputs(model, X):
    """What the model says of X before anything is rounded to classes."""
    classifies = isinstance(model, WeightDecayMLPClassifier)
    return (model.decision_function if classifies else model.predict)(X)


def same_fit(model, other):
    for name in ("coefs_", "intercepts_"):
        for a, b in zip(getattr(model, name), getattr(other, name), strict=True):
            np.testing.assert_array_equal(a, b, strict=True)


@pytest.mark.wide(20)
@kinds
@pytest.mark.parametrize("solver", ["gd", "sgd", "adam"])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_sparse_steps_equal_dense_ones(Estimator, y, solver, early_stopping):
    """The steps add up their rounding, about 1e-16 each, without growth."""
    params = {"max_iter": 20, "n_iter_no_change": 20}
    params["early_stopping"] = early_stopping
    model = network(Estimator, solver=solver, **params)
    found = []
    with pytest.warns(UserWarning, match="max_iter"):
        for convert in (np.asarray, sparse.csr_matrix, sparse.csc_array):
            found.append(outputs(model.fit(convert(X), y), X))
    np.testing.assert_allclose(found[1], found[0], rtol=0, atol=1e-13)
    np.testing.assert_array_equal(found[2], found[1])


@pytest.mark.parametrize("weighted", [False, True])
def test_sparse_and_dense_fits_reach_the_same_minimum(weighted):
    """A quadratic J of least curvature mu: |w - w*| <= |gradient| / mu, twice."""
    tol, alpha = 1e-9, 0.1
    weight = np.linspace(0, 2, 60) if weighted else np.ones(60)
    model = network(
        WeightDecayMLPRegressor, hidden_layer_sizes=(), tol=tol, alpha=alpha
    )
    dense = model.fit(X, Y, weight).predict(X)
    by_csr = model.fit(sparse.csr_matrix(X), Y, weight).predict(X)
    by_csc = model.fit(sparse.csc_matrix(X), Y, weight).predict(X)
    np.testing.assert_array_equal(by_csc, by_csr)
    X1 = np.column_stack([X, np.ones(60)])
    hessian = X1.T @ (X1 * weight[:, np.newaxis]) / weight.sum()
    hessian[:4, :4] += alpha * np.eye(4)
    off = 2 * np.sqrt(5) * tol / np.linalg.eigvalsh(hessian)[0]
    assert (np.abs(dense - by_csr) <= off * np.linalg.norm(X1, axis=1)).all()


@kinds
@pytest.mark.parametrize("n_init", [1, 3])
def test_predictions_of_sparse_rows(Estimator, y, n_init):
    """One forward pass: a few roundings of numbers of order 1."""
    model = network(Estimator, n_init=n_init, ensemble=n_init > 1).fit(X, y)
    dense = outputs(model, X)
    for convert in (sparse.csr_matrix, sparse.csc_matrix, sparse.csr_array):
        np.testing.assert_allclose(outputs(model, convert(X)), dense, atol=1e-14)


def test_sparse_entries_given_in_pieces_and_out_of_order():
    """CSR may hold an entry as a sum of several, in any order: it is the same X."""
    tidy = sparse.csr_matrix(X)
    rows, columns = tidy.nonzero()
    halves = np.tile(tidy.data / 2, 2)[::-1]
    order = np.argsort(np.tile(rows, 2)[::-1], kind="stable")
    messy = sparse.csr_matrix(
        (halves[order], np.tile(columns, 2)[::-1][order], 2 * tidy.indptr), X.shape
    )
    assert not messy.has_canonical_format
    before = messy.data.copy(), messy.indices.copy()
    model = network(WeightDecayMLPRegressor, tol=1e-9)
    expected = model.fit(tidy, Y).predict(tidy)
    found = model.fit(messy, Y)
    np.testing.assert_array_equal(messy.data, before[0])
    np.testing.assert_array_equal(messy.indices, before[1])
    # Both at gradients below 1e-9 of one minimum, whose curvature is above alpha / 10.
    np.testing.assert_allclose(found.predict(messy), expected, atol=1e-5)


def test_sparse_y_is_the_same_indicator():
    two = np.column_stack([Y > 0, Y < -0.5]).astype(int)
    model = network(WeightDecayMLPClassifier)
    expected = model.fit(X, two).predict_proba(X)
    found = model.fit(X, sparse.csr_matrix(two)).predict_proba(X)
    np.testing.assert_array_equal(found, expected)


# How many epochs gradient descent takes is left to rounding, and not asked here.
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.wide(57)
@kinds
@solvers
@pytest.mark.parametrize("params", [{}, {"n_init": 2, "ensemble": True}], ids=repr)
@pytest.mark.parametrize("early_stopping", [False, True])
def test_dtype_of_X_is_kept(Estimator, y, solver, params, early_stopping):
    model = network(Estimator, solver=solver, early_stopping=early_stopping, **params)
    for given, kept in [
        (np.float32, np.float32),
        (np.float64, np.float64),
        (np.float16, np.float64),
        (int, np.float64),
    ]:
        data = np.round(2.0 * X).astype(given)
        model.fit(data, y)
        weights = [*model.coefs_, *model.intercepts_]
        assert {array.dtype for array in weights} == {np.dtype(kept)}
        request = [model.predict]
        if Estimator is WeightDecayMLPClassifier:
            assert model.predict(data).dtype == model.classes_.dtype == y.dtype
            request = model.decision_function, model.predict_proba
            request = *request, model.predict_log_proba
        for method in request:
            assert {method(data).dtype, method(X).dtype} == {np.dtype(kept)}


@pytest.mark.parametrize(
    "params", [{"loss": "poisson"}, {"normalize_y": True}], ids=repr
)
def test_dtype_of_scaled_and_poisson_predictions(params):
    model = network(WeightDecayMLPRegressor, **params)
    counts = np.abs(np.round(3 * Y))
    assert model.fit(X.astype(np.float32), counts).predict(X).dtype == np.float32
    two = model.fit(X.astype(np.float32), np.column_stack([counts, counts]))
    assert two.predict(X).dtype == np.float32


@pytest.mark.wide(3)
@kinds
@pytest.mark.parametrize("early_stopping", [False, True])
def test_dataframes_without_a_warning(Estimator, y, early_stopping):
    """Names, and pandas' own string and categorical labels, in validation too."""
    frame = pd.DataFrame(X, columns=list("wxyz"))
    model = network(Estimator, early_stopping=early_stopping)
    model.fit(X, y)
    expected = model.predict(X)
    for series in (pd.Series(y), pd.Series(y).astype("category")):
        if series.dtype == "category" and Estimator is WeightDecayMLPRegressor:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model.fit(frame, series)
            assert model.feature_names_in_.tolist() == list("wxyz")
            assert model.n_features_in_ == 4
            np.testing.assert_array_equal(model.predict(frame), expected)
            if early_stopping:
                model.fit(frame, series, X_val=frame[:20], y_val=series[:20])
                assert np.isfinite(model.best_validation_score_)
    with pytest.raises(ValueError, match=r"^The feature names should match"):
        model.predict(frame[list("zyxw")])


def test_validation_data_with_other_feature_names_are_refused():
    frame = pd.DataFrame(X, columns=list("wxyz"))
    model = network(WeightDecayMLPRegressor, early_stopping=True)
    with pytest.raises(ValueError, match=r"^The feature names should match"):
        model.fit(frame, Y, X_val=frame[list("zyxw")], y_val=Y)


@kinds
def test_lists_and_integers(Estimator, y):
    whole = np.round(2.0 * X)
    model = network(Estimator).fit(whole, y, np.arange(60.0))
    same_fit(network(Estimator).fit(whole.tolist(), y.tolist(), list(range(60))), model)
    same_fit(network(Estimator).fit(whole.astype(np.int8), y, range(60)), model)
    np.testing.assert_array_equal(model.predict(whole.tolist()), model.predict(whole))


def test_y_val_of_one_column_is_y_val():
    """Whichever of y and y_val it is that has an axis of its own."""
    model, found = network(WeightDecayMLPRegressor, early_stopping=True), []
    for y in (Y, Y[:, np.newaxis]):
        for y_val in (Y, Y[:, np.newaxis]):
            model.fit(X, y, X_val=X, y_val=y_val)
            found.append(model.coefs_[0])
    np.testing.assert_array_equal(found, [found[0]] * 4)


def test_y_of_one_column():
    flat = network(WeightDecayMLPRegressor).fit(X, Y)
    column = network(WeightDecayMLPRegressor).fit(X, Y[:, np.newaxis])
    same_fit(column, flat)
    assert flat.predict(X).shape == (60,)
    np.testing.assert_array_equal(column.predict(X), flat.predict(X)[:, np.newaxis])
    classifier = network(WeightDecayMLPClassifier)
    with pytest.warns(DataConversionWarning, match="^A column-vector y") as record:
        classifier.fit(X, LABELS[:, np.newaxis])
    assert len(record) == 1
    same_fit(classifier, network(WeightDecayMLPClassifier).fit(X, LABELS))
    assert classifier.predict(X).shape == (60,)


def guarded(kind, array, folder):
    """The array in a form that shows every attempt to write to it."""
    if kind == "memmap":
        np.save(folder / "array.npy", array)
        return np.load(folder / "array.npy", mmap_mode="r")
    array = np.array(array, order="F" if kind == "fortran" else "C")
    array.flags.writeable = False
    return array


@pytest.mark.wide(24)
@kinds
@solvers
@pytest.mark.parametrize("kind", ["plain", "fortran", "memmap"])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_inputs_are_never_modified(
    Estimator, y, solver, kind, early_stopping, tmp_path
):
    weight = np.arange(60.0)
    params = {"solver": solver, "early_stopping": early_stopping}
    if Estimator is WeightDecayMLPRegressor:
        params["normalize_y"] = True
    else:
        params["class_weight"] = "balanced"
    given = [X, y, weight]
    for number, array in enumerate(given):
        folder = tmp_path / str(number)
        folder.mkdir()
        given[number] = guarded(kind, array, folder)
    validation = {}
    if early_stopping:
        validation = dict(zip(("X_val", "y_val", "sample_weight_val"), given))
    model = network(Estimator, **params).fit(*given, **validation)
    outputs(model, given[0])
    for array, original in zip(given, (X, y, weight)):
        np.testing.assert_array_equal(array, original)
    copies = X.copy(), y.copy(), weight.copy()
    again = network(Estimator, **params).fit(*copies, **validation)
    for array, original in zip(copies, given):
        np.testing.assert_array_equal(array, original)
    # The order of X in memory may change the order of sums, never more.
    np.testing.assert_allclose(outputs(again, X), outputs(model, X), atol=1e-9)
