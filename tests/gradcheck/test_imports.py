"""The checker needs NumPy, the standard library and itself: it knows nothing of the package."""

import ast
import subprocess
import sys
from pathlib import Path

import npvae.gradcheck

ROOM = Path(npvae.gradcheck.__file__).parent
FILES = [*ROOM.glob("*.py"), *(ROOM.parent / "diagnosis").glob("*.py")]


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_no_file_imports_another_room():
    for path in FILES:
        for module in imported(path):
            ours = module.startswith(("npvae.gradcheck", "npvae.diagnosis"))
            known = module.partition(".")[0] in {"numpy", "pytest"} | sys.stdlib_module_names
            assert ours or known or (path.name, module) == ("pytest_plugin.py", "npvae"), (path.name, module)


def test_a_check_that_passes_loads_neither_mutation_nor_proofs_nor_diagnosis():
    code = """
import sys
import numpy as np
from npvae.gradcheck import check_function
assert check_function(lambda x: (x * x, x), lambda x, dy: 2 * x * dy, np.ones(3)).passed
print(sorted(name for name in sys.modules if name.startswith(("npvae.mutation", "npvae.proofs", "npvae.diagnosis"))))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
