"""Everything that is kept of a person, as plain JSON: what an export is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from functions.privacy.desk import Desk, orders_of
from oms.adapters.access_log import AccessLog
from oms.adapters.credit_ledger import CreditLedger
from oms.adapters.inquiry_texts import InquiryTexts
from oms.contracts.render import event_view, order_view
from oms.contracts.render_returns import return_view
from oms.domain.contact import Contact
from oms.domain.order import Order
from oms.domain.store_credit import store_credit_account

Json = dict[str, Any]
PAGE = 200


@dataclass(frozen=True, slots=True)
class Sources:
    """What is read beside the desk's own."""

    credit: CreditLedger
    notices: Callable[[str], Iterable[Json]]
    inquiries: InquiryTexts
    reads: AccessLog
    customer_changes: Callable[[str], Iterable[Any]]


def gathered(desk: Desk, sources: Sources, customer_id: str, at: datetime) -> Json:
    identities = tuple(desk.identities_of(customer_id))
    orders = orders_of(desk.orders, identities)
    contacts = desk.contacts(identities)
    return {
        "customer_id": identities[0],
        "identities": list(identities),
        "made_at": at.isoformat(),
        "profiles": _profiles(desk, sources, identities),
        "orders": [_order(desk, sources, order, contacts) for order in orders],
        "other_contacts": _others(contacts, orders),
        "store_credit": list(_credit(sources.credit, identities, orders)),
        "inquiries": list(_inquiries(sources.inquiries, identities)),
        "reads": list(_reads(sources.reads, identities)),
        "exports": [_plain(x) for each in identities for x in desk.rows.exports(each)],
    }


def _profiles(desk: Desk, sources: Sources, identities: Sequence[str]) -> list[Json]:
    return [
        {
            "customer_id": identity,
            **_plain(profile),
            "changes": [_plain(x) for x in sources.customer_changes(identity)],
        }
        for identity, profile in desk.profile(identities)
    ]


def _order(desk: Desk, sources: Sources, order: Order, contacts: Mapping[str, Contact]) -> Json:
    contact = contacts.get(order.contact_id)
    history = desk.orders.whole_history(order.order_id)
    return {
        **_plain(order_view(order)),
        "contact": _plain(contact) if contact else None,
        "returns": [_plain(return_view(order, each)) for each in order.returns],
        "documents": [
            {"number": x.number, "kind": x.draft.kind, "total": x.draft.total}
            for x in desk.documents.of_order(order.order_id)
        ],
        "notices": list(sources.notices(order.order_id)),
        "events": [_plain(event_view(order.order_id, fact)) for fact in history],
    }


def _others(contacts: Mapping[str, Contact], orders: Iterable[Order]) -> Json:
    """Of edits that were not taken up, and those that others took the place of."""
    shown = {order.contact_id for order in orders}
    return {name: _plain(contact) for name, contact in contacts.items() if name not in shown}


def _credit(
    ledger: CreditLedger, identities: Iterable[str], orders: Iterable[Order]
) -> Iterator[Json]:
    currencies = sorted({order.currency for order in orders})
    for identity in identities:
        for currency in currencies:
            file = ledger.file(store_credit_account(identity, currency))
            if file.account:
                yield _plain(file)


def _inquiries(texts: InquiryTexts, identities: Iterable[str]) -> Iterator[Json]:
    for identity in identities:
        for inquiry_id in texts.inquiries_of(identity):
            yield {
                "inquiry_id": inquiry_id,
                "from": _plain(texts.correspondent(identity, inquiry_id)),
                "texts": [_plain(each) for each in texts.all_of(identity, inquiry_id)],
            }


def _reads(log: AccessLog, identities: Iterable[str]) -> Iterator[Json]:
    for identity in identities:
        cursor: str | None = None
        while True:
            page = log.page(identity, PAGE, cursor)
            yield from (_plain(each) for each in page.reads)
            if (cursor := page.cursor) is None:
                break


def _plain(value: object) -> Any:
    return msgspec.to_builtins(value)
