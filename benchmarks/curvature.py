"""The Kronecker form of the curvature beside the exact one, on the same networks.

    python benchmarks/curvature.py

For each data set one network is fitted by L-BFGS. A row has the time of its
factorisation (the best of five), the effective parameters, log-evidence and new alpha,
the approximate leave-one-out loss, and the predictive variance of f relative to the
exact one (median and 90 % of the rows). The last row has no exact form: its size is
beyond the limit.
"""

from time import perf_counter
from unittest.mock import patch

import numpy as np
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    make_friedman1,
)
from sklearn.preprocessing import StandardScaler

from skwd import WeightDecayMLPClassifier, WeightDecayMLPRegressor
from skwd._alpha.choice import laplace_of
from skwd._alpha.leave_one_out import loss_path
from skwd._core.network import Network
from skwd._core.rows import shift_origin
from skwd._curvature.factors import factors_of
from skwd._curvature.laplace import is_exact
from skwd._curvature.posterior import Posterior
from skwd._estimators.parameters import check_parameters

FRIEDMAN = make_friedman1(2000, noise=1.0, random_state=0)
DIGITS = load_digits(return_X_y=True)
# name, data, classifies, hidden units, alpha
CASES = [
    ("diabetes", load_diabetes(return_X_y=True), False, 20, 0.03),
    ("breast_cancer", load_breast_cancer(return_X_y=True), True, 10, 0.01),
    ("friedman", FRIEDMAN, False, 64, 0.001),
    ("digits", DIGITS, True, 10, 0.003),
    ("digits", DIGITS, True, 15, 0.003),
    ("digits", DIGITS, True, 100, 0.003),
]


def fitted(X, y, classifies, hidden, alpha):
    """A task as fit sees it, and the weights (P,) that fit has found."""
    if classifies:
        model = WeightDecayMLPClassifier()
    else:
        model = WeightDecayMLPRegressor()
    model.set_params(hidden_layer_sizes=(hidden,), alpha=alpha, solver="lbfgs")
    model.set_params(random_state=0, max_iter=5000)
    X = StandardScaler().fit_transform(X)
    params = model.fit(X, y)._fitted.network.params
    nothing = None, None, None  # no validation rows
    problem = model._problem(check_parameters(model), X, y, None, nothing)
    task, _ = problem.whole()
    return task, shift_origin(task.layout, params, task.training.origin, 1.0)[0]


def figures(task, params, alpha, exact):
    """Of one form: seconds, dof, evidence, alpha, variances of f, leave-one-out."""
    per_layer = np.full(task.layout.n_weight_layers, alpha)
    with patch("skwd._curvature.laplace.is_exact", lambda *_, **__: exact):
        took = []
        for _ in range(5):
            start = perf_counter()
            found = laplace_of(task, params, per_layer)
            took.append(perf_counter() - start)
        seconds = min(took)
        path = loss_path(task, params, alpha, np.array([alpha]), leaves_out=True)
    network = Network(task.layout, task.activation)
    X = task.training.take(slice(0, 200))
    _, factors = factors_of(network, params, X)
    posterior = Posterior(found.curvature, found.n, found.noise, 1.0)
    variance = np.diagonal(posterior.covariance(factors), axis1=1, axis2=2)
    known = found.dof, found.log_evidence, found.alpha[0]
    return seconds, *known, variance, path.losses[0]


def main():
    heads = ("seconds", "dof", "log-evidence", "new alpha", "loo loss")
    print(f"{'':28}{'P':>6}{'N':>7}" + "".join(f"{head:>14}" for head in heads))
    for name, (X, y), classifies, hidden, alpha in CASES:
        task, params = fitted(X, y, classifies, hidden, alpha)
        n_outputs, size = task.training.y.size, task.layout.n_params
        reference = None
        for exact in (True, False):
            if exact and not is_exact(n_outputs, size):
                continue
            *parts, variance, loss = figures(task, params, alpha, exact)
            form = "exact" if exact else "Kronecker"
            title = f"{name} ({hidden},), {form}"
            cells = "".join(f"{value:14.4g}" for value in (*parts, loss))
            print(f"{title:28}{size:6}{n_outputs:7}{cells}", end="")
            if exact:
                reference = variance
                print()
            elif reference is None:
                print()
            else:
                ratio = (variance / reference).ravel()
                middle, most = np.quantile(ratio, [0.5, 0.9])
                print(f"   variance x {middle:.2f}, 90 % below {most:.2f}")


if __name__ == "__main__":
    main()
