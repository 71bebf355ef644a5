"""The configurations of `bits`, by name: solvers, losses, tables and classes.

Those in which something is chosen are in `bits_choices`. ``how`` is what is called, see
`bits_parts`.
"""

from typing import NamedTuple

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
# Fewer units and epochs than by default, so that a fit takes milliseconds.
SMALL = {"hidden_layer_sizes": (8,), "random_state": 0, "max_iter": 300}
ACTIVATIONS = ["identity", "logistic", "tanh", "relu", "leaky_relu", "elu", "selu"]
ACTIVATIONS += ["silu", "gelu", "softplus"]
DECAYS = "decoupled", "independent", "normalized", "scheduled", "cautious"
CASES = {}


class Case(NamedTuple):
    """An estimator, the name of its table, and what is called."""

    model: object
    data: str
    how: str


def case(name, data=None, how="fit", **params):
    """Add a configuration; the first word of its name is the estimator."""
    kind = name.partition(" ")[0]
    assert name not in CASES, name
    if kind.endswith("cv"):
        params.setdefault("alphas", [0.01, 0.1, 1.0])
        params.setdefault("cv", 3)
    data = data or ("numbers" if kind.startswith("reg") else "three")
    CASES[name] = Case(ESTIMATORS[kind](**SMALL | params), data, how)


def epochs(name, data=None, how="fit", **params):
    """A configuration of some twelve epochs."""
    epoch = {"max_iter": 12, "batch_size": 16, "alpha": 0.02, "learning_rate_init": 0.1}
    if name.split()[1] != "sgd" and params.get("solver") != "sgd":
        epoch["learning_rate_init"] = 0.01
    case(name, data, how, **epoch | {"solver": name.split()[1]} | params)


# Regressors: defaults, solvers, activations, depths.
case("reg defaults", hidden_layer_sizes=(100,))
case("reg many rows in blocks", "many rows", max_iter=20)
case("reg auto is adam", batch_size=20, max_iter=10)
case("reg verbose", verbose=1, alpha=0.1, max_iter=15)
case("reg verbose evidence", verbose=2, alpha="evidence", hidden_layer_sizes=(3,))
case("reg gd", solver="gd", learning_rate_init=0.1, max_iter=40)
case("reg gd cosine", solver="gd", learning_rate="cosine", max_iter=40)
for solver in ("sgd", "adam"):
    epochs(f"reg {solver}")
    epochs(f"cls {solver}")
    for schedule in ("invscaling", "adaptive", "cosine", "linear"):
        epochs(f"reg {solver} {schedule}", learning_rate=schedule, warmup_epochs=2)
    epochs(f"reg {solver} dropout", dropout=0.2)
    epochs(f"cls {solver} dropout by layer", dropout=[0.1, 0.3])
    epochs(f"reg {solver} lasso", l1_ratio=0.7, alpha=0.1)
    epochs(f"reg {solver} stopping", early_stopping=True, max_iter=40)
    epochs(f"reg {solver} gradients", track_gradients=True, n_init=2)
    epochs(f"reg {solver} weighted float32", "float32", hidden_layer_sizes=(6, 5))
    for decay in DECAYS:
        epochs(f"reg {solver} {decay}", decay=decay, alpha=None, batch_size=25)
epochs("reg sgd plain", momentum=0.0, shuffle=False)
epochs("reg sgd heavy ball", nesterovs_momentum=False, momentum=0.8)
epochs("reg sgd diverges", learning_rate_init=1e6)
epochs("reg sgd to its end", max_iter=400, tol=1e-2, n_iter_no_change=3)
epochs("reg adam betas", beta_1=0.8, beta_2=0.99, epsilon=1e-4)
epochs("reg adam csr", "csr")
epochs("reg adam weighted", "weighted", n_init=3, ensemble=True)
for activation in ACTIVATIONS:
    case(f"reg activation {activation}", activation=activation, alpha=0.05)
case("reg linear", hidden_layer_sizes=(), alpha=0.05)
case("reg linear lasso", hidden_layer_sizes=(), alpha=0.1, l1_ratio=1.0)
case("reg linear posterior", hidden_layer_sizes=(), posterior=True)
case("reg three deep", hidden_layer_sizes=(6, 5, 4), alpha=[0.1, 0.05, 0.02, 0.01])
deep = {"hidden_layer_sizes": (6, 6, 6, 6), "activation": "logistic"}
case("reg five deep of logistic units", alpha=1e-3, **deep)
case("reg large batches", "many rows", batch_size=2900, max_iter=3)
case("reg units is a number", hidden_layer_sizes=5, alpha=0.0, max_iter=30)
case("reg max_fun", max_fun=7)
case("reg gradients", track_gradients=True, alpha=0.05)
case("reg early stopping", early_stopping=True, validation_fraction=0.25)
case("reg early stopping with X_val", "validation", early_stopping=True, n_init=2)
# Losses, y and X.
LOSSES = {
    "huber": "outliers",
    "absolute_error": "outliers",
    "quantile": "numbers",
    "poisson": "counts",
    "gamma": "positive",
    "tweedie": "rain",
}
for loss, data in LOSSES.items():
    case(f"reg loss {loss}", data, loss=loss)
    case(f"reg loss {loss} auto", data, loss=loss, alpha="auto")
    case(f"reg loss {loss} linear", data, loss=loss, hidden_layer_sizes=())
case("reg huber_delta", "outliers", loss="huber", huber_delta=0.5)
case("reg huber as is", "outliers", loss="huber", huber_delta=0.5, normalize_y=False)
case("reg quantile 0.9", loss="quantile", quantile=0.9, n_init=2)
case("reg tweedie 1.2", "rain", loss="tweedie", power=1.2)
case("reg poisson adam", "counts", loss="poisson", solver="adam", max_iter=20)
case("reg poisson posterior", "counts", loss="poisson", posterior=True)
case("reg poisson evidence", "counts", loss="poisson", alpha="evidence")
case("reg poisson loo", "counts", loss="poisson", alpha="loo")
case("reg y as it is", normalize_y=False)
case("reg two outputs", "two outputs", posterior=True)
case("reg two outputs as they are", "two outputs", normalize_y=False, n_init=2)
case("reg two outputs weighted", "two weighted", loss="huber", ensemble=True, n_init=2)
case("reg missing", "missing", missing_targets="mask")
case("reg missing auto", "missing", missing_targets="mask", alpha="auto")
epochs("reg adam missing", "missing", missing_targets="mask")
for data in ("weighted", "float32", "csr", "csr32", "frame", "units", "copies", "wide"):
    case(f"reg table {data}", data)
    case(f"reg table {data} evidence", data, alpha="evidence", posterior=True)
case("reg table one column", "one column", alpha="loo")
case("reg table constant", "constant", posterior=True)
# Starts, warm starts, streams.
case("reg ensemble", n_init=3, ensemble=True)
case("reg starts", n_init=3)
for kind in ("reg", "cls"):
    case(f"{kind} twice", how="twice", warm_start=True)
    case(f"{kind} twice evidence", how="twice", warm_start=True, alpha="evidence")
    case(f"{kind} twice auto", how="twice", warm_start=True, alpha="auto")
    case(
        f"{kind} twice ensemble", how="twice", warm_start=True, ensemble=True, n_init=2
    )
    case(f"{kind} twice adam", how="twice", warm_start=True, solver="adam", max_iter=9)
    case(f"{kind} stream", how="stream", track_gradients=True)
    case(f"{kind} stream sgd", how="stream", solver="sgd", dropout=0.1, shuffle=False)
case("reg stream decay", "weighted", how="stream", decay="decoupled", l1_ratio=0.0)
case("reg stream counts", "counts", how="stream", loss="poisson", alpha=0.1)
case("reg stream csr", "csr32", how="stream", learning_rate="invscaling")
case("reg stream gd", how="stream", solver="gd", learning_rate_init=0.1)
case("cls stream labels", "labels", how="stream")
case("cls stream two", "two", how="stream", l1_ratio=0.5, alpha=0.05)
# Classifiers.
case("cls defaults", hidden_layer_sizes=(100,))
for data in (
    "two",
    "labels",
    "names",
    "rare",
    "one label less",
    "one class",
    "two weights",
):
    case(f"cls table {data}", data, n_init=2)
for data in ("three weights", "two float32", "three csr", "three frame"):
    case(f"cls table {data}", data, posterior=True)
case("cls linear", hidden_layer_sizes=(), alpha=0.05)
case("cls linear two", "two", hidden_layer_sizes=(), alpha=0.05, posterior=True)
case("cls class_weight", class_weight={0: 2.0, 1: 0.5})
case("cls balanced", "three weights", class_weight="balanced")
case("cls balanced auto", "rare", class_weight="balanced", alpha="auto")
case("cls posterior labels", "labels", posterior=True, alpha=0.02)
case("cls posterior ensemble", posterior=True, n_init=2, ensemble=True)
case("cls ensemble labels", "labels weights", n_init=2, ensemble=True)
case("cls ensemble two", "two", n_init=2, ensemble=True, activation="silu")
case("cls stopping", early_stopping=True, class_weight="balanced")
case("cls stopping with X_val", "two validation", early_stopping=True, alpha=0.01)
case("cls gd", "two", solver="gd", learning_rate_init=0.3, max_iter=30)
case("cls gradients", track_gradients=True, hidden_layer_sizes=(5, 4))
# Of what is done with an estimator.
for kind in ("reg", "cls"):
    case(f"{kind} heard", how="heard", alpha=0.05)
    case(f"{kind} heard adam", how="heard", solver="adam", max_iter=5)
    case(f"{kind} assigned", how="assigned", alpha=0.05, posterior=True)
case("reg heard evidence", how="heard", alpha="evidence")
