"""What a warehouse, a carrier and a bank do next for an order, told by its state alone.

Nothing is remembered between two steps: an order that another run left is walked on from where it
is, and a step that is done twice is done once.
"""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from infra.local.client import Client, Json
from oms.domain.payment import Operation, OperationKind, operation_key

OVER = frozenset({"completed", "cancelled", "expired"})
OWED = frozenset({"authorized", "partially_paid"})
IN_WAREHOUSE = {"open": "accept", "accepted": "pick", "picking": "pack"}
CARRIER, PROVIDER = "easypost", "test"
# What the carrier says next of a parcel, by what it said last.
NEXT_SCAN = {
    "label_created": "in_transit",
    "in_transit": "out_for_delivery",
    "out_for_delivery": "delivered",
}
STAGES = {"open": 3, "accepted": 4, "picking": 5, "packed": 6, "shipped": 7}
LAST_STAGE = 10


class Step(NamedTuple):
    """Who speaks (`staff`, CARRIER, PROVIDER), where, and what."""

    sender: str
    path: str
    body: Json | None = None


def next_steps(order: Json, now: datetime) -> list[Step]:
    """Empty while the order does its own part, and when it is over."""
    if is_over(order):
        return []
    if order["payment_status"] == "pending":
        return [confirmation(order["order_id"])]
    return [step for each in order["fulfillment_orders"] for step in fulfillment_steps(each, now)]


def is_over(order: Json) -> bool:
    """Nothing more will happen, or not before a person decided."""
    return order["status"] in OVER or bool(order["attention"])


def is_settled(order: Json) -> bool:
    """Over, and the money of what was delivered has been taken."""
    owed = order["status"] == "completed" and order["payment_status"] in OWED
    return is_over(order) and not owed


def confirmation(order_id: str) -> Step:
    """The buyer said yes to the bank; the provider tells. An order's first operation is op_1."""
    first = Operation("op_1", OperationKind.AUTHORIZE, amount=0)
    key = operation_key(order_id, first)
    message = {"event": "authorization.succeeded", "order_id": order_id, "key": key}
    return Step(PROVIDER, f"/payments/{PROVIDER}/webhooks", message)


def fulfillment_steps(each: Json, now: datetime) -> Iterator[Step]:
    path = f"/fulfillment-orders/{each['fulfillment_order_id']}"
    if each["status"] in IN_WAREHOUSE:
        yield Step("staff", f"{path}/{IN_WAREHOUSE[each['status']]}")
    elif each["status"] == "packed":
        yield Step("staff", f"{path}/ship", {"parcels": [parcel_of(each)]})
    elif each["status"] == "shipped":
        yield from scans(each["parcels"], now)


def parcel_of(each: Json) -> Json:
    identity = each["fulfillment_order_id"]
    number = tracking_number(identity)
    return {"carrier": CARRIER, "tracking_number": number, "lines": each["lines"]}


def tracking_number(identity: str) -> str:
    """The same for the same fulfillment order, so that shipping it again is no other parcel."""
    return f"EZ{int(hashlib.sha256(identity.encode()).hexdigest(), 16) % 10**10:010d}"


def scans(parcels: list[Json], now: datetime) -> Iterator[Step]:
    """Each parcel that the carrier brings goes one scan further."""
    for parcel in parcels:
        if parcel["carrier"] == CARRIER and parcel["status"] in NEXT_SCAN:
            message = tracker(parcel, NEXT_SCAN[parcel["status"]], now.isoformat())
            yield Step(CARRIER, f"/carriers/{CARRIER}/webhooks", message)


def tracker(parcel: Json, status: str, at: str) -> Json:
    """As EasyPost sends it: the parcel with what was said before and what is new."""
    number, before = parcel["tracking_number"], parcel.get("scanned_at")
    said = [(parcel["status"], before)] if before else []
    return {
        "id": f"evt_{number}_{status}",
        "object": "Event",
        "description": "tracker.updated",
        "created_at": at,
        "result": {
            "object": "Tracker",
            "tracking_code": number,
            "status": status,
            "updated_at": at,
            "tracking_details": [
                {"object": "TrackingDetail", "status": word, "datetime": when}
                for word, when in [*said, (status, at)]
            ],
        },
    }


def take(api: Client, step: Step) -> None:
    if step.sender == "staff":
        api.post(step.path, step.body)
    elif step.sender == CARRIER:
        api.easypost(step.body or {})
    else:
        api.test_provider(step.body or {})


def walk_on(api: Client, order: Json) -> int:
    """Do all that can be done now; answers how many requests that took."""
    steps = next_steps(order, datetime.now(UTC))
    for step in steps:
        take(api, step)
    return len(steps)


def stage(order: Json) -> float:
    """How far the order is, from 1 (placed) to LAST_STAGE."""
    if order["status"] in OVER:
        return LAST_STAGE
    parts = [part_stage(each) for each in order["fulfillment_orders"]]
    if parts:
        return sum(parts) / len(parts)
    return 2 if order["payment_status"] in ("authorized", "paid") else 1


def part_stage(each: Json) -> float:
    if each["status"] != "shipped":
        return STAGES.get(each["status"], LAST_STAGE)
    further = {"in_transit": 1, "out_for_delivery": 2}
    return STAGES["shipped"] + max(further.get(p["status"], 0) for p in each["parcels"])
