"""All that a fit of `bits` tells, by name: arrays of numbers, or of words.

What is called is "fit"; "twice" (fit, and from there to another alpha); "stream"
(partial_fit over three thirds, twice); "routed" (fit with metadata routing); "heard"
(fit with a callback, that notes each task); "shown" (fit, and what all displays of it
draw); or "assigned" (fit, then other weights).
"""

import contextlib
import io
import pickle
import warnings

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import sklearn
from bits_data import table
from matplotlib.text import Text
from sklearn.base import is_classifier, is_regressor

import skwd

matplotlib.use("Agg")

PREDICTIONS = {
    "predict": ("predict", {}),
    "predict_proba": ("predict_proba", {}),
    "predict_log_proba": ("predict_log_proba", {}),
    "decision_function": ("decision_function", {}),
    "return_std": ("predict", {"return_std": True}),
    "predict_interval 0.9": ("predict_interval", {}),
    "predict_interval 0.5": ("predict_interval", {"coverage": 0.5}),
}


class Heard:
    """A callback that notes which tasks end, and of how good a network."""

    def __init__(self):
        self.names, self.scores = [], []

    def setup(self, estimator, context):
        self.names.append("setup")

    def teardown(self, estimator, context):
        self.names.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.names.append(f"{context.task_name} begins")

    def on_fit_task_end(self, estimator, context, *, X, y, fitted_estimator):
        self.names.append(f"{context.task_name} ends")
        if fitted_estimator is not None:
            self.scores.append(fitted_estimator.score(X, y))


def parts_of(case, with_pickle=False):
    """All parts of a configuration; asserts that a pickle tells the same."""
    given = table(case.data)
    X_new = given.pop("X_new")
    model, printed = sklearn.clone(case.model), io.StringIO()
    with (
        warnings.catch_warnings(record=True) as said,
        contextlib.redirect_stdout(printed),
    ):
        warnings.simplefilter("always")
        failure = called("fit", lambda: fit(model, case.how, given))
        parts = failure | told(model, X_new)
        if with_pickle:
            again = failure | told(pickle.loads(pickle.dumps(model)), X_new)
            assert {*parts} == {*again}
            for name, part in parts.items():
                same = part.dtype == again[name].dtype
                assert same and part.tobytes() == again[name].tobytes(), name
    lines = [line for line in printed.getvalue().splitlines() if "done (" not in line]
    parts["printed"] = np.asarray("\n".join(lines))
    if not with_pickle:
        for number, one in enumerate(said):
            text = f"{one.category.__name__}: {one.message}"
            parts[f"warning {number}"] = np.asarray(text)
    return parts


def fit(model, how, given):
    """Do what ``how`` names."""
    heard = Heard()
    if how == "stream":
        rows = np.array_split(np.arange(len(given["y"])), 3)
        named = is_classifier(model) and given["y"].ndim == 1
        first = {"classes": np.unique(given["y"])} if named else {}
        for part in [*rows, *rows]:
            model.partial_fit(**{k: v[part] for k, v in given.items()}, **first)
    elif how == "routed":
        with sklearn.config_context(enable_metadata_routing=True):
            model.set_fit_request(sample_weight=True)
            model.set_score_request(sample_weight=True)
            model.fit(**given)
    elif how == "heard":
        model.set_callbacks(heard).fit(**given)
        model.heard_, model.heard_scores_ = heard.names, heard.scores
    else:
        model.fit(**given)
    if how == "twice":
        if not isinstance(model.alpha, str):
            model.set_params(alpha=0.02)
        model.fit(**given)
    if how == "assigned":
        model.coefs_ = [2.0 * W for W in model.coefs_]
        model.intercepts_[0] += 1.0
    if how == "shown":
        model.shown_ = {}
        for name in skwd.__all__:
            is_for_it = name != "CoverageDisplay" or is_regressor(model)
            if name.endswith("Display") and is_for_it:
                model.shown_ |= called(name, drawn, getattr(skwd, name), model, given)


def drawn(display, model, given):
    """The numbers and words of a display of the model."""
    rows = (given["X"], given["y"]) if display is skwd.CoverageDisplay else ()
    shown = display.from_estimator(model, *rows)
    words = [text.get_text() for text in shown.figure_.findobj(Text)]
    plt.close(shown.figure_)
    numbers = {k: v for k, v in vars(shown).items() if not k.endswith("_")}
    return numbers | {"words": words}


def told(model, X_new):
    """All that a fitted estimator tells, by name."""
    parts = {}
    for name in dir(model):
        if name.endswith("_") and not name.startswith("_"):
            parts |= called(name, getattr, model, name)
    if "coefs_" not in parts and "coefs_.0" not in parts:
        return parts
    asked = {"return_std": is_regressor(model) and model.posterior}
    asked["predict_interval 0.9"] = bool(getattr(model, "intervals", None))
    asked["predict_interval 0.5"] = asked["predict_interval 0.9"]
    for name, (method, how) in PREDICTIONS.items():
        if hasattr(model, method) and asked.get(name, True):
            parts |= called(name, getattr(model, method), X_new, **how)
    return parts | called("to_sklearn", exported, model, X_new)


def exported(model, X_new):
    """What scikit-learn's form of it tells."""
    there = model.to_sklearn()
    return {"coefs": [*there.coefs_, *there.intercepts_], "y": there.predict(X_new)}


def called(name, function, *args, **given):
    """The parts of a call's result, or its error's words."""
    try:
        return dict(flat(name, function(*args, **given)))
    except Exception as error:
        return {f"{name}.error": np.asarray(f"{type(error).__name__}: {error}")}


def flat(name, value):
    """Yield (name, array) for each part of a value; times are left out."""
    if isinstance(value, dict):
        for key, part in value.items():
            if "time" not in str(key):
                yield from flat(f"{name}.{key}", part)
    elif isinstance(value, np.ma.MaskedArray):
        yield from flat(name, value.tolist())
    elif isinstance(value, (list, tuple)) and not all(map(np.isscalar, value)):
        for number, part in enumerate(value):
            yield from flat(f"{name}.{number}", part)
    elif value is None or isinstance(value, (str, list, tuple, np.ndarray)):
        array = np.asarray(str(value) if value is None else value)
        yield name, array.astype(str) if array.dtype == object else array
    else:
        scalar = np.isscalar(value)
        yield name, np.asarray(value if scalar else type(value).__name__)
