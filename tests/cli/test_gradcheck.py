"""``npvae gradcheck``: what it prints, writes and returns."""

import json

import pytest

from npvae.cli import main

FACTORIES = """
import numpy as np

def forward(x, W):
    return x @ W, (x, W)

def backward(cache, dy):
    x, W = cache
    return {"x": dy @ W.T, "W": x.T @ dy}

def blind(cache, dy):
    return {**backward(cache, dy), "W": 0 * cache[1]}

ARGUMENTS = {}, {"x": np.arange(6.0).reshape(2, 3) + 1, "W": np.ones((3, 2))}

def right():
    return forward, backward, *ARGUMENTS

def wrong():
    return forward, blind, *ARGUMENTS

def nothing():
    return lambda x: (2 * x, None), lambda cache, dy: {"x": None}, np.ones(3)

def raising():
    raise RuntimeError("no such data")

def closure():
    return (lambda x: (2 * x, lambda dy: 2 * dy)), None, np.ones(3)

def number():
    return 3
"""


@pytest.fixture
def factories(here):
    (here / "mine.py").write_text(FACTORIES)
    return here


def run(capsys, *arguments):
    try:
        status = main(["gradcheck", *arguments])
    except SystemExit as stop:
        status = stop.code
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_a_right_gradient(factories, capsys):
    status, text, _ = run(capsys, "mine.py:right")
    assert status == 0
    assert text.startswith("PASS right   2 tensors")


def test_a_wrong_gradient_and_how_to_repeat_the_check(factories, capsys):
    status, text, _ = run(capsys, "mine.py:wrong", "--seed", "5")
    assert status == 1
    assert "FAIL W (3, 2)" in text
    assert "again: npvae gradcheck mine.py:wrong --seed 5 --only W" in text
    status, text, _ = run(capsys, "mine.py:wrong", "--seed", "5", "--only", "x")
    assert status == 0


def test_a_check_that_cannot_tell(factories, capsys):
    assert run(capsys, "mine.py:nothing")[0] == 2


def test_a_plain_difference_sees_less(factories, capsys):
    status, text, _ = run(capsys, "mine.py:right", "--method", "central", "--step", "1e-4")
    assert status == 0
    assert "central difference, step 0.0001" in text


def test_the_report_as_a_file(factories, capsys):
    run(capsys, "mine.py:wrong", "--json", "report.json")
    document = json.loads((factories / "report.json").read_text())
    assert document["status"] == "FAIL"
    assert [entry["status"] for entry in document["entries"]] == ["PASS", "FAIL"]


def test_the_picture_of_steps(factories, capsys):
    status, text, _ = run(capsys, "mine.py:right", "--curve", "steps.png")
    assert status == 0
    assert text.endswith("wrote steps.png\n")
    assert (factories / "steps.png").read_bytes().startswith(b"\x89PNG")


def test_everything_the_package_exports(capsys, here):
    status, text, _ = run(capsys, "--all", "--only", "layers.*", "--json", "all.json")
    assert status == 0
    assert text.splitlines()[0].split() == ["part", "tensors", "worst", "error", "resolution", "time"]
    assert "layers.Dense 4→4" in text
    assert "distributions" not in text
    assert "every gradient is right" in text
    assert {report["status"] for report in json.loads((here / "all.json").read_text())} == {"PASS"}


def test_settings_reach_every_part(capsys, here):
    run(capsys, "--all", "--only", "layers.Tanh", "--method", "ladder", "--json", "all.json")
    reports = json.loads((here / "all.json").read_text())
    assert reports
    assert all(entry["method"].startswith("ladder") for report in reports for entry in report["entries"])


def test_mutants_of_ones_own_function(factories, capsys):
    status, text, _ = run(capsys, "mine.py:right", "--mutate", "--json", "mutants.json")
    assert status == 0
    assert text.splitlines()[1].startswith("backward ")
    assert text.endswith("every mutant that does something else is found\n")
    assert json.loads((factories / "mutants.json").read_text())["passed"] is True


def test_mutants_of_the_package(capsys):
    status, text, _ = run(capsys, "--all", "--mutate", "--only", "Tanh")
    assert status == 0
    assert "Tanh.backward" in text
    assert "Sigmoid" not in text


def test_mutation_wants_a_gradient_that_is_right(factories, capsys):
    status, text, _ = run(capsys, "mine.py:wrong", "--mutate")
    assert status == 1
    assert "before anything is broken, the check has to pass:\nFAIL" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name one package.module:factory, or say --all"),
        (["mine.py:right", "--all"], "name one package.module:factory, or say --all"),
        (["mine.py:none"], "mine.py has no 'none'"),
        (["mine.py:raising"], "mine.py:raising raised RuntimeError: no such data"),
        (["mine.py:number"], "the factory has to return"),
        (["other.py:right"], "there is no file other.py"),
        (["no.such.module:right"], "cannot import no.such.module"),
        (["mine.py:right", "--only", "V"], "no tensor is called 'V'"),
        (["mine.py:right", "--probes", "0"], "probes must be a whole number of at least 1, got 0"),
        (["mine.py:right", "--probes", "some"], "invalid int value: 'some'"),
        (["mine.py:right", "--step", "1e-5"], "step belongs to the methods central and forward"),
        (["mine.py:right", "--what"], "unrecognized arguments: --what"),
        (["mine.py:right", "--curve", "steps.doc"], "--curve must end in .png"),
        (["mine.py:right", "--json", "no/such/folder.json"], "--json must lie in a folder"),
        (["--all", "--curve", "steps.png"], "--curve belongs to the check of one package.module:factory"),
        (["--all", "--only", "nonesuch"], "no part is called 'nonesuch'"),
        (["--mutate"], "name one package.module:factory, or say --all"),
        (["mine.py:right", "--mutate", "--method", "central"], "--mutate has a check of its own"),
        (["mine.py:right", "--mutate", "--full"], "--mutate has a check of its own"),
        (["mine.py:right", "--mutate", "--probes", "9"], "--mutate has a check of its own"),
        (["--all", "--mutate", "--only", "nonesuch"], "only must be in the name of a function that is broken ("),
        (["mine.py:closure", "--mutate"], "a closure is made anew by every forward"),
    ],
)
def test_wrong_usage_is_one_line_and_status_3(factories, capsys, arguments, message):
    status, _, error = run(capsys, *arguments)
    assert status == 3
    assert message in error
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--json", "no/report.json"], "--json must lie in a folder that exists, got 'no/report.json'"),
        (["--curve", "no/steps.png"], "--curve must lie in a folder that exists, got 'no/steps.png'"),
        (["--curve", "steps.txt"], "--curve must end in .png, .svg, .pdf, got 'steps.txt'"),
    ],
)
def test_an_output_that_cannot_be_is_said_before_the_check(factories, capsys, options, words):
    status, text, complaint = run(capsys, "mine.py:right", *options)
    assert (status, text) == (3, "")
    assert words in complaint


def test_the_curve_of_a_function_that_is_not_analytic_is_said_to_be_one(factories, capsys):
    (factories / "other.py").write_text(
        "import numpy as np\n"
        "def singular():\n"
        "    back = lambda x, dy: (lambda u, s, v: (u * dy) @ v)(*np.linalg.svd(x))\n"
        "    return lambda x: (np.linalg.svd(x)[1], x), back, np.array([[2.0, 0.3], [0.1, 1.0]])\n"
    )
    status, text, _ = run(capsys, "other.py:singular", "--curve", "steps.png")
    assert status == 0
    assert "the line of the complex step means nothing: the forward is not analytic (it calls svd)" in text


def test_a_backward_that_raises_has_no_curve(factories, capsys):
    with (factories / "mine.py").open("a") as file:
        file.write("\ndef failing():\n    return forward, lambda cache, dy: 1 / 0, *ARGUMENTS\n")
    status, text, _ = run(capsys, "mine.py:failing", "--curve", "steps.png")
    assert status == 1
    assert "division by zero" in text
    assert not (factories / "steps.png").exists()
