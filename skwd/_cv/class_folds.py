"""Sets of classes by CV+, from the networks of folds and the rows that they left out.

With K folds, p_k the probabilities of the network that has not seen fold k, k(i) the
fold of row i and the score E_i = 1 - p_k(i)(y_i | x_i), the set at x of coverage 1 - a
holds each class c of which

    #{i : E_i < 1 - p_k(i)(c | x)}  <  (1 - a) (n + 1) ,

and with class-conditional coverage the same over the n_c rows of class c alone. For
exchangeable rows it covers at least 1 - 2 a - sqrt(2 / n), and about 1 - a in practice.
Romano, Sesia and Candes, "Classification with valid and adaptive coverage", NeurIPS
2020, Algorithm 2; the score is that of Sadinle, Lei and Wasserman, "Least ambiguous
set-valued classifiers with bounded error levels", JASA 2019.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skwd._core.class_losses import ClassLoss
from skwd._core.loss import Loss
from skwd._cv.chosen import Chosen
from skwd._cv.fold_networks import KeptNetworks, Rows, rows_left_out, train_folds
from skwd._cv.left_out import LeftOut
from skwd._cv.problem import Problem
from skwd._cv.settings import Settings
from skwd._data.class_targets import LabelledTargets
from skwd._data.targets import Targets

# Probabilities that differ by so many roundings are equal, as those of one row are that
# is predicted in another block.
ROUNDINGS = 100.0


@dataclass(frozen=True, eq=False)
class ClassFolds:
    """The networks without each fold, and what they gave the classes of its rows.

    One target has C classes; multilabel y has a target for each label, of two classes.
    """

    networks: list[KeptNetworks]
    losses: list[ClassLoss]
    places: list[np.ndarray]  # of the classes that each network knows, among all C
    n_classes: int
    fold: np.ndarray  # (n,) of the rows seen
    codes: np.ndarray  # (n, n_targets) their classes
    probabilities: np.ndarray  # (n, n_targets) that of their own class, left out

    def __len__(self) -> int:
        return len(self.networks)

    @np.errstate(over="ignore", invalid="ignore")
    def predict(self, number: int, X) -> np.ndarray:
        """Probabilities (m, n_targets, C) without a fold, 0 of classes not seen."""
        loss, places = self.losses[number], self.places[number]
        blocks = self.networks[number].raw_blocks(X)
        known = np.concatenate([loss.by_class(raw).mean(axis=0) for raw in blocks])
        found = np.zeros((*known.shape[:2], self.n_classes), dtype=known.dtype)
        found[..., places] = known
        return found

    def n_rows(self, by_class: bool) -> np.ndarray:
        """How many rows a class is compared with, (n_targets, C)."""
        if not by_class:
            return np.full((self.codes.shape[1], self.n_classes), len(self.codes))
        return np.stack(
            [np.bincount(column, minlength=self.n_classes) for column in self.codes.T]
        )

    def n_likelier(self, X, by_class: bool) -> np.ndarray:
        """How many rows were given more for their class, (m, n_targets, C)."""
        tie = ROUNDINGS * np.finfo(self.probabilities.dtype).eps
        n_targets, counts = self.codes.shape[1], None
        for number in range(len(self)):
            p = self.predict(number, X)
            if counts is None:
                counts = np.zeros(p.shape, dtype=np.intp)
            mine = self.fold == number
            for t in range(n_targets):
                seen, codes = self.probabilities[mine, t], self.codes[mine, t]
                for c in range(self.n_classes):
                    those = np.sort(seen[codes == c] if by_class else seen)
                    above = np.searchsorted(those, p[:, t, c] + tie, side="right")
                    counts[:, t, c] += len(those) - above
        assert counts is not None
        return counts

    def sets(self, X, coverage: float, by_class: bool) -> np.ndarray:
        """Whether the set at each row of X holds each class, (m, n_targets, C)."""
        # Rounded first, as the ranks of intervals are.
        most = np.round(coverage * (self.n_rows(by_class) + 1.0), 9)
        return self.n_likelier(X, by_class) < most


def learn_from_classes(
    problem: Problem,
    chosen: Chosen,
    rows: list[Rows],
    *,
    keep: bool,
    of_ratio: Settings | None,
) -> LeftOut:
    """The networks without each of the folds ``rows``, of classes, for sets."""
    assert keep and of_ratio is None  # a classifier asks for nothing else of folds
    data, targets = problem.data, _labelled(problem.targets)
    folds = train_folds(problem, chosen, rows)
    counted, fold = rows_left_out(folds)
    codes = targets.codes(data.y[counted])
    dtype = folds[0].trained.params.dtype
    classes = targets.alternatives
    found = ClassFolds(
        [part.networks() for part in folds],
        [_class_loss(part.task.loss) for part in folds],
        [np.searchsorted(classes, _labelled(p.targets).alternatives) for p in folds],
        len(classes),
        fold,
        codes,
        np.empty(codes.shape, dtype=dtype),
    )
    for number, part in enumerate(folds):
        places = np.searchsorted(counted, part.test)
        p = found.predict(number, data.X[part.test])
        own = np.take_along_axis(p, codes[places][..., np.newaxis], axis=2)
        found.probabilities[places] = own[..., 0]
    return LeftOut(found)


def _class_loss(loss: Loss) -> ClassLoss:
    assert isinstance(loss, ClassLoss)
    return loss


def _labelled(targets: Targets) -> LabelledTargets:
    assert isinstance(targets, LabelledTargets)
    return targets
