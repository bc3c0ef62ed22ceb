"""How a training went, and how wrong a numeric derivative is, by the step it is taken with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from npvae.bounds import Term
from npvae.plots.canvas import axes_or_new, figure_or_new, require_matplotlib
from npvae.training.history import HELD_OUT, WEIGHT, History
from npvae.training.summary import factor

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("black", "tab:blue", "tab:orange", "tab:green", "tab:purple", "tab:brown", "tab:olive", "tab:cyan")
"""The colour of the loss, then those of its terms in their order."""

LONGEST_LABEL = 40
"""Letters in a line of the legend, which has to fit into the panel."""

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


def learning_curves(history: Mapping[str, Sequence[float]], figure: Figure | None = None) -> Figure:
    """Draw the loss and each of its terms by epoch, as they count in the loss: times their weights.

    The loss and its first term share the upper panel; the others, as a rule much smaller, have a lower one for each of
    their units. Training is solid, held-out data dashed. Weights that change during the training are dotted, on an axis
    of their own, and their terms are drawn without them.

    Parameters
    ----------
    history : History, or mapping of str to sequence of float
        Columns "epoch", "loss" and a column for each term; with "val_" in front those of held-out data; "weight_kl"
        and the like for mean weights by epoch. NaN where an epoch has no number. Labels, units and weights of the terms
        are those of a `npvae.training.History`; terms of another mapping are called by their names.
    figure : matplotlib Figure, optional
        An empty one to draw into; without it, a new one.

    Returns
    -------
    matplotlib Figure
        Its axes are the upper panel, then the lower ones, then the axis of the weights.
    """
    history = history if isinstance(history, History) else History(history)
    _require_columns(history)
    terms = history.terms
    (first, *others), unit = terms, history.unit
    is_loss = not others and terms[first].weight == 1 and WEIGHT + first not in history
    panels = [([first] if is_loss else ["loss", first], unit)]
    for other in dict.fromkeys(terms[name].unit for name in others):
        panels.append(([name for name in others if terms[name].unit == other], other))
    figure = figure_or_new(figure)
    ratios = (3, *(2 for _ in panels[1:]))
    axes = figure.subplots(len(panels), sharex=True, squeeze=False, height_ratios=ratios)[:, 0]
    for ax, (names, of_panel) in zip(axes, panels, strict=True):
        for name in names:
            _draw_term(ax, history, name)
        _finish(ax, "", f"{of_panel} per datum")
    if history.weight_columns:
        _draw_weights(axes[-1], history)
    axes[-1].set_xlabel("epoch")
    locator = require_matplotlib().ticker.MaxNLocator
    axes[-1].xaxis.set_major_locator(locator(integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))
    return figure


def _draw_term(ax: Axes, history: History, name: str) -> None:
    """The curves of the loss or of one of its terms, in training and on held-out data."""
    order = ["loss", *history.terms]
    term = history.terms.get(name, Term(name))
    weight = 1.0 if WEIGHT + name in history else term.weight
    label, colour = f"{factor(weight)}{term.label}", COLOURS[order.index(name) % len(COLOURS)]
    epochs = np.asarray(history["epoch"], dtype=np.float64)
    for column, data, line in (name, "training", "-"), (HELD_OUT + name, "held-out", "--"):
        values = np.asarray(history.get(column, ()), dtype=np.float64)
        there = np.flatnonzero(np.isfinite(values))
        if len(there):
            marker = "." if len(there) <= FEW_EPOCHS else ""
            style = {"color": colour, "marker": marker, "linewidth": 1.2}
            told = fill(f"{label}, {data}", LONGEST_LABEL)
            ax.plot(epochs[there], weight * values[there], line, label=told, **style)


def _draw_weights(ax: Axes, history: History) -> None:
    """The mean weights by epoch, on an axis at the right."""
    right = ax.twinx()
    for column in history.weight_columns:
        name = column.removeprefix(WEIGHT)
        colour = COLOURS[(1 + list(history.terms).index(name)) % len(COLOURS)]
        right.plot(history["epoch"], history[column], color=colour, linestyle=":")
    right.set_ylabel("weight, mean of the epoch (dotted)")
    right.spines["top"].set_visible(False)


def _require_columns(history: History) -> None:
    if missing := [name for name in ("epoch", "loss") if name not in history]:
        raise ValueError(f"history must have the columns epoch and loss, it lacks {', '.join(missing)}")
    if not history.terms:
        raise ValueError(f"history must have a column for each term of the loss, got {', '.join(history)}")
    n_epochs = len(history["epoch"])
    if n_epochs == 0:
        raise ValueError("history must have at least one epoch, got none")
    for name, values in history.items():
        if np.shape(values) != (n_epochs,):
            raise ValueError(
                f"history[{name!r}] must have {n_epochs} entries, one for each epoch, got {np.shape(values)}"
            )
    if unknown := [name for name in history.weight_columns if name.removeprefix(WEIGHT) not in history.terms]:
        raise ValueError(f"history must have a column for the term of {unknown[0]!r}, got {', '.join(history)}")


def _finish(ax: Axes, x: str, y: str) -> None:
    ax.set(xlabel=x, ylabel=y)
    ax.legend(frameon=False)
    ax.spines[["top", "right"]].set_visible(False)


def step_curve(curve: Mapping[str, ArrayLike], ax: Axes | None = None) -> Figure:
    """Draw error against step size on logarithmic axes: the V of each difference, the flat line of the complex step.

    Parameters
    ----------
    curve : mapping of str to (k,) array
        From `npvae.diagnosis.steps.step_curve`: "step", and the relative errors of any of "forward", "central",
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
    return ax.figure
