"""What a channel has done is done here: in any order, however often, to the same end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from oms.domain import commands as c
from oms.domain.channel_orders import GivenUp, Heard, called_off_there, counted
from oms.domain.decide import decide
from oms.domain.decide.deciding import after, facts
from oms.domain.decide.placing import place
from oms.domain.order import Order, OrderStatus
from oms.domain.payment import OperationKind
from tests.builders import NOW, line, placement

BY = "channel:shopify:mugs"
UNITS, PRICE = 4, 1000


def an_order(captured: int = UNITS * PRICE + 500) -> Order:
    said = placement(
        replace(line(1, quantity=UNITS, unit_price=PRICE), external_id="L"),
        provider="external",
        captured=captured,
    )
    return facts("ord_1", None, place(said), NOW, BY)[1]


def followed(order: Order, heard: Heard) -> Order:
    command = c.FollowChannel(
        reason="there",
        by=BY,
        called_off=called_off_there(order, heard),
        refunded=heard.refunded,
        refund_reason="there",
    )
    return after(order, *decide(command, order))


@dataclass(frozen=True)
class Refund:
    name: str
    units: int
    extra: int

    @property
    def amount(self) -> int:
        return self.units * PRICE + self.extra

    def told(self, heard: Heard) -> Heard:
        return heard.refunding(GivenUp(self.name, counted({"L": self.units}), self.amount))


@st.composite
def refunds(draw: st.DrawFn) -> list[Refund]:
    """Of units that were not shipped, some with goodwill beside, at most what was paid."""
    found: list[Refund] = []
    for number in range(draw(st.integers(1, 4))):
        left = UNITS - 1 - sum(each.units for each in found)
        room = 1000 - sum(each.extra for each in found)
        units = draw(st.integers(0, left))
        found.append(Refund(f"r-{number}", units, draw(st.integers(0, room))))
    return found


def repaid(order: Order) -> int:
    return order.payment.committed(OperationKind.REFUND)


@given(refunds(), st.randoms(use_true_random=False), st.sampled_from([0, UNITS * PRICE + 500]))
def test_what_the_channel_gave_back_is_what_our_books_gave_back(
    told: list[Refund], random: object, captured: int
) -> None:
    order, heard = an_order(captured), Heard()
    messages = [*told, *told]
    random.shuffle(messages)  # type: ignore[attr-defined]
    for refund in messages:
        heard = refund.told(heard)
        order = followed(order, heard)

        assert repaid(order) == heard.refunded
        assert order.payment.refunded == heard.refunded  # and nobody is asked for it
    assert order.lines[0].cancelled == sum(each.units for each in told)


def test_a_cancellation_and_its_refund_come_to_the_same_in_any_order() -> None:
    def cancel(heard: Heard) -> Heard:
        return heard.cancelling(GivenUp("c", (("L", 2),)))

    def refund(heard: Heard) -> Heard:
        return heard.refunding(GivenUp("r", (("L", 2),), 2 * PRICE + 300))

    def state(heard: Heard) -> Heard:
        return replace(heard, removed=(("L", 2),))

    for messages in permutations((cancel, refund, state)):
        order, heard = an_order(), Heard()
        for told in messages:
            heard = told(heard)
            order = followed(order, heard)
        assert (order.lines[0].cancelled, repaid(order)) == (2, 2 * PRICE + 300)


def test_the_same_again_is_no_event() -> None:
    heard = replace(Heard(whole=True), refunds=(GivenUp("r", (), 4500),))
    order = followed(an_order(), heard)

    assert order.status is OrderStatus.CANCELLED
    assert followed(order, heard) == order


def test_what_others_paid_is_not_asked_of_them_for_a_refund_of_the_channel() -> None:
    said = placement(line(1, unit_price=PRICE), provider="test")
    order = facts("ord_1", None, place(said), NOW, BY)[1]

    command = c.FollowChannel(reason="", by=BY, refunded=300, refund_reason="there")

    assert decide(command, order) == ()
