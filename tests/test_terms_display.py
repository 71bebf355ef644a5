"""TermsDisplay draws what each column adds, with the deviations of the posterior."""

import re

import numpy as np
import pandas as pd
import pytest
from parts import Parts, mixed
from scipy import sparse
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    OneHotEncoder,
    PolynomialFeatures,
    StandardScaler,
)

from skwd import TermsDisplay, WeightDecayMLPClassifier, WeightDecayMLPRegressor
from skwd._estimators.terms import _numbers_or_labels, _some_of

pyplot = pytest.importorskip("matplotlib.pyplot")
ADDITIVE = {"hidden_layer_sizes": (), "encoding": "parts", "alpha": 0.01}


@pytest.fixture(autouse=True)
def no_window():
    pyplot.switch_backend("Agg")
    yield
    pyplot.close("all")


def test_terms_add_up_to_the_prediction():
    X, y = mixed()
    outputs = np.stack([100.0 * y, -y], axis=1)
    for targets in (100.0 * y, outputs):
        model = WeightDecayMLPRegressor(**ADDITIVE).fit(X, targets)
        display = TermsDisplay.of(model, X)
        total = 0.0
        for j, (grid, term) in enumerate(zip(display.grids, display.terms)):
            assert grid[0] == X[:, j].min() and grid[-1] == X[:, j].max()
            at = [np.interp(X[:, j], grid, t) for t in term.T]
            np.testing.assert_allclose(np.mean(at, axis=1), 0.0, atol=1e-9)
            total = total + np.stack(at, axis=1)
        predicted = model.predict(X).reshape(len(X), -1)
        centred = predicted - predicted.mean(axis=0)
        np.testing.assert_allclose(total, centred, atol=1e-8)


@pytest.mark.parametrize("encoding", [None, "parts"])
def test_deviations_are_those_of_bayesian_regression(encoding):
    X, y = mixed()
    X = X[:, :3] - X[:, :3].mean(axis=0)
    how = {**ADDITIVE, "encoding": encoding, "posterior": True}
    model = WeightDecayMLPRegressor(**how).fit(X, y)
    display = TermsDisplay.of(model, X)
    parts = Parts().fit(X)
    Z = parts.transform(X) if encoding else X
    C = np.cov(Z.T, bias=True) + 0.01 * np.eye(Z.shape[1])
    covariance = np.linalg.inv(C) * model.noise_std_**2 / len(y)
    n_inputs = [len(k) or 1 for k in parts.knots_] if encoding else [1] * 3
    starts = np.cumsum([0, *n_inputs])
    for j in range(3):
        rows = np.tile(X.mean(axis=0), (len(display.grids[j]), 1))
        rows[:, j] = display.grids[j]
        own = slice(starts[j], starts[j + 1])
        c = (parts.transform(rows) if encoding else rows)[:, own] - Z[:, own].mean(0)
        variance = np.einsum("ij,jk,ik->i", c, covariance[own, own], c)
        found = display.deviations[j][:, 0]
        np.testing.assert_allclose(found, np.sqrt(variance), rtol=1e-3, atol=1e-5)


def test_the_most_varying_columns_are_drawn():
    X, y = mixed()
    frame = pd.DataFrame(X, columns=["step", "bend", "steps", "switch", "constant"])
    model = WeightDecayMLPRegressor(**ADDITIVE, posterior=True).fit(frame, y)
    display = TermsDisplay.from_estimator(model, frame, max_columns=3)
    shown = {ax.get_title() for ax in display.axes_}
    assert shown == {"step", "bend", "steps"}
    assert len(display.lines_) == 3 and all(len(lines) == 1 for lines in display.lines_)
    assert len(display.axes_[0].collections) == 1  # its deviations
    labels = np.digitize(y, np.quantile(y, [0.3, 0.7]))
    pipe = make_pipeline(StandardScaler(), WeightDecayMLPClassifier(**ADDITIVE))
    display = TermsDisplay.from_estimator(pipe.fit(X, labels), X)
    assert display.output_names == ["class 0", "class 1", "class 2"]
    assert len(display.axes_) == 5 and len(display.lines_[0]) == 3


def test_what_it_cannot_draw_is_said():
    X, y = mixed()
    model = WeightDecayMLPRegressor(hidden_layer_sizes=(3,), random_state=0)
    message = (
        "TermsDisplay is for models without hidden layers, whose columns add up; got "
        "hidden layers of (3,) units. Fit with hidden_layer_sizes=() and "
        "encoding='parts'."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        TermsDisplay.from_estimator(model.fit(X[:, :1], y), X[:, :1])
    display = TermsDisplay.of(WeightDecayMLPRegressor(**ADDITIVE).fit(X, y), X)
    for number in (0, 2.5, "all"):
        message = f"max_columns must be an integer >= 1; got {number!r}. Use "
        with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
            display.plot(max_columns=number)


def a_pipeline():
    """A table of a number with gaps and a category, and an additive model of it."""
    rng = np.random.default_rng(0)
    size = rng.uniform(40.0, 240.0, 60)
    town = np.array(["A", "B", "C"])[rng.integers(3, size=60)]
    y = np.sqrt(size) + 2.0 * (town == "B") + 0.1 * rng.normal(size=60)
    size[::7] = np.nan
    table = pd.DataFrame({"town": town, "size": size})
    numbers = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
    columns = make_column_transformer((numbers, ["size"]), (OneHotEncoder(), ["town"]))
    model = WeightDecayMLPRegressor(**ADDITIVE, posterior=True)
    return make_pipeline(columns, model).fit(table, y), table


def test_terms_by_source_add_up_to_the_prediction():
    pipe, table = a_pipeline()
    display = TermsDisplay.of(pipe, table, by="source")
    assert display.names == ["size", "town"]
    assert list(display.grids[1]) == ["A", "B", "C"]
    (size, town), known = display.terms, table["size"].notna()
    places = np.searchsorted(display.grids[0], table["size"][known])
    np.testing.assert_array_equal(display.grids[0][places], table["size"][known])
    of_town = town[np.searchsorted(display.grids[1], table["town"][known])]
    predicted = pipe.predict(table)
    total = (size[places] + of_town)[:, 0]
    expected = predicted[known] - predicted.mean()
    np.testing.assert_allclose(total, expected, atol=1e-9)
    assert display.deviations[1].shape == (3, 1) and (display.deviations[1] > 0).all()
    by_column = TermsDisplay.of(pipe, table)
    assert len(by_column.names) == 5  # the indicator, and one of each town


def test_categories_are_named_on_the_axis():
    pipe, table = a_pipeline()
    display = TermsDisplay.from_estimator(pipe, table, by="source")
    axes = {ax.get_title(): ax for ax in display.axes_}
    labels = [text.get_text() for text in axes["town"].get_xticklabels()]
    assert labels == ["A", "B", "C"]
    with pytest.raises(ValueError, match="by must be 'column' or 'source'; got 'row'"):
        TermsDisplay.of(pipe, table, by="row")


DAYS = pd.to_datetime(pd.Series(["2020-01-01", None, "2020-01-06"]))


def turned(X):
    return X[:, ::-1]


def test_columns_behind_a_step_without_names_are_not_those_of_the_table():
    X, y = mixed()
    model = WeightDecayMLPRegressor(**ADDITIVE)
    pipe = make_pipeline(FunctionTransformer(turned), StandardScaler(), model)
    pipe.fit(X, y)
    assert len(TermsDisplay.of(pipe, X).names) == X.shape[1]
    message = (
        "by='source' needs steps that name their columns; FunctionTransformer does not "
        "(get_feature_names_out). Use by='column'."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        TermsDisplay.of(pipe, X, by="source")
    # The next step has seen names that the table has.
    named = make_pipeline(FunctionTransformer(), *a_pipeline()[0])
    table = a_pipeline()[1]
    named.fit(table, pipe.predict(X[: len(table)]))
    display = TermsDisplay.of(named, table, by="source")
    assert list(display.grids[display.names.index("town")]) == ["A", "B", "C"]


def test_a_sparse_table_has_the_terms_of_a_dense_one():
    X, y = mixed()
    model = WeightDecayMLPRegressor(hidden_layer_sizes=(), alpha=0.01)
    pipe = make_pipeline(MaxAbsScaler(), PolynomialFeatures(2), model)
    found, expected = (
        TermsDisplay.of(pipe.fit(given, y), given, by="source")
        for given in (sparse.csr_array(X), X)
    )
    for j in range(X.shape[1]):  # x_j and its square
        np.testing.assert_array_equal(found.grids[j], expected.grids[j])
        np.testing.assert_allclose(found.terms[j], expected.terms[j], atol=1e-6)


def test_rows_are_those_that_the_model_takes():
    X, y = mixed()
    model = WeightDecayMLPRegressor(**ADDITIVE).fit(X, y)
    with pytest.raises(ValueError, match=r"X has 2 features, but .* is expecting 5"):
        TermsDisplay.of(model, X[:, :2])


@pytest.mark.parametrize(
    "column, grid",
    [
        (pd.Series([2, 1, None], dtype="Int64"), [1.0, 2.0]),
        (pd.Series([True, False, True]), ["False", "True"]),
        (pd.Series(["2", "1", "10"], dtype="category"), ["1", "10", "2"]),
        (np.arange(1000.0), np.linspace(0, 999, 200).round()),
        (DAYS, DAYS[[0, 2]]),
        (DAYS.dt.tz_localize("UTC"), DAYS[[0, 2]]),
        (DAYS - DAYS[0], [0.0, 5.0]),
        ([f"{i:02}" for i in [*range(50), *range(30, 50)]], [*map(str, range(30, 50))]),
    ],
)
def test_values_of_a_column_of_a_table(column, grid):
    found, rows = _some_of(_numbers_or_labels(column))
    np.testing.assert_array_equal(found, grid)
    assert len(rows) == len(grid)


def test_dates_have_an_axis_of_dates():
    rng = np.random.default_rng(0)
    days = pd.Series(pd.date_range("2020-01-01", periods=60))
    month = FunctionTransformer(
        lambda t: t.map(lambda d: d.month if d == d else 0).astype(float),
        feature_names_out="one-to-one",
    )
    table = pd.DataFrame({"day": days, "x": rng.normal(size=60)})
    y = table["x"] + days.dt.month
    table.loc[7, "day"] = None
    columns = make_column_transformer((month, ["day"]), ("passthrough", ["x"]))
    model = WeightDecayMLPRegressor(**ADDITIVE | {"alpha": 1e-4})
    pipe = make_pipeline(columns, model).fit(table, y)
    display = TermsDisplay.from_estimator(pipe, table, by="source")
    (axes,) = [ax for ax in display.axes_ if ax.get_title() == "day"]
    drawn = axes.lines[1].get_xydata()
    np.testing.assert_array_equal(
        drawn[:, 0], pyplot.matplotlib.dates.date2num(days.drop(7))
    )
    of_january, of_february = drawn[0, 1], drawn[-1, 1]
    assert of_february - of_january == pytest.approx(1.0, abs=0.05)
    display.figure_.canvas.draw()
    assert 2 <= len(axes.get_xticks()) <= 6


def test_tables_of_every_kind_have_the_same_terms():
    X, y = mixed()
    tables = [X, pd.DataFrame(X).rename(columns=str)]
    try:
        import polars
    except ImportError:
        pass
    else:
        tables.append(polars.DataFrame(X))
    pipe = make_pipeline(StandardScaler(), WeightDecayMLPRegressor(**ADDITIVE))
    found = [TermsDisplay.of(pipe.fit(t, y), t, by="source") for t in tables]
    for display in found[1:]:
        for one, other in zip(display.grids, found[0].grids):
            np.testing.assert_array_equal(one, other)
        for one, other in zip(display.terms, found[0].terms):
            np.testing.assert_allclose(one, other, atol=1e-9)


SUMS = [
    (WeightDecayMLPRegressor(), "y"),
    (WeightDecayMLPRegressor(loss="poisson"), "ln of the mean of y"),
    (WeightDecayMLPClassifier(), "the log-odds\nof 1"),
]


@pytest.mark.parametrize(("model", "adds_to"), SUMS)
def test_what_terms_add_up_to_is_said(model, adds_to):
    X = np.arange(24.0).reshape(12, 2) % 7
    model.set_params(hidden_layer_sizes=()).fit(X, np.arange(12) % 2)
    display = TermsDisplay.from_estimator(model, X)
    assert display.axes_[0].get_ylabel() == f"adds to {adds_to}"
    assert display.adds_to == adds_to


def test_what_terms_of_several_classes_add_up_to():
    X = np.arange(24.0).reshape(12, 2) % 7
    labels = np.eye(2)[np.arange(12) % 2]
    for y, adds_to in ((np.arange(12) % 3, "the logits"), (labels, "the log-odds")):
        model = WeightDecayMLPClassifier(hidden_layer_sizes=()).fit(X, y)
        assert TermsDisplay.of(model, X).adds_to == adds_to
