"""What DynamoDB does to those who write too much, or at the same time; no emulator does it.

A partition key takes so many write units a second. While a transaction is under way its rows are
locked: another transaction that meets one of them is cancelled, a plain write is refused.
"""

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from infra.local.cloud import Cloud
from infra.local.meter import Handler, Meter, target_of

TRANSACTION, PLAIN = "TransactWriteItems", frozenset({"PutItem", "UpdateItem", "DeleteItem"})
ERROR = "com.amazonaws.dynamodb.v20120810#"
CONFLICT = "TransactionConflict"
ONGOING = "Transaction is ongoing for the item"
TOO_MUCH = "Throughput exceeds the current capacity of one or more partitions"


class Limits(NamedTuple):
    units_per_second: float = 1_000  # of one partition key; a second's worth may come at once
    lock_seconds: float = 0.006  # of the rows of a transaction


REAL = Limits()


class Row(NamedTuple):
    table: str
    partition: str
    sort: str


class Refusal(NamedTuple):
    """As the service says it."""

    code: str
    said: dict[str, Any]


@dataclass
class Bucket:
    units: float
    at: float

    def refilled(self, limits: Limits, now: float) -> float:
        grown = self.units + (now - self.at) * limits.units_per_second
        self.units, self.at = min(limits.units_per_second, grown), now
        return self.units


@dataclass
class Physics:
    limits: Limits = REAL
    clock: Callable[[], float] = time.monotonic
    conflicts: int = 0
    throttled: int = 0
    _buckets: dict[tuple[str, str], Bucket] = field(default_factory=dict)
    _locked: dict[Row, float] = field(default_factory=dict)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def refusal(self, action: str, asked: Mapping[str, Any]) -> Refusal | None:
        """None when it may be done; then its units are used and its rows are locked."""
        rows = rows_of(action, asked)
        units = 2 if action == TRANSACTION else 1
        with self._turn:
            now = self.clock()
            if any(self._is_locked(row, now) for row in rows):
                self.conflicts += 1
                return in_conflict(action, [self._is_locked(row, now) for row in rows])
            if not self._use(rows, units, now):
                self.throttled += 1
                return Refusal("ThrottlingException", {"message": TOO_MUCH})
            if action == TRANSACTION:
                self._locked.update(dict.fromkeys(rows, now + self.limits.lock_seconds))
        return None

    def _is_locked(self, row: Row, now: float) -> bool:
        return self._locked.get(row, 0) > now

    def _use(self, rows: Sequence[Row], units: int, now: float) -> bool:
        """Of a row that has a kilobyte at most, as ours have."""
        wanted: dict[tuple[str, str], int] = {}
        for row in rows:
            wanted[row[:2]] = wanted.get(row[:2], 0) + units
        buckets = {key: self._buckets.setdefault(key, self._full(now)) for key in wanted}
        if any(buckets[key].refilled(self.limits, now) < wanted[key] for key in wanted):
            return False
        for key, used in wanted.items():
            buckets[key].units -= used
        return True

    def _full(self, now: float) -> Bucket:
        return Bucket(self.limits.units_per_second, now)


def rows_of(action: str, asked: Mapping[str, Any]) -> list[Row]:
    if action == TRANSACTION:
        return [row_of(what) for each in asked["TransactItems"] for what in each.values()]
    return [row_of(asked)] if action in PLAIN else []


def row_of(what: Mapping[str, Any]) -> Row:
    key = what.get("Key") or what["Item"]
    return Row(what["TableName"], key["PK"]["S"], key["SK"]["S"])


def in_conflict(action: str, locked: Sequence[bool]) -> Refusal:
    if action != TRANSACTION:
        return Refusal("TransactionConflictException", {"message": ONGOING})
    codes = [CONFLICT if each else "None" for each in locked]
    reasons = [{"Code": c} | ({"Message": ONGOING} if c == CONFLICT else {}) for c in codes]
    message = f"Transaction cancelled, specific reasons [{', '.join(codes)}]"
    said = {"message": message, "Message": message, "CancellationReasons": reasons}
    return Refusal("TransactionCanceledException", said)


class PhysicalMeter(Meter):
    """A meter that refuses what DynamoDB would refuse."""

    def __init__(self, cloud: Cloud, limits: Limits = REAL) -> None:
        self.physics = Physics(limits)
        super().__init__(cloud)

    def handler(self) -> type[Handler]:
        return type("OwnHandler", (PhysicalHandler,), {"meter": self, "physics": self.physics})


class PhysicalHandler(Handler):
    physics: Physics

    def ask(self, body: bytes) -> http.client.HTTPResponse:
        headers = {name.lower(): value for name, value in self.headers.items()}
        _, action = target_of(headers.get("x-amz-target", ""), headers, self.path)
        if action == TRANSACTION or action in PLAIN:
            refusal = self.physics.refusal(action, json.loads(body))
            if refusal is not None:
                return RefusedAnswer(refusal)  # type: ignore[return-value]
        return super().ask(body)


class RefusedAnswer:
    """As much of an answer as is passed on."""

    status = 400

    def __init__(self, refusal: Refusal) -> None:
        self._said = {"__type": ERROR + refusal.code, **refusal.said}

    def read(self) -> bytes:
        return json.dumps(self._said).encode()

    def getheaders(self) -> list[tuple[str, str]]:
        return [("Content-Type", "application/x-amz-json-1.0")]


@contextmanager
def physical(cloud: Cloud, limits: Limits = REAL) -> Iterator[PhysicalMeter]:
    """A proxy before this cloud: give its `url` to those who should feel it."""
    meter = PhysicalMeter(cloud, limits)
    thread = threading.Thread(target=meter.serve, daemon=True)
    thread.start()
    try:
        yield meter
    finally:
        meter.close()
        thread.join()
