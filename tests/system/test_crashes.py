"""What breaks is repaired: nothing is lost, doubled or stuck."""

from __future__ import annotations

import base64
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from infra.local.client import Json
from infra.local.cloud import Cloud, running
from tests.cloud import eventually
from tests.system.shop import Shop, at_once, box_of, identity

pytestmark = [pytest.mark.system, pytest.mark.timeout(400)]

ORDERS = 30
LETTERS = ["has arrived", "is confirmed", "is on its way"]
ALWAYS = {"has arrived", "is confirmed"}  # the one on the way is no news any more, once it is there


# --- workers die ---------------------------------------------------------------------------------


def workers(cloud: Cloud) -> list[int]:
    """The processes of this cloud's functions."""
    parent = running(cloud.home)["pid"]
    return [pid for pid in children(parent) if b"function_host" in said_of(pid, "cmdline")]


def children(parent: int) -> Iterator[int]:
    for path in Path("/proc").glob("[0-9]*"):
        stat = said_of(int(path.name), "stat").rpartition(b")")[2].split()
        if stat[1:2] == [str(parent).encode()]:
            yield int(path.name)


def said_of(pid: int, name: str) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/{name}").read_bytes()
    return b""


@contextmanager
def dying_workers(cloud: Cloud, every: float) -> Iterator[None]:
    over = threading.Event()

    def kill() -> None:
        chance = random.Random(7)
        while not over.wait(every):
            with suppress(ProcessLookupError, IndexError):
                os.kill(chance.choice(workers(cloud)), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield
    finally:
        over.set()
        killer.join()


def test_orders_flow_while_workers_are_killed(shop: Shop) -> None:
    sku = shop.stocked(ORDERS)

    with dying_workers(shop.cloud, every=0.7):
        placed = at_once([lambda: shop.place((sku, 1))] * ORDERS, threads=6)
        time.sleep(5)
    rescue(shop, placed)
    shop.finish(*placed, seconds=120)

    assert len(set(placed)) == ORDERS
    assert_all_paid_once(shop, placed)
    assert shop.units(sku) == (0, 0, 0)
    for order_id in placed:
        assert_told(shop, order_id)


def rescue(shop: Shop, order_ids: list[str]) -> None:
    """A step whose worker died five times asks a person, who lets it try again."""
    placed = eventually(lambda: moved(shop, order_ids), 120)
    for order_id in (each["order_id"] for each in placed if each["attention"]):
        shop.until_at(order_id, "Needs attention")
        shop.api.post(f"/attention/{order_id}/retry")


def moved(shop: Shop, order_ids: list[str]) -> list[Json] | None:
    """Orders that are all in the warehouse, or wait for a person."""
    orders = [shop.order(order_id) for order_id in order_ids]
    return orders if all(o["fulfillment_orders"] or o["attention"] for o in orders) else None


def assert_all_paid_once(shop: Shop, order_ids: list[str]) -> None:
    """A capture that died thrice is a dead letter; ops send it again."""
    shop.redrive("CapturePayment")
    for order_id in order_ids:
        order = shop.until(order_id, status="completed", payment_status="paid")
        assert order["paid"] == order["totals"]["total"]
        assert shop.history(order_id).count("PaymentCaptured") == 1


def assert_told(shop: Shop, order_id: str) -> None:
    """Each letter was sent, or is kept for ops. A worker that dies while sending may send twice."""
    order = shop.order(order_id)

    def all_told() -> bool:
        kept = [word for word in shop.undelivered("NotifyCustomer") if word == order_id]
        return len(ALWAYS & {*shop.mails(order)}) + len(kept) >= len(ALWAYS)

    eventually(all_told, 45)


# --- messages come twice, late and in another order ----------------------------------------------


def as_records(rows: list[Json]) -> Json:
    """Outbox rows as a stream would tell them."""
    return {
        "Records": [
            {
                "eventID": f"again-{number}",
                "eventName": "INSERT",
                "eventSource": "aws:dynamodb",
                "dynamodb": {
                    "Keys": {"PK": row["PK"], "SK": row["SK"]},
                    "NewImage": row,
                    "SequenceNumber": str(number),
                },
            }
            for number, row in enumerate(rows, 1)
        ]
    }


def sold(shop: Shop, channel: str) -> int:
    shop.report()
    rows = shop.api.get("/reports/sales", channel=channel)["rows"]
    return int(sum(row["orders"] for row in rows))


def test_a_history_told_again_backwards_changes_nothing(shop: Shop) -> None:
    sku = shop.stocked(5)
    channel = sku.lower()
    order_id = shop.place((sku, 1), channel=channel)
    shop.finish(order_id)
    done = shop.until(order_id, payment_status="paid")
    assert shop.until_ended(order_id) == ("SUCCEEDED", "Order completed")
    assert shop.told(done, LETTERS)
    letters = shop.mails(done)
    rows = [clean(row) for row in shop.event_rows(order_id)]

    for again in (rows, rows[::-1], rows):
        assert shop.invoke("PublishEvents", as_records(again)) == {"batchItemFailures": []}

    other = shop.order(shop.place((sku, 1), channel=channel))
    eventually(lambda: shop.mails(other), 20)
    assert eventually(lambda: sold(shop, channel) > 1 and sold(shop, channel), 30) == 2
    assert shop.mails(done) == letters
    assert shop.order(order_id) == done
    assert shop.execution(order_id, 1) == "MISSING"


def clean(row: Json) -> Json:
    """A stream record is JSON: bytes come in base64, as text."""

    def told(value: Json) -> Json:
        if "B" in value:
            return {"B": base64.b64encode(value["B"]).decode()}
        return value

    return {name: told(value) for name, value in row.items()}


def test_a_cancellation_that_is_told_before_its_order_still_ends_it(shop: Shop) -> None:
    sku = shop.stocked(5)
    with shop.outbox(Enabled=False):
        order_id = shop.place((sku, 1))
        shop.cancel(order_id)
        rows = [clean(row) for row in shop.event_rows(order_id)]
        assert shop.invoke("PublishEvents", as_records(rows[::-1]))["batchItemFailures"] == []

    assert shop.until_ended(order_id) == ("SUCCEEDED", "Order cancelled")
    assert shop.history(order_id).count("OrderCancelled") == 1
    assert shop.units(sku) == (5, 5, 0)


# --- executions end ------------------------------------------------------------------------------


def at_the_bank(shop: Shop, sku: str) -> str:
    order_id = shop.place((sku, 1), token="tok_3ds")
    shop.until_at(order_id, "Await payment")
    return order_id


def in_line(shop: Shop, sku: str) -> str:
    order_id = shop.place((sku, 8))
    shop.until_at(order_id, "Await stock")
    return order_id


def in_the_warehouse(shop: Shop, sku: str) -> str:
    order = shop.routed((sku, 1))
    shop.until_at(order["order_id"], "Fulfil order")
    return str(order["order_id"])


WAITS: dict[str, Callable[[Shop, str], str]] = {
    "Await payment": at_the_bank,
    "Await stock": in_line,
    "Fulfil order": in_the_warehouse,
}


@pytest.mark.parametrize("wait", WAITS)
def test_an_order_whose_workflow_was_stopped_goes_on(shop: Shop, wait: str) -> None:
    sku = shop.stocked(5)
    order_id = WAITS[wait](shop, sku)
    shop.stop(order_id)
    shop.receive(sku, 5)

    at_once([lambda: shop.reconcile(order_id)] * 2)

    eventually(lambda: shop.way(order_id, 1), 30)
    shop.finish(order_id)
    assert shop.until(order_id, payment_status="paid")["status"] == "completed"
    assert shop.until_ended(order_id, 1) == ("SUCCEEDED", "Order completed")
    assert shop.execution(order_id, 2) == "MISSING"
    shop.reconcile(order_id)
    assert shop.execution(order_id, 2) == "MISSING"


def test_a_cancelled_order_whose_workflow_was_stopped_gives_everything_back(shop: Shop) -> None:
    sku = shop.stocked(5)
    order_id = in_the_warehouse(shop, sku)
    shop.stop(order_id)

    shop.cancel(order_id)
    shop.reconcile(order_id)

    shop.until(order_id, status="cancelled", payment_status="voided")
    assert shop.units(sku) == (5, 5, 0)


def test_an_order_whose_workflow_never_started_is_found(shop: Shop) -> None:
    with shop.outbox(Enabled=False):
        order_id = shop.place((shop.stocked(5), 1))
        assert shop.execution(order_id) == "MISSING"
        shop.reconcile(order_id)
        shop.until(order_id, status="in_fulfillment")

    shop.finish(order_id)
    assert shop.until_ended(order_id) == ("SUCCEEDED", "Order completed")


def test_a_young_order_is_left_alone(shop: Shop) -> None:
    order_id = in_the_warehouse(shop, shop.stocked(5))
    shop.stop(order_id)

    assert shop.reconcile()["failed"] == 0

    assert shop.execution(order_id, 1) == "MISSING"


# --- what cannot be handled ----------------------------------------------------------------------


def test_a_row_that_cannot_be_told_is_set_aside_and_others_pass(shop: Shop) -> None:
    key = {"PK": {"S": "ORDER#ord_poison"}, "SK": {"S": "EVENT#000001"}}
    row = {**key, "type": {"S": "NoSuchEvent"}, "publish": {"BOOL": True}}
    with shop.outbox(MaximumRetryAttempts=1), shop.row(row):
        order = shop.routed((shop.stocked(5), 1))
        (letter,) = eventually(lambda: shop.dead_letters("PublishEvents"), 30)

    assert letter["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert letter["DDBStreamBatchInfo"]["batchSize"] == 1
    shop.do(identity(box_of(order)), "accept")


def test_an_event_that_a_consumer_cannot_handle_is_set_aside(shop: Shop) -> None:
    detail = {"id": "x#1", "order_id": "ord_nobody", "seq": 1, "data": {}}
    shop.tell_bus("oms.fulfillment", "FulfillmentOrderShipped", detail)
    order_id = shop.place((shop.stocked(5), 1))
    shop.finish(order_id)
    shop.until(order_id, payment_status="paid")

    (letter,) = eventually(lambda: shop.dead_letters("CapturePayment"), 45)

    assert letter["requestPayload"]["detail"]["order_id"] == "ord_nobody"
