"""A variance of y that depends on x: v(x) rho(x), rho from rows that folds leave out.

    Var(y | x) = v(x) rho(x)

With r_i the residual of row i and v_i the variance (of noise and network) that the fit
without its fold gives it, rho is a network of the gamma loss with a log link fitted to
r_i^2 / v_i: the Gaussian likelihood of a variance. Its alpha is chosen by "auto", with
the constant, rho = 1, among the candidates. Without a posterior v is one number, the
mean of r_i^2. To train mean and variance together by one likelihood fails on small
tables: Seitzer et al., "On the pitfalls of heteroscedastic uncertainty estimation with
probabilistic neural networks", ICLR 2022.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from skwd._alpha.averaging import posteriors_of
from skwd._alpha.choice import AlphaChoice
from skwd._core.encoded import encoded
from skwd._core.network import Network
from skwd._curvature.posterior import predictive_blocks
from skwd._cv.chosen import Chosen
from skwd._cv.fold_networks import (
    KeptNetworks,
    TrainedFold,
    rows_left_out,
    train_folds,
)
from skwd._cv.ladder import CONSTANT
from skwd._cv.models import choose_by_folds
from skwd._cv.problem import Problem
from skwd._cv.settings import Data, Settings
from skwd._cv.tails import degrees_of
from skwd._data.encoding import Values
from skwd._data.merged_rows import first_of_each, numbers_of_copies
from skwd._data.number_targets import RegressionTargets
from skwd._data.targets import Targets
from skwd._solvers.task import TrainingTask

# With fewer different rows than this there is nothing to learn a second network from.
LEAST_ROWS = 60
# The least ratio r^2 / v, as a part of their mean: a residual near 0 is chance, and its
# logarithm would count without limit.
FLOOR = 1e-4
# Standard errors, over rows, that a gain on the constant has to be above. Of 37 draws
# of one noise, 100 and 400 rows, it keeps 35 constants; on seven tables of 400 rows,
# three splits, the likelihood rises by .087 in the mean (1.5 errors: .043; 2: .041; two
# errors of the mean of five folds: 33 constants, .005).
ERRORS = 1.0
# So many folds where `intervals` has none.
NOISE_FOLDS = 10
# noise_choice_["factor"] is the ratio of these quantiles of rho.
TWENTIETHS = np.array([0.05, 0.95])


@dataclass(frozen=True, eq=False)
class Ratio:
    """rho of one target: the mean of networks, within its range over the rows."""

    networks: KeptNetworks
    low: float
    high: float

    def __call__(self, X) -> np.ndarray:
        """rho at the rows of X, (m,)."""
        found = raw_ratio(self.networks, X)
        return np.clip(found, self.low, self.high)


@dataclass(frozen=True, eq=False)
class Noise:
    """What noise="varying" knows of the variance of y, beside that of a posterior."""

    ratios: list[Ratio | None]  # of each target; None is 1 everywhere
    deviation: np.ndarray | None  # (n_targets,) root(v); None: the posterior's
    choices: list[dict[str, Any]]  # noise_choice_ of each target
    mean_ratio: np.ndarray  # (n_targets,) of rho over the rows
    level: float = 1.0  # what a posterior's v is multiplied by, after a weighted fit

    def ratio(self, X) -> np.ndarray:
        """rho at the rows of X, (m, n_targets)."""
        columns = [np.ones(X.shape[0]) if r is None else r(X) for r in self.ratios]
        return np.stack(columns, axis=1)

    @property
    def varies(self) -> np.ndarray:
        """Of which targets the variance was found to depend on x, (n_targets,)."""
        return np.array([ratio is not None for ratio in self.ratios])


@np.errstate(over="ignore", under="ignore")
def raw_ratio(networks: KeptNetworks, X) -> np.ndarray:
    """exp of the raw predictions, the mean over the networks: (m,)."""
    blocks = [np.exp(raw).mean(axis=0)[:, 0] for raw in networks.raw_blocks(X)]
    return np.concatenate(blocks).astype(np.float64)


def left_out_deviations(folds: list[TrainedFold], X) -> np.ndarray:
    """The deviation that the fit without its fold gives each row left out.

    By the posterior of each fold; (n, n_targets), of the rows ascending, in y's units.
    """
    columns = [deviations_of(f.task, f.trained, f.targets, X[f.test]) for f in folds]
    order = np.argsort(np.concatenate([fold.test for fold in folds]))
    return np.concatenate(columns)[order]


def deviations_of(
    task: TrainingTask, trained: AlphaChoice, targets: Targets, X
) -> np.ndarray:
    """The deviations that networks and their posteriors give, (m, n_targets)."""
    assert isinstance(targets, RegressionTargets)
    posteriors = posteriors_of(task, trained, np.arange(len(trained.params)))
    noise = np.array([gaussian.noise for gaussian in posteriors])
    blocks = predictive_blocks(
        Network(task.layout, task.activation),
        trained.params,
        posteriors,
        encoded(X, task.training.encoder),
        task.training.origin,
    )
    return np.concatenate([targets.deviation(raw, cov, noise) for raw, cov in blocks])


def root_mean_square(shares: np.ndarray, residuals: np.ndarray) -> np.ndarray:
    """Of each column, (n_targets,), by shares of the rows; both (n, n_targets).

    Powers of two keep squares within the float range, and are exact.
    """
    power = np.frexp(np.abs(residuals).max(axis=0))[1]
    square = np.square(np.ldexp(residuals, -power))
    return np.ldexp(np.sqrt(np.sum(shares * square, axis=0)), power)


def learn_noise(
    problem: Problem,
    folds: list[TrainedFold],
    residuals: np.ndarray,
    of_ratio: Settings,
) -> tuple[Noise, np.ndarray]:
    """The noise, and the deviations of the rows left out, (n, n_targets).

    Parameters
    ----------
    problem : Problem
        That of the mean.
    folds : list of TrainedFold
    residuals : ndarray (n, n_targets)
        Of the rows left out, ascending, in y's units; NaN where y is not known.
    of_ratio : Settings
        Those of rho.
    """
    data, (counted, fold) = problem.data, rows_left_out(folds)
    X, weight = some_rows(data.X, counted), data.weight[counted]
    Y, _ = problem.targets.encode(data.y[counted], weight)
    known = ~np.isnan(residuals)
    shared = np.where(known, weight[:, np.newaxis], 0.0)
    shared /= shared.sum(axis=0)
    if problem.settings["posterior"]:
        deviation, found = None, left_out_deviations(folds, data.X)
    else:
        deviation = root_mean_square(shared, np.where(known, residuals, 0.0))
        found = np.broadcast_to(deviation, residuals.shape)
    ratios, choices, means = [], [], []
    s = np.array(found, dtype=np.float64)
    for t in range(residuals.shape[1]):
        rows = np.flatnonzero(known[:, t])
        with np.errstate(divide="ignore", invalid="ignore"):
            target = np.square(residuals[rows, t] / s[rows, t])
        # Copies are copies still: their residuals are the same but for rounding.
        first, copy = first_of_each(numbers_of_copies(some_rows(X, rows), Y[rows]))
        of_target = Data(some_rows(X, rows), target[first][copy], weight[rows])
        group = problem.group_of(counted[rows])
        ratio, choice, left_out = _learn_ratio(
            problem.seed, of_target, of_ratio, len(first), fold[rows], group
        )
        rho = np.ones(X.shape[0]) if ratio is None else ratio(X)
        s[rows, t] *= np.sqrt(left_out)
        low, high = Values.of(rho[rows], weight[rows]).quantiles(TWENTIETHS)
        means.append(1.0 if ratio is None else float(shared[:, t] @ rho))
        ratios.append(ratio)
        choice |= {"factor": float(high / low), "degrees_of_freedom": np.inf}
        if choice["scores"] and (s[rows, t] > 0.0).all():  # enough rows to judge
            z = residuals[rows, t] / s[rows, t]
            choice["degrees_of_freedom"] = degrees_of(z, weight[rows])
        choices.append(choice)
    return Noise(ratios, deviation, choices, np.array(means)), s


def _learn_ratio(
    seed: int,
    data: Data,
    settings: Settings,
    n_different: int,
    fold: np.ndarray,
    group: np.ndarray | None,
) -> tuple[Ratio | None, dict[str, Any], np.ndarray]:
    """rho, or None where it is 1, what was chosen between, and rho without each fold.

    The last is (n,), of the rows by networks that have not seen their ``fold`` (n,).
    ``n_different`` of the rows are no copies of others.
    """
    mean, ones = float(np.average(data.y, weights=data.weight)), np.ones(len(data.y))
    constant: dict[str, Any] = {"way": "default", "model": CONSTANT, "scores": {}}
    if not 0.0 < mean < np.inf:
        reason = "no residual is left, or none is finite"
        return None, {**constant, "reason": reason}, ones
    data = data._replace(y=np.maximum(data.y, FLOOR * mean))
    if n_different < LEAST_ROWS:
        reason = f"fewer than {LEAST_ROWS} different rows"
        return None, {**constant, "reason": reason}, ones
    if settings["verbose"]:
        print("the variance of y:")
    targets = settings.make_targets(data.y, data.weight)
    problem = Problem(data, None, settings, seed, targets, group=group)
    chosen = choose_by_folds(problem, *problem.whole())
    choice = dict(chosen.choice or {})
    if not chosen.is_judged or choice["model"] == CONSTANT:
        return None, {**constant, **choice, "model": CONSTANT}, ones
    networks = KeptNetworks.of(chosen.task, chosen.trained)
    rho = raw_ratio(networks, data.X)
    if not np.isfinite(rho).all():
        reason = "rho is not finite"
        return None, {**choice, "model": CONSTANT, "reason": reason}, ones
    ratio = Ratio(networks, float(rho.min()), float(rho.max()))
    left_out = _without_folds(ratio, problem, chosen, fold)
    gain, error = gain_on_constant(data, left_out, fold, problem.together)
    if not gain > ERRORS * error:
        reason = f"{choice['model']}: a gain of {gain:.2g}, within {ERRORS:g} standard"
        reason = f"{reason} errors of {error:.2g}"
        return None, {**choice, "model": CONSTANT, "reason": reason}, ones
    reason = f"a gain of {gain:.2g} on the constant, with a standard error of"
    choice["reason"] = f"{reason} {error:.2g}"
    return ratio, choice, left_out


@np.errstate(divide="ignore", over="ignore", invalid="ignore")
def gain_on_constant(
    data: Data, left_out: np.ndarray, fold: np.ndarray, together: np.ndarray
) -> tuple[float, float]:
    """How much rho is better than the constant, and the standard error.

    Of the mean gamma loss of the rows, by rho (n,) and by the constant of the rows
    without each ``fold`` (n,); rows that are held ``together`` (n,) are one draw.
    """
    y, weight = data.y, data.weight / data.weight.sum()
    weights, sums = np.bincount(fold, weight), np.bincount(fold, weight * y)
    constant = (_of_others(sums) / _of_others(weights))[fold]
    gains = y / constant - y / left_out + np.log(constant / left_out)
    gain = float(weight @ gains)
    draws = np.bincount(together, weight * (gains - gain))
    n_draws = max(2, len(np.unique(together)))
    return gain, float(np.sqrt(draws @ draws * n_draws / (n_draws - 1)))


def _of_others(values: np.ndarray) -> np.ndarray:
    """The sum of all other values, (K,): added up, so that no digits are lost."""
    before = np.concatenate([[0.0], np.cumsum(values)[:-1]])
    after = np.concatenate([[0.0], np.cumsum(values[::-1])[:-1]])
    return before + after[::-1]


def _without_folds(
    ratio: Ratio, problem: Problem, chosen: Chosen, fold: np.ndarray
) -> np.ndarray:
    """rho at each row by networks that have not seen its fold, (n,)."""
    numbers, found = np.unique(fold), np.empty(len(fold))
    rows = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in numbers]
    for without in train_folds(problem, chosen, rows):
        other = replace(ratio, networks=without.networks())
        found[without.test] = other(problem.data.X[without.test])
    return found


def some_rows(X, rows: np.ndarray):
    """Some rows of X, ascending; all of them are not copied."""
    return X if len(rows) == X.shape[0] else X[rows]
