"""WooCommerce's API, against a fake of it.

WooCommerce publishes no schema of its API (no OpenAPI, and a shop's own `OPTIONS` answers are not
in any package): requests are checked against the properties and parameters that its documentation
names, written down here by hand.
"""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oms.adapters.channels.base import Fetch, Fulfilled, Refunded, Units, Updated
from oms.adapters.channels.shop_api import Access, GivenBack, RefusedByShop, Shipped, Stocked
from oms.adapters.channels.woocommerce_api import ON_A_PAGE, WooCommerceApi
from oms.adapters.web import Answer
from tests.adapters.channels.shop_conformance import (
    AT,
    DEEDS,
    Asked,
    FakeShop,
    ShopConformance,
    given_back,
    in_the_books,
    recorded,
    saying,
    shipped,
    stocked,
    surprised,
    units_called_off,
)

ORDERS = {"modified_after", "dates_are_gmt", "orderby", "order", "per_page", "page"}
ORDER = {"status", "meta_data"}
NOTE = {"note", "customer_note"}
REFUND = {"amount", "reason", "api_refund", "api_restock", "line_items", "meta_data"}
REFUND_LINE = {"id", "quantity", "refund_total", "refund_tax"}
TRACKING = {
    "custom_tracking_provider",
    "custom_tracking_link",
    "tracking_number",
    "date_shipped",
}
LEVEL = {"id", "manage_stock", "stock_quantity"}
STATUSES = {"pending", "processing", "on-hold", "completed", "cancelled", "refunded", "failed"}
LINE = {
    "id": 2001,
    "product_id": 30,
    "variation_id": 31,
    "sku": "MUG",
    "quantity": 3,
    "subtotal": "30.00",
    "subtotal_tax": "3.00",
    "total": "30.00",
    "total_tax": "3.00",
    "taxes": [{"id": 7, "total": "3.00", "subtotal": "3.00"}],
    "meta_data": [],
}


def an_order(known_as: int = 1001, modified: str = "2026-03-01T12:00:00") -> dict[str, Any]:
    place = {"first_name": "Ada", "last_name": "Byron", "address_1": "1 Road", "country": "GB"}
    return {
        "id": known_as,
        "status": "processing",
        "currency": "USD",
        "prices_include_tax": False,
        "total": "38.00",
        "date_modified_gmt": modified,
        "date_paid_gmt": "2026-03-01T11:00:00",
        "billing": {**place, "email": "ada@example.com"},
        "shipping": place,
        "meta_data": [],
        "line_items": [LINE],
        "shipping_lines": [{"id": 3, "method_id": "flat_rate", "total": "5.00", "total_tax": "0"}],
        "fee_lines": [],
        "coupon_lines": [],
        "tax_lines": [{"rate_id": 7, "label": "VAT"}],
        "refunds": [],
    }


class FakeWoo(FakeShop):
    api = WooCommerceApi()
    secrets = ("cs_s3cr3t", base64.b64encode(b"ck_key:cs_s3cr3t").decode())

    def __init__(self) -> None:
        super().__init__()
        self.settings: dict[str, str] = {}
        self.orders = {"1001": an_order()}
        self.notes: list[dict[str, Any]] = []
        self.refunds: list[dict[str, Any]] = []
        self.trackings: list[dict[str, Any]] = []
        self.products = [
            {"id": 31, "type": "variation", "parent_id": 30, "sku": "MUG", "stock_quantity": 1},
            {"id": 40, "type": "simple", "parent_id": 0, "sku": "CUP", "stock_quantity": 1},
        ]

    def access(self) -> Access:
        credentials = {"consumer_key": "ck_key", "consumer_secret": "cs_s3cr3t"}
        web, settings = self.at_most(), self.settings
        return Access("woocommerce", "example.com", self.base_url, credentials, web, {}, settings)

    def answer(self, asked: Asked) -> Answer:
        key = base64.b64encode(b"ck_key:cs_s3cr3t").decode()
        self.expect(asked.headers.get("authorization") == f"Basic {key}", "the key is not given")
        if asked.body:
            kind = asked.headers.get("content-type")
            self.expect(kind == "application/json", f"a body of {kind}")
        return self._of(asked, asked.path.strip("/").split("/"))

    def _of(self, asked: Asked, path: list[str]) -> Answer:
        match asked.method, *path[1:]:
            case "GET", "wc", "v3", "orders":
                return self._changed(asked.query)
            case "GET", "wc", "v3", "orders", known_as:
                found = self.orders.get(known_as)
                return saying(200, found) if found else saying(404, {"code": "invalid_id"})
            case "PUT", "wc", "v3", "orders", known_as:
                return self._change(self.orders[known_as], asked.json())
            case "GET", "wc", "v3", "orders", _, "notes":
                return saying(200, self.notes)
            case "POST", "wc", "v3", "orders", _, "notes":
                return self._put(self.notes, asked.json(), NOTE, "note")
            case "GET", "wc", "v3", "orders", _, "refunds":
                return saying(200, self.refunds)
            case "POST", "wc", "v3", "orders", known_as, "refunds":
                return self._refund(self.orders[known_as], asked.json())
            case "GET", "wc-shipment-tracking", "v3", "orders", _, "shipment-trackings":
                return saying(200, self.trackings)
            case "POST", "wc-shipment-tracking", "v3", "orders", _, "shipment-trackings":
                return self._put(self.trackings, asked.json(), TRACKING, "tracking")
            case "GET", "wc", "v3", "products":
                wanted = asked.query["sku"].split(",")
                return saying(200, [x for x in self.products if x["sku"] in wanted])
            case "GET", "wc", "v3", "products", known_as:
                return saying(200, next(x for x in self.products if str(x["id"]) == known_as))
            case "POST", "wc", "v3", "products", "batch":
                return self._levels(asked.json(), 0)
            case "POST", "wc", "v3", "products", parent, "variations", "batch":
                return self._levels(asked.json(), int(parent))
        self.complaints.append(f"nothing is at {asked.method} {asked.path}")
        return saying(404)

    def _changed(self, query: dict[str, str]) -> Answer:
        self.expect(set(query) <= ORDERS, f"unknown parameters {sorted(query)}")
        self.expect(query["dates_are_gmt"] == "true", "times without a zone")
        size, page = int(query["per_page"]), int(query["page"])
        self.expect(1 <= size <= 100, "a page has at most 100")
        found = [
            x for x in self.orders.values() if x["date_modified_gmt"] > query["modified_after"]
        ]
        found.sort(key=lambda x: (x["date_modified_gmt"], x["id"]))
        return saying(200, found[(page - 1) * size : page * size])

    def _change(self, order: dict[str, Any], said: dict[str, Any]) -> Answer:
        self.expect(set(said) <= ORDER, f"unknown properties {sorted(said)}")
        self.expect(said.get("status", "completed") in STATUSES, "no status of an order")
        kept = {x["key"]: x for x in [*order["meta_data"], *said.get("meta_data", [])]}
        changed = {**order, **said, "meta_data": list(kept.values())}
        if changed != order:
            self.effects.append(("order", said))
            self.orders[str(order["id"])] = changed
        return saying(200, changed)

    def _put(self, kept: list[Any], said: Any, known: set[str], kind: str) -> Answer:
        self.expect(set(said) <= known, f"unknown properties {sorted(said)}")
        made = {f"{kind}_id": f"{kind}{len(kept)}", "id": len(kept) + 1, **said}
        kept.append(made)
        self.effects.append((kind, said))
        return saying(201, made)

    def _refund(self, order: dict[str, Any], said: dict[str, Any]) -> Answer:
        self.expect(set(said) <= REFUND, f"unknown properties {sorted(said)}")
        self.expect(isinstance(said["amount"], str), "an amount is text")
        self.expect(isinstance(said["api_refund"], bool), "api_refund is true or false")
        for line in said["line_items"]:
            self.expect(set(line) <= REFUND_LINE, f"unknown properties {sorted(line)}")
            self.expect(line["id"] in [x["id"] for x in order["line_items"]], "no line of it")
        lines = [
            {
                "id": 900,
                "quantity": -x["quantity"],
                "sku": "MUG",
                "meta_data": [{"key": "_refunded_item_id", "value": str(x["id"])}],
            }
            for x in said["line_items"]
        ]
        made = {**said, "id": 500 + len(self.refunds), "line_items": lines}
        self.refunds.append(made)
        self.effects.append(("refund", said))
        order["refunds"] = [{"id": x["id"], "total": f"-{x['amount']}"} for x in self.refunds]
        return saying(201, made)

    def _levels(self, said: dict[str, Any], parent: int) -> Answer:
        self.expect(set(said) == {"update"}, "a batch updates")
        self.expect(len(said["update"]) <= 100, "a batch has at most 100")
        return saying(200, {"update": [self._level(x, parent) for x in said["update"]]})

    def _level(self, said: dict[str, Any], parent: int) -> dict[str, Any]:
        self.expect(set(said) <= LEVEL, f"unknown properties {sorted(said)}")
        for product in self.products:
            if product["id"] == said["id"]:
                if product["parent_id"] != parent:
                    return {"id": said["id"], "error": {"code": "invalid_product_id"}}
                if product["stock_quantity"] != said["stock_quantity"]:
                    product["stock_quantity"] = said["stock_quantity"]
                    self.effects.append(("stock", said))
                return product
        return {"id": said["id"], "error": {"code": "invalid_product_id"}}


class TestWooCommerce(ShopConformance):
    def shop_of(self) -> FakeShop:
        return FakeWoo()


class TestWooCommerceWithTracking(ShopConformance):
    """With the Shipment Tracking extension."""

    deeds = ("ship",)

    def shop_of(self) -> FakeShop:
        shop = FakeWoo()
        shop.settings["shipment_tracking"] = "true"
        return shop


@pytest.fixture(scope="module")
def heard() -> dict[str, list[Answer]]:
    return recorded(FakeWoo, DEEDS)


@pytest.fixture(scope="module")
def silent() -> FakeShop:
    shop = FakeWoo()
    shop.close()
    return shop


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_no_answer_is_a_surprise(
    silent: FakeShop, heard: dict[str, list[Answer]], data: st.DataObject
) -> None:
    surprised(silent, heard, data)


@pytest.fixture
def shop() -> Any:
    shop = FakeWoo()
    yield shop
    shop.close()
    assert shop.complaints == []


def said_to(shop: FakeWoo, kind: str) -> list[Any]:
    return [said for each, said in shop.effects if each == kind]


def test_an_order_is_completed_when_its_last_unit_has_left(shop: FakeWoo) -> None:
    shipped(shop, key="first", units=2)
    assert shop.orders["1001"]["status"] == "processing"

    shipped(shop, key="second", units=1)
    assert shop.orders["1001"]["status"] == "completed"


def test_units_that_were_given_back_are_not_waited_for(shop: FakeWoo) -> None:
    given_back(shop)
    shipped(shop, key="rest", units=2)

    assert shop.orders["1001"]["status"] == "completed"


def test_the_buyer_is_told_the_number_once(shop: FakeWoo) -> None:
    shipped(shop)
    (note,) = said_to(shop, "note")

    assert note["customer_note"] is True
    assert "1Z999" in note["note"]
    assert "key-ship" not in note["note"]


def test_a_parcel_without_a_number_is_told_to_nobody(shop: FakeWoo) -> None:
    units = (Units(1, "2001"),)
    done = Shipped("by hand", "1001", units, "", "", "", "main", AT)

    assert shop.api.ship(shop.access(), done) == shop.api.ship(shop.access(), done)
    assert said_to(shop, "note") == []


def test_what_the_shop_gives_back_after_us_is_counted_and_ours_coming_back_is_not(
    shop: FakeWoo,
) -> None:
    given_back(shop)
    assert in_the_books(shop) == 500

    shop.refunds.append({"id": 900, "amount": "3.00", "reason": "late", "meta_data": []})
    assert in_the_books(shop) == 800


def test_an_order_that_is_refunded_after_all_of_it_left_is_not_held(shop: FakeWoo) -> None:
    shipped(shop, key="some", units=2)
    shop.orders["1001"]["status"] = "refunded"
    assert held_there(shop)

    shop.orders["1001"]["status"] = "processing"
    shipped(shop, key="rest", units=1)
    shop.orders["1001"]["status"] = "refunded"
    assert not held_there(shop)


def held_there(shop: FakeWoo) -> bool:
    (updated,) = shop.api.fetch(shop.access(), "order", "1001")
    assert isinstance(updated, Updated)
    assert updated.order.payment.captured == 3800
    return bool(updated.order.payment_hold)


def test_what_somebody_completed_there_is_shipped(shop: FakeWoo) -> None:
    shop.orders["1001"]["status"] = "completed"

    found = shop.api.fetch(shop.access(), "order", "1001")
    assert [type(each) for each in found] == [Updated, Fulfilled]


def test_a_refund_has_its_lines_with_their_share_of_price_and_tax(shop: FakeWoo) -> None:
    done = GivenBack("k", "1001", 1100, "USD", (Units(1, "2001"),), "torn", AT)
    shop.api.give_back(shop.access(), done)

    (refund,) = said_to(shop, "refund")
    assert (refund["amount"], refund["api_refund"], refund["api_restock"]) == (
        "11.00",
        False,
        False,
    )
    (line,) = refund["line_items"]
    assert (line["quantity"], line["refund_total"]) == (1, "10.00")
    assert line["refund_tax"] == [{"id": 7, "refund_total": "1.00"}]


def test_lines_are_never_more_than_the_money_that_is_given_back(shop: FakeWoo) -> None:
    given_back(shop)

    (refund,) = said_to(shop, "refund")
    assert [x["refund_total"] for x in refund["line_items"]] == [0]


def test_a_shop_may_move_the_money_itself(shop: FakeWoo) -> None:
    shop.settings["api_refund"] = "true"
    given_back(shop)

    assert said_to(shop, "refund")[0]["api_refund"] is True


def test_money_in_another_currency_is_not_given_back(shop: FakeWoo) -> None:
    done = GivenBack("k", "1001", 100, "EUR", (), "", AT)
    with pytest.raises(RefusedByShop):
        shop.api.give_back(shop.access(), done)


def test_a_refund_that_somebody_made_there_is_heard_with_its_units(shop: FakeWoo) -> None:
    line = {"id": 9, "quantity": -2, "meta_data": [{"key": "_refunded_item_id", "value": "2001"}]}
    shop.refunds = [{"id": 77, "amount": "20.00", "reason": "late", "line_items": [line]}]
    shop.orders["1001"]["refunds"] = [{"id": 77, "total": "-20.00"}]

    found = shop.api.fetch(shop.access(), "refunds", "1001")
    (refunded,) = [x for x in found if isinstance(x, Refunded)]
    assert (refunded.amount, refunded.currency, refunded.refund_id) == (2000, "USD", "77")
    assert [(x.line_id, x.quantity) for x in refunded.units] == [("2001", 2)]


def test_units_called_off_are_noted_for_the_shop_alone(shop: FakeWoo) -> None:
    units_called_off(shop)

    (note,) = said_to(shop, "note")
    assert note["customer_note"] is False
    assert "MUG" in note["note"]


def test_variations_are_set_below_their_product(shop: FakeWoo) -> None:
    levels = [Stocked("CUP", 4), Stocked("MUG", 9), Stocked("ignored", 3, item="product:40")]
    shop.api.set_stock(shop.access(), levels[:2], "k")
    shop.api.set_stock(shop.access(), levels[2:], "k2")

    assert [x["stock_quantity"] for x in shop.products] == [9, 3]


def test_levels_of_several_locations_are_one(shop: FakeWoo) -> None:
    levels = [Stocked("CUP", 4, "a"), Stocked("CUP", -2, "b"), Stocked("CUP", 5, "c")]
    shop.api.set_stock(shop.access(), levels, "k")

    assert shop.products[1]["stock_quantity"] == 9


def test_what_the_shop_does_not_sell_is_said_and_the_rest_is_set(shop: FakeWoo) -> None:
    with pytest.raises(RefusedByShop, match="GONE") as refused:
        shop.api.set_stock(shop.access(), [Stocked("GONE", 1), Stocked("MUG", 9)], "k")

    assert refused.value.skus == ("GONE",)
    assert shop.products[0]["stock_quantity"] == 9
    stocked(shop)


def test_every_changed_order_is_seen_though_many_changed_in_one_second(shop: FakeWoo) -> None:
    times = ["2026-03-01T12:00:00"] * (2 * ON_A_PAGE + 3) + ["2026-03-01T12:00:01"] * ON_A_PAGE
    shop.orders = {str(n): an_order(n, time) for n, time in enumerate(times, 1)}

    seen, cursor = set[str](), ""
    for _ in range(20):
        page = shop.api.changed(shop.access(), AT, cursor)
        seen |= {x.order.external_id for x in page.said if isinstance(x, Updated)}
        if not (cursor := page.cursor):
            break
    assert not cursor
    assert seen == set(shop.orders)


def test_an_order_that_cannot_be_read_holds_up_no_other(shop: FakeWoo) -> None:
    shop.orders["1002"] = {**an_order(1002), "total": "nonsense"}

    page = shop.api.changed(shop.access(), AT, "")
    assert Fetch("woocommerce:example.com", "1002") in page.said
    assert any(isinstance(each, Updated) for each in page.said)


def test_an_order_that_is_gone_is_refused(shop: FakeWoo) -> None:
    for known_as in ("4711", "not an id/../x"):
        with pytest.raises(RefusedByShop):
            shop.api.fetch(shop.access(), "order", known_as)


def test_bodies_are_json_and_keys_are_in_no_address(shop: FakeWoo) -> None:
    given_back(shop)

    assert all("ck_" not in json.dumps(asked.query) for asked in shop.asked)
