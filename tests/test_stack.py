"""The invariants of a stack, each a test named after it."""

from dataclasses import fields

import numpy as np
import pytest
from stacks import make_stack

import skwd._core.objective
import skwd._core.sample
import skwd._solvers.batches
import skwd._solvers.minibatch
import skwd._solvers.optimizers
from skwd import WeightDecayMLPRegressor
from skwd._solvers.monitor import Monitor
from skwd._solvers.registry import SOLVERS as SOLVERS_BY_NAME
from skwd._solvers.result import Status
from skwd._solvers.training import train

ROWS = (np.arange(0, 50), np.arange(10, 60), np.arange(5, 40))


def solver_named(solver="lbfgs", learning_rate="constant", **changes):
    params = WeightDecayMLPRegressor(
        solver=solver,
        learning_rate=learning_rate,
        learning_rate_init=0.05,
        batch_size=8,
        max_iter=80,
        max_fun=500,
        tol=1e-4,
        n_iter_no_change=4,
    ).get_params()
    return SOLVERS_BY_NAME[solver].of(params).changed(**changes)


def assert_same(stack, k, other, j):
    """Network k of one stack is network j of the other: every field, every bit."""
    for field in fields(stack):
        np.testing.assert_array_equal(
            getattr(stack, field.name)[k], getattr(other, field.name)[j], field.name
        )


def stacks_of(case, n_networks=7):
    make = dict(
        alpha=10.0 ** np.linspace(-4, 0, n_networks),
        rows=ROWS,
        weighted=True,
        **{"hidden": (6, 5), **case},
    )
    objective, x0 = make_stack(n_networks, **make)
    validation, _ = make_stack(n_networks, **{**make, "rows": (np.arange(50, 60),)})
    return objective, validation, x0


@pytest.mark.wide(99)
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize(
    ("solver", "schedule"),
    [
        ("lbfgs", "constant"),
        ("gd", "constant"),
        ("gd", "adaptive"),
        ("sgd", "cosine"),
        ("sgd", "adaptive"),
        ("adam", "constant"),
        ("adam", "invscaling"),
        ("adam", "adaptive"),
    ],
)
@pytest.mark.parametrize(
    "case",
    [
        {},
        {"loss": "multinomial", "n_outputs": 3, "activation": "relu"},
        {"dtype": np.float32},
        {"hidden": ()},
        {"hidden": (9,), "sparse": True},
        {"hidden": (3,), "loss": "binomial"},
    ],
    ids=["squared", "multinomial", "float32", "linear", "sparse", "binomial"],
)
def test_stack_equals_one_by_one_in_every_field(
    case, solver, schedule, early_stopping, one_blas_thread
):
    """Different alphas, rows, row counts and rates, stopping at different epochs."""
    objective, validation, x0 = stacks_of(case)
    chosen = solver_named(solver, schedule, tol=1e-3)
    watched = validation if early_stopping else None
    stack = train(objective, x0, chosen, watched, np.random.default_rng(5))
    is_direct = solver == "lbfgs" and case.get("hidden") == () and not early_stopping
    alike = is_direct or (stack.nit == chosen.max_iter).all()
    assert len(set(stack.nit)) > 1 or alike
    for k in range(len(objective)):
        watched = validation[[k]] if early_stopping else None
        rng = np.random.default_rng(5)
        alone = train(objective[[k]], x0[[k]], chosen, watched, rng)
        assert_same(stack, k, alone, 0)


@pytest.mark.slow
def test_the_stopping_epochs_and_rates_above_do_differ():
    """So that the test above has crews to split and rates to keep apart."""
    objective, _, x0 = stacks_of({})
    for solver in ("sgd", "adam"):
        chosen = solver_named(solver, "adaptive", tol=1e-3)
        stack = train(objective, x0, chosen, None, np.random.default_rng(5))
        assert len(set(stack.nit)) > 2


SOLVERS = pytest.mark.parametrize("solver", ["lbfgs", "gd", "sgd", "adam"])


def trained(objective, x0, solver):
    return train(objective, x0, solver_named(solver), None, np.random.default_rng(5))


@pytest.mark.wide(4)
@SOLVERS
def test_a_network_is_unaffected_by_its_neighbours_and_its_place(
    solver, one_blas_thread
):
    objective, _, x0 = stacks_of({})
    order = np.array([4, 0, 6, 2])
    stack = trained(objective, x0, solver)
    mixed = trained(objective[order], x0[order], solver)
    for place, k in enumerate(order):
        assert_same(mixed, place, stack, k)


@pytest.mark.slow
@SOLVERS
@pytest.mark.parametrize("chunk_bytes", [1, 20_000, 1 << 40])
def test_chunking_changes_no_bit(solver, chunk_bytes, monkeypatch, one_blas_thread):
    """Networks together, and parameters stepped together."""
    objective, _, x0 = stacks_of({})
    whole = trained(objective, x0, solver)
    monkeypatch.setattr(skwd._core.objective, "GROUP_BYTES", chunk_bytes)
    monkeypatch.setattr(skwd._solvers.minibatch, "GROUP_STATE_BYTES", chunk_bytes)
    monkeypatch.setattr(skwd._solvers.optimizers, "VISIT", min(chunk_bytes, 37))
    objective, _, x0 = stacks_of({})
    chunked = trained(objective, x0, solver)
    for k in range(len(objective)):
        assert_same(chunked, k, whole, k)


@SOLVERS
def test_networks_of_one_sample_equal_networks_of_equal_samples(
    solver, one_blas_thread
):
    """Sharing rows, or having one's own copy of them, is the same."""
    shared, x0 = make_stack(3, rows=(ROWS[0],))
    own, _ = make_stack(3, rows=(ROWS[0],) * 3)
    assert len(own.samples) == 3
    one, three = trained(shared, x0, solver), trained(own, x0, solver)
    for k in range(3):
        assert_same(one, k, three, k)


@pytest.mark.wide(2)
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_large_samples_and_batches_equal_small_ones(solver, monkeypatch):
    """Rows left in place give the same bits, batches in parts the same to rounding."""
    objective, _, x0 = stacks_of({})
    small = trained(objective, x0, solver)
    monkeypatch.setattr(skwd._core.sample, "GATHER_BYTES", 0)
    objective, _, x0 = stacks_of({})
    large = trained(objective, x0, solver)
    for k in range(len(objective)):
        assert_same(large, k, small, k)
    monkeypatch.setattr(skwd._solvers.batches, "WHOLE_BLOCKS", 0)
    monkeypatch.setattr(skwd._solvers.batches, "block_rows", lambda layout, itemsize: 3)
    in_parts = trained(objective, x0, solver)
    np.testing.assert_allclose(in_parts.loss, small.loss, rtol=1e-9)
    np.testing.assert_allclose(in_parts.params, small.params, rtol=1e-6, atol=1e-9)
    assert (in_parts.params != small.params).any()


class Scripted:
    """A validation "objective" that returns the losses of a script."""

    def __init__(self, script, networks=None):
        self.script = script
        self.networks = np.arange(len(script)) if networks is None else networks

    def __getitem__(self, networks):
        return Scripted(self.script, self.networks[networks])

    def data_loss(self, params):
        return np.array([self.script[k].pop(0) for k in self.networks])


def test_patience_counts_exactly_and_keeps_copies_of_the_best():
    """The loss improves at the second iteration, then never by tol of it."""
    script = [
        [3.0, 2.0, 1.0, 0.95, 0.94, 0.92, 9.0],
        [3.0, 2.9, 2.8, 2.7, 2.6, 2.5, 2.4],
    ]
    start = np.zeros((2, 4))
    monitor = Monitor(
        start,
        validation=Scripted(script),
        watch_loss=False,
        patience=3,
        tol=0.1 - 1e-9,
        verbose=False,
    )
    ended = []
    for i in range(5):
        params = np.full((2, 4), float(i + 1))
        ended.append(monitor(np.arange(2), params, np.array([1.0, 1.0])))
        params[:] = np.nan  # what the solver does with its buffer is its own affair
    first, second = zip(*ended)
    running = [Status.RUNNING] * 4
    assert list(first) == [*running, Status.STOPPED]  # improved at 2, then not 3 times
    assert list(second) == [*running, Status.RUNNING]  # slow progress adds up
    np.testing.assert_array_equal(monitor.best_params[0], np.full(4, 5.0))
    assert monitor.best_validation[0] == 0.92
    assert monitor.validation_curves[0] == [2.0, 1.0, 0.95, 0.94, 0.92]


def test_the_starting_point_is_a_candidate_for_the_best():
    """Validation only gets worse: the weights of the start come back."""
    start = np.full((1, 4), 7.0)
    monitor = Monitor(
        start,
        validation=Scripted([[0.5, 0.6, 0.7]]),
        watch_loss=False,
        patience=2,
        tol=0.0,
        verbose=False,
    )
    for _ in range(2):
        monitor(np.arange(1), np.zeros((1, 4)), np.ones(1))
    np.testing.assert_array_equal(monitor.best_params, start)
    assert monitor.best_validation[0] == 0.5


def test_a_validation_loss_that_is_not_finite_ends_its_network_alone():
    """After one iteration; the patience of its neighbour counts that one too."""

    class Validation:
        def __init__(self, losses):
            self.losses = losses

        def __getitem__(self, networks):
            return Validation(self.losses[networks])

        def data_loss(self, params):
            return self.losses

    monitors = [
        Monitor(
            np.zeros((len(losses), 4)),
            validation=Validation(np.array(losses)),
            watch_loss=False,
            patience=2,
            tol=0.0,
            verbose=False,
        )
        for losses in ([1.0], [1.0, np.nan])
    ]
    answers = []
    for monitor in monitors:
        k = len(monitor.waited)
        calls = [monitor(np.arange(k), np.zeros((k, 4)), np.ones(k)) for _ in range(3)]
        answers.append(np.array(calls))
    alone, beside = answers
    np.testing.assert_array_equal(alone[:, 0], beside[:, 0])
    assert alone[:, 0].tolist() == [Status.RUNNING, Status.RUNNING, Status.STOPPED]
    assert beside[0, 1] == Status.UNWATCHED
