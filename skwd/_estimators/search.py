"""fit of the estimators that choose alpha: split, cross-validate, choose, refit."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils import indexable

from skwd._alpha.choice import AlphaChoice
from skwd._alpha.scales import alpha_grid, alpha_scale
from skwd._core.sample import Sample
from skwd._cv.auto import LOOSER
from skwd._cv.chosen import Chosen
from skwd._cv.intervals import check_folds
from skwd._cv.left_out import NOTHING
from skwd._cv.parallel import cross_validate, train_cells
from skwd._cv.problem import Problem
from skwd._cv.results import RULES, choose, grown_grid, results_table
from skwd._cv.scoring import CellScorer, Scores
from skwd._cv.second_stage import to_second_stage, with_tol
from skwd._cv.splits import (
    check_enough,
    check_test_weights,
    row_numbers,
    shared,
    tasks,
)
from skwd._estimators.base import BaseWeightDecayMLP
from skwd._estimators.callbacks import watched_fit, with_callbacks
from skwd._estimators.fitted import FittedCopies, fitted_attributes, replace_fitted
from skwd._estimators.one_fit import OneFit
from skwd._estimators.parameter_values import (
    check_alphas,
    check_intervals,
    varies,
)
from skwd._estimators.parameters import (
    check_choice,
    check_parameters,
    parameters_of,
    ratio_settings,
    warn_of_unread,
)
from skwd._estimators.partial import NotThere
from skwd._estimators.routing import RoutingMixin
from skwd._estimators.scorers import check_can_score, check_has_deviations
from skwd._estimators.search_warnings import (
    raise_if_none,
    warn_of_order,
    warn_of_scores,
    warn_of_the_end,
    warn_of_unseen_classes,
)
from skwd._estimators.warnings import report
from skwd._solvers.task import TrainingTask

# A grid of fewer alphas is a comparison, and its end no sign that more would help.
FEWEST = 4


class CrossValidation(RoutingMixin, BaseWeightDecayMLP):
    """`fit` of an estimator that chooses alpha; ``_plain_class`` has one alpha."""

    partial_fit = NotThere(
        "it compares alphas on folds of all rows. Use fit, or the estimator of one "
        "alpha with alpha_ as its alpha."
    )
    _asking_for_folds = "intervals=True"

    _plain_class: type[OneFit]
    ensemble: bool
    verbose: int
    alphas: Any
    cv: Any
    scoring: Any
    rule: str
    intervals: bool | None
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

        After an error the estimator is as it was.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            float32 is kept, anything else becomes float64.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,), optional
            s_i of the objective, and of the scores where the scorer takes them.
        X_val, y_val, sample_weight_val : array-like, optional
            Rows for ``early_stopping=True``, the same for every split.
        **params : dict
            ``groups`` for the splitter; with metadata routing whatever splitter and
            scorer request. Through a Pipeline: guide/questions.md.

        Returns
        -------
        self : object
            Fitted estimator.
        """
        val = X_val, y_val, sample_weight_val
        with watched_fit(self, X, y, sample_weight) as watch:
            self._fit(X, y, sample_weight, val, params, watch)
        return self

    def _fit(self, X, y, sample_weight, val, params, watch) -> None:
        check_intervals(self.intervals, own_folds=True)
        plain = self._plain()
        settings = check_parameters(plain)
        loud, solver = settings.solver, settings.solver.quiet()
        if watch is not None:
            loud = watch.watched(settings).solver
        settings = replace(settings, solver=solver)
        asked = check_alphas(self.alphas)
        check_choice("rule", self.rule, RULES)
        scorer = self._scorer()
        check_has_deviations(self.scoring, settings.params)
        X, y = indexable(X, y)
        problem = self._problem(settings, X, y, sample_weight, val)
        data = problem.data
        weight = None if sample_weight is None else data.weight
        split_params, score_params = self._routed(scorer, weight, params)

        whole, targets = problem.whole()
        targets.check_known()
        rows = row_numbers(self.cv, X, y, is_classifier(self), split_params)
        check_enough(rows, self.cv, self.rule)
        folds = self._left_out(rows, problem.counted)
        if "sample_weight" in score_params:
            check_test_weights(rows, data.weight)
        own_parts = not whole.penalty.has_second_stage  # which trains all as one stack
        splits = shared(tasks(partial(problem.task, own_parts=own_parts), rows))
        if not is_classifier(self):
            check_can_score(self.scoring, scorer, data.y, rows)
        warn_of_unseen_classes(splits, problem, targets)
        warn_of_unread(plain, settings, problem)
        said = {"is_found": True, "is_explained": self._warn_of_validation(problem)}

        self._name_features(plain)
        cell_scorer = CellScorer(
            FittedCopies(plain, settings, problem.seed),
            scorer,
            X if _is_table(X) else data.X,
            y if _is_table(y) else data.y,
            score_params,
            targets,
            settings["ensemble"],
        )
        told = None if watch is None else watch.chunk
        how = cell_scorer, self.n_jobs, bool(self.verbose), told
        first = None
        if whole.penalty.has_second_stage:
            # Of the first stage only an alpha is asked, and what matters there.
            looser = with_tol(splits, LOOSER)
            alphas, scores = self._scored_grid(asked, problem, whole, looser, how)
            raise_if_none(scores, self.scoring)
            first = float(alphas[choose(scores.score.T, "best")])
            whole, splits = to_second_stage(problem, whole, targets, splits, first)
        alphas, scores = self._scored_grid(asked, problem, whole, splits, how)
        raise_if_none(scores, self.scoring)
        best = choose(scores.score.T, self.rule)
        warn_of_scores(scores, whole.solver, self, best)
        alpha = float(alphas[best])
        if watch is not None:
            watch.training(problem, whole, targets)
        loud = whole.solver.changed(verbose=int(self.verbose > 1), hooks=loud.hooks)
        of_groups = np.full((1, whole.groups.n_groups), alpha)
        fit = train_cells([replace(whole, solver=loud)], of_groups, self.n_jobs)
        chosen = Chosen(whole, targets, AlphaChoice.of(fit), first_stage_alpha=first)
        report(whole, chosen.trained, self.ensemble, alpha, self.solver, **said)
        is_made = self.alphas is None or isinstance(self.alphas, Integral)
        if whole.has_varying_y and is_made and len(alphas) >= FEWEST:
            warn_of_the_end(alphas, scores, best, self.alphas is None)
        if self.cv is None or isinstance(self.cv, Integral):
            warn_of_order(data.y, rows, is_classifier(self))
        left_out = NOTHING
        if folds is not None:
            left_out = self._learn_left_out(
                problem,
                chosen,
                folds,
                keep=bool(self.intervals),
                of_ratio=ratio_settings(plain, settings),
            )
        attributes = fitted_attributes(
            settings,
            chosen,
            alpha,
            problem.seed,
            left_out=left_out,
            scoring=self._score_name(),
        )
        results = results_table(alphas, scores)
        searched = {
            "alphas_": alphas,
            "cv_results_": results,
            "best_index_": best,
            "best_score_": results["mean_test_score"][best],
            "n_splits_": len(splits),
            "scorer_": scorer,
        }
        replace_fitted(self, attributes | searched)

    def _left_out(self, rows: list, counted: np.ndarray) -> list[tuple] | None:
        """The folds of ``rows`` for intervals, sets and noise, if asked for."""
        if not self.intervals and not varies(parameters_of(self)):
            return None
        check_folds([test for _, test in rows], counted, f"cv={self.cv!r}")
        folds = [(train, np.intersect1d(test, counted)) for train, test in rows]
        return [(train, test) for train, test in folds if len(test)]

    def _scored_grid(
        self, asked, problem: Problem, whole: TrainingTask, splits: list, how: tuple
    ) -> tuple[np.ndarray, Scores]:
        """The alphas that are compared, ascending, and their scores.

        ``asked`` are the alphas, their number, or None.
        """
        cell_scorer, n_jobs, verbose, told = how

        def scored(alphas: np.ndarray) -> Scores:
            return cross_validate(splits, alphas, cell_scorer, n_jobs, verbose, told)

        if isinstance(asked, np.ndarray):
            return asked, scored(asked)
        # Of all rows as the network sees them, those for early stopping included.
        data, targets = problem.data, cell_scorer.targets
        Y, weight = targets.encode(data.y, data.weight)
        sample = Sample(data.X, targets.scaled(Y), weight)
        sample = sample.encoded(whole.training.encoder)
        assert whole.training.origin is not None
        sample = sample.in_units(sample.y, whole.training.origin)
        scale = alpha_scale(sample, whole.penalty, whole.loss)
        if asked is None:
            return grown_grid(scale, scored)
        alphas = alpha_grid(scale, asked)
        return alphas, scored(alphas)

    def _plain(self):
        """The estimator of one alpha with the parameters of this one."""
        known = self._plain_class().get_params().keys()
        params = parameters_of(self).items()
        return self._plain_class(**{k: v for k, v in params if k in known})

    def _name_features(self, plain) -> None:
        """Tell the estimator that is scored what the features are called."""
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(self, name):
                setattr(plain, name, getattr(self, name))


def _is_table(data) -> bool:
    """Whether rows of it are more than rows of an array: of pandas or polars."""
    return hasattr(data, "columns") or hasattr(data, "iloc")
