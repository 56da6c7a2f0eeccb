"""Stock levels as CSV: what is read, what is refused and why, what is written.

A record is one line: a cell that goes on over a line's end is refused, so that a stray quote spoils
its own line and no other. Cells that a spreadsheet would take for a formula are written with an
apostrophe before them, which is taken off when they are read again.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

NEEDED = ("sku", "location", "on_hand")
MAY_SAY = (*NEEDED, "reason")
PASSED_OVER = ("available", "reserved", "incoming", "line", "column", "refusal")  # our own columns
EXPORTED = ("sku", "location", "on_hand", "available", "reserved", "incoming")
TOLD = ("line", "column", "refusal")
MAX_LINE = 4_000  # bytes
MAX_SKU, MAX_REASON = 100, 200
MAX_ON_HAND = 10**9
BOM = b"\xef\xbb\xbf"

LOCATION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
FORMULA = re.compile(r"'*[=+\-@\t\r]")
WHOLE = re.compile(r"[0-9]{1,10}")
NEGATIVE = re.compile(r"-\s*[0-9]+")


class BadHeader(ValueError):
    """The file's first line does not name its columns; the message says what is wrong."""


class Line(NamedTuple):
    """`number` counts from 1, `end` is where the next one begins."""

    number: int
    content: bytes
    end: int


@dataclass(frozen=True, slots=True)
class Counted:
    """What somebody says lies there."""

    line: int
    sku: str
    location: str
    on_hand: int
    reason: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    line: int
    column: str
    refusal: str
    cells: tuple[str, ...]


def lines(pieces: Iterable[bytes], number: int = 1, start: int = 0) -> Iterator[Line]:
    """Every line from `start` on, which has this number, without its end (LF or CRLF)."""
    rest, end = b"", start
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        for content in whole:
            end += len(content) + 1
            yield Line(number, content.removesuffix(b"\r"), end)
            number += 1
    if rest:
        yield Line(number, rest.removesuffix(b"\r"), end + len(rest))


def header(line: Line) -> tuple[str, ...]:
    """The names of the columns, each known and each once."""
    try:
        cells = _cells(line.content.removeprefix(BOM))
    except (ValueError, csv.Error):
        raise BadHeader("the first line is no CSV in UTF-8") from None
    columns = tuple(cell.lower() for cell in cells)
    if missing := [name for name in NEEDED if name not in columns]:
        raise BadHeader(f"the first line names no column {', '.join(missing)}")
    if len(set(columns)) < len(columns):
        raise BadHeader("the first line names a column twice")
    if strange := [name for name in columns if name not in (*MAY_SAY, *PASSED_OVER)]:
        raise BadHeader(f"the first line names an unknown column {strange[0][:60]!r}")
    return columns


def is_blank(line: Line) -> bool:
    return not line.content.strip(b' \t\r,"')


def read(columns: Sequence[str], line: Line) -> Counted | Refused:
    """What the line says, or the first thing that is wrong with it."""
    if len(line.content) > MAX_LINE:
        return Refused(line.number, "", f"is longer than {MAX_LINE:,} bytes", ())
    try:
        cells = _cells(line.content)
    except UnicodeDecodeError:
        return Refused(line.number, "", "is no UTF-8", ())
    except csv.Error:
        text = (line.content.decode(),)
        return Refused(line.number, "", "has a quote that does not end on its line", text)
    if len(cells) != len(columns):
        wrong = f"has {len(cells)} cells, not {len(columns)}"
        return Refused(line.number, "", wrong, tuple(cells))
    said = dict(zip(columns, cells, strict=True))
    for column, wrong in _faults(said):
        return Refused(line.number, column, wrong, tuple(cells))
    return Counted(
        line.number,
        said["sku"],
        said["location"],
        int(said["on_hand"]),
        said.get("reason", ""),
        tuple(cells),
    )


def _faults(said: dict[str, str]) -> Iterator[tuple[str, str]]:
    sku, location, on_hand = said["sku"], said["location"], said["on_hand"]
    for column in MAY_SAY:
        if CONTROL.search(said.get(column, "")):
            yield column, "has control characters"
    if not 1 <= len(sku) <= MAX_SKU:
        yield "sku", f"is longer than {MAX_SKU} characters" if sku else "is empty"
    if not LOCATION.fullmatch(location):
        yield "location", "is no location id" if location else "is empty"
    if NEGATIVE.fullmatch(on_hand):
        yield "on_hand", "is negative"
    if not WHOLE.fullmatch(on_hand):
        yield "on_hand", "is no whole number" if on_hand else "is empty"
    elif int(on_hand) > MAX_ON_HAND:
        yield "on_hand", f"is more than {MAX_ON_HAND:,}"
    if len(said.get("reason", "")) > MAX_REASON:
        yield "reason", f"is longer than {MAX_REASON} characters"


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


def _cells(content: bytes) -> list[str]:
    text = content.decode()
    has_quotes = '"' in text
    cells = next(csv.reader([text], strict=True), []) if has_quotes else text.split(",")
    return [unescaped(cell.strip(" ")) for cell in cells]
