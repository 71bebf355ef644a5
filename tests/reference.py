"""A plain reference: one network, one row at a time, no cleverness.

Written from the formulas alone; it shares no code with the package.
"""

import math

import numpy as np


def phi(name, z):
    """The hidden activation of one number."""
    if name == "identity":
        return z
    if name == "logistic":
        return 1.0 / (1.0 + math.exp(-z))
    if name == "tanh":
        return math.tanh(z)
    if name == "relu":
        return max(z, 0.0)
    if name == "leaky_relu":
        return z if z > 0 else 0.01 * z
    if name == "elu":
        return z if z > 0 else math.expm1(z)
    if name == "selu":
        scale, alpha = 1.0507009873554805, 1.6732632423543772
        return scale * z if z > 0 else scale * alpha * math.expm1(z)
    if name == "silu":
        return z / (1.0 + math.exp(-z))
    if name == "gelu":
        return 0.5 * z * (1.0 + math.erf(z / math.sqrt(2.0)))
    if name == "softplus":
        return math.log1p(math.exp(-abs(z))) + max(z, 0.0)
    raise ValueError(name)


def layers(Ws, bs, activation, x):
    """The activations of every layer for one row, the raw prediction last."""
    out, a = [], np.asarray(x, dtype=float)
    for depth, (W, b) in enumerate(zip(Ws, bs)):
        z = [sum(a[i] * W[i][j] for i in range(len(a))) + b[j] for j in range(len(b))]
        a = z if depth == len(Ws) - 1 else [phi(activation, v) for v in z]
        out.append(np.array(a))
    return out


def loss(name, y, raw):
    """The loss of one row, summed over outputs; y one-hot for the multinomial."""
    total = 0.0
    if name == "multinomial":
        highest = max(raw)
        log_sum = highest + math.log(sum(math.exp(r - highest) for r in raw))
        return sum(t * (log_sum - r) for t, r in zip(y, raw))
    for t, r in zip(y, raw):
        if name == "squared_error":
            total += 0.5 * (t - r) ** 2
        elif name == "poisson":
            mu = math.exp(r)
            total += mu - t + (t * math.log(t / mu) if t > 0 else 0.0)
        elif name == "binomial":
            p = 1.0 / (1.0 + math.exp(-r))
            total -= t * math.log(p) + (1 - t) * math.log(1 - p)
    return total


def objective(Ws, bs, activation, loss_name, X, Y, weight, alphas):
    """J of one network."""
    data = 0.0
    for x, y, s in zip(X, Y, weight):
        data += s * loss(loss_name, y, layers(Ws, bs, activation, x)[-1])
    penalty = sum(0.5 * a * sum(w * w for w in W.ravel()) for a, W in zip(alphas, Ws))
    return data / sum(weight) + penalty
