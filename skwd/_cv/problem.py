"""A problem: checked data, settings and a seed, and the training tasks made of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from skwd._core.activations import ACTIVATIONS
from skwd._core.layout import Layout, initial_params, layer_sizes
from skwd._core.penalties import PENALTIES
from skwd._core.penalty import L2
from skwd._core.rows import column_means
from skwd._core.sample import Sample
from skwd._cv.checks import check_range, check_some_weight, in_dtype
from skwd._cv.earlier import Earlier
from skwd._cv.encodings import Encodings
from skwd._cv.settings import Data, Settings
from skwd._cv.splits import validation_split
from skwd._data.encoding import layout_of, widened, without_idle
from skwd._data.merged_rows import (
    counted_rows,
    first_of_each,
    numbers_of_copies,
    rows_to_train_on,
)
from skwd._data.targets import Targets
from skwd._solvers.base import Solver
from skwd._solvers.registry import AutoSolver
from skwd._solvers.row_space import size_on
from skwd._solvers.task import TrainingTask
from skwd._solvers.units import starting_sizes

# The separate random streams of one random_state.
WEIGHTS, VALIDATION, SHUFFLING, JUDGING, LEFT_OUT = range(5)


@dataclass(frozen=True, eq=False)
class Problem:
    """What is to be fitted, and how; it makes the tasks of all rows and of some.

    Parameters
    ----------
    data : Data
    held_out : Data or None
        X_val, y_val and their weights.
    settings : Settings
    seed : int
        Of all random streams.
    targets : Targets
        What y is, of all rows.
    of_column : ndarray of int (n_features,) or None
        The group of alpha of each column of X, where columns have groups.
    earlier : Earlier or None
        The fit that a fit to all rows continues.
    group : ndarray of int (n,) or None
        Of each row, where rows belong together.
    """

    data: Data
    held_out: Data | None
    settings: Settings
    seed: int
    targets: Targets
    of_column: np.ndarray | None = None
    earlier: Earlier | None = None
    group: np.ndarray | None = None

    def stream(self, number: int, *more: int) -> np.random.Generator:
        """One of the random streams."""
        return np.random.default_rng([self.seed, number, *more])

    @cached_property
    def counted(self) -> np.ndarray:
        """The rows of positive weight, class weights included: others are removed."""
        return np.flatnonzero(self.encodings.weight)

    @cached_property
    def copies(self) -> np.ndarray:
        """A number for each row, which it shares with its copies: (n,).

        -1 for rows of weight 0, which are removed ones.
        """
        numbers, counted = np.full(len(self.data.y), -1), self.counted
        Y, weight = self.encodings.Y[counted], self.encodings.weight[counted]
        numbers[counted] = numbers_of_copies(self.data.X, Y, counted, weight)
        return numbers

    @property
    def together(self) -> np.ndarray:
        """The same number for all rows of a group, or else for copies: (n,)."""
        return self.copies if self.group is None else self.group

    def group_of(self, rows: np.ndarray) -> np.ndarray | None:
        """The group of each of some rows, where rows belong together."""
        return None if self.group is None else self.group[rows]

    def held_together(self, Y: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """That of some rows alone, whose targets are ``Y`` (n, n_targets): (n,)."""
        if self.group is None:
            return numbers_of_copies(self.data.X, Y, rows, self.data.weight[rows])
        return np.unique(self.group[rows], return_inverse=True)[1]

    def whole(self) -> tuple[TrainingTask, Targets]:
        """The task of all rows, and the targets as they have learnt from them."""
        return self.task(targets=self.targets, earlier=self.earlier)

    def task(
        self,
        rows: np.ndarray | None = None,
        *,
        targets: Targets | None = None,
        earlier: Earlier | None = None,
        hidden: tuple[int, ...] | None = None,
        solver: Solver | AutoSolver | None = None,
        in_parts: bool | None = None,
        own_parts: bool = False,
    ) -> tuple[TrainingTask, Targets]:
        """What there is to train on some rows of the data, all by default.

        Parameters
        ----------
        rows : ndarray of int, optional
        targets : Targets, optional
            What y is; by default what it is in these rows.
        earlier : Earlier, optional
            Is continued, in the place of random weights.
        hidden, solver, in_parts
            Replace those of the settings.
        own_parts : bool
            The layers are those that parts of columns need in ``rows`` alone.

        Returns
        -------
        task : TrainingTask
        targets : Targets
            With the loss and the units of the rows that are trained on.
        """
        settings, (X, y, weight) = self.settings, self.data
        if rows is not None:
            y, weight = y[rows], weight[rows]
        if targets is None:
            targets = settings.make_targets(y, weight, whole=self.targets)
        Y, weight = targets.encode(y, weight)
        check_some_weight(weight, targets.weighed_by, targets.counts_with)
        training, validation = Sample(X, Y, weight, rows), None
        among = training if own_parts else None
        if self.held_out is not None:
            validation = self._held_out_sample(targets)
        elif settings["early_stopping"]:
            training, validation = self._split(training, targets)
        hidden = settings.hidden if hidden is None else hidden
        known = None if earlier is None else earlier.encoding
        is_kept = known is not None and settings["encoding"] == "auto"
        in_parts = (settings.in_parts or is_kept) if in_parts is None else in_parts
        encoding = None
        if in_parts and earlier is not None:
            encoding = earlier.encoding_of(X)
        if in_parts and encoding is None:
            encoding = self.encodings.learnt(training, among)
        units = X.shape[1], *hidden, targets.loss.n_raw(Y.shape[1])
        layout = layout_of(units, encoding)
        n_counted = int(np.count_nonzero(training.weight))
        chosen = settings.solver if solver is None else solver
        n_params, is_wide = layout.n_params, False
        if validation is None:
            n_params, is_wide = size_on(layout, training, n_counted)
        chosen = chosen.resolved(n_counted, n_params, is_wide=is_wide)
        sees_all = chosen.rows_per_step(n_counted) == n_counted
        training = rows_to_train_on(training, full_batch=sees_all).encoded(encoding)
        origin = None if earlier is None else earlier.origin
        if origin is None:
            origin = column_means(training.X, training.rows, training.norm_weight)
        kept = earlier.targets if earlier is not None and earlier.keeps_units else None
        targets = targets.fitted_to(training.y, training.norm_weight, kept)
        check_range(training, targets.loss, "y")
        training = training.in_units(targets.scaled(training.y), origin)
        if validation is not None:
            validation = validation.encoded(encoding)
            check_range(validation, targets.loss, "y_val")
            validation = validation.in_units(targets.scaled(validation.y), origin)
        if earlier is None:
            starts = self.initial_params(layout, targets, training)[np.newaxis]
            initial_sizes = layer_sizes(layout, starts[0])
        else:
            initial_sizes = earlier.initial_sizes
            kind = settings.kind(targets.loss, in_parts)
            starts = earlier.starts(layout, targets, training, settings, kind)
        epochs = 0 if earlier is None else earlier.epochs
        ratio = float(settings["l1_ratio"])
        task = TrainingTask(
            layout,
            ACTIVATIONS[settings["activation"]],
            targets.loss,
            L2() if ratio == 0.0 else PENALTIES[settings["sparsity"]](layout, ratio),
            layout.layer_groups
            if self.of_column is None
            else layout.column_groups(self.of_column),
            training,
            validation,
            starts[0],
            chosen,
            None if chosen.finds_minima else self.stream(SHUFFLING, epochs),
            n_counted,
            initial_sizes,
        )
        if len(starts) > 1:
            task = replace(task, params0=_lowest(task, starts))
        return task, targets

    def initial_params(
        self,
        layout: Layout,
        targets: Targets,
        sample: Sample,
        restarts: range | None = None,
    ) -> np.ndarray:
        """Starting points of ``restarts`` (default: all), (len(restarts), P)."""
        restarts = range(self.settings["n_init"]) if restarts is None else restarts
        rngs = [self.stream(WEIGHTS, number) for number in restarts]
        gain = ACTIVATIONS[self.settings["activation"]].gain
        narrow = without_idle(layout, sample.encoder)
        params0 = widened(initial_params(narrow, gain, rngs), layout, sample.encoder)
        if layout.n_weight_layers == 1:  # convex: nothing is gained by random weights
            params0[:] = 0.0
        sizes = starting_sizes(sample)
        if sizes is not None:
            layout.W(params0, 0)[:] /= sizes[:, np.newaxis]
        bias = layout.b(params0, layout.n_weight_layers - 1)
        bias[:] = targets.loss.constant(sample.y, sample.norm_weight)
        return params0

    @cached_property
    def encodings(self) -> Encodings:
        """How columns in parts are learnt from rows."""
        return Encodings(self.data.X, *self.targets.encode(*self.data[1:]))

    def _held_out_sample(self, targets: Targets) -> Sample:
        """The user's validation rows, as encoded."""
        assert self.held_out is not None
        X, y, weight = self.held_out
        Y, weight = targets.encode(y, weight, "y_val")
        check_some_weight(weight, "X_val and y_val", targets.counts_with)
        return counted_rows(Sample(in_dtype(X, self.data.X.dtype), Y, weight))

    def _split(self, sample: Sample, targets: Targets) -> list[Sample]:
        """The rows to train on and those held out for early stopping."""
        counted = np.flatnonzero(sample.weight)  # a weight of 0 is a removed row
        rows = counted if sample.rows is None else sample.rows[counted]
        # No row is watched by its copy, or by its group.
        first, value = first_of_each(self.held_together(sample.y[counted], rows))
        what = "groups" if self.group is not None else "different samples"
        parts = validation_split(
            len(first),
            self.settings["validation_fraction"],
            int(self.stream(VALIDATION).integers(2**31 - 1)),
            targets.strata(sample.y[counted[first]]),
            "samples" if len(first) == len(rows) else what,
        )
        return [sample.part(counted[np.isin(value, part)]) for part in parts]


@np.errstate(over="ignore", invalid="ignore")
def _lowest(task: TrainingTask, starts: np.ndarray) -> np.ndarray:
    """The starting point (K, P) of each network that has the lowest loss of several.

    ``starts`` are (m, K, P); of equals it is the first.
    """
    m, n_networks, n_params = starts.shape
    objective = task.objective(np.zeros((m * n_networks, task.groups.n_groups)))
    losses = objective.data_loss(starts.reshape(-1, n_params)).reshape(m, n_networks)
    best = np.argmin(np.where(np.isnan(losses), np.inf, losses), axis=0)
    return starts[best, np.arange(n_networks)]
