"""What else happens after an iteration of a training: gradients kept, users called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from skwd._core.layout import Layout


@dataclass(frozen=True, eq=False)
class Hooks:
    """What a solver's monitor does beside its own work.

    Parameters
    ----------
    keeps_gradients : bool
        Whether the norms of the gradient by layer are kept.
    after_iteration : callable, optional
        Is told a network's number in its stack, its weights (P,) and J; returns whether
        the training of this network should stop.
    """

    keeps_gradients: bool = False
    after_iteration: Callable[[int, np.ndarray, float], bool] | None = None


def layer_norms(layout: Layout, gradient: np.ndarray) -> np.ndarray:
    """The length of a gradient (K, P) by the weights of each layer: (K, n_layers)."""
    layers = [layout.W(gradient, i) for i in range(layout.n_weight_layers)]
    return np.stack([np.sqrt(np.square(g).sum(axis=(1, 2))) for g in layers], axis=1)
