"""What the CV forms refuse, in these words, and what they say of lost networks."""

import re
import warnings

import numpy as np
import pytest
from refusal import LABELS, X, Y, assert_refused
from sklearn.exceptions import (
    ConvergenceWarning,
    FitFailedWarning,
)
from sklearn.metrics import get_scorer, make_scorer, max_error
from sklearn.model_selection import KFold, LeaveOneOut, ShuffleSplit

from skwd import (
    WeightDecayMLPClassifierCV,
    WeightDecayMLPRegressorCV,
    log_likelihood_scorer,
    neg_crps_scorer,
)

both = pytest.mark.parametrize(
    "Estimator", [WeightDecayMLPRegressorCV, WeightDecayMLPClassifierCV]
)
SMALL = {"hidden_layer_sizes": (3,), "random_state": 0}


def splits(*parts):
    """(train, test) of each, from the row numbers to test on."""
    return [(np.setdiff1d(np.arange(12), test), np.asarray(test)) for test in parts]


@pytest.mark.wide(4)
@both
@pytest.mark.parametrize(
    "alphas",
    [[], (), 1, 0, -3, True, 0.1, "auto", [0.1, -1.0], [np.nan], ["a"], [[0.1]]],
)
def test_alphas(Estimator, alphas):
    assert_refused(
        Estimator(alphas=alphas),
        "alphas must be None, for a grid that grows as needed, an integer >= 2, for a "
        f"grid of so many, or a sequence of finite numbers >= 0; got {alphas!r}. Use "
        "alphas=None, or np.logspace(-4, 0, 9) for standardised data.",
        X,
        LABELS,
    )


@both
def test_rule(Estimator):
    message = "rule must be one of 'best', '1se'; got 'min'."
    assert_refused(Estimator(rule="min"), message, X, LABELS)


@both
@pytest.mark.parametrize("scoring", [["r2", "max_error"], {"a": "r2"}, 3])
def test_several_scores(Estimator, scoring):
    assert_refused(
        Estimator(scoring=scoring),
        "scoring must be the name of a scorer, a callable or None, for alpha can be "
        f"best by one score only; got {scoring!r}. Choose one of them.",
        X,
        LABELS,
    )


@both
def test_an_unknown_score(Estimator):
    message = (
        "scoring must be one of sklearn.metrics.get_scorer_names(); got 'mse': did you "
        "mean 'neg_mean_squared_error'?"
    )
    assert_refused(Estimator(scoring="mse"), message, X, LABELS)


@pytest.mark.parametrize(
    "scoring", ["accuracy", "roc_auc", "neg_log_loss", "neg_mean_squared_log_error"]
)
def test_a_score_of_other_targets(scoring):
    message = f"scoring={scoring!r} cannot score the numbers of a regressor: "
    model = WeightDecayMLPRegressorCV(scoring=scoring)
    assert_refused(model, message, X, Y, whole=False)


@pytest.mark.parametrize(
    "scoring", ["neg_mean_poisson_deviance", "neg_mean_squared_log_error", "r2"]
)
@pytest.mark.parametrize("y", [np.arange(12) % 3, np.arange(12) // 11, np.arange(12.0)])
def test_a_score_that_suits_the_targets(scoring, y):
    """Counts of which a fold has none, too."""
    from skwd._estimators.scorers import check_can_score

    rows = splits(range(6), range(6, 12))
    check_can_score(scoring, get_scorer(scoring), y, rows)
    if scoring == "r2":
        check_can_score(scoring, get_scorer(scoring), np.column_stack([y, y]), rows)


def test_one_split_where_two_are_needed():
    cv = splits([0, 1])
    assert_refused(
        WeightDecayMLPRegressorCV(rule="1se", cv=cv),
        "rule='1se' needs at least 2 splits, to know a standard error; got 1 from cv="
        f"{cv!r}. Use cv=5, or rule='best'.",
    )


def test_no_split():
    message = "rule='best' needs at least 1 split; got 0 from cv=[]. Use cv=5."
    assert_refused(WeightDecayMLPRegressorCV(cv=[]), message)


@pytest.mark.parametrize(("empty", "what"), [(0, "train on"), (1, "test on")])
def test_an_empty_part(empty, what):
    cv = splits([0, 1], [2, 3])
    cv[1] = tuple(part[:0] if i == empty else part for i, part in enumerate(cv[1]))
    message = f"Split 1 of cv={cv!r} has no rows to {what}. Give every split some."
    assert_refused(WeightDecayMLPRegressorCV(cv=cv), message)


def test_an_empty_list_has_no_rows_either():
    cv = [([0, 1, 2], [])]
    message = f"Split 0 of cv={cv!r} has no rows to test on. Give every split some."
    assert_refused(WeightDecayMLPRegressorCV(cv=cv), message)
    mask = np.zeros(12, dtype=bool)
    cv = [(mask, ~mask)]
    message = f"Split 0 of cv={cv!r} has no rows to train on. Give every split some."
    assert_refused(WeightDecayMLPRegressorCV(cv=cv), message)


@pytest.mark.parametrize("n_jobs", [0, "2", 1.5, True])
def test_n_jobs(n_jobs):
    assert_refused(
        WeightDecayMLPRegressorCV(n_jobs=n_jobs),
        f"n_jobs must be None or an integer other than 0; got {n_jobs!r}. Use "
        "n_jobs=-1 for all processors.",
    )


def test_a_test_part_without_weight():
    assert_refused(
        WeightDecayMLPRegressorCV(cv=splits([4], [6, 7])),
        "Split 1 of cv has only rows of weight 0 to test on, and its score would be "
        "weighted. Give one of them a positive weight.",
        X,
        Y,
        np.isin(np.arange(12), [4, 5]).astype(float),
    )


@pytest.mark.slow
@pytest.mark.parametrize("scoring", [None, "r2"])
@pytest.mark.parametrize("cv", [LeaveOneOut(), 12, splits([0, 1, 2], [5])])
def test_a_score_that_is_never_a_number(cv, scoring):
    """R2 of one row: named before any training; MSE of one row is fine."""
    how = {"alphas": [1e-3, 0.01], "cv": cv, **SMALL}
    model = WeightDecayMLPRegressorCV(scoring=scoring, **how)
    assert_refused(
        model,
        f"scoring={scoring!r} is not defined on a single row, and split "
        f"{int(isinstance(cv, list))} of cv has no more to test on. Use scoring="
        "'neg_mean_squared_error', or other splits (R2 needs two rows).",
    )
    model.set_params(scoring="neg_mean_squared_error").fit(X, Y)
    assert model.n_splits_ in (2, 12)


def test_a_score_that_is_not_a_number_somewhere():
    def scorer(model, X, y):
        return np.nan if model.alpha == 0.01 and y[0] == Y[0] else model.alpha

    model = WeightDecayMLPRegressorCV(
        alphas=[1e-3, 5e-3, 0.01], scoring=scorer, cv=3, **SMALL
    )
    with pytest.warns(UserWarning) as caught:
        model.fit(X, Y)
    assert [str(w.message) for w in caught] == [
        f"scoring={scorer!r} is not finite for some alphas and splits, see "
        "cv_results_; an alpha whose mean score is nan is never chosen."
    ]
    assert caught[0].filename == __file__
    assert model.alpha_ == 5e-3
    assert model.cv_results_["rank_test_score"].tolist() == [2, 1, 3]


def test_one_split_diverges_at_every_alpha():
    far = X.copy()
    far[0] *= 1e4
    model = WeightDecayMLPRegressorCV(alphas=[1e-3, 0.01], cv=KFold(3), **EXPLOSIVE)
    with pytest.raises(ValueError) as caught:
        model.fit(far, Y)
    assert str(caught.value).startswith(
        "The score of every alpha is nan in some split. alpha=0.001, split 1: solver="
    )


def test_more_splits_than_rows():
    message = "Cannot have number of splits n_splits=13 greater than the number of"
    assert_refused(WeightDecayMLPRegressorCV(cv=13), message, whole=False)


@pytest.mark.parametrize("y", [LABELS, np.array(list("ab"))[LABELS]])
def test_a_split_with_one_class(y):
    """The plain estimator's own words, after those that name the split."""
    cv = splits([0, 1], np.flatnonzero(LABELS))
    assert_refused(
        WeightDecayMLPClassifierCV(cv=cv),
        "Split 1 of cv cannot be fitted: A classifier needs at least two classes of "
        f"positive weight; got 1 class out of {[y[0].item()]}. Give it samples of a "
        "second class.",
        X,
        y,
    )


def test_a_split_without_weight():
    assert_refused(
        WeightDecayMLPRegressorCV(cv=splits([4], [4, 5])),
        "Split 1 of cv cannot be fitted: All weights are zero in sample_weight: no "
        "sample is left to fit. Give at least one sample a positive weight.",
        X,
        Y,
        np.isin(np.arange(12), [4, 5]).astype(float),
    )


@both
def test_parameters_of_the_plain_estimator(Estimator):
    message = "tol must be a finite number >= 0; got -1. Use tol=1e-5, the default."
    assert_refused(Estimator(tol=-1), message, X, LABELS)


@pytest.mark.parametrize("scorer", [log_likelihood_scorer, neg_crps_scorer])
@pytest.mark.parametrize("noise", ["constant", "varying"])
def test_scorers_of_deviations_that_are_not_there(scorer, noise):
    assert_refused(
        WeightDecayMLPRegressorCV(scoring=scorer, noise=noise),
        f"scoring={scorer.__name__} needs the deviations of predictions, which the "
        "networks of a search have with posterior=True alone. Set posterior=True, or "
        "scoring=None.",
    )
    assert_refused(
        WeightDecayMLPClassifierCV(scoring=scorer, posterior=True),
        f"scoring={scorer.__name__} is for numbers, whose predictions have a "
        "deviation. Use scoring='neg_log_loss' for the probabilities of classes.",
        X,
        LABELS,
    )


def test_infinite_scores_are_named_and_no_more():
    def scorer(model, X, y):
        return np.inf if model.alpha > 0.01 else 1.0

    model = WeightDecayMLPRegressorCV(
        hidden_layer_sizes=(), alphas=[0.001, 0.1], cv=2, scoring=scorer
    )
    with pytest.warns(UserWarning) as caught:
        model.fit(X, Y)
    assert [str(w.message)[:8] for w in caught] == ["scoring="]
    assert model.alpha_ == 0.1


def failing(model, X, y):
    raise KeyError("column")


@pytest.mark.slow
def test_a_scorer_that_fails():
    model = WeightDecayMLPRegressorCV(alphas=[0.5, 2.0], scoring=failing, cv=2, **SMALL)
    assert_refused(
        model,
        f"scoring={failing!r} failed for alpha=0.5 in split 0: KeyError('column'). "
        "Choose a scorer that suits these targets.",
        trains=True,
    )
    # In another process the function has another address.
    with pytest.raises(ValueError, match=r"failed for alpha=.* in split 0: KeyError"):
        model.set_params(n_jobs=2).fit(X, Y)
    assert not hasattr(model, "n_features_in_")


@pytest.mark.parametrize("answer", [None, "good", {"a": 1.0}, np.zeros(2)])
def test_a_scorer_that_gives_no_number(answer):
    def scorer(model, X, y):
        return answer

    assert_refused(
        WeightDecayMLPRegressorCV(alphas=[0.5, 2.0], scoring=scorer, cv=2, **SMALL),
        f"scoring={scorer!r} failed for alpha=0.5 in split 0: it must return one "
        f"number; got {answer!r}. Choose the one score that alpha is to be best by.",
        trains=True,
    )


def test_what_fit_does_not_know():
    for model in (WeightDecayMLPRegressorCV(), WeightDecayMLPRegressorCV(cv=2)):
        with pytest.raises(TypeError) as caught:
            model.fit(X, Y, colour="blue")
        assert str(caught.value) == (
            "fit got an unexpected argument 'colour'. Without metadata routing only "
            "groups can be passed on; see "
            "sklearn.set_config(enable_metadata_routing=True)."
        )
        assert not hasattr(model, "n_features_in_")


def test_a_scorer_without_weights():
    largest = make_scorer(max_error, greater_is_better=False)
    model = WeightDecayMLPRegressorCV(
        alphas=[1e-3, 0.01], scoring=largest, cv=2, **SMALL
    )
    with pytest.warns(UserWarning) as caught:
        model.fit(X, Y, np.ones(12))
    assert str(caught[0].message) == (
        f"scoring={largest!r} takes no sample_weight: the networks are fitted with "
        "weights but scored without."
    )
    assert caught[0].filename == __file__


# One step of this length is stable where alpha is 0, and explodes where it is large.
EXPLOSIVE = dict(solver="gd", learning_rate_init=0.1, max_iter=50, tol=0.0, **SMALL)


def test_a_network_that_diverges_scores_nan_and_the_others_go_on(one_blas_thread):
    model = WeightDecayMLPRegressorCV(alphas=[1e-3, 0.01, 1e3], cv=3, **EXPLOSIVE)
    with pytest.warns((FitFailedWarning, ConvergenceWarning)) as caught:
        model.fit(X, Y)
    [said] = [w for w in caught if w.category is FitFailedWarning]
    start, _, rest = str(said.message).partition(" the objective went ")
    assert re.fullmatch(
        "3 of 9 fits failed, and their scores are nan. alpha=1000, split 0: "
        r"solver='gd' diverged in epoch \d+:",
        start,
    )
    assert rest.endswith("lower it.")
    assert said.filename == __file__
    results = model.cv_results_
    np.testing.assert_array_equal(np.isnan(results["mean_test_score"]), [0, 0, 1])
    assert all(np.isnan(results[f"split{k}_test_score"][2]) for k in range(3))
    assert results["rank_test_score"][2] == 3
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        others = WeightDecayMLPRegressorCV(alphas=[1e-3, 0.01], cv=3, **EXPLOSIVE)
        others.fit(X, Y)
    for key, values in others.cv_results_.items():
        if "score" in key and "time" not in key:
            np.testing.assert_array_equal(results[key][:2], values)
    np.testing.assert_array_equal(model.coefs_[0], others.coefs_[0])


def test_all_networks_diverge():
    model = WeightDecayMLPRegressorCV(alphas=[1e3, 2e3], cv=3, **EXPLOSIVE)
    message = "All 6 fits failed. alpha=1000, split 0: solver='gd' diverged in epoch"
    assert_refused(model, message, whole=False, trains=True)


def test_a_diverged_restart_is_dropped(monkeypatch):
    import skwd._cv.problem as module

    def initial_params(*args):
        params = skwd_initial_params(*args)
        params[1:] *= 1e150
        return params

    skwd_initial_params = module.initial_params
    model = WeightDecayMLPRegressorCV(
        alphas=[1e-3, 0.01], cv=2, n_init=2, ensemble=True, **SMALL
    )
    alone = WeightDecayMLPRegressorCV(alphas=[1e-3, 0.01], cv=2, **SMALL).fit(X, Y)
    monkeypatch.setattr(module, "initial_params", initial_params)
    model.fit(X, Y)
    np.testing.assert_array_equal(
        model.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"]
    )
    assert model.coefs_[0].shape == (1, 2, 3)


def test_networks_that_have_not_converged():
    """One warning for the cross-validation, and the plain one for the final fit."""
    model = WeightDecayMLPRegressorCV(
        alphas=[1e-4, 1e-3], cv=KFold(3), max_iter=4, solver="lbfgs", **SMALL
    )
    with pytest.warns(ConvergenceWarning) as caught:
        model.fit(X, Y)
    assert str(caught[0].message) == (
        "Some fits of the cross-validation at the chosen alpha have not converged: "
        "solver='lbfgs' reached max_iter (max_iter=4, tol=1e-05). Increase max_iter or "
        "tol."
    )
    [note] = caught[0].message.__notes__
    number, _, rest = note.partition(" of 3 fits")
    assert 0 < int(number) <= 3 and not rest
    assert [w.filename for w in caught] == [__file__] * len(caught)
    assert len(caught) <= 2


@pytest.mark.parametrize(
    ("changes", "message", "advice"),
    [
        ({"solver": "lbfgs", "max_fun": 4}, "reached max_fun", "Increase max_fun or"),
        (
            {"solver": "adam", "max_iter": 3},
            "reached max_iter",
            "Increase max_iter, tol or learning_rate_init",
        ),
    ],
)
def test_the_advice_is_that_of_the_plain_estimator(changes, message, advice):
    model = WeightDecayMLPRegressorCV(alphas=[1e-3, 0.01], cv=2, **SMALL, **changes)
    with pytest.warns(ConvergenceWarning) as caught:
        model.fit(X, Y)
    search, refit = (str(w.message) for w in caught)
    assert message in search and message in refit
    assert advice in search and advice in refit


def test_data_that_overflow_where_the_grid_is_made_from_them():
    message = "the objective overflows at the initial weights"
    model = WeightDecayMLPRegressorCV(alphas=3, cv=2, normalize_y=False, **SMALL)
    with pytest.raises(ValueError, match=message):
        model.fit(X * 1e200, Y * 1e200)


def test_nothing_optional_is_missing_after_a_fit():
    for model in (WeightDecayMLPRegressorCV(), WeightDecayMLPClassifierCV()):
        assert not hasattr(model, "partial_fit")
        names = model.get_params()
        one = {"alpha", "alpha_groups", "warm_start"}  # of one alpha alone
        assert not names.keys() & one
        plain = model._plain_class().get_params()
        search = {"alphas", "cv", "scoring", "rule"}
        assert names.keys() - search == plain.keys() - one
        shared = names.keys() & plain.keys()
        assert {k: names[k] for k in shared} == {k: plain[k] for k in shared}


@pytest.mark.slow
def test_a_scorer_by_name_and_as_an_object_are_one():
    model = WeightDecayMLPRegressorCV(alphas=[1e-3, 0.01], cv=ShuffleSplit(2), **SMALL)
    model.set_params(cv=KFold(2), scoring="r2").fit(X, Y)
    score = model.best_score_
    assert model.set_params(scoring=get_scorer("r2")).fit(X, Y).best_score_ == score
    assert model.set_params(scoring=None).fit(X, Y).best_score_ == score
