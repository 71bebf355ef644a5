"""Tables of more columns than rows: what training in the space of the rows saves.

    python benchmarks/wide.py [--kind classes] [--rows 100] [--columns 2000]

Twenty columns of standard normal ones decide the class and the number. Printed are CPU
seconds of a fit with the default alpha and of alpha="auto", each as it is and by all
columns; J of the default; and the seconds of scikit-learn's MLP by L-BFGS with the same
penalty. One thread.

With ``--errors``: the error on 1,000 other rows (1 - R2, log-loss) of the default, of c
rows and of alpha="auto", where columns are noise but for twenty, and where they share
eight factors. With ``--text``: seconds, log-loss of 1,000 other rows, and the solver,
with the default alpha and solver="auto", as it is and by all columns: sparse rows of
words by tf-idf, and dense rows.
"""

import argparse
import itertools
import time
import warnings

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier, MLPRegressor
from threadpoolctl import threadpool_limits

from skwd import WeightDecayMLPClassifier, WeightDecayMLPRegressor
from skwd._solvers import row_space

MODELS = {
    "numbers": (WeightDecayMLPRegressor, MLPRegressor),
    "classes": (WeightDecayMLPClassifier, MLPClassifier),
}
SIZES = (2000, 300), (250, 600), (1000, 800), (3000, 1000), (400, 2000), (400, 10_000)


def fitted(model, X, y):
    """The fitted model and its seconds."""
    start = time.process_time()
    return model.fit(X, y), time.process_time() - start


def by_all_columns(model, X, y):
    """The same, without the space of the rows."""
    limit, row_space.GATHER_BYTES = row_space.GATHER_BYTES, 0
    try:
        return fitted(model, X, y)
    finally:
        row_space.GATHER_BYTES = limit


def drawn(n, d, *, factors):
    """X and a noisy y of n rows."""
    rng = np.random.default_rng(1)
    if factors:
        F = rng.standard_normal((n, 8))
        X = F @ rng.standard_normal((8, d)) / np.sqrt(8) + rng.standard_normal((n, d))
        f = np.sin(2.0 * F[:, 0]) + F[:, 1]
    else:
        X = rng.standard_normal((n, d))
        f = X[:, :20].sum(axis=1) / np.sqrt(20)
    return X, f + 0.3 * rng.standard_normal(n)


def errors(kinds):
    print("kind, columns, rows x columns: error, times c of the default; c rows; auto")
    for kind, factors, (n, d) in itertools.product(kinds, (False, True), SIZES):
        X, y = drawn(n + 1000, d, factors=factors)
        cls, c = MODELS[kind][0], 5.0
        if kind == "classes":
            y, c = (y > 0.0).astype(int), 2.0
        parts = []
        for alpha in (None, c / n, "auto"):
            model = cls(alpha=alpha, encoding=None, random_state=0).fit(X[:n], y[:n])
            if kind == "classes":
                error = log_loss(y[n:], model.predict_proba(X[n:]))
            else:
                error = 1.0 - model.score(X[n:], y[n:])
            parts.append(f"{error:.3f}, {model.alpha_ * n / c:.3g}")
        columns = "eight factors" if factors else "noise"
        print(f"{kind}, {columns}, {n} x {d}: {'; '.join(parts)}", flush=True)


def words(n, d, n_topics=4, length=100):
    """tf-idf of n texts: words by Zipf's law, half of them by that of a topic."""
    rng = np.random.default_rng(0)
    common = 1.0 / np.arange(1, d + 1)
    by_topic = common * np.exp(rng.standard_normal((n_topics, d)))
    chance = common / common.sum() + by_topic / by_topic.sum(axis=1, keepdims=True)
    y = rng.integers(0, n_topics, n)
    counts = [rng.multinomial(length, 0.5 * chance[k]) for k in y]
    X = sparse.vstack([sparse.csr_matrix(row) for row in counts])
    return TfidfTransformer().fit_transform(X), y


def large():
    print("rows x columns: as it is; by all columns: seconds, log-loss, solver")
    for is_text, sizes in (
        (True, [(500, 5000), (1000, 20_000), (2000, 20_000), (2800, 50_000)]),
        (False, [(1000, 4000), (1000, 8000), (2000, 4000)]),
    ):
        for n, d in sizes:
            if is_text:
                X, y = words(n + 1000, d)
            else:
                X, y = drawn(n + 1000, d, factors=True)
                y = (y > 0.0).astype(int)
            parts = []
            for fit in (fitted, by_all_columns):
                model = WeightDecayMLPClassifier(random_state=0)
                model, seconds = fit(model, X[:n], y[:n])
                error = log_loss(y[n:], model.predict_proba(X[n:]))
                parts.append(f"{seconds:.1f} s, {error:.3f}, {model.solver_}")
            kind = "words" if is_text else "dense"
            print(f"{kind}, {n} x {d}: {'; '.join(parts)}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kind", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--rows", nargs="+", type=int, default=[100, 400])
    parser.add_argument("--columns", nargs="+", type=int, default=[500, 2000, 10_000])
    parser.add_argument("--errors", action="store_true")
    parser.add_argument("--text", action="store_true")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    if args.errors:
        return errors(args.kind)
    if args.text:
        return large()
    print("kind, rows x columns: default, J; by all columns; auto; by all; MLP")
    for kind in args.kind:
        ours, theirs = MODELS[kind]
        for n in args.rows:
            for d in args.columns:
                rng = np.random.default_rng(0)
                X = rng.standard_normal((n, d))
                f = X[:, :20].sum(axis=1) / 4.5 + 0.3 * rng.standard_normal(n)
                y = f if kind == "numbers" else (f > 0.0).astype(int)
                how = {"random_state": 0, "solver": "lbfgs"}
                plain, auto = ours(**how), ours(alpha="auto", encoding=None, **how)
                parts = []
                for fit in (fitted, by_all_columns):
                    model, seconds = fit(plain, X, y)
                    parts += [f"{seconds:6.2f} s, {model.loss_:.5f}"]
                    alpha = model.alpha_
                for fit in (fitted, by_all_columns):
                    model, seconds = fit(auto, X, y)
                    parts += [f"{seconds:7.2f} s, {model.alpha_:.4g}"]
                _, seconds = fitted(theirs(alpha=float(alpha) * n, **how), X, y)
                print(
                    f"{kind}, {n} x {d}: {'; '.join(parts)}; {seconds:.2f} s",
                    flush=True,
                )


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
