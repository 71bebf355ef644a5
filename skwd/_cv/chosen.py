"""What a choice of alpha comes to: trained networks, and what they were trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from skwd._alpha.choice import AlphaChoice
from skwd._data.targets import Targets
from skwd._solvers.task import TrainingTask


@dataclass(frozen=True)
class Chosen:
    """The networks of a fit, each at its alpha.

    Parameters
    ----------
    task : TrainingTask
    targets : Targets
        With the units of the rows trained on.
    trained : AlphaChoice
    choice : dict or None
        alpha_choice_, of a choice between models.
    first_stage_alpha : float or None
        That of the first of two stages, where it was chosen.
    """

    task: TrainingTask
    targets: Targets
    trained: AlphaChoice
    choice: dict[str, Any] | None = None
    first_stage_alpha: float | None = None

    @property
    def is_judged(self) -> bool:
        """Whether models and alphas were compared by held-out losses."""
        return self.choice is not None and bool(self.choice["scores"])
