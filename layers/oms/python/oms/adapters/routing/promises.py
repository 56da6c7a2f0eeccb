"""A promise that is at risk: what should be with its carrier by now, and nobody has begun to pick.

If another location can still keep the promise, the work is taken back and routed again. If only
its own can, it is looked at once more when that one's next shipment should have left. Of one that
nobody can keep any more a person is told, once; the order itself goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Protocol

from oms.adapters.orders_table import OrdersTable
from oms.adapters.routing.rerouting import TakingBack
from oms.adapters.routing.sourcing import Sourced
from oms.domain import commands as c
from oms.domain.agenda import DueKind
from oms.domain.decide import decide, facts
from oms.domain.events import Event, OrderNeedsAttention
from oms.domain.fulfillment import NOT_BEGUN, FulfillmentOrder
from oms.domain.ids import order_of_fulfillment
from oms.domain.order import Order
from oms.domain.rerouting import TakenBack
from oms.observability import logger

AT_RISK = "promise at risk"
ACTOR = "system"

LookAgain = Callable[[str, str, datetime], None]  # the kind, the subject, when


class Sources(Protocol):
    def source(self, order: Order, *, fresh: bool = False) -> Sourced: ...


class Promises:
    def __init__(
        self,
        orders: OrdersTable,
        sourcing: Sources,
        taking_back: TakingBack,
        look_again: LookAgain,
    ) -> None:
        self._orders, self._sourcing, self._taking_back = orders, sourcing, taking_back
        self._look_again = look_again

    def look(self, fulfillment_order_id: str, at: datetime) -> str:
        """What became of it, in a few words; safe at any time, and twice."""
        order = self._orders.get(order_of_fulfillment(fulfillment_order_id))
        work = order.fulfillment_order(fulfillment_order_id)
        promised = order.deliver_by or work.deliver_by
        if work.status not in NOT_BEGUN or not promised or order.is_final:
            return "nothing to do"
        said = self._look(order, work, date.fromisoformat(promised), at)
        extra = {"fulfillment_order_id": fulfillment_order_id, "promised": promised}
        logger().info("a promise is at risk", extra={**extra, "outcome": said})
        return said

    def _look(self, order: Order, work: FulfillmentOrder, promised: date, at: datetime) -> str:
        decided = self._taken_back(order, work, at)
        without = facts(order.order_id, order, decided, at, ACTOR)[1]
        elsewhere = self._sourcing.source(without, fresh=True)
        if _keeps(elsewhere, promised) and not any(map(_asks_a_person, decided)):
            taken = TakenBack(work.fulfillment_order_id, AT_RISK)
            return "taken back" if self._taking_back.take_back(taken, at) else "begun"
        here = elsewhere.snapshot.location(work.location_id)
        if here.deliver_by is None or here.deliver_by > promised:
            return self._tell(order, work, promised, at)
        if here.ship_by is not None and here.ship_by > at:
            self._look_again(DueKind.PROMISE_AT_RISK, work.fulfillment_order_id, here.ship_by)
        return "left"

    def _taken_back(self, order: Order, work: FulfillmentOrder, at: datetime) -> tuple[Event, ...]:
        until = at + self._taking_back.excluded_for(order.order_id)
        command = c.TakeBackFulfillmentOrder(work.fulfillment_order_id, AT_RISK, until)
        return decide(command, order)

    def _tell(self, order: Order, work: FulfillmentOrder, promised: date, at: datetime) -> str:
        reason = f"{work.fulfillment_order_id} cannot arrive by {promised}, as it was promised"
        if not order.attention:
            self._orders.change(order.order_id, c.RaiseAttention(reason), at=at, actor=ACTOR)
        return "missed"


def _asks_a_person(event: Event) -> bool:
    return isinstance(event, OrderNeedsAttention)


def _keeps(sourced: Sourced, promised: date) -> bool:
    """Everything is shipped, and arrives by then."""
    decision = sourced.decision
    return (
        sourced.is_routed
        and not decision.backordered
        and all(each.deliver_by and each.deliver_by <= promised for each in decision.plan)
    )
