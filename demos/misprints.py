"""A coin's two divergences, and the lectures' misprints beside the right numbers.

KL(q‖p) is zero for q = p, positive elsewhere, and not symmetric. For a coin with p(1) = 0.7 and q(1) = ½ a lecture
prints 0.872 and 0.823: ten times too much. The other rows are misprints that recur in lectures on variational
autoencoders, each worked out as printed and as it should be.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from npvae.distributions import Bernoulli
from npvae.numerics import logit


def coin(q: np.ndarray, p: np.ndarray) -> np.ndarray:
    """KL(q‖p) in nats of coins with these probabilities of heads."""
    return Bernoulli().kl_between(logit(q)[..., None], logit(p)[..., None])[0]


def misprints() -> list[tuple[str, float, float]]:
    """What is computed, the number as printed, the number as it should be."""
    p, q = np.array([0.3, 0.7]), np.array([0.5, 0.5])
    entropy, cross_entropy = -(q * np.log(q)).sum(), -(q * np.log(p)).sum()
    sigma2, eps = 0.25, np.random.default_rng(0).standard_normal(1_000_000)
    return [
        ("KL(q‖p) of the coin", 0.872, float(coin(q[1:], p[1:])[0])),
        ("KL(p‖q) of the coin", 0.823, float(coin(p[1:], q[1:])[0])),
        ("KL(q‖p) = −H(q) − CE(q, p), where + is meant", -entropy - cross_entropy, -entropy + cross_entropy),
        ("“the KL is always positive”: KL(p‖p)", np.nan, float(coin(p[1:], p[1:])[0])),
        ("variance of z = μ + Σε for Σ = ¼, where √Σ is meant", (sigma2 * eps).var(), (sigma2**0.5 * eps).var()),
        ("KL(N(0, ¼)‖N(0, 1)) with log σ⁴ for log σ²", *((sigma2 - 1 - n * np.log(sigma2)) / 2 for n in (2, 1))),
        ("−log N(x; f, 1) at x − f = 2 without the ½", 4 + np.log(2 * np.pi) / 2, 2 + np.log(2 * np.pi) / 2),
        ("the same without ½ log 2π", 2.0, 2 + np.log(2 * np.pi) / 2),
    ]


def run() -> Figure:
    """Print both numbers of each, and draw the coin and the table."""
    rows = [
        (what, "—" if np.isnan(wrong) else f"{wrong:.4g}".replace("-", "−"), f"{right:.4g}")
        for what, wrong, right in misprints()
    ]
    for what, wrong, right in rows:
        print(f"{what:56} printed {wrong:>8}   right {right:>8}")

    figure = Figure(figsize=(11, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.5))
    heads = np.linspace(0.01, 0.99, 197)
    bent = np.full_like(heads, 0.7)
    left.plot(heads, coin(heads, bent), label="KL(q‖p)")
    left.plot(heads, coin(bent, heads), label="KL(p‖q)")
    for printed, colour in ((0.872, "tab:blue"), (0.823, "tab:orange")):
        left.plot(0.5, printed, "x", color=colour)
        left.plot(0.5, printed / 10, "o", color=colour)
    left.annotate("as printed", (0.5, 0.85), (0.56, 0.95), arrowprops={"arrowstyle": "-"})
    left.annotate("right: 0.0872 and 0.0823", (0.5, 0.085), (0.47, 0.42), arrowprops={"arrowstyle": "-"})
    left.set(title="a coin with p(1) = 0.7", xlabel="q(1)", ylabel="nats", ylim=(-0.03, 1.2))
    left.legend(loc="lower left", frameon=False)
    table = right.table(rows, colLabels=["", "printed", "right"], colWidths=(0.74, 0.13, 0.13), loc="center")
    table.auto_set_font_size(False)
    table.set_fontsize(9)
    table.scale(1, 1.7)
    for (row, column), cell in table.get_celld().items():
        cell.visible_edges = "B" if row else ""
        cell.set_edgecolor("lightgrey")
        cell.get_text().set_horizontalalignment("right" if column else "left")
    right.set_axis_off()
    return figure
