"""One script an idea: ``python -m demos`` lists them, ``python -m demos NAME`` runs one and draws its picture.

A demo is a module of this package. What its docstring says is also what docs/gallery.md says of it. Most have
``run() -> Figure``, which prints the numbers and returns the picture; the others only print, and are run as they are.
"""

DEMOS = (
    "vae_by_hand",
    "misprints",
    "ring",
    "em",
    "elbo_gap",
    "gradient_variance",
    "binary_gradients",
    "belief_network",
    "overview",
    "side_by_side",
    "filters",
    "contractive",
    "beta",
    "collapse",
    "manifold",
    "attributes",
    "restoring",
    "compression",
    "gradcheck_own_layer",
)
"""The names, in the order in which the ideas build on each other."""
