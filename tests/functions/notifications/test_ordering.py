"""In order, however the bus brings events: nothing is told after what came later."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from functions.notifications.desk import Desk
from functions.notifications.notify_customer import notify_customer
from oms.adapters.mail import Mail
from oms.contracts.events import envelope
from oms.domain.contact import Contact
from oms.domain.notices.kinds import KINDS
from oms.domain.order import Fact, Order, fold
from tests.builders import NOW, Story, line, placement

STAGES = {"PaymentAuthorized": 0, "FulfillmentOrderShipped": 1, "FulfillmentOrderDelivered": 2}


@dataclass
class Post:
    """Mails and records in memory; `order` is what the table says at the moment."""

    order: Order
    claimed: set[str] = field(default_factory=set)
    sent_ids: list[str] = field(default_factory=list)

    def glance(self, order_id: str) -> Order:
        return self.order

    get = glance

    def contact(self, customer_id: str, order_id: str) -> Contact:
        return Contact("ada@example.com", "Ada")

    def mail(self, address: str, mail: Mail) -> None:
        pass

    def text(self, number: str, text: str) -> int:
        raise AssertionError(number)

    def claim(self, order_id: str, notice_id: str, at: datetime) -> bool:
        is_new = notice_id not in self.claimed
        self.claimed.add(notice_id)
        return is_new

    def sent(
        self, order_id: str, notice_id: str, at: datetime, details: Mapping[str, str] = {}
    ) -> None:
        self.sent_ids.append(notice_id)

    def skipped(self, *said: Any, **more: Any) -> None:
        pass

    def release(self, order_id: str, notice_id: str) -> None:
        raise AssertionError(notice_id)

    def wait(self, *said: Any, **more: Any) -> bool:
        raise AssertionError(said)


def life() -> Story:
    """Two parcels of one order, from its payment to its end."""
    story = Story(placement(line(1, sku="MUG"), line(2, sku="CUP"))).authorized()
    story.routed(("austin", {"line_1": 1}), ("reno", {"line_2": 1}))
    return story.shipped(1).shipped(2).captured().delivered("EZ1").delivered("EZ2")


LIFE = life()
TOLD = [fact for fact in LIFE.facts if type(fact.event).__name__ in KINDS]


@st.composite
def arrivals(draw: st.DrawFn) -> list[tuple[Fact, int]]:
    """Each event, at least once, with how far the order had come when it was handled."""
    told = draw(st.lists(st.sampled_from(TOLD), max_size=6)) + TOLD
    moments = [(fact, draw(st.integers(fact.seq, len(LIFE.facts)))) for fact in told]
    shuffled = draw(st.permutations(moments))
    return sorted(shuffled, key=lambda each: each[1])


@given(arrivals())
def test_each_is_told_once_at_most_and_never_after_what_came_later(
    arrived: list[tuple[Fact, int]],
) -> None:
    sent = told_by(arrived)

    assert len(sent) == len(set(sent))
    for subject in (each.fulfillment_order_id for each in LIFE.order.fulfillment_orders):
        stages = list(stages_of(sent, subject))
        assert stages == sorted(stages)


@given(arrivals())
def test_the_confirmation_and_the_last_word_on_every_parcel_are_always_told(
    arrived: list[tuple[Fact, int]],
) -> None:
    told = {type(fact_of(each).event).__name__ for each in told_by(arrived)}
    arrivals = [each for each in told_by(arrived) if stage_of(each) == 2]

    assert {"PaymentAuthorized", "FulfillmentOrderDelivered"} <= told
    assert len(arrivals) == 2


def told_by(arrived: list[tuple[Fact, int]]) -> list[str]:
    post = Post(LIFE.order)
    desk = Desk(post, post, post, post, lambda: NOW)
    for fact, seen in arrived:
        post.order = fold(LIFE.order_id, LIFE.facts[:seen])
        told = json.loads(json.dumps(envelope(LIFE.order_id, fact), default=str))
        notify_customer(told, desk)
    return post.sent_ids


def fact_of(notice_id: str) -> Fact:
    return LIFE.facts[int(notice_id.rpartition("#")[2]) - 1]


def stage_of(notice_id: str) -> int:
    return STAGES[type(fact_of(notice_id).event).__name__]


def stages_of(sent: list[str], subject: str) -> Iterator[int]:
    """Of one of its parcels."""
    for each in sent:
        if getattr(fact_of(each).event, "fulfillment_order_id", "") == subject:
            yield stage_of(each)
