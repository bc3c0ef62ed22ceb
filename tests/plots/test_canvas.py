import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

from npvae import plots

IMAGES = np.linspace(0, 1, 9 * 4).reshape(9, 4)
HISTORY = {"epoch": [1, 2], "loss": [3.0, 2.0], "reconstruction": [2.0, 1.5], "kl": [1.0, 0.5]}
DRAWINGS = {
    "image_grid": lambda ax: plots.image_grid(IMAGES, ax=ax),
    "reconstructions": lambda ax: plots.reconstructions(IMAGES, IMAGES, ax=ax),
    "completions": lambda ax: plots.completions(IMAGES, IMAGES > 0.5, IMAGES, IMAGES, ax=ax),
    "interpolations": lambda ax: plots.interpolations(IMAGES[None], ax=ax),
    "manifold": lambda ax: plots.manifold(IMAGES, ax=ax),
    "latent_scatter": lambda ax: plots.latent_scatter(IMAGES, ax=ax),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_draws_into_the_given_axes(name):
    left, right = Figure().subplots(1, 2)
    assert DRAWINGS[name](right) is right.figure
    assert right.has_data()
    assert not left.has_data()


@pytest.mark.parametrize("name", DRAWINGS)
def test_nothing_is_cut_off(name):
    figure = DRAWINGS[name](None)
    figure.draw_without_rendering()
    drawn, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert min(drawn.x0, drawn.y0) >= 0
    assert drawn.x1 <= width
    assert drawn.y1 <= height


@pytest.mark.parametrize("name", DRAWINGS)
def test_refuses_what_is_no_axes(name):
    with pytest.raises(TypeError, match="ax must be matplotlib axes, got Figure"):
        DRAWINGS[name](Figure())


def test_pyplot_and_its_settings_stay_untouched(tmp_path):
    before = plt.rcParams.copy()
    for number, draw in enumerate(DRAWINGS.values()):
        plots.save(draw(None), tmp_path / f"{number}.svg")
    plots.save(plots.learning_curves(HISTORY), tmp_path / "curves.png")
    assert plt.get_fignums() == []
    assert plt.rcParams.copy() == before


def test_arguments_are_left_alone():
    images = IMAGES.copy()
    for draw in DRAWINGS.values():
        draw(None)
    np.testing.assert_array_equal(images, IMAGES)


def run(script):
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout


def test_import_brings_neither_matplotlib_nor_its_error():
    script = """if True:
        import sys
        sys.modules["matplotlib"] = None
        from npvae import plots
        grid = plots.manifold_grid(3)
        for draw in (lambda: plots.latent_scatter(grid), lambda: plots.image_grid([[0]]), plots.require_matplotlib):
            try:
                draw()
            except ImportError as error:
                print(error)
    """
    assert run(script).splitlines() == ['plots need matplotlib: pip install "npvae[plots]"'] * 3
    assert run("import sys, npvae.plots; print('matplotlib' in sys.modules)") == "False\n"


def test_a_notebook_shows_what_is_returned():
    figure = plots.image_grid(IMAGES)
    assert isinstance(figure, Figure)
    assert figure._repr_png_().startswith(b"\x89PNG")
    assert plots.learning_curves(HISTORY)._repr_png_().startswith(b"\x89PNG")
