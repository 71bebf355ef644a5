"""The penalties that there are, by what they take columns for, made for a layout.

A new penalty is a class and a line here.
"""

from __future__ import annotations

from collections.abc import Callable

from skwd._core.layout import Layout
from skwd._core.penalty import L2, Penalty
from skwd._core.sparse_penalties import AdaptiveColumnNorms, ColumnNorms, ElasticNet

# From the layout and l1_ratio, which is above 0, by the parameter ``sparsity``.
PENALTIES: dict[str | None, Callable[[Layout, float], Penalty]] = {
    None: ElasticNet,
    "input": ColumnNorms,
    "adaptive": AdaptiveColumnNorms,
}


def penalty_of(layout: Layout, l1_ratio: float, sparsity: str | None) -> Penalty:
    """The penalty of J that an estimator's parameters ask for."""
    if l1_ratio == 0.0:
        return L2()
    return PENALTIES[sparsity](layout, float(l1_ratio))
