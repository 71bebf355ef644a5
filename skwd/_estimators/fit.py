"""fit of the estimators that are trained once: at a given alpha, or choosing it."""

from __future__ import annotations

import numpy as np

from skwd._alpha import WAYS, train_choosing
from skwd._alpha.adaptive import second_stage
from skwd._alpha.choice import AlphaChoice
from skwd._alpha.scales import default_alpha
from skwd._data.targets import Targets
from skwd._estimators.alpha_groups import kind_of_groups
from skwd._estimators.auto import fit_auto
from skwd._estimators.callbacks import FitWatch, with_callbacks
from skwd._estimators.partial import PartialFitMixin
from skwd._estimators.tasks import FOLDS, Earlier
from skwd._estimators.validation import check_validation_data, unchanged_on_failure
from skwd._estimators.warnings import report, warn
from skwd._solvers.task import TrainingTask, train_path


class FitMixin(PartialFitMixin):
    """`fit`."""

    @with_callbacks
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
        watch = FitWatch.of(self, X, y, sample_weight)
        validation = X_val, y_val, sample_weight_val
        with unchanged_on_failure(self):
            self._fit(X, y, sample_weight, validation, groups, watch)
        if watch is not None:
            watch.close()
        return self

    def _fit(self, X, y, sample_weight, val: tuple, groups, watch) -> None:
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
        if watch is not None:
            hooks = watch.hooks(solver.hooks, by_rounds=self._way() is not None)
            solver = solver.changed(hooks=hooks)
        earlier = Earlier(targets, start, epochs)
        seed = self._seed
        whole, targets = self._task(
            data, solver, seed, held_out=held_out, earlier=earlier
        )
        task = whole
        if watch is not None:
            watch.training(whole, targets)
        for name in ("alpha_choice_", "first_stage_alpha_"):
            self.__dict__.pop(name, None)
        if isinstance(alpha, str) and alpha not in WAYS:
            rng = np.random.default_rng([seed, FOLDS])
            found = fit_auto(self, data, held_out, targets, whole, seed, rng)
            trained, task, self.alpha_choice_, first_stage = found
            if first_stage is not None:
                self.first_stage_alpha_ = first_stage
        elif isinstance(alpha, str):
            trained = train_choosing(task, alpha, kind=kind_of_groups(self))
        else:
            alpha = default_alpha(task) if alpha is None else alpha
            (task,) = second_stage([task], alpha, keep_best=not self.ensemble)
            trained = AlphaChoice.of(train_path([task], alpha[np.newaxis]))
        report(task, trained, self.ensemble, self.alpha)
        self._store(task, targets, trained, self._shown(trained))
        self._store_path(trained.path[trained.best])
        self._store_columns(task, trained)
        self._n_epochs = self.n_iter_ + epochs
        # Of a linear model that alpha="auto" has chosen, by the solver it has chosen.
        by_another = task.solver is not whole.solver
        quiet = (task.solver if by_another else solver).quiet()
        hidden = task.layout.layer_units[1:-1]

        def make(rows: np.ndarray) -> tuple[TrainingTask, Targets]:
            return self._task(
                data, quiet, seed, held_out=held_out, rows=rows, hidden=hidden
            )

        self._store_intervals(make, folds, data, trained)
