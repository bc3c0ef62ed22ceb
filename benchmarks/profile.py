"""``python -m benchmarks profile``: where a training step's time goes, part by part.

The parts are timed from outside: `npvae.training.train` runs as it is, on a model, an optimiser and data whose methods
tell a clock when they begin and end. That costs about 1 % of a step. The medians over the steps are printed.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks import files
from benchmarks.data import images
from benchmarks.implementations import LEARNING_RATE, WORKLOADS, Workload
from benchmarks.implementations.by_npvae import FOR_EVER, Paced, build
from benchmarks.implementations.products import training_products
from npvae.layers import Chain
from npvae.models import VAE
from npvae.optimizers import Adam
from npvae.training import train

__all__ = ["Clock", "Timed", "TimedRows", "main", "profile"]

Part = tuple[str, str]
"""Group and detail, such as ("encoder forward", "0 Dense"); a detail "" is what the group does itself."""

LOOP: Part = ("loop: shuffling, sums, checks", "")
FLOOR_EVERY = 20
"""Steps between two looks at the matrix products alone, which take as many turns then."""


def main(argv: list[str]) -> int:
    """Profile the workloads and print a table for each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks profile", description="where a step's time goes")
    names = [name for name, workload in WORKLOADS.items() if workload.task == "train"]
    parser.add_argument(
        "--workload", nargs="+", choices=names, default=["usual"], metavar="NAME", help=", ".join(names)
    )
    parser.add_argument("--steps", type=files.count, default=400, help="steps that are timed (400)")
    parser.add_argument("--quick", action="store_true", help="forty steps: does it run?")
    parser.add_argument("--output", type=files.result_file, help="a .json file; without it, results are only printed")
    args = parser.parse_args(argv)
    steps = 40 if args.quick else args.steps
    data, results = images(), {}
    for name in args.workload:
        parts, floor = profile(WORKLOADS[name], data.x, steps)
        print(f"{name}: {WORKLOADS[name]}\n{report(parts, floor)}\n")
        in_ms = {" / ".join(filter(None, part)): round(1000 * seconds, 4) for part, seconds in parts.items()}
        results[name] = {"title": str(WORKLOADS[name]), "parts_ms": in_ms, "products_ms": round(1000 * floor, 4)}
    files.write(args.output, "profile", {"steps": steps, "data": data.name}, workloads=results)
    return 0


class Clock:
    """Attributes time to parts: to the innermost timed call that is running, or to `rest`.

    Attributes
    ----------
    steps : list of dict
        Seconds by part, of every step that has ended.
    """

    def __init__(self, rest: Part) -> None:
        self.steps: list[dict[Part, float]] = []
        self._parts: dict[Part, float] = defaultdict(float)
        self._running, self._since = rest, perf_counter()

    def switch(self, part: Part) -> Part:
        """From now on time belongs to `part`; returns the part to which it belonged until now."""
        before, now = self._running, perf_counter()
        self._parts[before] += now - self._since
        self._running, self._since = part, now
        return before

    def end_step(self) -> None:
        """Put the step's seconds away and begin the next."""
        self.switch(self._running)
        self.steps.append(dict(self._parts))
        self._parts.clear()

    def resume(self) -> None:
        """Forget what has passed since the last switch."""
        self._since = perf_counter()

    def timed(self, function: Callable, part: Part) -> Callable:
        """The function, its time attributed to `part` except for timed calls inside it."""

        def call(*args: Any, **kwargs: Any) -> Any:
            before = self.switch(part)
            try:
                return function(*args, **kwargs)
            finally:
                self.switch(before)

        return call


class Timed:
    """Stands for `subject` and has all its attributes; `methods` maps the names of those that are timed to parts."""

    def __init__(self, subject: Any, clock: Clock, methods: Mapping[str, Part]) -> None:
        self._subject = subject
        for name, part in methods.items():
            setattr(self, name, clock.timed(getattr(subject, name), part))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._subject, name)


class TimedRows:
    """Stands for an array of rows; picking rows out of it is timed."""

    def __init__(self, x: Any, clock: Clock, part: Part) -> None:
        self._x, self._pick = x, clock.timed(x.__getitem__, part)

    def __len__(self) -> int:
        return len(self._x)

    def __getitem__(self, rows: Any) -> Any:
        return self._pick(rows)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._x, name)


class _Enough(Exception):
    """The wanted number of steps is done."""


def profile(workload: Workload, x: np.ndarray, steps: int, warm_up: int = 20) -> tuple[dict[Part, float], float]:
    """Median seconds of every part of a step, and of the matrix products alone."""
    clock = Clock(LOOP)
    model = build(workload)
    theta = model.init(np.random.default_rng(0))
    instrument(model, clock)
    products, floors = training_products(workload), []

    def pace(loss: float) -> None:
        clock.end_step()
        if len(clock.steps) == warm_up + steps:
            raise _Enough
        if len(clock.steps) % FLOOR_EVERY == 0:
            floors.extend(_seconds_of(products) for _ in range(FLOOR_EVERY))
            clock.resume()

    with suppress(_Enough):
        train(
            Timed(model, clock, {"loss_and_grad": ("bound, memory for gradients", ""), "draw_noise": ("noise", "")}),
            theta,
            TimedRows(x[: len(x) // workload.batch * workload.batch], clock, ("data copy", "")),
            optimizer=Timed(Adam(LEARNING_RATE), clock, {"step": ("Adam", "")}),
            epochs=FOR_EVER,
            batch_size=workload.batch,
            progress=Paced(pace),
        )
    timed = clock.steps[warm_up:]
    return {part: median(step.get(part, 0.0) for step in timed) for part in timed[-1]}, median(floors)


def instrument(model: VAE, clock: Clock) -> None:
    """Put a timed stand-in in the place of every part of a model that the benchmark has built for itself."""
    for name in ("encoder", "decoder"):
        network = getattr(model, name)
        network.layers = tuple(_timed_layers(network, name, clock))
        methods = {way: (f"{name} {way}", "") for way in ("forward", "backward")}
        object.__setattr__(model, name, Timed(network, clock, methods))
    for name, methods in {
        "posterior": {
            "sample": "sampling",
            "sample_backward": "sampling backward",
            "kl": "KL",
            "kl_backward": "KL backward",
        },
        "likelihood": {"log_prob": "likelihood", "log_prob_backward": "likelihood backward"},
    }.items():
        parts = {method: (title, "") for method, title in methods.items()}
        object.__setattr__(model, name, Timed(getattr(model, name), clock, parts))


def _timed_layers(network: Chain, name: str, clock: Clock) -> Sequence[Timed]:
    layers = []
    for i, layer in enumerate(network.layers):
        shape = layer.shapes.get("W")
        detail = f"{i} {type(layer).__name__}" + (f" {shape[0]}→{shape[1]}" if shape else "")
        layers.append(Timed(layer, clock, {way: (f"{name} {way}", detail) for way in ("forward", "backward")}))
    return layers


def _seconds_of(products: list) -> float:
    started = perf_counter()
    for left, right, out in products:
        np.matmul(left, right, out=out)
    return perf_counter() - started


def report(parts: dict[Part, float], floor: float) -> str:
    """Groups by their share of the step, with their details below them."""
    total = sum(parts.values())
    groups: dict[str, float] = {}
    for (group, _), seconds in parts.items():
        groups[group] = groups.get(group, 0.0) + seconds
    lines = []
    for group, seconds in sorted(groups.items(), key=lambda item: -item[1]):
        lines.append(f"{group:34}{1000 * seconds:8.3f} ms{seconds / total:7.1%}")
        details = [(detail, s) for (g, detail), s in parts.items() if g == group]
        if len(details) > 1:
            lines += [
                f"    {detail or 'between the layers':30}{1000 * s:8.3f} ms{s / total:7.1%}" for detail, s in details
            ]
    lines.append(f"{'sum of the parts':34}{1000 * total:8.3f} ms")
    lines.append(f"{'matrix products alone':34}{1000 * floor:8.3f} ms; sum / products = {total / floor:.2f}")
    return "\n".join(lines)
