"""``npvae gradcheck``: the gradient checker as a command."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NoReturn

from npvae.cli.arguments import add_command
from npvae.gradcheck import command

__all__ = ["add_commands"]

DESCRIPTION = """\
Check gradients that were written by hand, yours or those of this package, against numeric ones.

A factory is a function without arguments that returns what to check:

  a layer                                  with shapes, init, forward and backward, or with params, grads, …
  (layer, x) or (layer, x, params)         at this input
  (forward, backward, inputs[, params])    any pair of functions
  (value_and_grad, theta)                  what an optimiser takes
  (model, x[, theta[, noise]])             with init, loss and loss_and_grad
  a distribution                           every method that has a backward

Where a gradient is wrong, the report says which element, by how much, what kind of mistake it looks like, and how to
repeat the check. --mutate asks the opposite: it breaks the backward in hundreds of ways, one at a time, and sees
whether the check notices each.

exit status: 0 every gradient is right, 1 one is wrong or a mutant survived, 2 it cannot be told, 3 wrong arguments."""

EXAMPLE = """\
npvae gradcheck --all
npvae gradcheck mypackage.layers:make_layer
npvae gradcheck my_layer.py:factory --only W --full
npvae gradcheck my_layer.py:factory --method central --step 1e-5 --curve steps.png
npvae gradcheck my_layer.py:factory --mutate"""


def add_commands(commands: argparse._SubParsersAction) -> None:
    """Add ``npvae gradcheck``."""
    parser = add_command(commands, "gradcheck", command.run, "check hand-written gradients", DESCRIPTION, EXAMPLE)
    command.add_arguments(parser)

    _exit_with_usage(parser)


def _exit_with_usage(parser: argparse.ArgumentParser) -> None:
    """Leave with status 3 for wrong arguments: 2 is that of a check that could not tell."""
    parse = parser.parse_known_args

    def error(message: str) -> NoReturn:
        parser.exit(command.USAGE, f"{parser.prog}: error: {message} (see {parser.prog} --help)\n")

    def parse_all(args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None) -> tuple:
        namespace, unknown = parse(args, namespace)
        if unknown:
            error(f"unrecognized arguments: {' '.join(unknown)}")
        return namespace, unknown

    parser.error, parser.parse_known_args = error, parse_all
