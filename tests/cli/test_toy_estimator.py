"""A model that the package does not know, from the command line: one class, one registration, and nothing else."""

import numpy as np
import pytest

import npvae
from npvae.cli import main
from npvae.estimators import registry
from tests.estimators import toy

WHAT = ["--model", "toy", "--width", "2", "--batch", "16", "--seed", "3", "--quiet"]


@pytest.fixture(autouse=True)
def registered():
    registry.register("toy", toy.Toy)
    yield
    registry.unregister("toy")


@pytest.fixture
def run(files, here):
    assert main(["train", files.images, "-o", "run", "--epochs", "4", *WHAT]) == 0
    return here / "run"


def test_it_trains_and_leaves_pictures(run):
    names = {path.name for path in run.iterdir()}
    assert {"model.npz", "history.csv", "checkpoint.npz", "samples.png", "reconstructions.png", "manifold.png"} <= names


def test_it_resumes_to_the_bits_of_the_uninterrupted_run(files, run):
    assert main(["train", files.images, "-o", "again", "--epochs", "2", *WHAT]) == 0
    assert main(["train", files.images, "-o", "again", "--epochs", "4", *WHAT, "--resume"]) == 0
    again, straight = (npvae.load(f"{folder}/model.npz") for folder in ("again", "run"))
    np.testing.assert_array_equal(again.theta_.flat, straight.theta_.flat)


def test_it_loads_as_what_it_is(run):
    model = npvae.load(run / "model.npz")
    assert type(model) is toy.Toy
    assert model.width == 2


@pytest.mark.parametrize(
    "command",
    [
        ["sample", "MODEL", "-n", "4", "-o", "out.png"],
        ["reconstruct", "MODEL", "DATA", "-o", "out.npy"],
        ["encode", "MODEL", "DATA", "-o", "out.csv"],
        ["interpolate", "MODEL", "DATA", "0", "5", "-o", "out.png"],
        ["manifold", "MODEL", "-o", "out.png"],
        ["score", "MODEL", "DATA", "-o", "out.csv"],
    ],
)
def test_every_command_that_it_has_a_method_for_serves_it(files, run, here, command):
    words = {"MODEL": str(run / "model.npz"), "DATA": files.images}
    assert main([words.get(word, word) for word in command]) == 0
    assert (here / command[-1]).stat().st_size > 0


def test_it_says_what_it_has_not(files, run, refused):
    model = run / "model.npz"
    said = f"npvae evaluate needs a model of vae, rbm, pca, gaussian-mixture, binary-vae or sbn; {model} is one of toy"
    assert said in refused("evaluate", model, files.images)
    assert f"npvae impute needs a model of vae; {model} is one of toy" in refused("impute", model, files.images)


def test_score_prints_its_own_unit(files, run, capsys):
    assert main(["score", str(run / "model.npz"), files.images]) == 0
    assert "squares per row" in capsys.readouterr().out


def test_an_option_of_another_model_is_said_to_be_one(files, refused):
    said = refused("train", files.images, "--model", "toy", "--beta", "3")
    assert "--beta is an option of vae, not of toy" in said


def test_an_unknown_model_and_an_unknown_option_name_the_nearest(files, refused):
    assert "did you mean 'toy'?" in refused("train", files.images, "--model", "toyy")
    assert "did you mean --width?" in refused("train", files.images, "--model", "toy", "--widht", "3")


def test_a_run_of_another_model_is_not_resumed(files, run, refused):
    before = (run / "model.npz").read_bytes()
    said = refused("train", files.images, "-o", run, "--resume", "--epochs", "9", "--quiet")
    assert "--model must be 'toy', as it was when the run began, got 'vae'" in said.replace("; got", ", got")
    assert (run / "model.npz").read_bytes() == before


def test_help_shows_the_options_of_the_model_that_is_named(capsys):
    with pytest.raises(SystemExit):
        main(["train", "--model", "toy", "--help"])
    text = capsys.readouterr().out
    assert "--width D" in text
    assert "--beta" not in text


def test_a_file_of_a_model_that_is_not_known_is_refused(run, refused):
    registry.unregister("toy")
    try:
        assert "is a model 'Toy' that is not known here" in refused("info", run / "model.npz")
    finally:
        registry.register("toy", toy.Toy)
