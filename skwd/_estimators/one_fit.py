"""What estimators of one fit have: alpha as given, and weights to continue from."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from skwd._alpha import WAYS
from skwd._alpha.choice import AlphaChoice, AlphaPath
from skwd._core.alpha_groups import ABSENT
from skwd._core.layout import Layout, is_collapsed
from skwd._core.rows import shift_origin
from skwd._core.sample import Sample
from skwd._data.targets import Targets
from skwd._estimators.alpha_groups import kind_of_groups
from skwd._estimators.auto import GROUPED
from skwd._estimators.base import BaseWeightDecayMLP
from skwd._estimators.parameter_values import check_alpha, check_hidden_layer_sizes
from skwd._estimators.parameters import check_parameters
from skwd._estimators.validation import draw_seed
from skwd._solvers.training import PartialFitState


class OneFitMixin(BaseWeightDecayMLP):
    """Parameters, attributes and helpers of fit and partial_fit."""

    alpha: Any
    alpha_groups: Any
    alpha_per_layer: bool
    warm_start: bool
    alphas_: np.ndarray
    alpha_scores_: np.ndarray
    alpha_score_errors_: np.ndarray | None
    _n_epochs: int
    _partial_fit_state: PartialFitState

    def _way(self) -> str | None:
        by_way = isinstance(self.alpha, str) and self.alpha in WAYS
        return self.alpha if by_way else None

    def _is_constant(self) -> bool:
        """Whether no weights are left to go on from, as where y did not vary."""
        fitted = self._network()
        network, params = fitted.network, fitted.params
        none = not (params * network.layout.decay_mask).any()
        return none or is_collapsed(network.layout, network.activation.gain, params)

    def _is_another_model(self) -> bool:
        """Whether alpha="auto" has chosen a model without the hidden layers."""
        return self.__dict__.get("alpha_choice_", {}).get("model") == "linear model"

    def _check_parameters(self, *, by_epochs: bool = False):
        solver = check_parameters(self, by_epochs=by_epochs)
        hidden = check_hidden_layer_sizes(self.hidden_layer_sizes)
        return solver, check_alpha(self.alpha, len(hidden) + 1)

    def _begin(self, X, y, sample_weight, continued: bool):
        """The checked data; a fit that continues nothing draws its seed."""
        if not continued:
            self._seed = draw_seed(self.random_state)
        return self._validate(X, y, sample_weight, reset=not continued)

    def _shown(self, trained: AlphaChoice) -> float | np.ndarray:
        """alpha_ of the best network: one number where one was given or asked for."""
        if isinstance(self.alpha, str):
            alpha, kind = trained.alpha[trained.best], kind_of_groups(self)
            chosen = self.__dict__.get("alpha_choice_", {}).get("model")
            if kind is None or chosen not in (None, GROUPED):
                return float(alpha[0])
            return np.where(alpha < ABSENT, alpha, np.inf)
        if self.alpha is None:
            return float(trained.alpha[0, 0])
        return float(self.alpha) if np.ndim(self.alpha) == 0 else trained.alpha[0]

    def _store_path(self, path: AlphaPath | None) -> None:
        """Keep what a search for alpha has seen, if there was one."""
        for name in ("alphas_", "alpha_scores_", "alpha_score_errors_"):
            self.__dict__.pop(name, None)
        if path is not None:
            self.alphas_, self.alpha_scores_ = path.alphas, -path.losses
            self.alpha_score_errors_ = path.errors

    def _start(self, by: str) -> Callable:
        """The starting point of what continues an earlier fit, `_stored_params`."""
        anew = "Call fit, or use a new estimator,"
        if by == "warm_start=True":
            anew = "Set warm_start=False"
        return partial(self._stored_params, by=by, anew=anew)

    def _stored_params(
        self,
        layout: Layout,
        targets: Targets,
        sample: Sample,
        seed: int,
        by: str,
        anew: str,
    ) -> np.ndarray:
        """The weights to continue from, those that predict now, (n_networks, P).

        About the sample's origin, and for y in the units of now.
        """
        fitted = self._network()
        params, stored = fitted.params.copy(), fitted.layout
        was_ensemble = self.coefs_[0].ndim == 3
        # An ensemble may hold fewer than n_init: diverged restarts were dropped.
        other_kind = was_ensemble != self.ensemble or len(params) > self.n_init
        held, request = None, None
        if stored != layout:
            held = f"layers of {stored.layer_units} units"
            request = (
                f"the data and hidden_layer_sizes now ask for {layout.layer_units}"
            )
        elif other_kind:
            held = f"an ensemble of {len(params)}" if was_ensemble else "one network"
            request = f"ensemble={self.ensemble} and n_init={self.n_init} now ask for "
            request += "another"
        else:
            for name, now in self._kind_of(targets.loss).items():
                before = self._kind[name]
                if before != now:
                    held = f"a network of {name}={before!r}"
                    request = f"{name}={now!r} now"
        if held is not None:
            raise ValueError(
                f"{by} continues {held}, but {request}. {anew} to start anew."
            )
        progress = self.__dict__.get("_partial_fit_state")
        if progress is None or not progress.continues(layout, params):
            params = shift_origin(layout, params, sample.origin, 1.0)
        else:  # to the last bit
            layout.b(params, 0)[:] = progress.bias
        return targets.continued(layout, params.astype(np.float64))
