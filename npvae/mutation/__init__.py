"""Mutation: break a backward in every way, one at a time, and see that the gradient checker finds each.

Loaded only when it is asked for: ``npvae gradcheck … --mutate``, or an import of this room.
"""

from npvae.mutation.mutants import NoSource
from npvae.mutation.search import MutationReport, mutate, mutate_package

__all__ = ["MutationReport", "NoSource", "mutate", "mutate_package"]
