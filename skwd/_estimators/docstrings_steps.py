"""The docstrings of parameters of solvers and their steps, that estimators share."""

STEPS = {
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
}
