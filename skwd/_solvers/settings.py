"""What of an estimator's parameters the training reads, checked and resolved."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from skwd._solvers.optimizers import Schedule, Update

SOLVERS = ("lbfgs", "gd", "sgd", "adam")
FULL_BATCH = ("lbfgs", "gd")
# More than this part of its start, and J of sgd or adam has risen by steps too long.
NOISY_RISE = 0.1
# "auto" is L-BFGS up to so many rows times parameters, the work of one evaluation of J:
# it ends at a lower J, Adam beyond this in less time (benchmarks/auto.py).
AUTO_WORK = 5e7


@dataclass(frozen=True)
class Settings:
    """What of an estimator's parameters the training reads."""

    solver: str  # one of SOLVERS, or "auto" until `resolved`
    max_iter: int
    max_fun: float  # an integer, or inf
    tol: float
    n_iter_no_change: float  # an integer, or inf
    verbose: int
    update: Update  # of the epoch loop, as are the following
    schedule: Schedule
    batch_size: int
    shuffle: bool

    def resolved(self, n_rows: int, n_params: int) -> Settings:
        """With "auto" replaced by the solver for so many rows and parameters."""
        if self.solver != "auto":
            return self
        small = n_rows * n_params <= AUTO_WORK
        return replace(self, solver="lbfgs" if small else "adam")

    @property
    def may_rise(self) -> float | None:
        """How far J may end above its lowest, as a part of its start; None: not at all.

        Batches and momentum do not lower J step by step, and decoupled decay does not
        minimise it.
        """
        if not self.update.decay.minimises_J:
            return np.inf
        return NOISY_RISE if self.solver in ("sgd", "adam") else None

    def is_full_batch(self, n_rows: int) -> bool:
        """Whether every step on a sample of so many rows sees all of them."""
        return self.rows_per_step(n_rows) == n_rows

    def rows_per_step(self, n_rows: int) -> int:
        """The most rows that a step on a sample of ``n_rows`` sees."""
        return n_rows if self.solver in FULL_BATCH else min(self.batch_size, n_rows)
