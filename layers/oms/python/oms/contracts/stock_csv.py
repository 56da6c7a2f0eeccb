"""Stock levels as CSV: what is read, what is refused and why, what is written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from oms.contracts.csv_rows import (
    CONTROL,
    MAX_LINE,
    TOLD,
    BadHeader,
    Line,
    Refused,
    cells_by_column,
    columns_of,
    is_blank,
    lines,
    refused_row,
    written,
)

__all__ = [
    "EXPORTED",
    "MAX_LINE",
    "TOLD",
    "BadHeader",
    "Counted",
    "Line",
    "Refused",
    "header",
    "is_blank",
    "lines",
    "read",
    "refused_row",
    "written",
]

NEEDED = ("sku", "location", "on_hand")
MAY_SAY = (*NEEDED, "reason")
PASSED_OVER = ("available", "reserved", "incoming", *TOLD)  # our own columns
EXPORTED = ("sku", "location", "on_hand", "available", "reserved", "incoming")
MAX_SKU, MAX_REASON = 100, 200
MAX_ON_HAND = 10**9

LOCATION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")
WHOLE = re.compile(r"[0-9]{1,10}")
NEGATIVE = re.compile(r"-\s*[0-9]+")


@dataclass(frozen=True, slots=True)
class Counted:
    """What somebody says lies there."""

    line: int
    sku: str
    location: str
    on_hand: int
    reason: str
    cells: tuple[str, ...]


def header(line: Line) -> tuple[str, ...]:
    """The names of the columns, each known and each once."""
    return columns_of(line, NEEDED, (*MAY_SAY, *PASSED_OVER))


def read(columns: Sequence[str], line: Line) -> Counted | Refused:
    """What the line says, or the first thing that is wrong with it."""
    cells = cells_by_column(columns, line)
    if isinstance(cells, Refused):
        return cells
    said = dict(zip(columns, cells, strict=True))
    for column, wrong in _faults(said):
        return Refused(line.number, column, wrong, cells)
    return Counted(
        line.number,
        said["sku"],
        said["location"],
        int(said["on_hand"]),
        said.get("reason", ""),
        cells,
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
