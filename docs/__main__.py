"""``python -m docs``: write what is generated in README.md and docs/ anew.

That are the tables between two marker lines, from the results in benchmarks/results and from the options of the
estimators, and the gallery, from the docstrings of the demos. The pictures are drawn by ``python -m demos``.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks.files import RESULTS, markdown
from benchmarks.table import insert, tables
from demos.__main__ import gallery
from npvae.estimators import registry
from npvae.estimators.options import Option, options_of

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Write every page that has changed."""
    for path, text in pages().items():
        if text != path.read_text(encoding="utf-8"):
            path.write_text(text, encoding="utf-8")
            print(f"written: {path.relative_to(ROOT)}")


def pages() -> dict[Path, str]:
    """What README.md and each page of docs/ should hold."""
    made = tables(RESULTS) | {"options": options()}
    paths = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    found = {path: insert(path.read_text(encoding="utf-8"), made) for path in paths}
    return found | {ROOT / "docs" / "gallery.md": gallery()}


def options() -> str:
    """The options of every estimator of the registry, group by group."""
    parts = []
    for name in registry.names():
        cls = registry.estimator_class(name)
        parts.append(f"## `--model {name}`, `npvae.{cls.__name__}`\n\n{cls.__doc__.partition(chr(10))[0]}")
        groups: dict[str, list[Option]] = {}
        for option in options_of(cls).values():
            groups.setdefault(option.group, []).append(option)
        for group, members in groups.items():
            rows = [["flag", "in Python", "default", "values", f"{group}: what it is"], *map(_row, members)]
            parts.append(markdown(rows, right=False))
    return "\n\n".join(parts)


def _row(option: Option) -> list[str]:
    default = "none" if option.default is None else f"`{option.default}`"
    if option.typed_default != option.default and option.flag is not None:
        default += f"; typed `{option.typed_default}`"
    flag = "" if option.flag is None else f"`--{option.flag}`"
    return [flag, f"`{option.name}`", default, _values(option), option.help.replace("|", "∣")]


def _values(option: Option) -> str:
    if option.choices is not None:
        names = ", ".join(f"`{name}`" for name in option.choices)
        return names + ", or an object" * bool(option.members)
    words = {"at_least": "at least", "above": "above", "below": "below"}
    limits = " and ".join(f"{words[bound]} {limit:g}" for bound, limit in option.bounds.items())
    kind = {int: "integer", float: "number", bool: "yes or no", str: "text", tuple: "one integer, or several"}
    words = "".join(f", or `{word}`" for word in option.words)
    return f"{kind.get(option.kind, option.kind.__name__)} {limits}".strip() + words


if __name__ == "__main__":
    main()
