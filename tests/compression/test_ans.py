"""The coder's stack: any symbols, any frequencies, any number of lanes come back as they were."""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npvae.compression.ans import HEAD, EmptyError, Message, flatten, peek, pop, push

SMALLEST = int(HEAD)


def empty(lanes):
    return Message.of(np.full(lanes, SMALLEST), np.empty(0, np.uint32))


def random_frequencies(data, size, precision):
    """Positive whole numbers that add up to 2^precision, as uneven as they may be."""
    cuts = data.draw(st.lists(st.integers(1, (1 << precision) - 1), min_size=size - 1, max_size=size - 1, unique=True))
    ends = np.array([0, *sorted(cuts), 1 << precision], np.uint64)
    return ends[:-1], np.diff(ends)


@given(data=st.data())
def test_whatever_is_pushed_is_popped_in_reverse(data):
    lanes, steps = data.draw(st.integers(1, 9)), data.draw(st.integers(0, 12))
    pushed, message = [], empty(lanes)
    for _ in range(steps):
        precision = data.draw(st.integers(1, 31))
        size = data.draw(st.integers(1, min(6, 1 << precision)))
        starts, freqs = random_frequencies(data, size, precision)
        symbols = data.draw(hnp.arrays(np.int64, lanes, elements=st.integers(0, size - 1)))
        pushed.append((precision, starts, freqs, symbols))
        message = push(message, starts[symbols], freqs[symbols], precision)
        assert (message.heads >= HEAD).all()
        assert (message.heads < np.uint64(1 << 63)).all()
    for precision, starts, freqs, symbols in reversed(pushed):
        found = np.searchsorted(starts, peek(message, precision), side="right") - 1
        np.testing.assert_array_equal(found, symbols)
        message = pop(message, starts[found], freqs[found], precision)
    np.testing.assert_array_equal(message.heads, SMALLEST)
    assert len(flatten(message)) == 0


@given(data=st.data())
def test_whatever_is_popped_comes_back_by_pushing_it(data):
    """Bits-back lives on this: a decoder pushes what the coder had popped, whatever the message was."""
    lanes, n = data.draw(st.integers(1, 7)), data.draw(st.integers(0, 40))
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    words = rng.integers(0, 1 << 32, n, dtype=np.uint32)
    message = Message.of(rng.integers(SMALLEST, 1 << 63, lanes, dtype=np.uint64), words)
    popped, state = [], message
    for _ in range(data.draw(st.integers(0, 10))):
        precision = data.draw(st.integers(1, 31))
        starts, freqs = random_frequencies(data, data.draw(st.integers(1, min(5, 1 << precision))), precision)
        found = np.searchsorted(starts, peek(state, precision), side="right") - 1
        try:
            state = pop(state, starts[found], freqs[found], precision)
        except EmptyError:
            break
        popped.append((precision, starts[found], freqs[found]))
    for precision, start, freq in reversed(popped):
        state = push(state, start, freq, precision)
    np.testing.assert_array_equal(state.heads, message.heads)
    np.testing.assert_array_equal(flatten(state), words)


def test_the_length_is_the_information_of_the_symbols():
    rng = np.random.default_rng(0)
    freqs = np.array([3, 200, 1800, 2093], np.uint64)
    starts = np.cumsum(freqs) - freqs
    p = freqs / freqs.sum()
    symbols = rng.choice(4, (5000, 8), p=p)
    message = empty(8)
    for row in symbols:
        message = push(message, starts[row], freqs[row], 12)
    bits = 32 * len(flatten(message)) + np.log2(message.heads / SMALLEST).sum()
    assert bits == pytest.approx(-np.log2(p[symbols]).sum(), rel=1e-6)


def test_one_push_by_hand():
    message = push(empty(1), np.array([3], np.uint64), np.array([2], np.uint64), 3)
    assert message.heads.tolist() == [(SMALLEST // 2) * 8 + SMALLEST % 2 + 3]
    assert peek(message, 3).tolist() == [3]


def test_a_certain_symbol_changes_nothing():
    rng = np.random.default_rng(0)
    message = Message.of(rng.integers(SMALLEST, 1 << 63, 5, dtype=np.uint64), np.arange(3, dtype=np.uint32))
    certain = np.zeros(5, np.uint64), np.full(5, 1 << 24, np.uint64)
    for change in (push, pop):
        np.testing.assert_array_equal(change(message, *certain, 24).heads, message.heads)


def test_a_message_is_a_value():
    message = push(empty(2), np.zeros(2, np.uint64), np.ones(2, np.uint64), 20)
    before = message.heads.copy(), flatten(message)
    for _ in range(3):
        push(message, np.zeros(2, np.uint64), np.ones(2, np.uint64), 20)
        pop(message, np.zeros(2, np.uint64), np.ones(2, np.uint64), 20)
    np.testing.assert_array_equal(message.heads, before[0])
    np.testing.assert_array_equal(flatten(message), before[1])


def test_more_than_there_is_cannot_be_popped():
    with pytest.raises(EmptyError, match="the message ends 3 words too soon"):
        pop(empty(3), np.zeros(3, np.uint64), np.ones(3, np.uint64), 20)
