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

import pytest


class GradientChecks:
    """The functions ``check`` and ``check_…`` of `npvae.gradcheck`, each of which raises unless the status is PASS.

    The object itself is ``check``: it takes a layer, a distribution, a pair of functions, a loss or a model.
    """

    # Nothing is imported before a test asks for it: pytest loads this file at every start.

    def __call__(self, *made: object, **settings: object) -> object:
        """Check anything that can be checked."""
        __tracebackhide__ = True
        return self.check(*made, **settings)

    def __getattr__(self, name: str) -> Callable:
        from npvae import gradcheck

        if not name.startswith("check"):
            raise AttributeError(name)
        check = getattr(gradcheck, name)

        def passing(*arguments: object, **settings: object) -> object:
            __tracebackhide__ = True
            report = check(*arguments, **settings)
            if not report.passed:
                raise gradcheck.GradientCheckError(report)
            return report

        return passing


@pytest.fixture(scope="session")
def gradcheck() -> GradientChecks:
    """Gradient checks that fail the test with their report: ``gradcheck.check_layer(layer)``."""
    return GradientChecks()
