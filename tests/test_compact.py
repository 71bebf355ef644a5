"""The posterior that is kept: that of all directions, to a percent, in less memory."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse

import skwd._curvature.compact
import skwd._curvature.exact
from skwd import WeightDecayMLPClassifier, WeightDecayMLPRegressor


def both(model, X, y, monkeypatch):
    """The fit with all directions, and as it is kept."""
    with monkeypatch.context() as patch:
        patch.setattr(skwd._curvature.exact, "SMALL_BYTES", 1 << 40)
        whole = pickle.loads(pickle.dumps(model.fit(X, y)))
    return whole, model.fit(X, y)


def data(n, d, n_outputs=1, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d)) + 3.0
    y = np.sin(X[:, :1]) + X[:, 1:2] + 0.3 * rng.standard_normal((n, n_outputs))
    return X, y[:, 0] if n_outputs == 1 else y


@pytest.mark.wide(9)
@pytest.mark.parametrize(
    ("n", "d", "hidden", "alpha", "n_outputs"),
    [
        (120, 6, (40,), None, 1),  # fewer rows than parameters
        (600, 3, (30,), 0.01, 1),  # more
        (150, 5, (20, 20), "evidence", 2),
        (120, 6, (40,), 1e-4, 1),  # all directions are known well
    ],
)
@pytest.mark.parametrize("kind", ["dense", "sparse", "float32"])
def test_deviations(n, d, hidden, alpha, n_outputs, kind, monkeypatch):
    X, y = data(n, d, n_outputs)
    X = sparse.csr_array(X) if kind == "sparse" else X
    X = X.astype(np.float32) if kind == "float32" else X
    model = WeightDecayMLPRegressor(
        hidden_layer_sizes=hidden,
        activation="tanh",
        alpha=alpha,
        posterior=True,
        max_iter=300,
        tol=1e-3,
        random_state=0,
    )
    whole, kept = both(model, X, y, monkeypatch)
    X_new = np.concatenate([X[:20].toarray() if kind == "sparse" else X[:20]] * 3)
    X_new[20:40] += 1.0
    X_new[40:] *= 3.0
    noise = np.square(kept.noise_std_)
    of_whole, of_kept = (
        np.sqrt(np.square(m.predict(X_new, return_std=True)[1]) - noise)
        for m in (whole, kept)
    )
    # But for the digits of float32, by which directions and Jacobian are known.
    assert (of_kept >= of_whole * (1.0 - 1e-3)).all()
    assert (of_kept <= 1.02 * of_whole).all()
    assert isinstance(
        kept._fitted.network.posterior[0].curvature,
        skwd._curvature.compact.CompactCurvature,
    )
    assert len(pickle.dumps(kept)) < 0.75 * len(pickle.dumps(whole))


@pytest.mark.slow
def test_probabilities(monkeypatch):
    X, y = data(150, 5)
    labels = np.digitize(y, [2.5, 4.0])
    model = WeightDecayMLPClassifier(
        hidden_layer_sizes=(30,), alpha=1e-3, posterior=True, random_state=0
    )
    whole, kept = both(model, X, labels, monkeypatch)
    assert kept.posterior_scale_ == whole.posterior_scale_ > 0.0
    X_new = np.concatenate([X, X + 1.0])
    assert_allclose(kept.predict_proba(X_new), whole.predict_proba(X_new), atol=0.01)


def test_where_digits_are_lost_the_rest_is_formed(monkeypatch):
    """The same with the rest formed for all rows."""
    X, y = data(150, 5, 2)
    model = WeightDecayMLPRegressor(
        hidden_layer_sizes=(30,), activation="tanh", posterior=True, random_state=0
    ).fit(X, y)
    _, std = model.predict(X + 0.5, return_std=True)
    monkeypatch.setattr(skwd._curvature.compact, "LEAST_REST", np.inf)
    _, formed = model.predict(X + 0.5, return_std=True)
    assert_allclose(formed, std, rtol=1e-4)
