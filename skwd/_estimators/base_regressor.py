"""What all regressors share, whoever chooses alpha: predictions and intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_is_fitted

from skwd._core.losses import LOSSES
from skwd._cv.intervals import are_within, interval
from skwd._cv.number_folds import learn_from_numbers
from skwd._cv.scoring import known_score, scorer_of_loss
from skwd._data.number_targets import RegressionTargets
from skwd._data.targets import Targets
from skwd._estimators.base import BaseWeightDecayMLP
from skwd._estimators.parameter_values import may_be_masked
from skwd._estimators.parameters import parameters_of
from skwd._estimators.partial import NotThere
from skwd._estimators.warnings import warn


class BaseRegressor(RegressorMixin, BaseWeightDecayMLP):
    """Targets and predictions of the regressors, whoever chooses alpha."""

    _learn_left_out = staticmethod(learn_from_numbers)

    y_mean_: np.ndarray
    y_scale_: np.ndarray

    predict_set = NotThere(
        "sets are of classes. Use predict_interval(X, coverage=0.9) after a fit with "
        "intervals."
    )

    def predict(self, X, return_std=False, coverage=None):
        """Predict targets in y's own units, and how sure they are.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        return_std : bool, default=False
            Also return the standard deviation of y, after a fit with ``posterior=True``
            or ``noise="varying"``.
        coverage : float, optional
            Also return intervals that cover this fraction of targets, after a fit with
            ``intervals``.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            In the dtype of the X of fit.
        std : ndarray of the same shape
            Only with ``return_std``.
        ends : ndarray of shape (n_samples, 2) or (n_samples, n_outputs, 2)
            Only with ``coverage``, as of `predict_interval`.
        """
        if coverage is not None:
            if return_std:
                raise ValueError(
                    f"return_std={return_std!r} and coverage={coverage!r} ask for two "
                    "second answers, and predict gives one. Call it once for each."
                )
            ends = self.predict_interval(X, coverage)
            return self.predict(X), ends
        y = self._predict_blocks(X, self._mean_prediction)
        is_column = not self._fitted.targets.shape
        y = y[:, 0] if is_column else y
        if not return_std:
            return y
        std = self._deviations(X)
        return y, std[:, 0] if is_column else std

    def _to_know(self, what: str) -> str:
        targets = self._fitted.targets
        assert isinstance(targets, RegressionTargets)
        loss, masked = targets.loss.name, targets.masked
        ways = ["posterior=True"] * (not masked) + ["noise='varying'"]
        if LOSSES[loss].likelihood is None:
            ways = ["loss='squared_error' and noise='varying'"] * masked
        if what == "intervals" and not masked:
            return super()._to_know(what)
        if what == "deviations" and ways:
            return f"Fit it with {' or '.join(ways)}."
        why, ask = f"loss={loss!r} has none", "coverage=0.9"
        if masked:
            why, ask = "missing_targets='mask' has none", "return_std=True"
        ways = ways or [self._asking_for_folds]
        return f"As {why}, fit it with {' or '.join(ways)}, and ask for {ask}."

    def _has_deviations(self) -> bool:
        """Whether predict has a deviation to return."""
        return self._has_posterior() or self._fitted.noise is not None

    def _deviations(self, X) -> np.ndarray:
        """Deviations of y about the prediction, (n_samples, n_outputs)."""
        check_is_fitted(self)
        noise = self._fitted.noise
        if noise is None:
            return self._posterior_blocks(X, self._deviation)
        network, rows = self._to_predict(X)
        if noise.deviation is None:
            found = self._posterior_blocks(X, self._deviation)
        else:
            found = np.tile(noise.deviation, (rows.shape[0], 1))
        found = found * np.sqrt(noise.level * noise.ratio(rows))
        return found.astype(network.params.dtype, copy=False)

    def _deviation(self, raw: np.ndarray, covariance: np.ndarray) -> np.ndarray:
        """Deviations of y, (b, n_outputs), of raw predictions and their covariances."""
        targets, noise = self._fitted.targets, self._fitted.network.noise()
        assert isinstance(targets, RegressionTargets)
        return targets.deviation(raw, covariance, noise)

    def _mean_prediction(self, raw: np.ndarray) -> np.ndarray:
        """Mean over the networks, in y's units: (K, b, n_outputs) -> (b, n_outputs)."""
        y = self._fitted.targets.loss.inverse_link(raw)
        y = y[0] if len(y) == 1 else y.mean(axis=0)
        return (y * self.y_scale_ + self.y_mean_).astype(raw.dtype)

    def predict_interval(self, X, coverage=0.9):
        """Intervals that cover about a fraction ``coverage`` of new targets, by CV+.

        After a fit with ``intervals``; the formula and what it guarantees are in
        guide/uncertainty.md.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        coverage : float, default=0.9
            Between 0 and 1.

        Returns
        -------
        ends : ndarray of shape (n_samples, 2) or (n_samples, n_outputs, 2)
            Infinite, with a warning, where the rows are too few for ``coverage``; not
            below 0 with a log link.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from skwd import WeightDecayMLPRegressor
        >>> X, y = load_diabetes(return_X_y=True)
        >>> model = WeightDecayMLPRegressor(intervals=10, random_state=0).fit(X, y)
        >>> model.predict_interval(X, coverage=0.9).shape
        (442, 2)
        """
        return self._interval_ends(X, [coverage])[0]

    def _interval_ends(self, X, coverages: list[float]) -> list[np.ndarray]:
        """Those of `predict_interval` at each coverage, with one warning for all."""
        folds = self._kept_folds("Intervals", *coverages)
        n_rows = len(folds.fold)
        infinite = [c for c in coverages if not are_within(n_rows, c)]
        if infinite:
            warn(
                f"coverage={float(min(infinite))!r} needs more than {n_rows} rows: the "
                "ends of its intervals are infinite. Lower coverage, or fit to more "
                "rows."
            )
        _, X = self._to_predict(X)
        y = np.stack([folds.predict(number, X) for number in range(len(folds))])
        scales: list = [None] * y.shape[2]
        if folds.in_deviations.any():
            deviations = self._deviations(X).T
            scales = [s if f else None for s, f in zip(deviations, folds.in_deviations)]
        ends = [
            np.stack(
                [
                    interval(y[:, :, k], folds.fold, folds.residuals[:, k], c, scale)
                    for k, scale in enumerate(scales)
                ],
                axis=1,
            )
            for c in coverages
        ]
        targets = self._fitted.targets
        assert isinstance(targets, RegressionTargets)
        if (domain := targets.loss.domain) is not None:  # no y is below
            ends = [np.maximum(part, domain.least) for part in ends]
        return ends if targets.shape else [part[:, 0] for part in ends]

    def score(self, X, y, sample_weight=None):
        """R2 of the predictions, the mean over outputs.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            With ``missing_targets="mask"`` NaN is a target that is left out.
        sample_weight : array-like of shape (n_samples,), optional
            Weights of the rows.

        Returns
        -------
        score : float
            1 is best, 0 that of the mean of y.
        """
        check_is_fitted(self)
        if not self._fitted.targets.masked:
            return super().score(X, y, sample_weight)
        how = {"sample_weight": sample_weight, "metric": "r2_score"}
        return known_score(y, self.predict(X), **how)

    def _default_scorer(self):
        params = parameters_of(self)
        loss = LOSSES.get(params["loss"], LOSSES["squared_error"])
        masked = params["missing_targets"] == "mask"
        return scorer_of_loss(loss.with_parameters(params), masked)

    def _default_score(self) -> str:
        metric, _ = LOSSES[parameters_of(self)["loss"]].metric
        return "r2" if metric == "r2_score" else f"neg_{metric}"

    @staticmethod
    def _targets_of(params: Mapping[str, Any]) -> Callable[..., Targets]:
        """What makes targets of y, for the parameters ``params``."""
        return partial(
            RegressionTargets.of,
            loss=LOSSES[params["loss"]].with_parameters(params),
            normalize=params["normalize_y"],
            masked=params["missing_targets"] == "mask",
            may_be_masked=may_be_masked(params),
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        loss = LOSSES.get(self.loss) if isinstance(self.loss, str) else None
        tags.target_tags.positive_only = loss is not None and loss.domain is not None
        return tags
