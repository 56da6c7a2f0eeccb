"""Amazon's Selling Partner API, against a fake that checks requests by Amazon's own models."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, unquote

import pytest

from oms.adapters.channels import SHOP_APIS
from oms.adapters.channels.amazon_api import AmazonApi
from oms.adapters.channels.base import Cancelled, Fetch, Fulfilled, MalformedOrder, Units, Updated
from oms.adapters.channels.shop_api import (
    Access,
    CalledOff,
    GivenBack,
    Later,
    RefusedByShop,
    Shipped,
    Stocked,
)
from oms.adapters.web import Answer
from tests.adapters.channels.amazon_schemas import (
    CONFIRM_SHIPMENT,
    CREATE_FEED,
    CREATE_FEED_DOCUMENT,
    GET_ORDER,
    INCLUDED_DATA,
    PATCH_LISTING,
    SEARCH_ORDERS,
    wrong,
)
from tests.adapters.channels.marketplace_cases import REAL, answer_of, real
from tests.adapters.channels.shop_conformance import (
    AT,
    Asked,
    FakeShop,
    ShopConformance,
    called_off,
    given_back,
    saying,
    shipped,
    stocked,
    told,
    units_called_off,
)

MARKETPLACE = "ATVPDKIKX0DER"
SECRETS = ("rt-s3cr3t", "cs-s3cr3t")


class FakeAmazon(FakeShop):
    order_id = "114-1000001-2000002"
    line_id = "68828574383266"
    secrets = SECRETS

    def __init__(self, api: AmazonApi | None = None) -> None:
        self.api = api or AmazonApi()
        self.status = "UNSHIPPED"
        self.packages: list[dict[str, Any]] = []
        self.documents: dict[str, bytes] = {}
        self.stock: dict[str, Any] = {}
        self.token, self.tokens = "Atza|1", 0
        self.others: list[dict[str, Any]] = []
        super().__init__()

    def access(self) -> Access:
        credentials = {
            "refresh_token": SECRETS[0],
            "client_id": "amzn1.application-oa2-client.1",
            "client_secret": SECRETS[1],
        }
        settings = {"marketplace_id": MARKETPLACE, "token_url": f"{self.base_url}/auth/o2/token"}
        locations = {"main": "supply-1"}
        shop = "a1seller2"
        return Access(
            "amazon", shop, self.base_url, credentials, self.at_most(), locations, settings
        )

    def throttled(self, seconds: int) -> Answer:
        return (
            saying(429, {"errors": [{"code": "QuotaExceeded", "message": "Slow"}]})
            if (seconds == 0)
            else Answer(429, {"x-amzn-ratelimit-limit": str(1 / seconds)}, b"{}")
        )

    def answer(self, asked: Asked) -> Answer:
        if asked.path == "/auth/o2/token":
            return self._granted(asked)
        if asked.path.startswith("/upload/"):
            self.documents[asked.path.removeprefix("/upload/")] = asked.body
            return Answer(200)
        if asked.headers.get("x-amz-access-token") != self.token:
            return saying(401, {"errors": [{"code": "Unauthorized", "message": "expired"}]})
        for start, answers in self._routes().items():
            method, path = start.split(" ")
            if asked.method == method and asked.path.startswith(path):
                return answers(asked)
        self.complaints.append(f"{asked.method} {asked.path} is nothing of Amazon's")
        return saying(404, {"errors": [{"code": "NotFound", "message": ""}]})

    def _routes(self) -> dict[str, Callable[[Asked], Answer]]:
        return {
            "GET /orders/2026-01-01/orders/": self._order,
            "GET /orders/2026-01-01/orders": self._orders,
            "POST /orders/v0/orders/": self._confirmed,
            "POST /feeds/2021-06-30/documents": self._document,
            "POST /feeds/2021-06-30/feeds": self._feed,
            "PATCH /listings/2021-08-01/items/A1SELLER2/": self._patched,
        }

    def _granted(self, asked: Asked) -> Answer:
        form = {k: v[0] for k, v in parse_qs(asked.body.decode()).items()}
        self.expect(form.get("grant_type") == "refresh_token", "another grant")
        self.expect(form.get("refresh_token") == SECRETS[0], "another refresh token")
        self.expect(form.get("client_secret") == SECRETS[1], "another client secret")
        self.expect("form-urlencoded" in asked.headers["content-type"], "no form")
        self.tokens += 1
        return saying(200, {"access_token": self.token, "expires_in": 3600, "token_type": "bearer"})

    def whole(self) -> dict[str, Any]:
        def money(amount: str) -> dict[str, str]:
            return {"amount": amount, "currencyCode": "USD"}

        item = {
            "orderItemId": self.line_id,
            "quantityOrdered": 3,
            "product": {"sellerSku": self.sku},
            "proceeds": {"breakdowns": [{"type": "ITEM", "subtotal": money("30.00")}]},
        }
        return {
            "orderId": self.order_id,
            "createdTime": "2026-03-01T10:00:00Z",
            "lastUpdatedTime": "2026-03-01T11:00:00Z",
            "salesChannel": {"channelName": "AMAZON", "marketplaceId": MARKETPLACE},
            "proceeds": {"grandTotal": money("30.00")},
            "fulfillment": {"fulfillmentStatus": self.status, "fulfilledBy": "MERCHANT"},
            "orderItems": [item],
            "packages": self.packages,
        }

    def _included(self, asked: Asked, known: set[str]) -> None:
        self.expect(set(asked.query) <= known, f"unknown parameters {set(asked.query) - known}")
        included = set(asked.query.get("includedData", "BUYER").split(","))
        self.expect(included <= INCLUDED_DATA, f"unknown data {included - INCLUDED_DATA}")

    def _order(self, asked: Asked) -> Answer:
        self._included(asked, GET_ORDER)
        if asked.path.rpartition("/")[2] != self.order_id:
            return saying(404, {"errors": [{"code": "NotFound", "message": "Ana Ruiz"}]})
        return saying(200, {"order": self.whole()})

    def _orders(self, asked: Asked) -> Answer:
        self._included(asked, SEARCH_ORDERS)
        self.expect(asked.query["lastUpdatedAfter"].endswith("Z"), "no instant")
        self.expect("createdAfter" not in asked.query, "two kinds of time")
        if "paginationToken" not in asked.query:
            found: dict[str, Any] = {"orders": self.others, "pagination": {"nextToken": "2YgY/=="}}
            return saying(200, found)
        self.expect(asked.query["paginationToken"] == "2YgY/==", "another token")
        return saying(200, {"orders": [self.whole()]})

    def _confirmed(self, asked: Asked) -> Answer:
        self.expect(asked.path.endswith(f"{self.order_id}/shipmentConfirmation"), asked.path)
        body = asked.json()
        self.complaints += wrong(body, CONFIRM_SHIPMENT)
        detail = body["packageDetail"]
        self.expect(
            detail["carrierCode"] != "Others" or bool(detail.get("carrierName")), "no carrier"
        )
        self.packages.append(
            {
                "packageReferenceId": detail["packageReferenceId"],
                "packageStatus": {"status": "SHIPPED"},
                "carrier": detail["carrierCode"],
                "trackingNumber": detail["trackingNumber"],
                "packageItems": detail["orderItems"],
            }
        )
        self.effects.append(detail)
        return Answer(204)

    def _document(self, asked: Asked) -> Answer:
        self.complaints += wrong(asked.json(), CREATE_FEED_DOCUMENT)
        name = f"doc-{len(self.asked)}"
        return saying(201, {"feedDocumentId": name, "url": f"{self.base_url}/upload/{name}"})

    def _feed(self, asked: Asked) -> Answer:
        feed = asked.json()
        self.complaints += wrong(feed, CREATE_FEED)
        document = self.documents.get(feed["inputFeedDocumentId"], b"").decode()
        title, columns, *rows = document.split("\r\n")
        self.expect(title.startswith("TemplateType=OrderCancellation\t"), f"title {title}")
        self.expect(
            columns == "order-id\tcancellation-reason-code\tamazon-order-item-code", columns
        )
        self.effects.append((feed["feedType"], [row.split("\t") for row in rows if row]))
        self.status = "CANCELLED"
        return saying(202, {"feedId": "53347018456"})

    def _patched(self, asked: Asked) -> Answer:
        self.complaints += wrong(asked.json(), PATCH_LISTING)
        self.expect(asked.query.get("marketplaceIds") == MARKETPLACE, "no marketplace")
        sku, (patch,) = unquote(asked.path.rpartition("/")[2]), asked.json()["patches"]
        self.expect(patch["path"] == "/attributes/fulfillment_availability", patch["path"])
        if sku == "UNKNOWN":
            issues = [{"code": "4000001", "message": "no", "severity": "ERROR"}]
            return saying(
                200, {"sku": sku, "status": "INVALID", "submissionId": "s", "issues": issues}
            )
        if self.stock.get(sku) != patch["value"]:
            self.stock[sku] = patch["value"]
            self.effects.append((sku, patch["value"]))
        return saying(200, {"sku": sku, "status": "ACCEPTED", "submissionId": f"sub-{sku}"})


class TestAmazon(ShopConformance):
    deeds = ("ship", "call_off", "set_stock")

    def shop_of(self) -> FakeShop:
        return FakeAmazon()


@pytest.fixture
def amazon() -> Iterator[FakeAmazon]:
    shop = FakeAmazon()
    yield shop
    shop.close()
    assert shop.complaints == []


def test_amazon_is_known() -> None:
    assert isinstance(SHOP_APIS["amazon"], AmazonApi)


def test_a_parcel_is_confirmed_with_its_items_carrier_and_source(amazon: FakeAmazon) -> None:
    shipped(amazon)
    (detail,) = amazon.effects

    assert detail["orderItems"] == [{"orderItemId": amazon.line_id, "quantity": 2}]
    assert (detail["carrierCode"], detail["trackingNumber"]) == ("UPS", "1Z999")
    assert (detail["shipDate"], detail["shipFromSupplySourceId"]) == (
        "2026-03-01T12:00:00Z",
        "supply-1",
    )


def shipment(shop: FakeAmazon, **fields: Any) -> Shipped:
    given: dict[str, Any] = {
        "key": "k",
        "external_id": shop.order_id,
        "units": (Units(1, "", shop.sku),),
        "carrier": "colis_prive",
        "tracking_number": "77",
        "tracking_url": "",
        "location_id": "elsewhere",
        "at": AT,
    }
    return Shipped(**(given | fields))


def test_a_carrier_that_amazon_does_not_know_is_named(amazon: FakeAmazon) -> None:
    amazon.api.ship(amazon.access(), shipment(amazon))
    (detail,) = amazon.effects

    assert (detail["carrierCode"], detail["carrierName"]) == ("Others", "colis_prive")
    assert detail["orderItems"] == [{"orderItemId": amazon.line_id, "quantity": 1}]
    assert "shipFromSupplySourceId" not in detail


@pytest.mark.parametrize(
    "fields", [{"tracking_number": ""}, {"units": (Units(1, "9", "9"),)}, {"units": (Units(1),)}]
)
def test_a_parcel_that_amazon_would_not_take_is_refused(
    amazon: FakeAmazon, fields: dict[str, Any]
) -> None:
    with pytest.raises(RefusedByShop):
        amazon.api.ship(amazon.access(), shipment(amazon, **fields))

    assert amazon.effects == []


def test_what_we_told_of_a_parcel_comes_back_under_its_own_name(amazon: FakeAmazon) -> None:
    package = shipped(amazon)
    found = amazon.api.fetch(amazon.access(), "order", amazon.order_id)

    assert [x.fulfillment_id for x in found if isinstance(x, Fulfilled)] == [package]


def test_two_parcels_of_an_order_have_two_names(amazon: FakeAmazon) -> None:
    assert shipped(amazon, key="one") != shipped(amazon, key="two")
    assert len(amazon.effects) == 2


def test_an_order_is_called_off_item_by_item_with_a_reason_of_amazons(amazon: FakeAmazon) -> None:
    called_off(amazon)

    rows = [[amazon.order_id, "BuyerCanceled", amazon.line_id]]
    assert amazon.effects == [("POST_FLAT_FILE_ORDER_ACKNOWLEDGEMENT_DATA", rows)]


@pytest.mark.parametrize(
    ("reason", "code"), [("out of stock", "NoInventory"), ("fraud", "GeneralAdjustment")]
)
def test_reasons_are_amazons(amazon: FakeAmazon, reason: str, code: str) -> None:
    amazon.api.call_off(amazon.access(), CalledOff("k", amazon.order_id, (), reason, True, AT))

    assert amazon.effects[0][1][0][1] == code


def test_what_was_shipped_in_part_is_never_called_off_by_a_feed(amazon: FakeAmazon) -> None:
    for status in ("PARTIALLY_SHIPPED", "SHIPPED"):
        amazon.status = status
        with pytest.raises(RefusedByShop):
            called_off(amazon)
    amazon.status = "PENDING"
    with pytest.raises(Later):
        called_off(amazon)

    assert amazon.effects == []


def test_a_part_of_an_order_and_money_are_for_a_person(amazon: FakeAmazon) -> None:
    for deed in (units_called_off, given_back):
        with pytest.raises(RefusedByShop) as refused:
            deed(amazon)
        assert "Seller Central" in str(refused.value)

    assert amazon.effects == []


def test_stock_is_of_amazons_sku_by_supply_source(amazon: FakeAmazon) -> None:
    stocked(amazon)
    levels = [Stocked("A/B 1", 4), Stocked("X", -3, item="THEIRS")]
    levels += [Stocked("Y", 1, item="product:B000000002"), Stocked("Z", 2, item="B000000003")]
    amazon.api.set_stock(amazon.access(), levels, "k")

    assert amazon.stock == {
        "MUG": [{"fulfillment_channel_code": "supply-1", "quantity": 7}],
        "A/B 1": [{"fulfillment_channel_code": "DEFAULT", "quantity": 4}],
        "THEIRS": [{"fulfillment_channel_code": "DEFAULT", "quantity": 0}],
        "Y": [{"fulfillment_channel_code": "DEFAULT", "quantity": 1}],
        "Z": [{"fulfillment_channel_code": "DEFAULT", "quantity": 2}],
    }


def test_stock_that_amazon_refuses_holds_no_other_up(amazon: FakeAmazon) -> None:
    with pytest.raises(RefusedByShop) as refused:
        amazon.api.set_stock(amazon.access(), [Stocked("UNKNOWN", 1), Stocked("MUG", 2)], "k")

    assert "UNKNOWN (4000001)" in str(refused.value)
    assert "MUG" in amazon.stock


def test_a_batch_that_has_begun_waits_for_the_limit_and_one_that_has_not_is_later() -> None:
    waited: list[float] = []
    amazon = FakeAmazon(AmazonApi(waited.append))
    levels = [Stocked("A", 1), Stocked("B", 2), Stocked("C", 3)]
    slow = amazon.throttled(9)
    amazon.faults.extend([None, None, slow, slow, None, slow])
    amazon.api.set_stock(amazon.access(), levels, "k")
    assert (sorted(amazon.stock), waited) == (["A", "B", "C"], [1.0, 2.0, 1.0])

    amazon.faults.extend([slow])
    with pytest.raises(Later):
        amazon.api.set_stock(amazon.access(), levels, "k")
    amazon.faults.extend([None, slow, slow, slow])
    with pytest.raises(Later):
        amazon.api.set_stock(amazon.access(), levels, "k")
    amazon.close()


def test_a_token_is_asked_for_once_and_again_when_it_is_taken_back(amazon: FakeAmazon) -> None:
    stocked(amazon)
    shipped(amazon)
    assert amazon.tokens == 1
    amazon.token = "Atza|2"
    shipped(amazon)

    assert amazon.tokens == 2


def test_orders_that_cannot_be_read_hold_no_other_up(amazon: FakeAmazon) -> None:
    bad = {"orderId": "9", "salesChannel": {}, "fulfillment": {"fulfillmentStatus": "UNSHIPPED"}}
    ours = {**amazon.whole(), "fulfillment": {"fulfilledBy": "AMAZON"}}
    amazon.others = [{**bad, "orderItems": [1]}, {**amazon.whole(), "orderId": 7.5}, ours]
    page = amazon.api.changed(amazon.access(), AT, "")

    assert page.said[0] == Fetch("amazon:a1seller2", "9")
    assert page.cursor == "2YgY/=="
    assert isinstance(amazon.api.changed(amazon.access(), AT, page.cursor).said[0], Updated)


def test_an_order_that_is_not_whole_is_not_asked_for_without_end(amazon: FakeAmazon) -> None:
    amazon.status = ""
    with pytest.raises(MalformedOrder):
        amazon.api.fetch(amazon.access(), "order", amazon.order_id)


def test_a_cancelled_order_is_fetched_as_cancelled(amazon: FakeAmazon) -> None:
    amazon.status = "CANCELLED"

    (found,) = amazon.api.fetch(amazon.access(), "order", amazon.order_id)
    assert isinstance(found, Cancelled)


def test_a_refusal_says_amazons_code_and_nobodys_name(amazon: FakeAmazon) -> None:
    with pytest.raises(RefusedByShop) as refused:
        amazon.api.fetch(amazon.access(), "order", "1-1-1")

    assert "404 NotFound" in str(refused.value)
    assert "Ana" not in told(refused.value)


def test_what_was_not_put_in_is_named(amazon: FakeAmazon) -> None:
    access = amazon.access()
    none = Access("amazon", "a1seller2", access.base_url, {}, access.web)
    with pytest.raises(RefusedByShop, match="refresh_token"):
        amazon.api.fetch(none, "order", amazon.order_id)
    unset = Access("amazon", "x", access.base_url, access.credentials, access.web, {}, {})
    with pytest.raises(RefusedByShop, match="marketplace_id"):
        amazon.api.set_stock(unset, [Stocked("MUG", 1)], "k")


@real
def test_every_error_that_amazon_has_published_is_a_refusal_with_its_code() -> None:
    class Says:
        def __init__(self, found: Answer) -> None:
            self.found = found

        def call(self, method: str, url: str, **_: Any) -> Answer:
            return saying(200, {"access_token": "t"}) if url.endswith("token") else self.found

    seen = 0
    for path in sorted((REAL / "amazon_sp_api").glob("*__4[0-9][0-9]_*.json")):
        status, body = int(path.stem.split("__")[2][:3]), answer_of(path)
        credentials = {"refresh_token": "r-1", "client_id": "c-1", "client_secret": "s-1"}
        web = Says(Answer(status, {}, body))
        access = Access("amazon", "a", "https://x", credentials, web)
        errors = json.loads(body).get("errors") or [{"code": ""}]
        with pytest.raises((RefusedByShop, Later)) as refused:
            AmazonApi().fetch(access, "order", "1")
        if status not in (409, 429):
            assert str(errors[0]["code"]) in str(refused.value)
            assert f" {errors[0].get('message')}." not in f" {refused.value}."
        seen += 1

    assert seen


def test_money_is_never_given_back_by_a_feed(amazon: FakeAmazon) -> None:
    done = GivenBack("k", amazon.order_id, 500, "USD", (), "late", AT)
    with pytest.raises(RefusedByShop):
        amazon.api.give_back(amazon.access(), done)

    assert amazon.asked == []
