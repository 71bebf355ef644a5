"""The penalties that there are, by name, made for a layout.

A new penalty is a class and a line here.
"""

from __future__ import annotations

from collections.abc import Callable

from skwd._core.layout import Layout
from skwd._core.penalty import L2, Penalty
from skwd._core.sparse_penalties import AdaptiveColumnNorms, ColumnNorms, ElasticNet

# From the layout and l1_ratio, which is not read where all is squares.
PENALTIES: dict[str, Callable[[Layout, float], Penalty]] = {
    L2.name: lambda layout, l1_ratio: L2(),
    ElasticNet.name: ElasticNet,
    ColumnNorms.name: ColumnNorms,
    AdaptiveColumnNorms.name: AdaptiveColumnNorms,
}
