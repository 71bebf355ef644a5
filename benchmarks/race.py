"""How many folds alpha="auto" needs: its choice by some of them, replayed from all.

Each table is split into rows to train on and others to test by. Every multiple of the
default alpha is judged by five folds, and refitted to all rows; then rules of choice
are replayed. Printed is the test loss of their choice over that of all five folds with
three first multiples (geometric mean and worst), and the CPU time that they would have
taken, over that of the same and over one plain fit at the alpha chosen (median, most).

    python benchmarks/race.py --rows 1000 [--keel DIR]

With ``--auto``: the CPU time of alpha="auto" as it is, and of it without columns in
parts, over that of a plain fit of the model and the alpha that it has chosen, on each
table, and the median and most of those where a network wins.
"""

import argparse
import time
import warnings

import numpy as np
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.metrics import log_loss
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from tables import add_arguments, read_tables

from skwd import WeightDecayMLPClassifier, WeightDecayMLPRegressor
from skwd._cv.ladder import IN_PARTS, NETWORK, ON_PARTS, WITHOUT_HIDDEN

MULTIPLES = 10.0 ** (np.arange(-2, 5) / 2)
ONE, N_FOLDS = 2, 5  # the place of 1 among the multiples
C = {"squared_error": 5.0, "classes": 4.0}


def columns():
    names = OneHotEncoder(handle_unknown="ignore", sparse_output=False, min_frequency=5)
    return make_column_transformer(
        (StandardScaler(), make_column_selector(dtype_include="number")),
        (names, make_column_selector(dtype_exclude="number")),
    )


def loss_of(model, X, y):
    if hasattr(model, "classes_"):
        known = np.isin(y, model.classes_)
        p = model.predict_proba(X[known])
        return log_loss(y[known], p, labels=model.classes_)
    return float(np.mean(np.square(model.predict(X) - y)))


def fitted(kind, multiple, X, y, **params):
    cls = WeightDecayMLPClassifier if kind == "classes" else WeightDecayMLPRegressor
    model = cls(alpha=C[kind] * multiple / len(X), solver="lbfgs", random_state=0)
    start = time.process_time()
    model.set_params(**params).fit(X, y)
    return model, time.process_time() - start


def judged(table, n):
    """Fold losses and seconds (F, A), test losses and seconds of refits (A,)."""
    order = np.random.default_rng(0).permutation(len(table.X))[: n + 5000]
    X, y = table.X.iloc[order], table.y[order]
    encode = columns().fit(X[:n])
    X, X_test = encode.transform(X[:n]), encode.transform(X[n:])
    y, y_test = y[:n], y[n:]
    splitter = StratifiedKFold if table.kind == "classes" else KFold
    if table.kind == "squared_error":
        y, y_test = (y - y.mean()) / y.std(), (y_test - y.mean()) / y.std()
    losses = np.empty((2, N_FOLDS, len(MULTIPLES)))
    folds = splitter(N_FOLDS, shuffle=True, random_state=0).split(X, y)
    for fold, (train, test) in enumerate(folds):
        for a, multiple in enumerate(MULTIPLES):
            part = X[train], y[train]
            model, seconds = fitted(table.kind, multiple, *part, tol=1e-4)
            losses[:, fold, a] = loss_of(model, X[test], y[test]), seconds
    whole = np.empty((2, len(MULTIPLES)))
    for a, multiple in enumerate(MULTIPLES):
        model, seconds = fitted(table.kind, multiple, X, y)
        whole[:, a] = loss_of(model, X_test, y_test), seconds
    return losses, whole


def replayed(losses, first, n_first, behind):
    """The multiple that a rule chooses, and the seconds of the fits it asks for."""
    loss, seconds = losses
    seen, first_folds = set(first), slice(0, n_first)
    mean = loss[first_folds].mean(axis=0)

    def best_of(some, mean):
        lowest = min(mean[a] for a in some)
        return max(a for a in some if mean[a] <= 1.001 * lowest)

    while True:
        best = best_of(seen, mean)
        if best == min(seen) > 0:
            seen.add(best - 1)
        elif best == max(seen) < len(MULTIPLES) - 1:
            seen.add(best + 1)
        else:
            break
    spent = sum(seconds[first_folds, a].sum() for a in seen)
    left = [a for a in seen if mean[a] <= (1.0 + behind) * mean[list(seen)].min()]
    if len(left) > 1:
        best = best_of(left, loss.mean(axis=0)) if behind else best
        spent += sum(seconds[n_first:, a].sum() for a in left) if behind else 0.0
    return best, spent


RULES = {
    "5 folds, three first": ((ONE - 1, ONE, ONE + 1), 5, 0.0),
    "5 folds": ((ONE, ONE + 1), 5, 0.0),
    "3 folds": ((ONE, ONE + 1), 3, 0.0),
    "2 folds": ((ONE, ONE + 1), 2, 0.0),
    "2, then 5 for 3 %": ((ONE, ONE + 1), 2, 0.03),
    "2, then 5 for 5 %": ((ONE, ONE + 1), 2, 0.05),
    "2, then 5 for 10 %": ((ONE, ONE + 1), 2, 0.10),
}


def of_auto(table, n):
    """The plain fits that alpha="auto" takes, with and without columns in parts."""
    order = np.random.default_rng(0).permutation(len(table.X))[:n]
    X, y = table.X.iloc[order], table.y[order]
    task, found = (table.kind, 1.0, columns().fit_transform(X), y), []
    for encoding in ("auto", None):
        model, spent = fitted(*task, alpha="auto", encoding=encoding)
        name = model.alpha_choice_["model"]
        how = {"alpha": model.alpha_, "encoding": "parts" if name in IN_PARTS else None}
        if name in WITHOUT_HIDDEN:
            how["hidden_layer_sizes"] = ()
        _, seconds = fitted(*task, **how)
        network = name in (NETWORK, ON_PARTS)
        found.append((name, spent, spent / seconds if network else np.nan))
    print(
        f"{table.kind}, {table.name}: "
        + "; ".join(f"{name}, {s:.1f} s, {fits:.1f} fits" for name, s, fits in found),
        flush=True,
    )
    return [fits for _, _, fits in found]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_arguments(parser)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--auto", action="store_true")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    tables = [
        table
        for kind in C
        for table in read_tables(kind, "tuning", args.keel, args.data)
        if len(table.X) >= 1.25 * args.rows
    ]
    if args.auto:
        fits = np.array([of_auto(table, args.rows) for table in tables]).T
        for name, some in zip(("with parts", "without"), fits):
            some = some[np.isfinite(some)]
            print(f"{name}: {np.median(some):.1f}, {some.max():.1f} of {len(some)}")
        return
    tables = [judged(table, args.rows) for table in tables]
    print(f"{len(tables)} tables, {args.rows} rows")
    reference = [replayed(losses, *next(iter(RULES.values()))) for losses, _ in tables]
    for name, rule in RULES.items():
        found = [replayed(losses, *rule) for losses, _ in tables]
        loss = np.array(
            [
                whole[0, a] / whole[0, b]
                for (_, whole), (a, _), (b, _) in zip(tables, found, reference)
            ]
        )
        spent = np.array([s / t for (_, s), (_, t) in zip(found, reference)])
        plain = np.array([s / whole[1, a] for (_, whole), (a, s) in zip(tables, found)])
        print(
            f"{name:22s} loss {np.exp(np.log(loss).mean()):.3f}, {loss.max():.3f}; "
            f"time {np.exp(np.log(spent).mean()):.2f}; plain fits "
            f"{np.median(plain):.1f}, {plain.max():.1f}"
        )


if __name__ == "__main__":
    main()
