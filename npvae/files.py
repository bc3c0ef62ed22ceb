"""Files that appear whole or not at all, and folders that one process has to itself."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

__all__ = ["InUseError", "clear_leftovers", "locked", "replacing", "temporary_name"]

LOCK = ".npvae-in-use"
"""The file that stands for the lock of its folder, where folders cannot be locked."""

OF_THE_DISK = (errno.ENOSPC, errno.EFBIG, errno.EIO, errno.EROFS, getattr(errno, "EDQUOT", errno.ENOSPC))
"""Errors of a write that lie at the disk, of which the system does not say in which file."""


class InUseError(OSError):
    """A folder that another process has locked."""


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside `path`; move it there if the block succeeds, remove it if not.

    A reader of `path` sees the old file or the new one, never a part, and a failed write overwrites nothing. A link is
    followed; the file gets the permissions of the one it replaces, otherwise those of any new file. What a process that
    was killed has left of an earlier write of `path` is removed.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If the folder is missing, or `path` is one.
    OSError
        If the disk is full or fails, with the name of the file.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise IsADirectoryError(f"{path} cannot be written: it is a folder")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{path} cannot be written: there is no folder {target.parent}")
    clear_leftovers(target.parent, target)
    temporary: Path | None = None
    try:
        temporary, held = _held_temporary(target)
        try:
            yield temporary
            with open(temporary, "rb+") as file:
                os.fsync(file.fileno())
            if target.exists():
                shutil.copymode(target, temporary)
        finally:
            held.close()  # Windows moves no file that is open
        os.replace(temporary, target)
    except OSError as error:
        if error.errno not in OF_THE_DISK:
            raise
        raise OSError(error.errno, os.strerror(error.errno), str(path)) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def temporary_name(target: Path) -> Path:
    """A name beside `target` that no other write has; `clear_leftovers` knows it."""
    return target.with_name(f".{target.stem}-{os.urandom(8).hex()}{target.suffix}")


def clear_leftovers(folder: Path, target: Path | None = None) -> None:
    """Remove from a folder what processes that were killed have left of their writes: of `target` alone, or of all."""
    stem, suffix = (r".+", r"(\.[^.]*)?") if target is None else (re.escape(target.stem), re.escape(target.suffix))
    own = re.compile(rf"\.{stem}-[0-9a-f]{{16}}{suffix}", re.DOTALL)
    with suppress(OSError):
        for name in filter(own.fullmatch, os.listdir(folder)):
            with suppress(OSError), open(folder / name, "rb") as file:
                is_free = _lock(file.fileno())
            if is_free or fcntl is None:  # Windows removes no file that is open
                with suppress(OSError):
                    os.unlink(folder / name)


def _held_temporary(target: Path) -> tuple[Path, IO[bytes]]:
    """A new file beside `target`, and an open handle whose lock says that its process lives."""
    while True:
        temporary = temporary_name(target)
        held = open(temporary, "xb")  # noqa: SIM115 (closed when the file is whole)
        if _lock(held.fileno()) is not False and temporary.exists():
            return temporary, held
        held.close()  # somebody took it for a leftover just now


def _lock(descriptor: int) -> bool | None:
    """Whether the lock of an open file could be had, None where there are no locks.

    A process that ends, in whatever way, gives its locks back.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except (AttributeError, OSError):
        return None
    return True


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Have a folder alone while the block runs; the lock of a process that was killed is free.

    The folder itself is locked. Where that cannot be, on Windows and on some network file systems, a file in it is the
    lock, with the machine and the process that made it: it is free where that process is known to have ended.

    Raises
    ------
    InUseError
        If another process has it.
    """
    descriptor = _locked_folder(folder)
    if descriptor is None:
        with _lock_file(folder):
            yield
        return
    try:
        yield
    finally:
        os.close(descriptor)


def _locked_folder(folder: Path) -> int | None:
    """An open handle with the lock of a folder, None where folders have none."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:  # Windows opens no folders
        return None
    is_free = _lock(descriptor)
    if is_free and folder.exists() and os.path.samestat(os.fstat(descriptor), os.stat(folder)):
        return descriptor
    os.close(descriptor)
    if is_free is None:
        return None
    raise InUseError(f"{folder} is in use by another process")


@contextmanager
def _lock_file(folder: Path) -> Iterator[None]:
    """Have the lock file of a folder, which is made exclusively, while the block runs."""
    path = folder / LOCK
    if path.exists() and _has_ended(path):
        path.unlink(missing_ok=True)
    try:
        held = open(path, "x", encoding="utf-8")  # noqa: SIM115 (Windows removes no file that is open)
    except FileExistsError:
        raise InUseError(f"{folder} is in use by another process; if that has ended, remove {path}") from None
    try:
        held.write(f"{_machine()} {os.getpid()}")
        held.flush()
        yield
    finally:
        held.close()
        path.unlink(missing_ok=True)


def _machine() -> str:
    return os.uname().nodename if hasattr(os, "uname") else ""


def _has_ended(path: Path) -> bool:
    """Whether the process that made a lock file is known to have ended."""
    if os.name == "nt":
        try:
            path.unlink()  # which fails while its process has it open
        except OSError:
            return False
        return True
    machine, _, process = path.read_text(encoding="utf-8").rpartition(" ")
    if machine != _machine() or not process.isdecimal():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
