"""What all tests share: where real data lie, and a deterministic hypothesis."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("npvae", deadline=None, derandomize=True)
settings.load_profile("npvae")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder with the real data sets: NPVAE_DATA, else ../shared/data beside the project; skips where there is none."""
    folder = Path(os.environ.get("NPVAE_DATA") or Path(__file__).parents[2] / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no real data in {folder}; set NPVAE_DATA to a folder that has them")
    return folder


def pytest_make_parametrize_id(val: object) -> str | None:
    """A function by its name: its address would differ between the processes that share the tests."""
    return getattr(val, "__name__", None) if callable(val) else None
