"""Columns behind the steps of a Pipeline: their names, sources, and shared alphas."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import BaggingRegressor
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import RFE, SelectKBest, VarianceThreshold, f_regression
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline, make_union
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    SplineTransformer,
    StandardScaler,
    TargetEncoder,
)

from skwd import (
    CoverageDisplay,
    LossCurveDisplay,
    RelevanceDisplay,
    TermsDisplay,
    WeightDecayDisplay,
    WeightDecayMLPRegressor,
    source_groups,
)
from skwd._estimators.sources import columns_behind

SMALL = {"hidden_layer_sizes": (4,), "random_state": 0}
TOWNS = ["A", "B_x", "C", "A", "B_x", "A"] * 10


def table():
    rng = np.random.default_rng(0)
    found = pd.DataFrame(
        {
            "size": rng.standard_normal(60),
            "town": TOWNS,
            "town_B": rng.standard_normal(60),  # named as a category of another
            "kind": ["u", "v"] * 30,
        }
    )
    found.loc[3, "size"] = np.nan
    y = found["size"].fillna(0.0) + 2.0 * (found["town"] == "C")
    return found, y + 0.1 * rng.standard_normal(60)


def columns(encoder=None):
    return make_column_transformer(
        (make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), ["size"]),
        (OneHotEncoder() if encoder is None else encoder, ["kind", "town"]),
        ("drop", []),
        remainder="passthrough",
    )


def sources_of(step, X, y=None):
    names, found = columns_behind(step.fit(X, y), None).by_source()
    return [names[k] for k in found]


@pytest.mark.wide(4)
@pytest.mark.parametrize(
    ("encoder", "expected"),
    [
        (OneHotEncoder(), ["kind"] * 2 + ["town"] * 3),
        (OneHotEncoder(drop="first"), ["kind"] + ["town"] * 2),
        (OneHotEncoder(drop="if_binary"), ["kind"] + ["town"] * 3),
        (OneHotEncoder(max_categories=2), ["kind"] * 2 + ["town"] * 2),
        (OneHotEncoder(max_categories=2, drop="first"), ["kind", "town"]),
        (OrdinalEncoder(), ["kind", "town"]),
        (make_pipeline(OneHotEncoder(), StandardScaler(with_mean=False)), None),
        (
            make_pipeline(OrdinalEncoder(), KBinsDiscretizer(2)),
            ["kind"] * 2 + ["town"] * 2,
        ),
        (
            make_pipeline(OrdinalEncoder(), SplineTransformer(3)),
            ["kind"] * 5 + ["town"] * 5,
        ),
        (make_union(OneHotEncoder(), OrdinalEncoder()), "union"),
        (
            make_pipeline(OneHotEncoder(), VarianceThreshold(0.23)),
            ["kind"] * 2 + ["town"],
        ),
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:The current default behavior")
@pytest.mark.filterwarnings("ignore:.*quantile_method")
def test_the_source_of_every_column(encoder, expected):
    X, _ = table()
    if expected is None:
        expected = ["kind"] * 2 + ["town"] * 3
    if expected == "union":
        expected = ["kind"] * 2 + ["town"] * 3 + ["kind", "town"]
    step = columns(encoder)
    assert sources_of(step, X) == ["size"] * 2 + expected + ["town_B"]
    assert step.transform(X).shape[1] == len(expected) + 3


def test_columns_of_several_sources_stand_for_themselves():
    X, _ = table()
    numbers = X[["size", "town_B"]].fillna(0.0)
    assert sources_of(PCA(), numbers) == ["pca0", "pca1"]
    terms = sources_of(PolynomialFeatures(2, include_bias=False), numbers)
    assert terms == ["size", "town_B", "size", "size town_B", "town_B"]


def test_means_of_each_class_are_of_their_category():
    """As many as there are categories in all, three of each column."""
    X = pd.DataFrame({"two": ["a", "b"] * 12, "four": list("pqrs") * 6})
    y = np.arange(24) % 3
    names = ["two"] * 3 + ["four"] * 3
    assert sources_of(TargetEncoder(cv=2), X, y) == names


def test_a_pipeline_may_begin_with_no_step():
    X, _ = table()
    steps = [("none", "passthrough"), ("code", OneHotEncoder())]
    assert source_groups(Pipeline(steps), X[["kind"]]) == [[0, 1]]


def test_of_arrays_they_have_numbers():
    X = np.array([[0, 5.0], [1, 6.0], [2, 7.0]])
    step = make_column_transformer((OneHotEncoder(), [0]), (StandardScaler(), [-1]))
    assert sources_of(step, X) == ["column 0"] * 3 + ["column 1"]
    masked = make_column_transformer(
        (OneHotEncoder(), np.array([True, False])), (StandardScaler(), slice(1, None))
    )
    assert sources_of(masked, X) == ["column 0"] * 3 + ["column 1"]
    by_label = make_column_transformer((StandardScaler(), slice("a", "b")))
    assert sources_of(by_label, pd.DataFrame(X, columns=["a", "b"])) == ["a", "b"]


@pytest.mark.slow
def test_groups_of_one_source_share_an_alpha():
    X, y = table()
    assert source_groups(columns(), X) == [[0, 1], [2, 3], [4, 5, 6]]
    fitted = columns().fit(X)
    assert source_groups(fitted) == source_groups(columns(), X)
    assert source_groups(StandardScaler().fit(X[["town_B"]])) == []
    with pytest.raises(NotFittedError):
        source_groups(columns())
    selecting = make_pipeline(columns(), SelectKBest(f_regression, k=4))
    assert all(len(group) > 1 for group in source_groups(selecting, X, y))
    groups = source_groups(fitted)
    net = WeightDecayMLPRegressor(alpha="evidence", alpha_groups=groups, **SMALL)
    pipe = make_pipeline(fitted, net).fit(X, y)
    alphas = pipe[-1].alpha_
    assert len(alphas) == 3 + 1 + 1  # the groups, town_B, and the output layer
    shown = RelevanceDisplay.from_estimator(pipe, by="source")
    assert set(shown.names) == set(X.columns)
    # Weights of a group are counted once, those of all columns by column.
    counted = dict(zip(shown.names, shown.n_effective))
    assert counted["town"] == pipe[-1].column_effective_params_[4]
    total = pipe[-1].layer_effective_params_[0]
    assert sum(shown.n_effective) == pytest.approx(total)


def wrapped(pipe):
    """The wrappers that a display may be given, around a Pipeline."""
    return {
        "pipeline": pipe,
        "pipeline in pipeline": Pipeline(
            [("own", FunctionTransformer()), ("net", pipe)]
        ),
        "transformed target": TransformedTargetRegressor(
            pipe, transformer=StandardScaler()
        ),
        "search": GridSearchCV(pipe, {"net__tol": [1e-5]}, cv=2),
    }


@pytest.mark.wide(4)
@pytest.mark.parametrize("name", wrapped(None))
def test_displays_open_every_wrapper(name):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    X, y = table()
    net = WeightDecayMLPRegressor(alpha=0.05, intervals=3, **SMALL)
    model = wrapped(Pipeline([("columns", columns()), ("net", net)]))[name].fit(X, y)
    for fitted in (model, FrozenEstimator(model)):
        shown = RelevanceDisplay.from_estimator(fitted)
        assert "onehotencoder__town_B_x" in shown.names and len(shown.names) == 8
        whole = RelevanceDisplay.from_estimator(fitted, by="source")
        assert set(whole.names) == set(X.columns)
        assert whole.importances.sum() == pytest.approx(1.0)
        of_town = [s for s, n in zip(shown.importances, shown.names) if "__town_" in n]
        at = whole.names.index("town")
        parts = sum(of_town) - shown.importances[shown.names.index("remainder__town_B")]
        assert whole.importances[at] == pytest.approx(parts)
        layers = WeightDecayDisplay.from_estimator(fitted, by="source")
        assert layers.columns.names == whole.names
        LossCurveDisplay.from_estimator(fitted)
        covered = CoverageDisplay.from_estimator(fitted, X, y).observed
        assert covered["predict_interval"][-1] > 0.8
    pyplot.close("all")


def test_what_cannot_be_drawn():
    X, y = table()
    pipe = make_pipeline(columns(), Ridge()).fit(X, y)
    for display in (RelevanceDisplay, WeightDecayDisplay, LossCurveDisplay):
        message = (
            f"{display.__name__} draws estimators of skwd, and Pipelines, searches and "
            "wrappers that end in one; got Ridge. Give it one of those."
        )
        with pytest.raises(ValueError) as error:
            display.from_estimator(pipe)
        assert str(error.value) == message
    net = WeightDecayMLPRegressor(alpha=0.01, **SMALL).fit(X[["town_B"]], y)
    with pytest.raises(ValueError) as error:
        RelevanceDisplay.from_estimator(net, by="table")
    assert str(error.value) == (
        "by must be 'column' or 'source'; got 'table'. Use by='source' for what the "
        "columns of a table became behind the steps of a Pipeline."
    )


def test_the_columns_that_rfe_has_left():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.standard_normal((40, 4)), columns=list("abcd"))
    net = WeightDecayMLPRegressor(hidden_layer_sizes=(), alpha=0.01, posterior=True)
    y = 3.0 * X["b"] + X["d"] + 0.1 * rng.standard_normal(40)
    selector = RFE(net, n_features_to_select=2).fit(X, y)
    pipe = make_pipeline(StandardScaler(), clone(selector)).fit(X, y)
    for model in (selector, pipe):
        assert RelevanceDisplay.of(model, by="source").names == ["b", "d"]
        terms = TermsDisplay.of(model, X, by="source")
        assert_array_equal(terms.values[0], X["b"])
        reached = selector.estimator_ if model is selector else model[-1].estimator_
        seen = X if model is selector else model[0].transform(X)
        expected = reached.predict(np.asarray(seen)[:, [1, 3]])
        total = sum(np.interp(X[n], g, t[:, 0]) for n, g, t in parts_of(terms))
        np.testing.assert_allclose(total, expected - expected.mean(), atol=1e-9)


def parts_of(terms):
    return zip(terms.names, terms.grids, terms.terms)


def test_several_estimators_are_not_their_template():
    X, y = np.arange(12.0).reshape(6, 2), np.arange(6.0)
    bag = BaggingRegressor(WeightDecayMLPRegressor(hidden_layer_sizes=(), alpha=1.0), 2)
    with pytest.raises(ValueError, match="end in one; got BaggingRegressor"):
        RelevanceDisplay.of(bag.fit(X, y))


def test_a_step_without_names_leaves_numbers():
    X, y = table()
    nameless = FunctionTransformer(lambda X: X.to_numpy()[:, :1])
    pipe = make_pipeline(nameless, WeightDecayMLPRegressor(alpha=0.01, **SMALL))
    pipe.fit(X[["town_B", "size"]], y)
    assert RelevanceDisplay.of(pipe).names == ["column 0"]
