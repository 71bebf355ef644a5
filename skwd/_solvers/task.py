"""Tasks x alphas x restarts, trained as one stack: a plain fit and a cross-validation.

A *task* is one sample to fit with all that its networks share but alpha: the rows of a
plain fit, or the training rows of one fold. Its restarts at each alpha of a path are
networks of one stack, and so are the tasks beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skwd._core.activations import Activation
from skwd._core.alpha_groups import AlphaGroups
from skwd._core.layout import Layout
from skwd._core.loss import Likelihood, Loss, likelihood_of
from skwd._core.network import Network
from skwd._core.objective import Objective
from skwd._core.penalty import Penalty
from skwd._core.sample import Sample
from skwd._solvers.base import Solver
from skwd._solvers.monitor import Interrupt
from skwd._solvers.result import Status
from skwd._solvers.training import StackFit, train
from skwd._solvers.units import largest_deviation


@dataclass(eq=False)
class TrainingTask:
    """One sample to fit, and what its networks share whatever their alpha."""

    layout: Layout
    activation: Activation
    loss: Loss
    penalty: Penalty
    groups: AlphaGroups
    training: Sample
    validation: Sample | None  # rows that early stopping watches
    params0: np.ndarray  # (n_init, P) the restarts' starting points
    solver: Solver
    order: np.random.Generator | None  # draws the order of rows, of steps on batches
    n_rows: int  # of positive weight trained on, before equal ones were merged
    # (n_weight_layers,) root mean squares of the weights that training began with, that
    # of an earlier fit where it goes on.
    initial_sizes: np.ndarray

    def objective(self, alpha: np.ndarray) -> Objective:
        """J of the restarts at ``alpha`` (G,), or of K networks at ``alpha`` (K, G).

        Its network's scratch memory is its own.
        """
        per_network = np.array(np.atleast_2d(alpha))
        if alpha.ndim == 1:
            per_network = np.repeat(per_network, len(self.params0), axis=0)
        return Objective(
            Network(self.layout, self.activation),
            self.loss,
            [self.training],
            per_network,
            penalty=self.penalty,
            groups=self.groups,
        )

    @property
    def group_of_input(self) -> np.ndarray:
        """The group of alpha of each input, (n_inputs,)."""
        return self.layout.W(self.groups.index[np.newaxis], 0)[0, :, 0]

    @property
    def likelihood(self) -> Likelihood:
        """That of the loss, which has one."""
        return likelihood_of(self.loss)

    @property
    def constant(self) -> np.ndarray:
        """The raw prediction of the best constant, (n_outputs,)."""
        sample = self.training
        return self.loss.constant(sample.y, sample.norm_weight)

    @property
    def curvature(self) -> float:
        """What J is counted in: the curvature of the loss at the constant, or 1."""
        return self.training.curvature(self.loss)

    @property
    def largest_deviation_of_X(self) -> float:
        """The largest deviation of a column over the training rows."""
        return largest_deviation(self.training)

    @property
    def has_varying_y(self) -> bool:
        """Whether y varies over the rows trained on."""
        return self.training.has_varying_y


def train_path(
    tasks: list[TrainingTask], alphas: np.ndarray, interrupt: Interrupt | None = None
) -> StackFit:
    """Train tasks x alphas x restarts as one stack, numbered in this order.

    Parameters
    ----------
    tasks : list of TrainingTask
        Of the same layout, solver and number of restarts.
    alphas : ndarray (A, G) or (F, A, G)
        With a further axis, those of each of the F tasks.
    interrupt : Interrupt, optional
        Ends the training with an exception once it is set.

    Returns
    -------
    StackFit
        Of ``len(tasks) * A * n_init`` networks.
    """
    first, (n_alphas, n_groups) = tasks[0], alphas.shape[-2:]
    alphas = np.broadcast_to(alphas, (len(tasks), n_alphas, n_groups))
    params0 = np.concatenate([np.tile(t.params0, (n_alphas, 1)) for t in tasks])
    if len(tasks) == 1:
        objective = first.objective(np.repeat(alphas[0], len(first.params0), axis=0))
    else:
        objective = _objective(tasks, [task.training for task in tasks], alphas)
    watched = None
    if first.validation is not None:
        held_out = [task.validation for task in tasks if task.validation is not None]
        watched = _objective(tasks, held_out, alphas)
    return train(objective, params0, first.solver, watched, first.order, interrupt)


def one_network(task: TrainingTask, params: np.ndarray, alpha: np.ndarray) -> StackFit:
    """A network of given weights (P,) at ``alpha`` (G,), as if it had been trained."""
    params = params[np.newaxis].astype(task.training.dtype)
    loss = task.objective(alpha[np.newaxis]).fun(params)
    unknown, none = np.full(1, np.nan), np.zeros(1, int)
    return StackFit(
        params=params,
        alpha=alpha[np.newaxis].copy(),
        loss=loss,
        criterion=loss,
        fun=loss,
        predicted_fall=unknown,
        nit=none,
        nfev=none,
        status=np.full(1, int(Status.ASKED)),
        loss_curve=[[]],
        rate_curve=[[]],
        gradient_curve=[[]],
        validation_curve=[[]],
        best_validation=np.full(1, np.inf),
    )


def _objective(
    tasks: list[TrainingTask], samples: list[Sample], alphas: np.ndarray
) -> Objective:
    """J of tasks x alphas x restarts on a sample of each task; alphas (F, A, G)."""
    first, n_init = tasks[0], len(tasks[0].params0)
    n_tasks, n_alphas, n_groups = alphas.shape
    of_task = np.repeat(np.arange(n_tasks), n_alphas * n_init)
    return Objective(
        Network(first.layout, first.activation),
        first.loss.stacked([task.loss for task in tasks], of_task),
        samples,
        np.repeat(alphas, n_init, axis=1).reshape(-1, n_groups),
        of_task,
        first.penalty.stacked([task.penalty for task in tasks], of_task),
        first.groups,
    )
