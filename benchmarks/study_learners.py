"""The learners that `study` compares: those of skwd, and their rivals.

CatBoost, LightGBM and pytabkit's RealMLP take part where they are installed. Each
stands behind the same Pipeline; all have their own defaults, but what has to be chosen
for every table is chosen by cross-validation, and scikit-learn's MLP has the two
settings that its users are told of: early stopping, and a standardised y.
"""

from importlib.util import find_spec

import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegressionCV, RidgeCV
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

from skwd import (
    WeightDecayMLPClassifier,
    WeightDecayMLPClassifierCV,
    WeightDecayMLPRegressor,
    WeightDecayMLPRegressorCV,
)

SEED = {"random_state": 0}
OURS = ("default", "auto", "auto, five", "evidence", "loo", "cv")
# More rows to train on than this are too many for these: the training rows' own
# evidence, all cells of a cross-validation, kernels.
SMALL_ONLY, SMALL = ("evidence", "loo", "cv", "SVM"), 1000
STOPPED = {"early_stopping": True, "max_iter": 1000}  # scikit-learn's MLP
FIVE = {"n_init": 5, "ensemble": True}
# Other networks of "auto", for whom they may suit.
TWO = {"hidden_layer_sizes": (100, 100)}
TRIED = {
    "auto, two": TWO,
    "auto, two SiLU": TWO | {"activation": "silu"},
    "auto, two SELU": TWO | {"activation": "selu"},
    "auto, SiLU": {"activation": "silu"},
}
FOLDS = {
    "squared_error": KFold(5, shuffle=True, random_state=0),
    "classes": StratifiedKFold(5, shuffle=True, random_state=0),
}
WIDTHS = np.logspace(-3, 0, 4)
STRENGTHS = np.logspace(-1, 3, 5)


def scaled(model):
    return TransformedTargetRegressor(model, transformer=StandardScaler())


def boosted(kind, n_threads=1):
    """What is installed of CatBoost and LightGBM."""
    found = {}
    if find_spec("catboost"):
        import catboost

        how = {"verbose": 0, "thread_count": n_threads, "allow_writing_files": False}
        regress, classify = catboost.CatBoostRegressor, catboost.CatBoostClassifier
        model = classify if kind == "classes" else regress
        found["CatBoost"] = model(random_seed=0, **how)
    if find_spec("lightgbm"):
        import lightgbm

        regress, classify = lightgbm.LGBMRegressor, lightgbm.LGBMClassifier
        model = classify if kind == "classes" else regress
        found["LightGBM"] = model(n_jobs=n_threads, verbose=-1, **SEED)
    return found


def real_mlp(kind, n_threads=1):
    """RealMLP with its tuned defaults, where pytabkit is installed."""
    if not find_spec("pytabkit"):
        return {}
    import pytabkit

    regress, classify = pytabkit.RealMLP_TD_Regressor, pytabkit.RealMLP_TD_Classifier
    model = classify if kind == "classes" else regress
    return {"RealMLP": model(device="cpu", n_threads=n_threads, **SEED)}


def learners(kind, names=None):
    """Name to estimator, of all or of some; TRIED only by name."""
    ours = WeightDecayMLPClassifier if kind == "classes" else WeightDecayMLPRegressor
    cv, rivals = _of_classes() if kind == "classes" else _of_numbers()
    found = {
        "default": ours(**SEED),
        "auto": ours(alpha="auto", **SEED),
        "auto, five": ours(alpha="auto", **FIVE, **SEED),
        "evidence": ours(alpha="evidence", **SEED),
        "loo": ours(alpha="loo", **SEED),
        "cv": cv,
        **rivals,
        **boosted(kind),
        **real_mlp(kind),
    }
    tried = {n: ours(alpha="auto", **how, **SEED) for n, how in TRIED.items()}
    return {n: e for n, e in (found | tried).items() if n in (names or found)}


def _of_numbers():
    """The CV form and its rivals."""
    folds = FOLDS["squared_error"]
    grid = {"regressor__C": STRENGTHS, "regressor__gamma": WIDTHS}
    return WeightDecayMLPRegressorCV(cv=folds, **SEED), {
        "MLP": scaled(MLPRegressor(**STOPPED, **SEED)),
        "linear": RidgeCV(np.logspace(-3, 3, 13)),
        "SVM": GridSearchCV(scaled(SVR()), grid, cv=folds),
        "HistGB": HistGradientBoostingRegressor(**SEED),
        "forest": RandomForestRegressor(**SEED),
        "extra trees": ExtraTreesRegressor(**SEED),
    }


def _of_classes():
    """The same for classes."""
    by = {"cv": FOLDS["classes"], "scoring": "neg_log_loss"}
    grid = {"C": STRENGTHS, "gamma": WIDTHS}
    return WeightDecayMLPClassifierCV(**by, **SEED), {
        "MLP": MLPClassifier(**STOPPED, **SEED),
        "linear": LogisticRegressionCV(max_iter=1000),
        "SVM": GridSearchCV(SVC(probability=True, **SEED), grid, **by),
        "HistGB": HistGradientBoostingClassifier(**SEED),
        "forest": RandomForestClassifier(**SEED),
        "extra trees": ExtraTreesClassifier(**SEED),
    }
