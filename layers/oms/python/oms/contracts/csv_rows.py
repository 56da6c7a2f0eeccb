"""Files of rows that people make with spreadsheets: read line by line, written without formulas.

A record is one line: a cell that goes on over a line's end is refused, so that a stray quote spoils
its own line and no other. Cells that a spreadsheet would take for a formula are written with an
apostrophe before them, which is taken off when they are read again.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

TOLD = ("line", "column", "refusal")
MAX_LINE = 4_000  # bytes
BOM = b"\xef\xbb\xbf"

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")  # noqa: RUF001  (wide ones are formulas too)


class BadHeader(ValueError):
    """The file's first line does not name its columns; the message says what is wrong."""


class Line(NamedTuple):
    """`number` counts from 1, `end` is where the next one begins."""

    number: int
    content: bytes
    end: int


@dataclass(frozen=True, slots=True)
class Refused:
    line: int
    column: str
    refusal: str
    cells: tuple[str, ...]


def lines(pieces: Iterable[bytes], number: int = 1, start: int = 0) -> Iterator[Line]:
    """Every line from `start` on, which has this number, without its end (LF or CRLF)."""
    rest, end = bytearray(), start
    for piece in pieces:
        rest += piece
        if b"\n" not in piece:  # a line of a whole file is copied once, not with each piece
            continue
        *whole, last = bytes(rest).split(b"\n")
        rest = bytearray(last)
        for content in whole:
            end += len(content) + 1
            yield Line(number, content.removesuffix(b"\r"), end)
            number += 1
    if rest:
        yield Line(number, bytes(rest).removesuffix(b"\r"), end + len(rest))


def columns_of(line: Line, needed: Collection[str], known: Collection[str]) -> tuple[str, ...]:
    """The names of the columns, each known and each once."""
    try:
        cells = cells_of(line.content.removeprefix(BOM))
    except (ValueError, csv.Error):
        raise BadHeader("the first line is no CSV in UTF-8") from None
    columns = tuple(cell.lower() for cell in cells)
    if missing := [name for name in needed if name not in columns]:
        raise BadHeader(f"the first line names no column {', '.join(missing)}")
    if len(set(columns)) < len(columns):
        raise BadHeader("the first line names a column twice")
    if strange := [name for name in columns if name not in known]:
        raise BadHeader(f"the first line names an unknown column {strange[0][:60]!r}")
    return columns


def is_blank(line: Line) -> bool:
    return not line.content.strip(b' \t\r,"')


def cells_by_column(columns: Sequence[str], line: Line) -> tuple[str, ...] | Refused:
    """As many as there are columns, or why the line is none of this file's."""
    if len(line.content) > MAX_LINE:
        return Refused(line.number, "", f"is longer than {MAX_LINE:,} bytes", ())
    try:
        cells = cells_of(line.content)
    except UnicodeDecodeError:
        return Refused(line.number, "", "is no UTF-8", ())
    except csv.Error:
        text = (line.content.decode(),)
        return Refused(line.number, "", "has a quote that does not end on its line", text)
    if len(cells) != len(columns):
        wrong = f"has {len(cells)} cells, not {len(columns)}"
        return Refused(line.number, "", wrong, tuple(cells))
    return tuple(cells)


def written(rows: Iterable[Sequence[object]]) -> str:
    """Rows as a spreadsheet can open them without running anything."""
    text = io.StringIO()
    csv.writer(text).writerows([escaped(cell) for cell in row] for row in rows)
    return text.getvalue()


def refused_row(columns: Sequence[str], refused: Refused) -> list[object]:
    """The row as it came, and why it is refused. What is beyond the columns stays in the last."""
    last = len(columns) - 1
    cells = [*refused.cells[:last], ",".join(refused.cells[last:])]
    return [
        *cells,
        *[""] * (len(columns) - len(cells)),
        refused.line,
        refused.column,
        refused.refusal,
    ]


def escaped(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and FORMULA.match(cell) else cell


def unescaped(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell


def cells_of(content: bytes) -> list[str]:
    text = content.decode()
    has_quotes = '"' in text
    cells = next(csv.reader([text], strict=True), []) if has_quotes else text.split(",")
    return [unescaped(cell.strip(" ")) for cell in cells]
