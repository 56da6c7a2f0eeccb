"""A table of a carrier's card as CSV: the columns are the fields of its rows.

An empty cell leaves its field to its default. Lines count from 1, the header's; a cell may go on
over several lines, then its row has the number of its last.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar, cast, get_args

from pydantic.fields import FieldInfo

from oms.contracts.api.network import MAX_ROWS, Row
from oms.contracts.csv_rows import escaped, unescaped
from oms.contracts.invalid import Fault, InvalidRequest

R = TypeVar("R", bound=Row)

MAX_CELL = 300


def read_rows(kind: type[R], octets: bytes) -> tuple[list[R], list[int]]:
    """The rows and their lines, or InvalidRequest with every bad cell by line and column."""
    reader = csv.reader(io.StringIO(_text(octets), newline=""), strict=True)
    rows: list[R] = []
    lines: list[int] = []
    faults: list[Fault] = []
    columns: list[str] | None = None
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if columns is None:
                columns = _header(kind, cells)
                continue
            row = _read(kind, columns, cells, reader.line_num, faults)
            if row is not None:
                rows.append(row)
                lines.append(reader.line_num)
    except csv.Error as error:
        faults.append(Fault(at(reader.line_num), f"is no CSV: {error}"))
    if columns is None:
        faults.append(Fault(at(1), "names no columns"))
    if len(rows) > MAX_ROWS:
        faults.append(Fault("body", f"has more than {MAX_ROWS:,} rows"))
    if faults:
        raise InvalidRequest(faults)
    return rows, lines


def at(line: int, column: str = "") -> str:
    """The place of a fault."""
    return f"line {line}: {column}" if column else f"line {line}"


def written(kind: type[R], rows: Iterable[Mapping[str, Any]]) -> str:
    """The table with every column of its kind."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(kind.model_fields)
    for row in rows:
        writer.writerow([_cell(row.get(name)) for name in kind.model_fields])
    return text.getvalue()


def _text(octets: bytes) -> str:
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidRequest([Fault("body", "is no UTF-8")]) from None


def _header(kind: type[R], cells: list[str]) -> list[str]:
    columns = [cell.strip().lower() for cell in cells]
    faults = [*_strange(kind, columns)]
    needed = (name for name, field in kind.model_fields.items() if field.is_required())
    faults += [Fault(at(1, name), "is missing") for name in needed if name not in columns]
    if faults:
        raise InvalidRequest(faults)
    return columns


def _strange(kind: type[R], columns: list[str]) -> Iterator[Fault]:
    for place, column in enumerate(columns):
        if column not in kind.model_fields:
            yield Fault(at(1, column[:MAX_CELL] or f"column {place + 1}"), "is no column")
        elif column in columns[:place]:
            yield Fault(at(1, column), "is named twice")


def _read(
    kind: type[R], columns: list[str], cells: list[str], line: int, faults: list[Fault]
) -> R | None:
    if len(cells) != len(columns):
        faults.append(Fault(at(line), f"has {len(cells)} cells, not {len(columns)}"))
        return None
    said = {
        name: _value(kind.model_fields[name], unescaped(cell.strip()))
        for name, cell in zip(columns, cells, strict=True)
        if cell.strip()
    }
    try:
        return cast(R, kind.read(said))
    except InvalidRequest as error:
        faults += [Fault(at(line, fault.field), fault.reason) for fault in error.faults]
        return None


def _value(field: FieldInfo, cell: str) -> str | int:
    """A number where the field wants one and the cell is one; else its text, to be refused."""
    is_number = re.fullmatch(r"-?[0-9]{1,15}", cell)
    return int(cell) if is_number and _wants_number(field.annotation) else cell


def _wants_number(annotation: Any) -> bool:
    return annotation is int or any(map(_wants_number, get_args(annotation)))


def _cell(value: Any) -> str | int:
    if value is None:
        return ""
    return cast("str | int", escaped(" ".join(value) if isinstance(value, list) else value))
