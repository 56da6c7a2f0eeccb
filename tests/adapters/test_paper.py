"""The PDF of a document."""

from __future__ import annotations

from datetime import UTC, datetime

from oms.adapters.paper import marked_up, printed, recipient
from oms.domain.contact import Contact, PostalAddress
from oms.domain.invoicing import Document, DocumentKind, Draft, Row, Seller, TaxSum

ADDRESS = PostalAddress("US", "Ada <b>", "", "1 Main St", "", "Austin", "TX", "78701")
DRAFT = Draft(
    DocumentKind.INVOICE,
    "ord_1",
    "ord_1#000009",
    "EUR",
    False,
    tuple(Row(f"SKU-{number} & Сын", 1250, 1, 1000, 0, 250) for number in range(200)),
    (TaxSum("VAT", "0.25", 50_000),),
)
DOCUMENT = Document("INV-2026-000001", DRAFT, datetime(2026, 1, 1, tzinfo=UTC), Seller("Us & Co"))


def test_the_same_document_is_the_same_bytes() -> None:
    contact = Contact(address=ADDRESS)

    assert printed(DOCUMENT, contact) == printed(DOCUMENT, contact)
    assert printed(DOCUMENT, contact).startswith(b"%PDF-")


def test_a_document_of_many_rows_has_many_pages() -> None:
    assert printed(DOCUMENT, Contact()).count(b"/Type /Page\n") > 3


def test_an_address_has_no_empty_lines() -> None:
    assert recipient(Contact(address=ADDRESS)) == ["Ada <b>", "1 Main St", "78701 Austin TX", "US"]
    assert recipient(Contact(name="Ada")) == ["Ada"]
    assert recipient(Contact()) == []


def test_what_customers_write_is_text_and_no_markup() -> None:
    assert marked_up("<b>&") == "&lt;b&gt;&amp;"
    assert marked_up("a陶b") == 'a<font name="STSong-Light">陶</font>b'
