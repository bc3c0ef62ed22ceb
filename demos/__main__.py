"""``python -m demos [NAME ...]``: run demos, or list them; ``--all`` runs every one and writes docs/gallery.md."""

from __future__ import annotations

import argparse
import re
import runpy
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from inspect import getdoc
from pathlib import Path
from time import perf_counter

from benchmarks.published import NAMES
from demos import DEMOS

ROOT = Path(__file__).parents[1]
GALLERY = ROOT / "docs" / "gallery"


def main(argv: Sequence[str] | None = None) -> int:
    """List, or run and draw; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m demos", description="Run demos, or list them.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="without a name, all are listed")
    parser.add_argument("--all", action="store_true", help="run them all, and write docs/gallery.md from what they say")
    parser.add_argument("--output", type=Path, default=GALLERY, metavar="FOLDER", help="where to (docs/gallery)")
    args = parser.parse_args(argv)
    for name in args.names:
        if name not in DEMOS:
            print(f"demos: error: NAME must be one of {', '.join(DEMOS)}, got {name!r}", file=sys.stderr)
            return 2
    names = DEMOS if args.all else args.names
    if not names:
        print("\n".join(f"{name:20} {title(name)}" for name in DEMOS))
    for name in names:
        draw(name, args.output)
    if args.all:
        (args.output.parent / "gallery.md").write_text(gallery(), encoding="utf-8")
    return 0


def draw(name: str, folder: Path) -> None:
    """Run one demo; its picture goes to ``folder/NAME.png``."""
    from npvae import plots

    print(f"\n{name}: {title(name)}", flush=True)
    started = perf_counter()
    module = import_module(f"demos.{name}")
    if hasattr(module, "run"):
        figure = module.run()
        folder.mkdir(parents=True, exist_ok=True)
        plots.save(figure, folder / f"{name}.png", dpi=100)
        print(f"drawn in {folder / name}.png")
    else:
        runpy.run_path(module.__file__, run_name="__main__")
    print(f"{perf_counter() - started:.0f} s", flush=True)


def title(name: str) -> str:
    """The first line of a demo's docstring, without the command that some have there."""
    first_line = getdoc(import_module(f"demos.{name}")).partition("\n")[0]
    return re.sub(r":? `*python \S+$", "", first_line.rstrip("`")).rstrip(".")


def gallery() -> str:
    """The page: every demo's title, picture and docstring, then what the reproductions have in their `GALLERY`."""
    parts = ["# Gallery\n\nOne idea a picture. `python -m demos` lists them, `python -m demos NAME` draws one again."]
    for name in DEMOS:
        text = getdoc(import_module(f"demos.{name}")).partition("\n")[2].strip()
        picture = f"![{title(name)}](gallery/{name}.png)\n\n" * hasattr(import_module(f"demos.{name}"), "run")
        parts.append(f"## {title(name)}\n\n{picture}{text}\n\n`python -m demos {name}`")
    for name, picture, (heading, text) in reproductions():
        command = f"`python -m benchmarks published {name}` trains it on MNIST and draws it"
        parts.append(f"## {heading}\n\n![{heading}](gallery/{picture}.png)\n\n{text.strip()}\n\n{command}")
    return "\n\n".join(parts) + "\n"


def reproductions() -> Iterator[tuple[str, str, tuple[str, str]]]:
    """Pictures of MNIST: the reproduction of `benchmarks.published`, the picture's name, its title and its text."""
    for name in NAMES:
        for picture, told in getattr(import_module(f"benchmarks.published.{name}"), "GALLERY", {}).items():
            yield name, picture, told


if __name__ == "__main__":
    sys.exit(main())
