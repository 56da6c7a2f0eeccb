"""The page that customers open, and files of orders, on the deployed app."""

import re
from pathlib import Path
from urllib.parse import urlencode
from uuid import uuid4

import pytest

from infra.cli.importing import import_orders
from infra.local.client import Answer
from oms.domain.ids import order_id_of
from tests.system.shop import Shop

pytestmark = pytest.mark.system

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def opened(shop: Shop, token: str, path: str = "", accept: str = "text/html") -> Answer:
    return shop.api.ask("GET", f"/track/{token}{path}", headers={"Accept": accept})


def test_a_customer_follows_the_parcel_and_sends_something_back(shop: Shop) -> None:
    order = shop.routed((shop.stocked(5), 2))
    token = order["tracking_token"]
    (box,) = order["fulfillment_orders"]
    shop.do(box["fulfillment_order_id"], "pick", "pack")
    number = shop.ship(box)
    shop.scan(number, "out_for_delivery")

    seen = opened(shop, token)
    assert seen.status == 200
    assert number in seen.body.decode()
    assert "Out for delivery" in seen.body.decode()
    shop.scan(number, "delivered")
    shop.until(order["order_id"], status="completed")

    data = opened(shop, token, accept="application/json").json()
    assert (data["status"], data["parcels"][0]["status"]) == ("delivered", "delivered")
    form = opened(shop, token, "/return").body.decode()
    key = re.search(r'name="key" value="([0-9a-f]{32})"', form)
    assert key
    wish = {"key": key[1], "units.line_1": "1", "reason.line_1": "too_small"}
    sent = urlencode({**wish, "resolution": "refund"}).encode()
    answers = [shop.api.ask("POST", f"/track/{token}/return", sent, FORM) for _ in range(2)]

    assert [each.status for each in answers] == [303, 303]
    found = shop.api.get(f"/orders/{order['order_id']}/returns")["items"]
    assert [each["lines"][0]["quantity"] for each in found] == [1]


def test_a_page_that_nobody_has_is_not_there(shop: Shop) -> None:
    assert opened(shop, "x" * 40).status == 404


def test_a_file_of_orders_is_placed_each_order_on_its_own(shop: Shop, tmp_path: Path) -> None:
    sku, till, number = shop.stocked(9), f"till:{uuid4().hex[:8]}", uuid4().hex[:8]
    sales = tmp_path / "sales.csv"
    rows = [
        "order,currency,sku,quantity,unit_price,country,city,address1,name,postal_code",
        f"{number}-1,USD,{sku},2,10.00,US,Austin,1 Main St,Ada,78701",
        f"{number}-2,USD,{sku},two,10.00,US,Austin,1 Main St,Ada,78701",
        f"{number}-3,USD,{sku},1,10.00,US,Austin,1 Main St,Ada,78701",
    ]
    sales.write_text("\n".join(rows) + "\n")

    jobs = [import_orders(shop.api, sales, till, None, quiet=True) for _ in range(2)]

    assert [job["progress"] for job in jobs] == [{"done": 3, "total": 3, "refused": 1}] * 2
    refused = sales.with_suffix(".refused.csv").read_text()
    assert "quantity,is no whole number" in refused
    for place in ("1", "3"):
        order = shop.until(order_id_of(till, f"{number}-{place}"), status="in_fulfillment")
        assert (order["channel"], order["payment_status"]) == (till, "paid")


def test_a_file_that_is_dropped_is_taken_without_being_told(shop: Shop) -> None:
    sku, till, number = shop.stocked(9), f"till:{uuid4().hex[:8]}", uuid4().hex[:8]
    text = f"order,currency,sku,quantity,unit_price\n{number},USD,{sku},1,3.50\n"
    shop.cloud.client("s3").put_object(
        Bucket=shop.app.outputs["FilesBucket"],
        Key=f"drops/{till}/monday.csv",
        Body=text.encode(),
    )

    assert shop.invoke("TakeDrops", {})["taken"] >= 1

    order_id = order_id_of(till, number)
    shop.until_at(order_id, "Await release")  # nobody said where it goes
