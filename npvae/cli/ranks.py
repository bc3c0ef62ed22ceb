"""Ranks of an MPI: ``mpiexec -n 4 npvae train …``."""

from __future__ import annotations

import os
import sys
from typing import Any

SIZES = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE")
"""Where MPICH and its kin, Open MPI and MVAPICH tell a process how many ranks they started."""


def communicator() -> Any:
    """The communicator of all ranks, or None where this process was not started as one of several.

    Rank 0 speaks for all: on the others nothing is printed from here on.

    Raises
    ------
    ImportError
        If mpi4py is not installed.
    """
    if not any(os.environ.get(name, "1") not in ("", "1") for name in SIZES):
        return None
    try:
        from mpi4py import MPI
    except ImportError as error:
        raise ImportError(f"training under mpiexec needs mpi4py: pip install 'npvae[scale]' ({error})") from None
    comm = MPI.COMM_WORLD
    if comm.rank > 0:
        sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115 (open until the process ends)
    return comm if comm.size > 1 else None
