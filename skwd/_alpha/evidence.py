"""alpha by the evidence: train, re-estimate, train on, until alpha stays.

The networks of a stack train together, each at an alpha of its own. A round lets L-BFGS
go on from where it was and replaces alpha by the fixed point of MacKay (1992),

    alpha <- gamma noise / (n ||w||^2),

in one or for every layer. What makes it robust: networks are judged after they have
learnt the data, for before it looks as if noise were all there is; the first alpha is
the one of most evidence in a `scan`; alpha moves by at most a factor of e a round, so
that the network can follow, and no further than the evidence allows, or than a deep
network can bear; every restart has its own alpha, and the evidence ranks them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skwd._alpha.choice import (
    LEAST_GAMMA,
    LONGEST,
    STRONG,
    AlphaChoice,
    laplace_of,
    mackay_change,
    moved,
)
from skwd._alpha.constant import (
    constant_params,
    has_no_signal,
    is_without_weights,
    make_constant,
)
from skwd._alpha.evidence_start import (
    first_fits,
    is_deep,
    print_found,
    train_on,
    train_to_convergence,
    with_few_iterations,
)
from skwd._alpha.scales import alpha_range
from skwd._curvature.laplace import Laplace
from skwd._solvers.hooks import tell_round
from skwd._solvers.minimum import tolerance
from skwd._solvers.result import Status
from skwd._solvers.task import TrainingTask

# Half or twice: no change.
MAX_ROUNDS = 50
# alpha has settled once ln(alpha) would change by no more than this times root(tol): J
# within tol of its minimum leaves an error of the order of root(tol) in the weights. A
# third or three times: the same errors, 4 % more or 8 % fewer iterations.
SETTLED = 3.0
# The fixed point need not be where the evidence is highest, as MacKay's formula takes H
# for given. Where the evidence falls by more than STRONG the step is halved, down to
# this. A third: as good in 1.1 to 1.3 times the work; three times, which ends with the
# first step back: no worse in .9 of it.
SHORTEST = 0.3


def choose_by_evidence(
    task: TrainingTask, per_layer: bool = False, verbose: bool = False
) -> AlphaChoice:
    """Train the restarts of a task, each at the alpha of its highest evidence.

    Parameters
    ----------
    task : TrainingTask
    per_layer : bool
        One alpha for each layer, unless the units are homogeneous: of those only the
        product of the alphas matters.
    verbose : bool
        Print a line for each round of each network.

    Returns
    -------
    AlphaChoice
        ``laplace`` and ``alpha`` are those of the optimum, ``criterion`` is minus the
        log-evidence. Where the data cannot tell a signal from noise, alpha is at its
        highest and the network a constant.
    """
    return EvidenceSearch(task, per_layer, verbose).run()


class EvidenceSearch:
    """The search of `choose_by_evidence` for the restarts of one task."""

    def __init__(self, task: TrainingTask, per_layer: bool, verbose: bool):
        self.task, self.verbose = task, verbose
        self.one_alpha = not per_layer or task.activation.homogeneous
        self.low, self.high = alpha_range(task)
        tol = tolerance(task.solver.tol, task.layout, task.training.dtype)
        self.least_change = SETTLED * np.sqrt(tol)

    def run(self) -> AlphaChoice:
        """The networks, each at the alpha of its highest evidence."""
        fit = self.fit = first_fits(self.task, self.one_alpha, self.verbose)
        self.state = AlphaSearchState.of(len(fit.params))
        running = np.flatnonzero(~fit.unusable)
        for round_ in range(MAX_ROUNDS + 1):
            change = np.zeros_like(fit.alpha)
            for k in map(int, running):
                change[k] = self._change(k, round_)
            change[self.state.longest < SHORTEST] = 0.0  # the evidence has stopped it
            settled = np.abs(change).max(axis=1) <= self.least_change
            unfinished = (fit.status == Status.MAX_ITER) & ~self.state.is_whole
            running = running[~settled[running] | unfinished[running]]
            if round_ == MAX_ROUNDS:
                fit.status[running] = Status.UNSETTLED
            if round_ == MAX_ROUNDS or not len(running):
                break
            self._next_round(running, settled[running], change)
            running = running[~fit.unusable[running]]
        self._end()
        return fit

    def _change(self, k: int, round_: int) -> np.ndarray:
        """What ln(alpha) of network k is to change by, (G,); 0 where it has ended."""
        fit, state, task = self.fit, self.state, self.task
        found = self._laplace(fit.params[k], fit.alpha[k])
        fit.laplace[k] = found
        if self.verbose:
            print_found(f"Network {k}, round {round_}", found)
        asked = tell_round(task.solver.hooks, k, fit.params[k], fit.alpha[k])
        collapsed = is_deep(task) and is_without_weights(task, fit, k)
        state.accept_or_go_back(fit, k, collapsed)
        if asked:
            return np.zeros_like(fit.alpha[k])
        found = fit.known(k)  # that of the state gone back to, if it was
        change = mackay_change(found, fit.alpha[k], self.low, self.high)
        endless = found.n_effective.sum() < LEAST_GAMMA and (change > 0.0).all()
        at_the_edge = collapsed and state.longest[k] < SHORTEST
        if (
            endless
            or at_the_edge
            or has_no_signal(task, fit, k, found.alpha, self.high)
        ):
            least = state.highest[k] - STRONG if at_the_edge else -np.inf
            if self.constant.log_evidence >= least:
                self._take_constant(k)
            return np.zeros_like(change)
        return change

    def _next_round(self, running, settled, change) -> None:
        """Train the networks ``running`` on, at alphas changed by ``change`` (K, G).

        Those that have ``settled`` are trained with as many iterations as they need.
        """
        alpha = moved(self.fit.alpha, change, self.state.longest[:, np.newaxis])
        solver = self.task.solver
        self.state.is_whole[running] = settled
        for networks, how in (
            (running[settled], solver),
            (running[~settled], with_few_iterations(solver)),
        ):
            train_on(self.task, self.fit, networks, alpha, how)

    def _end(self) -> None:
        """End every network at a minimum of J, with its evidence as the criterion."""
        fit = self.fit
        for k in map(int, train_to_convergence(self.task, fit)):
            fit.laplace[k] = self._laplace(fit.params[k], fit.alpha[k])
        for k in map(int, np.flatnonzero(~fit.unusable & is_deep(self.task))):
            if self.constant.log_evidence > fit.known(k).log_evidence:
                self._take_constant(k)
        fit.lowest = np.any(fit.alpha <= self.low * (1.0 + 1e-9), axis=1)
        fit.criterion = np.array(
            [
                np.inf if laplace is None else -laplace.log_evidence
                for laplace in fit.laplace
            ]
        )

    def _laplace(self, params: np.ndarray, alpha: np.ndarray) -> Laplace:
        return laplace_of(self.task, params, alpha, one_alpha=self.one_alpha)

    @cached_property
    def constant(self) -> Laplace:
        """The evidence of the best constant, at the highest alpha."""
        alpha = np.full(self.task.groups.n_groups, self.high)
        return self._laplace(constant_params(self.task), alpha)

    def _take_constant(self, k: int) -> None:
        make_constant(self.task, self.fit, k, self.high)
        self.fit.laplace[k] = self.constant


@dataclass
class AlphaSearchState:
    """How the networks of a stack look for alpha; the stack axis is first."""

    longest: np.ndarray  # (K,) the most that ln(alpha) changes in the next round
    highest: np.ndarray  # (K,) the highest log-evidence so far
    is_whole: np.ndarray  # (K,) whether the last fit had as many iterations as it needs
    # The last accepted state, to go back to, and whether its fit was whole.
    accepted: list[tuple[AlphaChoice, bool] | None]

    @classmethod
    def of(cls, n_networks: int) -> AlphaSearchState:
        """At its beginning, after a whole fit."""
        return cls(
            np.full(n_networks, LONGEST),
            np.full(n_networks, -np.inf),
            np.ones(n_networks, dtype=bool),
            [None] * n_networks,
        )

    def accept_or_go_back(self, trained: AlphaChoice, k: int, collapsed: bool) -> None:
        """Keep network k, or put the last that was accepted in its place.

        So, too, when it has collapsed: a deep network does at once, and may be at its
        best just before. A whole fit has the evidence of its alpha, whatever that of a
        fit on the way has been.
        """
        evidence, network = trained.known(k).log_evidence, np.array([k])
        too_low = evidence < self.highest[k] - STRONG and not self.is_whole[k]
        accepted = self.accepted[k]
        if accepted is not None and (too_low or collapsed):
            before, self.is_whole[k] = accepted
            trained.take(network, before)
            self.longest[k] *= 0.5
        else:
            highest = -np.inf if self.is_whole[k] else self.highest[k]
            self.highest[k] = max(highest, evidence)
            self.accepted[k] = trained[network], bool(self.is_whole[k])
