"""Choosing lambda by cross-validation: skwd's CV form against other ways to do it.

8 alphas x 5 folds and a refit, the same splits, J, epochs and number of processors (2)
for all. Every way has a process of its own, in which its first search pays for what has
to be started or compiled; then all take turns, and the least time counts. Peak memory
is that of the process and its workers. --growth has the time against the number of
alphas and of rows instead, and the memory of 1000 networks.

    python benchmarks/lambda_grid.py [--cases 1 2 3] [--growth [--picture FILE]]
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from grid_rivals import (
    ADAM_ONLY,
    ADAPTERS,
    CASES,
    N_JOBS,
    NEEDS,
    SKLEARN,
    SKWD,
)

DTYPES = "float64", "float32"
# How many times as fast as GridSearchCV over scikit-learn's MLP it is to be.
TARGETS = {"Adam": (20, 30), "L-BFGS": (8, 8), "Adam, wide": (3.5, 3.5)}
ALPHAS = 1, 2, 4, 8, 16, 32, 64, 128, 256
ROWS = 250, 500, 1000, 2000, 4000, 8000, 16000
# Of all workers together, beside what Python and its libraries take.
MEMORY_LIMIT = 2 * (16 + 16)  # MB: a chunk and a crew or stack each, with room


class Server:
    """One way to search, in a process of its own."""

    def __init__(self, name):
        self.name, self.first, self.best, self.scores = name, None, np.inf, None
        script = Path(__file__).with_name("grid_rivals.py")
        self.process = subprocess.Popen(
            [sys.executable, script, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
        )

    def ask(self, *search):
        self.process.stdin.write(json.dumps(search) + "\n")
        self.process.stdin.flush()
        seconds, scores = json.loads(self.process.stdout.readline())
        if self.first is None:
            self.first = seconds
        else:
            self.best = min(self.best, seconds)
        self.scores = np.array(scores)

    def close(self):
        """Peak memory in MB."""
        self.process.stdin.close()
        memory = json.loads(self.process.stdout.readline())
        self.process.wait()
        return memory


def is_installed(name):
    module = NEEDS.get(name)
    return module is None or importlib.util.find_spec(module) is not None


def compare(case, dtype, rounds):
    """A table of all ways to do one search."""
    names = [name for name in ADAPTERS if is_installed(name)]
    if CASES[case][3]["solver"] != "adam":
        names = [name for name in names if name not in ADAM_ONLY]
    servers = [Server(name) for name in names]
    for _ in range(rounds + 1):
        for server in servers:
            server.ask(case, dtype, 8, None)
    n, d, hidden, settings = CASES[case]
    print(f"\n{case}: {n} x {d}, {hidden}, {settings}, {dtype}")
    heads = ("seconds", "first", "ratio", "best R2", "its alpha", "MB")
    print(f"{'':28}" + "".join(f"{head:>11}" for head in heads))
    slowest = next(s.best for s in servers if s.name == SKLEARN)
    for server in servers:
        mean = server.scores.mean(axis=1)
        alpha = np.logspace(-5, -1, 8)[mean.argmax()]
        cells = f"{server.best:11.3f}{server.first:11.2f}{slowest / server.best:11.2f}"
        cells += f"{mean.max():11.4f}{alpha:11.2g}{server.close():11.0f}"
        target = TARGETS[case][DTYPES.index(dtype)]
        met = slowest / server.best >= target
        note = f"  target {target}: {'met' if met else 'NOT met'}"
        print(f"{server.name:28}{cells}{note if server.name == SKWD else ''}")


def grow(rounds):
    """Seconds of searches that grow, by workers; memory of 1000 networks."""
    found = {}
    for what, sizes in (("alphas", ALPHAS), ("rows", ROWS)):
        for name in (SKWD, "skwd, one worker"):
            for size in sizes:
                server = Server(name)
                search = ("Adam", "float64", 8, size)
                if what == "alphas":
                    search = ("Adam", "float64", size, 250)
                for _ in range(rounds + 1):
                    server.ask(*search)
                found[what, name, size] = server.best
                server.close()
    for what, sizes, unit in (
        ("alphas", ALPHAS, "network (5 folds, 250 x 10, 100 epochs)"),
        ("rows", ROWS, "network and row (8 alphas, 5 folds, 100 epochs)"),
    ):
        print(f"\n{what}, milliseconds per {unit}")
        print(f"{what:>8}{'seconds':>12}{N_JOBS:>4} workers{'seconds':>12}   1 worker")
        for size in sizes:
            networks = 5 * (size if what == "alphas" else 8)
            rows = 1 if what == "alphas" else size
            cells = ""
            for name in (SKWD, "skwd, one worker"):
                seconds = found[what, name, size]
                cells += f"{seconds:12.3f}{1e3 * seconds / networks / rows:12.4g}"
            print(f"{size:8d}{cells}")
    memory = []
    for n_alphas in (2, 200):
        server = Server("skwd, one worker")
        server.ask("Adam", "float64", n_alphas, 250)
        memory.append(server.close())
    print(
        f"\nPeak memory: {memory[0]:.0f} MB for 10 networks, {memory[1]:.0f} MB for "
        f"1000 (limit {memory[0] + MEMORY_LIMIT:.0f})"
    )
    return found


def draw(found, picture):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.8), layout="constrained")
    for ax, (what, sizes, label) in zip(
        figure.subplots(1, 2),
        (
            ("alphas", ALPHAS, "alphas (5 folds, 250 rows)"),
            ("rows", ROWS, "rows (8 alphas, 5 folds)"),
        ),
    ):
        for name, label_of, colour in (
            ("skwd, one worker", "1 worker", "#33658a"),
            (SKWD, f"{N_JOBS} workers", "#d1495b"),
        ):
            seconds = [found[what, name, size] for size in sizes]
            ax.plot(sizes, seconds, "o-", color=colour, label=label_of)
        last = np.array(sizes) * seconds[-1] / sizes[-1]
        ax.plot(sizes, last, ":", color="0.6", label="proportional")
        ax.set(xscale="log", yscale="log", xlabel=label, ylabel="seconds")
        ax.spines[["top", "right"]].set_visible(False)
        ax.grid(color="0.92")
        ax.legend(frameon=False)
    figure.savefig(picture, dpi=150)
    print(f"\nPicture: {picture}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    every = range(1, len(CASES) + 1)
    parser.add_argument("--cases", type=int, nargs="+", choices=every, default=every)
    parser.add_argument("--rounds", type=int, default=3, help="timed searches of each")
    parser.add_argument("--growth", action="store_true", help="the other tables")
    parser.add_argument("--picture", type=Path, help="draw --growth into this file")
    args = parser.parse_args()
    if args.growth:
        found = grow(args.rounds)
        if args.picture:
            draw(found, args.picture)
        return
    for name in ADAPTERS:
        if not is_installed(name):
            print(f"{NEEDS[name]} is not installed: no {name}")
    for number in args.cases:
        for dtype in DTYPES:
            compare(list(CASES)[number - 1], dtype, args.rounds)


if __name__ == "__main__":
    main()
