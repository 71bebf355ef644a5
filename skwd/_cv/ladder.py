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
# Below RACE_ROWS rows a model on parts has to be better than all simpler ones by
# columns, by more than this part of their loss. Of 73 tasks of 500 rows 9 have errors
# above those by columns alone by 1 %, 12 without it; the mean is the same, .929 of
# them. From 1,000 rows on it would cost .2 % (benchmarks/ladder.py).
GAIN = 0.03


def simplest(losses: Mapping[str, float], n_judged: int) -> tuple[str, str]:
    """The simplest model that is as good as the best, and why.

    ``losses`` are those of ``n_judged`` different rows. Parts of few rows have to
    gain something.
    """
    lowest = min(losses, key=lambda name: losses[name])
    gaining = dict(losses)
    if n_judged < RACE_ROWS and not losses.keys().isdisjoint((LINEAR, NETWORK)):
        for name in set(IN_PARTS) & losses.keys():
            simpler = set(MODELS[: MODELS.index(name)]) - set(IN_PARTS)
            by_columns = min(losses[other] for other in simpler & losses.keys())
            if losses[name] >= as_good(by_columns, -GAIN):
                del gaining[name]
    most = as_good(min(gaining.values()))
    model = next(name for name in MODELS if gaining.get(name, inf) <= most)
    if losses[model] <= losses[lowest]:
        return model, f"lowest held-out loss, {losses[model]:.4g}"
    reason = f"the simplest within {EQUAL:.1%} of the lowest held-out loss"
    if lowest not in gaining:
        reason = f"parts lower the held-out loss by less than {GAIN:.0%}"
    return model, f"{reason}, {losses[lowest]:.4g} ({lowest})"
