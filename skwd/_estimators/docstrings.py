"""The parts of the estimators' docstrings that they share, and how they get them."""

from __future__ import annotations

import re
import textwrap

from skwd._estimators.docstrings_fitted import FITTED
from skwd._estimators.docstrings_steps import STEPS

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
    rows, with c = 5 for squared and absolute errors and quantiles, 2 for "huber", 4 for
    classes, 13 for counts, 3 and 5 for "gamma" and "tweedie", times ``1 -
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
    that is not listed has its own. Numbers count the columns that fit is given: behind
    a selector that takes columns out, as RFE does, they mean others, and "input" is the
    choice. With "auto" the groups are taken if their held-out loss is the lowest.
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
    more than a standard error, and with fewer than 60 different rows: ``noise_choice_``
    says which. Intervals are then wide where y varies much. With ``alpha="auto"`` and
    one output the network is fitted again to rows weighted by the inverse of rho, at an
    alpha chosen again, if that is better. For losses that have a deviation,
    "squared_error" and "poisson".
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
    rows, stratified for a classifier. Where the rows lie in an order that makes such
    folds unlike each other (sorted by y, by time, by group), scores are of another
    problem than that of new rows: use ``KFold(5, shuffle=True)``, or one of
    ``TimeSeriesSplit`` and ``GroupKFold`` where that is what will be asked. A warning
    says so where y is sorted. One split is enough, unless ``rule="1se"``. A fold may
    lack a class: its
    network does not know it, and where the score is not a number for that, the scorer
    is told all ``labels``, if it takes them.
scoring : str, callable or None, default=None
    Any scorer of one number; None is accuracy, R2 for squared errors, and for other
    losses minus the metric that they go by (pinball loss, absolute error, deviance), of
    the targets that are known: ``scorer_`` says which. (`score` is R2 or accuracy for
    any ``scoring``.) `log_likelihood_scorer` and `neg_crps_scorer` judge deviations,
    those of one noise, and need ``posterior=True``. Where it raises, the score is nan,
    with a warning, unless it always does. With metadata routing scores are weighted
    where the scorer requests weights; that of None does after
    ``set_score_request(sample_weight=True)``.
rule : {"best", "1se"}, default="best"
    "best" is the alpha of the highest mean score, the smallest of equals. "1se" is the
    largest alpha whose mean score is at most one standard error below it [4]_: the
    smoother network, where the data cannot tell the two apart.
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
    Keep ``gradient_norms_``, at the cost of one more evaluation of the gradient per
    iteration or epoch.
""",
    "of_regressors": """\
loss : {"squared_error", "huber", "absolute_error", "quantile", "poisson", "gamma", \
"tweedie"}, default="squared_error"
    In the place of 1/2 (y - f)^2, with r = y - f in the units that the network sees:

    - "huber": r^2 / 2 up to ``huber_delta``, beyond it as its tangent;
    - "absolute_error": \\|r\\|, the median; "quantile": the quantile ``quantile``, q
      max(r, 0) + (1 - q) max(-r, 0). Their corner is a parabola of half-width a
      thousandth of y's deviation (the Moreau envelope), which lowers the loss by at
      most half of that;
    - "poisson", "gamma", "tweedie": half the deviance of the variance mu, mu^2 or
      mu^``power``, for y >= 0 or > 0, with mu = exp(f) for the prediction.

    Without a hidden layer these are HuberRegressor (``alpha = alpha_H scale_ / n``),
    QuantileRegressor (``l1_ratio=1``), PoissonRegressor, GammaRegressor and
    TweedieRegressor. Those that are no likelihood of known noise (all but the squared
    error and "poisson") have no evidence and no posterior.
huber_delta : float or None, default=None
    Where "huber" ceases to be a parabola, in y's own units; None is half of y's median
    distance from its median over .6745.
quantile : float, default=0.5
    Of "quantile".
power : float, default=1.5
    Of "tweedie", from 1 to 3; below 2 y may be 0.
normalize_y : bool, default=True
    Scale y to weighted mean 0 and standard deviation 1 per output (a zero deviation
    counts as 1) for training; predictions are in y's own units, ``coefs_`` and
    ``loss_`` in scaled ones, and alpha is relative to the scaled y. "huber",
    "absolute_error" and "quantile" take the median, and the median distance from it
    over .6745, which outliers do not move. False is J of y as it is, to the letter.
    partial_fit scales by its first rows, and keeps to it; a warm start begins with the
    predictions of before, in y's units or in its deviations, whichever suit the new y
    better. With a log link y is never scaled.
missing_targets : {"error", "mask"}, default="error"
    "mask" takes NaN in y for a target that is not known: a row's loss is the sum over
    its other outputs, and rows without any are left out. For losses that are not
    robust, without alpha by name (but for "auto"), alpha_groups, posterior and
    intervals.
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
