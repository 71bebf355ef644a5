"""matplotlib, imported when a picture is drawn: it is an optional extra."""

from __future__ import annotations

from skwd._estimators.rules import is_count


def axes_of(ax, who: str, **figure_kw):
    """The axes to draw on: those given, or new ones; raises without matplotlib."""
    plt = _pyplot(who)
    if ax is None:
        _, ax = plt.subplots(layout="constrained", **figure_kw)
    return ax


def figure_of(who: str, n_down: int, n_across: int, size: tuple[float, float]):
    """A new figure and its axes, row by row; raises without matplotlib."""
    figure, axes = _pyplot(who).subplots(
        n_down, n_across, figsize=size, layout="constrained", squeeze=False
    )
    return figure, axes.ravel()


def name_dates(axis) -> None:
    """Label an axis of dates without saying the year at each of them."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=2, maxticks=5)
    axis.set_major_locator(locator)
    axis.set_major_formatter(ConciseDateFormatter(locator))


def plain_powers(axis) -> None:
    """Label a logarithmic axis with plain numbers: 0.6, not 6 times a power of ten."""
    from matplotlib.ticker import LogFormatter

    class Plain(LogFormatter):
        def __call__(self, x, pos=None):
            return f"{x:g}" if super().__call__(x, pos) else ""

    axis.set_major_formatter(Plain())
    axis.set_minor_formatter(Plain(labelOnlyBase=False, minor_thresholds=(2.0, 0.5)))


def check_max_columns(max_columns, *, default: int) -> None:
    """Raise unless there is a column to draw."""
    if not is_count(max_columns):
        raise ValueError(
            f"max_columns must be an integer >= 1; got {max_columns!r}. Use "
            f"max_columns={default}, the default."
        )


def full_names(line_kw, split_kw, band_kw) -> tuple:
    """matplotlib's keywords by their full names."""
    from matplotlib.cbook import normalize_kwargs
    from matplotlib.collections import PolyCollection
    from matplotlib.lines import Line2D

    lines = [normalize_kwargs(kw, Line2D) for kw in (line_kw, split_kw)]
    return *lines, normalize_kwargs(band_kw, PolyCollection)


def _pyplot(who: str):
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(f"{who} needs matplotlib: pip install matplotlib.") from error
    return plt
