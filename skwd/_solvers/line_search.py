"""One step of a line search for each of K networks: accept the trial, or narrow.

An end of a bracket is a row (step, J, slope): ``low`` (k, 3) is the end of lowest J so
far, the slope at it pointing towards ``high`` (k, 3), whose step is inf while there is
no other end. The search and its constants are SciPy's L-BFGS-B's in spirit (strong
Wolfe, cubic interpolation); it is written as one step so that L-BFGS can run many of
them in one loop.
"""

from __future__ import annotations

import numpy as np

from skwd._core.arrays import all_true, any_true

# Strong Wolfe constants (Nocedal and Wright 2006, eq. 3.7), as in SciPy's L-BFGS-B.
SUFFICIENT_DECREASE = 1e-3
CURVATURE = 0.9
MAX_TRIALS = 20
# After this many trials a kink (ReLU) may be why no point is strong Wolfe: the weak
# conditions are met beyond it (Lewis and Overton 2013) and give positive curvature too.
STRONG_TRIALS = 4
# Decreases below this multiple of the machine epsilon cannot be told from rounding;
# there the slope alone decides (Hager and Zhang 2005, eq. 4.1).
NOISE = 10.0


def are_wolfe(
    step: np.ndarray,
    fun: np.ndarray,
    slope: np.ndarray,
    fun0: np.ndarray,
    slope0: np.ndarray,
    n_trials: np.ndarray,
    eps: float,
) -> np.ndarray:
    """Which trials end their search from (0, ``fun0``, ``slope0``); all (K,)."""
    decrease = SUFFICIENT_DECREASE * step * slope0
    good = fun <= fun0 + decrease
    if not all_true(good):
        # Hager and Zhang's approximate conditions, where J itself is all rounding.
        noise = NOISE * eps * np.abs(fun0)
        level = (fun <= fun0 + noise) & (np.abs(decrease) <= noise)
        good |= level & (slope <= (2.0 * SUFFICIENT_DECREASE - 1.0) * slope0)
    flat = CURVATURE * slope0
    good &= slope >= flat  # false for a slope that is not a number
    overshot = slope > -flat
    if any_true(overshot):
        good &= ~overshot | (n_trials > STRONG_TRIALS)
    return good


def narrow(
    step: np.ndarray,
    fun: np.ndarray,
    slope: np.ndarray,
    fun0: np.ndarray,
    slope0: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    n_trials: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The bracket (low, high) after a trial that was not accepted, and the next step.

    Nocedal and Wright 2006, algorithms 3.5 and 3.6. The bracket (k, 3), all else (k,).
    """
    trial = np.column_stack([step, fun, slope])
    # Not (a <= b) rather than a > b: a trial that is not finite is too high as well.
    too_high = ~(fun <= fun0 + SUFFICIENT_DECREASE * step * slope0)
    too_high |= ~(fun < low[:, 1])
    turned = ~too_high & (slope * (high[:, 0] - low[:, 0]) >= 0.0)
    new_high = np.where(too_high[:, None], trial, np.where(turned[:, None], low, high))
    new_low = np.where(too_high[:, None], low, trial)

    open_end = np.isinf(new_high[:, 0])
    width = np.where(open_end, 0.0, new_high[:, 0] - new_low[:, 0])
    # Beyond the trial: where the cubic says, at least 1.1 and at most 4 strides on.
    stride = step - low[:, 0]
    ahead = _cubic(low, trial)
    ahead = np.where(np.isfinite(ahead) & (ahead > step), ahead, np.inf)
    ahead = np.clip(ahead, step + 1.1 * stride, step + 4.0 * stride)
    # Within the bracket: the cubic's minimum, kept off both ends; after half of the
    # trials, halving.
    inside = (_cubic(new_low, new_high) - new_low[:, 0]) / width
    usable = np.isfinite(inside) & (n_trials <= MAX_TRIALS // 2)
    inside = np.clip(np.where(usable, inside, 0.5), 0.1, 0.9)
    # A trial that is not finite tells nothing but "far too long".
    inside = np.where(np.isfinite(fun), inside, 0.1)
    next_step = np.where(open_end, ahead, new_low[:, 0] + inside * width)
    return new_low, new_high, next_step


def _cubic(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The minimiser of the cubic through two (step, J, slope) (eq. 3.59)."""
    distance = b[:, 0] - a[:, 0]
    d1 = a[:, 2] + b[:, 2] - 3.0 * (b[:, 1] - a[:, 1]) / distance
    d2 = np.sign(distance) * np.sqrt(d1 * d1 - a[:, 2] * b[:, 2])
    return b[:, 0] - distance * (b[:, 2] + d2 - d1) / (b[:, 2] - a[:, 2] + 2.0 * d2)
