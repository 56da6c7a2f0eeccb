"""Count how promises ended as it is told: when it came, and how long it was on its way."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol

import msgspec

from oms.adapters.promise_history import CHUNK, Ended, promise_history
from oms.domain import events as e
from oms.domain.errors import Contended
from oms.domain.promising.measuring import outcome
from oms.observability import describe, logger, observed

ENVIRONMENT: tuple[str, ...] = ("REPORTS_TABLE",)


class History(Protocol):
    def count(self, ended: Sequence[Ended], now: datetime) -> None: ...


class Told(msgspec.Struct):
    """An event of the bus, as far as it is counted."""

    at: datetime
    data: e.FulfillmentOrderDelivered


class Entry(NamedTuple):
    message_id: str
    ended: Ended


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    failed = measure(event["Records"], promise_history(), datetime.now(UTC))
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def measure(records: Sequence[dict[str, Any]], history: History, now: datetime) -> list[str]:
    """Count what the records tell; the ids of those that must be brought again."""
    failed: list[str] = []
    entries = list(_entries(records, failed))
    for start in range(0, len(entries), CHUNK):
        failed += _count(entries[start : start + CHUNK], history, now)
    return failed


def _entries(records: Sequence[dict[str, Any]], failed: list[str]) -> Iterator[Entry]:
    """What can be read; the rest goes back to the queue, and after some times aside."""
    for record in records:
        try:
            told = msgspec.convert(json.loads(record["body"])["detail"], Told)
            if told.data.way is not None:
                found = outcome(told.data.way, told.at)
                yield Entry(record["messageId"], Ended(told.data.fulfillment_order_id, found))
        except (LookupError, TypeError, ValueError) as error:
            extra = {"message_id": record["messageId"], **describe(error)}
            logger().warning("not measured", extra=extra)
            failed.append(record["messageId"])


def _count(entries: Sequence[Entry], history: History, now: datetime) -> list[str]:
    """The ids of what was not counted: one that cannot be does not keep the others from it."""
    try:
        history.count([entry.ended for entry in entries], now)
    except Exception as error:  # noqa: BLE001  (the queue brings it again, whatever it was)
        logger().warning("not measured", extra={"events": len(entries), **describe(error)})
        if len(entries) == 1 or isinstance(error, Contended):
            return [entry.message_id for entry in entries]
        return [m for entry in entries for m in _count([entry], history, now)]
    return []
