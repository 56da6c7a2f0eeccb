"""Which events of an order the archive has, as a reader of the archive notes them.

TOLD#<order_id> / TOLD       `seqs`, a set of numbers: noted twice, it has them once
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from oms.adapters import dynamodb as db
from oms.adapters.dynamodb import DynamoDB
from oms.adapters.event_log import Checkpoints, EventLog, checkpoints, event_log
from oms.settings import setting

NOTED = "books_noted"  # the reader that notes them, as soon as they are there
KEEP = timedelta(days=90)
JUDGED_FOR = timedelta(days=60)  # while what was noted is certainly still there
LATE = timedelta(minutes=10)  # from the commit of an event to its segment, on a bad day
AT_ONCE = 1_000
THREADS = 8


@dataclass(frozen=True, slots=True)
class Window:
    """Events that were committed in it are in the archive, and noted."""

    since: datetime
    before: datetime

    def judges(self, at: datetime) -> bool:
        return self.since <= at < self.before


class ToldEvents:
    def __init__(
        self, client: DynamoDB, table: str, log: EventLog, checkpoints: Checkpoints
    ) -> None:
        self._client, self._table = client, table
        self._log, self._checkpoints = log, checkpoints

    def note_all(self, told: Mapping[str, Collection[int]], at: datetime) -> None:
        with ThreadPoolExecutor(THREADS) as threads:
            list(threads.map(lambda order_id: self.note(order_id, told[order_id], at), told))

    def note(self, order_id: str, seqs: Collection[int], at: datetime) -> None:
        known = sorted(set(seqs))
        for start in range(0, len(known), AT_ONCE):
            told = [str(seq) for seq in known[start : start + AT_ONCE]]
            self._client.update_item(
                TableName=self._table,
                Key=_key(order_id),
                UpdateExpression="ADD seqs :seqs SET expires_at = :expires",
                ExpressionAttributeValues={
                    ":seqs": {"NS": told},
                    ":expires": db.n(int((at + KEEP).timestamp())),
                },
            )

    def seqs(self, order_ids: Iterable[str]) -> dict[str, frozenset[int]]:
        keys = [_key(order_id) for order_id in dict.fromkeys(order_ids)]
        rows = db.batch_get(self._client, self._table, keys, ConsistentRead=True)
        return {
            db.text(row, "PK").removeprefix("TOLD#"): frozenset(map(int, row["seqs"]["NS"]))
            for row in rows
        }

    def window(self, now: datetime) -> Window:
        """From the archive's first segment, or what is noted, to where the reader has come."""
        first = next(iter(self._log.after(0, 1)), None)
        began = first.at - LATE if first else now
        ahead = next(iter(self._log.after(self._checkpoints.through(NOTED), 1)), None)
        until = ahead.at if ahead else now
        return Window(max(began, now - JUDGED_FOR), until - LATE)


@cache
def told_events() -> ToldEvents:
    return ToldEvents(db.client(), setting("REPORTS_TABLE"), event_log(), checkpoints())


def _key(order_id: str) -> db.Item:
    return db.key(f"TOLD#{order_id}", "TOLD")
