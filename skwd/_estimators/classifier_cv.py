"""WeightDecayMLPClassifierCV: alpha by cross-validation, all networks in one stack."""

from __future__ import annotations

from skwd._estimators.base_classifier import BaseClassifier
from skwd._estimators.classifier import WeightDecayMLPClassifier
from skwd._estimators.docstrings import documented
from skwd._estimators.search import CrossValidation


@documented
class WeightDecayMLPClassifierCV(CrossValidation, BaseClassifier):
    """Multi-layer perceptron classifier that chooses its weight decay.

    lambda maximises the mean score over the splits of a cross-validation, and the
    network minimises J at that lambda on all data::

        alpha_ = argmax_alpha  mean_k score(network fitted to split k at alpha)
        J = -1 / (sum s) * sum_i s_i ln p(y_i | x_i)  +  alpha_ / 2 * sum_j w_j^2

    This is ``GridSearchCV(WeightDecayMLPClassifier(), {"alpha": alphas})``, the same
    scores and weights to the last bit in less time: the networks of all alphas, splits
    and restarts are trained as one stack. (Not with ``sparsity="adaptive"``, where
    GridSearchCV has both stages at one alpha.)
    Accuracy, the default score, has many ties: ``scoring="neg_log_loss"`` is sharper.

    <<subjects>>

    Parameters
    ----------
    <<network>>
    <<encoding>>
    <<search>>
    <<sparsity>>
    <<posterior>>
    <<search_intervals>>
    <<steps>>
    <<of_classifiers>>
    <<random_state>>
    <<search_verbose>>

    Attributes
    ----------
    <<searched>>
    <<fitted_columns>>
    <<fitted_posterior>>
    <<fitted>>
    <<fitted_classifier>>

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skwd import WeightDecayMLPClassifierCV
    >>> X, y = load_iris(return_X_y=True)
    >>> net = WeightDecayMLPClassifierCV(scoring="neg_log_loss", random_state=0)
    >>> make_pipeline(StandardScaler(), net).fit(X, y).score(X, y) > 0.95
    True
    """

    _plain_class = WeightDecayMLPClassifier

    def __init__(
        self,
        *,
        hidden_layer_sizes=(100,),
        activation="relu",
        solver="auto",
        encoding="auto",
        alphas=None,
        cv=None,
        scoring=None,
        rule="best",
        l1_ratio=0.0,
        sparsity=None,
        posterior=False,
        intervals=None,
        batch_size="auto",
        learning_rate="constant",
        learning_rate_init=0.001,
        power_t=0.5,
        warmup_epochs=0,
        momentum=0.9,
        nesterovs_momentum=True,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        decay="l2",
        dropout=0.0,
        shuffle=True,
        max_iter=3000,
        max_fun=15000,
        tol=1e-5,
        n_iter_no_change=10,
        early_stopping=False,
        validation_fraction=0.1,
        class_weight=None,
        n_init=1,
        ensemble=False,
        random_state=None,
        n_jobs=None,
        verbose=False,
        track_gradients=False,
    ):
        self._keep(locals())
