"""A gradient checker for code written in NumPy: ours or anyone's.

It knows the code under test by its members only. `npvae.diagnosis`, which explains failures, belongs to it and is
loaded when there are some; beside that it imports nothing but NumPy and the standard library.
"""

from npvae.gradcheck.check import check, check_distribution, check_function, check_layer, check_loss, check_model
from npvae.gradcheck.report import FAIL, INCONCLUSIVE, PASS, Entry, Finding, GradientCheckError, Report
from npvae.gradcheck.second_order import check_gradient_of_gradient
from npvae.gradcheck.verdict import Settings

__all__ = [
    "FAIL",
    "INCONCLUSIVE",
    "PASS",
    "Entry",
    "Finding",
    "GradientCheckError",
    "Report",
    "Settings",
    "TaylorTest",
    "check",
    "check_distribution",
    "check_function",
    "check_gradient_of_gradient",
    "check_layer",
    "check_loss",
    "check_model",
    "taylor_test",
]


def __getattr__(name: str) -> object:
    """The Taylor test, which a check does not load."""
    if name not in ("TaylorTest", "taylor_test"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from npvae.diagnosis import steps

    return getattr(steps, name)
