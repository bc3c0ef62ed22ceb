"""What ``npvae evaluate`` found, in words."""

from __future__ import annotations

from typing import Any

import numpy as np

from npvae.cli.arguments import counted

__all__ = ["BELOW_ZERO", "in_words"]

TRUSTED = 2
"""Median effective sample size below which L_k is said to be far below log p(x)."""

GREY = (
    "grey pixels have no log-likelihood under a Bernoulli: npvae score has their cross-entropy, and a model of "
    "npvae train --binarize dynamic their likelihood made binary"
)

FEW_ROWS = 5000
"""Rows below which the parts of the KL are called biased: a mixture of few rows is no q(z)."""

BELOW_ZERO = "; an estimate, which chance takes below 0"
"""What is said of an estimate below 0 of something that is never negative."""


def in_words(facts: dict[str, Any], model: Any) -> list[str]:
    """What ``npvae evaluate`` found, as lines; `model` has advice on its latents."""
    exact = facts["k"] is None
    lines = [GREY] if not facts["likelihood"] else _exact_lines(facts, model) if exact else _likelihood_lines(facts)
    if facts["made_binary"]:
        lines.insert(0, "grey pixels are made binary first, as in the training")
    if "outside" in facts:
        lines += _outside_lines(facts["outside"], "−log p(x)" if exact else f"−L_{facts['k']}")
    if "activity" in facts:
        active = np.zeros(len(facts["activity"]), dtype=bool)
        active[facts["active_units"]] = True
        lines.append(model.collapse_message(active))
    if "pruning" in facts:
        label = f"change of L_{facts['pruning']['k']}"
        lines.append(_line(label, facts["pruning"], "with the prior in the place of the others"))
    if "kl_parts" in facts:
        parts = facts["kl_parts"]
        few = " (few: the first is too small and the second too large)" if parts["rows"] < FEW_ROWS else ""
        lines.append(f"the KL of {counted(parts['rows'], 'row')}, by one draw of each, in three parts{few}")
        for name, note in (
            ("kl", "the whole"),
            ("mutual_information", f"I(x; z), at most log {parts['rows']} = {np.log(parts['rows']):.2f}"),
            ("total_correlation", "KL(q(z) ‖ Π q(z_j)), dependence between latents"),
            ("dimension_wise_kl", "Σ KL(q(z_j) ‖ p(z_j)), latents that are not normal"),
        ):
            lines.append(_line(name.replace("_", " "), parts[name], note, never_negative=True))
    if "mig" in facts:
        lines.append(f"mutual information gap: {facts['mig']:.3f} ({facts['factor_rows']:,} digits)")
    return lines


def _likelihood_lines(facts: dict[str, Any]) -> list[str]:
    k, n, effective = facts["k"], facts["rows"], facts["effective_samples_median"]
    trusted = f"{counted(facts['reliable_rows'], 'row')} with an error to be trusted"
    told = f"median effective sample size {effective:,.1f}, {trusted}" if k > 1 else "which tells nothing of its error"
    lines = [f"{counted(n, 'row')}, {counted(k, 'draw')} of z each, {told}; nats per row"]
    bits = f"; {facts['bits_per_dimension']:.4f} bits a dimension" if "bits_per_dimension" in facts else ""
    gap = f"L_{k} − ELBO, an estimate of KL(q(z|x) ‖ p(z|x))" if k > 1 else "needs more than one draw"
    for name, label, note in (
        ("negative_log_px", f"−L_{k}", "an estimate of −log p(x)"),
        ("negative_elbo", "−ELBO", f"reconstruction + KL{bits}"),
        ("reconstruction", "reconstruction", "−E log p(x|z)"),
        ("kl", "KL", "KL(q(z|x) ‖ p(z))"),
        ("gap", "gap", gap),
    ):
        lines.append(_line(label, facts[name], note, never_negative=name in ("kl", "gap")))
    if k > 1 and effective < min(TRUSTED, k / 2):
        lines.append(f"  one draw carries most of the weight: −L_{k} is too high by nats; take more draws")
    return lines


def _exact_lines(facts: dict[str, Any], model: Any) -> list[str]:
    return [
        f"{counted(facts['rows'], 'row')}; nats per row",
        _line("−log p(x)", facts["negative_log_px"], model.likelihood_note()),
    ]


def _outside_lines(outside: dict[str, Any], label: str) -> list[str]:
    n, auroc = outside["rows"], outside["auroc"]
    return [
        f"{counted(n, 'row')} from outside; the area under the ROC curve: 1 tells all apart, 0.5 is guessing",
        _line(label, outside["negative_log_px"], "of these rows"),
        f"  {'area by ' + label:18}{auroc['negative_log_px']:10.3f}   less likely is outside",
        f"  {'by typicality':18}{auroc['typicality']:10.3f}   farther from the mean of {label} over DATA is outside",
    ]


def _line(label: str, mean: dict[str, float | None], note: str, never_negative: bool = False) -> str:
    error = mean["standard_error"]
    note += BELOW_ZERO if never_negative and mean["value"] < -5e-4 else ""  # what three decimals show
    return f"  {label:18}{mean['value']:10.3f}{'' if error is None else f' ± {error:.3f}'}   {note}"
