"""The gradient checker against planted mistakes, against correct code, and against the clock."""

from __future__ import annotations

import argparse
import time

import numpy as np

from benchmarks.planted import Mistake, mistakes
from benchmarks.planted_vae import FEATURES, HIDDEN, backward, forward, inputs, parameters
from npvae.gradcheck import Report, check_function, check_model
from npvae.models import GaussianVAE

ROWS = 4


def main(argv: list[str]) -> int:
    """Print the tables; the exit status is 1 if anything was missed or falsely alarmed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks gradcheck", description=__doc__)
    parser.add_argument(
        "--seeds", type=int, default=1000, help="seeds for which correct code is checked (default 1000)"
    )
    args = parser.parse_args(argv)
    missed = planted()
    alarms = correct(args.seeds)
    speed()
    return 1 if missed or alarms else 0


def planted() -> int:
    """Every planted mistake, in a VAE of 326,824 parameters; how many were not both found and named."""
    rows, found, named = [], 0, 0
    for mistake in mistakes():
        report = report_on(mistake)
        caught, right = report.status == "FAIL", is_named(mistake, report)
        found, named = found + caught, named + right
        rows.append(f"| {mistake.name} | {yes(caught)} | {yes(right)} | {report.seconds:.2f} s |")
    print("| planted mistake | found | named | time |\n| --- | --- | --- | --- |")
    print("\n".join(rows))
    print(f"\n{found} of {len(rows)} found, {named} of {len(rows)} named.\n")
    return 2 * len(rows) - found - named


def report_on(mistake: Mistake, seed: int = 0, features: int = FEATURES, hidden: int = HIDDEN) -> Report:
    """The checker's report on one mistake."""
    forward, backward = mistake.pair()
    given = inputs(seed, features=features), parameters(seed, features, hidden)
    return check_function(forward, backward, *given, name=mistake.name, seed=seed)


def is_named(mistake: Mistake, report: Report) -> bool:
    """Whether the report says what it should, and only of the tensors that are wrong."""
    wrong = {entry.name for entry in report.entries if entry.status == "FAIL"}
    return mistake.says in str(report) and (mistake.wrong is None or wrong == mistake.wrong)


def correct(seeds: int) -> int:
    """Correct code for many seeds; the number of false alarms."""
    print(f"Correct code, {seeds} seeds each:\n")
    print("| part | checks | false alarms | inconclusive |\n| --- | --- | --- | --- |")
    alarms = 0
    for name, check in correct_parts().items():
        states = [check(seed).status for seed in range(seeds)]
        alarms += seeds - states.count("PASS")
        print(f"| {name} | {seeds} | {states.count('FAIL')} | {states.count('INCONCLUSIVE')} |", flush=True)
    print()
    return alarms


def correct_parts() -> dict:
    """Name and ``check(seed)`` of everything the package exports, and of the hand-written VAE, made small."""
    from npvae.gradcheck.cases import all_cases

    def small_vae(seed: int) -> Report:
        params = parameters(seed, features=7, hidden=6, latent=3)
        return check_function(forward, backward, inputs(seed, 5, 7, 3), params, seed=seed)

    return {"hand-written VAE": small_vae} | {case.name: case.run for case in all_cases()}


def speed() -> None:
    """The whole VAE of 652,824 parameters, right and wrong."""
    x = np.random.default_rng(0).random((ROWS, 784))
    for name, model in (("right", GaussianVAE(784, 20, (400,))), ("wrong", WrongVAE(784, 20, (400,)))):
        start = time.perf_counter()
        report = check_model(model, x)
        print(f"784-400-20-400-784, {name}: {report.status} in {time.perf_counter() - start:.2f} s")


class WrongVAE(GaussianVAE):
    """One element of one matrix is wrong by a factor 2."""

    def loss_and_grad(self, theta, x, noise):
        loss, grads = super().loss_and_grad(theta, x, noise)
        grads["decoder.2.W"][17, 300] *= 2
        return loss, grads


def yes(answer: bool) -> str:
    return "yes" if answer else "**no**"
