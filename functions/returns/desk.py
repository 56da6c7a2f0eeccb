"""Returns as they are asked for, whoever asks: looked at under the policy, then decided at once or
left to a person."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from oms.adapters.http_api import Problem
from oms.adapters.orders_table import OnceKey, OrdersTable
from oms.contracts.invalid import Fault, InvalidRequest
from oms.domain import commands as c
from oms.domain.fulfillment import ELSEWHERE, ON_ITS_WAY, FulfillmentStatus
from oms.domain.order import Order
from oms.domain.returns import ExchangeLine, Inspected, Resolution, Return, ReturnLine
from oms.domain.returns.eligibility import Asked, Verdict, eligibility
from oms.domain.returns.policy import ReturnPolicy

KEY_LETTERS = 32
SENT = ON_ITS_WAY | {FulfillmentStatus.DELIVERED, FulfillmentStatus.COLLECTED}


@dataclass(frozen=True, slots=True)
class Wish:
    """`handed_in`: what lies on the counter of `in_store`, as it was judged there."""

    lines: tuple[ReturnLine, ...]
    resolution: Resolution
    in_store: str = ""
    exchange: tuple[ExchangeLine, ...] = ()
    handed_in: tuple[Inspected, ...] = ()
    override: str = ""


@dataclass(frozen=True, slots=True)
class ReturnDesk:
    orders: OrdersTable
    policy: Callable[[], tuple[ReturnPolicy, int]]
    segments: Callable[[str], tuple[str, ...]] = lambda _: ()

    def asked(self, order: Order, at: datetime, *, in_store: bool = False) -> Asked:
        """Nobody is asked for segments that no rule of the policy names."""
        policy, version = self.policy()
        segments = self.segments(order.customer_id) if policy.asks_segments else ()
        return Asked(order, policy, version, at, in_store, segments)

    def request(
        self, order_id: str, wish: Wish, *, at: datetime, actor: str, once: OnceKey | None
    ) -> tuple[Order, Return, bool]:
        """The order, its return, and whether it is new."""
        order, key = self.orders.get(order_id), once.key[:KEY_LETTERS] if once else ""
        if _by_key(order, key) is not None:  # a body that is another one is refused there
            order = self.orders.change(order_id, _plain(wish, key), at=at, actor=actor, once=once)
            return order, _found(order, key), False
        command = self._command(order, wish, key, at)
        after = self.orders.change(order_id, command, at=at, actor=actor, seen=order, once=once)
        return after, _found(after, key), True

    def _command(self, order: Order, wish: Wish, key: str, at: datetime) -> c.RequestReturn:
        check_lines(order, wish.lines)
        asked = self.asked(order, at, in_store=bool(wish.in_store))
        verdict = eligibility(asked, wish.lines, wish.resolution)
        if not (verdict.is_allowed or wish.override):
            raise not_returnable(verdict)
        at_once = wish.handed_in and verdict.in_store
        if wish.handed_in and not (at_once or wish.override):
            raise Problem(409, "Not possible now", "the policy lets no store decide this at once")
        approved = verdict.automatic or bool(wish.override) or bool(at_once)
        return c.RequestReturn(
            wish.lines,
            wish.resolution,
            wish.in_store,
            wish.exchange,
            verdict.terms if approved else None,
            verdict.expires_at if approved else None,
            key,
            wish.handed_in,
            wish.override,
            None if wish.override or at_once else asked.policy.automatic_returns,
        )


def _plain(wish: Wish, key: str) -> c.RequestReturn:
    return c.RequestReturn(wish.lines, wish.resolution, key=key)


def _by_key(order: Order, key: str) -> Return | None:
    return next((each for each in order.returns if key and each.key == key), None)


def _found(order: Order, key: str) -> Return:
    """Without a key it is the one that was just written."""
    return _by_key(order, key) or order.returns[-1]


def check_lines(order: Order, lines: Iterable[ReturnLine]) -> None:
    known = {line.line_id for line in order.lines}
    faults = [
        Fault(f"lines[{place}].line_id", f"the order has no {line.line_id}")
        for place, line in enumerate(lines)
        if line.line_id not in known
    ]
    if faults:
        raise InvalidRequest(faults)


def not_returnable(verdict: Verdict) -> Problem:
    return Problem(409, "Not returnable", "the policy does not allow it", _why_not(verdict))


def _why_not(verdict: Verdict) -> Iterator[Fault]:
    for why in verdict.refusals:
        yield Fault("resolution", why)
    for place, line in enumerate(verdict.lines):
        for why in line.refusals:
            yield Fault(f"lines[{place}]", f"{line.line_id}: {why}")


def default_location(order: Order, found: Return) -> str:
    """Where goods are received when nobody says so: over the counter, or where they were shipped
    from, if that was one place."""
    if found.in_store:
        return found.in_store
    line_ids = {each.line_id for each in found.lines}
    places = {
        each.location_id
        for each in order.fulfillment_orders
        if each.status in SENT
        and each.location_id != ELSEWHERE
        and any(each.quantity(line_id) for line_id in line_ids)
    }
    if len(places) == 1:
        return places.pop()
    said = f"is missing: it was shipped from {', '.join(sorted(places)) or 'nowhere'}"
    raise InvalidRequest([Fault("location_id", said)])
