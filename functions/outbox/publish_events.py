"""The only publisher: reads the table streams, starts and wakes workflows, tells the bus.

What is published is what was committed. A record that could not be told is reported, and the
stream gives it and all after it again: consumers deduplicate by `id`.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from oms.adapters.bus import Bus, bus
from oms.adapters.order_reader import OrderReader, order_reader
from oms.adapters.workflow import Workflow, return_workflow, workflow
from oms.contracts.events import CATALOGUE
from oms.observability import describe, logger, observed

ENVIRONMENT: tuple[str, ...] = ("EVENT_BUS", "ORDERS_TABLE", "ORDER_WORKFLOW", "RETURN_WORKFLOW")
# Of events that no order has.
SUBJECTS = {
    "SKU": "sku",
    "LOCATION": "location_id",
    "CREDIT": "account_id",
    "INQUIRY": "inquiry_id",
}


@dataclass(frozen=True, slots=True)
class Record:
    """One outbox row as the stream shows it. `wake`: wait -> outcome."""

    position: str
    envelope: dict[str, Any]
    wake: dict[str, str]

    @property
    def order_id(self) -> str:
        return str(self.envelope.get("order_id", ""))


@dataclass(frozen=True, slots=True)
class Workflows:
    orders: Workflow
    returns: Workflow

    def start(self, told: dict[str, Any]) -> None:
        """What begins with this event, under the id of what it is about."""
        if told["type"] == "OrderPlaced":
            self.orders.start(told["order_id"])
        elif told["type"] == "ReturnApproved":
            self.returns.start(told["data"]["return_id"])


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    records = [record_of(each) for each in event["Records"]]
    workflows = Workflows(workflow(), return_workflow())
    failed = publish(records, bus(), workflows, order_reader())
    return {"batchItemFailures": [{"itemIdentifier": failed.position}] if failed else []}


def publish(
    records: Sequence[Record], bus: Bus, workflows: Workflows, orders: OrderReader
) -> Record | None:
    """The first record that was not told; the ones before it were."""
    moved = list(_moved(records, workflows, orders))
    failed = bus.publish([record.envelope for record in moved])
    if failed:
        return moved[min(failed)]
    return records[len(moved)] if len(moved) < len(records) else None


def _moved(
    records: Sequence[Record], workflows: Workflows, orders: OrderReader
) -> Iterator[Record]:
    """Records whose workflow was moved, up to the first that could not be."""
    for record in records:
        try:
            _move(record, workflows, orders)
        except Exception as error:  # noqa: BLE001  (whatever it is, the stream gives it again)
            logger().error("not moved", extra={"order_id": record.order_id, **describe(error)})
            return
        yield record


def _move(record: Record, workflows: Workflows, orders: OrderReader) -> None:
    workflows.start(record.envelope)
    for wait, outcome in record.wake.items():
        token = orders.token(record.order_id, wait)
        if token is not None:
            workflows.orders.wake(token, outcome)


def record_of(raw: dict[str, Any]) -> Record:
    image = raw["dynamodb"]["NewImage"]
    wake = json.loads(image["wake"]["S"]) if "wake" in image else {}
    return Record(raw["dynamodb"]["SequenceNumber"], _envelope(image), wake)


def _envelope(image: dict[str, Any]) -> dict[str, Any]:
    pk, sk = image["PK"]["S"], image["SK"]["S"].removeprefix("EVENT#")
    kind, _, identity = pk.partition("#")
    name = image["type"]["S"]
    return {
        "id": f"{identity}#{sk}",
        "type": name,
        "version": CATALOGUE[name].version,
        "at": datetime.fromisoformat(image["at"]["S"]).isoformat(),
        **_subject(kind, identity, sk),
        "actor": image["actor"]["S"],
        **({"owes_stock": True} if "owes_stock" in image else {}),
        **({"at_risk": True} if "at_risk" in image else {}),
        "data": json.loads(_body(image["body"])),
    }


def _subject(kind: str, identity: str, sk: str) -> dict[str, Any]:
    if kind == "ORDER":
        return {"order_id": identity, "seq": int(sk)}
    return {SUBJECTS[kind]: identity}


def _body(value: dict[str, str]) -> bytes:
    """As `dynamodb.unpack`, but a stream record is JSON: its bytes come in base64."""
    return value["S"].encode() if "S" in value else zlib.decompress(base64.b64decode(value["B"]))
