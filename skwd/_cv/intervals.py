"""Intervals by CV+, from the networks of folds and the residuals of left-out rows.

With K folds, f_k the network that has not seen fold k, k(i) the fold of row i and
R_i = |y_i - f_k(i)(x_i)|, the interval at x of coverage 1 - a runs

    from the floor(a (n + 1))       smallest of  f_k(i)(x) - R_i
    to   the ceil((1 - a) (n + 1))  smallest of  f_k(i)(x) + R_i .

For exchangeable rows it covers at least 1 - 2 a - sqrt(2 / n), and about 1 - a in
practice. Barber, Candes, Ramdas and Tibshirani, "Predictive inference with the
jackknife+", Annals of Statistics 2021, Theorem 4.

With a deviation s that depends on x it is f_k(i)(x) -+ R_i s(x), with R_i = |r_i| / s_i
and s_i what networks without its fold, of the mean and of rho, give row i. The
guarantee is that of s_k(i)(x) by such networks, each with a choice of its own; s(x), by
the networks of all rows, stands for it, and with it coverage is about 1 - a.
"""

from __future__ import annotations

import numpy as np

# Numbers that are held at a time, rows to predict times rows seen.
BLOCK = 1 << 22


def check_folds(tests: list[np.ndarray], counted: np.ndarray, given: str) -> None:
    """Raise unless each row that is ``counted`` is left out by exactly one fold."""
    times = np.bincount(np.concatenate(tests), minlength=int(counted.max()) + 1)
    wrong = counted[times[counted] != 1]
    if len(wrong):
        raise ValueError(
            f"{given}: intervals, sets and noise='varying' need folds that leave out "
            f"every row exactly once; row {wrong[0]} is left out by "
            f"{times[wrong[0]]}. Use KFold, or GroupKFold for rows that belong "
            "together."
        )


def ranks(n_rows: int, coverage: float) -> tuple[int, int]:
    """The ranks, from 1, of both ends; outside 1 ... n_rows an end is infinite.

    The numbers are rounded first, so that .9 times 10 is 9 and not a digit above it.
    """
    low = np.floor(round((1.0 - coverage) * (n_rows + 1), 9))
    high = np.ceil(round(coverage * (n_rows + 1), 9))
    return int(low), int(high)


def are_within(n_rows: int, coverage: float) -> bool:
    """Whether there are rows enough for both ends."""
    low, high = ranks(n_rows, coverage)
    return 1 <= low and high <= n_rows


def interval(
    predictions: np.ndarray,
    fold: np.ndarray,
    residuals: np.ndarray,
    coverage: float,
    scale: np.ndarray | None = None,
) -> np.ndarray:
    """Both ends for some new rows, (m, 2).

    Parameters
    ----------
    predictions : ndarray (K, m)
        Of the new rows, by the network without each fold.
    fold : ndarray of int (n,)
        The fold of each row seen.
    residuals : ndarray (n,)
        How far off each row was, when its fold was left out.
    coverage : float
    scale : ndarray (m,), optional
        What the residuals are multiplied by at each new row, where they are in units.
    """
    n_rows, n_new = len(fold), predictions.shape[1]
    low, high = ranks(n_rows, coverage)
    ends = np.empty((n_new, 2))
    ends[:, 0], ends[:, 1] = -np.inf, np.inf
    step = max(1, BLOCK // n_rows)
    for start in range(0, n_new, step):
        block = slice(start, start + step)
        centres = predictions[:, block].T[:, fold]  # (b, n)
        off = residuals
        if scale is not None:
            off = residuals * scale[block, np.newaxis]
        if 1 <= low <= n_rows:
            part = np.partition(centres - off, low - 1, axis=1)
            ends[block, 0] = part[:, low - 1]
        if 1 <= high <= n_rows:
            part = np.partition(centres + off, high - 1, axis=1)
            ends[block, 1] = part[:, high - 1]
    return np.sort(ends, axis=1)  # at low coverages they may have crossed
