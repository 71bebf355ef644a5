"""What users of an alpha by name rely on: data without signal, restarts, weights."""

import pickle
import re

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skwd import WeightDecayMLPClassifier, WeightDecayMLPRegressor

SMALL = {"hidden_layer_sizes": (3,), "activation": "tanh", "random_state": 0}
WIDER = SMALL | {"hidden_layer_sizes": (4,)}
# Three units are few for these rows: the less decay the better, which is named.
pytestmark = pytest.mark.filterwarnings("ignore:.* is at the low end of its range")
REGRESSOR_NAMES = pytest.mark.parametrize("name", ["evidence", "loo", "gcv"])
NAMES = pytest.mark.parametrize("name", ["evidence", "loo"])
FITTED = ["log_evidence_", "n_effective_params_", "alpha_", "loss_", "n_iter_"]
OF_PATHS = ["alphas_", "alpha_scores_", "alpha_score_errors_"]


def assert_same_fit(a, b, names=FITTED):
    for ours, other in zip(a.coefs_ + a.intercepts_, b.coefs_ + b.intercepts_):
        assert_array_equal(ours, other)
    for name in names:
        assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)


@pytest.mark.slow
def test_restarts_are_ranked_by_evidence(regression, monkeypatch, one_blas_thread):
    choices = spied_choices(monkeypatch)
    X, y = regression
    model = WeightDecayMLPRegressor(
        alpha="evidence", posterior=True, **SMALL | {"random_state": 1}
    )
    one = clone(model).fit(X, y)
    four = clone(model).set_params(n_init=4).fit(X, y)
    every = clone(model).set_params(n_init=4, ensemble=True).fit(X, y)
    assert every.coefs_[0].shape == (4, 4, 3)
    assert_array_equal(every.coefs_[0][0], one.coefs_[0])
    evidences = [laplace.log_evidence for laplace in choices[-1].laplace]
    assert evidences[0] == one.log_evidence_
    best = int(np.argmax(evidences))
    assert best > 0  # or the data show nothing
    assert four.log_evidence_ == evidences[best] > evidences[0]
    assert_array_equal(four.coefs_[0], every.coefs_[0][best])
    assert_same_fit(four, pickle.loads(pickle.dumps(four)))
    for name in FITTED:
        assert getattr(every, name) == getattr(four, name)


def spied_choices(monkeypatch):
    """A list that every choice of alpha in fit is appended to."""
    import skwd._cv.parallel as module

    choices, train_choosing = [], module.train_choosing

    def spy(*args, **kwargs):
        choices.append(train_choosing(*args, **kwargs))
        return choices[-1]

    monkeypatch.setattr(module, "train_choosing", spy)
    return choices


def test_the_lowest_J_is_not_what_ranks_restarts(regression, monkeypatch):
    """Each restart has its own alpha; the lowest J is not that of most evidence."""
    choices = spied_choices(monkeypatch)
    X, y = regression
    for seed in range(20):
        model = WeightDecayMLPRegressor(
            alpha="evidence",
            normalize_y=False,
            n_init=4,
            ensemble=True,
            **SMALL | {"random_state": seed},
        ).fit(X, y)
        evidences = [laplace.log_evidence for laplace in choices[-1].laplace]
        J = []
        for k in range(4):
            f = np.tanh(X @ model.coefs_[0][k] + model.intercepts_[0][k])
            f = (f @ model.coefs_[1][k] + model.intercepts_[1][k])[:, 0]
            squares = sum(np.square(W[k]).sum() for W in model.coefs_)
            alpha = choices[-1].alpha[k, 0]
            J.append(np.mean((y - f) ** 2) / 2 + alpha * squares / 2)
        if np.argmin(J) != np.argmax(evidences):
            assert model.log_evidence_ == max(evidences)
            assert model.loss_ == pytest.approx(J[int(np.argmax(evidences))], rel=1e-9)
            return
    raise AssertionError("the lowest J was always that of most evidence")


@pytest.mark.wide(2)
@NAMES
def test_an_ensemble_is_the_mean_of_its_networks(name, regression, classes):
    for cls, (X, y) in (
        (WeightDecayMLPRegressor, regression),
        (WeightDecayMLPClassifier, classes),
    ):
        every = cls(alpha=name, n_init=3, ensemble=True, **SMALL).fit(X, y)
        method = "predict" if cls is WeightDecayMLPRegressor else "predict_proba"
        outputs = []
        for k in range(3):
            single = pickle.loads(pickle.dumps(every))
            single.coefs_ = [W[k] for W in every.coefs_]
            single.intercepts_ = [b[k] for b in every.intercepts_]
            outputs.append(getattr(single, method)(X))
        mean = np.mean(outputs, axis=0)
        np.testing.assert_allclose(getattr(every, method)(X), mean, rtol=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 5])
def test_each_layer_is_at_its_own_fixed_point(seed, monkeypatch):
    choices = spied_choices(monkeypatch)
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((60, 2))
    y = np.sin(1.5 * X[:, 0]) + 0.5 * X[:, 1] ** 2 + 0.2 * rng.standard_normal(60)
    model = WeightDecayMLPRegressor(
        alpha="evidence",
        alpha_groups="layer",
        tol=1e-9,
        max_iter=5000,
        **WIDER,
    ).fit(X, y)
    assert model.converged_ and model.alpha_.shape == (2,)
    gamma = choices[-1].laplace[0].n_effective
    squares = np.array([np.square(W).sum() for W in model.coefs_])
    noise = (model.noise_std_ / y.std()) ** 2  # in the units of the weights
    fixed = gamma * noise / (len(y) * squares)
    np.testing.assert_allclose(model.alpha_, fixed, rtol=1e-3)
    assert not 0.5 < model.alpha_[0] / model.alpha_[1] < 2.0
    assert gamma.sum() + 1 <= model.n_effective_params_ <= gamma.sum() + 5  # biases


@pytest.mark.wide(3)
@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "identity"])
def test_layers_of_homogeneous_units_stay_tied(activation, regression):
    X, y = regression
    model = WeightDecayMLPRegressor(
        alpha="evidence", normalize_y=True, **SMALL | {"activation": activation}
    )
    one_alpha = clone(model).set_params(alpha_groups="layer").fit(X, y)
    assert one_alpha.alpha_.shape == (2,) and one_alpha.alpha_[0] == one_alpha.alpha_[1]
    assert one_alpha.alpha_[0] == model.fit(X, y).alpha_


@pytest.mark.wide(3)
@REGRESSOR_NAMES
def test_rows_in_another_order_or_repeated_give_the_same_alpha(
    name, regression, one_blas_thread
):
    """Counts: to the last bit, and a constant factor of the weights does matter."""
    X, y = regression
    rng = np.random.default_rng(0)
    y = y + 0.5 * rng.standard_normal(len(y))  # the best alpha is not zero
    counts, order = rng.integers(0, 4, len(y)), rng.permutation(len(y))
    model = WeightDecayMLPRegressor(alpha=name, **SMALL)
    a = clone(model).fit(X[order], y[order], sample_weight=counts[order])
    rows = np.repeat(np.arange(len(y)), counts)
    b = clone(model).fit(X[rows], y[rows])
    assert_same_fit(a, b)
    if name != "evidence":
        assert_same_fit(a, b, OF_PATHS)
    many = clone(model).fit(X[order], y[order], sample_weight=10 * counts[order])
    assert abs(many.log_evidence_ - a.log_evidence_) > 100.0
    if name == "evidence":
        assert many.alpha_ < a.alpha_
    else:  # nine copies of a row stay when one is left out
        assert many.alpha_scores_.max() > a.alpha_scores_.max()


@pytest.mark.slow
def test_an_alpha_by_name_in_a_pipeline_and_a_grid_search(classes):
    X, y = classes
    pipeline = make_pipeline(
        StandardScaler(), WeightDecayMLPClassifier(alpha="evidence", **SMALL)
    )
    grid = {"weightdecaymlpclassifier__alpha": ["evidence", "loo", 0.3]}
    search = GridSearchCV(pipeline, grid, cv=3, error_score="raise").fit(X, y)
    scores = search.cv_results_["mean_test_score"]
    assert min(scores[:2]) > 0.6 and min(scores[:2]) > scores[2]
    assert cross_val_score(pipeline, X, y, cv=3, error_score="raise").mean() > 0.6


@pytest.mark.wide(4)
@REGRESSOR_NAMES
def test_a_plain_alpha_leaves_nothing_of_the_choice(name, regression):
    X, y = regression
    model = WeightDecayMLPRegressor(alpha=name, **SMALL).fit(X, y)
    names = {"log_evidence_", "n_effective_params_", "noise_std_"}
    names |= set(OF_PATHS) if name != "evidence" else set()
    assert names <= set(vars(model))
    assert set(OF_PATHS).isdisjoint(vars(model)) == (name == "evidence")
    model.set_params(alpha=1e-3).fit(X, y)
    plain = clone(model).fit(X, y)
    assert set(vars(model)) == set(vars(plain))
    assert names.isdisjoint(vars(model))


@pytest.mark.slow
@NAMES
def test_other_losses_and_shapes_of_y(name, classes, one_blas_thread):
    """Each finds a signal; sparse X is dense X, float32 is close."""
    X, y = classes
    rng = np.random.default_rng(2)
    smooth = np.column_stack([np.sin(X[:, 0]), X[:, 1]])
    labels = (smooth + rng.standard_normal((150, 2)) > 0) * 1
    targets = [
        (WeightDecayMLPRegressor(), smooth + 0.1 * rng.standard_normal((150, 2))),
        (WeightDecayMLPRegressor(loss="poisson"), rng.poisson(np.exp(smooth[:, 1]))),
        (WeightDecayMLPClassifier(), y),
        (WeightDecayMLPClassifier(), labels),
    ]
    for model, target in targets:
        model.set_params(alpha=name, hidden_layer_sizes=(), random_state=0, tol=1e-6)
        dense = clone(model).fit(X, target)
        assert dense.score(X, target) > 0.3 and 1e-9 < dense.alpha_ < 1.0
        n_outputs = dense.n_outputs_
        assert n_outputs < dense.n_effective_params_ < 5 * n_outputs
        assert hasattr(dense, "noise_std_") == (dense.out_activation_ == "identity")
        thin = clone(model).fit(sparse.csr_array(X), target)
        assert thin.alpha_ == pytest.approx(dense.alpha_, rel=1e-4)
        assert thin.log_evidence_ == pytest.approx(dense.log_evidence_, rel=1e-6)
        single = clone(model).set_params(tol=1e-5)
        single.fit(X.astype(np.float32), target)
        assert single.coefs_[0].dtype == np.float32
        # Next to no decay is best here: by leave-one-out many alphas are equal.
        if name == "evidence":
            assert single.alpha_ == pytest.approx(dense.alpha_, rel=0.01)
            assert single.log_evidence_ == pytest.approx(dense.log_evidence_, rel=1e-4)
        score = single.score(X.astype(np.float32), target)
        assert score == pytest.approx(dense.score(X, target), abs=1e-3)


@pytest.mark.wide(4)
@REGRESSOR_NAMES
def test_verbose_prints_every_alpha(name, regression, capsys):
    X, y = regression
    WeightDecayMLPRegressor(alpha=name, verbose=True, **SMALL).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    word = "round" if name == "evidence" else "fit"
    rounds = [line for line in lines if line.startswith(f"Network 0, {word} ")]
    score = "log-evidence" if name == "evidence" else name
    said = (
        rf"Network 0, {word} \d+: alpha = \S+, {score} = \S+, effective parameters = "
    )
    assert len(rounds) >= 2 and all(re.match(said, line) for line in rounds)
    assert len(lines) < 60
    WeightDecayMLPRegressor(alpha=name, verbose=2, **SMALL).fit(X, y)
    more = capsys.readouterr().out.splitlines()
    assert [line for line in more if "teration " not in line] == lines
    assert any("teration 1, loss = " in line for line in more)


@REGRESSOR_NAMES
def test_too_few_iterations_are_named_with_what_is_in_sight(name, regression):
    X, y = regression
    model = WeightDecayMLPRegressor(alpha=name, max_iter=3, **SMALL)
    message = r"solver='auto', here 'lbfgs', reached max_iter \(max_iter=3, tol=1e-05\)"
    with pytest.warns(ConvergenceWarning, match=message) as caught:
        model.fit(X, y)
    in_sight = r"3 iterations, a fall of J by \S+ of itself in sight"
    assert any(
        re.fullmatch(in_sight, note)
        for w in caught
        for note in getattr(w.message, "__notes__", ())
    )
    assert not model.converged_


@pytest.mark.wide(2)
@NAMES
def test_warm_start_searches_anew_from_the_stored_weights(name, regression):
    """Rows with enough noise that the best alpha is not zero."""
    X, y = regression
    y = y + 0.5 * np.random.default_rng(1).standard_normal(len(y))
    model = WeightDecayMLPRegressor(alpha=name, warm_start=True, **WIDER)
    model.fit(X, y)
    first = pickle.loads(pickle.dumps(model))
    model.fit(X, y)
    assert model.alpha_ == pytest.approx(first.alpha_, rel=0.3)
    assert model.score(X, y) == pytest.approx(first.score(X, y), abs=0.05)
    cold = clone(model).set_params(random_state=1).fit(X, y)
    far, near = (np.abs(m.coefs_[0] - first.coefs_[0]).max() for m in (cold, model))
    assert near < 0.5 * far


@pytest.mark.slow
@NAMES
def test_a_warm_start_leaves_a_constant(name, regression):
    """Where every weight is zero their gradient is, too."""
    X, y = regression
    model = WeightDecayMLPRegressor(alpha=name, warm_start=True, **WIDER)
    model.fit(X, np.ones(len(y)))
    assert not any(np.any(W) for W in model.coefs_)
    model.fit(X, y)
    assert model.score(X, y) == clone(model).fit(X, y).score(X, y) > 0.9
