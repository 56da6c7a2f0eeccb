"""Whatever a channel and staff do to an order, in any order and told twice, the books hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from functions.capture.following import Follower
from oms.adapters.channels.base import Cancelled, Refunded, Units, Updated, What
from oms.adapters.orders_table import Beside
from oms.adapters.placing import command_of
from oms.contracts.api.orders import ChannelOrder
from oms.domain import commands as c
from oms.domain.channel_orders import Heard, given_back_there
from oms.domain.decide import decide, facts
from oms.domain.edits import Changes
from oms.domain.errors import OmsError
from oms.domain.fulfillment import Quantity
from oms.domain.order import Order
from oms.domain.payment import OperationKind
from tests.builders import Story, line, paid

SHOP = "shopify:mugs.myshopify.com"
AT = datetime(2026, 5, 1, tzinfo=UTC)
ADDRESS = {"name": "Ada", "line1": "1 Main St", "city": "Austin", "country": "US"}
SHIPPING = 500


class HeardRow:
    """In memory, of one order."""

    def __init__(self) -> None:
        self.heard = Heard()

    def get(self, order_id: str) -> Heard:
        return self.heard

    def write(self, order_id: str, heard: Heard, at: datetime) -> Heard:
        return replace(heard, version=heard.version + 1)

    def keep(self, order_id: str, heard: Heard, at: datetime) -> None:
        self.heard = self.write(order_id, heard, at)


class OrderRow:
    def __init__(self, story: Story, heard: HeardRow) -> None:
        self.story, self.heard = story, heard

    def get(self, order_id: str) -> Order:
        return self.story.order

    def change(self, order_id: str, command: c.Command, *, beside: Beside, **how: Any) -> None:
        if events := decide(command, self.story.order):
            at, actor = how["at"], how["actor"]
            new, self.story.order = facts(order_id, self.story.order, events, at, actor)
            self.story.facts += new
            self.heard.heard = next(x for x in beside.writes if isinstance(x, Heard))


def _nothing(*_: object) -> Any:
    return None


class Shop:
    """Three mugs that its buyer has paid, or promised to pay; `feed` is all that it has told."""

    def __init__(self, *, captured: bool, tells: bool) -> None:
        self.units, self.price, self.at, self.over = 3, SHIPPING, AT, False
        self.captured, self.given_back, self.feed = captured, 0, list[What]()
        self.story = Story(command_of(self.order(), "cus_ada", AT, {}))
        heard = HeardRow()
        rows: dict[str, Any] = {"orders": OrderRow(self.story, heard), "heard": heard}
        self.follower = Follower(
            **rows,
            keep_contact=_nothing,
            resolve=lambda _: {},
            digest=lambda _, said: said,
            tells=lambda _: tells,
        )
        heard.keep("", self.follower.begun(self.order(), self.story.order_id, None), AT)
        self.settle()

    def order(self) -> ChannelOrder:
        total = self.units * 1000 + self.price
        mugs = {"sku": "MUG", "quantity": self.units, "unit_price": 1000, "external_id": "L-1"}
        taken = total if self.captured else 0
        return ChannelOrder.read(
            {
                "channel": SHOP,
                "external_id": "1",
                "currency": "USD",
                "shipping_address": ADDRESS,
                "lines": [mugs],
                "shipping": {"method": "standard", "price": self.price},
                "total": total,
                "payment": {"provider": "external", "token": "1", "captured": taken},
            }
        )

    def settle(self) -> None:
        while unsettled := self.story.order.payment.unsettled:
            self.story.do(paid(unsettled[0].operation_id))

    def hear(self, *told: What) -> None:
        for each in told:
            said: Any = each
            self.follower.follow(self.story.order_id, said, AT, f"channel:{SHOP}")
            self.feed.append(each)

    def now(self) -> Updated:
        self.at += timedelta(minutes=20)
        return Updated(self.order(), self.at)

    def gave(self, amount: int, *units: Units) -> Refunded:
        self.given_back += amount
        name = f"r-{len(self.feed)}"
        return Refunded(SHOP, "1", name, amount, "USD", units)

    def does(self, what: str, many: int) -> None:
        if what == "units" and not self.over:
            self.units = many
            self.hear(self.now())
        elif what == "price" and not self.over:
            self.price = many * 100
            self.hear(self.now())
        elif what == "captures" and not self.over:
            self.captured = True
            self.hear(self.now())
        elif what == "gives":
            self.hear(self.gave(many * 100))
        elif what == "takes out" and self.units > 1 and not self.over:
            self.units -= 1
            self.hear(self.gave(1000, Units(1, "L-1")), self.now())
        elif what == "cancels":
            self.over = True
            self.hear(Cancelled(SHOP, "1", at=self.at))

    def staff(self, what: str, many: int) -> None:
        """What cannot be done any more is not done."""
        try:
            self._staff(what, many)
        except (OmsError, StopIteration):
            return
        self.settle()

    def _staff(self, what: str, many: int) -> None:
        name = f"edt_{len(self.story.facts)}"
        pot = Changes(added=(line(9, sku="POT", unit_price=700),))
        if what == "ships":
            self.story.routed().shipped(len(self.story.order.fulfillment_orders))
        elif what == "refunds":
            self.story.do(c.GrantRefund(many * 100, "late"))
        elif what == "stops":
            self.story.do(c.CancelOrder("short", (Quantity("line_1", 1),)))
        elif what == "adds":
            self.story.edited(name, pot, provider="test", prepaid=True)

    @property
    def books(self) -> tuple[Any, ...]:
        """All but what a person must know."""
        order = self.story.order
        return order.lines, order.payment, order.credits, order.status


THEIRS = ("units", "price", "captures", "gives", "takes out", "cancels")
OURS = ("ships", "refunds", "stops", "adds")
steps = st.lists(st.tuples(st.sampled_from(THEIRS + OURS), st.integers(1, 5)), max_size=8)


@settings(max_examples=150, deadline=None)
@given(told=steps, captured=st.booleans(), tells=st.booleans(), order=st.randoms())
def test_what_is_told_again_in_any_order_changes_nothing(
    told: list[tuple[str, int]], captured: bool, tells: bool, order: Random
) -> None:
    shop = Shop(captured=captured, tells=tells)
    for what, many in told:
        (shop.does if what in THEIRS else shop.staff)(what, many)
        tenders = shop.story.order.payment.tenders
        assert all(0 <= x.refunded <= x.captured <= x.operation.amount for x in tenders)
    feed = shop.feed[:]
    shop.hear(*feed)  # what an edit of ours was in the way of is done now
    shop.settle()
    before = shop.books

    order.shuffle(feed)
    shop.hear(*feed)

    assert shop.books == before


@settings(max_examples=100, deadline=None)
@given(told=st.lists(st.tuples(st.sampled_from(("gives", "refunds", "adds", "ships")), st.just(2))))
def test_a_channel_that_is_told_of_our_refunds_has_its_own_in_our_books_to_the_cent(
    told: list[tuple[str, int]],
) -> None:
    shop = Shop(captured=True, tells=True)
    for what, many in told:
        (shop.does if what in THEIRS else shop.staff)(what, many)

    order = shop.story.order
    payment, taken = order.payment, 3 * 1000 + SHIPPING
    refunds = (each for each in payment.operations if each.kind is OperationKind.REFUND)
    external = sum(x.amount for x in refunds if payment.provider_of(x) == "external")
    assert given_back_there(order) == shop.given_back or external == taken
