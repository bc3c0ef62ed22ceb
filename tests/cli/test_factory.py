import numpy as np
import pytest

from npvae.cli.factory import make
from npvae.gradcheck import FAIL, PASS, Settings
from npvae.gradcheck.check import TargetError, check_made
from tests.gradcheck.doubles import Dense, Gaussian, Regression, arrays, backward, forward

CODE = """
import numpy as np

class Holder:
    def pair():
        return forward, lambda x, dy: {"x": 2 * x * dy}, np.ones(3)

def forward(x):
    return x ** 2, x

def right():
    return forward, lambda x, dy: {"x": 2 * x * dy}, np.arange(3.0)

def raising():
    raise KeyError("no such thing")

number = 3
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "a_students_layer.py"
    path.write_text(CODE)
    return path


def test_a_file_and_a_function(file):
    assert check_made(make(f"{file}:right"), Settings()).status == PASS
    assert check_made(make(f"{file}:Holder.pair"), Settings()).status == PASS


def test_a_module_and_a_function(file, monkeypatch):
    monkeypatch.chdir(file.parent)
    monkeypatch.syspath_prepend(file.parent)
    assert check_made(make("a_students_layer:right"), Settings()).status == PASS


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("nonsense", "expected package.module:factory or file.py:factory, got 'nonsense'"),
        (":right", "expected package.module:factory"),
        ("{file}:left", "has no 'left'"),
        (
            "{file}:forward",
            "a_students_layer.py:forward wants x; a factory is a function without arguments that returns",
        ),
        ("{file}:number", "is no function, but a int"),
        ("{file}:raising", "raised KeyError: 'no such thing'"),
        ("nowhere.py:right", "there is no file nowhere.py"),
        ("no_such_package.module:right", "cannot import no_such_package.module: ModuleNotFoundError"),
    ],
)
def test_a_target_that_does_not_work_is_one_line(file, target, message):
    with pytest.raises(TargetError) as caught:
        make(target.format(file=file))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_does_not_compile(tmp_path):
    (tmp_path / "broken.py").write_text("def f(:\n")
    with pytest.raises(TargetError, match=r"cannot import .*broken.py: SyntaxError"):
        make(f"{tmp_path / 'broken.py'}:f")


@pytest.mark.parametrize(
    "made",
    [
        Dense(),
        (Dense(), np.ones((2, 4))),
        Gaussian(),
        (forward, backward, *arrays()),
        (np.exp, lambda dy, x: dy * np.exp(x), np.ones(2)),
        (lambda w: ((w * w).sum(), 2 * w), np.ones(2)),
        (Regression(), np.ones((3, 4))),
    ],
    ids=["layer", "layer and x", "distribution", "functions", "no params", "loss", "model"],
)
def test_every_kind_of_thing_can_be_returned(made):
    report = check_made(made, Settings(), "thing")
    assert report.status == PASS, str(report)
    assert report.name == "thing"


@pytest.mark.parametrize("made", [None, 3, (), (3, 4), (forward,), {"a": 1}])
def test_anything_else_is_refused(made):
    with pytest.raises(TargetError, match="the factory has to return a layer, a distribution"):
        check_made(made, Settings())


def test_arrays_that_do_not_fit_are_refused():
    with pytest.raises(TargetError, match="ValueError: params must have 'b'"):
        check_made((Dense(), np.ones((2, 4)), {"W": np.ones((4, 3))}), Settings())


def test_settings_are_handed_on():
    report = check_made((forward, backward, *arrays()), Settings(only="W", target="m:f", method="central"))
    assert [entry.name for entry in report.entries] == ["W"]
    assert report.entries[0].method == "central difference, step 1e-05"
    wrong = check_made((forward, lambda c, dy: None, *arrays()), Settings(target="m:f", seed=3))
    assert wrong.status == FAIL
    assert wrong.again == "npvae gradcheck m:f --seed 3"
