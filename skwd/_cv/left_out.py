"""What a fit has learnt from the rows that its folds leave out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from skwd._cv.chosen import Chosen
from skwd._cv.noise import Noise


@dataclass(frozen=True, eq=False)
class LeftOut:
    """Parts that are asked for, None otherwise.

    Parameters
    ----------
    folds : NumberFolds, ClassFolds or None
        The networks without each fold, for intervals or sets.
    noise : Noise or None
        A variance of y that depends on x.
    refit : Chosen or None
        The fit to all rows by the weights of that noise, where it is better.
    """

    folds: Any = None
    noise: Noise | None = None
    refit: Chosen | None = None


# Of a fit without folds.
NOTHING = LeftOut()
