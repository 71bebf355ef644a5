"""The docstrings of fitted attributes, and the references, that estimators share."""

FITTED = {
    "fitted_regressor": """\
y_mean_, y_scale_ : ndarray of shape (n_outputs,)
    The scaling of y; 0 and 1 without ``normalize_y``, and for counts.
noise_std_ : float or ndarray of shape (n_outputs,)
    The deviation of y's noise, in y's units: with a posterior or alpha by name, and
    with ``noise="varying"``, where it is the root of the mean variance over the rows.
noise_choice_ : dict, or list of one for each output
    With ``noise="varying"``: "model" of rho, "way", "reason" and "scores" as in
    ``alpha_choice_``; "factor", the 95 % over the 5 % quantile of rho over the rows;
    "degrees_of_freedom", of the Student's t that suits the residuals, inf for a
    Gaussian.
n_layers_, n_outputs_, out_activation_, n_features_in_, feature_names_in_
    As in scikit-learn's MLPRegressor.
""",
    "fitted_classifier": """\
posterior_scale_ : float
    With a posterior: what its covariance is multiplied by, from 0 to 1.
classes_ : ndarray of shape (n_classes,)
    The labels, sorted; for multilabel targets 0 ... n_labels - 1.
n_layers_, n_outputs_, out_activation_, n_features_in_, feature_names_in_
    As in scikit-learn's MLPClassifier.
""",
    "fitted_alpha": """\
alpha_ : float or ndarray of shape (n_layers - 1,) or (n_groups + n_layers - 2,)
    The alpha that was used, with ``ensemble`` by the best network. With groups of
    columns: of each group, each other column, each further layer; inf: it has left.
<<fitted_columns>>
column_effective_params_ : ndarray of shape (n_features,)
    With groups of columns: how many weights of the column's group the data determine.
alphas_, alpha_scores_, alpha_score_errors_ : ndarray of shape (n_alphas,)
    With ``alpha="auto"``, "loo" or "gcv": the alphas that were compared, ascending,
    minus the expected loss of a new row and its standard error (None for "gcv"). nan
    where "auto" has not asked all folds, as others were better in the first.
alpha_choice_ : dict
    With ``alpha="auto"``: the "model" taken ("network", "network on parts", "network
    with alpha_groups", "linear model" or "additive model", then without a hidden layer
    in ``coefs_``, or "constant"), its "reason", the "way" of judging, and "scores",
    minus the held-out loss of each.
<<fitted_posterior>>
""",
    "fitted_columns": """\
feature_importances_ : ndarray of shape (n_features,)
    The mean square of df/dx_j, in deviations of column j, as a share of all: 0 for a
    column that changes nothing. Of the fit, not of a cause; found when it is read.
support_ : ndarray of bool, of shape (n_features,)
    With ``l1_ratio`` > 0: the columns of X that have a weight that is not 0.
first_stage_alpha_ : float
    With ``sparsity="adaptive"`` where alpha was chosen: that of the first stage.
""",
    "fitted_posterior": """\
log_evidence_, n_effective_params_ : float
    With a posterior or alpha by name: ln p(y | X, alpha) of the y that the network
    sees, and how many parameters the data determine, biases included.
layer_effective_params_ : ndarray of shape (n_layers - 1,)
    Beside it: how many weights of each layer the data determine.
""",
    "fitted": """\
coefs_, intercepts_ : list of ndarray
    Weights (fan_in, fan_out) and biases (fan_out,) of each layer, which predict reads,
    for X or its encoded columns; with ``ensemble`` they have the networks as a further
    first axis.
solver_ : str
    The solver that trained, where ``solver`` is "auto" too.
encoding_ : None or "parts"
    The encoding of X that was used, where ``encoding`` is "auto" too. With "parts" the
    rows of ``coefs_[0]`` are, for each column of X, the column and its parts.
knots_ : list of ndarray, or None
    With ``encoding_="parts"``: the quantiles of each column of X, between which its
    parts lie; none of columns that stay as they are.
loss_ : float
    J at the returned weights, on all rows; with ``ensemble`` this and the following are
    those of the best network.
loss_curve_ : list of float
    J after each iteration ("lbfgs"); otherwise the mean loss of an epoch's batches plus
    the penalty at its end.
learning_rates_ : list of float
    Of each epoch; empty for "lbfgs".
gradient_norms_ : ndarray of shape (n_iter, n_layers - 1)
    With ``track_gradients``: the size of the gradient of the loss, by layer.
best_loss_ : float or None
    The lowest of ``loss_curve_``; None with early stopping.
validation_scores_, best_validation_score_ : list of float, float, or None
    Minus the validation loss of each iteration or epoch, and of the returned weights.
n_iter_, t_ : int
    Iterations or epochs, of the last fit of a search by name, and rows seen.
converged_ : bool
    Whether "lbfgs" or "gd" ended at a minimum of J, by ``tol``. Of "sgd", "adam" and
    with early stopping: whether patience ran out before ``max_iter``.
""",
    "searched": """\
alpha_ : float
    The alpha that was chosen, and with which the network is fitted to all data.
alphas_ : ndarray of shape (n_alphas,)
    The values tried, ascending.
cv_results_ : dict of ndarray
    Score of every split and alpha, with the keys of GridSearchCV: a
    ``pandas.DataFrame`` of it is the table. ``std_test_score`` has ddof=0, times are
    equal shares of those of the chunks. A network that diverged scores nan. With
    ``l1_ratio`` > 0 there is "mean_columns_left", of X, beside them.
best_index_, best_score_ : int, float
    The number of ``alpha_`` in ``alphas_`` and its mean score, whatever the rule.
n_splits_, scorer_
    The number of splits and the scorer.
""",
    "references": """\
.. [1] Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015.
.. [2] Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019.
.. [9] Gorishniy, Rubachev and Babenko, "On embeddings for numerical features in tabular
   deep learning", NeurIPS 2022.
""",
    "alpha_references": """\
.. [3] MacKay, "A practical Bayesian framework for backpropagation networks", Neural
   Computation 1992.
.. [4] Rad and Maleki, "A scalable estimate of the out-of-sample prediction error via
   approximate leave-one-out cross-validation", JRSS B 2020.
""",
    "search_references": """\
.. [3] Breiman, Friedman, Olshen and Stone, "Classification and Regression Trees", 1984.
""",
}
