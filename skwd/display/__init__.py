"""Pictures of fitted estimators, in scikit-learn's display style."""

from skwd.display.alpha_path import AlphaPathDisplay
from skwd.display.coverage import CoverageDisplay
from skwd.display.loss_curve import LossCurveDisplay
from skwd.display.relevance import RelevanceDisplay
from skwd.display.terms import TermsDisplay
from skwd.display.weight_decay import WeightDecayDisplay

__all__ = [
    "AlphaPathDisplay",
    "CoverageDisplay",
    "LossCurveDisplay",
    "RelevanceDisplay",
    "TermsDisplay",
    "WeightDecayDisplay",
]
