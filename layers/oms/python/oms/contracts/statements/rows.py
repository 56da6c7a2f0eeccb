"""Rows of others' files: records of one or several lines, and the cells that a format needs."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from oms.contracts.csv_rows import BOM, CONTROL, BadHeader, Line, Refused, cells_of
from oms.domain.currencies import EXPONENTS, NotAnAmount, minor_units
from oms.domain.reconciling.entries import Entry

MAX_RECORD = 32_000  # bytes
MAX_LINES = 200  # of a record: a quote that nobody closes takes no more of the file with it
MAX_REFERENCE = 100
MAX_AMOUNT = 10**15
PACKED = (b"PK\x03\x04", b"\x1f\x8b", b"\xfd7zXZ", b"7z\xbc\xaf", b"BZh")
WIDE = (b"\xff\xfe", b"\xfe\xff")
CLOCK = r"(?:[ T](\d{2}:\d{2}:\d{2})(?:\.\d+)?)?"
DAY = re.compile(rf"(\d{{4}})[-/](\d{{2}})[-/](\d{{2}}){CLOCK}(.*)", re.ASCII)
COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
OFFSET = re.compile(r" ?([+-]\d{2}):?(\d{2})", re.ASCII)
YEARS = range(2000, 2100)


class Wrong(ValueError):
    def __init__(self, column: str, why: str) -> None:
        super().__init__(why)
        self.column, self.why = column, why


@dataclass(frozen=True, slots=True)
class Row:
    """`currency`: that of a file which does not name any."""

    line: int
    cells: Mapping[str, str]
    currency: str = ""

    def text(self, column: str) -> str:
        """As it stands, empty where the column is not there."""
        text = self.cells.get(column, "").strip()
        if CONTROL.search(text):
            raise Wrong(column, "has control characters")
        return text

    def name(self, column: str, *, needed: bool = False) -> str:
        text = self.text(column)
        if needed and not text:
            raise Wrong(column, "is empty")
        if len(text) > MAX_REFERENCE:
            raise Wrong(column, f"is longer than {MAX_REFERENCE} characters")
        return text

    def money(self, column: str) -> str:
        """The code of a currency; in lower case as Stripe writes it."""
        code = (self.text(column) or self.currency).upper()
        if code not in EXPONENTS:
            raise Wrong(column, "is no currency of ISO 4217" if code else "is empty")
        return code

    def amount(self, column: str, currency: str, *, empty: int | None = None) -> int:
        """Exact, or refused; `empty` where nothing stands there."""
        text = self.text(column)
        if not text and empty is not None:
            return empty
        return within(column, _minor(column, text, currency))

    def day(self, column: str, *, needed: bool = False) -> date | None:
        text = self.text(column)
        if not text and not needed:
            return None
        return day_of(column, text)


def within(column: str, amount: int) -> int:
    if abs(amount) > MAX_AMOUNT:
        raise Wrong(column, "is more than anybody pays")
    return amount


def _minor(column: str, text: str, currency: str) -> int:
    try:
        return minor_units(text, currency)
    except NotAnAmount:
        if "," in text:
            why = "has a comma: amounts are written with a point, without separators of thousands"
        else:
            why = f"is no amount in {currency}" if text else "is empty"
        raise Wrong(column, why) from None


def day_of(column: str, text: str) -> date:
    """The day in UTC where an offset says so, else as it is written: year, month, day."""
    try:
        return _day(text)
    except ValueError:
        raise Wrong(column, "is no day of the form yyyy-mm-dd") from None


def _day(text: str) -> date:
    if compact := COMPACT.fullmatch(text):
        return _of_this_century(date(*map(int, compact.groups())))
    if (found := DAY.fullmatch(text)) is None:
        raise ValueError(text)
    year, month, day, clock, rest = found.groups()
    offset = OFFSET.fullmatch(rest)
    if rest.strip() not in ("", "Z", "UTC") and offset is None:
        raise ValueError(text)
    written = f"{year}-{month}-{day}"
    if clock and offset:
        at = datetime.fromisoformat(f"{written}T{clock}{offset[1]}:{offset[2]}")
        return _of_this_century(at.astimezone(UTC).date())
    return _of_this_century(date.fromisoformat(written))


def _of_this_century(day: date) -> date:
    if day.year not in YEARS:
        raise ValueError(day)
    return day


Columns = Sequence[str]
Read = Callable[[Row], Entry | None]


@dataclass(frozen=True, slots=True)
class Format:
    """`read`: what a row says, None where it is none of the statement's lines; raises Wrong.

    `needed`: columns that must be there. `places`: of a file that names none, where they stand,
    from 1. `header`, `body`: what the first cell of such records says, where a file has others.
    """

    needed: tuple[str, ...]
    read: Read
    places: Mapping[str, int] = field(default_factory=dict)
    header: str = ""
    body: str = ""

    @property
    def is_named(self) -> bool:
        return not self.places

    def columns(self, line: Line) -> tuple[str, ...] | None:
        """Those that the line names; None where it is not the one that does. Raises BadHeader."""
        cells = _header_cells(line)
        if self.header and cells[0] != self.header:
            return None
        if missing := [name for name in self.needed if name not in cells]:
            raise BadHeader(_missing(cells, missing))
        if twice := [name for name in self.needed if cells.count(name) > 1]:
            raise BadHeader(f"the first line names the column {twice[0]} twice")
        return tuple(cells)

    def entry(self, columns: Columns, line: Line, currency: str = "") -> Entry | Refused | None:
        cells = _cells(line)
        if isinstance(cells, Refused):
            return cells
        if self.body and cells[0] != self.body:
            return None
        try:
            return self.read(Row(line.number, self._named(columns, cells), currency))
        except Wrong as wrong:
            return Refused(line.number, wrong.column, wrong.why, tuple(cells))

    def _named(self, columns: Columns, cells: Sequence[str]) -> dict[str, str]:
        if self.places:
            if len(cells) < max(self.places.values()):
                raise Wrong("", f"has {len(cells)} cells, not {max(self.places.values())}")
            return {name: cells[place - 1] for name, place in self.places.items()}
        if len(cells) != len(columns):
            raise Wrong("", f"has {len(cells)} cells, not {len(columns)}")
        return dict(zip(reversed(columns), reversed(cells), strict=True))


def _header_cells(line: Line) -> list[str]:
    content = line.content.removeprefix(BOM)
    if content.startswith(PACKED):
        raise BadHeader("the file is packed: unpack it first")
    if content.startswith(WIDE) or b"\x00" in content:
        raise BadHeader("the first line is no CSV in UTF-8")
    try:
        cells = cells_of(content)
    except (ValueError, csv.Error):
        raise BadHeader("the first line is no CSV in UTF-8") from None
    return cells or [""]


def check_readable(line: Line) -> int:
    """How many cells the first line of a file without names has. Raises BadHeader."""
    return len(_header_cells(line))


def _missing(cells: Sequence[str], missing: Sequence[str]) -> str:
    if len(cells) == 1 and (";" in cells[0] or "\t" in cells[0]):
        return "the columns are not separated by commas: save the file with commas"
    return f"the first line names no column {', '.join(missing)}"


def _cells(line: Line) -> list[str] | Refused:
    if len(line.content) > MAX_RECORD:
        return Refused(line.number, "", f"is longer than {MAX_RECORD:,} bytes", ())
    try:
        content = line.content.removeprefix(BOM) if line.number == 1 else line.content
        return cells_of(content) or [""]
    except UnicodeDecodeError:
        return Refused(line.number, "", "is no UTF-8", ())
    except csv.Error:
        text = line.content[:1_000].decode(errors="replace")
        return Refused(line.number, "", "has a quote that does not end", (text,))


def is_blank(line: Line) -> bool:
    return not line.content.strip(b' \t\r\n,"')


def records(lines: Iterable[Line]) -> Iterator[Line]:
    """Lines that stand together inside of quotes, as one; its number is that of the first."""
    waiting: list[Line] = []
    size = 0
    for line in lines:
        waiting.append(line)
        size += len(line.content)
        is_open = sum(each.content.count(b'"') for each in waiting) % 2
        if is_open and len(waiting) < MAX_LINES and size <= MAX_RECORD:
            continue
        yield _together(waiting)
        waiting, size = [], 0
    if waiting:
        yield _together(waiting)


def _together(waiting: Sequence[Line]) -> Line:
    content = b"\n".join(each.content for each in waiting)
    return Line(waiting[0].number, content, waiting[-1].end)
