"""What orders tell of their customers goes into profiles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from oms.adapters.customers_table import MATCH, PROVED, Change, CustomersTable, Kept
from oms.adapters.dynamodb import Write
from oms.adapters.identities_table import IdentitiesTable
from oms.adapters.segments_table import segments_table
from oms.adapters.vault import Unreadable
from oms.domain.contact import Contact
from oms.domain.customers import CustomerPolicy, Profile, joined, seen_on
from oms.domain.identities import Person, TooManyIdentities
from oms.domain.order import Order
from oms.observability import logger

POLICY = "customers"
MATCHER = "system:same-phone"  # who merges by rule
MAX_SUGGESTED = 10
MAX_REMEMBERED = 50  # changes that tell whether people have split somebody
MAX_LOOKED_AT = 20  # last orders of a customer of whom nothing is kept yet


class Contacts(Protocol):
    def contact(self, customer_id: str, order_id: str) -> Contact | None: ...


class Orders(Protocol):
    def glance(self, order_id: str) -> Order: ...
    def many(self, order_ids: Iterable[str]) -> dict[str, Order]: ...
    def listed(
        self, customer_id: str, until: datetime | None, limit: int
    ) -> tuple[tuple[str, str], ...]: ...


@dataclass(frozen=True, slots=True)
class Learned:
    """What an order said of its customer, and when."""

    customer_id: str
    seen: Profile


@dataclass(frozen=True, slots=True)
class Learning:
    customers: CustomersTable
    identities: IdentitiesTable
    contacts: Contacts
    orders: Orders
    policy: Callable[[], CustomerPolicy]

    def seen(self, customer_id: str, contact_id: str, channel: str, at: datetime) -> Learned | None:
        """None where the contact is not kept any more, or tells nothing: a till's."""
        try:
            contact = self.contacts.contact(customer_id, contact_id)
        except Unreadable:
            logger().warning("contact_unreadable", extra={"contact_id": contact_id})
            return None
        if contact is None:
            return None
        seen = seen_on(contact_id.partition("#")[0], contact, channel, at)
        return Learned(customer_id, seen) if seen.is_somebody else None

    def take(self, learned: Sequence[Learned], at: datetime) -> None:
        """All that is known of one customer is written at once."""
        for customer_id in dict.fromkeys(each.customer_id for each in learned):
            new = [each.seen for each in learned if each.customer_id == customer_id]
            try:
                self.match(self.customers.change(customer_id, _adding(new)), at)
            except Unreadable:  # one that was tampered with does not stop all others
                logger().error("profile_unreadable", extra={"customer_id": customer_id})

    def from_orders(self, customer_id: str, at: datetime) -> Kept:
        """Of somebody whose orders were placed a moment ago, or long before there were profiles."""
        listed = self.orders.listed(customer_id, None, MAX_LOOKED_AT)
        orders = self.orders.many(order_id for order_id, _ in listed)
        seen = [
            self.seen(customer_id, each.contact_id, each.channel, each.placed_at)
            for each in orders.values()
        ]
        if found := [each for each in seen if each]:
            self.take(found, at)
        return self.customers.get(customer_id)

    def match(self, kept: Kept, at: datetime) -> None:
        """Merge by rule who has proved to be the same person, where the policy says so."""
        if not any(each.verified for each in kept.profile.phones):
            return
        if self.policy().merge_same_phone and not self._was_split(kept.customer_id):
            for other in self._alike(kept.profile, {kept.customer_id}, proved_only=True):
                self._merge(other, kept.customer_id, at)

    def suggested(self, profile: Profile, person: Person) -> list[str]:
        """Other persons who may be this one."""
        strangers = self._alike(profile, {*person.identities}, proved_only=False)
        roots = (self.identities.person(other).root for other in strangers[:MAX_SUGGESTED])
        return list(dict.fromkeys(roots))

    def _alike(self, profile: Profile, own: set[str], *, proved_only: bool) -> list[str]:
        """Of one number and last name; it is enough that one of them has proved it, unless
        `proved_only`."""
        found = set[str]()
        for pair, verified in self.customers.index.pairs(profile):
            if proved_only and not verified:
                continue
            kind = MATCH if verified and not proved_only else PROVED
            found.update(self.customers.found(kind, pair, MAX_SUGGESTED).customer_ids)
        return sorted(found - own)

    def _merge(self, customer_id: str, other: str, at: datetime) -> None:
        """The one that was there before is kept; too many are left to people."""
        if self._was_split(customer_id):
            return
        notes = self.notes(at, MATCHER, "same phone")
        with suppress(TooManyIdentities):
            self.identities.merge(customer_id, other, at=at, by=MATCHER, notes=notes)

    def _was_split(self, customer_id: str) -> bool:
        """Whom people have split, only people merge."""
        page = self.customers.changes(customer_id, MAX_REMEMBERED)
        return any(each.what == "split" for each in page.changes)

    def notes(
        self, at: datetime, by: str, reason: str, what: str = "merged"
    ) -> Callable[[str, str], Sequence[Write]]:
        """Lines of both histories."""

        def written(root: str, other: str) -> Sequence[Write]:
            kept = Change(what, at, by, {"customer_id": other, "reason": reason})
            gone = Change(what, at, by, {"root": root, "reason": reason})
            table = self.customers
            noted = [table.change_write(root, kept), table.change_write(other, gone)]
            return [*noted, *(segments_table().touch_write(each, at) for each in (root, other))]

        return written


def _adding(new: Sequence[Profile]) -> Callable[[Profile], Profile]:
    return lambda known: joined([known, *new])
