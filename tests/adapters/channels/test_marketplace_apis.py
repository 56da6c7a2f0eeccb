"""The APIs of marketplaces that we hear and do not tell: Square, eBay, Etsy, Walmart.

None of them has a schema of its requests that could be had here: what is checked is what their
documentation says of the calls.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from oms.adapters.channels import SHOP_APIS
from oms.adapters.channels.base import Fetch, Fulfilled, MalformedOrder, Refunded, Updated
from oms.adapters.channels.shop_api import (
    Access,
    CalledOff,
    GivenBack,
    Later,
    RefusedByShop,
    Shipped,
)
from oms.adapters.channels.token_calls import Grant, TokenCalls, granted
from oms.adapters.web import Answer, Unreachable
from tests.adapters.channels.marketplace_cases import payload
from tests.adapters.channels.shop_conformance import AT, saying, told

LEAK = "rt-s3cr3t"
CREDENTIALS = {
    "access_token": "at-1",
    "refresh_token": LEAK,
    "client_id": "client",
    "client_secret": "cs-s3cr3t",
}


@dataclass
class Asked:
    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return {k: v[0] for k, v in parse_qs(self.body.decode()).items()}


@dataclass
class Says:
    """A `Web` that answers by the path, tokens beside; `faults` come first."""

    answers: dict[str, Any]
    asked: list[Asked] = field(default_factory=list)
    faults: list[Answer | None] = field(default_factory=list)
    clock: float = 0.0

    def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        at = urlsplit(url)
        query = {k: v[0] for k, v in parse_qs(at.query).items()}
        self.asked.append(Asked(method, at.path, query, headers or {}, body or b""))
        if "token" in at.path:
            return saying(200, {"access_token": f"at-{len(self.asked)}", "expires_in": 900})
        if self.faults and (fault := self.faults.pop(0)):
            return fault
        if at.path not in self.answers:
            return saying(404, {"errors": [{"code": "NOT_FOUND", "detail": LEAK}]})
        return saying(200, self.answers[at.path])


def order(code: str, name: str = "order") -> Any:
    return json.loads(payload(code, name))


@dataclass(frozen=True)
class Case:
    order_id: str
    one: str  # its path
    all: str
    page: Callable[[Any], Any]  # an answer with one order of them
    shows: Callable[[Asked], bool]  # whether the call shows its token


CASES = {
    "square": Case(
        "OrdAbC123dEf",
        "/v2/orders/OrdAbC123dEf",
        "/v2/orders/search",
        lambda found: {"orders": [found["order"], {"id": 5.5}], "cursor": "next"},
        lambda asked: (
            asked.headers["authorization"].startswith("Bearer at-")
            and bool(asked.headers["square-version"])
        ),
    ),
    "ebay": Case(
        "18-14816-28553",
        "/sell/fulfillment/v1/order/18-14816-28553",
        "/sell/fulfillment/v1/order",
        lambda found: {"orders": [found], "next": "https://api.ebay.com/…"},
        lambda asked: asked.headers["authorization"].startswith("Bearer at-"),
    ),
    "etsy": Case(
        "3000000001",
        "/v3/application/shops/4200/receipts/3000000001",
        "/v3/application/shops/4200/receipts",
        lambda found: {"count": 100, "results": [found] * 100},
        lambda asked: (
            asked.headers["x-api-key"] == "client"
            and asked.headers["authorization"].startswith("Bearer at-")
        ),
    ),
    "walmart": Case(
        "1796277083999",
        "/v3/orders/1796277083999",
        "/v3/orders",
        lambda found: {
            "list": {
                "meta": {"nextCursor": "?limit=100&a=b"},
                "elements": {"order": [found["order"]]},
            }
        },
        lambda asked: (
            asked.headers["wm_sec.access_token"].startswith("at-")
            and bool(asked.headers["wm_qos.correlation_id"])
        ),
    ),
}
CODES = sorted(CASES)


def found_of(code: str) -> Any:
    return order(code, "receipt" if code == "etsy" else "order")


def says(code: str) -> Says:
    case, found = CASES[code], found_of(code)
    return Says({case.one: found, case.all: case.page(found)})


def access(code: str, web: Any, **fields: Any) -> Access:
    return Access(
        code,
        "4200",
        "https://shop.example",
        fields.get("credentials", CREDENTIALS),
        web,
        {"main": "L1"},
        {"token_url": "https://shop.example/token"},
    )


@pytest.fixture(params=CODES)
def code(request: pytest.FixtureRequest) -> Iterator[str]:
    """With an adapter that has no token yet."""
    api: Any = SHOP_APIS[request.param]
    api._calls._kept.clear()
    yield request.param
    api._calls._kept.clear()


def test_an_order_is_fetched_and_adds_up(code: str) -> None:
    web = says(code)
    found = SHOP_APIS[code].fetch(access(code, web), "order", CASES[code].order_id)
    (updated,) = [each for each in found if isinstance(each, Updated)]

    assert updated.order.external_id == CASES[code].order_id
    assert updated.order.channel == f"{code}:4200"
    assert updated.order.sum_of_parts == updated.order.total
    assert CASES[code].shows(web.asked[-1])


def test_changes_are_read_and_the_cursor_leads_on(code: str) -> None:
    web = says(code)
    page = SHOP_APIS[code].changed(access(code, web), AT, "")

    assert any(isinstance(each, Updated | Refunded | Fulfilled) for each in page.said)
    assert page.cursor
    SHOP_APIS[code].changed(access(code, web), AT, page.cursor)
    first, second = web.asked[-2:] if code == "square" else (web.asked[-2], web.asked[-1])
    assert (first.query, first.body) != (second.query, second.body)


def test_an_order_of_a_page_that_cannot_be_read_is_asked_for_by_itself(code: str) -> None:
    found = found_of(code)
    whole = found.get("order", found)
    for name in ("line_items", "lineItems", "transactions", "orderLines"):
        if name in whole:
            whole[name] = [7]
    web = Says({CASES[code].all: CASES[code].page(found)})
    page = SHOP_APIS[code].changed(access(code, web), AT, "")

    assert page.said[0] == Fetch(f"{code}:4200", CASES[code].order_id)


SINCE = {
    "ebay": ("filter", "lastmodifieddate:[2026-03-01T12:00:00.000Z..]"),
    "etsy": ("min_last_modified", "1772366400"),
    "walmart": ("lastModifiedStartDate", "2026-03-01T12:00:00Z"),
}


def test_since_when_is_said_in_the_words_of_each(code: str) -> None:
    web = says(code)
    SHOP_APIS[code].changed(access(code, web), AT, "")
    asked = web.asked[-1]

    if code == "square":
        said = json.loads(asked.body)["query"]["filter"]["date_time_filter"]["updated_at"]
        assert said == {"start_at": "2026-03-01T12:00:00Z"}
    else:
        name, said = SINCE[code]
        assert asked.query[name] == said


def test_a_receipt_that_changes_meanwhile_hides_no_other() -> None:
    """Pages are counted from the latest change: what changes moves others down, and none up."""
    web = says("etsy")
    SHOP_APIS["etsy"].changed(access("etsy", web), AT, "100")

    asked = web.asked[-1].query
    assert (asked["sort_on"], asked["sort_order"], asked["offset"]) == ("updated", "desc", "100")


def test_what_is_not_there_is_a_refusal_without_its_words(code: str) -> None:
    with pytest.raises(RefusedByShop) as refused:
        SHOP_APIS[code].fetch(access(code, says(code)), "order", "1")

    assert "404 NOT_FOUND" in str(refused.value)
    assert LEAK not in told(refused.value)


@pytest.mark.parametrize(
    ("fault", "after"),
    [
        (saying(429, {}, retry_after="9"), 9),
        (saying(503), 60),
        (Answer(200, {}, b"<html>"), 60),
        (Answer(200, {}, b"[]"), 60),
        (Answer(200, {}, b""), 60),
    ],
)
def test_what_is_not_now_is_later(code: str, fault: Answer, after: int) -> None:
    web = says(code)
    web.faults = [fault]
    with pytest.raises(Later) as later:
        SHOP_APIS[code].fetch(access(code, web), "order", CASES[code].order_id)

    assert later.value.after_seconds == after


def test_no_answer_is_later(code: str) -> None:
    class Dead:
        def call(self, *_: Any, **__: Any) -> Answer:
            raise Unreachable("ConnectTimeoutError")

    with pytest.raises(Later):
        SHOP_APIS[code].fetch(access(code, Dead()), "order", "1")


def test_an_order_that_is_not_whole_is_not_asked_for_without_end(code: str) -> None:
    case = CASES[code]
    name = {"square": "id", "ebay": "orderId", "etsy": "receipt_id", "walmart": "purchaseOrderId"}
    only = {name[code]: case.order_id}
    answer = {"order": only} if code in ("square", "walmart") else only
    with pytest.raises(MalformedOrder):
        SHOP_APIS[code].fetch(access(code, Says({case.one: answer})), "order", case.order_id)


def test_nothing_is_told_by_api_and_the_refusal_says_where(code: str) -> None:
    api, web = SHOP_APIS[code], says(code)
    to = access(code, web)
    deeds: list[Callable[[], str]] = [
        lambda: api.ship(to, Shipped("k", "1", (), "ups", "1Z", "", "main", AT)),
        lambda: api.call_off(to, CalledOff("k", "1", (), "customer", True, AT)),
        lambda: api.give_back(to, GivenBack("k", "1", 5, "USD", (), "late", AT)),
        lambda: api.set_stock(to, [], "k"),
    ]
    for deed in deeds:
        with pytest.raises(RefusedByShop, match=r"not told to .* by API"):
            deed()

    assert web.asked == []


def test_a_credential_that_is_missing_is_named(code: str) -> None:
    with pytest.raises(RefusedByShop, match=r"the credential '[a-z_]+' is missing"):
        SHOP_APIS[code].fetch(access(code, says(code), credentials={}), "order", "1")


@pytest.mark.parametrize(
    ("code", "form", "client"),
    [
        ("ebay", {"grant_type": "refresh_token", "refresh_token": LEAK}, True),
        (
            "etsy",
            {"grant_type": "refresh_token", "refresh_token": LEAK, "client_id": "client"},
            False,
        ),
        ("walmart", {"grant_type": "client_credentials"}, True),
    ],
    indirect=["code"],
)
def test_a_token_is_asked_for_as_each_wants_it_and_kept(
    code: str, form: dict[str, str], client: bool
) -> None:
    web = says(code)
    for _ in range(2):
        SHOP_APIS[code].fetch(access(code, web), "order", CASES[code].order_id)
    (token,) = [asked for asked in web.asked if asked.path == "/token"]

    assert token.form == form
    basic = "Basic " + base64.b64encode(b"client:cs-s3cr3t").decode()
    assert (token.headers.get("authorization") == basic) is client


def test_a_token_that_was_kept_and_is_refused_is_asked_for_once_more() -> None:
    web = says("ebay")
    api: Any = SHOP_APIS["ebay"]
    api._calls._kept.clear()
    api.fetch(access("ebay", web), "order", "18-14816-28553")
    web.faults = [saying(401)]
    api.fetch(access("ebay", web), "order", "18-14816-28553")
    assert len([x for x in web.asked if x.path == "/token"]) == 2

    web.faults = [saying(401), saying(401)]
    with pytest.raises(RefusedByShop):
        api.fetch(access("ebay", web), "order", "18-14816-28553")
    api._calls._kept.clear()


def test_a_token_ends_a_minute_before_it_does() -> None:
    from oms.adapters.channels.ebay_api import _grant

    now = [0.0]
    calls = TokenCalls(_grant, lambda _, token: {"authorization": token}, lambda: now[0])
    web = says("ebay")
    for at in (0.0, 839.0, 841.0):
        now[0] = at
        calls.get(access("ebay", web), "/sell/fulfillment/v1/order")

    assert [x.path for x in web.asked].count("/token") == 2


@pytest.mark.parametrize("lasts", [10**400, -1, True, "900", None, 1.5])
def test_a_token_that_lasts_as_long_as_nothing_can_is_a_token(lasts: Any) -> None:
    @dataclass
    class Tokens:
        def call(self, method: str, url: str, **_: Any) -> Answer:
            return saying(200, {"access_token": "at", "expires_in": lasts})

    token, seconds = granted(access("ebay", Tokens()), Grant("https://shop.example/token", {}))

    assert token == "at"
    assert seconds <= 86_400
