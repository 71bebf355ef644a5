"""The penalties with kinks that there are, by name, made for a layout.

A new penalty is a class and a line here.
"""

from __future__ import annotations

from collections.abc import Callable

from skwd._core.layout import Layout
from skwd._core.penalty import Penalty
from skwd._core.sparse_penalties import AdaptiveColumnNorms, ColumnNorms, ElasticNet

# From the layout and l1_ratio, which is above 0, by the parameter ``sparsity``.
PENALTIES: dict[str | None, Callable[[Layout, float], Penalty]] = {
    None: ElasticNet,
    "input": ColumnNorms,
    "adaptive": AdaptiveColumnNorms,
}
