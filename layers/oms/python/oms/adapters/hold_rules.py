"""Rules of the policy that hold a new order back, asked as it is placed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from oms.adapters.agenda import agenda
from oms.adapters.dynamodb import Write
from oms.adapters.orders_table import orders_table
from oms.adapters.policies_table import policies_table
from oms.adapters.segments_table import segments_table
from oms.contracts.api.orders import OrderGiven, RiskGiven
from oms.domain.agenda import DueKind
from oms.domain.holds import NewHold
from oms.domain.screening import HoldPolicy, OrderFacts, Risk, screen

Deadline = Callable[[str, str, datetime], Sequence[Write]]  # kind, subject, when


@dataclass(frozen=True, slots=True)
class HoldRules:
    """`earlier` says when a customer's last orders were placed: before an instant, newest first, at
    most so many; `segments`, what the customer belongs to. Nobody is asked for what no rule needs.
    """

    policy: Callable[[], HoldPolicy]
    earlier: Callable[[str, datetime, int], tuple[datetime, ...]]
    segments: Callable[[str], tuple[str, ...]] = lambda _: ()

    def holds(self, said: OrderGiven, customer_id: str, at: datetime) -> tuple[NewHold, ...]:
        policy = self.policy()
        if not policy.rules:
            return ()
        known = bool(policy.looks_back and said.customer and said.customer.email)
        earlier = self.earlier(customer_id, at, policy.looks_back) if known else ()
        segments = self.segments(customer_id) if policy.asks_segments else ()
        return screen(policy, facts_of(said, at.astimezone(UTC), earlier, segments))


def facts_of(
    said: OrderGiven,
    at: datetime,
    earlier: tuple[datetime, ...],
    segments: tuple[str, ...] = (),
) -> OrderFacts:
    email = said.customer.email if said.customer and said.customer.email else ""
    return OrderFacts(
        total=said.total,
        currency=said.currency,
        channel=said.channel,
        provider=said.payment.provider,
        placed_at=at,
        country=said.shipping_address.country if said.shipping_address else "",
        billing_country=said.billing_country or "",
        email_domain=email.rpartition("@")[2].lower(),
        tags=tuple(said.tags),
        risk=risk_of(said.risk),
        earlier=earlier,
        segments=segments,
    )


def risk_of(said: RiskGiven | None) -> Risk | None:
    return Risk(said.score, said.provider, said.card_country or "") if said else None


def looked_at(
    order_id: str, holds: Iterable[NewHold], at: datetime, deadline: Deadline
) -> tuple[Write, ...]:
    """The deadlines of holds that somebody must look at by then; one for each instant."""
    instants = {due for hold in holds if (due := hold.due_at(at))}
    found = (deadline(DueKind.RELEASE_HOLD, order_id, due) for due in sorted(instants))
    return tuple(write for writes in found for write in writes)


def hold_rules() -> HoldRules:
    return HoldRules(
        lambda: policies_table().current("holds", HoldPolicy)[0],
        orders_table().placed_before,
        lambda customer_id: segments_table().names(customer_id),
    )


def deadline(kind: str, subject: str, at: datetime) -> Sequence[Write]:
    return agenda().writes(kind, subject, at)
