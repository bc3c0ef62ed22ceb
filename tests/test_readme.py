"""What the README and docs/ promise is there: files, functions, links, commands, Python, the numbers of tables."""

import re
import shlex
from pathlib import Path

import pytest

from benchmarks.files import RESULTS
from benchmarks.table import tables
from docs.__main__ import pages
from npvae.cli import build_parser
from npvae.estimators import registry
from npvae.estimators.options import options_of

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {path.name: path.read_text(encoding="utf-8") for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]}
EQUATIONS = re.findall(r"^\|.*\| `([a-z_/]+\.py)`: `(\w+)` \| `(tests/[a-z_/]+\.py)` \|$", PAGES["equations.md"], re.M)


def blocks(text, language):
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def commands(text):
    lines = "\n".join(blocks(text, "bash")).replace("\\\n", " ").splitlines()
    return [part.strip() for line in lines for part in line.split("  #")[0].split("&&")]


def test_it_is_short():
    assert len(README.encode()) <= 9000


def test_the_page_of_the_newcomer_is_the_first_link():
    assert re.search(r"\]\(([^)]+)\)", README)[1] == "demos/vae_by_hand.py"


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_is_named_exists(page):
    named = set(re.findall(r"`((?:tests|npvae|demos|benchmarks|docs)/[a-z_/0-9]+\.[a-z]+)\b", PAGES[page]))
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page):
    folder = ROOT if page == "README.md" else ROOT / "docs"
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", PAGES[page]) if not link.startswith("http")]
    assert [link for link in links if not (folder / link).exists()] == []


def test_the_files_of_the_map_and_of_the_reading_order_exist():
    part = README.split("## Map of the house")[1]
    named = re.findall(r"`((?:[a-z_]+/)*(?:[a-z_]+\.py)?)`", part)
    named = [name for name in named if "/" in name or name.endswith(".py")]
    assert len(named) > 20
    assert [name for name in named if not any((folder / name).exists() for folder in (ROOT, ROOT / "npvae"))] == []
    packages = {path.parent.name for path in (ROOT / "npvae").glob("*/__init__.py")}
    assert packages <= {name.strip("/") for name in named}


def test_every_equation_is_in_its_file_and_has_its_test():
    rows = [line for line in PAGES["equations.md"].splitlines() if line.startswith("| ") and ".py" in line]
    assert len(EQUATIONS) == len(rows) > 30
    for path, name, test in EQUATIONS:
        text = (ROOT / "npvae" / path).read_text(encoding="utf-8")
        assert re.search(rf"(def|class) {name}\b", text), (path, name)
        assert (ROOT / test).exists(), test


@pytest.mark.parametrize("page", PAGES)
def test_every_command_is_understood(page):
    for command in commands(PAGES[page]):
        if command.startswith("npvae "):
            words = shlex.split(command)[1:]
            assert build_parser(words).parse_args(words).run


def test_the_command_line_has_ten_lines():
    assert 8 <= len([command for command in commands(README) if command.startswith("npvae ")]) <= 14


RUNS = [
    *blocks(README, "python"),
    *(code for code in blocks(PAGES["conventions.md"], "python") if "import" in code),
    *blocks(PAGES["compression.md"], "python"),
]


@pytest.mark.parametrize("code", RUNS, ids=["estimator", "checker", "model", "compression", "restoration"])
def test_the_python_runs(code, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = (
        code.replace("20_000", "300").replace("1_000", "100").replace("epochs=10", "epochs=1").replace("k=1000", "k=5")
    )
    exec(compile(code, "README.md", "exec"), {})
    assert capsys.readouterr().out


def test_the_checker_names_the_mistake_of_the_example(capsys):
    (code,) = (block for block in blocks(README, "python") if "check_function" in block)
    exec(compile(code, "README.md", "exec"), {})
    report = capsys.readouterr().out
    assert "FAIL b (2,)" in report
    assert "8 is" in report


def test_what_is_generated_is_what_the_command_writes():
    stale = [path.name for path, text in pages().items() if path.read_text(encoding="utf-8") != text]
    assert stale == [], "run python -m docs"


def test_every_table_is_on_a_page_and_every_marker_has_its_table():
    named = {name for text in PAGES.values() for name in re.findall("<!-- ([a-z-]+): begin -->", text)}
    assert named == {*tables(RESULTS), "faults", "options", "strangers"}


def test_every_model_is_named():
    assert [name for name in registry.names() if f"`{name}`" not in README] == []


@pytest.mark.parametrize("name", registry.names())
def test_every_option_of_every_estimator_is_on_the_page(name):
    section = PAGES["options.md"].split(f"## `--model {name}`")[1].split("\n## ")[0]
    for option in options_of(registry.estimator_class(name)).values():
        (row,) = (line for line in section.splitlines() if f"| `{option.name}` |" in line)
        assert option.flag is None or f"`--{option.flag}`" in row
