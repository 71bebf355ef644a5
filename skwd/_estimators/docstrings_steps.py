"""The docstrings of parameters of solvers and their steps, that estimators share."""

STEPS = {
    "steps": """\
batch_size : int or "auto", default="auto"
    Rows per step of "sgd" and "adam"; "auto" is min(200, n).
learning_rate : {"constant", "invscaling", "adaptive", "cosine", "linear"}, \
default="constant"
    How the rate of "gd", "sgd" and "adam" goes on: constant, by a power of the epoch,
    to a fifth when the loss stops falling, by a cosine to 0, by a line to 0.
learning_rate_init : float, default=0.001
    The learning rate of the first epoch.
power_t, warmup_epochs : float, int, default=0.5, 0
    Exponent of "invscaling"; epochs in which the rate rises before the schedule begins.
momentum, nesterovs_momentum : float, bool, default=0.9, True
    Momentum of "sgd", and whether it is Nesterov's.
beta_1, beta_2, epsilon : float, default=0.9, 0.999, 1e-8
    Of "adam": decay rates of the two moments; what is added to the root of the second.
decay : {"l2", "decoupled", "independent", "normalized", "scheduled", "cautious"}, \
default="l2"
    How alpha acts in a step. Only "l2" minimises J; "decoupled" is AdamW's. The best
    alpha of every other mode than "l2" depends on solver, rate, batches and epochs.
dropout : float or sequence of float, default=0.0
    The fraction of the hidden units that a step of "sgd" or "adam" leaves out; or one
    rate for each layer's input, X first. Off in predictions.
shuffle : bool, default=True
    Whether "sgd" and "adam" see the rows in a new random order in each epoch.
max_iter, max_fun : int, int or inf, default=3000, 15000
    Most iterations ("lbfgs") or epochs; most evaluations of J ("lbfgs").
tol, n_iter_no_change : float, int or inf, default=1e-5, 10
    "lbfgs" ends when J can fall by no more than ``tol`` J; the others end when the loss
    falls by less than ``tol`` of itself per epoch over ``n_iter_no_change`` epochs.
early_stopping : bool, default=False
    Stop when the loss of held-out rows no longer improves, and restore the weights of
    its lowest point.
validation_fraction : float, default=0.1
    The fraction of the rows held out for early stopping, unless fit is given X_val.
""",
}
