"""Real messages of every channel through the real entry: done, or refused with a reason that a
person understands; and three times at once they make no order twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from functions.capture.intake import ACCEPTED, DUPLICATE, IGNORED, Intake, NotUnderstood, intake
from oms.adapters.channels import CHANNELS
from oms.adapters.channels.base import MalformedOrder
from oms.adapters.webhooks import Call
from oms.contracts.invalid import InvalidRequest
from oms.domain.currencies import NotAnAmount
from tests.functions.doors import House, house

__all__ = ["house"]
pytestmark = pytest.mark.cloud

REAL = Path(__file__).parents[4] / "shared" / "data" / "B_channels"
OURS = Path(__file__).parents[2] / "contracts" / "channels"
AT = datetime(2026, 5, 1, tzinfo=UTC)
SHOPIFY = ("orders/create", "orders/updated", "orders/cancelled", "refunds/create")
HEADERS = {
    "shopify": [
        {"x-shopify-topic": topic, "x-shopify-shop-domain": "mugs.myshopify.com"}
        for topic in SHOPIFY
    ],
    "woocommerce": [
        {"x-wc-webhook-topic": topic, "x-wc-webhook-source": "https://mugs.example.com/"}
        for topic in ("order.created", "order.updated")
    ],
}
MARKETPLACES = ("ebay", "etsy", "square", "walmart")
TYPED = (MalformedOrder, InvalidRequest, NotAnAmount)


def channel_of(path: Path) -> str:
    """By the folder, or by the name of the file."""
    where = str(path.relative_to(path.parents[1])).lower()
    codes = (*MARKETPLACES, "shopify", "woocommerce", "bigcommerce", "amazon", "magento")
    return next((code for code in codes if code in where), "")


def calls(folder: Path) -> Iterator[tuple[str, Call]]:
    for path in sorted(folder.rglob("*.json")):
        code = channel_of(path)
        for headers in HEADERS.get(code, [{}]) if code else ():
            query = {} if code in HEADERS else {"shop": "mugs"}
            yield code, Call(path.read_bytes(), headers, query, "https://oms.example.com/", AT)


def take(desk: Intake, code: str, call: Call) -> str:
    try:
        return desk.take(CHANNELS[code], call, AT).outcome
    except NotUnderstood as refused:
        typed = isinstance(refused.error, TYPED) and refused.reason
        return "refused" if typed else f"broken: {type(refused.error).__name__}"


def orders(house: House) -> int:
    return sum(row["SK"]["S"] == "ORDER" for row in house.rows("orders"))


def replayed(house: House, folder: Path) -> Counter[str]:
    feed = list(calls(folder))
    told = Counter(take(intake(), code, call) for code, call in feed)
    made = orders(house)

    def again(desk: Intake) -> Counter[str]:
        return Counter(take(desk, code, call) for code, call in feed)

    with ThreadPoolExecutor(3) as threads:
        repeated = sum(threads.map(again, [intake()] * 3), Counter[str]())
    assert orders(house) == made
    assert told.keys() <= {ACCEPTED, DUPLICATE, IGNORED, "refused"}
    assert repeated["refused"] == 3 * told["refused"]
    return told


def test_our_own_payloads_are_done_or_refused_and_make_no_order_twice(house: House) -> None:
    assert replayed(house, OURS)[ACCEPTED] > 10


def test_real_payloads_are_done_or_refused_and_make_no_order_twice(house: House) -> None:
    if not REAL.exists():
        pytest.skip("the collection of real payloads is not beside the project")

    assert replayed(house, REAL)[ACCEPTED] > 10
