"""Where a picture is drawn: the axes that were given, or new ones outside pyplot."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["DPI", "axes_or_new", "exact_axes", "figure_or_new", "require_matplotlib"]

DPI = 100
"""Dots per inch of a saved picture."""


def require_matplotlib() -> ModuleType:
    """Import matplotlib with the parts that draw here; where it is missing, the error says how to get it."""
    try:
        import matplotlib.axes
        import matplotlib.figure
        import matplotlib.lines
        import matplotlib.ticker
    except ImportError as error:
        raise ImportError('plots need matplotlib: pip install "npvae[plots]"') from error
    return matplotlib


def figure_or_new(figure: Figure | None) -> Figure:
    """`figure`, or a new one that pyplot does not keep."""
    mpl = require_matplotlib()
    if figure is None:
        return mpl.figure.Figure(figsize=(6, 5), layout="constrained")
    if not isinstance(figure, mpl.figure.FigureBase):
        raise TypeError(f"figure must be a matplotlib figure, got {type(figure).__name__}")
    return figure


def axes_or_new(ax: Axes | None) -> Axes:
    """`ax`, or the axes of a new figure."""
    mpl = require_matplotlib()
    if ax is None:
        return figure_or_new(None).subplots()
    if not isinstance(ax, mpl.axes.Axes):
        raise TypeError(f"ax must be matplotlib axes, got {type(ax).__name__}")
    return ax


def exact_axes(shape: tuple[int, ...], dots: int, margins: tuple[float, float, float]) -> Axes:
    """Axes of a new figure in which an array of `shape` (h, w) takes a square of `dots`² for each of its pixels.

    So none is blurred where the figure is saved with DPI dots per inch, or a multiple of it. The `margins` are left,
    below and above, in inches.
    """
    height, width = (dots * pixels / DPI for pixels in shape)
    left, below, above = margins
    size = (left + width + 0.05, below + height + above)
    figure = require_matplotlib().figure.Figure(figsize=size)
    return figure.add_axes((left / size[0], below / size[1], width / size[0], height / size[1]))
