"""Parameter checks: one clear error with what was given and the remedy."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from skwd._alpha import WAYS, Way
from skwd._core.activations import ACTIVATIONS
from skwd._core.losses import LOSSES
from skwd._cv.problem import Problem
from skwd._cv.settings import Settings
from skwd._estimators.alpha_groups import check_alpha_groups
from skwd._estimators.parameter_values import (
    check_alpha,
    check_dropout,
    check_encoding,
    check_hidden_layer_sizes,
    check_missing_targets,
    check_n_jobs,
    check_noise,
    check_sparsity,
    no_l1,
    varies,
)
from skwd._estimators.rules import RULES, is_list, is_real, meant
from skwd._estimators.warnings import warn
from skwd._solvers.decay import DECAYS
from skwd._solvers.first_order import OF_BATCHES, given_parameters
from skwd._solvers.registry import (
    SOLVERS,
    solver_of,
    solvers_that_read,
    solvers_with,
)
from skwd._solvers.schedules import SCHEDULES


def _check_optimum(
    params: Mapping[str, Any], way: Way | None, kind: str | None
) -> None:
    """Raise where alpha by name or a posterior cannot mean anything.

    ``way`` is what chooses alpha, ``kind`` that of the groups that have one each.
    """
    alpha, loss = params.get("alpha"), LOSSES.get(params.get("loss", ""))
    likelihood = None if loss is None else loss.likelihood
    if way is not None:
        asked = f"alpha={alpha!r}"
    elif kind is not None:
        asked = f"alpha_groups={params['alpha_groups']!r}"
    else:
        asked = "posterior=True"
    if loss is not None and likelihood is None:
        raise ValueError(
            f"{asked} is not for loss={loss.name!r}, which has no likelihood whose "
            f"noise is known. Use {_without(params, way, kind)}."
        )
    needed: dict[str, tuple] = {
        "decay": ("l2",),
        "early_stopping": (False,),
        "dropout": (0.0,),
    }
    if way is not None or kind is not None:
        needed |= {name: (none,) for name, none in OF_BATCHES.items()}
        needed["solver"] = ("auto", *solvers_with("finds_minima"))
    for name, wanted in needed.items():
        given = params[name]
        if given not in wanted:
            raise ValueError(
                f"{asked} needs a minimum of J over all rows, which {name}={given!r} "
                f"does not give. Use {name}={wanted[0]!r}."
            )
    if params["l1_ratio"] > 0:
        raise ValueError(
            f"{asked} needs alpha/2 times the sum of squares for a penalty, as only "
            f"that is a Gaussian prior; got l1_ratio={params['l1_ratio']!r}. Use "
            f"{no_l1(params['sparsity'])}, or {_without(params, way, kind)}."
        )
    estimates_noise = likelihood is not None and likelihood.estimates_noise
    if way is not None and way.needs_noise and not estimates_noise:
        raise ValueError(
            f"{asked} is for loss='squared_error'; got "
            f"{params.get('loss', 'cross-entropy')!r}. Use "
            "alpha='loo' or alpha='evidence'."
        )


def _without(params: Mapping[str, Any], way: Way | None, kind: str | None) -> str:
    """What to use in the place of all that is about a minimum of J, in words."""
    found = ["posterior=False"] * bool(params["posterior"])
    found += ["alpha_groups=None"] * (kind is not None)
    found += ["alpha='auto', a number or a CV form"] * (way is not None)
    return " and ".join(found)


def _check_groups(params: Mapping[str, Any], way: Way | None) -> str:
    """The kind of groups that alpha is chosen for; raises where it is not chosen."""
    groups, alpha = params.get("alpha_groups"), params.get("alpha")
    check_alpha_groups(groups)
    by_auto = isinstance(alpha, str) and alpha == "auto"
    if by_auto or (way is not None and way.has_groups):
        return "layer" if isinstance(groups, str) and groups == "layer" else "columns"
    raise ValueError(
        f"alpha_groups={groups!r} is for alpha='evidence' and alpha='auto', which "
        f"choose an alpha for each group; got alpha={alpha!r}. Use alpha='evidence', "
        "or alpha_groups=None."
    )


# Where a number is given to a parameter that is a name: which parameter it is of.
OF_NUMBERS = {
    "learning_rate": "did you mean learning_rate_init={!r}? This is its schedule",
    "decay": "the strength of weight decay is alpha. This is how alpha acts in a step",
}


def check_choice(name: str, value, choices: tuple[str, ...]) -> None:
    """Raise unless ``value`` is one of the names in ``choices``."""
    if not isinstance(value, str) or value not in choices:
        listed = ", ".join(repr(choice) for choice in choices)
        near = meant(value, choices)
        if name in OF_NUMBERS and is_real(value):
            near = f": {OF_NUMBERS[name].format(value)}."
        raise ValueError(f"{name} must be one of {listed}; got {value!r}{near}")


@lru_cache(maxsize=64)
def _defaults(cls: type) -> dict[str, Any]:
    """The parameters of this package's constructor, which a subclass may replace."""
    own = next(c for c in cls.__mro__ if c.__module__.startswith("skwd."))
    found = inspect.signature(own).parameters.values()
    return {p.name: p.default for p in found if p.kind is p.KEYWORD_ONLY}


def parameters_of(estimator: Any) -> dict[str, Any]:
    """The parameters that this package reads, at a tenth of get_params' cost.

    A subclass may set those that its own constructor lacks.
    """
    return {name: getattr(estimator, name) for name in _defaults(estimator.__class__)}


def check_parameters(estimator: Any, *, by_epochs: bool = False) -> Settings:
    """Check every parameter that does not depend on the data; what they stand for.

    ``by_epochs``: the solver has to go on epoch by epoch.
    """
    defaults, params = _defaults(estimator.__class__), parameters_of(estimator)
    check_choice("solver", params["solver"], ("auto", *SOLVERS))
    check_choice("activation", params["activation"], tuple(ACTIVATIONS))
    check_choice("learning_rate", params["learning_rate"], SCHEDULES)
    check_choice("decay", params["decay"], tuple(DECAYS))
    if "loss" in params:
        check_choice("loss", params["loss"], tuple(LOSSES))
        check_missing_targets(params)
        check_choice("noise", params["noise"], ("constant", "varying"))
        check_noise(params)
    for name, rule in RULES.items():
        if name not in params or params[name] is defaults[name]:
            continue
        if not rule.allows(params[name]):
            default = repr(defaults[name]).replace("e-0", "e-")
            remedy = rule.remedy or f"Use {name}={default}, the default."
            near = meant(params[name], rule.others, rule)
            raise ValueError(
                f"{name} must be {rule.wanted}; got {params[name]!r}{near} {remedy}"
            )
    check_encoding(params["encoding"])
    hidden = check_hidden_layer_sizes(params["hidden_layer_sizes"])
    if is_list(params["dropout"]):
        params["dropout"] = list(params["dropout"])
        check_dropout(params["dropout"], len(hidden) + 1)
    if params["warmup_epochs"] >= params["max_iter"] and not by_epochs:
        raise ValueError(
            "warmup_epochs must be below max_iter, as the learning rate rises to "
            f"learning_rate_init in so many epochs; got {params['warmup_epochs']!r} "
            f"with max_iter={params['max_iter']!r}. Use warmup_epochs=0 for none."
        )
    if params["sparsity"] is not None or params["l1_ratio"] > 0:
        check_sparsity(params["sparsity"], params["l1_ratio"], params["decay"])
    check_n_jobs(params["n_jobs"])
    solver = params["solver"]
    for name in given_parameters(params):
        able = solvers_that_read(name)
        if solver not in ("auto", *able):
            listed = ", ".join(repr(name) for name in able)
            raise ValueError(
                f"{name}={params[name]!r} is for the solvers {listed}; got solver="
                f"{solver!r}. Use {name}={OF_BATCHES[name]!r}, or another solver."
            )
    given = params.get("alpha")
    way = WAYS.get(given) if isinstance(given, str) else None
    kind = None
    if params.get("alpha_groups") is not None:
        kind = _check_groups(params, way)
    if way is not None or kind is not None or params["posterior"]:
        _check_optimum(params, way, kind)
    needs = ["has_epochs"] if by_epochs else []
    wants_minimum = params["posterior"] or params["l1_ratio"] > 0
    if way is not None or kind is not None:
        needs.append("finds_minima")
    elif wants_minimum and not by_epochs and not given_parameters(params):
        needs.append("finds_minima")
    return Settings(
        params,
        hidden,
        solver_of(params, needs=tuple(needs)),
        check_alpha(given, len(hidden) + 1),
        kind,
        params["encoding"] == "parts",
        estimator._targets_of(params),
    )


class _Noted(dict):
    """Parameters that note which of them are asked for."""

    def __init__(self, params: Mapping[str, Any]):
        super().__init__(params)
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        self.read.add(name)
        return super().__getitem__(name)


@lru_cache(maxsize=64)
def _read_by(cls: type, names: tuple[str, ...]) -> dict[str, list[str]]:
    """The losses, all ``names``, that read each parameter of an estimator."""
    found: dict[str, list[str]] = {}
    for name in names:
        noted = _Noted(_defaults(cls))
        LOSSES[name].with_parameters(noted)
        for parameter in sorted(noted.read):
            found.setdefault(parameter, []).append(name)
    return found


def warn_of_unread(estimator: Any, settings: Settings, problem: Problem) -> None:
    """Name a parameter that changes nothing beside the others, or with these data."""
    if settings.in_parts and not problem.encodings.have_parts:
        why = problem.encodings.why_without_parts
        warn(f"encoding='parts' leaves all columns of X as they are: {why}.")
    if settings["ensemble"] and settings["n_init"] == 1:
        warn(
            "ensemble=True averages n_init networks, and n_init=1. Use n_init=5, say, "
            "or leave ensemble out."
        )
    loss = settings.params.get("loss")
    if loss is None:
        return
    defaults = _defaults(estimator.__class__)
    read_by = _read_by(estimator.__class__, tuple(LOSSES))
    for parameter, losses in read_by.items():
        given = settings[parameter]
        if loss not in losses and given != defaults[parameter]:
            able = " or ".join(f"loss={name!r}" for name in losses)
            warn(
                f"{parameter}={given!r} is for {able}, and is not read by loss="
                f"{loss!r}. Use {able}, or leave {parameter} out."
            )


def ratio_settings(estimator: Any, settings: Settings) -> Settings | None:
    """Those of rho, the network of noise="varying"; None where the noise is constant.

    Of the estimator's layers, activation, workers and verbose, else by default.
    """
    if not varies(settings.params):
        return None
    params = dict(_defaults(estimator.__class__))
    kept = ("hidden_layer_sizes", "activation", "n_jobs", "verbose")
    params |= {name: settings[name] for name in kept}
    params |= {"loss": "gamma", "alpha": "auto"}
    solver = solver_of(params).quiet(settings.solver.hooks)
    make_targets = estimator._targets_of(params)
    in_parts = params["encoding"] == "parts"
    how = settings.hidden, solver, "auto", None, in_parts, make_targets
    return Settings(params, *how)
