"""The ladder of alpha="auto": the models that are compared, and which of them wins."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf

from skwd._cv.auto import EQUAL, RACE_ROWS, as_good

# The models that are compared, the simplest first; the last with ``alpha_groups``.
CONSTANT, LINEAR, ADDITIVE = "constant", "linear model", "additive model"
NETWORK, ON_PARTS = "network", "network on parts"
GROUPED = "network with alpha_groups"
MODELS = (CONSTANT, LINEAR, ADDITIVE, NETWORK, ON_PARTS, GROUPED)
WITHOUT_HIDDEN = (LINEAR, ADDITIVE)
IN_PARTS = (ADDITIVE, ON_PARTS)
# Below RACE_ROWS rows models on parts win where their loss is lower than that of all
# others by more than this part of it. Mean errors of 73 tasks of 500 rows are the same,
# .926 of those by columns alone, which 6 in the place of 10 are above by 1 %. From
# 1,000 rows on it would cost .3 % (benchmarks/ladder.py).
GAIN = 0.02


def simplest(losses: Mapping[str, float], n_judged: int) -> tuple[str, str]:
    """The simplest model that is as good as the best, and why.

    ``losses`` are those of ``n_judged`` rows. Parts of few rows have to gain something.
    """
    lowest = min(losses, key=lambda name: losses[name])
    among, part = losses, EQUAL
    if n_judged < RACE_ROWS and lowest in IN_PARTS:
        by_columns = {k: loss for k, loss in losses.items() if k not in IN_PARTS}
        are_both = not by_columns.keys().isdisjoint((LINEAR, NETWORK))
        if are_both and losses[lowest] >= as_good(min(by_columns.values()), -GAIN):
            among, part = by_columns, GAIN
    most = as_good(min(among.values()))
    model = next(name for name in MODELS if among.get(name, inf) <= most)
    if losses[model] <= losses[lowest]:
        return model, f"lowest held-out loss, {losses[model]:.4g}"
    reason = f"the simplest within {part:.1%} of the lowest held-out loss"
    if among is not losses:
        reason = f"parts lower the held-out loss by less than {part:.0%}"
    return model, f"{reason}, {losses[lowest]:.4g} ({lowest})"
