"""What rows of the covering array over drawn data have found: finite, and in silence.

`tests/pairs/drawn.py` draws them.
"""

import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import sparse

from skwd import WeightDecayMLPRegressor
from skwd._alpha.choice import LONGEST, mackay_change
from skwd._alpha.leave_one_out import BELOW_ONE, left_out, solved
from skwd._alpha.relevance import _effects
from skwd._core.activations import ACTIVATIONS
from skwd._core.layout import Layout
from skwd._core.losses import LOSSES, MULTINOMIAL
from skwd._core.masked_loss import MaskedLoss
from skwd._core.network import Network
from skwd._core.objective import Objective
from skwd._core.rows import SparseRows
from skwd._core.sample import Sample
from skwd._solvers import saddle

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")
SMALL = {"hidden_layer_sizes": (3,), "random_state": 0}


def quietly(model, *data):
    """Fit with all warnings ignored but those of floating-point operations."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", RuntimeWarning)
        return model.fit(*data)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_deviations_of_next_to_no_rows_are_numbers(dtype):
    """Weights count as rows: of 1e-149 rows nothing is known, and gcv sees no end."""
    X = np.random.default_rng(0).standard_normal((40, 3)).astype(dtype)
    model = WeightDecayMLPRegressor(alpha="gcv", posterior=True, **SMALL)
    quietly(model, X, 5.0 * X[:, 0], np.full(40, 1e-149))
    y, deviation = model.predict(X, return_std=True)
    assert np.isfinite(y).all()
    assert np.isfinite(deviation).all()
    assert (deviation > 1e9).all()


def test_the_next_alpha_of_one_at_the_end_of_floats():
    """Columns of deviation 1e-150 have alphas near 1e300, and evidence for less."""
    found, alpha = SimpleNamespace(alpha=np.array([0.0, 1e300])), np.full(2, 1e300)
    change = mackay_change(found, alpha)
    assert np.isfinite(change).all()
    assert change[0] < -LONGEST
    assert change[1] == 0.0


@pytest.mark.parametrize("name", ["gamma", "poisson", "tweedie", "squared_error"])
def test_a_missing_target_costs_nothing_whatever_is_predicted(name):
    """Where exp(raw) is 0 in floats a positive y would have no logarithm."""
    loss, raw = MaskedLoss(LOSSES[name]), np.array([[-800.0, 0.5], [3.0, -800.0]])
    y = np.array([[np.nan, 2.0], [2.0, np.nan]])
    known = [
        LOSSES[name].loss(np.array([[2.0]]), np.array([[r]]))[0] for r in (0.5, 3.0)
    ]
    np.testing.assert_allclose(loss.loss(y, raw), known, atol=1e-15)


def test_a_row_that_alone_determines_its_classes_is_left_out():
    """I - L V is singular there; other rows are left out as they are without it."""
    rng = np.random.default_rng(0)
    raw, y = rng.standard_normal((1, 3, 3)), np.eye(3)
    p = np.exp(raw[0]) / np.exp(raw[0]).sum(axis=1, keepdims=True)
    L = np.stack([np.diag(row) - np.outer(row, row) for row in p])
    V = np.stack([0.1 * np.eye(3)] * 3)[np.newaxis]
    others = left_out(MULTINOMIAL, y, raw, V, L)
    alone, L = V.copy(), L.copy()
    L[0], alone[0, 0] = np.eye(3), np.eye(3) / BELOW_ONE
    found = left_out(MULTINOMIAL, y, raw, alone, L)
    singular = np.stack([np.zeros((3, 3)), np.diag([2.0, 4.0, 5.0])])
    inverse = solved(singular, np.eye(3)[np.newaxis])
    np.testing.assert_allclose(inverse[0], 0.0, atol=1e-12)
    np.testing.assert_allclose(inverse[1], np.diag([0.5, 0.25, 0.2]))
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found[0, 1:], others[0, 1:], rtol=1e-10)


def test_squares_of_sparse_columns_do_not_overflow():
    X = np.random.default_rng(0).standard_normal((40, 3)).astype(np.float32)
    X, weight = X * np.float32(1e25), np.full(40, 1.0 / 40.0)
    found = SparseRows(sparse.csr_matrix(X)).column_squares(weight)
    np.testing.assert_allclose(found, np.mean(np.square(X, dtype=np.float64), axis=0))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_deviations_of_sparse_columns_far_from_zero(dtype):
    """Those of dense ones: squares about zero would cancel, up to 0 and below."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 3)) + np.array([1e7, 7.0, 0.0])
    X[:, 1] = 7.0
    X[::2, 2] = 0.0
    X, weight = X.astype(dtype), rng.random(40)
    origin = weight / weight.sum() @ X.astype(np.float64)
    entries = sparse.csr_array(X).tocoo()
    row, column = entries.row, entries.col
    half = entries.data / 2.0  # twice each, exactly
    twice = np.r_[row, row], np.r_[column, column]
    pieces = sparse.csr_array((np.r_[half, half], twice), shape=X.shape)
    wanted = weight @ np.square(X - origin)
    for rows in (sparse.csr_array(X), pieces):
        found = SparseRows(rows, origin).column_squares(weight)
        np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-24)


def test_points_beyond_the_floats_do_not_lead_away_from_a_saddle(monkeypatch):
    """exp of the raw prediction overflows there, as of few rows with many columns."""
    monkeypatch.setattr(saddle, "SIZES", (1e6,))
    rng = np.random.default_rng(0)
    X = rng.standard_normal((30, 3))
    y = rng.poisson(np.exp(X[:, :1])).astype(float)
    layout = Layout((3, 2, 1))
    objective = Objective(
        Network(layout, ACTIVATIONS["silu"]),
        LOSSES["poisson"],
        [Sample(X, y, np.ones(30))],
        np.full((1, 2), 1e-3),
    )
    params = np.zeros((1, layout.n_params))
    params[0, -1] = np.log(y.mean())
    found = saddle.away_from_saddle(objective, params, objective.fun(params), 1e-5)
    assert np.isnan(found).all()


def test_columns_of_rows_that_are_known_exactly_have_effects():
    """With no noise left each column is worth any number of nats, or none."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((12, 2))
    model = WeightDecayMLPRegressor(**SMALL, alpha=0.01).fit(X, X[:, 0])
    sample = Sample(X, X[:, :1], np.ones(12))
    layout = Layout((2, 3, 1))
    task = SimpleNamespace(
        training=sample,
        groups=layout.column_groups(np.arange(2)),
        objective=lambda alpha: Objective(
            Network(layout, ACTIVATIONS["relu"]),
            LOSSES["squared_error"],
            [sample],
            alpha,
            groups=layout.column_groups(np.arange(2)),
        ),
    )
    problem = SimpleNamespace(subtask=lambda kept: task)
    fit = SimpleNamespace(
        kept=np.arange(2),
        params=model._fitted.network.params[0],
        alpha=np.ones(3),
        laplace=SimpleNamespace(noise=np.zeros(1)),
    )
    effects = _effects(problem, fit)
    assert not np.isnan(effects).any()
    assert effects[0] > 1e300
