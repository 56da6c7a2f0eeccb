"""Shops on other platforms are told of their orders, and what they cannot be told is seen."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest

from infra.local.client import Json
from oms.adapters.shops_table import ShopsTable
from oms.domain.shops import Shop as KnownShop
from oms.domain.shops import Told
from tests.cloud import eventually
from tests.system.shop import Shop

pytestmark = pytest.mark.system

ALL = tuple(Told)
NOWHERE = "https://127.0.0.1:9"
FRESH = 75  # seconds; functions know the shops for a minute


@pytest.fixture(scope="module")
def names(shop: Shop) -> Iterator[dict[str, str]]:
    """Three shops: one on a platform that is told nothing, one whose credentials nobody has put in,
    one that does not answer."""
    table = ShopsTable(shop.cloud.client("dynamodb"), shop.app.outputs["ChannelsTable"])
    end = uuid4().hex[:8]
    found = {
        "no adapter": f"cornershop:{end}",
        "no credentials": f"woocommerce:dumb-{end}.example",
        "no answer": f"woocommerce:deaf-{end}.example",
    }
    credentials(shop, found["no answer"], {"consumer_key": "ck_x", "consumer_secret": "cs_x"})
    for name in found.values():
        window = (("stock_window", "1"),)
        table.put(KnownShop(name, NOWHERE, ALL, settings=window))
    yield found
    for name in found.values():
        table.put(KnownShop(name))


def credentials(shop: Shop, name: str, said: dict[str, str]) -> None:
    client, arn = shop.cloud.client("secretsmanager"), shop.app.outputs["SecretArn"]
    known = json.loads(client.get_secret_value(SecretId=arn)["SecretString"])
    known[f"{name}/api"] = said
    client.put_secret_value(SecretId=arn, SecretString=json.dumps(known))


def tasks(shop: Shop, name: str, status: str) -> list[Json]:
    return list(shop.api.get(f"/shops/{quote(name, safe='')}/tasks", status=status)["items"])


def cancelled_order(shop: Shop, name: str) -> str:
    sku = shop.stocked(5)
    placed = shop.routed((sku, 2), channel=name, payment={"provider": "external", "captured": 2500})
    shop.cancel(placed["order_id"])
    return str(placed["order_id"])


def told(shop: Shop, name: str, status: str) -> list[Json]:
    """Of an order that we call off: tried again, as functions may know the shops of before."""

    def look() -> list[Json]:
        order_id = cancelled_order(shop, name)
        try:
            return list(eventually(lambda: of_order(shop, name, status, order_id), 15))
        except AssertionError:
            return []

    return eventually(look, FRESH)


def of_order(shop: Shop, name: str, status: str, order_id: str) -> list[Any]:
    found = [x for x in tasks(shop, name, status) if x.get("order_id") == order_id]
    return found if len(found) == 2 else []


@pytest.mark.parametrize(
    ("why", "error"),
    [
        ("no adapter", "there is no adapter that tells cornershop anything"),
        ("no credentials", "the shop has no credentials"),
    ],
)
def test_what_a_shop_cannot_be_told_is_listed_and_driven_again(
    shop: Shop, names: dict[str, str], why: str, error: str
) -> None:
    failed = told(shop, names[why], "failed")

    assert {task["kind"] for task in failed} == {"cancellation", "refund"}
    assert {task["error"] for task in failed} == {error}
    assert any(letter.get("error") == error for letter in shop.dead_letters("SendToShops"))
    again = shop.api.post(f"/tasks/{quote(failed[0]['task_id'], safe='')}/redrive")
    assert again["status"] in ("waiting", "failed")
    redriven = shop.api.post(f"/shops/{quote(names[why], safe='')}/redrive")
    assert redriven["more"] is False


def test_a_shop_that_does_not_answer_is_asked_again_later(
    shop: Shop, names: dict[str, str]
) -> None:
    told(shop, names["no answer"], "waiting")

    def tried() -> list[Json]:
        return [x for x in tasks(shop, names["no answer"], "waiting") if x.get("tries")]

    (task, *_) = eventually(tried, 30)
    assert task["due_at"] > task["since"]
    assert "ck_x" not in task["error"]


def test_a_level_that_moves_is_queued_for_each_shop_and_read_when_it_is_told(
    shop: Shop, names: dict[str, str]
) -> None:
    def moved() -> list[Json]:
        sku = shop.stocked(3)
        try:
            return eventually(lambda: of_sku(shop, names["no adapter"], sku), 8)
        except AssertionError:
            return []

    (task,) = eventually(moved, FRESH)
    assert task["kind"] == "stock"
    path = f"/shops/{quote(names['no adapter'], safe='')}/stock"
    assert shop.api.post(path, {"skus": [task["sku"]]}) == {"queued": 1}


def of_sku(shop: Shop, name: str, sku: str) -> list[Json]:
    every = [*tasks(shop, name, "waiting"), *tasks(shop, name, "failed")]
    return [task for task in every if task.get("sku") == sku]
