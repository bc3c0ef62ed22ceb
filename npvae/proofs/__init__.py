"""The package's own cases for the gradient checker: what ``npvae gradcheck --all`` and the tests run.

How to add one:

1. Write it in the file of its room: ``proofs/layers.py`` for `npvae.layers`. A new room, or a model of its own, is a
   new file here. Nothing has to be registered: every file with a function ``cases()`` is found.
2. ``cases()`` yields ``Case(name, make, covers, backwards)``. ``make(rng)`` returns what a factory for
   ``npvae gradcheck`` would: ``(layer, x)``, a distribution, ``(model, x)``, ``(forward, backward, inputs[, params])``
   or ``(value_and_grad, theta)``. ``covers`` names the exported classes and functions that it proves, ``backwards``
   functions that are a backward by themselves.
3. Keep it small (`N` rows and features, all alike; once more with all sizes different), all numbers from ``rng``.
4. Whatever a room exports and has a backward fails the tests until a case covers it (`missing_cases`).
5. ``npvae gradcheck --all --only NAME`` runs it; ``--all --mutate --only CLASS`` tells whether mistakes would be seen.
"""

from npvae.proofs.case import Case, N, table
from npvae.proofs.registry import all_cases, has_backward, missing_cases

__all__ = ["Case", "N", "all_cases", "has_backward", "missing_cases", "table"]
