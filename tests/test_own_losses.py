"""Every network its own loss: folds, candidates and stacks equal plain fits.

The deltas of "huber" and the corners of quantiles follow from the rows trained on, and
so do the units of y: here from folds whose noise is unlike, so that they differ.
"""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from searches import assert_same_search, grid_search
from sklearn.base import clone
from sklearn.model_selection import KFold

from skwd import WeightDecayMLPRegressor, WeightDecayMLPRegressorCV
from skwd._core.activations import ACTIVATIONS
from skwd._core.layout import Layout
from skwd._core.losses import LOSSES
from skwd._core.network import Network
from skwd._core.objective import Objective
from skwd._core.robust_losses import AbsoluteError, HuberLoss, QuantileLoss
from skwd._core.sample import Sample
from skwd._cv import auto
from skwd._cv.auto import LOOSER
from skwd._cv.folds import splits_of
from skwd._cv.problem import JUDGING, LEFT_OUT
from skwd._data.merged_rows import numbers_of_copies

CASES = {
    "squared error": {},
    "huber": {"loss": "huber"},
    "huber of .5": {"loss": "huber", "huber_delta": 0.5},
    "absolute error": {"loss": "absolute_error"},
    "low quantile": {"loss": "quantile", "quantile": 0.2},
    "high quantile": {"loss": "quantile", "quantile": 0.9},
    "poisson": {"loss": "poisson"},
    "gamma": {"loss": "gamma"},
    "tweedie of 1": {"loss": "tweedie", "power": 1.0},
    "tweedie of 1.5": {"loss": "tweedie"},
    "tweedie of 2.5": {"loss": "tweedie", "power": 2.5},
}
SOLVERS = {
    "lbfgs": {"solver": "lbfgs", "max_iter": 15},
    "adam": {"solver": "adam", "max_iter": 4},
}
# What each network has of its own: the loss's parameter, or the scale of y.
LEARNT = {"huber": "delta", "absolute_error": "width", "quantile": "width"}
FOLDS = KFold(3)

pytestmark = [
    pytest.mark.usefixtures("one_blas_thread"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:The network is worse than a constant"),
    pytest.mark.filterwarnings("ignore:alpha=.* is too large for this data"),
]
all_losses = pytest.mark.parametrize("case", CASES)
all_ways = [
    pytest.mark.parametrize("solver", SOLVERS),
    pytest.mark.parametrize("n_outputs", [1, 2]),
    pytest.mark.parametrize("normalize", [True, False]),
    pytest.mark.parametrize("weighted", [False, True]),
    all_losses,
]


def in_all_ways(test):
    for mark in all_ways:
        test = mark(test)
    return test


def data(case, n_outputs=1, n=75, dtype=np.float64):
    """Rows in the order of their noise, which has heavy tails: folds are unlike."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, 3))
    noise = rng.standard_t(3, (n, n_outputs)) * np.linspace(0.1, 1.0, n)[:, np.newaxis]
    y = np.sin(2.0 * X[:, :1]) + X[:, 1:2] * np.arange(1, n_outputs + 1) + noise
    if LOSSES[CASES[case].get("loss", "squared_error")].out_activation == "exp":
        y = np.exp(np.clip(y, -3.0, 3.0))
        if case == "poisson":
            y = np.round(y)
    return X.astype(dtype), y[:, 0] if n_outputs == 1 else y


def network(case, **changes):
    common = {"hidden_layer_sizes": (5,), "activation": "tanh", "random_state": 0}
    return {**common, **CASES[case], **changes}


def weights(n):
    """Some are 0, some are 2: whole numbers, as of rows that are repeated."""
    return np.random.default_rng(1).integers(0, 3, n).astype(float)


def fitted_loss(model):
    return model._fitted.targets.loss


def assert_own(models, case, normalize):
    """What a loss and its units learn from the rows differs from fold to fold."""
    values, has_units = [], fitted_loss(models[0]).moments is not None
    name = LEARNT.get(CASES[case].get("loss"))
    if normalize and has_units:
        values = [model.y_scale_ for model in models]
    elif name is not None and case != "huber of .5":
        values = [getattr(fitted_loss(model), name) for model in models]
    assert len({value.tobytes() for value in values}) == len(values)


@pytest.mark.wide(204)
@in_all_ways
def test_a_search_is_the_grid_search(case, weighted, normalize, n_outputs, solver):
    X, y = data(case, n_outputs)
    how = network(case, normalize_y=normalize, **SOLVERS[solver])
    model = WeightDecayMLPRegressorCV(alphas=[1e-3, 0.05, 0.7], cv=FOLDS, **how)
    weight = weights(len(y)) if weighted else None
    search = grid_search(clone(model), X, y, weight)
    assert_same_search(model.fit(X, y, weight), search)


@pytest.mark.wide(84)
@all_losses
@pytest.mark.parametrize(
    "changes",
    [{"early_stopping": True}, {"n_init": 2}, {"dtype": np.float32}],
    ids=str,
)
@pytest.mark.parametrize("solver", SOLVERS)
def test_a_search_with_more_to_it(solver, changes, case):
    """Watched rows are judged by the loss of those that are trained on."""
    changes = dict(changes)
    X, y = data(case, dtype=changes.pop("dtype", np.float64))
    how = network(case, **SOLVERS[solver], **changes)
    model = WeightDecayMLPRegressorCV(alphas=[1e-3, 0.05], cv=FOLDS, **how)
    search = grid_search(clone(model), X, y)
    assert_same_search(model.fit(X, y), search)


@pytest.mark.wide(204)
@in_all_ways
@pytest.mark.parametrize("folds", [FOLDS, 3], ids=["splitter", "number"])
def test_networks_of_folds_are_plain_fits(
    folds, case, weighted, normalize, n_outputs, solver
):
    X, y = data(case, n_outputs)
    weight = weights(len(y)) if weighted else np.ones(len(y))
    how = network(case, normalize_y=normalize, **SOLVERS[solver])
    model = WeightDecayMLPRegressor(intervals=folds, **how).fit(X, y, weight)
    counted, found = np.flatnonzero(weight), model._fitted.folds
    if folds == 3:
        rng = np.random.default_rng([model._fitted.seed, LEFT_OUT])
        seed = int(rng.integers(2**31 - 1))
        folds = KFold(3, shuffle=True, random_state=seed)
    plain = WeightDecayMLPRegressor(alpha=model.alpha_, **how)
    fits = []
    for number, (train, test) in enumerate(folds.split(counted)):
        rows = counted[train]
        fits.append(clone(plain).fit(X[rows], y[rows], weight[rows]))
        assert_array_equal(
            found.networks[number].params, fits[-1]._fitted.network.params
        )
        mean, scale = found.scaling[number]
        assert_array_equal(mean, fits[-1].y_mean_)
        assert_array_equal(scale, fits[-1].y_scale_)
        assert (found.fold[test] == number).all()
        rows = counted[test]  # alone: a product rounds by how many rows it has
        off = np.abs(y[rows] - fits[-1].predict(X[rows]))
        assert_array_equal(found.residuals[test], off.reshape(len(test), -1))
    assert_own(fits, case, normalize)


@pytest.mark.wide(186)
@in_all_ways
def test_candidates_of_auto_are_plain_fits(
    case, weighted, normalize, n_outputs, solver, monkeypatch
):
    """Judged by the loss that the rows trained on give, in the units of these."""
    X, y = data(case, n_outputs)
    weight = weights(len(y)) if weighted else np.ones(len(y))
    how = network(case, normalize_y=normalize, **SOLVERS[solver])
    seen, path = [], auto.Candidates.path

    def spy(candidates, unit):
        seen.append(candidates)
        return path(candidates, unit)

    monkeypatch.setattr(auto.Candidates, "path", spy)
    model = WeightDecayMLPRegressor(alpha="auto", encoding=None, **how)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The signal is too weak")
        model.fit(X, y, weight)
    multiples, fits = seen[-1].multiples, []
    rng = np.random.default_rng([model._fitted.seed, JUDGING])
    splits = splits_of(numbers_of_copies(X, y.reshape(len(y), -1)), weight, None, rng)
    plain = WeightDecayMLPRegressor(**how)
    plain.set_params(tol=LOOSER * plain.tol)
    if model.alpha_choice_["model"] == "linear model":
        plain.set_params(hidden_layer_sizes=(), solver="lbfgs", tol=plain.tol / LOOSER)
    losses = []
    for train, test in splits:
        loss, n = fitted_loss(model), weight[train].sum()
        unit = loss.default_unit(y[train].reshape(len(train), -1), weight[train] / n)
        c = loss.default_decay * unit.mean()
        for alpha in multiples * (c / n):
            given = clone(plain).set_params(alpha=alpha)
            fits.append(given.fit(X[train], y[train], weight[train]))
            losses.append(held_out_loss(fits[-1], X[test], y[test], weight[test]))
    wanted = np.reshape(losses, (-1, len(multiples)))
    np.testing.assert_allclose(-model.alpha_scores_, wanted.mean(axis=0), rtol=1e-10)
    assert_own(fits[:: len(multiples)], case, normalize)


def held_out_loss(model, X, y, weight):
    """The weighted mean loss of other rows, as the network sees them."""
    scaled = (y.reshape(len(y), -1) - model.y_mean_) / model.y_scale_
    raw = model._fitted.network.combine_blocks(X, lambda raw: raw)[0]
    return np.average(fitted_loss(model).loss(scaled, raw), weights=weight)


def test_the_folds_here_are_unlike():
    """Of rows in the order of their noise, so that a shared loss would show."""
    X, y = data("huber")
    found = []
    for train, _ in FOLDS.split(X):
        own = WeightDecayMLPRegressor(max_iter=1, loss="huber", normalize_y=False)
        found.append(float(fitted_loss(own.fit(X[train], y[train])).delta[0]))
    assert max(found) > 1.2 * min(found) and len(set(found)) == 3


STACKS = {
    "huber": [HuberLoss(np.array([0.2, 3.0])), HuberLoss(np.array([1.1, 0.4]))],
    "quantile": [
        QuantileLoss(0.2, np.array([0.5, 0.01])),
        QuantileLoss(0.9, np.array([0.1, 2.0])),
    ],
    "widths": [
        QuantileLoss(0.3, np.array([0.5, 0.01])),
        QuantileLoss(0.3, np.array([0.1, 2.0])),
    ],
    "absolute error": [
        AbsoluteError(width=np.array([0.5, 0.01])),
        AbsoluteError(width=np.array([0.1, 2.0])),
    ],
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", STACKS)
def test_a_stack_gives_each_network_its_own_loss(name, dtype):
    rng = np.random.default_rng(0)
    losses, of_network = STACKS[name], np.array([0, 0, 1, 0, 1, 1])
    y = rng.standard_normal((9, 2)).astype(dtype)
    raw = rng.standard_normal((6, 9, 2)).astype(dtype)
    stack = losses[0].stacked(losses, of_network)

    def same(loss, networks, shape):
        """``loss`` of networks with axes ``shape`` is that of each alone."""
        given = raw[networks].reshape(*shape, 9, 2)
        wanted = [losses[of_network[k]] for k in networks]
        values = [own.loss(y, raw[k]) for own, k in zip(wanted, networks)]
        assert_array_equal(loss.loss(y, given), np.reshape(values, (*shape, 9)))
        slopes, out = [np.empty((9, 2), dtype) for _ in networks], np.empty_like(given)
        for own, k, slope in zip(wanted, networks, slopes):
            own.gradient(raw[k], y, slope)
        loss.gradient(given, y, out)
        assert_array_equal(out, np.reshape(slopes, given.shape))
        both = given.copy()
        assert_array_equal(loss.loss_gradient(y, both), loss.loss(y, given))
        assert_array_equal(both, out)

    every = np.arange(6)
    same(stack, every, (6,))
    same(stack.shaped((2, 3)), every, (2, 3))
    for networks in (np.array([4, 0, 2]), np.array([3, 1]), np.array([5])):
        same(stack[networks], networks, (len(networks),))
        same(stack[networks][np.array([0])].shaped(()), networks[:1], ())
    # Alike, they stay what they are.
    assert losses[0].stacked([losses[0]] * 2, of_network) is losses[0]
    assert losses[0][every] is losses[0] and losses[0].shaped((2, 3)) is losses[0]


@pytest.mark.parametrize("name", STACKS)
def test_what_a_sample_keeps_of_a_constant_is_of_one_loss(name):
    """Two fits that share their rows: each asks for the constant of its own loss."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((30, 2)), rng.standard_t(2, (30, 2))
    layout = Layout((2, 3, 2))
    networks, alpha = Network(layout, ACTIVATIONS["tanh"]), np.ones((2, 2))
    shared = Sample(X, y, np.ones(30))

    def constant_loss(loss, sample):
        return Objective(networks, loss, [sample], alpha).constant_loss()

    found = [constant_loss(loss, shared) for loss in STACKS[name]]
    alone = [constant_loss(loss, Sample(X, y, np.ones(30))) for loss in STACKS[name]]
    assert_array_equal(found, alone)
    assert len(shared.kept) == 2 and found[0][0] != found[1][0]
    first, second = STACKS[name]
    assert first.key != second.key
    stack = first.stacked([first, second], np.array([1, 0]))
    assert_array_equal(constant_loss(stack, shared), [found[1][0]] * 2)
    assert_array_equal(constant_loss(stack[np.array([1, 1])], shared), found[0])
    assert len(shared.kept) == 2
