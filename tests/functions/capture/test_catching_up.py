"""What webhooks have only hinted at is fetched, what they have lost is found by asking."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.capture import channels_api, take_notifications
from functions.capture.intake import intake
from functions.capture.poll_shops import OVERLAP, Poller
from functions.capture.work_inbox import GIVE_UP_AFTER, Fetcher, work
from oms.adapters.channel_inbox import channel_inbox
from oms.adapters.channels.base import Fetch, Page, Placed, Updated, What
from oms.adapters.channels.shop_api import Access, Later, RefusedByShop
from oms.adapters.fetch_queue import Errand
from oms.adapters.poll_cursors import Overtaken, Progress, poll_cursors
from oms.adapters.secrets import Secrets, secrets
from oms.adapters.shops_table import shops_table
from oms.contracts.api.orders import ChannelOrder
from oms.domain.errors import NotFound
from oms.domain.ids import order_id_of
from oms.domain.shops import Shop
from tests.functions.capture.test_intake import an_order, changed
from tests.functions.doors import House, ask, house

__all__ = ["house"]
pytestmark = pytest.mark.cloud

SHOP = "shopify:mugs.myshopify.com"
OTHER = "shopify:cups.myshopify.com"
NOW = datetime(2026, 5, 1, 10, 0, tzinfo=UTC)


@dataclass
class FakeShop:
    """Answers what it was given, page after page; what raises is raised once."""

    pages: dict[str, Page] = field(default_factory=dict)
    orders: dict[str, Sequence[What]] = field(default_factory=dict)
    trouble: list[Exception] = field(default_factory=list)
    asked: list[tuple[str, datetime, str]] = field(default_factory=list)
    code: str = "shopify"
    calls_per_second: float = 1.0

    def fetch(self, access: Access, what: str, external_id: str) -> Sequence[What]:
        self._fail()
        assert access.credentials
        return self.orders[external_id]

    def changed(self, access: Access, since: datetime, cursor: str) -> Page:
        self.asked.append((access.shop, since, cursor))
        self._fail()
        return self.pages.get(cursor, Page())

    def _fail(self) -> None:
        if self.trouble:
            raise self.trouble.pop(0)

    def ship(self, *_: Any) -> str:
        raise NotImplementedError

    call_off = give_back = set_stock = ship


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Secrets, "credentials", lambda self, shop: {"token": f"of {shop}"})


def never_late() -> bool:
    return False


def poller(shop: FakeShop, is_late: Callable[[], bool] = never_late) -> Poller:
    return Poller(intake(), poll_cursors(), {"shopify": shop}, is_late)


def a_shop(name: str = SHOP) -> Shop:
    shop = Shop(name, "https://mugs.myshopify.com", polled=True)
    shops_table().put(shop)
    return shop


def id_of(order: ChannelOrder) -> str:
    return order_id_of(order.channel, order.external_id)


def asked_for(order: ChannelOrder) -> Fetch:
    return Fetch(order.channel, order.external_id)


def fetcher(shop: FakeShop) -> Fetcher:
    return Fetcher(intake(), {"shopify": shop})


def waiting(house: House) -> list[Any]:
    found = house.cloud.client("sqs").receive_message(
        QueueUrl=house.environment["FETCH_QUEUE"], MaxNumberOfMessages=10
    )
    return [json.loads(each["Body"]) for each in found.get("Messages", [])]


def test_an_order_whose_webhook_was_lost_arrives_and_the_webhook_makes_no_other(
    house: House,
) -> None:
    order = an_order()
    shop = FakeShop({"": Page([Updated(order, NOW)])})

    assert poller(shop).poll(a_shop(), NOW) == "done"
    assert intake().apply(Placed(order), NOW).outcome == "duplicate"

    assert house.orders.get(id_of(order)).total == order.total
    orders = [row for row in house.rows("orders") if row["SK"]["S"] == "ORDER"]
    assert len(orders) == 1


def test_the_next_round_asks_from_where_the_last_began_with_an_overlap(house: House) -> None:
    shop = FakeShop({"": Page((), "2"), "2": Page()})

    poller(shop).poll(a_shop(), NOW)
    poller(shop).poll(a_shop(), NOW + timedelta(minutes=5))

    first, second, third, _ = shop.asked
    assert (first[1], second[1]) == (NOW - timedelta(days=1), first[1])
    assert [first[2], second[2], third[2]] == ["", "2", ""]
    assert third[1] == NOW - OVERLAP


def test_a_page_that_was_not_done_is_asked_for_again(house: House) -> None:
    first, second = an_order(), an_order()
    shop = FakeShop({"": Page([Placed(first)], "2"), "2": Page([Placed(second)])})
    late = iter((False, True, False))

    assert poller(shop, lambda: next(late)).poll(a_shop(), NOW) == "to be continued"
    shop.trouble.append(RuntimeError("a bug"))
    assert poller(shop).poll(a_shop(), NOW) == "failed"
    assert poller(shop).poll(a_shop(), NOW) == "done"

    assert [cursor for _, _, cursor in shop.asked] == ["", "2", "2"]
    assert house.orders.get(id_of(second)).total == second.total


def test_one_shops_trouble_is_not_anothers_and_is_seen(house: House) -> None:
    order = an_order(channel=OTHER)
    shop = FakeShop({"": Page([Placed(order)])}, trouble=[RefusedByShop("the token is revoked")])

    assert poller(shop).poll(a_shop(), NOW) == "failed"
    assert poller(shop).poll(a_shop(OTHER), NOW) == "done"

    assert house.orders.get(id_of(order)).channel == OTHER
    _, seen = ask(channels_api, "GET /shops/{shop}", shop=SHOP)
    assert "revoked" in seen["poll_error"]


def test_a_shop_that_asks_for_patience_is_left_alone(house: House) -> None:
    shop = FakeShop(trouble=[Later("too many calls", 600)])

    assert poller(shop).poll(a_shop(), NOW) == "later"
    assert poller(shop).poll(a_shop(), NOW + timedelta(minutes=5)) == "left alone"
    assert poller(shop).poll(a_shop(), NOW + timedelta(minutes=10)) == "done"


def test_a_shop_without_an_address_is_told_of_and_does_no_harm(house: House) -> None:
    shops_table().put(Shop(SHOP, polled=True))

    assert poller(FakeShop()).poll(Shop(SHOP, polled=True), NOW) == "failed"

    assert "base_url" in poll_cursors().get(SHOP).error


def test_of_two_who_ask_the_same_one_moves_the_cursor(house: House) -> None:
    seen = poll_cursors().save(SHOP, Progress(since=NOW))
    poll_cursors().save(SHOP, seen)

    with pytest.raises(Overtaken):
        poll_cursors().save(SHOP, seen)


def test_a_message_with_only_an_id_is_queued_and_names_the_order(house: House) -> None:
    order = an_order()

    done = intake().apply(asked_for(order), NOW)

    assert (done.outcome, done.order_id) == ("accepted", id_of(order))
    (queued,) = waiting(house)
    assert queued["external_id"] == order.external_id


def test_what_is_fetched_is_done_like_a_webhook(house: House) -> None:
    a_shop()
    order = an_order()
    shop = FakeShop(orders={order.external_id: [Updated(order, NOW)]})
    errand = Errand.read(Errand(asked_for(order), NOW).written())

    assert work(fetcher(shop), errand, NOW) == "accepted"
    assert work(fetcher(shop), errand, NOW) == "duplicate"

    shop.orders[order.external_id] = [Updated(changed(order, ("MUG", 1, 1000)), NOW)]
    assert work(fetcher(shop), errand, NOW) == "accepted"
    assert house.orders.get(id_of(order)).lines[0].cancelled == 1


def test_what_an_answer_only_hints_at_is_asked_for_too_and_the_same_is_not(house: House) -> None:
    a_shop()
    order = an_order()
    refunds = Fetch(order.channel, order.external_id, "refunds")
    shop = FakeShop(orders={order.external_id: [Updated(order, NOW), refunds]})

    assert work(fetcher(shop), Errand(asked_for(order), NOW), NOW) == "accepted"
    assert [each["what"] for each in waiting(house)] == ["refunds"]

    shop.orders[order.external_id] = [asked_for(order)]
    assert work(fetcher(shop), Errand(asked_for(order), NOW), NOW) == "kept"
    assert waiting(house) == []


def test_a_shop_that_cannot_answer_now_is_asked_later_and_not_for_ever(house: House) -> None:
    a_shop()
    order = an_order()
    errand = Errand(asked_for(order), NOW)

    assert work(fetcher(FakeShop(trouble=[Later("busy")])), errand, NOW) == "later"
    then = NOW + GIVE_UP_AFTER
    assert work(fetcher(FakeShop(trouble=[Later("busy")])), errand, then) == "kept"

    (kept,) = channel_inbox().page(10).messages
    assert (kept.name, "did not answer" in kept.reason) == (SHOP, True)


@pytest.mark.parametrize("known", [True, False])
def test_what_a_shop_refuses_or_that_nobody_can_ask_is_kept_and_can_be_replayed(
    house: House, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    order = an_order()
    shop = FakeShop(orders={order.external_id: [Placed(order)]})
    if known:
        a_shop()
        shop.trouble.append(RefusedByShop("no such order"))

    assert work(fetcher(shop), Errand(asked_for(order), NOW), NOW) == "kept"

    (kept,) = channel_inbox().page(10).messages
    assert ("no such order" in kept.reason) or ("base_url" in kept.reason)
    assert kept.order_id == id_of(order)
    a_shop()
    monkeypatch.setattr(channels_api, "SHOP_APIS", {"shopify": shop})
    status, done = ask(channels_api, "POST /inbox/{message_id}/replay", message_id=kept.message_id)
    assert (status, done["outcome"], done["order_id"]) == (200, "accepted", id_of(order))
    assert channel_inbox().page(10).messages == ()


def test_a_replay_of_what_the_shop_still_refuses_says_so_and_stays(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_shop()
    order = an_order()
    shop = FakeShop(trouble=[RefusedByShop("gone")] * 2)
    work(fetcher(shop), Errand(asked_for(order), NOW), NOW)
    (kept,) = channel_inbox().page(10).messages
    monkeypatch.setattr(channels_api, "SHOP_APIS", {"shopify": shop})

    status, _ = ask(channels_api, "POST /inbox/{message_id}/replay", message_id=kept.message_id)

    assert status == 409
    assert [each.message_id for each in channel_inbox().page(10).messages] == [kept.message_id]


def test_a_notification_that_cannot_be_read_is_kept_and_the_others_go_on(house: House) -> None:
    bodies = ['{"NotificationType": "?"', json.dumps({"NotificationType": "ORDER_CHANGE"})]
    records = [{"messageId": f"m-{n}", "body": body} for n, body in enumerate(bodies)]

    answer = take_notifications.handler({"Records": records}, None)

    failed = [each["itemIdentifier"] for each in answer["batchItemFailures"]]
    kept = channel_inbox().page(10).messages
    assert "m-0" in failed  # it is no JSON: it ends among the dead letters
    assert len(failed) + len(kept) == 2
    assert secrets() is not None
    with pytest.raises(NotFound):
        house.orders.get("ord_none")
