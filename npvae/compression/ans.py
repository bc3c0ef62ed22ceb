"""Asymmetric numeral systems: a stack of symbols as one large number, in many lanes at once.

A lane is an integer, its head. Pushing a symbol that has `freq` of 2^P shares, the first of them `start`, makes

    head ← ⌊head/freq⌋ 2^P + head mod freq + start,

which costs log₂(2^P/freq) bits, the symbol's information; popping is the exact inverse. Heads are kept in [2³¹, 2⁶³):
what a push would carry beyond goes to a stack of 32-bit words that all lanes share, and a pop takes it back.

What was pushed last is popped first, so a decoder does everything in reverse. Popping from a stack on which nothing of
the kind was pushed draws a random symbol with just these frequencies: that is what bits-back coding lives on.

References
----------
Duda, Asymmetric numeral systems (2013), range variant. Giesen, Interleaved entropy coders (2014), for the lanes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["MAX_PRECISION", "EmptyError", "Message", "flatten", "peek", "pop", "push"]

MAX_PRECISION = 31
"""The largest P: 2^P has to divide the smallest head."""

HEAD = np.uint64(1 << 31)  # the smallest head
WORD = np.uint64(32)


class EmptyError(ValueError):
    """More was popped than is there."""


class Message(NamedTuple):
    """The heads of all lanes, and the words that they share. It is a value: push and pop answer with another one."""

    heads: NDArray[np.uint64]
    """(lanes,), each in [2³¹, 2⁶³)."""
    tail: tuple = ()
    """() for none, else (words, rest): an array of uint32 on top of another such tail. The last word goes first."""

    @classmethod
    def of(cls, heads: NDArray, words: NDArray) -> Message:
        """The message with these heads and these words, the last of them on top."""
        return cls(np.asarray(heads, np.uint64), (np.asarray(words, np.uint32), ()) if len(words) else ())


def push(message: Message, start: NDArray, freq: NDArray, precision: int) -> Message:
    """Put one symbol on every lane.

    Parameters
    ----------
    message : Message
    start, freq : (lanes,) arrays of uint64
        The symbol has the shares start, …, start + freq − 1 of 2^precision; freq is at least 1. A symbol with all
        shares leaves its lane as it is.
    precision : int
        P, at most 31.
    """
    heads, tail = message
    full = heads >= freq << np.uint64(63 - precision)
    if full.any():
        tail = (heads[full].astype(np.uint32), tail)  # the lower half
        heads = np.where(full, heads >> WORD, heads)
    quotient = heads // freq
    return Message((quotient << np.uint64(precision)) + (heads - quotient * freq) + start, tail)


def peek(message: Message, precision: int) -> NDArray[np.uint64]:
    """The share of 2^precision that is on top of every lane, (lanes,): its symbol is the one that has this share."""
    return message.heads & np.uint64((1 << precision) - 1)


def pop(message: Message, start: NDArray, freq: NDArray, precision: int) -> Message:
    """Take off the symbol that `peek` has shown: the inverse of `push` with the same arguments.

    Raises
    ------
    EmptyError
        If the words run out.
    """
    heads, tail = message
    heads = freq * (heads >> np.uint64(precision)) + peek(message, precision) - start
    low = heads < HEAD
    if low.any():
        words, tail = _take(tail, int(low.sum()))
        heads[low] = heads[low] << WORD | words
    return Message(heads, tail)


def flatten(message: Message) -> NDArray[np.uint32]:
    """All words, the top one last."""
    chunks, tail = [], message.tail
    while tail:
        words, tail = tail
        chunks.append(words)
    return np.concatenate(chunks[::-1]) if chunks else np.empty(0, np.uint32)


def _take(tail: tuple, n: int) -> tuple[NDArray, tuple]:
    """The n words on top, and what is below them."""
    taken = []
    while n > 0:
        if not tail:
            raise EmptyError(f"the message ends {n} words too soon")
        words, tail = tail
        taken.append(words[-n:])
        if len(words) > n:
            tail = (words[:-n], tail)
        n -= len(taken[-1])
    return np.concatenate(taken[::-1]).astype(np.uint64), tail
