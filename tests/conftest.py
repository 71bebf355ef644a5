"""Fixtures that several files share, BLAS threads, and which cases are slow."""

import sys

import numpy as np
import pytest
import scipy.linalg  # noqa: F401  has a BLAS of its own, to be limited with NumPy's
from threadpoolctl import threadpool_limits


def pytest_configure(config):
    # The networks here are small: more threads than one take longer, and round alike
    # on every machine. Workers and examples have threads of their own.
    config.stash[LIMIT] = threadpool_limits(1, user_api="blas")


LIMIT = pytest.StashKey()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Of tests marked wide(n) every n-th case stays in the fast set."""
    seen = {}
    for item in items:
        wide = item.get_closest_marker("wide")
        if wide is not None:
            number = seen[item.originalname] = seen.get(item.originalname, -1) + 1
            if number % wide.args[0]:
                item.add_marker(pytest.mark.slow)


@pytest.fixture(autouse=True)
def no_pictures_left():
    """Pictures are closed after each test, where matplotlib has been used."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


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
