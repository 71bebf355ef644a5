"""alpha="auto": judged on held-out rows, for every solver, and said why."""

import pickle
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import Ridge

from skwd import (
    AlphaPathDisplay,
    LossCurveDisplay,
    WeightDecayMLPClassifier,
    WeightDecayMLPRegressor,
)
from skwd._cv import auto, folds
from skwd._cv.auto import FIRST, LOOSER, RACE_ROWS
from skwd._cv.competitor import Competitor
from skwd._cv.folds import splits_of
from skwd._cv.ladder import simplest
from skwd._cv.models import judging
from skwd._cv.problem import JUDGING as STREAM
from skwd._cv.race import race
from skwd._data.merged_rows import numbers_of_copies
from skwd._estimators.parameters import check_parameters
from skwd._solvers.registry import SOLVERS

SMALL = {"hidden_layer_sizes": (6,), "alpha": "auto", "random_state": 0}
# Short trainings, which need not end at a minimum.
short = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def curve(n=90, noise=0.3, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 3))
    return X, np.sin(2.0 * X[:, 0]) + 0.5 * X[:, 1] ** 2 + noise * rng.normal(size=n)


def line(n=90, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 3))
    return X, X @ [1.0, -2.0, 0.5] + 0.5 * rng.standard_normal(n)


def quiet(model, *data, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(*data, **kwargs)


@pytest.mark.wide(2)
@pytest.mark.parametrize("hidden", [(), (6,)])
def test_scores_are_those_of_plain_fits_on_the_same_folds(
    hidden, monkeypatch, one_blas_thread
):
    """At the same multiple of c / n, and in the deviation of the y each has seen.

    They stop early, at LOOSER times tol or MOST_ITERATIONS; the last fit does not.
    """
    X, y = curve() if hidden else line()
    seen, path = [], auto.Candidates.path

    def spy(candidates, unit):
        seen.append(candidates.multiples)
        return path(candidates, unit)

    # To the last digit, which may lead to another minimum.
    monkeypatch.setattr(auto.Candidates, "path", spy)
    model = WeightDecayMLPRegressor(**SMALL | {"hidden_layer_sizes": hidden}).fit(X, y)
    rng = np.random.default_rng([model._fitted.seed, STREAM])
    numbers = numbers_of_copies(X, y[:, None])
    splits = list(splits_of(numbers, np.ones(len(y)), None, rng))
    assert sorted(np.concatenate([test for _, test in splits])) == list(range(90))
    multiples = seen[-1]
    assert_allclose(model.alphas_, multiples * 5.0 / len(y), rtol=1e-12)
    for multiple, score in zip(multiples, model.alpha_scores_):
        losses = []
        for train, test in splits:
            alpha = multiple * (5.0 / len(train))
            looser = {"tol": LOOSER * model.tol, "max_iter": auto.MOST_ITERATIONS}
            plain = clone(model).set_params(alpha=alpha, **looser)
            quiet(plain, X[train], y[train])
            error = (y[test] - plain.predict(X[test])) / plain.y_scale_
            losses.append(0.5 * np.mean(error**2))
        assert score == pytest.approx(-np.mean(losses), rel=1e-6)
    assert set(np.round(np.log10(FIRST), 6)) <= set(np.round(np.log10(multiples), 6))
    best = int(np.argmax(model.alpha_scores_))
    assert model.alpha_ >= model.alphas_[best]  # the largest that is as good
    chosen = list(model.alphas_).index(model.alpha_)
    assert model.alpha_scores_[chosen] >= 1.001 * model.alpha_scores_[best]
    same = clone(model).set_params(alpha=model.alpha_).fit(X, y)
    assert_array_equal(same.coefs_[0], model.coefs_[0])
    scores = model.alpha_choice_["scores"]
    expected = "network" if hidden else "linear model"
    assert model.alpha_choice_["model"] == expected == max(scores, key=scores.get)
    assert scores[expected] == model.alpha_scores_[best]


@pytest.mark.parametrize(
    "solver, max_iter, judged", [("lbfgs", 3000, 500), ("lbfgs", 7, 7), ("adam", 9, 9)]
)
def test_what_is_judged_is_trained_less_exactly(solver, max_iter, judged):
    params = WeightDecayMLPRegressor(max_iter=max_iter, tol=1e-3).get_params()
    trained = judging(SOLVERS[solver].of(params))
    assert (trained.max_iter, trained.tol) == (judged, 1e-3 * LOOSER)


def test_a_line_is_a_linear_model():
    X, y = line()
    model = WeightDecayMLPRegressor(**SMALL).fit(X, y)
    assert model.alpha_choice_["model"] == "linear model"
    assert [W.shape for W in model.coefs_] == [(3, 1)] and model.n_layers_ == 2
    ridge = Ridge(alpha=model.alpha_ * len(y)).fit(X, y)
    assert_allclose(model.predict(X), ridge.predict(X), atol=1e-6 * y.std())
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.predict(X), model.predict(X))
    # A warm start of another model begins anew.
    model.set_params(warm_start=True).fit(*curve())
    assert model.alpha_choice_["model"] == "network" and len(model.coefs_) == 2


@pytest.mark.slow
def test_next_to_nothing_is_learnt_from_noise():
    """A constant on some seeds, which is said, a strong decay on the others."""
    n_constant = 0
    for seed in range(6):
        rng = np.random.default_rng(seed)
        X, y = rng.standard_normal((240, 3)), rng.standard_normal(240)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model = WeightDecayMLPRegressor(**SMALL).fit(X, y)
        assert model.predict(X).std() < 0.2 * y.std()
        said = [str(w.message) for w in caught]
        is_constant = model.alpha_choice_["model"] == "constant"
        n_constant += is_constant
        weak = [text for text in said if "the signal is too weak" in text]
        assert len(weak) == is_constant == (not any(W.any() for W in model.coefs_))
        if is_constant:
            assert_allclose(model.predict(X), y.mean())
    assert n_constant >= 2


@pytest.mark.slow
@short
@pytest.mark.parametrize("solver", ["lbfgs", "gd", "sgd", "adam"])
@pytest.mark.parametrize(
    "changes",
    [{}, {"early_stopping": True}, {"decay": "decoupled"}, {"n_init": 2}],
    ids=str,
)
def test_every_solver_and_way_to_train(solver, changes):
    if solver == "lbfgs" and "decay" in changes:
        changes = {"ensemble": True, "n_init": 2}
    X, y = curve(noise=0.1)
    model = WeightDecayMLPRegressor(**SMALL, solver=solver, max_iter=150, **changes)
    model.set_params(learning_rate_init=0.05).fit(X, y)
    scores = model.alpha_choice_["scores"]
    assert max(scores.values()) > scores["constant"]
    assert model.score(X, y) > 0.15 and model.alpha_ in model.alphas_
    assert set(model.alpha_choice_) == {"way", "model", "reason", "scores"}


@pytest.mark.wide(2)
@pytest.mark.parametrize("ensemble", [False, True])
def test_of_several_starts_the_constant_is_one_too(ensemble):
    rng = np.random.default_rng(2)
    X, y = rng.standard_normal((40, 8)), rng.standard_normal(40)
    model = WeightDecayMLPRegressor(n_init=2, ensemble=ensemble, **SMALL)
    with pytest.warns(match="predicts a constant"):
        model.set_params(hidden_layer_sizes=(2,)).fit(X, y)
    assert model.alpha_choice_["model"] == "constant"
    assert_allclose(model.predict(X), y.mean())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*predicts a constant")
def test_a_constant_has_the_validation_loss_of_a_constant():
    rng = np.random.default_rng(2)
    X, y = rng.standard_normal((40, 8)), rng.standard_normal(40)
    model = WeightDecayMLPRegressor(**SMALL, early_stopping=True, encoding=None)
    val = {"X_val": X[:15], "y_val": y[:15]}
    model.set_params(hidden_layer_sizes=(2,)).fit(X, y, **val)
    assert model.alpha_choice_["model"] == "constant"
    expected = -0.5 * np.mean((y[:15] - y.mean()) ** 2) / y.var()
    assert model.best_validation_score_ == pytest.approx(expected)
    assert_allclose(model.validation_scores_, [expected] * model.n_iter_)
    assert LossCurveDisplay.from_estimator(model).best_line_ is not None


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, "lbfgs"),
        ({"early_stopping": True}, "adam"),
        ({"decay": "decoupled"}, "adam"),
        ({"solver": "lbfgs", "early_stopping": True}, "lbfgs"),
    ],
)
def test_a_line_is_exact_where_the_network_is_trained_to_a_minimum(changes, name):
    settings = check_parameters(WeightDecayMLPRegressor(**{"solver": "adam"} | changes))
    assert settings.linear_solver(settings.solver).name == name


@pytest.mark.slow
@short
@pytest.mark.filterwarnings("ignore:The network is worse than a constant")
def test_kinds_of_y_and_X():
    X, y = curve(120)
    rng = np.random.default_rng(0)
    labels = np.digitize(y, [0.0, 0.8])
    kinds = [
        (WeightDecayMLPClassifier(), X, labels),
        (WeightDecayMLPClassifier(), X, np.array(["a", "b"])[(y > 0) * 1]),
        (WeightDecayMLPClassifier(), X, np.column_stack([y > 0, X[:, 0] > 0]) * 1),
        (WeightDecayMLPClassifier(class_weight="balanced"), X, labels),
        (WeightDecayMLPRegressor(loss="poisson"), X, rng.poisson(np.exp(y))),
        (WeightDecayMLPRegressor(), X, np.column_stack([y, -3.0 * y])),
        (WeightDecayMLPRegressor(posterior=True), X, y),
        (WeightDecayMLPRegressor(), X.astype(np.float32), y),
    ]
    for model, data, target in kinds:
        model.set_params(**SMALL).fit(data, target)
        assert model.score(data, target) > 0.2, model
        assert hasattr(model, "log_evidence_") == model.posterior
    plain = {**SMALL, "encoding": None}
    dense = WeightDecayMLPRegressor(**plain).fit(X * (X > 0), y)
    thin = WeightDecayMLPRegressor(**SMALL).fit(sparse.csr_array(X * (X > 0)), y)
    assert_allclose(thin.alpha_scores_, dense.alpha_scores_, rtol=0.05)


@pytest.mark.slow
def test_a_class_with_few_rows_is_in_no_fold_of_its_own():
    X, y = curve()
    labels = (y > 0).astype(int)
    labels[:2] = 2
    model = quiet(WeightDecayMLPClassifier(**SMALL), X, labels)
    assert model.classes_.tolist() == [0, 1, 2]
    assert np.isfinite(model.alpha_scores_).all()


@pytest.mark.slow
def test_rows_of_zero_weight_are_removed_rows(one_blas_thread):
    X, y = curve()
    weight = np.ones(len(y))
    weight[::3] = 0.0
    model = WeightDecayMLPRegressor(**SMALL).fit(X, y, sample_weight=weight)
    bare = WeightDecayMLPRegressor(**SMALL).fit(X[weight > 0], y[weight > 0])
    assert_allclose(model.alpha_scores_, bare.alpha_scores_, rtol=1e-9)


@pytest.mark.slow
def test_copies_of_a_row_are_in_one_fold(one_blas_thread):
    """So that a row of weight 2 is a repeated one, in any order of the rows."""
    X, y = curve()
    rng = np.random.default_rng(0)
    counts = rng.integers(0, 4, len(y))
    rows = rng.permutation(np.repeat(np.arange(len(y)), counts))
    weighted = WeightDecayMLPRegressor(**SMALL).fit(X, y, sample_weight=counts)
    repeated = WeightDecayMLPRegressor(**SMALL).fit(X[rows], y[rows])
    assert_array_equal(weighted.alpha_scores_, repeated.alpha_scores_)
    assert_array_equal(weighted.coefs_[0], repeated.coefs_[0])
    numbers = numbers_of_copies(X[rows], y[rows, None])
    splits = splits_of(numbers, np.ones(len(rows)), None, rng)
    for train, test in splits:
        assert not set(rows[train]) & set(rows[test])


def test_folds_depend_neither_on_units_nor_on_the_order_of_rows():
    rng = np.random.default_rng(3)
    X = rng.integers(0, 4, (150, 4)) / 4.0
    X[:, 3] = rng.normal(size=150)
    X[::3, 3] = 0.5
    X[100:130] = X[50:80]  # copies
    y = np.sin(7.0 * X @ [1.0, 2.0, 3.0, 4.0])[:, np.newaxis]

    def folds_of(X, y):
        numbers = numbers_of_copies(X, y)
        splits = splits_of(numbers, np.ones(150), None, np.random.default_rng(0))
        found = np.empty(150, int)
        for number, (_, test) in enumerate(splits):
            found[test] = number
        return found

    wanted = folds_of(X, y)
    assert_array_equal(folds_of(4.0 * X + 2.0, 3.0 * y - 1.0), wanted)
    order = rng.permutation(150)
    assert_array_equal(folds_of(X[order], y[order]), wanted[order])


def test_equal_rows_are_copies_unless_their_x_has_another_y():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 2, (400, 3)).astype(float)
    y = (rng.random(400) < 0.2 + 0.6 * X[:, 0]).astype(float)[:, None]
    assert len(np.unique(numbers_of_copies(X, y))) == 400
    numbers = numbers_of_copies(X, X[:, :1])  # x tells y
    assert len(np.unique(numbers)) == len(np.unique(X, axis=0)) == 8
    for a, b in rng.integers(0, 400, (50, 2)):
        assert (numbers[a] == numbers[b]) == (X[a] == X[b]).all()
    mixed = np.r_[X, 5.0 + X], np.r_[y, X[:, :1]]
    assert len(np.unique(numbers_of_copies(*mixed))) == 408


def test_many_rows_are_judged_by_a_part(monkeypatch):
    """One split of a random part; its best multiple is taken to all rows."""
    monkeypatch.setattr(folds, "MOST_ROWS", 60)
    X, y = curve()
    rng = np.random.default_rng(0)
    ((train, test),) = splits_of(np.arange(90), np.ones(90), None, rng)
    assert len(train) == 40 and len(test) == 20 and not set(train) & set(test)
    model = WeightDecayMLPRegressor(**SMALL).fit(X, y)
    assert model.alpha_choice_["way"] == "one split of 60 rows"
    assert model.alpha_score_errors_ is None
    steps = np.log10(model.alpha_ / (5.0 / 90)) / 0.5
    assert steps == pytest.approx(round(steps), abs=1e-9)


def test_the_reason_is_the_lowest_loss_or_the_simplest_model_that_is_as_good():
    losses = {"constant": 2.0, "linear model": 1.0004, "network": 1.0}
    found = "linear model", "the simplest within 0.1% of the lowest held-out loss, 1"
    assert simplest(losses, 100) == (found[0], f"{found[1]} (network)")
    losses["linear model"] = 1.002
    assert simplest(losses, 100) == ("network", "lowest held-out loss, 1")


def test_parts_of_few_rows_have_to_gain_something():
    """Over all models by columns that are simpler."""
    losses = {"constant": 2.0, "linear model": 1.3, "network": 1.0}
    best = "network on parts"
    reason = f"parts lower the held-out loss by less than 3%, 0.985 ({best})"
    near = losses | {best: 0.985}
    assert simplest(near, RACE_ROWS - 1) == ("network", reason)
    assert simplest(near, RACE_ROWS)[0] == best
    assert simplest(losses | {best: 0.969}, 100)[0] == best
    near["linear model"] = 1.0004  # as good as the network
    assert simplest(near, 100)[0] == "linear model"
    best = "additive model"
    assert simplest(losses | {best: 0.985}, 100)[0] == best  # simpler than the network
    assert simplest(losses | {best: 1.0009}, 100)[0] == best
    assert simplest(losses | {best: 0.985, "linear model": 1.0}, 100) == (
        "linear model",
        f"parts lower the held-out loss by less than 3%, 0.985 ({best})",
    )
    asked_for = {"constant": 1.0, best: 0.985}  # encoding="parts": nothing else is
    assert simplest(asked_for, 100)[0] == best


@pytest.mark.slow
def test_the_reason_says_that_sparse_rows_have_no_parts():
    X, y = curve()
    small = SMALL | {"encoding": "auto"}
    for rows, said in ((X, False), (sparse.csr_array(X), True)):
        choice = WeightDecayMLPRegressor(**small).fit(rows, y).alpha_choice_
        assert choice["reason"].endswith("; sparse X has no models on parts") == said
        assert ("additive model" in choice["scores"]) != said


def test_without_rows_to_judge_by_the_default_is_taken():
    X, y = curve(11)
    for target, reason in (
        (y, "fewer than 12 different rows"),
        (np.ones(11), "does not vary"),
    ):
        model = quiet(WeightDecayMLPRegressor(**SMALL), X, target)
        assert model.alpha_choice_["way"] == "default"
        assert reason in model.alpha_choice_["reason"]
        assert model.alpha_ == pytest.approx(5.0 / 11)
        assert not hasattr(model, "alphas_")


@pytest.mark.filterwarnings("ignore:alpha='auto'")
def test_a_row_whose_square_is_hardly_a_number_is_no_warning():
    X, y = line()
    y[5] = 1e150
    model = WeightDecayMLPRegressor(hidden_layer_sizes=(), alpha="auto").fit(X, y)
    assert np.isfinite(model.predict(X)).all()


@pytest.mark.parametrize("solver", ["gd", "sgd", "adam"])
@pytest.mark.parametrize("size", [1e5, 1e10, 1e40])
def test_networks_that_all_diverge_are_beaten_by_a_line(solver, size):
    """Nothing is computed of losses that are infinite."""
    X, y = line()
    model = WeightDecayMLPRegressor(**SMALL, solver=solver, max_iter=30, encoding=None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", RuntimeWarning)
        model.fit(size * X, y)
    scores = model.alpha_choice_["scores"]
    assert scores["network"] < scores["constant"] < scores["linear model"]
    assert model.score(size * X, y) > 0.9


@pytest.mark.slow
def test_what_is_left_and_what_is_refused():
    X, y = curve()
    model = WeightDecayMLPRegressor(**SMALL).fit(X, y)
    display = AlphaPathDisplay.from_estimator(model)
    assert display.score_name == "Negative held-out loss"
    model.set_params(alpha=0.01).fit(X, y)
    assert not {"alpha_choice_", "alphas_"} & vars(model).keys()
    assert not hasattr(clone(model).set_params(alpha="auto"), "partial_fit")
    with pytest.raises(ValueError, match="one of 'auto', 'evidence', 'loo', 'gcv'"):
        WeightDecayMLPRegressor(alpha="best").fit(X, y)


@pytest.mark.parametrize("seed", range(20))
def test_the_best_alpha_of_all_folds_is_found_whatever_the_first_say(seed):
    """Where losses are convex in log alpha, and a lower one gains a percent."""
    rng = np.random.default_rng(seed)
    lowest = rng.uniform(-2.0, 1.0) + rng.uniform(-4.0, 4.0, 5)  # log10, of each fold

    class Told(auto.Candidates):
        """Candidates whose losses are known."""

        def __post_init__(self):
            self.multiples, self.losses = np.empty(0), np.empty((5, 0))
            self.first_folds = slice(0, 2)

        def _judged(self, folds, multiples):
            off = np.log10(multiples) - lowest[folds, np.newaxis]
            return 1.0 + 0.01 * off**2

        def constant(self, folds=slice(None)):
            return 2.0

    class Constant(Competitor):
        first_losses = mean_losses = np.array([2.0])

        def finish(self, most):
            pass

        def extend(self, most):
            return False

    candidates = Told([None] * 5, [])
    candidates.search()
    race({"network": candidates, "constant": Constant()})
    grid = 10.0 ** np.arange(-6.0, 6.5, 0.5)
    means = 1.0 + 0.01 * np.mean((np.log10(grid)[:, None] - lowest) ** 2, axis=1)
    k = np.argmin(np.abs(np.log(grid / candidates.multiples[candidates.best])))
    assert means[k] <= auto.as_good(auto.as_good(means[k:].min()))
    assert means[k] <= auto.as_good(means[k - 1], auto.WORTH)
    assert np.isfinite(candidates.mean_losses[candidates.best])


def told(losses):
    """Candidates that one fold has judged; the loss of a constant is 2."""
    found = object.__new__(auto.Candidates)
    found.multiples = 0.1 * auto.FACTOR ** np.arange(len(losses))
    found.losses, found.first_folds = np.array([losses]), slice(0, 1)
    found.constant = lambda folds=None: 2.0
    return found


@pytest.mark.parametrize(
    ("losses", "goes_on"),
    [
        ([1.0, 1.2], True),  # two tell no ratio
        ([1.0, 1.2, 1.3], True),  # gains more and more
        ([1.0, 1.1, 1.3], True),  # 0.1 of 0.2: 0.05 more
        ([1.0, 1.01, 1.2], False),
        ([1.0, 1.09, 1.9], True),  # 0.0101 more
        ([1.0, 1.08, 1.9], False),  # 0.0079
        ([1.0, 1.01, 2.0], False),
        ([1.0, 2.0, 2.0], True),  # where it has just begun to learn
        ([-1.0, -0.99, -0.8], False),  # losses of counts may be below 0
        ([1.0, np.inf, np.inf], True),
        ([np.inf, np.inf, np.inf, 1.0], False),
    ],
)
def test_lower_alphas_are_judged_while_they_are_worth_it(losses, goes_on):
    found = told(losses)
    lower = found._further(first=found.multiples[0])
    assert bool(lower is not None and lower < found.multiples[0]) is goes_on


def test_of_networks_that_have_collapsed_one_is_judged_by_all_folds():
    found, judged = told([1.9, 2.0, 2.0, 2.0]), []
    found.losses = np.concatenate([found.losses, np.full((2, 4), np.nan)])
    found.tasks = [None] * 3

    def judge(folds, multiples):
        judged.extend(multiples)
        return np.full((2, len(multiples)), 2.0)

    found._judged = judge
    found.finish(3.0)
    np.testing.assert_allclose(judged, found.multiples[:1])
    found.losses[:, 0] = [2.0, np.nan, np.nan]
    found.finish(3.0)  # all have: the largest is the best
    np.testing.assert_allclose(judged, found.multiples[[0, 3]])
    assert np.isfinite(found.mean_losses[found.best])
