"""Magento's API, against a fake of it.

Requests are checked against trimmed copies of what Magento publishes of its REST API (Swagger of
V1): `sales-data-shipment-item-creation-interface`, `…-track-creation-interface`,
`…-comment-creation-interface`, `sales-data-creditmemo-item-creation-interface`,
`…-creation-arguments-interface`, `sales-data-order-status-history-interface` and
`inventory-api-data-source-item-interface`; `source_code` is of the documentation of inventory.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from oms.adapters.channels.base import (
    Cancelled,
    Fetch,
    Fulfilled,
    Ignored,
    Refunded,
    Units,
    Updated,
)
from oms.adapters.channels.magento_api import ORDERS_A_PAGE, MagentoApi
from oms.adapters.channels.oauth1 import authorization, base_string
from oms.adapters.channels.shop_api import (
    Access,
    CalledOff,
    GivenBack,
    RefusedByShop,
    Shipped,
    Stocked,
)
from oms.adapters.web import Answer
from tests.adapters.channels.published import Schema, faults
from tests.adapters.channels.shop_conformance import (
    AT,
    Asked,
    Deed,
    FakeShop,
    ShopConformance,
    called_off,
    given_back,
    in_the_books,
    saying,
    shipped,
    units_called_off,
)

TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer", "minimum": 0}
NUMBER: Schema = {"type": "number", "minimum": 0}
YES: Schema = {"type": "boolean"}
COUNTED: Schema = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["order_item_id", "qty"],
        "properties": {"order_item_id": WHOLE, "qty": NUMBER},
    },
}
COMMENT: Schema = {
    "type": "object",
    "required": ["comment", "is_visible_on_front"],
    "properties": {"comment": TEXT, "is_visible_on_front": WHOLE},
}
SHIPMENT: Schema = {
    "type": "object",
    "properties": {
        "items": COUNTED,
        "notify": YES,
        "appendComment": YES,
        "comment": COMMENT,
        "tracks": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["track_number", "title", "carrier_code"],
                "properties": {"track_number": TEXT, "title": TEXT, "carrier_code": TEXT},
            },
        },
        "arguments": {
            "type": "object",
            "properties": {
                "extension_attributes": {"type": "object", "properties": {"source_code": TEXT}}
            },
        },
    },
}
MEMO: Schema = {
    "type": "object",
    "properties": {
        "items": COUNTED,
        "isOnline": YES,
        "notify": YES,
        "appendComment": YES,
        "comment": COMMENT,
        "arguments": {
            "type": "object",
            "properties": {
                "shipping_amount": NUMBER,
                "adjustment_positive": NUMBER,
                "adjustment_negative": NUMBER,
            },
        },
    },
}
HISTORY: Schema = {
    "type": "object",
    "required": ["statusHistory"],
    "properties": {
        "statusHistory": {
            "type": "object",
            "required": ["comment", "is_customer_notified", "is_visible_on_front", "parent_id"],
            "properties": {
                "comment": TEXT,
                "is_customer_notified": WHOLE,
                "is_visible_on_front": WHOLE,
                "parent_id": WHOLE,
                "status": TEXT,
            },
        }
    },
}
LEVELS: Schema = {
    "type": "object",
    "required": ["sourceItems"],
    "properties": {
        "sourceItems": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "sku": TEXT,
                    "source_code": TEXT,
                    "quantity": NUMBER,
                    "status": {"type": "integer", "enum": [0, 1]},
                },
            },
        }
    },
}
SEARCH = re.compile(
    r"searchCriteria\[(filter_groups\]\[0\]\[filters\]\[0\]\[(field|value|condition_type)"
    r"|sortOrders\]\[0\]\[(field|direction)|pageSize|currentPage)\]"
)
PLACE = {"firstname": "Ada", "country_id": "GB", "street": ["1 Road"], "city": "Bath"}


def an_order(known_as: int = 1001, modified: str = "2026-03-01 12:00:00") -> dict[str, Any]:
    return {
        "entity_id": known_as,
        "increment_id": f"00000{known_as}",
        "state": "processing",
        "status": "processing",
        "updated_at": modified,
        "base_currency_code": "USD",
        "order_currency_code": "USD",
        "base_grand_total": 41,
        "base_shipping_amount": 5,
        "base_tax_amount": 3,
        "base_total_paid": 41,
        "base_total_refunded": None,
        "payment": {"method": "stripe"},
        "status_histories": [],
        "items": [
            {
                "item_id": 2001,
                "product_type": "simple",
                "sku": "MUG",
                "qty_ordered": 3,
                "qty_shipped": 0,
                "qty_refunded": 0,
                "base_row_total": 33,
                "base_tax_amount": 3,
            }
        ],
        "extension_attributes": {"shipping_assignments": [{"shipping": {"address": PLACE}}]},
    }


class FakeMagento(FakeShop):
    api = MagentoApi()
    credentials = {"access_token": FakeShop.secrets[0]}  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        self.order = an_order()
        self.others: list[Any] = []
        self.made: dict[str, list[Any]] = {"shipments": [], "creditmemos": []}
        self.invoices: list[Any] = [
            {"entity_id": 6, "order_id": 1001, "state": 2, "transaction_id": "pi_1"}
        ]
        self.stock: dict[Any, Any] = {}
        self.settings: dict[str, str] = {}
        self.comments: dict[str, list[Any]] = {}

    def access(self) -> Access:
        return Access(
            "magento:mugs",
            "mugs",
            f"{self.base_url}/rest/all",
            self.credentials,
            self.at_most(),
            {"main": "east_wh"},
            self.settings,
        )

    def answer(self, asked: Asked) -> Answer:
        self.expect(bool(asked.headers.get("authorization")), "nobody asks")
        path = asked.path.removeprefix("/rest/all")
        name = f"{asked.method} {path.replace('/1001', '/N')}"
        answers = {
            "GET /V1/orders": self._listed,
            "GET /V1/orders/N": lambda _: saying(200, self.order),
            "POST /V1/orders/N/cancel": self._cancel,
            "POST /V1/orders/N/comments": self._comment,
            "GET /V1/shipments": lambda x: self._of_order(x, self.made["shipments"]),
            "GET /V1/creditmemos": lambda x: self._of_order(x, self.made["creditmemos"]),
            "GET /V1/invoices": lambda x: self._of_order(x, self.invoices),
            "POST /V1/order/N/ship": self._ship,
            "POST /V1/order/N/refund": self._refund,
            "POST /V1/invoice/6/refund": self._refund,
            "POST /V1/inventory/source-items": self._levels,
        }
        if found := re.fullmatch(r"GET /V1/(shipment|creditmemo)/(\d+)/comments", name):
            return saying(200, {"items": self.comments[found[2]]})
        if name not in answers:
            self.complaints.append(f"{name} is not known")
            return saying(404, {"message": "Request does not match any route."})
        return answers[name](asked)

    def fits(self, asked: Asked, schema: Schema) -> Any:
        body = json.loads(asked.body)
        self.complaints.extend(faults(body, schema))
        return body

    def asked_of(self, asked: Asked) -> tuple[str, str, str]:
        unknown = [name for name in asked.query if not SEARCH.fullmatch(name)]
        self.expect(not unknown, f"unknown: {unknown}")
        start = "searchCriteria[filter_groups][0][filters][0]"
        field, how, value = (
            asked.query[f"{start}[{x}]"] for x in ("field", "condition_type", "value")
        )
        return field, how, value

    def _listed(self, asked: Asked) -> Answer:
        field, how, since = self.asked_of(asked)
        self.expect((field, how) == ("updated_at", "gteq"), "what changed is not asked for")
        rows = [x for x in (*self.others, self.order) if x["updated_at"] >= since]
        limit = int(asked.query["searchCriteria[pageSize]"])
        start = (int(asked.query["searchCriteria[currentPage]"]) - 1) * limit
        part = sorted(rows, key=lambda x: x["updated_at"])[start : start + limit]
        return saying(200, {"items": part, "total_count": len(rows)})

    def _of_order(self, asked: Asked, rows: list[Any]) -> Answer:
        self.expect(self.asked_of(asked) == ("order_id", "eq", "1001"), "of another order")
        return saying(200, {"items": rows, "total_count": len(rows)})

    def _cancel(self, asked: Asked) -> Answer:
        if self.order["base_total_paid"]:
            return saying(200, False)
        self.order["state"] = "canceled"
        self.effects.append("cancelled")
        return Answer(200, {}, b"true")

    def _comment(self, asked: Asked) -> Answer:
        history = self.fits(asked, HISTORY)["statusHistory"]
        self.order["status_histories"].append(history)
        self.effects.append(history)
        return Answer(200, {}, b"true")

    def _ship(self, asked: Asked) -> Answer:
        wanted = self.fits(asked, SHIPMENT)
        made = {
            "entity_id": 31 + len(self.made["shipments"]),
            "order_id": 1001,
            "items": wanted["items"],
            "tracks": wanted["tracks"],
            "comments": [wanted["comment"]],
            "source": wanted.get("arguments"),
        }
        self.made["shipments"].append(made)
        self.effects.append(made)
        self.order["items"][0]["qty_shipped"] = 2
        return saying(200, str(made["entity_id"]))

    def _refund(self, asked: Asked) -> Answer:
        wanted = self.fits(asked, MEMO)
        terms = wanted["arguments"]
        goods = sum(x["qty"] * 12 for x in wanted["items"])
        self.expect(bool(wanted["items"]), "a credit memo of everything")
        self.expect(wanted.get("isOnline") is True or "/order/" in asked.path, "nobody pays")
        amount = goods + terms["adjustment_positive"] - terms["adjustment_negative"]
        made = {
            "entity_id": 77 + len(self.made["creditmemos"]),
            "order_id": 1001,
            "state": 2,
            "base_currency_code": "USD",
            "base_grand_total": round(amount, 2),
            "items": wanted["items"],
            "comments": [wanted["comment"]],
        }
        self.made["creditmemos"].append(made)
        self.order["base_total_refunded"] = amount
        self.effects.append(made)
        return saying(200, made["entity_id"])

    def _levels(self, asked: Asked) -> Answer:
        items = self.fits(asked, LEVELS)["sourceItems"]
        levels = {(x["sku"], x["source_code"]): (x["quantity"], x["status"]) for x in items}
        if self.stock | levels != self.stock:
            self.effects.append(levels)
        self.stock |= levels
        return saying(200, [])


class Unpaid(FakeMagento):
    """So that an order can be cancelled there, and money be given back of it offline."""

    def __init__(self) -> None:
        super().__init__()
        self.order |= {"base_total_paid": 0}


class TestMagento(ShopConformance):
    deeds = ("ship", "call_off_units", "give_back", "set_stock")

    def shop_of(self) -> FakeShop:
        return FakeMagento()


class TestMagentoBeforeItIsPaid(ShopConformance):
    deeds = ("call_off",)

    def shop_of(self) -> FakeShop:
        return Unpaid()


class Integrated(FakeMagento):
    """By an integration, whose requests are each signed."""

    secrets = ("consumer-s3cr3t", "token-s3cr3t")
    credentials = {  # noqa: RUF012
        "consumer_key": "key",
        "consumer_secret": secrets[0],
        "access_token": "token",
        "access_token_secret": secrets[1],
    }

    def answer(self, asked: Asked) -> Answer:
        query = f"?{urlencode(asked.query)}" if asked.query else ""
        url = f"{self.base_url}{asked.path}{query}"
        given = asked.headers["authorization"]
        said = dict(re.findall(r'(oauth_\w+)="([^"]*)"', given))
        again = authorization(
            asked.method, url, self.credentials, said["oauth_nonce"], said["oauth_timestamp"]
        )
        self.expect(given == again, "the signature is of another request")
        return super().answer(asked)


class TestMagentoByAnIntegration(ShopConformance):
    deeds = ("ship", "give_back")

    def shop_of(self) -> FakeShop:
        return Integrated()


@pytest.fixture
def shop() -> Any:
    shop = FakeMagento()
    yield shop
    shop.close()
    assert shop.complaints == []


def test_a_signed_request_is_that_of_the_specification() -> None:
    """The base string of RFC 5849 §3.4.1.1, without what its body has there."""
    said = {
        "oauth_consumer_key": "9djdj82h48djs9d2",
        "oauth_token": "kkk9d7dh3k39sjv7",
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": "137131201",
        "oauth_nonce": "7d8f3e4a",
        "c2": "",
        "a3": "2 q",
    }

    assert base_string(
        "post", "http://EXAMPLE.com/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b", said
    ) == (
        "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D"
        "%25253D%26c%2540%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e"
        "4a%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d"
        "7dh3k39sjv7"
    )


@pytest.mark.parametrize(
    ("url", "signed"),
    [
        ("https://EXAMPLE.com:443/r", "https://example.com/r"),
        ("https://example.com:80/r", "https://example.com:80/r"),
        ("https://example.com:8443/r", "https://example.com:8443/r"),
        ("https://example.com", "https://example.com/"),
    ],
)
def test_the_usual_port_is_not_signed(url: str, signed: str) -> None:
    """RFC 5849 §3.4.1.2."""
    assert base_string("GET", url, {}) == f"GET&{quote(signed, safe='')}&"


def test_a_shipment_tells_carrier_number_and_source(shop: FakeMagento) -> None:
    assert shipped(shop) == "31"

    (made,) = shop.made["shipments"]
    assert made["items"] == [{"order_item_id": 2001, "qty": 2}]
    assert made["tracks"] == [{"track_number": "1Z999", "title": "UPS", "carrier_code": "ups"}]
    assert made["source"] == {"extension_attributes": {"source_code": "east_wh"}}


def test_a_parcel_that_somebody_told_already_is_not_told_again(shop: FakeMagento) -> None:
    items = [{"order_item_id": 2001, "qty": 2}]
    tracks = [{"track_number": "1Z999"}]
    shop.made["shipments"] = [{"entity_id": 3, "items": items, "tracks": tracks, "comments": []}]

    assert shipped(shop) == "3"
    assert shop.effects == []


@pytest.mark.parametrize("deed", [shipped, given_back])
def test_what_was_done_is_known_again_where_lists_have_no_comments(
    shop: FakeMagento, deed: Deed
) -> None:
    first = deed(shop)
    for made in (*shop.made["shipments"], *shop.made["creditmemos"]):
        shop.comments[str(made["entity_id"])] = made.pop("comments")
        made.pop("tracks", None)

    assert deed(shop) == first
    assert len(shop.effects) == 1


def test_a_carrier_that_magento_does_not_know_is_a_custom_one(shop: FakeMagento) -> None:
    done = Shipped("k", "1001", (Units(1, "", "MUG"),), "royal_mail", "RM1", "", "cellar", AT)
    shop.api.ship(shop.access(), done)

    (made,) = shop.made["shipments"]
    assert (made["tracks"][0]["carrier_code"], made["source"]) == ("custom", None)


def bundled(item_id: int, sku: str, quantity: int) -> dict[str, Any]:
    parent = {"parent_item_id": 3001, "product_type": "simple"}
    return {"item_id": item_id, "sku": sku, "qty_ordered": quantity, **parent}


KIT = {"item_id": 3001, "product_type": "bundle", "qty_ordered": 2, "base_row_total": 33}
BUNDLE = [KIT, bundled(3002, "A", 4), bundled(3003, "B", 2)]


@pytest.mark.parametrize(
    ("bundles", "counted"),
    [("together", {3001: 1}), ("apart", {3002: 2, 3003: 1})],
)
def test_a_bundle_is_shipped_as_the_shop_does(
    shop: FakeMagento, bundles: str, counted: dict[int, int]
) -> None:
    shop.order["items"] = BUNDLE
    shop.settings["bundles"] = bundles
    units = (Units(2, "3002", "A"), Units(1, "3003", "B"))
    shop.api.ship(shop.access(), Shipped("k", "1001", units, "ups", "1Z", "", "main", AT))

    (made,) = shop.made["shipments"]
    assert {x["order_item_id"]: x["qty"] for x in made["items"]} == counted


def test_what_was_taken_for_is_noted_and_not_cancelled(shop: FakeMagento) -> None:
    called_off(shop)
    called_off(shop)
    units_called_off(shop)

    assert shop.order["state"] == "processing"
    assert [x["comment"] for x in shop.order["status_histories"]] == [
        "[Baton key-off] will not be sent: all (customer)",
        "[Baton key-units] will not be sent: 1 × MUG (out of stock)",
    ]


def test_units_are_given_back_with_what_differs_from_their_price(shop: FakeMagento) -> None:
    given_back(shop)

    (memo,) = shop.made["creditmemos"]
    assert memo["items"] == [{"order_item_id": 2001, "qty": 1}]
    assert memo["base_grand_total"] == 5


def test_units_whose_price_magento_rounds_are_given_back_as_an_amount(shop: FakeMagento) -> None:
    shop.order["items"][0]["base_row_total"] = 33.01
    given_back(shop)

    (memo,) = shop.made["creditmemos"]
    assert memo["items"] == [{"order_item_id": 2001, "qty": 0}]
    assert memo["base_grand_total"] == 5


@pytest.mark.parametrize("amount", [3600, 3000, 4101])
def test_a_whole_line_is_given_back_with_what_differs_from_its_price(
    shop: FakeMagento, amount: int
) -> None:
    units = (Units(3, "2001", "MUG"),)
    shop.api.give_back(shop.access(), GivenBack("k", "1001", amount, "USD", units, "", AT))

    (memo,) = shop.made["creditmemos"]
    assert memo["items"] == [{"order_item_id": 2001, "qty": 3}]
    assert memo["base_grand_total"] * 100 == amount


def test_money_that_only_a_person_can_pay_out_is_refused(shop: FakeMagento) -> None:
    shop.invoices = [{"entity_id": 6, "state": 2, "transaction_id": None}]
    with pytest.raises(RefusedByShop, match="only a person"):
        given_back(shop)

    assert shop.made["creditmemos"] == []
    shop.settings["offline_refunds"] = "yes"
    assert given_back(shop) == "77"


def test_money_in_another_currency_is_refused(shop: FakeMagento) -> None:
    with pytest.raises(RefusedByShop, match="USD"):
        shop.api.give_back(shop.access(), GivenBack("k", "1001", 1, "EUR", (), "", AT))


def test_what_the_shop_will_not_cancel_is_refused(shop: FakeMagento) -> None:
    shop.order["base_total_paid"] = 0
    shop.faults.extend([None, saying(200, False)])
    with pytest.raises(RefusedByShop):
        shop.api.call_off(shop.access(), CalledOff("k", "1001", (), "", True, AT))


@pytest.mark.parametrize(
    ("level", "told"),
    [
        (Stocked("MUG", 7, "main"), {("MUG", "east_wh"): (7, 1)}),
        (Stocked("MUG", 0, "main"), {("MUG", "east_wh"): (0, 0)}),
        (Stocked("MUG", -2), {("MUG", "default"): (0, 0)}),
        (Stocked("MUG", 7, "main", "M-1"), {("M-1", "east_wh"): (7, 1)}),
    ],
)
def test_stock_is_set_by_source(shop: FakeMagento, level: Stocked, told: Any) -> None:
    shop.api.set_stock(shop.access(), [level], "k")

    assert shop.stock == told


def test_a_location_that_is_no_source_is_refused(shop: FakeMagento) -> None:
    with pytest.raises(RefusedByShop, match="cellar"):
        shop.api.set_stock(shop.access(), [Stocked("MUG", 1, "cellar")], "k")


def test_what_others_shipped_and_gave_back_is_fetched_with_the_order(shop: FakeMagento) -> None:
    shipped(shop)
    given_back(shop)
    shop.made["shipments"][0]["comments"] = []
    shop.made["creditmemos"][0]["comments"] = []
    found = shop.api.fetch(shop.access(), "order", "1001")

    assert [type(each) for each in found] == [Updated, Refunded, Fulfilled]


@pytest.mark.parametrize("listed", [True, False])
def test_what_the_shop_gives_back_after_us_is_counted_and_ours_coming_back_is_not(
    shop: FakeMagento, listed: bool
) -> None:
    """Also where lists come without the comments."""
    given_back(shop)
    theirs = shop.made["creditmemos"][0] | {"entity_id": 99, "base_grand_total": 3, "comments": []}
    if not listed:
        shop.comments = {"77": shop.made["creditmemos"][0].pop("comments"), "99": []}
        del theirs["comments"]
    assert in_the_books(shop) == 500

    shop.made["creditmemos"].append(theirs)
    assert in_the_books(shop) == 800


def test_what_was_shipped_and_given_back_by_us_is_not_told_again(shop: FakeMagento) -> None:
    shipped(shop)
    given_back(shop)
    found = shop.api.fetch(shop.access(), "order", "1001")

    assert not any(isinstance(each, Refunded | Fulfilled) for each in found)


@pytest.mark.parametrize("apart", [0, 1, 7])
def test_no_change_is_missed_however_many_there_are(shop: FakeMagento, apart: int) -> None:
    """Also where more than a page of orders changed in one second."""
    count = ORDERS_A_PAGE * 2 + 5
    at = [AT + timedelta(seconds=apart * n) for n in range(count)]
    shop.others = [
        an_order(5000 + n, f"{x.astimezone(UTC):%Y-%m-%d %H:%M:%S}") for n, x in enumerate(at)
    ]
    shop.others[0]["items"][0]["qty_shipped"] = 1
    shop.others[1]["state"] = "canceled"
    cursor, seen = "", set()
    for _ in range(20):
        page = shop.api.changed(shop.access(), AT, cursor)
        for each in page.said:
            assert isinstance(each, Updated | Fetch | Cancelled)
            seen.add(each.order.external_id if isinstance(each, Updated) else each.external_id)
        if not (cursor := page.cursor):
            break

    assert not cursor
    assert seen == {"1001", *(str(5000 + n) for n in range(count))}


def test_one_order_that_cannot_be_read_does_not_keep_the_others(shop: FakeMagento) -> None:
    shop.others = [
        an_order(5000) | {"base_grand_total": 0.005},
        an_order(5001) | {"items": [{"item_id": 1, "qty_ordered": 0.5}]},
        an_order() | {"entity_id": None},
    ]
    said = shop.api.changed(shop.access(), AT, "").said

    assert [type(each) for each in said] == [Fetch, Fetch, Ignored, Updated]


def test_a_moment_without_offset_is_utc(shop: FakeMagento) -> None:
    (found,) = shop.api.fetch(shop.access(), "order", "1001")

    assert isinstance(found, Updated)
    assert found.at == datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
