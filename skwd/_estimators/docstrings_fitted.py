"""The docstrings of fitted attributes, and the references, that estimators share."""

FITTED = {
    "fitted_regressor": """\
y_mean_, y_scale_ : ndarray of shape (n_outputs,)
    The scaling of y; 0 and 1 without ``normalize_y``, and for counts.
noise_std_ : float or ndarray of shape (n_outputs,)
    With a posterior or alpha by name, for squared error, and with ``noise="varying"``
    without a posterior: the standard deviation of y's noise, in y's own units. Where it
    varies: the root of its mean variance over the rows.
noise_choice_ : dict, or list of one for each output
    With ``noise="varying"``: "model" of rho, "constant", "linear model" or "network",
    with "way", "reason" and "scores" as in ``alpha_choice_``; "factor", the 95 % over
    the 5 % quantile of rho over the rows; "degrees_of_freedom", 3 to 30 or inf, of the
    Student's t that suits residuals in deviations best: inf is a Gaussian.
n_layers_, n_outputs_, out_activation_, n_features_in_, feature_names_in_
    As in scikit-learn's MLPRegressor.
""",
    "fitted_classifier": """\
posterior_scale_ : float
    With a posterior: what its covariance is multiplied by, of 0, 2^-8, ..., 1 the
    smallest whose averaged probabilities have a leave-one-out log-loss within a
    standard error of the lowest; 0 leaves them as they are.
classes_ : ndarray of shape (n_classes,)
    The labels, sorted; for multilabel targets 0 ... n_labels - 1.
n_layers_, n_outputs_, out_activation_, n_features_in_, feature_names_in_
    As in scikit-learn's MLPClassifier.
""",
    "fitted_alpha": """\
alpha_ : float or ndarray of shape (n_layers - 1,) or (n_groups + n_layers - 2,)
    The alpha that was used, with ``ensemble`` by the best network. With groups of
    columns: of the groups as they are listed, of every other column, of each further
    layer; inf for columns that have left.
<<fitted_columns>>
column_effective_params_ : ndarray of shape (n_features,)
    With groups of columns: how many weights of the column's group the data determine.
alphas_, alpha_scores_, alpha_score_errors_ : ndarray of shape (n_alphas,)
    With ``alpha="auto"``, "loo" or "gcv": the alphas that were compared, ascending,
    minus the expected loss of a new row (that part of J, in its units) and its standard
    error (None for "gcv"). `AlphaPathDisplay` draws them. With "loo" and "gcv" hidden
    networks are judged at fits that are wide apart, and ``alpha_`` is the lowest point
    of the parabola through the three lowest losses. nan where "auto" has not asked all
    folds, as others were better in the first. Not there if y does not vary, nor
    where "auto" has nothing else to judge by and takes the default alpha.
alpha_choice_ : dict
    With ``alpha="auto"``: "way", how candidates were judged, or "default" where there
    was nothing to judge by, as with fewer than 12 different rows; "model", "network",
    "network on parts", "network with alpha_groups", "linear model" or "additive model"
    (then there is no hidden layer in ``coefs_``) or "constant" (zero weights);
    "reason"; "scores", minus the held-out loss of the best of each model, of one that
    has left as far behind the best as it was in the first folds. The models on parts
    and the additive one have ``encoding_="parts"``.
<<fitted_posterior>>
""",
    "fitted_columns": """\
feature_importances_ : ndarray of shape (n_features,)
    The mean square of df/dx_j over the rows trained on (a thousand of them at most), in
    deviations of column j and summed over outputs, as a share of all: 0 for a column
    that changes nothing, all 0 for a constant. It is found when it is read. Of the fit,
    not of a cause. `RelevanceDisplay` draws it.
support_ : ndarray of bool, of shape (n_features,)
    With ``l1_ratio`` > 0: the columns of X that have a weight that is not 0.
first_stage_alpha_ : float
    With ``sparsity="adaptive"`` where alpha was chosen: that of the first stage.
""",
    "fitted_posterior": """\
log_evidence_, n_effective_params_ : float
    With a posterior or alpha by name: ln p(y | X, alpha) of the y that the network
    sees (scaled by ``normalize_y``), with flat priors of density 1 on the biases, and
    how many parameters the data determine, biases included. Directions of hidden
    biases of which H is below 2 pi var(y) / n, or 2 pi / n without squared errors, are
    taken to have that curvature, and no part in the evidence.
layer_effective_params_ : ndarray of shape (n_layers - 1,)
    Beside it: how many weights of each layer the data determine.
""",
    "fitted": """\
coefs_, intercepts_ : list of ndarray
    Weights (fan_in, fan_out) and biases (fan_out,) of each layer, for X as it is, or
    for its encoded columns; with ``ensemble`` they have the networks as a further first
    axis. predict reads them. Training is about the column means of X, which changes no
    minimum: biases are free.
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
    J after each iteration of the last fit ("lbfgs"); otherwise, for each epoch, the
    weighted mean of the batches' losses before their steps, plus the penalty at its
    end.
learning_rates_ : list of float
    Of each epoch; empty for "lbfgs".
gradient_norms_ : ndarray of shape (n_iter, n_layers - 1)
    With ``track_gradients``: after each iteration or epoch the Euclidean norm of the
    gradient of the loss on all rows, without the penalty, by the weights of each layer.
best_loss_ : float or None
    The lowest of ``loss_curve_``; None with early stopping.
validation_scores_ : list of float or None
    Minus the validation loss, without penalty, per iteration or epoch.
best_validation_score_ : float or None
    The score of the returned weights.
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
Krogh and Hertz, "A simple weight decay can improve generalization", NeurIPS 1991.

.. [1] Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015.
.. [2] Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019.
.. [3] George, Laurent, Bouthillier, Ballas and Vincent, "Fast approximate natural
   gradient descent in a Kronecker-factored eigenbasis", NeurIPS 2018.
.. [9] Gorishniy, Rubachev and Babenko, "On embeddings for numerical features in tabular
   deep learning", NeurIPS 2022.
""",
    "alpha_references": """\
.. [4] MacKay, "A practical Bayesian framework for backpropagation networks", Neural
   Computation 1992.
.. [5] Foresee and Hagan, "Gauss-Newton approximation to Bayesian learning", ICNN 1997.
.. [6] Rad and Maleki, "A scalable estimate of the out-of-sample prediction error via
   approximate leave-one-out cross-validation", JRSS B 2020.
.. [7] MacKay, "Bayesian non-linear modelling for the prediction competition", ASHRAE
   Transactions 1994.
.. [8] Neal, "Bayesian Learning for Neural Networks", Springer 1996.
""",
    "search_references": """\
.. [4] Breiman, Friedman, Olshen and Stone, "Classification and Regression Trees", 1984.
""",
}
