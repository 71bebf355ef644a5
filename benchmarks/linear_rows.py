"""The default alpha where linear models need more or fewer than c rows: what gain.

    python benchmarks/linear_rows.py [--kind KIND ...] [--seconds]

The tables are the tuning part of `tables`, of classes and of numbers, at 280 to 560 and
at 1800 rows; those of at most 20 columns once more with 60 columns of noise beside
them. n rows train, stratified by class, up to 2000 others test. Networks of the default
shape are fitted at multiples of c / n and with alpha="auto"; the losses are log-loss
and 1 - R2, and those of a rule are read off the line through the multiples. A rule
multiplies c by max(1, R / reference) ** power, or by max(lowest, R ** power) where R is
below 1: R is the prior in rows that linear models need, an end of those whose
leave-one-out error is within ``equal`` of the lowest.

Printed for each table: R, and the losses at c, by the package's rule, at the best
multiple and by "auto". Then, for rules and halves of the tables (by name, those with
and without noise together): the geometric mean of their losses over those at c, the
part of the gap between c and "auto" that they close, on how many tables of ten they
are worse by 2 %, and the worst ratio.

With ``--seconds``: what the rule takes of a fit, on made data, and the factor by JUDGED
rows and by all, on tables that have more.
"""

import argparse
import itertools
import time
import warnings

import numpy as np
import pandas as pd
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split
from tables import add_arguments, log_loss, pipeline, read_tables
from threadpoolctl import threadpool_limits

from skwd import WeightDecayMLPClassifier, WeightDecayMLPRegressor
from skwd._alpha import linear_rows
from skwd._alpha.scales import default_alpha
from skwd._cv import ways

MULTIPLES = np.array(
    [0.1, 0.18, 0.32, 0.56, 1.0, 1.8, 3.2, 5.6, 10.0, 18.0, 32.0, 100.0]
)
EQUALS, REFERENCES, POWERS = (0.0, 3e-3, 1e-2), (1.0, 2.0, 4.0), (0.5, 0.75)
LOWESTS = 0.1, 0.2, 0.4, 1.0
AT_C = int(np.flatnonzero(MULTIPLES == 1.0)[0])
# Rows to train on, of tables of at least and of fewer rows than so many.
ROWS = (280, 330, 450), (350, 450, 700), (560, 700, np.inf), (1800, 2300, np.inf)
MAX_TEST, NOISE, FEW_COLUMNS, NOISY_ROWS = 2000, 60, 20, 560
MADE = (1000, 20), (3000, 20), (3000, 100), (10_000, 20), (10_000, 50)
MADE += (30_000, 20), (2000, 300), (100_000, 20)
MODELS = {
    "classes": WeightDecayMLPClassifier,
    "squared_error": WeightDecayMLPRegressor,
}


def tables(kind, args):
    """(name, X, y, n): each table at some numbers of rows, with and without noise."""
    for table in read_tables(kind, "tuning", args.keel, args.data):
        X, y = table.X, table.y
        for n in (n for n, least, most in ROWS if least <= len(y) < most):
            yield table.name, X, y, n
            if n == NOISY_ROWS and X.shape[1] <= FEW_COLUMNS:
                noise = np.random.default_rng(7).standard_normal((len(y), NOISE))
                names = [f"z{j}" for j in range(NOISE)]
                noise = pd.DataFrame(noise, columns=names, index=X.index)
                yield f"{table.name} + noise", pd.concat([X, noise], axis=1), y, n


def test_loss(kind, model, X, y):
    if kind == "classes":
        return log_loss(model, X, y)
    return min(1.0 - r2_score(y, model.predict(X)), 2.0)


def measured(kind, X, y, n):
    """Losses at the multiples and by "auto", and R for each of EQUALS."""
    strata = y if kind == "classes" else None
    sizes = {"train_size": n, "test_size": min(MAX_TEST, len(y) - n)}
    parts = train_test_split(X, y, **sizes, stratify=strata, random_state=0)
    X, X_test, y, y_test = parts
    needed = {}

    def spy(task):
        for equal in EQUALS:
            linear_rows.EQUAL = equal
            needed[equal] = linear_rows.rows_needed(task)
        return alpha * default_alpha(task)

    losses, kept = [], (ways.learnt_default, linear_rows.EQUAL)
    for alpha in (*MULTIPLES, "auto"):
        given = "auto" if alpha == "auto" else None
        model = pipeline(MODELS[kind](alpha=given, random_state=0))
        ways.learnt_default = spy
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            losses.append(test_loss(kind, model.fit(X, y), X_test, y_test))
        ways.learnt_default, linear_rows.EQUAL = kept
    return np.array(losses[:-1]), losses[-1], needed


def of_rule(case, equal, reference, power, lowest):
    """The loss of a rule, on a line in the logarithms."""
    losses, _, needed = case
    R = needed[equal]
    factor = max(1.0, R / reference) ** power if R >= 1.0 else max(lowest, R**power)
    x = np.log(factor)
    return np.exp(np.interp(x, np.log(MULTIPLES), np.log(np.maximum(losses, 1e-9))))


def line(name, cases, *rule):
    if not cases:
        return
    ours = np.array([of_rule(case, *rule) for case in cases])
    plain = np.array([losses[AT_C] for losses, _, _ in cases])
    auto = np.array([found for _, found, _ in cases])
    closed = (plain - ours).sum() / (plain - auto).sum()
    ratio = np.maximum(ours, 1e-3) / np.maximum(plain, 1e-3)
    mean, (equal, reference, power, lowest) = np.exp(np.log(ratio).mean()), rule
    print(
        f"{name:>22s} {equal:7.3f} {reference:5.1f} {power:6.2f} {lowest:4.1f}"
        f" {mean:8.3f} {closed:8.2f} {10.0 * (ratio > 1.02).mean():8.1f}"
        f" {ratio.max():8.2f}"
    )


def spied(model, X, y):
    """What the rule finds by JUDGED rows and by all, its seconds, and the fit's."""
    learnt, judged, found = ways.learnt_default, linear_rows.JUDGED, []

    def spy(task):
        start = time.perf_counter()
        alpha = learnt(task)
        found.extend([time.perf_counter() - start, linear_rows.rows_needed(task)])
        linear_rows.JUDGED = len(y)
        found.append(linear_rows.rows_needed(task))
        linear_rows.JUDGED = judged
        start_of_rest.append(time.perf_counter())
        return alpha

    start_of_rest, ways.learnt_default = [], spy
    try:
        model.fit(X, y)
    finally:
        ways.learnt_default = learnt
    some, everything = map(linear_rows.factor_of, found[1:])
    rest = time.perf_counter() - start_of_rest[0]
    return some, everything, found[0], found[0] + rest


def seconds(args):
    print(f"{'':>26s}  by some  by all   rule    fit   share")
    for (n, d), kind in itertools.product(MADE, MODELS):
        X = np.random.default_rng(0).standard_normal((n, d))
        y = np.sin(2.0 * X[:, 0]) + X[:, 1] * X[:, 2] + 0.5 * np.abs(X[:, 3])
        y += 0.3 * np.random.default_rng(1).standard_normal(n)
        y = (y > 0.4).astype(int) if kind == "classes" else y
        show(f"{kind}, {n} x {d}", *spied(MODELS[kind](random_state=0), X, y))
    for kind in MODELS:
        for table in read_tables(kind, "tuning", args.keel, args.data):
            for n in (4200, 8000, 16_000):
                if len(table.y) >= n:
                    rows = np.random.default_rng(0).permutation(len(table.y))[:n]
                    model = pipeline(MODELS[kind](random_state=0))
                    X, y = model[:-1].fit_transform(table.X.iloc[rows]), table.y[rows]
                    name = f"{table.name}, {kind[:3]}, {n}"
                    show(name, *spied(model[-1], X, y))


def show(name, some, everything, rule, fit):
    print(
        f"{name:>26s} {some:8.3f}{everything:8.3f}{rule:8.3f}{fit:7.2f}"
        f"{100.0 * rule / fit:6.1f} %",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add_arguments(parser)
    parser.add_argument("--kind", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--seconds", action="store_true")
    args = parser.parse_args()
    if args.seconds:
        warnings.simplefilter("ignore")
        return seconds(args)
    found = {}
    ours = linear_rows.EQUAL, linear_rows.REFERENCE, linear_rows.POWER
    ours += (linear_rows.factor_of(0.0),)
    print(f"{'':>32s}       R       c    rule    best    auto")
    for kind in args.kind:
        for name, X, y, n in tables(kind, args):
            case = found[kind, name, n] = measured(kind, X, y, n)
            shown = case[0][AT_C], of_rule(case, *ours), case[0].min(), case[1]
            text = "".join(f"{loss:8.3f}" for loss in shown)
            needed = case[2][linear_rows.EQUAL]
            print(f"{name:>26s} {n:5d} {needed:7.1f}{text}", flush=True)
    names = sorted({name.partition(" +")[0] for _, name, _ in found})
    halves = [set(names[half::2]) for half in (0, 1)]
    print(f"{'':>22s}   equal   ref  power  low    ratio   closed    worse    worst")
    for rule in itertools.product(EQUALS, REFERENCES, POWERS, LOWESTS):
        for number, half in enumerate(halves):
            mine = [v for k, v in found.items() if k[1].partition(" +")[0] in half]
            line(f"half {number + 1}", mine, *rule)
    for kind, noisy in itertools.product(args.kind, (False, True)):
        mine = [v for k, v in found.items() if k[0] == kind and noisy == (" +" in k[1])]
        name = f"{kind}{' + noise' if noisy else ''}"
        line(name, mine, *ours)


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
