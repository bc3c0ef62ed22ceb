"""Files fetched once by URL, proved by checksum, and kept in a folder of the user's."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import tempfile
import urllib.error
import urllib.request
import zlib
from pathlib import Path
from typing import IO

_PIECE = 1 << 20
_TIMEOUT = 30.0


def fetch(url: str, target: Path, sha256: str, most: int = 1 << 26) -> None:
    """Fetch a gzipped file and move it to `target` if its content is the expected one.

    Parameters
    ----------
    url : str
        Address of the gzipped file.
    target : path
        Where it is to be; folders are made as needed. It appears complete or not at all.
    sha256 : str
        Hexadecimal digest of the uncompressed content.
    most : int
        Largest size in bytes, compressed as well as uncompressed, that is accepted.

    Raises
    ------
    ConnectionError
        If the file cannot be fetched.
    ValueError
        If what comes is not the expected file.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=target.name, suffix=".part")
    part = Path(name)
    try:
        with open(handle, "wb") as stored:
            _receive(url, stored, most)
        digest = _digest(part, url, most)
        if digest != sha256:
            raise ValueError(f"{url} must have the SHA-256 {sha256} when unpacked, got {digest}")
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _receive(url: str, stored: IO[bytes], most: int) -> None:
    left = most
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT) as answer:
            while piece := answer.read(_PIECE):
                left -= len(piece)
                if left < 0:
                    raise ValueError(f"{url} must have at most {most} bytes, got more")
                stored.write(piece)
    except urllib.error.HTTPError as error:
        error.close()
        raise ConnectionError(f"cannot fetch {url}: {error.code} {error.reason}") from None
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise ConnectionError(f"cannot fetch {url}: {reason}") from None


def _digest(file: Path, url: str, most: int) -> str:
    digest = hashlib.sha256()
    left = most
    try:
        with gzip.open(file) as plain:
            while piece := plain.read(_PIECE):
                left -= len(piece)
                if left < 0:
                    raise ValueError(f"{url} must have at most {most} bytes when unpacked, got more")
                digest.update(piece)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"{url} must be a gzipped file, got a damaged one: {error}") from None
    return digest.hexdigest()
