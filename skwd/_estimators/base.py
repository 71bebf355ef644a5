"""What all estimators share: trained networks become attributes, and predict."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.validation import check_is_fitted, validate_data

from skwd._alpha.choice import AlphaChoice
from skwd._core.layout import initial_scale
from skwd._core.losses import Loss
from skwd._core.rows import shift_origin
from skwd._data.targets import Targets
from skwd._estimators.callbacks import CallbackSupportMixin
from skwd._estimators.columns import ColumnsMixin
from skwd._estimators.export import ExportMixin
from skwd._estimators.fitted_network import FittedNetwork
from skwd._estimators.posterior import PosteriorMixin
from skwd._estimators.tasks import TaskMixin
from skwd._estimators.validation import (
    CHECK_X,
    CHECK_Y,
    Data,
    check_sample_weight,
    in_dtype,
)
from skwd._solvers.result import succeeded
from skwd._solvers.task import TrainingTask


class BaseWeightDecayMLP(
    TaskMixin,
    PosteriorMixin,
    ColumnsMixin,
    ExportMixin,
    CallbackSupportMixin,
    BaseEstimator,
):
    """Fitted attributes and predictions, whoever chooses alpha."""

    # Parameters of all estimators, beside those of their tasks.
    solver: str
    posterior: bool
    ensemble: bool
    random_state: Any
    verbose: int
    track_gradients: bool

    # Fitted attributes.
    coefs_: list[np.ndarray]
    intercepts_: list[np.ndarray]
    n_layers_: int
    n_outputs_: int
    out_activation_: str
    alpha_: float | np.ndarray
    loss_: float
    loss_curve_: list[float]
    learning_rates_: list[float]
    gradient_norms_: np.ndarray
    best_loss_: float | None
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
        may_miss = getattr(self, "missing_targets", "error") == "mask"
        check_y = CHECK_Y | ({"ensure_all_finite": "allow-nan"} if may_miss else {})
        if suffix:  # the same checks, in messages that name the validation data
            validate_data(self, X, reset=False, skip_check_array=True)
            X = check_array(X, **CHECK_X, input_name="X_val", estimator=self)
            y = check_array(y, **check_y, input_name="y_val", estimator=self)
            check_consistent_length(X, y)
        elif may_miss and y is not None:
            X = validate_data(self, X, reset=reset, **CHECK_X)
            y = check_array(y, **check_y, input_name="y", estimator=self)
            check_consistent_length(X, y)
        else:
            X, y = validate_data(self, X, y, reset=reset, multi_output=True, **CHECK_X)
        name = "sample_weight" + suffix
        return Data(X, y, check_sample_weight(sample_weight, X.shape[0], name))

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
        self.learning_rates_ = trained.rate_curve[best]
        self.__dict__.pop("gradient_norms_", None)
        if self.track_gradients:
            shape = -1, layout.n_weight_layers
            self.gradient_norms_ = np.reshape(trained.gradient_curve[best], shape)
        self.best_loss_ = min(self.loss_curve_, default=self.loss_)
        self.validation_scores_ = self.best_validation_score_ = None
        if task.validation is not None:
            self.best_loss_ = None  # another loss decides
            self.validation_scores_ = [-v for v in trained.validation_curve[best]]
            self.best_validation_score_ = -float(trained.best_validation[best])
        self.n_iter_ = int(trained.nit[best])
        self.t_ = self.n_iter_ * task.n_rows
        self.converged_ = bool(succeeded(trained.status[networks]).all())
        self.__dict__.update(targets.fitted())
        for name in ("_partial_fit_state", "_folds"):  # of an earlier fit
            self.__dict__.pop(name, None)
        self._store_posterior(task, trained, networks, lazily)

    def _kind_of(self, loss: Loss) -> dict:
        """What the weights mean beside their shapes, kept as fitted."""
        return {
            "activation": self.activation,
            "out_activation_": loss.out_activation,
            "normalize_y": getattr(self, "normalize_y", False),
        }

    def _interval_rows(self, data: Data, groups) -> list[tuple] | None:
        """The folds of predict_interval: there are none, but for regressors."""
        if groups is not None:
            raise ValueError(
                "groups are those of the folds of intervals, which classifiers do not "
                "have: leave groups out."
            )
        return None

    def _store_intervals(self, make, rows, data, trained) -> None:
        """Keep nothing."""

    def _initial_sizes(self) -> np.ndarray:
        """Root mean squares of the initial weights of each layer, (n_layers - 1,)."""
        network = self._network().network
        layout, gain = network.layout, network.activation.gain
        layers = range(layout.n_weight_layers)
        return np.array([initial_scale(layout, gain, layer) for layer in layers])

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
        if "coefs_" not in self.__dict__:
            check_is_fitted(self)  # says so, in scikit-learn's words
        network = self._network()
        X = validate_data(self, X, reset=False, **CHECK_X)
        return network, in_dtype(X, network.params.dtype)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
