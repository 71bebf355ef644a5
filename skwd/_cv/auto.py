"""alpha="auto": a small cross-validation of alphas about the default one.

A candidate is a multiple of the default alpha, which is the same prior for every number
of rows: what is best on a part of the rows is, as a multiple, taken to all of them.
The folds of all candidates are trained as one stack and judged by their held-out loss.
Beside the networks stand the linear model and the constant.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np

from skwd._alpha.choice import AlphaChoice, AlphaPath
from skwd._alpha.scales import search_unit
from skwd._core.network import Network
from skwd._core.objective import Objective, mean_loss_of_constant
from skwd._core.sample import Sample
from skwd._cv.competitor import Competitor
from skwd._cv.parallel import train_cells
from skwd._solvers.task import TrainingTask
from skwd._solvers.training import StackFit

# From so many rows on the first folds judge everything, and the others only what is
# behind the best there by no more than this part of it (see `race`). Errors 1.006 at
# 1,000 rows and 1.000 at 3,000, in .43 of the work; two folds alone 1.005, worst 1.05.
# At 500 rows they are too few: of three tables 1.28, 1.00 and 1.01 of the errors.
RACE_ROWS, FIRST_FOLDS, BEHIND = 1000, 2, 0.05
# The tolerance of networks that are judged, in units of tol. A third or three times: as
# good; ten times: no good at 12,000 rows.
LOOSER = 10.0
# Their iterations. Clean tables take thousands, on parts: without a limit six of them
# have errors of 1.00 to 1.02 of these, in .9 to 2.1 times the time. With 250 it is .74
# of the time for numbers of 500 rows, but clean tables have too low an alpha at times.
MOST_ITERATIONS = 500
# The first multiples of the default alpha, the factor to the next one, and their range.
# Downwards one at a time: low alphas take the most iterations. The factor's root or
# square: errors .99 and 1.01 in 1.1 and 1.2 times the work; another range: no change.
FACTOR = 10.0**0.5
FIRST = np.array([1.0, FACTOR])
LOWEST, HIGHEST = 1e-6, 1e6
# Lower alphas, which take longest, are judged while they can be expected to lower the
# loss by this part of it. Without this rule "auto" takes 1.36 times the time for the
# same numbers, at 1.004 of the errors.
WORTH = 0.01
# Above the lowest loss by this part of it a loss is as good. A third or three times:
# errors within .5 %.
EQUAL = 1e-3
ALL = slice(None)


def as_good(lowest: float, part: float = EQUAL) -> float:
    """The highest loss that is as good as the lowest, or behind by so much of it."""
    return lowest + part * abs(lowest) if np.isfinite(lowest) else lowest


@dataclass
class Candidates(Competitor):
    """Multiples of the default alpha for networks of one shape, and their losses.

    Parameters
    ----------
    tasks : list of TrainingTask
        One for each split, each with a single starting point.
    tests : list of Sample
        The held-out rows of each split.
    n_jobs : int or None
    told : callable, optional
        Hears of further multiples, their held-out losses and the seconds they took.
    first_stage : float, optional
        The multiple that a first stage was trained at, if the tasks are of a second.
    """

    tasks: list[TrainingTask]
    tests: list[Sample]
    n_jobs: int | None = None
    told: Callable[[np.ndarray, np.ndarray, float], None] | None = None
    first_stage: float | None = None

    def __post_init__(self) -> None:
        self.tasks = [replace(t, params0=t.params0[:1]) for t in self.tasks]
        self.multiples = np.empty(0)
        # (F, A): inf without weights, nan where it has not been judged.
        self.losses = np.empty((len(self.tasks), 0))
        n_first = FIRST_FOLDS if self.n_judged >= RACE_ROWS else len(self.tasks)
        self.first_folds = slice(0, min(n_first, len(self.tasks)))

    @property
    def units(self) -> np.ndarray:
        """What alpha is counted in, (F, G): the weights of a split are its own."""
        return np.array([search_unit(task) for task in self.tasks])

    @property
    def n_judged(self) -> int:
        """The rows that are held out, copies in a table that is not large once."""
        return sum(len(test) for test in self.tests)

    def search(self, about: float = 1.0, most: float = np.inf) -> None:
        """Judge the first multiples, and further ones while an end is the best.

        By the first folds. Where the highest leaves a constant, higher ones would tell
        nothing; where all do, it is lower ones that can tell more. Where none is better
        than a constant, one lower is judged in any case.

        Parameters
        ----------
        about : float
            The lowest of the first.
        most : float
            The first are the middle one and the next. Where both losses are above
            this, and would be after a further step like theirs, nothing else is judged;
            nor where both have diverged.
        """
        first = about * FIRST
        self._add(first)
        if np.isinf(self.first_losses).all():
            return
        if not self.first_losses.min() - np.ptp(self.first_losses) <= most:
            return
        while (multiple := self._further(first[0])) is not None:
            self._add(multiple)

    def _further(self, first: float | None = None) -> np.ndarray | None:
        """The next multiple to judge, (1,), or None where what is seen is enough.

        ``first`` is the lowest one of a search that begins.
        """
        best, is_flat, last = self.best, self.are_flat, len(self.multiples) - 1
        is_worse = is_flat[best] and self.multiples[0] == first
        is_lower = best == 0 or is_worse or is_flat.all()
        if is_lower and self.multiples[0] > LOWEST and not self._is_settled:
            return self.multiples[:1] / FACTOR
        if best == last and not is_flat[-1] and self.multiples[-1] < HIGHEST:
            return self.multiples[-1:] * FACTOR
        return None

    def finish(self, most: float) -> None:
        """Judge by the other folds, too, what has a loss of at most ``most`` so far.

        Of networks that have learnt no more than a constant, the best alone.
        """
        tells = ~self.are_flat
        tells[self.best] = True
        left = np.flatnonzero(
            (self.first_losses <= most) & np.isnan(self.mean_losses) & tells
        )
        others = slice(self.first_folds.stop, len(self.tasks))
        if len(left) and others.start < others.stop:
            self.losses[others, left] = self._judged(others, self.multiples[left])

    def extend(self, most: float) -> bool:
        """Judge further multiples while an end is the best in all folds; whether any.

        The first folds may have had another best.
        """
        if np.isnan(self.mean_losses).all():
            return False
        n_known = len(self.multiples)
        while (multiple := self._further()) is not None:
            self._add(multiple)
            self.finish(most)
        return len(self.multiples) > n_known

    def _add(self, multiples: np.ndarray) -> None:
        """Judge further multiples by the first folds."""
        losses = np.full((len(self.tasks), len(multiples)), np.nan)
        losses[self.first_folds] = self._judged(self.first_folds, multiples)
        order = np.argsort(np.concatenate([self.multiples, multiples]))
        self.multiples = np.concatenate([self.multiples, multiples])[order]
        self.losses = np.concatenate([self.losses, losses], axis=1)[:, order]

    def _judged(self, folds: slice, multiples: np.ndarray) -> np.ndarray:
        """Held-out losses (f, m) of some folds at some multiples."""
        start, tasks = perf_counter(), self.tasks[folds]
        alphas = multiples[:, np.newaxis] * self.units[folds, np.newaxis]
        fit = train_cells(tasks, alphas, self.n_jobs)
        losses = self._losses(fit, folds).reshape(len(tasks), len(multiples))
        if self.told is not None:
            self.told(multiples, losses, perf_counter() - start)
        return losses

    def _losses(self, fit: StackFit, folds: slice) -> np.ndarray:
        """Held-out losses (K,) of equally many networks of each fold, in its order."""
        tasks, tests = self.tasks[folds], self.tests[folds]
        first, of_split = tasks[0], np.arange(len(tasks))
        of_split = np.repeat(of_split, len(fit.params) // len(tasks))
        held_out = Objective(
            Network(first.layout, first.activation),
            first.loss.stacked([task.loss for task in tasks], of_split),
            tests,
            fit.alpha,
            of_split,
            first.penalty.stacked([task.penalty for task in tasks], of_split),
            first.groups,
        )
        with np.errstate(over="ignore", invalid="ignore"):
            losses = held_out.data_loss(fit.params)
        losses[fit.unusable | ~np.isfinite(losses)] = np.inf
        return losses

    def losses_of(self, fits: list[AlphaChoice], folds: slice) -> np.ndarray:
        """The held-out loss of the best network of each of some folds."""
        best = [fit[np.array([fit.best])] for fit in fits]
        numbers = [np.array([number]) for number in range(len(fits))]
        return self._losses(AlphaChoice.joined(best, numbers), folds)

    @property
    def first_losses(self) -> np.ndarray:
        """Mean losses in the first folds, (A,)."""
        return self.losses[self.first_folds].mean(axis=0)

    @property
    def mean_losses(self) -> np.ndarray:
        """Mean losses in all folds, (A,), nan where only the first have judged."""
        return self.losses.mean(axis=0)

    @property
    def _judging(self) -> np.ndarray:
        """The losses by which multiples are compared: of all folds, once there are."""
        is_alone = np.isnan(self.mean_losses).all()
        return self.losses[self.first_folds] if is_alone else self.losses

    @property
    def best(self) -> int:
        """The number of the largest multiple that is as good as the best one."""
        mean = self._judging.mean(axis=0)
        return int(np.flatnonzero(mean <= as_good(np.nanmin(mean)))[-1])

    @property
    def is_at_lowest(self) -> bool:
        """Whether the best multiple is the lowest that there is."""
        return self.best == 0 and self.multiples[0] <= LOWEST

    @property
    def are_flat(self) -> np.ndarray:
        """The multiples at which networks have learnt no more than a constant, (A,)."""
        constant = self.constant(self.first_folds)
        return np.abs(self.first_losses - constant) <= EQUAL * abs(constant)

    @property
    def _is_settled(self) -> bool:
        """Whether the next lower multiple should gain next to nothing.

        The last step down gained, less than the one before: the next gains less again
        by the same ratio.
        """
        losses = self._judging.mean(axis=0)[:3]
        if len(losses) < 3 or self.are_flat[:2].any():
            return False
        with np.errstate(invalid="ignore"):
            before, gain = losses[2] - losses[1], losses[1] - losses[0]
            is_less = 0.0 <= gain < before
            return bool(is_less and gain**2 < WORTH * abs(losses[0]) * before)

    def constant(self, folds: slice = ALL) -> float:
        """The mean held-out loss of the best constants of the rows trained on."""
        pairs = zip(self.tasks[folds], self.tests[folds])
        losses = [mean_loss_of_constant(t.loss, test, t.constant) for t, test in pairs]
        return float(np.mean(losses))

    @np.errstate(over="ignore", invalid="ignore")
    def path(self, unit: float) -> AlphaPath:
        """What was seen, for a default alpha of ``unit``."""
        losses, errors = self._judging, None
        if len(losses) > 1:
            errors = losses.std(axis=0, ddof=1) / np.sqrt(len(losses))
        unknown = np.full(losses.shape[1], np.nan)
        return AlphaPath(unit * self.multiples, losses.mean(axis=0), errors, unknown)
