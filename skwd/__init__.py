"""skwd: multi-layer perceptrons with exact weight decay for scikit-learn."""

from skwd._estimators.alpha_from import alpha_from
from skwd._estimators.classifier import WeightDecayMLPClassifier
from skwd._estimators.classifier_cv import WeightDecayMLPClassifierCV
from skwd._estimators.regressor import WeightDecayMLPRegressor
from skwd._estimators.regressor_cv import WeightDecayMLPRegressorCV
from skwd._estimators.scorers import log_likelihood_scorer, neg_crps_scorer
from skwd._estimators.sources import source_groups
from skwd._estimators.version import __version__, show_versions
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
    "log_likelihood_scorer",
    "neg_crps_scorer",
    "show_versions",
    "source_groups",
]
