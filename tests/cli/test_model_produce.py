"""Commands that make arrays and pictures: the same numbers as from Python, in every kind of file."""

import numpy as np
import pytest

import npvae
from npvae.cli import main
from npvae.plots import manifold_grid
from tests.cli.conftest import TINY

MAGIC = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}


def read(path):
    """The first array of a file, and the header if it is a table."""
    if path.suffix == ".csv":
        with open(path) as file:
            header = file.readline().rstrip("\n").split(",")
        return np.loadtxt(path, delimiter=",", skiprows=1, ndmin=2), header
    if path.suffix == ".npz":
        with np.load(path) as archive:
            return archive[archive.files[0]], archive.files
    return np.load(path), None


def commands(files):
    """Arguments, what the first array has to be, names in the .npz, header of the table."""
    vae, x = npvae.load(files.model), files.x
    pixels, latents = [f"x{i}" for i in range(1, 37)], ["z1", "z2"]
    return {
        "sample": (["-n", "7", "--seed", "3"], vae.sample(7, 3), ["images"], pixels),
        "reconstruct": ([files.images, "--rows", "5:15"], vae.reconstruct(x[5:15]), ["x_hat"], pixels),
        "attribute": (
            [files.images, "2", "--labels", files.labels],
            vae.attribute_vector(x, np.arange(60) % 3 == 2)[None],
            ["vector"],
            latents,
        ),
        "encode": ([files.images, "--labels", files.labels], vae.transform(x), ["mu", "log_var"], latents),
        "decode": (["latents.csv"], vae.inverse_transform([[0, 1], [2, -1]]), ["images"], pixels),
        "manifold": (["--side", "3"], vae.inverse_transform(manifold_grid(3)), ["images", "z"], pixels),
        "interpolate": (
            [files.rows, "3", "8", "--steps", "5", "--method", "spherical"],
            vae.interpolate(x[3], x[8], 5, "spherical"),
            ["images"],
            pixels,
        ),
    }


COMMANDS = ["sample", "reconstruct", "attribute", "encode", "decode", "manifold", "interpolate"]


@pytest.fixture
def latents(here):
    (here / "latents.csv").write_text("z1,z2\n0,1\n2,-1\n")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("ending", [".npy", ".npz", ".csv", ".CSV"])
def test_numbers(files, here, latents, capsys, command, ending):
    arguments, expected, names, columns = commands(files)[command]
    assert main([command, files.model, *arguments, "-o", f"out{ending}"]) == 0
    assert capsys.readouterr() == (f"wrote out{ending}\n", "")
    path = here / f"out{ending}"
    got, header = read(path.rename(path.with_suffix(ending.lower())))
    np.testing.assert_array_equal(got.astype(np.float32), expected)
    assert header == {".npz": names, ".csv": columns}.get(ending.lower())
    assert len(list(here.iterdir())) == 2


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("ending", [".png", ".svg", ".pdf"])
def test_pictures(files, here, latents, command, ending):
    pytest.importorskip("matplotlib")
    arguments = commands(files)[command][0]
    assert main([command, files.model, *arguments, "-o", f"out{ending}"]) == 0
    assert (here / f"out{ending}").read_bytes().startswith(MAGIC[ending])


@pytest.mark.parametrize(
    ("command", "output"),
    [
        ("sample", "samples.png"),
        ("reconstruct", "reconstructions.png"),
        ("attribute", "attribute.png"),
        ("encode", "latents.npy"),
        ("decode", "decoded.png"),
        ("manifold", "manifold.png"),
        ("interpolate", "interpolation.png"),
    ],
)
def test_default_outputs(files, here, latents, command, output):
    pytest.importorskip("matplotlib")
    assert main([command, files.model, *commands(files)[command][0]]) == 0
    assert (here / output).exists()


def test_an_older_output_is_replaced(files, here):
    (here / "out.npy").write_text("old")
    assert main(["sample", files.model, "-n", "2", "-o", "out.npy"]) == 0
    assert np.load("out.npy").shape == (2, 36)


def test_encode_gives_the_posterior(files, here):
    main(["encode", files.model, files.images, "-o", "q.npz"])
    mu, log_var = npvae.load(files.model).encode(files.x)
    with np.load("q.npz") as archive:
        np.testing.assert_array_equal(archive["mu"], mu)
        np.testing.assert_array_equal(archive["log_var"], log_var)


def test_decode_reads_what_encode_wrote(files, here):
    expected = npvae.load(files.model).reconstruct(files.x)
    for latents, source in (("z.npy", "z.npy"), ("z.csv", "z.csv"), ("z.npz", "z.npz:mu")):
        assert main(["encode", files.model, files.images, "-o", latents]) == 0
        assert main(["decode", files.model, source, "-o", "x.npy"]) == 0
        np.testing.assert_allclose(np.load("x.npy"), expected, atol=1e-6)


def test_an_attribute_is_a_class_that_some_have(files, here, refused):
    text = refused("attribute", files.model, files.images, "2")
    assert "--labels, or --label-column of a table, must name the classes of" in text
    text = refused("attribute", files.model, files.images, "9", "--labels", files.labels)
    assert "LABEL must be the class of some rows and not of others, got 9 of 0, 1, 2" in text
    words = [files.model, files.images, "2", "--labels", files.labels]
    assert "--steps must be at least 2, got 1" in refused("attribute", *words, "--steps", "1", "-o", "a.npy")


def test_the_picture_of_an_attribute_shows_others_on_their_way(files, here, monkeypatch):
    plots = pytest.importorskip("npvae.plots")
    pytest.importorskip("matplotlib")
    shown, original = [], plots.interpolations
    monkeypatch.setattr(plots, "interpolations", lambda images, *rest: shown.append(images) or original(images, *rest))
    main(["attribute", files.model, files.images, "2", "--labels", files.labels, "--steps", "3"])
    vae, is_two = npvae.load(files.model), np.arange(60) % 3 == 2
    z, way = vae.transform(files.x[~is_two][:8]), vae.attribute_vector(files.x, is_two)
    expected = [vae.inverse_transform(z + t * way) for t in (0, 0.5, 1)]
    np.testing.assert_allclose(shown[0], np.stack(expected, axis=1), rtol=1e-5)


def test_samples_differ_without_a_seed(files, here):
    for name in ("a.npy", "b.npy"):
        main(["sample", files.model, "-n", "2", "-o", name])
    assert not np.array_equal(np.load("a.npy"), np.load("b.npy"))


def test_a_picture_of_reconstructions_shows_twelve_rows_unless_told(files, here, monkeypatch):
    plots = pytest.importorskip("npvae.plots")
    pytest.importorskip("matplotlib")
    shown = []
    original = plots.reconstructions
    monkeypatch.setattr(plots, "reconstructions", lambda x, *rest: shown.append(len(x)) or original(x, *rest))
    main(["reconstruct", files.model, files.images, "-o", "a.png"])
    main(["reconstruct", files.model, files.images, "-o", "a.png", "--rows", "0:3"])
    assert shown == [12, 3]
    main(["reconstruct", files.model, files.images, "-o", "a.npy"])
    assert len(np.load("a.npy")) == 60


@pytest.fixture
def other_model(files, here):
    """A model of three latents and rows that are no pictures."""
    np.save("seven.npy", files.x[:, :7])
    main(["train", "seven.npy", "-o", "other", *TINY, "--latent", "3"])
    return "other/model.npz"


def test_rows_that_are_no_pictures_still_go_to_tables(other_model, here, refused):
    pytest.importorskip("matplotlib")
    assert main(["sample", other_model, "-o", "a.csv"]) == 0
    for command, arguments in (
        ("sample", []),
        ("reconstruct", ["seven.npy"]),
        ("interpolate", ["seven.npy", "0", "1"]),
    ):
        text = refused(command, other_model, *arguments, "-o", "a.png")
        assert "the model's rows of 7 features are no pictures; use .npy, .npz or .csv" in text
        assert not (here / "a.png").exists()


def test_a_manifold_needs_two_latents(other_model, refused):
    text = refused("manifold", other_model, "-o", "a.npy")
    assert "the manifold needs a model with two latents, " in text
    assert text.endswith(" has 3\n")


def test_a_scatter_needs_two_latents(files, here, refused):
    pytest.importorskip("matplotlib")
    main(["train", files.images, "-o", "one", *TINY, "--latent", "1"])
    assert "at least two latents" in refused("encode", "one/model.npz", files.images, "-o", "a.png")
    assert main(["encode", "one/model.npz", files.images, "-o", "a.csv"]) == 0


def test_tables_need_no_matplotlib(files, here, latents, monkeypatch, refused):
    import sys

    for name in ("matplotlib", "matplotlib.axes", "matplotlib.figure", "matplotlib.lines", "matplotlib.ticker"):
        monkeypatch.setitem(sys.modules, name, None)
    for command in COMMANDS:
        assert main([command, files.model, *commands(files)[command][0], "-o", "a.csv"]) == 0
        text = refused(command, files.model, *commands(files)[command][0], "-o", "a.png")
        assert 'pip install "npvae[plots]"' in text
        assert not (here / "a.png").exists()


@pytest.mark.parametrize(("i", "j", "name"), [("60", "0", "I"), ("0", "99", "J")])
def test_rows_to_interpolate_between_exist(files, here, refused, i, j, name):
    text = refused("interpolate", files.model, files.images, i, j)
    assert f"{name} must be a row of" in text
    assert "from 0 to 59, got" in text
