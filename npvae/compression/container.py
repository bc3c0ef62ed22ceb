"""The file of compressed rows: all that a decoder needs but the model, with checksums that say where it is damaged.

    magic, header, CRC-32 of both
    heads, CRC-32
    words in blocks of 64 KiB, each with its CRC-32

All numbers are little-endian. The header names the model by a hash and has the CRC-32 of the rows themselves, which
finds a machine whose networks round otherwise.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from hashlib import sha256
from math import ceil
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from npvae import memory
from npvae.compression.ans import EmptyError, Message, flatten
from npvae.compression.bits_back import Coder
from npvae.distributions import Bernoulli
from npvae.parameters import Parameters
from npvae.validation import ArgumentError, ArgumentTypeError

__all__ = ["CompressedFileError", "compress", "decompress", "model_digest"]

MAGIC = b"npvaeBB\x02"
HEADER = struct.Struct("<16sQIIHHIIIQ")
BLOCK = 1 << 16  # bytes of words for each checksum


class CompressedFileError(ValueError):
    """A compressed file that is damaged, or was written by another model or on a machine that rounds otherwise."""


class Header(NamedTuple):
    """What a file says of itself."""

    digest: bytes
    rows: int
    features: int
    levels: int
    batch: int
    lanes: int
    checksum: int
    first_words: int
    """Pseudo-random words at the bottom of the message in the beginning."""
    shared_words: int
    """How many of them are still there in the end, and are not in the file."""
    words: int


def model_digest(model: Any, theta: Parameters) -> bytes:
    """Sixteen bytes that stand for the parameters, their names and shapes, and the distributions of the model."""
    digest = sha256(repr((list(theta.shapes.items()), model.posterior, model.likelihood)).encode())
    digest.update(theta.flat.astype("<f8").tobytes())
    return digest.digest()[:16]


def compress(model: Any, theta: Parameters, rows: NDArray) -> bytes:
    """Compress rows without loss.

    Parameters
    ----------
    model, theta
        A model that `npvae.compression.Coder` can use.
    rows : (n, D) array of whole numbers
        Levels: 0 and 1 for a Bernoulli, 0 to 255 for 8-bit images.

    Returns
    -------
    bytes
        What `decompress` reads.

    Raises
    ------
    ArgumentError
        If the model cannot code, or the rows have another width or values that its likelihood does not have.
    """
    # More rows and lanes at a time cost more first bits, fewer cost time. A grey row has ten times as many bits.
    n, grey = len(rows), not isinstance(model.likelihood, Bernoulli)
    batch = min(max(n // 256, 1), 32 if grey else 16)
    coder = Coder(model, theta, batch, lanes=min(max(n // 64, 4), 16) if grey else 4)
    levels = _levels(coder, rows)
    message = Message.of(_first_heads(coder), np.empty(0, np.uint32))
    first = 0
    for start in range(0, n, batch):
        part, more = levels[start : start + batch], 64
        while True:
            try:
                message = coder.push(message, part)
                break
            except EmptyError:  # the first rows have nothing to take bits from
                below = np.concatenate([_first_words(first, more), flatten(message)])
                message, first, more = Message.of(message.heads, below), first + more, 2 * more
    words = flatten(message)
    differ = np.flatnonzero(words[:first] != _first_words(0, first)[: len(words)])
    shared = int(differ[0]) if len(differ) else min(first, len(words))
    checksum = zlib.crc32(levels.tobytes())
    fields = (n, levels.shape[1], coder.levels, batch, coder.lanes, checksum, first, shared, len(words) - shared)
    header = HEADER.pack(*Header(model_digest(model, theta), *fields))
    heads = message.heads.astype("<u8").tobytes()
    kept = words[shared:].astype("<u4").tobytes()
    blocks = (kept[i : i + BLOCK] for i in range(0, len(kept), BLOCK))
    return b"".join(_checked(part) for part in (MAGIC + header, heads, *blocks))


def decompress(model: Any, theta: Parameters, data: bytes) -> NDArray[np.uint8]:
    """The rows (n, D) that `compress` was given.

    Raises
    ------
    CompressedFileError
        If `data` is damaged or cut, which is said with its place, was made by another model, or on a machine whose
        networks round otherwise. What comes back is right, or nothing does.
    """
    header, heads, kept = _read(data)
    if header.digest != model_digest(model, theta):
        raise CompressedFileError("was compressed by another model than this one")
    memory.require("the first words", 16 * header.first_words)
    coder = Coder(model, theta, header.batch, header.lanes)
    words = np.concatenate([_first_words(0, header.first_words)[: header.shared_words], kept])
    message, parts = Message.of(heads, words), []
    try:
        for start in reversed(range(0, header.rows, header.batch)):
            message, rows = coder.pop(message, min(header.batch, header.rows - start))
            parts.append(rows.astype(np.uint8))
        empty = (parts or [np.empty((0, header.features), np.uint8)])[::-1]
        levels = np.concatenate(empty)
        whole = np.array_equal(flatten(message), _first_words(0, header.first_words))
        whole = whole and np.array_equal(message.heads, _first_heads(coder))
    except EmptyError:
        whole = False
    if not whole or zlib.crc32(levels.tobytes()) != header.checksum:
        raise CompressedFileError(
            "cannot be read on this machine: its networks round otherwise than those of the machine that wrote it"
        )
    return levels


def _levels(coder: Coder, rows: NDArray) -> NDArray[np.uint8]:
    rows = np.asarray(rows)
    if rows.ndim != 2 or rows.shape[1] != coder.model.n_features:
        raise ArgumentError("rows", f"have {coder.model.n_features} features", f"shape {rows.shape}")
    if rows.dtype.kind not in "biu":
        raise ArgumentError("rows", "hold whole numbers", f"dtype {rows.dtype}")
    if rows.size and not 0 <= rows.min() <= rows.max() < coder.levels:
        got = f"values from {rows.min()} to {rows.max()}"
        raise ArgumentError("rows", f"lie in 0, …, {coder.levels - 1}, the levels of the likelihood", got)
    return np.ascontiguousarray(rows, np.uint8)


def _first_heads(coder: Coder) -> NDArray[np.uint64]:
    """What the lanes hold in the beginning: 31 pseudo-random bits each."""
    raw = np.random.PCG64(1).random_raw(coder.batch * coder.lanes)
    return (1 << 31) + (raw >> np.uint64(33))


def _first_words(start: int, n: int) -> NDArray[np.uint32]:
    """Pseudo-random words, numbered from the top of the message down: words start, …, start + n − 1, lowest first."""
    return np.random.PCG64(2).random_raw(start + n)[start:][::-1].astype(np.uint32)


def _checked(part: bytes) -> bytes:
    return part + struct.pack("<I", zlib.crc32(part))


def _read(data: bytes) -> tuple[Header, NDArray, NDArray]:
    if not isinstance(data, bytes | bytearray | memoryview):
        raise ArgumentTypeError("data", "be bytes", type(data).__name__)
    if data[: len(MAGIC)] != MAGIC:
        raise CompressedFileError("is no file of compressed images: it does not begin like one")
    parts = _parts(data)
    header = Header(*HEADER.unpack(next(parts)[len(MAGIC) :]))
    heads = np.frombuffer(next(parts), "<u8").astype(np.uint64)
    return header, heads, np.frombuffer(b"".join(parts), "<u4").astype(np.uint32)


def _parts(data: bytes) -> Iterator[bytes]:
    """The header, the heads, and the blocks of words, each only if its checksum is right."""
    place = 0

    def part(size: int, what: str) -> bytes:
        nonlocal place
        end = place + size + 4
        if end > len(data):
            raise CompressedFileError(
                f"is cut short: its {what} should end at byte {end:,}, and it has {len(data):,} bytes"
            )
        content, checksum = data[place : end - 4], data[end - 4 : end]
        if zlib.crc32(content) != int.from_bytes(checksum, "little"):
            raise CompressedFileError(f"is damaged between byte {place:,} and byte {end:,}, in its {what}")
        place = end
        return content

    yield (first := part(len(MAGIC) + HEADER.size, "header"))
    header = Header(*HEADER.unpack(first[len(MAGIC) :]))
    yield part(8 * header.batch * header.lanes, "heads")
    left = 4 * header.words
    for i in range(ceil(left / BLOCK)):
        yield part(min(BLOCK, left - i * BLOCK), f"block {i + 1} of words")
    if place < len(data):
        raise CompressedFileError(f"has {len(data) - place:,} bytes behind its end")
