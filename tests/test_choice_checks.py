"""scikit-learn's own checks of estimators that choose alpha or keep a posterior."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from skwd import WeightDecayMLPClassifier, WeightDecayMLPRegressor

# Not every check sets random_state, and of networks with five units on noise a few in a
# thousand end with every unit dead, and a warning.
SMALL = {"hidden_layer_sizes": (5,), "random_state": 0}


# The checks' data are made to be awkward, not to be learnt: y without any signal, which
# ends in the warning of that name, features of size 100 and max_iter=5 or less, which
# leave no network at a minimum.
@parametrize_with_checks(
    [
        WeightDecayMLPRegressor(**SMALL, alpha="evidence"),
        WeightDecayMLPClassifier(**SMALL, alpha="evidence"),
        WeightDecayMLPRegressor(**SMALL, alpha="loo"),
        WeightDecayMLPClassifier(**SMALL, alpha="loo"),
        WeightDecayMLPRegressor(**SMALL, alpha="gcv"),
        WeightDecayMLPRegressor(**SMALL, posterior=True),
        WeightDecayMLPClassifier(**SMALL, posterior=True),
    ]
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:.* the signal is too weak:UserWarning")
@pytest.mark.filterwarnings("ignore:.* is too large for this data:UserWarning")
@pytest.mark.filterwarnings("ignore:.* is at the low end of its range:UserWarning")
@pytest.mark.filterwarnings("ignore:.* degrees of freedom of the data:UserWarning")
@pytest.mark.filterwarnings("ignore:The network is worse than a constant:UserWarning")
def test_scikit_learns_checks(estimator, check):
    marginalised = estimator.posterior and isinstance(
        estimator, WeightDecayMLPClassifier
    )
    if marginalised and "check_decision_proba_consistency" in str(check):
        # Moderation is by the variance of each row: it may change their order.
        pytest.skip("probabilities are moderated")
    check(estimator)
