"""From trained networks to the attributes of a fitted estimator, all at once."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from skwd._alpha.choice import AlphaChoice
from skwd._core.alpha_groups import ABSENT
from skwd._core.rows import shift_origin
from skwd._cv.chosen import Chosen
from skwd._cv.ladder import GROUPED
from skwd._cv.left_out import NOTHING, LeftOut
from skwd._cv.noise import Noise
from skwd._cv.settings import Settings
from skwd._cv.splits import Split
from skwd._data.encoding import Encoding
from skwd._data.targets import Targets
from skwd._estimators.alpha_groups import effective_params
from skwd._estimators.fitted_network import FittedNetwork
from skwd._estimators.importances import Importances
from skwd._estimators.posterior import posterior_attributes
from skwd._solvers.result import SUCCESS, is_one_of
from skwd._solvers.training import PartialFitState

# Written by scikit-learn when it validates X.
OF_VALIDATION = ("n_features_in_", "feature_names_in_")
# The logit of a class that a network has not seen: as good as never, and the least that
# keeps all others in the float range.
UNSEEN = -1e3


@dataclass(eq=False)
class Fitted:
    """What an estimator keeps of its fit beside the public attributes.

    Predictions read this and the public attributes alone, no parameter.
    """

    network: FittedNetwork
    targets: Targets  # as they have learnt from the rows trained on
    kind: dict[str, Any]  # what the weights mean beside their shapes
    seed: int
    epochs: int  # completed, those of the fits that it continues included
    initial_sizes: np.ndarray  # of the weights of each layer
    model: str | None = None  # of alpha="auto"
    path_model: str | None = None  # whose alphas and scores are kept
    folds: Any = None  # the networks without each fold, of intervals
    noise: Noise | None = None  # of noise="varying"
    progress: PartialFitState | None = None  # of partial_fit
    scoring: str | None = None  # of a CV form, if it has a name
    importances: Importances | None = None
    group_of_column: np.ndarray | None = None  # where columns have alphas of their own


def replace_fitted(estimator: Any, attributes: dict[str, Any]) -> None:
    """Put new fitted attributes in the place of all that there were."""
    state = vars(estimator)
    for name in list(state):
        is_fitted = name.endswith("_") and not name.startswith("_")
        if is_fitted and name not in OF_VALIDATION:
            del state[name]
    state.update(attributes)


def fitted_attributes(
    settings: Settings,
    chosen: Chosen,
    alpha: float | np.ndarray,
    seed: int,
    *,
    epochs: int = 0,
    left_out: LeftOut = NOTHING,
    scoring: str | None = None,
    lazily: bool = False,
    by_epochs: bool = False,
) -> dict[str, Any]:
    """All attributes of an estimator that was fitted, by name.

    Parameters
    ----------
    settings : Settings
    chosen : Chosen
        The networks.
    alpha : float or ndarray
        alpha_.
    seed : int
    epochs : int
        Completed by the fits that this one continues.
    left_out : LeftOut
        What folds have taught.
    scoring : str or None
        What a CV form has chosen by, if it has a name.
    lazily : bool
        Leave a posterior for when it is asked for.
    by_epochs : bool
        After an epoch of partial_fit.
    """
    task, trained, targets = chosen.task, chosen.trained, chosen.targets
    layout, loss, ensemble = task.layout, task.loss, settings["ensemble"]
    best, networks = trained.best, trained.predicting(ensemble)
    params = shift_origin(layout, trained.params[networks], task.training.origin, -1.0)
    network = FittedNetwork(layout, params, task.activation.name, alone=not ensemble)
    encoding = task.training.encoder
    assert encoding is None or isinstance(encoding, Encoding)
    network.encoding = encoding
    curve = trained.loss_curve[best]
    n_iter = int(trained.nit[best])
    found: dict[str, Any] = {
        **network.weights(),
        "n_layers_": len(layout.layer_units),
        "n_outputs_": layout.layer_units[-1],
        "out_activation_": loss.out_activation,
        "solver_": task.solver.name,
        "encoding_": None if encoding is None else "parts",
        "knots_": None if encoding is None else encoding.knots,
        "alpha_": alpha,
        "loss_": float(trained.loss[best]),
        "loss_curve_": curve,
        "learning_rates_": trained.rate_curve[best],
        "best_loss_": min(curve, default=float(trained.loss[best])),
        "validation_scores_": None,
        "best_validation_score_": None,
        "n_iter_": n_iter,
        "t_": n_iter * task.n_rows,
        "converged_": bool(is_one_of(trained.status[networks], SUCCESS).all()),
        **targets.fitted(),
    }
    if settings["track_gradients"]:
        norms = np.reshape(trained.gradient_curve[best], (-1, layout.n_weight_layers))
        found["gradient_norms_"] = norms
    if task.validation is not None:
        found["best_loss_"] = None  # another loss decides
        found["validation_scores_"] = [-v for v in trained.validation_curve[best]]
        found["best_validation_score_"] = -float(trained.best_validation[best])
    path = trained.path[best]
    if path is not None:
        found |= path.attributes()
    if chosen.choice is not None:
        found["alpha_choice_"] = chosen.choice
    if chosen.first_stage_alpha is not None:
        found["first_stage_alpha_"] = chosen.first_stage_alpha
    if settings.by_one_fit or settings["posterior"]:
        if lazily:
            network.pending = task, trained, networks
        else:
            found |= posterior_attributes(settings, chosen, networks, network)
    columns = None
    if settings.groups == "columns":
        columns = task.group_of_input[layout.first_inputs]
        effective = effective_params(task, trained, best)
        found["column_effective_params_"] = effective[columns]
    if settings["l1_ratio"] > 0.0:
        found["support_"] = layout.columns_left(trained.params[networks]).any(axis=0)
    found["_fitted"] = Fitted(
        network,
        targets,
        settings.kind(loss, encoding is not None),
        seed,
        n_iter + epochs,
        task.initial_sizes,
        None if chosen.choice is None else chosen.choice["model"],
        None if path is None else path.model,
        folds=left_out.folds,
        noise=left_out.noise,
        scoring=scoring,
        importances=Importances(task, network, by_epochs),
        group_of_column=columns,
    )
    if left_out.noise is not None:
        found |= _noise_attributes(left_out.noise, targets, found)
    return found


def _noise_attributes(
    noise: Noise, targets: Targets, found: Mapping[str, Any]
) -> dict[str, Any]:
    """noise_choice_, and noise_std_ as it is over the rows."""
    is_column = targets.examples().ndim == 1
    attributes: dict[str, Any] = {}
    attributes["noise_choice_"] = noise.choices[0] if is_column else noise.choices
    own = noise.deviation  # without a posterior
    within = found.get("noise_std_") if own is None else own
    if within is not None:
        std = np.atleast_1d(within) * np.sqrt(noise.level * noise.mean_ratio)
        attributes["noise_std_"] = float(std[0]) if is_column else std
    return attributes


def shown_alpha(settings: Settings, chosen: Chosen) -> float | np.ndarray:
    """alpha_ of the best network: one number where one was given or asked for."""
    given, trained = settings["alpha"], chosen.trained
    if isinstance(settings.alpha, str):
        alpha = trained.alpha[trained.best]
        is_of_groups = chosen.choice is None or chosen.choice["model"] == GROUPED
        if settings.groups is None or not is_of_groups:
            return float(alpha[0])
        return np.where(alpha < ABSENT, alpha, np.inf)
    if given is None:
        return float(trained.alpha[0, 0])
    return float(given) if np.ndim(given) == 0 else trained.alpha[0]


def one_epoch_more(
    attributes: dict[str, Any],
    before: Mapping[str, Any] | None,
    progress: PartialFitState,
    n_rows: int,
) -> dict[str, Any]:
    """The attributes after an epoch of partial_fit, with the history ``before`` it."""
    found = {**attributes, "converged_": False}
    fitted = replace(found["_fitted"], progress=progress)
    if before is not None:
        fitted = replace(fitted, epochs=before["_fitted"].epochs + 1)
    found["_fitted"] = fitted
    if before is None:
        found["best_loss_"] = min(np.inf, *found["loss_curve_"])
        return found
    found["t_"] = before["t_"] + n_rows
    for name in ("loss_curve_", "learning_rates_"):
        found[name] = before[name] + attributes[name]
    if "gradient_norms_" in before and "gradient_norms_" in found:
        norms = before["gradient_norms_"], found["gradient_norms_"]
        found["gradient_norms_"] = np.concatenate(norms)
    lowest = before["best_loss_"]
    lowest = np.inf if lowest is None else lowest
    found["best_loss_"] = min(lowest, *found["loss_curve_"])
    return found


@dataclass
class FittedCopies:
    """Copies of an estimator of one alpha, fitted with networks of a search.

    Parameters
    ----------
    plain : estimator
        Not fitted, but with the names of the features.
    settings : Settings
        Its own.
    seed : int
    """

    plain: Any
    settings: Settings
    seed: int

    def __call__(
        self,
        split: Split,
        trained: AlphaChoice,
        alpha: float,
        classes: np.ndarray | None = None,
    ) -> Any:
        """The estimator of a split at ``alpha``; it is told of all ``classes``."""
        fitted = copy.copy(self.plain)
        fitted.alpha = alpha
        chosen = Chosen(split.task, split.targets, trained)
        found = fitted_attributes(self.settings, chosen, alpha, self.seed, lazily=True)
        if classes is not None and len(found["classes_"]) < len(classes):
            found = told_of_classes(found, classes)
        vars(fitted).update(found)
        return fitted


def told_of_classes(found: dict[str, Any], classes: np.ndarray) -> dict[str, Any]:
    """Attributes of a classifier that gives classes it has not seen probability 0."""
    known, fitted = found["classes_"], found["_fitted"]
    W, b = found["coefs_"][-1], found["intercepts_"][-1]
    if len(known) == 2:  # one logit: that of two as their difference
        W, b = (np.concatenate([0.0 * a, a], axis=-1) for a in (W, b))
    places = np.searchsorted(classes, known)
    wide_W = np.zeros((*W.shape[:-1], len(classes)), dtype=W.dtype)
    wide_b = np.full((*b.shape[:-1], len(classes)), UNSEEN, dtype=b.dtype)
    wide_W[..., places], wide_b[..., places] = W, b
    coefs = [*found["coefs_"][:-1], wide_W]
    intercepts = [*found["intercepts_"][:-1], wide_b]
    network = FittedNetwork.of(coefs, intercepts, fitted.network.activation)
    network.encoding = fitted.network.encoding
    targets = fitted.targets.told_of(classes)
    return {
        **found,
        **network.weights(),
        "classes_": classes,
        "n_outputs_": len(classes),
        "out_activation_": targets.loss.out_activation,
        "_fitted": replace(fitted, network=network, targets=targets),
    }
