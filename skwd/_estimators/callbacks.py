"""scikit-learn's callbacks: one task for each epoch, iteration or round of a fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import sklearn

from skwd._alpha.choice import AlphaChoice
from skwd._core.blas import ONE_BLAS_THREAD
from skwd._cv.chosen import Chosen
from skwd._cv.problem import Problem
from skwd._cv.settings import Settings
from skwd._data.targets import Targets
from skwd._estimators.fitted import fitted_attributes
from skwd._estimators.step_callbacks import StepCallback
from skwd._estimators.validation import unchanged_on_failure
from skwd._solvers.hooks import Hooks
from skwd._solvers.task import TrainingTask, one_network

try:
    from sklearn.callback import (
        AutoPropagatedCallback,
        CallbackSupportMixin,
        with_callbacks,
    )
except ImportError:  # they came with scikit-learn 1.9

    def with_callbacks(method: Callable) -> Callable:
        """The method as it is: there can be no callbacks."""
        return method

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Says what callbacks need."""

        def set_callbacks(self, *callbacks):
            """Set callbacks: not before scikit-learn 1.9."""
            raise ImportError(
                "set_callbacks needs scikit-learn 1.9 or newer; installed is "
                f"{sklearn.__version__}."
            )

    AutoPropagatedCallback = ()  # type: ignore[assignment, misc]


class SetsCallbacks(CallbackSupportMixin):
    """`set_callbacks`, on the outermost estimator and on a step alike."""

    def set_callbacks(self, *callbacks):
        """Set callbacks, as ProgressBar, for the fits of this estimator alone.

        Parameters
        ----------
        *callbacks : callback instances
            None takes all away. The estimator may be a step of a Pipeline.

        Returns
        -------
        self : object
            The estimator.
        """
        super().set_callbacks(*callbacks)
        if callbacks and not hasattr(self, "_parent_callback_ctx"):  # which passes on
            self._skl_callbacks = [
                StepCallback(one) if isinstance(one, AutoPropagatedCallback) else one
                for one in callbacks
            ]
        return self


class FitWatch:
    """The callback tasks of one fit, below that of the whole fit.

    Parameters
    ----------
    estimator : estimator of this package
    X, y, sample_weight
        As the user gave them.
    """

    def __init__(self, estimator: Any, X, y, sample_weight):
        self.estimator, self.data = estimator, {"X": X, "y": y}
        if sample_weight is not None:
            self.data["metadata"] = {"sample_weight": sample_weight}
        self.problem: Problem | None = None
        self.task: TrainingTask | None = None
        self.targets: Targets | None = None
        self.starts: dict[int, Any] = {}
        self.root = estimator._init_callback_context(max_subtasks=None)
        self.root.call_on_fit_task_begin(estimator=estimator, **self.data)
        self.parent = self.root

    def watched(self, settings: Settings) -> Settings:
        """Settings that tell of each round of a choice of alpha, or each iteration."""
        hooks = settings.solver.hooks
        hooks = Hooks() if hooks is None else hooks
        hooks = replace(
            hooks,
            after_round=self._after_round,
            after_part=self._after_part,
            before_model=self._before_model,
        )
        if not settings.by_one_fit:
            hooks = replace(hooks, after_iteration=self._after_iteration)
        return replace(settings, solver=settings.solver.changed(hooks=hooks))

    def training(self, problem: Problem, task: TrainingTask, targets: Targets) -> None:
        """What is about to be trained, for estimators that stop where it is."""
        self.problem, self.task, self.targets = problem, task, targets

    def chunk(self, n_done: int, n_cells: int) -> None:
        """One more chunk of a cross-validation has been trained and scored."""
        if self.parent is self.root:
            self.parent = self._begin(self.root, "cross-validation", None)
        self._end(self._begin(self.parent, "chunk"))
        if n_done == n_cells:
            self._end(self.parent)
            self.parent = self.root

    def close(self) -> None:
        """The fit has ended, and the estimator is fitted."""
        for context in self.starts.values():
            self._end(context)
        self._end(self.root, dict)

    def _after_iteration(
        self, network: int, params: np.ndarray, alpha: np.ndarray
    ) -> bool:
        assert self.task is not None
        parent = self.parent
        if len(self.task.params0) > 1:  # restarts are trained side by side
            if network not in self.starts:
                self.starts[network] = self._begin(parent, "start", None)
            parent = self.starts[network]
        context = self._begin(parent, self.task.solver.unit.removesuffix("s"))
        return self._end(context, lambda: self._fitted_with(params, alpha))

    def _after_round(self, network: int, params: np.ndarray, alpha: np.ndarray) -> bool:
        context = self._begin(self.parent, "round")
        return self._end(context, lambda: self._fitted_with(params, alpha))

    def _after_part(self, name: str) -> None:
        """Other networks than those of all rows: there is nothing yet to stop at."""
        self._end(self._begin(self.parent, name))

    def _before_model(self, task: TrainingTask, targets: Targets) -> None:
        self.task, self.targets = task, targets

    def _begin(self, parent, name: str, max_subtasks: int | None = 0):
        context = parent.subcontext(task_name=name, max_subtasks=max_subtasks)
        context.call_on_fit_task_begin(estimator=self.estimator, **self.data)
        return context

    def _end(self, context, attributes: Callable | None = None) -> bool:
        return context.call_on_fit_task_end(
            estimator=self.estimator, reconstruction_attributes=attributes, **self.data
        )

    def _fitted_with(self, params: np.ndarray, alpha: np.ndarray) -> dict:
        """The attributes of the estimator, had its fit stopped with these weights."""
        task, targets, problem = self.task, self.targets, self.problem
        assert task is not None and targets is not None and problem is not None
        trained = AlphaChoice.of(one_network(task, params, alpha))
        return fitted_attributes(
            problem.settings,
            Chosen(task, targets, trained),
            float(alpha[0]),
            problem.seed,
            lazily=True,
        )


@contextmanager
def watched_fit(estimator: Any, X, y, sample_weight) -> Iterator[FitWatch | None]:
    """A fit, or the estimator as it was: with its watch, where there are callbacks."""
    has_callbacks = getattr(estimator, "_skl_callbacks", None)
    watch = FitWatch(estimator, X, y, sample_weight) if has_callbacks else None
    with unchanged_on_failure(estimator), ONE_BLAS_THREAD:
        yield watch
    if watch is not None:
        watch.close()
