"""WeightDecayMLPRegressor: squared error or Poisson, plus alpha/2 sum of w^2."""

from __future__ import annotations

import numpy as np
from sklearn.base import RegressorMixin

from skwd._estimator import BaseWeightDecayMLP
from skwd._losses import LOSS_OF_LINK
from skwd._targets import REGRESSION_LOSSES, RegressionTargets
from skwd._validation import check_choice


class WeightDecayMLPRegressor(RegressorMixin, BaseWeightDecayMLP):
    """Multi-layer perceptron regressor with exact weight decay.

    Minimises, over weights and biases::

        J = 1 / (2 sum s) * sum_i s_i ||y_i - f(x_i)||^2  +  alpha / 2 * sum_j w_j^2

    The squared error is summed over outputs; every weight is in the sum, no bias is.
    ``alpha`` is never divided by n or by a batch size, so that it means the same for
    every solver and every n. Without a hidden layer this is
    ``Ridge(alpha=alpha * sum(s))``; with ``loss="poisson"``, which replaces the squared
    error by half the Poisson deviance and predicts exp(f), ``PoissonRegressor(alpha)``.

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
    loss : {"squared_error", "poisson"}, default="squared_error"
        See above; "poisson" needs y >= 0.
    normalize_y : bool, default=False
        Scale y to weighted mean 0 and standard deviation 1 per output (a zero deviation
        counts as 1) for training; predictions are in y's own units, ``coefs_`` and
        ``loss_`` in scaled ones, and alpha is relative to the scaled y. An error with
        ``loss="poisson"``.
    n_init : int, default=1
        Random starts, trained together; the one of lowest J, or of lowest validation
        loss with ``early_stopping``, is kept.
    ensemble : bool, default=False
        Keep all ``n_init`` networks and predict with their mean.
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
    y_mean_, y_scale_ : ndarray of shape (n_outputs,)
        The scaling of y; 0 and 1 without ``normalize_y``.
    n_layers_, n_outputs_, out_activation_, n_features_in_, feature_names_in_
        As in scikit-learn's MLPRegressor.

    References
    ----------
    Krogh and Hertz, "A simple weight decay can improve generalization", NeurIPS 1991.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skwd import WeightDecayMLPRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = make_pipeline(
    ...     StandardScaler(),
    ...     WeightDecayMLPRegressor(alpha=0.1, normalize_y=True, random_state=0),
    ... )
    >>> model.fit(X, y).score(X, y) > 0.5
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
        loss="squared_error",
        normalize_y=False,
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
        self.loss = loss
        self.normalize_y = normalize_y
        self.n_init = n_init
        self.ensemble = ensemble
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def predict(self, X):
        """Predict targets, in y's own units.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            In the dtype of the X of fit.
        """
        y = self._predict_blocks(X, self._mean_prediction)
        return y if self._y_shape else y[:, 0]

    def _mean_prediction(self, raw: np.ndarray) -> np.ndarray:
        """Mean over the networks, in y's units: (K, b, n_outputs) -> (b, n_outputs)."""
        y = LOSS_OF_LINK[self.out_activation_].inverse_link(raw).mean(axis=0)
        return (y * self.y_scale_ + self.y_mean_).astype(raw.dtype)

    def _targets(self, y, weight, continued):
        check_choice("loss", self.loss, tuple(REGRESSION_LOSSES))
        if self.loss == "poisson" and self.normalize_y:
            raise ValueError(
                "normalize_y=True has no meaning with loss='poisson', whose y are "
                "counts >= 0. Use normalize_y=False."
            )
        scaling = (self.y_mean_, self.y_scale_) if continued else None
        return RegressionTargets(y, self.loss, self.normalize_y, scaling)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.target_tags.positive_only = self.loss == "poisson"
        return tags
