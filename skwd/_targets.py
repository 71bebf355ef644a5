"""Targets: what y is, and how it becomes the (n, n_outputs) array that a loss takes.

An object of this file is made from the y of fit and encodes further y (of validation
data) the same way. ``fitted()`` are the estimator's attributes that it has learnt.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse
from sklearn.utils import column_or_1d
from sklearn.utils.class_weight import compute_class_weight

from skwd._losses import (
    HalfBinomialLoss,
    HalfMultinomialLoss,
    HalfPoissonLoss,
    HalfSquaredError,
)
from skwd._objective import Sample

REGRESSION_LOSSES = {"squared_error": HalfSquaredError, "poisson": HalfPoissonLoss}


class RegressionTargets:
    """Numeric y, scaled to mean 0 and deviation 1 per output where asked for.

    Parameters
    ----------
    loss : {"squared_error", "poisson"}
    scaling : (mean, scale) or None
        Each (n_outputs,), of an earlier fit that is continued.
    normalize : bool
        Learn mean and scale from the rows to train on.
    """

    def __init__(self, y, loss: str, normalize: bool, scaling=None):
        self.loss_name = loss
        self.loss = REGRESSION_LOSSES[loss]()
        self.normalize = normalize
        self.n_dimensions = np.ndim(y)
        self.scaling = scaling

    def encode(self, y, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """y as float64 (n, n_outputs), and the weights as they are."""
        y = y.toarray() if sparse.issparse(y) else np.asarray(y)
        try:
            y = y.astype(np.float64, copy=False)
        except (TypeError, ValueError):
            value = next(v for v in y.ravel() if isinstance(v, str))
            raise ValueError(
                f"y must be numeric for a regressor; got {value!r}. Use "
                "WeightDecayMLPClassifier for labels."
            ) from None
        if self.loss_name == "poisson" and (y < 0).any():
            raise ValueError(
                f"loss='poisson' needs y >= 0; got {y.min():g}. Use "
                "loss='squared_error' for targets of either sign."
            )
        return y.reshape(len(y), -1), weight

    def strata(self, Y) -> None:
        """Nothing to keep in proportion when rows are held out."""
        return None

    def finish(self, training: Sample, validation: Sample | None) -> None:
        """Scale the samples' y by what the rows to train on show."""
        if self.scaling is None:
            y = training.y
            self.scaling = np.zeros(y.shape[1]), np.ones(y.shape[1])
            if self.normalize:
                mean = training.share @ y
                deviation = np.sqrt(training.share @ np.square(y - mean))
                # A constant leaves rounding behind: that is no deviation either.
                flat = deviation <= 10.0 * np.finfo(np.float64).eps * np.abs(mean)
                self.scaling = mean, np.where(flat, 1.0, deviation)
        mean, scale = self.scaling
        for sample in (training, validation):
            if sample is not None:
                sample.y = (sample.y - mean) / scale

    def fitted(self) -> dict:
        mean, scale = self.scaling
        return {"y_mean_": mean, "y_scale_": scale, "_y_ndim": self.n_dimensions}


class ClassTargets:
    """Labels of one of two or more classes; class weights multiply sample weights.

    Parameters
    ----------
    y, weight : ndarray (n,)
        Of the fit: they give the classes and the frequencies of "balanced".
    class_weight : dict, "balanced" or None
    classes : ndarray (n_classes,) or None
        Of an earlier fit that is continued.
    """

    def __init__(self, y, weight: np.ndarray, class_weight, classes=None):
        y = column_or_1d(y, warn=True)
        self.classes = np.unique(y) if classes is None else classes
        sums = np.bincount(self._codes(y), weight, minlength=len(self.classes))
        self.class_weight = self._class_weights(class_weight, sums)
        n_weighted = np.count_nonzero(sums * self.class_weight)
        if n_weighted < 2 and classes is None:
            raise ValueError(
                f"A classifier needs at least two classes of positive weight; got "
                f"{n_weighted} class{'es' if n_weighted != 1 else ''} out of "
                f"{self.classes.tolist()}. Give it samples of a second class."
            )
        binary = len(self.classes) == 2
        self.loss = HalfBinomialLoss() if binary else HalfMultinomialLoss()

    def _class_weights(self, class_weight, sums: np.ndarray) -> np.ndarray:
        """One weight per class; "balanced" by the sums of the samples' weights."""
        if class_weight is None:
            return np.ones(len(self.classes))
        if isinstance(class_weight, str) and class_weight == "balanced":
            present = sums > 0
            balanced = sums.sum() / (present.sum() * np.where(present, sums, 1.0))
            return np.where(present, balanced, 1.0)
        weights = list(class_weight.values()) if isinstance(class_weight, dict) else None
        if weights is None or not all(np.isfinite(w) and w >= 0 for w in weights):
            raise ValueError(
                "class_weight must be None, 'balanced' or a dict of class to weight >= "
                f"0; got {class_weight!r}. Use class_weight='balanced' for equal shares."
            )
        return compute_class_weight(class_weight, classes=self.classes, y=self.classes)

    def _codes(self, y: np.ndarray) -> np.ndarray:
        """The position of each label in ``classes``, (n,)."""
        codes = np.searchsorted(self.classes, y)
        codes[codes == len(self.classes)] = 0
        unknown = self.classes[codes] != y
        if unknown.any():
            raise ValueError(
                f"y holds the class {y[unknown].tolist()[0]!r}, which is not among the "
                f"classes of this estimator: {self.classes.tolist()}. Leave it out, or "
                "fit anew with it."
            )
        return codes

    def encode(self, y, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """One-hot y, or one column for two classes; weights times class weights."""
        codes = self._codes(column_or_1d(y))
        if len(self.classes) == 2:
            Y = codes[:, np.newaxis].astype(np.float64)
        else:
            Y = np.eye(len(self.classes))[codes]
        return Y, weight * self.class_weight[codes]

    def strata(self, Y: np.ndarray) -> np.ndarray:
        """The class number of each row, to keep the classes in proportion."""
        return Y[:, 0].astype(int) if Y.shape[1] == 1 else Y.argmax(axis=1)

    def finish(self, training: Sample, validation: Sample | None) -> None:
        pass

    def fitted(self) -> dict:
        return {"classes_": self.classes}


class LabelTargets:
    """Multilabel y, an indicator (n, n_labels) of 0 and 1."""

    def __init__(self, y, class_weight):
        if class_weight is not None:
            raise ValueError(
                f"class_weight={class_weight!r} has no meaning for multilabel targets. "
                "Use class_weight=None and sample_weight."
            )
        self.n_labels = y.shape[1]
        self.loss = HalfBinomialLoss()

    def encode(self, y, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The indicator as float64, and the weights as they are."""
        y = y.toarray() if sparse.issparse(y) else np.asarray(y)
        if y.ndim != 2 or y.shape[1] != self.n_labels:
            raise ValueError(
                f"y_val must be an indicator of {self.n_labels} labels like y; got the "
                f"shape {y.shape}."
            )
        return y.astype(np.float64), weight

    def strata(self, Y) -> None:
        """Nothing to keep in proportion when rows are held out."""
        return None

    def finish(self, training: Sample, validation: Sample | None) -> None:
        pass

    def fitted(self) -> dict:
        return {"classes_": np.arange(self.n_labels)}
