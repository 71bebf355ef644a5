"""One alpha for each column of X, by the evidence: automatic relevance determination.

The evidence of such alphas has many maxima. A column whose alpha has run away has no
weights left to tell of it, and a network that has learnt noise with fifty columns does
not unlearn it. So there are several starts, columns come back where the residuals ask
for them, weights are drawn anew at the alphas that were learnt, and columns of little
effect are taken out on trial; the evidence decides.

MacKay, "Bayesian non-linear modelling for the prediction competition", ASHRAE
Transactions 1994; Neal, "Bayesian Learning for Neural Networks", 1996.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from skwd._alpha.choice import STRONG, TINY, AlphaChoice
from skwd._alpha.column_fits import ColumnFit, ColumnProblem
from skwd._alpha.evidence import choose_by_evidence
from skwd._alpha.evidence_start import print_found
from skwd._alpha.residuals import Bases
from skwd._core.alpha_groups import ABSENT
from skwd._solvers.task import TrainingTask

# Where the two starts have their alphas, in units of a: of all columns, and of those
# that y asks for by themselves. From .3 a products are missed on 3 of 8 draws, from .03
# a errors are a third larger (Friedman 1, 50 columns, 200 rows).
BACKWARD, FORWARD = 0.1, 0.01
# Rounds of a fit, and of a linear model. Half: errors 1.04 in .8 of the work, and no
# change; twice: as good.
ROUNDS, LINEAR_ROUNDS = 8, 500
# Fits with fresh weights, until so many bring nothing. Half as many: errors 1.04 in .8
# of the work; twice: as good in 1.1. Half or twice the patience: as good.
REFITS, PATIENCE = 4, 2
# Columns of a smaller effect, in nats, are taken out on trial. A third or three times:
# no worse.
EFFECTS = (20.0, 5.0)
# One alpha for all stays unless the evidence is above its own by this; a linear model
# has a single maximum, or nearly, and no search that could find something in noise. A
# third: no change; three times: errors 1.03, worst 1.06.
MARGIN = 10.0
# So it does where alphas by column would use up more than this part of the degrees of
# freedom of the data, for Laplace's approximation is poor there. A fifth: errors 1.02;
# all: no change, but of ionosphere, which uses 65 %, errors a sixth to a half higher.
MOST_USED = 0.5


def choose_by_relevance(task: TrainingTask, verbose: bool = False) -> AlphaChoice:
    """Train the restarts of a task, each with an alpha for each group of its columns.

    Parameters
    ----------
    task : TrainingTask
        Its ``groups`` are those of columns and of further layers.
    verbose : bool
        Print a line for each candidate.

    Returns
    -------
    AlphaChoice
        As of `choose_by_evidence`, with its single alpha where the evidence does not
        tell columns apart. Columns that have left have zero weights and alpha ABSENT.
    """
    chosen = choose_by_evidence(task, verbose=verbose)
    problem = ColumnProblem(task, members_of(task))
    is_linear = task.layout.n_weight_layers == 1
    bases = None if is_linear else Bases(problem)
    usable = np.flatnonzero(~chosen.unusable)
    # It begins at no weights: every restart is the same.
    linear = _linear(problem) if bases is None and len(usable) else None
    for k in map(int, usable):
        if bases is None:
            assert linear is not None
            fit, margin = linear, 0.0
        else:
            seed = task.params0[k].view(np.uint32)[
                :64
            ]  # as its initial weights have it
            fit, margin = _search(problem, bases, seed, verbose), MARGIN
        # Of the minimum: fits on the way have stopped before it.
        ended = _in_all_columns(problem, fit)
        evidence = ended.known(0).log_evidence
        n = max(task.training.total_weight, task.n_rows)
        most = MOST_USED * n * task.training.y.shape[1]
        is_known = ended.known(0).dof <= most
        better = evidence > -chosen.criterion[k] + margin
        if is_known and better and not ended.unusable[0]:
            chosen.take(np.array([k]), ended)
            chosen.criterion[k] = -evidence
    return chosen


def members_of(task: TrainingTask) -> list[np.ndarray]:
    """The columns of each group that shares an alpha, from the task's groups."""
    of_input = task.group_of_input
    return [np.flatnonzero(of_input == g) for g in range(int(of_input.max()) + 1)]


def _in_all_columns(problem: ColumnProblem, fit: ColumnFit) -> AlphaChoice:
    """The fit at its minimum, as a network of all columns in their units (K = 1)."""
    task, ended = problem.task, problem.ended(fit)
    layout, n_kept = task.layout, len(fit.kept)
    columns = np.concatenate([problem.members[group] for group in fit.kept])
    coefs, intercepts = problem.subtask(fit.kept).layout.split(ended.params)
    first = np.zeros((1, *layout.W(task.params0, 0).shape[1:]), dtype=coefs[0].dtype)
    first[0, columns] = coefs[0][0] / problem.deviation[columns][:, np.newaxis]
    squares = np.array(
        [np.square(problem.deviation[problem.members[g][0]]) for g in fit.kept]
    )

    def of_all(values: np.ndarray, absent: float, unit: np.ndarray) -> np.ndarray:
        found = np.full(task.groups.n_groups, absent)
        found[fit.kept] = values[:n_kept] * unit
        found[len(problem.members) :] = values[n_kept:]
        return found

    laplace = ended.known(0)
    alpha = of_all(ended.alpha[0], ABSENT, squares)
    ended.laplace[0] = replace(
        laplace,
        n_effective=of_all(laplace.n_effective, 0.0, np.ones(n_kept)),
        alpha=of_all(laplace.alpha, ABSENT, squares),
    )
    params = layout.join([first, *coefs[1:]], intercepts)
    return replace(ended, params=params, alpha=alpha[np.newaxis])


def _linear(problem: ColumnProblem) -> ColumnFit:
    """The fixed point of a linear model, from one alpha of all columns.

    It is the one of most evidence for columns in their deviations: their units change
    nothing.
    """
    kept = np.arange(len(problem.members))
    one = choose_by_evidence(problem.subtask(kept))
    return problem.rounds(kept, one.params[0], one.alpha[0], LINEAR_ROUNDS)


def _search(
    problem: ColumnProblem, bases: Bases, seed: np.ndarray, verbose: bool
) -> ColumnFit:
    """The fit of the most evidence of a network with hidden layers."""
    candidates = []
    for start in (_forward, _backward):
        fit = start(problem, bases, np.random.default_rng(seed))
        if fit is not None:
            candidates.append(_pruned(problem, fit))
            if verbose:
                print_found("Columns", candidates[-1].laplace)
    best = max(candidates, key=lambda fit: fit.evidence)
    best = _refitted(problem, bases, best, np.random.default_rng([*seed, 1]))
    last = problem.rounds(best.kept, best.params, best.alpha, ROUNDS)
    return _pruned(problem, last if last.evidence > best.evidence else best)


def _alphas(problem: ColumnProblem, n_kept: int, multiple: float) -> np.ndarray:
    n_further = problem.task.layout.n_weight_layers - 1
    return np.full(n_kept + n_further, multiple * problem.scale)


def _forward(problem: ColumnProblem, bases: Bases, rng) -> ColumnFit | None:
    """From the columns that y itself asks for."""
    y = problem.task.training.y
    residual = y - problem.task.loss.inverse_link(problem.task.constant)
    kept = np.flatnonzero(bases.gains(residual) > STRONG)
    if not len(kept):
        return None
    alpha = _alphas(problem, len(kept), FORWARD)
    fit = problem.rounds(kept, problem.fresh(kept, rng), alpha, ROUNDS)
    return _refitted(problem, bases, fit, rng)


def _backward(problem: ColumnProblem, bases: Bases, rng) -> ColumnFit:
    """From all columns."""
    kept = np.arange(len(problem.members))
    alpha = _alphas(problem, len(kept), BACKWARD)
    fit = problem.rounds(kept, problem.fresh(kept, rng), alpha, ROUNDS)
    return _refitted(problem, bases, fit, rng)


def _refitted(problem: ColumnProblem, bases: Bases, fit: ColumnFit, rng) -> ColumnFit:
    """Fresh weights at the alphas learnt, with the columns that residuals ask for."""
    best, misses = fit, 0
    for _ in range(REFITS):
        n_kept = len(fit.kept)
        alpha = dict(zip(fit.kept.tolist(), fit.alpha[:n_kept]))
        relevant = fit.alpha[:n_kept][fit.of_groups > 1.0]
        low = float((relevant if len(relevant) else fit.alpha[:n_kept]).min())
        predicted = problem.task.loss.inverse_link(problem.predict(fit))
        residual = problem.task.training.y - predicted
        for group in np.flatnonzero(bases.gains(residual) > STRONG):
            alpha[int(group)] = min(alpha.get(int(group), np.inf), low)
        kept = np.array(sorted(alpha))
        alphas = np.array([alpha[group] for group in kept.tolist()])
        alphas = np.concatenate([alphas, fit.alpha[n_kept:]])
        fit = problem.rounds(kept, problem.fresh(kept, rng), alphas, ROUNDS)
        if fit.evidence > best.evidence:
            best, misses = fit, 0
        else:
            misses += 1
        if misses >= PATIENCE:
            break
    return best


def _pruned(problem: ColumnProblem, fit: ColumnFit) -> ColumnFit:
    """Without the columns of little effect, where the evidence allows it."""
    effects = _effects(problem, fit)
    for least in EFFECTS:
        left = effects >= least
        if left.all():
            break
        if not left.any():
            continue
        alpha = np.concatenate([fit.alpha[: len(left)][left], fit.alpha[len(left) :]])
        params = problem.without(fit, left)
        other = problem.rounds(fit.kept[left], params, alpha, ROUNDS)
        if other.evidence >= fit.evidence - STRONG:
            return other
    return fit


def _effects(problem: ColumnProblem, fit: ColumnFit) -> np.ndarray:
    """The nats of likelihood that are lost without each group's weights, (g,)."""
    task = problem.subtask(fit.kept)
    params = np.tile(fit.params, (len(fit.kept) + 1, 1))
    groups = np.arange(len(fit.kept))
    for k in groups:
        params[k, task.groups.index == k] = 0.0
    objective = task.objective(np.tile(fit.alpha, (len(params), 1)))
    loss = objective.data_loss(params)
    n = task.training.total_weight
    noise = float(fit.laplace.noise.mean())
    with np.errstate(over="ignore"):
        return (
            n * (loss[:-1] - loss[-1]) / max(noise, TINY)
        )  # rows may be known exactly
