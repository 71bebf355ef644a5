"""fit and partial_fit of the estimators that train at an alpha given or chosen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from skwd._alpha.choice import AlphaChoice
from skwd._alpha.scales import default_alpha
from skwd._core.blas import ONE_BLAS_THREAD
from skwd._core.layout import is_collapsed
from skwd._cv.checks import in_dtype
from skwd._cv.chosen import Chosen
from skwd._cv.earlier import Earlier
from skwd._cv.ladder import IN_PARTS, WITHOUT_HIDDEN
from skwd._cv.left_out import NOTHING
from skwd._cv.settings import Settings
from skwd._cv.ways import choose
from skwd._estimators.base import BaseWeightDecayMLP
from skwd._estimators.callbacks import watched_fit, with_callbacks
from skwd._estimators.fitted import (
    fitted_attributes,
    one_epoch_more,
    replace_fitted,
    shown_alpha,
)
from skwd._estimators.intervals import left_out_rows, with_groups
from skwd._estimators.parameters import (
    check_parameters,
    ratio_settings,
    warn_of_unread,
)
from skwd._estimators.rules import is_off
from skwd._estimators.validation import unchanged_on_failure
from skwd._estimators.warnings import report
from skwd._solvers.failures import check_any_usable
from skwd._solvers.first_order import FirstOrder
from skwd._solvers.training import train_epoch

# partial_fit takes its rows for a part of at least so many, when alpha is None.
STREAM_ROWS = 1000.0


class OneFit(BaseWeightDecayMLP):
    """`fit`, and partial_fit without its public signature."""

    warm_start: bool
    n_iter_: int

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
        """Fit the network to the data; after an error the estimator is as it was.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            float32 is kept, anything else becomes float64.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,), optional
            s_i of the objective; 2 is a repeated row, 0 a removed one.
        X_val, y_val, sample_weight_val : array-like, optional
            Rows for ``early_stopping=True``; through a Pipeline: guide/questions.md.
        groups : array-like of shape (n_samples,), optional
            The group of each row: alpha="auto", ``intervals``, ``noise`` and
            ``early_stopping`` hold out all rows of a group or none.

        Returns
        -------
        self : object
            Fitted estimator.
        """
        val = X_val, y_val, sample_weight_val
        with watched_fit(self, X, y, sample_weight) as watch:
            self._fit(X, y, sample_weight, val, groups, watch)
        return self

    def _fit(self, X, y, sample_weight, val: tuple, groups, watch) -> None:
        settings = check_parameters(self)
        if watch is not None:
            settings = watch.watched(settings)
        earlier = self._earlier("warm_start=True") if self.warm_start else None
        problem = self._problem(settings, X, y, sample_weight, val, earlier)
        if earlier is not None and self._starts_anew(settings):
            problem = replace(problem, earlier=None)
        problem = with_groups(problem, groups)
        folds = left_out_rows(problem, groups)
        task, targets = problem.whole()
        targets.check_known()
        warn_of_unread(self, settings, problem)
        is_explained = self._warn_of_validation(problem)
        if watch is not None:
            watch.training(problem, task, targets)
        chosen = choose(problem, task, targets)
        check_any_usable(chosen.trained, chosen.task)
        left_out = NOTHING
        if folds is not None:
            left_out = self._learn_left_out(
                problem,
                chosen,
                folds,
                keep=not is_off(settings["intervals"]),
                of_ratio=ratio_settings(self, settings),
            )
            chosen = left_out.refit or chosen
        report(  # of what is kept
            chosen.task,
            chosen.trained,
            settings["ensemble"],
            settings["alpha"],
            settings["solver"],
            is_explained=is_explained,
        )
        attributes = fitted_attributes(
            settings,
            chosen,
            shown_alpha(settings, chosen),
            problem.seed,
            epochs=0 if problem.earlier is None else problem.earlier.epochs,
            left_out=left_out,
        )
        replace_fitted(self, attributes)

    def _partial_fit(self, X, y, sample_weight, **classes):
        with unchanged_on_failure(self):
            self._one_epoch(X, y, sample_weight, **classes)
        return self

    @ONE_BLAS_THREAD
    def _one_epoch(self, X, y, sample_weight, **classes: Any) -> None:
        settings = check_parameters(self, by_epochs=True)
        earlier = self._earlier("partial_fit")
        given, no_val = (X, y, sample_weight), (None, None, None)
        how = {"may_lack": True, **classes}
        problem = self._problem(settings, *given, no_val, earlier, **how)
        before, progress = None, None
        if earlier is not None:
            before, progress = vars(self), earlier.progress
            data = problem.data
            data = data._replace(X=in_dtype(data.X, earlier.params.dtype))
            problem = replace(problem, data=data)
        task, targets = problem.whole()
        if earlier is None:
            warn_of_unread(self, settings, problem)
        alpha = settings.alpha
        if alpha is None:
            alpha = default_alpha(task, STREAM_ROWS)
        assert isinstance(task.solver, FirstOrder) and isinstance(alpha, np.ndarray)
        fit, progress = train_epoch(
            task.objective(alpha), task.params0, task.solver, progress, task.order
        )
        trained = AlphaChoice.of(fit)
        trained = replace(trained, nit=trained.nit + (self.n_iter_ if before else 0))
        check_any_usable(trained, task)
        chosen = Chosen(task, targets, trained)
        shown = shown_alpha(settings, chosen)
        attributes = fitted_attributes(
            settings, chosen, shown, problem.seed, by_epochs=True
        )
        replace_fitted(self, one_epoch_more(attributes, before, progress, task.n_rows))

    def _earlier(self, by: str) -> Earlier | None:
        """The fit that is there to be continued, if there is one."""
        if "_fitted" not in vars(self):
            return None
        fitted, network = self._fitted, self._network()
        return Earlier(
            by,
            network.layout,
            network.params,
            self.coefs_[0].ndim == 3,
            fitted.targets,
            fitted.kind,
            fitted.epochs,
            fitted.initial_sizes,
            network.encoding,
            fitted.progress,
        )

    def _starts_anew(self, settings: Settings) -> bool:
        """Whether a warm start finds no weights to go on from, or another model's."""
        model = self._fitted.model
        is_linear = model in WITHOUT_HIDDEN and settings.hidden
        if is_linear or (model in IN_PARTS and not settings.in_parts):
            return True
        network = self._network()
        chooses = settings["encoding"] == "auto" and settings.asks_for_folds
        if network.encoding is not None and chooses:
            return True  # the network that is compared has no parts
        layout, params = network.layout, network.params
        if not (params * layout.decay_mask).any():  # as where y did not vary
            return True
        return is_collapsed(layout, network.network.activation.gain, params)
