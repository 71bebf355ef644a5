"""The CV forms as their users meet them: grids, missing classes, scorers that fail."""

import warnings
from unittest.mock import patch

import matplotlib
import numpy as np
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.metrics import log_loss, make_scorer
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skwd import (
    AlphaPathDisplay,
    WeightDecayMLPClassifier,
    WeightDecayMLPClassifierCV,
    WeightDecayMLPRegressor,
    WeightDecayMLPRegressorCV,
)
from skwd._curvature.laplace import Laplace

matplotlib.use("Agg")
SMALL = {"hidden_layer_sizes": (5,), "random_state": 0}


def pull(X, y):
    """a, the scale of the grid, for y in its own deviations."""
    r = (y - y.mean()) / y.std()
    return np.linalg.norm((X - X.mean(axis=0)).T @ r) / len(y)


@pytest.mark.slow
def test_the_grid_begins_near_where_networks_collapse_and_grows_down(regression):
    """By a decade, as long as its lowest alpha is clearly the best."""
    X, y = regression
    noisy = y + 3.0 * np.random.default_rng(0).standard_normal(len(y))
    lengths = []
    for target, hidden in ((noisy, (5,)), (X @ [1.0, 2.0, 3.0, 4.0], ())):
        model = WeightDecayMLPRegressorCV(cv=KFold(4, shuffle=True, random_state=0))
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "alpha=.* is too large for this data")
            # A noise-free line wants no decay at all, as far as the grid goes.
            warnings.filterwarnings("ignore", "alpha_=.* is the lowest of the alphas")
            model.set_params(hidden_layer_sizes=hidden, random_state=0)
            model.fit(X, target)
        a, n = pull(X, target), len(model.alphas_)
        np.testing.assert_allclose(
            model.alphas_, a * np.logspace(-0.5 * (n - 1), 0, n), rtol=1e-9
        )
        lengths.append(n)
        scores = [model.cv_results_[f"split{i}_test_score"] for i in range(4)]
        gain = np.array(scores)[:, 0] - np.array(scores)[:, 1]
        is_lowest = np.argmax(model.cv_results_["mean_test_score"]) == 0
        clearly = gain.mean() > gain.std(ddof=1) / 2.0
        assert not (is_lowest and clearly) or model.alphas_[0] <= 1e-7 * a
    assert lengths[0] == 7 < lengths[1]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.* is too large for this data")  # of plain fits
def test_the_grid_that_has_grown_is_that_of_the_grid_search(
    regression, one_blas_thread
):
    X, y = regression
    model = WeightDecayMLPRegressorCV(cv=3, **SMALL).fit(X, y)
    grid = {"alpha": model.alphas_}
    search = GridSearchCV(WeightDecayMLPRegressor(**SMALL), grid, cv=3).fit(X, y)
    np.testing.assert_array_equal(
        model.cv_results_["mean_test_score"], search.cv_results_["mean_test_score"]
    )
    assert model.alpha_ == search.best_params_["alpha"]


class Named(WeightDecayMLPRegressorCV):
    """With a parameter of its own."""

    def __init__(self, *, colour="blue", alphas=None, cv=None, random_state=None):
        super().__init__(alphas=alphas, cv=cv, random_state=random_state)
        self.colour = colour


@pytest.mark.slow
def test_a_subclass_has_parameters_of_its_own(regression):
    model = Named(colour="red", alphas=[0.01, 0.1], cv=2, random_state=0)
    model.fit(*regression)
    plain = WeightDecayMLPRegressorCV(alphas=[0.01, 0.1], cv=2, random_state=0)
    plain.fit(*regression)
    np.testing.assert_array_equal(model.coefs_[0], plain.coefs_[0])


def test_folds_that_lack_a_class(one_blas_thread):
    """Fitted with those that they have; nan is scored with all labels."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((120, 3))
    level = X[:, 0] + 0.3 * rng.standard_normal(120)
    y = np.array(list("abcd"))[np.digitize(level, [-0.6, 0.0, 0.6])]
    rows, kept = np.arange(120), np.array(list("abc"))
    splits = [
        (rows[np.isin(y, kept)], rows[~np.isin(y, kept)][:9]),
        (rows[::2], rows[1::2][np.isin(y[1::2], kept)]),
        (rows[:90], rows[90:]),
    ]
    model = WeightDecayMLPClassifierCV(alphas=[0.1], cv=splits, **SMALL)
    by_loss = model.set_params(scoring="neg_log_loss").fit(X, y).cv_results_
    for number, (train, test) in enumerate(splits):
        plain = WeightDecayMLPClassifier(alpha=0.1, **SMALL).fit(X[train], y[train])
        p = np.zeros((len(test), 4))
        p[:, np.searchsorted(list("abcd"), plain.classes_)] = plain.predict_proba(
            X[test]
        )
        expected = -log_loss(y[test], p, labels=list("abcd"))
        found = by_loss[f"split{number}_test_score"][0]
        assert found == pytest.approx(expected, rel=1e-9)
    # Accuracy needs no labels: it is GridSearchCV's.
    found = model.set_params(scoring="accuracy").fit(X, y).cv_results_
    grid = {"alpha": [0.1]}
    search = GridSearchCV(WeightDecayMLPClassifier(**SMALL), grid, cv=splits)
    expected = search.fit(X, y).cv_results_["mean_test_score"]
    np.testing.assert_array_equal(found["mean_test_score"], expected)


def test_a_scorer_that_cannot_be_told_of_a_class_is_left_as_it_is(regression):
    def share(y, predicted):
        return np.mean(y == predicted) if y.any() else np.nan

    X, y = regression
    y, rows = (y > 0).astype(int), np.arange(len(y))
    zeros = rows[y == 0][:9]
    model = WeightDecayMLPClassifierCV(
        alphas=[0.1], cv=[(rows, zeros)], scoring=make_scorer(share), **SMALL
    )
    with pytest.raises(ValueError, match="is not defined on its test rows"):
        model.fit(X, y)


def test_a_scorer_that_fails_at_one_alpha(regression):
    def scorer(model, X, y):
        if model.alpha == 0.1:
            raise KeyError("column")
        return model.score(X, y)

    model = WeightDecayMLPRegressorCV(alphas=[0.01, 0.1], cv=3, scoring=scorer, **SMALL)
    with pytest.warns(UserWarning) as caught:
        model.fit(*regression)
    assert [str(w.message) for w in caught] == [
        f"3 of 6 scores are nan. scoring={scorer!r} failed for alpha=0.1 in split 0: "
        "KeyError('column'). Choose a scorer that suits these targets."
    ]
    assert model.alpha_ == 0.01
    assert np.isnan(model.cv_results_["mean_test_score"][1])


@pytest.mark.wide(2)
@pytest.mark.parametrize("Estimator", ["regressor", "classifier"])
def test_one_posterior_is_made(Estimator, regression, classes):
    if Estimator == "regressor":
        cls, (X, y) = WeightDecayMLPRegressorCV, regression
    else:
        cls, (X, y) = WeightDecayMLPClassifierCV, classes
    model = cls(alphas=[0.01, 0.03, 0.1], cv=3, posterior=True, **SMALL)
    with patch.object(Laplace, "of", side_effect=Laplace.of) as made:
        model.fit(X, y)
    assert made.call_count == 1


@pytest.mark.slow
def test_a_score_of_moderated_probabilities_has_its_posterior(classes, one_blas_thread):
    X, y = classes
    how = {"posterior": True, **SMALL}
    model = WeightDecayMLPClassifierCV(
        alphas=[0.01, 0.1], cv=3, scoring="neg_log_loss", **how
    ).fit(X, y)
    search = GridSearchCV(
        WeightDecayMLPClassifier(**how),
        {"alpha": [0.01, 0.1]},
        cv=3,
        scoring="neg_log_loss",
    ).fit(X, y)
    np.testing.assert_array_equal(
        model.cv_results_["mean_test_score"], search.cv_results_["mean_test_score"]
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "how",
    [
        {"solver": "gd", "learning_rate_init": 5.0},
        {"solver": "adam", "decay": "decoupled", "learning_rate_init": 0.01},
    ],
    ids=["explodes", "decoupled"],
)
def test_workers_change_no_score(how, regression):
    """Nothing is told by what it is the same object as: a copy is another one."""
    X, y = regression
    found = []
    for n_jobs in (1, 2):
        model = WeightDecayMLPRegressorCV(
            alphas=[1e-3, 0.1], cv=2, max_iter=30, n_jobs=n_jobs, **how, **SMALL
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                scores = model.fit(X, y).cv_results_["mean_test_score"]
            except ValueError as error:
                scores = str(error)
        found.append(scores)
    np.testing.assert_array_equal(found[0], found[1])


@pytest.mark.slow
def test_sorted_rows_are_named(regression):
    X, y = regression
    order = np.argsort(y)
    model = WeightDecayMLPRegressorCV(alphas=[0.01, 0.1], **SMALL)
    with pytest.warns(UserWarning, match=r"y is in an order .* KFold\(5, shuffle=True"):
        model.fit(X[order], y[order])
    shuffled = KFold(5, shuffle=True, random_state=0)
    model.set_params(cv=shuffled).fit(X[order], y[order])
    model.set_params(cv=5).fit(X, y)


RNG = np.random.default_rng(0)
Z = RNG.standard_normal(120)
ORDERS = {  # y, and whether it is said to be in an order
    "ties": (np.sort(np.round(Z)), True),
    "downwards": (-np.sort(np.round(Z)), True),
    "counts": (np.sort(RNG.poisson(3.0, 120)), True),
    "ratings of few rows": (np.repeat([1, 2, 3, 4, 5], 4), True),
    "nearly": (np.round(np.sort(Z) + 0.1 * Z), True),
    "one of two outputs": (np.c_[Z, np.sort(np.round(Z))], True),
    "ties in no order": (np.round(Z), False),
    "ratings in turn": (np.tile([1, 2, 3, 4, 5], 24), False),
    "few rows in no order": (np.round(3.0 * Z[:10]), False),
    "classes, as numbers": (np.repeat([0, 1, 2], 50), False),
    "a constant": (np.ones(20), False),
}


@pytest.mark.wide(4)
@pytest.mark.filterwarnings("ignore:.*(lowest|highest) of the alphas|alpha=.* too l")
@pytest.mark.parametrize(("y", "expected"), ORDERS.values(), ids=ORDERS)
def test_ties_in_an_order_are_named(y, expected):
    X = np.c_[np.arange(len(y)) % 7, np.arange(len(y)) % 3]
    model = WeightDecayMLPRegressorCV(hidden_layer_sizes=(), alphas=[0.1, 1.0])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y)
        model.set_params(cv=KFold(5, shuffle=True, random_state=0)).fit(X, y)
    said = [str(w.message)[:17] for w in caught].count("y is in an order ")
    assert said == expected


@pytest.mark.slow
def test_folds_of_one_row_are_like_each_other():
    """Each has its likes beside it; of shuffled rows every fold of one is a mean."""
    y = Z[:60]
    model = WeightDecayMLPRegressorCV(
        hidden_layer_sizes=(), alphas=[0.1, 1.0], cv=60, scoring="neg_max_error"
    )
    model.fit(np.c_[y, y**2], y)


def test_what_is_not_known_has_no_order():
    y = np.c_[np.sort(np.round(Z)), Z]
    y[::5, 0] = np.nan
    model = WeightDecayMLPRegressorCV(
        hidden_layer_sizes=(), alphas=[0.1, 1.0], missing_targets="mask"
    )
    with pytest.warns(match="y is in an order"):
        model.fit(np.c_[Z, Z**2], y)


def test_a_grid_of_four_names_its_end_and_a_comparison_does_not(regression):
    X, _ = regression
    y = X @ [1.0, 2.0, 3.0, 4.0]
    model = WeightDecayMLPRegressorCV(hidden_layer_sizes=(), cv=KFold(3, shuffle=True))
    with pytest.warns(match="is the lowest of the alphas that were tried"):
        model.set_params(alphas=4).fit(X, y)
    for others in (3, model.alphas_):
        model.set_params(alphas=others).fit(X, y)


def test_alphas_far_from_the_best_may_be_late(regression):
    """Nothing is said of fits that nobody will use."""
    X, y = regression
    noisy = y + 3.0 * np.random.default_rng(0).standard_normal(len(y))
    model = WeightDecayMLPRegressorCV(
        alphas=[1e-9, 0.1], cv=3, max_iter=60, activation="tanh", **SMALL
    )
    model.fit(X, noisy)
    assert model.alpha_ == 0.1
    with pytest.warns(UserWarning, match="reached max_iter"):
        WeightDecayMLPRegressor(
            alpha=1e-9, max_iter=60, activation="tanh", **SMALL
        ).fit(X, noisy)


@pytest.mark.slow
def test_a_picture_of_what_is_inside(regression):
    X, y = regression
    alphas = [0.01, 0.1, 1e-3]
    chooser = WeightDecayMLPRegressorCV(alphas=alphas, cv=3, **SMALL)
    plain = WeightDecayMLPRegressor(**SMALL)
    piped = make_pipeline(StandardScaler(), plain)
    name = "weightdecaymlpregressor__alpha"
    models = [
        make_pipeline(StandardScaler(), chooser),
        TransformedTargetRegressor(chooser),
        GridSearchCV(plain, {"alpha": alphas}, cv=3),
        GridSearchCV(piped, {name: alphas, "standardscaler__with_mean": [True]}, cv=3),
        GridSearchCV(chooser, {"activation": ["tanh"]}, cv=2),
    ]
    for model in models:
        display = AlphaPathDisplay.from_estimator(model.fit(X, y))
        np.testing.assert_array_equal(display.alphas, np.sort(alphas))
        assert display.scores.shape == (3, 3)
        box = display.ax_.get_legend().get_window_extent()
        assert box.y0 >= display.ax_.get_window_extent().y1 - 1.0  # off the curves
    with pytest.raises(ValueError, match="no path of alphas to draw"):
        AlphaPathDisplay.from_estimator(piped.fit(X, y))
