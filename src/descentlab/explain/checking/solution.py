"""Solutions: names with the numbers that somebody got, from YAML or CSV, one person or a class.

Values are read as they were written, since their digits say how far they may be off.

YAML is ``name: value``; a vector is a list, a matrix a list of rows. CSV is ``name,value`` line
by line, with or without these heads; a class is ``solution,name,value``, or a table with one
person a line: ``solution,H3,y3,…``. An ``exercise`` in YAML says what is solved.
"""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from descentlab.core.digits import latin
from descentlab.core.errors import DataError, DescentLabError, SpecError
from descentlab.core.marked import Marked, read_marked
from descentlab.explain.checking.written import Written, read_number

MOST_BYTES = 20 << 20
MOST_NUMBERS = 4000
SUFFIXES = (".yaml", ".yml", ".csv", ".tsv")


@dataclasses.dataclass(frozen=True)
class Solution:
    """One person's numbers by label (``H3``, ``y[2]``), in the order written.

    ``place`` is where its ``exercise`` is stated: 'file, line 1, column 11'. ``fault`` says why
    one of a class could not be read.
    """

    name: str
    numbers: Mapping[str, Written]
    source: str
    exercise: str | None = None
    place: str | None = None
    fault: str | None = None

    def at(self, label: str) -> str:
        """Return where a number stands: 'file, line 3, column 7'."""
        number = self.numbers[label]
        return f"{self.source}, line {number.line}, column {number.column}"


def read_solutions(path: str) -> list[Solution]:
    """Return the solutions in a file, or in all files of a folder.

    Raises:
        DataError: there is no such file.
        SpecError: it holds no solutions; the message says where.
    """
    place = Path(path)
    if place.is_dir():
        files = sorted(file for file in place.iterdir() if file.suffix in SUFFIXES)
        if not files:
            raise DataError(f"{path}: no solutions in this folder ({', '.join(SUFFIXES)})")
        return read_class([str(file) for file in files])
    if not place.is_file():
        raise DataError(f"there is no file {path}")
    try:
        text = place.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from None
    return parse_solutions(text, path)


def read_class(paths: Sequence[str]) -> list[Solution]:
    """Return the solutions of many files; one that cannot be read is kept with its fault."""
    found: list[Solution] = []
    for path in paths:
        try:
            found += read_solutions(path)
        except DescentLabError as error:
            found.append(Solution(Path(path).stem, {}, path, fault=str(error)))
    return found


def parse_solutions(text: bytes | str, source: str = "solution.yaml") -> list[Solution]:
    """Return the solutions in a file's text; the suffix of ``source`` tells YAML from CSV."""
    if len(text) > MOST_BYTES:
        raise SpecError(f"{source}: {len(text):,} bytes; at most {MOST_BYTES:,} are read")
    if Path(source).suffix in (".csv", ".tsv"):
        return _from_csv(_decoded(text, source), source)
    marked = read_marked(text, source, as_written=True)
    if not isinstance(marked.value, dict):
        raise SpecError(f"{source}: expected lines such as 'H3: 0.755', a name and a number each")
    return [_from_yaml(marked)]


def _from_yaml(marked: Marked) -> Solution:
    numbers: dict[str, Written] = {}
    exercise = marked.value.get("exercise")
    for name, value in marked.value.items():
        if name != "exercise":
            for label, text, path in _flat(latin(str(name)).strip(), value, (name,), marked):
                mark = marked.marks[path]
                _add(numbers, label, text, marked.source, mark.line, mark.column)
    if exercise is not None and not isinstance(exercise, str):
        raise SpecError(f"{marked.at(('exercise',))}: expected an exercise's name")
    place = None if exercise is None else marked.at(("exercise",))
    return Solution(Path(marked.source).stem, numbers, marked.source, exercise, place)


def _flat(
    name: str, value: Any, path: tuple[Any, ...], marked: Marked, places: tuple[int, ...] = ()
) -> Iterator[tuple[str, str, tuple[Any, ...]]]:
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from _flat(name, item, (*path, number), marked, (*places, number + 1))
    elif isinstance(value, dict):
        raise SpecError(f"{marked.at(path)}: '{name}': expected a number or a list of numbers")
    else:
        yield name + (f"[{','.join(map(str, places))}]" if places else ""), value, path


def _add(
    numbers: dict[str, Written], label: str, text: str, source: str, line: int, column: int
) -> None:
    where = f"{source}, line {line}, column {column}"
    if label in numbers:
        raise SpecError(f"{where}: '{label}' is there twice (first in line {numbers[label].line})")
    if len(numbers) >= MOST_NUMBERS:
        raise SpecError(
            f"{where}: more than {MOST_NUMBERS:,} numbers; no exercise asks for so many"
        )
    try:
        numbers[label] = read_number(text, line, column)
    except ValueError as error:
        raise SpecError(f"{where}: '{label}': {error}") from None


def _decoded(text: bytes | str, source: str) -> str:
    if isinstance(text, str):
        return text
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SpecError(f"{source}: not UTF-8 text; save it as CSV UTF-8") from None


def _from_csv(text: str, source: str) -> list[Solution]:
    rows = _rows(text, source)
    if not rows:
        raise SpecError(f"{source}: empty; expected lines 'name,value'")
    head = [cell.strip().lower() for _, cell in rows[0][1]]
    if head[-2:] == ["name", "value"] and len(head) in (2, 3):
        return _long(rows[1:], source, len(head) == 3)
    if len(head) == 2 and head[0] != "solution":
        return _long(rows, source, False)
    return _wide(rows, source)


Row = tuple[int, list[tuple[int, str]]]
"""A line's number, and its cells with their columns."""


def _rows(text: str, source: str) -> list[Row]:
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(",;\t،", key=first.count)
    rows: list[Row] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                columns = [1 + sum(len(c) + 1 for c in cells[:i]) for i in range(len(cells))]
                rows.append((reader.line_num, list(zip(columns, cells, strict=True))))
    except csv.Error as error:
        raise SpecError(f"{source}, line {reader.line_num}: not valid CSV: {error}") from None
    return rows


def _long(rows: list[Row], source: str, many: bool) -> list[Solution]:
    people: dict[str, dict[str, Written]] = {}
    faults: dict[str, str] = {}
    width = 3 if many else 2
    for line, cells in rows:
        if len(cells) != width:
            wanted = "'solution,name,value'" if many else "'name,value'"
            raise SpecError(f"{source}, line {line}: {len(cells)} cells; expected {wanted}")
        who = cells[0][1].strip() if many else Path(source).stem
        label = "".join(latin(cells[-2][1]).split())
        column, value = cells[-1]
        try:
            _add(people.setdefault(who, {}), label, value, source, line, column)
        except SpecError as error:
            if not many:
                raise
            faults.setdefault(who, str(error))
    return [Solution(w, numbers, source, fault=faults.get(w)) for w, numbers in people.items()]


def _wide(rows: list[Row], source: str) -> list[Solution]:
    labels = ["".join(latin(cell).split()) for _, cell in rows[0][1]]
    found: dict[str, Solution] = {}
    for line, cells in rows[1:]:
        if len(cells) != len(labels):
            raise SpecError(f"{source}, line {line}: {len(cells)} cells for {len(labels)} heads")
        numbers: dict[str, Written] = {}
        who, fault = cells[0][1].strip(), None
        for label, (column, value) in list(zip(labels, cells, strict=True))[1:]:
            try:
                if value.strip():
                    _add(numbers, label, value, source, line, column)
            except SpecError as error:
                fault = fault or str(error)
        if who in found:
            raise SpecError(f"{source}, line {line}: a second line of '{who}'")
        found[who] = Solution(who, numbers, source, fault=fault)
    return list(found.values())
