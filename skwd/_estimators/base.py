"""What all estimators share: checked data, the problem made of it, and predictions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.validation import check_is_fitted, validate_data

from skwd._cv.checks import in_dtype
from skwd._cv.earlier import Earlier
from skwd._cv.left_out import LeftOut
from skwd._cv.problem import Problem
from skwd._cv.settings import Data, Settings
from skwd._data.missing import with_plain_missing
from skwd._estimators.alpha_groups import groups_of_columns
from skwd._estimators.callbacks import SetsCallbacks
from skwd._estimators.export import to_sklearn
from skwd._estimators.fitted import Fitted
from skwd._estimators.fitted_network import FittedNetwork
from skwd._estimators.not_numbers import says_what_is_no_number
from skwd._estimators.parameter_values import check_coverage, check_dense
from skwd._estimators.validation import (
    CHECK_X,
    CHECK_Y,
    check_sample_weight,
    check_validation_data,
    draw_seed,
    says_how_it_is_seen,
)
from skwd._estimators.validation_rows import warn_of_untransformed
from skwd._estimators.version import with_version, without_version


class BaseWeightDecayMLP(SetsCallbacks, BaseEstimator):
    """An estimator that makes a problem of a user's data, and predicts."""

    _asking_for_folds = "intervals=10"
    # What is learnt from the rows that folds leave out: of a problem, its fit and rows.
    _learn_left_out: Callable[..., LeftOut]

    # Parameters that are read here.
    random_state: Any
    early_stopping: bool
    encoding: Any

    # Fitted attributes that predictions read.
    coefs_: list[np.ndarray]
    intercepts_: list[np.ndarray]
    n_outputs_: int
    out_activation_: str
    _fitted: Fitted

    def _keep(self, given: dict[str, Any]) -> None:
        """Store the arguments of the constructor, its ``locals()``, as they are."""
        del given["self"]
        self.__dict__.update(given)

    def _problem(
        self,
        settings: Settings,
        X,
        y,
        sample_weight,
        val: tuple,
        earlier: Earlier | None = None,
        **classes,
    ) -> Problem:
        """What there is to fit; a fit that continues nothing draws its seed.

        ``val`` are X_val, y_val and their weights; ``classes`` says which are all and
        may be absent, to targets that have any.
        """
        if any(part is not None for part in val):
            check_validation_data(self, *val)
        is_new = earlier is None
        seed = draw_seed(self.random_state) if is_new else self._fitted.seed
        data = self._validate(settings, X, y, sample_weight, reset=is_new)
        if settings.in_parts:
            check_dense(data.X)
        held_out = None
        if val[0] is not None:
            held_out = self._validate(settings, *val, suffix="_val")
        of_column = None
        if settings.groups == "columns":
            names = vars(self).get("feature_names_in_")
            of_column = groups_of_columns(
                settings["alpha_groups"], data.X.shape[1], names
            )
        if earlier is not None:
            classes["earlier"] = earlier.targets
        targets = settings.make_targets(data.y, data.weight, **classes)
        data = data._replace(y=targets.flat(data.y))
        if settings.params.get("missing_targets") == "mask":  # none is a removed row
            data = data._replace(weight=targets.encode(data.y, data.weight)[1])
        return Problem(data, held_out, settings, seed, targets, of_column, earlier)

    def _warn_of_validation(self, problem: Problem) -> bool:
        """Name it where X_val has missed the steps before; whether it has."""
        if problem.held_out is None:
            return False
        names = vars(self).get("feature_names_in_")
        return warn_of_untransformed(problem.data.X, problem.held_out.X, names)

    def _validate(
        self, settings: Settings, X, y, sample_weight, *, suffix="", reset=False
    ) -> Data:
        """Checked data; ``suffix`` is "_val" for validation data."""
        numeric = "missing_targets" in settings.params
        y = with_plain_missing(y, of_labels=not numeric)
        # What a number that is missing means is for the targets, which see it in any
        # dtype.
        check_y = CHECK_Y | ({"ensure_all_finite": "allow-nan"} if numeric else {})
        if suffix:  # the same checks, in messages that name the validation data
            with says_how_it_is_seen("X_val"):
                validate_data(self, X, reset=False, skip_check_array=True)
                with says_what_is_no_number(X, "X_val"):
                    X = check_array(X, **CHECK_X, input_name="X_val", estimator=self)
            y = check_array(y, **check_y, input_name="y_val", estimator=self)
            check_consistent_length(X, y)
        elif numeric and y is not None:
            with says_what_is_no_number(X):
                X = validate_data(self, X, reset=reset, **CHECK_X)
            y = check_array(y, **check_y, input_name="y", estimator=self)
            check_consistent_length(X, y)
        else:
            how = {"reset": reset, "multi_output": True, **CHECK_X}
            with says_what_is_no_number(X):
                X, y = validate_data(self, X, y, **how)
        name = "sample_weight" + suffix
        return Data(X, y, check_sample_weight(sample_weight, X.shape[0], name))

    def _network(self) -> FittedNetwork:
        """The networks of coefs_ and intercepts_, whoever has set them."""
        return self._fitted.network.with_weights(self.coefs_, self.intercepts_)

    def __getstate__(self) -> dict:
        return with_version(super().__getstate__())

    def __setstate__(self, state: dict) -> None:
        super().__setstate__(without_version(state, type(self).__name__))
        if "_fitted" in self.__dict__:  # pickled and copied without its weights
            network = self._fitted.network = self._network()
            self.__dict__.update(network.weights())

    @np.errstate(over="ignore", invalid="ignore")
    def _predict_blocks(self, X, combine) -> np.ndarray:
        """``combine`` of the raw predictions (K, b, n_raw), block after block."""
        network, X = self._to_predict(X)
        return network.combine_blocks(X, combine)

    @np.errstate(over="ignore", invalid="ignore")
    def _posterior_blocks(self, X, combine) -> np.ndarray:
        """``combine`` of raw predictions (K, b, o) and their covariances, by blocks."""
        check_is_fitted(self)
        if not self._has_posterior():
            raise ValueError(
                "return_std=True needs a deviation, and this estimator was fitted "
                f"without. {self._to_know('deviations')}"
            )
        network, X = self._to_predict(X)
        return network.combine_posterior_blocks(X, combine)

    @property
    def feature_importances_(self) -> np.ndarray:
        """The share of each column of X in the mean squared derivatives, when asked."""
        check_is_fitted(self)
        importances = self._fitted.importances
        assert importances is not None
        return importances.shares

    def _has_posterior(self) -> bool:
        return "_fitted" in vars(self) and self._fitted.network.has_posterior

    def _kept_folds(self, what: str, *coverages) -> Any:
        """The networks of folds, for ``what`` of some coverages."""
        check_is_fitted(self)
        for coverage in coverages:
            check_coverage(coverage)
        if self._fitted.folds is None:
            raise ValueError(
                f"{what} need the networks of folds, and this estimator was fitted "
                f"without. {self._to_know('intervals')}"
            )
        return self._fitted.folds

    def _to_know(self, what: str) -> str:
        """What to fit with for deviations or intervals, as a remedy in words."""
        return f"Fit it with {self._asking_for_folds}."

    def _to_predict(self, X) -> tuple[FittedNetwork, np.ndarray]:
        """The networks, and X checked and in their dtype."""
        if "_fitted" not in self.__dict__:
            check_is_fitted(self)  # says so, in scikit-learn's words
        network = self._network()
        with says_what_is_no_number(X):
            X = validate_data(self, X, reset=False, **CHECK_X)
        return network, in_dtype(X, network.params.dtype)

    def to_sklearn(self):
        """The fitted network as scikit-learn's own class, which predicts the same.

        For one network of an activation that scikit-learn has: guide/deploying.md.

        Returns
        -------
        model : MLPRegressor, MLPClassifier or Pipeline
            Fitted; its probabilities are those without a posterior.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from skwd import WeightDecayMLPRegressor
        >>> X, y = load_diabetes(return_X_y=True)
        >>> model = WeightDecayMLPRegressor(random_state=0).fit(X, y)
        >>> bool(abs(model.to_sklearn().predict(X) - model.predict(X)).max() < 1e-8)
        True
        """
        check_is_fitted(self)
        return to_sklearn(self)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = self.encoding != "parts"
        return tags
