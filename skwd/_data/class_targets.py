"""Labels and label indicators: one-hot, one column for two classes, or as they are."""

from __future__ import annotations

import copy
import numbers
from abc import abstractmethod

import numpy as np
from scipy import sparse

from skwd._core.losses import BINOMIAL, MULTINOMIAL
from skwd._data.targets import Targets


class LabelledTargets(Targets, abstract=True):
    """y of one or more targets that are each one of several classes."""

    alternatives: np.ndarray  # (C,) the classes of each target, sorted

    @abstractmethod
    def codes(self, y) -> np.ndarray:
        """The position of each label among the alternatives, (n, n_targets)."""


class ClassTargets(LabelledTargets):
    """Labels of one of two or more classes; class weights multiply sample weights.

    Parameters
    ----------
    y, weight : ndarray (n,)
        Of the fit: they give the classes and the frequencies of "balanced".
    class_weight : dict, "balanced" or None
    classes : ndarray (n_classes,) or None
        Of an earlier fit that is continued.
    named : ndarray or None
        The classes that ``class_weight`` may name, where y is a part of the rows.
    """

    def __init__(self, y, weight: np.ndarray, class_weight, classes=None, named=None):
        self.classes = np.unique(y) if classes is None else classes
        sums = np.bincount(self._codes(y, "y"), weight, minlength=len(self.classes))
        if named is not None and isinstance(class_weight, dict):
            there, named = self.classes.tolist(), named.tolist()
            absent = [label for label in named if label not in there]
            class_weight = {k: v for k, v in class_weight.items() if k not in absent}
        self.class_weight = self._class_weights(class_weight, sums)
        n_weighted = np.count_nonzero(sums * self.class_weight)
        if n_weighted < 2 and classes is None:
            raise ValueError(
                f"A classifier needs at least two classes of positive weight; got "
                f"{n_weighted} class{'es' if n_weighted != 1 else ''} out of "
                f"{self.classes.tolist()}. Give it samples of a second class."
            )
        binary = len(self.classes) == 2
        self.loss = BINOMIAL if binary else MULTINOMIAL

    def _class_weights(self, class_weight, sums: np.ndarray) -> np.ndarray:
        """One weight per class; "balanced" by the sums of the samples' weights."""
        if class_weight is None:
            return np.ones(len(self.classes))
        if isinstance(class_weight, str) and class_weight == "balanced":
            present = sums > 0
            balanced = sums.sum() / (present.sum() * np.where(present, sums, 1.0))
            return np.where(present, balanced, 1.0)
        is_dict = isinstance(class_weight, dict)
        if not is_dict or not all(map(_is_weight, class_weight.values())):
            raise ValueError(
                "class_weight must be None, 'balanced' or a dict of class to weight >= "
                f"0; got {class_weight!r}. Use class_weight='balanced' for equal "
                "shares."
            )
        labels = self.classes.tolist()
        unknown = [label for label in class_weight if label not in labels]
        if unknown and any(label not in class_weight for label in labels):
            raise ValueError(
                f"class_weight={class_weight!r} names {unknown[0]!r}, which is not "
                f"among the classes {labels}. Use the labels of y as keys."
            )
        return np.array([float(class_weight.get(label, 1.0)) for label in labels])

    def _codes(self, y: np.ndarray, name: str) -> np.ndarray:
        """The position of each label in ``classes``, (n,)."""
        try:
            codes = np.searchsorted(self.classes, y)
        except TypeError:  # they cannot be sorted
            check_labels(y, name)
            raise
        codes[codes == len(self.classes)] = 0
        unknown = self.classes[codes] != y
        if unknown.any():
            raise ValueError(
                f"{name} holds the class {y[unknown].tolist()[0]!r}, which is not "
                f"among the classes of this estimator: {self.classes.tolist()}. Leave "
                "it out, or fit anew with it."
            )
        return codes

    @property
    def alternatives(self) -> np.ndarray:  # type: ignore[override]
        return self.classes

    @property
    def weighed_by(self) -> str:
        return "sample_weight times class_weight"

    def flat(self, y):
        return _column(y, "y")

    def codes(self, y):
        return self._codes(_column(np.asarray(y), "y"), "y")[:, np.newaxis]

    def encode(self, y, weight, name="y") -> tuple[np.ndarray, np.ndarray]:
        """One-hot y, or one column for two classes; weights times class weights."""
        codes = self._codes(_column(np.asarray(y), name), name)
        if len(self.classes) == 2:
            Y = codes[:, np.newaxis].astype(np.float64)
        else:
            Y = np.eye(len(self.classes))[codes]
        return Y, weight * self.class_weight[codes]

    def strata(self, Y: np.ndarray) -> np.ndarray:
        """The class number of each row, to keep the classes in proportion."""
        return Y[:, 0].astype(int) if Y.shape[1] == 1 else Y.argmax(axis=1)

    def missing(self, whole: Targets) -> list:
        assert isinstance(whole, ClassTargets)
        return np.setdiff1d(whole.classes, self.classes).tolist()

    def absent(self, y) -> list:
        return np.setdiff1d(self.classes, np.unique(np.asarray(y))).tolist()

    def told_of(self, classes: np.ndarray) -> ClassTargets:
        """The same, of three or more ``classes``, some of which it has not seen."""
        other = copy.copy(self)
        other.classes, other.loss = classes, MULTINOMIAL
        return other

    def examples(self) -> np.ndarray:
        return self.classes

    def fitted(self) -> dict:
        return {"classes_": self.classes}


def check_labels(y: np.ndarray, name: str = "y") -> None:
    """Raise where labels that are objects are missing, or cannot be sorted."""
    if y.dtype.kind != "O" or y.shape[1:] not in ((), (1,)):
        return
    labels = y.ravel().tolist()
    if None in labels:
        raise ValueError(
            f"{name} must hold a label in every row; got None in row "
            f"{labels.index(None)}. Leave such rows out, or give them a label of their "
            "own."
        )
    types = sorted({type(label).__name__ for label in labels})
    if "str" in types and len(types) > 1:
        raise ValueError(
            f"{name} must hold labels of one type; got {' and '.join(types)}. Use "
            f"{name}.astype(str) for labels that are all text."
        )


def check_classes(classes, known: np.ndarray | None) -> np.ndarray:
    """The classes given to partial_fit, sorted; ``known`` are those of before."""
    unique = np.unique(_column(np.asarray(classes), "classes"))
    if known is not None and not np.array_equal(unique, known):
        raise ValueError(
            f"classes must be those of the first call, {known.tolist()}; got "
            f"{unique.tolist()}. Leave classes out, or fit anew."
        )
    if len(unique) < 2:
        raise ValueError(
            f"classes must hold at least two classes; got {unique.tolist()}. Pass all "
            "that will ever occur."
        )
    return unique


class LabelTargets(LabelledTargets):
    """Multilabel y, an indicator (n, n_labels) of 0 and 1."""

    alternatives = np.arange(2)

    def __init__(self, y, class_weight):
        if class_weight is not None:
            raise ValueError(
                f"class_weight={class_weight!r} has no meaning for multilabel targets. "
                "Use class_weight=None and sample_weight."
            )
        self.n_labels = y.shape[1]
        self.loss = BINOMIAL

    def encode(self, y, weight, name="y") -> tuple[np.ndarray, np.ndarray]:
        """The indicator as float64, and the weights as they are."""
        y = y.toarray() if sparse.issparse(y) else np.asarray(y)
        if y.ndim != 2 or y.shape[1] != self.n_labels:
            raise ValueError(
                f"{name} must be an indicator of {self.n_labels} labels like y; got "
                f"the shape {y.shape}."
            )
        if not np.isin(y, (0, 1)).all():
            raise ValueError(
                f"{name} must hold 0 and 1 only, one column per label; got "
                f"{np.unique(y).tolist()}. Use MultiLabelBinarizer to make it."
            )
        return y.astype(np.float64), weight

    def codes(self, y):
        return self.encode(y, np.ones(y.shape[0]))[0].astype(np.intp)

    def examples(self) -> np.ndarray:
        return np.repeat([[0], [1]], self.n_labels, axis=1)

    def fitted(self) -> dict:
        return {"classes_": np.arange(self.n_labels)}


def _column(y: np.ndarray, name: str) -> np.ndarray:
    """Labels (n,) or (n, 1) as (n,)."""
    if y.ndim == 1 or y.shape[1:] == (1,):
        return y.reshape(-1)
    raise ValueError(
        f"{name} must hold one label per row, as y does; got the shape {y.shape}."
    )


def _is_weight(value) -> bool:
    return isinstance(value, numbers.Real) and 0.0 <= float(value) < np.inf
