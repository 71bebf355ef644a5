"""What else happens after an iteration of a training: gradients kept, users called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from skwd._core.layout import Layout

Tell = Callable[[int, np.ndarray, np.ndarray], bool]


@dataclass(frozen=True, eq=False)
class Hooks:
    """What a solver's monitor does beside its own work.

    Parameters
    ----------
    keeps_gradients : bool
        Whether the norms of the gradient by layer are kept.
    after_iteration : callable, optional
        Is told a network's number in its stack, its weights (P,) and alpha (G,);
        returns whether the training of this network should stop.
    after_round : callable, optional
        The same for each round of a choice of alpha.
    after_part : callable, optional
        Is told by a name of each part of a fit that trains other networks than those of
        all rows: a model that alpha="auto" has judged, networks without a fold.
    before_model : callable, optional
        Is told the `TrainingTask` of all rows and its `Targets` before it is trained,
        where it may be another than that of the settings.
    """

    keeps_gradients: bool = False
    after_iteration: Tell | None = None
    after_round: Tell | None = None
    after_part: Callable[[str], None] | None = None
    before_model: Callable[[Any, Any], None] | None = None


def tell_part(hooks: Hooks | None, name: str) -> None:
    """Tell of a part of a fit that has other networks than those of all rows."""
    if hooks is not None and hooks.after_part is not None:
        hooks.after_part(name)


def tell_model(hooks: Hooks | None, task: Any, targets: Any) -> None:
    """Tell what is trained on all rows, where it may not be what the settings say."""
    if hooks is not None and hooks.before_model is not None:
        hooks.before_model(task, targets)


def of_parts(hooks: Hooks | None) -> Hooks | None:
    """The hooks of networks that are a part of a fit: for their own parts alone."""
    if hooks is None or hooks.after_part is None:
        return None
    return Hooks(after_part=hooks.after_part)


def tell_round(
    hooks: Hooks | None, network: int, params: np.ndarray, alpha: np.ndarray
) -> bool:
    """Tell of a round of a choice of alpha; whether the search should end with it."""
    if hooks is None or hooks.after_round is None:
        return False
    return hooks.after_round(network, params, alpha)


def layer_norms(layout: Layout, gradient: np.ndarray) -> np.ndarray:
    """The length of a gradient (K, P) by the weights of each layer: (K, n_layers)."""
    layers = [layout.W(gradient, i) for i in range(layout.n_weight_layers)]
    return np.stack([np.sqrt(np.square(g).sum(axis=(1, 2))) for g in layers], axis=1)
