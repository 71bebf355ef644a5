"""What all regressors share, whoever chooses alpha: targets and predictions."""

from __future__ import annotations

import numpy as np
from sklearn.base import RegressorMixin

from skwd._core.losses import LOSSES
from skwd._data.number_targets import RegressionTargets
from skwd._estimators.base import BaseWeightDecayMLP
from skwd._estimators.intervals import IntervalMixin


class BaseRegressor(IntervalMixin, RegressorMixin, BaseWeightDecayMLP):
    """Targets and predictions of the regressors, whoever chooses alpha."""

    def predict(self, X, return_std=False):
        """Predict targets, in y's own units.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        return_std : bool, default=False
            Also return the standard deviation of y about the prediction: of its noise
            and of the network (of a Poisson count for ``loss="poisson"``). It needs
            ``posterior=True``.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            In the dtype of the X of fit.
        std : ndarray of the same shape
            Only with ``return_std``.

        Raises
        ------
        ValueError
            For ``return_std`` without a posterior.
        """
        y = self._predict_blocks(X, self._mean_prediction)
        y = y if self._y_shape else y[:, 0]
        if not return_std:
            return y
        std = self._posterior_blocks(X, self._deviation)
        return y, std if self._y_shape else std[:, 0]

    def _deviation(self, raw: np.ndarray, covariance: np.ndarray) -> np.ndarray:
        """Of y: (K, b, n_outputs), (K, b, n_outputs, n_outputs) -> (b, n_outputs).

        Within the networks, noise included, plus between them.
        """
        raw_variance = np.diagonal(covariance, axis1=-2, axis2=-1)
        y = self._loss.inverse_link(raw)
        within = self._loss.variance(y, raw_variance, self._fitted.noise())
        return np.sqrt(within.mean(axis=0) + y.var(axis=0)) * self.y_scale_

    def _mean_prediction(self, raw: np.ndarray) -> np.ndarray:
        """Mean over the networks, in y's units: (K, b, n_outputs) -> (b, n_outputs)."""
        y = self._loss.inverse_link(raw)
        y = y[0] if len(y) == 1 else y.mean(axis=0)
        return (y * self.y_scale_ + self.y_mean_).astype(raw.dtype)

    def _targets(self, y, weight, continued=False, one_epoch=False, classes=None):
        own = {
            name: getattr(self, name) for name in ("huber_delta", "quantile", "power")
        }
        loss = LOSSES[self.loss].of(own)
        earlier = (self.y_mean_, self.y_scale_) if continued else None
        known = self._y_varies if continued and one_epoch else None
        masked = self.missing_targets == "mask"
        how = loss, self.normalize_y, earlier, known
        return RegressionTargets(y, *how, masked=masked)

    def _examples(self) -> np.ndarray:
        shape = (2, self.n_outputs_) if self._y_shape else (2,)
        return np.ones(shape)

    def _output_units(self) -> tuple:
        return self.y_scale_, self.y_mean_

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        loss = LOSSES.get(self.loss) if isinstance(self.loss, str) else None
        tags.target_tags.positive_only = loss is not None and loss.least_y == 0.0
        return tags
