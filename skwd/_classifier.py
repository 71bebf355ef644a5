"""WeightDecayMLPClassifier: cross-entropy plus alpha/2 sum of w^2."""

from __future__ import annotations

import numpy as np
from scipy.special import log_expit, log_softmax, logsumexp
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from skwd._estimator import BaseWeightDecayMLP
from skwd._losses import LOSS_OF_LINK
from skwd._targets import ClassTargets, LabelTargets


class WeightDecayMLPClassifier(ClassifierMixin, BaseWeightDecayMLP):
    """Multi-layer perceptron classifier with exact weight decay.

    Minimises, over weights and biases::

        J = -1 / (sum s) * sum_i s_i ln p(y_i | x_i)  +  alpha / 2 * sum_j w_j^2

    p is softmax(f(x)) over the classes, the logistic function of one output for two
    classes, and for multilabel targets a product of one logistic function per label.
    Every weight is in the sum, no bias is. ``alpha`` is never divided by n or by a
    batch size, so that it means the same for every solver and every n. Without a hidden
    layer this is ``LogisticRegression(C=1 / (alpha * sum(s)))``.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default=(100,)
        Units of each hidden layer; ``()`` is a linear model.
    activation : {"identity", "logistic", "tanh", "relu", "leaky_relu", "elu", \
"selu", "silu", "gelu", "softplus"}, default="relu"
        Activation of the hidden layers.
    solver : {"auto", "lbfgs", "gd"}, default="auto"
        "lbfgs" is limited-memory BFGS, "gd" full-batch gradient descent with the
        constant step ``learning_rate_init``; both minimise J itself. "auto" is "lbfgs".
    alpha : float or sequence of float, default=1e-3
        lambda of J, or one per weight layer (hidden layers first, the output layer
        last).
    learning_rate_init : float, default=0.001
        Step length of "gd".
    max_iter : int, default=1000
        Most iterations ("lbfgs") or epochs ("gd").
    max_fun : int, default=15000
        Most evaluations of J ("lbfgs").
    tol : float, default=1e-4
        Absolute, in the units of J (of y squared, for a regressor without scaled y).
        "lbfgs" has converged when the largest gradient entry of J is at most ``tol``,
        or, for the kinked activations "relu", "leaky_relu" and "selu", whose gradient
        need not vanish at a minimum, when J falls by less than ``tol * J`` per
        iteration over ``n_iter_no_change`` iterations. "gd" has when J has not improved
        by more than ``tol`` for ``n_iter_no_change`` epochs. With ``early_stopping``
        the latter holds for the validation loss and either solver.
    n_iter_no_change : int, default=10
        Patience, see ``tol``.
    early_stopping : bool, default=False
        Stop when the validation loss no longer improves, and restore the weights of the
        lowest validation loss.
    validation_fraction : float, default=0.1
        Part of the rows held out for early stopping, unless fit is given X_val, y_val.
    class_weight : dict, "balanced" or None, default=None
        Multiplies the sample weights, in training and validation; "balanced" gives
        every class the same sum of weights. An error for multilabel targets.
    n_init : int, default=1
        Random starts, trained together; the one of lowest J, or of lowest validation
        loss with ``early_stopping``, is kept.
    ensemble : bool, default=False
        Keep all ``n_init`` networks and predict with their mean probabilities.
    warm_start : bool, default=False
        Continue from the weights of the last fit, with the same validation rows.
    random_state : int, RandomState instance or None, default=None
        Fixes initial weights and validation split, which are separate streams.
    verbose : bool or int, default=False
        Print a line per iteration.

    Attributes
    ----------
    coefs_, intercepts_ : list of ndarray
        Weights (fan_in, fan_out) and biases (fan_out,) of each layer; with
        ``ensemble`` they have the networks as a further first axis. predict reads them.
    alpha_ : float or ndarray
        The alpha that was used.
    loss_ : float
        J at the returned weights; with ``ensemble`` this and the following are those of
        the best network.
    loss_curve_ : list of float
        J after each iteration ("lbfgs") or before each epoch's step ("gd").
    best_loss_ : float
        The lowest of ``loss_curve_``.
    validation_scores_ : list of float or None
        Minus the validation loss, without penalty, per iteration.
    best_validation_score_ : float or None
        The score of the returned weights.
    n_iter_, t_ : int
        Iterations, and rows seen.
    converged_ : bool
        Whether training ended by ``tol`` or early stopping.
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted; for multilabel targets 0 ... n_labels - 1.
    n_layers_, n_outputs_, out_activation_, n_features_in_, feature_names_in_
        As in scikit-learn's MLPClassifier.

    References
    ----------
    Krogh and Hertz, "A simple weight decay can improve generalization", NeurIPS 1991.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skwd import WeightDecayMLPClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = make_pipeline(
    ...     StandardScaler(), WeightDecayMLPClassifier(alpha=0.01, random_state=0)
    ... )
    >>> model.fit(X, y).score(X, y) > 0.97
    True
    """

    def __init__(
        self,
        *,
        hidden_layer_sizes=(100,),
        activation="relu",
        solver="auto",
        alpha=1e-3,
        learning_rate_init=0.001,
        max_iter=1000,
        max_fun=15000,
        tol=1e-4,
        n_iter_no_change=10,
        early_stopping=False,
        validation_fraction=0.1,
        class_weight=None,
        n_init=1,
        ensemble=False,
        warm_start=False,
        random_state=None,
        verbose=False,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.max_fun = max_fun
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.class_weight = class_weight
        self.n_init = n_init
        self.ensemble = ensemble
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def decision_function(self, X):
        """The logits: the raw prediction f(x) before softmax or logistic function.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            For two classes the log-odds of ``classes_[1]``; for multilabel targets the
            log-odds of each label. With ``ensemble``, those of the mean probabilities.
        """
        raw = self._predict_blocks(X, self._combined)
        return raw[:, 0] if raw.shape[1] == 1 else raw

    def predict(self, X):
        """Predict classes: the argmax of `decision_function`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,), or (n_samples, n_labels) of 0 and 1
        """
        raw = self.decision_function(X)
        if self._is_multilabel():
            return (raw > 0).astype(int)
        best = (raw > 0).astype(int) if raw.ndim == 1 else raw.argmax(axis=1)
        return self.classes_[best]

    def predict_proba(self, X):
        """Class probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``; for multilabel targets the probability of each
            label.
        """
        return self._two_columns(self.decision_function(X), "inverse_link")

    def predict_log_proba(self, X):
        """Logarithms of the class probabilities, computed from the logits: finite.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        return self._two_columns(self.decision_function(X), "log_probabilities")

    def _two_columns(self, raw: np.ndarray, link: str) -> np.ndarray:
        """The loss's ``link`` of the logits, with a column for each of two classes."""
        if raw.ndim == 1:
            raw = np.stack([-raw, raw], axis=1)
        return getattr(LOSS_OF_LINK[self.out_activation_], link)(raw)

    def _combined(self, raw: np.ndarray) -> np.ndarray:
        """Logits of the networks' mean probabilities: (K, b, o) -> (b, o)."""
        if len(raw) == 1:
            return raw[0].copy()
        if raw.shape[2] == 1 or self._is_multilabel():
            return logsumexp(log_expit(raw), axis=0) - logsumexp(
                log_expit(-raw), axis=0
            )
        return logsumexp(log_softmax(raw, axis=-1), axis=0)

    def _is_multilabel(self) -> bool:
        return self.out_activation_ == "logistic" and self.n_outputs_ > 1

    def _targets(self, y, weight, continued):
        check_classification_targets(y)
        if type_of_target(y, input_name="y") == "multilabel-indicator":
            return LabelTargets(y, self.class_weight)
        classes = self.classes_ if continued else None
        return ClassTargets(y, weight, self.class_weight, classes)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
