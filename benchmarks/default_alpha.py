"""Which default alpha: test losses of alpha = c u / n for fixed c, on real tables.

    python benchmarks/default_alpha.py [--kind KIND ...] [--rows N ...] [--net NAME]
    python benchmarks/default_alpha.py --decoupled --rows 200 1000 4000

u is 1, and mean(y)^(1 - power) times the deviation of y for losses with a log link, of
that Tweedie power, whose J has units of y. The
tables are the tuning part of `tables`. n rows train, stratified by class, and up to
2000 others test, in several splits. The loss is the log-loss (classes), 1 - R2
(squared_error) or 1 - D2, the part of the deviance that is left (poisson). The regret
of a c is its loss minus that of the best c of this table and n. Printed for each kind:
the mean regret over tables for each n, the median of the best c, what random halves of
the tables choose with its regret on the other half, and the warnings for each c. Tables
and n where no c has an R2 or D2 above 0.1 ask for a constant, and have a line apart.

``--decoupled`` asks the same of AdamW with a cosine schedule over ``--epochs``, for
alpha itself and for laws alpha = k * (steps per epoch) ** -p. There patience is off, as
it may watch a J that this decay does not minimise.
"""

import argparse
import re
import sys
import warnings
from collections import Counter
from time import process_time

import numpy as np
from sklearn.metrics import d2_absolute_error_score, d2_tweedie_score, r2_score
from sklearn.model_selection import train_test_split
from tables import KINDS, add_arguments, log_loss, pipeline, read_tables
from threadpoolctl import threadpool_limits

from skwd import WeightDecayMLPClassifier, WeightDecayMLPRegressor

GRID = np.array([0.3, 1, 2, 3, 4, 5, 8, 13, 20, 40])  # c
ADAMW = {
    "solver": "adam",
    "learning_rate": "cosine",
    "decay": "decoupled",
    "n_iter_no_change": 10**6,
}
ADAMW_GRID = np.array([0.01, 0.03, 0.1, 0.3, 1, 3, 10])  # alpha
ADAMW_LAWS = (0.0, 0.5, 1.0)  # p
BATCH = 200
NETS = {
    "default": {},
    "tanh": {"hidden_layer_sizes": (50, 50), "activation": "tanh"},
    "l1": {"l1_ratio": 1.0},
    "elastic": {"l1_ratio": 0.5},
    "input": {"l1_ratio": 1.0, "sparsity": "input"},
    "adaptive": {"l1_ratio": 1.0, "sparsity": "adaptive"},
}
MAX_TEST, MIN_TEST = 2000, 50
MAX_LOSS = 2.0  # of the losses that have no bound, so that no table rules alone
NO_SIGNAL = 0.9  # the least loss, of those that are 1 for a constant
N_HALVES = 2000


# Losses for the tables of "squared_error", and the least y that they take.
OTHER_LOSSES = dict.fromkeys(["huber", "absolute_error"], -np.inf)
OTHER_LOSSES |= dict.fromkeys(["gamma", "tweedie"], 0.0)
POWERS = {"poisson": 1.0, "gamma": 2.0, "tweedie": 1.5}  # of the losses with a log link


def network(kind, loss, **params):
    if kind == "classes":
        return WeightDecayMLPClassifier(**params)
    return WeightDecayMLPRegressor(loss=loss or kind, **params)


def unit(loss, y):
    """What the default alpha of a loss is a multiple of."""
    if loss not in POWERS:
        return 1.0
    return y.mean() ** (1.0 - POWERS[loss]) * y.std()


def test_loss(kind, loss, model, X, y):
    if loss in ("huber", "absolute_error"):
        return min(1.0 - d2_absolute_error_score(y, model.predict(X)), MAX_LOSS)
    if loss in ("gamma", "tweedie"):
        mean = np.clip(model.predict(X), 1e-6 * y.mean(), 1e6 * y.mean())
        power = 2.0 if loss == "gamma" else 1.5
        return min(1.0 - d2_tweedie_score(y, mean, power=power), MAX_LOSS)
    if kind == "classes":
        return log_loss(model, X, y)
    if kind == "squared_error":
        return min(1.0 - r2_score(y, model.predict(X)), MAX_LOSS)
    mean = np.maximum(model.predict(X), 1e-6)
    return min(1.0 - d2_tweedie_score(y, mean, power=1), MAX_LOSS)


def split_losses(table, n, alphas, seed, loss, params, heard):
    """Test loss of each alpha on one split: (n_alphas,)."""
    X, X_test, y, y_test = train_test_split(
        table.X,
        table.y,
        train_size=n,
        test_size=min(MAX_TEST, len(table.y) - n),
        stratify=table.y if table.kind == "classes" else None,
        random_state=seed,
    )
    losses = np.empty(len(alphas))
    alphas = alphas * unit(loss or table.kind, y)
    for i, alpha in enumerate(alphas):
        model = network(table.kind, loss, alpha=alpha, random_state=seed, **params)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model = pipeline(model).fit(X, y)
        for warning in caught:
            text = re.sub(r"\d[\d.]*(e[-+]?\d+)?", "#", str(warning.message))
            heard.setdefault(text, np.zeros(len(alphas), int))[i] += 1
        losses[i] = test_loss(table.kind, loss, model, X_test, y_test)
    return losses


def measure(kind, args, grid):
    """Test losses by table and n, nan where n is too large: (n_tables, n_rows, n_c)."""
    params = dict(NETS[args.net])
    if args.decoupled:
        params |= ADAMW | {"max_iter": args.epochs}
    rows, heard, n_fits = [], {}, 0
    for table in read_tables(kind, "tuning", args.keel, args.data):
        if args.loss and not table.y.min() > OTHER_LOSSES[args.loss]:
            continue
        row = np.full((len(args.rows), len(grid)), np.nan)
        start = process_time()
        for losses, n in zip(row, args.rows):
            if len(table.y) < n + MIN_TEST:
                continue
            n_splits = max(1, min(args.splits, 2000 // n))
            n_fits += n_splits
            alphas = grid if args.decoupled else grid / n
            how = args.loss, params, heard
            splits = [split_losses(table, n, alphas, i, *how) for i in range(n_splits)]
            losses[:] = np.mean(splits, axis=0)
        seconds = process_time() - start
        print(f"{kind} {table.name} {seconds:.0f} s", file=sys.stderr, flush=True)
        rows.append(row)
    return np.array(rows), heard, n_fits


def line(name, values, digits=4):
    print(f"{name:>20s}" + "".join(f"{value:8.{digits}f}" for value in values))


def of_all_rows(regret):
    """Mean over the tables that have n rows, then over the n: (n_c,)."""
    return np.nanmean(np.nanmean(regret, axis=0), axis=0)


def show_halves(regret, grid, rng):
    """What half of the tables would choose, and what it costs the other half."""
    chosen, cost = Counter(), []
    for _ in range(N_HALVES):
        halves = np.array_split(rng.permutation(len(regret)), 2)
        ours, theirs = (of_all_rows(regret[half]) for half in halves)
        best = ours.argmin()
        chosen[grid[best]] += 1
        cost.append(theirs[best] - theirs.min())
    shares = ", ".join(f"{c:g}: {chosen[c] / N_HALVES:.0%}" for c in sorted(chosen))
    print(f"halves of the tables choose {shares}")
    print(f"and lose {np.mean(cost):.4f} on the other half to its own choice")


def show_laws(regret, grid, rows):
    """Regret of alpha = k * steps ** -p at its best k, regrets interpolated."""
    steps, table_means = np.ceil(np.array(rows) / BATCH), np.nanmean(regret, axis=0)
    ks = np.geomspace(grid[0], grid[-1] * steps.max(), 100)
    for p in ADAMW_LAWS:
        alphas = ks[:, np.newaxis] * steps**-p  # (n_k, n_rows)
        columns = [
            np.interp(np.log(alpha), np.log(grid), mean)
            for alpha, mean in zip(alphas.T, table_means)
        ]
        costs = np.transpose(columns)
        mean = np.nanmean(costs, axis=1)
        best = mean.argmin()
        line(f"{ks[best]:.2g} steps^-{p:g}", [*costs[best], mean[best]])


def show(kind, losses, grid, args):
    least = losses.min(axis=-1, keepdims=True)
    regret, vain = losses - least, least[..., 0] > NO_SIGNAL
    line("regret", grid, digits=2)
    if kind != "classes" and vain.any():
        line(f"no signal ({vain.sum()})", regret[vain].mean(axis=0))
        regret = np.where(vain[..., np.newaxis], np.nan, regret)
        regret = regret[~np.isnan(regret).all(axis=(1, 2))]
    for i, n in enumerate(args.rows):
        known = ~np.isnan(regret[:, i, 0])
        line(f"n = {n} ({known.sum()})", np.nanmean(regret[:, i], axis=0))
    line("mean of n", of_all_rows(regret))
    line("median", np.nanmedian(regret, axis=(0, 1)))
    line("0.9 quantile", np.nanquantile(regret, 0.9, axis=(0, 1)))
    best = np.where(np.isnan(regret[..., 0]), np.nan, grid[regret.argmin(axis=-1)])
    print("median best", *np.nanmedian(best, axis=0), "for n =", *args.rows)
    show_halves(regret, grid, np.random.default_rng(0))
    if args.decoupled:
        line("law: n =", [*args.rows, np.nan], digits=0)
        show_laws(regret, grid, args.rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add_arguments(parser)
    parser.add_argument("--kind", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument(
        "--rows", nargs="+", type=int, default=[100, 200, 500, 1500, 5000]
    )
    parser.add_argument("--splits", type=int, default=2, help="at most so many")
    parser.add_argument("--net", choices=NETS, default="default")
    parser.add_argument("--loss", choices=OTHER_LOSSES, help="with squared_error")
    parser.add_argument("--grid", nargs="+", type=float, help="values of c")
    parser.add_argument("--decoupled", action="store_true")
    parser.add_argument("--epochs", type=int, default=1000)
    args = parser.parse_args()
    grid = np.array(args.grid or (ADAMW_GRID if args.decoupled else GRID))
    for kind in args.kind:
        losses, heard, n_fits = measure(kind, args, grid)
        if len(losses) < 2:
            print(f"\n{kind}: there are too few tables")
            continue
        print(f"\n{kind}, {len(losses)} tables, {n_fits} fits of each")
        show(kind, losses, grid, args)
        for text, counts in heard.items():
            print(*counts, text)


if __name__ == "__main__":
    # Means over the tables that have n rows, where there is none.
    warnings.simplefilter("ignore", RuntimeWarning)
    with threadpool_limits(1):
        main()
