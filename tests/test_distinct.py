"""Equal rows merge into weights, whatever their order, type or place."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

import skwd._core.objective
import skwd._core.sample
import skwd._data.merged_rows
from skwd import WeightDecayMLPRegressor
from skwd._core.objective import Sample
from skwd._data.merged_rows import distinct_rows


def merged(sample):
    """{(x, y): weight} of a sample's rows, checked to have no row twice."""
    rows = np.arange(len(sample)) if sample.rows is None else sample.rows
    X = sample.X.toarray() if sparse.issparse(sample.X) else sample.X
    keys = [(*X[row], *y) for row, y in zip(rows, sample.y)]
    assert len(set(keys)) == len(keys)
    return dict(zip(keys, sample.weight))


def expected(sample):
    rows = np.arange(len(sample)) if sample.rows is None else sample.rows
    X = sample.X.toarray() if sparse.issparse(sample.X) else sample.X
    sums = {}
    for row, y, weight in zip(rows, sample.y, sample.weight):
        key = (*X[row], *y)
        sums[key] = sums.get(key, 0.0) + weight
    return {key: weight for key, weight in sums.items() if weight}


def make(kind, dtype, seed=0):
    """Few values, so that rows repeat; some zero weights."""
    rng = np.random.default_rng(seed)
    X = rng.integers(-1, 2, size=(200, 3)).astype(dtype)
    Y = rng.integers(0, 2, size=(200, 2)).astype(float)
    weight = rng.integers(0, 3, 200).astype(float)
    X = X if kind == "dense" else sparse.csr_matrix(X)
    return X, Y, weight


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_rows_merge_and_weights_add_up(kind, dtype):
    sample = Sample(*make(kind, dtype))
    result = distinct_rows(sample)
    assert len(result) < 110
    assert merged(result) == expected(sample)
    assert result.X is sample.X


@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_the_order_of_the_rows_does_not_matter(kind):
    X, Y, weight = make(kind, np.float64)
    order = np.random.default_rng(1).permutation(200)
    a = distinct_rows(Sample(X, Y, weight))
    b = distinct_rows(Sample(X[order], Y[order], weight[order]))
    assert_array_equal(a.y, b.y)
    assert_array_equal(a.weight, b.weight)
    difference = a.X[a.rows] - b.X[b.rows]
    assert not (difference.nnz if sparse.issparse(difference) else difference.any())


def test_some_rows_of_X():
    X, Y, weight = make("dense", np.float64)
    rows = np.random.default_rng(1).permutation(200)[:90]
    sample = Sample(X, Y[rows], weight[rows], rows)
    assert merged(distinct_rows(sample)) == expected(sample)


def test_sparse_entries_in_any_order_and_number():
    """Unsorted, doubled and explicit zero entries are the same row."""
    # Row 0: 3 in column 0, 2 in column 2; row 1 the same, unsorted and in two parts.
    X = sparse.csr_matrix(
        (np.array([3.0, 2.0, 2.0, 1.0, 2.0]), [0, 2, 2, 0, 0], [0, 2, 5]), shape=(2, 4)
    )
    before = X.copy()
    result = distinct_rows(Sample(X, np.ones((2, 1)), np.ones(2)))
    assert_array_equal(result.weight, [2.0])
    assert_array_equal(X.indices, before.indices)
    assert_array_equal(X.data, before.data)


def test_negative_zero_is_zero():
    X = np.array([[0.0, 1.0], [-0.0, 1.0]])
    assert len(distinct_rows(Sample(X, np.zeros((2, 1)), np.ones(2)))) == 1


def test_close_rows_stay_apart():
    """Neighbouring floats, and columns exchanged, have keys of their own."""
    X = np.array([[1.0, 2.0], [np.nextafter(1.0, 2.0), 2.0], [2.0, 1.0], [1.0, 2.0]])
    result = distinct_rows(Sample(X, np.zeros((4, 1)), np.ones(4)))
    assert sorted(result.weight) == [1.0, 1.0, 2.0]


@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_a_collision_of_keys_merges_nothing_that_differs(kind, monkeypatch):
    monkeypatch.setattr(
        skwd._data.merged_rows,
        "_row_hash",
        lambda X: np.zeros(X.shape[0], dtype=np.uint64),
    )
    sample = Sample(*make(kind, np.float64))
    result, counted = distinct_rows(sample), np.flatnonzero(sample.weight)
    assert_array_equal(result.rows, counted)
    assert_array_equal(result.weight, sample.weight[counted])


def test_a_large_sample_is_not_merged(monkeypatch):
    """Large are the rows that count."""
    sample = Sample(*make("dense", np.float64))
    counted = np.flatnonzero(sample.weight)
    monkeypatch.setattr(skwd._core.sample, "GATHER_BYTES", len(counted) * 4 * 8 - 1)
    assert_array_equal(distinct_rows(sample).rows, counted)
    without_weights = Sample(sample.X, sample.y, np.ones(200))
    assert distinct_rows(without_weights) is without_weights
    monkeypatch.setattr(skwd._core.sample, "GATHER_BYTES", len(counted) * 4 * 8)
    assert len(distinct_rows(sample)) < 110


def test_a_fit_is_that_of_its_different_rows_to_the_last_bit(one_blas_thread):
    X, Y, weight = make("dense", np.float64)
    model = WeightDecayMLPRegressor(hidden_layer_sizes=(3,), tol=0.01, random_state=0)
    found = model.fit(X, Y, weight).coefs_
    rows = np.repeat(np.arange(200), weight.astype(int))
    rows = np.random.default_rng(1).permutation(rows)
    again = model.fit(X[rows], Y[rows]).coefs_
    assert_array_equal(found[0], again[0])
    assert_array_equal(found[1], again[1])


def test_keys_need_no_copy_of_X():
    """Memory beyond X stays a few numbers per row, whatever the width."""
    import tracemalloc

    X = np.random.default_rng(0).standard_normal((20_000, 200))
    sample = Sample(X, np.zeros((20_000, 1)), np.ones(20_000))
    tracemalloc.start()
    result = distinct_rows(sample)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(result) == 20_000
    assert peak < X.nbytes / 5
