"""What all estimators share: from checked data to a problem, from networks to self."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.validation import check_is_fitted, validate_data

from skwd._core.activations import ACTIVATIONS
from skwd._core.layout import Layout, initial_params
from skwd._core.losses import Loss
from skwd._core.network import Network
from skwd._core.objective import Sample
from skwd._core.rows import column_means, moved
from skwd._data.merged_rows import rows_to_train_on
from skwd._data.targets import Targets
from skwd._estimators.parameters import check_hidden_layer_sizes
from skwd._estimators.posterior import PosteriorMixin
from skwd._estimators.validation import (
    check_sample_weight,
    check_some_weight,
    in_dtype,
    validation_split,
)
from skwd._solvers.problem import Problem
from skwd._solvers.result import succeeded
from skwd._solvers.settings import Settings
from skwd._solvers.training import Trained
from skwd._solvers.units import unscaled_deviations

CHECK_X = {"accept_sparse": "csr", "dtype": (np.float64, np.float32)}
CHECK_Y = {"accept_sparse": "csr", "dtype": None, "ensure_2d": False}
# The separate random streams of one random_state.
WEIGHTS, VALIDATION, SHUFFLING = 0, 1, 2


class Data(NamedTuple):
    """Checked arguments of fit; y is as the user has it."""

    X: np.ndarray  # (n, n_features), or CSR
    y: np.ndarray
    weight: np.ndarray  # (n,)


class BaseWeightDecayMLP(PosteriorMixin, BaseEstimator, metaclass=ABCMeta):
    """Problems, fitted attributes and predictions, whoever chooses alpha."""

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

    def _problem(
        self,
        data: Data,
        held_out: Data | None,
        settings: Settings,
        seed: int,
        rows: np.ndarray | None = None,
        targets: Targets | None = None,
        start: Callable | None = None,
        epochs: int = 0,
        origin: np.ndarray | None = None,
    ) -> tuple[Problem, Targets]:
        """What there is to train on some rows of the data, all by default.

        ``held_out`` are X_val and so on. Where an earlier fit is continued, ``targets``
        are given, ``start`` makes the starting point in the place of
        `_initial_params`, and ``epochs`` have been completed. ``origin`` (n_features,)
        is taken out of X, by default the column means of the rows to train on.
        """
        X, y, weight = data
        if rows is not None:
            y, weight = y[rows], weight[rows]
        if targets is None:
            targets = self._targets(y, weight)
        Y, weight = targets.encode(y, weight)
        check_some_weight(weight, "sample_weight times class_weight")
        training, validation = Sample(X, Y, weight, rows), None
        if held_out is not None:
            parts = targets.encode(held_out.y, held_out.weight, "y_val")
            validation = Sample(in_dtype(held_out.X, X.dtype), *parts)
            check_some_weight(validation.weight, "X_val and y_val")
        elif self.early_stopping:
            training, validation = self._split(training, targets, seed)
        hidden = check_hidden_layer_sizes(self.hidden_layer_sizes)
        layout = Layout((X.shape[1], *hidden, Y.shape[1]))
        n_rows, n_counted = len(training), np.count_nonzero(training.weight)
        settings = settings.resolved(n_counted, layout.n_params)
        training = rows_to_train_on(training, settings)
        if origin is None:
            origin = column_means(X, training.rows, training.share)
        for sample in (training, validation):
            if sample is not None:
                sample.origin = origin.astype(X.dtype, copy=False)
        targets.finish(training, validation)
        start = start or self._initial_params
        problem = Problem(
            layout,
            ACTIVATIONS[self.activation],
            targets.loss,
            training,
            validation,
            start(layout, targets, training, seed),
            settings,
            np.random.default_rng([seed, SHUFFLING, epochs]),
            n_rows,
        )
        return problem, targets

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
        bias[:] = targets.loss.constant(sample.share @ sample.y)
        return params0

    def _store(
        self,
        problem: Problem,
        targets: Targets,
        trained: Trained,
        alpha: np.ndarray,
        *,
        lazily: bool = False,
    ) -> None:
        """Take over the networks that predict, and their history.

        ``lazily`` leaves the posterior for when it is asked for.
        """
        layout, loss = problem.layout, problem.loss
        best, networks = trained.best, trained.predicting(self.ensemble)
        of_centred_X = trained.params[networks], problem.training.origin
        coefs, intercepts = layout.split(moved(layout, *of_centred_X, -1.0))
        if not self.ensemble:
            coefs = [coef[0] for coef in coefs]
            intercepts = [intercept[0] for intercept in intercepts]
        self.coefs_, self.intercepts_ = coefs, intercepts
        self.n_layers_ = len(layout.layer_units)
        self.n_outputs_ = layout.layer_units[-1]
        self.out_activation_ = loss.out_activation
        self._kind = self._kind_of(loss)
        self.alpha_ = alpha
        self.loss_ = float(trained.loss[best])
        self.loss_curve_ = trained.loss_curve[best]
        self.best_loss_ = min(self.loss_curve_, default=self.loss_)
        self.validation_scores_ = self.best_validation_score_ = None
        if problem.validation is not None:
            self.validation_scores_ = [-v for v in trained.validation_curve[best]]
            self.best_validation_score_ = -float(trained.best_validation[best])
        self.n_iter_ = int(trained.nit[best])
        self.t_ = self.n_iter_ * problem.n_rows
        self.converged_ = bool(succeeded(trained.status[networks]).all())
        self.__dict__.update(targets.fitted())
        self.__dict__.pop("_progress", None)  # of an earlier partial_fit
        self._store_posterior(problem, trained, networks, lazily)

    def _kind_of(self, loss: Loss) -> dict:
        """What the weights mean beside their shapes, kept as fitted."""
        return {
            "activation": self.activation,
            "out_activation_": loss.out_activation,
            "normalize_y": getattr(self, "normalize_y", False),
        }

    def _params(self) -> np.ndarray:
        """The stored weights as one flat buffer, (n_networks, P)."""
        coefs = [W if W.ndim == 3 else W[np.newaxis] for W in self.coefs_]
        intercepts = [b if b.ndim == 2 else b[np.newaxis] for b in self.intercepts_]
        return self._network().layout.join(coefs, intercepts)

    def _network(self) -> Network:
        units = [W.shape[-2] for W in self.coefs_] + [self.coefs_[-1].shape[-1]]
        return Network(Layout(tuple(units)), ACTIVATIONS[self._kind["activation"]])

    @np.errstate(over="ignore", invalid="ignore")
    def _predict_blocks(self, X, combine) -> np.ndarray:
        """``combine`` of the raw predictions (K, b, n_outputs), block after block."""
        params, X = self._to_predict(X)
        blocks = self._network().predict_blocks(params, X)
        return np.concatenate([combine(block) for block in blocks])

    def _to_predict(self, X) -> tuple[np.ndarray, np.ndarray]:
        """The weights, and X checked and in their dtype."""
        check_is_fitted(self)
        params = self._params()
        X = validate_data(self, X, reset=False, **CHECK_X)
        return params, in_dtype(X, params.dtype)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    @abstractmethod
    def _targets(
        self, y, weight, continued: bool = False, one_epoch: bool = False, classes=None
    ) -> Targets:
        """What y is: an object of skwd._data.targets; ``classes`` are partial_fit's."""
