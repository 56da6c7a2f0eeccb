"""Every event of the bus, in numbered segments, and readers that take them strictly in order.

SEGMENTS / <number>             a segment: its file, how many events, since when; no number is left
                                out, and none is ever taken twice
READERS / <name>                a reader's checkpoint: `last_number`, of the last that it has done
events/<number>.<digest>.jsonl.gz   the envelopes, one a line, exactly as they were on the bus; what
                                could not be read is kept under `unreadable`, as text
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Protocol

from botocore.exceptions import ClientError

from oms.adapters import dynamodb as db
from oms.adapters.dynamodb import DynamoDB, Item
from oms.adapters.files import files
from oms.settings import setting

FOLDER = "events"
UNREADABLE = "unreadable"
AT_ONCE = 25
TRIES = 20  # of a number that others were faster to take
CONDITION_FAILED = "ConditionalCheckFailedException"

Envelope = dict[str, Any]
Take = Callable[["Segment", list[Envelope]], None]


class Folder(Protocol):
    """`oms.adapters.files.Files`, or files in memory."""

    def read(self, name: str) -> Any: ...
    def write(self, name: str, pieces: Sequence[bytes]) -> None: ...


@dataclass(frozen=True, slots=True)
class Segment:
    """`count`: envelopes that can be read; `at`: when it was written."""

    number: int
    key: str
    count: int
    at: datetime


class NumberTaken(RuntimeError):
    """Others were faster, again and again."""


class EventLog:
    def __init__(self, client: DynamoDB, table: str, folder: Folder) -> None:
        self._client, self._table, self._folder = client, table, folder

    def append(self, envelopes: Sequence[Envelope]) -> Segment:
        """As the next segment. The file is there before the row that says so; a file whose number
        somebody else has taken is one that nobody knows."""
        body = written(envelopes)
        count = sum(UNREADABLE not in each for each in envelopes)
        for _ in range(TRIES):
            segment = Segment(self.last() + 1, "", count, datetime.now(UTC))
            key = f"{FOLDER}/{segment.number:012d}.{_digest(body)}.jsonl.gz"
            self._folder.write(key, [body])
            if self._taken(segment := Segment(segment.number, key, count, segment.at)):
                return segment
        raise NumberTaken

    def last(self) -> int:
        return newest(self._client, self._table)

    def after(self, number: int, limit: int = AT_ONCE) -> list[Segment]:
        """The next segments, in order."""
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="PK = :pk AND SK > :after",
            ExpressionAttributeValues={
                ":pk": db.s("SEGMENTS"),
                ":after": db.s(f"{number:012d}"),
            },
            ConsistentRead=True,
            Limit=limit,
        )
        return [_segment(row) for row in answer["Items"]]

    def read(self, segment: Segment) -> list[Envelope]:
        """Its envelopes; those that nobody could read are left out."""
        return [each for each in self._lines(segment) if UNREADABLE not in each]

    def unreadable(self, segment: Segment) -> list[str]:
        """What came over the bus and is no event."""
        return [each[UNREADABLE] for each in self._lines(segment) if UNREADABLE in each]

    def _lines(self, segment: Segment) -> list[Envelope]:
        body = gzip.decompress(b"".join(self._folder.read(segment.key)))
        return [json.loads(line) for line in body.splitlines()]

    def _taken(self, segment: Segment) -> bool:
        row = {
            **db.key("SEGMENTS", f"{segment.number:012d}"),
            "file": db.s(segment.key),
            "count": db.n(segment.count),
            "at": db.s(segment.at.isoformat()),
        }
        return _is_met(
            lambda: self._client.put_item(
                TableName=self._table, Item=row, ConditionExpression="attribute_not_exists(PK)"
            )
        )


class Checkpoints:
    """How far readers have come."""

    def __init__(self, client: DynamoDB, table: str) -> None:
        self._client, self._table = client, table

    def through(self, name: str) -> int:
        row = db.get_row(self._client, self._table, db.key("READERS", name))
        return db.number(row, "last_number") if row else 0

    def move(self, name: str, number: int) -> bool:
        """From the number before; False where another worker was faster."""
        return _is_met(
            lambda: self._client.update_item(
                TableName=self._table,
                Key=db.key("READERS", name),
                UpdateExpression="SET last_number = :number",
                ConditionExpression="last_number = :before"
                if number > 1
                else "attribute_not_exists(last_number)",
                ExpressionAttributeValues={
                    ":number": db.n(number),
                    **({":before": db.n(number - 1)} if number > 1 else {}),
                },
            )
        )


class Reader:
    def __init__(self, log: EventLog, checkpoints: Checkpoints, name: str) -> None:
        self._log, self._checkpoints, self._name = log, checkpoints, name

    def run(self, take: Take, is_late: Callable[[], bool]) -> int:
        """Hand out the segments after the checkpoint, in order; it moves when one was taken. How
        many were. One may be handed out again, after a crash or by another worker."""
        done, at = 0, self._checkpoints.through(self._name)
        while not is_late() and (segments := self._log.after(at)):
            for segment in segments:
                if is_late():
                    return done
                take(segment, self._log.read(segment))
                done += 1
                if not self._checkpoints.move(self._name, segment.number):
                    return done
                at = segment.number
        return done


def newest(client: DynamoDB, table: str) -> int:
    """The number of the newest segment; 0 where there is none."""
    answer = client.query(
        TableName=table,
        KeyConditionExpression="PK = :pk",
        ExpressionAttributeValues={":pk": db.s("SEGMENTS")},
        ScanIndexForward=False,
        ConsistentRead=True,
        Limit=1,
    )
    return int(db.text(answer["Items"][0], "SK")) if answer["Items"] else 0


def written(envelopes: Sequence[Envelope]) -> bytes:
    """The same bytes for the same envelopes."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as file:
        for each in envelopes:
            file.write(json.dumps(each, separators=(",", ":")).encode())
            file.write(b"\n")
    return packed.getvalue()


@cache
def event_log() -> EventLog:
    return EventLog(db.client(), setting("REPORTS_TABLE"), files())


def reader(name: str) -> Reader:
    """The one of this name: it goes on where it stopped."""
    return Reader(event_log(), checkpoints(), name)


@cache
def checkpoints() -> Checkpoints:
    return Checkpoints(db.client(), setting("REPORTS_TABLE"))


def _segment(row: Item) -> Segment:
    return Segment(
        int(db.text(row, "SK")),
        db.text(row, "file"),
        db.number(row, "count"),
        datetime.fromisoformat(db.text(row, "at")),
    )


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:16]


def _is_met(write: Callable[[], object]) -> bool:
    try:
        write()
    except ClientError as error:
        if error.response["Error"]["Code"] == CONDITION_FAILED:
            return False
        raise
    return True
