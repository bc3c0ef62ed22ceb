"""Where a picture is drawn, outside pyplot, and how it becomes a file."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from npvae.files import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 150
"""Dots per inch of a saved picture."""

METADATA: dict[str, dict[str, None]] = {
    ".png": {"Software": None},
    ".svg": {"Creator": None, "Date": None},
    ".pdf": {"Creator": None, "Producer": None, "CreationDate": None},
}
"""What each format would say of the day and the program; left out, so that one picture always makes the same file."""


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


@cache
def _shown_figures() -> type[Figure]:
    """The class of figures that a notebook shows, whether or not pyplot has been imported."""

    class ShownFigure(require_matplotlib().figure.Figure):
        def _repr_png_(self) -> bytes:
            return _small_png(_drawn(self, ".png", DPI))

    return ShownFigure


def new_figure(**how: Any) -> Figure:
    """A figure that pyplot does not keep and that a notebook shows; `how` goes to matplotlib."""
    return _shown_figures()(dpi=DPI, **how)


def figure_or_new(figure: Figure | None) -> Figure:
    """`figure`, or a new one that pyplot does not keep."""
    mpl = require_matplotlib()
    if figure is None:
        return new_figure(figsize=(6, 5), layout="constrained")
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


TITLE = 0.36
"""Inches that a title takes above a picture whose axes fill it: a whole number of dots."""


def titled(picture: Figure | Axes, title: str) -> Figure | Axes:
    """The picture with a title above all of it, such as the model and its data; images keep their dots."""
    figure = picture.figure if isinstance(picture, require_matplotlib().axes.Axes) else picture
    if figure.get_layout_engine() is None:  # the axes lie where they are: the figure grows
        width, height = figure.get_size_inches()
        shrunk = height / (height + TITLE)
        places = [ax.get_position(original=True).bounds for ax in figure.axes]
        figure.set_size_inches(width, height + TITLE)
        for ax, (left, bottom, across, up) in zip(figure.axes, places, strict=True):
            ax.set_position((left, bottom * shrunk, across, up * shrunk))
        middle = 1 - TITLE / 2 / (height + TITLE)
        figure.suptitle(title, y=middle, va="center", fontsize=min(12, 100 * width / len(title)))
    else:
        figure.suptitle(title)
    return picture


def save(picture: Figure | Axes, path: str | Path, dpi: int = DPI) -> None:
    """Write a figure, or the figure of some axes; an older file at `path` is replaced in one move.

    Parameters
    ----------
    path : str or path
        Ends in .png, .svg or .pdf, which says the format. A PNG has at most 256 colours, so it takes a third of the
        room; a grey picture loses nothing by it, the others little.
    dpi : int
        Dots per inch of a PNG, and of points and images within the others.

    Raises
    ------
    ValueError
        If `path` has another ending.
    TypeError
        If `picture` is neither figure nor axes.
    """
    mpl = require_matplotlib()
    ending = Path(path).suffix.lower()
    if ending not in METADATA:
        raise ValueError(f"path must end in {', '.join(METADATA)}, got {str(path)!r}")
    figure = picture.figure if isinstance(picture, mpl.axes.Axes) else picture
    if not isinstance(figure, mpl.figure.FigureBase):
        raise TypeError(f"picture must be a matplotlib figure or axes, got {type(picture).__name__}")
    drawn = _drawn(figure, ending, dpi)
    with replacing(path) as temporary:
        temporary.write_bytes(_small_png(drawn) if ending == ".png" else drawn.getvalue())


def _drawn(figure: Figure, ending: str, dpi: int) -> io.BytesIO:
    drawn = io.BytesIO()
    # The identifiers inside an SVG are random without a salt.
    with require_matplotlib().rc_context({"svg.hashsalt": "npvae"}):
        figure.canvas.figure.savefig(drawn, format=ending[1:], dpi=dpi, metadata=METADATA[ending])
    return drawn


def _small_png(drawn: io.BytesIO) -> bytes:
    from PIL import Image  # matplotlib writes its own PNG files with it

    image = Image.open(drawn)
    rgba = np.asarray(image)
    if rgba[..., 3].min() < 255:
        return drawn.getvalue()  # a palette would lose what is transparent
    if (rgba[..., :3] == rgba[..., :1]).all():
        few = image.getchannel("R")
    else:
        # This way to choose the colours keeps each of them apart; others have the most frequent ones exact.
        few = image.convert("RGB").quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    small = io.BytesIO()
    few.save(small, format="png", optimize=True, dpi=image.info["dpi"])
    return small.getvalue()
