"""What must hold for every row that fits: each property says what is wrong, or None.

A property returns SKIPPED where it does not apply. Those of other data, units and rows
are in `data_properties`, those of scikit-learn's tools in `tool_properties`.
"""

import copy
import pickle
import re

import numpy as np
from calls import HAS_CALLBACKS, Heard
from cases import differing, outputs
from sklearn.base import clone

SKIPPED = "skipped"
OTHER_PARAMETERS = {
    "activation": "softplus",
    "alpha": 3.0,
    "class_weight": None,
    "early_stopping": False,
    "ensemble": False,
    "hidden_layer_sizes": (7,),
    "intervals": None,
    "loss": "huber",
    "missing_targets": "error",
    "n_init": 1,
    "noise": "constant",
    "normalize_y": False,
    "posterior": False,
    "solver": "gd",
}


def callbacks_and_threads_change_nothing(case):
    """The bits are the same without a callback that listens, and with one thread."""
    if case.has(callback="no", threads="1"):
        return SKIPPED
    quiet = case.call._replace(row=case.row | {"callback": "no", "threads": "1"})
    model = quiet.quietly()
    found = differing(case.outputs, outputs(model, case.call))
    return f"{found} differ" if found else None


def clones_and_copies(case):
    """A clone trained as the model was, a pickle and a deep copy give the same bits."""
    before = Heard.ended
    copies = {
        "clone": case.call.quietly(model=clone(case.model)),
        "pickle": pickle.loads(pickle.dumps(case.model)),
        "deepcopy": copy.deepcopy(case.model),
    }
    wrong = {
        name: differing(case.outputs, outputs(other, case.call))
        for name, other in copies.items()
    }
    wrong = {name: found for name, found in wrong.items() if found}
    listens = HAS_CALLBACKS and case.has(callback="yes", how=("fit", "twice"))
    if listens and Heard.ended == before:
        return "the callback of a clone heard nothing"
    return f"{wrong} differ" if wrong else None


def finite_and_shaped(case):
    """Outputs are finite and of the documented shapes; labels come from classes_."""
    y, model = case.y, case.model
    shapes = {"predict": y.shape, "return_std": y.shape, "interval": (*y.shape, 2)}
    if case.is_classifier and not case.has(y="multilabel"):
        n_classes = len(model.classes_)
        of_classes = (len(y), n_classes)
        shapes["predict_proba"] = shapes["predict_log_proba"] = of_classes
        shapes["decision_function"] = of_classes if n_classes > 2 else y.shape
        shapes["set"] = of_classes
    elif case.is_classifier:
        shapes["set"] = (*y.shape, 2)
    for name, found in case.outputs.items():
        if found.shape != shapes.get(name, y.shape):
            return f"{name} has the shape {found.shape}"
        if found.dtype.kind == "f" and not np.isfinite(found).all():
            return f"{name} is not finite"
    if "return_std" in case.outputs and not (case.outputs["return_std"] > 0.0).all():
        return "deviations are not positive"
    if "interval" in case.outputs:
        ends = case.outputs["interval"]
        if not (ends[..., 0] <= ends[..., 1]).all():
            return "the ends of an interval cross"
    if not case.is_classifier:
        return None
    if not np.isin(case.outputs["predict"], model.classes_).all():
        return "labels are not from classes_"
    total = case.outputs["predict_proba"].sum(axis=1)
    if not case.has(y="multilabel") and not np.allclose(total, 1.0, atol=1e-5):
        return "probabilities do not sum to 1"
    return None


def fitted_numbers(case):
    """loss_, alpha_ and weights are numbers; attributes are the documented ones."""
    model = case.model
    if not np.isfinite(model.loss_) or np.isnan(np.asarray(model.alpha_)).any():
        return f"loss_={model.loss_}, alpha_={model.alpha_}"
    if not all(np.isfinite(part).all() for part in model.coefs_ + model.intercepts_):
        return "weights are not finite"
    text = type(model).__doc__
    names = [n for n in vars(model) if n.endswith("_") and not n.startswith("_")]
    missing = [n for n in names if not re.search(rf"\b{n}\b", text)]
    return f"{missing} are not documented" if missing else None


def no_leaks(case):
    """No warning of a floating-point operation or of a library below leaks."""
    for caught in case.warnings:
        if issubclass(caught.category, (RuntimeWarning, FutureWarning)):
            return f"{caught.category.__name__}: {caught.message}"
        if "skwd" in caught.filename:
            return f"a warning points into the package: {caught.message}"
    return None


def set_params_changes_nothing(case):
    """Parameters that are set after the fit change no prediction."""
    model = copy.deepcopy(case.model)
    known = model.get_params()
    model.set_params(**{n: v for n, v in OTHER_PARAMETERS.items() if n in known})
    found = differing(case.outputs, outputs(model, case.call))
    return f"{found} differ" if found else None


def not_above_the_constant(case):
    """J at the end is at most that of the constant."""
    if not case.is_to_a_minimum or not case.has(missing="error", class_weight="none"):
        return SKIPPED
    weight = case.call.weight
    if case.is_classifier:
        if case.has(y="multilabel"):
            parts = np.average(case.y, axis=0, weights=weight)
            parts = np.stack([parts, 1.0 - parts])
        else:
            labels = case.y[:, np.newaxis] == case.model.classes_
            parts = np.average(labels, axis=0, weights=weight)
        constant = -np.sum(parts * np.log(parts))
    elif case.has(loss="squared_error"):
        y = case.y.reshape(len(case.y), -1)
        y = (y - case.model.y_mean_) / case.model.y_scale_
        spread = np.average((y - np.average(y, 0, weight)) ** 2, axis=0, weights=weight)
        constant = 0.5 * spread.sum()
    else:
        return SKIPPED
    if case.model.loss_ > constant * (1.0 + 1e-5):
        return f"J is {case.model.loss_}, the constant's {constant}"
    return None


def not_the_constant(case):
    """A chosen model is not the constant where a plain number explains the data.

    Counts may lie as near to their mean as those of a constant rate: then the evidence,
    which knows their noise, must be higher for the constant.
    """
    plain = case.row | {"alpha": "number", "alpha_groups": "none"}
    if not case.is_to_a_minimum or not case.has(alpha=("auto", "evidence", "loo")):
        return SKIPPED
    numbers = case.outputs.get("decision_function", case.outputs["predict"])
    if np.ptp(np.asarray(numbers, dtype=np.float64), axis=0).max() > 0.0:
        return None
    if case.has(alpha="evidence", loss="poisson"):
        model = case.call._replace(row=plain | {"posterior": "yes"}).quietly()
        ours, other = case.model.log_evidence_, model.log_evidence_
        return f"a constant of {ours}, alpha=.05 has {other}" if ours < other else None
    model = case.call._replace(row=plain).quietly()
    score = case.score(model.predict(case.call.X))
    return f"a constant, where alpha=.05 has {score}" if score > 0.3 else None


PROPERTIES = [
    callbacks_and_threads_change_nothing,
    clones_and_copies,
    finite_and_shaped,
    fitted_numbers,
    no_leaks,
    set_params_changes_nothing,
    not_above_the_constant,
    not_the_constant,
]
