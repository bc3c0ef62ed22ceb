"""The browser of the tests."""

import pytest

from tests.explorer.browser import browser


@pytest.fixture(scope="module")
def chromium():
    with browser() as opened:
        yield opened
