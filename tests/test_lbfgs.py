"""L-BFGS on stacks: against SciPy's, its statuses, and that a stack is its networks."""

import numpy as np
import pytest
import scipy.optimize
from stacks import Counted, make_stack

from skwd._core.activations import ACTIVATIONS
from skwd._core.layout import Layout
from skwd._core.losses import LOSSES
from skwd._core.network import Network
from skwd._core.objective import Objective
from skwd._core.sample import Sample
from skwd._solvers.lbfgs import minimize
from skwd._solvers.lbfgs_memory import MEMORY
from skwd._solvers.minimum import LbfgsSolver
from skwd._solvers.result import Status
from skwd._solvers.training import train

LIMITS = {"max_iter": 2000, "max_fun": 10_000, "tol": 1e-9}


class Functions:
    """A stack of given functions of a few parameters, in the place of an Objective."""

    dtype = np.dtype(np.float64)
    kinks = None

    def __init__(self, functions):
        self.functions = list(functions)
        self.points = []

    def __len__(self):
        return len(self.functions)

    def __getitem__(self, networks):
        part = type(self)(np.array(self.functions, dtype=object)[networks])
        part.points = self.points
        return part

    def loss_gradient(self, params):
        self.points.append(params.copy())
        values = [f(x) for f, x in zip(self.functions, params)]
        return np.array([v for v, _ in values]), np.array([g for _, g in values])


def rosenbrock(x):
    return scipy.optimize.rosen(x), scipy.optimize.rosen_der(x)


def quadratic(x):
    scale = 10.0 ** np.arange(len(x))
    return 0.5 * float(scale @ x**2), scale * x


def scipy_lbfgs(objective, k, x0, **options):
    def fun(x):
        value, grad = objective[[k]].loss_gradient(x[np.newaxis])
        return value[0], grad[0]

    options = {"maxiter": 2000, "maxfun": 10_000, "gtol": 1e-5, "ftol": 0, **options}
    return scipy.optimize.minimize(
        fun, x0, jac=True, method="L-BFGS-B", options=options
    )


@pytest.mark.slow
@pytest.mark.parametrize("activation", ["tanh", "softplus"])
@pytest.mark.parametrize(
    ("loss", "n_outputs"), [("squared_error", 2), ("multinomial", 3), ("poisson", 1)]
)
def test_as_few_evaluations_and_as_low_an_optimum_as_scipy(loss, n_outputs, activation):
    """The mean of 32 starts of each problem, within three of its standard errors.

    Rounding leads single runs, of either, to other minima and by longer ways.
    """
    objective, x0 = make_stack(
        32, hidden=(8,), loss=loss, n_outputs=n_outputs, activation=activation, n=150
    )
    ours = minimize(objective, x0, **LIMITS)
    theirs = [scipy_lbfgs(objective, k, x0[k]) for k in range(32)]
    assert ours.success.all()
    assert (ours.predicted_fall <= LIMITS["tol"]).all()
    more = ours.nfev - np.array([r.nfev for r in theirs])
    assert more.mean() <= 3.0 * more.std() / np.sqrt(32)
    higher = ours.fun - np.array([r.fun for r in theirs])
    # Where all end in one minimum, J is known to tol=1e-9 and their gtol of it.
    assert higher.mean() <= 3.0 * higher.std() / np.sqrt(32) + 1e-6 * ours.fun.mean()


def test_convex_problems_end_at_scipys_minimum():
    objective, x0 = make_stack(
        3, hidden=(), loss="multinomial", n_outputs=3, alpha=[1e-3, 1e-2, 1e-1]
    )
    ours = minimize(objective, x0, **{**LIMITS, "tol": 1e-14})
    for k in range(3):
        theirs = scipy_lbfgs(objective, k, x0[k], gtol=1e-9)
        assert ours.fun[k] == pytest.approx(theirs.fun, rel=1e-12)


@pytest.mark.wide(4)
@pytest.mark.parametrize("n", [2, 5, 20])
def test_rosenbrock(n):
    """The minimum is at ones, and found in as many evaluations as by SciPy.

    One run needs some 5 % more or fewer with every other rounding: the mean is taken
    over 40 starts about the usual one. Both end where J is known to about 1e-12, before
    rounding rules: the least J is 0, and no part of it would ever be negligible.
    """
    rng = np.random.default_rng(0)
    x0 = np.tile([-1.2, 1.0], n)[:n] + 0.03 * rng.standard_normal((40, n))
    limits = {**LIMITS, "tol": 1e-12, "negligible": np.ones(40)}
    ours = minimize(Functions([rosenbrock] * 40), x0, **limits)
    options = {"gtol": 1e-6, "ftol": 0}
    theirs = [
        scipy.optimize.minimize(
            rosenbrock, x, jac=True, method="L-BFGS-B", options=options
        )
        for x in x0
    ]
    assert ours.success.all()
    np.testing.assert_allclose(ours.x, np.ones((40, n)), atol=1e-5)
    # Five standard errors of the mean: one run differs by 5 % from SciPy's.
    assert ours.nfev.mean() <= 1.05 * np.mean([r.nfev for r in theirs])


def test_direction_is_the_two_loop_recursions():
    """The compact form equals Nocedal and Wright's algorithm 7.4 on the same pairs."""
    objective, x0 = make_stack(1, hidden=(8,), n=80)
    seen = []

    def callback(networks, params, fun):
        seen.append(params[0].copy())
        return np.full(len(networks), Status.RUNNING)

    minimize(objective, x0, max_iter=MEMORY + 6, max_fun=999, tol=0, callback=callback)
    x = np.array([x0[0], *seen])
    g = np.array([objective.loss_gradient(p[np.newaxis])[1][0] for p in x])
    for i in range(3, len(x) - 1):
        recent = slice(max(0, i - MEMORY), i)
        pairs = list(zip(np.diff(x, axis=0)[recent], np.diff(g, axis=0)[recent]))
        q, coefficients = g[i].copy(), []
        for s, y in reversed(pairs):
            a = (s @ q) / (s @ y)
            coefficients.append(a)
            q -= a * y
        s, y = pairs[-1]
        q *= (s @ y) / (y @ y)
        for (s, y), a in zip(pairs, reversed(coefficients)):
            q += s * (a - (y @ q) / (s @ y))
        step = x[i + 1] - x[i]
        cosine = -(q @ step) / (np.linalg.norm(q) * np.linalg.norm(step))
        assert cosine == pytest.approx(1.0, abs=1e-9)


def test_every_accepted_step_meets_the_wolfe_conditions():
    """J falls enough and the slope flattens, for each step of several networks."""
    objective, x0 = make_stack(6, hidden=(8,), n=80)
    path = [[x] for x in x0]

    def callback(networks, params, fun):
        for k, x in zip(networks, params):
            path[k].append(x.copy())
        return np.full(len(networks), Status.RUNNING)

    minimize(objective, x0, max_iter=60, max_fun=999, tol=1e-12, callback=callback)
    for k, points in enumerate(path):
        fun, jac = objective[np.full(len(points), k)].loss_gradient(np.array(points))
        steps = np.diff(points, axis=0)
        before = (jac[:-1] * steps).sum(axis=1)
        after = (jac[1:] * steps).sum(axis=1)
        assert (before < 0).all()
        assert (np.diff(fun) <= 1e-3 * before).all()
        assert (after >= 0.9 * before).all()


@pytest.mark.slow
def test_kinks_do_not_stop_it():
    """|x| + |10 y|: no point meets the strong conditions, the weak ones are met."""

    def corner(x):
        return abs(x[0]) + 10 * abs(x[1]), np.array([1.0, 10.0]) * np.sign(x)

    result = minimize(Functions([corner]), np.array([[0.7, -1.3]]), **LIMITS)
    assert result.fun[0] < 1e-6
    assert result.status[0] == Status.STALLED


@pytest.mark.slow
def test_all_statuses_in_one_stack():
    def undefined(x):
        return np.nan, np.full(len(x), np.nan)

    def corner(x):
        return abs(x).sum(), np.sign(x)

    functions = [rosenbrock, quadratic, undefined, corner, quadratic, rosenbrock]
    start = np.array(
        [[-1.2, 1], [3, 4], [1, 1], [0.3, 0.4], [0, 0], [5, 5]], dtype=float
    )

    def callback(networks, params, fun):
        stop = (networks == 5) & (fun < 20)
        return np.where(stop, Status.STOPPED, Status.RUNNING)

    result = minimize(
        Functions(functions),
        start,
        max_iter=12,
        max_fun=25,
        tol=1e-6,
        negligible=np.ones(len(functions)),
        callback=callback,
    )
    expected = [
        Status.MAX_ITER,
        Status.CONVERGED,
        Status.OVERFLOW,
        Status.MAX_FUN,
        Status.CONVERGED,
        Status.STOPPED,
    ]
    assert [Status(s).name for s in result.status] == [s.name for s in expected]
    assert result.nit[0] == 12
    assert result.nfev[3] == 25
    assert result.nfev[4] == 1 and result.nit[4] == 0
    stalled = minimize(Functions([corner]), start[3:4], **LIMITS)
    assert Status(stalled.status[0]) is Status.STALLED
    assert {Status(s).message for s in [*expected, Status.STALLED]} >= {
        "converged",
        "reached max_iter",
        "reached max_fun",
    }


def test_values_that_are_not_finite_shorten_the_step():
    """ln(x) below zero is not a number: the line search backs away from it."""

    def barrier(x):
        with np.errstate(invalid="ignore", divide="ignore"):
            return float(x[0] * 1e3 - np.log(x[0])), 1e3 - 1.0 / x

    limits = {**LIMITS, "tol": 1e-14}
    result = minimize(Functions([barrier]), np.array([[5.0]]), **limits)
    assert result.status[0] == Status.CONVERGED
    assert result.x[0, 0] == pytest.approx(1e-3, rel=1e-6)


def test_precision_beyond_the_rounding_of_J():
    """Where J's differences are all rounding, its slope still leads on."""

    def offset(x):
        return 1e6 + 0.5 * float(x @ x), x.copy()

    result = minimize(
        Functions([offset]), np.array([[3e-5, 4e-5]]), **LIMITS | {"tol": 1e-9}
    )
    assert result.status[0] == Status.CONVERGED
    assert np.abs(result.x).max() <= 1e-9


@pytest.mark.slow
def test_finished_networks_cost_nothing(one_blas_thread):
    """Each network is evaluated exactly as often as alone, and as ``nfev`` says."""
    make = dict(hidden=(6,), alpha=[1e-3, 1.0, 1e-2, 10.0])
    objective, x0 = make_stack(4, **make)
    counted = Counted(objective)
    result = minimize(counted, x0, **LIMITS)
    np.testing.assert_array_equal(counted.counts, result.nfev)
    assert result.nfev.min() < result.nfev.max() / 3
    for k in range(4):
        alone = minimize(objective[[k]], x0[[k]], **LIMITS)
        assert alone.nfev[0] == result.nfev[k]


def test_a_float32_network_converges_to_its_float64_minimum():
    make = dict(hidden=(), loss="multinomial", n_outputs=3, alpha=0.01)
    narrow, x0 = make_stack(2, dtype=np.float32, **make)
    wide, _ = make_stack(2, **make)
    ours = minimize(narrow, x0, **{**LIMITS, "tol": 1e-9})
    reference = minimize(wide, x0, **{**LIMITS, "tol": 1e-14})
    assert ours.success.all()
    np.testing.assert_allclose(ours.fun, reference.fun, rtol=1e-6)
    np.testing.assert_allclose(ours.x, reference.x, atol=1e-4)


@pytest.mark.parametrize("is_minimum", [True, False])
def test_a_start_at_a_minimum_on_a_corner_has_converged(is_minimum):
    """One unit, relu(x), three rows: J falls towards its corner from both sides.

    By the bias b of the unit dJ/db is -a below 0 and a above, and 0 by all others.
    """
    a = 0.01
    x, y = np.array([[-1.0], [0.0], [1.0]]), [[3.0 * a], [-6.0 * a], [1.0 + 3.0 * a]]
    layout = Layout((1, 1, 1))
    objective = Objective(
        Network(layout, ACTIVATIONS["relu"]),
        LOSSES["squared_error"],
        [Sample(x, np.array(y), np.ones(3))],
        np.full((1, 2), a),
    )
    params = np.zeros((1, layout.n_params))
    layout.W(params, 0)[:] = layout.W(params, 1)[:] = 1.0
    if not is_minimum:
        layout.W(params, 0)[:] = 1.1
    fun, grad = objective.loss_gradient(params)
    if is_minimum:
        np.testing.assert_allclose(np.sort(grad[0]), [-a, 0.0, 0.0, 0.0], atol=1e-15)
    solver = LbfgsSolver(
        max_iter=1000, tol=1e-5, n_iter_no_change=10, verbose=0, max_fun=1e4
    )
    found = train(objective, params, solver)
    assert found.status[0] == Status.CONVERGED
    assert found.nit[0] == 0 if is_minimum else found.loss[0] < fun[0]
