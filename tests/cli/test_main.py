"""The command as a whole: its help, its version, its answers to bad input."""

import re
from pathlib import Path

import numpy as np
import pytest

import npvae
from npvae import training
from npvae.cli import build_parser, main
from tests.cli.conftest import TINY

COMMANDS = [
    "train",
    "sample",
    "reconstruct",
    "encode",
    "decode",
    "manifold",
    "interpolate",
    "score",
    "evaluate",
    "info",
]


def leave(argv):
    with pytest.raises(SystemExit) as leaving:
        main(argv)
    return leaving.value.code


def test_version(capsys):
    assert leave(["--version"]) == 0
    assert capsys.readouterr().out == f"npvae {npvae.__version__}\n"


def test_help_lists_every_command_and_the_exit_status(capsys):
    assert leave(["--help"]) == 0
    out = capsys.readouterr().out
    for command in COMMANDS:
        assert re.search(rf"^ +{command}\b", out, re.MULTILINE)
    assert "exit status: 0 success" in out


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command_describes_its_arguments_and_has_an_example_that_parses(command, capsys):
    assert leave([command, "--help"]) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 120
    examples = re.findall(rf"^  npvae ({command}.*)$", out, re.MULTILINE)
    assert examples
    for example in examples:
        assert build_parser().parse_args(example.split()).run
    parser = build_parser()._subparsers._group_actions[0].choices[command]
    assert all(action.help for action in parser._actions)


TRAIN = ["train", "-o", "new"]


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["trian"], "; did you mean 'train'?"),
        (["train", "--colour", "red"], "unrecognized arguments: --colour"),
        (["sample"], "the following arguments are required: MODEL"),
        ([*TRAIN, "--epochs", "many"], "argument --epochs: invalid int value: 'many'"),
        ([*TRAIN, "--hidden", "4;5"], "argument --hidden: expected integers with commas between"),
        ([*TRAIN, "--hidden", "20", "10"], "argument --hidden: expected commas between, such as 20,10, got 20 10"),
        ([*TRAIN, "digits", "--image-shape", "5", "5", "1"], "--image-shape: expected commas between, such as 5,5,1"),
        ([*TRAIN, "--activation", "rellu"], "argument --activation: invalid choice: 'rellu'"),
        ([*TRAIN, "--activation", "rellu"], "; did you mean 'relu'?"),
        (["score", "m.npz", "d.npy", "--rows", "a:b"], "argument --rows: expected rows such as 0:100 or 7, got 'a:b'"),
    ],
)
def test_arguments_that_do_not_parse(here, refused, argv, text):
    error = refused(*argv)
    assert text in error
    assert "--help" in error
    assert not list(here.iterdir())


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--latent", "-1"], "--latent must be at least 1, got -1"),
        (["--latent", "0"], "--latent must be at least 1, got 0"),
        (["--hidden", "8,-1"], "--hidden[1] must be at least 1, got -1"),
        (["--epochs", "0"], "--epochs must be at least 1, got 0"),
        (["--batch", "-5"], "--batch must be at least 1, got -5"),
        (["--learning-rate", "nan"], "--learning-rate must be finite, got nan"),
        (["--learning-rate", "-1"], "--learning-rate must be greater than 0, got -1"),
        (["--beta", "inf"], "--beta must be finite, got inf"),
        (["--samples", "0"], "--samples must be at least 1, got 0"),
        (["--seed", "-3"], "--seed must be at least 0, got -3"),
        (["--limit", "0"], "--limit must be at least 1, got 0"),
        (["--limit", "1"], "at least two rows"),
        (["--patience", "3"], "--patience needs held-out data: give --test"),
        (["--bound", "iwae", "--beta", "2"], "--beta must be 1 with --bound iwae: inside the logarithm of L_k no KL"),
        (["--likelihood", "gaussian-pixel", "--sigma", "2"], "--sigma must be 1.0 with --likelihood gaussian-pixel: "),
        (["--free-bits", "1", "--posterior", "full"], "--free-bits must be 0 with --posterior full: "),
        (["--posterior", "full", "--latent", "90000"], "--latent must be smaller, got 90000"),
        (["--likelihood", "gaussian", "--binarize", "fixed"], "--binarize must be 'none' with --likelihood gaussian: "),
        (["--labels", "nothing.npy"], "nothing.npy"),
        (["--test", "nothing.npy"], "nothing.npy"),
    ],
)
def test_settings_that_cannot_be(files, here, refused, options, text):
    assert text in refused("train", files.images, "-o", "new/run", *TINY, *options)
    assert not list(here.iterdir())


def save(name, array):
    return lambda: np.save(name, array)


def text(name, content):
    def write():
        with open(name, "w") as file:
            file.write(content)

    return write


GREY = np.full((4, 36), 0.5)


def holding(value):
    x = GREY.copy()
    x[2, 5] = value
    return x


BAD_DATA = {
    "nan.npy": (save("nan.npy", holding(np.nan)), "must be finite, got nan at row"),
    "inf.npy": (save("inf.npy", holding(np.inf)), "inf.npy must be finite, got inf at row 2, column 5"),
    "high.npy": (
        save("high.npy", holding(1.5)),
        "must lie in [0, 1] under --likelihood bernoulli, got values from 0.5",
    ),
    "low.npy": (
        save("low.npy", holding(-0.5)),
        "must lie in [0, 1] under --likelihood bernoulli, got values from -0.5",
    ),
    "none.npy": (save("none.npy", GREY[:0]), "none.npy"),
    "flat.npy": (save("flat.npy", GREY[0]), "flat.npy must hold rows"),
    "complex.npy": (save("complex.npy", GREY + 0j), "complex.npy"),
    "cut.npy": (text("cut.npy", "\x93NUMPY"), "cut.npy"),
    "words.csv": (text("words.csv", "1,2\n3,four\n5,6\n"), "must hold numbers, got '"),
    "ragged.csv": (text("ragged.csv", "1,2\n3\n"), "ragged.csv must have 2 fields in every line, got 1 in line 2"),
    "empty.csv": (text("empty.csv", ""), "empty.csv"),
    "what.txt": (text("what.txt", "hello"), "what.txt"),
    "nothing.npy": (lambda: None, "nothing.npy"),
}


@pytest.mark.parametrize("name", BAD_DATA)
@pytest.mark.parametrize(
    "role", ["train", "test", "score", "evaluate", "encode", "reconstruct", "interpolate", "decode"]
)
def test_data_that_cannot_be(files, here, refused, name, role):
    make, expected = BAD_DATA[name]
    make()
    before = sorted(here.iterdir())
    argv = {
        "train": ["train", name, "--likelihood", "bernoulli", "-o", "new", *TINY],
        "test": ["train", files.images, "--test", name, "-o", "new", *TINY],
        "interpolate": ["interpolate", files.model, name, "0", "2", "-o", "new.npy"],
    }.get(role, [role, files.model, name, "-o", "new.npy"])
    if role == "decode" and name in ("high.npy", "low.npy", "nan.npy"):
        expected = "LATENTS must have 2 features"
    assert expected in refused(*argv)
    assert sorted(here.iterdir()) == before


def test_a_number_after_a_list_is_the_data_where_there_is_such_a_file(files, here):
    (here / "10").symlink_to(Path(files.model).parent.parent, target_is_directory=True)
    assert build_parser().parse_args(["train", "--hidden", "20", "10"]).data == "10"


@pytest.mark.parametrize(("option", "value"), [("--latent", "0"), ("--hidden", "8,-1"), ("--seed", "-1")])
def test_options_are_judged_before_the_data(here, refused, option, value):
    assert f"{option}" in refused("train", "nothing.npy", "-o", "new", option, value)


def test_a_model_in_the_place_of_data(files, here, refused):
    assert f"{files.model} must hold data, got a model or checkpoint" in refused("train", files.model, "-o", "new")


def test_one_row_teaches_nothing_but_can_be_used(files, here, refused):
    np.save("one.npy", GREY[:1])
    assert "DATA must have at least two rows to learn from" in refused("train", "one.npy", "-o", "new", *TINY)
    assert main(["reconstruct", files.model, "one.npy", "-o", "r.npy"]) == 0


@pytest.mark.parametrize("command", ["score", "encode", "reconstruct"])
def test_another_number_of_features(files, here, refused, command):
    np.save("narrow.npy", GREY[:, :7])
    expected = "DATA must have 36 features, got shape (4, 7)"
    assert expected in refused(command, files.model, "narrow.npy", "-o", "new.npy")
    assert "36 features" in refused("train", files.images, "--test", "narrow.npy", "-o", "new", *TINY)
    assert [path.name for path in here.iterdir()] == ["narrow.npy"]


def test_labels_of_another_length(files, here, refused):
    np.save("labels.npy", np.arange(7))
    assert "labels must have one value for each of the 60 rows" in refused(
        "train", files.images, "--labels", "labels.npy", "-o", "new", *TINY
    )
    assert not (here / "new").exists()


USES = {
    "sample": [],
    "manifold": [],
    "info": [],
    "score": ["images.npy"],
    "evaluate": ["images.npy", "--k", "2"],
    "encode": ["images.npy"],
    "reconstruct": ["images.npy"],
    "interpolate": ["images.npy", "0", "1"],
    "decode": ["images.npy"],
}


def test_a_run_folder_in_the_place_of_its_model(files, here, refused):
    folder = Path(files.model).parent
    text = refused("info", folder)
    assert f"MODEL must name a file, got the folder {folder}; did you mean {folder / 'model.npz'}?" in text


@pytest.mark.parametrize("command", USES)
def test_models_that_are_none(files, here, refused, command):
    text("words.csv", "1,2\n")()
    np.savez("arrays.npz", a=GREY)
    with open(files.model, "rb") as file:
        (here / "cut.npz").write_bytes(file.read()[:-50])
    training.save_checkpoint("checkpoint.npz", npvae.VAE(1, 2, epochs=1).fit(GREY).run_)
    (here / "folder").mkdir()
    before = sorted(here.iterdir())
    for model in ("words.csv", "arrays.npz", "cut.npz", "checkpoint.npz", "folder", "nothing.npz", files.images):
        output = [] if command == "info" else ["-o", "new.npy"]
        assert model in refused(command, model, *USES[command], *output)
        assert sorted(here.iterdir()) == before


@pytest.mark.parametrize("command", [name for name in USES if name != "info"])
def test_outputs_that_cannot_be(files, here, refused, command):
    np.save("images.npy", np.zeros((3, 2 if command == "decode" else 36)))
    (here / "folder.npy").mkdir()
    before = sorted(here.iterdir())
    for output, expected in (
        ("a.jpeg", "output must end in"),
        ("a", "output must end in"),
        ("folder.npy", "output must be a file, got"),
        ("nowhere/a.npy", "output must lie in a folder that exists"),
    ):
        assert expected in refused(command, files.model, *USES[command], "-o", output)
        assert sorted(here.iterdir()) == before


def test_an_output_folder_that_is_a_file(files, here, refused):
    (here / "run").write_text("mine")
    assert "--output must be a folder, got the file 'run'" in refused("train", files.images, "-o", "run", *TINY)
    assert (here / "run").read_text() == "mine"


def test_an_output_folder_that_cannot_be_written(files, here, refused, monkeypatch):
    def refuse(*arguments, **settings):
        raise PermissionError(13, "Permission denied", "locked")

    (here / "locked").mkdir()
    monkeypatch.setattr("npvae.cli.run_folder.replacing", refuse)
    assert "Permission denied" in refused("train", files.images, "-o", "locked", *TINY)
    assert not list((here / "locked").iterdir())


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        (["sample", "-n", "0"], "n must be at least 1, got 0"),
        (["sample", "-n", "-4"], "n must be at least 1, got -4"),
        (["sample", "--seed", "-1"], "--seed must be at least 0, got -1"),
        (["manifold", "--side", "1"], "at least 2"),
        (["manifold", "--side", "-3"], "at least 2"),
    ],
)
def test_counts_that_cannot_be(files, here, refused, argv, text):
    assert text in refused(argv[0], files.model, *argv[1:], "-o", "new.npy")
    assert not list(here.iterdir())


def test_more_counts_that_cannot_be(files, here, refused):
    assert "--samples must be at least 1, got 0" in refused("score", files.model, files.images, "--samples", "0")
    assert "steps must be at least 2, got 1" in refused("interpolate", files.model, files.images, 0, 1, "--steps", "1")
    assert "--rows selects nothing" in refused("score", files.model, files.images, "--rows", "70:80")


def test_more_than_the_memory_holds(files, here, refused):
    refused("sample", files.model, "-n", str(10**16), "-o", "new.npy")
    refused("interpolate", files.model, files.images, 0, 1, "--steps", str(10**16), "-o", "new.npy")
    assert not list(here.iterdir())


@pytest.mark.parametrize("error", [OSError(28, "No space left on device", "disk"), OSError("odd"), MemoryError()])
def test_errors_of_the_machine_are_one_line_too(files, here, refused, monkeypatch, error):
    def fail(*arguments, **settings):
        raise error

    monkeypatch.setattr(np, "save", fail)
    refused("sample", files.model, "-o", "new.npy")
    assert not list(here.iterdir())


def test_errors_of_the_program_are_not_hidden(files, here, monkeypatch):
    def fail(*arguments, **settings):
        raise ZeroDivisionError

    monkeypatch.setattr(np, "save", fail)
    with pytest.raises(ZeroDivisionError):
        main(["sample", files.model, "-o", "new.npy"])


def test_control_characters_of_a_file_do_not_reach_the_terminal(here, capsys, refused):
    (here / "\x1b[2Jx.csv").write_text("a\x1b[31m,b,b\n1.5,2,3\n2.5,3,oops\n" + "1,2,3\n" * 30)
    text = refused("train", "\x1b[2Jx.csv", "--columns", "c\x07", "-o", "run")
    text += refused("train", "\x1b[2Jx.csv", "-o", "run", *TINY)
    (here / "x.csv").write_text("a\x1b[31m,b\n" + "1.5,2\n2.5,3\n" * 10)
    assert main(["train", "x.csv", "-o", "run", *TINY]) == 0
    assert main(["info", "run/model.npz"]) == 0
    captured = capsys.readouterr()
    text += captured.out + captured.err
    assert "\\x1b[2Jx.csv" in text
    assert all(character.isprintable() or character == "\n" for character in text)
