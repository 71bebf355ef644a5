"""What a fit keeps of a posterior, and what it says of the evidence."""

from __future__ import annotations

from typing import Any

import numpy as np

from skwd._alpha.averaging import posteriors_of
from skwd._alpha.choice import laplaces_of
from skwd._core.layout import Layout
from skwd._cv.chosen import Chosen
from skwd._cv.settings import Settings
from skwd._estimators.fitted_network import FittedNetwork
from skwd._estimators.warnings import warn

# From a minimum that is this far off, in units of the log-density, a posterior differs.
MOST_NATS = 1.0


def posterior_attributes(
    settings: Settings, chosen: Chosen, networks: np.ndarray, network: FittedNetwork
) -> dict[str, Any]:
    """What alpha by name or posterior=True asks for; ``network`` gets the posterior."""
    task, trained, targets = chosen.task, chosen.trained, chosen.targets
    laplaces = laplaces_of(task, trained, networks)
    if not task.solver.finds_minima:
        _warn_if_moving(task, trained, networks, laplaces)
    place = int(np.flatnonzero(networks == trained.best)[0])
    best = laplaces[place]
    found: dict[str, Any] = {
        "log_evidence_": best.log_evidence,
        "n_effective_params_": best.dof,
        "layer_effective_params_": by_layer(best.n_effective, task.layout),
    }
    if task.likelihood.estimates_noise:
        noise = np.sqrt(best.noise) * targets.fitted()["y_scale_"]
        found["noise_std_"] = noise if targets.examples().ndim > 1 else float(noise[0])
    if settings["posterior"]:
        network.origin = task.training.origin
        network.posterior = posteriors_of(task, trained, networks, laplaces)
        if task.likelihood.of_classes:
            found["posterior_scale_"] = network.posterior[place].scale
    return found


def _warn_if_moving(task, trained, networks, laplaces) -> None:
    """Name it when a first-order solver has stopped away from the minimum.

    Of y that does not vary there is no noise to count in, and nothing to be unsure of.
    """
    if not task.has_varying_y:
        return
    objective = task.objective(trained.alpha[networks])
    _, gradients = objective.loss_gradient(trained.params[networks])
    for g, laplace in zip(gradients, laplaces):
        fall = 0.5 * g @ laplace.curvature.solve(g, np.ones(1))[0]
        nats = laplace.n * fall / laplace.noise.mean()
        if nats > MOST_NATS:
            warn(
                "posterior=True is that of a minimum, but solver="
                f"{task.solver.name!r} has stopped where the posterior "
                f"density is e^{nats:.2g} times lower. Use {task.solver.instead}."
            )
            return


def by_layer(n_effective: np.ndarray, layout: Layout) -> np.ndarray:
    """Sums over the weights of each layer, of groups of columns and further layers."""
    n_first = len(n_effective) - layout.n_weight_layers + 1
    return np.concatenate([[n_effective[:n_first].sum()], n_effective[n_first:]])
