"""The archive as Parquet, for questions that nobody has asked yet.

lake/events/day=<yyyy-mm-dd>/<first>-<last>.parquet     events of that day (UTC) that the segments
                                                        from the first to the last brought

One row is an event: id, type, version, happened_at, order_id, seq, subject, actor, channel,
segment, and data as JSON text. The bus tells at least once, so an id may stand in two files:
whoever counts takes one row of each id, as `events` in the queries does.
"""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

FOLDER = "lake"
EVENTS = f"{FOLDER}/events"
COLUMNS: Mapping[str, str] = {
    "id": "VARCHAR",
    "type": "VARCHAR",
    "version": "INTEGER",
    "happened_at": "TIMESTAMP",
    "order_id": "VARCHAR",
    "seq": "INTEGER",
    "subject": "VARCHAR",
    "actor": "VARCHAR",
    "channel": "VARCHAR",
    "segment": "BIGINT",
    "data": "VARCHAR",
}
SUBJECTS = ("sku", "location_id", "account_id", "inquiry_id")

Row = dict[str, Any]


class Folder(Protocol):
    def write(self, name: str, pieces: Iterable[bytes]) -> None: ...


class Lake:
    """`connect` opens DuckDB, which writes the files."""

    def __init__(self, folder: Folder, connect: Any) -> None:
        self._folder, self._connect = folder, connect

    def write(self, first: int, last: int, rows: Iterable[Row]) -> int:
        """The rows of these segments, a file for each of their days; how many. The same segments
        make the same files."""
        days = by_day(rows)
        for day, found in sorted(days.items()):
            name = f"{EVENTS}/day={day}/{first:012d}-{last:012d}.parquet"
            self._folder.write(name, [parquet(found.values(), self._connect)])
        return sum(map(len, days.values()))


def by_day(rows: Iterable[Row]) -> Mapping[str, Mapping[str, Row]]:
    """Each event once, by its id."""
    days: defaultdict[str, dict[str, Row]] = defaultdict(dict)
    for row in rows:
        days[row["happened_at"][:10]].setdefault(row["id"], row)
    return days


def row_of(envelope: Mapping[str, Any], segment: int) -> Row:
    """`at` in UTC: a day of the lake is one of UTC."""
    data = envelope.get("data", {})
    at = datetime.fromisoformat(envelope["at"]).astimezone(UTC)
    order_id = envelope.get("order_id", "")
    return {
        "id": envelope["id"],
        "type": envelope["type"],
        "version": envelope["version"],
        "happened_at": at.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds"),
        "order_id": order_id,
        "seq": envelope.get("seq"),
        "subject": order_id or next((envelope[n] for n in SUBJECTS if n in envelope), ""),
        "actor": envelope.get("actor", ""),
        "channel": data.get("channel", "") if isinstance(data, Mapping) else "",
        "segment": segment,
        "data": json.dumps(data, separators=(",", ":")),
    }


def parquet(rows: Iterable[Row], connect: Any) -> bytes:
    """In the order of their time and id."""
    with tempfile.TemporaryDirectory() as place:
        given, made = Path(place, "rows.json"), Path(place, "rows.parquet")
        with given.open("w") as file:
            file.writelines(f"{line}\n" for line in _lines(rows))
        columns = ", ".join(f"{name}: '{kind}'" for name, kind in COLUMNS.items())
        with connect() as duck:
            duck.execute(
                f"COPY (SELECT * FROM read_json('{given}', format = 'newline_delimited',"
                f" columns = {{{columns}}}) ORDER BY happened_at, id)"
                f" TO '{made}' (FORMAT parquet, COMPRESSION zstd)"
            )
        return made.read_bytes()


def _lines(rows: Iterable[Row]) -> Iterator[str]:
    return (json.dumps(row, separators=(",", ":")) for row in rows)


def duckdb_in_memory() -> Any:
    """It installs nothing and asks nobody."""
    import duckdb

    settings: dict[str, Any] = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "threads": "1",
        "memory_limit": "256MB",
        "home_directory": "/tmp",  # a function may write nowhere else
    }
    return duckdb.connect(":memory:", config=settings)
