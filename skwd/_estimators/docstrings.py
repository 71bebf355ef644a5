"""The parts of the estimators' docstrings that they share, and how they get them."""

from __future__ import annotations

import re
import textwrap

from skwd._estimators.docstrings_fitted import FITTED
from skwd._estimators.docstrings_steps import STEPS

SHARED = {
    "subjects": """\
Parameters are in this order: the model (up to ``encoding``), lambda (``sparsity``),
uncertainty (``intervals`` or ``noise``), the solver's steps (``shuffle``), stopping
(``validation_fraction``), targets (``missing_targets`` or ``class_weight``), running.
Formulas, exceptions and references are in the guide, which is the folder
examples/guide of the sources: guide/formulas.md.
""",
    "network": """\
hidden_layer_sizes : int or sequence of int, default=(100,)
    Units of each hidden layer; ``()`` is a linear model.
activation : {"identity", "logistic", "tanh", "relu", "leaky_relu", "elu", \
"selu", "silu", "gelu", "softplus"}, default="relu"
    Activation of the hidden layers.
solver : {"auto", "lbfgs", "gd", "sgd", "adam"}, default="auto"
    "lbfgs" and "gd" (gradient descent) use all rows in each step, "sgd" and "adam" use
    mini-batches; all minimise J. "auto" is "lbfgs", but "adam" where rows times
    parameters are above 5e7, unless X is sparse and has twice as many columns as rows,
    or where a parameter is only for epochs: guide/solvers.md.
""",
    "encoding": """\
encoding : None, "parts" or "auto", default="auto"
    "parts" gives the first layer each column of a dense X twice, once scaled and once
    in piecewise-linear parts between its quantiles, so that steps and thresholds are
    learnt as easily as slopes. "auto" is None, but with ``alpha="auto"`` models with
    parts are compared too: guide/columns_in_parts.md.
""",
    "alpha": """\
alpha : None, float, sequence of float, "auto", "evidence", "loo", "gcv", default=None
    lambda of J, or one per weight layer, the output layer last. None is ``c / sum(s)``,
    the same prior for every number of rows, with c = 5 for losses of numbers, 2 for
    "huber" and 4 for classes, times a factor from linear models. "auto" is the alpha of
    the lowest held-out loss in a small cross-validation, with every solver; simpler
    models (constant, linear, additive) are compared too, and taken where they are as
    good. "evidence", "loo" and "gcv" hold no rows out, and need "lbfgs": the highest
    marginal likelihood, the lowest approximate leave-one-out loss, and the lowest
    generalised cross-validation score. See guide/choosing_lambda.md.
alpha_groups : None, "layer", "input" or list of lists of columns, default=None
    With ``alpha="evidence"`` or "auto", which weights share an alpha: all, those of a
    layer, those of a column of X ("input", automatic relevance determination) or of a
    group of columns, by number or name; `source_groups` makes such groups. Columns that
    the evidence removes have weights of exactly 0.
<<sparsity>>
<<posterior>>
""",
    "sparsity": """\
l1_ratio : float, default=0.0
    The share of an L1 norm in the penalty, from 0 to 1, as in the elastic net: above 0
    many weights are exactly 0. For ``decay="l2"``.
sparsity : {None, "input", "adaptive"}, default=None
    With ``l1_ratio`` > 0: None sets single weights to 0, "input" those of whole columns
    of X, "adaptive" too, by a second stage that penalises weak columns more.
""",
    "posterior": """\
posterior : bool, default=False
    Keep the posterior of the network (Laplace's approximation), for ``return_std`` of a
    regressor and averaged probabilities of a classifier. It needs ``decay="l2"``, no
    early stopping and a converged fit.
""",
    "intervals": """\
intervals : None, int or splitter, default=None
    Shuffled folds, 10 say, or a splitter that holds out each row exactly once. fit then
    also trains and keeps a network without each fold, for ``predict(X, coverage=0.9)``:
    the intervals of a regressor and the sets of a classifier.
""",
    "noise": """\
noise : {"constant", "varying"}, default="constant"
    "varying" lets the variance of y depend on x: a second network is fitted to squared
    residuals of held-out rows, and ``return_std`` and intervals are wide where y varies
    much, unless one noise is as good (``noise_choice_``). For "squared_error" and
    "poisson": guide/uncertainty.md.
""",
    "search_intervals": """\
intervals : None, bool, default=None
    True keeps a network without each fold of ``cv``, at ``alpha_``, for
    ``predict(X, coverage=0.9)``: the intervals of a regressor and the sets of a
    classifier. ``cv`` has to hold out each row exactly once.
""",
    "search": """\
alphas : None, int or array-like of float, default=None
    The values of lambda to try. None is a grid of 7 that suits the data, and grows
    downwards while its lowest alpha is the best; an integer is the size of a fixed,
    wider grid: guide/choosing_lambda.md.
cv : int, splitter, iterable or None, default=None
    Anything that scikit-learn's ``check_cv`` takes; None is 5 folds of consecutive
    rows, stratified for a classifier. Where rows lie in an order (y, time, group) use
    ``KFold(5, shuffle=True)``, or ``TimeSeriesSplit`` or ``GroupKFold``.
scoring : str, callable or None, default=None
    Any scorer of one number. None is accuracy, R2 for "squared_error", and minus the
    metric of the loss for another loss: ``scorer_`` says which. Where a scorer raises,
    the score is nan, with a warning. Scores are weighted where the scorer can do it.
rule : {"best", "1se"}, default="best"
    "best" is the alpha of the highest mean score, the smallest of equals; "1se" the
    largest whose mean score is at most one standard error below it.
""",
    "starts": """\
n_init : int, default=1
    The number of random starts, trained together. The best network is kept: that of
    lowest J or validation loss, or of the best evidence or leave-one-out loss.
""",
    "warm_start": """\
warm_start : bool, default=False
    Continue from the weights of the last fit, with the same validation rows. A model
    that ``alpha="auto"`` has taken instead of the network is not continued.
""",
    "random_state": """\
random_state : int, RandomState instance or None, default=None
    Determines initial weights, folds, validation rows, dropout and the order of rows.
""",
    "verbose": """\
verbose : bool or int, default=False
    Print a line per iteration, per round of "evidence", "loo" and "gcv", or per alpha
    that "auto" judges; for ``intervals`` and ``noise`` the fits done and the time left.
<<track_gradients>>
""",
    "n_jobs": """\
n_jobs : int or None, default=None
    Workers, as in joblib, for the folds of ``alpha="auto"``, ``intervals`` and (of a
    regressor) ``noise``, and the starts of ``n_init`` (not with "evidence"); None is 1
    and -1 all processors. Results do not depend on it: guide/large_data.md.
""",
    "search_verbose": """\
n_jobs : int or None, default=None
    Workers, as in joblib; None is 1 and -1 all processors. Results do not depend on it:
    guide/large_data.md.
verbose : bool or int, default=False
    Print a line per chunk of networks with the fraction done and the time left; from 2
    on also a line per iteration of the final fit.
<<track_gradients>>
""",
    "track_gradients": """\
track_gradients : bool, default=False
    Keep ``gradient_norms_``, at the cost of an evaluation per iteration or epoch.
""",
    "of_regressors": """\
loss : {"squared_error", "huber", "absolute_error", "quantile", "poisson", "gamma", \
"tweedie"}, default="squared_error"
    "huber" and "absolute_error" are robust to outliers, "quantile" predicts a quantile;
    "poisson", "gamma" and "tweedie" have a log link, for y >= 0 or > 0.
huber_delta, quantile, power : float or None, float, float, default=None, 0.5, 1.5
    For "huber": the residual, in y's units, from which the loss is linear (None: from
    the data). For "quantile": which. For "tweedie": the variance's power, from 1 to 3.
normalize_y : bool, default=True
    Train on y of mean 0 and standard deviation 1 (scaled by medians for "huber",
    "absolute_error" and "quantile"; never with a log link). Predictions are in y's
    units, ``coefs_`` and ``loss_`` are of the scaled y. False is J of y as it is.
missing_targets : {"error", "mask"}, default="error"
    "mask" takes NaN in y for an unknown target, and drops rows without a known target.
<<starts>>
ensemble : bool, default=False
    Keep all ``n_init`` networks and predict with their mean; with a posterior, the
    standard deviation is that of the mixture of the networks.
""",
    "of_classifiers": """\
class_weight : dict, "balanced" or None, default=None
    Multiplies the sample weights, in training and validation; "balanced" gives
    every class the same sum of weights. An error for multilabel targets.
<<starts>>
ensemble : bool, default=False
    Keep all ``n_init`` networks and predict with their mean probabilities.
""",
    **STEPS,
    **FITTED,
}

_PART = re.compile(r"^( *)<<(\w+)>>\n", re.MULTILINE)


def documented(cls: type) -> type:
    """Fill the lines ``<<name>>`` of a class docstring with the shared parts."""
    text = cls.__doc__ or ""  # there is none under python -OO
    while _PART.search(text):  # parts may hold others
        text = _PART.sub(lambda line: textwrap.indent(SHARED[line[2]], line[1]), text)
    cls.__doc__ = text or None
    return cls
