"""Networks of some columns of X, with one alpha for each group of columns.

What `relevance` searches over: fits of a part of the columns, their alphas re-estimated
from round to round. Columns are in units of their deviations.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from skwd._alpha.choice import (
    LEAST_GAMMA,
    LONGEST,
    AlphaChoice,
    laplace_of,
    mackay_change,
    moved,
    train_from,
)
from skwd._alpha.scales import alpha_scale
from skwd._core.layout import Layout, initial_params
from skwd._core.network import Network
from skwd._core.sample import Sample
from skwd._curvature.factors import rows_per_block, training_rows, whitened
from skwd._curvature.laplace import Laplace, raw_blocks
from skwd._solvers import lbfgs
from skwd._solvers.task import TrainingTask
from skwd._solvers.units import InUnits, column_deviations

# L-BFGS iterations of a round, and the tolerance at which it may stop before. Half or
# twice, a third or three times: as good, in .7 to 1.2 times the work.
ITERATIONS, TOL = 100, 1e-4
# What ln(alpha) may still change by at the end, and of linear models. A third or three
# times: no change.
SETTLED, SETTLED_LINEAR = 0.02, 1e-8


@dataclass(eq=False)
class ColumnFit:
    """A network of some groups of columns at its alphas."""

    kept: np.ndarray  # (g,) the numbers of its groups, ascending
    alpha: np.ndarray  # (g + n_weight_layers - 1,) of the groups and further layers
    params: np.ndarray  # (P,) of a network of its columns
    laplace: Laplace

    @property
    def evidence(self) -> float:
        return self.laplace.log_evidence

    @property
    def of_groups(self) -> np.ndarray:
        """Effective weights of each group of columns, (g,)."""
        return self.laplace.n_effective[: len(self.kept)]


class ColumnProblem:
    """All columns of a task in their deviations, and fits of some of them.

    Parameters
    ----------
    task : TrainingTask
    members : list of ndarray of int
        The columns of each group that shares an alpha.
    """

    def __init__(self, task: TrainingTask, members: list[np.ndarray]):
        sample, squares = task.training, np.square(column_deviations(task.training))
        #: Of each column, the same for those that share an alpha.
        self.deviation = np.ones(len(squares))
        for columns in members:
            mean = squares[columns].mean()
            self.deviation[columns] = np.sqrt(mean) if 0.0 < mean < np.inf else 1.0
        unit = (1.0 / self.deviation).astype(sample.dtype)
        X: Any = sample.X
        if sample.rows is not None or sample.encoder is not None:
            X = X[slice(None) if sample.rows is None else sample.rows]
        self.X = X @ sparse.diags_array(unit) if sparse.issparse(X) else X * unit
        self.X = self.X.tocsr() if sparse.issparse(X) else self.X
        self.origin = None if sample.origin is None else sample.origin * unit
        self.task, self.members = task, members
        self._latest: tuple[bytes, TrainingTask] = b"", task

    @cached_property
    def scale(self) -> float:
        """`alpha_scale` of all columns, each in units of its deviation."""
        whole = self.task.training
        return alpha_scale(Sample(self.X, whole.y, whole.weight, origin=self.origin))

    def subtask(self, kept: np.ndarray) -> TrainingTask:
        """The task of some groups of columns, with an alpha for each."""
        key = kept.tobytes()
        if self._latest[0] != key:
            columns = np.concatenate([self.members[group] for group in kept])
            whole = self.task.training
            origin = None if self.origin is None else self.origin[columns]
            X = self.X[:, columns]
            training = Sample(X, whole.y, whole.weight, origin=origin)
            layout = Layout((len(columns), *self.task.layout.layer_units[1:]))
            of_column = np.repeat(
                np.arange(len(kept)), [len(self.members[group]) for group in kept]
            )
            subtask = replace(
                self.task,
                training=training,
                layout=layout,
                groups=layout.column_groups(of_column),
                params0=np.zeros((1, layout.n_params)),
            )
            self._latest = key, subtask
        return self._latest[1]

    def fresh(self, kept: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """New initial weights (P,) for some groups of columns."""
        task = self.subtask(kept)
        layout = task.layout
        params = initial_params(layout, task.activation.gain, [rng])
        layout.b(params, layout.n_weight_layers - 1)[:] = task.constant
        return params[0]

    def without(self, fit: ColumnFit, left: np.ndarray) -> np.ndarray:
        """The weights of a fit for the groups ``left`` of those it has kept, (P,)."""
        before = self.subtask(fit.kept).layout
        layout = self.subtask(fit.kept[left]).layout
        sizes = [len(self.members[group]) for group in fit.kept]
        columns = np.repeat(left, sizes)
        coefs, intercepts = before.split(fit.params[np.newaxis])
        coefs[0] = coefs[0][:, columns]
        return layout.join(coefs, intercepts)[0]

    def predict(self, fit: ColumnFit) -> np.ndarray:
        """Raw predictions (n, n_outputs) of the rows trained on."""
        task = self.subtask(fit.kept)
        network = Network(task.layout, task.activation)
        blocks = raw_blocks(network, task.training, fit.params)
        return np.concatenate([raw for *_, raw in blocks])

    def rounds(
        self, kept: np.ndarray, params: np.ndarray, alpha: np.ndarray, n_rounds: int
    ) -> ColumnFit:
        """Train and re-estimate alphas, ``n_rounds`` times at most.

        The fit of the most evidence, without the groups of columns that have left. A
        linear model is at its minimum in each round, and the last fit is returned.
        """
        best: ColumnFit | None = None
        is_linear = self.task.layout.n_weight_layers == 1
        settled = SETTLED_LINEAR if is_linear else SETTLED
        for _ in range(n_rounds):
            params = self._trained(kept, params, alpha)
            task = self.subtask(kept)
            found = laplace_of(task, params, alpha, one_alpha=False)
            fit = ColumnFit(kept, alpha, params, found)
            if best is None or is_linear or fit.evidence > best.evidence:
                best = fit
            change = mackay_change(found, alpha)
            alpha = moved(alpha, change, LONGEST)
            left = fit.of_groups >= LEAST_GAMMA
            if not left.any():
                left[np.argmax(fit.of_groups)] = True
            if not left.all():
                params = self.without(fit, left)
                alpha = np.concatenate([alpha[: len(kept)][left], alpha[len(kept) :]])
                kept = kept[left]
            elif np.abs(change).max() < settled:
                break
        assert best is not None
        return best

    def ended(self, fit: ColumnFit) -> AlphaChoice:
        """The fit, trained on to its minimum of J at its alphas (K = 1)."""
        task = self.subtask(fit.kept)
        objective = task.objective(fit.alpha[np.newaxis])
        ended = train_from(objective, fit.params[np.newaxis], task.solver)
        ended.laplace[0] = laplace_of(task, ended.params[0], fit.alpha, one_alpha=False)
        return ended

    def _trained(
        self, kept: np.ndarray, params: np.ndarray, alpha: np.ndarray
    ) -> np.ndarray:
        """The weights (P,) of a round: of a hidden network after some iterations.

        On scales of their own, as alphas may be decades apart.
        """
        task = self.subtask(kept)
        objective = task.objective(alpha[np.newaxis])
        if task.layout.n_weight_layers == 1:
            return train_from(objective, params[np.newaxis], task.solver).params[0]
        curvature = curvature_diagonal(task, params, objective.decay[0])
        scales = np.sqrt(curvature)[np.newaxis]
        result = lbfgs.minimize(
            InUnits(objective, scales),
            params * scales,
            max_iter=ITERATIONS,
            max_fun=2 * ITERATIONS,
            tol=TOL,
        )
        return result.x[0] / scales[0]


def curvature_diagonal(
    task: TrainingTask, params: np.ndarray, decay: np.ndarray
) -> np.ndarray:
    """About the diagonal of H, (P,): E[a^2] E[delta^2] of each weight plus decay.

    At least a thousandth of the mean.
    """
    layout, diagonal = task.layout, np.zeros((1, task.layout.n_params))
    network = Network(layout, task.activation)
    squares = [np.zeros(units) for units in layout.layer_units[:-1]]
    deltas = [np.zeros(units) for units in layout.layer_units[1:]]
    n_rows = rows_per_block(layout, multiplied=False)
    for rows in training_rows(network, task.training, params, n_rows):
        for layer, (a, delta) in enumerate(zip(*whitened(rows, task.loss))):
            a = a.toarray() if hasattr(a, "toarray") else a
            squares[layer] += rows.norm_weight @ np.square(a)
            deltas[layer] += np.square(delta).sum(axis=(0, 1))
    for layer, (square, delta) in enumerate(zip(squares, deltas)):
        layout.W(diagonal, layer)[0] = np.outer(square, delta)
        layout.b(diagonal, layer)[0, 0] = delta
    return diagonal[0] + decay + 1e-3 * diagonal.mean() + np.finfo(float).tiny
