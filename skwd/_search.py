"""fit of the estimators that choose alpha: split, cross-validate, choose, refit."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
from sklearn import get_config
from sklearn.base import is_classifier
from sklearn.exceptions import ConvergenceWarning, FitFailedWarning
from sklearn.utils import indexable
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    process_routing,
)

from skwd._fit import draw_seed
from skwd._objective import Sample
from skwd._parameters import check_alphas, check_choice, check_n_jobs, check_settings
from skwd._path import Problem, alpha_grid, share_memory, train_path
from skwd._report import remedy, report
from skwd._result import LOST, Status, succeeded
from skwd._scoring import Judge, Scores, single_scorer, takes_sample_weight
from skwd._selection import RULES, choose, results_table
from skwd._splits import check_enough, check_test_weights, problems, row_numbers
from skwd._training import Settings, Trained
from skwd._validation import check_validation_data, unchanged_on_failure
from skwd._workers import cross_validate

# Parameters of the search itself; all others are those of the estimator of one alpha.
SEARCH = ("alphas", "cv", "scoring", "rule", "n_jobs")


class CrossValidationMixin:
    """`fit` of an estimator that chooses alpha; ``_plain_class`` has one alpha."""

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
        with unchanged_on_failure(self):
            self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val), params)
        return self

    def _fit(self, X, y, sample_weight, val, params) -> None:
        plain = self._plain()
        settings = replace(check_settings(plain), verbose=False)
        alphas = check_alphas(self.alphas)
        check_choice("rule", self.rule, RULES)
        check_n_jobs(self.n_jobs)
        scorer = single_scorer(self, self.scoring)
        check_validation_data(self, *val)
        X, y = indexable(X, y)
        data = self._validate(X, y, sample_weight, reset=True)
        weight = None if sample_weight is None else data.weight
        split_params, score_params = self._routed(scorer, weight, params)
        held_out = None if val[0] is None else self._validate(*val, "_val")

        parts = data, held_out, settings, draw_seed(self.random_state)
        whole, targets = plain._problem(*parts)
        if isinstance(alphas, int):
            alphas = alpha_grid(_all_rows(data, targets), alphas)
        rows = row_numbers(self.cv, X, y, is_classifier(self), split_params)
        check_enough(rows, self.cv, self.rule)
        if "sample_weight" in score_params:
            check_test_weights(rows, data.weight)
        if is_classifier(self) and data.y.shape[1:] == (1,):
            flat = data._replace(y=data.y[:, 0])  # one warning of it is enough
            parts = flat, *parts[1:]
        splits = problems(plain, parts, rows, targets)
        share_memory([split.problem for split in splits])

        self._name_features(plain)
        given = (X if _is_table(X) else data.X), (y if _is_table(y) else data.y)
        judge = Judge(plain, scorer, *given, score_params)
        scores = cross_validate(splits, alphas, judge, self.n_jobs, bool(self.verbose))
        _warn(scores, whole.settings, self.scoring)
        self.alphas_, self.n_splits_, self.scorer_ = alphas, len(splits), scorer
        self.cv_results_ = results_table(alphas, scores)
        self.best_index_ = choose(scores.score.T, self.rule)
        self.best_score_ = self.cv_results_["mean_test_score"][self.best_index_]

        best = float(alphas[self.best_index_])
        per_layer = np.full(whole.layout.n_weight_layers, best)
        trained = self._refit(whole, per_layer)
        report(whole, trained, self.ensemble, best)
        self._store(whole, targets, trained, best)

    def _refit(self, whole: Problem, alpha: np.ndarray) -> Trained:
        """A plain fit to all rows, with BLAS as the user has it."""
        whole.settings = replace(whole.settings, verbose=self.verbose > 1)
        return train_path([whole], alpha[np.newaxis])

    def _plain(self):
        """The estimator of one alpha with the parameters of this one."""
        params = self.get_params(deep=False)
        return self._plain_class(**{k: params[k] for k in params if k not in SEARCH})

    def _name_features(self, plain) -> None:
        """Tell the estimator that is scored what the features are called."""
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(self, name):
                setattr(plain, name, getattr(self, name))

    def _routed(self, scorer, weight, params: dict) -> tuple[dict, dict]:
        """The arguments of the splitter and of the scorer."""
        weight = {} if weight is None else {"sample_weight": weight}
        if get_config()["enable_metadata_routing"]:
            routed = process_routing(self, "fit", **weight, **params)
            return routed.splitter.split, routed.scorer.score
        unknown = params.keys() - {"groups"}
        if unknown:
            raise TypeError(
                f"fit got an unexpected argument {sorted(unknown)[0]!r}. Without "
                "metadata routing only groups can be passed on; see "
                "sklearn.set_config(enable_metadata_routing=True)."
            )
        if weight and not takes_sample_weight(scorer):
            warnings.warn(
                f"scoring={self.scoring!r} takes no sample_weight: the networks are "
                "fitted with weights but scored without.",
                UserWarning,
                stacklevel=4,
            )
            weight = {}
        return {"groups": params.get("groups")}, weight

    def get_metadata_routing(self):
        """What fit passes on: to the splitter and to the scorer.

        Returns
        -------
        routing : MetadataRouter
        """
        return (
            MetadataRouter(owner=type(self).__name__)
            .add_self_request(self)
            .add(
                splitter=self.cv,
                method_mapping=MethodMapping().add(caller="fit", callee="split"),
            )
            .add(
                scorer=single_scorer(self, self.scoring),
                method_mapping=MethodMapping().add(caller="fit", callee="score"),
            )
        )


def _is_table(data) -> bool:
    """Whether rows of it are more than rows of an array: of pandas or polars."""
    return hasattr(data, "columns") or hasattr(data, "iloc")


def _all_rows(data, targets) -> Sample:
    """All rows as the network sees them, those for early stopping included."""
    Y, weight = targets.encode(data.y, data.weight)
    sample = Sample(data.X, Y, weight)
    targets.finish(sample, None)
    return sample


def _warn(scores: Scores, settings: Settings, scoring) -> None:
    """Raise where nothing can be chosen; one warning for each kind of trouble."""
    n_fits, failure = scores.score.size, ""
    lost = np.isin(scores.status, LOST)
    if scores.failures:
        number, alpha, why = scores.failures[0]
        failure = f"alpha={alpha:g}, split {number}: {why}"
    if lost.all():
        raise ValueError(f"All {n_fits} fits failed. {failure}")
    if np.isnan(scores.score).any(axis=0).all():
        without = "The score of every alpha is nan in some split"
        if lost.any():
            raise ValueError(f"{without}. {failure}")
        raise ValueError(
            f"{without}: scoring={scoring!r} is not defined on its test rows. Choose "
            "another scorer (R2 needs two rows), or other splits."
        )
    if lost.any():
        warnings.warn(
            f"{lost.sum()} of {n_fits} fits failed, and their scores are nan. "
            f"{failure}",
            FitFailedWarning,
            stacklevel=4,
        )
    if not np.isfinite(scores.score[~lost]).all():
        warnings.warn(
            f"scoring={scoring!r} is not finite for some alphas and splits, see "
            "cv_results_; an alpha whose mean score is nan is never chosen.",
            UserWarning,
            stacklevel=4,
        )
    late = ~lost & ~succeeded(scores.status)
    if late.any():
        first = Status(scores.status[late][0])
        warnings.warn(
            f"{late.sum()} of {n_fits} fits of the cross-validation have not "
            f"converged: solver={settings.solver!r} {first.message} "
            f"(max_iter={settings.max_iter}, tol={settings.tol:g}). "
            f"{remedy(first, settings)}.",
            ConvergenceWarning,
            stacklevel=4,
        )
