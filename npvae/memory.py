"""How much memory there is: this machine's, its container's, and what the user allows."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path

from npvae.validation import ArgumentError

try:
    import resource
except ImportError:  # Windows
    resource = None

__all__ = ["available", "described", "limited", "parsed", "require"]

_ALLOWED: ContextVar[int | None] = ContextVar("allowed", default=None)

UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}

NO_LIMIT = 1 << 60
"""Bytes from which on a limit of a container is none."""

CGROUPS = Path("/sys/fs/cgroup")
OWN_GROUPS = Path("/proc/self/cgroup")


def parsed(text: str) -> int:
    """``"2G"``, ``"500MB"`` or a number of bytes, as bytes; a ValueError if it is none."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(i?b)?", text.strip().lower())
    if match is None or float(match[1]) == 0:
        raise ValueError(f"expected bytes such as 2G or 500MB, got {text!r}")
    return int(float(match[1]) * UNITS[match[2]])


def available() -> tuple[int, str]:
    """Bytes that a process may take, and whose limit that is, in words: "this machine has", …"""
    limits = [(_machine(), "this machine has")]
    limits += [(limit, "its container has") for limit in _container()]
    own = []
    if resource is not None:
        for which in ("RLIMIT_AS", "RLIMIT_DATA"):
            limit = resource.getrlimit(getattr(resource, which))[0]
            own += [(limit, "the limit of this process leaves")] if limit != resource.RLIM_INFINITY else []
    if (allowed := _ALLOWED.get()) is not None:
        own.insert(0, (allowed, "--max-memory leaves"))
    taken = _taken() if own else 0
    return min(limits + [(max(limit - taken, 0), whose) for limit, whose in own], key=lambda entry: entry[0])


def require(argument: str, needed: int, what: str = "") -> None:
    """An `ArgumentError` that says what is needed, if there is less memory than that; before any of it is taken."""
    there, whose = available()
    if needed > there:
        rule = "be smaller" if not what else f"be smaller: {what}"
        raise ArgumentError(argument, f"{rule}; it needs {described(needed)} of memory, {whose} {described(there)}")


def described(size: float) -> str:
    """A number of bytes in words."""
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.0f} MB"


@contextmanager
def limited(allowed: int | None) -> Iterator[None]:
    """Have no more than so many bytes available while the block runs; None changes nothing.

    `require` knows the limit, and where the system can, it holds: what would go beyond is refused by a MemoryError.

    Raises
    ------
    ArgumentError
        If the process has taken nearly as much already.
    """
    if allowed is None:
        yield
        return
    taken = _taken()
    if allowed < taken + 64 * 10**6:
        rule = f"be at least {described(taken + 64e6)}: so much is taken before anything is read"
        raise ArgumentError("max_memory", rule, described(allowed))
    token, before = _ALLOWED.set(allowed), None
    if resource is not None:
        before = resource.getrlimit(resource.RLIMIT_DATA)
        soft = allowed if before[1] == resource.RLIM_INFINITY else min(allowed, before[1])
        resource.setrlimit(resource.RLIMIT_DATA, (soft, before[1]))
    try:
        yield
    finally:
        if before is not None:
            resource.setrlimit(resource.RLIMIT_DATA, before)
        _ALLOWED.reset(token)


def _machine() -> int:
    """Bytes of this machine's memory; 8 GB where the system does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 8 * 10**9


def _taken() -> int:
    """Bytes of data that this process has; 0 where the system does not say."""
    with suppress(OSError, StopIteration, ValueError, IndexError):
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
        return 1024 * int(next(line for line in lines if line.startswith("VmData:")).split()[1])
    return 0


def _container() -> list[int]:
    """The limits of the control groups that this process is in, of either version, and of those above them."""
    found = []
    with suppress(OSError):
        for line in OWN_GROUPS.read_text(encoding="utf-8", errors="replace").splitlines():
            _, _, rest = line.partition(":")
            controllers, _, own = rest.partition(":")
            if controllers and "memory" not in controllers.split(","):
                continue
            root = CGROUPS / "memory" if controllers else CGROUPS
            name = "memory.limit_in_bytes" if controllers else "memory.max"
            path = root / own.strip("/")
            # In a container the own group is often mounted as the root, and what is above it is not seen.
            for place in {root, path, *(p for p in path.parents if root in p.parents)}:
                with suppress(OSError, ValueError):
                    limit = int((place / name).read_text(encoding="ascii"))
                    found += [limit] if 0 < limit < NO_LIMIT else []
    return found
