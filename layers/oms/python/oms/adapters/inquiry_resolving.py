"""Resolving an inquiry by what was asked for: through the order's own commands, each once.

The order is changed first, under a key of the inquiry and of what was asked, and then the inquiry
is told. Whoever dies in between, and asks again, changes the order no second time. Nor does who
asks at the same time under a key of his own: until it is opened again, an inquiry has one turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from oms.adapters.inquiries_table import InquiriesTable
from oms.adapters.inquiry_texts import Written
from oms.adapters.orders_table import Beside, OnceKey, OrdersTable, fingerprint_of, once_key
from oms.contracts.api.inquiries import CancelGiven, RefundGiven, ResendGiven, ResolveInquiry
from oms.contracts.api.orders import LineQuantity
from oms.contracts.invalid import Fault, InvalidRequest
from oms.domain import commands as c
from oms.domain.fulfillment import Quantity
from oms.domain.inquiries import commands as of_inquiry
from oms.domain.inquiries.deciding import decide
from oms.domain.inquiries.model import Deed, Inquiry
from oms.domain.inquiries.policy import ServicePolicy
from oms.domain.order import Order
from oms.domain.returns import Resolution, ReturnLine, Terms

KEY_LETTERS = 32  # of a return's key
KEPT = Terms(keep=True, exchange_at_once=True)


@dataclass(frozen=True, slots=True)
class Asked:
    """`key`: the caller's Idempotency-Key, or empty; `most`: what he may refund on an order of this
    currency, None: as much as was taken. `turn`: of the inquiry, where he has a key of his own."""

    said: ResolveInquiry
    body: Any
    actor: str
    at: datetime
    most: Callable[[str], int | None]
    key: str = ""
    turn: OnceKey | None = None


@dataclass(frozen=True, slots=True)
class Resolver:
    orders: OrdersTable
    inquiries: InquiriesTable
    policy: ServicePolicy

    def resolve(self, inquiry_id: str, asked: Asked) -> Inquiry:
        inquiry = self.inquiries.get(inquiry_id)
        episode = f"episode {inquiry.reopened}"
        named = asked.key or episode
        fingerprint = fingerprint_of([named, asked.body])
        if any(each.fingerprint == fingerprint for each in inquiry.resolutions):
            return inquiry
        decide(of_inquiry.Resolve(Deed.ANSWERED), inquiry, self.policy, asked.at)
        once = once_key(f"inquiry {inquiry_id}", named, asked.body)
        assert once
        if asked.key:
            turn = once_key(f"inquiry {inquiry_id}", episode, asked.body)
            asked = replace(asked, turn=turn)
        deed, outcome, amount = self._done(inquiry, asked, once)
        self._told(inquiry, asked, fingerprint)
        done = of_inquiry.Resolve(deed, outcome, amount, fingerprint)
        return self._inquire(inquiry, done, asked)

    def _done(self, inquiry: Inquiry, asked: Asked, once: OnceKey) -> tuple[Deed, str, int]:
        """What was done, what came of it, and how much it was."""
        if not asked.said.deeds:
            return Deed.ANSWERED, "", 0
        if not inquiry.order_id:
            raise InvalidRequest([Fault(asked.said.deeds[0], "the inquiry belongs to no order")])
        order = self.orders.get(inquiry.order_id)
        why = f"{inquiry.inquiry_id}: {asked.said.reason}"
        if said := asked.said.refund:
            return self._refund(order, said, why, asked, once)
        if again := asked.said.resend:
            return self._resend(order, again, why, asked, once)
        assert asked.said.cancel
        return self._cancel(order, asked.said.cancel, why, asked, once)

    def _refund(
        self, order: Order, said: RefundGiven, why: str, asked: Asked, once: OnceKey
    ) -> tuple[Deed, str, int]:
        _check_line(order, said.line_id or "", "refund.line_id")
        command = c.GrantRefund(
            said.amount,
            why,
            said.line_id or "",
            as_store_credit=said.destination == "store_credit",
            most=asked.most(order.currency),
        )
        after = self._change(order, command, asked, once)
        granted = next((x for x in reversed(after.credits) if x.reason == why), None)
        return Deed.REFUND, granted.credit_id if granted else "", said.amount

    def _resend(
        self, order: Order, said: ResendGiven, why: str, asked: Asked, once: OnceKey
    ) -> tuple[Deed, str, int]:
        """A return of which nothing has to come back: what replaces it is on the way at once."""
        _check_lines(order, said.lines, "resend")
        key = once.key[:KEY_LETTERS]
        lines = tuple(ReturnLine(x.line_id, x.quantity, said.reason) for x in said.lines)
        command = c.RequestReturn(lines, Resolution.REPLACEMENT, terms=KEPT, key=key, override=why)
        after = self._change(order, command, asked, once)
        found = next(each for each in after.returns if each.key == key)
        return Deed.RESEND, found.return_id, 0

    def _cancel(
        self, order: Order, said: CancelGiven, why: str, asked: Asked, once: OnceKey
    ) -> tuple[Deed, str, int]:
        _check_lines(order, said.lines, "cancel")
        lines = tuple(Quantity(each.line_id, each.quantity) for each in said.lines)
        self._change(order, c.CancelOrder(why, lines), asked, once)
        return Deed.CANCEL, order.order_id, 0

    def _change(self, order: Order, command: c.Command, asked: Asked, once: OnceKey) -> Order:
        return self.orders.change(
            order.order_id,
            command,
            at=asked.at,
            actor=asked.actor,
            once=once,
            beside=Beside(turn=asked.turn),
        )

    def _told(self, inquiry: Inquiry, asked: Asked, fingerprint: str) -> None:
        """The customer, where there is something to say."""
        if asked.said.text:
            command = of_inquiry.Answer(waits=False, key=fingerprint)
            self._inquire(inquiry, command, asked, Written(asked.said.text))

    def _inquire(
        self,
        inquiry: Inquiry,
        command: of_inquiry.Command,
        asked: Asked,
        written: Written | None = None,
    ) -> Inquiry:
        return self.inquiries.change(
            inquiry.inquiry_id,
            command,
            self.policy,
            at=asked.at,
            actor=asked.actor,
            written=written,
        )


def _check_lines(order: Order, lines: Iterable[LineQuantity], field: str) -> None:
    for place, each in enumerate(lines):
        _check_line(order, each.line_id, f"{field}.lines[{place}].line_id")


def _check_line(order: Order, line_id: str, field: str) -> None:
    if line_id and all(line.line_id != line_id for line in order.lines):
        raise InvalidRequest([Fault(field, f"the order has no {line_id}")])
