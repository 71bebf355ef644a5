"""The parts of the estimators' docstrings that they share, and how they get them."""

from __future__ import annotations

import re
import textwrap

from skwd._estimators.docstrings_fitted import FITTED

SHARED = {
    "network": """\
hidden_layer_sizes : int or sequence of int, default=(100,)
    Units of each hidden layer; ``()`` is a linear model.
activation : {"identity", "logistic", "tanh", "relu", "leaky_relu", "elu", \
"selu", "silu", "gelu", "softplus"}, default="relu"
    Activation of the hidden layers.
solver : {"auto", "lbfgs", "gd", "sgd", "adam"}, default="auto"
    "lbfgs" is limited-memory BFGS and "gd" gradient descent, both on all rows at
    once; "sgd" is gradient descent with momentum on mini-batches, "adam" Adam [1]_.
    All minimise J itself. "auto" is "lbfgs" for small problems (rows of positive
    weight times parameters at most 5e7, the work of one evaluation of J) and "adam"
    for larger ones, for parameters that ask for epochs (``batch_size``,
    ``learning_rate`` or ``decay`` other than their defaults) and in partial_fit.
""",
    "alpha": """\
alpha : None, float, sequence of float, "auto", "evidence", "loo", "gcv", default=None
    lambda of J, or one per weight layer (hidden layers first, the output layer last).
    None is ``c / sum(s)`` over the rows trained on, the same prior for every number of
    rows, with c = 5 for squared error, 4 for classes and 13 for counts, times ``1 -
    l1_ratio / 2``; in partial_fit
    it is that of at least 1000 rows, and with ``decay="decoupled"`` it is 0.01. Weights
    count as rows there: give them a mean of 1.

    "auto" chooses alpha, with every solver, by the held-out loss of a small
    cross-validation: 5 shuffled folds (of more than 12000 rows one split of a random
    12000), multiples of the default alpha, three at first and further ones while an end
    is the best. The linear model and the constant are compared too, and the simplest
    that is as good is taken: ``alpha_choice_`` says which, and their scores.

    Other names choose alpha from the training data alone, in one fit by "lbfgs":

    - "evidence": the probability of the data with all weights integrated out, by
      Laplace's approximation, re-estimated to its fixed point [4]_ [5]_;
    - "loo": approximate leave-one-out [6]_, its mean loss over a path of alphas;
    - "gcv": generalised cross-validation, for squared error.

    The last two linearise the network about its fit. They are optimistic for small
    "tanh" or "logistic" networks that interpolate noisy rows.

    The network that was judged best is the one that is returned, trained on to its
    minimum of J. Where no alpha tells the signal from noise, the network is a constant,
    and a warning says so; so does one where alpha ends at the end of its range, or
    where too few degrees of freedom are left to judge it by. ``sample_weight`` are
    counts here: n is their sum.
alpha_groups : None, "layer", "input" or list of lists of columns, default=None
    With ``alpha="evidence"`` or "auto", which weights have an alpha of their own. None
    is one alpha for all. "layer" is one for each layer; homogeneous units ("relu",
    "leaky_relu", "identity") keep a single one, as of theirs only the product matters.
    "input" is one for each column of X and one for each further layer: automatic
    relevance determination [7]_ [8]_. Columns that the evidence takes out have weights
    of exactly 0, an infinite ``alpha_`` and ``feature_importances_`` of 0; where it
    cannot tell columns apart, all share an alpha. In a list of groups of columns, by
    number or name, each group shares one, as one-hot columns should, and each column
    that is not listed has its own. With "auto" the groups are taken if their held-out
    loss is the lowest.
alpha_per_layer : bool, default=False
    Deprecated: True is ``alpha_groups="layer"``.
<<sparsity>>
<<posterior>>
""",
    "sparsity": """\
l1_ratio : float, default=0.0
    The part of the penalty that is an L1 norm, between 0 and 1: it becomes ``alpha *
    (l1_ratio * sum_j |w_j| + (1 - l1_ratio) / 2 * sum_j w_j^2)``, the elastic net. Many
    weights are then exactly 0. For every solver and ``decay="l2"``; "lbfgs" is the
    orthant-wise method of Andrew and Gao (ICML 2007), the others take proximal steps.
sparsity : {None, "input", "adaptive"}, default=None
    With ``l1_ratio`` > 0, what its norms are of. None is every weight. "input" is the
    columns of X: in the first layer ``sum_j ||w_j||``, with w_j the weights of column
    j, so that whole columns leave; further layers keep ``alpha / 2 * w^2``. "adaptive"
    is the same in two stages: the second weights the norm of column j by ``1 / (||w_j||
    / max_k ||w_k|| + 0.01)`` of the first (after Zou, JASA 2006), so that columns that
    hardly matter leave at an alpha that leaves the others as they are. A fit at a given
    alpha has both stages at it; "auto" and the CV forms choose the first stage's alpha
    by the best score and then the second's, each fold by its own first stage.
""",
    "posterior": """\
posterior : bool, default=False
    Keep Laplace's approximation about the minimum, N(w, noise (n H)^-1) with the
    Gauss-Newton curvature H of J: for ``return_std`` of a regressor's predict, and for
    averaged probabilities of a classifier, see `predict_proba`. Hidden biases have the
    prior of their layer's weights there, and only the directions that the data inform
    are kept, in float32; the rest has the prior's variance. Alpha by name and
    ``posterior`` need ``decay="l2"``, no early stopping and a converged fit. Beyond
    about 4e10 multiplications (outputs of all rows, times parameters, times the fewer
    of the two) H is approximated by a Kronecker product per layer [3]_.
""",
    "intervals": """\
intervals : None, int or splitter, default=None
    The folds of `predict_interval`, so many shuffled ones or those of a splitter, each
    row left out by exactly one; 10 is usual. fit then also trains the networks without
    each fold, at ``alpha_`` and as one stack, and keeps them.
""",
    "search_intervals": """\
intervals : None, bool, default=None
    True keeps the networks without each fold of ``cv`` at ``alpha_``, for
    `predict_interval`: every row has to be tested exactly once.
""",
    "search": """\
alphas : None, int or array-like of float, default=None
    The values of lambda to try, sorted. None is a grid of 7 from 1e-3 a to a, where
    ``a = ||X'(s (y - mean(y)))|| / sum(s)`` is about where the network collapses to a
    constant; it grows by a decade downwards while its lowest alpha is the best by more
    than a standard error. An integer asks for so many from 1e-6 a to a.
cv : int, splitter, iterable or None, default=None
    Anything that scikit-learn's ``check_cv`` takes; None is 5 folds of consecutive
    rows, stratified for a classifier. Where the rows lie in an order that makes such
    folds unlike each other (sorted by y, by time, by group), scores are of another
    problem than that of new rows: use ``KFold(5, shuffle=True)``, or one of
    ``TimeSeriesSplit`` and ``GroupKFold`` where that is what will be asked. A warning
    says so where y is sorted. One split is enough, unless ``rule="1se"``. A fold may
    lack a class: its
    network does not know it, and where the score is not a number for that, the scorer
    is told all ``labels``, if it takes them.
scoring : str, callable or None, default=None
    Any scorer of one number; None is the estimator's own score, R2 or accuracy (which
    `score` is for any ``scoring``). Where it raises, the score is nan, with a warning,
    unless it always does. With metadata routing, a scorer that requests
    sample weights is to be given, as ``get_scorer("r2")`` is by name.
rule : {"best", "1se"}, default="best"
    "best" is the alpha of the highest mean score, the smallest of equals. "1se" is the
    largest alpha whose mean score is at most one standard error below it [4]_: the
    smoother network, where the data cannot tell the two apart.
n_jobs : int or None, default=None
    Workers, as in joblib; None is 1 and -1 all processors. They are processes, each
    with BLAS on one thread, or what ``joblib.parallel_config`` names: threads, Dask,
    Ray. The results depend on none of this.
""",
    "steps": """\
batch_size : int or "auto", default="auto"
    Rows per step of "sgd" and "adam": a batch B steps along
    ``n / (|B| sum s) * sum_B s_i grad l_i + alpha w``, without bias for every size.
    "auto" is min(200, n); more than n counts as n.
learning_rate : {"constant", "invscaling", "adaptive", "cosine", "linear"}, \
default="constant"
    The learning rate of each epoch e = 0, 1, ... of "gd", "sgd" and "adam", as a
    multiple of ``learning_rate_init``: 1; ``1 / (e + 1) ** power_t``; 1, divided by 5
    each time that patience has run out, until it is at most 1e-6;
    ``(1 + cos(pi e / max_iter)) / 2``; ``1 - e / max_iter``. `learning_rates_` has what
    they were.
learning_rate_init : float, default=0.001
    The learning rate of the first epoch. Steps of "gd" and "sgd" are this long times
    the gradient, those of "adam" about this long in every weight.
power_t : float, default=0.5
    Exponent of ``learning_rate="invscaling"``.
warmup_epochs : int, default=0
    In the first epochs, so many, the rate rises in equal steps to
    ``learning_rate_init``; the schedule begins after them.
momentum : float, default=0.9
    Of "sgd": v <- momentum v + gradient, w <- w - rate v.
nesterovs_momentum : bool, default=True
    Whether "sgd" steps by gradient + momentum v instead of v.
beta_1, beta_2 : float, default=0.9, 0.999
    Decay rates of the first and second moments of "adam".
epsilon : float, default=1e-8
    Added to the root of the corrected second moment of "adam", as PyTorch does.
decay : {"l2", "decoupled", "independent", "normalized", "scheduled", "cautious"}, \
default="l2"
    Only "l2" minimises J: the gradient of the penalty is part of the gradient. All
    others shrink the weights beside the step of the loss and minimise nothing: their
    best alpha depends on solver, learning rate, batches and epochs. For "gd", "sgd" and
    "adam", with r the learning rate and eta = r / ``learning_rate_init``:

    - "decoupled": w <- (1 - r alpha) w, AdamW and SGDW in PyTorch's form [2]_;
    - "independent": w <- (1 - eta alpha) w, the form of the paper [2]_;
    - "normalized": the same with alpha root(b / (n max_iter)), b rows a batch [2]_;
    - "scheduled": w <- (1 - r alpha / (1 - momentum)) w for "gd" and "sgd", and for
      "adam" (1 - r alpha / root(mean v_hat)) w, with the mean of its corrected second
      moments over all parameters: SGDS and AdamS of Xie et al., NeurIPS 2023;
    - "cautious": "decoupled", only for the weights that the step moves towards 0 (Chen
      et al. 2025, arXiv 2510.12402).

    ``alpha=None`` is 0.01, 1e-5, 0.025, 1e-4 and 0.01, those of their authors.
dropout : float or sequence of float, default=0.0
    For "sgd" and "adam": the part of the hidden units that takes no part in a step, the
    others divided by 1 - dropout; or one rate for each layer's input, X first, where a
    dropped column is at its mean. Drawn anew in each step, off in predictions and in
    validation; ``loss_curve_`` is that of the steps.
shuffle : bool, default=True
    Whether "sgd" and "adam" see the rows in a new random order in each epoch.
max_iter : int, default=3000
    Most iterations ("lbfgs") or epochs.
max_fun : int or inf, default=15000
    Most evaluations of J ("lbfgs").
tol : float, default=1e-5
    A part of J, without units. "lbfgs" has converged when the fall of J that its own
    model predicts, half of g'H^-1 g, is at most ``tol * J``, and J has fallen by no
    more than 3 times that per iteration over the last 10. For the kinked activations
    "relu", "leaky_relu" and "selu", whose gradient need not vanish at a minimum, it has
    also when J falls by less than ``tol * J`` per iteration over ``n_iter_no_change``
    iterations. The other solvers have when ``loss_curve_`` has not fallen below its
    reference by more than ``tol * n_iter_no_change`` of it for ``n_iter_no_change``
    epochs; a fall by more is the new reference, so that slow progress adds up. With
    ``early_stopping`` that holds for the validation loss and every solver. A linear
    model of squared error is solved by its normal equations, at their precision, where
    rows times columns squared are at most 1e10.
n_iter_no_change : int or inf, default=10
    Patience, see ``tol``.
early_stopping : bool, default=False
    Stop when the validation loss no longer improves, and restore the weights of the
    lowest validation loss.
validation_fraction : float, default=0.1
    Part of the rows held out for early stopping, unless fit is given X_val, y_val.
""",
    "starts": """\
n_init : int, default=1
    Random starts, trained together; the one of lowest J is kept, or of lowest
    validation loss with ``early_stopping``, or of the highest evidence or lowest
    leave-one-out loss (each at its own alpha) with alpha by name. Linear models have
    one minimum, and start at zero weights.
""",
    "warm_start": """\
warm_start : bool, default=False
    Continue from the weights of the last fit, with the same validation rows. A search
    for alpha by name begins anew, from these weights.
""",
    "random_state": """\
random_state : int, RandomState instance or None, default=None
    Fixes initial weights, validation split and the order of the rows, which are
    separate streams.
""",
    "verbose": """\
verbose : bool or int, default=False
    Print a line per iteration; with alpha by name one per round of its search (alpha,
    evidence or score, effective parameters), and from 2 on those of the iterations.
<<track_gradients>>
""",
    "search_verbose": """\
verbose : bool or int, default=False
    Print a line per chunk of networks with the share done and the time left; from 2 on
    also one per iteration of the final fit.
<<track_gradients>>
""",
    "track_gradients": """\
track_gradients : bool, default=False
    Keep ``gradient_norms_``, at the cost of one more evaluation of the gradient per
    iteration or epoch.
""",
    "of_regressors": """\
loss : {"squared_error", "poisson"}, default="squared_error"
    See above; "poisson" needs y >= 0.
normalize_y : bool, default=True
    Scale y to weighted mean 0 and standard deviation 1 per output (a zero deviation
    counts as 1) for training; predictions are in y's own units, ``coefs_`` and
    ``loss_`` in scaled ones, and alpha is relative to the scaled y. False is J of y as
    it is, to the letter. partial_fit scales by its first rows, and keeps to it; a warm
    start rescales its output layer to the new y. Counts ("poisson") are never scaled.
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
