"""fit of the estimators that choose alpha: split, cross-validate, choose, refit."""

from __future__ import annotations

from dataclasses import replace
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils import indexable

from skwd._alpha.adaptive import second_stage
from skwd._alpha.choice import AlphaChoice
from skwd._alpha.scales import alpha_grid, alpha_scale
from skwd._core.sample import Sample
from skwd._cv.auto import LOOSER
from skwd._cv.chunks import share_memory
from skwd._cv.intervals import check_folds
from skwd._cv.parallel import cross_validate
from skwd._cv.results import RULES, choose, grown_grid, results_table
from skwd._cv.scoring import CellScorer, Scores
from skwd._cv.splits import (
    check_enough,
    check_test_weights,
    row_numbers,
    tasks,
)
from skwd._data.targets import Targets
from skwd._estimators.base import BaseWeightDecayMLP
from skwd._estimators.callbacks import FitWatch, with_callbacks
from skwd._estimators.fit import FitMixin
from skwd._estimators.parameter_values import (
    check_alphas,
    check_intervals,
    check_n_jobs,
)
from skwd._estimators.parameters import check_choice, check_parameters
from skwd._estimators.routing import RoutingMixin
from skwd._estimators.search_warnings import (
    raise_if_none,
    warn_of_scores,
    warn_of_the_end,
)
from skwd._estimators.validation import (
    Data,
    check_validation_data,
    draw_seed,
    unchanged_on_failure,
)
from skwd._estimators.warnings import report, warn_of_order
from skwd._solvers.hooks import Hooks
from skwd._solvers.task import TrainingTask, train_path

# Starting points of a first stage at its alpha. A column that shows only through a
# curve, as a square does, may be lost from one of them, and would not come back.
STARTS = 3
# A grid of fewer alphas is a comparison, and its end no sign that more would help.
FEWEST = 4


class CrossValidationMixin(RoutingMixin, BaseWeightDecayMLP):
    """`fit` of an estimator that chooses alpha; ``_plain_class`` has one alpha."""

    _plain_class: type[FitMixin]
    alphas: Any
    cv: Any
    scoring: Any
    rule: str
    n_jobs: int | None

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
        **params,
    ):
        """Choose alpha by cross-validation, and fit the network to all data with it.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            float32 is kept, anything else becomes float64.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,), optional
            s_i of the objective; the scores are weighted as well if the scorer can do
            it, as in GridSearchCV (with metadata routing: if it requests weights).
        X_val, y_val, sample_weight_val : array-like, optional
            Validation data for ``early_stopping=True``, the same for every split.
        **params : dict
            ``groups`` for the splitter; with metadata routing enabled, whatever
            splitter and scorer request.

        Returns
        -------
        self : object
            Fitted estimator.

        Raises
        ------
        ValueError
            For parameters or data out of range and for splits that cannot be fitted,
            before any training; for a scorer that fails; and when every network
            diverges. The estimator is then as it was.
        """
        watch = FitWatch.of(self, X, y, sample_weight)
        validation = X_val, y_val, sample_weight_val
        with unchanged_on_failure(self):
            self._fit(X, y, sample_weight, validation, params, watch)
        if watch is not None:
            watch.close()
        return self

    def _fit(self, X, y, sample_weight, val, params, watch) -> None:
        plain = self._plain()
        solver = check_parameters(plain)
        hooks, solver = solver.hooks, solver.quiet()
        if watch is not None:
            hooks = watch.hooks(hooks, by_rounds=False)
        alphas = check_alphas(self.alphas)
        check_choice("rule", self.rule, RULES)
        check_n_jobs(self.n_jobs)
        scorer = self._scorer()
        check_validation_data(self, *val)
        X, y = indexable(X, y)
        data = self._validate(X, y, sample_weight, reset=True)
        weight = None if sample_weight is None else data.weight
        split_params, score_params = self._routed(scorer, weight, params)
        held_out = (
            None if val[0] is None else self._validate(val[0], val[1], val[2], "_val")
        )

        seed = draw_seed(self.random_state)
        whole, targets = plain._task(data, solver, seed, held_out=held_out)
        rows = row_numbers(self.cv, X, y, is_classifier(self), split_params)
        folds = self._left_out(rows, data)
        check_enough(rows, self.cv, self.rule)
        if "sample_weight" in score_params:
            check_test_weights(rows, data.weight)
        if is_classifier(self) and data.y.shape[1:] == (1,):
            data = data._replace(y=data.y[:, 0])  # one warning of it is enough

        def task_of(train: np.ndarray):
            return plain._task(data, solver, seed, held_out=held_out, rows=train)

        splits = tasks(task_of, rows)
        share_memory([split.task for split in splits])

        self._name_features(plain)
        given = (X if _is_table(X) else data.X), (y if _is_table(y) else data.y)
        cell_scorer = CellScorer(plain, scorer, *given, score_params, targets)

        def scored(alphas: np.ndarray) -> Scores:
            how = self.n_jobs, bool(self.verbose)
            told = None if watch is None else watch.chunk
            return cross_validate(splits, alphas, cell_scorer, *how, told)

        asked, has_two_stages = alphas, whole.penalty.has_second_stage
        self.__dict__.pop("first_stage_alpha_", None)
        if has_two_stages:  # of the first only an alpha is asked, and what matters
            _change_tol(splits, LOOSER)
        alphas, scores = self._scored_grid(asked, whole, data, targets, scored)
        if has_two_stages:
            whole = self._to_second_stage(splits, whole, alphas, scores, targets, seed)
            alphas, scores = self._scored_grid(asked, whole, data, targets, scored)
        self.n_splits_, self.scorer_ = len(splits), scorer
        best = self._choose(alphas, scores, whole)
        if watch is not None:
            watch.training(whole, targets)
        trained = self._refit(whole, np.full(whole.groups.n_groups, best), hooks)
        report(whole, trained, self.ensemble, best)
        is_made = self.alphas is None or isinstance(self.alphas, Integral)
        if whole.has_varying_y and is_made and len(alphas) >= FEWEST:
            warn_of_the_end(alphas, scores, self.best_index_, self.alphas is None)
        if self.cv is None or isinstance(self.cv, Integral):
            warn_of_order(data.y, rows, is_classifier(self))
        self._store(whole, targets, trained, best)
        self._store_columns(whole, trained)
        self._store_intervals(task_of, folds, data, trained)

    def _to_second_stage(
        self,
        splits: list,
        whole: TrainingTask,
        alphas: np.ndarray,
        scores: Scores,
        targets: Targets,
        seed: int,
    ) -> TrainingTask:
        """Give the splits, in place, and all rows the penalty of a second stage.

        Each by its own fit at the alpha of the best mean score.
        """
        raise_if_none(scores, self.scoring)
        self.first_stage_alpha_ = float(alphas[choose(scores.score.T, "best")])
        alpha = np.full(whole.groups.n_groups, self.first_stage_alpha_)
        keep = not self.ensemble
        _change_tol(splits, 1.0 / LOOSER)
        tasks = [split.task for split in splits]
        restarts = range(len(whole.params0), STARTS)
        of = whole.layout, targets, whole.training, seed
        more = self._initial_params(*of, restarts) if restarts else None
        following = second_stage(tasks, alpha, further_starts=more)
        # What the folds have found is tried for all rows too: the lowest J counts.
        found = np.stack([task.params0[-1] for task in following])
        (whole,) = second_stage([whole], alpha, further_starts=found, keep_best=keep)
        if not keep:
            following = [replace(t, params0=t.params0[:-1]) for t in following]
        splits[:] = [s._replace(task=task) for s, task in zip(splits, following)]
        return whole

    def _left_out(self, rows: list[tuple], data: Data) -> list[tuple] | None:
        """The folds of ``rows`` for predict_interval, if it is asked for."""
        intervals = getattr(self, "intervals", None)
        check_intervals(intervals, own_folds=True)
        if not intervals:
            return None
        check_folds([test for _, test in rows], len(data.weight), f"cv={self.cv!r}")
        counted = data.weight > 0.0
        return [(train, test[counted[test]]) for train, test in rows]

    def _choose(self, alphas: np.ndarray, scores: Scores, whole: TrainingTask) -> float:
        """Keep the table of scores, and choose alpha by it."""
        raise_if_none(scores, self.scoring)
        self.alphas_, self.cv_results_ = alphas, results_table(alphas, scores)
        self.best_index_ = choose(scores.score.T, self.rule)
        warn_of_scores(scores, whole.solver, self.scoring, self.best_index_)
        self.best_score_ = self.cv_results_["mean_test_score"][self.best_index_]
        return float(alphas[self.best_index_])

    def _scored_grid(
        self, alphas, whole: TrainingTask, data: Data, targets: Targets, scored
    ) -> tuple[np.ndarray, Scores]:
        """The alphas that are compared, ascending, and their scores."""
        if isinstance(alphas, np.ndarray):
            return alphas, scored(alphas)
        # Of all rows as the network sees them, those for early stopping included.
        Y, weight = targets.encode(data.y, data.weight)
        sample = Sample(data.X, targets.scaled(Y), weight)
        scale = alpha_scale(sample, whole.penalty)
        if alphas is None:
            return grown_grid(scale, scored)
        alphas = alpha_grid(scale, alphas)
        return alphas, scored(alphas)

    def _refit(
        self, whole: TrainingTask, alpha: np.ndarray, hooks: Hooks | None
    ) -> AlphaChoice:
        """A plain fit to all rows, with BLAS as the user has it."""
        verbose = int(self.verbose > 1)
        loud = whole.solver.changed(verbose=verbose, hooks=hooks)
        whole = replace(whole, solver=loud)
        return AlphaChoice.of(train_path([whole], alpha[np.newaxis]))

    def _plain(self):
        """The estimator of one alpha with the parameters of this one."""
        known = self._plain_class().get_params().keys() - {"intervals"}
        params = self.get_params(deep=False).items()
        return self._plain_class(**{k: v for k, v in params if k in known})

    def _name_features(self, plain) -> None:
        """Tell the estimator that is scored what the features are called."""
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(self, name):
                setattr(plain, name, getattr(self, name))


def _change_tol(splits: list, factor: float) -> None:
    """Multiply the tolerance of the networks of some splits, in place."""
    for place, split in enumerate(splits):
        solver = split.task.solver
        looser = solver.changed(tol=factor * solver.tol)
        splits[place] = split._replace(task=replace(split.task, solver=looser))


def _is_table(data) -> bool:
    """Whether rows of it are more than rows of an array: of pandas or polars."""
    return hasattr(data, "columns") or hasattr(data, "iloc")
