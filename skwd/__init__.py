"""skwd: multi-layer perceptrons with exact weight decay for scikit-learn."""

from skwd._estimators.alpha_from import alpha_from
from skwd._estimators.classifier import WeightDecayMLPClassifier
from skwd._estimators.classifier_cv import WeightDecayMLPClassifierCV
from skwd._estimators.regressor import WeightDecayMLPRegressor
from skwd._estimators.regressor_cv import WeightDecayMLPRegressorCV
from skwd.display import (
    AlphaPathDisplay,
    CoverageDisplay,
    LossCurveDisplay,
    RelevanceDisplay,
    TermsDisplay,
    WeightDecayDisplay,
)

__all__ = [
    "AlphaPathDisplay",
    "CoverageDisplay",
    "LossCurveDisplay",
    "RelevanceDisplay",
    "TermsDisplay",
    "WeightDecayDisplay",
    "WeightDecayMLPClassifier",
    "WeightDecayMLPClassifierCV",
    "WeightDecayMLPRegressor",
    "WeightDecayMLPRegressorCV",
    "__version__",
    "alpha_from",
]

__version__ = "0.1.0"
