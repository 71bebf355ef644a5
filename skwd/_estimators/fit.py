"""fit and partial_fit of the estimators whose alpha is given."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from skwd._alpha import WAYS, train_choosing
from skwd._alpha.choice import AlphaChoice, AlphaPath
from skwd._alpha.scales import default_alpha
from skwd._core.alpha_groups import ABSENT
from skwd._core.layout import Layout, is_collapsed
from skwd._core.rows import shift_origin
from skwd._core.sample import Sample
from skwd._data.targets import Targets
from skwd._estimators.alpha_groups import effective_params, importances, kind_of_groups
from skwd._estimators.auto import GROUPED, fit_auto
from skwd._estimators.base import BaseWeightDecayMLP
from skwd._estimators.parameter_values import check_alpha, check_hidden_layer_sizes
from skwd._estimators.parameters import check_parameters
from skwd._estimators.tasks import FOLDS, Earlier
from skwd._estimators.validation import (
    check_validation_data,
    draw_seed,
    in_dtype,
    unchanged_on_failure,
)
from skwd._estimators.warnings import report, warn
from skwd._solvers.failures import check_any_usable
from skwd._solvers.first_order import FirstOrder
from skwd._solvers.task import TrainingTask, train_path
from skwd._solvers.training import PartialFitState, train_epoch

# partial_fit takes its rows for a part of at least so many, when alpha is None.
STREAM_ROWS = 1000.0


class FitMixin(BaseWeightDecayMLP):
    """`fit`, and `partial_fit` without its public signature."""

    alpha: Any
    alpha_groups: Any
    alpha_per_layer: bool
    feature_importances_: np.ndarray
    column_effective_params_: np.ndarray
    warm_start: bool
    alphas_: np.ndarray
    alpha_scores_: np.ndarray
    alpha_score_errors_: np.ndarray | None
    _n_epochs: int
    _partial_fit_state: PartialFitState

    def fit(
        self,
        X,
        y,
        sample_weight=None,
        *,
        X_val=None,
        y_val=None,
        sample_weight_val=None,
        groups=None,
    ):
        """Fit the network to the data.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            float32 is kept, anything else becomes float64.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,), optional
            s_i of the objective; 2 is a repeated row, 0 a removed one.
        X_val, y_val : array-like, optional
            Validation data for ``early_stopping=True``, in the place of
            ``validation_fraction`` of X and y.
        sample_weight_val : array-like of shape (n_val,), optional
            Weights of the validation data.
        groups : array-like of shape (n_samples,), optional
            Of a regressor's ``intervals``: rows that belong together, for a splitter.

        Returns
        -------
        self : object
            Fitted estimator.

        Raises
        ------
        ValueError
            For parameters or data out of range, before any training, and when
            training diverges. The estimator is then as it was.
        """
        with unchanged_on_failure(self):
            self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val), groups)
        return self

    def _fit(self, X, y, sample_weight, val: tuple, groups) -> None:
        solver, alpha = self._check_parameters()
        if self.alpha_per_layer:
            warn(
                "alpha_per_layer=True is deprecated: use alpha_groups='layer'.",
                FutureWarning,
            )
        check_validation_data(self, *val)
        continued = self.warm_start and hasattr(self, "coefs_")
        data = self._begin(X, y, sample_weight, continued)
        folds = self._interval_rows(data, groups)
        targets = self._targets(data.y, data.weight, continued)
        held_out = (
            None if val[0] is None else self._validate(val[0], val[1], val[2], "_val")
        )
        start, epochs = None, 0
        if continued and not self._is_constant() and not self._is_another_model():
            start, epochs = self._start("warm_start=True"), self._n_epochs
        earlier = Earlier(targets, start, epochs)
        seed = self._seed
        whole, targets = self._task(
            data, solver, seed, held_out=held_out, earlier=earlier
        )
        task = whole
        self.__dict__.pop("alpha_choice_", None)
        if isinstance(alpha, str) and alpha not in WAYS:
            rng = np.random.default_rng([seed, FOLDS])
            found = fit_auto(self, data, held_out, targets, whole, seed, rng)
            trained, task, self.alpha_choice_ = found
        elif isinstance(alpha, str):
            trained = train_choosing(task, alpha, kind=kind_of_groups(self))
        else:
            alpha = default_alpha(task) if alpha is None else alpha
            trained = AlphaChoice.of(train_path([task], alpha[np.newaxis]))
        report(task, trained, self.ensemble, self.alpha)
        self._store(task, targets, trained, self._shown(trained))
        self._store_path(trained.path[trained.best])
        self._store_importances(task, trained)
        self._n_epochs = self.n_iter_ + epochs
        # Of a linear model that alpha="auto" has chosen, by the solver it has chosen.
        quiet = (solver if task is whole else task.solver).changed(verbose=0)
        hidden = task.layout.layer_units[1:-1]

        def make(rows: np.ndarray) -> tuple[TrainingTask, Targets]:
            return self._task(
                data, quiet, seed, held_out=held_out, rows=rows, hidden=hidden
            )

        self._store_intervals(make, folds, data, trained)

    def _store_importances(self, task: TrainingTask, trained: AlphaChoice) -> None:
        """Keep what alphas by column tell of the columns."""
        for name in ("feature_importances_", "column_effective_params_"):
            self.__dict__.pop(name, None)
        if kind_of_groups(self) == "columns":
            best = trained.best
            self.feature_importances_ = importances(task, trained.params[best])
            self.column_effective_params_ = effective_params(task, trained, best)

    def _way(self) -> str | None:
        by_way = isinstance(self.alpha, str) and self.alpha in WAYS
        return self.alpha if by_way else None

    def _is_constant(self) -> bool:
        """Whether no weights are left to go on from, as where y did not vary."""
        fitted = self._network()
        network, params = fitted.network, fitted.params
        none = not (params * network.layout.decay_mask).any()
        return none or is_collapsed(network.layout, network.activation.gain, params)

    def _is_another_model(self) -> bool:
        """Whether alpha="auto" has chosen a model without the hidden layers."""
        return self.__dict__.get("alpha_choice_", {}).get("model") == "linear model"

    def _check_parameters(self, *, by_epochs: bool = False):
        solver = check_parameters(self, by_epochs=by_epochs)
        hidden = check_hidden_layer_sizes(self.hidden_layer_sizes)
        return solver, check_alpha(self.alpha, len(hidden) + 1)

    def _begin(self, X, y, sample_weight, continued: bool):
        """The checked data; a fit that continues nothing draws its seed."""
        if not continued:
            self._seed = draw_seed(self.random_state)
        return self._validate(X, y, sample_weight, reset=not continued)

    def _shown(self, trained: AlphaChoice) -> float | np.ndarray:
        """alpha_ of the best network: one number where one was given or asked for."""
        if isinstance(self.alpha, str):
            alpha, kind = trained.alpha[trained.best], kind_of_groups(self)
            chosen = self.__dict__.get("alpha_choice_", {}).get("model")
            if kind is None or chosen not in (None, GROUPED):
                return float(alpha[0])
            return np.where(alpha < ABSENT, alpha, np.inf)
        if self.alpha is None:
            return float(trained.alpha[0, 0])
        return float(self.alpha) if np.ndim(self.alpha) == 0 else trained.alpha[0]

    def _store_path(self, path: AlphaPath | None) -> None:
        """Keep what a search for alpha has seen, if there was one."""
        for name in ("alphas_", "alpha_scores_", "alpha_score_errors_"):
            self.__dict__.pop(name, None)
        if path is not None:
            self.alphas_, self.alpha_scores_ = path.alphas, -path.losses
            self.alpha_score_errors_ = path.errors

    def _start(self, by: str) -> Callable:
        """The starting point of what continues an earlier fit, `_stored_params`."""
        anew = "Call fit, or use a new estimator,"
        if by == "warm_start=True":
            anew = "Set warm_start=False"
        return partial(self._stored_params, by=by, anew=anew)

    def _stored_params(
        self,
        layout: Layout,
        targets: Targets,
        sample: Sample,
        seed: int,
        by: str,
        anew: str,
    ) -> np.ndarray:
        """The weights to continue from, those that predict now, (n_networks, P).

        About the sample's origin, and for y in the units of now.
        """
        fitted = self._network()
        params, stored = fitted.params.copy(), fitted.layout
        was_ensemble = self.coefs_[0].ndim == 3
        # An ensemble may hold fewer than n_init: diverged restarts were dropped.
        other_kind = was_ensemble != self.ensemble or len(params) > self.n_init
        held, request = None, None
        if stored != layout:
            held = f"layers of {stored.layer_units} units"
            request = (
                f"the data and hidden_layer_sizes now ask for {layout.layer_units}"
            )
        elif other_kind:
            held = f"an ensemble of {len(params)}" if was_ensemble else "one network"
            request = f"ensemble={self.ensemble} and n_init={self.n_init} now ask for "
            request += "another"
        else:
            for name, now in self._kind_of(targets.loss).items():
                before = self._kind[name]
                if before != now:
                    held = f"a network of {name}={before!r}"
                    request = f"{name}={now!r} now"
        if held is not None:
            raise ValueError(
                f"{by} continues {held}, but {request}. {anew} to start anew."
            )
        progress = self.__dict__.get("_partial_fit_state")
        if progress is None or not progress.continues(layout, params):
            params = shift_origin(layout, params, sample.origin, 1.0)
        else:  # to the last bit
            layout.b(params, 0)[:] = progress.bias
        return targets.continued(layout, params.astype(np.float64))

    def _partial_fit(self, X, y, sample_weight, **given):
        with unchanged_on_failure(self):
            self._one_epoch(X, y, sample_weight, **given)
        return self

    def _one_epoch(self, X, y, sample_weight, **given) -> None:
        solver, alpha = self._check_parameters(by_epochs=True)
        continued = hasattr(self, "coefs_")
        data = self._begin(X, y, sample_weight, continued)
        targets = self._targets(data.y, data.weight, continued, one_epoch=True, **given)
        start, epochs, t, curve, lowest, rates = None, 0, 0, [], np.inf, []
        progress = self.__dict__.get("_partial_fit_state") if continued else None
        origin = None if progress is None else progress.origin
        if continued:
            start = self._start("partial_fit")
            data = data._replace(X=in_dtype(data.X, self.coefs_[0].dtype))
            epochs, t = self._n_epochs, self.t_
            curve, lowest = self.loss_curve_, self.best_loss_
            rates = self.learning_rates_
        earlier = Earlier(targets, start, epochs, origin)
        task, targets = self._task(data, solver, self._seed, earlier=earlier)
        if alpha is None:
            alpha = default_alpha(task, STREAM_ROWS)
        assert isinstance(task.solver, FirstOrder)
        fit, progress = train_epoch(
            task.objective(alpha),
            task.params0,
            task.solver,
            progress,
            task.order,
        )
        trained = AlphaChoice.of(fit)
        trained.nit += self.n_iter_ if continued else 0
        check_any_usable(trained, task)
        self._store(task, targets, trained, self._shown(trained))
        self._store_path(None)
        self._partial_fit_state = progress
        self._n_epochs = epochs + 1
        self.t_ = t + task.n_rows
        self.loss_curve_ = curve + self.loss_curve_
        self.learning_rates_ = rates + self.learning_rates_
        self.best_loss_ = min(lowest, self.best_loss_)
        self.converged_ = False
