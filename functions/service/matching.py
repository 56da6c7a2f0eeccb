"""Whose mail it is, and what it is about: by the reference of an inquiry, by the token of a
tracking page, else by its sender."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from oms.adapters.incoming_mail import IncomingMail
from oms.adapters.inquiries_table import InquiriesTable
from oms.adapters.inquiry_texts import InquiryTexts
from oms.adapters.order_reader import OrderReader
from oms.adapters.placing import guest_id
from oms.adapters.secrets import Secrets
from oms.domain.errors import NotFound
from oms.domain.inquiries.model import PREFIX, Inquiry
from oms.domain.order import Order

REFERENCE = re.compile(r"\[#([a-z2-7]{16})\]")
TAGGED = re.compile(r"[^@]*\+([a-z2-7]{16})@.*")
TOKEN = re.compile(r"\b([a-z2-7]{26}-[a-z2-7]{26})\b")
RECENT = timedelta(days=90)
LAST_ORDERS = 10
MAX_TOKENS = 5


@dataclass(frozen=True, slots=True)
class Match:
    """`elsewhere`: the mail is not from the address of the one whose order or inquiry it is."""

    customer_id: str
    order_id: str = ""
    inquiry: Inquiry | None = None
    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Matching:
    inquiries: InquiriesTable
    texts: InquiryTexts
    orders: OrderReader
    secrets: Secrets

    def match(
        self, mail: IncomingMail, recipients: tuple[str, ...], at: datetime, *, is_believed: bool
    ) -> Match:
        """A sender whom nobody vouches for is nobody that we know."""
        sender = self.secrets.customer_id(mail.sender)
        if known := self._by_reference(mail, recipients):
            elsewhere = not self._is_of(known, mail.sender, sender)
            return Match(known.customer_id, known.order_id, known, elsewhere)
        if order := self._by_token(mail):
            elsewhere = order.customer_id not in (sender, guest_id(order.order_id))
            return Match(order.customer_id, order.order_id, elsewhere=elsewhere)
        if not is_believed:
            return Match(self.secrets.unbelieved_id(mail.sender))
        return Match(sender, self._by_sender(sender, mail, at))

    def newest(self, match: Match) -> Match:
        """The newest that is active, of the same order, or of the same person without one."""
        ids = (
            self.inquiries.of_order(match.order_id)
            if match.order_id
            else self.texts.inquiries_of(match.customer_id)
        )
        known = self.inquiries.many(ids).values() if ids else ()
        active = [x for x in known if x.is_active and x.order_id == match.order_id]
        found = max(active, key=lambda each: each.opened_at, default=None)
        return Match(match.customer_id, match.order_id, found, match.elsewhere)

    def _is_of(self, inquiry: Inquiry, address: str, sender: str) -> bool:
        if inquiry.customer_id == sender:
            return True
        known = self.texts.correspondent(inquiry.customer_id, inquiry.inquiry_id)
        return known.email.lower() == address.lower()

    def _by_reference(self, mail: IncomingMail, recipients: tuple[str, ...]) -> Inquiry | None:
        found = [*REFERENCE.findall(mail.subject)[:MAX_TOKENS]]
        tagged = (TAGGED.fullmatch(each) for each in (*recipients, *mail.recipients))
        found += [each[1] for each in tagged if each]
        known = (self.inquiries.find(PREFIX + each) for each in found[:MAX_TOKENS])
        return next((each for each in known if each), None)

    def _by_token(self, mail: IncomingMail) -> Order | None:
        for token in TOKEN.findall(f"{mail.subject} {mail.text}")[:MAX_TOKENS]:
            order_id = self.secrets.tracked_order(token)
            try:
                if order_id:
                    return self.orders.get(order_id)
            except NotFound:
                continue
        return None

    def _by_sender(self, customer_id: str, mail: IncomingMail, at: datetime) -> str:
        """The order that the mail names, else the only one of late."""
        orders = list(self._last_orders(customer_id))
        said = f"{mail.subject} {mail.text}".lower()
        for order in orders:
            if re.search(rf"(?<!\w){re.escape(order.external_id.lower())}(?!\w)", said):
                return order.order_id
        since = at - RECENT
        recent = [each.order_id for each in orders if each.placed_at > since]
        return recent[0] if len(recent) == 1 else ""

    def _last_orders(self, customer_id: str) -> Iterator[Order]:
        page = self.orders.by_customer(customer_id, limit=LAST_ORDERS)
        ids = [pk.removeprefix("ORDER#") for pk, _ in page.keys]
        found = self.orders.many(ids) if ids else {}
        yield from (found[each] for each in ids if each in found)
