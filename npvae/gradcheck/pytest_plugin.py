"""The fixture ``gradcheck`` for pytest: gradient checks that fail a test with the text of their report.

Where npvae is installed, pytest finds the plugin by itself; elsewhere name it, in a conftest or a test module::

    pytest_plugins = ["npvae.gradcheck.pytest_plugin"]

A test then is a line::

    def test_my_layer(gradcheck):
        gradcheck.check_layer(MyLayer(3, 4))

The entry point has the name of this module, so that naming it as well does not register it twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from npvae.gradcheck import Report


class GradientChecks:
    """The functions ``check_…`` of `npvae.gradcheck`, each of which raises unless the status is PASS.

    The object itself can be called with whatever a factory for ``npvae gradcheck`` may return: a layer, a distribution,
    ``(forward, backward, inputs[, params])``, ``(model, x)``, ….
    """

    # Nothing is imported before a test asks for it: pytest loads this file at every start.

    def __call__(self, made: object, *, name: str | None = None, **settings: object) -> Report:
        """Check anything that can be checked."""
        __tracebackhide__ = True
        from npvae.gradcheck import Settings
        from npvae.gradcheck.check import check_made

        return _passed(check_made(made, Settings(**settings), name))

    def __getattr__(self, name: str) -> Callable[..., Report]:
        from npvae import gradcheck

        if not name.startswith("check_"):
            raise AttributeError(name)
        check = getattr(gradcheck, name)

        def passing(*arguments: object, **settings: object) -> Report:
            __tracebackhide__ = True
            return _passed(check(*arguments, **settings))

        return passing


@pytest.fixture(scope="session")
def gradcheck() -> GradientChecks:
    """Gradient checks that fail the test with their report: ``gradcheck.check_layer(layer)``."""
    return GradientChecks()


def _passed(report: Report) -> Report:
    __tracebackhide__ = True
    from npvae.gradcheck import PASS, GradientCheckError

    if report.status != PASS:
        raise GradientCheckError(report)
    return report
