"""What a fit tells of the columns of X: attributes that some parameters ask for."""

from __future__ import annotations

from typing import Any

import numpy as np

from skwd._alpha.choice import AlphaChoice
from skwd._estimators.alpha_groups import effective_params, importances, kind_of_groups
from skwd._solvers.task import TrainingTask


class ColumnsMixin:
    """`feature_importances_` and what else is known of columns."""

    l1_ratio: float
    sparsity: Any
    feature_importances_: np.ndarray
    column_effective_params_: np.ndarray
    support_: np.ndarray
    first_stage_alpha_: float

    def _store_columns(self, task: TrainingTask, trained: AlphaChoice) -> None:
        """Keep what the best network tells of the columns, where it was asked for."""
        for name in ("feature_importances_", "column_effective_params_", "support_"):
            self.__dict__.pop(name, None)
        by_column, params = kind_of_groups(self) == "columns", trained.params
        best = trained.best
        if by_column or self.sparsity is not None:
            self.feature_importances_ = importances(task, params[best])
        if by_column:
            self.column_effective_params_ = effective_params(task, trained, best)
        if self.l1_ratio > 0.0:
            self.support_ = task.layout.columns_left(params[[best]])[0]
