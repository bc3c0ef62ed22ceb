"""How wrong a numeric derivative is, by the step it is taken with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from npvae.plots.canvas import axes_or_new

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["step_curve"]

LABELS = {
    "forward": "forward difference",
    "central": "central difference",
    "richardson": "Richardson, two central differences",
    "complex": "complex step",
}
COLOURS = {"forward": "tab:orange", "central": "tab:blue", "richardson": "tab:green", "complex": "silver"}
FLOOR = 2.0**-54
"""Half a unit in the last place: where an error of exactly zero is drawn."""


def step_curve(curve: Mapping[str, ArrayLike], ax: Axes | None = None) -> Axes:
    """Draw error against step size on logarithmic axes: the V of each difference, the flat line of the complex step.

    Parameters
    ----------
    curve : mapping of str to (k,) array
        From `npvae.gradcheck.curves.step_curve`: "step", and the relative errors of any of "forward", "central",
        "richardson" and "complex".
    ax : matplotlib Axes, optional
        Without it, those of a new figure.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        If there is no "step", or no error beside it.
    """
    methods = [name for name in LABELS if name in curve]
    if "step" not in curve or not methods:
        raise ValueError(f"curve must have 'step' and some of {', '.join(LABELS)}, it has {', '.join(curve) or 'none'}")
    ax = axes_or_new(ax)
    steps = np.asarray(curve["step"], dtype=np.float64)
    for name in methods:
        errors = np.maximum(np.asarray(curve[name], dtype=np.float64), FLOOR)
        # With large steps it coincides with the central difference: a broad line below the others shows both.
        below = {"linewidth": 3.0, "zorder": 1} if name == "complex" else {"linewidth": 1.2}
        ax.loglog(steps, errors, color=COLOURS[name], label=LABELS[name], **below)
    ax.set_xlabel("step size")
    ax.set_ylabel("error of the derivative, relative")
    ax.legend(frameon=False)
    ax.spines[["top", "right"]].set_visible(False)
    return ax
