"""Curvature the long way: whole matrices of one small network, by differences.

`dense` shares with the package its forward pass and slopes, which other tests compare
with a plain reference; `closed_form`, `Floored` and `evidence_of` share no formula.
"""

from dataclasses import dataclass

import numpy as np
from numpy.testing import assert_allclose
from scipy.special import logsumexp
from scipy.stats import bernoulli, norm, poisson
from stacks import LOSSES, make_stack

from skwd._core.network import ForwardBackward
from skwd._core.rows import row_block
from skwd._curvature.factors import factors_of

STEP = 1e-5


def forward(objective, w):
    """Raw prediction of the first network of an objective, (n, o)."""
    X = row_block(objective.samples[0].X, slice(None))
    return (
        ForwardBackward(objective.network, w[np.newaxis], len_of(X))
        .forward(X)[0]
        .copy()
    )


def len_of(X):
    return X.shape[0]


def differences(f, x):
    """df/dx of f: (m,) -> (...), by central differences, (..., m)."""
    columns = []
    for j in range(len(x)):
        e = np.zeros(len(x))
        e[j] = STEP
        columns.append((f(x + e) - f(x - e)) / (2.0 * STEP))
    return np.stack(columns, axis=-1)


def loss_curvature(loss, y, raw):
    """d2l/draw2, (n, o, o)."""

    def gradient(shift):
        out = np.empty_like(raw)
        loss.gradient(raw + shift, y, out)
        return out

    return differences(gradient, np.zeros(raw.shape[1]))


@dataclass
class Dense:
    """One network, its sample, and all of its matrices."""

    objective: object
    w: np.ndarray  # (P,)
    J: np.ndarray  # (n, o, P)
    L: np.ndarray  # (n, o, o)
    G: np.ndarray  # (P, P) Gauss-Newton, without decay
    decay: np.ndarray  # (P,)

    @property
    def sample(self):
        return self.objective.samples[0]

    @property
    def layout(self):
        return self.objective.network.layout

    @property
    def loss_name(self):
        return next(name for name, loss in LOSSES.items() if loss is self.loss)

    @property
    def loss(self):
        return self.objective.loss

    @property
    def parts(self):
        """What the package's functions take of a network."""
        o = self.objective
        return o.network, o.loss, self.sample, self.w

    def inverse(self, scale=1.0):
        """H^-1, or its pseudo-inverse without what nothing determines."""
        H = self.G + scale * np.diag(self.decay)
        values, vectors = np.linalg.eigh(H)
        kept = values > 1e-9 * values[-1]
        return (vectors[:, kept] / values[kept]) @ vectors[:, kept].T

    def log_det(self, scale=1.0):
        values = np.linalg.eigvalsh(self.G + scale * np.diag(self.decay))
        return np.log(values[values > 1e-9 * values[-1]]).sum()

    def n_determined(self, scale=1.0):
        values = np.linalg.eigvalsh(self.G + scale * np.diag(self.decay))
        return int((values > 1e-9 * values[-1]).sum())

    def gamma(self, scale=1.0):
        """k_l - alpha tr(D_l H^-1) of each layer."""
        spread = np.diag(self.inverse(scale)) * self.decay * scale
        return np.array(
            [mask.sum() - mask @ spread for mask in layer_masks(self.layout)]
        )


def dense(alpha=0.02, **how):
    """A small network at its starting point, and everything about it."""
    objective, params = make_stack(1, alpha=np.atleast_2d(alpha), **how)
    w = params[0]
    sample, loss = objective.samples[0], objective.loss
    J = differences(lambda v: forward(objective, v), w)
    L = loss_curvature(loss, sample.y, forward(objective, w))
    G = np.einsum("n,nop,nok,nkq->pq", sample.norm_weight, J, L, J)
    return Dense(objective, w, J, L, (G + G.T) / 2.0, objective.decay[0])


# The same in closed form, row by row: nothing here is the package's.
SLOPES = {
    "tanh": (np.tanh, lambda z: 1.0 / np.cosh(z) ** 2),
    "logistic": (lambda z: 1 / (1 + np.exp(-z)), lambda z: 0.25 / np.cosh(z / 2) ** 2),
    "relu": (lambda z: z * (z > 0.0), lambda z: 1.0 * (z > 0.0)),
}


def closed_form(net):
    """``net`` with its raw prediction, J, L and G by the chain rule."""
    X, name = net.sample.X, net.objective.network.activation.name
    units, phi, slope = net.layout.layer_units, *SLOPES[name]
    Ws, start = [], 0
    for layer in range(len(units) - 1):
        shape = units[layer] + 1, units[layer + 1]  # the bias last
        end = start + shape[0] * shape[1]
        Ws.append(net.w[start:end].reshape(shape))
        start = end
    raw, J = [], []
    for x in X.toarray() if hasattr(X, "toarray") else X:
        inputs, zs = [np.r_[x, 1.0]], []
        for W in Ws:
            zs.append(inputs[-1] @ W)
            inputs.append(np.r_[phi(zs[-1]), 1.0])
        delta, parts = np.eye(units[-1]), []
        for layer in range(len(Ws) - 1, -1, -1):
            parts.insert(0, [np.outer(inputs[layer], d).ravel() for d in delta])
            if layer:
                delta = delta @ Ws[layer][:-1].T * slope(zs[layer - 1])
        raw.append(zs[-1])
        J.append(np.concatenate(parts, axis=1))
    raw, J = np.array(raw), np.array(J)
    L = np.array([curvature_in_closed_form(net.loss_name, r) for r in raw])
    G, norm_weight = 0.0, net.sample.weight / net.sample.weight.sum()
    for s, j, of_row in zip(norm_weight, J, L):
        G = G + s * j.T @ of_row @ j
    return raw, Dense(net.objective, net.w, J, L, G, net.decay)


def curvature_in_closed_form(loss, raw):
    """d2l/draw2 of one row, (o, o)."""
    if loss == "squared_error":
        return np.eye(len(raw))
    if loss == "poisson":
        return np.diag(np.exp(raw))
    if loss == "binomial":
        return np.diag(0.25 / np.cosh(raw / 2.0) ** 2)
    p = np.exp(raw - raw.max()) / np.exp(raw - raw.max()).sum()
    rest = 1.0 - np.eye(len(p))
    return np.diag(p * (rest @ p)) - rest * np.outer(p, p)


def layer_masks(layout):
    """1 where a parameter is a weight of the layer: (n_weight_layers, P)."""
    layers = np.arange(layout.n_weight_layers)[:, np.newaxis]
    return (layout.layer_groups.index == layers) * 1.0


class Floored:
    """H of a `Dense` with a floor under hidden biases, by np.linalg.inv and slogdet.

    Their block, after the other parameters without decay are eliminated, has its
    eigenvalues raised. The common shift of softmax outputs, which nothing determines,
    is given the eigenvalue 1, that inverse and determinant are known to have.
    """

    def __init__(self, net, floor):
        self.net = net
        self.u = np.zeros(len(net.w))
        o = net.sample.y.shape[1]
        if net.loss_name == "multinomial":
            self.u[-o:] = o**-0.5  # output biases are the last parameters
        hidden = net.layout.hidden_biases > 0.0
        outer = (net.decay == 0.0) & ~hidden
        G = net.G + np.outer(self.u, self.u)
        C = G[np.ix_(hidden, outer)]
        inner = G[np.ix_(hidden, hidden)]
        inner = inner - C @ np.linalg.inv(G[np.ix_(outer, outer)]) @ C.T
        values, vectors = np.linalg.eigh(inner)
        raised = np.maximum(values, floor)
        self.G = G.copy()
        self.G[np.ix_(hidden, hidden)] += (vectors * (raised - values)) @ vectors.T
        n_outer = outer.sum() - self.u.any()
        self.below = (values < floor).sum()
        self.n_directions = n_outer + len(values) - self.below
        self.excess = self.below * np.log(floor)

    def inverse(self, scale=1.0):
        H = self.G + scale * np.diag(self.net.decay)
        return np.linalg.inv(H) - np.outer(self.u, self.u)

    def log_det(self, scale=1.0):
        """Without the directions below the floor."""
        H = self.G + scale * np.diag(self.net.decay)
        return np.linalg.slogdet(H)[1] - self.excess

    def gamma(self, scale=1.0):
        spread = scale * self.net.decay * np.diag(self.inverse(scale))
        used = layer_masks(self.net.layout) * (self.net.decay > 0.0)
        return np.array([mask @ (1.0 - spread) for mask in used])

    def n_free(self, scale=1.0):
        """What tr(H^-1 G) has beyond gamma."""
        fitted = np.trace(self.inverse(scale) @ self.net.G)
        return fitted - self.gamma(scale).sum()

    def agrees(self, curvature, factors, scales, rtol=1e-9):
        """Every verb of a curvature, at every scale; solve as far as rounding lets."""
        J, o = self.net.J, self.net.J.shape[1]
        C = np.eye(o) - self.u.any() / o  # common shifts of softmax are nothing
        keep = np.eye(len(self.u)) - np.outer(self.u, self.u)
        # With a part that no row of J has: H^-1 is not only that of the data.
        vector = keep @ np.random.default_rng(1).standard_normal(len(self.u))
        assert curvature.n_directions == self.n_directions
        spreads = curvature.covariances(factors, scales)
        solved = curvature.solve(vector, scales)
        for scale, spread, solution in zip(scales, spreads, solved):
            inverse = self.inverse(scale)
            gamma = curvature.n_effective(scale)
            assert_allclose(gamma, self.gamma(scale), rtol=rtol, atol=rtol)
            n_free = self.n_free(scale)
            assert_allclose(curvature.n_free(scale), n_free, rtol=rtol, atol=rtol)
            assert_allclose(curvature.log_det(scale), self.log_det(scale), rtol=rtol)
            expected = C @ np.einsum("nop,pq,nkq->nok", J, inverse, J) @ C
            near(C @ spread @ C, expected, rtol)
            condition = np.linalg.cond(self.G + scale * np.diag(self.net.decay))
            rounding = 200.0 * np.finfo(float).eps * condition
            near(keep @ solution, inverse @ vector, max(1e-12, rounding))


def closed(net):
    """`closed_form`, and the package's factors of the same rows."""
    raw, net = closed_form(net)
    X = row_block(net.sample.X, slice(None))
    found, factors = factors_of(net.objective.network, net.w, X)
    assert_allclose(found, raw, rtol=1e-12, atol=1e-13)
    return net, raw, factors


def near(found, expected, rtol):
    """Equal but for ``rtol`` times the largest entry."""
    assert_allclose(found, expected, rtol=0, atol=rtol * np.abs(expected).max())


def log_likelihood(loss, y, raw, noise):
    """ln p of every entry of y (of every row of one-hot y), (n,)."""
    if loss == "squared_error":
        return norm.logpdf(y, raw, noise**0.5).sum(axis=1)
    if loss == "poisson":
        return poisson.logpmf(y, np.exp(raw)).sum(axis=1)
    if loss == "binomial":
        return bernoulli.logpmf(y, 1.0 / (1.0 + np.exp(-raw))).sum(axis=1)
    return (y * (raw - logsumexp(raw, axis=1, keepdims=True))).sum(axis=1)


def evidence_of(net, raw, alpha):
    """gamma, dof, noise, ln evidence and new alpha, tied and by layer: MacKay 1992.

    ``net`` and ``raw`` in closed form. The prior of weights is N(0, noise / (n alpha)),
    that of the biases flat; each direction has a volume of root(2 pi / eigenvalue).
    """
    y, weight = net.sample.y, net.sample.weight
    n, count, masks = weight.sum(), weight.sum() * y.shape[1], layer_masks(net.layout)
    is_normal = net.loss_name == "squared_error"
    errors = weight @ (y - raw) ** 2
    variance = (weight @ (y - weight @ y / n) ** 2).sum() / count if is_normal else 1.0
    H = Floored(net, 2.0 * np.pi * variance / n)
    gamma, squares = H.gamma(), masks @ net.w**2
    dof = gamma.sum() + H.n_free()
    noise, assumed = np.ones(y.shape[1]), 1.0
    if is_normal:
        assert dof < 0.9 * count  # no bound is reached
        noise = errors * y.shape[1] / (count - dof)
        assumed = (errors.sum() + n * alpha @ squares) / (count - H.n_directions)
    precision = n / assumed * (alpha @ masks)[masks.any(axis=0)]
    value = weight @ log_likelihood(net.loss_name, y, raw, assumed)
    value += norm.logpdf(net.w[masks.any(axis=0)], 0.0, precision**-0.5).sum()
    n_directions = len(precision) + H.n_directions
    value += 0.5 * n_directions * np.log(2.0 * np.pi * assumed / n) - 0.5 * H.log_det()
    one_alpha = np.full(len(gamma), gamma.sum() / squares.sum() * noise.mean() / n)
    return gamma, dof, noise, value, one_alpha, gamma / squares * noise.mean() / n
