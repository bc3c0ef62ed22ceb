"""The fixture, in a pytest of its own: named by hand, found by its entry point, and both at once."""

import os
from pathlib import Path

import pytest

import npvae

pytest_plugins = ["pytester"]

ROOT = Path(npvae.__file__).parents[1]
PLUGIN = "npvae.gradcheck.pytest_plugin"
BY_NAME = f'pytest_plugins = ["{PLUGIN}"]\n'
TESTS = """
import numpy as np

def forward(x, W):
    return x @ W, (x, W)

def backward(cache, dy):
    x, W = cache
    return {"x": dy @ W.T, "W": x.T @ dy}

def wrong(cache, dy):
    return {**backward(cache, dy), "W": -cache[0].T @ dy}

INPUTS, PARAMS = {"x": np.ones((3, 2))}, {"W": np.ones((2, 4))}

def test_right(gradcheck):
    assert gradcheck.check_function(forward, backward, INPUTS, PARAMS).passed

def test_anything(gradcheck):
    assert gradcheck((forward, backward, INPUTS, PARAMS), seed=3).passed

def test_wrong(gradcheck):
    gradcheck.check_function(forward, wrong, INPUTS, PARAMS, name="mine")
"""


def installed(folder: Path) -> None:
    """Metadata as an installation would leave it."""
    metadata = folder / "npvae-0.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: npvae\nVersion: 0.0\n")
    entry = [line for line in (ROOT / "setup.cfg").read_text().splitlines() if "pytest_plugin" in line]
    (metadata / "entry_points.txt").write_text("[pytest11]\n" + "".join(line.strip() + "\n" for line in entry))


@pytest.mark.parametrize(
    ("is_installed", "named", "arguments"),
    [
        (False, True, ()),
        (False, False, ("-p", PLUGIN)),
        (True, False, ()),
        (True, True, ()),
        (True, True, ("-p", PLUGIN)),
    ],
)
def test_the_fixture_fails_a_test_with_the_text_of_the_report(pytester, monkeypatch, is_installed, named, arguments):
    if is_installed:
        installed(pytester.path / "site")
    path = [str(pytester.path / "site"), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path))
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    pytester.makeconftest(BY_NAME if named else "")
    pytester.makepyfile(TESTS)
    result = pytester.runpytest_subprocess(*arguments)
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*FAIL mine*1 wrong*", "*The sign is wrong.*"])
    assert "in check_function" not in result.stdout.str()


def test_starting_pytest_loads_no_more_than_importing_the_package(pytester, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makeconftest(
        BY_NAME + "import sys\nimport npvae\nbefore = set(sys.modules)\n"
        f"import {PLUGIN}\n"
        "assert 'npvae.gradcheck.cases' not in sys.modules\n"
        "assert not any(m.startswith('npvae.plots') for m in set(sys.modules) - before)\n"
    )
    pytester.makepyfile("def test_nothing():\n    pass\n")
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_an_inconclusive_check_fails_as_well(pytester, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makeconftest(BY_NAME)
    pytester.makepyfile(
        """
        import numpy as np

        def test_nothing_to_compare(gradcheck):
            gradcheck.check_function(lambda x: x * 1.0, lambda dy: {}, np.ones(3))
        """
    )
    pytester.runpytest_subprocess().assert_outcomes(failed=1)
