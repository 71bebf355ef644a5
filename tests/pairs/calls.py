"""A row of the covering array as a call: tiny data, an estimator, fit or refusal."""

import functools
import tempfile
import warnings
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import joblib
import numpy as np
import sklearn
from factors import ESTIMATORS, is_classifier, is_cv, parameters
from scipy import sparse
from sklearn.utils.fixes import parse_version
from threadpoolctl import threadpool_limits

N, N_VAL = 48, 16
SMALL = {
    "hidden_layer_sizes": (3,),
    "max_iter": 60,
    "learning_rate_init": 0.02,
    "random_state": 0,
}
HAS_CALLBACKS = parse_version(sklearn.__version__) >= parse_version("1.9")


class Began(BaseException):
    """Training begins: the call is not refused."""


class Heard:
    """A callback that counts the tasks that end."""

    ended = 0

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context, *, X, y, fitted_estimator):
        Heard.ended += 1


class Call(NamedTuple):
    """What is called: data, and an estimator that has not been fitted."""

    row: dict
    X: Any
    y: Any
    weight: np.ndarray | None
    val: dict

    def model(self):
        """A new estimator with the parameters of the row."""
        cv = {"alphas": [0.01, 0.1, 1.0], "cv": 3} if is_cv(self.row) else {}
        model = ESTIMATORS[self.row["estimator"]](**SMALL, **cv)
        model.set_params(**parameters(self.row))
        if self.row["callback"] == "yes" and HAS_CALLBACKS:
            model.set_callbacks(Heard())
        return model

    def train(self, model, X=None, y=None, weight=None, **params):
        """Fit it as the row says, to its data or to others of their kind."""
        if X is None:
            X, y, weight = self.X, self.y, self.weight
        with (
            threadpool_limits(int(self.row["threads"])),
            joblib.parallel_config("threading"),
        ):
            if self.row["how"] == "partial_fit":
                classes = {}
                if is_classifier(self.row) and self.row["y"] != "multilabel":
                    classes["classes"] = np.unique(np.asarray(self.y))
                model.partial_fit(X, y, sample_weight=weight, **classes)
                return model.partial_fit(X, y, sample_weight=weight)
            if self.row["how"] == "twice":
                model.fit(X, y, weight, **self.val, **params)
            return model.fit(X, y, weight, **self.val, **params)

    def quietly(self, *data, model=None, **params):
        """A model trained in silence."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return self.train(self.model() if model is None else model, *data, **params)


def call_of(row):
    """The call that a row stands for."""
    X, y, weight = data_of(*(row[f] for f in ("y", "missing", "weights", "dtype")))
    val = {}
    if row["stopping"] == "X_val":
        X_val, y_val = np.floor(X[:N_VAL]).astype(X.dtype), y[:N_VAL]
        val = {
            "X_val": contained(X_val, row["container"]),
            "y_val": contained(y_val, row["container"]),
        }
    X, y = (contained(part, row["container"]) for part in (X, y))
    return Call(row, X, y, weight, val)


@functools.cache
def data_of(kind, missing, weights, dtype):
    """X (48, 4), y and weights; y has a strong signal and is positive."""
    rng = np.random.default_rng(0)
    X = np.round(rng.standard_normal((N, 4)), 2)
    X[::7, 3] = 0.0
    if dtype == "int32":
        X = np.round(2.0 * X)
    X = X.astype(dtype)
    signal = np.tanh(X[:, 0]) + 0.5 * X[:, 1] + 0.1 * rng.standard_normal(N)
    y = targets(kind, signal, X)
    if missing == "mask" and y.dtype.kind in "fib":
        y = y.astype(np.float64)
        if y.ndim == 1:
            y[3::9] = np.nan
        else:
            for k in range(y.shape[1]):
                y[k + 2 :: 7, k] = np.nan
    u = rng.uniform(0.5, 1.5, N)
    return (
        X,
        y,
        {
            "none": None,
            "ones": np.ones(N),
            "zeros": np.where(np.arange(N) % 5 == 1, 0.0, np.round(2.0 * u)),
            "tiny": 1e-200 * u,
            "huge": 1e200 * u,
        }[weights],
    )


def targets(kind, signal, X):
    """y of a kind, of a signal of about deviation one."""
    numbers = 5.0 * np.exp(0.6 * signal)
    labels = np.digitize(signal, [-0.5, 0.5])
    return {
        "numbers": numbers,
        "column": numbers[:, np.newaxis],
        "two-outputs": np.stack([numbers, 2.0 + np.cos(X[:, 2]) + signal**2], axis=1),
        "integers": labels + 1,
        "strings": np.array(["a", "b", "c"])[labels],
        "booleans": signal > 0.0,
        "multilabel": np.stack([signal > 0.3, X[:, 1] > 0.0, signal < 0.5], 1) * 1,
    }[kind]


def contained(part, container):
    """An array as what the row names; y is a series or a frame beside a frame."""
    if container == "csr":
        return sparse.csr_matrix(part) if part.ndim == 2 and len(part.T) == 4 else part
    if container == "frame":
        import pandas as pd

        if part.ndim == 1:
            return pd.Series(part)
        return pd.DataFrame(part, columns=[f"c{j}" for j in range(part.shape[1])])
    if container == "memmap":
        return mapped(part.tobytes(), part.dtype.str, part.shape)
    return part


@functools.cache
def mapped(data, dtype, shape):
    """A read-only memory map of an array."""
    path = Path(folder().name) / f"{len(list(Path(folder().name).iterdir()))}.bin"
    path.write_bytes(data)
    return np.memmap(path, dtype=dtype, mode="r", shape=shape)


@functools.cache
def folder():
    return tempfile.TemporaryDirectory()


def refusal(row):
    """The error by which a call is refused before any training, or None.

    Raises AssertionError where it is refused and not as it was.
    """
    call = call_of(row)
    try:
        model = call.model()
    except (TypeError, ValueError) as error:
        return error
    before = dict(vars(model))
    with (
        warnings.catch_warnings(),
        patch("skwd._solvers.task.train", side_effect=Began),
        patch("skwd._cv.parallel.train_choosing", side_effect=Began),
        patch("skwd._estimators.one_fit.train_epoch", side_effect=Began),
    ):
        warnings.simplefilter("ignore")
        try:
            call.train(model)
        except Began:
            return None
        except Exception as error:
            same = vars(model).keys() == before.keys()
            assert same and all(vars(model)[k] is before[k] for k in before), row
            return error
    raise AssertionError(f"No training began, and nothing was said: {row}")
