"""Fixtures that several files share."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture
def one_blas_thread():
    """BLAS held to one thread, where results are equal to the last bit."""
    with threadpool_limits(1):
        yield


@pytest.fixture
def regression():
    """120 x 4 standard normal X and a smooth, noisy y."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((120, 4))
    y = np.sin(X[:, 0]) + X[:, 1] * X[:, 2] + 0.1 * rng.standard_normal(120)
    return X, y


@pytest.fixture
def classes():
    """150 x 4 standard normal X and three overlapping classes 0, 1, 2."""
    rng = np.random.default_rng(1)
    X = rng.standard_normal((150, 4))
    score = X[:, 0] + 0.5 * X[:, 1] ** 2 + 0.3 * rng.standard_normal(150)
    return X, np.digitize(score, [0.0, 1.0])
