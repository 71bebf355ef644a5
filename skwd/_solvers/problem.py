"""Why cross-validation is the same call: alphas x problems x restarts, one stack.

A *problem* is one sample to fit with all that its networks share but alpha: the rows of
a plain fit, or the training rows of one fold. Its restarts at each alpha of a path are
networks of one stack, and so are the problems beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from skwd._core.activations import Activation
from skwd._core.layout import Layout
from skwd._core.losses import Loss
from skwd._core.network import Network
from skwd._core.objective import GATHER_BYTES, Objective, Sample
from skwd._core.rows import SparseRows
from skwd._curvature.laplace import Laplace
from skwd._solvers import lbfgs, minibatch
from skwd._solvers.monitor import Interrupt
from skwd._solvers.settings import Settings
from skwd._solvers.training import Trained, train
from skwd._solvers.units import column_deviations

# What the networks of one chunk need while they train: parameters and all that is like
# them, and a batch's activations; more only where one alpha of one problem alone does.
# What many small networks gain from company they have within this, and it stays in the
# last cache. Changes no bit.
CHUNK_BYTES = 1 << 24
# Rows of X seen at a time for the scale of a grid.
GRID_ROWS = 1 << 14


@dataclass(eq=False)
class Problem:
    """One sample to fit, and what its networks share whatever their alpha."""

    layout: Layout
    activation: Activation
    loss: Loss
    training: Sample
    validation: Sample | None  # rows that early stopping watches
    params0: np.ndarray  # (n_init, P) the restarts' starting points
    settings: Settings  # with the solver resolved
    order: np.random.Generator  # draws the order of the rows in each epoch
    n_rows: int  # rows trained on, before equal ones were merged

    def objective(self, alpha: np.ndarray) -> Objective:
        """J of the restarts at ``alpha`` (n_weight_layers,), or K networks at (K, ...).

        Its network's scratch memory is its own.
        """
        per_network = np.array(np.atleast_2d(alpha))
        if alpha.ndim == 1:
            per_network = np.repeat(per_network, len(self.params0), axis=0)
        network = Network(self.layout, self.activation)
        return Objective(network, self.loss, [self.training], per_network)

    def laplace(
        self, params: np.ndarray, alpha: np.ndarray, *, tied: bool = True
    ) -> Laplace:
        """Laplace's approximation at an optimum: (P,), (n_weight_layers,)."""
        network = Network(self.layout, self.activation)
        at = self.training, params, alpha
        return Laplace.of(network, self.loss, *at, tied=tied)

    @property
    def constant(self) -> np.ndarray:
        """The raw prediction of the best constant, (n_outputs,)."""
        sample = self.training
        return self.loss.constant(sample.share @ sample.y)

    @property
    def search_scale(self) -> float:
        """What searches count alpha in."""
        return search_scale(self.training, linear=self.layout.n_weight_layers == 1)

    def default_alpha(self, least_rows: float = 0.0) -> np.ndarray:
        """What alpha=None stands for, (n_weight_layers,), for so many rows or more."""
        n = max(self.training.total_weight, least_rows)
        decay = self.settings.update.decay
        alpha = decay.default_alpha(self.loss.default_decay, n)
        return np.full(self.layout.n_weight_layers, alpha)

    @property
    def deviation_of_y(self) -> float:
        """Root mean square of the training y about its mean, over all outputs."""
        y, share = self.training.y, self.training.share
        with np.errstate(over="ignore", invalid="ignore"):
            return float(np.sqrt((share @ np.square(y - share @ y)).mean()))

    @property
    def largest_deviation_of_X(self) -> float:
        """Of the columns over the training rows, about the sample's origin."""
        return float(column_deviations(self.training).max(initial=0.0))

    @property
    def has_varying_y(self) -> bool:
        """Whether y varies over the rows trained on."""
        return bool((self.training.y != self.training.y[0]).any())


def train_path(
    problems: list[Problem], alphas: np.ndarray, interrupt: Interrupt | None = None
) -> Trained:
    """Train problems x alphas x restarts as one stack, numbered in this order.

    Parameters
    ----------
    problems : list of Problem
        Of the same layout, settings and number of restarts.
    alphas : ndarray (A, n_weight_layers)
    interrupt : Interrupt, optional
        Ends the training with an exception once it is set.

    Returns
    -------
    Trained
        Of ``len(problems) * A * n_init`` networks.
    """
    first, n_alphas = problems[0], len(alphas)
    params0 = np.concatenate([np.tile(p.params0, (n_alphas, 1)) for p in problems])
    objective = _objective(problems, alphas)
    watched = None
    if first.validation is not None:
        held_out = [problem.validation for problem in problems]
        parts = objective.alpha, objective.sample_of
        watched = Objective(objective.network, first.loss, held_out, *parts)
    return train(objective, params0, first.settings, watched, first.order, interrupt)


def _objective(problems: list[Problem], alphas: np.ndarray) -> Objective:
    """J of problems x alphas x restarts; the network's scratch memory is its own."""
    first, n_problems, n_init = problems[0], len(problems), len(problems[0].params0)
    return Objective(
        Network(first.layout, first.activation),
        first.loss,
        [problem.training for problem in problems],
        np.tile(np.repeat(alphas, n_init, axis=0), (n_problems, 1)),
        np.repeat(np.arange(n_problems), len(alphas) * n_init),
    )


def alpha_grid(sample: Sample, n_alphas: int) -> np.ndarray:
    """A logarithmic grid of alphas from 1e-6 a to a, ascending.

    About at a, times the activation's slope at 0, one hidden layer collapses to a
    constant.
    """
    return alpha_scale(sample) * np.logspace(-6.0, 0.0, n_alphas)


def alpha_scale(sample: Sample) -> float:
    """a = ||X'(s r)||_2 / sum s with r = y - mean(y), 1 where that is 0.

    The spectral norm for several outputs: without weights, the pull of the data on an
    identity network.
    """
    if not (sample.y != sample.y[0]).any():
        return 1.0  # with a constant y one alpha is as good as another
    with np.errstate(over="ignore", invalid="ignore"):  # the training tells of it
        residual = sample.y - sample.share @ sample.y
        residual *= sample.share[:, np.newaxis]
        pull = np.zeros((sample.X.shape[1], residual.shape[1]))
        for start in range(0, len(sample), GRID_ROWS):
            block = slice(start, start + GRID_ROWS)
            rows = block if sample.rows is None else sample.rows[block]
            pull += sample.X[rows].T @ residual[block]
    top = np.linalg.norm(pull, ord=2) if np.isfinite(pull).all() else 0.0
    return float(top) if top > 0.0 else 1.0


def search_scale(sample: Sample, *, linear: bool) -> float:
    """What searches count alpha in, in the units of alpha.

    Of a hidden network a, or what noise alone would make of it where X'(s r) is less
    than that: a signal may cancel in X'(s r), as that of an even function does. Of a
    linear model the mean square of a row of X about the sample's origin: its best alpha
    does not depend on the size of y.
    """
    a = alpha_scale(sample)
    if not (sample.y != sample.y[0]).any():
        return a
    square = residual = 0.0
    mean = sample.share @ sample.y
    with np.errstate(over="ignore", invalid="ignore"):
        for X, y, share in sample.blocks(GRID_ROWS):
            square += share[:, 0] @ _squares(X)
            residual += share[:, 0] @ np.square(y - mean).sum(axis=1)
        if linear:
            return float(square) if 0.0 < square < np.inf else a
        chance = np.sqrt(square * residual / sample.total_weight)
    return max(a, float(chance)) if np.isfinite(chance) else a


def _squares(X) -> np.ndarray:
    """Sum of squares of each row of a block, (b,)."""
    if isinstance(X, SparseRows):
        return X.squares()
    return np.einsum("nd,nd->n", X[:, :-1], X[:, :-1])


class Chunk(NamedTuple):
    """Some problems at some alphas, by their numbers: what one call trains."""

    problems: list[int]
    alphas: list[int]


def chunks(problems: list[Problem], n_alphas: int, n_jobs: int) -> list[Chunk]:
    """Cut a path into chunks of at most CHUNK_BYTES, a round number for each job.

    The results depend on none of this. Every chunk takes alphas from all over the path,
    for weak decay often takes more iterations than strong.
    """
    found = []
    alike: dict[tuple, list[int]] = {}
    for number, problem in enumerate(problems):
        alike.setdefault((problem.settings, problem.layout), []).append(number)
    for numbers in alike.values():
        size = max(_cell_bytes(problems[number]) for number in numbers)
        limit, n_cells = max(1, CHUNK_BYTES // size), len(numbers) * n_alphas
        n_chunks = max(_ceil_div(n_cells, limit), min(n_jobs, n_cells))
        n_chunks = _ceil_div(n_chunks, n_jobs) * n_jobs
        by_alpha = min(n_alphas, n_chunks)
        problems_each = limit // _ceil_div(n_alphas, by_alpha)
        by_problem = max(
            _ceil_div(n_chunks, by_alpha), _ceil_div(len(numbers), problems_each)
        )
        by_problem = min(len(numbers), by_problem)
        for i in range(by_problem):
            for j in range(by_alpha):
                mine = numbers[i::by_problem]
                found.append(Chunk(mine, list(range(j, n_alphas, by_alpha))))
    return found


def _ceil_div(a: int, b: int) -> int:
    return -(-a // b)


def _cell_bytes(problem: Problem) -> int:
    """Working memory of the restarts of one problem at one alpha."""
    settings, layout = problem.settings, problem.layout
    size = problem.training.dtype.itemsize
    if settings.solver == "lbfgs":
        each = lbfgs.network_bytes(layout.n_params)
    else:
        rows = settings.rows_per_step(len(problem.training))
        each = minibatch.network_bytes(layout, rows, size)
    kept = 3 if problem.validation is None else 4  # starts, results, the best
    return len(problem.params0) * (each + kept * 8 * layout.n_params)


def share_memory(problems: list[Problem]) -> None:
    """Let the problems together gather no more rows than one alone may."""
    samples = [problem.training for problem in problems]
    samples += [p.validation for p in problems if p.validation is not None]
    if sum(sample.gathered_bytes for sample in samples) > GATHER_BYTES:
        for sample in samples:
            sample.gather_once = False
