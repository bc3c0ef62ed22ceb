"""What all bounds of the table have in common."""

import numpy as np
import pytest

from npvae.bounds import BOUNDS
from tests.bounds.tables import DENSITIES


@pytest.mark.parametrize("bound", BOUNDS)
def test_float32_stays_float32(bound):
    densities = [density.astype(np.float32) for density in DENSITIES]
    _, function, needs, *_ = BOUNDS[bound]
    loss, upstream = function(densities[0], densities[1][0]) if "kl" in needs else function(*densities)
    assert all(a.dtype == np.float32 for a in (*loss.terms.values(), *upstream.values(), loss.per_datum))
