"""BigCommerce's API, against a fake of it.

Requests are checked against trimmed copies of what BigCommerce publishes as OpenAPI: orders v2
(`orderShipment_Post`, `order_Put`), orders v3 (`RefundQuote_Post`, `RefundRequest_Post`) and
inventory v3 (`AdjustmentsAbsoluteRequest`). The carriers it takes in `shipping_provider` are those
of its standard list, or none. Query parameters are those that `getAllOrders` and its like name.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from oms.adapters.channels.base import Fetch, Ignored, Units
from oms.adapters.channels.bigcommerce_api import ORDERS_A_PAGE, BigCommerceApi
from oms.adapters.channels.shop_api import Access, GivenBack, RefusedByShop, Shipped, Stocked
from oms.adapters.web import Answer
from tests.adapters.channels.published import Schema, faults
from tests.adapters.channels.shop_conformance import (
    AT,
    Asked,
    FakeShop,
    ShopConformance,
    given_back,
    in_the_books,
    saying,
    shipped,
    stocked,
    units_called_off,
)

TEXT: Schema = {"type": "string", "maxLength": 65_535}
WHOLE: Schema = {"type": "integer", "minimum": 0}
PROVIDERS = [
    "",
    "auspost",
    "canadapost",
    "endicia",
    "usps",
    "fedex",
    "ups",
    "upsready",
    "upsonline",
]
SHIPMENT: Schema = {
    "type": "object",
    "required": ["order_address_id", "items"],
    "properties": {
        "order_address_id": WHOLE,
        "tracking_number": {"type": "string", "maxLength": 50},
        "tracking_link": TEXT,
        "merchant_shipping_cost": TEXT,
        "shipping_method": TEXT,
        "shipping_provider": {"type": "string", "enum": PROVIDERS},
        "tracking_carrier": TEXT,
        "comments": TEXT,
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["order_product_id", "quantity"],
                "properties": {"order_product_id": WHOLE, "quantity": WHOLE},
            },
        },
    },
}
ORDER_PUT: Schema = {
    "type": "object",
    "properties": {"status_id": {"type": "integer", "minimum": 0}, "staff_notes": TEXT},
}
REFUND_ITEM: Schema = {
    "oneOf": [
        {
            "type": "object",
            "required": ["item_type", "item_id", "quantity"],
            "properties": {
                "item_type": {"type": "string", "enum": ["PRODUCT", "GIFT_WRAPPING"]},
                "item_id": WHOLE,
                "quantity": WHOLE,
                "reason": TEXT,
            },
        },
        {
            "type": "object",
            "required": ["item_type", "item_id", "amount"],
            "properties": {
                "item_type": {
                    "type": "string",
                    "enum": ["PRODUCT", "ORDER", "GIFT_WRAPPING", "SHIPPING", "HANDLING", "TAX"],
                },
                "item_id": WHOLE,
                "amount": {"type": "number", "minimum": 0},
                "reason": TEXT,
            },
        },
    ]
}
QUOTE: Schema = {
    "type": "object",
    "required": ["items"],
    "properties": {"items": {"type": "array", "items": REFUND_ITEM}},
}
REFUND: Schema = {
    "type": "object",
    "required": ["items", "payments"],
    "properties": {
        "items": {"type": "array", "items": REFUND_ITEM},
        "payments": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["provider_id", "amount"],
                "properties": {
                    "provider_id": TEXT,
                    "amount": {"type": "number", "minimum": 0},
                    "offline": {"type": "boolean"},
                },
            },
        },
    },
}


def _level(name: str, kind: Schema) -> Schema:
    return {
        "type": "object",
        "required": ["location_id", name, "quantity"],
        "properties": {"location_id": WHOLE, name: kind, "quantity": WHOLE},
    }


LEVELS: Schema = {
    "type": "object",
    "properties": {
        "reason": TEXT,
        "items": {
            "type": "array",
            "items": {
                "oneOf": [
                    _level("sku", TEXT),
                    _level("variant_id", WHOLE),
                    _level("product_id", WHOLE),
                ]
            },
        },
    },
}
LISTED = {"min_date_modified", "sort", "limit", "page"}
LINE = {
    "id": 2001,
    "product_id": 30,
    "variant_id": 31,
    "order_address_id": 77,
    "sku": "MUG",
    "type": "physical",
    "quantity": 3,
    "total_ex_tax": "30.0000",
    "total_inc_tax": "33.0000",
    "total_tax": "3.0000",
    "applied_discounts": [],
}
ADDRESS = {"id": 77, "first_name": "Ada", "country_iso2": "GB", "street_1": "1 Road"}


def an_order(known_as: int = 1001, modified: str = "Sun, 01 Mar 2026 12:00:00 +0000") -> Any:
    return {
        "id": known_as,
        "status_id": 11,
        "status": "Awaiting Fulfillment",
        "date_modified": modified,
        "default_currency_code": "USD",
        "total_inc_tax": "38.0000",
        "total_tax": "3.0000",
        "shipping_cost_ex_tax": "5.0000",
        "shipping_cost_inc_tax": "5.0000",
        "shipping_cost_tax": "0.0000",
        "payment_status": "captured",
        "refunded_amount": "0.0000",
        "items_shipped": 0,
        "staff_notes": "",
        "billing_address": {"first_name": "Ada", "email": "ada@example.com"},
    }


class FakeBigCommerce(FakeShop):
    api = BigCommerceApi()
    store = "/stores/m4gs1"

    def __init__(self) -> None:
        super().__init__()
        self.order = an_order()
        self.others: list[Any] = []
        self.shipments: list[Any] = []
        self.refunds: list[Any] = []
        self.stock: dict[Any, int] = {}
        self.unit_price = 5.0
        self.offline = False

    def access(self) -> Access:
        return Access(
            "bigcommerce:m4gs1",
            "m4gs1",
            self.base_url + self.store,
            {"access_token": self.secrets[0]},
            self.at_most(),
            {"main": "4"},
        )

    def throttled(self, seconds: int) -> Answer:
        return saying(429, {"title": "too much"}, X_Rate_Limit_Time_Reset_Ms=str(seconds * 1000))

    def answer(self, asked: Asked) -> Answer:
        self.expect(asked.headers.get("x-auth-token") == self.secrets[0], "nobody asks")
        path = asked.path.removeprefix(self.store)
        name = f"{asked.method} {path.replace('/1001', '/N')}"
        answers = {
            "GET /v2/orders": self._listed,
            "GET /v2/orders/N": lambda _: saying(200, self.order),
            "PUT /v2/orders/N": self._put,
            "GET /v2/orders/N/products": lambda _: saying(200, [LINE]),
            "GET /v2/orders/N/shipping_addresses": lambda _: saying(200, [ADDRESS]),
            "GET /v2/orders/N/shipments": self._shipments,
            "POST /v2/orders/N/shipments": self._ship,
            "GET /v3/orders/N/payment_actions/refunds": self._refunds,
            "POST /v3/orders/N/payment_actions/refunds": self._refund,
            "POST /v3/orders/N/payment_actions/refund_quotes": self._quote,
            "PUT /v3/inventory/adjustments/absolute": self._adjust,
        }
        if name not in answers:
            self.complaints.append(f"{name} is not known")
            return saying(404)
        return answers[name](asked)

    def fits(self, asked: Asked, schema: Schema) -> Any:
        body = json.loads(asked.body)
        self.complaints.extend(faults(body, schema))
        return body

    def _listed(self, asked: Asked) -> Answer:
        self.expect(set(asked.query) <= LISTED, f"unknown among {sorted(asked.query)}")
        self.expect(asked.query["sort"] == "date_modified:asc", "the order is not kept")
        since = datetime.strptime(asked.query["min_date_modified"], "%a, %d %b %Y %H:%M:%S %z")
        rows = [x for x in (*self.others, self.order) if self.modified(x) >= since]
        limit, page = int(asked.query["limit"]), int(asked.query["page"])
        part = sorted(rows, key=self.modified)[(page - 1) * limit : page * limit]
        return saying(200, part) if part else Answer(204)

    @staticmethod
    def modified(order: Any) -> datetime:
        return datetime.strptime(order["date_modified"], "%a, %d %b %Y %H:%M:%S %z")

    def _put(self, asked: Asked) -> Answer:
        change = self.fits(asked, ORDER_PUT)
        self.order |= change
        self.effects.append(change)
        return saying(200, self.order)

    def _shipments(self, _: Asked) -> Answer:
        return saying(200, self.shipments) if self.shipments else Answer(204)

    def _ship(self, asked: Asked) -> Answer:
        made = self.fits(asked, SHIPMENT) | {"id": 40 + len(self.shipments)}
        self.expect(made["order_address_id"] == 77, "the address is none of the order")
        self.shipments.append(made)
        self.effects.append(made)
        return saying(201, made)

    def _refunds(self, _: Asked) -> Answer:
        return saying(200, {"data": self.refunds, "meta": {}})

    def _quote(self, asked: Asked) -> Answer:
        amount = self._worth(self.fits(asked, QUOTE)["items"][0])
        payment = {"provider_id": "stripe", "amount": amount, "offline": self.offline}
        data = {"order_id": 1001, "total_refund_amount": amount, "refund_methods": [[payment]]}
        return saying(200, {"data": data, "meta": {}})

    def _worth(self, item: Any) -> float:
        return float(item.get("amount", self.unit_price * item.get("quantity", 0)))

    def _refund(self, asked: Asked) -> Answer:
        wanted = self.fits(asked, REFUND)
        paid = sum(x["amount"] for x in wanted["payments"])
        self.expect(paid == self._worth(wanted["items"][0]), "more is paid than it is worth")
        made = wanted | {"id": 7 + len(self.refunds), "order_id": 1001, "total_amount": paid}
        self.refunds.append(made)
        self.order["refunded_amount"] = f"{paid:.4f}"
        self.effects.append(made)
        return saying(201, {"data": made, "meta": {}})

    def _adjust(self, asked: Asked) -> Answer:
        items = self.fits(asked, LEVELS)["items"]
        names = ("location_id", "sku", "variant_id", "product_id")
        levels = {tuple(x.get(name) for name in names): x["quantity"] for x in items}
        self.expect(len(items) <= 2_000, "too many at once")
        if self.stock | levels != self.stock:
            self.effects.append(levels)
        self.stock |= levels
        return saying(200, {"transaction_id": f"t{len(self.asked)}"})


class TestBigCommerce(ShopConformance):
    def shop_of(self) -> FakeShop:
        return FakeBigCommerce()


@pytest.fixture
def shop() -> Any:
    shop = FakeBigCommerce()
    yield shop
    shop.close()
    assert shop.complaints == []


def test_a_limit_is_waited_for_as_long_as_it_lasts(shop: FakeBigCommerce) -> None:
    shop.faults.append(shop.throttled(12))
    with pytest.raises(Exception, match="429") as raised:
        stocked(shop)

    assert vars(raised.value)["after_seconds"] == 12


def test_a_shipment_tells_carrier_and_number(shop: FakeBigCommerce) -> None:
    assert shipped(shop) == "40"

    (made,) = shop.shipments
    assert (made["shipping_provider"], made["tracking_number"]) == ("ups", "1Z999")
    assert made["items"] == [{"order_product_id": 2001, "quantity": 2}]


def test_a_parcel_that_somebody_told_already_is_not_told_again(shop: FakeBigCommerce) -> None:
    items = [{"order_product_id": 2001, "product_id": 30, "quantity": 2}]
    shop.shipments.append({"id": 3, "tracking_number": "1Z999", "comments": "", "items": items})

    assert shipped(shop) == "3"
    assert shop.effects == []


def test_a_line_is_found_by_its_sku_where_it_has_no_id(shop: FakeBigCommerce) -> None:
    done = Shipped("k", "1001", (Units(1, "", "MUG"),), "dhl", "JD1", "", "main", AT)
    shop.api.ship(shop.access(), done)

    assert shop.shipments[0]["items"] == [{"order_product_id": 2001, "quantity": 1}]
    assert shop.shipments[0]["shipping_provider"] == ""


def test_a_line_that_is_none_of_the_order_is_refused(shop: FakeBigCommerce) -> None:
    done = Shipped("k", "1001", (Units(1, "9", "HAT"),), "ups", "1Z", "", "main", AT)
    with pytest.raises(RefusedByShop, match="no line"):
        shop.api.ship(shop.access(), done)


def test_what_is_collected_becomes_a_note(
    shop: FakeBigCommerce, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LINE, "order_address_id", 0)
    shipped(shop)
    shipped(shop)

    assert shop.order["staff_notes"] == "[Baton key-ship]: handed over: 2 × MUG"
    assert shop.shipments == []


def test_units_that_are_called_off_become_a_note_below_what_was_noted(
    shop: FakeBigCommerce,
) -> None:
    shop.order["staff_notes"] = "ring twice"
    units_called_off(shop)
    units_called_off(shop, key="key-units-1")

    assert shop.order["staff_notes"].splitlines() == [
        "ring twice",
        "[Baton key-units]: will not be sent: 1 × MUG (out of stock)",
        "[Baton key-units-1]: will not be sent: 1 × MUG (out of stock)",
    ]


def test_units_are_given_back_where_their_price_is_the_amount(shop: FakeBigCommerce) -> None:
    given_back(shop)

    assert shop.refunds[0]["items"][0]["item_type"] == "PRODUCT"


def test_another_amount_is_given_back_of_the_order(shop: FakeBigCommerce) -> None:
    shop.unit_price = 11.0
    given_back(shop)

    (item,) = shop.refunds[0]["items"]
    assert (item["item_type"], item["amount"]) == ("ORDER", 5.0)


def test_money_that_only_a_person_can_pay_out_is_refused(shop: FakeBigCommerce) -> None:
    shop.offline = True
    with pytest.raises(RefusedByShop, match="only a person"):
        given_back(shop)

    assert shop.refunds == []


def test_money_in_another_currency_is_refused(shop: FakeBigCommerce) -> None:
    done = GivenBack("k", "1001", 500, "EUR", (), "", AT)
    with pytest.raises(RefusedByShop, match="USD"):
        shop.api.give_back(shop.access(), done)


@pytest.mark.parametrize(
    ("level", "told"),
    [
        (Stocked("MUG", 7, "main"), (4, "MUG", None, None)),
        (Stocked("MUG", 7), (1, "MUG", None, None)),
        (Stocked("MUG", 7, "main", "variant:31"), (4, None, 31, None)),
        (Stocked("MUG", 7, "main", "31"), (4, None, 31, None)),
        (Stocked("MUG", 7, "main", "product:30"), (4, None, None, 30)),
        (Stocked("MUG", 7, "main", "M-UG"), (4, "M-UG", None, None)),
    ],
)
def test_stock_is_set_by_what_the_shop_calls_it(
    shop: FakeBigCommerce, level: Stocked, told: Any
) -> None:
    shop.api.set_stock(shop.access(), [level], "k")

    assert shop.stock == {told: 7}


def test_less_than_nothing_is_nothing(shop: FakeBigCommerce) -> None:
    shop.api.set_stock(shop.access(), [Stocked("MUG", -3, "main")], "k")

    assert list(shop.stock.values()) == [0]


def test_a_location_that_the_shop_does_not_know_is_refused(shop: FakeBigCommerce) -> None:
    with pytest.raises(RefusedByShop, match="cellar"):
        shop.api.set_stock(shop.access(), [Stocked("MUG", 1, "cellar")], "k")


def test_many_levels_are_told_in_parts(shop: FakeBigCommerce) -> None:
    shop.api.set_stock(shop.access(), [Stocked(f"S{n}", n, "main") for n in range(2_500)], "k")

    assert len(shop.stock) == 2_500


def test_one_order_that_cannot_be_read_does_not_keep_the_others(shop: FakeBigCommerce) -> None:
    shop.others = [an_order(5000) | {"status_id": "?"}, an_order() | {"id": None}]
    said = shop.api.changed(shop.access(), AT, "").said

    assert [type(each) for each in said] == [Fetch, Ignored, Fetch]


@pytest.mark.parametrize("apart", [0, 1, 7])
def test_no_change_is_missed_however_many_there_are(shop: FakeBigCommerce, apart: int) -> None:
    """Also where more than a page of orders changed in one second."""
    count = ORDERS_A_PAGE * 2 + 5
    at = [AT + timedelta(seconds=apart * n) for n in range(count)]
    form = "%a, %d %b %Y %H:%M:%S +0000"
    shop.others = [an_order(5000 + n, f"{x.astimezone(UTC):{form}}") for n, x in enumerate(at)]
    cursor, seen = "", set()
    for _ in range(20):
        page = shop.api.changed(shop.access(), AT, cursor)
        seen |= {x.external_id for x in page.said if isinstance(x, Fetch)}
        if not (cursor := page.cursor):
            break

    assert not cursor
    assert seen == {"1001", *(str(5000 + n) for n in range(count))}


def test_what_the_shop_gives_back_after_us_is_counted_and_ours_coming_back_is_not(
    shop: FakeBigCommerce,
) -> None:
    given_back(shop)
    assert in_the_books(shop) == 500

    theirs = {"id": 90, "reason": "late", "total_amount": 3, "items": [], "payments": []}
    shop.refunds.append(theirs | {"created": "2026-03-02T00:00:00+00:00"})
    assert in_the_books(shop) == 800


def test_an_order_of_which_we_gave_all_the_money_back_is_not_called_off(
    shop: FakeBigCommerce,
) -> None:
    given_back(shop)
    shop.order |= {"status_id": 4, "status": "Refunded"}

    assert [type(x) for x in shop.api.fetch(shop.access(), "order", "1001")] == [Ignored]
