"""A shop for stories: what it sells, who buys, how far an order is, and what nobody should see."""

from __future__ import annotations

import json
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cached_property
from itertools import count
from typing import Any
from uuid import uuid4

from infra.local import walk
from infra.local.client import NONE, Answer, Client, Json
from tests.cloud import DeployedCloud, eventually

PRICE, SHIPPING = 1000, 500
PATIENCE = 45
WAREHOUSES = {"NEAR": 400, "FAR": 900}
OVER = ("completed", "cancelled", "expired")


class Persistent(Client):
    """Asks again also where the API broke down; every route answers the same once more."""

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] = NONE
    ) -> Answer:
        for attempt in range(30):
            answer = super().ask(method, path, body, headers)
            if answer.status < 500:
                break
            time.sleep(0.1 * attempt)
        return answer


class Shop:
    def __init__(self, app: DeployedCloud) -> None:
        self.app, self.cloud = app, app.cloud
        self.api = Persistent(app.url, app.token, app.secrets)
        self._numbers = count(1)
        self._name = uuid4().hex[:8]

    # --- what it sells ---------------------------------------------------------------------------

    def open(self) -> Shop:
        for location, cost in WAREHOUSES.items():
            body = {"name": location.title(), "country": "US", "fixed_cost": cost}
            self.api.put(f"/locations/{location}", body)
        return self

    def stocked(self, quantity: int, *locations: str) -> str:
        """A new SKU with so many units at each of these locations."""
        sku = f"SKU-{self._name}-{next(self._numbers)}"
        for location in locations or ("NEAR",):
            self.receive(sku, quantity, location)
        return sku

    def receive(self, sku: str, quantity: int, location: str = "NEAR") -> None:
        self.api.post(f"/stock/{sku}/{location}/receipts", {"quantity": quantity}, key=uuid4().hex)

    def units(self, sku: str) -> tuple[int, int, int]:
        """On hand, available, reserved."""
        found = self.api.get(f"/stock/{sku}")
        return found["on_hand"], found["available"], found["reserved"]

    # --- who buys --------------------------------------------------------------------------------

    def basket(self, *lines: tuple[str, int], token: str = "tok_ok", **changes: Any) -> Json:
        """A good order of a new buyer: each unit costs 10.00, shipping 5.00."""
        number = f"{self._name}-{next(self._numbers)}"
        return {
            "channel": "web",
            "external_id": number,
            "currency": "USD",
            "customer": {"email": f"{number}@example.com", "name": "Ada Byron"},
            "shipping_address": {
                "name": "Ada Byron",
                "line1": "1 Main St",
                "city": "Austin",
                "region": "TX",
                "postal_code": "78701",
                "country": "US",
            },
            "lines": [{"sku": s, "quantity": q, "unit_price": PRICE} for s, q in lines],
            "shipping": {"method": "standard", "price": SHIPPING},
            "total": SHIPPING + sum(q * PRICE for _, q in lines),
            "payment": {"provider": "test", "token": token},
            **changes,
        }

    def place(self, *lines: tuple[str, int], **changes: Any) -> str:
        placed = self.api.post("/orders", self.basket(*lines, **changes))
        return str(placed["order_id"])

    def routed(self, *lines: tuple[str, int], **changes: Any) -> Json:
        order_id = self.place(*lines, **changes)
        return self.until(order_id, status="in_fulfillment")

    def cancel(self, order_id: str, **said: Any) -> Json:
        return dict(self.api.post(f"/orders/{order_id}/cancel", said))

    # --- how far an order is ---------------------------------------------------------------------

    def order(self, order_id: str) -> Json:
        return dict(self.api.get(f"/orders/{order_id}"))

    def until(self, order_id: str, seconds: float = PATIENCE, **wanted: Any) -> Json:
        """The order as soon as it says so."""
        deadline = time.monotonic() + seconds
        while True:
            order = self.order(order_id)
            if all(order[name] == value for name, value in wanted.items()):
                return order
            assert time.monotonic() < deadline, f"not {wanted} in {seconds} s: {order}"
            time.sleep(0.1)

    def events(self, order_id: str) -> list[Json]:
        return list(self.api.get(f"/orders/{order_id}/events", limit=200)["items"])

    def history(self, order_id: str) -> list[str]:
        return [event["type"] for event in self.events(order_id)]

    # --- what warehouses, carriers and banks do --------------------------------------------------

    def do(self, box: str, *steps: str, **said: Any) -> Json:
        """`accept`, `pick`, `pack`, `ship`, `deliver`, `reject` a fulfillment order."""
        answer: Json = {}
        for step in steps:
            answer = self.api.post(f"/fulfillment-orders/{box}/{step}", said or None)
        return answer

    def ship(self, box: Json, carrier: str = "easypost") -> str:
        """The whole box in one parcel; answers its tracking number."""
        number = f"EZ{uuid4().int % 10**10:010d}"
        parcel = {"carrier": carrier, "tracking_number": number, "lines": box["lines"]}
        self.do(box["fulfillment_order_id"], "ship", parcels=[parcel])
        return number

    def scan(self, number: str, status: str, times: int = 1) -> None:
        """The carrier's webhook, and its repetitions."""
        parcel = {"tracking_number": number, "status": "label_created"}
        message = walk.tracker(parcel, status, datetime.now(UTC).isoformat())
        for _ in range(times):
            self.api.easypost(message)

    def bank_says(self, order_id: str, event: str = "authorization.succeeded") -> Json:
        message = walk.confirmation(order_id).body or {}
        return dict(self.api.test_provider({**message, "event": event}))

    def finish(self, *order_ids: str, seconds: float = PATIENCE) -> None:
        """Warehouses, carriers and banks do their part until each order is over."""
        left, deadline = list(order_ids), time.monotonic() + seconds
        while left:
            orders = [self.order(order_id) for order_id in left]
            left = [order["order_id"] for order in orders if not walk.is_over(order)]
            done = sum(walk.walk_on(self.api, order) for order in orders)
            assert not left or time.monotonic() < deadline, orders
            time.sleep(0 if done else 0.5)

    # --- what happens behind the counter ---------------------------------------------------------

    @cached_property
    def functions(self) -> Any:
        return self.cloud.client("lambda")

    @cached_property
    def workflows(self) -> Any:
        return self.cloud.client("stepfunctions")

    @property
    def machine(self) -> str:
        return self.app.outputs["OrderWorkflow"]

    def execution_arn(self, order_id: str, attempt: int = 0) -> str:
        name = f"{order_id}-{attempt}" if attempt else order_id
        return f"{self.machine.replace(':stateMachine:', ':execution:')}:{name}"

    def execution(self, order_id: str, attempt: int = 0) -> str:
        """How the order's workflow stands."""
        arn = self.execution_arn(order_id, attempt)
        with suppress(self.workflows.exceptions.ExecutionDoesNotExist):
            return str(self.workflows.describe_execution(executionArn=arn)["status"])
        return "MISSING"

    def way(self, order_id: str, attempt: int = 0) -> list[str]:
        """The states that the order's workflow has entered, none before it begins."""
        arn = self.execution_arn(order_id, attempt)
        pages = self.workflows.get_paginator("get_execution_history").paginate(executionArn=arn)
        with suppress(self.workflows.exceptions.ExecutionDoesNotExist):
            entered = [e.get("stateEnteredEventDetails") for page in pages for e in page["events"]]
            return [state["name"] for state in entered if state]
        return []

    def until_at(self, order_id: str, state: str, attempt: int = 0) -> None:
        """The workflow has come to this state."""
        eventually(lambda: self.way(order_id, attempt)[-1:] == [state], PATIENCE)

    def until_ended(self, order_id: str, attempt: int = 0) -> tuple[str, str]:
        """The workflow's status and last state."""
        going = ("MISSING", "RUNNING")
        eventually(lambda: self.execution(order_id, attempt) not in going, PATIENCE)
        return self.execution(order_id, attempt), self.way(order_id, attempt)[-1]

    def stop(self, order_id: str) -> None:
        self.workflows.stop_execution(executionArn=self.execution_arn(order_id))

    def invoke(self, function: str, event: Json) -> Json:
        answer = self.functions.invoke(
            FunctionName=self.name_of(function), Payload=json.dumps(event)
        )
        said = json.load(answer["Payload"])
        assert "FunctionError" not in answer, said
        return dict(said)

    def report(self) -> None:
        """As the clock does: what was told goes into the archive, and is counted from there."""
        self.invoke("CollectEvents", {})
        self.invoke("ProjectEvents", {})

    def name_of(self, function: str) -> str:
        """Under which its stack has deployed it."""
        pages = self.functions.get_paginator("list_functions").paginate()
        names = (each["FunctionName"] for page in pages for each in page["Functions"])
        return str(next(name for name in names if name.partition("-")[2] == function))

    def reconcile(self, *order_ids: str) -> Json:
        """As if these orders had stood still for long."""
        for order_id in order_ids:
            self.rows.update_item(
                TableName=self.app.outputs["OrdersTable"],
                Key={"PK": {"S": f"ORDER#{order_id}"}, "SK": {"S": "ORDER"}},
                UpdateExpression="SET #at = :long_ago",
                ExpressionAttributeNames={"#at": "at"},
                ExpressionAttributeValues={":long_ago": {"S": "20200101T000000000"}},
            )
        return self.invoke("ReconcileOrders", {})

    @cached_property
    def rows(self) -> Any:
        return self.cloud.client("dynamodb")

    def event_rows(self, order_id: str) -> list[Json]:
        """An order's outbox: its events that are published."""
        found = self.rows.query(
            TableName=self.app.outputs["OrdersTable"],
            KeyConditionExpression="PK = :pk AND begins_with(SK, :event)",
            ExpressionAttributeValues={
                ":pk": {"S": f"ORDER#{order_id}"},
                ":event": {"S": "EVENT#"},
            },
        )
        return [row for row in found["Items"] if "publish" in row]

    @contextmanager
    def row(self, row: Json) -> Iterator[None]:
        """A row that no code of ours would write."""
        table = self.app.outputs["OrdersTable"]
        self.rows.put_item(TableName=table, Item=row)
        try:
            yield
        finally:
            self.rows.delete_item(TableName=table, Key={"PK": row["PK"], "SK": row["SK"]})

    def line(self, sku: str) -> list[Json]:
        """Who waits for the SKU."""
        found = self.rows.query(
            TableName=self.app.outputs["StockTable"],
            KeyConditionExpression="PK = :pk AND begins_with(SK, :wait)",
            ExpressionAttributeValues={":pk": {"S": f"SKU#{sku}"}, ":wait": {"S": "WAIT#"}},
        )
        return list(found["Items"])

    @property
    def readers(self) -> list[str]:
        """The event source mappings of the outbox."""
        found = self.functions.list_event_source_mappings(FunctionName="OmsService-PublishEvents")
        return [mapping["UUID"] for mapping in found["EventSourceMappings"]]

    @contextmanager
    def outbox(self, **settings: Any) -> Iterator[None]:
        """Read the streams in another way for a while: `Enabled=False`, or fewer retries."""
        before = {
            reader: self.functions.get_event_source_mapping(UUID=reader) for reader in self.readers
        }
        for reader in before:
            self.functions.update_event_source_mapping(UUID=reader, **settings)
        try:
            yield
        finally:
            for reader, known in before.items():
                old = {name: known.get(name, True) for name in settings}
                self.functions.update_event_source_mapping(UUID=reader, **old)

    @contextmanager
    def deadline(self, state: str, seconds: int) -> Iterator[None]:
        """Orders that are placed meanwhile wait no longer in this state."""
        before = self.workflows.describe_state_machine(stateMachineArn=self.machine)["definition"]
        shorter = json.loads(before)
        shorter["States"][state]["TimeoutSeconds"] = seconds
        self._redefine(json.dumps(shorter))
        try:
            yield
        finally:
            self._redefine(before)

    def _redefine(self, definition: str) -> None:
        self.workflows.update_state_machine(stateMachineArn=self.machine, definition=definition)

    # --- what must be true in the end ------------------------------------------------------------

    def mails(self, order: Json) -> list[str]:
        """The subjects of the letters about the order, in alphabetical order, without its name."""
        with urllib.request.urlopen(f"{self.cloud.url}/_ministack/ses/messages") as answer:
            boxes = json.load(answer)["messages"].values()
        name = f"Your order {order['external_id']} "
        subjects = [mail["Subject"] for box in boxes for mail in box]
        return sorted(x.removeprefix(name) for x in subjects if x.startswith(name))

    def told(self, order: Json, letters: list[str]) -> bool:
        """Each arrival and confirmation, and of all else what still was news when it could be
        told; none twice."""
        mails = eventually(lambda: self.owed(order, letters), 20)
        return all(mails.count(each) <= letters.count(each) for each in mails)

    def owed(self, order: Json, letters: list[str]) -> list[str]:
        mails, always = self.mails(order), ("has arrived", "is confirmed")
        all_there = all(mails.count(each) >= letters.count(each) for each in always)
        return mails if all_there else []

    def books(self) -> Json:
        """The figures of books that balance."""
        counted: Counter[str] = Counter()
        page = self.api.get("/books")
        while True:
            assert page["balanced"], page["differences"]
            counted.update(page["counted"])
            if not page["cursor"]:
                return dict(counted)
            page = self.api.get("/books", cursor=page["cursor"])

    def denied(self) -> set[str]:
        """The functions whose roles did not let them do something, however often they tried."""
        logs = self.cloud.client("logs")
        groups = [each["logGroupName"] for each in logs.describe_log_groups()["logGroups"]]
        found = {
            group: logs.filter_log_events(logGroupName=group, filterPattern="AccessDenied")
            for group in groups
        }
        return {group for group, answer in found.items() if answer["events"]}

    def dead_letters(self, function: str) -> list[Json]:
        """What the function could not do, as it lies in its queue."""
        queues = self.cloud.client("sqs")
        urls = queues.list_queues().get("QueueUrls", [])
        (queue,) = (url for url in urls if f"{function}DeadLetters" in url)
        found: list[Json] = []
        while True:
            answer = queues.receive_message(
                QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=0
            )
            new = [json.loads(message["Body"]) for message in answer.get("Messages", [])]
            if all(letter in found for letter in new):
                return found
            found += [letter for letter in new if letter not in found]

    def redrive(self, function: str) -> None:
        """As ops do once the cause is gone."""
        for letter in self.dead_letters(function):
            self.invoke(function, letter["requestPayload"])

    def undelivered(self, function: str) -> list[str]:
        """The orders of the events that the function has failed on."""
        letters = self.dead_letters(function)
        return [letter["requestPayload"]["detail"]["order_id"] for letter in letters]

    def tell_bus(self, source: str, kind: str, detail: Json) -> None:
        entry = {"Source": source, "DetailType": kind, "Detail": json.dumps(detail)}
        bus = self.app.outputs["EventBus"]
        self.cloud.client("events").put_events(Entries=[{**entry, "EventBusName": bus}])


def box_of(order: Json, number: int = -1) -> Json:
    """One of the order's fulfillment orders, the newest unless told."""
    return dict(order["fulfillment_orders"][number])


def identity(box: Json) -> str:
    return str(box["fulfillment_order_id"])


def at_once(deeds: Sequence[Callable[[], Any]], threads: int = 16) -> list[Any]:
    with ThreadPoolExecutor(threads) as pool:
        return [each.result() for each in [pool.submit(deed) for deed in deeds]]
