"""What all estimators share: checked data become a task, and networks attributes."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.validation import check_is_fitted, validate_data

from skwd._alpha.choice import AlphaChoice
from skwd._core.activations import ACTIVATIONS
from skwd._core.layout import Layout, initial_params
from skwd._core.losses import Loss
from skwd._core.penalties import PENALTIES
from skwd._core.rows import column_means, shift_origin
from skwd._core.sample import Sample
from skwd._data.merged_rows import rows_to_train_on
from skwd._data.targets import Targets
from skwd._estimators.fitted_network import FittedNetwork
from skwd._estimators.parameters import check_hidden_layer_sizes
from skwd._estimators.posterior import PosteriorMixin
from skwd._estimators.validation import (
    Data,
    check_sample_weight,
    check_some_weight,
    in_dtype,
    validation_split,
)
from skwd._solvers.base import Solver
from skwd._solvers.registry import AutoSolver
from skwd._solvers.result import succeeded
from skwd._solvers.task import TrainingTask
from skwd._solvers.units import unscaled_deviations

CHECK_X = {"accept_sparse": "csr", "dtype": (np.float64, np.float32)}
CHECK_Y = {"accept_sparse": "csr", "dtype": None, "ensure_2d": False}
# The separate random streams of one random_state.
WEIGHTS, VALIDATION, SHUFFLING, FOLDS = 0, 1, 2, 3


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


class BaseWeightDecayMLP(PosteriorMixin, BaseEstimator, metaclass=ABCMeta):
    """Tasks, fitted attributes and predictions, whoever chooses alpha."""

    # The penalty of J, by its name; parameters that select another one set it.
    _penalty = "l2"

    # Parameters of all estimators.
    hidden_layer_sizes: Any
    activation: str
    solver: str
    posterior: bool
    early_stopping: bool
    validation_fraction: float
    n_init: int
    ensemble: bool
    random_state: Any
    verbose: int

    # Fitted attributes.
    coefs_: list[np.ndarray]
    intercepts_: list[np.ndarray]
    n_layers_: int
    n_outputs_: int
    out_activation_: str
    alpha_: float | np.ndarray
    loss_: float
    loss_curve_: list[float]
    best_loss_: float
    validation_scores_: list[float] | None
    best_validation_score_: float | None
    n_iter_: int
    t_: int
    converged_: bool
    _fitted: FittedNetwork
    _kind: dict
    _loss: Loss

    def _validate(self, X, y, sample_weight, suffix="", reset=False) -> Data:
        """Checked data; ``suffix`` is "_val" for validation data."""
        if suffix:  # the same checks, in messages that name the validation data
            validate_data(self, X, reset=False, skip_check_array=True)
            X = check_array(X, **CHECK_X, input_name="X_val", estimator=self)
            y = check_array(y, **CHECK_Y, input_name="y_val", estimator=self)
            check_consistent_length(X, y)
        else:
            X, y = validate_data(self, X, y, reset=reset, multi_output=True, **CHECK_X)
        name = "sample_weight" + suffix
        return Data(X, y, check_sample_weight(sample_weight, X.shape[0], name))

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
        resolved = solver.resolved(n_counted, layout.n_params)
        training = rows_to_train_on(
            training,
            full_batch=resolved.rows_per_step(n_counted) == n_counted,
            always=resolved.sees_all_rows,
        )
        origin = earlier.origin
        if origin is None:
            origin = column_means(X, training.rows, training.norm_weight)
        targets.learn_scale(training)
        for sample in (training, validation):
            if sample is not None:
                sample.y = targets.scaled(sample.y)
                sample.origin = origin.astype(X.dtype, copy=False)
        start = earlier.start or self._initial_params
        task = TrainingTask(
            layout,
            ACTIVATIONS[self.activation],
            targets.loss,
            PENALTIES[self._penalty],
            layout.layer_groups,
            training,
            validation,
            start(layout, targets, training, seed),
            resolved,
            np.random.default_rng([seed, SHUFFLING, earlier.epochs]),
            n_rows,
        )
        return task, targets

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
        self, layout: Layout, targets: Targets, sample: Sample, seed: int
    ) -> np.ndarray:
        rngs = [
            np.random.default_rng([seed, WEIGHTS, restart])
            for restart in range(self.n_init)
        ]
        gain = ACTIVATIONS[self.activation].gain
        params0 = initial_params(layout, gain, rngs)
        if layout.n_weight_layers == 1:  # convex: nothing is gained by random weights
            params0[:] = 0.0
        deviations = unscaled_deviations(sample)
        if deviations is not None:  # units that begin saturated would stay so
            layout.W(params0, 0)[:] /= np.maximum(deviations, 1.0)[:, np.newaxis]
        bias = layout.b(params0, layout.n_weight_layers - 1)
        bias[:] = targets.loss.constant(sample.norm_weight @ sample.y)
        return params0

    def _store(
        self,
        task: TrainingTask,
        targets: Targets,
        trained: AlphaChoice,
        alpha: float | np.ndarray,
        *,
        lazily: bool = False,
    ) -> None:
        """Take over the networks that predict, and their history.

        ``lazily`` leaves the posterior for when it is asked for.
        """
        layout, loss = task.layout, task.loss
        best, networks = trained.best, trained.predicting(self.ensemble)
        of_centred_X = trained.params[networks], task.training.origin
        coefs, intercepts = layout.split(shift_origin(layout, *of_centred_X, -1.0))
        if not self.ensemble:
            coefs = [coef[0] for coef in coefs]
            intercepts = [intercept[0] for intercept in intercepts]
        self._fitted = FittedNetwork(coefs, intercepts, self.activation)
        self.coefs_ = self._fitted.coefs
        self.intercepts_ = self._fitted.intercepts
        self.n_layers_ = len(layout.layer_units)
        self.n_outputs_ = layout.layer_units[-1]
        self.out_activation_, self._loss = loss.out_activation, loss
        self._kind = self._kind_of(loss)
        self.alpha_ = alpha
        self.loss_ = float(trained.loss[best])
        self.loss_curve_ = trained.loss_curve[best]
        self.best_loss_ = min(self.loss_curve_, default=self.loss_)
        self.validation_scores_ = self.best_validation_score_ = None
        if task.validation is not None:
            self.validation_scores_ = [-v for v in trained.validation_curve[best]]
            self.best_validation_score_ = -float(trained.best_validation[best])
        self.n_iter_ = int(trained.nit[best])
        self.t_ = self.n_iter_ * task.n_rows
        self.converged_ = bool(succeeded(trained.status[networks]).all())
        self.__dict__.update(targets.fitted())
        self.__dict__.pop("_partial_fit_state", None)  # of an earlier partial_fit
        self._store_posterior(task, trained, networks, lazily)

    def _kind_of(self, loss: Loss) -> dict:
        """What the weights mean beside their shapes, kept as fitted."""
        return {
            "activation": self.activation,
            "out_activation_": loss.out_activation,
            "normalize_y": getattr(self, "normalize_y", False),
        }

    def _network(self) -> FittedNetwork:
        """The networks of coefs_ and intercepts_, whoever has set them."""
        return self._fitted.with_weights(self.coefs_, self.intercepts_)

    def __setstate__(self, state: dict) -> None:
        super().__setstate__(state)
        if "_fitted" in self.__dict__:  # pickled and copied without its weights
            self._fitted = self._network()
            self.coefs_ = self._fitted.coefs
            self.intercepts_ = self._fitted.intercepts

    @np.errstate(over="ignore", invalid="ignore")
    def _predict_blocks(self, X, combine) -> np.ndarray:
        """``combine`` of the raw predictions (K, b, n_outputs), block after block."""
        network, X = self._to_predict(X)
        return network.combine_blocks(X, combine)

    def _to_predict(self, X) -> tuple[FittedNetwork, np.ndarray]:
        """The networks, and X checked and in their dtype."""
        check_is_fitted(self)
        network = self._network()
        X = validate_data(self, X, reset=False, **CHECK_X)
        return network, in_dtype(X, network.params.dtype)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    @abstractmethod
    def _targets(
        self, y, weight, continued: bool = False, one_epoch: bool = False, classes=None
    ) -> Targets:
        """What y is: an object of skwd._data.targets; ``classes`` are partial_fit's."""
