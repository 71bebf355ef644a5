"""WeightDecayMLPRegressor: a choice of losses, plus alpha/2 sum of w^2."""

from __future__ import annotations

from skwd._estimators.base_regressor import BaseRegressor
from skwd._estimators.docstrings import documented
from skwd._estimators.one_fit import OneFit
from skwd._estimators.partial import AvailableIf, check_partial_fit


@documented
class WeightDecayMLPRegressor(OneFit, BaseRegressor):
    """Multi-layer perceptron regressor with exact weight decay.

    Minimises, over weights and biases (with ``decay="l2"``, the default)::

        J = 1 / (2 sum s) * sum_i s_i ||y_i - f(x_i)||^2  +  alpha / 2 * sum_j w_j^2

    The squared error is summed over outputs; every weight is in the sum, no bias is.
    ``alpha`` is never divided by n or by a batch size, so that it means the same for
    every solver and every n. Without a hidden layer this is
    ``Ridge(alpha=alpha * sum(s))``; with ``loss="poisson"``, which replaces the squared
    error by half the Poisson deviance and predicts exp(f), ``PoissonRegressor(alpha)``.

    <<subjects>>

    Parameters
    ----------
    <<network>>
    <<encoding>>
    <<alpha>>
    <<intervals>>
    <<noise>>
    <<steps>>
    <<of_regressors>>
    <<warm_start>>
    <<random_state>>
    <<n_jobs>>
    <<verbose>>

    Attributes
    ----------
    <<fitted_alpha>>
    <<fitted>>
    <<fitted_regressor>>

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skwd import WeightDecayMLPRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> net = WeightDecayMLPRegressor(alpha="auto", random_state=0)
    >>> make_pipeline(StandardScaler(), net).fit(X, y).score(X, y) > 0.5
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
        noise="constant",
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
        loss="squared_error",
        huber_delta=None,
        quantile=0.5,
        power=1.5,
        normalize_y=True,
        missing_targets="error",
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
    def partial_fit(self, X, y, sample_weight=None):
        """Train for one epoch more, over the rows given: guide/large_data.md.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their targets.
        sample_weight : array-like of shape (n_samples,), optional
            Their weights; 1 for None.

        Returns
        -------
        self : object
            After one more epoch.
        """
        return self._partial_fit(X, y, sample_weight)
