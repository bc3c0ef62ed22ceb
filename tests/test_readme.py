"""What the README promises is there: its files, its commands, its Python."""

import re
import shlex
from pathlib import Path

import pytest

from npvae.cli import build_parser

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_every_file_that_is_named_exists():
    table = README.split("## Equation, file, test")[1].split("\nSources")[0]
    inside = re.findall(r"\| `([a-z_]+/[a-z_]+\.py|[a-z_]+\.py)`", table)
    named = {f"npvae/{path}" for path in inside if not path.startswith("tests/")}
    named |= set(re.findall(r"`((?:tests|npvae|demos)/[a-z_/]+\.py)`", README))
    assert len(named) > 15
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


def test_every_function_that_the_table_names_is_in_its_file():
    rows = re.findall(r"\| `([a-z_/]+\.py)`(?:, `[a-z_]+\.py`)?: `(\w+)` \|", README)
    assert len(rows) > 8
    for path, name in rows:
        assert re.search(rf"(def|class) {name}\b", (ROOT / "npvae" / path).read_text(encoding="utf-8")), (path, name)


def test_every_command_is_understood():
    lines = [line.split("  #")[0].strip() for block in blocks("bash") for line in block.splitlines()]
    commands = [part.strip() for line in lines for part in line.split("&&") if part.strip().startswith("npvae ")]
    assert len(commands) > 10
    for command in commands:
        assert build_parser().parse_args(shlex.split(command)[1:]).run


@pytest.mark.parametrize(
    "code", [block for block in blocks("python") if "check_function" in block or "adam.step" in block]
)
def test_the_python_runs(code, capsys):
    exec(compile(code, "README.md", "exec"), {})
    assert capsys.readouterr().out


def test_the_checker_names_the_mistake_of_the_example(capsys):
    (code,) = (block for block in blocks("python") if "check_function" in block)
    exec(compile(code, "README.md", "exec"), {})
    report = capsys.readouterr().out
    assert "FAIL b (2,)" in report
    assert "8 is" in report
