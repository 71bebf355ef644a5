"""The axis of alpha of a picture."""

from __future__ import annotations

import numpy as np

# Numbers on it, about.
MOST = 4


def scale_alphas(ax, all_alphas: np.ndarray, has_score: np.ndarray) -> None:
    """A logarithmic axis of the alphas that have a score; zero, which has no place
    there, below it."""
    alphas = all_alphas[has_score]
    positive = alphas[alphas > 0.0]
    if not len(positive):
        return
    low, high = positive.min(), positive.max()
    if len(positive) == len(alphas):
        ax.set_xscale("log")
        if not has_score.all():
            room = (high / low) ** 0.05 if high > low else 1.5
            ax.set_xlim(low / room, high * room)
        if high < 100.0 * low:
            ticks = _round_numbers(low, high)
            ax.set_xticks(ticks, [f"{alpha:.3g}" for alpha in ticks])
            ax.minorticks_off()
        return
    room = max(0.5, 0.2 * np.log10(high / low))
    ax.set_xscale("symlog", linthresh=low, linscale=room)
    first, last = np.ceil(np.log10(low)), np.floor(np.log10(high))
    powers = np.arange(first, last + 1.0, max(1.0, np.ceil((last - first) / MOST)))
    ax.set_xticks([0.0, *10.0**powers])
    ax.set_xlim(-0.3 * low, high * (high / low) ** 0.05)


def _round_numbers(low: float, high: float) -> list[float]:
    """A few of 1, 2, 5 and the like times powers of ten, between two numbers."""
    first, last = int(np.floor(np.log10(low))), int(np.ceil(np.log10(high)))
    for digits in ((1,), (1, 3), (1, 2, 5), range(1, 10)):
        all_of_them = [
            float(f"{d}e{k}") for k in range(first, last + 1) for d in digits
        ]
        found = [x for x in all_of_them if low * (1 - 1e-9) <= x <= high * (1 + 1e-9)]
        if len(found) > 2:
            break
    return found[:: -(-len(found) // MOST)] if len(found) > 1 else sorted({low, high})
