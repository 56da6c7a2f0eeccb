"""Invoices and credit notes of an order: asked for, listed, fetched."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from functions.invoices.desk import ENVIRONMENT as NEEDED
from functions.invoices.desk import desk
from functions.invoices.issuing import file_of, issue_all, print_again
from oms.adapters.access_log import access_log
from oms.adapters.documents_table import documents_table
from oms.adapters.files import Files, files
from oms.adapters.http_api import HttpApi, Request
from oms.adapters.order_reader import order_reader
from oms.contracts.api.invoices import DocumentList, DocumentRowView, DocumentTaxView, DocumentView
from oms.domain.invoicing import Document

ENVIRONMENT: tuple[str, ...] = NEEDED

app = HttpApi("InvoicesApi")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return app.handle(event, context)


@app.route("POST", "/orders/{order_id}/documents")
def issue(request: Request) -> DocumentList:
    """Whatever was shipped or given back and has no document yet gets one; again, none is added."""
    order_id = request.path["order_id"]
    order_reader().glance(order_id)
    issued = issue_all(desk(), order_id, datetime.now(UTC))
    return DocumentList([view(document) for document in issued])


@app.route("GET", "/orders/{order_id}/documents")
def documents(request: Request) -> DocumentList:
    order_id = request.path["order_id"]
    order_reader().glance(order_id)
    return DocumentList([view(each) for each in documents_table().of_order(order_id)])


@app.route("GET", "/documents/{number}")
def document(request: Request) -> DocumentView:
    """With a link to the PDF, which ends after a quarter of an hour. It has a name on it."""
    found = documents_table().numbered(request.path["number"])
    order = order_reader().glance(found.draft.order_id)
    at = datetime.now(UTC)
    access_log().read(request.actor, order.customer_id, found.number, "document", at)
    return view(found, link_to(found, files()))


def link_to(document: Document, shelf: Files) -> str:
    name = file_of(document)
    if shelf.find(name) is None:
        print_again(desk(), document, order_reader().get(document.draft.order_id))
    return shelf.download_link(name)


def view(document: Document, url: str = "") -> DocumentView:
    draft = document.draft
    return DocumentView(
        number=document.number,
        kind=draft.kind,
        order_id=draft.order_id,
        issued_at=document.issued_at,
        currency=draft.currency,
        tax_included=draft.tax_included,
        total=draft.total,
        rows=[
            DocumentRowView(x.label, x.quantity, x.unit_price, x.discount, x.tax, x.amount)
            for x in draft.rows
        ],
        taxes=[DocumentTaxView(tax.name, tax.rate, tax.amount) for tax in draft.taxes],
        refers_to=list(document.refers_to),
        reason=draft.reason,
        url=url,
    )
