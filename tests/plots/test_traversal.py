"""The picture of a traversal: a latent a row, values on the x axis."""

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from npvae.plots import traversal


def test_rows_are_latents_and_columns_are_values():
    images = np.random.default_rng(0).random((3, 5, 36))
    ax = traversal(images, [0, 4, 7], np.linspace(-2, 2, 5), (6, 6)).axes[0]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["$z_{1}$", "$z_{5}$", "$z_{8}$"]
    assert ax.get_xticklabels()[0].get_text() == "-2"
    assert ax.get_xticklabels()[-1].get_text() == "2"


def test_counts_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="a row a latent and a step a value, got 2 and 5"):
        traversal(np.zeros((3, 5, 36)), [0, 1], np.zeros(5), (6, 6))
