"""A return's own workflow, from the approval to the money: label, parcel and people."""

from __future__ import annotations

import urllib.request
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest

from infra.local.client import Json
from tests.cloud import eventually
from tests.system.shop import PATIENCE, Shop, box_of, identity

pytestmark = pytest.mark.system

TAKEN_BACK = {"acceptance": "accepted", "disposition": "restock"}


def asked_back(shop: Shop, sku: str) -> str:
    """One of two units that the customer has."""
    order = shop.routed((sku, 2))
    shop.do(identity(box_of(order)), "accept", "pick", "pack")
    shop.scan(shop.ship(box_of(order)), "delivered")
    shop.until(order["order_id"], status="completed", payment_status="paid")
    line = {"line_id": "line_1", "quantity": 1, "reason": "too_small"}
    said = shop.api.post(f"/orders/{order['order_id']}/returns", {"lines": [line]})
    return str(said["return_id"])


def approved(shop: Shop, sku: str) -> str:
    return_id = asked_back(shop, sku)
    shop.api.post(f"/returns/{return_id}/approve")
    return return_id


def seen(shop: Shop, return_id: str) -> Json:
    return dict(shop.api.get(f"/returns/{return_id}"))


def until(shop: Shop, return_id: str, **wanted: Any) -> Json:
    def found() -> Json | None:
        answer = seen(shop, return_id)
        return answer if all(answer[name] == value for name, value in wanted.items()) else None

    return eventually(found, PATIENCE)


def execution(shop: Shop, return_id: str) -> str:
    machine = shop.app.outputs["ReturnWorkflow"]
    return f"{machine.replace(':stateMachine:', ':execution:')}:{return_id}"


def status(shop: Shop, return_id: str) -> str:
    with suppress(shop.workflows.exceptions.ExecutionDoesNotExist):
        arn = execution(shop, return_id)
        return str(shop.workflows.describe_execution(executionArn=arn)["status"])
    return "MISSING"


def way(shop: Shop, return_id: str) -> list[str]:
    with suppress(shop.workflows.exceptions.ExecutionDoesNotExist):
        arn = execution(shop, return_id)
        events = shop.workflows.get_execution_history(executionArn=arn)["events"]
        entered = [event.get("stateEnteredEventDetails") for event in events]
        return [state["name"] for state in entered if state]
    return []


def until_at(shop: Shop, return_id: str, state: str) -> None:
    eventually(lambda: way(shop, return_id)[-1:] == [state], PATIENCE)


def until_ended(shop: Shop, return_id: str) -> tuple[str, str]:
    eventually(lambda: status(shop, return_id) not in ("MISSING", "RUNNING"), PATIENCE)
    return status(shop, return_id), way(shop, return_id)[-1]


def receive(shop: Shop, return_id: str, **judged: Any) -> Json:
    line = {"line_id": "line_1", "quantity": 1, **judged}
    return dict(shop.api.post(f"/returns/{return_id}/receive", {"lines": [line]}))


def test_a_return_goes_from_its_label_to_the_money(shop: Shop) -> None:
    sku = shop.stocked(5)
    return_id = approved(shop, sku)
    until_at(shop, return_id, "Await goods")

    parcel = eventually(lambda: seen(shop, return_id)["parcels"], PATIENCE)[0]
    with urllib.request.urlopen(parcel["label"]) as answer:
        assert answer.read(5) == b"%PDF-"
    moving = {"status": "in_transit", "at": datetime.now(UTC).isoformat()}
    for _ in range(2):
        shop.api.test_carrier({"tracking_number": parcel["tracking_number"], **moving})
    assert seen(shop, return_id)["status"] == "in_transit"

    receive(shop, return_id)
    until_at(shop, return_id, "Await inspection")
    assert shop.units(sku) == (3, 3, 0)
    inspected = {"line_id": "line_1", "quantity": 1, **TAKEN_BACK}
    shop.api.post(f"/returns/{return_id}/inspect", {"lines": [inspected]})

    done = until(shop, return_id, status="completed", refunded=1000)
    assert until_ended(shop, return_id) == ("SUCCEEDED", "Return completed")
    assert shop.units(sku) == (4, 4, 0)
    order = shop.until(done["order_id"], payment_status="partially_refunded", refunded=1000)
    history = shop.history(order["order_id"])
    assert history.count("ReturnLabelIssued") == history.count("ReturnParcelScanned") == 1
    assert history.count("PaymentRefunded") == 1
    assert not shop.dead_letters("IssueReturnLabel")


def test_what_is_judged_as_it_comes_is_settled_at_once(shop: Shop) -> None:
    sku = shop.stocked(5)
    return_id = approved(shop, sku)
    until_at(shop, return_id, "Await goods")

    receive(shop, return_id, **TAKEN_BACK)

    assert until_ended(shop, return_id) == ("SUCCEEDED", "Return completed")
    until(shop, return_id, status="completed", refunded=1000)
    assert "Await inspection" not in way(shop, return_id)


def test_a_return_that_is_called_off_ends_its_workflow(shop: Shop) -> None:
    return_id = approved(shop, shop.stocked(5))
    until_at(shop, return_id, "Await goods")

    shop.api.post(f"/returns/{return_id}/cancel")

    assert until_ended(shop, return_id) == ("SUCCEEDED", "Return closed")


def test_a_return_whose_workflow_was_stopped_is_taken_up_again(shop: Shop) -> None:
    sku = shop.stocked(5)
    return_id = approved(shop, sku)
    until_at(shop, return_id, "Await goods")
    shop.workflows.stop_execution(executionArn=execution(shop, return_id))

    shop.api.post(f"/attention/{return_id}/retry")

    until_at(shop, f"{return_id}-1", "Await goods")
    receive(shop, return_id, **TAKEN_BACK)
    assert until_ended(shop, f"{return_id}-1") == ("SUCCEEDED", "Return completed")
    assert status(shop, return_id) == "ABORTED"
    until(shop, return_id, refunded=1000)
