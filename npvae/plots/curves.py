"""How a training went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from npvae.plots.canvas import figure_or_new, require_matplotlib

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["learning_curves"]

COLUMNS = ("epoch", "loss", "reconstruction", "kl")
COLOURS = {"loss": "black", "reconstruction": "tab:blue", "kl": "tab:orange"}
FEW_EPOCHS = 20
"""Up to so many epochs are marked as points: a line through one point is not seen."""


def learning_curves(
    history: Mapping[str, Sequence[float]],
    figure: Figure | None = None,
    reconstruction_label: str = "reconstruction",
) -> Figure:
    """Draw the loss and its two terms by epoch, in nats per datum.

    The loss and its reconstruction term share the upper panel; the KL term, an order of magnitude smaller, has the
    lower one. Training is solid, held-out data dashed.

    Parameters
    ----------
    history : mapping of str to sequence of float
        Columns "epoch", "loss", "reconstruction" and "kl"; where there were held-out data, "val_loss",
        "val_reconstruction" and "val_kl". NaN where an epoch has no number.
    figure : matplotlib Figure, optional
        An empty one to draw into; without it, a new one.
    reconstruction_label : str
        What the reconstruction term is, for example "cross-entropy" when grey values met a Bernoulli likelihood.

    Returns
    -------
    matplotlib Figure
        Its axes are the upper and the lower panel.
    """
    columns = _columns(history)
    figure = figure_or_new(figure)
    upper, lower = figure.subplots(2, sharex=True, height_ratios=(3, 2))
    labels = {"loss": "loss", "reconstruction": reconstruction_label, "kl": "KL"}
    for ax, terms in (upper, ("loss", "reconstruction")), (lower, ("kl",)):
        for term in terms:
            _draw(ax, columns["epoch"], columns[term], f"{labels[term]}, training", COLOURS[term], "-")
            if f"val_{term}" in columns:
                _draw(ax, columns["epoch"], columns[f"val_{term}"], f"{labels[term]}, held-out", COLOURS[term], "--")
        ax.set_ylabel("nats per datum")
        ax.legend(frameon=False)
        ax.spines[["top", "right"]].set_visible(False)
    lower.set_xlabel("epoch")
    lower.xaxis.set_major_locator(
        require_matplotlib().ticker.MaxNLocator(integer=True, steps=[1, 2, 5, 10], min_n_ticks=1)
    )
    return figure


def _columns(history: Mapping[str, Sequence[float]]) -> dict[str, np.ndarray]:
    if missing := [name for name in COLUMNS if name not in history]:
        raise ValueError(f"history must have the columns {', '.join(COLUMNS)}, it lacks {', '.join(missing)}")
    names = (*COLUMNS, *(f"val_{term}" for term in COLUMNS[1:]))
    columns = {name: np.asarray(history[name], dtype=np.float64) for name in names if name in history}
    n_epochs = columns["epoch"].size
    if n_epochs == 0:
        raise ValueError("history must have at least one epoch, got none")
    for name, values in columns.items():
        if values.shape != (n_epochs,):
            raise ValueError(f"history[{name!r}] must have {n_epochs} entries, one for each epoch, got {values.shape}")
    return columns


def _draw(ax: Axes, epoch: np.ndarray, values: np.ndarray, label: str, colour: str, line: str) -> None:
    there = np.isfinite(values)
    marker = "." if there.sum() <= FEW_EPOCHS else ""
    if there.any():
        ax.plot(epoch[there], values[there], line, color=colour, label=label, marker=marker, linewidth=1.2)
