"""scikit-learn's own checks: of tiny estimators, and in the slow set of real ones."""

import pytest
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

from skwd import (
    WeightDecayMLPClassifier,
    WeightDecayMLPClassifierCV,
    WeightDecayMLPRegressor,
    WeightDecayMLPRegressorCV,
)

# The checks' data are made to be awkward, not to be learnt: y without any signal,
# features of size 100, a few dozen rows, for which a prior of c rows is strong, and
# max_iter=5 or less, which leaves no network at a minimum.
pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:alpha=.* is too large for this data"),
    pytest.mark.filterwarnings("ignore:.* the signal is too weak:UserWarning"),
    pytest.mark.filterwarnings("ignore:.* is at the low end of its range:UserWarning"),
    pytest.mark.filterwarnings("ignore:.* degrees of freedom of the data:UserWarning"),
    pytest.mark.filterwarnings("ignore:The network is worse than a constant"),
    pytest.mark.filterwarnings("ignore:The least populated class"),
    pytest.mark.filterwarnings("ignore:R.2 score is not well-defined"),
]
TINY = {"hidden_layer_sizes": (3,), "alpha": 1e-3, "max_iter": 100, "random_state": 0}
TINY_CV = {"hidden_layer_sizes": (2,), "alphas": [1e-3, 1e-2], "cv": 2, "max_iter": 50}
# gd and sgd need steps that are stable on every data set of the checks, some of which
# have features of size 100, and the epochs that so short steps take.
GD = {"solver": "gd", "learning_rate_init": 3e-4, "max_iter": 5000}
SGD = {"solver": "sgd", "learning_rate_init": 3e-5, "max_iter": 3000}
# Few epochs: rounding grows with them as gradients vanish.
SMALL_CV = {"alphas": 3, "hidden_layer_sizes": (10,), "cv": 3}
SMALL_CV |= {"solver": "adam", "max_iter": 50}
# Not every check sets random_state, and of networks with five units on noise a few in a
# thousand end with every unit dead, and a warning.
SPARSE = {"l1_ratio": 1.0, "sparsity": "adaptive"}
FIVE = {"hidden_layer_sizes": (5,), "random_state": 0}


@pytest.mark.wide(48)
@parametrize_with_checks(
    [
        WeightDecayMLPRegressor(**TINY),
        WeightDecayMLPClassifier(**TINY),
    ]
)
def test_tiny_estimators(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks(
    [
        WeightDecayMLPRegressor(),
        WeightDecayMLPClassifier(),
        WeightDecayMLPRegressor(**GD),
        WeightDecayMLPClassifier(solver="gd", learning_rate_init=0.1, max_iter=500),
        WeightDecayMLPRegressor(**SGD),
        WeightDecayMLPClassifier(solver="sgd", learning_rate_init=0.01),
        WeightDecayMLPRegressor(solver="adam", learning_rate_init=0.01),
        WeightDecayMLPClassifier(solver="adam", learning_rate_init=0.01),
        WeightDecayMLPRegressor(**FIVE, alpha="auto"),
        WeightDecayMLPRegressor(**FIVE, encoding="parts"),
        WeightDecayMLPClassifier(**FIVE, encoding="parts"),
        WeightDecayMLPRegressorCV(**TINY_CV, encoding="parts", random_state=0),
        WeightDecayMLPClassifier(**FIVE, alpha="auto"),
        WeightDecayMLPRegressor(**FIVE, alpha="evidence"),
        WeightDecayMLPClassifier(**FIVE, alpha="evidence"),
        WeightDecayMLPRegressor(**FIVE, alpha="loo"),
        WeightDecayMLPClassifier(**FIVE, alpha="loo"),
        WeightDecayMLPRegressor(**FIVE, alpha="gcv"),
        WeightDecayMLPRegressor(**FIVE, posterior=True),
        WeightDecayMLPClassifier(**FIVE, posterior=True),
        WeightDecayMLPRegressor(**FIVE, **SPARSE),
        WeightDecayMLPRegressor(**FIVE, l1_ratio=0.5, solver="adam"),
        WeightDecayMLPClassifier(**FIVE, l1_ratio=1.0, sparsity="input"),
        WeightDecayMLPRegressor(**FIVE, loss="huber"),
        WeightDecayMLPRegressor(**FIVE, loss="quantile"),
        WeightDecayMLPRegressor(**FIVE, missing_targets="mask"),
        WeightDecayMLPRegressor(**FIVE, intervals=2, track_gradients=True),
        WeightDecayMLPRegressorCV(**TINY_CV, **SPARSE),
        WeightDecayMLPRegressorCV(**TINY_CV),
        WeightDecayMLPClassifierCV(**TINY_CV),
        WeightDecayMLPRegressorCV(alphas=[1e-3, 0.1], cv=2),
        WeightDecayMLPClassifierCV(alphas=[1e-3, 0.1], cv=2),
        WeightDecayMLPRegressorCV(**SMALL_CV, learning_rate_init=0.05),
        WeightDecayMLPClassifierCV(**SMALL_CV, learning_rate_init=0.01),
    ]
)
def test_estimators_of_every_kind(estimator, check):
    moderated = estimator.posterior and isinstance(estimator, WeightDecayMLPClassifier)
    if moderated and "check_decision_proba_consistency" in str(check):
        # Moderation is by the variance of each row: it may change their order.
        pytest.skip("probabilities are moderated")
    check(estimator)


def test_tags_say_what_fits():
    """As those of sparse X and positive y do."""
    for cls in (WeightDecayMLPClassifier, WeightDecayMLPClassifierCV):
        for weight, fits in ((None, True), ("balanced", False), ({0: 2.0}, False)):
            tags = get_tags(cls(class_weight=weight))
            assert tags.classifier_tags.multi_label is fits
