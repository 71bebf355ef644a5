"""How bad input is tested: refused in these words, before training, without a trace."""

import copy
import functools
import warnings
from unittest.mock import patch

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

RNG = np.random.default_rng(0)
X = RNG.standard_normal((12, 2))
Y = RNG.standard_normal(12)
LABELS = np.arange(12) % 2


def with_value(a, index, value):
    """A float copy of ``a`` with one entry replaced."""
    a = np.array(a, dtype=float)
    a[index] = value
    return a


def unquoted(value):
    """How a message goes on after a value: by what a number in quotes has meant."""
    is_number = isinstance(value, str) and value.replace(".", "", 1).isdigit()
    return f": did you mean {value}, without quotes?" if is_number else "."


@functools.cache
def fitted(cls):
    """An estimator of this class fitted to good data; copy it before use."""
    model = cls(hidden_layer_sizes=(3,), random_state=0)
    if "alpha" in model.get_params():
        model.alpha = 1e-3
    return model.fit(X, LABELS)


def assert_refused(
    estimator, message, X_fit=X, y=Y, *fit_args, whole=True, trains=False, **fit_kwargs
):
    """fit raises one ValueError, no warning, and leaves the estimator as it was.

    That holds for ``estimator``, never fitted, and for one of its class that was fitted
    to good data before it got the same parameters. ``whole=False`` compares the start
    (or starts) of a message that scikit-learn words; ``trains`` lets training begin.
    """
    used = copy.deepcopy(fitted(type(estimator)))
    predicted = used.predict(X)
    used.set_params(**estimator.get_params(deep=False))
    never = None if trains else AssertionError("training began")
    for candidate in (estimator, used):
        before = dict(candidate.__dict__)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(ValueError) as caught:
                if trains:
                    candidate.fit(X_fit, y, *fit_args, **fit_kwargs)
                else:
                    with patch("skwd._solvers.task.train", side_effect=never):
                        candidate.fit(X_fit, y, *fit_args, **fit_kwargs)
        text = str(caught.value)
        assert text == message if whole else text.startswith(message), text
        assert candidate.__dict__.keys() == before.keys()
        assert all(candidate.__dict__[name] is before[name] for name in before)
    with pytest.raises(NotFittedError):
        estimator.predict(X)
    np.testing.assert_array_equal(used.predict(X), predicted)
