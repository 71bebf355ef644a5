"""skwd: multi-layer perceptrons with exact weight decay for scikit-learn."""

from skwd._classifier import WeightDecayMLPClassifier
from skwd._cross_validated import (
    WeightDecayMLPClassifierCV,
    WeightDecayMLPRegressorCV,
)
from skwd._display import AlphaPathDisplay
from skwd._regressor import WeightDecayMLPRegressor

__all__ = [
    "AlphaPathDisplay",
    "WeightDecayMLPClassifier",
    "WeightDecayMLPClassifierCV",
    "WeightDecayMLPRegressor",
    "WeightDecayMLPRegressorCV",
    "__version__",
]

__version__ = "0.1.0"
