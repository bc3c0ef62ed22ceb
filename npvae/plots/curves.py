"""How a training went, and how wrong a numeric derivative is, by the step it is taken with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from npvae.plots.canvas import axes_or_new, figure_or_new, require_matplotlib

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = ("epoch", "loss", "reconstruction", "kl")
OPTIONAL = (*(f"val_{term}" for term in COLUMNS[1:]), "beta")
COLOURS = {"loss": "black", "reconstruction": "tab:blue", "kl": "tab:orange"}
FEW_EPOCHS = 20
"""Up to so many epochs are marked as points: a line through one point is not seen."""

METHODS = {
    "forward": ("forward difference", "tab:orange"),
    "central": ("central difference", "tab:blue"),
    "richardson": ("Richardson, two central differences", "tab:green"),
    "complex": ("complex step", "silver"),
}
"""Label and colour of each way to a derivative."""

FLOOR = 2.0**-54
"""Half a unit in the last place: where an error of exactly zero is drawn."""


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
        "val_reconstruction" and "val_kl"; where β was annealed, "beta". NaN where an epoch has no number.
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
            for name, data, line in (term, "training", "-"), (f"val_{term}", "held-out", "--"):
                values = columns.get(name, np.empty(0))
                there = np.flatnonzero(np.isfinite(values))
                if len(there):
                    marker = "." if len(there) <= FEW_EPOCHS else ""
                    style = {"color": COLOURS[term], "marker": marker, "linewidth": 1.2}
                    ax.plot(columns["epoch"][there], values[there], line, label=f"{labels[term]}, {data}", **style)
        _finish(ax, "", "nats per datum")
    if "beta" in columns:
        right = lower.twinx()
        right.plot(columns["epoch"], columns["beta"], color="silver", linestyle=":")
        right.set_ylabel("β, mean of the epoch (dotted)")
        right.spines["top"].set_visible(False)
    lower.set_xlabel("epoch")
    locator = require_matplotlib().ticker.MaxNLocator
    lower.xaxis.set_major_locator(locator(integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))
    return figure


def _columns(history: Mapping[str, Sequence[float]]) -> dict[str, np.ndarray]:
    if missing := [name for name in COLUMNS if name not in history]:
        raise ValueError(f"history must have the columns {', '.join(COLUMNS)}, it lacks {', '.join(missing)}")
    names = (name for name in (*COLUMNS, *OPTIONAL) if name in history)
    columns = {name: np.asarray(history[name], dtype=np.float64) for name in names}
    n_epochs = columns["epoch"].size
    if n_epochs == 0:
        raise ValueError("history must have at least one epoch, got none")
    for name, values in columns.items():
        if values.shape != (n_epochs,):
            raise ValueError(f"history[{name!r}] must have {n_epochs} entries, one for each epoch, got {values.shape}")
    return columns


def _finish(ax: Axes, x: str, y: str) -> None:
    ax.set(xlabel=x, ylabel=y)
    ax.legend(frameon=False)
    ax.spines[["top", "right"]].set_visible(False)


def step_curve(curve: Mapping[str, ArrayLike], ax: Axes | None = None) -> Axes:
    """Draw error against step size on logarithmic axes: the V of each difference, the flat line of the complex step.

    Parameters
    ----------
    curve : mapping of str to (k,) array
        From `npvae.gradcheck.second_order.step_curve`: "step", and the relative errors of any of "forward", "central",
        "richardson" and "complex".
        A ValueError if there is no "step", or no error beside it.
    ax : matplotlib Axes, optional
        Those returned; without it, of a new figure.
    """
    methods = [name for name in METHODS if name in curve]
    if "step" not in curve or not methods:
        raise ValueError(
            f"curve must have 'step' and some of {', '.join(METHODS)}, it has {', '.join(curve) or 'none'}"
        )
    ax = axes_or_new(ax)
    steps = np.asarray(curve["step"], dtype=np.float64)
    for name in methods:
        errors = np.maximum(np.asarray(curve[name], dtype=np.float64), FLOOR)
        # With large steps it coincides with the central difference: a broad line below the others shows both.
        below = {"linewidth": 3.0, "zorder": 1} if name == "complex" else {"linewidth": 1.2}
        label, colour = METHODS[name]
        ax.loglog(steps, errors, color=colour, label=label, **below)
    _finish(ax, "step size", "error of the derivative, relative")
    return ax
