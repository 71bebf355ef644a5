"""L-BFGS against scikit-learn's MLP and SciPy's L-BFGS-B, to the same objective.

1000 x 10 data, 64 ReLU units, alpha = 0.001, which is alpha = n * 0.001 for
scikit-learn's lbfgs: both then minimise the same J. The rival runs its 200 default
iterations from 16 starts; skwd runs until its J, in the mean over its starts, is at
most the rival's, once start by start and once as a stack. A last table has the
evaluations that each optimiser needs on skwd's own J, SciPy's included.

    python benchmarks/lbfgs.py
"""

import time
import warnings

import numpy as np
import scipy.optimize
from sklearn.neural_network import MLPRegressor
from threadpoolctl import threadpool_limits

import skwd._solvers.lbfgs
from skwd import WeightDecayMLPRegressor
from skwd._core.activations import ACTIVATIONS
from skwd._core.layout import Layout, initial_params
from skwd._core.losses import HalfSquaredError
from skwd._core.network import Network
from skwd._core.objective import Objective, Sample

N_STARTS, ALPHA, REPEATS = 16, 1e-3, 2


def data():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((1000, 10))
    signal = np.sin(X[:, 0]) + X[:, 1] * X[:, 2]
    return X, signal + 0.1 * rng.standard_normal(1000)


def J(model, X, y, k):
    """The objective at the weights of network k of a fitted ensemble."""
    A = X
    for layer, (W, b) in enumerate(zip(model.coefs_, model.intercepts_)):
        A = A @ W[k] + b[k]
        A = A if layer == len(model.coefs_) - 1 else np.maximum(A, 0)
    penalty = sum(np.sum(W[k] ** 2) for W in model.coefs_)
    return 0.5 * np.mean((y - A[:, 0]) ** 2) + 0.5 * ALPHA * penalty


def rival(X, y, seed):
    model = MLPRegressor(
        hidden_layer_sizes=(64,),
        solver="lbfgs",
        alpha=ALPHA * len(y),
        random_state=seed,
    )
    return model.fit(X, y)


def skwd_fit(X, y, iterations, n_init, seed=0):
    model = WeightDecayMLPRegressor(
        hidden_layer_sizes=(64,),
        solver="lbfgs",
        alpha=ALPHA,
        max_iter=iterations,
        tol=0.0,
        normalize_y=False,
        n_init=n_init,
        ensemble=True,
        random_state=seed,
    )
    return model.fit(X, y)


def best_of(fit):
    """The least seconds of a few runs, and what the last one returned."""
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        result = fit()
        seconds.append(time.perf_counter() - start)
    return min(seconds), result


def iterations_to(target, X, y):
    """The least iterations, in tens, after which the mean J is at most the target."""
    for iterations in range(50, 400, 10):
        model = skwd_fit(X, y, iterations, N_STARTS)
        if np.mean([J(model, X, y, k) for k in range(N_STARTS)]) <= target:
            return iterations
    raise RuntimeError("skwd does not reach the rival's objective in 400 iterations")


def compare_fits(X, y, threads):
    seeds = range(N_STARTS)
    theirs, models = best_of(lambda: [rival(X, y, seed) for seed in seeds])
    target = np.mean([model.loss_ for model in models])
    iterations = iterations_to(target, X, y)
    alone, models = best_of(lambda: [skwd_fit(X, y, iterations, 1, s) for s in seeds])
    alone_J = np.mean([J(model, X, y, 0) for model in models])
    stack, model = best_of(lambda: skwd_fit(X, y, iterations, N_STARTS))
    stack_J = np.mean([J(model, X, y, k) for k in seeds])
    print(
        f"\n{N_STARTS} starts, {threads} BLAS thread(s)     seconds   mean J    ratio"
    )
    rows = (
        ("scikit-learn, 200 iterations", theirs, target),
        (f"skwd one by one, {iterations}", alone, alone_J),
        (f"skwd as one stack, {iterations}", stack, stack_J),
    )
    for name, seconds, value in rows:
        print(f"{name:32s}{seconds:8.3f}  {value:.6f} {theirs / seconds:7.2f}")


def compare_optimisers(X, y):
    layout, relu = Layout((10, 64, 1)), ACTIVATIONS["relu"]
    rngs = [np.random.default_rng(k) for k in range(N_STARTS)]
    x0 = initial_params(layout, relu.gain, rngs)
    sample = Sample(X, y[:, np.newaxis], np.ones(len(y)))
    alphas = np.full((N_STARTS, 2), ALPHA)
    objective = Objective(Network(layout, relu), HalfSquaredError(), [sample], alphas)

    def scipy_run(k):
        def fun(x):
            value, grad = objective[[k]].loss_gradient(x[np.newaxis])
            return value[0], grad[0]

        options = {"maxiter": 200, "gtol": 1e-5, "ftol": 0}
        return scipy.optimize.minimize(
            fun, x0[k], jac=True, method="L-BFGS-B", options=options
        )

    print("\n200 iterations on skwd's J       seconds   mean J    evaluations")

    def report(name, seconds, fun, nfev):
        print(f"{name:32s}{seconds:8.3f}  {np.mean(fun):.6f}  {np.mean(nfev):8.1f}")

    seconds, runs = best_of(lambda: [scipy_run(k) for k in range(N_STARTS)])
    report(
        "SciPy L-BFGS-B, 10 pairs",
        seconds,
        [r.fun for r in runs],
        [r.nfev for r in runs],
    )
    limits = {"max_iter": 200, "max_fun": 10_000, "tol": 1e-5}
    kept = skwd._solvers.lbfgs_memory.MEMORY
    for pairs in (10, kept):
        skwd._solvers.lbfgs_memory.MEMORY = pairs
        seconds, r = best_of(
            lambda: skwd._solvers.lbfgs.minimize(objective, x0, **limits)
        )
        report(f"skwd, one stack, {pairs} pairs", seconds, r.fun, r.nfev)


def main():
    X, y = data()
    warnings.simplefilter("ignore")  # both stop at their iterations: that is the point
    for threads in (1, 2):
        with threadpool_limits(threads):
            compare_fits(X, y, threads)
    with threadpool_limits(1):
        compare_optimisers(X, y)


if __name__ == "__main__":
    main()
