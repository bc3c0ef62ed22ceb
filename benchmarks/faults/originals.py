"""Files that are whole, of every kind, to be damaged."""

from __future__ import annotations

import gzip
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvae import datasets, storage, training
from npvae.estimators import registry
from npvae.estimators.options import options_of

__all__ = ["Original", "fitted", "originals"]

SMALL = {"epochs": 2, "batch_size": 8, "latent_dim": 2, "hidden": 4, "n_hidden": 3, "n_components": 2, "ais_runs": 4,
         "latent_dims": (3, 2), "ais_steps": 10, "random_state": 3}  # fmt: skip


@dataclass
class Original:
    """A whole file, or a folder of pictures."""

    name: str
    kind: str
    path: Path
    whole: dict[str, bytes]
    """Its bytes; of a folder, those of each file by its name."""
    x: NDArray
    """Rows for the model, or those of the data."""
    has_checksum: bool = True
    """Whether every change of its content can be told."""
    content: tuple[dict[str, Any], dict[str, NDArray]] | None = None
    """Header and arrays, of a file of npvae's own."""


def originals(part: str, folder: Path) -> list[Original]:
    """The files of a part."""
    if part == "data":
        return [*_data(folder), *_pictures(folder / "pictures")]
    found, x = [], bits()
    for name, model in fitted().items():
        path = folder / f"{part}-{name}.npz"
        if part == "models":
            model.save(path)
        elif hasattr(model, "run_"):
            training.save_checkpoint(path, model.run_)
        else:
            continue
        content = storage.load(path)
        found.append(Original(name, part, path, {"": path.read_bytes()}, x, True, content))
    return found


def bits() -> NDArray:
    """Twenty small binary images, as rows."""
    return (np.random.default_rng(0).random((20, 12)) > 0.5).astype(np.float32)


def fitted() -> dict[str, Any]:
    """A small fitted model of every name in the registry, and one of a table."""
    x, models = bits(), {}
    for name in registry.names():
        cls = registry.estimator_class(name)
        params = {key: value for key, value in SMALL.items() if key in options_of(cls)}
        patience = options_of(cls).get("patience")
        held_out = {"X_val": x} if patience is not None and patience.flag is not None else {}
        if held_out:
            params["patience"] = 2
        models[name] = cls(**params).fit(x, **held_out)
    models["vae"].learn_threshold(x).fit_latent_model(x, models["gaussian-mixture"])
    columns = {"a": np.arange(20.0) ** 2 + 0.5, "b": np.array(["x", "y", None, "z"] * 5, dtype=object)}
    models["table"] = registry.estimator_class("vae")(2, 4, epochs=1, random_state=0).fit(datasets.Table(columns))
    return models


def _data(folder: Path) -> list[Original]:
    rng = np.random.default_rng(0)
    rows, grey = rng.normal(size=(30, 7)).astype(np.float32), rng.integers(0, 256, (20, 5, 4), dtype=np.uint8)
    np.save(folder / "rows.npy", rows)
    np.save(folder / "grey.npy", grey)
    np.save(folder / "fortran.npy", np.asfortranarray(rows.astype(">f8")))
    np.savez(folder / "stored.npz", x=rows)
    np.savez_compressed(folder / "deflated.npz", x=grey)
    for name, how in (("lzma", zipfile.ZIP_LZMA), ("bzip2", zipfile.ZIP_BZIP2)):
        with zipfile.ZipFile(folder / f"{name}.npz", "w", how) as archive, archive.open("x.npy", "w") as member:
            np.lib.format.write_array(member, rows)
    idx = struct.pack(">BBBB3I", 0, 0, 8, 3, *grey.shape) + grey.tobytes()
    (folder / "images.idx").write_bytes(idx)
    (folder / "images.idx.gz").write_bytes(gzip.compress(idx, mtime=0))
    np.savetxt(folder / "numbers.csv", rows, delimiter=",", header="a,b,c,d,e,f,g", comments="")
    (folder / "mixed.csv").write_text("age;town\n" + "31,5;Bonn\n;Köln\n7;\n" * 8, encoding="utf-8")
    found = []
    for path in sorted(p for p in folder.iterdir() if p.is_file()):
        x = datasets.load(path, missing=True).x
        # A flag of zip, or its list of names, may change what a member is called, but not what it holds.
        checked = path.suffix in (".npz", ".gz")
        found.append(Original(path.name, "data", path, {"": path.read_bytes()}, x, checked))
    return found


def _pictures(folder: Path) -> list[Original]:
    try:
        from PIL import Image
    except ImportError:
        return []
    folder.mkdir()
    for i, ending in enumerate((".png", ".jpg", ".png")):
        pixels = np.random.default_rng(i).integers(0, 256, (6, 5, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{i}{ending}")
    whole = {path.name: path.read_bytes() for path in folder.iterdir()}
    return [Original("pictures", "data", folder, whole, datasets.load(folder).x, False)]
