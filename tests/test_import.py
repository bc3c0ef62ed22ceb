"""``import npvae`` needs NumPy and the standard library, and takes nothing else."""

import pkgutil
import subprocess
import sys

import npvae

BLOCK = """
import sys

allowed = {*sys.stdlib_module_names, "numpy", "npvae"}

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in allowed:
            raise ModuleNotFoundError(f"blocked: {name}")

sys.meta_path.insert(0, Blocked())
"""

USE = """
import npvae
from npvae import VAE

X = npvae.datasets.digits(100, seed=0).x
vae = VAE(2, 8, epochs=1, random_state=0).fit(X)
assert vae.sample(3).shape == (3, 784)
assert vae.score(X) < 0
"""

# What was found by an import has a spec; NumPy's compiled parts leave modules without one behind.
ROOTS = """
def roots():
    return {name.partition(".")[0] for name, module in sys.modules.items() if getattr(module, "__spec__", None)}
"""


def python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)


def test_imports_and_trains_where_all_else_is_blocked():
    done = python(BLOCK + ROOTS + "before = roots()\n" + USE + "print(*sorted(roots() - before - allowed))")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""


def test_the_block_blocks():
    done = python(BLOCK + "import pytest")
    assert done.returncode == 1
    assert "blocked: pytest" in done.stderr


def test_drawing_libraries_stay_out_though_they_are_there():
    done = python("import sys, npvae; print('matplotlib' in sys.modules, 'scipy' in sys.modules, 'PIL' in sys.modules)")
    assert done.stdout.split() == ["False"] * 3


def test_import_leaves_the_global_generator_and_the_warnings_alone():
    done = python(
        "import warnings, numpy as np\n"
        "def state(): return np.random.get_state()[1].tolist(), list(warnings.filters), np.geterr()\n"
        "np.random.seed(3)\n"
        "before = state()\n"
        "import npvae\n"
        "print(*(a == b for a, b in zip(before, state())))"
    )
    assert done.stdout.split() == ["True"] * 3


def test_one_process_needs_none_of_what_several_do():
    """What starts processes or threads takes long to import, and is needed for `n_jobs` alone."""
    heavy = ["subprocess", "multiprocessing", "concurrent.futures", "socket", "logging", "html"]
    done = python(
        f"import sys, numpy\nbefore = set(sys.modules)\n{USE}\nprint(*(set({heavy}) & (set(sys.modules) - before)))"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""


def test_version_and_public_names():
    import npvae

    assert npvae.__version__.count(".") == 2
    for name in npvae.__all__:
        assert hasattr(npvae, name)


def test_every_room_can_be_the_first_to_be_imported():
    """A room that asks another for something while it is being imported itself would fail."""
    rooms = [room.name for room in pkgutil.iter_modules(npvae.__path__) if room.name != "__main__"]
    code = "import importlib, sys\nfor room in {0!r}:\n    " + (
        "[sys.modules.pop(name) for name in list(sys.modules) if name.partition('.')[0] == 'npvae']\n    "
        "importlib.import_module(f'npvae.{{room}}')"
    )
    found = python(code.format(rooms))
    assert found.returncode == 0, found.stderr
