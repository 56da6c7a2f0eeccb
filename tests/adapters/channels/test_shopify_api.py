"""Shopify's API, against a fake of it that knows the published schema.

`contracts/channels/shopify/admin.graphql` is Shopify's own schema of the version that we ask, cut
to what we ask for (`cut_shopify_schema.py` says where it is from): every document and every
variable is validated and coerced by it before the fake does anything.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from graphql import build_schema, graphql_sync, parse, validate
from hypothesis import given, settings
from hypothesis import strategies as st

from oms.adapters.channels.base import Fulfilled, Ignored, Refunded, Units, Updated
from oms.adapters.channels.shop_api import (
    Access,
    GivenBack,
    Later,
    RefusedByShop,
    Shipped,
    Stocked,
)
from oms.adapters.channels.shopify_api import ShopifyApi
from oms.adapters.channels.shopify_queries import DOCUMENTS, VERSION
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

SCHEMA = Path(__file__).parents[2] / "contracts/channels/shopify/admin.graphql"
ADMIN = build_schema(SCHEMA.read_text())
TOKEN = "shpat_s3cr3t"
ONCE = "idempotent"


def gid(kind: str, number: int | str) -> str:
    return f"gid://shopify/{kind}/{number}"


def money(amount: str) -> dict[str, Any]:
    return {"shopMoney": {"amount": amount, "currencyCode": "USD"}}


def listed(found: list[Any]) -> Any:
    """A connection: pages of as many as are asked for."""

    def page(_: Any, first: int = 0, after: str | None = None, **__: Any) -> dict[str, Any]:
        begin = int(after or 0)
        end = begin + first
        info = {"hasNextPage": end < len(found), "endCursor": str(end)}
        return {"nodes": found[begin:end], "pageInfo": info}

    return page


def a_line(number: int = 2001, quantity: int = 3, **more: Any) -> dict[str, Any]:
    code = {"__typename": "DiscountCodeApplication", "code": "SPRING", "index": 0}
    return {
        "id": gid("LineItem", number),
        "sku": "MUG",
        "quantity": quantity,
        "currentQuantity": quantity,
        "refundableQuantity": quantity,
        "requiresShipping": True,
        "isGiftCard": False,
        "variant": {"id": gid("ProductVariant", 31)},
        "product": None,
        "originalUnitPriceSet": money("10.00"),
        "taxLines": [{"title": "VAT", "rate": 0.1, "priceSet": money("2.70")}],
        "duties": [],
        "discountAllocations": [{"allocatedAmountSet": money("3.00"), "discountApplication": code}],
        **more,
    }


def an_order() -> dict[str, Any]:
    return {
        "id": gid("Order", 1001),
        "test": False,
        "cancelledAt": None,
        "cancelReason": None,
        "updatedAt": "2026-03-01T12:00:00Z",
        "sourceName": "web",
        "email": "ada@example.com",
        "phone": None,
        "taxesIncluded": False,
        "currencyCode": "USD",
        "presentmentCurrencyCode": "USD",
        "displayFinancialStatus": "PAID",
        "totalPriceSet": money("34.70"),
        "currentTotalPriceSet": money("34.70"),
        "totalOutstandingSet": money("0.00"),
        "totalTipReceivedSet": money("0.00"),
        "originalTotalAdditionalFeesSet": None,
        "originalTotalDutiesSet": None,
        "shippingAddress": {"name": "Ada", "address1": "1 Road", "countryCodeV2": "GB"},
        "billingAddress": {"firstName": "Ada", "lastName": "Byron", "countryCodeV2": "GB"},
        "shippingLines": listed(
            [
                {
                    "code": "Express",
                    "title": "Express",
                    "isRemoved": False,
                    "discountedPriceSet": money("5.00"),
                    "taxLines": [],
                }
            ]
        ),
        "lines": [a_line()],
        "refunds": [],
        "fulfillments": [],
        "fulfillmentOrders": [
            an_assignment(71, location=501, units=2),
            an_assignment(72, location=502, units=1),
        ],
        "transactions": [
            {
                "id": gid("OrderTransaction", 8),
                "kind": "SALE",
                "status": "SUCCESS",
                "gateway": "shopify_payments",
                "maximumRefundableV2": {"amount": "34.70"},
            }
        ],
    }


def an_assignment(number: int, location: int, units: int) -> dict[str, Any]:
    line = {"id": gid("LineItem", 2001), "sku": "MUG"}
    return {
        "id": gid("FulfillmentOrder", number),
        "status": "OPEN",
        "assignedLocation": {"location": {"id": gid("Location", location)}},
        "lines": [
            {
                "id": gid("FulfillmentOrderLineItem", number),
                "remainingQuantity": units,
                "lineItem": line,
            }
        ],
    }


class FakeShopify(FakeShop):
    api = ShopifyApi()
    secrets = (TOKEN,)

    def __init__(self) -> None:
        super().__init__()
        self.orders = {gid("Order", 1001): an_order()}
        self.levels: dict[tuple[str, str], int] = {}
        self.once: dict[str, tuple[Any, Any]] = {}
        self.settings: dict[str, str] = {}
        self.errors: list[dict[str, Any]] = []

    @property
    def order(self) -> dict[str, Any]:
        return self.orders[gid("Order", 1001)]

    def access(self) -> Access:
        credentials, web = {"access_token": TOKEN}, self.at_most()
        name = "mugs.myshopify.com"
        locations = {"main": "501", "store": "502"}
        return Access("shopify", name, self.base_url, credentials, web, locations, self.settings)

    def throttled(self, seconds: int) -> Answer:
        status = {"maximumAvailable": 2000, "currentlyAvailable": 50, "restoreRate": 100}
        cost = {"requestedQueryCost": seconds * 100 + 50, "throttleStatus": status}
        error = {"message": "Throttled", "extensions": {"code": "THROTTLED"}}
        return saying(200, {"errors": [error], "extensions": {"cost": cost}})

    def answer(self, asked: Asked) -> Answer:
        self.expect(asked.path == f"/admin/api/{VERSION}/graphql.json", f"at {asked.path}")
        self.expect(asked.headers.get("x-shopify-access-token") == TOKEN, "no token")
        said = asked.json()
        if self.errors:
            return saying(200, {"errors": self.errors})
        root = {
            "order": lambda _, **asked: self._shown(asked["id"]),
            "orders": self._changed,
            "location": lambda _, **__: {"id": gid("Location", 500)},
            "nodes": lambda _, ids: [self._node(each) for each in ids],
            "productVariants": self._variants,
            "fulfillmentCreate": self._fulfill,
            "orderCancel": self._cancel,
            "refundCreate": self._refund,
            "inventorySetQuantities": self._set,
        }
        found = graphql_sync(ADMIN, said["query"], root, variable_values=said["variables"])
        self.complaints += [str(error) for error in found.errors or []]
        return saying(200, {"data": found.data})

    def _shown(self, known_as: str) -> Mapping[str, Any] | None:
        if (order := self.orders.get(known_as)) is None:
            return None
        assignments = [
            {**each, "lineItems": listed(each["lines"])} for each in order["fulfillmentOrders"]
        ]
        lists = {"lineItems": listed(order["lines"]), "fulfillmentOrders": listed(assignments)}
        return {**order, **lists}

    def _changed(self, info: Any, query: str, sortKey: str, **page: Any) -> Any:  # noqa: N803
        self.expect(query.startswith("updated_at:>='2026-03-01T12:00:00Z'"), query)
        self.expect(sortKey == "UPDATED_AT", "not by their change")
        return listed([{"id": each} for each in self.orders])(info, **page)

    def _node(self, known_as: str) -> dict[str, Any] | None:
        if known_as != gid("ProductVariant", 31):
            return None
        item = {"id": gid("InventoryItem", 41)}
        return {"__typename": "ProductVariant", "id": known_as, "inventoryItem": item}

    def _variants(self, info: Any, query: str, **page: Any) -> Any:
        known = {"MUG": 41, "O'CUP": 42}
        found = [
            {"sku": sku, "inventoryItem": {"id": gid("InventoryItem", item)}}
            for sku, item in known.items()
            if "sku:'" + sku.replace("'", "\\'") + "'" in query
        ]
        return listed(found)(info, **page)

    def _fulfill(self, _: Any, fulfillment: dict[str, Any]) -> dict[str, Any]:
        parts = fulfillment["lineItemsByFulfillmentOrder"]
        assigned = {x["id"]: x for x in self.order["fulfillmentOrders"]}
        places = {
            assigned[x["fulfillmentOrderId"]]["assignedLocation"]["location"]["id"] for x in parts
        }
        self.expect(len(places) == 1, "a fulfillment is of one location")
        lines = []
        for part in parts:
            for asked in part["fulfillmentOrderLineItems"]:
                for line in assigned[part["fulfillmentOrderId"]]["lines"]:
                    if line["remainingQuantity"] < asked["quantity"]:
                        return {"fulfillment": None, "userErrors": [{"message": "too many"}]}
                    line["remainingQuantity"] -= asked["quantity"]
                    lines.append({"quantity": asked["quantity"], "lineItem": line["lineItem"]})
        tracking = fulfillment.get("trackingInfo")
        made = {
            "id": gid("Fulfillment", 900 + len(self.order["fulfillments"])),
            "status": "SUCCESS",
            "createdAt": "2026-03-01T12:05:00Z",
            "trackingInfo": [tracking] if tracking else [],
            "fulfillmentLineItems": listed(lines),
        }
        self.order["fulfillments"].append(made)
        self.effects.append(("fulfillment", json.dumps(fulfillment, sort_keys=True)))
        return {"fulfillment": made, "userErrors": []}

    def _cancel(self, _: Any, **asked: Any) -> dict[str, Any]:
        if self.order["cancelledAt"]:
            return {"job": None, "orderCancelUserErrors": [{"code": "INVALID", "message": "is"}]}
        self.expect(asked["refundMethod"] == {"originalPaymentMethodsRefund": False}, "money")
        self.order["cancelledAt"], self.order["cancelReason"] = "2026-03-01T12:05:00Z", "CUSTOMER"
        self.effects.append(("cancelled", asked["reason"]))
        return {"job": {"id": gid("Job", 1)}, "orderCancelUserErrors": []}

    def _key(self, info: Any) -> str:
        """What `@idempotent` says: without it these are refused since 2026-04."""
        for directive in info.field_nodes[0].directives:
            if directive.name.value == ONCE:
                return str(info.variable_values[directive.arguments[0].value.name.value])
        self.complaints.append("an idempotency key is missing")
        return ""

    def _refund(self, info: Any, **said: Any) -> dict[str, Any]:
        key, asked_for = self._key(info), said["input"]
        if key in self.once:
            self.expect(self.once[key][0] == asked_for, "another request with the same key")
            made: dict[str, Any] = self.once[key][1]
            return made
        lines = []
        for asked in asked_for.get("refundLineItems", []):
            line = next(x for x in self.order["lines"] if x["id"] == asked["lineItemId"])
            line["refundableQuantity"] -= asked["quantity"]
            line["currentQuantity"] -= asked["quantity"]
            self.expect(line["refundableQuantity"] >= 0, "more than was bought")
            lines.append({"quantity": asked["quantity"], "lineItem": line})
        paid = asked_for.get("transactions", [])
        self.expect(all(x["parentId"] and x["kind"] == "REFUND" for x in paid), "no parent")
        moved = [
            {"kind": "REFUND", "status": "SUCCESS", "amountSet": money(x["amount"])} for x in paid
        ]
        refund = {
            "id": gid("Refund", 600 + len(self.order["refunds"])),
            "note": asked_for["note"],
            "createdAt": "2026-03-01T12:05:00Z",
            "transactions": listed(moved),
            "refundLineItems": listed(lines),
        }
        self.order["refunds"].append(refund)
        self.effects.append(("refund", json.dumps(asked_for, sort_keys=True)))
        made = {"refund": refund, "userErrors": []}
        self.once[key] = (asked_for, made)
        return made

    def _set(self, info: Any, **said: Any) -> dict[str, Any]:
        wanted = said["input"]
        self.expect(bool(self._key(info)), "an empty key")
        self.expect(wanted["name"] == "available", "another quantity")
        for each in wanted["quantities"]:
            self.expect("changeFromQuantity" in each, "changeFromQuantity is not said")
            place = each["inventoryItemId"], each["locationId"]
            if self.levels.get(place) != each["quantity"]:
                self.levels[place] = each["quantity"]
                self.effects.append(("stock", *place, each["quantity"]))
        group = {"id": gid("InventoryAdjustmentGroup", 1)}
        return {"inventoryAdjustmentGroup": group, "userErrors": []}


class TestShopify(ShopConformance):
    def shop_of(self) -> FakeShop:
        return FakeShopify()


@pytest.fixture(scope="module")
def heard() -> dict[str, list[Answer]]:
    return recorded(FakeShopify, DEEDS)


@pytest.fixture(scope="module")
def silent() -> FakeShop:
    shop = FakeShopify()
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
    shop = FakeShopify()
    yield shop
    shop.close()
    assert shop.complaints == []


def test_the_schema_is_that_of_the_version_that_is_asked() -> None:
    assert f"schema {VERSION}," in SCHEMA.read_text().partition("\n")[0]
    assert [validate(ADMIN, parse(document)) for document in DOCUMENTS] == [[]] * len(DOCUMENTS)


def said_to(shop: FakeShopify, kind: str) -> list[Any]:
    return [json.loads(each[1]) for each in shop.effects if each[0] == kind]


def test_units_of_two_locations_are_two_fulfillments_of_one_parcel(shop: FakeShopify) -> None:
    shipped(shop, units=3)

    parcels = said_to(shop, "fulfillment")
    assert [x["lineItemsByFulfillmentOrder"][0]["fulfillmentOrderId"] for x in parcels] == [
        gid("FulfillmentOrder", 71),
        gid("FulfillmentOrder", 72),
    ]
    assert {x["trackingInfo"]["number"] for x in parcels} == {"1Z999"}
    assert {x["trackingInfo"]["company"] for x in parcels} == {"UPS"}


def test_half_a_parcel_that_was_told_is_told_to_its_end(shop: FakeShopify) -> None:
    calls: list[Any] = [None, None, saying(503)]
    shop.faults.extend(calls)
    with pytest.raises(Later):
        shipped(shop, units=3)
    shipped(shop, units=3)

    assert len(said_to(shop, "fulfillment")) == 2


def test_what_left_a_location_is_taken_from_there_first(shop: FakeShopify) -> None:
    units = (Units(1, "2001"),)
    done = Shipped("k", "1001", units, "ups", "1Z1", "", "store", AT)
    shop.api.ship(shop.access(), done)

    (parcel,) = said_to(shop, "fulfillment")
    (part,) = parcel["lineItemsByFulfillmentOrder"]
    assert part["fulfillmentOrderId"] == gid("FulfillmentOrder", 72)


def test_a_parcel_without_a_number_is_known_by_its_units(shop: FakeShopify) -> None:
    done = Shipped("k", "1001", (Units(1, "2001"),), "", "", "", "main", AT)

    assert shop.api.ship(shop.access(), done) == shop.api.ship(shop.access(), done)
    assert len(said_to(shop, "fulfillment")) == 1


def test_more_than_is_left_is_refused_and_nothing_is_told(shop: FakeShopify) -> None:
    with pytest.raises(RefusedByShop, match="1 units"):
        shipped(shop, units=4)

    assert shop.effects == []


def test_buyers_are_written_to_only_where_the_shop_wants_it(shop: FakeShopify) -> None:
    shipped(shop, units=1)
    shop.settings["notify_customer"] = "true"
    done = Shipped("k2", "1001", (Units(1, "2001"),), "ups", "1Z2", "", "main", AT)
    shop.api.ship(shop.access(), done)

    assert [x["notifyCustomer"] for x in said_to(shop, "fulfillment")] == [False, True]


def test_units_are_called_off_without_any_money(shop: FakeShopify) -> None:
    units_called_off(shop)

    (refund,) = said_to(shop, "refund")
    assert refund["transactions"] == []
    assert [(x["quantity"], x["restockType"]) for x in refund["refundLineItems"]] == [(1, "CANCEL")]


def test_money_for_units_that_were_called_off_is_given_back_without_them(
    shop: FakeShopify,
) -> None:
    for n in range(3):
        units_called_off(shop, key=f"off{n}")
    given_back(shop)

    assert said_to(shop, "refund")[-1]["refundLineItems"] == []


def test_money_comes_from_the_payments_in_their_order(shop: FakeShopify) -> None:
    sale = shop.order["transactions"][0]
    shop.order["transactions"] = [
        {**sale, "kind": "AUTHORIZATION"},
        {**sale, "id": gid("OrderTransaction", 9), "maximumRefundableV2": {"amount": "3.00"}},
        {**sale, "id": gid("OrderTransaction", 10), "gateway": "gift_card"},
    ]
    given_back(shop)

    (refund,) = said_to(shop, "refund")
    assert [(x["parentId"][-2:], x["amount"], x["gateway"]) for x in refund["transactions"]] == [
        ("/9", "3.00", "shopify_payments"),
        ("10", "2.00", "gift_card"),
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"presentmentCurrencyCode": "EUR"},
        {"transactions": []},
    ],
)
def test_money_that_cannot_be_given_back_to_the_cent_is_refused(
    shop: FakeShopify, change: dict[str, Any]
) -> None:
    shop.order.update(change)
    with pytest.raises(RefusedByShop):
        given_back(shop)

    assert shop.effects == []


def test_levels_are_set_where_they_are_counted(shop: FakeShopify) -> None:
    levels = [
        Stocked("MUG", 7, "main"),
        Stocked("MUG", -1, "store"),
        Stocked("O'CUP", 3),
    ]
    shop.api.set_stock(shop.access(), levels, "k")

    assert shop.levels == {
        (gid("InventoryItem", 41), gid("Location", 501)): 7,
        (gid("InventoryItem", 41), gid("Location", 502)): 0,
        (gid("InventoryItem", 42), gid("Location", 500)): 3,
    }


def test_a_mapped_variant_is_found_by_its_id(shop: FakeShopify) -> None:
    shop.api.set_stock(shop.access(), [Stocked("ours", 4, "main", "variant:31")], "k")

    assert list(shop.levels.values()) == [4]


def test_what_the_shop_does_not_sell_is_said_and_the_rest_is_set(shop: FakeShopify) -> None:
    levels = [Stocked("GONE", 1, "main"), Stocked("MUG", 9, "main")]
    with pytest.raises(RefusedByShop, match="GONE") as refused:
        shop.api.set_stock(shop.access(), levels, "k")

    assert refused.value.skus == ("GONE",)
    assert list(shop.levels.values()) == [9]


def test_a_location_that_the_shop_does_not_have_is_refused(shop: FakeShopify) -> None:
    with pytest.raises(RefusedByShop, match="moon"):
        shop.api.set_stock(shop.access(), [Stocked("MUG", 1, "moon")], "k")


def test_an_order_of_many_lines_is_fetched_whole(shop: FakeShopify) -> None:
    plain: dict[str, Any] = {"discountAllocations": [], "taxLines": []}
    shop.order["lines"] = [a_line(3000 + n, 1, **plain) for n in range(120)]
    shop.order["totalPriceSet"] = money("1205.00")

    (updated,) = shop.api.fetch(shop.access(), "order", "1001")
    assert isinstance(updated, Updated)
    assert len(updated.order.lines) == 120
    assert updated.order.total == 120500


def test_discounts_taxes_and_shipping_are_fetched_to_the_cent(shop: FakeShopify) -> None:
    (updated,) = shop.api.fetch(shop.access(), "order", "1001")

    assert isinstance(updated, Updated)
    order = updated.order
    assert [(d.code, d.amount) for d in order.lines[0].discounts] == [("SPRING", 300)]
    assert [(t.name, t.rate, t.amount) for t in order.lines[0].taxes] == [("VAT", "0.1", 270)]
    assert (order.shipping.method, order.shipping.price) == ("Express", 500)
    assert (order.total, order.payment.captured, order.payment_hold) == (3470, 3470, "")
    assert order.channel == "shopify:mugs.myshopify.com"


def test_a_refund_and_a_parcel_of_somebody_else_are_fetched(shop: FakeShopify) -> None:
    shop.order["refunds"] = [
        {
            "id": gid("Refund", 5),
            "note": "late",
            "createdAt": "2026-03-02T00:00:00Z",
            "transactions": listed(
                [{"kind": "REFUND", "status": "SUCCESS", "amountSet": money("4.20")}]
            ),
            "refundLineItems": listed(
                [{"quantity": 1, "lineItem": {"id": gid("LineItem", 2001), "sku": "MUG"}}]
            ),
        }
    ]
    shipped(shop, units=1)

    found = shop.api.fetch(shop.access(), "order", "1001")
    (refund,) = [x for x in found if isinstance(x, Refunded)]
    (parcel,) = [x for x in found if isinstance(x, Fulfilled)]
    assert (refund.amount, refund.refund_id, refund.units) == (420, "5", (Units(1, "2001", "MUG"),))
    assert (parcel.tracking_number, parcel.units) == ("1Z999", (Units(1, "2001", "MUG"),))


def test_what_the_shop_gives_back_after_us_is_counted_and_ours_coming_back_is_not(
    shop: FakeShopify,
) -> None:
    given_back(shop)
    assert in_the_books(shop) == 500

    paid = listed([{"kind": "REFUND", "status": "SUCCESS", "amountSet": money("3.00")}])
    theirs = {"id": gid("Refund", 9), "note": "late", "transactions": paid}
    shop.order["refunds"].append(theirs | {"refundLineItems": listed([])})
    assert in_the_books(shop) == 800


def test_a_refund_of_ours_is_known_by_the_longest_note(shop: FakeShopify) -> None:
    key = f"ord_{'x' * 26}.000123.refund.001"
    done = GivenBack(key, "1001", 500, "USD", (), "damaged " * 50, AT)
    shop.api.give_back(shop.access(), done)

    assert in_the_books(shop) == 500


def test_test_orders_and_orders_that_are_not_there(shop: FakeShopify) -> None:
    shop.order["test"] = True
    assert isinstance(shop.api.fetch(shop.access(), "order", "1001")[0], Ignored)

    for known_as in ("4711", '1001" } }', ""):
        with pytest.raises(RefusedByShop):
            shop.api.fetch(shop.access(), "order", known_as)


@pytest.mark.parametrize(
    ("code", "raised"),
    [
        ("ACCESS_DENIED", RefusedByShop),
        ("MAX_COST_EXCEEDED", RefusedByShop),
        ("INTERNAL_SERVER_ERROR", Later),
        ("IDEMPOTENCY_CONCURRENT_REQUEST", Later),
    ],
)
def test_errors_are_known_by_their_codes(
    shop: FakeShopify, code: str, raised: type[Exception]
) -> None:
    shop.errors = [{"message": TOKEN, "extensions": {"code": code}}]
    with pytest.raises(raised, match=code) as said:
        stocked(shop)

    assert TOKEN not in str(said.value)


def test_an_error_without_a_code_tells_no_secret(shop: FakeShopify) -> None:
    shop.errors = [{"message": f"the token {TOKEN} is wrong"}]
    with pytest.raises(RefusedByShop, match="is wrong") as said:
        given_back(shop)

    assert TOKEN not in str(said.value)


def test_money_in_no_whole_cents_is_no_surprise(shop: FakeShopify) -> None:
    shop.order["transactions"] = []
    done = GivenBack("k", "1001", 0, "USD", (Units(1, "", "MUG"),), "", AT)

    assert shop.api.give_back(shop.access(), done)
