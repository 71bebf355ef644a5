"""Pictures of fitted estimators, in scikit-learn's display style."""

from skwd.display.alpha_path import AlphaPathDisplay
from skwd.display.relevance import RelevanceDisplay

__all__ = ["AlphaPathDisplay", "RelevanceDisplay"]
