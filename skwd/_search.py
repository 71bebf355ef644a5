"""fit of the estimators that choose alpha: split, cross-validate, choose, refit."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
from sklearn import get_config
from sklearn.base import is_classifier
from sklearn.exceptions import ConvergenceWarning, FitFailedWarning
from sklearn.model_selection import check_cv
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    process_routing,
)

from skwd._fit import draw_seed
from skwd._objective import Sample
from skwd._parameters import check_alphas, check_choice, check_settings
from skwd._path import alpha_grid, share_memory, train_path
from skwd._report import report
from skwd._result import LOST, Status
from skwd._scoring import (
    Judge,
    Scores,
    Split,
    single_scorer,
    takes_sample_weight,
)
from skwd._selection import RULES, choose, results_table
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
        scorer = single_scorer(self, self.scoring)
        check_validation_data(self, *val)
        data = self._validate(X, y, sample_weight, reset=True)
        weight = None if sample_weight is None else data.weight
        split_params, score_params = self._routed(scorer, weight, params)
        held_out = None if val[0] is None else self._validate(*val, "_val")
        seed = draw_seed(self.random_state)
        whole, targets = plain._problem(data, held_out, settings, seed)
        if isinstance(alphas, int):
            Y, weight = targets.encode(data.y, data.weight)
            everything = Sample(data.X, Y, weight)
            targets.finish(everything, None)
            alphas = alpha_grid(everything, alphas)
        splits = []
        for number, (train, test) in enumerate(self._splits(data, split_params)):
            parts = data, held_out, settings, seed, train
            splits.append(Split(number, *_split_problem(plain, parts, number), test))
            _check_classes(splits[-1], targets)
        share_memory([split.problem for split in splits])

        table = X if hasattr(X, "iloc") else data.X
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(self, name):
                setattr(plain, name, getattr(self, name))
        judge = Judge(plain, scorer, table, data.y, score_params)
        scores = cross_validate(splits, alphas, judge, self.n_jobs, bool(self.verbose))
        _warn(scores, whole.settings)
        self.alphas_, self.n_splits_, self.scorer_ = alphas, len(splits), scorer
        self.cv_results_ = results_table(alphas, scores)
        self.best_index_ = choose(scores.score.T, self.rule)
        self.best_score_ = self.cv_results_["mean_test_score"][self.best_index_]

        best = float(alphas[self.best_index_])
        per_layer = np.full(whole.layout.n_weight_layers, best)
        whole.settings = replace(whole.settings, verbose=self.verbose > 1)
        trained = train_path([whole], per_layer[np.newaxis])
        report(whole, trained, self.ensemble, per_layer)
        self._store(whole, targets, trained, best)

    def _plain(self):
        """The estimator of one alpha with the parameters of this one."""
        params = self.get_params(deep=False)
        return self._plain_class(**{k: params[k] for k in params if k not in SEARCH})

    def _splits(self, data, split_params: dict) -> list[tuple]:
        """(rows to train on, rows to test on) of each split."""
        cv = check_cv(self.cv, data.y, classifier=is_classifier(self))
        splits = [
            tuple(np.arange(len(data.weight))[part] for part in split)
            for split in cv.split(data.X, data.y, **split_params)
        ]
        needed = 2 if self.rule == "1se" else 1
        if len(splits) < needed:
            raise ValueError(
                f"rule={self.rule!r} needs at least {needed} split"
                f"{'s, to know a standard error' if needed > 1 else ''}; got "
                f"{len(splits)} from cv={self.cv!r}. Use cv=5"
                f"{', or rule=' + repr('best') if needed > 1 else ''}."
            )
        for number, (train, test) in enumerate(splits):
            if not len(train) or not len(test):
                empty = "test on" if len(train) else "train on"
                raise ValueError(
                    f"Split {number} of cv={self.cv!r} has no rows to {empty}. Give "
                    "every split some."
                )
        return splits

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


def _split_problem(plain, parts: tuple, number: int) -> tuple:
    try:
        return plain._problem(*parts)
    except ValueError as error:
        raise ValueError(f"Split {number} of cv cannot be fitted: {error}") from error


def _check_classes(split: Split, targets) -> None:
    missing = split.targets.missing(targets)
    if missing:
        raise ValueError(
            f"Split {split.number} of cv has no rows of class {missing[0]!r} to train "
            "on. Use StratifiedKFold, or fewer splits."
        )


def _warn(scores: Scores, settings) -> None:
    """One error or warning for the networks that were lost, one for those not done."""
    n_fits = scores.score.size
    lost = np.isin(scores.status, LOST)
    if lost.all():
        raise ValueError(f"All {n_fits} fits failed. {scores.failures[0]}")
    if lost.any():
        warnings.warn(
            f"{lost.sum()} of {n_fits} fits failed, and their scores are nan. "
            f"{scores.failures[0]}",
            FitFailedWarning,
            stacklevel=4,
        )
    late = ~lost & ~np.isin(scores.status, [s for s in Status if s.success])
    if late.any():
        first = Status(scores.status[late][0])
        warnings.warn(
            f"{late.sum()} of {n_fits} fits of the cross-validation have not "
            f"converged: solver={settings.solver!r} {first.message} "
            f"(max_iter={settings.max_iter}, tol={settings.tol:g}). Increase max_iter "
            "or tol, or standardise X (StandardScaler).",
            ConvergenceWarning,
            stacklevel=4,
        )
