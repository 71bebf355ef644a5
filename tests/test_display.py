"""The pictures: what is drawn, on whose axes, and what without matplotlib."""

import itertools
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LassoCV, Ridge
from sklearn.model_selection import GridSearchCV, ShuffleSplit
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

import skwd
from skwd import (
    AlphaPathDisplay,
    CoverageDisplay,
    LossCurveDisplay,
    RelevanceDisplay,
    TermsDisplay,
    WeightDecayDisplay,
    WeightDecayMLPClassifier,
    WeightDecayMLPClassifierCV,
    WeightDecayMLPRegressor,
    WeightDecayMLPRegressorCV,
    neg_crps_scorer,
)

matplotlib = pytest.importorskip("matplotlib")
pytestmark = pytest.mark.filterwarnings("ignore:alpha=.* is too large for this data")


@pytest.fixture(autouse=True)
def without_a_screen():
    import matplotlib.pyplot as plt

    before = plt.get_backend()
    plt.switch_backend("Agg")
    yield
    plt.close("all")
    plt.switch_backend(before)


def fitted(data, **changes):
    X, y = data
    y = y + 1.5 * np.random.default_rng(0).standard_normal(len(y))
    base = dict(alphas=np.logspace(-3, 0, 16), hidden_layer_sizes=(4,), random_state=0)
    return WeightDecayMLPRegressorCV(**{**base, **changes}).fit(X, y)


@pytest.mark.slow
def test_what_is_drawn(regression):
    model = fitted(regression, scoring="neg_mean_squared_error")
    display = AlphaPathDisplay.from_estimator(model)
    mean = model.cv_results_["mean_test_score"]
    np.testing.assert_array_equal(display.line_.get_xdata(), model.alphas_)
    np.testing.assert_allclose(display.line_.get_ydata(), mean)
    assert len(display.split_lines_) == 5
    for number, line in enumerate(display.split_lines_):
        scores = model.cv_results_[f"split{number}_test_score"]
        np.testing.assert_array_equal(line.get_ydata(), scores)
        assert line.get_alpha() < 0.5
    error = model.cv_results_["std_test_score"] / np.sqrt(5 - 1)  # ddof=0 there
    edges = display.band_.get_paths()[0].vertices
    assert edges[:, 1].max() == pytest.approx((mean + error).max())
    assert edges[:, 1].min() == pytest.approx((mean - error).min())
    assert display.best_line_.get_xdata()[0] == model.alpha_
    refitted = fitted(regression, scoring="neg_mean_squared_error", rule="1se")
    assert display.one_se_line_.get_xdata()[0] == refitted.alpha_ > display.alpha
    assert display.ax_.get_xscale() == "log"
    assert display.ax_.get_xlabel() == "alpha"
    assert display.ax_.get_ylabel() == "Negative mean squared error"
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert f"best: {model.alphas_[model.best_index_]:.2g}, chosen" in texts
    assert f"1-se: {refitted.alpha_:.2g}" in texts
    assert "± 1 standard error" in texts and "mean of 5 splits" in texts
    assert display.figure_ is display.ax_.figure


@pytest.mark.slow
def test_errors_instead_of_scores_on_given_axes(regression):
    model = fitted(regression, scoring="neg_mean_squared_error", rule="1se")
    import matplotlib.pyplot as plt

    _, ax = plt.subplots()
    display = AlphaPathDisplay.from_estimator(
        model,
        ax=ax,
        negate_score=True,
        line_kw={"c": "red"},
        split_kw={"lw": 3},
        band_kw={"alpha": 0.5},
    )
    assert display.ax_ is ax
    np.testing.assert_allclose(
        display.line_.get_ydata(), -model.cv_results_["mean_test_score"]
    )
    assert display.line_.get_color() == "red"
    assert display.split_lines_[0].get_linewidth() == 3
    assert display.band_.get_alpha() == 0.5
    assert ax.get_ylabel() == "Mean squared error"
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert f"1-se: {model.alpha_:.2g}, chosen" in texts
    again = display.plot()
    assert again is display and display.ax_ is not ax


@pytest.mark.slow
def test_one_split_and_an_alpha_of_zero(regression):
    model = fitted(
        regression, alphas=[0.0, 0.01, 0.1], cv=ShuffleSplit(1, random_state=0)
    )
    display = AlphaPathDisplay.from_estimator(model, score_name="R2")
    assert display.band_ is None and display.one_se_line_ is None
    assert display.ax_.get_xscale() == "symlog"
    assert display.ax_.get_ylabel() == "R2"
    display.figure_.canvas.draw()


@pytest.mark.wide(4)
@pytest.mark.parametrize("low", [1e-2, 1e-4, 1e-6, 1e-9])
def test_labels_of_a_zero_do_not_overlap(low):
    alphas = np.array([0.0, low, 0.1])
    display = AlphaPathDisplay(alphas=alphas, scores=np.zeros((3, 2)), alpha=0.1)
    ax = display.plot().ax_
    display.figure_.set_size_inches(4.0, 3.0)
    display.figure_.canvas.draw()
    labels = [text for text in ax.get_xticklabels() if text.get_text()]
    boxes = sorted((text.get_window_extent() for text in labels), key=lambda b: b.x0)
    assert len(boxes) >= 3 and labels[0].get_text() == r"$\mathdefault{0}$"
    assert all(a.x1 < b.x0 for a, b in itertools.pairwise(boxes))


@pytest.mark.wide(4)
@pytest.mark.parametrize("factor", [1.0, 1.2, 10**0.5, 10.0])
def test_labels_of_a_narrow_path_do_not_overlap(factor):
    alphas = 0.003 * factor ** np.linspace(0.0, 1.9, 7)
    display = AlphaPathDisplay(alphas=alphas, scores=np.zeros((7, 2)), alpha=0.003)
    ax = display.plot().ax_
    display.figure_.set_size_inches(4.0, 3.0)
    display.figure_.canvas.draw()
    labels = [text for text in ax.get_xticklabels(which="both") if text.get_text()]
    inside = [t for t in labels if ax.get_xlim()[0] <= t.get_position()[0]]
    boxes = sorted((text.get_window_extent() for text in inside), key=lambda b: b.x0)
    assert boxes and all(a.x1 < b.x0 for a, b in itertools.pairwise(boxes))


def test_alphas_without_a_score_take_no_place():
    """Those given up, and GCV without a degree of freedom left; the ticks are round."""
    alphas = np.array([0.0014, 0.0045, 0.014, 0.045, 0.14])
    scores = np.array([np.nan, -np.inf, -0.3, -0.28, -0.31])[:, np.newaxis]
    ax = AlphaPathDisplay(alphas=alphas, scores=scores, alpha=0.045).plot().ax_
    low, high = ax.get_xlim()
    assert 0.0045 < low < 0.014 and 0.14 < high < 0.2
    assert [text.get_text() for text in ax.get_xticklabels()] == ["0.02", "0.05", "0.1"]
    assert ax.get_xlabel() == "alpha (2 more have no score)"


SCORE_NAMES = [
    (WeightDecayMLPRegressorCV, {}, "R²"),
    (WeightDecayMLPRegressorCV, {"loss": "huber"}, "Negative mean absolute error"),
    (WeightDecayMLPRegressorCV, {"scoring": "neg_max_error"}, "Negative max error"),
    (WeightDecayMLPRegressorCV, {"scoring": neg_crps_scorer}, "Negative crps"),
    (WeightDecayMLPRegressorCV, {"scoring": lambda *_: 1.0}, "<lambda>"),
    (WeightDecayMLPClassifierCV, {}, "Accuracy"),
]


@pytest.mark.wide(6)
@pytest.mark.parametrize(("cls", "how", "name"), SCORE_NAMES)
def test_the_score_has_its_name(cls, how, name):
    X = np.arange(12.0)[:, np.newaxis] % 5
    how = {"posterior": how.get("scoring") is neg_crps_scorer, **how}
    model = cls(hidden_layer_sizes=(), alphas=[0.1, 0.2], cv=2, **how)
    model.fit(X, np.arange(12) % 2)
    shown = AlphaPathDisplay.from_estimator(model).ax_.get_ylabel()
    assert shown == ("Score" if name == "<lambda>" else name)


@pytest.mark.slow
def test_the_score_of_a_search_has_its_name():
    X = np.arange(12.0)[:, np.newaxis] % 5
    for model, name in (
        (WeightDecayMLPRegressor(hidden_layer_sizes=()), "R²"),
        (WeightDecayMLPClassifier(hidden_layer_sizes=()), "Accuracy"),
    ):
        search = GridSearchCV(model, {"alpha": [0.1, 0.2]}, cv=2)
        search.fit(X, np.arange(12) % 2)
        assert AlphaPathDisplay.from_estimator(search).ax_.get_ylabel() == name


@pytest.mark.slow
def test_numbers_of_a_loss_are_plain():
    for curve in ([2000.0, 0.003], [1.2, 1.1], [0.9, 0.25]):
        display = LossCurveDisplay(loss_curve=np.geomspace(*curve, 50)).plot()
        display.figure_.canvas.draw()
        axis = display.ax_.yaxis
        texts = [t.get_text() for t in axis.get_ticklabels(which="both")]
        shown = [text for text in texts if text]
        assert len(shown) >= 2 and all(f"{float(text):g}" == text for text in shown)


@pytest.mark.slow
def test_numbers_beside_bars_are_explained():
    X = np.random.default_rng(0).standard_normal((40, 2))
    model = WeightDecayMLPRegressor(
        hidden_layer_sizes=(2,), alpha="evidence", alpha_groups="input", random_state=0
    ).fit(X, X[:, 0] + 0.1 * X[:, 1] ** 2)
    shown = RelevanceDisplay.from_estimator(model)
    assert shown.ax_.get_xlabel() == (
        "share of the mean squared derivative\nbeside each bar: effective parameters"
    )
    shown.figure_.set_size_inches(4.0, 3.0)
    shown.figure_.canvas.draw()
    box, page = shown.ax_.xaxis.label.get_window_extent(), shown.figure_.bbox
    assert page.x0 <= box.x0 and box.x1 <= page.x1 and page.y0 <= box.y0
    layers = WeightDecayDisplay.from_estimator(model).ax_[0]
    counts = np.round(model.layer_effective_params_).astype(int)
    assert [text.get_text() for text in layers.texts] == [
        f"{n} weights,\n{count} determined\nby the data"
        for n, count in zip((4, 2), counts)
    ]


def test_the_chosen_alpha_is_named_once():
    scores = np.array([[0.0, 0.1], [1.0, 1.1], [0.5, 0.6]])
    alphas = np.array([0.01, 0.1, 1.0])
    display = AlphaPathDisplay(alphas=alphas, scores=scores, alpha=0.1).plot()
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert [text for text in texts if "chosen" in text] == ["best: 0.1, chosen"]
    assert "1-se: 0.1" in texts


@pytest.mark.wide(2)
@pytest.mark.parametrize("name", ["loo", "gcv"])
def test_a_path_without_splits(name, regression):
    model = WeightDecayMLPRegressor(
        hidden_layer_sizes=(4,), alpha=name, random_state=0
    ).fit(*regression)
    display = AlphaPathDisplay.from_estimator(model)
    np.testing.assert_array_equal(display.line_.get_xdata(), model.alphas_)
    np.testing.assert_array_equal(display.line_.get_ydata(), model.alpha_scores_)
    assert display.split_lines_ == [] and display.one_se_line_ is None
    best = model.alphas_[np.argmax(model.alpha_scores_)]
    assert display.best_line_.get_xdata()[0] == best
    texts = {text.get_text() for text in display.ax_.get_legend().get_texts()}
    if best == model.alpha_:
        assert display.chosen_line_ is None
        assert {f"best: {best:.2g}, chosen", "score"} <= texts
    else:  # between two of them
        assert display.chosen_line_.get_xdata()[0] == model.alpha_
        assert {f"best: {best:.2g}", f"chosen: {model.alpha_:.2g}", "score"} <= texts
    if name == "gcv":
        assert display.band_ is None
        label = "Negative generalized cross-validation"
    else:
        edges = display.band_.get_paths()[0].vertices
        top = (model.alpha_scores_ + model.alpha_score_errors_).max()
        assert edges[:, 1].max() == pytest.approx(top)
        label = "Negative leave-one-out loss"
    assert display.ax_.get_ylabel() == label
    again = display.plot(negate_score=True)
    np.testing.assert_array_equal(again.line_.get_ydata(), -model.alpha_scores_)


def test_an_estimator_that_is_not_fitted():
    with pytest.raises(NotFittedError):
        AlphaPathDisplay.from_estimator(WeightDecayMLPRegressorCV())
    with pytest.raises(ValueError, match=r"alpha=0\.1 has no path of alphas to draw"):
        AlphaPathDisplay.from_estimator(
            WeightDecayMLPRegressor(hidden_layer_sizes=(), alpha=0.1).fit(
                [[0.0], [1.0]], [0, 1]
            )
        )


REMEDIES = [  # whose alphas suit the loss
    (WeightDecayMLPRegressor(), "alpha='auto', 'loo' or 'gcv', or a CV form"),
    (WeightDecayMLPRegressor(loss="poisson"), "alpha='auto' or 'loo', or a CV form"),
    (WeightDecayMLPRegressor(loss="huber"), "alpha='auto', or a CV form"),
    (WeightDecayMLPClassifier(), "alpha='auto' or 'loo', or a CV form"),
]


@pytest.mark.parametrize(("model", "remedy"), REMEDIES)
def test_what_has_a_path_is_named(model, remedy):
    model.set_params(hidden_layer_sizes=()).fit([[0.0], [1.0], [2.0]], [0, 1, 1])
    with pytest.raises(ValueError) as caught:
        AlphaPathDisplay.from_estimator(model)
    start = f"alpha=None has no path of alphas to draw. Fit with {remedy}"
    assert str(caught.value).startswith(start)


DISPLAYS = [getattr(skwd, name) for name in skwd.__all__ if name.endswith("Display")]


@pytest.mark.parametrize("Display", DISPLAYS)
@pytest.mark.parametrize("in_a_pipeline", [False, True])
def test_estimators_of_others(Display, in_a_pipeline):
    X, y = np.eye(3), np.arange(3.0)
    rows = {CoverageDisplay: (X, y), TermsDisplay: (X,)}.get(Display, ())
    model = Ridge()
    if in_a_pipeline:
        model = Pipeline([("scale", StandardScaler()), ("net", model)])
    with pytest.raises(NotFittedError):
        Display.from_estimator(model, *rows)
    with pytest.raises(ValueError) as caught:
        Display.from_estimator(model.fit(X, y), *rows)
    assert str(caught.value) == (
        f"{Display.__name__} draws estimators of skwd, and Pipelines, searches and "
        "wrappers that end in one; got Ridge. Give it one of those."
    )


WITHOUT = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "matplotlib":
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent())
import numpy as np
from skwd import AlphaPathDisplay

display = AlphaPathDisplay(alphas=np.ones(2), scores=np.ones((2, 3)))
try:
    display.plot()
except ImportError as error:
    print(error)
"""


@pytest.mark.slow
def test_without_matplotlib():
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", WITHOUT],
        check=True,
        capture_output=True,
        text=True,
    )
    message = "AlphaPathDisplay needs matplotlib: pip install matplotlib.\n"
    assert run.stdout == message


@pytest.mark.slow
def test_relevance_of_columns():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((120, 6))
    y = np.sin(2.0 * X[:, 0]) + X[:, 1] + 0.2 * rng.standard_normal(120)
    table = pd.DataFrame(X, columns=list("abcdef"))
    model = WeightDecayMLPRegressor(
        hidden_layer_sizes=(8,),
        activation="tanh",
        alpha="evidence",
        alpha_groups="input",
        random_state=0,
    )
    for fitted in (
        model.fit(table, y),
        Pipeline([("net", clone(model))]).fit(table, y),
        GridSearchCV(clone(model), {"tol": [1e-5]}, cv=2).fit(table, y),
    ):
        display = RelevanceDisplay.from_estimator(fitted, max_columns=4)
        labels = [label.get_text() for label in display.ax_.get_yticklabels()]
        assert set(labels[-2:]) == {"a", "b"} and len(labels) == 4
        widths = [bar.get_width() for bar in display.bars_]
        assert_array_equal(widths, np.sort(model.feature_importances_)[-4:])
    assert model.column_effective_params_.shape == (6,)
    kept = model.feature_importances_ > 0.0
    assert (model.column_effective_params_[kept] > 0.0).all()
    assert not model.column_effective_params_[~kept].any()
    total = model.column_effective_params_.sum()
    assert total < model.n_effective_params_
    plain = model.set_params(alpha_groups=None).fit(X, y)
    bare = RelevanceDisplay.from_estimator(plain)
    assert_array_equal(bare.importances, plain.feature_importances_)
    assert bare.n_effective is None
    assert bare.ax_.get_xlabel() == "share of the mean squared derivative"


@pytest.mark.slow
def test_sparse_paths_and_columns():
    """Columns left at each alpha on an axis of its own; bars without effective ones."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((90, 6))
    y = np.sin(2.0 * X[:, 0]) + X[:, 1] + 0.2 * rng.standard_normal(90)
    model = WeightDecayMLPRegressorCV(
        hidden_layer_sizes=(8,),
        activation="tanh",
        alphas=[0.003, 0.03, 0.3],
        cv=3,
        l1_ratio=1.0,
        sparsity="input",
        random_state=0,
    ).fit(X, y)
    display = AlphaPathDisplay.from_estimator(model)
    left = display.columns_line_.get_ydata()
    assert_array_equal(left, model.cv_results_["mean_columns_left"])
    assert left[0] > left[-1]
    bars = RelevanceDisplay.from_estimator(model).bars_
    assert len(bars) == 6
    plain = WeightDecayMLPRegressorCV(
        hidden_layer_sizes=(3,), alphas=[0.01, 0.1], cv=2, random_state=0
    ).fit(X, y)
    assert AlphaPathDisplay.from_estimator(plain).columns_line_ is None


@pytest.mark.slow
def test_loss_curves():
    """J and the validation loss, the lowest of it marked, through wrappers."""
    X, y = load_diabetes(return_X_y=True)
    model = WeightDecayMLPRegressor(
        hidden_layer_sizes=(5,), solver="adam", early_stopping=True, random_state=0
    )
    for fitted in (
        model.fit(X, y),
        Pipeline([("net", clone(model))]).fit(X, y),
        TransformedTargetRegressor(clone(model), func=np.log, inverse_func=np.exp).fit(
            X, y
        ),
    ):
        display = LossCurveDisplay.from_estimator(fitted)
        inner = fitted
        while not hasattr(inner, "loss_curve_"):
            inner = getattr(inner, "regressor_", None) or inner[-1]
        assert_array_equal(display.line_.get_ydata(), inner.loss_curve_)
        scores = np.array(inner.validation_scores_)
        assert_array_equal(display.validation_line_.get_ydata(), -scores)
        assert display.best_line_.get_xdata()[0] == scores.argmax() + 1
        assert display.ax_.get_xlabel() == "epoch"
    by_lbfgs = WeightDecayMLPRegressor(hidden_layer_sizes=(5,), random_state=0)
    display = LossCurveDisplay.from_estimator(by_lbfgs.fit(X, y))
    assert display.validation_line_ is None
    assert display.ax_.get_xlabel() == "iteration"


@pytest.mark.slow
@pytest.mark.parametrize("ensemble", [False, True])
def test_what_weight_decay_has_left(ensemble):
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    model = WeightDecayMLPRegressor(
        hidden_layer_sizes=(5, 4),
        activation="tanh",
        alpha="evidence",
        n_init=2,
        ensemble=ensemble,
        random_state=0,
    ).fit(X, y)
    display = WeightDecayDisplay.from_estimator(model, max_columns=3)
    display.figure_.canvas.draw()
    layers = display.ax_[0]
    starts = layers.transData.transform(np.c_[range(3), display.initial_sizes])
    for text, bar, start in zip(layers.texts, display.bars_, starts):
        box = text.get_window_extent()  # above the bar and the line of its start
        assert box.y0 >= max(bar.get_window_extent().y1, start[1])
        assert box.y1 <= layers.bbox.y1
    heights = [bar.get_height() for bar in display.bars_]
    sizes = [np.sqrt(np.mean(W**2)) for W in model.coefs_]
    assert_allclose(heights, sizes)
    assert_array_equal(display.n_weights, [50, 20, 4])
    assert_array_equal(display.n_effective, model.layer_effective_params_)
    labels = [label.get_text() for label in display.ax_[1].get_yticklabels()]
    assert len(labels) == 3 and set(labels) <= set(X.columns)


@pytest.mark.parametrize("unit", [1.0, 1000.0, [1e-4, 1.0, 1e4, 1.0, 0.0]], ids=str)
@pytest.mark.parametrize("hidden", [(50,), (20, 10), ()])
@pytest.mark.filterwarnings("ignore")
def test_the_line_of_the_start_is_that_of_the_initial_weights(hidden, unit):
    """Of a fit whose steps are nothing, and of one that goes on from there."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 5)) * unit
    y = X[:, 0] + rng.standard_normal(200)
    how = {"solver": "sgd", "alpha": 0.0, "learning_rate_init": 1e-300, "max_iter": 1}
    how |= {"random_state": 0, "hidden_layer_sizes": hidden, "warm_start": True}
    model = WeightDecayMLPRegressor(**how).fit(X, y)
    found = [np.sqrt(np.mean(np.square(W))) for W in model.coefs_]
    display = WeightDecayDisplay.from_estimator(model)
    assert_allclose(display.initial_sizes, found)
    model.set_params(solver="lbfgs", learning_rate_init=0.001, max_iter=200).fit(X, y)
    display = WeightDecayDisplay.from_estimator(model)
    assert_allclose(display.initial_sizes, found)


@pytest.mark.slow
def test_coverage_of_intervals():
    """Counted by hand, for deviations and for CV+, through a pipeline."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 3))
    y = X[:, 0] + rng.standard_normal(300)
    net = WeightDecayMLPRegressor(
        hidden_layer_sizes=(5,), posterior=True, intervals=5, random_state=0
    )
    pipe = Pipeline([("scale", StandardScaler()), ("net", net)]).fit(X[:150], y[:150])
    display = CoverageDisplay.from_estimator(pipe, X[150:], y[150:])
    assert set(display.observed) == {"return_std", "predict_interval"}
    at = int(np.argmin(np.abs(display.coverages - 0.9)))
    mean, std = pipe.predict(X[150:], return_std=True)
    inside = np.abs(y[150:] - mean) <= 1.6448536269514722 * std
    assert display.observed["return_std"][at] == inside.mean()
    assert 0.8 < inside.mean() < 0.98
    ends = pipe[-1].predict_interval(pipe[0].transform(X[150:]), coverage=0.9)
    inside = (ends[:, 0] <= y[150:]) & (y[150:] <= ends[:, 1])
    assert display.observed["predict_interval"][at] == inside.mean()
    plain = WeightDecayMLPRegressor(hidden_layer_sizes=(3,), random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="has no intervals to draw"):
        CoverageDisplay.from_estimator(plain, X, y)


def legend(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


@pytest.mark.slow
def test_a_path_says_which_model_it_is_of():
    """Of the model that was chosen, or of the network where that has no path."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 2))
    model = WeightDecayMLPRegressor(
        hidden_layer_sizes=(2,), alpha="auto", encoding=None, random_state=0
    ).fit(X, X[:, 0] + 0.1 * rng.standard_normal(40))
    assert model.alpha_choice_["model"] == "linear model"
    for fitted in (model, Pipeline([("net", model)])):
        display = AlphaPathDisplay.from_estimator(fitted)
        assert "score of the linear model" in legend(display)
        assert max(display.scores) == model.alpha_choice_["scores"]["linear model"]
    rng = np.random.default_rng(2)
    X, y = rng.standard_normal((40, 8)), rng.standard_normal(40)
    with pytest.warns(match="predicts a constant"):
        model.fit(X, y)
    assert model.alpha_choice_["model"] == "constant"
    display = AlphaPathDisplay.from_estimator(model)
    assert "score of the network;\nchosen: constant" in legend(display)
    assert display.alpha is None  # that of no network
    assert max(display.scores) == model.alpha_choice_["scores"]["network"]


def test_too_few_rows_have_no_path():
    X = np.arange(5.0)[:, np.newaxis]
    model = WeightDecayMLPRegressor(hidden_layer_sizes=(), alpha="auto").fit(X, X)
    assert model.alpha_choice_["model"] == "linear model"
    with pytest.raises(ValueError) as error:
        AlphaPathDisplay.from_estimator(model)
    assert str(error.value) == (
        "alpha='auto' has no path of alphas to draw: fewer than 12 different rows. Fit "
        "with alpha='loo' or 'gcv', or a CV form, or search over alpha."
    )


@pytest.mark.slow
def test_paths_of_searches_with_several_scores_parameters_or_rounds():
    from sklearn.experimental import enable_halving_search_cv  # noqa: F401
    from sklearn.model_selection import HalvingGridSearchCV

    X, y = load_diabetes(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    net = WeightDecayMLPRegressor(hidden_layer_sizes=(2,), tol=0.1, random_state=0)
    names = ["neg_mean_squared_error", "r2"]
    several = GridSearchCV(
        net, {"alpha": [0.1, 0.01]}, cv=2, scoring=names, refit="r2"
    ).fit(X, y)
    display = AlphaPathDisplay.from_estimator(several)
    assert_array_equal(display.alphas, [0.01, 0.1])
    means = several.cv_results_["mean_test_r2"][::-1]
    assert_allclose(display.scores.mean(axis=1), means)
    assert display.score_name == "R²"
    sizes = [np.array([2]), np.array([3])]
    arrays = {"alpha": [0.1, 0.01], "hidden_layer_sizes": sizes}
    display = AlphaPathDisplay.from_estimator(GridSearchCV(net, arrays, cv=2).fit(X, y))
    assert display.scores.shape == (2, 2)
    # Every other step has an alpha of its own.
    pipe = Pipeline([("net", net)])
    grids = [{"net__alpha": [0.1]}, {"net": [Ridge()], "net__alpha": [1e8, 1e9]}]
    display = AlphaPathDisplay.from_estimator(GridSearchCV(pipe, grids, cv=2).fit(X, y))
    assert_array_equal(display.alphas, [0.1])
    # Of an alpha that is judged twice, the score of more rows.
    halving = HalvingGridSearchCV(
        net, {"alpha": [0.01, 0.1, 1.0, 10.0]}, cv=2, min_resources=100, random_state=0
    ).fit(X, y)
    display = AlphaPathDisplay.from_estimator(halving)
    assert_array_equal(display.alphas, [0.01, 0.1, 1.0, 10.0])
    best = list(display.alphas).index(halving.best_params_["alpha"])
    assert display.scores[best].mean() == pytest.approx(halving.best_score_)
    message = r"draws estimators of skwd, .* got LassoCV"
    with pytest.raises(ValueError, match=message):
        AlphaPathDisplay.from_estimator(LassoCV().fit(X, y))
