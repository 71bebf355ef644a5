"""The factors of the covering array: what a call of skwd is made of, value by value.

The first value of a factor is the package's default. A value is the parameters that it
sets; where it sets none it is something that `calls` does, by its name. What depends on
the rest of the row is a function of it.
"""

from sklearn.model_selection import KFold

from skwd import (
    WeightDecayMLPClassifier,
    WeightDecayMLPClassifierCV,
    WeightDecayMLPRegressor,
    WeightDecayMLPRegressorCV,
)

ESTIMATORS = {
    "reg": WeightDecayMLPRegressor,
    "cls": WeightDecayMLPClassifier,
    "regcv": WeightDecayMLPRegressorCV,
    "clscv": WeightDecayMLPClassifierCV,
}
# The kinds of y that go with each estimator, where the row does not say.
NATURAL = {"reg": "numbers", "regcv": "numbers", "cls": "integers", "clscv": "integers"}
ACTIVATIONS = "relu identity logistic tanh leaky_relu elu selu silu gelu softplus"
DECAYS = "l2 decoupled independent normalized scheduled cautious"
LAYERS = {"one": (3,), "none": (), "two": (3, 2)}
FIRST_LABEL = {"strings": "a", "booleans": True}


def each(name, values):
    """A factor that is one parameter, whose values are words."""
    return {value: {name: value} for value in values.split()}


def per_layer(number):
    """So many times a number as there are weight layers."""
    return lambda row: [number] * (len(LAYERS[row["layers"]]) + 1)


FACTORS = {
    "estimator": {name: {} for name in ESTIMATORS},
    "y": {
        name: {}
        for name in "numbers column two-outputs integers strings booleans multilabel"
        "".split()
    },
    "activation": each("activation", ACTIVATIONS),
    "layers": {name: {"hidden_layer_sizes": units} for name, units in LAYERS.items()},
    "solver": each("solver", "auto lbfgs gd sgd adam"),
    "encoding": {
        "auto": {},
        "none": {"encoding": None},
        "parts": {"encoding": "parts"},
    },
    "rate": {
        **each("learning_rate", "constant invscaling adaptive cosine linear"),
        "warmup": {"warmup_epochs": 3},
    },
    "loss": {
        **each("loss", "squared_error huber absolute_error quantile poisson gamma"),
        "huber-delta": {"loss": "huber", "huber_delta": 0.5},
        "quantile-9": {"loss": "quantile", "quantile": 0.9},
        "tweedie": {"loss": "tweedie", "power": 1.2},
    },
    "alpha": {
        "default": {},
        "number": {"alpha": 0.05},
        "zero": {"alpha": 0.0},
        "list": {"alpha": per_layer(0.05)},
        **each("alpha", "auto evidence loo gcv"),
    },
    "alpha_groups": {
        "none": {},
        "layer": {"alpha_groups": "layer"},
        "input": {"alpha_groups": "input"},
        "list": {"alpha_groups": [[0, 1]]},
    },
    "sparsity": {
        "none": {},
        "half-l1": {"l1_ratio": 0.5},
        "input": {"l1_ratio": 1.0, "sparsity": "input"},
        "adaptive": {"l1_ratio": 1.0, "sparsity": "adaptive"},
    },
    "decay": each("decay", DECAYS),
    "dropout": {
        "none": {},
        "number": {"dropout": 0.2},
        "list": {"dropout": per_layer(0.1)},
    },
    "stopping": {
        "none": {},
        "fraction": {"early_stopping": True, "validation_fraction": 0.25},
        "X_val": {"early_stopping": True},
    },
    "starts": {
        "one": {},
        "two": {"n_init": 2},
        "ensemble": {"n_init": 2, "ensemble": True},
    },
    "posterior": {"no": {}, "yes": {"posterior": True}},
    "intervals": {
        "none": {},
        "folds": {"intervals": lambda row: True if is_cv(row) else 3},
        "splitter": {"intervals": KFold(4)},
    },
    "noise": each("noise", "constant varying"),
    "weights": {name: {} for name in ("none", "ones", "zeros", "tiny", "huge")},
    "class_weight": {
        "none": {},
        "balanced": {"class_weight": "balanced"},
        "dict": {"class_weight": lambda row: {FIRST_LABEL.get(row["y"], 1): 2.0}},
    },
    "missing": {"error": {}, "mask": {"missing_targets": "mask"}},
    "normalize_y": {"yes": {}, "no": {"normalize_y": False}},
    "dtype": {name: {} for name in ("float64", "float32", "int32")},
    "container": {name: {} for name in ("dense", "csr", "frame", "memmap")},
    "how": {"fit": {}, "twice": {"warm_start": True}, "partial_fit": {}},
    "callback": {"no": {}, "yes": {}},
    "threads": {"1": {}, "2": {}},
    "jobs": {"one": {}, "two": {"n_jobs": 2}},
}
DEFAULTS = {factor: next(iter(values)) for factor, values in FACTORS.items()}
# What a value has to have beside it to be said at all: each of these is tried.
BESIDE = {
    ("alpha_groups", groups): ("alpha", ("evidence", "auto"))
    for groups in ("layer", "input", "list")
}
# How messages name a factor, where not by the parameters that its value sets.
WORDS = {
    "estimator": ("WeightDecayMLP",),
    "y": ("y", "target", "label", "classes", "outputs"),
    "weights": ("sample_weight", "weights"),
    "stopping": ("early_stopping", "X_val"),
    "how": ("warm_start", "partial_fit"),
    "dtype": ("X",),
    "container": ("X",),
    "callback": ("callbacks",),
}


def is_cv(row):
    return row["estimator"].endswith("cv")


def is_classifier(row):
    return row["estimator"].startswith("cls")


def parameters(row):
    """What the values of a row set, by name, in the order of the factors.

    Defaults set nothing.
    """
    given = {}
    for factor, value in row.items():
        if value != DEFAULTS[factor]:
            given |= FACTORS[factor][value]
    return {name: v(row) if callable(v) else v for name, v in given.items()}


def words_of(pair):
    """What a message may call one of two values by."""
    return [
        word
        for factor, value in pair
        for word in (*FACTORS[factor][value], *WORDS.get(factor, ()))
    ]


def written(row):
    """A row as a line: what is not the default."""
    given = [f"{f}={v}" for f, v in row.items() if v != DEFAULTS[f]]
    return " ".join(given) or "estimator=reg"


def read(line):
    """The row that a line, or a pair written as such, stands for."""
    return DEFAULTS | dict(word.split("=") for word in line.split())


def pairs_of(row):
    """All pairs of values in a row, as (factor, value) twice, in the factors' order."""
    items = list(row.items())
    return [(a, b) for i, a in enumerate(items) for b in items[i + 1 :]]


def all_pairs():
    """Every pair of values of two factors."""
    names = list(FACTORS)
    return [
        ((f, a), (g, b))
        for i, f in enumerate(names)
        for g in names[i + 1 :]
        for a in FACTORS[f]
        for b in FACTORS[g]
    ]
