"""The steps of the epoch loop: how parameters move, given the gradient of the loss.

The one seam where alpha enters a step is the `Decay`: an update hands it the weights
and the gradient of the loss *without* the penalty, before the moments see it. Steps are
lists of calls (see `network`), written down once and made at each batch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skwd._core.network import Call

# Parameters per visit: the weights, gradient, moments and decay of so many parameters
# stay in the cache through all operations of a step. Changes no bit.
VISIT = 1 << 14
# The smallest epsilon of Adam, a positive number in float32 too.
TINY = float(np.finfo(np.float32).tiny)


class CoupledDecay:
    """decay="l2": g <- g + alpha w, the gradient of J."""

    minimises_J = True
    carries = False

    def default_alpha(self, c: float, n: float) -> float:
        """alpha=None, for c of the loss and n rows: the same prior for every n."""
        return c / n

    def factor(self, alpha: np.ndarray, rate: np.ndarray, out: np.ndarray) -> None:
        """What `calls` multiplies by: ``alpha`` (K, P), zero for biases."""
        out[:] = alpha

    def calls(self, w, g, factor, scratch, carry) -> list[Call]:
        return [(np.multiply, (w, factor, scratch)), (np.add, (g, scratch, g))]


class DecoupledDecay:
    """decay="decoupled": w <- (1 - rate alpha) w (Loshchilov and Hutter 2019).

    In the form of PyTorch's AdamW, with alpha times the learning rate of the epoch. In
    float32 what a step takes off may be less than the weight's last digit: there the
    rounding is carried from step to step (Kahan 1965), so that nothing is lost.
    """

    minimises_J = False
    carries = True

    def default_alpha(self, c: float, n: float) -> float:
        """alpha=None: AdamW's default, as no prior says how much a step decays."""
        return 1e-2

    def factor(self, alpha: np.ndarray, rate: np.ndarray, out: np.ndarray) -> None:
        """rate_k alpha_kp: (K, P)."""
        out[:] = rate[:, np.newaxis] * alpha

    def calls(self, w, g, factor, scratch, carry) -> list[Call]:
        taken = np.multiply, (w, factor, scratch)
        if carry is None:
            return [taken, (np.subtract, (w, scratch, w))]
        return [
            taken,
            (np.subtract, (carry, scratch, carry)),
            (np.add, (w, carry, scratch)),  # the new w
            (np.subtract, (w, scratch, w)),
            (np.add, (carry, w, carry)),  # what rounding has left out of it
            (np.copyto, (w, scratch)),
        ]


Decay = CoupledDecay | DecoupledDecay
DECAYS: dict[str, Decay] = {"l2": CoupledDecay(), "decoupled": DecoupledDecay()}


@dataclass(frozen=True)
class SGD:
    """v <- momentum v + g, then w <- w - rate v.

    With Nesterov's momentum w <- w - rate (g + momentum v). PyTorch's convention: the
    rate is outside the velocity. Without momentum it is plain gradient descent.
    """

    momentum: float = 0.0
    nesterov: bool = False
    decay: Decay = DECAYS["l2"]

    n_coefficients = 1

    @property
    def n_moments(self) -> int:
        return int(self.momentum > 0)

    def coefficients(self, first_step: int, n_steps: int, rate) -> np.ndarray:
        """What changes from step to step: (n_steps, 1, ...) for ``rate`` (...)."""
        return np.broadcast_to(rate, (n_steps, 1, *np.shape(rate)))

    def calls(self, w, g, factor, scratch, carry, moments, coefficients) -> list[Call]:
        """One step in place; ``g`` is used up."""
        (rate,) = coefficients
        calls, direction = self.decay.calls(w, g, factor, scratch, carry), g
        if moments:
            (v,), momentum = moments, np.asarray(self.momentum, dtype=w.dtype)
            calls += [(np.multiply, (v, momentum, v)), (np.add, (v, g, v))]
            if self.nesterov:
                calls += [
                    (np.multiply, (v, momentum, scratch)),
                    (np.add, (g, scratch, g)),
                ]
            else:
                direction = v
        return [
            *calls,
            (np.multiply, (direction, rate, scratch)),
            (np.subtract, (w, scratch, w)),
        ]


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma and Ba 2015), epsilon outside the root and after bias correction::

        m <- beta_1 m + (1 - beta_1) g;   v <- beta_2 v + (1 - beta_2) g^2
        w <- w - rate m_hat / (sqrt(v_hat) + epsilon)
        m_hat = m / (1 - beta_1^t),  v_hat = v / (1 - beta_2^t)

    PyTorch's rule. The moments are kept as m / (1 - beta_1) and v / (1 - beta_2), which
    spares two passes; the factors join the scalars of the last line.
    """

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    decay: Decay = DECAYS["l2"]

    n_coefficients = 2
    n_moments = 2

    def coefficients(self, first_step: int, n_steps: int, rate) -> np.ndarray:
        """(size, epsilon) of w <- w - size m / (sqrt(v) + epsilon), (n_steps, 2, ...).

        ``rate`` has the shape (...).
        """
        t = np.arange(first_step + 1, first_step + n_steps + 1)
        t = t.reshape(-1, *[1] * np.ndim(rate))
        root = np.sqrt((1.0 - self.beta_2**t) / (1.0 - self.beta_2))
        rate = (1.0 - self.beta_1) * rate
        out = np.empty((n_steps, 2, *np.shape(rate)))
        np.multiply(rate / (1.0 - self.beta_1**t), root, out=out[:, 0])
        # In float32 a tiny epsilon must not become 0: a weight may have no gradient.
        np.multiply(max(self.epsilon, TINY), root, out=out[:, 1])
        return out

    def calls(self, w, g, factor, scratch, carry, moments, coefficients) -> list[Call]:
        """One step in place; ``g`` is used up."""
        (m, v), (size, epsilon) = moments, coefficients
        beta_1, beta_2 = (
            np.asarray(b, dtype=w.dtype) for b in (self.beta_1, self.beta_2)
        )
        return [
            *self.decay.calls(w, g, factor, scratch, carry),
            (np.multiply, (m, beta_1, m)),
            (np.add, (m, g, m)),
            (np.multiply, (g, g, g)),
            (np.multiply, (v, beta_2, v)),
            (np.add, (v, g, v)),
            (np.sqrt, (v, g)),
            (np.add, (g, epsilon, g)),
            (np.divide, (m, g, g)),
            (np.multiply, (g, size, g)),
            (np.subtract, (w, g, w)),
        ]


Update = SGD | Adam


def step_calls(
    update: Update, params, grad, factor, carry, moments: list, coefficients: np.ndarray
) -> list[Call]:
    """One step of ``params`` (K, P) in place, part by part; all arrays are alike.

    ``carry`` is None where the decay needs none.
    ``coefficients`` are read at each step: (n_coefficients,) where all networks have
    the same, or (n_coefficients, K, 1).
    """
    carried = [] if carry is None else [carry]
    arrays = [params, grad, factor, *carried, *moments]
    if coefficients.ndim == 1:
        arrays = [array.reshape(-1) for array in arrays]
    width = max(1, VISIT // (arrays[0].size // arrays[0].shape[-1]))
    rows = [coefficients[i, ...] for i in range(len(coefficients))]  # () or (K, 1)
    scratch = np.empty_like(arrays[0][..., :width])
    calls: list[Call] = []
    for start in range(0, arrays[0].shape[-1], width):
        parts = [array[..., start : start + width] for array in arrays]
        w, g, decay, *moments = parts
        spare, lost = scratch[..., : w.shape[-1]], None
        if carried:
            lost, *moments = moments
        calls += update.calls(w, g, decay, spare, lost, moments, rows)
    return calls


SCHEDULES = ("constant", "invscaling", "adaptive", "cosine")


@dataclass(frozen=True)
class Schedule:
    """The learning rate of each epoch, counted from 0.

    "constant" ``initial``; "invscaling" ``initial / (epoch + 1) ** power``; "cosine"
    ``initial (1 + cos(pi epoch / horizon)) / 2`` (Loshchilov and Hutter 2017, eq. 5,
    without restarts), its last value kept from then on; "adaptive" ``initial``, divided
    by 5 each time that patience has run out, until it is at most 1e-6.
    """

    kind: str
    initial: float
    power: float = 0.5
    horizon: int = 1

    DIVISOR = 5.0
    LOWEST = 1e-6

    def rates(self, epoch: int, current: np.ndarray) -> np.ndarray:
        """The rate of each network in this epoch, (K,); ``current`` is adaptive's."""
        if self.kind == "adaptive":
            return current
        factor = 1.0
        if self.kind == "invscaling":
            factor = (epoch + 1) ** -self.power
        if self.kind == "cosine":
            part = min(epoch, self.horizon - 1) / self.horizon
            factor = (1.0 + np.cos(np.pi * part)) / 2.0
        return np.full_like(current, self.initial * factor)

    def lower(self, tired: np.ndarray, current: np.ndarray) -> np.ndarray:
        """Lower adaptive rates in place where patience ran out; where it did, (K,)."""
        lowered = tired & (current > self.LOWEST) & (self.kind == "adaptive")
        current[lowered] /= self.DIVISOR
        return lowered
