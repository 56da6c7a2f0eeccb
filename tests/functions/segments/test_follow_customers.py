"""Figures of customers and their segments, out of the archive and by the clock."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.customers import api as customers_api
from functions.segments import follow_customers
from oms.adapters import dynamodb as db
from oms.adapters.event_log import event_log
from oms.adapters.figures import FiguresTable
from oms.adapters.generations import generations_table
from oms.adapters.lifetimes import lifetimes_table
from oms.adapters.memberships import Members, members
from oms.adapters.segments_table import Saved, segments_table
from oms.domain.segments.definition import Segment, SegmentRule, SegmentWhen
from tests.functions.customers.people import get, known, learned, ordered, post, told
from tests.functions.doors import House, ask, forget, house
from tests.functions.world import Crash, Mortal, now

pytestmark = pytest.mark.cloud

__all__ = ["house"]

TWICE = SegmentWhen(min_orders=2)


def saved(name: str, *whens: SegmentWhen, version: int = 1) -> None:
    rules = tuple(SegmentRule(str(n), when) for n, when in enumerate(whens))
    segments_table().save(Saved(Segment(name, "", rules, version=version), now(), "user:1"))


def followed(house: House, *orders: Any) -> dict[str, Any]:
    if orders:
        event_log().append(told(house, *orders))
    done: dict[str, Any] = follow_customers.handler({}, None)
    return done


def names(customer_id: str) -> tuple[str, ...]:
    return segments_table().standing(customer_id).names


def listed(name: str) -> list[str]:
    return [each.customer_id for each in segments_table().members(name, 100).members]


def at(moment: datetime) -> Members:
    desk = members()
    return Members(desk.segments, desk.lifetimes, desk.persons, lambda: moment)


def report(house: House) -> dict[Any, dict[str, int]]:
    shown = generations_table().of("customers").shown
    assert shown
    table = FiguresTable(db.client(), house.environment["REPORTS_TABLE"])
    first, last = "2000-01", "2030-12"
    axes = ("market", "cohort", "buyers", "cohort_buyers", "cohort_buyers_since")
    return {
        (axis, row.bucket, row.of): {name: n for name, n in row.figures.items() if n}
        for axis in axes
        for row in table.rows(shown, axis, first, last)
        if any(row.figures.values())
    }


def test_orders_are_in_the_profile_in_the_report_and_in_segments(house: House) -> None:
    saved("regulars", TWICE)
    first, second = (ordered(house, at=now() - timedelta(days=days)) for days in (400, 3))
    learned(house, first)
    followed(house, first, second)

    status, shown = get(first.customer_id)
    assert status == 200
    life = shown["lifetime"]
    assert (life["figures"]["orders"], shown["segments"]) == (2, ["regulars"])
    (money,) = life["money"]
    assert money["figures"]["spent"] > 0
    assert life["first_order_at"] < life["last_order_at"]
    assert listed("regulars") == [first.customer_id]
    new = [
        each.get("new_customers") for (axis, *_), each in report(house).items() if axis == "market"
    ]
    assert sorted(new, key=str) == [1, None]


def test_whatever_comes_twice_late_or_after_a_crash_gives_the_same(house: House) -> None:
    saved("regulars", TWICE)
    orders = [
        ordered(house, f"{who}@example.com", at=now() - timedelta(days=days))
        for who, days in (("ada", 70), ("ada", 3), ("bob", 40), ("eve", 2))
    ]
    followed(house, *orders)
    expected, ids = report(house), [order.customer_id for order in orders]
    lives = [each for x in ids for each in lifetimes_table().many([x])]
    envelopes = told(house, *orders)
    again = House.built(house.cloud)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in again.environment.items():
            if name in ("CUSTOMERS_TABLE", "KEYS_TABLE", "REPORTS_TABLE", "FILES_BUCKET"):
                patch.setenv(name, value)
        forget()
        saved("regulars", TWICE)
        mixed = [*envelopes, *envelopes[:3]]
        random.Random(7).shuffle(mixed)
        for start in range(0, len(mixed), 3):
            event_log().append(mixed[start : start + 3])
        for dies_at in range(1, 60, 4):
            for after in (False, True):
                dying(patch, dies_at, after=after)
        assert followed(house)["outcome"] == "followed"

        assert report(again) == expected
        assert [each for x in ids for each in lifetimes_table().many([x])] == lives
        assert listed("regulars") == [orders[0].customer_id]
    forget()


def dying(patch: pytest.MonkeyPatch, dies_at: int, *, after: bool) -> None:
    forget()
    mortal: Any = Mortal(db.client(), dies_at, after)
    with patch.context() as inner:
        inner.setattr(db, "client", lambda: mortal)
        with suppress(Crash):
            follow_customers.handler({}, None)
    forget()


def test_days_that_pass_take_a_customer_out_by_the_sweep(house: House) -> None:
    saved("fresh", SegmentWhen(ordered_within_days=30))
    saved("asleep", SegmentWhen(not_ordered_for_days=30))
    order = ordered(house, at=now() - timedelta(days=29))
    followed(house, order)
    assert names(order.customer_id) == ("fresh",)

    with ThreadPoolExecutor(2) as threads:
        assert at(now() + timedelta(hours=1)).sweep(threads, lambda: False) == 0
        later = at(datetime.now(UTC) + timedelta(days=2))
        assert later.sweep(threads, lambda: False) == 1
        assert later.sweep(threads, lambda: False) == 0

    assert (names(order.customer_id), listed("fresh")) == (("asleep",), [])
    assert listed("asleep") == [order.customer_id]


def test_tags_and_merges_are_followed_within_minutes(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved("vips", SegmentWhen(tags=("vip",)))
    saved("regulars", TWICE)
    ada, bob = ordered(house), ordered(house, "bob@example.com", name="Bob")
    learned(house, ada, bob)
    followed(house)
    post(ada.customer_id, "tags", add=["vip"])
    with monkeypatch.context() as patch:
        patch.delenv("SECRET_ID")  # which the function is not given
        forget()
        followed(house)
    forget()
    assert (names(ada.customer_id), listed("regulars")) == (("vips",), [])

    post(ada.customer_id, "merge", customer_id=bob.customer_id)
    followed(house)
    assert names(ada.customer_id) == names(bob.customer_id) == ("regulars", "vips")
    assert listed("regulars") == listed("vips") == [ada.customer_id]

    ask(customers_api, "POST /customers/{customer_id}/split", {}, customer_id=bob.customer_id)
    followed(house)
    assert (names(ada.customer_id), names(bob.customer_id)) == (("vips",), ())
    assert listed("regulars") == []


def test_who_is_forgotten_is_in_no_list(house: House) -> None:
    saved("buyers", SegmentWhen(min_orders=1, ordered_within_days=9))
    customer_id = known(house)
    followed(house)
    assert listed("buyers") == [customer_id]

    for _ in range(2):
        segments_table().forget(customer_id)
    assert (listed("buyers"), names(customer_id)) == ([], ())
