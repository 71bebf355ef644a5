"""The configurations of `bits` in which alpha, columns or networks are chosen."""

from bits_cases import case, epochs
from sklearn.metrics import make_scorer
from sklearn.model_selection import GroupKFold, KFold, RepeatedKFold, ShuffleSplit


def masked_error(y, predicted):
    """The mean squared error of the targets that are known."""
    return float(((y - predicted) ** 2)[y == y].mean())


KNOWN = make_scorer(masked_error, greater_is_better=False)

# Alpha by name, groups, sparsity, posteriors, intervals.
for alpha in ("auto", "evidence", "loo", "gcv"):
    case(f"reg {alpha}", alpha=alpha)
    case(f"reg {alpha} tanh", alpha=alpha, activation="tanh", hidden_layer_sizes=(4, 3))
    case(f"reg {alpha} starts", alpha=alpha, n_init=2, hidden_layer_sizes=(5,))
    case(f"reg {alpha} noise", "noise", alpha=alpha)
    case(f"reg {alpha} line", "line", alpha=alpha)
    case(f"reg {alpha} two outputs", "two weighted", alpha=alpha)
    case(f"reg {alpha} few", "few", alpha=alpha, posterior=alpha != "auto")
    case(f"reg {alpha} constant", "constant", alpha=alpha)
    case(f"reg {alpha} linear", alpha=alpha, hidden_layer_sizes=())
    if alpha != "gcv":
        case(f"cls {alpha}", alpha=alpha)
        case(f"cls {alpha} two", "two weights", alpha=alpha, posterior=True)
        case(f"cls {alpha} labels", "labels", alpha=alpha)
        case(f"cls {alpha} coin", "coin", alpha=alpha)
        case(f"cls {alpha} line", "line of two", alpha=alpha, hidden_layer_sizes=(4,))
for alpha in ("auto", "evidence"):
    for activation in ("relu", "tanh"):
        how = {"alpha": alpha, "activation": activation, "hidden_layer_sizes": (4,)}
        for groups in ("layer", "input", [[0, 1], [3]]):
            case(
                f"reg {alpha} {activation} groups {groups}", alpha_groups=groups, **how
            )
    few = {"alpha": alpha, "hidden_layer_sizes": (3,)}
    case(f"reg {alpha} names", "frame", alpha_groups=[["age", "floor"]], **few)
    case(f"cls {alpha} input", "three weights", alpha_groups="input", **few)
case(
    "reg evidence input", "units", alpha="evidence", alpha_groups="input", ensemble=True
)
case("reg evidence posterior", alpha="evidence", posterior=True, alpha_groups="input")
case("reg auto adam", alpha="auto", solver="adam", max_iter=20)
case("reg auto decoupled", alpha="auto", decay="decoupled", max_iter=20)
case("reg auto stopping", alpha="auto", early_stopping=True)
case("reg auto with X_val", "validation", alpha="auto", early_stopping=True)
case("reg auto weighted", "weighted", alpha="auto", ensemble=True, n_init=2)
case("reg auto one split", "very many rows", alpha="auto", max_iter=4, tol=0.1)
for sparsity in (None, "input", "adaptive"):
    how = {"sparsity": sparsity, "l1_ratio": 0.9}
    case(f"reg sparsity {sparsity}", alpha=0.1, **how)
    case(f"reg sparsity {sparsity} auto", alpha="auto", **how)
    case(f"reg sparsity {sparsity} starts", "two weighted", n_init=2, **how)
    case(f"cls sparsity {sparsity}", "three weights", alpha=0.05, **how)
    case(f"regcv sparsity {sparsity}", **how)
    case(f"clscv sparsity {sparsity}", "two", **how | {"n_init": 2, "ensemble": True})
epochs("reg adam two stages", sparsity="adaptive", l1_ratio=1.0, alpha=0.1)
case("reg posterior", posterior=True, alpha=0.05)
case("reg posterior kronecker", "many rows", posterior=True, hidden_layer_sizes=(450,))
case("reg posterior compact", "many rows", posterior=True, hidden_layer_sizes=(40,))
how = {"hidden_layer_sizes": (420,), "solver": "adam", "max_iter": 2}
case("reg posterior kronecker adam", "many rows", posterior=True, **how)
case("reg linear input", hidden_layer_sizes=(), alpha="evidence", alpha_groups="input")
case("reg posterior deep", posterior=True, hidden_layer_sizes=(6, 5), activation="elu")
case("reg posterior ensemble", posterior=True, alpha=0.1, n_init=3, ensemble=True)
case("reg posterior adam", solver="adam", posterior=True, alpha=0.1, max_iter=20)
case("reg intervals", intervals=5)
case("reg intervals splitter", "weighted", intervals=KFold(4), n_init=2, ensemble=True)
case("reg intervals groups", "groups", intervals=GroupKFold(4), hidden_layer_sizes=(5,))
case("reg intervals auto", "two outputs", intervals=3, alpha="auto", posterior=True)
case("reg intervals line", "line", intervals=3, alpha="auto", solver="adam")
case("reg intervals adaptive", intervals=3, alpha=0.1, l1_ratio=1, sparsity="adaptive")
case("reg intervals evidence", intervals=3, alpha="evidence", alpha_groups="input")
case("reg intervals few", "few", intervals=2, loss="quantile")
# CV forms.
case("regcv alphas None", alphas=None)
case("regcv alphas None noise", "noise", alphas=None, cv=None)
case("regcv alphas int", alphas=5)
case("regcv sorted", "sorted", cv=None)
case("regcv alphas None clean", "clean", alphas=None, cv=3)
how = {"solver": "gd", "learning_rate_init": 0.1, "max_iter": 60}
case("regcv fails in part", alphas=[0.01, 0.1, 1e9], **how)
case("regcv starts 1se", n_init=2, rule="1se")
case("regcv ensemble intervals", n_init=2, ensemble=True, intervals=True)
case("regcv weighted", "weighted", posterior=True)
case("regcv weighted intervals", "weighted", intervals=True, rule="1se")
case(
    "regcv scoring",
    scoring="neg_mean_absolute_error",
    cv=ShuffleSplit(2, random_state=0),
)
case("regcv two outputs", "two outputs", scoring="neg_root_mean_squared_error")
case("regcv repeated", cv=RepeatedKFold(n_splits=2, n_repeats=2, random_state=0))
case("regcv groups", "groups", cv=GroupKFold(3), intervals=True)
case("regcv stopping", early_stopping=True)
case("regcv stopping with X_val", "validation", early_stopping=True)
case("regcv counts", "counts", loss="poisson", scoring="neg_mean_poisson_deviance")
case("regcv huber", "outliers", loss="huber", alphas=None)
case("regcv missing", "missing", missing_targets="mask", scoring=KNOWN)
case("regcv linear", hidden_layer_sizes=(), alphas=None)
case("regcv constant", "constant")
case("regcv adam", solver="adam", max_iter=12, batch_size=16, dropout=0.1)
case("regcv sgd", solver="sgd", max_iter=12, batch_size=16, decay="decoupled")
case("regcv float32", "float32", track_gradients=True)
case("regcv csr", "csr", l1_ratio=0.5)
case("regcv frame", "frame", n_jobs=2)
case("regcv routed", "weighted", how="routed")
case("regcv adaptive intervals", intervals=True, sparsity="adaptive", l1_ratio=1)
case("clscv alphas None", alphas=None, cv=None)
case("clscv log-loss", "two", scoring="neg_log_loss", alphas=4, rule="1se")
case("clscv rare", "rare", cv=KFold(4), scoring="neg_log_loss")
case("clscv rare accuracy", "rare", cv=KFold(4))
case("clscv lacks classes", "three sorted", cv=KFold(3), scoring="neg_log_loss")
case("clscv lacks classes, accuracy", "three sorted", cv=KFold(3), n_init=2)
case("clscv roc", "two weights", scoring="roc_auc", posterior=True)
case("clscv labels", "labels", scoring="neg_log_loss")
case("clscv weighted", "three weights", class_weight="balanced", n_init=2)
case("clscv names", "names", scoring="balanced_accuracy")
case("clscv frame", "three frame", early_stopping=True)
case("clscv csr", "three csr", solver="adam", max_iter=12)
case("clscv posterior ensemble", n_init=2, ensemble=True, posterior=True)
case("clscv fails", scoring="roc_auc")
for kind in ("regcv", "clscv"):
    case(f"{kind} heard", how="heard", verbose=2)
# What displays show.
case("reg shown", how="shown", posterior=True, alpha=0.05)
case("reg shown ensemble", how="shown", n_init=2, ensemble=True, early_stopping=True)
case("reg shown loo", how="shown", alpha="loo", intervals=4)
case("reg shown auto", how="shown", alpha="auto")
case("reg shown evidence", "frame", how="shown", alpha="evidence", alpha_groups="input")
case("reg shown lasso", how="shown", alpha=0.1, l1_ratio=1.0, sparsity="input")
case("cls shown", how="shown", posterior=True, alpha=0.05)
case("regcv shown", how="shown", rule="1se", intervals=True)
case("clscv shown", "three frame", how="shown", l1_ratio=1.0, sparsity="adaptive")
