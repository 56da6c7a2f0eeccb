"""A promise that is at risk, and what can be done about it, before anybody is late.

What nobody has begun to pick is taken back and routed again, if another location can keep the
promise. What its own location can keep with its next shipment is left there. Else it goes by a
faster method, if the policy pays for that; else the customer is told another day, once for each
later one. A person is asked where customers are not to be told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Protocol

from oms.adapters.dynamodb import client, transact
from oms.adapters.orders_table import OrdersTable
from oms.adapters.policies_table import policies_table
from oms.adapters.routing.desk import routing
from oms.adapters.routing.rerouting import TakingBack
from oms.adapters.routing.sourcing import Sourced
from oms.domain import commands as c
from oms.domain.agenda import DueKind
from oms.domain.decide import decide, facts
from oms.domain.errors import Refused
from oms.domain.events import Event, OrderNeedsAttention
from oms.domain.fulfillment import IN_WAREHOUSE, NOT_BEGUN, Delivery, FulfillmentOrder
from oms.domain.ids import order_of_fulfillment
from oms.domain.order import Order
from oms.domain.promising.policy import PromisePolicy
from oms.domain.promising.standing import State, next_look, of_work
from oms.domain.rerouting import TakenBack
from oms.domain.routing.snapshot import LocationFacts, Snapshot
from oms.observability import logger

AT_RISK = "promise at risk"
ACTOR = "system"
POLICY = "promises"
NOTHING, TAKEN_BACK, UPGRADED, LEFT = "nothing to do", "taken back", "upgraded", "left"
TOLD, TOLD_BEFORE, MISSED = "told", "told before", "missed"

LookAgain = Callable[[str, str, datetime], None]  # the kind, the subject, when


class Sources(Protocol):
    def source(self, order: Order, *, fresh: bool = False) -> Sourced: ...


def no_currency(carrier: str) -> str:  # noqa: ARG001
    """Where no carrier has a card."""
    return ""


@dataclass(frozen=True, slots=True)
class _Option:
    """A method by which its location can keep the promise; `extra` is what it costs more."""

    method: str
    extra: int
    currency: str
    facts: LocationFacts


class Promises:
    """`currency` is that of a carrier's card."""

    def __init__(
        self,
        orders: OrdersTable,
        sourcing: Sources,
        taking_back: TakingBack,
        look_again: LookAgain,
        policy: PromisePolicy | None = None,
        currency: Callable[[str], str] = no_currency,
    ) -> None:
        self._orders, self._sourcing, self._taking_back = orders, sourcing, taking_back
        self._look_again, self._currency = look_again, currency
        self._policy = policy or PromisePolicy()

    def look(self, fulfillment_order_id: str, at: datetime) -> str:
        """What became of it, in a few words; safe at any time, and twice."""
        order = self._orders.get(order_of_fulfillment(fulfillment_order_id))
        work = order.fulfillment_order(fulfillment_order_id)
        promised = promised_for(order, work)
        if promised is None or not work.is_under_way or order.is_final:
            return NOTHING
        late = work.ship_by is None or at >= work.ship_by
        not_begun = work.status in NOT_BEGUN and late
        ask = self._not_begun if not_begun else self._under_way
        said = ask(order, work, promised, at)
        self._watch(fulfillment_order_id, at) if said not in (TAKEN_BACK, LEFT) else None
        extra = {"fulfillment_order_id": fulfillment_order_id, "promised": promised.isoformat()}
        if said != NOTHING:
            logger().info("a promise is at risk", extra={**extra, "outcome": said})
        return said

    def reconsider(self, order_id: str, at: datetime) -> str:
        """After something has happened to the order."""
        order = self._orders.get(order_id)
        said = [self._help(order, work, promised, at) for work, promised in _at_risk(order, at)]
        if said and all(said):
            return ", ".join(sorted(set(said)))
        return self._tell(self._orders.get(order_id), at)

    def _under_way(self, order: Order, work: FulfillmentOrder, promised: date, at: datetime) -> str:
        if of_work(work, promised, at).state is State.KEPT:
            return NOTHING
        return self._help(order, work, promised, at) or self._tell(order, at, work)

    def _not_begun(self, order: Order, work: FulfillmentOrder, promised: date, at: datetime) -> str:
        without, decided = self._without(order, work, at)
        elsewhere = self._sourcing.source(without, fresh=True)
        if _keeps(elsewhere, promised) and not any(map(_asks_a_person, decided)):
            return self._take_back(work, at)
        here = elsewhere.snapshot.location(work.location_id)
        if here.deliver_by is None or here.deliver_by > promised:
            helped = self._upgrade(without, work, promised, elsewhere.snapshot)
            return helped or self._tell(order, at, work, here.deliver_by)
        if here.ship_by is not None and here.ship_by > at:
            self._look_again(DueKind.PROMISE_AT_RISK, work.fulfillment_order_id, here.ship_by)
        return LEFT

    def _help(self, order: Order, work: FulfillmentOrder, promised: date, at: datetime) -> str:
        """Empty: nobody can. What has left cannot be helped any more."""
        if work.status not in IN_WAREHOUSE or work.delivery is not Delivery.SHIP:
            return ""
        without, decided = self._without(order, work, at)
        now = self._sourcing.source(without, fresh=True)
        may_go = work.status in NOT_BEGUN and not any(map(_asks_a_person, decided))
        if may_go and _keeps(now, promised):
            return self._take_back(work, at)
        return self._upgrade(without, work, promised, now.snapshot)

    def _take_back(self, work: FulfillmentOrder, at: datetime) -> str:
        taken = TakenBack(work.fulfillment_order_id, AT_RISK)
        return TAKEN_BACK if self._taking_back.take_back(taken, at) else "begun"

    def _without(
        self, order: Order, work: FulfillmentOrder, at: datetime
    ) -> tuple[Order, tuple[Event, ...]]:
        """The order as if its location could not do it."""
        until = at + self._taking_back.excluded_for(order.order_id)
        decided = decide(c.RejectFulfillmentOrder(work.fulfillment_order_id, AT_RISK, until), order)
        return facts(order.order_id, order, decided, at, ACTOR)[1], decided

    def _upgrade(
        self, without: Order, work: FulfillmentOrder, promised: date, now: Snapshot
    ) -> str:
        """By the cheapest method of the policy's by which its own location keeps the promise."""
        options = self._options(without, work, promised, _cost(now, work))
        best = min(options, key=lambda option: (option.extra, option.method), default=None)
        if best is None:
            return ""
        command = c.UpgradeFulfillmentOrder(
            work.fulfillment_order_id,
            best.method,
            AT_RISK,
            best.facts.deliver_by or promised,
            best.facts.ship_by,
            best.facts.basis,
            max(best.extra, 0),
            best.currency,
        )
        try:
            self._orders.change(without.order_id, command, at=now.at, actor=ACTOR)
        except Refused:
            return ""  # it has left meanwhile
        return UPGRADED

    def _options(
        self, without: Order, work: FulfillmentOrder, promised: date, cost: int
    ) -> Iterator[_Option]:
        used = work.method or without.shipping.method
        for method in self._policy.upgrade_to:
            if method == used:
                continue
            by = replace(without, shipping=replace(without.shipping, method=method))
            found = self._sourcing.source(by).snapshot
            here = found.location(work.location_id)
            currency = self._currency(here.basis.carrier) if here.basis else ""
            extra = _cost(found, work) - cost
            in_time = here.deliver_by is not None and here.deliver_by <= promised
            if in_time and not here.unreachable and extra <= self._policy.most(currency):
                yield _Option(method, extra, currency, here)

    def _tell(
        self,
        order: Order,
        at: datetime,
        work: FulfillmentOrder | None = None,
        day: date | None = None,
    ) -> str:
        """The customer, of a later day; or, where customers are not told, a person, once."""
        if order.promise is None or not self._policy.tell_customer:
            return self._ask_a_person(order, work, at)
        known = ((work.fulfillment_order_id, day),) if work and day else ()
        told = self._orders.change(order.order_id, c.RevisePromise(at, known), at=at, actor=ACTOR)
        return TOLD if told.version > order.version else TOLD_BEFORE

    def _ask_a_person(self, order: Order, work: FulfillmentOrder | None, at: datetime) -> str:
        promised = promised_for(order, work)
        what = work.fulfillment_order_id if work else order.order_id
        reason = f"{what} cannot arrive by {promised}, as it was promised"
        if not order.attention:
            self._orders.change(order.order_id, c.RaiseAttention(reason), at=at, actor=ACTOR)
        return MISSED

    def _watch(self, fulfillment_order_id: str, at: datetime) -> None:
        order = self._orders.get(order_of_fulfillment(fulfillment_order_id))
        later = next_look(order, order.fulfillment_order(fulfillment_order_id), at)
        if later is not None:
            self._look_again(DueKind.PROMISE_AT_RISK, fulfillment_order_id, later)


def promise_desk(at: datetime) -> Promises:
    desk = routing()
    policy, _ = policies_table().current(POLICY, PromisePolicy)
    cards = desk.knowledge.now().tables.cards
    currencies = {card.carrier: card.currency for card in cards}
    return Promises(
        desk.orders,
        desk.sourcing(at),
        TakingBack(desk.orders, desk.agenda, desk.knowledge),
        lambda kind, subject, later: transact(client(), desk.agenda.writes(kind, subject, later)),
        policy,
        lambda carrier: currencies.get(carrier, ""),
    )


def promised_for(order: Order, work: FulfillmentOrder | None) -> date | None:
    """The customer's day, or that of the plan, for orders of before promises were kept."""
    told = order.promise.deliver_by if order.promise else order.deliver_by
    promised = told or (work.deliver_by if work else "")
    return date.fromisoformat(promised) if promised else None


def _at_risk(order: Order, at: datetime) -> Iterator[tuple[FulfillmentOrder, date]]:
    for work in order.fulfillment_orders:
        promised = promised_for(order, work)
        open_ = promised is not None and work.is_under_way and not order.is_final
        if open_ and promised and of_work(work, promised, at).state is not State.KEPT:
            yield work, promised


def _cost(snapshot: Snapshot, work: FulfillmentOrder) -> int:
    """What its location asks for these units, in minor units."""
    here = snapshot.location(work.location_id)
    wanted = zip(snapshot.order.wanted, here.unit_costs, strict=True)
    units = sum(cost * work.quantity(line.line_id) for line, cost in wanted)
    return here.fixed_cost + units


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
