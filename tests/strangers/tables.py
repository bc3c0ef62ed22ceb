"""Tables that nobody prepared, each unlike the others: a generator each, which writes a file and returns its path."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np

__all__ = ["TABLES"]


def _write(path: Path, header: list[str], rows: list[list], delimiter: str = ",", encoding: str = "utf-8") -> Path:
    with open(path, "w", newline="", encoding=encoding) as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(header)
        writer.writerows(rows)
    return path


def _with_blanks(values: list, rng: np.random.Generator, share: float) -> list:
    return ["" if rng.random() < share else value for value in values]


def sensors(folder: Path, rng: np.random.Generator) -> Path:
    """A log with a column of dates, decimal commas, and hours in which a probe was silent."""
    hours = np.arange(600)
    warmth = 15 + 5 * np.sin(hours / 24 * 2 * np.pi) + rng.normal(size=600)
    damp = 80 - 2 * warmth + 3 * rng.normal(size=600)
    rows = []
    for hour, t, f in zip(hours, warmth, damp, strict=True):
        stamp = f"{1 + hour // 24:02}.03.2024 {hour % 24:02}:00"
        fields = [f"{t:.2f}".replace(".", ","), f"{f:.1f}".replace(".", ","), str(rng.integers(980, 1030))]
        rows.append([stamp, *_with_blanks(fields, rng, 0.05)])
    return _write(folder / "sensors.csv", ["Zeit", "Temperatur", "Feuchte", "Druck"], rows, ";")


def survey(folder: Path, rng: np.random.Generator) -> Path:
    """Answers: yes and no, a scale of five, words of one's own, and blanks."""
    words = ["slow", "good", "the", "service", "was", "friendly", "cold", "food", "price", "again"]
    rows = []
    for i in range(300):
        mood = rng.normal()
        likert = [int(np.clip(np.rint(3 + mood + 0.5 * rng.normal()), 1, 5)) for _ in range(4)]
        member = "yes" if rng.random() < 1 / (1 + np.exp(-2 * mood)) else "no"
        comment = " ".join(rng.choice(words, size=rng.integers(3, 12))) + f" ({i})"
        age = str(rng.integers(18, 90))
        rows.append(_with_blanks([member, *likert, rng.choice(["North", "South", "East"]), age, comment], rng, 0.1))
    header = ["Member?", "Q1", "Q2", "Q3", "Q4", "Region", "Age", "Any comments, please"]
    return _write(folder / "survey.csv", header, rows)


def passengers(folder: Path, rng: np.random.Generator) -> Path:
    """A ship's list: names, a ticket, a cabin that few have, ages with gaps, a fare."""
    rows = []
    for i in range(1, 401):
        grade = int(rng.choice([1, 2, 3], p=[0.2, 0.2, 0.6]))
        sex = str(rng.choice(["male", "female"]))
        saved = int(rng.random() < (0.7 if sex == "female" else 0.2))
        age = "" if rng.random() < 0.2 else f"{np.clip(rng.normal(30, 12), 0.5, 80):.4g}"
        fare = f"{rng.lognormal(4 - grade * 0.7, 0.6):.4f}"
        cabin = f"C{rng.integers(1, 150)}" if rng.random() < 0.2 else ""
        port = str(rng.choice(["S", "C", "Q", ""], p=[0.7, 0.2, 0.09, 0.01]))
        name = f"Surname{i}, {'Mr' if sex == 'male' else 'Mrs'}. Given"
        kin = [int(rng.poisson(0.5)), int(rng.poisson(0.4))]
        rows.append([i, saved, grade, name, sex, age, *kin, f"A/{rng.integers(1, 10**6)}", fare, cabin, port])
    header = ["PassengerId", "Survived", "Pclass", "Name", "Sex", "Age", "SibSp", "Parch", "Ticket", "Fare", "Cabin"]
    return _write(folder / "passengers.csv", [*header, "Embarked"], rows)


def genes(folder: Path, rng: np.random.Generator) -> Path:
    """Sixty samples of two thousand genes, tabs between them, the sample's name in a first column without a name."""
    factors, loadings = rng.normal(size=(60, 5)), rng.normal(size=(5, 2000))
    values = 8 + factors @ loadings + 0.5 * rng.normal(size=(60, 2000))
    rows = [[f"GSM{1000 + i}", *(f"{v:.3f}" for v in row)] for i, row in enumerate(values)]
    return _write(folder / "genes.tsv", ["", *(f"gene{j}" for j in range(2000))], rows, "\t")


def marks(folder: Path, rng: np.random.Generator) -> Path:
    """A wide table of 0 and 1."""
    groups = rng.integers(0, 4, size=500)
    p = rng.beta(0.4, 0.4, size=(4, 300))[groups]
    x = (rng.random((500, 300)) < p).astype(int)
    return _write(folder / "marks.csv", [f"word{j}" for j in range(300)], x.tolist())


def incomes(folder: Path, rng: np.random.Generator) -> Path:
    """Incomes with a heavy tail, one of them a billion, beside years of school and a debt that may be negative."""
    school = rng.integers(8, 22, size=500)
    income = np.exp(8 + 0.15 * school + rng.standard_t(2, size=500) * 0.6)
    income[17] = 1e9
    wealth = income * rng.normal(1, 3, size=500)
    rows = [[int(s), f"{i:.2f}", f"{w:.2f}"] for s, i, w in zip(school, income, wealth, strict=True)]
    return _write(folder / "incomes.csv", ["school", "income", "wealth"], rows)


def visits(folder: Path, rng: np.random.Generator) -> Path:
    """Counts, most of them 0."""
    rate = rng.gamma(0.3, 4, size=400)
    x = rng.poisson(np.outer(rate, [1, 0.5, 0.1, 3]))
    return _write(folder / "visits.csv", ["doctor", "hospital", "surgery", "pharmacy"], x.tolist())


def orders(folder: Path, rng: np.random.Generator) -> Path:
    """An index, an identifier, a constant, and two columns to learn from; saved by pandas."""
    n = 300
    sizes = rng.normal(50, 10, size=n)
    rows = []
    for i, size in enumerate(sizes):
        number = "".join(rng.choice(list("0123456789abcdef"), size=12))
        rows.append([i, number, "EUR", f"{size:.3f}", f"{3 * size + rng.normal():.2f}"])
    return _write(folder / "orders.csv", ["", "order", "currency", "size", "price"], rows)


def broken(folder: Path, rng: np.random.Generator) -> Path:
    """Measurements with an infinity and a 1e300."""
    x = rng.normal(size=(200, 4)).round(4).tolist()
    x[5][1], x[9][2] = "inf", "1e300"
    return _write(folder / "broken.csv", list("abcd"), x)


def huge(folder: Path, rng: np.random.Generator) -> Path:
    """Measurements one of which is 1e300."""
    x = rng.normal(size=(200, 4)).round(4).tolist()
    x[9][2] = "1e300"
    return _write(folder / "huge.csv", list("abcd"), x)


def hollow(folder: Path, rng: np.random.Generator) -> Path:
    """A table one of whose columns nobody filled in."""
    x = rng.normal(size=(200, 2)).round(3)
    rows = [[a, "", round(a + b, 3), str(rng.choice(["low", "high", "mid"]))] for a, b in x.tolist()]
    return _write(folder / "hollow.csv", ["first", "remarks", "second", "grade"], rows)


def umlauts(folder: Path, rng: np.random.Generator, encoding: str = "latin-1") -> Path:
    """Semicolons and umlauts, from a spreadsheet of Western Europe."""
    towns = ["Köln", "Zürich", "Málaga", "Århus"]
    rows = [[str(rng.choice(towns)), f"{rng.normal(20, 5):.1f}".replace(".", ","), rng.poisson(3)] for _ in range(200)]
    return _write(folder / f"umlauts-{encoding}.csv", ["Stadt", "Größe", "Anzahl"], rows, ";", encoding)


def bom(folder: Path, rng: np.random.Generator) -> Path:
    """The same in UTF-8 with a mark of its byte order."""
    return umlauts(folder, rng, "utf-8-sig")


def utf16(folder: Path, rng: np.random.Generator) -> Path:
    """The same in UTF-16, as a spreadsheet's Unicode text."""
    return umlauts(folder, rng, "utf-16")


def twins(folder: Path, rng: np.random.Generator) -> Path:
    """Two columns of one name."""
    x = rng.normal(size=(200, 3)).round(3)
    return _write(folder / "twins.csv", ["value", "value", "other"], (x + x[:, :1]).round(3).tolist())


def small_squares(folder: Path, rng: np.random.Generator) -> Path:
    """Sixty-four columns of measurements, which are no pictures of 8 × 8."""
    x = (rng.normal(size=(200, 4)) @ rng.normal(size=(4, 64)) + 0.3 * rng.normal(size=(200, 64))).round(3)
    return _write(folder / "channels.csv", [f"ch{j}" for j in range(64)], x.tolist())


TABLES: dict[str, Callable[[Path, np.random.Generator], Path]] = {
    f.__name__: f
    for f in (
        sensors, survey, passengers, genes, marks, incomes, visits, orders, broken, huge, hollow, umlauts, bom, utf16,
        twins, small_squares,
    )
}  # fmt: skip
"""By name."""
