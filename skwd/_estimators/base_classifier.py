"""What all classifiers share, whoever chooses alpha: targets and predictions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from scipy.special import log_expit, log_softmax, logsumexp
from sklearn.base import ClassifierMixin
from sklearn.metrics import get_scorer
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from skwd._core.loss import likelihood_of
from skwd._cv.class_folds import learn_from_classes
from skwd._data.class_targets import (
    ClassTargets,
    LabelTargets,
    check_classes,
    check_labels,
)
from skwd._data.targets import Targets
from skwd._estimators.base import BaseWeightDecayMLP
from skwd._estimators.partial import NotThere
from skwd._estimators.warnings import warn


class BaseClassifier(ClassifierMixin, BaseWeightDecayMLP):
    """Targets and predictions of the classifiers, whoever chooses alpha."""

    _learn_left_out = staticmethod(learn_from_classes)

    def decision_function(self, X):
        """The logits: the raw prediction f(x) before softmax or logistic function.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            For two classes the log-odds of ``classes_[1]``; for multilabel targets of
            each label; with ``ensemble`` of the mean probabilities.
        """
        raw = self._predict_blocks(X, self._combined)
        return raw[:, 0] if raw.shape[1] == 1 else raw

    predict_interval = NotThere(
        "intervals are of numbers. Use predict_set(X, coverage=0.9) after a fit with "
        "intervals, or predict_proba(X)."
    )

    def predict(self, X, coverage=None):
        """Predict classes: the argmax of `decision_function`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        coverage : float, optional
            Also return sets that hold the class of this fraction of rows, after a fit
            with ``intervals``.

        Returns
        -------
        labels : ndarray of shape (n_samples,), or (n_samples, n_labels) of 0 and 1
            The most probable class, or the labels of a probability above 1/2.
        sets : ndarray of bool, of shape (n_samples, n_classes)
            Only with ``coverage``, as of `predict_set`.
        """
        if coverage is not None:
            sets = self.predict_set(X, coverage)
            return self.predict(X), sets
        raw = self.decision_function(X)
        if self._is_multilabel():
            return (raw > 0).astype(int)
        best = (raw > 0).astype(int) if raw.ndim == 1 else raw.argmax(axis=1)
        return self.classes_[best]

    def predict_set(self, X, coverage=0.9, class_conditional=False):
        """Sets with the class of about a fraction ``coverage`` of new rows, by CV+.

        After a fit with ``intervals``; the formula and what it guarantees are in
        guide/uncertainty.md.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        coverage : float, default=0.9
            Between 0 and 1.
        class_conditional : bool, default=False
            Cover a fraction ``coverage`` of the rows of each class, with larger sets.

        Returns
        -------
        sets : ndarray of bool, of shape (n_samples, n_classes)
            Which of ``classes_`` are in each set: all, with a warning, where rows are
            too few. For multilabel targets of shape (n_samples, n_labels, 2).

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skwd import WeightDecayMLPClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> model = WeightDecayMLPClassifier(intervals=10, random_state=0).fit(X, y)
        >>> bool(model.predict_set(X, coverage=0.9)[range(150), y].mean() > 0.85)
        True
        """
        folds = self._kept_folds("Sets", coverage)
        n_rows = folds.n_rows(class_conditional)
        if (n_rows < coverage * (n_rows + 1.0) - 1e-9).any():
            of_each, those = "", "every class is"
            if class_conditional:
                of_each, those = " of each class", "those that have no more are"
            warn(
                f"coverage={float(coverage)!r} needs more than {n_rows.min()} "
                f"rows{of_each}: {those} in all sets. Lower coverage, or fit to more "
                "rows."
            )
        _, X = self._to_predict(X)
        sets = folds.sets(X, coverage, class_conditional)
        return sets if self._is_multilabel() else sets[:, 0]

    def predict_proba(self, X):
        """Class probabilities, averaged over the posterior with ``posterior=True``.

        `predict` stays the argmax of `decision_function`, which may then be another
        class than that of the largest probability: guide/uncertainty.md.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``; for multilabel targets that of each label.
        """
        return self._two_columns(self._marginalised(X), "inverse_link")

    def predict_log_proba(self, X):
        """Logarithms of the class probabilities, computed from the logits.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``, all finite.
        """
        return self._two_columns(self._marginalised(X), "log_probabilities")

    def _marginalised(self, X) -> np.ndarray:
        """Logits of the probabilities: with a posterior they know their error."""
        if not self._has_posterior():
            return self.decision_function(X)
        likelihood = likelihood_of(self._fitted.targets.loss)

        def combine(raw, covariance):
            return self._combined(likelihood.marginalised(raw, covariance))

        raw = self._posterior_blocks(X, combine)
        return raw[:, 0] if raw.shape[1] == 1 else raw

    def _two_columns(self, raw: np.ndarray, link: str) -> np.ndarray:
        """The loss's ``link`` of the logits, with a column for each of two classes."""
        if raw.ndim == 1:
            raw = np.stack([-raw, raw], axis=1)
        return getattr(self._fitted.targets.loss, link)(raw)

    def _combined(self, raw: np.ndarray) -> np.ndarray:
        """Logits of the networks' mean probabilities: (K, b, o) -> (b, o)."""
        if len(raw) == 1:
            return raw[0].copy()
        if raw.shape[2] == 1 or self._is_multilabel():
            return logsumexp(log_expit(raw), axis=0) - logsumexp(
                log_expit(-raw), axis=0
            )
        return logsumexp(log_softmax(raw, axis=-1), axis=0)

    def _is_multilabel(self) -> bool:
        return self.out_activation_ == "logistic" and self.n_outputs_ > 1

    def _default_scorer(self):
        return get_scorer(self._default_score())

    def _default_score(self) -> str:
        return "accuracy"

    @staticmethod
    def _targets_of(params: Mapping[str, Any]) -> Callable[..., Targets]:
        """What makes targets of y, for the parameters ``params``."""
        return partial(class_targets, class_weight=params["class_weight"])

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = self.class_weight is None
        return tags


def class_targets(
    y, weight, *, class_weight, earlier=None, may_lack=False, classes=None, whole=None
) -> Targets:
    """The targets of labels, or of an indicator of them.

    Parameters
    ----------
    y, weight : ndarray (n,) or (n, n_labels)
    class_weight : dict, "balanced" or None
    earlier : Targets, optional
        Those of a fit that is continued, whose classes stay.
    may_lack : bool
        Not all classes need be in y.
    classes : array-like, optional
        All classes, if they are given.
    whole : Targets, optional
        Those of all rows, where y is of some, and may lack a class.
    """
    check_labels(y)
    check_classification_targets(y)
    if type_of_target(y, input_name="y") == "multilabel-indicator":
        return LabelTargets(y, class_weight)
    y = column_or_1d(y, warn=True)
    known = None if earlier is None else earlier.fitted()["classes_"]
    if classes is not None:
        known = check_classes(classes, known)
    elif known is not None and not may_lack:
        _check_same_classes(y, known)
    named = None if whole is None else whole.fitted()["classes_"]
    return ClassTargets(y, weight, class_weight, known, named)


def _check_same_classes(y: np.ndarray, before: np.ndarray) -> None:
    """Raise unless a warm start has the classes of the fit that it continues."""
    now = np.unique(y)
    if not np.array_equal(now, before):
        raise ValueError(
            "warm_start can only be used where `y` has the same classes as in the "
            f"previous call to fit. Previously got {before}, `y` has {now}. Set "
            "warm_start=False to start anew."
        )
