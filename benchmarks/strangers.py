"""The gradient checker against the corpus of function/backward pairs in tests/gradcheck/strangers."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import traceback
from collections import Counter
from pathlib import Path

from benchmarks import files
from benchmarks.table import insert
from npvae.gradcheck import check_function, check_layer

OUTCOMES = ("PASS", "FAIL", "INCONCLUSIVE", "untellable", "crash")
ROOM = "tests.gradcheck.strangers"


def main(argv: list[str]) -> int:
    """Print the counts, kind by kind, and every verdict that is not right; the exit status is 1 if there is one."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks strangers", description=__doc__)
    parser.add_argument("kinds", nargs="*", help="files of the corpus (default: all)")
    parser.add_argument("--seeds", type=files.count, default=1, help="seeds for each pair (default 1)")
    parser.add_argument("--explain", action="store_true", help="print the report of every verdict that is not right")
    parser.add_argument("--into", metavar="FILE.md", help="write the table between the marks 'strangers' of this page")
    args = parser.parse_args(argv)
    rows = {kind: count(kind, args.seeds, args.explain) for kind in args.kinds or kinds()}
    text = table(rows)
    print(text)
    if args.into:
        page = Path(args.into)
        page.write_text(insert(page.read_text(encoding="utf-8"), {"strangers": text}), encoding="utf-8")
    total = sum(rows.values(), Counter())
    return 1 if any(n for (right, outcome), n in total.items() if outcome != ("PASS" if right else "FAIL")) else 0


def kinds() -> list[str]:
    """The files of the corpus."""
    room = importlib.import_module(ROOM)
    return [found.name for found in pkgutil.iter_modules(room.__path__) if found.name != "corpus"]


def count(kind: str, seeds: int, explain: bool) -> Counter:
    """How often each outcome came, by (is it right?, outcome)."""
    rows: Counter = Counter()
    for pair in importlib.import_module(f"{ROOM}.{kind}").CASES:
        for seed in range(seeds):
            outcome, text = verdict(pair, seed, explain)
            rows[pair.right, outcome] += 1
            if outcome != ("PASS" if pair.right else "FAIL"):
                print(
                    f"{kind}: {pair.name} (seed {seed}): {outcome} for a {'right' if pair.right else 'wrong'} gradient"
                )
                print(text if explain or outcome == "crash" else "", end="\n" if explain else "")
    return rows


def verdict(pair: object, seed: int = 0, explain: bool = False) -> tuple[str, str]:
    """The checker's status on one pair, and its report."""
    settings = {"seed": seed, "explain": explain, **pair.options}
    try:
        if pair.backward is None:
            report = check_layer(pair.forward(), pair.inputs, **settings)
        else:
            report = check_function(pair.forward, pair.backward, pair.inputs, pair.params, **settings)
    except Exception:
        return "crash", traceback.format_exc()
    # A gradient that no finite precision tells from zero: the report says so.
    zero = not pair.right and report.status == "PASS" and "as good as zero" in str(report)
    return "untellable" if zero else report.status, str(report)


def table(rows: dict[str, Counter]) -> str:
    """Markdown: right and wrong pairs of every kind, and how many verdicts were not right."""
    head = ["kind", "right", "FAIL", "INCONCLUSIVE", "wrong", "PASS", "as good as zero", "INCONCLUSIVE", "crashes"]
    lines = [f"| {' | '.join(head)} |", "| --- |" + " ---: |" * (len(head) - 1)]
    for kind, row in [*rows.items(), ("**all**", sum(rows.values(), Counter()))]:
        of = {right: sum(row[right, outcome] for outcome in OUTCOMES) for right in (True, False)}
        crashes = row[True, "crash"] + row[False, "crash"]
        cells = [of[True], row[True, "FAIL"], row[True, "INCONCLUSIVE"]]
        cells += [of[False], *(row[False, outcome] for outcome in ("PASS", "untellable", "INCONCLUSIVE")), crashes]
        lines.append(f"| {kind.replace('_', ' ')} | {' | '.join(map(str, cells))} |")
    return "\n".join(lines)
