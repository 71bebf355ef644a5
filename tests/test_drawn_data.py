"""What rows of the covering array over drawn data have found: finite, and in silence.

`tests/pairs/drawn.py` draws them.
"""

import warnings
from types import SimpleNamespace

import numpy as np
import pytest

from skwd import WeightDecayMLPRegressor
from skwd._alpha.choice import LONGEST, mackay_change

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
