"""What estimators keep of a posterior, and how it tells predictions their error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skwd._alpha.averaging import posterior_of
from skwd._alpha.choice import AlphaChoice, laplace_of
from skwd._core.layout import Layout
from skwd._estimators.fitted_network import FittedNetwork
from skwd._estimators.warnings import warn
from skwd._solvers.task import TrainingTask

# From a minimum that is this far off, in units of the log-density, a posterior differs.
MOST_NATS = 1.0
# Fitted attributes that there are only with a posterior or an alpha by name.
_ATTRIBUTES = (
    "_pending",
    "log_evidence_",
    "n_effective_params_",
    "layer_effective_params_",
    "noise_std_",
    "posterior_scale_",
)


class PosteriorMixin:
    """A Gaussian about the weights of each network that predicts."""

    posterior: bool
    log_evidence_: float
    n_effective_params_: float
    layer_effective_params_: np.ndarray
    noise_std_: float | np.ndarray
    posterior_scale_: float
    y_scale_: np.ndarray
    _y_shape: tuple
    _fitted: FittedNetwork
    _pending: tuple

    def _way(self) -> str | None:
        """The way in which alpha is chosen, if it is given by name."""
        return None

    def _to_predict(self, X) -> tuple[FittedNetwork, Any]:
        raise NotImplementedError

    def _store_posterior(
        self,
        task: TrainingTask,
        trained: AlphaChoice,
        networks: np.ndarray,
        lazily: bool,
    ) -> None:
        """Keep what alpha by name or posterior=True asks for, and nothing else."""
        for name in _ATTRIBUTES:
            self.__dict__.pop(name, None)
        if self._way() is None and not self.posterior:
            return
        if lazily:
            self._pending = task, trained, networks
            return
        found = [
            trained.laplace[k] or laplace_of(task, trained.params[k], trained.alpha[k])
            for k in networks
        ]
        if not task.solver.finds_minima:
            self._warn_if_moving(task, trained, networks, found)
        best = found[int(np.flatnonzero(networks == trained.best)[0])]
        self.log_evidence_ = best.log_evidence
        self.n_effective_params_ = best.dof
        self.layer_effective_params_ = by_layer(best.n_effective, task.layout)
        if task.loss.has_noise:
            noise = np.sqrt(best.noise) * self.y_scale_
            self.noise_std_ = noise if self._y_shape else float(noise[0])
        if self.posterior:
            self._fitted.origin = task.training.origin
            self._fitted.posterior = [
                posterior_of(task, trained.params[k], trained.alpha[k], laplace.noise)
                for k, laplace in zip(networks, found)
            ]
            if not task.loss.is_for_numbers:
                of_best = self._fitted.posterior[found.index(best)]
                self.posterior_scale_ = of_best.scale

    def _warn_if_moving(self, task, trained, networks, found) -> None:
        """Name it when a first-order solver has stopped away from the minimum."""
        objective = task.objective(trained.alpha[networks])
        _, gradients = objective.loss_gradient(trained.params[networks])
        for g, laplace in zip(gradients, found):
            fall = 0.5 * g @ laplace.curvature.solve(g, np.ones(1))[0]
            nats = laplace.n * fall / laplace.noise.mean()
            if nats > MOST_NATS:
                warn(
                    "posterior=True is that of a minimum, but solver="
                    f"{task.solver.name!r} has stopped where the posterior "
                    f"density is e^{nats:.2g} times lower. Use solver='lbfgs'."
                )
                return

    def _has_posterior(self) -> bool:
        fitted = self.__dict__.get("_fitted")
        kept = fitted is not None and fitted.posterior is not None
        return kept or "_pending" in self.__dict__

    @np.errstate(over="ignore", invalid="ignore")
    def _posterior_blocks(self, X, combine: Callable) -> np.ndarray:
        """``combine`` of raw predictions (K, b, o) and their covariances, by blocks."""
        check_is_fitted(self)
        if "_pending" in self.__dict__:
            task, trained, networks = self.__dict__.pop("_pending")
            self._store_posterior(task, trained, networks, False)
        if not self._has_posterior():
            raise ValueError(
                "return_std=True needs a posterior, and this estimator was fitted "
                "without. Fit it with posterior=True."
            )
        network, X = self._to_predict(X)
        return network.combine_posterior_blocks(X, combine)


def by_layer(n_effective: np.ndarray, layout: Layout) -> np.ndarray:
    """Sums over the weights of each layer, of groups of columns and further layers."""
    n_first = len(n_effective) - layout.n_weight_layers + 1
    return np.concatenate([[n_effective[:n_first].sum()], n_effective[n_first:]])
