"""predict_interval of the regressors: networks without each fold, kept by fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.model_selection import KFold
from sklearn.utils.validation import check_is_fitted, validate_data

from skwd._alpha.adaptive import second_stage
from skwd._alpha.choice import AlphaChoice
from skwd._alpha.constant import constant_params
from skwd._core.activations import ACTIVATIONS
from skwd._core.alpha_groups import ABSENT
from skwd._core.layout import Layout
from skwd._core.losses import Loss
from skwd._core.network import Network
from skwd._core.rows import shift_origin
from skwd._cv.chunks import share_memory
from skwd._cv.intervals import check_folds, interval, ranks
from skwd._cv.splits import row_numbers, tasks
from skwd._data.number_targets import RegressionTargets
from skwd._estimators.parameter_values import check_coverage, check_intervals
from skwd._estimators.tasks import INTERVALS, TaskMixin
from skwd._estimators.validation import CHECK_X, Data, in_dtype
from skwd._estimators.warnings import warn
from skwd._solvers.failures import check_any_usable
from skwd._solvers.task import TrainingTask, train_path


@dataclass
class FoldNetworks:
    """What the intervals need of each fold, and of the rows that it left out."""

    layout: Layout
    params: list[np.ndarray]  # (K, P) of the networks that predict for each fold
    scaling: list[tuple[np.ndarray, np.ndarray]]  # mean and scale of y in each
    fold: np.ndarray  # (n,) of the rows seen
    residuals: np.ndarray  # (n, n_outputs) absolute, in y's units

    def __len__(self) -> int:
        return len(self.params)


class IntervalMixin(TaskMixin):
    """`predict_interval` of a regressor, and what its fit keeps for it."""

    _asking_for_intervals = "intervals=10"

    intervals: Any
    ensemble: bool
    n_outputs_: int
    _y_shape: tuple
    _folds: FoldNetworks
    _seed: int
    _loss: Loss

    def predict_interval(self, X, coverage=0.9):
        """Intervals that cover about a part ``coverage`` of new targets, by CV+.

        With fit's ``intervals`` the networks without each fold are kept, f_k, and the
        distances R_i = |y_i - f_k(i)(x_i)| of the rows that they have not seen. With a
        = 1 - coverage the interval at x runs from the floor(a (n + 1)) smallest of
        f_k(i)(x) - R_i to the ceil((1 - a) (n + 1)) smallest of f_k(i)(x) + R_i.

        For exchangeable rows and an alpha that was fixed beforehand it covers at least
        1 - 2 a - sqrt(2 / n) whatever the noise, and about 1 - a in practice [1]_. Rows
        that belong together, or to times, need folds that keep them together. Weights
        count in training alone; rows of weight 0 are left out.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        coverage : float, default=0.9
            Between 0 and 1.

        Returns
        -------
        ends : ndarray of shape (n_samples, 2) or (n_samples, n_outputs, 2)
            Infinite, with a warning, where fewer rows were seen than ``coverage``
            needs: 1 / (1 - coverage) - 1.

        Raises
        ------
        ValueError
            For a coverage out of range, and without ``intervals``.

        References
        ----------
        .. [1] Barber, Candes, Ramdas and Tibshirani, "Predictive inference with the
           jackknife+", Annals of Statistics 2021.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from skwd import WeightDecayMLPRegressor
        >>> X, y = load_diabetes(return_X_y=True)
        >>> model = WeightDecayMLPRegressor(intervals=10, random_state=0).fit(X, y)
        >>> ends = model.predict_interval(X, coverage=0.9)
        >>> ends.shape
        (442, 2)
        """
        check_is_fitted(self)
        check_coverage(coverage)
        folds = self.__dict__.get("_folds")
        if folds is None:
            raise ValueError(
                "predict_interval needs the networks of folds, and this estimator was "
                f"fitted without. Fit it with {self._asking_for_intervals}."
            )
        n_rows = len(folds.fold)
        low, high = ranks(n_rows, coverage)
        if low < 1 or high > n_rows:
            warn(
                f"coverage={coverage!r} needs more than {n_rows} rows: the ends of its "
                "intervals are infinite. Lower coverage, or fit to more rows."
            )
        X = validate_data(self, X, reset=False, **CHECK_X)
        X = in_dtype(X, folds.params[0].dtype)
        y = np.stack([self._of_fold(folds, number, X) for number in range(len(folds))])
        columns = [
            interval(y[:, :, k], folds.fold, folds.residuals[:, k], coverage)
            for k in range(y.shape[2])
        ]
        return np.stack(columns, axis=1) if self._y_shape else columns[0]

    @np.errstate(over="ignore", invalid="ignore")
    def _of_fold(self, folds: FoldNetworks, number: int, X) -> np.ndarray:
        """The prediction (m, n_outputs) without a fold, in y's units."""
        network = Network(folds.layout, ACTIVATIONS[self.activation])
        mean, scale = folds.scaling[number]
        blocks = [
            self._loss.inverse_link(raw).mean(axis=0) * scale + mean
            for raw in network.predict_blocks(folds.params[number], X)
        ]
        return np.concatenate(blocks)

    def _interval_rows(self, data: Data, groups) -> list[tuple] | None:
        """(rows to train on, rows left out) of each fold; None without ``intervals``.

        Of rows of positive weight, each of which one fold leaves out.
        """
        check_intervals(self.intervals, own_folds=False)
        if self.intervals is None or self.intervals is False:
            if groups is not None:
                raise ValueError(
                    "groups are those of the folds of intervals: set intervals to a "
                    "splitter such as GroupKFold(10), or leave groups out."
                )
            return None
        counted = np.flatnonzero(data.weight)
        splitter = self.intervals
        if isinstance(splitter, Integral):
            rng = np.random.default_rng([self._seed, INTERVALS])
            seed = int(rng.integers(2**31 - 1))
            splitter = KFold(int(splitter), shuffle=True, random_state=seed)
        X, y, _ = data
        if len(counted) < len(y):
            X, y = X[counted], y[counted]
            groups = None if groups is None else np.asarray(groups)[counted]
        found = row_numbers(splitter, X, y, False, {"groups": groups})
        tests = [test for _, test in found]
        check_folds(tests, len(counted), f"intervals={self.intervals!r}")
        return [(counted[train], counted[test]) for train, test in found]

    def _store_intervals(
        self, make: Callable, rows: list[tuple] | None, data: Data, trained: AlphaChoice
    ) -> None:
        """Train and keep the network without each fold, at the alpha of the best.

        ``make`` gives the task and the targets of some rows to train on.
        """
        if rows is None:
            return
        splits = tasks(make, rows)
        fold_tasks = [split.task for split in splits]
        share_memory(fold_tasks)
        layout, best = fold_tasks[0].layout, trained.best
        alpha = trained.alpha[best][np.newaxis]
        absent = fold_tasks[0].groups.per_parameter(alpha)[0] >= ABSENT
        for task in fold_tasks:
            task.params0[:, absent] = 0.0
        first = self.__dict__.get("first_stage_alpha_")
        first_stage = alpha[0] if first is None else np.full(alpha.shape[1], first)
        fold_tasks = second_stage(fold_tasks, first_stage, keep_best=not self.ensemble)
        fits = AlphaChoice.of(train_path(fold_tasks, alpha))
        has_weights = (trained.params[best] * layout.decay_mask).any()
        counted = np.sort(np.concatenate([split.test for split in splits]))
        y, _ = splits[0].targets.encode(data.y[counted], data.weight[counted])
        n_init = len(fold_tasks[0].params0)
        folds = FoldNetworks(layout, [], [], np.empty(len(y), int), np.empty(y.shape))
        for number, split in enumerate(splits):
            fit = fits[number * n_init + np.arange(n_init)]
            folds.params.append(self._predicting(split.task, fit, has_weights))
            assert isinstance(split.targets, RegressionTargets)
            assert split.targets.scaling is not None
            folds.scaling.append(split.targets.scaling)
            places = np.searchsorted(counted, split.test)
            predicted = self._of_fold(folds, number, data.X[split.test])
            folds.fold[places] = number
            folds.residuals[places] = np.abs(y[places] - predicted)
        self._folds = folds

    def _predicting(
        self, task: TrainingTask, fit: AlphaChoice, has_weights: bool
    ) -> np.ndarray:
        """The weights of a fold's networks that predict, for X as it is: (K, P)."""
        check_any_usable(fit, task)
        params = fit.params[fit.predicting(self.ensemble)]
        if not has_weights:
            params[:] = constant_params(task)
        return shift_origin(task.layout, params, task.training.origin, -1.0)
