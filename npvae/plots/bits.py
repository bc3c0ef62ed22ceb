"""Binary latents as pictures: how often each bit is on, class by class, and how noisy estimates of a gradient are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from npvae.plots.canvas import axes_or_new, figure_or_new
from npvae.validation import ArgumentError, data_matrix

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 5
"""Panels in a row."""


def bit_histograms(means: ArrayLike, labels: ArrayLike | None = None, figure: Figure | None = None) -> Figure:
    """Draw the posterior means of binary latents as bars, one a latent, averaged over the rows of a class.

    A latent that is on for some classes and off for others tells them apart; one at the same height everywhere does
    not.

    Parameters
    ----------
    means : (n, d) array
        E[z|x] of every row, in [0, 1]: what `transform` of an estimator with binary latents returns.
    labels : (n,) array, optional
        The class of every row; without it there is one panel, of all rows.
    figure : matplotlib Figure, optional
        Where to draw; without it, a new figure.
    """
    values = data_matrix("means", means, dtype=np.float64)
    classes = np.zeros(len(values), int) if labels is None else np.asarray(labels)
    if classes.shape != (len(values),):
        raise ArgumentError("labels", f"have shape ({len(values)},), one for each row of means", classes.shape)
    figure, known = figure_or_new(figure), np.unique(classes)
    if labels is not None and hasattr(figure, "set_size_inches"):
        figure.set_size_inches(2.4 * min(len(known), COLUMNS), 1.6 * -(-len(known) // COLUMNS))
    columns = min(len(known), COLUMNS)
    panels = figure.subplots(-(-len(known) // columns), columns, sharex=True, sharey=True, squeeze=False).ravel()
    for ax, label in zip(panels, known, strict=False):
        ax.bar(np.arange(1, values.shape[1] + 1), values[classes == label].mean(axis=0), width=1, color="0.3")
        ax.set(ylim=(0, 1), yticks=(0, 0.5, 1), title="all rows" if labels is None else str(label))
    for ax in panels[len(known) :]:
        ax.set_axis_off()
    figure.supxlabel("latent")
    figure.supylabel("mean of E[z|x]")
    return figure


def variance_curves(steps: ArrayLike, variances: Mapping[str, ArrayLike], ax: Axes | None = None) -> Figure:
    """Draw the variances of several estimates of one gradient against the course of a training, on a logarithmic axis.

    Parameters
    ----------
    steps : (n,) array
        Epochs or steps at which the estimates were compared, all at the same parameters.
    variances : mapping of str to (n,) array
        By the name of the estimate.
    ax : matplotlib Axes, optional
        Where to draw; without it, a new figure.
    """
    ax, steps = axes_or_new(ax), np.asarray(steps)
    for name, values in variances.items():
        if np.shape(values) != steps.shape:
            raise ArgumentError("variances", f"have {steps.size} values each", f"{np.size(values)} for {name!r}")
        ax.plot(steps, values, marker=".", label=name)
    ax.set(yscale="log", xlabel="epochs", ylabel="variance of the encoder's gradient")
    ax.legend(fontsize="small", loc="upper left", bbox_to_anchor=(1.01, 1))  # curves may be anywhere inside
    return ax.figure
