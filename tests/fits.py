"""Some fifty fits of the four estimators: their attributes, answers and comparison."""

import functools
import pickle
import types
import warnings

import numpy as np
import pandas as pd
from numpy.testing import assert_array_equal

from skwd import (
    AlphaPathDisplay,
    CoverageDisplay,
    LossCurveDisplay,
    RelevanceDisplay,
    WeightDecayDisplay,
    WeightDecayMLPClassifier,
    WeightDecayMLPClassifierCV,
    WeightDecayMLPRegressor,
    WeightDecayMLPRegressorCV,
)

RNG = np.random.default_rng(0)
X = RNG.standard_normal((48, 3))
Y = np.sin(2.0 * X[:, 0]) + 0.5 * X[:, 1] + 0.1 * RNG.standard_normal(48)
TARGETS = {
    "y": Y,
    "two outputs": np.column_stack([Y, X[:, 1]]),
    "counts": RNG.poisson(np.exp(0.5 * Y)),
    "constant": np.ones(48),
    "two": np.array(["no", "yes"])[(Y > 0) * 1],
    "three": np.digitize(Y, [-0.4, 0.4]),
    "labels": np.column_stack([Y > 0, X[:, 1] > 0]) * 1,
}
R, C = WeightDecayMLPRegressor, WeightDecayMLPClassifier
RCV, CCV = WeightDecayMLPRegressorCV, WeightDecayMLPClassifierCV
INPUT = {"l1_ratio": 1.0, "sparsity": "input"}
ADAPTIVE = {"l1_ratio": 1.0, "sparsity": "adaptive"}
BY_INPUT = {"alpha": "evidence", "alpha_groups": "input", "hidden_layer_sizes": ()}
EPOCHS = {"solver": "adam", "max_iter": 5, "track_gradients": True}
AUTO, EVIDENCE, LOO = {"alpha": "auto"}, {"alpha": "evidence"}, {"alpha": "loo"}
POSTERIOR, EARLY = {"posterior": True}, {"early_stopping": True}
POISSON, VARYING = {"loss": "poisson"}, {"noise": "varying"}
ENSEMBLE = {"ensemble": True, "n_init": 2}
# By name: the class, which y, and parameters.
CASES = {
    "plain": (R, "y", {}),
    "number": (R, "y", {"alpha": 0.1, "activation": "relu"}),
    "one a layer": (R, "y", {"alpha": [0.1, 0.2]}),
    "auto": (R, "y", AUTO),
    "evidence": (R, "y", EVIDENCE),
    "loo": (R, "y", LOO),
    "gcv": (R, "two outputs", {"alpha": "gcv"}),
    "layers": (R, "y", {**EVIDENCE, "alpha_groups": "layer"}),
    "columns": (R, "y", BY_INPUT),
    "lists": (R, "y", {**BY_INPUT, "alpha_groups": [[0, 2]]}),
    "auto of columns": (R, "y", {**BY_INPUT, **AUTO}),
    "posterior": (R, "two outputs", POSTERIOR),
    "auto and posterior": (R, "y", {**AUTO, **POSTERIOR}),
    "counts": (R, "counts", {**POISSON, **LOO}),
    "counts and posterior": (R, "counts", {**POISSON, **POSTERIOR}),
    "tweedie": (R, "counts", {"loss": "tweedie", "intervals": 3}),
    "huber": (R, "y", {"loss": "huber", "huber_delta": 0.5, **AUTO}),
    "quantile": (R, "two outputs", {"loss": "quantile", "quantile": 0.8}),
    "l1": (R, "y", {"l1_ratio": 1.0, "alpha": 0.1}),
    "input": (R, "y", {**INPUT, "alpha": 0.1}),
    "adaptive": (R, "y", ADAPTIVE),
    "adaptive auto": (R, "y", {**ADAPTIVE, **AUTO, "hidden_layer_sizes": ()}),
    "intervals": (R, "y", {"intervals": 4, **POSTERIOR}),
    "noise": (R, "y", {**VARYING, **AUTO, "intervals": 4, "hidden_layer_sizes": ()}),
    "noise and posterior": (R, "two outputs", {**VARYING, **POSTERIOR}),
    "epochs": (R, "y", EPOCHS),
    "early": (R, "y", EARLY),
    "ensemble": (R, "y", {**ENSEMBLE, **POSTERIOR}),
    "y as it is": (R, "y", {"normalize_y": False}),
    "masked": (R, "two outputs", {"missing_targets": "mask"}),
    "parts": (R, "y", {"encoding": "parts", "intervals": 3, **POSTERIOR}),
    "constant auto": (R, "constant", AUTO),
    "constant loo": (R, "constant", LOO),
    "constant evidence": (R, "constant", EVIDENCE),
    "two": (C, "two", {"activation": "logistic"}),
    "two auto": (C, "two", {**AUTO, "track_gradients": True}),
    "two adaptive": (C, "two", {**ADAPTIVE, **AUTO, "class_weight": "balanced"}),
    "three": (C, "three", POSTERIOR),
    "three in sets": (C, "three", {"intervals": 3, "encoding": "parts"}),
    "three loo": (C, "three", LOO),
    "three of columns": (C, "three", BY_INPUT),
    "three epochs": (C, "three", {**EPOCHS, **INPUT}),
    "labels": (C, "labels", {**POSTERIOR, **EVIDENCE}),
    "labels early": (C, "labels", EARLY),
    "ensemble of three": (C, "three", ENSEMBLE),
    "search": (RCV, "y", {"intervals": True, "scoring": "neg_mean_squared_error"}),
    "search and posterior": (RCV, "y", {**POSTERIOR, "track_gradients": True}),
    "search and noise": (RCV, "y", {**VARYING, "hidden_layer_sizes": ()}),
    "search of input": (RCV, "y", {**INPUT, **EARLY}),
    "search of two outputs": (RCV, "two outputs", ADAPTIVE),
    "search of noise": (RCV, "y", {"noise": "varying", "encoding": "parts"}),
    "search of counts": (RCV, "counts", POISSON),
    "search of two": (CCV, "two", {**POSTERIOR, "scoring": "neg_log_loss"}),
    "search adaptive": (CCV, "three", {**ADAPTIVE, "hidden_layer_sizes": ()}),
    "search of labels": (CCV, "labels", {**ENSEMBLE, "track_gradients": True}),
}


def estimator_of(name):
    """The estimator of a case, not fitted."""
    cls, _, params = CASES[name]
    common = {"hidden_layer_sizes": (3,), "activation": "tanh", "random_state": 0}
    if cls in (RCV, CCV):
        common |= {"alphas": [1e-3, 0.1], "cv": 3}
    return cls(**{**common, "tol": 1e-4, **params})


def is_table(name):
    """Whether X of a case has names; half of them have."""
    return list(CASES).index(name) % 2 == 1


def data_of(name):
    """X and y of a case."""
    table = pd.DataFrame(X, columns=list("abc"))
    return table if is_table(name) else X, TARGETS[CASES[name][1]]


def quiet(method, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return method(*args, **kwargs)


@functools.cache
def _pickled(name):
    return pickle.dumps(quiet(estimator_of(name).fit, *data_of(name)))


def fitted(name):
    """The estimator of a case, fitted; nobody else's."""
    return pickle.loads(_pickled(name))


def attributes(model):
    """The names of the public fitted attributes."""
    there = {name for name in vars(model) if name.endswith("_") and name[0] != "_"}
    return there | ({"feature_importances_"} & set(dir(model)))


def assert_same(a, b, where="it"):
    """Two values agree to the last bit, with all that they hold, but for seconds."""
    assert type(a) is type(b), where
    if isinstance(a, np.ma.MaskedArray):
        assert_same(a.tolist(), b.tolist(), where)
    elif isinstance(a, np.ndarray) and a.dtype != object:
        assert a.dtype == b.dtype, where
        assert_array_equal(a, b, where)
    elif isinstance(a, dict):
        assert list(a) == list(b), where
        for key in a:
            if "_time" not in str(key):
                assert_same(a[key], b[key], f"{where}[{key!r}]")
    elif isinstance(a, (list, tuple, np.ndarray)):
        assert len(a) == len(b), where
        for number, (one, other) in enumerate(zip(a, b)):
            assert_same(one, other, f"{where}[{number}]")
    elif isinstance(a, np.random.Generator):
        assert a.bit_generator.state == b.bit_generator.state, where
    elif callable(a) or isinstance(a, types.ModuleType):
        assert repr(a) == repr(b), where
    elif hasattr(a, "__dict__") and type(a).__module__.startswith("skwd"):
        assert_same_held(vars(a), vars(b), where)
    else:
        assert a == b or (a != a and b != b), where


def assert_same_held(a, b, where):
    """The attributes of two objects, in any order; what is cached may be missing."""
    for name in a.keys() | b.keys():
        if name in a and name in b:
            assert_same(a[name], b[name], f"{where}.{name}")


# Which attributes there are: what the docstrings say, of the parameters p. p["table"]
# says whether X has names, p["varies"] whether y varies.


def has_name(p):
    """ "Alpha by name": not "auto", which is said beside it."""
    return p.get("alpha") in ("evidence", "loo", "gcv")


def has_path(p):
    return p.get("alpha") in ("auto", "loo", "gcv") and p["varies"]


def has_columns(p):
    return p.get("alpha_groups") not in (None, "layer")


def has_noise(p):
    return p.get("noise") == "varying"


def has_evidence(p):
    return p["posterior"] or has_name(p)


TABLE = {
    "alpha_ coefs_ intercepts_ solver_ encoding_ knots_ loss_ loss_curve_ "
    "learning_rates_ best_loss_ "
    "validation_scores_ best_validation_score_ n_iter_ t_ converged_ n_layers_ "
    "n_outputs_ out_activation_ n_features_in_ feature_importances_": lambda p: True,
    "feature_names_in_": lambda p: p["table"],
    "y_mean_ y_scale_": lambda p: "loss" in p,
    "classes_": lambda p: "loss" not in p,
    "alphas_": lambda p: has_path(p) or "cv" in p,
    "alpha_scores_ alpha_score_errors_": has_path,
    "alpha_choice_": lambda p: p.get("alpha") == "auto",
    "column_effective_params_": has_columns,
    "support_": lambda p: p["l1_ratio"] > 0.0,
    "first_stage_alpha_": lambda p: (
        p["sparsity"] == "adaptive" and ("cv" in p or p["alpha"] == "auto")
    ),
    "log_evidence_ n_effective_params_ layer_effective_params_": has_evidence,
    "noise_std_": lambda p: (
        (has_evidence(p) and p.get("loss") == "squared_error")
        or (has_noise(p) and not p["posterior"])
    ),
    "noise_choice_": has_noise,
    "posterior_scale_": lambda p: p["posterior"] and "loss" not in p,
    "gradient_norms_": lambda p: p["track_gradients"],
    "cv_results_ best_index_ best_score_ n_splits_ scorer_": lambda p: "cv" in p,
}


def wanted(model, name):
    """The attributes that the table names for an estimator fitted to a case's data."""
    varies = CASES[name][1] != "constant"
    p = model.get_params() | {"table": is_table(name), "varies": varies}
    return {one for names, there in TABLE.items() if there(p) for one in names.split()}


METHODS = ["predict", "predict_proba", "predict_log_proba", "decision_function"]
METHODS += ["predict_interval", "predict_set"]


def answers(model, X, y):
    """What a fitted estimator says of X and y, and what its displays would draw.

    Displays are patched not to draw. Where it refuses, the kind of its error.
    """
    asked = {
        name: functools.partial(getattr(model, name), X)
        for name in METHODS
        if hasattr(model, name)
    }
    asked["return_std"] = lambda: model.predict(X, return_std=True)
    asked["score"] = lambda: model.score(X, y)
    asked["to_sklearn"] = lambda: model.to_sklearn().predict(X)
    for display in (
        AlphaPathDisplay,
        LossCurveDisplay,
        RelevanceDisplay,
        WeightDecayDisplay,
    ):
        asked[display.__name__] = lambda kind=display: vars(kind.from_estimator(model))
    if isinstance(model, (R, RCV)):
        asked["coverage"] = lambda: vars(CoverageDisplay.from_estimator(model, X, y))
    found = {}
    for name, ask in asked.items():
        try:
            found[name] = quiet(ask)
        except (ValueError, TypeError) as error:
            found[name] = type(error).__name__
    return found
