"""matplotlib, imported when a picture is drawn: it is an optional extra."""

from __future__ import annotations


def axes_of(ax, who: str, **figure_kw):
    """The axes to draw on: those given, or new ones; raises without matplotlib."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(f"{who} needs matplotlib: pip install matplotlib.") from error
    if ax is None:
        _, ax = plt.subplots(layout="constrained", **figure_kw)
    return ax
