"""What somebody breaks behind everybody's back is found by a check, and mended by its task."""

import time

import pytest

from infra.local.client import Json
from oms.adapters import dynamodb as db
from tests.system.shop import Shop

pytestmark = pytest.mark.system


def test_a_counter_that_somebody_cooked_is_found_by_a_check_and_mended(shop: Shop) -> None:
    sku = shop.stocked(10)
    order_id = shop.routed((sku, 2))["order_id"]
    shop.cloud.client("dynamodb").update_item(
        TableName=shop.app.outputs["StockTable"],
        Key=db.key(f"SKU#{sku}", "LEVEL#NEAR"),
        UpdateExpression="ADD on_hand :more, available :more",
        ExpressionAttributeValues={":more": db.n(3)},
    )

    level = next(each for each in found(shop) if each["subject"] == f"{sku} NEAR")

    assert (level["proposal"]["command"], level["actual"] - level["expected"]) == ("set_level", 3)
    done = shop.api.post(f"/books/tasks/{level['task_id']}/apply", {})
    assert done["state"] == "resolved"
    assert shop.units(sku) == (10, 8, 2)
    shop.cancel(order_id)
    shop.until(order_id, status="cancelled", payment_status="voided")


def found(shop: Shop) -> list[Json]:
    """The tasks of a check, when it is done."""
    check = shop.api.post("/books/checks", {})
    deadline = time.monotonic() + 150
    while check["state"] != "done":
        assert time.monotonic() < deadline, check
        shop.invoke("KeepBooks", {})  # the clock calls it every five minutes
        check = shop.api.get(f"/books/checks/{check['check_id']}")
    return list(shop.api.get(f"/books/checks/{check['check_id']}", limit=200)["tasks"])
