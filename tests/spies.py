"""Training watched from outside: rows, learning rates, tasks, results."""

from contextlib import contextmanager

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_array_equal
from sklearn.utils.fixes import parse_version

from skwd._solvers.batches import Batches
from skwd._solvers.schedules import Schedule

HAS_CALLBACKS = parse_version(sklearn.__version__) >= parse_version("1.9")
needs_callbacks = pytest.mark.skipif(
    not HAS_CALLBACKS, reason="scikit-learn has callbacks since 1.9"
)


class Heard:
    """Notes every task that ends, and asks to stop after some of a name."""

    def __init__(self, name=None, stop_after=None):
        self.name, self.stop_after = name, stop_after
        self.ended, self.begun, self.scores, self.is_down = [], [], [], False

    def setup(self, estimator, context):
        self.is_up = True

    def teardown(self, estimator, context):
        self.is_down = True

    def on_fit_task_begin(self, estimator, context):
        self.begun.append(context.task_name)

    def on_fit_task_end(self, estimator, context, *, X, y, fitted_estimator):
        self.ended.append(context.task_name)
        if fitted_estimator is not None:
            self.scores.append(fitted_estimator.score(X, y))
        if context.task_name == self.name:
            return self.ended.count(self.name) >= self.stop_after


def numbered(X):
    """X with the number of each row, divided by n, as a further, first feature."""
    return np.column_stack([np.arange(len(X)) / len(X), X])


@contextmanager
def batches_seen(monkeypatch, n):
    """The rows of each batch, in the order of the steps; X is `numbered`, n rows."""
    seen, epoch = [], Batches.epoch

    def spy(self):
        rows, origin = [], self._samples[0].origin
        first = 0.0 if origin is None else origin[0]
        for block in epoch(self):
            for piece in block.parts:
                numbers = n * (piece.X[..., 0] + first)
                rows.extend(np.rint(numbers).astype(int).tolist())
                if piece.ends:
                    seen.append(rows)
                    rows = []
            yield block

    with monkeypatch.context() as patch:
        patch.setattr(Batches, "epoch", spy)
        yield seen


@contextmanager
def rates_seen(monkeypatch):
    """The learning rate of each epoch of a single network."""
    seen, rates = [], Schedule.rates

    def spy(self, epoch, current):
        seen.append(float(rates(self, epoch, current)[0]))
        return rates(self, epoch, current)

    with monkeypatch.context() as patch:
        patch.setattr(Schedule, "rates", spy)
        yield seen


def assert_same_training(a, b):
    """Two estimators hold the same weights and history, to the last bit."""
    ours, others = a.coefs_ + a.intercepts_, b.coefs_ + b.intercepts_
    for part, other in zip(ours, others, strict=True):
        assert part.dtype == other.dtype
        assert_array_equal(part, other)
    names = ("loss_", "loss_curve_", "best_loss_", "n_iter_", "t_")
    assert {n: getattr(a, n) for n in names} == {n: getattr(b, n) for n in names}


@contextmanager
def interrupted(monkeypatch, after):
    """A KeyboardInterrupt once so many steps have been taken."""
    taken, epoch = [], Batches.epoch

    def spy(self):
        for block in epoch(self):
            yield block
            taken.append(block)
            if len(taken) == after:
                raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(
            "skwd._solvers.batches.BLOCK_BYTES", 1
        )  # each batch a block of its own
        patch.setattr(Batches, "epoch", spy)
        yield taken
