"""What a way to choose alpha from a fit to all rows is: evidence, leave-one-out, ..."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from skwd._alpha.choice import AlphaChoice
from skwd._core.interface import Interface, asked
from skwd._solvers.task import TrainingTask


class Way(Interface, abstract=True):
    """A way to choose alpha, by its name as a value of ``alpha``."""

    name: ClassVar[str] = asked()
    # Whether it can choose an alpha for each layer, or each group of columns.
    has_groups: ClassVar[bool] = False
    # Whether it is for losses whose noise is estimated.
    needs_noise: ClassVar[bool] = False
    # Whether a restart is what it is alone: no restart learns from another.
    restarts_apart: ClassVar[bool] = True

    @abstractmethod
    def choose(
        self, task: TrainingTask, kind: str | None, verbose: bool
    ) -> AlphaChoice:
        """Train the restarts of a task, each at its alpha.

        ``kind`` is None for one alpha, "layer" for one of each layer and "columns" for
        one of each group of columns, which the task's ``groups`` name.
        """
