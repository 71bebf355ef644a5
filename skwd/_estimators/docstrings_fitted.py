"""The docstrings of fitted attributes that estimators share."""

FITTED = {
    "fitted_regressor": """\
y_mean_, y_scale_ : ndarray of shape (n_outputs,)
    The scaling of y; 0 and 1 without ``normalize_y``, and for counts.
noise_std_ : float or ndarray of shape (n_outputs,)
    With ``posterior``, ``noise="varying"``, or alpha by "evidence", "loo" or "gcv": the
    deviation of y's noise, in y's units; if it varies, the root of the mean variance.
noise_choice_ : dict, or list of one for each output
    With ``noise="varying"``: which noise was taken, and why: guide/uncertainty.md.
n_layers_, n_outputs_, out_activation_, n_features_in_, feature_names_in_
    As in scikit-learn's MLPRegressor.
""",
    "fitted_classifier": """\
posterior_scale_ : float
    With a posterior: what its covariance is multiplied by, from 0 (no averaging) to 1.
classes_ : ndarray of shape (n_classes,)
    The labels, sorted; for multilabel targets 0 ... n_labels - 1.
n_layers_, n_outputs_, out_activation_, n_features_in_, feature_names_in_
    As in scikit-learn's MLPClassifier.
""",
    "fitted_alpha": """\
alpha_ : float or ndarray of shape (n_layers - 1,) or (n_groups + n_layers - 2,)
    The alpha that was used. With groups of columns: the alphas of the groups, of each
    other column and of each further layer; inf for columns that were removed.
<<fitted_columns>>
column_effective_params_ : ndarray of shape (n_features,)
    With groups of columns: how many weights of the column's group the data determine.
alphas_, alpha_scores_, alpha_score_errors_ : ndarray of shape (n_alphas,)
    With ``alpha="auto"``, "loo" or "gcv": the alphas compared, ascending; minus the
    estimated loss of a new row; and the standard error of that (None for "gcv").
alpha_choice_ : dict
    With ``alpha="auto"``: the "model" taken, its "reason", the "way" of judging, and
    "scores", minus the held-out loss of each model.
<<fitted_posterior>>
""",
    "fitted_columns": """\
feature_importances_ : ndarray of shape (n_features,)
    The mean square of df/dx_j, x_j in standard deviations, divided by the sum over all
    columns: 0 for a column that changes nothing. Computed when it is read.
support_, first_stage_alpha_ : ndarray of bool, of shape (n_features,), float
    With ``l1_ratio`` > 0: which columns of X have weights that are not 0; and the alpha
    of the first stage, where ``sparsity="adaptive"`` and alpha was chosen.
""",
    "fitted_posterior": """\
log_evidence_, n_effective_params_, layer_effective_params_ : float, float, ndarray
    With a posterior, or alpha by "evidence", "loo" or "gcv": ln p(y | X, alpha) of the
    scaled y; the number of parameters that the data determine, and of weights by layer.
""",
    "fitted": """\
coefs_, intercepts_ : list of ndarray
    Weights (fan_in, fan_out) and biases (fan_out,) of each layer, for X or its encoded
    columns; with ``ensemble`` the networks are a further first axis.
solver_, encoding_ : str, None or "parts"
    What was used; never "auto".
knots_ : list of ndarray, or None
    With ``encoding_="parts"``: the quantiles between which each column's parts lie.
loss_ : float
    J at the returned weights, on all rows; with ``ensemble`` this and the following are
    those of the best network.
loss_curve_, best_loss_ : list of float, float or None
    J after each iteration ("lbfgs"), otherwise the mean loss of an epoch's batches plus
    the penalty at its end; the lowest of these, None with early stopping.
learning_rates_ : list of float
    The learning rate of each epoch; empty for "lbfgs".
gradient_norms_ : ndarray of shape (n_iter, n_layers - 1)
    With ``track_gradients``: the size of the gradient of the loss, by layer.
validation_scores_, best_validation_score_ : list of float, float, or None
    Minus the validation loss of each iteration or epoch, and of the returned weights.
n_iter_, t_ : int
    Iterations or epochs of the last training, and the rows of positive weight seen.
converged_ : bool
    Whether "lbfgs" or "gd" ended at a minimum of J, by ``tol``. With "sgd", "adam" or
    early stopping: whether the loss stopped falling before ``max_iter``, or the 100
    epochs of ``solver="auto"`` were completed.
""",
    "searched": """\
alpha_ : float
    The alpha that was chosen, and with which the network is fitted to all data.
alphas_ : ndarray of shape (n_alphas,)
    The values tried, ascending.
cv_results_ : dict of ndarray
    Score of every split and alpha, with the keys of GridSearchCV, for a
    ``pandas.DataFrame``. A network that diverged scores nan. With ``l1_ratio`` > 0 also
    "mean_columns_left", the mean number of columns of X with weights that are not 0.
best_index_, best_score_ : int, float
    The place of ``alpha_`` in ``alphas_``, and its mean score, whatever the rule.
n_splits_, scorer_
    The number of splits and the scorer.
""",
}
