"""What of a history was replayed: a small database that survives an interrupt at any moment."""

import hashlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, Self

TABLES = """
CREATE TABLE IF NOT EXISTS invoices (
    number TEXT PRIMARY KEY, outcome TEXT, order_id TEXT, units INTEGER, pence INTEGER,
    state TEXT DEFAULT '', seen_units INTEGER DEFAULT 0, seen_pence INTEGER DEFAULT 0);
CREATE TABLE IF NOT EXISTS cancelled (
    cancellation TEXT, invoice TEXT, units INTEGER, pence INTEGER,
    PRIMARY KEY (cancellation, invoice));
CREATE INDEX IF NOT EXISTS cancelled_of ON cancelled (invoice);
"""
PLACED, CANCELLED, EMPTY = "placed", "cancelled", "no merchandise"
REFUSED, LOST = "refused", "lost"


class Placed(NamedTuple):
    """An order and what must be left of it."""

    number: str
    order_id: str
    units: int
    pence: int


class Books(NamedTuple):
    """Units and pence that we placed less those that we cancelled, and those that the API told."""

    units: int
    pence: int
    seen_units: int
    seen_pence: int

    @property
    def balanced(self) -> bool:
        return (self.units, self.pence) == (self.seen_units, self.seen_pence)


class Journal:
    """Shared by threads. Its name is the content of the history and the cloud it went to."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.executescript(TABLES)

    @classmethod
    def of(cls, history: Path, home: Path) -> Self:
        return cls(home / "replay" / f"{fingerprint(history)}.sqlite")

    def is_done(self, number: str) -> bool:
        return bool(self.all("SELECT 1 FROM invoices WHERE number = ?", number))

    def order_id(self, number: str) -> str:
        """Empty when that invoice became no order."""
        found = self.all("SELECT order_id FROM invoices WHERE number = ?", number)
        return str(found[0][0]) if found else ""

    def done(
        self, number: str, outcome: str, order_id: str = "", units: int = 0, pence: int = 0
    ) -> None:
        self.all(
            "INSERT OR REPLACE INTO invoices (number, outcome, order_id, units, pence) "
            "VALUES (?, ?, ?, ?, ?)",
            *(number, outcome, order_id, units, pence),
        )

    def took_back(self, cancellation: str, number: str, units: int, pence: int) -> None:
        values = (cancellation, number, units, pence)
        self.all("INSERT OR REPLACE INTO cancelled VALUES (?, ?, ?, ?)", *values)

    def forget(self, number: str) -> None:
        """The cloud has lost this order, or some of its cancellations: they are asked for again."""
        self.all(
            "DELETE FROM invoices WHERE number = ? OR number IN "
            "(SELECT cancellation FROM cancelled WHERE invoice = ?)",
            *(number, number),
        )
        self.all("DELETE FROM cancelled WHERE invoice = ?", number)

    def retry_refused(self) -> None:
        self.all("DELETE FROM invoices WHERE outcome LIKE ?", f"{REFUSED}%")

    def look_again(self) -> None:
        self.all("UPDATE invoices SET state = ''")

    def unsettled(self, after: str, count: int) -> list[Placed]:
        rows = self.all(
            "SELECT number, order_id, "
            "units - (SELECT COALESCE(SUM(c.units), 0) FROM cancelled c WHERE c.invoice = number), "
            "pence - (SELECT COALESCE(SUM(c.pence), 0) FROM cancelled c WHERE c.invoice = number) "
            "FROM invoices WHERE outcome = ? AND state = '' AND number > ? ORDER BY number LIMIT ?",
            *(PLACED, after, count),
        )
        return [Placed(*row) for row in rows]

    def saw(self, number: str, state: str, units: int, pence: int) -> None:
        """`state` is empty while the order is still moving."""
        self.all(
            "UPDATE invoices SET state = ?, seen_units = ?, seen_pence = ? WHERE number = ?",
            *(state, units, pence, number),
        )

    def outcomes(self) -> dict[str, int]:
        return dict(self.all("SELECT outcome, COUNT(*) FROM invoices GROUP BY outcome"))

    def states(self) -> dict[str, int]:
        """Of orders; "" are those that still move."""
        sql = "SELECT state, COUNT(*) FROM invoices WHERE outcome = ? GROUP BY state"
        return dict(self.all(sql, PLACED))

    def books(self) -> Books:
        placed = self.sums("SELECT SUM(units), SUM(pence) FROM invoices")
        cancelled = self.sums("SELECT SUM(units), SUM(pence) FROM cancelled")
        seen = self.sums("SELECT SUM(seen_units), SUM(seen_pence) FROM invoices")
        return Books(placed[0] - cancelled[0], placed[1] - cancelled[1], *seen)

    def cancelled_units(self) -> int:
        return self.sums("SELECT SUM(units), 0 FROM cancelled")[0]

    def sums(self, sql: str) -> tuple[int, int]:
        units, pence = self.all(sql)[0]
        return units or 0, pence or 0

    def all(self, sql: str, *values: Any) -> list[Any]:
        with self._lock:
            return self._database.execute(sql, values).fetchall()

    def close(self) -> None:
        self._database.close()


def fingerprint(history: Path) -> str:
    with history.open("rb") as octets:
        return hashlib.file_digest(octets, "sha256").hexdigest()[:16]


def pages(journal: Journal, size: int = 200) -> Iterator[list[Placed]]:
    after = ""
    while page := journal.unsettled(after, size):
        after = page[-1].number
        yield page
