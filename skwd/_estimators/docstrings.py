"""The parts of the estimators' docstrings that they share, and how they get them."""

from __future__ import annotations

import re
import textwrap

from skwd._estimators.docstrings_fitted import FITTED
from skwd._estimators.docstrings_steps import STEPS

SHARED = {
    "subjects": """\
Parameters by subject, of which each estimator has its own: the model
(``hidden_layer_sizes``, ``activation``, ``loss``), lambda (``alpha``, ``alphas``,
``alpha_groups``, ``l1_ratio``, ``sparsity``, ``decay``, ``dropout``), the solver
(``solver``, ``batch_size`` to ``epsilon``, ``shuffle``), stopping (``max_iter`` to
``validation_fraction``), uncertainty (``posterior``, ``intervals``), data
(``normalize_y``, ``missing_targets``, ``class_weight``), running (``n_init`` and all
that follows). Formulas and exceptions are in the guide, "The parameters in full".
""",
    "network": """\
hidden_layer_sizes : int or sequence of int, default=(100,)
    Units of each hidden layer; ``()`` is a linear model.
activation : {"identity", "logistic", "tanh", "relu", "leaky_relu", "elu", \
"selu", "silu", "gelu", "softplus"}, default="relu"
    Activation of the hidden layers.
solver : {"auto", "lbfgs", "gd", "sgd", "adam"}, default="auto"
    "lbfgs" sees all rows at once, as "gd" (gradient descent) does; "sgd" and "adam"
    [1]_ take mini-batches. All minimise J itself. "auto" is "lbfgs" for small problems
    (rows of positive weight times parameters at most 5e7) and where ``posterior`` or
    ``l1_ratio`` wants a minimum; larger ones are trained by "adam" with a plan: 100
    epochs of batches of 128, at a rate that falls from 0.008 to 0 by a cosine.
    Parameters that ask for epochs, early stopping and partial_fit mean "adam" itself.
""",
    "encoding": """\
encoding : None, "parts" or "auto", default="auto"
    What the first layer sees of each column of X: the column, or with "parts" the
    column in distances of its quartiles and 0.5 times its piecewise-linear parts [9]_
    between 24 quantiles (fewer where columns share 1000, or values are equal). So steps
    and thresholds are learnt as easily as slopes, and a model without hidden layers is
    additive. Needs dense X. "auto" is None, but with ``alpha="auto"`` and dense X
    models with parts are compared too.
""",
    "alpha": """\
alpha : None, float, sequence of float, "auto", "evidence", "loo", "gcv", default=None
    lambda of J, or one per weight layer (hidden layers first, the output layer last).
    None is a prior of c rows; more where a linear model needs more. That is ``c /
    sum(s)`` over the rows trained on, the same prior for every number of rows, with c =
    5 for losses of numbers, 2 for "huber" and 4 for classes, times ``1 - l1_ratio /
    2``; in partial_fit it is that of at least 1000 rows, and with ``decay="decoupled"``
    it is 0.01. For "poisson", "gamma" and "tweedie", whose J has units of y, it is that
    times ``mean(y) ** (1 - power) * std(y)``, with power 1 and 2 for the first two.
    Weights count as rows there: give them, exposures too, a mean of 1. For the squared
    error and classes, from 200 rows and up to 500 columns, c is multiplied by
    ``sqrt(max(1, R / 2))``, R the least prior, in rows, of next to the lowest
    leave-one-out error of a linear model, of the columns and of random rectified sums
    of them; not in partial_fit, for multilabel y, with L1 or another ``decay``.

    "auto" chooses alpha, with every solver, by the held-out loss of a small
    cross-validation: 5 shuffled folds (of more than 12000 rows one split of a random
    12000), multiples of the default alpha, two at first and further ones while an end
    is the best. From 1000 rows on 2 folds judge everything, and the others only what is
    less than 5 % behind the best there. The constant and the linear model are compared
    too, and with ``encoding="auto"`` the additive model and the network on columns in
    parts; the simplest that is as good is taken: ``alpha_choice_`` says which, and
    their scores.

    Other names choose alpha from the training data alone, in one fit by "lbfgs":
    "evidence" by the probability of the data with all weights integrated out [3]_,
    "loo" by approximate leave-one-out [4]_, "gcv" by generalised cross-validation, for
    squared error. ``sample_weight`` are counts there.
alpha_groups : None, "layer", "input" or list of lists of columns, default=None
    With ``alpha="evidence"`` or "auto", which weights have an alpha of their own: all
    one, one a layer, or one for each column of X ("input", automatic relevance
    determination). In a list of groups of columns, by number or name, each
    group shares one, as one-hot columns should: `source_groups` makes it. Columns that
    the evidence takes out have weights of exactly 0.
<<sparsity>>
<<posterior>>
""",
    "sparsity": """\
l1_ratio : float, default=0.0
    The part of the penalty that is an L1 norm, between 0 and 1, the elastic net: many
    weights are then exactly 0. For ``decay="l2"``.
sparsity : {None, "input", "adaptive"}, default=None
    With ``l1_ratio`` > 0: None takes single weights, "input" whole columns of X, which
    then leave, "adaptive" the same in two stages, the second harder on columns that
    hardly matter.
""",
    "posterior": """\
posterior : bool, default=False
    Keep what the data leave open about the network (Laplace's approximation): for
    ``return_std`` of a regressor's predict, and for averaged probabilities of a
    classifier. It needs ``decay="l2"``, no early stopping and a converged fit.
""",
    "intervals": """\
intervals : None, int or splitter, default=None
    The folds of ``predict(X, coverage=0.9)``: of the intervals of a regressor
    (`predict_interval`) and the sets of a classifier (`predict_set`). So many shuffled
    ones, with classes in proportion, or those of a splitter, each row left out by
    exactly one; 10 is usual. fit then also trains the networks without each fold, at
    ``alpha_`` and as one stack, and keeps them.
""",
    "noise": """\
noise : {"constant", "varying"}, default="constant"
    "varying" lets the noise of y depend on x: ``predict(X, return_std=True)`` gives
    ``sqrt(v(x) rho(x))``, with or without a posterior. v is the variance by the
    posterior, and without one it is a number, the mean square of the residuals of rows
    left out. rho is a network with a log link of the same layers, fitted by the gamma
    loss to the squares of these residuals over v, with an alpha by "auto". The rows are
    left out by the folds of ``intervals``, or ten. rho is 1 unless another model gains
    more than two standard errors, and with fewer than 60 different rows:
    ``noise_choice_`` says which. Intervals are then wide where y varies much. With
    ``alpha="auto"`` and one output the network is fitted again to rows weighted by the
    inverse of rho, at an alpha chosen again, if that is better. For losses that have a
    deviation, "squared_error" and "poisson".
""",
    "search_intervals": """\
intervals : None, bool, default=None
    True keeps the networks without each fold of ``cv`` at ``alpha_``, for
    ``predict(X, coverage=0.9)``, the intervals of a regressor (`predict_interval`) and
    the sets of a classifier (`predict_set`): every row has to be tested exactly once.
""",
    "search": """\
alphas : None, int or array-like of float, default=None
    The values of lambda to try, sorted. None is a grid of 7 from 1e-3 a to a, where
    ``a = ||X'(s (y - mean(y)))|| / sum(s)`` is about where the network collapses to a
    constant; it grows by a decade downwards while its lowest alpha is the best by more
    than a standard error. An integer asks for so many from 1e-6 a to a.
cv : int, splitter, iterable or None, default=None
    Anything that scikit-learn's ``check_cv`` takes; None is 5 folds of consecutive
    rows, stratified for a classifier. Where rows lie in an order (y, time, group) use
    ``KFold(5, shuffle=True)``, or ``TimeSeriesSplit`` or ``GroupKFold`` if new rows
    will be as far. One split will do, unless ``rule="1se"``; a fold may lack a class.
scoring : str, callable or None, default=None
    Any scorer of one number; None is accuracy, R2 for squared errors, and minus its own
    metric for another loss: ``scorer_`` says which. `log_likelihood_scorer` and
    `neg_crps_scorer` judge deviations and need ``posterior=True``. Where it raises, the
    score is nan, with a warning. Scores are weighted where the scorer can, with
    metadata routing where it requests weights.
rule : {"best", "1se"}, default="best"
    "best" is the alpha of the highest mean score, the smallest of equals. "1se" is the
    largest alpha whose mean score is at most one standard error below it [3]_: the
    smoother network, where the data cannot tell the two apart.
""",
    "starts": """\
n_init : int, default=1
    Random starts, trained together; the best is kept: of lowest J, of lowest validation
    loss, or of the best evidence or leave-one-out loss. Linear models need one.
""",
    "warm_start": """\
warm_start : bool, default=False
    Continue from the weights of the last fit, with the same validation rows. A model
    that ``alpha="auto"`` has taken in the place of the network is not continued.
""",
    "random_state": """\
random_state : int, RandomState instance or None, default=None
    Fixes initial weights, validation split and the order of the rows.
""",
    "verbose": """\
verbose : bool or int, default=False
    Print a line per iteration, or per round of a search for alpha by name.
<<track_gradients>>
""",
    "n_jobs": """\
n_jobs : int or None, default=None
    Workers for what is many fits: the folds of ``alpha="auto"`` and of ``intervals``,
    and the starts of ``n_init``, but those of ``alpha="evidence"``. As in joblib; None
    is 1 and -1 all processors. They are processes, or what ``joblib.parallel_config``
    names: threads, Dask, Ray. The results depend on none of this.
""",
    "search_verbose": """\
n_jobs : int or None, default=None
    Workers, as in joblib; None is 1 and -1 all processors. They are processes, each
    with BLAS on one thread, or what ``joblib.parallel_config`` names: threads, Dask,
    Ray. The results depend on none of this.
verbose : bool or int, default=False
    Print a line per chunk of networks with the share done and the time left; from 2 on
    also one per iteration of the final fit.
<<track_gradients>>
""",
    "track_gradients": """\
track_gradients : bool, default=False
    Keep ``gradient_norms_``, which takes one evaluation more per iteration or epoch.
""",
    "of_regressors": """\
loss : {"squared_error", "huber", "absolute_error", "quantile", "poisson", "gamma", \
"tweedie"}, default="squared_error"
    "huber" and "absolute_error" bear outliers, "quantile" is the quantile ``quantile``;
    "poisson", "gamma" and "tweedie" have a log link, for y >= 0 or > 0. Without a
    hidden layer they are scikit-learn's linear models of these names.
huber_delta : float or None, default=None
    Where "huber" turns from squares to distances, in y's units; None is from the data.
quantile, power : float, default=0.5, 1.5
    Of "quantile"; of "tweedie", from 1 to 3.
normalize_y : bool, default=True
    Scale y to mean 0 and standard deviation 1 for training (robust losses by medians;
    never with a log link): predictions are in y's units, ``coefs_`` and ``loss_`` in
    scaled ones. False is J of y as it is.
missing_targets : {"error", "mask"}, default="error"
    "mask" takes NaN in y for a target that is not known; rows without any are left out.
<<starts>>
ensemble : bool, default=False
    Keep all ``n_init`` networks and predict with their mean; with a posterior the
    standard deviation is that of their mixture.
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
