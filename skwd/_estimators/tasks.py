"""From checked data to what there is to train: samples, units, starting points."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from skwd._core.activations import ACTIVATIONS
from skwd._core.alpha_groups import AlphaGroups
from skwd._core.layout import Layout, initial_params
from skwd._core.penalties import PENALTIES
from skwd._core.rows import column_means
from skwd._core.sample import Sample
from skwd._data.merged_rows import rows_to_train_on
from skwd._data.targets import Targets
from skwd._estimators.alpha_groups import groups_of_columns, kind_of_groups
from skwd._estimators.parameter_values import check_hidden_layer_sizes
from skwd._estimators.validation import (
    Data,
    check_some_weight,
    in_dtype,
    validation_split,
)
from skwd._solvers.base import Solver
from skwd._solvers.registry import AutoSolver
from skwd._solvers.task import TrainingTask
from skwd._solvers.units import unscaled_deviations

# The separate random streams of one random_state.
WEIGHTS, VALIDATION, SHUFFLING, FOLDS, INTERVALS = 0, 1, 2, 3, 4


@dataclass(frozen=True)
class Earlier:
    """What a fit takes over from an earlier one.

    Parameters
    ----------
    targets : Targets
        What y is.
    start : callable, optional
        From layout, targets, sample and seed to the starting point (n_init, P), in the
        place of random weights.
    epochs : int
        Completed before.
    origin : ndarray (n_features,), optional
        Is taken out of X, by default the column means of the rows to train on.
    """

    targets: Targets
    start: Callable | None = None
    epochs: int = 0
    origin: np.ndarray | None = None


class TaskMixin(metaclass=ABCMeta):
    """Training tasks from the parameters of an estimator and its checked data."""

    hidden_layer_sizes: Any
    activation: str
    early_stopping: bool
    validation_fraction: float
    n_init: int
    alpha_groups: Any
    l1_ratio: float
    sparsity: str | None

    @property
    def _penalty(self) -> str:
        """The penalty of J, by its name."""
        if self.l1_ratio == 0.0:
            return "l2"
        return {None: "elastic_net", "input": "columns"}.get(self.sparsity, "adaptive")

    @abstractmethod
    def _targets(
        self, y, weight, continued: bool = False, one_epoch: bool = False, classes=None
    ) -> Targets:
        """What y is: an object of skwd._data.targets; ``classes`` are partial_fit's."""

    def _task(
        self,
        data: Data,
        solver: Solver | AutoSolver,
        seed: int,
        *,
        held_out: Data | None = None,
        rows: np.ndarray | None = None,
        earlier: Earlier | None = None,
        hidden: tuple[int, ...] | None = None,
    ) -> tuple[TrainingTask, Targets]:
        """What there is to train on some rows of the data, all by default.

        ``held_out`` are X_val and so on; ``earlier`` is what an earlier fit has left to
        continue, if any; ``hidden``, the hidden layers, replace hidden_layer_sizes.
        """
        X, y, weight = data
        if rows is not None:
            y, weight = y[rows], weight[rows]
        earlier = Earlier(self._targets(y, weight)) if earlier is None else earlier
        targets = earlier.targets
        Y, weight = targets.encode(y, weight)
        check_some_weight(weight, "sample_weight times class_weight")
        training, validation = Sample(X, Y, weight, rows), None
        if held_out is not None:
            validation = self._validation(held_out, targets, X.dtype)
        elif self.early_stopping:
            training, validation = self._split(training, targets, seed)
        if hidden is None:
            hidden = check_hidden_layer_sizes(self.hidden_layer_sizes)
        layout = Layout((X.shape[1], *hidden, Y.shape[1]))
        n_rows, n_counted = len(training), int(np.count_nonzero(training.weight))
        solver = solver.resolved(n_counted, layout.n_params)
        training = rows_to_train_on(
            training,
            full_batch=solver.rows_per_step(n_counted) == n_counted,
            always=solver.sees_all_rows,
        )
        _choose_units(training, validation, targets, earlier.origin)
        start = earlier.start or self._initial_params
        task = TrainingTask(
            layout,
            ACTIVATIONS[self.activation],
            targets.loss,
            PENALTIES[self._penalty](layout, float(self.l1_ratio)),
            self._groups_of_alpha(layout),
            training,
            validation,
            start(layout, targets, training, seed),
            solver,
            np.random.default_rng([seed, SHUFFLING, earlier.epochs]),
            n_rows,
        )
        return task, targets

    def _groups_of_alpha(self, layout: Layout) -> AlphaGroups:
        """The weights that share an alpha: of layers, or as ``alpha_groups`` says."""
        if kind_of_groups(self) != "columns":
            return layout.layer_groups
        names = self.__dict__.get("feature_names_in_")
        n_columns = layout.layer_units[0]
        of_column = groups_of_columns(self.alpha_groups, n_columns, names)
        return layout.column_groups(of_column)

    def _validation(self, held_out: Data, targets: Targets, dtype) -> Sample:
        """The user's validation rows."""
        parts = targets.encode(held_out.y, held_out.weight, "y_val")
        validation = Sample(in_dtype(held_out.X, dtype), *parts)
        check_some_weight(validation.weight, "X_val and y_val")
        return validation

    def _split(self, sample: Sample, targets: Targets, seed: int) -> list[Sample]:
        """The rows to train on and those held out for early stopping."""
        rng = np.random.default_rng([seed, VALIDATION])
        counted = np.flatnonzero(sample.weight)  # a weight of 0 is a removed row
        parts = validation_split(
            len(counted),
            self.validation_fraction,
            int(rng.integers(2**31 - 1)),
            targets.strata(sample.y[counted]),
        )
        return [sample.part(counted[part]) for part in parts]

    def _initial_params(
        self,
        layout: Layout,
        targets: Targets,
        sample: Sample,
        seed: int,
        restarts: range | None = None,
    ) -> np.ndarray:
        """The starting points of the restarts of these numbers, all by default."""
        restarts = range(self.n_init) if restarts is None else restarts
        rngs = [np.random.default_rng([seed, WEIGHTS, number]) for number in restarts]
        gain = ACTIVATIONS[self.activation].gain
        params0 = initial_params(layout, gain, rngs)
        if layout.n_weight_layers == 1:  # convex: nothing is gained by random weights
            params0[:] = 0.0
        deviations = unscaled_deviations(sample)
        if deviations is not None:  # units that begin saturated would stay so
            layout.W(params0, 0)[:] /= np.maximum(deviations, 1.0)[:, np.newaxis]
        bias = layout.b(params0, layout.n_weight_layers - 1)
        bias[:] = targets.loss.constant(sample.y, sample.norm_weight)
        return params0


def _choose_units(
    training: Sample,
    validation: Sample | None,
    targets: Targets,
    origin: np.ndarray | None,
) -> None:
    """Scale y, and give X its origin, as the rows to train on say.

    ``origin`` (n_features,) replaces the column means.
    """
    if origin is None:
        origin = column_means(training.X, training.rows, training.norm_weight)
    targets.learn_scale(training)
    for sample in (training, validation):
        if sample is not None:
            sample.y = targets.scaled(sample.y)
            sample.origin = origin.astype(training.dtype, copy=False)
