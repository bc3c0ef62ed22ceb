"""Ellipses of a mixture: centre, half axes and direction."""

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from npvae.plots import ellipses


def test_the_rim_is_sigmas_deviations_from_the_mean():
    covariance = np.array([[2.0, 0.9], [0.9, 1.0]])
    ax = ellipses([[3.0, -1.0]], covariance[None], sigmas=1.5).axes[0]
    (patch,) = ax.patches
    rim = patch.get_patch_transform().transform(patch.get_path().vertices[:-1]) - [3.0, -1.0]
    on_curve = patch.get_path().codes[:-1] != 4  # the others are control points
    distance = np.einsum("ni,ij,nj->n", rim, np.linalg.inv(covariance), rim)[on_curve]
    assert distance.min() == pytest.approx(1.5**2, rel=1e-3)


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"got shapes \(1, 2\) and \(1, 2\)"):
        ellipses([[0, 0]], [[1, 1]])
