"""How a training ended, in a few lines."""

from __future__ import annotations

from math import log

from npvae.bounds.loss import LABELS
from npvae.training.history import HELD_OUT, WEIGHT, History
from npvae.training.run import TrainingRun

MINUS, PLUS = "−", "+"


def summary(run: TrainingRun, datum: str = "row", dimensions: int | None = None) -> list[str]:
    """Why the run stopped, unless it went to its end, then the loss and its terms on the data of each kind.

    The numbers are those of the chosen parameters: with early stopping of the best epoch, else of the last one.

    Parameters
    ----------
    run : TrainingRun
    datum : str
        What a row of the data is called, such as "image".
    dimensions : int, optional
        Those of x, where x is discrete and the terms that every bound has are the two of −ELBO. The lines then end with
        −ELBO in bits a dimension, what lossless compression comes to.

    Returns
    -------
    list of str
        Lines such as "train: 105.70 nats per image = 80.20 reconstruction (−log p(x|z)) + 25.50 KL(q(z|x) ‖ p(z))".
    """
    lines = (
        []
        if run.stopped == "finished"
        else [f"stopped: {run.stopped}, after {run.epoch} epoch{'s' * (run.epoch != 1)}"]
    )
    history = run.history
    row = run.best_epoch - 1 if run.best is not None and run.chosen is run.best else -1
    for prefix, name in (("", "train"), (HELD_OUT, "held-out")):
        if f"{prefix}loss" in history:
            bits = "" if dimensions is None else _bits(history, row, prefix, dimensions)
            lines.append(f"{name}: {history[f'{prefix}loss'][row]:.2f} {_sum(history, row, prefix, datum)}{bits}")
    return lines


def _bits(history: History, row: int, prefix: str, dimensions: int) -> str:
    """−ELBO, whatever weighs its terms or stands beside them in the loss, in bits a dimension."""
    negative_elbo = sum(history[prefix + name][row] for name in LABELS)
    return f"; −ELBO is {negative_elbo / (dimensions * log(2)):.4f} bits a dimension"


def _sum(history: History, row: int, prefix: str, datum: str) -> str:
    """The terms with their signs and weights, behind the unit of the first, which is that of the loss."""
    if len(history.terms) == 1:
        (term,) = history.terms.values()
        if term.weight == 1:  # the number is the loss
            return f"{history.unit} per {datum} ({term.label})"
    text = ""
    for name, term in history.terms.items():
        value = history[prefix + name][row]
        weight = "weight(t) · " if not prefix and WEIGHT + name in history else factor(term.weight)
        sign = MINUS if value < 0 else PLUS
        beyond = "" if term.unit == history.unit else f" {term.unit}"
        signed = f" {sign} " if text else MINUS * (value < 0)
        text += f"{signed}{weight}{abs(value):.2f}{beyond} {term.label}"
        text += " (estimated, below 0 by chance)" if name == "kl" and value < -5e-3 else ""  # what two decimals show
    return f"{history.unit} per {datum} = {text}"


def factor(weight: float) -> str:
    """A weight before what it multiplies; nothing for 1."""
    return "" if weight == 1 else f"{weight:.3g} · "
