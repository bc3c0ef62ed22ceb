"""The gradient checker against planted mistakes, against correct code, and against the clock."""

from __future__ import annotations

import argparse
import time

import numpy as np

from benchmarks import files
from benchmarks.planted import Mistake, mistakes
from benchmarks.planted_vae import FEATURES, HIDDEN, backward, forward, inputs, parameters
from npvae.gradcheck import Report, check_function, check_model
from npvae.models import VAE

ROWS = 4


def main(argv: list[str]) -> int:
    """Print what was found; the exit status is 1 if anything was missed or falsely alarmed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks gradcheck", description=__doc__)
    parser.add_argument(
        "--seeds", type=files.count, default=1000, help="seeds for which correct code is checked (default 1000)"
    )
    parser.add_argument("--output", type=files.result_file, metavar="FILE.json", help="write the result there")
    args = parser.parse_args(argv)
    found = planted()
    seconds = speed()
    parts = correct(args.seeds)
    files.write(args.output, "gradcheck", {"seeds": args.seeds}, planted=found, seconds=seconds, correct=parts)
    missed = [name for name, row in found.items() if not (row["found"] and row["named"])]
    alarmed = [name for name, row in parts.items() if row["FAIL"] or row["INCONCLUSIVE"]]
    return 1 if missed or alarmed else 0


def planted() -> dict[str, dict]:
    """Every planted mistake, in a VAE of 326,824 parameters: was it found, was it called by its name?"""
    rows = {}
    print("| planted mistake | found | named | time |\n| --- | --- | --- | --- |")
    for mistake in mistakes():
        report = report_on(mistake)
        row = {
            "found": report.status == "FAIL",
            "named": is_named(mistake, report),
            "seconds": round(report.seconds, 3),
        }
        rows[mistake.name] = row
        print(f"| {mistake.name} | {yes(row['found'])} | {yes(row['named'])} | {report.seconds:.2f} s |")
    counts = [sum(row[key] for row in rows.values()) for key in ("found", "named")]
    print(f"\n{counts[0]} of {len(rows)} found, {counts[1]} of {len(rows)} named.\n")
    return rows


def report_on(mistake: Mistake, seed: int = 0, features: int = FEATURES, hidden: int = HIDDEN) -> Report:
    """The checker's report on one mistake."""
    forward, backward = mistake.pair()
    given = inputs(seed, features=features), parameters(seed, features, hidden)
    return check_function(forward, backward, *given, name=mistake.name, seed=seed)


def is_named(mistake: Mistake, report: Report) -> bool:
    """Whether the report says what it should, and only of the tensors that are wrong."""
    wrong = {entry.name for entry in report.entries if entry.status == "FAIL"}
    return mistake.says in str(report) and (mistake.wrong is None or wrong == mistake.wrong)


def correct(seeds: int) -> dict[str, dict]:
    """Correct code, part by part: how often each status came, and the worst error."""
    rows = {name: {"PASS": 0, "FAIL": 0, "INCONCLUSIVE": 0, "worst": 0.0} for name in correct_parts()}
    for seed in range(seeds):
        for name, check in correct_parts().items():
            report = check(seed)
            rows[name][report.status] += 1
            errors = [entry.error / entry.scale for entry in report.entries if entry.scale]
            rows[name]["worst"] = max([rows[name]["worst"], *errors])
    print(f"Correct code, {seeds} seeds each:\n")
    print("| part | false alarms | inconclusive | worst error |\n| --- | --- | --- | --- |")
    for name, row in rows.items():
        print(f"| {name} | {row['FAIL']} | {row['INCONCLUSIVE']} | {row['worst']:.1e} |")
    return rows


def correct_parts() -> dict:
    """Name and ``check(seed)`` of everything the package exports, and of the hand-written VAE, made small."""
    from npvae.proofs import all_cases

    def small_vae(seed: int) -> Report:
        params = parameters(seed, features=7, hidden=6, latent=3)
        return check_function(forward, backward, inputs(seed, 5, 7, 3), params, seed=seed)

    return {"hand-written VAE": small_vae} | {case.name: case.run for case in all_cases()}


def speed() -> dict[str, float]:
    """Seconds to check the whole VAE of 652,824 parameters, right and wrong, and everything the package exports."""
    x = np.random.default_rng(0).random((ROWS, 784))
    seconds = {}
    for name, model in (("right", VAE.mlp(784, 20, (400,))), ("wrong", WrongVAE.mlp(784, 20, (400,)))):
        start = time.perf_counter()
        report = check_model(model, x)
        seconds[f"784-400-20-400-784, {name}"] = time.perf_counter() - start
        print(f"784-400-20-400-784, {name}: {report.status} in {time.perf_counter() - start:.2f} s")
    start = time.perf_counter()
    for check in correct_parts().values():
        check(0)
    seconds["everything exported"] = time.perf_counter() - start
    print(f"everything exported: {seconds['everything exported']:.2f} s\n")
    return seconds


class WrongVAE(VAE):
    """One element of one matrix is wrong by a factor 2."""

    def loss_and_grad(self, theta, x, noise):
        loss, grads = super().loss_and_grad(theta, x, noise)
        grads["decoder.2.W"][17, 300] *= 2
        return loss, grads


def yes(answer: bool) -> str:
    return "yes" if answer else "**no**"
