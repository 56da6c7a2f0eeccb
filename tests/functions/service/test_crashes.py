"""Whoever dies while an inquiry is opened, answered or resolved, and asks again, does it once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from oms.adapters.inquiries_table import InquiriesTable
from oms.adapters.inquiry_desk import Ask, opening
from oms.adapters.inquiry_resolving import Asked, Resolver
from oms.adapters.inquiry_texts import InquiryTexts, Written
from oms.adapters.vault import vault
from oms.contracts.api.inquiries import ResolveInquiry
from oms.domain.errors import Conflict
from oms.domain.inquiries import commands as c
from oms.domain.inquiries.model import Inquiry, InquiryState, Origin
from oms.domain.inquiries.policy import ServicePolicy
from tests.functions.doors import House, house
from tests.functions.returns.parcels import delivered
from tests.functions.world import World, now, survives

__all__ = ["house"]
pytestmark = pytest.mark.cloud
POLICY = ServicePolicy()
AT = now()
RESEND = {"resend": {"lines": [{"line_id": "line_1", "quantity": 1}]}}
REFUND: dict[str, Any] = {"refund": {"amount": 500}, "reason": "late", "text": "It is on its way."}


def inquiries(house: House, world: World) -> InquiriesTable:
    texts = InquiryTexts(world.client, house.environment["CUSTOMERS_TABLE"], vault())
    return InquiriesTable(world.client, world.orders_name, world.agenda, texts)


def world_of(house: House) -> World:
    tables = (house.environment["ORDERS_TABLE"], house.environment["STOCK_TABLE"])
    return World(house.cloud.client("dynamodb"), *tables)


def test_a_crash_anywhere_opens_answers_and_refunds_once(house: House) -> None:
    order, world = delivered(house), world_of(house)
    ask = Ask(
        "inq_1",
        order.customer_id,
        Origin.PAGE,
        Written("Broken"),
        "damaged",
        order_id=order.order_id,
        key="k",
    )

    def deed(mortal: World) -> None:
        table = inquiries(house, mortal)
        table.open(opening(ask, POLICY, AT), at=AT, actor="customer")
        answer = c.Answer(key="answer")
        said = Written("Sorry")
        table.change("inq_1", answer, POLICY, at=AT, actor="user:1", written=said)
        asked = Asked(ResolveInquiry.read(REFUND), REFUND, "user:1", AT, lambda _: None, "k")
        Resolver(mortal.orders, table, POLICY).resolve("inq_1", asked)

    assert survives(world, deed) > 10
    found = inquiries(house, world).get("inq_1")
    assert (found.state, found.texts, len(found.resolutions)) == (InquiryState.RESOLVED, 3, 1)
    (credit,) = world.orders.get(order.order_id).credits
    assert (credit.amount, credit.reason) == (500, "inq_1: late")
    assert found.resolutions[0].outcome == credit.credit_id
    row = {"PK": {"S": f"ORDER#{order.order_id}"}, "SK": {"S": "INQUIRIES"}}
    counted = world.client.get_item(TableName=world.orders_name, Key=row)["Item"]
    assert counted["active"]["N"] == "0"


@dataclass
class AsItWas:
    """What somebody else has not resolved yet, for who looked before that."""

    table: InquiriesTable
    seen: Inquiry

    def get(self, inquiry_id: str) -> Inquiry:
        assert inquiry_id == self.seen.inquiry_id
        return self.seen

    def change(self, *said: Any, **how: Any) -> Inquiry:
        return self.table.change(*said, **how)


@pytest.mark.parametrize("other", [{**REFUND, "reason": "damaged"}, RESEND, REFUND])
def test_of_two_who_resolve_it_at_once_under_keys_of_their_own_one_changes_the_order(
    house: House, other: dict[str, Any]
) -> None:
    order, world = delivered(house), world_of(house)
    table = inquiries(house, world)
    ask = Ask("inq_2", order.customer_id, Origin.PAGE, Written("Broken"), "damaged")
    table.open(opening(replace(ask, order_id=order.order_id), POLICY, AT), at=AT, actor="customer")
    both: Any = AsItWas(table, table.get("inq_2"))
    resolver = Resolver(world.orders, both, POLICY)

    def asked(body: dict[str, Any], key: str) -> Asked:
        return Asked(ResolveInquiry.read(body), body, f"user:{key}", AT, lambda _: None, key)

    resolver.resolve("inq_2", asked(REFUND, "k"))
    with pytest.raises(Conflict):
        resolver.resolve("inq_2", asked(other, "l"))
    resolver.resolve("inq_2", asked(REFUND, "k"))

    assert [each.amount for each in world.orders.get(order.order_id).credits] == [500]
    assert world.orders.get(order.order_id).returns == ()
    assert len(table.get("inq_2").resolutions) == 1
