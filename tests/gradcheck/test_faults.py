"""Small functions on which a checker is easily wrong, each for twenty seeds."""

import numpy as np
import pytest

from npvae.gradcheck import check_function
from tests.gradcheck.faults import CASES


@pytest.mark.parametrize(
    ("name", "forward", "backward", "inputs", "params", "verdict"), CASES, ids=[c[0] for c in CASES]
)
def test_the_verdict_is_right_for_every_seed(name, forward, backward, inputs, params, verdict):
    states = [check_function(forward, backward, inputs, params, seed=s, explain=False).status for s in range(20)]
    assert states == [verdict] * 20


def test_an_error_in_the_last_digits_is_not_called_a_factor_of_one():
    name, forward, backward, inputs, params, _ = CASES[-1]
    text = str(check_function(forward, backward, inputs, params, name=name))
    assert "factor 1." not in text
    assert "1 of 30 elements wrong" in text


def test_the_corpus_is_judged_rightly_where_a_minute_suffices():
    from benchmarks.strangers import verdict
    from tests.gradcheck.strangers import casts, hidden_steps, kinks, norms

    shown = hidden_steps.CASES[:17]  # kinks that no tracing shows
    for pair in [*shown, *kinks.CASES[::7], *norms.CASES[::7], *casts.CASES[::7]]:
        assert verdict(pair)[0] == ("PASS" if pair.right else "FAIL"), pair.name
    assert np.isfinite(len(kinks.CASES))
