"""A row that has been trained: what properties ask of it, and which of them apply."""

import functools
import warnings

import numpy as np
from calls import call_of
from factors import is_classifier, is_cv

CHOSEN = ("auto", "evidence", "loo", "gcv")
SAME_SCORE = 0.03


class Case:
    """A row, its call, the model that it gives and the warnings of that.

    Parameters
    ----------
    row : dict
    call : Call, optional
        With data of its own, by default the call that the row stands for.
    """

    def __init__(self, row, call=None):
        self.row, self.call = row, call_of(row) if call is None else call
        self.is_cv, self.is_classifier = is_cv(row), is_classifier(row)
        self.is_chosen = self.is_cv or row["alpha"] in CHOSEN
        with warnings.catch_warnings(record=True) as self.warnings:
            warnings.simplefilter("always")
            self.model = self.call.train(self.call.model())
            self.outputs = outputs(self.model, self.call)

    def has(self, **values):
        """Whether each factor named has the value, or one of a tuple of values."""
        return all(
            self.row[f] in (v if isinstance(v, tuple) else (v,))
            for f, v in values.items()
        )

    @property
    def is_to_a_minimum(self):
        """Whether training ends at a minimum of J over all rows."""
        return self.has(
            solver=("auto", "lbfgs"),
            rate="constant",
            decay="l2",
            dropout="none",
            stopping="none",
            how=("fit", "twice"),
        )

    @functools.cached_property
    def y(self):
        return np.asarray(self.call.y)

    @functools.cached_property
    def X(self):
        X = self.call.X
        return X.toarray() if hasattr(X, "toarray") else np.asarray(X)

    def score(self, predicted, y=None):
        """R2 by output where y is known, or accuracy; without weights."""
        y = self.y if y is None else y
        if self.is_classifier:
            return np.mean(predicted == y)
        known = ~np.isnan(np.asarray(y, dtype=np.float64))
        center = np.nanmean(y, axis=0)
        residual = np.where(known, y - predicted, 0.0)
        total = np.where(known, y - center, 0.0)
        return 1.0 - np.mean(np.sum(residual**2, 0) / np.sum(total**2, 0))


def outputs(model, call):
    """All that a fitted model says of its rows, by name."""
    row, X = call.row, call.X
    found = {"predict": model.predict(X)}
    if is_classifier(row):
        for name in ("decision_function", "predict_proba", "predict_log_proba"):
            found[name] = getattr(model, name)(X)
        if row["intervals"] != "none":
            found["set"] = model.predict_set(X, coverage=0.8)
        return found
    if row["posterior"] == "yes" or row["noise"] == "varying":
        found["return_std"] = model.predict(X, return_std=True)[1]
    if row["intervals"] != "none":
        found["interval"] = model.predict_interval(X, coverage=0.8)
    return found


def differing(a, b):
    """The names of the outputs that are not the same to the bit."""
    assert a.keys() == b.keys()
    return [name for name in a if not np.array_equal(a[name], b[name])]
