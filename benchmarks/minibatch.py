"""Adam in mini-batches: skwd against scikit-learn, PyTorch and JAX, to the same J.

Every case is fitted by all of them in turn, round after round, on the same data, for
the same number of epochs and with the same number of threads; the least time counts,
and J at the last weights stands beside it. PyTorch and JAX take part where they are
installed. Then 40 networks as one stack against one network. --growth has the time of
an epoch against the samples, the width and the batch size instead.

    python benchmarks/minibatch.py [--cases 1 2] [--growth [--picture FILE]] [--quick]
"""

import argparse
import time
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import sklearn
from rivals import (
    ALPHA,
    PRODUCTS,
    SKLEARN,
    SKWD,
    Task,
    compare,
    make_adapters,
    settings,
)
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_info, threadpool_limits

from skwd import WeightDecayMLPRegressor

# n, d, hidden layers, batch, epochs; how many times as fast as scikit-learn skwd is to
# be in float64 and in float32
CASES = [
    (1000, 10, (64,), 32, 100, {"float64": 7, "float32": 8}),
    (1000, 10, (64,), 200, 200, {"float64": 4.5, "float32": 5.5}),
    (5000, 20, (100, 100), 200, 25, {"float64": 2.5, "float32": 3.5}),
    (20000, 100, (256, 256), 256, 3, {"float64": 1.7, "float32": 2.2}),
]
DTYPES = "float64", "float32"
N_STACK, STACK_TARGET = 40, 1 / 3

# What grows, and the task at which the others stay.
GROWTH = {
    "n": (250, 1000, 4000, 16000, 64000),
    "width": (8, 16, 32, 64, 128, 256, 512),
    "batch": (8, 16, 32, 64, 128, 256, 512),
}
GROWTH_AT, GROWTH_INPUTS = {"n": 4000, "width": 64, "batch": 128}, 20
GROWTH_ROWS = 16000  # in all epochs of a fit together, so that its start does not count


def print_machine(threads):
    blas = {
        f"{pool['internal_api']} {pool['version']}, {pool['num_threads']} thread(s)"
        for pool in threadpool_info()
        if pool["user_api"] == "blas"
    }
    print(
        f"NumPy {np.__version__}, scikit-learn {sklearn.__version__}, "
        f"{threads} thread(s) asked for; BLAS: {'; '.join(sorted(blas))}"
    )


def large_product_rate(dtype, size=2048):
    """GFLOP/s of a product too large for anything but the arithmetic to matter."""
    A = np.random.default_rng(0).standard_normal((size, size)).astype(dtype)
    out, seconds = np.empty_like(A), []
    for _ in range(4):
        start = time.perf_counter()
        np.matmul(A, A, out=out)
        seconds.append(time.perf_counter() - start)
    return 2e-9 * size**3 / min(seconds)


def print_case(number, task, target, timings, peak):
    n, d = task.X.shape
    title = (
        f"{number}. {n} x {d}, hidden {task.hidden}, batch {task.batch}, "
        f"{task.X.dtype}, {task.epochs} epochs"
    )
    reference = timings[SKLEARN].best
    print(f"\n{title}\n{'':24s}  first s  least s  us/step         J  times as fast")
    for name, timing in timings.items():
        objective = "" if timing.J is None else f"{timing.J:.6f}"
        ratio = "" if timing.J is None else f"{reference / timing.best:8.2f}"
        if name == SKWD:
            ratio += f"  (target {target:g})"
        step = 1e6 * timing.best / task.steps
        print(
            f"{name:24s}{timing.first:9.3f}{timing.best:9.3f}{step:9.1f}"
            f"{objective:>10s} {ratio}"
        )
    products = timings[PRODUCTS].best
    print(
        f"matrix products: {products / timings[SKWD].best:.0%} of skwd's step, at "
        f"{1e-9 * task.flops / products:.1f} GFLOP/s in these shapes, "
        f"{peak:.1f} in large ones"
    )


def compare_cases(numbers, threads, rounds, quick):
    adapters = make_adapters(threads)
    peaks = {dtype: large_product_rate(dtype) for dtype in DTYPES}
    for number in numbers:
        n, d, hidden, batch, epochs, targets = CASES[number - 1]
        if quick:
            n, epochs = 2 * batch + 1, 1
        for dtype in DTYPES:
            task = Task.of_shape(n, d, hidden, batch, epochs, dtype)
            timings = compare(adapters, task, rounds)
            print_case(number, task, targets[dtype], timings, peaks[dtype])


def compare_stack(rounds, quick):
    """One network and many, by turns, on one thread each."""

    def fit_stack(task):
        model = WeightDecayMLPRegressor(
            alpha=ALPHA,
            n_init=N_STACK,
            ensemble=True,
            normalize_y=False,
            **settings(task),
        )
        model.fit(task.X, task.y)
        # J of the first of them: the one that is also fitted alone
        return [W[0] for W in model.coefs_], [b[0] for b in model.intercepts_]

    n, d, hidden, batch, epochs, _ = CASES[0]
    if quick:
        n, epochs = 2 * batch + 1, 1
    print(f"\n{N_STACK} networks as one stack, on the first case and 1 thread")
    print(f"{'':10s}  alone s  stack s  alone J   J of the stack's first  share")
    with threadpool_limits(1):
        adapters = {**make_adapters(1, [SKWD]), "stack": fit_stack}
        for dtype in DTYPES:
            task = Task.of_shape(n, d, hidden, batch, epochs, dtype)
            timings = compare(adapters, task, rounds)
            alone, stack = timings[SKWD], timings["stack"]
            norm_weight = stack.best / N_STACK / alone.best
            print(
                f"{dtype:10s}{alone.best:9.3f}{stack.best:9.3f} {alone.J:.6f}"
                f"{stack.J:25.6f} {norm_weight:6.2f}"
            )
    print(f"share: time of one of {N_STACK} to time alone (target {STACK_TARGET:.2f})")


def growth_task(axis, value, quick):
    at = {**GROWTH_AT, axis: value}
    n = at["n"]
    task = Task.of_shape(
        n, GROWTH_INPUTS, (at["width"],) * 2, at["batch"], 1, "float64"
    )
    return task if quick else replace(task, epochs=max(1, GROWTH_ROWS // n))


def measure_growth(threads, rounds, quick):
    """For each axis: its values, and by name the seconds of an epoch at each."""
    adapters = make_adapters(threads, [SKLEARN, SKWD])
    found = {}
    for axis, values in GROWTH.items():
        values = values[:3] if quick else values
        others = ", ".join(f"{k} {v}" for k, v in GROWTH_AT.items() if k != axis)
        print(f"\nMilliseconds of an epoch, {others}, two hidden layers, float64")
        print(f"{axis:>8s}{SKLEARN:>14s}{SKWD:>10s}  times as fast")
        seconds = {name: [] for name in adapters}
        for value in values:
            task = growth_task(axis, value, quick)
            for name, timing in compare(adapters, task, rounds).items():
                seconds[name].append(timing.best / task.epochs)
            theirs, ours = seconds[SKLEARN][-1], seconds[SKWD][-1]
            print(
                f"{value:8d}{1e3 * theirs:14.2f}{1e3 * ours:10.2f}{theirs / ours:8.2f}"
            )
        found[axis] = values, seconds
    return found


def draw_growth(found, picture):
    try:
        from matplotlib.figure import Figure
    except ImportError:
        print("\nNo picture: it needs matplotlib (pip install matplotlib).")
        return
    titles = {
        "n": "samples",
        "width": "units of each hidden layer",
        "batch": "batch size",
    }
    styles = {SKLEARN: {"color": "#d1495b"}, SKWD: {"color": "#33658a"}}
    figure = Figure(figsize=(10, 3.6), layout="constrained")
    axes = figure.subplots(1, len(found), sharey=True)
    for ax, (axis, (values, seconds)) in zip(axes, found.items()):
        for name, line in seconds.items():
            ax.plot(
                values, 1e3 * np.array(line), "o-", label=name, ms=4, **styles[name]
            )
        ax.set_xscale("log", base=2)
        ax.set_yscale("log")
        ax.set_xticks(values, [f"{value:g}" for value in values])
        ax.minorticks_off()
        ax.set_xlabel(titles[axis])
        ax.spines[["top", "right"]].set_visible(False)
        ax.grid(axis="y", color="0.92")
        ax.set_axisbelow(True)
    axes[0].set_ylabel("milliseconds of an epoch")
    axes[0].legend(frameon=False)
    figure.savefig(picture, dpi=150)
    print(f"\nPicture: {picture}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--threads", type=int, default=2, help="of everyone")
    parser.add_argument("--rounds", type=int, default=3, help="timed fits of each")
    every = range(1, len(CASES) + 1)
    parser.add_argument("--cases", type=int, nargs="+", choices=every, default=every)
    parser.add_argument("--growth", action="store_true", help="the other tables")
    parser.add_argument("--picture", type=Path, help="draw --growth into this file")
    parser.add_argument("--quick", action="store_true", help="only to see that it runs")
    args = parser.parse_args()
    rounds = 1 if args.quick else args.rounds

    warnings.simplefilter("ignore", ConvergenceWarning)  # all are to use all epochs
    with threadpool_limits(args.threads):
        print_machine(args.threads)
        if args.growth:
            found = measure_growth(args.threads, rounds, args.quick)
        else:
            compare_cases(args.cases, args.threads, rounds, args.quick)
    if args.growth and args.picture:
        draw_growth(found, args.picture)
    elif not args.growth:
        compare_stack(rounds, args.quick)


if __name__ == "__main__":
    main()
