"""Documents of an order: whatever its history calls for and has none yet, oldest first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import singledispatch
from typing import Protocol

from oms.adapters.documents_table import DocumentsTable
from oms.domain import events as e
from oms.domain.contact import Contact
from oms.domain.invoicing import (
    Document,
    DocumentKind,
    Draft,
    InvoicePolicy,
    credit_note,
    invoice,
)
from oms.domain.order import Fact, Order, apply, cause_of


class Orders(Protocol):
    def whole_history(self, order_id: str) -> Sequence[Fact]: ...


class Contacts(Protocol):
    def contact(self, customer_id: str, order_id: str) -> Contact | None: ...


class Shelf(Protocol):
    def write(self, name: str, pieces: Iterable[bytes]) -> None: ...


Printer = Callable[[Document, Contact], bytes]


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything that a document takes."""

    orders: Orders
    documents: DocumentsTable
    contacts: Contacts
    shelf: Shelf
    printer: Printer
    policy: InvoicePolicy


def issue_all(desk: Desk, order_id: str, at: datetime) -> list[Document]:
    """All documents of the order. A number is given first, the paper printed then: whoever comes
    after a crash prints the same bytes under the same name."""
    known = {document.draft.event_id: document for document in desk.documents.of_order(order_id)}
    issued: list[Document] = []
    for draft, order in drafts(order_id, desk.orders.whole_history(order_id)):
        document = known.get(draft.event_id)
        if document is None:
            refers_to = _invoices(issued) if draft.kind is DocumentKind.CREDIT_NOTE else ()
            document = desk.documents.issue(draft, desk.policy, at, refers_to)
            _print(desk, document, order)
        issued.append(document)
    return issued


def print_again(desk: Desk, document: Document, order: Order) -> None:
    """Where a worker stopped between the number and the paper."""
    _print(desk, document, order)


def drafts(order_id: str, history: Iterable[Fact]) -> Iterator[tuple[Draft, Order]]:
    order: Order | None = None
    for fact in history:
        before, order = order, apply(order_id, order, fact)
        event_id = cause_of(order_id, fact.seq)
        draft = _draft(fact.event, before, order, event_id) if before else None
        if draft:
            yield draft, order


@singledispatch
def _draft(event: object, before: Order, after: Order, event_id: str) -> Draft | None:  # noqa: ARG001
    return None


@_draft.register(e.FulfillmentOrderShipped)
@_draft.register(e.FulfillmentOrderCollected)
def _(event: object, before: Order, after: Order, event_id: str) -> Draft | None:  # noqa: ARG001
    return invoice(before, after, event_id)


@_draft.register(e.ReturnSettled)
@_draft.register(e.RefundGranted)
def _(
    event: e.ReturnSettled | e.RefundGranted,
    before: Order,  # noqa: ARG001
    after: Order,
    event_id: str,
) -> Draft | None:
    return credit_note(after, event.credit, event_id)


def file_of(document: Document) -> str:
    return f"documents/{document.number.rpartition('-')[0]}/{document.number}.pdf"


def _print(desk: Desk, document: Document, order: Order) -> None:
    contact = desk.contacts.contact(order.customer_id, order.contact_id) or Contact()
    desk.shelf.write(file_of(document), [desk.printer(document, contact)])


def _invoices(issued: Iterable[Document]) -> tuple[str, ...]:
    return tuple(x.number for x in issued if x.draft.kind is DocumentKind.INVOICE)
