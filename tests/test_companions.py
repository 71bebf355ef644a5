"""What works beside skwd: a table of tools of scikit-learn and others, one claim each.

Tools of other packages are skipped where they are not installed; CI installs them.
"""

import copy
import pickle

import joblib
import numpy as np
import pytest
from scipy import sparse
from sklearn import ensemble, inspection, metrics, model_selection, multiclass
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.datasets import make_classification, make_friedman1
from sklearn.feature_selection import RFE, SelectFromModel, SequentialFeatureSelector
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import cross_val_predict, cross_val_score
from sklearn.multioutput import (
    ClassifierChain,
    MultiOutputClassifier,
    MultiOutputRegressor,
    RegressorChain,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier

from skwd import (
    WeightDecayMLPClassifier,
    WeightDecayMLPRegressor,
    WeightDecayMLPRegressorCV,
)

pytestmark = [
    pytest.mark.slow,
    # Of others' code, of small data, and of alphas of a grid.
    pytest.mark.filterwarnings("ignore"),
]
X, y = make_friedman1(150, 6, noise=0.5, random_state=0)
X = StandardScaler().fit_transform(X)
XC, yc = make_classification(150, 6, n_informative=4, random_state=0)
Y, YC = np.stack([y, X[:, 0] - y], axis=1), np.stack([yc, 1 - yc], axis=1)
y3 = np.arange(150) % 3
SMALL = {"hidden_layer_sizes": (6,), "alpha": 0.003, "random_state": 0}
ALPHAS = {"alpha": [0.001, 0.01]}


def R(**how):
    return WeightDecayMLPRegressor(**{**SMALL, **how})


def C(**how):
    return WeightDecayMLPClassifier(**{**SMALL, **how})


def weights_of_columns(model):
    return np.linalg.norm(model.coefs_[0], axis=1)


def splits_in_time():
    return model_selection.TimeSeriesSplit(3)


def grid(search, **how):
    return search(R(), ALPHAS, cv=3, **how).fit(X, y).best_score_ > 0.5


def halving(resource):
    from sklearn.experimental import enable_halving_search_cv  # noqa: F401

    how = {"resource": resource, "cv": 2, "random_state": 0, "factor": 2}
    if resource == "max_iter":
        how |= {"min_resources": 20, "max_resources": 80}
    else:
        how["min_resources"] = 40
    search = model_selection.HalvingGridSearchCV(R(), ALPHAS, **how)
    return search.fit(X, y).best_params_["alpha"] in ALPHAS["alpha"]


def nested():
    search = model_selection.GridSearchCV(R(), ALPHAS, cv=2)
    return cross_val_score(search, X, y, cv=2).mean() > 0.5


def by_groups():
    groups = np.arange(150) % 5
    folds = model_selection.GroupKFold(5)
    return cross_val_score(R(), X, y, groups=groups, cv=folds).shape == (5,)


def learning_curve(**how):
    found = model_selection.learning_curve(
        R(**how),
        X,
        y,
        train_sizes=[0.4, 1.0],
        cv=2,
        exploit_incremental_learning=bool(how),
    )
    return np.isfinite(found[2]).all()


def validation_curve():
    how = {"param_name": "alpha", "param_range": [0.01, 0.1], "cv": 2}
    return model_selection.validation_curve(R(), X, y, **how)[1].shape == (2, 2)


def calibrated(method):
    model = CalibratedClassifierCV(C(), method=method, cv=2).fit(XC, yc)
    return model.score(XC, yc) > 0.8


def partial_dependence():
    found = inspection.partial_dependence(R().fit(X, y), X, [0])
    return found["average"].shape[0] == 1


def permutation():
    found = inspection.permutation_importance(R().fit(X, y), X, y, n_repeats=2)
    return found.importances_mean[3] > found.importances_mean[5]


def stacked():
    model = ensemble.StackingRegressor([("a", R()), ("b", R(random_state=1))], cv=2)
    return model.fit(X, y).score(X, y) > 0.7


def voted():
    model = ensemble.VotingClassifier([("a", C()), ("b", C(alpha=0.1))], voting="soft")
    return model.fit(XC, yc).score(XC, yc) > 0.8


def selected(selector):
    return 1 <= selector.fit(X, y).get_support().sum() < 6


def transformed():
    model = TransformedTargetRegressor(R(), func=np.log, inverse_func=np.exp)
    return model.fit(X, y - y.min() + 1.0).score(X, y - y.min() + 1.0) > 0.7


def thresholds(kind, **how):
    model = getattr(model_selection, kind)(C(), **how).fit(XC, yc)
    return model.score(XC, yc) > 0.7


def self_training():
    some = np.where(np.arange(150) < 50, yc, -1)
    return SelfTrainingClassifier(C()).fit(XC, some).score(XC, yc) > 0.6


def in_pandas():
    pd = pytest.importorskip("pandas")
    scaler = StandardScaler().set_output(transform="pandas")
    pipe = make_pipeline(scaler, R()).fit(pd.DataFrame(X, columns=list("abcdef")), y)
    return list(pipe[-1].feature_names_in_) == list("abcdef")


def nullable():
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame(X, columns=list("abcdef")).convert_dtypes()
    labels = pd.Series(np.where(yc, "yes", "no"), dtype="category")
    fits = R().fit(table, pd.Series(y, dtype="Float64")), C().fit(table, labels)
    return all(np.isfinite(fit.score(table, t)) for fit, t in zip(fits, (y, labels)))


def in_polars():
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({f"c{j}": X[:, j] for j in range(6)})
    model = R().fit(frame, pl.Series(y))
    return list(model.feature_names_in_) == frame.columns


def csr_from_columns():
    table = np.column_stack([np.arange(150) % 7, np.arange(150) % 3])
    columns = make_column_transformer((OneHotEncoder(), [0, 1]), sparse_threshold=1.0)
    assert sparse.issparse(columns.fit_transform(table))
    return np.isfinite(make_pipeline(columns, R()).fit(table, y).score(table, y))


def by_step_name():
    pipe = make_pipeline(StandardScaler(), R(early_stopping=True))
    given = {"X_val": X[100:], "y_val": y[100:], "sample_weight": np.ones(100)}
    step = {f"weightdecaymlpregressor__{name}": value for name, value in given.items()}
    return len(pipe.fit(X[:100], y[:100], **step)[-1].validation_scores_) > 0


def copies():
    model = R().fit(X, y)
    found = [pickle.loads(pickle.dumps(model)), copy.deepcopy(model)]
    found.append(clone(model).fit(X, y))
    return all((other.predict(X) == model.predict(X)).all() for other in found)


def stored(folder):
    path = folder / "model.joblib"
    joblib.dump(R().fit(X, y), path)
    return (joblib.load(path).predict(X) == R().fit(X, y).predict(X)).all()


def display(module, name, *arguments, **how):
    pytest.importorskip("matplotlib").use("Agg")
    drawn = getattr(module, name).from_estimator(*arguments, **how)
    return hasattr(drawn, "figure_")


def balanced():
    over_sampling = pytest.importorskip("imblearn.over_sampling")
    pipeline = pytest.importorskip("imblearn.pipeline")
    rare = (yc == 1) & (np.arange(150) % 3 > 0) | (yc == 0) & (np.arange(150) % 6 == 0)
    model = pipeline.make_pipeline(over_sampling.RandomOverSampler(random_state=0), C())
    return model.fit(XC[rare], yc[rare]).score(XC, yc) > 0.6


def by_mapie(kind):
    regression = pytest.importorskip("mapie.regression")
    if kind == "split":
        model = regression.SplitConformalRegressor(R().fit(X, y), confidence_level=0.9)
        model.conformalize(X, y)
    else:
        model = regression.CrossConformalRegressor(R(), confidence_level=0.9, cv=3)
        model.fit_conformalize(X, y)
    return model.predict_interval(X)[1].shape[:2] == (150, 2)


def classes_by_mapie():
    classification = pytest.importorskip("mapie.classification")
    model = classification.SplitConformalClassifier(
        C().fit(XC, yc), confidence_level=0.9
    ).conformalize(XC, yc)
    return model.predict_set(XC)[1].shape[:2] == (150, 2)


def by_optuna():
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.ERROR)

    def objective(trial):
        alpha = trial.suggest_float("alpha", 1e-4, 1.0, log=True)
        return cross_val_score(R(alpha=alpha), X, y, cv=2).mean()

    study = optuna.create_study(direction="maximize")
    study.optimize(objective, n_trials=3)
    return np.isfinite(study.best_value)


def by_shap():
    shap = pytest.importorskip("shap")
    model = R().fit(X, y)
    values = shap.Explainer(model.predict, X[:20])(X[:3])
    return values.values.shape == (3, 6)


def by_scikit_lego():
    meta = pytest.importorskip("sklego.meta")
    groups = np.column_stack([np.arange(150) % 2, X])
    model = meta.GroupedPredictor(R(), groups=[0]).fit(groups, y)
    return model.predict(groups).shape == (150,)


def by_dask_ml():
    """Incremental's way: parts of a stream through partial_fit."""
    model = R(solver="adam", learning_rate_init=0.02)
    for _ in range(60):
        for part in np.array_split(np.arange(150), 3):
            model.partial_fit(X[part], y[part])
    return model.score(X, y) > 0.5


TOOLS = {
    "GridSearchCV": lambda: grid(model_selection.GridSearchCV),
    "RandomizedSearchCV": lambda: grid(
        model_selection.RandomizedSearchCV, n_iter=2, random_state=0
    ),
    "HalvingGridSearchCV, n_samples": lambda: halving("n_samples"),
    "HalvingGridSearchCV, max_iter": lambda: halving("max_iter"),
    "cross_val_predict": lambda: cross_val_predict(R(), X, y, cv=3).shape == (150,),
    "cross_val_predict, probabilities": lambda: (
        cross_val_predict(C(), XC, yc, cv=3, method="predict_proba").shape == (150, 2)
    ),
    "nested cross-validation": nested,
    "TimeSeriesSplit": lambda: (
        cross_val_score(R(), X, y, cv=splits_in_time()).shape == (3,)
    ),
    "TimeSeriesSplit in a CV form": lambda: (
        WeightDecayMLPRegressorCV(
            hidden_layer_sizes=(4,), alphas=[0.01, 0.1], cv=splits_in_time()
        )
        .fit(X, y)
        .n_splits_
        == 3
    ),
    "groups": by_groups,
    "learning_curve": learning_curve,
    "learning_curve, incremental": lambda: learning_curve(solver="adam"),
    "validation_curve": validation_curve,
    "permutation_importance": permutation,
    "partial dependence": partial_dependence,
    "CalibratedClassifierCV, sigmoid": lambda: calibrated("sigmoid"),
    "CalibratedClassifierCV, isotonic": lambda: calibrated("isotonic"),
    "BaggingRegressor": lambda: (
        ensemble.BaggingRegressor(R(), n_estimators=3).fit(X, y).score(X, y) > 0.7
    ),
    "AdaBoostRegressor": lambda: (
        ensemble.AdaBoostRegressor(R(), n_estimators=3).fit(X, y).score(X, y) > 0.7
    ),
    "AdaBoostClassifier": lambda: (
        ensemble.AdaBoostClassifier(C(), n_estimators=3).fit(XC, yc).score(XC, yc) > 0.8
    ),
    "StackingRegressor": stacked,
    "VotingClassifier": voted,
    "MultiOutputRegressor": lambda: (
        MultiOutputRegressor(R()).fit(X, Y).predict(X).shape == Y.shape
    ),
    "MultiOutputClassifier": lambda: (
        MultiOutputClassifier(C())
        .fit(XC, np.stack([yc, 1 - yc], 1))
        .score(XC, np.stack([yc, 1 - yc], 1))
        > 0.7
    ),
    "RegressorChain": lambda: RegressorChain(R()).fit(X, Y).predict(X).shape == Y.shape,
    "ClassifierChain": lambda: (
        ClassifierChain(C()).fit(XC, YC).predict(XC).shape == (150, 2)
    ),
    "OneVsRestClassifier": lambda: (
        multiclass.OneVsRestClassifier(C()).fit(XC, np.arange(150) % 3).classes_.size
        == 3
    ),
    "OneVsOneClassifier": lambda: (
        multiclass.OneVsOneClassifier(C()).fit(XC, np.arange(150) % 3).classes_.size
        == 3
    ),
    "OutputCodeClassifier": lambda: (
        multiclass.OutputCodeClassifier(C(), random_state=0).fit(XC, y3).classes_.size
        == 3
    ),
    "SelectFromModel": lambda: selected(
        SelectFromModel(R(), importance_getter=weights_of_columns)
    ),
    "RFE": lambda: selected(
        RFE(R(), n_features_to_select=5, importance_getter=weights_of_columns)
    ),
    "SequentialFeatureSelector": lambda: selected(
        SequentialFeatureSelector(R(tol=1e-2), n_features_to_select=1, cv=2)
    ),
    "TransformedTargetRegressor": transformed,
    "FrozenEstimator": lambda: (
        FrozenEstimator(R().fit(X, y)).fit(X, -y).score(X, y) > 0.7
    ),
    "FixedThresholdClassifier": lambda: thresholds(
        "FixedThresholdClassifier", threshold=0.4
    ),
    "TunedThresholdClassifierCV": lambda: thresholds(
        "TunedThresholdClassifierCV", cv=2
    ),
    "SelfTrainingClassifier": self_training,
    "set_output": in_pandas,
    "pandas, nullable and category": nullable,
    "polars": in_polars,
    "CSR from ColumnTransformer": csr_from_columns,
    "weights and X_val by step name": by_step_name,
    "pickle, deepcopy, clone": copies,
    "DecisionBoundaryDisplay": lambda: display(
        inspection, "DecisionBoundaryDisplay", C().fit(XC[:, :2], yc), XC[:, :2]
    ),
    "RocCurveDisplay": lambda: display(
        metrics, "RocCurveDisplay", C().fit(XC, yc), XC, yc
    ),
    "LearningCurveDisplay": lambda: display(
        model_selection, "LearningCurveDisplay", R(), X, y, train_sizes=[0.5, 1], cv=2
    ),
    "ValidationCurveDisplay": lambda: display(
        model_selection,
        "ValidationCurveDisplay",
        R(),
        X,
        y,
        param_name="alpha",
        param_range=[0.01, 0.1],
        cv=2,
    ),
    "imbalanced-learn": balanced,
    "mapie, split": lambda: by_mapie("split"),
    "mapie, cross": lambda: by_mapie("cross"),
    "mapie, classes": classes_by_mapie,
    "optuna": by_optuna,
    "shap": by_shap,
    "scikit-lego": by_scikit_lego,
    "a stream in parts": by_dask_ml,
}


@pytest.mark.parametrize("name", TOOLS)
def test_it_works_beside(name):
    assert TOOLS[name]()


def test_joblib_files(tmp_path):
    assert stored(tmp_path)
