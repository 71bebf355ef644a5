"""alpha="auto": a small cross-validation of alphas about the default one.

A candidate is a multiple of the default alpha, which is the same prior for every number
of rows: what is best on a part of the rows is, as a multiple, taken to all of them.
The folds of all candidates are trained as one stack and judged by their held-out loss.
Beside the networks stand the linear model and the constant.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from sklearn.model_selection import KFold, ShuffleSplit, StratifiedKFold

from skwd._alpha.choice import AlphaChoice, AlphaPath
from skwd._alpha.scales import search_unit
from skwd._core.network import Network
from skwd._core.objective import Objective, mean_loss_of_constant
from skwd._core.sample import Sample
from skwd._solvers.task import TrainingTask, train_path
from skwd._solvers.training import StackFit

FOLDS = 5  # two: errors 1.03; three: 2 % worse on classes; ten: as good, twice the work
# The tolerance of networks that are judged, in units of tol. A third or three times: as
# good; ten times: no good at 12,000 rows.
LOOSER = 10.0
# Of more rows than this a random subsample is judged, by one split of it.
MOST_ROWS = 12_000
# The first multiples of the default alpha, the factor to the next one, and their range.
# Downwards one at a time: low alphas take the most iterations. The factor's root or
# square: errors .99 and 1.01 in 1.1 and 1.2 times the work; another range: no change.
FACTOR = 10.0**0.5
FIRST = np.array([1.0 / FACTOR, 1.0, FACTOR])
LOWEST, HIGHEST = 1e-6, 1e6
# Above the lowest loss by this part of it a loss is as good. A third or three times:
# errors within .5 %.
EQUAL = 1e-3


def as_good(lowest: float) -> float:
    """The highest loss that is as good as the lowest."""
    return lowest + EQUAL * abs(lowest) if np.isfinite(lowest) else lowest


def splits_of(
    numbers: np.ndarray, weight: np.ndarray, strata, rng: np.random.Generator
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rows to train on and to judge by, of positive weight.

    Rows of the same number (n,), copies, are kept together: no row is judged by its
    copy, and a row of weight 2 is a repeated one. Classes, as ``strata`` (n,) or None,
    are kept in proportion where each has FOLDS different rows.
    """
    counted, seed = np.flatnonzero(weight), int(rng.integers(2**31 - 1))
    _, first, value = np.unique(
        numbers[counted], return_index=True, return_inverse=True
    )
    values = np.arange(len(first))
    splitter: KFold | StratifiedKFold | ShuffleSplit
    if len(values) > MOST_ROWS:
        values = np.sort(rng.choice(values, MOST_ROWS, replace=False))
        splitter = ShuffleSplit(1, test_size=1 / 3, random_state=seed)
    else:
        splitter = KFold(FOLDS, shuffle=True, random_state=seed)
    classes = np.zeros(len(values))
    if strata is not None:
        classes = strata[counted[first[values]]]
        enough = np.unique(classes, return_counts=True)[1].min() >= FOLDS
        if enough and isinstance(splitter, KFold):
            splitter = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    for parts in splitter.split(values, classes):
        train, test = (counted[np.isin(value, values[part])] for part in parts)
        yield train, test


@dataclass
class Candidates:
    """Multiples of the default alpha for networks of one shape, and their losses.

    Parameters
    ----------
    tasks : list of TrainingTask
        One for each split, each with a single starting point.
    tests : list of Sample
        The held-out rows of each split.
    first_stage : float, optional
        The multiple that a first stage was trained at, if the tasks are of a second.
    """

    tasks: list[TrainingTask]
    tests: list[Sample]
    first_stage: float | None = None

    def __post_init__(self) -> None:
        self.tasks = [replace(t, params0=t.params0[:1]) for t in self.tasks]
        self.multiples = np.empty(0)
        self.losses = np.empty((len(self.tasks), 0))  # (F, A), inf without weights

    @property
    def units(self) -> np.ndarray:
        """What alpha is counted in, (F, G): the weights of a split are its own."""
        return np.array([search_unit(task) for task in self.tasks])

    def search(self, about: float = 1.0, most: float = np.inf) -> None:
        """Judge the first multiples, and further ones while an end is the best.

        Where the highest leaves a constant, higher ones would tell nothing; where all
        do, it is lower ones that can tell more.

        Parameters
        ----------
        about : float
            The middle one of the first.
        most : float
            The first are the middle one and the next. Where both losses are above
            this, nothing else is judged.
        """
        first = about * FIRST
        if np.isfinite(most):
            first = first[1:]
        self.judge(first)
        if not self.lowest <= most:
            return
        while True:
            best, is_flat, last = self.best, self.are_flat, len(self.multiples) - 1
            if (best == 0 or is_flat.all()) and self.multiples[0] > LOWEST:
                self.judge(self.multiples[:1] / FACTOR)
            elif best == last and not is_flat[-1] and self.multiples[-1] < HIGHEST:
                self.judge(self.multiples[-1:] * FACTOR)
            else:
                return

    def judge(self, multiples: np.ndarray) -> None:
        """Train all splits at further multiples, and add their held-out losses."""
        alphas = multiples[:, np.newaxis] * self.units[:, np.newaxis]
        fit = train_path(self.tasks, alphas)
        losses = self._losses(fit).reshape(len(self.tasks), len(multiples))
        order = np.argsort(np.concatenate([self.multiples, multiples]))
        self.multiples = np.concatenate([self.multiples, multiples])[order]
        self.losses = np.concatenate([self.losses, losses], axis=1)[:, order]

    def _losses(self, fit: StackFit) -> np.ndarray:
        """Held-out losses (K,) of equally many networks of each split, in its order."""
        first, n_splits = self.tasks[0], len(self.tasks)
        of_split = np.repeat(np.arange(n_splits), len(fit.params) // n_splits)
        held_out = Objective(
            Network(first.layout, first.activation),
            first.loss.stacked([task.loss for task in self.tasks], of_split),
            self.tests,
            fit.alpha,
            of_split,
            first.penalty.stacked([task.penalty for task in self.tasks], of_split),
            first.groups,
        )
        with np.errstate(over="ignore", invalid="ignore"):
            losses = held_out.data_loss(fit.params)
        losses[fit.unusable | ~np.isfinite(losses)] = np.inf
        return losses

    def held_out_loss(self, fits: list[AlphaChoice]) -> float:
        """The mean loss of one fit for each split."""
        losses = []
        for number, fit in enumerate(fits):
            alone = Candidates(self.tasks[number : number + 1], [self.tests[number]])
            losses.append(alone._losses(fit[np.array([fit.best])])[0])
        return float(np.mean(losses))

    @property
    def best(self) -> int:
        """The number of the largest multiple that is as good as the best one."""
        mean = self.losses.mean(axis=0)
        return int(np.flatnonzero(mean <= as_good(mean.min()))[-1])

    @property
    def are_flat(self) -> np.ndarray:
        """The multiples at which networks have learnt no more than a constant, (A,)."""
        constant, mean = self.constant(), self.losses.mean(axis=0)
        return np.abs(mean - constant) <= EQUAL * abs(constant)

    @property
    def lowest(self) -> float:
        """The lowest mean loss."""
        return float(self.losses.mean(axis=0).min())

    def constant(self) -> float:
        """The mean held-out loss of the best constants of the rows trained on."""
        found = []
        for task, test in zip(self.tasks, self.tests):
            found.append(mean_loss_of_constant(task.loss, test, task.constant))
        return float(np.mean(found))

    def path(self, unit: float) -> AlphaPath:
        """What was seen, for a default alpha of ``unit``."""
        mean, n_splits = self.losses.mean(axis=0), len(self.losses)
        errors = None
        if n_splits > 1:
            with np.errstate(invalid="ignore"):
                errors = self.losses.std(axis=0, ddof=1) / np.sqrt(n_splits)
        unknown = np.full(len(mean), np.nan)
        return AlphaPath(unit * self.multiples, mean, errors, unknown)
