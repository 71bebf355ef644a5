"""The docstrings of fitted attributes that estimators share."""

FITTED = {
    "fitted_regressor": """\
y_mean_, y_scale_ : ndarray of shape (n_outputs,)
    The scaling of y; 0 and 1 without ``normalize_y``, and for counts.
noise_std_ : float or ndarray of shape (n_outputs,)
    With a posterior, alpha by name or ``noise="varying"``: the deviation of y's noise,
    in y's units; where it varies, the root of its mean variance.
noise_choice_ : dict, or list of one for each output
    With ``noise="varying"``: which noise was taken, and why: guide/uncertainty.md.
n_layers_, n_outputs_, out_activation_, n_features_in_, feature_names_in_
    As in scikit-learn's MLPRegressor.
""",
    "fitted_classifier": """\
posterior_scale_ : float
    With a posterior: what its covariance is multiplied by, 0 (no change) to 1.
classes_ : ndarray of shape (n_classes,)
    The labels, sorted; for multilabel targets 0 ... n_labels - 1.
n_layers_, n_outputs_, out_activation_, n_features_in_, feature_names_in_
    As in scikit-learn's MLPClassifier.
""",
    "fitted_alpha": """\
alpha_ : float or ndarray of shape (n_layers - 1,) or (n_groups + n_layers - 2,)
    The alpha that was used. With groups of columns: of each group, each other column,
    each further layer; inf: it has left.
<<fitted_columns>>
column_effective_params_ : ndarray of shape (n_features,)
    With groups of columns: how many weights of the column's group the data determine.
alphas_, alpha_scores_, alpha_score_errors_ : ndarray of shape (n_alphas,)
    With ``alpha="auto"``, "loo" or "gcv": the alphas compared, ascending, minus the
    expected loss of a new row, and its standard error (None for "gcv").
alpha_choice_ : dict
    With ``alpha="auto"``: the "model" taken, its "reason", the "way" of judging, and
    "scores", minus the held-out loss of each model.
<<fitted_posterior>>
""",
    "fitted_columns": """\
feature_importances_ : ndarray of shape (n_features,)
    The mean square of df/dx_j, in deviations of column j, as a share of all: 0 for a
    column that changes nothing. Of the fit, not of a cause; found when it is read.
support_, first_stage_alpha_ : ndarray of bool, of shape (n_features,), float
    With ``l1_ratio`` > 0: which columns of X have weights that are not 0; and where
    "adaptive" chose alpha, that of the first stage.
""",
    "fitted_posterior": """\
log_evidence_, n_effective_params_, layer_effective_params_ : float, float, ndarray
    With a posterior or alpha by name: ln p(y | X, alpha) of the y that the network
    sees; how many parameters the data determine, and how many weights of each layer.
""",
    "fitted": """\
coefs_, intercepts_ : list of ndarray
    Weights (fan_in, fan_out) and biases (fan_out,) of each layer, for X or its encoded
    columns; with ``ensemble`` the networks are a further first axis.
solver_, encoding_ : str, None or "parts"
    What was used, where the parameter is "auto" too.
knots_ : list of ndarray, or None
    With ``encoding_="parts"``: the quantiles of each column that its parts lie between.
loss_ : float
    J at the returned weights, on all rows; with ``ensemble`` this and the following are
    those of the best network.
loss_curve_, best_loss_ : list of float, float or None
    J after each iteration ("lbfgs"), otherwise the mean loss of an epoch's batches plus
    the penalty at its end; the lowest, None with early stopping.
learning_rates_ : list of float
    Of each epoch; empty for "lbfgs".
gradient_norms_ : ndarray of shape (n_iter, n_layers - 1)
    With ``track_gradients``: the size of the gradient of the loss, by layer.
validation_scores_, best_validation_score_ : list of float, float, or None
    Minus the validation loss of each iteration or epoch, and of the returned weights.
n_iter_, t_ : int
    Iterations or epochs, of the last fit of a search by name, and rows seen.
converged_ : bool
    Whether "lbfgs" or "gd" ended at a minimum of J, by ``tol``. Of "sgd", "adam" and
    with early stopping: whether patience ran out before ``max_iter``, or the 100 epochs
    of ``solver="auto"`` were at their end.
""",
    "searched": """\
alpha_ : float
    The alpha that was chosen, and with which the network is fitted to all data.
alphas_ : ndarray of shape (n_alphas,)
    The values tried, ascending.
cv_results_ : dict of ndarray
    Score of every split and alpha, with the keys of GridSearchCV, for a
    ``pandas.DataFrame``. A network that diverged scores nan. With ``l1_ratio`` > 0
    "mean_columns_left", of X, is beside them.
best_index_, best_score_ : int, float
    The number of ``alpha_`` in ``alphas_`` and its mean score, whatever the rule.
n_splits_, scorer_
    The number of splits and the scorer.
""",
}
