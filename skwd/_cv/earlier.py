"""An earlier fit that is continued: by a warm start, or by one more partial_fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from skwd._core.layout import Layout
from skwd._core.rows import shift_origin
from skwd._core.sample import Sample
from skwd._data.encoding import Encoding
from skwd._data.targets import Targets
from skwd._solvers.training import PartialFitState


@dataclass(frozen=True, eq=False)
class Earlier:
    """What a fit takes over from an earlier one.

    Parameters
    ----------
    by : {"warm_start=True", "partial_fit"}
        What continues it.
    layout : Layout
    params : ndarray (K, P)
        The networks that predict now, for X as it is.
    is_ensemble : bool
    targets : Targets
        With the units of y that these networks were trained in.
    kind : dict
        What the weights mean beside their shapes.
    epochs : int
        Completed before.
    initial_sizes : ndarray (n_weight_layers,)
        Root mean squares of the weights that training began with.
    encoding : Encoding or None
        Of X, which the networks keep.
    progress : PartialFitState or None
        What partial_fit has left.
    """

    by: str
    layout: Layout
    params: np.ndarray
    is_ensemble: bool
    targets: Targets
    kind: dict[str, Any]
    epochs: int
    initial_sizes: np.ndarray
    encoding: Encoding | None = None
    progress: PartialFitState | None = None

    @property
    def keeps_units(self) -> bool:
        """Whether y keeps its units, as partial_fit learns them from its first rows."""
        return self.by == "partial_fit"

    @property
    def origin(self) -> np.ndarray | None:
        """What stays taken out of X, (n_features,); None: that is learnt anew."""
        return None if self.progress is None else self.progress.origin

    def encoding_of(self, X) -> Encoding | None:
        """The encoding that the networks keep to, for the rows of X.

        Raises
        ------
        ValueError
            Where X is sparse, and its columns have no parts.
        """
        if self.encoding is not None and sparse.issparse(X):
            self._refuse(
                "a network of encoding='parts'",
                f"X is sparse now, of shape {X.shape}, and its columns have no parts",
            )
        return self.encoding

    def starts(
        self,
        layout: Layout,
        targets: Targets,
        sample: Sample,
        settings: Any,
        kind: dict[str, Any],
    ) -> np.ndarray:
        """Weights to continue from, (m, K, P), about the sample's origin.

        The first predict what they did before, in the units of ``targets``. Where y has
        other units now there are others, that predict the same in deviations of y: they
        are the better ones if it is y that was multiplied.

        Raises
        ------
        ValueError
            Where the networks asked for are others.
        """
        for name, now in kind.items():
            if self.kind[name] != now:
                held = f"a network of {name}={self.kind[name]!r}"
                self._refuse(held, f"{name}={now!r} now")
        n_networks = len(self.params)
        # An ensemble may hold fewer than n_init: diverged restarts were dropped.
        is_other = self.is_ensemble != settings["ensemble"]
        is_other = is_other or n_networks > settings["n_init"]
        if self.layout != layout:
            self._refuse(
                f"layers of {self.layout.layer_units} units",
                f"the data and hidden_layer_sizes now ask for {layout.layer_units}",
            )
        if is_other:
            several = f"an ensemble of {n_networks}"
            self._refuse(
                several if self.is_ensemble else "one network",
                f"ensemble={settings['ensemble']} and n_init={settings['n_init']} now "
                "ask for another",
            )
        params = self.params.copy()
        if self.progress is None or not self.progress.continues(layout, params):
            params = shift_origin(layout, params, sample.origin, 1.0)
        else:  # to the last bit
            layout.b(params, 0)[:] = self.progress.bias
        params = params.astype(np.float64)
        same = targets.continued(self.targets, layout, params)
        alike = self.keeps_units or np.array_equal(same, params)
        return np.stack([same] if alike else [same, params])

    def _refuse(self, held: str, asked: str) -> None:
        remedy = "Set warm_start=False"
        if self.by == "partial_fit":
            remedy = "Use a new estimator"
        raise ValueError(
            f"{self.by} continues {held}, but {asked}. {remedy} to start anew."
        )
