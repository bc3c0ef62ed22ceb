"""docs/extending.md: its blocks are files that run in their order, and the checker proves what they define."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
BLOCKS = re.findall(r"```python\n(# (\w+\.py)\n.*?)```", (ROOT / "docs" / "extending.md").read_text("utf-8"), re.S)


def test_every_block_is_a_file_that_runs(tmp_path):
    assert [name for _, name in BLOCKS] == [
        "bent.py",
        "use_bent.py",
        "logistic.py",
        "use_logistic.py",
        "linear.py",
        "use_linear.py",
    ]
    for code, name in BLOCKS:
        (tmp_path / name).write_text(code, "utf-8")
    said = {}
    for _, name in BLOCKS:
        if name.startswith("use_"):
            run = subprocess.run([sys.executable, "-W", "error", name], cwd=tmp_path, capture_output=True, text=True)
            assert run.returncode == 0, run.stdout + run.stderr
            said[name] = run.stdout
    for text in said.values():
        assert "PASS" in text
        assert "FAIL" not in text
        assert "INCONCLUSIVE" not in text
    assert "True" in said["use_bent.py"]
    assert "Logistic" in said["use_logistic.py"]
    assert "LinearAutoencoder(" in said["use_linear.py"]
    assert (tmp_path / "samples.npy").exists()
