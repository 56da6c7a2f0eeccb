"""One order after the other, from `POST /orders` to delivered, each left alone until it rests.

An order alone is the dearest: what many orders share (a batch of a stream, a queue's batch) is
shared by none. Who waits looks into the tables directly, so that looking is not counted.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from infra.local.client import Client, Json, segment
from infra.local.cloud import Cloud, CloudError
from infra.local.deploy import Outputs
from infra.local.seed import Receipt, receive, seed
from infra.local.walk import tracker

LOCATION = "AUS1"
SKUS = {"MUG-01": 1250, "PLATE-01": 1800, "BOWL-01": 990}
UNITS = 5_000
SCANS = ("in_transit", "out_for_delivery", "delivered")
CALLS = 7  # of the HTTP API, from placed to delivered
PAUSE, PATIENCE = 0.15, 60.0  # who looks more often costs the emulator more than the order does
TAX_RATE = "0.0825"


@dataclass
class Shop:
    cloud: Cloud
    outputs: Outputs
    api: Client
    placed: int = 0

    @cached_property
    def table(self) -> str:
        names = self.cloud.client("dynamodb").list_tables()["TableNames"]
        return next(str(name) for name in names if "Orders" in name)

    def open(self) -> None:
        seed(self.api)
        for sku in SKUS:
            receive(self.api, Receipt(sku, LOCATION, UNITS, f"bench-{sku}"))

    def place(self) -> Json:
        self.placed += 1
        placed: Json = self.api.post("/orders", order(self.placed), key=f"bench-{self.placed}")
        return placed

    def walk(self, placed: Json) -> None:
        """Pick, pack, ship, three scans; each after what the step before set going has ended."""
        order_id = placed["order_id"]
        identity = eventually(lambda: self.fulfillment_order(order_id))
        path = f"/fulfillment-orders/{segment(identity)}"
        self.api.post(f"{path}/pick")
        self.api.post(f"{path}/pack")
        parcel = parcel_of(self.placed, placed)
        self.api.post(f"{path}/ship", {"parcels": [parcel]})
        eventually(lambda: "PaymentCaptured" in self.history(order_id))
        scan_all(self.api, parcel)
        eventually(lambda: self.has_ended(order_id))

    def fulfillment_order(self, order_id: str) -> str:
        rows = self.rows(order_id, "FO#", "SK")
        return str(rows[0]["SK"]["S"]).removeprefix("FO#") if rows else ""

    def history(self, order_id: str) -> list[str]:
        return [row["type"]["S"] for row in self.rows(order_id, "EVENT#", "SK, #type")]

    def rows(self, order_id: str, prefix: str, wanted: str) -> list[Any]:
        request = {
            "TableName": self.table,
            "KeyConditionExpression": "PK = :pk AND begins_with(SK, :sk)",
            "ExpressionAttributeValues": {":pk": {"S": f"ORDER#{order_id}"}, ":sk": {"S": prefix}},
            "ProjectionExpression": wanted,
        }
        if "#type" in wanted:
            request["ExpressionAttributeNames"] = {"#type": "type"}
        return list(self.cloud.client("dynamodb").query(**request)["Items"])

    def has_ended(self, order_id: str) -> bool:
        execution = self.cloud.client("stepfunctions").describe_execution(
            executionArn=self.execution(order_id)
        )
        if execution["status"] not in ("RUNNING", "SUCCEEDED"):
            raise CloudError(f"the workflow of {order_id} is {execution['status']}")
        return bool(execution["status"] == "SUCCEEDED")

    def execution(self, order_id: str) -> str:
        machine = self.outputs["OrderWorkflow"]
        return f"{machine.replace(':stateMachine:', ':execution:')}:{order_id}"


def order(number: int) -> Json:
    lines = [line(sku, price) for sku, price in SKUS.items()]
    taxes = sum(each["taxes"][0]["amount"] for each in lines)
    return {
        "channel": "bench",
        "external_id": str(number),
        "currency": "USD",
        "customer": {"email": f"buyer-{number}@example.com", "name": "Ada Byron"},
        "shipping_address": {
            "name": "Ada Byron",
            "line1": "1 Main St",
            "city": "Austin",
            "region": "TX",
            "postal_code": "78701",
            "country": "US",
        },
        "lines": lines,
        "shipping": {"method": "standard", "price": 500, "taxes": []},
        "tax_included": False,
        "total": sum(SKUS.values()) + taxes + 500,
        "payment": {"provider": "test", "token": "tok_ok"},
    }


def line(sku: str, price: int) -> Json:
    tax = {"name": "TX", "rate": TAX_RATE, "amount": round(price * float(TAX_RATE))}
    return {"sku": sku, "quantity": 1, "unit_price": price, "taxes": [tax]}


def parcel_of(number: int, placed: Json) -> Json:
    return {
        "carrier": "easypost",
        "tracking_number": f"EZ9{number:09}",
        "lines": [
            {"line_id": each["line_id"], "quantity": each["quantity"]} for each in placed["lines"]
        ],
    }


def scan_all(api: Client, parcel: Json) -> None:
    """As the carrier sends them: each message repeats what was said before."""
    now = datetime.now(UTC)
    said: Json = {**parcel, "status": "label_created"}
    for number, status in enumerate(SCANS):
        at = (now + timedelta(minutes=number)).isoformat()
        api.easypost(tracker(said, status, at))
        said = {**parcel, "status": status, "scanned_at": at}


def eventually(ask: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE
    while not (answer := ask()):
        if time.monotonic() > deadline:
            raise CloudError("an order stands still: see the emulator's log")
        time.sleep(PAUSE)
    return answer
