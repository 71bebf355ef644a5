"""Through a Pipeline, without metadata routing: validation rows, groups, progress."""

import pickle
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from spies import Heard, needs_callbacks

from skwd import WeightDecayMLPRegressor, WeightDecayMLPRegressorCV

SMALL = {"hidden_layer_sizes": (4,), "random_state": 0}
GROUPS = np.arange(120) % 6


def table(regression):
    X, y = regression
    found = pd.DataFrame(X, columns=list("abcd"))
    return found.assign(e=["u", "v"] * 60), y


def encoder():
    return make_column_transformer(
        (StandardScaler(), list("abcd")), (OneHotEncoder(), ["e"])
    )


@pytest.mark.wide(2)
@pytest.mark.parametrize(
    "net",
    [
        WeightDecayMLPRegressor(alpha=0.01, intervals=GroupKFold(3), **SMALL),
        WeightDecayMLPRegressorCV(alphas=[0.01], cv=GroupKFold(3), **SMALL),
    ],
    ids=["intervals", "cv"],
)
def test_groups_by_the_name_of_the_step(net, regression):
    X, y = table(regression)
    pipe = Pipeline([("columns", encoder()), ("net", net)])
    with pytest.raises(ValueError) as error:
        pipe.fit(X, y)
    name = "intervals" if hasattr(net, "intervals") and net.intervals else "cv"
    assert str(error.value) == (
        f"{name}=GroupKFold(n_splits=3, random_state=None, shuffle=False) needs the "
        "group of every row. Pass groups to fit; in a Pipeline to its last step, "
        "pipe.fit(X, y, step__groups=groups), with the name of the step."
    )
    pipe.fit(X, y, net__groups=GROUPS)
    alone = net.fit(encoder().fit_transform(X), y, groups=GROUPS)
    np.testing.assert_array_equal(pipe[-1].coefs_[0], alone.coefs_[0])


@pytest.mark.parametrize(
    ("X_val", "beginning"),
    [
        (lambda X: X, "X has 5 features, but WeightDecayMLPRegressor is expec"),
        (lambda X: X[["a"]], "X has 1 features, but WeightDecayMLPRegressor is expect"),
    ],
)
@pytest.mark.filterwarnings("ignore:X has feature names")
def test_validation_rows_that_no_step_has_transformed(regression, X_val, beginning):
    X, y = table(regression)
    net = WeightDecayMLPRegressor(early_stopping=True, **SMALL)
    pipe = Pipeline([("columns", encoder()), ("net", net)])
    with pytest.raises(ValueError) as error:
        pipe.fit(X, y, net__X_val=X_val(X), net__y_val=y)
    assert str(error.value).startswith(beginning)
    assert str(error.value).endswith(
        " X_val must have the columns of fit's X. In a Pipeline they are those that "
        "the steps before give: with metadata routing transform_input=['X_val'] of "
        "the Pipeline transforms X_val."
    )
    seen = encoder().fit(X).transform(X)
    pipe.fit(X, y, net__X_val=seen, net__y_val=y)  # the same, by hand


class Bar(Heard):
    """A callback that is passed on, as ProgressBar, and wants its root first."""

    max_propagation_depth = 1

    def __init__(self):
        super().__init__()
        self.paths, self.fits = [], []

    def setup(self, estimator, context):
        assert context.parent is None and context.source_estimator_name is None
        self.fits.append(context.root_uuid)

    def on_fit_task_end(self, estimator, context):
        self.ended.append(context.task_name)
        assert context.root_uuid in self.fits
        path = [context.task_name]
        while context.parent is not None:
            context = context.parent
            path.append(context.task_name)
        self.paths.append(path)


@pytest.mark.slow
@needs_callbacks
def test_progress_of_a_step(regression):
    """As of the estimator alone, whatever is around it, and without a warning."""
    X, y = table(regression)
    net = WeightDecayMLPRegressor(alpha=0.01, **SMALL)
    alone, in_pipe, in_search = Bar(), Bar(), Bar()
    net.set_callbacks(alone).fit(encoder().fit_transform(X), y)
    n_iter = net.n_iter_
    assert alone.paths == [["iteration", "fit"]] * n_iter + [["fit"]]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pipe = Pipeline([("columns", encoder()), ("net", net.set_callbacks(in_pipe))])
        pipe.fit(X, y)
        assert in_pipe.paths == alone.paths and in_pipe.is_down
        pipe = Pipeline([("columns", encoder()), ("net", net.set_callbacks(in_search))])
        search = GridSearchCV(pipe, {"net__alpha": [0.01, 0.02]}, cv=2).fit(X, y)
    assert in_search.ended.count("fit") == 5 == len(set(in_search.fits))
    assert search.predict(X).shape == y.shape
    pickle.loads(pickle.dumps(pipe))


@needs_callbacks
def test_progress_of_the_pipeline(regression):
    """What it passes on is taken back, and what the step has of its own stays."""
    X, y = regression
    outer, own = Bar(), Bar()
    net = WeightDecayMLPRegressor(alpha=0.01, **SMALL).set_callbacks(own)
    pipe = Pipeline([("scale", StandardScaler()), ("net", net)]).set_callbacks(outer)
    pipe.fit(X, y)
    assert ["iteration", "fit", "fit"] in outer.paths
    assert own.paths[-1] == ["fit"] and len(outer.fits) == len(own.fits) == 1
    pipe.set_callbacks().fit(X, y)
    assert len(outer.fits) == 1 and len(own.fits) == 2


@needs_callbacks
def test_scikit_learns_bar_on_a_step(regression, capsys):
    pytest.importorskip("rich")
    from sklearn.callback import ProgressBar

    X, y = table(regression)
    net = WeightDecayMLPRegressorCV(alphas=[0.01, 0.1], cv=2, **SMALL)
    net.set_callbacks(ProgressBar())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Pipeline([("columns", encoder()), ("net", net)]).fit(X, y)
    printed = capsys.readouterr().out
    assert "WeightDecayMLPRegressorCV - fit" in printed
    assert "cross-validation" in printed and "Pipeline" not in printed


def test_without_rich_verbose_tells(regression, capsys, monkeypatch):
    X, y = table(regression)
    monkeypatch.setitem(sys.modules, "rich", None)
    net = WeightDecayMLPRegressor(alpha=0.01, verbose=True, **SMALL)
    Pipeline([("columns", encoder()), ("net", net)]).fit(X, y)
    assert capsys.readouterr().out.count("\n") >= net.n_iter_ > 3
