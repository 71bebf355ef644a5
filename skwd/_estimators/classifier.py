"""WeightDecayMLPClassifier: cross-entropy plus alpha/2 sum of w^2."""

from __future__ import annotations

from sklearn.utils.multiclass import type_of_target

from skwd._estimators.base_classifier import BaseClassifier
from skwd._estimators.docstrings import documented
from skwd._estimators.one_fit import OneFit
from skwd._estimators.partial import AvailableIf, check_partial_fit


@documented
class WeightDecayMLPClassifier(OneFit, BaseClassifier):
    """Multi-layer perceptron classifier with exact weight decay.

    Minimises, over weights and biases (with ``decay="l2"``, the default)::

        J = -1 / (sum s) * sum_i s_i ln p(y_i | x_i)  +  alpha / 2 * sum_j w_j^2

    p is softmax(f(x)) over the classes, the logistic function of one output for two
    classes, and for multilabel targets a product of one logistic function per label.
    Every weight is in the sum, no bias is. ``alpha`` is never divided by n or by a
    batch size, so that it means the same for every solver and every n. Without a hidden
    layer this is ``LogisticRegression(C=1 / (alpha * sum(s)))``.

    <<subjects>>

    Parameters
    ----------
    <<network>>
    <<encoding>>
    <<alpha>>
    <<intervals>>
    <<steps>>
    <<of_classifiers>>
    <<warm_start>>
    <<random_state>>
    <<n_jobs>>
    <<verbose>>

    Attributes
    ----------
    <<fitted_alpha>>
    <<fitted>>
    <<fitted_classifier>>

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skwd import WeightDecayMLPClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> net = WeightDecayMLPClassifier(alpha=0.01, random_state=0)
    >>> make_pipeline(StandardScaler(), net).fit(X, y).score(X, y) > 0.97
    True
    """

    def __init__(
        self,
        *,
        hidden_layer_sizes=(100,),
        activation="relu",
        solver="auto",
        encoding="auto",
        alpha=None,
        alpha_groups=None,
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
        warm_start=False,
        random_state=None,
        n_jobs=None,
        verbose=False,
        track_gradients=False,
    ):
        self._keep(locals())

    @AvailableIf(check_partial_fit)
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train for one epoch more, over the rows given: guide/large_data.md.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Their targets.
        classes : array-like of shape (n_classes,), optional
            All that will ever occur: needed in the first call, unless y is multilabel.
        sample_weight : array-like of shape (n_samples,), optional
            Their weights; 1 for None.

        Returns
        -------
        self : object
            After one more epoch.
        """
        continued = hasattr(self, "classes_")
        if classes is None and not continued:
            if type_of_target(y) != "multilabel-indicator":
                raise ValueError(
                    "The first call of partial_fit needs classes, all that will ever "
                    "occur; got None. Pass classes=np.unique(y) of all y."
                )
        return self._partial_fit(X, y, sample_weight, classes=classes)
